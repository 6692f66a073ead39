// SPDX-License-Identifier: Apache-2.0
#include "tests/schedulers/installed.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>

namespace sluice {
namespace {

const std::filesystem::path kSource = SLUICE_SOURCE_DIR;
const std::string kShare = "/usr/local/share/sluice";
const std::string kUnits = "/usr/local/lib/systemd/system";

}  // namespace

std::string pg_service(LoginWorld& world) {
  const Program::Variables& all = world.variables();
  return "[sluice]\nhost=" + all.at("PGHOST") + "\nport=" + all.at("PGPORT") +
         "\ndbname=" + all.at("PGDATABASE") + "\nuser=" + all.at("PGUSER") +
         "\npassword=" + all.at("PGPASSWORD") + "\n";
}

std::string aws_credentials(LoginWorld& world) {
  const Program::Variables& all = world.variables();
  return "[default]\naws_access_key_id=" + all.at("AWS_ACCESS_KEY_ID") +
         "\naws_secret_access_key=" + all.at("AWS_SECRET_ACCESS_KEY") + "\n";
}

std::string aws_config(LoginWorld& world) {
  return "[default]\nendpoint_url=" + world.aws().endpoint() + "\n";
}

void Installed::SetUp() {
  const std::string obstacle = OwnMachine::obstacle();
  if (obstacle.empty()) return;
  // Root, or a right that a container forbids, is missing. Where nobody reads what was skipped, it
  // fails.
  const char* nobody_looks = std::getenv("CI");
  if (nobody_looks != nullptr && std::string(nobody_looks) == "true") FAIL() << obstacle;
  GTEST_SKIP() << obstacle;
}

std::string Installed::commands(const std::string& heading, int number) {
  std::ifstream file(kSource / "cron" / "README.md");
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  const std::string begin = "\n```sh\n";
  std::size_t at = text.find("\n## " + heading + "\n");
  for (int i = 0; i <= number && at != std::string::npos; ++i) at = text.find(begin, at + 1);
  if (at == std::string::npos) throw std::runtime_error("cron/README.md: no " + heading);
  at += begin.size();
  return text.substr(at, text.find("\n```", at) - at) + "\n";
}

void Installed::install(const std::string& init) {
  machine = std::make_unique<OwnMachine>(init);
  // As `make install` does.
  machine->copy(std::getenv("SLUICE_BINARY"), "/usr/local/bin/sluice");
  machine->copy(kSource / "cron" / "sluice", kShare + "/cron/sluice");
  for (const char* name : {"pipeline.json", "user_logins.sql"}) {
    machine->copy(kSource / "pipelines" / "user_logins" / name,
                  kShare + "/pipelines/user_logins/" + name);
  }
  for (const char* name : {"sluice@.service", "sluice@.timer"}) {
    machine->copy(kSource / "cron" / "systemd" / name, kUnits + "/" + name);
  }
  machine->run(commands("Once, as root"));

  write_secret("pg_service.conf", pg_service(world));
  write_secret("aws_credentials", aws_credentials(world));
  machine->write("/var/lib/sluice/.aws/config", aws_config(world));
}

void Installed::write_secret(const std::string& name, const std::string& content) const {
  machine->write("/etc/sluice/" + name, content, 0400);
}

}  // namespace sluice
