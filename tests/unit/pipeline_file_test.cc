// SPDX-License-Identifier: Apache-2.0
#include "job/config/pipeline_file.h"

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include "job/base/failure.h"
#include "job/base/file.h"

namespace sluice {
namespace {

constexpr std::string_view kHead =
    R"j({"version":1,"name":"p","queue":{"name":"q"},"tables":[{"table":"t","columns":[)j";
constexpr std::string_view kTail = "]}]}";

Pipeline with_column(std::string_view column) {
  return parse_pipeline(std::string(kHead) + std::string(column) + std::string(kTail), "p.json");
}

/// The message and the hint of the refusal; empty when nothing was refused.
std::string refusal(std::string_view text) {
  try {
    parse_pipeline(text, "p.json");
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.fault(), Fault::configuration);
    EXPECT_FALSE(failure.hint().empty()) << failure.message();
    return failure.message() + " | " + failure.hint();
  }
  return "";
}

/// A pipeline file with these keys at its top, the first of them on line 2.
std::string with_keys(std::string_view keys) {
  return "{\"version\":1,\"name\":\"p\",\n" + std::string(keys) +
         R"j(,"tables":[{"table":"t","columns":[{"column":"c","from":"f","type":"text"}]}]})j";
}

std::string refusal_of_column(std::string_view column) {
  return refusal(std::string(kHead) + std::string(column) + std::string(kTail));
}

TEST(PipelineFile, the_shipped_one_says_what_the_readme_says) {
  const Pipeline pipeline =
      read_pipeline(std::string(SLUICE_SOURCE_DIR) + "/pipelines/user_logins/pipeline.json");
  EXPECT_EQ(pipeline.name, "user_logins");
  ASSERT_EQ(pipeline.tables.size(), 1U);
  const Table& table = pipeline.tables[0];
  EXPECT_EQ(table.text(), "public.user_logins");
  ASSERT_EQ(table.columns.size(), 7U);
  const Column& ip = table.columns[2];
  EXPECT_EQ(ip.name, "masked_ip");
  EXPECT_EQ(ip.source.text, "ip");
  EXPECT_TRUE(ip.required);
  ASSERT_TRUE(ip.mask.has_value());
  EXPECT_EQ(ip.mask->method, MaskMethod::hmac_sha256);
  EXPECT_EQ(ip.mask->domain, "ip");
  EXPECT_EQ(ip.mask->canonical, Canonical::ip);
  EXPECT_EQ(table.columns[5].as, As::version_number);
  EXPECT_EQ(table.columns[6].source.kind, Source::Kind::sent_at);
  EXPECT_EQ(pipeline.file_sha256.size(), 64U);
  EXPECT_TRUE(pipeline.ddl_path.ends_with("pipelines/user_logins/user_logins.sql"));
}

TEST(PipelineFile, a_short_mask_takes_the_source_as_domain_and_text_as_canonical_form) {
  const Pipeline pipeline =
      with_column(R"j({"column":"c","from":"/user/ip","type":"text","mask":"hmac-sha256"})j");
  const Mask& mask = *pipeline.tables[0].columns[0].mask;
  EXPECT_EQ(mask.domain, "/user/ip");
  EXPECT_EQ(mask.canonical, Canonical::text);
  EXPECT_EQ(pipeline.tables[0].schema, "public");
}

TEST(PipelineFile, a_json_pointer_is_unescaped) {
  const Pipeline pipeline = with_column(R"j({"column":"c","from":"/a~1b/c~0d","type":"text"})j");
  EXPECT_EQ(pipeline.tables[0].columns[0].source.path, (std::vector<std::string>{"a/b", "c~d"}));
}

TEST(PipelineFile, what_is_not_json_is_refused_with_its_line) {
  EXPECT_NE(refusal("{\n  \"version\": 1,\n  \"name\" \"x\"\n}").find("p.json:3"),
            std::string::npos);
  EXPECT_NE(refusal("").find("empty"), std::string::npos);
  EXPECT_NE(refusal(" \n\n").find("empty"), std::string::npos);
  EXPECT_NE(refusal("[1, 2]").find("object"), std::string::npos);
  EXPECT_NE(refusal("{\"version\":1").find("not JSON"), std::string::npos);
  EXPECT_NE(refusal("{} {}").find("not JSON"), std::string::npos);
}

TEST(PipelineFile, comments_are_allowed) {
  const std::string text = "// head\n" + std::string(kHead) +
                           "{\"column\":\"c\",/* here */\"from\":\"f\",\"type\":\"text\"}" +
                           std::string(kTail) + "\n/* two\nlines */\n";
  EXPECT_EQ(refusal(text), "");
}

TEST(PipelineFile, an_unknown_key_is_refused_with_its_line_and_what_was_meant) {
  const std::string said = refusal("{\"version\":1,\n\"name\":\"p\",\n\"rejectoins\":\"table\"}");
  EXPECT_NE(said.find("p.json:3"), std::string::npos) << said;
  EXPECT_NE(said.find("did you mean 'rejections'"), std::string::npos) << said;
}

TEST(PipelineFile, a_key_that_stands_twice_is_refused) {
  const std::string said = refusal("{\"version\":1,\n\"name\":\"p\",\n\"name\":\"q\"}");
  EXPECT_NE(said.find("'name' stands twice"), std::string::npos) << said;
  EXPECT_NE(said.find("p.json:3"), std::string::npos) << said;
}

TEST(PipelineFile, each_wrong_column_is_refused_and_named) {
  const struct {
    const char* column;
    const char* word;
  } cases[] = {
      {R"j({"column":"c","from":"f","type":"varchr(9)"})j", "varchr"},
      {R"j({"column":"c","from":"f","type":"varchar(0)"})j", "varchar(0)"},
      {R"j({"column":"c","from":"f","type":"numeric(3,4)"})j", "numeric(3,4)"},
      {R"j({"column":"c","from":"f","type":"text","required":"yes"})j", "required"},
      {R"j({"column":"c","from":"f","type":"text","nullable":true})j", "nullable"},
      {R"j({"column":"c","from":"f"})j", "type"},
      {R"j({"column":"c","from":"@sent_att","type":"date"})j", "@sent_at"},
      {R"j({"column":"c","from":"@sent_at","type":"integer"})j", "@sent_at"},
      {R"j({"column":"c","from":"@receive_count","type":"text"})j", "@receive_count"},
      {R"j({"column":"c","from":"f","type":"text","as":"version-number"})j", "version-number"},
      {R"j({"column":"c","from":"f","type":"text","as":"lowercase"})j", "lowercase"},
      {R"j({"column":"c","from":"f","type":"text","mask":"hmac-sha265"})j",
       "did you mean 'hmac-sha256'"},
      {R"j({"column":"c","from":"f","type":"integer","mask":"hmac-sha256"})j", "mask"},
      {R"j({"column":"c","from":"f","type":"varchar(63)","mask":"hmac-sha256"})j", "64"},
      {R"j({"column":"c","from":"f","type":"text","mask":{"method":"sha256-salted"}})j", "salt"},
      {R"j({"column":"c","from":"f","type":"text","mask":{"method":"md5","salt":"s"}})j", "salt"},
      {R"j({"column":"c","from":"f","type":"text","mask":{"method":"md5","canonical":"iq"}})j",
       "iq"},
      {R"j({"column":"c","from":"f","type":"text","required":true,"mask":"drop"})j", "drop"},
      {R"j({"column":"c","from":"f","type":"text","mask":"md5","clear":true})j", "clear"},
      {R"j({"column":"c","from":"f","type":"text"},{"column":"c","from":"g","type":"text"})j",
       "twice"},
      {R"j({"column":"c","from":"/a~2","type":"text"})j", "JSON Pointer"},
  };
  for (const auto& each : cases) {
    const std::string said = refusal_of_column(each.column);
    EXPECT_NE(said.find(each.word), std::string::npos) << each.column << "\n" << said;
  }
}

TEST(PipelineFile, a_field_masked_here_and_clear_there_needs_a_word) {
  const std::string masked = R"j({"column":"m","from":"ip","type":"text","mask":"hmac-sha256"},)j";
  EXPECT_NE(
      refusal_of_column(masked + R"j({"column":"c","from":"ip","type":"text"})j").find("clear"),
      std::string::npos);
  EXPECT_NE(
      refusal_of_column(masked + R"j({"column":"c","from":"/ip","type":"text"})j").find("clear"),
      std::string::npos);
  EXPECT_EQ(
      refusal_of_column(masked + R"j({"column":"c","from":"ip","type":"text","clear":true})j"), "");
  const std::string nested =
      R"j({"column":"m","from":"/user/ip","type":"text","mask":"hmac-sha256"},)j";
  EXPECT_NE(
      refusal_of_column(nested + R"j({"column":"c","from":"user","type":"jsonb"})j").find("clear"),
      std::string::npos);
}

TEST(PipelineFile, a_queue_may_be_another_accounts) {
  const Pipeline pipeline =
      parse_pipeline(with_keys(R"j("queue":{"name":"q","account":"012345678901"})j"), "p.json");
  EXPECT_EQ(pipeline.queue_name, "q");
  EXPECT_EQ(pipeline.queue_account, "012345678901");
  EXPECT_EQ(parse_pipeline(with_keys(R"j("queue":{"name":"q"})j"), "p.json").queue_account, "");
}

TEST(PipelineFile, an_account_is_twelve_digits_beside_a_name) {
  const struct {
    const char* queue;
    const char* word;
  } cases[] = {
      {R"j({"name":"q","account":"12345678901"})j", "'12345678901' is not twelve digits"},
      {R"j({"name":"q","account":"1234567890123"})j", "twelve digits"},
      {R"j({"name":"q","account":"1234-5678-9012"})j", "twelve digits"},
      {R"j({"name":"q","account":"12345678901x"})j", "twelve digits"},
      {R"j({"name":"q","account":""})j", "'account' must be a text"},
      {R"j({"name":"q","account":123456789012})j", "'account' must be a text"},
      {R"j({"url":"https://sqs.x/1/q","account":"012345678901"})j", "'account' beside 'url'"},
      {R"j({"account":"012345678901"})j", "one of 'url' and 'name'"},
      {R"j({"name":"q","acount":"012345678901"})j", "did you mean 'account'"},
  };
  for (const auto& each : cases) {
    const std::string said = refusal(with_keys("\"queue\":" + std::string(each.queue)));
    EXPECT_NE(said.find(each.word), std::string::npos) << each.queue << "\n" << said;
    EXPECT_NE(said.find("p.json:2"), std::string::npos) << said;
  }
}

TEST(PipelineFile, what_lies_around_a_body_and_where_rejections_go) {
  const Pipeline plain = parse_pipeline(with_keys(R"j("queue":{"name":"q"})j"), "p.json");
  EXPECT_FALSE(plain.unwrap_sns);
  EXPECT_EQ(plain.encoding, Encoding::none);
  EXPECT_EQ(plain.rejections, Rejections::table);
  const auto encoding = [](const char* word) {
    return parse_pipeline(with_keys("\"encoding\":\"" + std::string(word) + "\""), "p").encoding;
  };
  const auto rejections = [](const char* word) {
    return parse_pipeline(with_keys("\"rejections\":\"" + std::string(word) + "\""), "p")
        .rejections;
  };
  EXPECT_TRUE(parse_pipeline(with_keys(R"j("unwrap":"sns")j"), "p").unwrap_sns);
  EXPECT_EQ(encoding("base64"), Encoding::base64);
  EXPECT_EQ(encoding("gzip"), Encoding::gzip);
  EXPECT_EQ(rejections("table"), Rejections::table);
  EXPECT_EQ(rejections("dead-letter-queue"), Rejections::dead_letter_queue);
  EXPECT_EQ(rejections("leave"), Rejections::leave);
}

TEST(PipelineFile, a_word_that_is_none_is_refused_with_its_line_and_what_was_meant) {
  const struct {
    const char* key;
    const char* word;
  } cases[] = {
      {R"j("unwrap":"sms")j", "did you mean 'sns'"},
      {R"j("unwrap":true)j", "'unwrap' must be a text"},
      {R"j("unwarp":"sns")j", "did you mean 'unwrap'"},
      {R"j("encoding":"base46")j", "did you mean 'base64'"},
      {R"j("encoding":"gzip64")j", "did you mean 'gzip'"},
      {R"j("encoding":"none")j", "known: base64 and gzip"},
      {R"j("encoding":null)j", "'encoding' must be a text"},
      {R"j("rejections":"dead-letters-queue")j", "did you mean 'dead-letter-queue'"},
      {R"j("rejections":"drop")j", "known: table, dead-letter-queue and leave"},
  };
  for (const auto& each : cases) {
    const std::string said = refusal(with_keys(each.key));
    EXPECT_NE(said.find(each.word), std::string::npos) << each.key << "\n" << said;
    EXPECT_NE(said.find("p.json:2"), std::string::npos) << said;
  }
}

TEST(PipelineFile, names_that_could_not_name_a_file_are_refused) {
  for (const char* name : {"../x", "X", "1a", "a b", ""}) {
    const std::string text =
        std::string(R"j({"version":1,"name":")j") + name +
        R"j(","tables":[{"table":"t","columns":[{"column":"c","from":"f","type":"text"}]}]})j";
    EXPECT_NE(refusal(text), "") << name;
  }
}

