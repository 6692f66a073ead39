// SPDX-License-Identifier: Apache-2.0
// Resident memory stays under a bound that follows from the options, whatever arrives and however
// much of it.
#include <algorithm>
#include <thread>

#include <zlib.h>

#include "job/base/encoding.h"
#include "tests/end_to_end/scene.h"

namespace sluice {
namespace {

/// A sanitizer's own memory is many times the program's. (g++ has macros for it, clang a question.)
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kIsBounded = false;
#elif defined(__has_feature)
constexpr bool kIsBounded = !__has_feature(address_sanitizer) && !__has_feature(thread_sanitizer);
#else
constexpr bool kIsBounded = true;
#endif

constexpr std::size_t kMebibyte = 1'048'576;

/// The kernel's VmHWM, looked at until the process has ended: it only grows.
std::size_t peak_mib(const Program& program) {
  std::size_t kib = 0;
  while (!program.has_ended()) {
    std::istringstream lines(text_of("/proc/" + std::to_string(program.pid()) + "/status"));
    for (std::string line; std::getline(lines, line);) {
      // Not the largest seen: before exec it is that of the test itself.
      if (line.starts_with("VmHWM:")) kib = std::stoul(line.substr(6));
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return kib / 1024;
}

/// What the options allow: an answer of ten for each of the first receives, which are asked for
/// before any tells how large answers are; two windows, each on its way in and on its way out.
/// Beside that, whatever the options say: the program, SQLite's cache (32 MiB), and one answer as
/// text, as a tree and as messages.
std::size_t bound_mib(std::size_t receivers, std::size_t window_mib) {
  constexpr std::size_t kFirstReceives = 8;
  return 112 + 10 * std::min(receivers, kFirstReceives) + 4 * window_mib;
}

std::string repeated(std::string_view part, std::size_t size) {
  std::string out;
  out.reserve(size + part.size());
  while (out.size() < size) out += part;
  return out;
}

/// `inside`, filled up to a mebibyte where "@" stands.
std::string mebibyte(const std::string& inside, std::string_view filling) {
  const std::size_t at = inside.find('@');
  const std::size_t room = kMebibyte - inside.size() + 1;
  std::string filled = repeated(filling, room - filling.size());
  filled.resize(room / filling.size() * filling.size());
  return inside.substr(0, at) + filled + inside.substr(at + 1);
}

std::string many_keys() {
  std::string out = R"({"n":1,"note":"keys")";
  for (int i = 0; out.size() < kMebibyte - 20; ++i) out += ",\"" + std::to_string(i) + "\":1";
  return out + "}";
}

/// Each a mebibyte, the most that SQS takes.
std::vector<std::string> large_bodies() {
  return {mebibyte(R"({"n":1,"note":"@"})", "x"),
          mebibyte(R"({"n":1,"note":"@"})", "\\n"),
          mebibyte(R"({"n":1,"unnamed":[@0]})", "1,"),
          mebibyte(R"({"n":1,"unnamed":[@{}]})", R"({"a":1},)"),
          mebibyte("[@0]", "[1],"),
          mebibyte("@", "["),
          mebibyte("@", R"({"a":)"),
          mebibyte(R"({"n":1,"note":"@)", "\U0001F600"),
          mebibyte(R"({"n":1,"unnamed":@})", "9"),
          mebibyte("@", "\\ud800"),
          many_keys()};
}

/// 192 MiB of blanks in less than a mebibyte: each more than the bound.
std::string bomb() {
  constexpr std::size_t kBlanks = 192 * kMebibyte;
  constexpr int kGzip = 16 + MAX_WBITS;
  z_stream stream{};
  if (deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, kGzip, 8, Z_DEFAULT_STRATEGY) != Z_OK)
    return "";
  std::string blanks(kMebibyte, ' ');
  std::string out(4 * kMebibyte, '\0');
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  for (std::size_t at = 0; at < kBlanks; at += blanks.size()) {
    stream.next_in = reinterpret_cast<Bytef*>(blanks.data());
    stream.avail_in = static_cast<uInt>(blanks.size());
    deflate(&stream, Z_NO_FLUSH);
  }
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return to_base64(out);
}

class BoundedMemory : public testing::Test {
 protected:
  BoundedMemory() {
    world.database().run("CREATE TABLE public.notes (n integer, note text)");
    describe("");
    world.answer_empty_polls_at_once();
  }

  void describe(const std::string& more) {
    write_text(
        world.pipeline(),
        R"({"version":1,"name":"notes",)" + more +
            R"("queue":{"url":"https://sqs.us-east-1.amazonaws.com/000000000000/login-queue"},
      "tables":[{"table":"public.notes","columns":[
        {"column":"n","from":"n","type":"integer","required":true},
        {"column":"note","from":"note","type":"text"}]}]})");
  }

  void expect_bounded(std::int64_t messages) {
    constexpr std::size_t kReceivers = 2;
    constexpr std::size_t kWindowMib = 4;
    const auto run =
        world.start_run({"--empty-polls", "1", "--receivers", std::to_string(kReceivers),
                         "--window-bytes", std::to_string(kWindowMib) + "MiB"});
    const std::size_t peak = peak_mib(*run);
    const Outcome outcome = run->wait();
    ASSERT_EQ(outcome.status, 0) << outcome.err;
    EXPECT_EQ(outcome.count("received"), messages);
    EXPECT_EQ(outcome.count("deleted"), messages);
    EXPECT_EQ(world.left_in_queue(), 0U);
    RecordProperty("peak_mib", std::to_string(peak));
    if (kIsBounded) {
      EXPECT_LE(peak, bound_mib(kReceivers, kWindowMib));
    }
  }

  LoginWorld world;
};

TEST_F(BoundedMemory, whatever_the_largest_bodies_hold) {
  constexpr std::int64_t kMessages = 165;
  const auto bodies = large_bodies();
  for (const std::string& body : bodies) ASSERT_LE(body.size(), kMebibyte) << body.substr(0, 40);
  for (std::size_t n = 0; n < kMessages; ++n) world.send_body(bodies[n % bodies.size()]);
  expect_bounded(kMessages);
}

TEST_F(BoundedMemory, however_much_their_gzip_holds) {
  constexpr std::int64_t kMessages = 24;
  describe(R"("encoding":"gzip",)");
  const std::string body = bomb();
  ASSERT_LE(body.size(), kMebibyte);
  for (std::int64_t n = 0; n < kMessages; ++n) world.send_body(body);
  expect_bounded(kMessages);
  EXPECT_EQ(world.database().rows("SELECT DISTINCT reason FROM sluice.rejected_message"),
            (std::vector<Row>{{"too-large"}}));
}

}  // namespace
}  // namespace sluice
