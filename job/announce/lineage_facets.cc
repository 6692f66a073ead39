// SPDX-License-Identifier: Apache-2.0
#include "job/announce/lineage_facets.h"

#include <set>

#include <boost/json.hpp>

#include "job/config/column_type.h"

namespace sluice {
namespace {

namespace json = boost::json;

json::object facet(const std::string& version, const std::string& name, json::object members) {
  members["_producer"] = kLineageProducer;
  members["_schemaURL"] =
      "https://openlineage.io/spec/facets/" + version + "/" + name + ".json#/$defs/" + name;
  return members;
}

std::string_view word_of(As as) {
  for (const AsWord& row : as_words()) {
    if (row.as == as) return row.word;
  }
  return "";
}

json::object transformation_of(const Column& column) {
  const std::string_view how = column.mask ? word_of(column.mask->method).word : word_of(column.as);
  const bool changed = column.mask || column.as != As::is;
  json::object transformation{{"type", "DIRECT"},
                              {"subtype", changed ? "TRANSFORMATION" : "IDENTITY"},
                              {"masking", column.mask.has_value()}};
  if (changed) transformation["description"] = how;
  return transformation;
}

/// What the column is made of: its source, and the salt of its mask.
std::vector<std::string> sources_of(const Column& column) {
  std::vector<std::string> sources = {column.source.text};
  const bool salted = column.mask && column.mask->method == MaskMethod::sha256_salted;
  if (salted) sources.push_back(column.mask->salt.text);
  return sources;
}

}  // namespace

json::object engine_facet() {
  return facet("1-1-1", "ProcessingEngineRunFacet",
               {{"name", "sluice"},
                {"version", SLUICE_VERSION},
                {"openlineageAdapterVersion", SLUICE_VERSION}});
}

json::object parent_facet(const ParentRun& parent) {
  return facet("1-2-0", "ParentRunFacet",
               {{"run", {{"runId", parent.run_id}}},
                {"job", {{"namespace", parent.name_space}, {"name", parent.job}}}});
}

json::object error_facet(const std::string& message) {
  return facet("1-0-1", "ErrorMessageRunFacet",
               {{"message", message}, {"programmingLanguage", "C++"}});
}

json::object job_type_facet() {
  return facet("2-0-4", "JobTypeJobFacet",
               {{"processingType", "BATCH"}, {"integration", "SLUICE"}, {"jobType", "JOB"}});
}

json::object fields_facet(const std::vector<Table>& tables) {
  std::set<std::string> names;
  for (const Table& table : tables) {
    for (const Column& column : table.columns) {
      for (const std::string& source : sources_of(column)) names.insert(source);
    }
  }
  json::array fields;
  for (const std::string& name : names) fields.push_back(json::object{{"name", name}});
  return facet("1-2-0", "SchemaDatasetFacet", {{"fields", fields}});
}

json::object schema_facet(const Table& table) {
  json::array fields;
  for (const Column& column : table.columns) {
    fields.push_back({{"name", column.name}, {"type", postgres_name(column.type)}});
  }
  return facet("1-2-0", "SchemaDatasetFacet", {{"fields", fields}});
}

json::object column_lineage_facet(const Table& table, const std::vector<Dataset>& inputs) {
  json::object columns;
  for (const Column& column : table.columns) {
    json::array made_of;
    for (const Dataset& input : inputs) {
      for (const std::string& source : sources_of(column)) {
        made_of.push_back({{"namespace", input.name_space},
                           {"name", input.name},
                           {"field", source},
                           {"transformations", json::array{transformation_of(column)}}});
      }
    }
    columns[column.name] = {{"inputFields", made_of}};
  }
  return facet("1-2-0", "ColumnLineageDatasetFacet", {{"fields", columns}});
}

json::object input_statistics(const Summary& summary) {
  return facet("1-0-0", "InputStatisticsInputDatasetFacet",
               {{"rowCount", summary.books.received}, {"size", summary.measures.bytes_in}});
}

json::object output_statistics(std::uint64_t rows) {
  return facet("1-0-2", "OutputStatisticsOutputDatasetFacet", {{"rowCount", rows}});
}

}  // namespace sluice
