// SPDX-License-Identifier: Apache-2.0
#include "job/announce/trace_context.h"

#include "job/base/encoding.h"
#include "job/base/random.h"
#include "job/base/text.h"

namespace sluice {
namespace {

bool is_hex(std::string_view text, std::size_t length) {
  return text.size() == length &&
         text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

/// Nothing but zeros stands for none.
bool is_id(std::string_view text, std::size_t length) {
  return is_hex(text, length) && text.find_first_not_of('0') != std::string_view::npos;
}

}  // namespace

std::optional<TraceContext> parse_traceparent(std::string_view text) {
  const auto parts = split(text, '-');
  if (parts.size() != 4 || parts[0] != "00" || !is_id(parts[1], 32) || !is_id(parts[2], 16) ||
      !is_hex(parts[3], 2)) {
    return std::nullopt;
  }
  return TraceContext{std::string(parts[1]), std::string(parts[2]), std::string(parts[3])};
}

TraceContext next_span(const TraceContext& trace) {
  const auto random = random_128();
  std::string bytes(random.begin(), random.begin() + 8);
  bytes[0] |= 1;  // never all zeros
  return {trace.trace_id, to_hex(bytes), trace.flags};
}

std::string to_traceparent(const TraceContext& trace) {
  return "00-" + trace.trace_id + "-" + trace.span_id + "-" + trace.flags;
}

}  // namespace sluice
