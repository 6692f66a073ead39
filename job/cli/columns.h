// SPDX-License-Identifier: Apache-2.0
// Cells in columns, each as wide as what stands in it. ASCII only: a byte is a column.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace sluice {

class Columns {
 public:
  /// One letter a column, 'l' or 'r': to which side its cells go.
  explicit Columns(std::string_view sides) : sides_(sides) {}

  /// `colour`: an escape sequence around the line, or nothing.
  void add(std::vector<std::string> cells, std::string_view colour = {});
  /// A line between them, which is no cell.
  void add_heading(std::string text);
  /// Each indented by two. Where a line would be longer than `most`, its last cell keeps its end
  /// only: there names of workers differ.
  std::string lines(std::size_t most) const;

 private:
  struct Line {
    std::vector<std::string> cells;  // of a heading one, whatever the columns are
    std::string_view colour;
    bool heading = false;
  };
  std::string_view sides_;
  std::vector<Line> lines_;
};

}  // namespace sluice
