// SPDX-License-Identifier: Apache-2.0
// Our signer as a program, for tests/foreign/signing_test.py: a request as a line of JSON in, the
// headers that we added as a line of JSON out.
#include <iostream>
#include <span>
#include <string>

#include <boost/json.hpp>

#include "job/aws/endpoint.h"
#include "job/aws/sigv4.h"

namespace sluice {
namespace {

namespace json = boost::json;

std::string text(const json::object& object, const char* name) {
  return std::string(object.at(name).as_string());
}

json::object sign(const json::object& asked) {
  Signer signer({text(asked, "access_key"), Secret(text(asked, "secret")),
                 Secret(text(asked, "token")), "the test"},
                text(asked, "region"), text(asked, "service"));
  const Environment nothing = [](const char*) { return ""; };
  const Endpoint endpoint = find_endpoint({.endpoint_flag = text(asked, "origin"),
                                           .region_flag = text(asked, "region"),
                                           .queue_url = ""},
                                          nothing, Profile("", nothing));
  HttpRequest request{.method = text(asked, "method"),
                      .path = text(asked, "path"),
                      .query = text(asked, "query"),
                      .body = text(asked, "body")};
  for (const json::value& header : asked.at("headers").as_array()) {
    request.headers.push_back(
        {std::string(header.at(0).as_string()), std::string(header.at(1).as_string())});
  }
  const std::size_t given = request.headers.size();
  request.headers.push_back({"Host", endpoint.host});
  signer.sign(request, asked.at("wall_ms").to_number<std::int64_t>());
  json::object added;
  for (const Header& header : std::span(request.headers).subspan(given)) {
    added[header.name] = header.value;
  }
  return added;
}

}  // namespace
}  // namespace sluice

int main() {
  for (std::string line; std::getline(std::cin, line);) {
    std::cout << sluice::sign(boost::json::parse(line).as_object()) << "\n";
  }
}
