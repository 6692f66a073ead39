// SPDX-License-Identifier: Apache-2.0
#include "job/base/rejection.h"

#include "job/base/failure.h"

namespace sluice {

std::string_view to_text(Reason reason) {
  switch (reason) {
    case Reason::not_json:
      return "not-json";
    case Reason::not_an_object:
      return "not-an-object";
    case Reason::duplicate_key:
      return "duplicate-key";
    case Reason::missing_field:
      return "missing-field";
    case Reason::wrong_type:
      return "wrong-type";
    case Reason::out_of_range:
      return "out-of-range";
    case Reason::too_long:
      return "too-long";
    case Reason::bad_encoding:
      return "bad-encoding";
    case Reason::bad_value:
      return "bad-value";
    case Reason::too_large:
      return "too-large";
  }
  bug("a reason without a word");
}

}  // namespace sluice
