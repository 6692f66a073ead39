// SPDX-License-Identifier: Apache-2.0
// Fault rules as words, for a shell and for tests in other languages:
//
//   OPERATION ("*" for each), then in any order
//   calls=1,3  chance=0.3  most=5  short-polls     which of its calls are met
//   status=503 code=NAME html=TEXT retry-after=MS  an error instead
//   empty  twice  shuffle                          what a receive gives
//   fail=3 sender            so many entries of a batch fail; by the sender's fault
//   drop=before|after        no answer: the connection closes
//   hang=before|after        no answer: nothing ever comes
//   delay=MS  trickle=MS     a slow answer
#pragma once

#include <string>

#include "tests/support/sandbox_faults.h"

namespace sluice {

/// "ReceiveMessage chance=0.3 code=ThrottlingException status=400". Failure{usage} names a word
/// that is none.
SandboxFaultRule parse_fault(const std::string& text);

}  // namespace sluice
