// SPDX-License-Identifier: Apache-2.0
// decode and validate: from a body to values of the columns' types.
#include <memory>

#include "bench/login.h"
#include "bench/micro.h"
#include "job/record/decode.h"
#include "job/record/field.h"
#include "job/record/value.h"

namespace sluice {
namespace {

using benchmark::DoNotOptimize;

const Micro decode("decode a body of six fields", 1, [] {
  return Micro::Work{[body = std::make_shared<Body>(), json = login(1).body] {
    DoNotOptimize(body->decode(json));
  }};
});

const Micro validate("validate seven columns into a COPY tuple", 1, [] {
  struct State {
    Message message = login(1);
    Body body;
    std::string tuple;
    std::string scratch;
  };
  auto state = std::make_shared<State>();
  if (state->body.decode(state->message.body)) std::abort();
  return Micro::Work{[state] {
    state->tuple.clear();
    for (const Column& column : login_pipeline().tables.front().columns) {
      Value value;
      DoNotOptimize(
          read(column.source, {state->body, state->message}, value, state->scratch).has_value() ||
          convert(column.as, value, state->scratch).has_value() ||
          append_field(state->tuple, value, column.type).has_value());
    }
  }};
});

}  // namespace
}  // namespace sluice
