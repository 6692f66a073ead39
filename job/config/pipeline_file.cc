// SPDX-License-Identifier: Apache-2.0
#include "job/config/pipeline_file.h"

#include <algorithm>
#include <array>
#include <set>

#include <openssl/evp.h>

#include "job/base/encoding.h"
#include "job/base/file.h"
#include "job/base/text.h"
#include "job/config/column_fit.h"
#include "job/config/column_type.h"
#include "job/config/field_path.h"
#include "job/config/located_json.h"
#include "job/config/pipeline_keys.h"
#include "job/config/pipeline_shape.h"

namespace sluice {
namespace {

constexpr std::size_t kLargestFile = 1 << 20;

/// Reads one file; holds its path for the messages.
class Reader {
 public:
  explicit Reader(const std::string& path) : path_(path) {}

  Pipeline pipeline(const LocatedJson& root);

 private:
  using Json = LocatedJson;

  [[noreturn]] void refuse(int line, const std::string& problem, const std::string& hint) const {
    throw at_line(kPipelineFile, path_, line, problem, hint);
  }
  static std::string text_or(const Json& object, std::string_view key, std::string_view otherwise) {
    const Json* value = object.find(key);
    return value != nullptr ? value->text : std::string(otherwise);
  }
  static bool flag(const Json& object, std::string_view key) {
    const Json* value = object.find(key);
    return value != nullptr && value->boolean;
  }

  void queue(const Json& value, Pipeline& pipeline) const;
  Table table(const Json& value) const;
  Column column(const Json& value) const;
  Source source(const Json& value) const;
  Mask mask(const Json& value, const Source& from) const;
  void check_clear(const Json& tables, const Pipeline& pipeline) const;

