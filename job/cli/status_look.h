// SPDX-License-Identifier: Apache-2.0
// Into a status, without a step that can fail: what is not known is null, empty or 0.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <boost/json.hpp>

namespace sluice {

/// What lies at a JSON Pointer; null when nothing does.
const boost::json::value& look(const boost::json::value& in, std::string_view pointer);
void look(boost::json::value&& gone, std::string_view pointer) = delete;
std::string text_at(const boost::json::value& in, std::string_view pointer);
std::int64_t count_at(const boost::json::value& in, std::string_view pointer);
double number_at(const boost::json::value& in, std::string_view pointer);
bool is_set(const boost::json::value& in, std::string_view pointer);
const boost::json::array& list_at(const boost::json::value& in, std::string_view pointer);

/// Those of "runs" that drained the queue, the newest first: a backfill says nothing about it.
std::vector<const boost::json::value*> runs_of_the_queue(const boost::json::value& status);

}  // namespace sluice
