// SPDX-License-Identifier: Apache-2.0
// What a message costs, step by step. Results with date and machine: README.md beside this file.
#include <filesystem>

#include <benchmark/benchmark.h>
#include <unistd.h>

#include "checkpoint/checkpoint.h"
#include "job/aws/sigv4.h"
#include "job/config/pipeline_file.h"
#include "job/mask/masker.h"
#include "job/queue/sqs_wire.h"

namespace sluice {
namespace {

constexpr std::int64_t kWallMs = 1'790'000'000'000;

Message login(std::uint32_t number) {
  char id[40];
  std::snprintf(id, sizeof id, "00000000-0000-4000-8000-%012u", number);
  Message message;
  message.id = id;
  message.receipt = std::string(372, 'r');
  message.sent_ms = kWallMs;
  message.body =
      R"({"user_id":"424cdd21-063a-43a7-b91b-7ca1a833afae","app_version":"2.3.0","device_type":"android",)"
      R"("ip":"199.172.111.)" +
      std::to_string(number % 256) + R"(","locale":"RU","device_id":"593-47-5928"})";
  return message;
}

const Pipeline& pipeline() {
  static const Pipeline kPipeline =
      read_pipeline(SLUICE_SOURCE_DIR "/pipelines/user_logins/pipeline.json");
  return kPipeline;
}

void decode_validate_mask(benchmark::State& state) {
  const Keyring keyring = Keyring::generate(kWallMs);
  Masker masker(pipeline(), keyring);
  StagedBatch batch;
  const Message message = login(1);
  for (auto _ : state) {
    masker.stage(message, batch);
    if (batch.messages() == 1000) batch.clear();
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(decode_validate_mask);

void stage_on_disk(benchmark::State& state) {
  const auto per_call = static_cast<std::uint32_t>(state.range(0));
  const std::string path = (std::filesystem::temp_directory_path() /
                            ("sluice-bench-" + std::to_string(::getpid()) + ".db"))
                               .string();
  {
    const Keyring keyring = Keyring::generate(kWallMs);
    Masker masker(pipeline(), keyring);
    Checkpoint checkpoint(path, {"p", "q", "d"}, kWallMs);
    StagedBatch batch;
    std::vector<Receipt> receipts;
    for (std::uint32_t i = 0; i < per_call; ++i) {
      const Message message = login(i);
      masker.stage(message, batch);
      receipts.push_back({i, message.receipt});
    }
    for (auto _ : state) {
      const std::int64_t window = checkpoint.open_window(kWallMs);
      checkpoint.stage(window, batch, receipts, {});
      checkpoint.seal(window, {});
      checkpoint.mark_loaded(window);
      checkpoint.close(window, kWallMs);
      checkpoint.prune(kWallMs + 1, 0);
    }
  }
  std::filesystem::remove(path);
  std::filesystem::remove(path + "-journal");
  state.SetItemsProcessed(state.iterations() * per_call);
}
BENCHMARK(stage_on_disk)->Arg(1000)->Arg(10'000)->UseRealTime();

void sign_a_request(benchmark::State& state) {
  Signer signer(
      {"AKIDEXAMPLE", Secret("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"), Secret(), "bench"},
      "us-east-1", "sqs");
  const std::string body = receive_request("https://sqs.us-east-1.amazonaws.com/0/q", {});
  for (auto _ : state) {
    HttpRequest request;
    request.origin = "https://sqs.us-east-1.amazonaws.com";
    request.headers = {{"host", "sqs.us-east-1.amazonaws.com"},
                       {"content-type", "application/x-amz-json-1.0"},
                       {"x-amz-target", "AmazonSQS.ReceiveMessage"}};
    request.body = body;
    signer.sign(request, kWallMs);
    benchmark::DoNotOptimize(request);
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(sign_a_request);

}  // namespace
}  // namespace sluice
