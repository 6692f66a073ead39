// SPDX-License-Identifier: Apache-2.0
#include "job/announce/lineage.h"

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include "job/config/pipeline_file.h"

namespace sluice {
namespace {

namespace json = boost::json;

constexpr const char* kRunId = "6f1d2c3b-0a4e-4c55-9f10-2b7d8c9e0f11";
constexpr const char* kQueueSpace = "arn:aws:sqs:us-east-1:000000000000";

Lineage login_lineage() {
  Pipeline pipeline = read_pipeline(SLUICE_SOURCE_DIR "/pipelines/user_logins/pipeline.json");
  return {{queue_dataset("arn:aws:sqs:us-east-1:000000000000:login-queue")},
          postgres_dataset("db.example", "5433", "logins"),
          std::move(pipeline.tables)};
}

Summary login_summary(std::string_view status, int exit_code) {
  Summary summary;
  summary.facts.run_id = kRunId;
  summary.facts.pipeline = "user_logins";
  summary.facts.started = {0, 1'000};
  summary.ended = {0, 61'500};
  summary.status = status;
  summary.exit_code = exit_code;
  summary.books = Books(1);
  summary.books.received = 20;
  summary.books.rejected = 3;
  summary.books.rows = {17};
  summary.measures.bytes_in = 4'000;
  return summary;
}

json::object start_event() {
  return json::parse(lineage_of_start({}, login_lineage(), login_summary("ok", 0).facts))
      .as_object();
}

json::object end_event(const Summary& summary, const LineageJob& job = {}) {
  return json::parse(lineage_of_end(job, login_lineage(), summary)).as_object();
}

/// Every facet says who made it and what it looks like.
void expect_facets(const json::value& facets) {
  for (const auto& [name, facet] : facets.as_object()) {
    EXPECT_TRUE(facet.at("_producer").as_string().starts_with("urn:sluice:")) << name;
    EXPECT_TRUE(
        facet.at("_schemaURL").as_string().starts_with("https://openlineage.io/spec/facets/"))
        << name;
  }
}

TEST(Lineage, a_start_names_the_run_the_job_and_what_is_read_and_written) {
  const json::object event = start_event();
  EXPECT_EQ(event.at("eventType"), "START");
  EXPECT_EQ(event.at("eventTime"), "1970-01-01T00:00:01.000Z");
  EXPECT_EQ(event.at("run").at("runId"), kRunId);
  EXPECT_EQ(event.at("job").at("namespace"), "default");
  EXPECT_EQ(event.at("job").at("name"), "sluice.user_logins");
  EXPECT_EQ(event.at("job").at("facets").at("jobType").at("processingType"), "BATCH");
  ASSERT_EQ(event.at("inputs").as_array().size(), 1U);
  EXPECT_EQ(event.at("inputs").at(0).at("namespace"), kQueueSpace);
  EXPECT_EQ(event.at("inputs").at(0).at("name"), "login-queue");
  ASSERT_EQ(event.at("outputs").as_array().size(), 1U);
  EXPECT_EQ(event.at("outputs").at(0).at("namespace"), "postgres://db.example:5433");
  EXPECT_EQ(event.at("outputs").at(0).at("name"), "logins.public.user_logins");
  for (const json::value& facets :
       {event.at("run").at("facets"), event.at("job").at("facets"),
        event.at("inputs").at(0).at("facets"), event.at("outputs").at(0).at("facets")}) {
    expect_facets(facets);
  }
}

TEST(Lineage, each_column_has_its_type_its_source_and_whether_it_is_masked) {
  const json::value output = start_event().at("outputs").at(0);
  const json::array& fields = output.at("facets").at("schema").at("fields").as_array();
  ASSERT_EQ(fields.size(), 7U);
  EXPECT_EQ(fields[0], (json::object{{"name", "user_id"}, {"type", "character varying(128)"}}));
  const auto made_of = [&](const char* column) {
    const json::value& lineage = output.at("facets").at("columnLineage").at("fields");
    const json::array& inputs = lineage.at(column).at("inputFields").as_array();
    EXPECT_EQ(inputs.size(), 1U) << column;
    EXPECT_EQ(inputs.at(0).at("namespace"), kQueueSpace);
    EXPECT_EQ(inputs.at(0).at("name"), "login-queue");
    return inputs.at(0).as_object();
  };
  const auto how = [&](const char* column) {
    return made_of(column).at("transformations").at(0).as_object();
  };
  EXPECT_EQ(made_of("masked_ip").at("field"), "ip");
  EXPECT_EQ(how("masked_ip"), (json::object{{"type", "DIRECT"},
                                            {"subtype", "TRANSFORMATION"},
                                            {"masking", true},
                                            {"description", "hmac-sha256"}}));
  EXPECT_EQ(how("locale"),
            (json::object{{"type", "DIRECT"}, {"subtype", "IDENTITY"}, {"masking", false}}));
  EXPECT_EQ(how("app_version"), (json::object{{"type", "DIRECT"},
                                              {"subtype", "TRANSFORMATION"},
                                              {"masking", false},
                                              {"description", "version-number"}}));
  EXPECT_EQ(made_of("create_date").at("field"), "@sent_at");
}

TEST(Lineage, the_salt_of_a_mask_is_a_source_too) {
  Lineage lineage = login_lineage();
  Column column;
  column.name = "old_ip";
  column.source.text = "ip";
  column.mask = Mask{.method = MaskMethod::sha256_salted, .domain = "ip", .salt = {}};
  column.mask->salt.text = "user_id";
  lineage.tables.at(0).columns = {column};
  const json::value event =
      json::parse(lineage_of_start({}, lineage, login_summary("ok", 0).facts));
  const json::value& inputs = event.at("outputs")
                                  .at(0)
                                  .at("facets")
                                  .at("columnLineage")
                                  .at("fields")
                                  .at("old_ip")
                                  .at("inputFields");
  ASSERT_EQ(inputs.as_array().size(), 2U);
  EXPECT_EQ(inputs.at(0).at("field"), "ip");
  EXPECT_EQ(inputs.at(1).at("field"), "user_id");
}

TEST(Lineage, an_end_says_which_and_how_many) {
  const json::object event = end_event(login_summary("ok", 0));
  EXPECT_EQ(event.at("eventType"), "COMPLETE");
  EXPECT_EQ(event.at("eventTime"), "1970-01-01T00:01:01.500Z");
  const json::value& read = event.at("inputs").at(0).at("inputFacets").at("inputStatistics");
  EXPECT_EQ(read.at("rowCount"), 20);
  EXPECT_EQ(read.at("size"), 4'000);
  const json::value& written = event.at("outputs").at(0).at("outputFacets").at("outputStatistics");
  EXPECT_EQ(written.at("rowCount"), 17);
  expect_facets(event.at("inputs").at(0).at("inputFacets"));
  expect_facets(event.at("outputs").at(0).at("outputFacets"));
}

TEST(Lineage, what_went_wrong_is_told_as_the_log_tells_it) {
  EXPECT_EQ(end_event(login_summary("skipped", 99)).at("eventType"), "COMPLETE");
  EXPECT_EQ(end_event(login_summary("interrupted", 143)).at("eventType"), "ABORT");

  const json::object rejected = end_event(login_summary("rejections", 65));
  EXPECT_EQ(rejected.at("eventType"), "FAIL");
  EXPECT_EQ(rejected.at("run").at("facets").at("errorMessage").at("message"),
            "3 messages were rejected, more than --reject-threshold allows");

  Summary summary = login_summary("failed", 75);
  summary.failure = Failure(Fault::temporary, "postgres: connection lost", "run again");
  const json::object failed = end_event(summary);
  EXPECT_EQ(failed.at("eventType"), "FAIL");
  EXPECT_EQ(failed.at("run").at("facets").at("errorMessage").at("message"),
            "postgres: connection lost");
  expect_facets(failed.at("run").at("facets"));
}

TEST(Lineage, datasets_have_the_names_that_others_give_them) {
  const Dataset china = queue_dataset("arn:aws-cn:sqs:cn-north-1:123456789012:logins.fifo");
  EXPECT_EQ(china.name_space, "arn:aws-cn:sqs:cn-north-1:123456789012");
  EXPECT_EQ(china.name, "logins.fifo");
  EXPECT_EQ(file_dataset("/data/../data/a.jsonl.gz").name, "/data/a.jsonl.gz");
  EXPECT_EQ(file_dataset("/data/a.jsonl").name_space, "file");
  EXPECT_EQ(file_dataset("-").name, "/dev/stdin");
  EXPECT_TRUE(file_dataset("a.jsonl").name.starts_with('/'));
  EXPECT_EQ(postgres_dataset("/var/run/postgresql", "5432", "d").name_space,
            "postgres://localhost:5432");
  EXPECT_EQ(postgres_dataset("::1", "5432", "d").name_space, "postgres://[::1]:5432");
}

TEST(Lineage, of_a_thousand_files_an_event_stays_small) {
  Lineage lineage = login_lineage();
  lineage.inputs.assign(1'000, file_dataset("/data/archive.jsonl.gz"));
  const std::string event = lineage_of_start({}, lineage, login_summary("ok", 0).facts);
  EXPECT_LT(event.size(), 500'000U);
}

TEST(Lineage, the_run_that_started_ours_is_named) {
  const LineageJob job{"shop", parse_parent_run(std::string("air/flow/logins.drain/") + kRunId)};
  ASSERT_TRUE(job.parent);
  const json::object event = end_event(login_summary("ok", 0), job);
  EXPECT_EQ(event.at("job").at("namespace"), "shop");
  const json::value& parent = event.at("run").at("facets").at("parent");
  EXPECT_EQ(parent.at("run").at("runId"), kRunId);
  EXPECT_EQ(parent.at("job").at("namespace"), "air/flow");
  EXPECT_EQ(parent.at("job").at("name"), "logins.drain");
  for (const char* text :
       {"", "a", "a/b", "a/b/c", "6f1d2c3b-0a4e-4c55-9f10-2b7d8c9e0f11",
        "a/b/6f1d2c3b-0a4e-4c55-9f10-2b7d8c9e0f1", "a/b/", "//6f1d2c3b-0a4e-4c55-9f10-2b7d8c9e0f11",
        "a//6f1d2c3b-0a4e-4c55-9f10-2b7d8c9e0f11"}) {
    EXPECT_FALSE(parse_parent_run(text)) << text;
  }
}

}  // namespace
}  // namespace sluice
