// SPDX-License-Identifier: Apache-2.0
#include "job/pipeline/books.h"

namespace sluice {

void Books::learn(const LoadCounts& counts) {
  loaded += counts.loaded;
  duplicate += counts.duplicate;
  rejected += counts.rejected;
  ++windows;
  // A commit that was learned by its id tells no rows by table; each message it loaded has one row
  // in each table.
  for (std::size_t table = 0; table < rows.size(); ++table) {
    rows[table] += counts.rows.empty() ? counts.loaded : counts.rows[table];
  }
}

bool Books::add_up() const {
  return received + carried_in == loaded + duplicate + rejected + returned + carried_out;
}

}  // namespace sluice
