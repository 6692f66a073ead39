// SPDX-License-Identifier: Apache-2.0
#include "tests/support/sandbox_faults.h"

#include <algorithm>

namespace sluice {
namespace {

bool is_short_poll(const std::string& operation, const boost::json::object& request) {
  const boost::json::value* const wait = request.if_contains("WaitTimeSeconds");
  return operation == "ReceiveMessage" && (wait == nullptr || *wait == 0);
}

}  // namespace

void SandboxGate::stop_here() {
  std::unique_lock lock(mutex_);
  arrived_ = true;
  changed_.notify_all();
  changed_.wait(lock, [this] { return opened_; });
}

bool SandboxGate::wait_for_call(std::chrono::milliseconds at_most) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, at_most, [this] { return arrived_; });
}

void SandboxGate::open() {
  const std::lock_guard lock(mutex_);
  opened_ = true;
  changed_.notify_all();
}

SandboxRefusal entry_refusal(const SandboxFault& fault) {
  const char* const usual = fault.sender_fault ? "ReceiptHandleIsInvalid" : "InternalError";
  return {fault.code.empty() ? usual : fault.code, "asked for by the test",
          fault.sender_fault ? 400 : 500, fault.sender_fault};
}

void SandboxFaults::add(SandboxFaultRule rule) {
  const std::lock_guard lock(mutex_);
  rules_.push_back({std::move(rule)});
}

void SandboxFaults::clear() {
  const std::lock_guard lock(mutex_);
  for (const Counted& counted : rules_) {
    if (counted.rule.fault.gate) counted.rule.fault.gate->open();
    if (counted.rule.fault.gate_after) counted.rule.fault.gate_after->open();
  }
  rules_.clear();
}

SandboxFault SandboxFaults::meet(const std::string& operation, const boost::json::object& request) {
  const std::lock_guard lock(mutex_);
  for (Counted& counted : rules_) {
    if (meets(counted, operation, request)) return counted.rule.fault;
  }
  return {};
}

bool SandboxFaults::meets(Counted& counted, const std::string& operation,
                          const boost::json::object& request) {
  const SandboxFaultRule& rule = counted.rule;
  if (rule.on != "*" && rule.on != operation) return false;
  if (rule.short_polls && !is_short_poll(operation, request)) return false;
  if (rule.when && !rule.when(request)) return false;
  ++counted.seen;
  if (!rule.calls.empty() && std::ranges::find(rule.calls, counted.seen) == rule.calls.end()) {
    return false;
  }
  if (counted.met >= rule.most || (rule.chance < 1 && !random_.chance(rule.chance))) return false;
  ++counted.met;
  return true;
}

}  // namespace sluice
