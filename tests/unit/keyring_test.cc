// SPDX-License-Identifier: Apache-2.0
#include "job/mask/keyring.h"

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "job/base/encoding.h"
#include "job/base/failure.h"
#include "tests/unit/mask_vectors.h"

namespace sluice {
namespace {

/// The message of the Failure, which must be `configuration` and have a hint; or "fine".
template <typename Action>
std::string failure(Action action) {
  try {
    action();
    return "fine";
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.fault(), Fault::configuration);
    EXPECT_FALSE(failure.hint().empty());
    return failure.message();
  }
}

std::string parsed(std::string_view json) {
  return failure([json] { Keyring::parse(json, "/etc/keys"); });
}

std::string with_key(std::string_view key, std::string_view current = "a") {
  return R"({"version":1,"current":")" + std::string(current) + R"(","keys":[)" + std::string(key) +
         "]}";
}

constexpr std::string_view kSecret = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

constexpr std::string_view kOther = "ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8=";

std::string key(std::string_view id, std::string_view secret = kSecret) {
  return R"({"id":")" + std::string(id) + R"(","created":"2026-01-01T00:00:00Z","secret":")" +
         std::string(secret) + R"("})";
}

TEST(Keyring, holds_its_keys_and_knows_the_current_one) {
  const Keyring keyring =
      Keyring::parse(with_key(key("a") + "," + key("B_2-x", kOther), "B_2-x"), "p");
  EXPECT_EQ(keyring.keys().size(), 2U);
  EXPECT_EQ(keyring.current().id, "B_2-x");
  EXPECT_EQ(keyring.find("a")->secret.reveal().substr(0, 3), std::string_view("\0\1\2", 3));
  EXPECT_EQ(keyring.find("c"), nullptr);
}

TEST(Keyring, anything_else_in_the_file_is_refused_with_the_path_and_without_the_secret) {
  const std::string zeros = to_base64(std::string(32, '\0'));
  const std::string bad[] = {
      "",
      "no json",
      "[]",
      "{}",
      with_key(key("a")) + "x",
      R"({"version":2,"current":"a","keys":[)" + key("a") + "]}",
      R"({"version":"1","current":"a","keys":[)" + key("a") + "]}",
      R"({"version":1,"version":1,"current":"a","keys":[)" + key("a") + "]}",
      R"({"version":1,"current":"a","kyes":[],"keys":[)" + key("a") + "]}",
      R"({"version":1,"current":"a"})",
      R"({"version":1,"keys":[)" + key("a") + "]}",
      with_key(""),
      with_key("7"),
      with_key(key("a"), "b"),
      with_key(key("a") + "," + key("a", kOther)),
      with_key(key("")),
      with_key(key("a.b")),
      with_key(key(std::string(65, 'a')), std::string(65, 'a')),
      with_key(key("a", "")),
      with_key(key("a", to_base64(std::string(31, 'x')))),
      with_key(key("a", to_base64(std::string(33, 'x')))),
      with_key(key("a", zeros)),
      with_key(key("a", to_base64(std::string(32, '\x5a')))),
      with_key(key("a", to_base64("abcdefghabcdefghabcdefghabcdefgh"))),
      with_key(key("a") + "," + key("b")),
      with_key(key("a", std::string(kSecret.substr(0, 43)))),
      with_key(key("a", std::string(kSecret) + "\\n")),
      with_key(R"({"id":"a","created":"yesterday","secret":")" + std::string(kSecret) + "\"}"),
      with_key(R"({"id":"a","secret":")" + std::string(kSecret) + "\"}"),
      with_key(R"({"id":"a","id":"a","created":"2026-01-01T00:00:00Z","secret":")" +
               std::string(kSecret) + "\"}"),
      with_key(R"({"id":"a","note":1,"created":"2026-01-01T00:00:00Z","secret":")" +
               std::string(kSecret) + "\"}"),
  };
  for (const std::string& json : bad) {
    const std::string message = parsed(json);
    EXPECT_TRUE(message.starts_with("keyring /etc/keys: ")) << json << "\n" << message;
    EXPECT_EQ(message.find("AAEC"), std::string::npos);
  }
  EXPECT_EQ(parsed(with_key(key("a"))), "fine");
}

TEST(Keyring, cut_off_anywhere_it_is_refused) {
  const std::string whole = with_key(key("a"));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_TRUE(parsed(whole.substr(0, size)).starts_with("keyring /etc/keys: ")) << size;
  }
}

TEST(Keyring, knows_a_key_that_was_not_drawn_at_random) {
  const auto weakness = [](const std::string& secret) {
    return Keyring::parse(with_key(key("a", to_base64(secret))), "p").weakness();
  };
  std::string counting;
  std::string back;
  for (int i = 0; i < 32; ++i) {
    counting += static_cast<char>(i);
    back += static_cast<char>(7 - 3 * i);
  }
  EXPECT_NE(weakness(counting), "");
  EXPECT_NE(weakness(back), "");
  EXPECT_NE(weakness("correct horse battery staple 123"), "");
  counting[31] = '\x7f';
  EXPECT_EQ(weakness(counting), "");
  EXPECT_EQ(Keyring::generate(0).weakness(), "");
}

