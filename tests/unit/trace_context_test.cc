// SPDX-License-Identifier: Apache-2.0
#include "job/announce/trace_context.h"

#include <gtest/gtest.h>

namespace sluice {
namespace {

// The example of the specification.
constexpr const char* kParent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

TEST(TraceContext, of_version_00_is_read_and_written_as_it_was) {
  const auto trace = parse_traceparent(kParent);
  ASSERT_TRUE(trace);
  EXPECT_EQ(trace->trace_id, "4bf92f3577b34da6a3ce929d0e0e4736");
  EXPECT_EQ(trace->span_id, "00f067aa0ba902b7");
  EXPECT_EQ(trace->flags, "01");
  EXPECT_EQ(to_traceparent(*trace), kParent);
}

TEST(TraceContext, of_anything_else_is_none) {
  for (const char* text :
       {"", "00", "4bf92f3577b34da6a3ce929d0e0e4736",
        "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",         // another version
        "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",         // none at all
        "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",         // upper case
        "00-4bf92f3577b34da6a3ce929d0e0e473-00f067aa0ba902b7-01",          // too short
        "00-4bf92f3577b34da6a3ce929d0e0e47361-00f067aa0ba902b7-01",        // too long
        "00-4bf92f3577b34da6a3ce929d0e0e473g-00f067aa0ba902b7-01",         // no digit
        "00-00000000000000000000000000000000-00f067aa0ba902b7-01",         // no trace
        "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",         // no span
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-1",          // half a byte
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",            // no flags
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-00",      // more
        " 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",        // a blank
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r\n"}) {  // a line end
    EXPECT_FALSE(parse_traceparent(text)) << text;
  }
}

TEST(TraceContext, a_next_span_is_another_in_the_same_trace) {
  const auto trace = parse_traceparent(kParent);
  ASSERT_TRUE(trace);
  const TraceContext next = next_span(*trace);
  EXPECT_EQ(next.trace_id, trace->trace_id);
  EXPECT_EQ(next.flags, trace->flags);
  EXPECT_NE(next.span_id, trace->span_id);
  EXPECT_NE(next.span_id, next_span(*trace).span_id);
  EXPECT_TRUE(parse_traceparent(to_traceparent(next)));
}

}  // namespace
}  // namespace sluice
