// SPDX-License-Identifier: Apache-2.0
#include "job/config/pipeline_keys.h"

#include <array>
#include <vector>

#include "job/config/column_type.h"

namespace sluice {
namespace {

template <typename Words>
std::vector<std::string_view> words_of(const Words& rows) {
  std::vector<std::string_view> words;
  for (const auto& row : rows) words.push_back(row.word);
  return words;
}

using Kind = PipelineKey::Kind;

}  // namespace

const PipelineObject& pipeline_keys() {
  static const auto conversions = words_of(as_words());
  static const auto methods = words_of(mask_words());
  static const auto forms = words_of(canonical_words());
  static constexpr std::array<std::string_view, 2> kOrders = {"value-salt", "salt-value"};
  static const auto encodings = words_of(encoding_words());
  static const auto places = words_of(rejections_words());
  static constexpr std::array<std::string_view, 1> kEnvelopes = {"sns"};

  static const std::array<PipelineKey, 5> mask_keys = {{
      {"method", Kind::string, true, "how the value is masked", methods},
      {"domain", Kind::string, false,
       "fields of one domain share their masks; default: the column's `from`"},
      {"canonical", Kind::string, false,
       "the form that equal values share before hmac-sha256 and aes-siv; default: text. "
       "sha256, md5 and sha256-salted hash the value as it came",
       forms},
      {"salt", Kind::string, false, "sha256-salted: the field that is the salt"},
      {"order", Kind::string, false, "sha256-salted: what is hashed first; default: value-salt",
       kOrders},
  }};
  static const PipelineObject mask = {mask_keys};

  static const std::array<PipelineKey, 8> column_keys = {{
      {"column", Kind::string, true, "name of the column in Postgres"},
      {"from", Kind::string, true,
       "a top-level key, a JSON Pointer (/user/ip), @message_id, @sent_at, @receive_count or "
       "@attribute/NAME"},
      {"type", Kind::string, true, "the column's type, in Postgres's words"},
      {"required", Kind::boolean, false, "missing or null is a rejection; default: false"},
      {"nullable", Kind::boolean, false, "beside required: the key must be there, null is allowed"},
      {"as", Kind::string, false, "how the value is converted first", conversions},
      {"mask", Kind::string_or_object, false,
       "a method, or an object with method, domain and canonical", methods, &mask},
      {"clear", Kind::boolean, false, "true: this column may hold clear what another column masks"},
  }};
  static const PipelineObject column = {column_keys};

  static const std::array<PipelineKey, 3> table_keys = {{
      {"table", Kind::string, true, "the table, with its schema: public.user_logins"},
      {"columns",
       Kind::objects,
       true,
       "the columns to fill; the others keep their defaults",
       {},
       &column},
      {"unique", Kind::strings, false,
       "columns that identify a row by business key, under a unique constraint of the table"},
  }};
  static const PipelineObject table = {table_keys};

  static const std::array<PipelineKey, 3> queue_keys = {{
      {"url", Kind::string, false, "the queue's URL"},
      {"name", Kind::string, false, "its name instead; resolved with GetQueueUrl"},
      {"account", Kind::string, false,
       "beside name: the twelve digits of the account that owns the queue; default: the caller's"},
  }};
  static const PipelineObject queue = {queue_keys};

  static const std::array<PipelineKey, 9> top_keys = {{
      {"$schema", Kind::string, false, "for editors; not read"},
      {"version", Kind::integer, true, "1"},
      {"name", Kind::string, true,
       "[a-z][a-z0-9_]*, at most 63 characters; names the checkpoint, metrics and rows in "
       "sluice.*"},
      {"queue",
       Kind::object,
       false,
       "where messages come from; --queue-url overrides it",
       {},
       &queue},
      {"unwrap", Kind::string, false,
       "sns: a body that is an envelope of SNS stands for the message in it; raw ones are taken as "
       "they are",
       kEnvelopes},
      {"encoding", Kind::string, false,
       "how the JSON is encoded, inside the envelope if there is one: base64, or gzip in base64; "
       "default: not at all",
       encodings},
      {"tables", Kind::objects, true, "where rows go", {}, &table},
      {"ddl", Kind::string, false,
       "SQL file beside this one; only `sluice migrate --with-tables` reads it"},
      {"rejections", Kind::string, false,
       "where rejected messages go; default: table, sealed in sluice.rejected_message. "
       "dead-letter-queue: there too, and forwarded to the queue's dead-letter queue. leave: they "
       "stay in the queue for its redrive policy",
       places},
  }};
  static const PipelineObject top = {top_keys};
  return top;
}

}  // namespace sluice
