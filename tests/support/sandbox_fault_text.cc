// SPDX-License-Identifier: Apache-2.0
#include "tests/support/sandbox_fault_text.h"

#include <map>
#include <string_view>

#include "job/base/failure.h"
#include "job/base/text.h"
#include "tests/support/sandbox_shapes.h"

namespace sluice {
namespace {

struct NotSo {};  // thrown and caught in this file: a value that its word does not take

template <typename Number = int>
Number number(const std::string& value) {
  const auto parsed = parse_integer<Number>(value);
  if (!parsed || *parsed < 0) throw NotSo();
  return *parsed;
}

double probability(const std::string& value) {
  std::size_t used = 0;
  const double parsed = value.empty() ? -1 : std::stod(value, &used);
  if (used != value.size() || parsed < 0 || parsed > 1) throw NotSo();
  return parsed;
}

std::chrono::milliseconds milliseconds(const std::string& value) {
  return std::chrono::milliseconds(number(value));
}

bool is_before(const std::string& value) {
  if (value != "before" && value != "after") throw NotSo();
  return value == "before";
}

void nothing(const std::string& value) {
  if (!value.empty()) throw NotSo();
}

using Word = void (*)(SandboxFaultRule& rule, const std::string& value);

const std::map<std::string_view, Word> kWords = {
    {"calls",
     [](SandboxFaultRule& rule, const std::string& value) {
       for (const std::string_view call : split(value, ',')) {
         rule.calls.push_back(number(std::string(call)));
       }
     }},
    {"chance", [](SandboxFaultRule& r, const std::string& v) { r.chance = probability(v); }},
    {"most", [](SandboxFaultRule& r, const std::string& v) { r.most = number(v); }},
    {"short-polls",
     [](SandboxFaultRule& r, const std::string& v) { nothing(v), r.short_polls = true; }},
    {"status", [](SandboxFaultRule& r, const std::string& v) { r.fault.status = number(v); }},
    {"code", [](SandboxFaultRule& r, const std::string& v) { r.fault.code = v; }},
    {"html", [](SandboxFaultRule& r, const std::string& v) { r.fault.html = v; }},
    {"retry-after",
     [](SandboxFaultRule& r, const std::string& v) { r.fault.retry_after_ms = number(v); }},
    {"empty", [](SandboxFaultRule& r, const std::string& v) { nothing(v), r.fault.empty = true; }},
    {"twice", [](SandboxFaultRule& r, const std::string& v) { nothing(v), r.fault.twice = true; }},
    {"shuffle",
     [](SandboxFaultRule& r, const std::string& v) { nothing(v), r.fault.shuffle = true; }},
    {"fail", [](SandboxFaultRule& r, const std::string& v) { r.fault.fail_entries = number(v); }},
    {"sender",
     [](SandboxFaultRule& r, const std::string& v) { nothing(v), r.fault.sender_fault = true; }},
    {"drop",
     [](SandboxFaultRule& rule, const std::string& value) {
       (is_before(value) ? rule.fault.drop_before : rule.fault.drop_after) = true;
     }},
    {"hang",  // until the sandbox ends, or forgets its faults
     [](SandboxFaultRule& rule, const std::string& value) {
       SandboxFault& fault = rule.fault;
       const bool before = is_before(value);
       (before ? fault.gate : fault.gate_after) = std::make_shared<SandboxGate>();
       (before ? fault.drop_before : fault.drop_after) = true;
     }},
    {"delay", [](SandboxFaultRule& r, const std::string& v) { r.fault.delay = milliseconds(v); }},
    {"trickle",
     [](SandboxFaultRule& r, const std::string& v) { r.fault.trickle = milliseconds(v); }},
};

[[noreturn]] void refuse(const std::string& text, const std::string& word) {
  throw Failure(Fault::usage, "fault '" + text + "': " + word + " means nothing here",
                "see tests/support/sandbox_fault_text.h");
}

}  // namespace

SandboxFaultRule parse_fault(const std::string& text) {
  const auto words = split(text, ' ');
  SandboxFaultRule rule{.on = std::string(words[0])};
  if (rule.on != "*" && !is_operation(rule.on)) refuse(text, "'" + rule.on + "'");
  for (const std::string_view word : std::span(words).subspan(1)) {
    if (word.empty()) continue;
    const std::string_view name = word.substr(0, word.find('='));
    const std::string value(word.substr(std::min(word.size(), name.size() + 1)));
    const auto known = kWords.find(name);
    try {
      if (known == kWords.end()) throw NotSo();
      known->second(rule, value);
    } catch (const NotSo&) {
      refuse(text, "'" + std::string(word) + "'");
    } catch (const std::logic_error&) {  // what std::stod throws
      refuse(text, "'" + std::string(word) + "'");
    }
  }
  return rule;
}

}  // namespace sluice
