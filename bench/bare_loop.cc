// SPDX-License-Identifier: Apache-2.0
// The physical bound of the benches: what receiving and deleting cost when nothing else is done.
// One thread, one multi handle, so many connections, each of which receives ten messages, deletes
// what came and receives again. It signs nothing (the sandbox takes that with --unsigned-ok), reads
// of an answer the receipt handles alone, and ends when every connection met an empty queue.
//
//   bench_bare_loop ENDPOINT CONNECTIONS
//
// Prints lines of a name and a value. `seconds` ends with the last delete.
#include <chrono>
#include <cstdlib>
#include <iomanip>
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

#include <curl/curl.h>
#include <sys/resource.h>

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::string_view kQueue = R"({"QueueUrl":"https://sqs/000000000000/login-queue",)";
constexpr std::string_view kHandle = R"("ReceiptHandle":")";
constexpr std::size_t kAnswer = 64 << 10;

std::string receive_body() {
  return std::string(kQueue) + R"("MaxNumberOfMessages":10,"WaitTimeSeconds":2,)" +
         R"("VisibilityTimeout":120,"MessageSystemAttributeNames":["ApproximateReceiveCount",)" +
         R"("SentTimestamp"]})";
}

[[noreturn]] void fail(const std::string& what) {
  std::cerr << "bench_bare_loop: " << what << "\n";
  std::exit(1);
}

curl_slist* headers_of(const char* target) {
  curl_slist* list = curl_slist_append(nullptr, "Content-Type: application/x-amz-json-1.0");
  list = curl_slist_append(list, target);
  for (const char* none : {"Accept:", "Expect:"}) list = curl_slist_append(list, none);
  return list;
}

std::size_t append(char* data, std::size_t, std::size_t size, void* into) {
  static_cast<std::string*>(into)->append(data, size);
  return size;
}

/// One connection: what it asks now, and what came of it.
struct Caller {
  CURL* handle = curl_easy_init();
  bool deletes = false;
  int messages = 0;  // of the delete that runs
  std::string request;
  std::string answer;
};

class BareLoop {
 public:
  BareLoop(const std::string& endpoint, int connections)
      : receive_body_(receive_body()), callers_(static_cast<std::size_t>(connections)) {
    curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS, static_cast<long>(connections));
    for (Caller& caller : callers_) {
      caller.answer.reserve(kAnswer);
      curl_easy_setopt(caller.handle, CURLOPT_URL, (endpoint + "/").c_str());
      curl_easy_setopt(caller.handle, CURLOPT_NOPROXY, "*");
      curl_easy_setopt(caller.handle, CURLOPT_NOSIGNAL, 1L);
      curl_easy_setopt(caller.handle, CURLOPT_BUFFERSIZE, static_cast<long>(kAnswer));
      curl_easy_setopt(caller.handle, CURLOPT_WRITEFUNCTION, append);
      curl_easy_setopt(caller.handle, CURLOPT_WRITEDATA, &caller.answer);
      curl_easy_setopt(caller.handle, CURLOPT_PRIVATE, &caller);
      receive(caller);
    }
  }

  void run() {
    for (int running = 1; running > 0;) {
      curl_multi_perform(multi_, &running);
      for (int left = 0; const CURLMsg* done = curl_multi_info_read(multi_, &left);) {
        running += proceed(*done);
      }
      if (running > 0) curl_multi_poll(multi_, nullptr, 0, 1000, nullptr);
    }
  }

  long messages = 0;
  long calls = 0;
  Clock::time_point last = Clock::now();

 private:
  void receive(Caller& caller) {
    caller.deletes = false;
    ask(caller, receive_headers_, receive_body_);
  }

  void ask(Caller& caller, curl_slist* headers, const std::string& body) {
    caller.answer.clear();
    curl_easy_setopt(caller.handle, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(caller.handle, CURLOPT_POSTFIELDS, body.data());
    curl_easy_setopt(caller.handle, CURLOPT_POSTFIELDSIZE, static_cast<long>(body.size()));
    curl_multi_add_handle(multi_, caller.handle);
    ++calls;
  }

  /// How many calls follow.
  int proceed(const CURLMsg& done) {
    CURL* const handle = done.easy_handle;
    void* owner = nullptr;
    long status = 0;
    curl_easy_getinfo(handle, CURLINFO_PRIVATE, &owner);
    curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &status);
    Caller& caller = *static_cast<Caller*>(owner);
    if (done.data.result != CURLE_OK || status != 200) {
      fail(std::string(curl_easy_strerror(done.data.result)) + " " + caller.answer);
    }
    curl_multi_remove_handle(multi_, handle);
    if (caller.deletes) {
      messages += caller.messages;
      last = Clock::now();
      receive(caller);
    } else {
      list_handles(caller);
      if (caller.messages == 0) return 0;
      caller.deletes = true;
      ask(caller, delete_headers_, caller.request);
    }
    return 1;
  }

  /// A quote inside a body is escaped, so only the field itself is found.
  static void list_handles(Caller& caller) {
    std::string& request = caller.request;
    request.assign(kQueue).append(R"("Entries":[)");
    caller.messages = 0;
    for (std::size_t at = 0; (at = caller.answer.find(kHandle, at)) != std::string::npos;) {
      const std::size_t end = caller.answer.find('"', at + kHandle.size());
      if (caller.messages > 0) request += ',';
      request.append(R"({"Id":")").append(1, static_cast<char>('0' + caller.messages++));
      request.append("\",").append(caller.answer, at, end + 1 - at).append("}");
      at = end;
    }
    request += "]}";
  }

  CURLM* multi_ = curl_multi_init();
  curl_slist* receive_headers_ = headers_of("X-Amz-Target: AmazonSQS.ReceiveMessage");
  curl_slist* delete_headers_ = headers_of("X-Amz-Target: AmazonSQS.DeleteMessageBatch");
  std::string receive_body_;
  std::vector<Caller> callers_;
};

double seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

}  // namespace

int main(int argc, char** argv) {
  const int connections = argc == 3 ? std::atoi(argv[2]) : 0;
  if (connections < 1) fail("usage: bench_bare_loop ENDPOINT CONNECTIONS");
  curl_global_init(CURL_GLOBAL_DEFAULT);
  const auto start = Clock::now();
  BareLoop loop(argv[1], connections);
  loop.run();
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  std::cout << std::fixed << std::setprecision(6) << "messages " << loop.messages << "\ncalls "
            << loop.calls << "\nseconds "
            << std::chrono::duration<double>(loop.last - start).count() << "\ncpu_s "
            << seconds(usage.ru_utime) + seconds(usage.ru_stime) << "\n";
}
