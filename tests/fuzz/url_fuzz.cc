// SPDX-License-Identifier: Apache-2.0
// Addresses from settings: of queues, endpoints, credentials.
#include "job/base/text.h"
#include "job/http/percent.h"
#include "job/http/url.h"
#include "tests/fuzz/properties.h"
#include "tests/fuzz/targets.h"

namespace sluice::fuzz {

void url(std::string_view input) {
  must_hold(percent_decoded(percent_encoded(input)) == input, "what is encoded decodes");
  must_hold(percent_decoded(input).size() <= input.size(), "decoding adds nothing");
  const auto url = parse_url(input);
  if (!url) return;
  must_hold(!url->host.empty() && url->host == lower_ascii(url->host), "a host in lower case");
  must_hold(url->path.starts_with('/'), "a path from the top");
  const std::string printed =
      url->origin() + url->path + (url->query.empty() ? "" : "?" + url->query);
  must_hold(printed.find_first_of(" \r\n\t#@") == std::string::npos ||
                url->path.find('@') != std::string::npos ||
                url->query.find('@') != std::string::npos,
            "nothing that ends a request line, and no user");
  const auto again = parse_url(printed);
  must_hold(again && again->scheme == url->scheme && again->host == url->host &&
                again->path == url->path && again->query == url->query,
            "what was accepted is accepted again and the same");
  const std::string_view bare = bare_host(url->host);
  must_hold(url->host.find(bare) != std::string::npos, "a bare host is a part of the host");
  must_hold(!(is_loopback(bare) && is_link_local(bare)), "an address is in one network");
}

}  // namespace sluice::fuzz
