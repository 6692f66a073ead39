// SPDX-License-Identifier: Apache-2.0
// Each mask of an address as the bodies hold it, its canonical form included; and all that is done
// with a message, from its body to a batch.
#include <memory>
#include <utility>

#include "bench/login.h"
#include "bench/micro.h"
#include "job/mask/mask_function.h"
#include "job/mask/masker.h"

namespace sluice {
namespace {

using benchmark::DoNotOptimize;

const Keyring& keyring() {
  static const Keyring made = Keyring::generate(0);
  return made;
}

Micro::Work masking(MaskMethod method, Canonical form, const std::string& value) {
  auto mask = std::make_shared<MaskFunction>(
      Mask{.method = method, .domain = "ip", .canonical = form, .salt = {}}, keyring());
  return {[mask, value] { DoNotOptimize(mask->of(value, "salt")); }};
}

Micro mask_of_an_ip(const std::string& name, MaskMethod method) {
  return {"mask an IPv4 address with " + name, 1,
          [method] { return masking(method, Canonical::ip, "199.172.111.73"); }};
}

const Micro hmac_sha256 = mask_of_an_ip("hmac-sha256", MaskMethod::hmac_sha256);
const Micro aes_siv = mask_of_an_ip("aes-siv", MaskMethod::aes_siv);
const Micro sha256 = mask_of_an_ip("sha256", MaskMethod::sha256);
const Micro md5 = mask_of_an_ip("md5", MaskMethod::md5);
const Micro sha256_salted = mask_of_an_ip("sha256-salted", MaskMethod::sha256_salted);
const Micro redact = mask_of_an_ip("redact", MaskMethod::redact);
const Micro ip_prefix = mask_of_an_ip("ip-prefix", MaskMethod::ip_prefix);
const Micro email_domain("mask an e-mail address with email-domain", 1, [] {
  return masking(MaskMethod::email_domain, Canonical::email, "Ana.Lima@Example.ORG");
});

Micro::Work staging(Message message) {
  struct State {
    Masker masker{login_pipeline(), keyring()};
    StagedBatch batch;
  };
  return {[state = std::make_shared<State>(), message = std::move(message)] {
    state->masker.stage(message, state->batch);
    if (state->batch.messages() == 1000) state->batch.clear();
  }};
}

const Micro good("decode, validate and mask a message into a batch", 1,
                 [] { return staging(login(1)); });
const Micro bad("reject a message and seal its body into a batch", 1, [] {
  Message cut = login(1);
  cut.body.pop_back();
  return staging(std::move(cut));
});

}  // namespace
}  // namespace sluice
