// SPDX-License-Identifier: Apache-2.0
#include "job/aws/profile.h"

#include <filesystem>

#include "job/base/failure.h"
#include "job/base/file.h"

namespace sluice {
namespace {

constexpr std::size_t kMostBytes = 1 << 20;
constexpr std::string_view kCredentialsFile = "AWS credentials file";
constexpr std::string_view kConfigFile = "AWS config file";

/// Without a home the tilde stays, and nothing is there.
std::string path_of(const Environment& environment, const char* variable, std::string_view usual) {
  std::string path = environment(variable);
  if (path.empty()) path = usual;
  if (!path.starts_with("~/")) return path;
  const std::string home = environment("HOME");
  return home.empty() ? path : home + path.substr(1);
}

IniFile read(const std::string& path, std::string_view what) {
  std::error_code unknown;  // then reading says why
  if (!std::filesystem::exists(path, unknown) && !unknown) return {};
  return {Secret(read_file(path, kMostBytes, what)), std::string(what) + " " + path};
}

std::string value_in(const IniFile::Section* section, std::string_view key) {
  if (section == nullptr) return "";
  const auto at = section->find(key);
  return at == section->end() ? "" : std::string(at->second.value);
}

}  // namespace

Profile::Profile(std::string_view flag, const Environment& environment)
    : name_(flag.empty() ? environment("AWS_PROFILE") : flag),
      named_by_flag_(!flag.empty()),
      named_(!name_.empty()),
      credentials_path_(path_of(environment, "AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials")),
      config_path_(path_of(environment, "AWS_CONFIG_FILE", "~/.aws/config")),
      credentials_file_(read(credentials_path_, kCredentialsFile)),
      config_file_(read(config_path_, kConfigFile)) {
  if (!named_) name_ = "default";
  must_exist();
}

Profile Profile::read_again() const {
  Profile fresh = *this;
  fresh.credentials_file_ = read(credentials_path_, kCredentialsFile);
  fresh.config_file_ = read(config_path_, kConfigFile);
  fresh.must_exist();
  return fresh;
}

std::optional<Profile> Profile::other(const std::string& name) const {
  Profile other = *this;
  other.name_ = name;
  if (!other.in_credentials_file() && !other.in_config_file()) return std::nullopt;
  return other;
}

void Profile::must_exist() const {
  if (!named_ || in_credentials_file() != nullptr || in_config_file() != nullptr) return;
  throw Failure(Fault::configuration, "AWS profile " + name_ + ": there is none of that name",
                "add it to " + config_path_ + " or " + credentials_path_ + ", or correct " +
                    (named_by_flag_ ? "--profile" : "AWS_PROFILE"));
}

const IniFile::Section* Profile::in_credentials_file() const {
  return credentials_file_.section(name_);
}

const IniFile::Section* Profile::in_config_file() const {
  const IniFile::Section* section = config_file_.section("profile " + name_);
  return section == nullptr && name_ == "default" ? config_file_.section(name_) : section;
}

std::string Profile::setting(std::string_view key) const {
  std::string value = value_in(in_credentials_file(), key);
  return value.empty() ? value_in(in_config_file(), key) : value;
}

std::string Profile::service_setting(std::string_view service, std::string_view key) const {
  const std::string services = setting("services");
  const IniFile::Section* section = config_file_.section("services " + services);
  if (services.empty() || section == nullptr) return "";
  const auto at = section->find(service);
  if (at == section->end()) return "";
  const auto nested = at->second.nested.find(key);
  return nested == at->second.nested.end() ? "" : std::string(nested->second);
}

}  // namespace sluice