TEST(Keyring, a_new_one_is_random_and_reads_back) {
  const std::int64_t day = 1'795'000'000'000;
  const Keyring first = Keyring::generate(day);
  const Keyring second = Keyring::generate(day);
  EXPECT_NE(first.current().secret.reveal(), second.current().secret.reveal());
  EXPECT_NE(first.current().id, second.current().id);
  const Keyring again = Keyring::parse(first.to_json().reveal(), "p");
  EXPECT_EQ(again.current().id, first.current().id);
  EXPECT_EQ(again.current().created, first.current().created);
  EXPECT_EQ(again.current().secret.reveal(), first.current().secret.reveal());
}

TEST(Keyring, rotating_keeps_the_older_keys) {
  Keyring keyring = Keyring::parse(kVectorKeyring, "p");
  keyring.rotate(0);
  const Keyring again = Keyring::parse(keyring.to_json().reveal(), "p");
  EXPECT_EQ(again.keys().size(), 2U);
  EXPECT_NE(again.current().id, "k-test");
  EXPECT_EQ(to_base64(again.find("k-test")->secret.reveal()), kSecret);
}

TEST(Keyring, a_derived_key_is_hkdf_without_salt) {
  const Keyring keyring = Keyring::parse(kVectorKeyring, "p");
  const auto derived = [&keyring](std::string_view info, std::size_t length) {
    return std::string(derive_key(keyring.current(), info, length).reveal());
  };
  EXPECT_EQ(derived("sluice/mask/v1/ip", 64).substr(0, 32), derived("sluice/mask/v1/ip", 32));
  EXPECT_NE(derived("sluice/mask/v1/ip", 32), derived("sluice/mask/v1/iq", 32));
  // RFC 5869, test case 3.
  const Keyring::Key rfc{"a", "", Secret(std::string(22, '\x0b'))};
  EXPECT_EQ(to_hex(derive_key(rfc, "", 42).reveal()),
            "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8");
}

/// A keyring file in a folder of its own, on `/dev/shm` when a memory file system is asked for.
class File {
 public:
  explicit File(const std::string& folder = ::testing::TempDir()) {
    std::string name = folder + "/keyring.XXXXXX";
    folder_ = ::mkdtemp(name.data());
    std::ofstream(path()) << kVectorKeyring;
    ::chmod(path().c_str(), 0600);
  }
  ~File() { std::filesystem::remove_all(folder_); }
  std::string path() const { return folder_ + "/keyring.json"; }
  std::string read_with_mode(mode_t mode) const {
    ::chmod(path().c_str(), mode);
    return failure([this] { Keyring::read(path()); });
  }

 private:
  std::string folder_;
};

TEST(KeyringFile, is_read_when_only_its_owner_can_reach_it) {
  const File file;
  EXPECT_EQ(file.read_with_mode(0600), "fine");
  EXPECT_EQ(file.read_with_mode(0400), "fine");
}

TEST(KeyringFile, is_refused_when_others_can_read_it_on_a_disk) {
  const File file("/var/tmp");
  for (const mode_t mode : {0640U, 0604U, 0444U}) {
    EXPECT_EQ(file.read_with_mode(mode), "keyring " + file.path() + ": others can read it");
  }
}

TEST(KeyringFile, may_be_read_by_others_on_a_memory_file_system) {
  ASSERT_TRUE(std::filesystem::is_directory("/dev/shm")) << "every Linux has it";
  const File file("/dev/shm");
  EXPECT_EQ(file.read_with_mode(0644), "fine");
  EXPECT_EQ(file.read_with_mode(0664), "keyring " + file.path() + ": others can write it");
}

TEST(KeyringFile, is_refused_when_others_can_write_it) {
  const File file;
  for (const mode_t mode : {0620U, 0602U, 0666U}) {
    EXPECT_EQ(file.read_with_mode(mode), "keyring " + file.path() + ": others can write it");
  }
}

TEST(KeyringFile, is_judged_by_what_a_link_leads_to) {
  const File file("/var/tmp");
  const std::string link = file.path() + ".link";
  ASSERT_EQ(::symlink(file.path().c_str(), link.c_str()), 0);
  EXPECT_EQ(failure([&] { Keyring::read(link); }), "fine");
  ::chmod(file.path().c_str(), 0644);
  EXPECT_EQ(failure([&] { Keyring::read(link); }), "keyring " + link + ": others can read it");
}

TEST(KeyringFile, that_is_missing_a_folder_a_fifo_or_huge_is_refused) {
  const File file;
  EXPECT_TRUE(failure([&] { Keyring::read(file.path() + ".no"); }).find("cannot read") !=
              std::string::npos);
  EXPECT_TRUE(failure([] { Keyring::read("/"); }).find("no regular file") != std::string::npos);
  const std::string fifo = file.path() + ".fifo";
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  EXPECT_TRUE(failure([&] { Keyring::read(fifo); }).find("no regular file") != std::string::npos);
  std::ofstream(file.path(), std::ios::app) << std::string(1 << 20, ' ');
  EXPECT_TRUE(failure([&] { Keyring::read(file.path()); }).find("too large") != std::string::npos);
}

}  // namespace
}  // namespace sluice