  const std::string& path_;
};

template <typename Rows>
auto row_for(const Rows& rows, std::string_view word) {
  return std::find_if(rows.begin(), rows.end(),
                      [word](const auto& row) { return row.word == word; });
}

void Reader::queue(const Json& value, Pipeline& pipeline) const {
  pipeline.queue_url = text_or(value, "url", "");
  pipeline.queue_name = text_or(value, "name", "");
  if (pipeline.queue_url.empty() == pipeline.queue_name.empty()) {
    refuse(value.line, "queue needs one of 'url' and 'name'", "keep the one that you know");
  }
  const Json* account = value.find("account");
  if (account == nullptr) return;
  if (pipeline.queue_name.empty()) {
    refuse(account->line, "'account' beside 'url'", "the URL names the account: take it away");
  }
  constexpr std::size_t kAccountDigits = 12;
  if (account->text.size() != kAccountDigits ||
      account->text.find_first_not_of("0123456789") != std::string::npos) {
    refuse(account->line, "account '" + account->text + "' is not twelve digits",
           "write it as a text, with its leading zeros and without hyphens");
  }
  pipeline.queue_account = account->text;
}

Source Reader::source(const Json& value) const {
  Source source;
  source.text = value.text;
  const std::string& text = value.text;
  constexpr std::string_view kAttribute = "@attribute/";
  if (text == "@message_id") {
    source.kind = Source::Kind::message_id;
  } else if (text == "@sent_at") {
    source.kind = Source::Kind::sent_at;
  } else if (text == "@receive_count") {
    source.kind = Source::Kind::receive_count;
  } else if (text.starts_with(kAttribute) && text.size() > kAttribute.size()) {
    source.kind = Source::Kind::attribute;
    source.path = {text.substr(kAttribute.size())};
  } else if (text.starts_with('@')) {
    static constexpr std::array<std::string_view, 4> kKnown = {"@message_id", "@sent_at",
                                                               "@receive_count", "@attribute/NAME"};
    refuse(value.line, "unknown metadata '" + text + "'" + did_you_mean(text, kKnown),
           "known: " + listed(kKnown));
  } else if (auto path = parse_field_path(text)) {
    source.path = std::move(*path);
  } else {
    refuse(value.line, "'" + text + "' is no JSON Pointer", "write ~0 for ~ and ~1 for /");
  }
  return source;
}

Mask Reader::mask(const Json& value, const Source& from) const {
  Mask mask;
  mask.domain = from.text;
  const bool is_short = value.kind == Json::Kind::string;
  mask.method = row_for(mask_words(), is_short ? value.text : value.find("method")->text)->method;
  if (is_short) return mask;
  mask.domain = text_or(value, "domain", from.text);
  mask.canonical = row_for(canonical_words(), text_or(value, "canonical", "text"))->canonical;
  const bool salted = mask.method == MaskMethod::sha256_salted;
  const Json* salt = value.find("salt");
  if (salted != (salt != nullptr) || (!salted && value.find("order") != nullptr)) {
    refuse(value.line, "'salt' and 'order' belong to the method sha256-salted",
           "name the field that is the salt, or take another method");
  }
  if (salt != nullptr) mask.salt = source(*salt);
  mask.salt_first = text_or(value, "order", "") == "salt-value";
  return mask;
}

Column Reader::column(const Json& value) const {
  Column column;
  column.name = value.find("column")->text;
  column.source = source(*value.find("from"));
  const Json& type = *value.find("type");
  const auto parsed = parse_type(type.text);
  if (!parsed) {
    refuse(type.line, "unknown type '" + type.text + "'" + did_you_mean(type.text, type_words()),
           "known: " + listed(type_words()));
  }
  column.type = *parsed;
  column.required = flag(value, "required");
  column.nullable = flag(value, "nullable");
  if (const Json* as = value.find("as")) column.as = row_for(as_words(), as->text)->as;
  if (const Json* how = value.find("mask")) column.mask = mask(*how, column.source);
  if (flag(value, "clear") && column.mask) {
    refuse(value.line, "'clear' beside a mask", "take one of them away");
  }
  if (const auto misfit = misfit_of(column)) refuse(value.line, misfit->problem, misfit->hint);
  return column;
}

Table Reader::table(const Json& value) const {
  Table table;
  const Json& name = *value.find("table");
  const auto parts = split(name.text, '.');
  if (parts.size() > 2 || parts.front().empty() || parts.back().empty() ||
      std::any_of(parts.begin(), parts.end(),
                  [](auto part) { return part.size() > kLongestIdentifier; })) {
    refuse(name.line, "'" + name.text + "' is no table", "write schema.table");
  }
  table.schema = parts.size() == 2 ? std::string(parts[0]) : "public";
  table.name = parts.back();
  std::set<std::string> names;
  for (const Json& item : value.find("columns")->items) {
    table.columns.push_back(column(item));
    if (!names.insert(table.columns.back().name).second) {
      refuse(item.line, "column '" + table.columns.back().name + "' stands twice",
             "keep one of them");
    }
  }
  if (const Json* unique = value.find("unique")) {
    for (const Json& item : unique->items) {
      if (names.count(item.text) == 0) {
        refuse(item.line, "unique names '" + item.text + "', which is no column here",
               "name columns of this table");
      }
      table.unique.push_back(item.text);
    }
  }
  return table;
}

/// Whether one source holds the other: the same field, or an object around it.
bool overlap(const Source& a, const Source& b) {
  if (a.kind != b.kind) return false;
  const std::size_t shared = std::min(a.path.size(), b.path.size());
  return shared > 0 &&
         std::equal(a.path.begin(), a.path.begin() + static_cast<std::ptrdiff_t>(shared),
                    b.path.begin());
}

void Reader::check_clear(const Json& tables, const Pipeline& pipeline) const {
  std::vector<const Column*> masked;
  for (const Table& table : pipeline.tables) {
    for (const Column& column : table.columns) {
      if (column.mask) masked.push_back(&column);
    }
  }
  for (std::size_t t = 0; t < pipeline.tables.size(); ++t) {
    for (std::size_t c = 0; c < pipeline.tables[t].columns.size(); ++c) {
      const Column& column = pipeline.tables[t].columns[c];
      const Json& value = tables.items[t].find("columns")->items[c];
      if (column.mask || flag(value, "clear")) continue;
      for (const Column* other : masked) {
        if (!overlap(column.source, other->source)) continue;
        refuse(value.line,
               "'" + column.source.text + "' is masked in column '" + other->name +
                   "' and clear in '" + column.name + "'",
               "mask it here too, or say \"clear\": true");
      }
    }
  }
}

Pipeline Reader::pipeline(const Json& root) {
  if (root.kind != Json::Kind::object) refuse(root.line, "it must hold one object", "begin with {");
  check_shape(root, pipeline_keys(), path_);
  Pipeline pipeline;
  const Json& version = *root.find("version");
  if (version.text != "1") {
    refuse(version.line, "version " + version.text + " is unknown", "this program reads version 1");
  }
  const Json& name = *root.find("name");
  const bool plain = std::all_of(name.text.begin(), name.text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  });
  if (!plain || name.text[0] < 'a' || name.text.size() > kLongestIdentifier) {
    refuse(name.line, "name '" + name.text + "' is not of [a-z][a-z0-9_]*",
           "it names files, metrics and rows: keep it short and plain");
  }
  pipeline.name = name.text;
  if (const Json* value = root.find("queue")) queue(*value, pipeline);
  pipeline.unwrap_sns = root.find("unwrap") != nullptr;  // it has one choice
  if (const Json* value = root.find("encoding")) {
    pipeline.encoding = row_for(encoding_words(), value->text)->encoding;
  }
  if (const Json* value = root.find("rejections")) {
    pipeline.rejections = row_for(rejections_words(), value->text)->rejections;
  }
  std::set<std::string> names;
  for (const Json& item : root.find("tables")->items) {
    pipeline.tables.push_back(table(item));
    if (!names.insert(pipeline.tables.back().text()).second) {
      refuse(item.line, "table '" + pipeline.tables.back().text() + "' stands twice",
             "put its columns together");
    }
  }
  check_clear(*root.find("tables"), pipeline);
  const std::string ddl = text_or(root, "ddl", "");
  if (!ddl.empty()) pipeline.ddl_path = ddl[0] == '/' ? ddl : folder_of(path_) + "/" + ddl;
  return pipeline;
}

std::string sha256_hex(std::string_view bytes) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned length = 0;
  require(EVP_Digest(bytes.data(), bytes.size(), digest, &length, EVP_sha256(), nullptr) == 1,
          "SHA-256");
  return to_hex({reinterpret_cast<const char*>(digest), length});
}

}  // namespace

Pipeline parse_pipeline(std::string_view text, const std::string& path) {
  Pipeline pipeline = Reader(path).pipeline(parse_located(text, kPipelineFile, path));
  pipeline.file_sha256 = sha256_hex(text);
  return pipeline;
}

Pipeline read_pipeline(const std::string& path) {
  return parse_pipeline(read_file(path, kLargestFile, kPipelineFile), path);
}

std::vector<std::string> warnings_of(const Pipeline& pipeline) {
  std::vector<std::string> warnings;
  for (const Table& table : pipeline.tables) {
    for (const Column& column : table.columns) {
      if (!column.mask || !word_of(column.mask->method).guessable) continue;
      warnings.push_back(
          table.text() + "." + column.name + ": " + std::string(word_of(column.mask->method).word) +
          " has no key, so anybody can find the value by trying: every IPv4 address takes minutes");
    }
  }
  return warnings;
}

}  // namespace sluice
