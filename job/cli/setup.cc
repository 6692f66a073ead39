// SPDX-License-Identifier: Apache-2.0
#include "job/cli/setup.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <set>

#include <sys/stat.h>
#include <unistd.h>

#include "checkpoint/checkpoint.h"
#include "job/aws/credentials.h"
#include "job/aws/endpoint.h"
#include "job/aws/profile.h"
#include "job/base/file.h"
#include "job/base/text.h"
#include "job/config/column_type.h"
#include "job/config/pipeline_file.h"

namespace sluice {
namespace {

constexpr std::size_t kLongestWorker = 64;
// Receipts, journal and index pages beside the rows of a window.
constexpr std::uint64_t kDiskOverhead = 16 << 20;

bool is_folder(const std::string& path) {
  struct stat about {};
  return ::stat(path.c_str(), &about) == 0 && S_ISDIR(about.st_mode);
}

void make_folder(const std::string& path) {
  if (is_folder(path)) return;
  if (path.size() > 1 && !is_folder(folder_of(path))) make_folder(folder_of(path));
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) {
    throw Failure(Fault::configuration,
                  "checkpoint folder " + path + ": cannot make it: " + std::strerror(errno),
                  "make it, or name another file with --checkpoint");
  }
}

std::string state_folder(const Environment& environment) {
  // systemd sets it for StateDirectory=, several of them separated by colons.
  const std::string by_systemd = environment("STATE_DIRECTORY");
  if (!by_systemd.empty()) return by_systemd.substr(0, by_systemd.find(':'));
  if (::geteuid() == 0) return "/var/lib/sluice";
  const std::string state_home = environment("XDG_STATE_HOME");
  if (!state_home.empty()) return state_home + "/sluice";
  const std::string home = environment("HOME");
  if (home.empty()) {
    throw Failure(Fault::configuration, "checkpoint: no HOME to keep it in",
                  "name a file with --checkpoint");
  }
  return home + "/.local/state/sluice";
}

std::vector<std::string> attributes_of(const Pipeline& pipeline) {
  std::set<std::string> names;
  for (const Table& table : pipeline.tables) {
    for (const Column& column : table.columns) {
      if (column.source.kind == Source::Kind::attribute) names.insert(column.source.path.front());
      const bool salted = column.mask && column.mask->method == MaskMethod::sha256_salted;
      if (salted && column.mask->salt.kind == Source::Kind::attribute) {
        names.insert(column.mask->salt.path.front());
      }
    }
  }
  return {names.begin(), names.end()};
}

}  // namespace

Pipeline pipeline_of(const Settings& settings) {
  if (!settings.has("pipeline")) {
    throw Failure(Fault::usage, "no pipeline file", "name it with --pipeline FILE");
  }
  Pipeline pipeline = read_pipeline(settings.text("pipeline"));
  for (const RejectionsWord& row : rejections_words()) {
    if (row.word == settings.text("rejections")) pipeline.rejections = row.rejections;
  }
  return pipeline;
}

std::string worker_of(const Settings& settings) {
  std::string worker = settings.text("worker");
  if (worker.empty()) {
    char name[256] = "";
    ::gethostname(name, sizeof name - 1);
    worker = name;
  }
  const bool plain = std::all_of(worker.begin(), worker.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
  });
  if (worker.empty() || worker.size() > kLongestWorker || worker[0] == '.' || !plain) {
    throw Failure(Fault::usage, "worker '" + printable(worker, 80) + "' cannot name a file",
                  "--worker takes letters, digits, . _ and -, at most 64");
  }
  return worker;
}

std::string checkpoint_path_of(const Settings& settings, const Environment& environment,
                               const std::string& pipeline, const std::string& worker) {
  std::string path = settings.text("checkpoint");
  if (path.empty()) {
    const std::string folder = state_folder(environment);
    make_folder(folder);
    path = folder + "/" + pipeline + "-" + worker + ".db";
  }
  if (path[0] != '/') {
    throw Failure(
        Fault::configuration, "checkpoint " + path + ": the path is not absolute",
        "schedulers start a run in a folder that is deleted afterwards: write the whole path");
  }
  if (!is_folder(folder_of(path))) {
    throw Failure(Fault::configuration, "checkpoint " + path + ": its folder does not exist",
                  "make the folder, or name another file with --checkpoint");
  }
  if (is_folder(path)) {
    throw Failure(Fault::configuration, "checkpoint " + path + ": is a folder",
                  "name a file in it with --checkpoint");
  }
  return path;
}

