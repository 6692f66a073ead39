// SPDX-License-Identifier: Apache-2.0
// What a run tells at its end: one line of JSON for machines, a few lines for people.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "job/pipeline/books.h"
#include "job/pipeline/drain.h"
#include "job/pipeline/measures.h"

namespace sluice {

/// Where messages came from, as a summary says it.
inline constexpr std::string_view kQueue = "queue";
inline constexpr std::string_view kArchive = "archive";

/// Known before anything can go wrong, or learned on the way.
struct RunFacts {
  std::string run_id;
  std::string run_group;
  std::string worker;
  std::string pipeline;
  std::string_view source = kQueue;
  std::string trace_id;  // of W3C, when the run belongs to a trace
  std::string config_sha256;
  std::string checkpoint_set_aside;  // the checkpoint that was found, and why; empty when it served
  std::vector<std::string> tables;
  Now started;
};

struct Summary {
  RunFacts facts;
  Books books{0};
  Measures measures = {};
  std::string_view stop_reason = "error";
  std::string_view status = "failed";
  int exit_code = 0;
  Now ended;
  std::optional<QueueCounts> queue_after;
  Requests sqs_requests;
  std::optional<Failure> failure;

  /// It did all that was asked of it, be it nothing.
  bool succeeded() const;
  std::uint64_t sqs_retries() const;

  /// ASCII, one line, no line end. Names are relied on by users: add, never remove.
  std::string to_json() const;
  /// A short report for a terminal, each line with its line end.
  std::string to_text() const;
};

std::string_view name_of(StopReason reason);

}  // namespace sluice
