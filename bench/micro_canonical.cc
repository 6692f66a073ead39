// SPDX-License-Identifier: Apache-2.0
// The form that equal values share before they are masked.
#include "bench/micro.h"
#include "job/mask/canonical.h"

namespace sluice {
namespace {

Micro canonical_form(const std::string& of, Canonical form, const std::string& value) {
  return {"canonical form of " + of, 1, [form, value] {
            return Micro::Work{[form, value] { benchmark::DoNotOptimize(canonical(form, value)); }};
          }};
}

const Micro ascii = canonical_form("ASCII text", Canonical::text, "593-47-5928");
const Micro accents = canonical_form("text with accents", Canonical::text, "Zo\u00eb Mu\u0308ller");
const Micro ipv4 = canonical_form("an IPv4 address", Canonical::ip, "199.172.111.73");
const Micro ipv6 = canonical_form("an IPv6 address", Canonical::ip, "2001:DB8:0:0:0:8A2E:370:7334");
const Micro email = canonical_form("an e-mail address", Canonical::email, "Ana.Lima@Example.ORG");

}  // namespace
}  // namespace sluice
