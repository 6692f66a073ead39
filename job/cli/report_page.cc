// SPDX-License-Identifier: Apache-2.0
#include "job/cli/report_page.h"

#include <algorithm>
#include <functional>

#include "job/base/encoding.h"
#include "job/base/failure.h"
#include "job/mask/unkeyed_digest.h"

namespace sluice {
namespace {

std::string_view file(std::string_view name) {
  for (const PageFile& each : page_files()) {
    if (each.name == name) return each.text;
  }
  bug("no file " + std::string(name) + " in the program");
}

/// One script of them all, in their order.
std::string all_scripts() {
  std::string all;
  for (const PageFile& each : page_files()) {
    if (each.name.ends_with(".js")) all += each.text;
  }
  return all;
}

/// What a Content-Security-Policy calls an inline block by: only this text may act.
std::string source_of(std::string_view block) {
  return "'sha256-" + to_base64(UnkeyedDigest(UnkeyedDigest::Kind::sha256).of(block)) + "'";
}

std::string figures_of(const std::vector<KeyFigure>& figures) {
  std::string html;
  for (const KeyFigure& figure : figures) {
    html += "<div><dt>" + html_text(figure.label) + "</dt><dd><b>" + html_text(figure.value) +
            "</b><small>" + html_text(figure.note) + "</small></dd></div>\n";
  }
  return html;
}

/// `{{name}}` becomes value_of(name). What is put in is not looked at again.
std::string filled(std::string_view text,
                   const std::function<std::string(std::string_view)>& value_of) {
  std::string out;
  while (true) {
    const std::size_t begin = text.find("{{");
    out += text.substr(0, begin);
    if (begin == std::string_view::npos) return out;
    const std::size_t end = text.find("}}", begin);
    require(end != std::string_view::npos, "a place in the page that does not end");
    out += value_of(text.substr(begin + 2, end - begin - 2));
    text.remove_prefix(end + 2);
  }
}

std::string replaced_each(
    std::string_view text,
    std::span<const std::pair<std::string_view, std::string_view>> replacements) {
  std::string out;
  while (!text.empty()) {
    const auto found = std::find_if(replacements.begin(), replacements.end(),
                                    [&](const auto& each) { return text.starts_with(each.first); });
    const bool plain = found == replacements.end();
    out += plain ? text.substr(0, 1) : found->second;
    text.remove_prefix(plain ? 1 : found->first.size());
  }
  return out;
}

}  // namespace

std::string html_text(std::string_view text) {
  static constexpr std::pair<std::string_view, std::string_view> kEntities[] = {
      {"&", "&amp;"}, {"<", "&lt;"}, {">", "&gt;"}, {"\"", "&quot;"}, {"'", "&#39;"}};
  return replaced_each(text, kEntities);
}

std::string json_for_html(std::string_view json) {
  // Outside of strings JSON has none of these. The last two end a line in older JavaScript.
  static constexpr std::pair<std::string_view, std::string_view> kEscapes[] = {
      {"&", "\\u0026"},
      {"<", "\\u003c"},
      {">", "\\u003e"},
      {"\xe2\x80\xa8", "\\u2028"},
      {"\xe2\x80\xa9", "\\u2029"}};
  return replaced_each(json, kEscapes);
}

std::string to_html(const ReportPage& page) {
  const std::string_view style = file("page.css");
  std::string script = all_scripts();
  return filled(file("page.html"), [&](std::string_view name) {
    if (name == "policy") {
      return "default-src 'none'; style-src " + source_of(style) + "; script-src " +
             source_of(script) + "; base-uri 'none'; form-action 'none'";
    }
    if (name == "style") return std::string(style);
    if (name == "script") return script;
    if (name == "pipeline") return html_text(page.pipeline);
    if (name == "period") return html_text(page.period);
    if (name == "made_at") return html_text(page.made_at);
    if (name == "version") return html_text(page.version);
    if (name == "figures") return figures_of(page.figures);
    if (name == "empty") return html_text(page.empty);
    if (name == "history") return json_for_html(page.history);
    bug("the page names " + std::string(name));
  });
}

}  // namespace sluice
