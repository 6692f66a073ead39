// SPDX-License-Identifier: Apache-2.0
// SHA-256. It guards against disks, not against people: who can write the file can write the digest
// too.
#pragma once

#include <memory>
#include <string_view>

#include "checkpoint/window.h"

struct evp_md_ctx_st;

namespace sluice {

class Sha256 {
 public:
  Sha256();
  void add(std::string_view bytes);
  Digest finish();

 private:
  struct Free {
    void operator()(evp_md_ctx_st* context) const;
  };
  std::unique_ptr<evp_md_ctx_st, Free> context_;
};

Digest sha256(std::string_view bytes);

}  // namespace sluice
