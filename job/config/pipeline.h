// SPDX-License-Identifier: Apache-2.0
// What a pipeline file says, checked and typed. Everything below `config/` takes its orders from
// here.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace sluice {

/// Where a column's value comes from.
struct Source {
  enum class Kind { field, message_id, sent_at, receive_count, attribute };
  Kind kind = Kind::field;
  /// As the pipeline file writes it: "ip", "/user/ip", "@sent_at". Names the field in rejections.
  std::string text;
  /// `field`: the keys from the top of the body downwards, at least one. `attribute`: its one name.
  std::vector<std::string> path;
};

/// A Postgres type, in Postgres's own words.
struct ColumnType {
  enum class Kind {
    text,
    varchar,
    bpchar,
    smallint,
    integer,
    bigint,
    numeric,
    real,
    double_precision,
    boolean,
    date,
    timestamptz,
    timestamp,
    uuid,
    inet,
    jsonb,
    bytea
  };
  Kind kind = Kind::text;
  int length = 0;     // varchar(n), char(n): characters
  int precision = 0;  // numeric(p,s): digits in all
  int scale = 0;      // numeric(p,s): digits behind the point
  bool is_text() const {
    return kind == Kind::text || kind == Kind::varchar || kind == Kind::bpchar;
  }
};

/// What is done to a value before it is masked or written.
enum class As {
  is,
  version_number,
  version_base100,
  version_digits,
  lower,
  trim,
  epoch_seconds,
  epoch_millis
};

enum class MaskMethod {
  hmac_sha256,
  aes_siv,
  sha256,
  md5,
  sha256_salted,
  redact,
  drop,
  ip_prefix,
  email_domain
};

/// The form that equal values share before they are masked.
enum class Canonical { text, ip, email, none };

struct Mask {
  MaskMethod method = MaskMethod::hmac_sha256;
  std::string domain;
  Canonical canonical = Canonical::text;
  Source salt;              // sha256-salted only
  bool salt_first = false;  // sha256-salted only: salt ‖ value instead of value ‖ salt
};

struct Column {
  std::string name;
  Source source;
  ColumnType type;
  bool required = false;
  bool nullable = false;  // beside `required`: the key must be there, null is allowed
  As as = As::is;
  std::optional<Mask> mask;
};

struct Table {
  std::string schema;  // "public" when the file names none
  std::string name;
  std::vector<Column> columns;
  std::vector<std::string> unique;
  /// "public.user_logins", as summary and messages name it.
  std::string text() const { return schema + "." + name; }
};

/// Where rejected messages go.
enum class Rejections {
  table,              // sluice.rejected_message, sealed
  dead_letter_queue,  // there too, and forwarded to the queue's dead-letter queue
  leave,              // nowhere: the queue's redrive policy takes them
};

/// What lies around the JSON of a body.
enum class Encoding {
  none,
  base64,
  gzip,  // in base64, because SQS carries text only
};

struct Pipeline {
  std::string name;
  std::string queue_url;  // empty when the queue is named, not addressed
  std::string queue_name;
  std::string queue_account;  // twelve digits; empty: the caller's own
  bool unwrap_sns = false;    // bodies may be envelopes of SNS
  Encoding encoding = Encoding::none;
  Rejections rejections = Rejections::table;
  std::string ddl_path;  // absolute or relative to the working directory; empty when there is none
  std::vector<Table> tables;
  std::string file_sha256;  // hex, of the file's bytes
};

}  // namespace sluice
