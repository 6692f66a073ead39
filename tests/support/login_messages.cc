// SPDX-License-Identifier: Apache-2.0
#include "tests/support/login_messages.h"

#include <array>
#include <cstdio>

#include "tests/support/canary.h"
#include "tests/support/seeded_random.h"

namespace sluice {
namespace {

struct Fields {
  std::string user_id, app_version, device_type, ip, locale, device_id;  // as JSON, quotes included
};

template <typename... Arguments>
std::string format(const char* pattern, Arguments... arguments) {
  std::array<char, 80> text{};
  std::snprintf(text.data(), text.size(), pattern, arguments...);
  return text.data();
}

std::string quoted(std::string_view text) { return '"' + std::string(text) + '"'; }

std::string ipv4(SeededRandom& random) {
  const auto part = [&] { return static_cast<unsigned>(random.below(256)); };
  return std::string(kMarkOfIpv4) + format("%u.%u", part(), part());
}

std::string ip(SeededRandom& random) {
  const auto kind = random.below(100);
  if (kind < 2) return "::ffff:" + ipv4(random);
  if (kind >= 10) return ipv4(random);
  const auto part = [&] { return static_cast<unsigned>(random.below(65536)); };
  return std::string(kMarkOfIpv6) + format("%x::%x", part(), part());
}

std::string version(SeededRandom& random) {
  const auto part = [&](unsigned most) { return static_cast<unsigned>(random.below(most)); };
  const unsigned major = part(10);
  return random.chance(0.5) ? format("%u.%u.%u", major, part(10), part(10))
                            : format("%u.%u", major, part(100));
}

std::string device_id(SeededRandom& random) {
  const auto part = [&](unsigned most) { return static_cast<unsigned>(random.below(most)); };
  return std::string(kMarkOfText) + format("%03u-%02u-%04u", part(1000), part(100), part(10000));
}

std::string locale(SeededRandom& random) {
  if (random.below(3) == 0) return "null";
  const auto letter = [&] { return static_cast<char>('A' + random.below(26)); };
  return quoted(std::string{letter(), letter()});
}

std::string body_of(const Fields& f) {
  return R"({"user_id": )" + f.user_id + R"(, "app_version": )" + f.app_version +
         R"(, "device_type": )" + f.device_type + R"(, "ip": )" + f.ip + R"(, "locale": )" +
         f.locale + R"(, "device_id": )" + f.device_id + "}";
}

/// Spoils the message in one of several ways; the reason it must be rejected for.
std::string_view spoil(std::uint64_t way, Fields& fields, std::string& body) {
  const auto marked = [](const std::string& text) { return std::string(kMarkOfText) + text; };
  const auto with = [&](std::string& field, std::string value, std::string_view reason) {
    field = std::move(value);
    body = body_of(fields);
    return reason;
  };
  switch (way) {
    case 0:
      body.resize(body.size() / 2);
      return "not-json";
    case 1:
      body.insert(1, R"("locale": )" + quoted(marked("ZZ")) + ", ");
      return "duplicate-key";
    case 2:
      body = "{}";
      return "missing-field";
    case 3:
      body = "[" + body + "]";
      return "not-an-object";
    case 4:
      return with(fields.device_id, "null", "missing-field");
    case 5:
      return with(fields.app_version, "2.3", "wrong-type");
    case 6:
      return with(fields.ip, quoted(std::string(kMarkOfIpv4) + "999.1"), "bad-value");
    case 7:
      return with(fields.app_version, quoted(marked("2.3.0")), "bad-value");
    default:
      return with(fields.device_type, quoted(marked(std::string(40, 'x'))), "too-long");
  }
}

}  // namespace

LoginMessage login_message(std::uint64_t seed, std::uint64_t number) {
  SeededRandom random(seed * 0x2545f4914f6cdd1d + number);
  LoginMessage message;
  message.ip = ip(random);
  message.device_id = device_id(random);
  Fields fields{quoted(to_text(seeded_uuid(random))),
                quoted(version(random)),
                random.chance(0.5) ? R"("android")" : R"("ios")",
                quoted(message.ip),
                locale(random),
                quoted(message.device_id)};
  message.body = body_of(fields);
  if (random.chance(0.01)) message.flaw = spoil(random.below(9), fields, message.body);
  return message;
}

}  // namespace sluice
