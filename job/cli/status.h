// SPDX-License-Identifier: Apache-2.0
// A status is one JSON object, which `--json` prints. What follows from its figures, and the text,
// are made of it alone: what a person sees, a program can have.
#pragma once

#include <string>

#include <boost/json.hpp>

#include "checkpoint/glance.h"

namespace sluice {

/// How far it is loaded, how old it was, and how long the rest takes: out of "runs" and "queue".
boost::json::object backlog_of(const boost::json::value& status);

/// One to three sentences, the most urgent first: what a person should do now.
boost::json::array next_steps(const boost::json::value& status);

struct StatusStyle {
  bool utf8 = false;
  bool colour = false;
};
/// Nothing of it comes unchecked from a database. Lines of at most 100 columns, unless a path or an
/// error is longer.
std::string status_text(const boost::json::value& status, StatusStyle style);

/// Prints the ids of what is loaded and not yet deleted, or one sentence when there is nothing;
/// returns the exit status. Failure{locked, temporary} when it cannot be known now.
int print_undeleted(const std::string& path, const CheckpointGlance& glance, bool json);

}  // namespace sluice
