// SPDX-License-Identifier: Apache-2.0
#include "job/announce/lineage.h"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <system_error>

#include <boost/json.hpp>

#include "job/announce/lineage_facets.h"

namespace sluice {
namespace {

namespace json = boost::json;

/// A catalogue takes no megabytes: each column names each input.
constexpr std::size_t kMostInputs = 100;

bool is_uuid(std::string_view text) {
  constexpr std::string_view kShape = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
  return std::ranges::equal(text, kShape, [](char c, char shape) {
    return shape == '-' ? c == '-' : std::isxdigit(static_cast<unsigned char>(c)) != 0;
  });
}

std::string_view type_of(const Summary& summary) {
  if (summary.status == "interrupted") return "ABORT";
  return summary.succeeded() ? "COMPLETE" : "FAIL";
}

std::string error_of(const Summary& summary) {
  if (summary.failure) return summary.failure->message();
  return std::to_string(summary.books.rejected) +
         " messages were rejected, more than --reject-threshold allows";
}

json::object run_of(const LineageJob& job, const RunFacts& facts, const Summary* ended) {
  json::object facets{{"processing_engine", engine_facet()}};
  if (job.parent) facets["parent"] = parent_facet(*job.parent);
  if (ended != nullptr && type_of(*ended) == "FAIL") {
    facets["errorMessage"] = error_facet(error_of(*ended));
  }
  return {{"runId", facts.run_id}, {"facets", facets}};
}

json::array inputs_of(const Lineage& lineage, const Summary* ended) {
  json::array inputs;
  for (const Dataset& dataset : lineage.inputs) {
    json::object input{{"namespace", dataset.name_space},
                       {"name", dataset.name},
                       {"facets", {{"schema", fields_facet(lineage.tables)}}}};
    // Of several files nobody counts each.
    if (ended != nullptr && lineage.inputs.size() == 1) {
      input["inputFacets"] = {{"inputStatistics", input_statistics(*ended)}};
    }
    inputs.push_back(std::move(input));
  }
  return inputs;
}

json::array outputs_of(const Lineage& lineage, const Summary* ended) {
  json::array outputs;
  for (std::size_t i = 0; i < lineage.tables.size(); ++i) {
    const Table& table = lineage.tables[i];
    json::object output{{"namespace", lineage.database.name_space},
                        {"name", lineage.database.name + "." + table.text()},
                        {"facets",
                         {{"schema", schema_facet(table)},
                          {"columnLineage", column_lineage_facet(table, lineage.inputs)}}}};
    if (ended != nullptr && i < ended->books.rows.size()) {
      output["outputFacets"] = {{"outputStatistics", output_statistics(ended->books.rows[i])}};
    }
    outputs.push_back(std::move(output));
  }
  return outputs;
}

std::string event(std::string_view type, std::int64_t wall_ms, const LineageJob& job,
                  Lineage lineage, const RunFacts& facts, const Summary* ended) {
  if (lineage.inputs.size() > kMostInputs) lineage.inputs.resize(kMostInputs);
  return json::serialize(json::object{
      {"eventType", type},
      {"eventTime", rfc3339(wall_ms)},
      {"run", run_of(job, facts, ended)},
      {"job",
       {{"namespace", job.name_space},
        {"name", "sluice." + facts.pipeline},
        {"facets", {{"jobType", job_type_facet()}}}}},
      {"inputs", inputs_of(lineage, ended)},
      {"outputs", outputs_of(lineage, ended)},
      {"producer", kLineageProducer},
      {"schemaURL", "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent"}});
}

}  // namespace

Dataset queue_dataset(std::string_view arn) {
  const std::size_t name = arn.rfind(':') + 1;
  return {std::string(arn.substr(0, name - 1)), std::string(arn.substr(name))};
}

Dataset file_dataset(const std::string& path) {
  if (path == "-") return {"file", "/dev/stdin"};
  std::error_code error;
  return {"file", std::filesystem::absolute(path, error).lexically_normal().string()};
}

Dataset postgres_dataset(const std::string& host, const std::string& port,
                         const std::string& database) {
  const bool socket = host.empty() || host[0] == '/' || host[0] == '@';
  const bool v6 = host.find(':') != std::string::npos;
  const std::string name = socket ? "localhost" : v6 ? "[" + host + "]" : host;
  return {"postgres://" + name + ":" + port, database};
}

std::optional<ParentRun> parse_parent_run(std::string_view text) {
  const std::size_t before_id = text.rfind('/');
  const std::size_t before_job = text.substr(0, before_id).rfind('/');
  if (before_id == std::string_view::npos || before_job == std::string_view::npos) {
    return std::nullopt;
  }
  ParentRun parent{std::string(text.substr(0, before_job)),
                   std::string(text.substr(before_job + 1, before_id - before_job - 1)),
                   std::string(text.substr(before_id + 1))};
  if (parent.name_space.empty() || parent.job.empty() || !is_uuid(parent.run_id)) {
    return std::nullopt;
  }
  return parent;
}

std::string lineage_of_start(const LineageJob& job, const Lineage& lineage, const RunFacts& facts) {
  return event("START", facts.started.wall_ms, job, lineage, facts, nullptr);
}

std::string lineage_of_end(const LineageJob& job, const Lineage& lineage, const Summary& summary) {
  return event(type_of(summary), summary.ended.wall_ms, job, lineage, summary.facts, &summary);
}

}  // namespace sluice