TEST(PipelineFile, masks_that_anybody_can_guess_are_warned_about) {
  EXPECT_EQ(
      warnings_of(with_column(R"j({"column":"c","from":"f","type":"text","mask":"md5"})j")).size(),
      1U);
  EXPECT_TRUE(
      warnings_of(with_column(R"j({"column":"c","from":"f","type":"text","mask":"hmac-sha256"})j"))
          .empty());
}

TEST(PipelineSchema, is_draft_07_and_knows_every_key) {
  const auto schema = boost::json::parse(pipeline_schema()).as_object();
  EXPECT_NE(schema.at("$schema").as_string().find("draft-07"), boost::json::string::npos);
  const std::string text = pipeline_schema();
  for (const char* key : {"\"version\"", "\"ddl\"", "\"canonical\"", "\"hmac-sha256\"",
                          "\"nullable\"", "\"unique\""}) {
    EXPECT_NE(text.find(key), std::string::npos) << key;
  }
  const auto& keys = schema.at("properties").as_object();
  const auto choices = [&keys](const char* key) { return keys.at(key).at("enum"); };
  EXPECT_EQ(choices("unwrap"), boost::json::value({"sns"}));
  EXPECT_EQ(choices("encoding"), boost::json::value({"base64", "gzip"}));
  EXPECT_EQ(choices("rejections"), boost::json::value({"table", "dead-letter-queue", "leave"}));
  EXPECT_TRUE(keys.at("queue").at("properties").as_object().contains("account"));
}

}  // namespace
}  // namespace sluice
