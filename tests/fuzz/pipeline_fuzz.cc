// SPDX-License-Identifier: Apache-2.0
// The pipeline file: what is accepted can mask.
#include <algorithm>

#include "job/config/pipeline_file.h"
#include "job/mask/masker.h"
#include "tests/fuzz/properties.h"
#include "tests/fuzz/targets.h"

namespace sluice::fuzz {
namespace {

bool is_name(std::string_view name) {
  return !name.empty() &&
         name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") == std::string_view::npos;
}

void check_masks(const Pipeline& pipeline) {
  static const Keyring keyring = Keyring::parse(kKeyringJson, "keyring");
  Masker masker(pipeline, keyring);
  StagedBatch batch;
  Message message;
  message.id = "00000000-0000-4000-8000-000000000000";
  message.body = R"({"a":"b","ip":"198.51.100.7","n":1})";
  masker.stage(message, batch);
  std::vector<StagedMessage> messages;
  must_hold(unpack(batch.bytes(), messages) && messages.size() == 1, "a message is staged");
  must_hold(messages[0].rejected || messages[0].rows.size() == pipeline.tables.size(),
            "as a rejection, or with a row for each table");
}

}  // namespace

void pipeline(std::string_view input) {
  const auto parse = [&] { return parse_pipeline(input, "p.json"); };
  const auto pipeline = unless_refused(parse, Fault::configuration);
  if (!pipeline) return;
  must_hold(is_name(pipeline->name), "the name may be that of a file");
  must_hold(!pipeline->tables.empty(), "there is a table");
  must_hold(std::none_of(pipeline->tables.begin(), pipeline->tables.end(),
                         [](const Table& table) { return table.columns.empty(); }),
            "with columns");
  must_hold(pipeline->queue_url.empty() || pipeline->queue_name.empty(),
            "at most one name of the queue");
  must_hold(warnings_of(*pipeline).size() <= input.size(), "warnings are bounded");
  check_masks(*pipeline);
}

}  // namespace sluice::fuzz
