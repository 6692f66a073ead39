// SPDX-License-Identifier: Apache-2.0
// What keys do and do not open: masks that agree between hosts and only under one key, bodies that
// open only for whoever holds theirs.
#include <algorithm>
#include <set>

#include "job/base/encoding.h"
#include "job/mask/seal.h"
#include "tests/end_to_end/privacy.h"

namespace sluice {
namespace {

std::string bytes_of(const std::string& hex) {
  std::string bytes;
  for (std::size_t i = 2; i + 1 < hex.size(); i += 2) {  // after Postgres's "\x"
    bytes += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  }
  return bytes;
}

MessageId id_of(const std::string& uuid) {
  std::string hex = "\\x";
  std::ranges::copy_if(uuid, std::back_inserter(hex), [](char c) { return c != '-'; });
  MessageId id{};
  std::ranges::copy(bytes_of(hex), id.begin());
  return id;
}

TEST_F(Privacy, whoever_holds_the_keyring_can_open_a_rejection) {
  const std::vector<std::string> bodies = {"{", canary_body("one").substr(1),
                                           replaced(canary_body("two"), "1.2.3", "x")};
  for (const std::string& body : bodies) world.send_body(body);
  EXPECT_EQ(world.run().status, 0);
  EXPECT_EQ(world.call({"keygen", "--rotate"}).status, 0);
  const Keyring keyring = Keyring::read(world.keyring());
  const Keyring stranger = Keyring::generate(0);
  std::set<std::string> opened;
  for (const Row& row : world.database().rows(
           "SELECT message_id::text, key_id, sealed_body::text FROM sluice.rejected_message")) {
    const auto body = unseal(keyring, row[1], id_of(row[0]), bytes_of(row[2]));
    ASSERT_TRUE(body.has_value());
    opened.insert(*body);
    EXPECT_FALSE(unseal(stranger, row[1], id_of(row[0]), bytes_of(row[2])).has_value());
  }
  EXPECT_EQ(opened, std::set<std::string>(bodies.begin(), bodies.end()));
}

TEST_F(Privacy, what_postgres_refused_is_kept_as_the_masked_row) {
  world.database().run("ALTER TABLE public.user_logins ADD CHECK (device_type <> 'toaster')");
  world.send_body(canary_body("refused-user", "toaster"));
  EXPECT_EQ(world.run().status, 0);
  const Keyring keyring = Keyring::read(world.keyring());
  const Row row = world.database().rows(
      "SELECT message_id::text, key_id, sealed_body::text FROM sluice.rejected_message")[0];
  const auto kept = unseal(keyring, row[1], id_of(row[0]), bytes_of(row[2]));
  ASSERT_TRUE(kept.has_value());
  EXPECT_NE(kept->find("refused-user"), std::string::npos);
  EXPECT_EQ(CanarySearch().found_in(*kept), "");
}

std::string login(const std::string& user, const std::string& ip, const std::string& device) {
  return R"({"user_id":")" + user + R"(","app_version":"1","device_type":"ios","ip":)" + ip +
         R"(,"locale":null,"device_id":)" + device + "}";
}

std::vector<Row> masks(LoginWorld& world) {
  return world.database().rows(
      "SELECT user_id, masked_ip, masked_device_id FROM public.user_logins ORDER BY user_id");
}

TEST(PrivacyOfMasks, two_hosts_with_one_key_write_the_same_and_with_another_key_they_do_not) {
  LoginWorld first;
  LoginWorld second;
  LoginWorld stranger;
  second.variables()["SLUICE_WORKER"] = "another-host";
  write_text(second.keyring(), text_of(first.keyring()));
  for (LoginWorld* world : {&first, &second, &stranger}) {
    world->send_body(canary_body("one"));
    world->send_body(login("two", "\"2001:db8:ca4a::7\"", "\"canary-2\""));
    EXPECT_EQ(world->run({"--empty-polls", "1"}).status, 0);
  }
  EXPECT_EQ(masks(first).size(), 2U);
  EXPECT_EQ(masks(first), masks(second));
  for (std::size_t row = 0; row < 2; ++row) {
    for (const std::size_t column : {1U, 2U}) {
      EXPECT_NE(masks(first)[row][column], masks(stranger)[row][column]);
    }
  }
}

TEST_F(Privacy, one_value_has_one_mask_however_it_is_written_and_another_in_another_domain) {
  const std::string e_acute[] = {"\"canary-caf\u00e9\"", "\"canary-cafe\u0301\"",
                                 "\" canary-caf\\u00e9\\t\"", "\"canary-cafe\\u0301\\u00a0\""};
  const std::string mapped[] = {"\"198.19.4.5\"", "\"::ffff:198.19.4.5\"", "\"::FFFF:c613:405\"",
                                "\" 198.19.4.5 \""};
  const std::string long_ip[] = {"\"2001:db8:ca4a::1\"", "\"2001:DB8:CA4A:0:0::1\"",
                                 "\"2001:0db8:ca4a:0000:0000:0000:0000:0001\"",
                                 "\"2001:db8:ca4a:0:0:0:0.0.0.1\""};
  for (int i = 0; i < 4; ++i) {
    world.send_body(login("a" + std::to_string(i), mapped[i], e_acute[i]));
    world.send_body(login("b" + std::to_string(i), long_ip[i], mapped[0]));
  }
  world.send_body(login("refused", "\"198.019.004.005\"", "\"canary-1\""));
  EXPECT_EQ(world.run().status, 0);
  const auto count = [this](const std::string& what) { return world.database().value(what); };
  EXPECT_EQ(count("SELECT count(*) || ' ' || count(DISTINCT masked_ip) || ' ' || count(DISTINCT "
                  "masked_device_id) FROM public.user_logins WHERE user_id LIKE 'a%'"),
            "4 1 1");
  EXPECT_EQ(count("SELECT count(*) || ' ' || count(DISTINCT masked_ip) FROM public.user_logins "
                  "WHERE user_id LIKE 'b%'"),
            "4 1");
  // The device of "b" is the address of "a", as text.
  EXPECT_EQ(count("SELECT count(*) FROM public.user_logins a JOIN public.user_logins b ON "
                  "a.masked_ip = b.masked_device_id"),
            "0");
  EXPECT_EQ(count("SELECT reason || ' ' || field FROM sluice.rejected_message"), "bad-value ip");
}

TEST_F(Privacy, null_empty_missing_and_no_string_have_results_of_their_own) {
  world.database().run("ALTER TABLE public.user_logins ALTER masked_device_id DROP NOT NULL");
  edit_pipeline(world, R"-("from": "device_id",   "type": "varchar(256)", "required": true)-",
                R"-("from": "device_id", "type": "varchar(256)")-");
  world.send_body(login("empty", "\"198.19.1.1\"", "\"\""));
  world.send_body(login("null", "\"198.19.1.1\"", "null"));
  world.send_body(replaced(login("missing", "\"198.19.1.1\"", "1"), ",\"device_id\":1", ""));
  world.send_body(login("number", "\"198.19.1.1\"", "1981900001"));
  EXPECT_EQ(world.run().status, 0);
  EXPECT_EQ(world.database().rows("SELECT user_id, length(masked_device_id)::text FROM "
                                  "public.user_logins ORDER BY 1"),
            (std::vector<Row>{{"empty", "64"}, {"missing", ""}, {"null", ""}}));
  EXPECT_EQ(world.database().rows("SELECT reason, field FROM sluice.rejected_message"),
            (std::vector<Row>{{"wrong-type", "device_id"}}));
}

TEST_F(Privacy, a_key_rotated_between_two_deliveries_makes_no_second_row) {
  world.send_body(canary_body("one"));
  world.send_body(canary_body("bad").substr(1));
  EXPECT_EQ(world.run().status, 0);
  const std::vector<Row> before = masks(world);
  EXPECT_EQ(world.call({"keygen", "--rotate"}).status, 0);
  deliver_all_again(world);
  const Outcome again = world.run();
  EXPECT_EQ(again.status, 0) << again.err;
  EXPECT_EQ(again.count("duplicate"), 2);
  EXPECT_EQ(masks(world), before);
  EXPECT_EQ(world.database().value("SELECT count(*) FROM sluice.rejected_message"), "1");
  world.send_body(canary_body("one"));  // another message with the same values
  EXPECT_EQ(world.run().status, 0);
  EXPECT_EQ(masks(world).size(), 2U);
  EXPECT_NE(masks(world)[0][1], masks(world)[1][1]);  // the new key is used
}

TEST_F(Privacy, sealed_bodies_that_are_swapped_or_changed_by_one_bit_open_for_nobody) {
  world.send_body("{");
  world.send_body("[");
  EXPECT_EQ(world.run().status, 0);
  const Keyring keyring = Keyring::read(world.keyring());
  const auto rows = world.database().rows(
      "SELECT message_id::text, key_id, sealed_body::text FROM sluice.rejected_message");
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_FALSE(unseal(keyring, rows[0][1], id_of(rows[0][0]), bytes_of(rows[1][2])));
  EXPECT_FALSE(unseal(keyring, rows[0][1], id_of(rows[1][0]), bytes_of(rows[0][2])));
  const std::string bytes = bytes_of(rows[0][2]);
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    std::string changed = bytes;
    changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ 1 << bit % 8);
    EXPECT_FALSE(unseal(keyring, rows[0][1], id_of(rows[0][0]), changed)) << bit;
  }
}

