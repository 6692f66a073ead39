// SPDX-License-Identifier: Apache-2.0
#include "tests/simulation/left_behind.h"

#include <filesystem>
#include <memory>

#include <sqlite3.h>

namespace sluice::simulation {
namespace {

struct Close {
  void operator()(sqlite3* handle) const { sqlite3_close(handle); }
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};

}  // namespace

std::set<MessageKey> keys_in(const std::string& file) {
  std::set<MessageKey> keys;
  if (!std::filesystem::exists(file)) return keys;
  sqlite3* opened = nullptr;
  sqlite3_open_v2(file.c_str(), &opened, SQLITE_OPEN_READWRITE, nullptr);
  const std::unique_ptr<sqlite3, Close> handle(opened);
  sqlite3_stmt* made = nullptr;
  sqlite3_prepare_v2(opened,
                     "SELECT contents FROM batch JOIN window ON place >> 20 = number"
                     " WHERE state < 4 AND NOT set_aside",
                     -1, &made, nullptr);
  const std::unique_ptr<sqlite3_stmt, Close> statement(made);
  while (made != nullptr && sqlite3_step(made) == SQLITE_ROW) {
    const std::string bytes(static_cast<const char*>(sqlite3_column_blob(made, 0)),
                            static_cast<std::size_t>(sqlite3_column_bytes(made, 0)));
    std::vector<StagedMessage> messages;
    if (!unpack(bytes, messages)) continue;
    for (const StagedMessage& message : messages) keys.insert(message.key);
  }
  return keys;
}

}  // namespace sluice::simulation
