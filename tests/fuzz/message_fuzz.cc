// SPDX-License-Identifier: Apache-2.0
// Bodies of messages, through the real masker. First line: the pipeline.
#include <map>

#include "job/base/encoding.h"
#include "job/config/column_type.h"
#include "job/config/pipeline_file.h"
#include "job/mask/masker.h"
#include "job/mask/seal.h"
#include "job/record/shown_row.h"
#include "job/record/unwrap.h"
#include "tests/fuzz/properties.h"
#include "tests/fuzz/targets.h"

namespace sluice::fuzz {
namespace {

/// Every type, every kind of source, most words of `as`; nothing is required, so that each column
/// is on its own.
constexpr const char* kWide = R"json(
  {"column": "text", "from": "text", "type": "text"},
  {"column": "short", "from": "short", "type": "varchar(4)"},
  {"column": "small", "from": "small", "type": "smallint"},
  {"column": "big", "from": "big", "type": "bigint"},
  {"column": "decimal", "from": "decimal", "type": "numeric(10,2)"},
  {"column": "real", "from": "real", "type": "real"},
  {"column": "double", "from": "double", "type": "double precision"},
  {"column": "flag", "from": "flag", "type": "boolean"},
  {"column": "day", "from": "day", "type": "date"},
  {"column": "at", "from": "at", "type": "timestamptz"},
  {"column": "local", "from": "local", "type": "timestamp"},
  {"column": "uuid", "from": "uuid", "type": "uuid"},
  {"column": "deep", "from": "/a/b/0", "type": "inet"},
  {"column": "json", "from": "json", "type": "jsonb"},
  {"column": "bytes", "from": "bytes", "type": "bytea"},
  {"column": "version", "from": "version", "type": "integer", "as": "version-number"},
  {"column": "old", "from": "old", "type": "bigint", "as": "version-base100"},
  {"column": "seconds", "from": "seconds", "type": "timestamptz", "as": "epoch-seconds"},
  {"column": "lower", "from": "lower", "type": "text", "as": "lower"},
  {"column": "attribute", "from": "@attribute/n", "type": "jsonb"},
  {"column": "net", "from": "net", "type": "inet", "mask": "ip-prefix"},
  {"column": "mail", "from": "mail", "type": "text", "mask": {"method": "email-domain"}},
  {"column": "sent", "from": "@sent_at", "type": "date"})json";

/// What leaves a mask here holds nothing of what went in.
constexpr const char* kMasked = R"json(
  {"column": "ip", "from": "ip", "type": "text",
   "mask": {"method": "hmac-sha256", "domain": "ip", "canonical": "ip"}},
  {"column": "mail", "from": "mail", "type": "text",
   "mask": {"method": "aes-siv", "domain": "mail", "canonical": "email"}},
  {"column": "text", "from": "text", "type": "text", "mask": "hmac-sha256"},
  {"column": "old", "from": "old", "type": "text", "mask": {"method": "sha256"}},
  {"column": "older", "from": "older", "type": "text", "mask": {"method": "md5"}},
  {"column": "salted", "from": "salted", "type": "text",
   "mask": {"method": "sha256-salted", "salt": "salt"}},
  {"column": "name", "from": "name", "type": "text", "mask": {"method": "redact"}},
  {"column": "gone", "from": "gone", "type": "text", "mask": {"method": "drop"}},
  {"column": "raw", "from": "raw", "type": "text",
   "mask": {"method": "hmac-sha256", "domain": "raw", "canonical": "none"}})json";

Pipeline made(const std::string& more, const char* columns) {
  return parse_pipeline(R"({"version":1,"name":"p","queue":{"name":"q"},)" + more +
                            R"("tables":[{"table":"public.t","columns":[)" + columns + "]}]}",
                        "p.json");
}

const Keyring& keyring() {
  static const Keyring keyring = Keyring::parse(kKeyringJson, "keyring");
  return keyring;
}

/// A pipeline, and its masker, which is used for one message after the other as in a run.
struct Line {
  Line(const std::string& more, const char* columns) : pipeline(made(more, columns)) {}
  Pipeline pipeline;
  Masker masker{pipeline, keyring()};
};

std::map<std::string, Line, std::less<>> lines() {
  std::map<std::string, Line, std::less<>> lines;
  lines.try_emplace("plain", "", kWide);
  lines.try_emplace("sns", R"("unwrap":"sns",)", kWide);
  lines.try_emplace("base64", R"("encoding":"base64",)", kWide);
  lines.try_emplace("gzip", R"("encoding":"gzip",)", kWide);
  lines.try_emplace("sns gzip", R"("unwrap":"sns","encoding":"gzip",)", kWide);
  lines.try_emplace("masked", R"("rejections":"dead-letter-queue",)", kMasked);
  return lines;
}

void check_rejection(const StagedMessage& staged, const Pipeline& pipeline, std::string_view body) {
  must_hold(!staged.rejection.reason.empty(), "a rejection has a reason");
  std::string said(staged.rejection.detail);
  for (const Column& column : pipeline.tables[0].columns) {
    said = without(std::move(said), postgres_name(column.type));
  }
  must_hold(!repeats(said, body), "and tells nothing of the body");
  must_hold(staged.rejection.detail.size() < 200, "in few words");
}

void check_rows(const StagedMessage& staged, const Pipeline& pipeline, bool masks_all,
                std::string_view body) {
  must_hold(staged.rows.size() == pipeline.tables.size(), "a row for each table");
  for (const StagedRow& row : staged.rows) {
    const std::string shown = shown_row(pipeline.tables[row.table], row.tuple);
    must_hold(!Body().decode(shown), "a row can be shown: " + shown);
    if (masks_all) must_hold(!repeats(row.tuple, body), "no mask tells its value");
  }
}

}  // namespace

void message(std::string_view input) {
  static std::map<std::string, Line, std::less<>> all = lines();
  const std::string_view name = take_line(input);
  // "raw gzip": libFuzzer cannot see through base64.
  const bool raw = name == "raw gzip";
  const auto found = all.find(raw ? "gzip" : name);
  if (found == all.end()) return;
  Line& line = found->second;
  Message message;
  message.id = "00000000-0000-4000-8000-000000000000";
  message.body = raw ? to_base64(input) : std::string(input);
  message.attributes = {{"n", "Number", message.body.substr(0, 20)}};

  StagedBatch batch;
  line.masker.stage(message, batch);
  const std::string once = batch.bytes();
  std::vector<StagedMessage> staged;
  must_hold(unpack(once, staged) && staged.size() == 1, "a message is staged whole");
  const StagedMessage& only = staged.front();
  if (only.rejected) {
    check_rejection(only, line.pipeline, message.body);
  } else {
    check_rows(only, line.pipeline, name == "masked", message.body);
  }
  must_hold(only.sealed_body.empty() ||
                unseal(keyring(), only.key_id, only.key.id, only.sealed_body) == message.body,
            "a sealed body is the message's");
  // All columns together, and what an inflated body may hold.
  must_hold(once.size() < 64 * 1024 + 24 * (input.size() + 2 * Body::kMostBytes), "bounded");

  batch.clear();
  line.masker.stage(message, batch);
  must_hold(only.sealed_body.empty() ? batch.bytes() == once : batch.bytes().size() == once.size(),
            "the same message becomes the same again");
}

}  // namespace sluice::fuzz
