// SPDX-License-Identifier: Apache-2.0
// The page of `sluice report`: one HTML file that needs no other and asks no network. Pure.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sluice {

/// The files of job/cli/report, inside the program.
struct PageFile {
  std::string_view name;
  std::string_view text;
};
std::span<const PageFile> page_files();

struct KeyFigure {
  std::string label;
  std::string value;
  std::string note;
};

struct ReportPage {
  std::string pipeline{};
  std::string period{};   // "All runs"
  std::string made_at{};  // as rfc3339
  std::string version{};
  std::vector<KeyFigure> figures{};  // shown without JavaScript, too
  std::string empty{};               // what to do when there is nothing to draw; else empty
  std::string history{};             // JSON, of run_history
};

std::string to_html(const ReportPage& page);

/// Text for an element or a quoted attribute.
std::string html_text(std::string_view text);
/// JSON that nothing can break out of when it stands in a script element.
std::string json_for_html(std::string_view json);

}  // namespace sluice
