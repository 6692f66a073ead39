// SPDX-License-Identifier: Apache-2.0
#include "job/cli/status_look.h"

#include <cmath>

namespace sluice {

using boost::json::array;
using boost::json::value;

const value& look(const value& in, std::string_view pointer) {
  static const value nothing;
  boost::json::error_code error;
  const value* found = in.find_pointer(pointer, error);
  return found == nullptr ? nothing : *found;
}

std::string text_at(const value& in, std::string_view pointer) {
  const value& found = look(in, pointer);
  return found.is_string() ? std::string(found.as_string()) : "";
}

std::int64_t count_at(const value& in, std::string_view pointer) {
  boost::json::error_code error;
  const auto count = look(in, pointer).to_number<std::int64_t>(error);
  return error ? 0 : count;
}

double number_at(const value& in, std::string_view pointer) {
  boost::json::error_code error;
  const auto number = look(in, pointer).to_number<double>(error);
  return error || !std::isfinite(number) ? 0 : number;
}

bool is_set(const value& in, std::string_view pointer) {
  const value& found = look(in, pointer);
  return found.is_bool() && found.as_bool();
}

const array& list_at(const value& in, std::string_view pointer) {
  static const array none;
  const value& found = look(in, pointer);
  return found.is_array() ? found.as_array() : none;
}

std::vector<const value*> runs_of_the_queue(const value& status) {
  std::vector<const value*> runs;
  for (const value& run : list_at(status, "/runs")) {
    if (text_at(run, "/source") != "archive") runs.push_back(&run);
  }
  return runs;
}

}  // namespace sluice
