// SPDX-License-Identifier: Apache-2.0
#include "job/cli/columns.h"

#include <algorithm>

#include "job/base/failure.h"

namespace sluice {
namespace {

constexpr std::string_view kGap = "  ";
constexpr std::size_t kLeastOfLast = 8;
constexpr std::string_view kPlain = "\x1b[0m";

std::string to_side(char side, const std::string& cell, std::size_t width) {
  const std::string space(width - std::min(width, cell.size()), ' ');
  return side == 'r' ? space + cell : cell + space;
}

}  // namespace

void Columns::add(std::vector<std::string> cells, std::string_view colour) {
  require(cells.size() == sides_.size(), "a line has another number of columns");
  lines_.push_back({std::move(cells), colour, false});
}

void Columns::add_heading(std::string text) { lines_.push_back({{std::move(text)}, {}, true}); }

std::string Columns::lines(std::size_t most) const {
  const std::size_t last = sides_.size() - 1;
  std::vector<std::size_t> widths(last, 0);
  std::size_t before_last = kGap.size();
  for (std::size_t column = 0; column < last; ++column) {
    for (const Line& line : lines_) {
      if (line.heading) continue;
      widths[column] = std::max(widths[column], line.cells[column].size());
    }
    before_last += widths[column] + kGap.size();
  }
  const std::size_t room = std::max(kLeastOfLast, most - std::min(most, before_last));
  std::string out;
  for (const Line& line : lines_) {
    if (line.heading) {
      out += std::string(kGap) + line.cells[0] + "\n";
      continue;
    }
    std::string text;
    for (std::size_t column = 0; column < last; ++column) {
      text += kGap;
      text += to_side(sides_[column], line.cells[column], widths[column]);
    }
    const std::string& cell = line.cells[last];
    text += kGap;
    text += cell.size() <= room ? cell : "~" + cell.substr(cell.size() - room + 1);
    text.resize(text.find_last_not_of(' ') + 1);
    out += line.colour.empty() ? text : std::string(line.colour) + text + std::string(kPlain);
    out += "\n";
  }
  return out;
}

}  // namespace sluice
