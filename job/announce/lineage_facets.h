// SPDX-License-Identifier: Apache-2.0
// The parts of an OpenLineage event, each with the schema that it follows.
// https://openlineage.io/docs/spec/facets/
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <boost/json/object.hpp>

#include "job/announce/lineage.h"

namespace sluice {

inline constexpr std::string_view kLineageProducer = "urn:sluice:" SLUICE_VERSION;

// ---- of the run and the job ----

boost::json::object engine_facet();
boost::json::object parent_facet(const ParentRun& parent);
boost::json::object error_facet(const std::string& message);
boost::json::object job_type_facet();

// ---- of what is read and written ----

/// The fields that the tables are made of, as the pipeline file writes them; their types are not
/// known.
boost::json::object fields_facet(const std::vector<Table>& tables);
boost::json::object schema_facet(const Table& table);
/// Each column with its source in each of the inputs, and whether and how it is masked.
boost::json::object column_lineage_facet(const Table& table, const std::vector<Dataset>& inputs);
/// A message is a row.
boost::json::object input_statistics(const Summary& summary);
boost::json::object output_statistics(std::uint64_t rows);

}  // namespace sluice