void check_disk(const std::string& checkpoint_path, std::uint64_t window_bytes) {
  const std::string folder = folder_of(checkpoint_path);
  const auto refuse = [&](const std::string& problem, const std::string& hint) {
    throw Failure(Fault::configuration, "checkpoint " + checkpoint_path + ": " + problem, hint);
  };
  if (::access(folder.c_str(), W_OK | X_OK) != 0) {
    refuse(std::string("cannot write in its folder: ") + std::strerror(errno),
           "name a file on a local disk that this user may write");
  }
  const DiskSpace space = disk_space(folder);
  if (space.network) {
    refuse("it lies on a network file system, where its lock does not hold",
           "name a file on a local disk; losing it loses no data");
  }
  // A file that is there already makes room: what it kept of closed windows is dropped when space
  // is short, and what it carries is loaded first.
  struct stat about {};
  const bool exists = ::stat(checkpoint_path.c_str(), &about) == 0;
  const std::uint64_t ours = exists ? static_cast<std::uint64_t>(about.st_size) : 0;
  const std::uint64_t needed = disk_needed(window_bytes);
  if (space.free_bytes + ours < needed) {
    throw Failure(Fault::temporary,
                  "checkpoint " + checkpoint_path + ": the disk has " +
                      std::to_string(space.free_bytes >> 20) + " MiB free, two windows need " +
                      std::to_string(needed >> 20),
                  "free some space, or make windows smaller with --window-bytes");
  }
}

std::uint64_t disk_needed(std::uint64_t window_bytes) { return 2 * window_bytes + kDiskOverhead; }

QueueAccess queue_of(const Settings& settings, const Environment& environment,
                     const Pipeline& pipeline) {
  const Profile profile(settings.text("profile"), environment);
  SqsSettings sqs;
  sqs.queue_url = settings.has("queue-url") ? settings.text("queue-url") : pipeline.queue_url;
  if (sqs.queue_url.empty()) sqs.queue_name = pipeline.queue_name;
  sqs.account = pipeline.queue_account;
  if (sqs.queue_url.empty() && sqs.queue_name.empty()) {
    throw Failure(Fault::configuration,
                  "queue: neither the pipeline file nor --queue-url names one",
                  "add \"queue\": {\"url\": …} to the pipeline file");
  }
  const EndpointWishes wishes{settings.text("endpoint-url"), settings.text("region"),
                              sqs.queue_url};
  sqs.access.endpoint = find_endpoint(wishes, environment, profile);
  const std::string region = settings.text("region");
  if (!region.empty() && region != sqs.access.endpoint.region) {
    throw Failure(Fault::configuration,
                  "region " + region + ": the queue's URL says " + sqs.access.endpoint.region,
                  "leave --region out, or name the queue of that region");
  }
  const auto sources = credential_sources(profile, environment, wishes);
  sqs.access.credentials = std::make_shared<LiveCredentials>(sources);
  sqs.access.retry = find_retry_policy(environment, profile);
  sqs.access.ca_bundle = find_ca_bundle(environment, profile);
  sqs.access.user_agent = "sluice/" SLUICE_VERSION;
  sqs.attribute_names = attributes_of(pipeline);
  QueueAccess access;
  access.credentials_origin = sqs.access.credentials->current()->origin;
  for (std::size_t i = 0; i < sqs.access.credentials->source(); ++i) {
    access.credentials_passed_over.push_back(sources[i].place);
  }
  access.endpoint = sqs.access.endpoint.url + " (" + sqs.access.endpoint.url_origin + ")";
  access.region = sqs.access.endpoint.region + " (" + sqs.access.endpoint.region_origin + ")";
  access.sqs = sqs.access;
  access.queue = std::make_unique<SqsQueue>(std::move(sqs));
  return access;
}

}  // namespace sluice
