// SPDX-License-Identifier: Apache-2.0
// The trace that a run is part of, as whoever started it says: W3C Trace Context, level 1.
// https://www.w3.org/TR/trace-context-1/
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace sluice {

struct TraceContext {
  std::string trace_id;  // 32 hexadecimal digits
  std::string span_id;   // 16, of who is speaking
  std::string flags;     // 2
};

/// Of version 00, to the letter: "00-<trace id>-<span id>-<flags>"; nothing when it is none.
std::optional<TraceContext> parse_traceparent(std::string_view text);

/// The same trace, and another span in it.
TraceContext next_span(const TraceContext& trace);

std::string to_traceparent(const TraceContext& trace);

}  // namespace sluice
