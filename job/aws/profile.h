// SPDX-License-Identifier: Apache-2.0
// One profile of AWS's two files: ~/.aws/config and ~/.aws/credentials.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "job/aws/ini_file.h"
#include "job/base/environment.h"

namespace sluice {

class Profile {
 public:
  /// `flag` (empty: none) before AWS_PROFILE before "default". A profile that was named must exist
  /// in one of the files, else Failure{configuration}. Files that do not exist are empty.
  Profile(std::string_view flag, const Environment& environment);

  /// From the same files as they are now.
  Profile read_again() const;
  /// Another profile of the same files; nothing when neither has it.
  std::optional<Profile> other(const std::string& name) const;

  const std::string& name() const { return name_; }
  /// Then the environment's credentials are not meant.
  bool named_by_flag() const { return named_by_flag_; }

  /// A setting such as "region", from the credentials file before the config file; empty when
  /// neither has it.
  std::string setting(std::string_view key) const;
  /// A setting for one service, from the `[services …]` section that the profile points at: ("sqs",
  /// "endpoint_url").
  std::string service_setting(std::string_view service, std::string_view key) const;

  /// The profile's own section in one of the files, null when it has none; and where that is, for a
  /// person.
  const IniFile::Section* in_credentials_file() const;
  const IniFile::Section* in_config_file() const;
  const std::string& credentials_path() const { return credentials_path_; }
  const std::string& config_path() const { return config_path_; }

 private:
  void must_exist() const;

  std::string name_;
  bool named_by_flag_;
  bool named_;
  std::string credentials_path_;
  std::string config_path_;
  IniFile credentials_file_;
  IniFile config_file_;
};

}  // namespace sluice
