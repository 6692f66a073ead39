// SPDX-License-Identifier: Apache-2.0
// Several windows of one run, each somewhere else on its way: what mixes there are, and what a
// recovery makes of them. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "checkpoint/window.h"

namespace sluice {

/// A letter for each window, the oldest first:
///
///   d  loaded; a part of it is deleted, the rest of its deletes is under way
///   f  loaded; its rejection is on its way to the dead-letter queue
///   w  loaded; its rejection was not taken there and waits for the next try
///   m  sealed; its COMMIT is under way
///   c  sealed; its COPY is under way
///   s  sealed; waits for the loader
///   o  open, and staged
using Mix = std::string;

std::size_t count_of(const Mix& mix, std::string_view letters);

/// Every mix of two windows and of three that a run comes by while nothing fails: windows go their
/// way in turn, one is filled, one is at the warehouse, and none waits for a warehouse that does
/// nothing.
std::vector<Mix> mixes_in_turn();
/// Those of two windows where the older one failed once and is overtaken until its next try.
std::vector<Mix> mixes_out_of_turn();
bool is_in_turn(const Mix& mix);

/// Where its windows durably are.
std::vector<WindowState> states_of(const Mix& mix);

/// Where the next run has them when each delete and the first COPY or forward of it is held: what
/// was open is sealed, what was in its COMMIT is loaded, and the oldest goes to the warehouse
/// first.
Mix in_recovery(const Mix& mix);

}  // namespace sluice
