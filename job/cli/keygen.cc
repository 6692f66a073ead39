// SPDX-License-Identifier: Apache-2.0
#include <boost/json.hpp>

#include "job/base/clock.h"
#include "job/base/file.h"
#include "job/base/log.h"
#include "job/cli/command.h"
#include "job/mask/keyring.h"

namespace sluice {

int keygen_command(const Settings& settings, const Environment&) {
  const std::string path = settings.text("keyring");
  const std::int64_t wall_ms = now().wall_ms;
  std::string id;
  if (settings.flag("rotate")) {
    Keyring keyring = Keyring::read(path);
    keyring.rotate(wall_ms);
    id = keyring.current().id;
    const Secret json = keyring.to_json();
    write_file(path, json.reveal(), "keyring", Mode::secret);
    log().write_with_hint(Level::warning, "rotated",
                          "hmac-sha256 masks made from now on do not join with older ones",
                          "keep the old keys: they find duplicates and open what they sealed");
  } else {
    const Keyring keyring = Keyring::generate(wall_ms);
    id = keyring.current().id;
    const Secret json = keyring.to_json();
    create_file(path, json.reveal(), "keyring");
  }
  if (settings.flag("json")) {
    print(boost::json::serialize(boost::json::object{{"keyring", path}, {"current", id}}) + "\n");
  } else if (!settings.flag("quiet")) {
    print("keyring " + path + ": current key is " + id + "\n");
  }
  return 0;
}

}  // namespace sluice