TEST_F(Privacy, a_key_that_is_weak_or_there_twice_is_refused_and_one_that_counts_is_told) {
  const std::string good = text_of(world.keyring());
  auto keys = boost::json::parse(good).as_object();
  auto& all = keys["keys"].as_array();
  const auto with_secret = [&](const std::string& secret) {
    all[0].as_object()["secret"] = to_base64(secret);
    write_text(world.keyring(), boost::json::serialize(keys));
  };
  world.send(3);
  for (const std::string& weak : {std::string(32, '\0'), std::string(32, '\x5a')}) {
    with_secret(weak);
    const Outcome outcome = world.run();
    EXPECT_EQ(outcome.status, 78) << outcome.err;
    EXPECT_NE(outcome.err.find("a secret repeats a few bytes"), std::string::npos);
    EXPECT_NE(outcome.err.find("\"hint\":\"restore"), std::string::npos) << outcome.err;
  }
  std::string counting;
  for (char c = 0; c < 32; ++c) counting += c;
  with_secret(counting);
  EXPECT_NE(world.call({"check"}).out.find("count up"), std::string::npos);
  auto twice = all[0].as_object();
  twice["id"] = "the-same-again";
  all.push_back(twice);
  with_secret(counting);
  EXPECT_EQ(world.run().status, 78);
  EXPECT_EQ(tally(world).deliveries, 0U);
  write_text(world.keyring(), good);
}

}  // namespace
}  // namespace sluice
