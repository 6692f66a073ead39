// SPDX-License-Identifier: Apache-2.0
// A table of what the load step costs beside a bare COPY: by what lies in the ledger already, by
// how messages arrive, by windows and by duplicates.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iostream>
#include <map>
#include <numeric>
#include <tuple>
#include <utility>

#include <boost/json.hpp>
#include <boost/program_options.hpp>

#include "bench/load_step.h"

namespace sluice {
namespace {

struct Wishes {
  std::vector<std::uint32_t> windows = {};
  std::vector<std::string> duplicates;
  std::vector<std::int64_t> jitter_s;
  std::uint64_t filled = 0;
  std::uint32_t rows = 0;
  std::string json = {};
};

const std::map<std::string, Duplicates> kDuplicates = {{"none", Duplicates::none},
                                                       {"marked", Duplicates::marked},
                                                       {"unmarked", Duplicates::unmarked},
                                                       {"elsewhere", Duplicates::elsewhere}};

Wishes wishes_of(int argc, char** argv) {
  namespace options = boost::program_options;
  Wishes wishes;
  options::options_description known("bench_load");
  const auto several = [&](const char* name, auto* into, auto usual, const char* shown,
                           const char* what) {
    known.add_options()(
        name, options::value(into)->multitoken()->default_value(std::move(usual), shown), what);
  };
  several("windows", &wishes.windows, std::vector<std::uint32_t>{10'000, 100'000}, "10000 100000",
          "messages in a window");
  several(
      "duplicates", &wishes.duplicates,
      std::vector<std::string>{"none", "marked", "unmarked", "elsewhere"},
      "none marked unmarked elsewhere",
      "of each 100 messages one that is loaded: SQS marks it; or not; or another worker has it");
  several("jitter", &wishes.jitter_s, std::vector<std::int64_t>{60}, "60",
          "a message was sent up to so many seconds before it arrives; 5000 arrive in a second");
  known.add_options()("filled", options::value(&wishes.filled)->default_value(0),
                      "measure again with this many ids of the day in the ledger");
  known.add_options()("rows", options::value(&wishes.rows)->default_value(300'000),
                      "measured at each point, five windows at least");
  known.add_options()("json", options::value(&wishes.json), "a file for the same figures");
  known.add_options()("help", "print this");
  options::variables_map given;
  options::store(options::parse_command_line(argc, argv, known), given);
  options::notify(given);
  if (given.contains("help")) {
    std::cout << known;
    std::exit(0);
  }
  return wishes;
}

struct Point {
  std::uint64_t filled;
  std::int64_t jitter_s;
  std::uint32_t window;
  std::string duplicates;
};

/// Column by column; the names are the keys of the JSON too.
using Figures = std::vector<std::pair<const char*, double>>;

Figures figures_of(const Measured& measured, const Measured& empty) {
  const auto& [bare, load] = measured;
  const auto mean = [](const std::vector<double>& values) {
    return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
  };
  const double cpu = ratio(load.backend, bare.backend);
  const double rate = ratio(bare.wall, load.wall);
  return {{"bare", median(bare.backend)},
          {"load", median(load.backend)},
          {"ratio", cpu},
          {"with background",
           (mean(load.backend) + load.background) / (mean(bare.backend) + bare.background)},
          {"others", bare.others + load.others},
          {"client bare", bare.client},
          {"client load", load.client},
          {"rate", rate},
          {"rate kept", rate / ratio(empty.bare.wall, empty.load.wall)},
          {"cpu kept", ratio(empty.load.backend, empty.bare.backend) / cpu}};
}

void show_headings(const Figures& figures) {
  std::printf("%10s %7s %7s %11s", "ids before", "jitter", "window", "duplicates");
  for (const auto& [name, value] : figures) std::printf(" %s", name);
  std::printf("\n");
}

void show(const Point& point, const Figures& figures) {
  std::printf("%10llu %5lld s %7u %11s", static_cast<unsigned long long>(point.filled),
              static_cast<long long>(point.jitter_s), point.window, point.duplicates.c_str());
  for (const auto& [name, value] : figures)
    std::printf(" %*.2f", static_cast<int>(std::strlen(name)), value);
  std::printf("\n");
  std::fflush(stdout);
}

boost::json::object json_of(const Point& point, const Figures& figures) {
  boost::json::object json{{"ids before", point.filled},
                           {"jitter s", point.jitter_s},
                           {"window", point.window},
                           {"duplicates", point.duplicates}};
  for (const auto& [name, value] : figures) json[name] = value;
  return json;
}

boost::json::array measure_all(LoadStep& step, const Wishes& wishes) {
  boost::json::array all;
  std::map<std::tuple<std::int64_t, std::uint32_t, std::string>, Measured> empty;
  const auto measure = [&](const Point& point) {
    const Measured measured =
        step.measure(point.window, kDuplicates.at(point.duplicates), wishes.rows);
    const auto before =
        empty.try_emplace({point.jitter_s, point.window, point.duplicates}, measured).first;
    const Figures figures = figures_of(measured, before->second);
    if (all.empty()) show_headings(figures);
    show(point, figures);
    all.push_back(json_of(point, figures));
  };
  for (const std::int64_t jitter_s : wishes.jitter_s) {
    for (const std::uint64_t filled : {std::uint64_t{0}, wishes.filled}) {
      if (filled > 0) step.refill(filled, jitter_s * 1000);
      for (const std::uint32_t window : wishes.windows) {
        for (const std::string& duplicates : wishes.duplicates) {
          if (filled == 0) step.refill(0, jitter_s * 1000);
          measure({filled, jitter_s, window, duplicates});
        }
      }
      if (wishes.filled == 0) break;
    }
  }
  return all;
}

void bench(const Wishes& wishes) {
  const DurableCluster cluster;
  const std::string settings = cluster.settings();
  std::printf(
      "%s\nµs of a processor a row: of the backend; of autovacuum and others; of this process.\n"
      "The load as a multiple of the bare COPY: the backend alone; with checkpointer and "
      "walwriter; as a rate.\n\n",
      settings.c_str());
  LoadStep step(cluster);
  const boost::json::array points = measure_all(step, wishes);
  if (wishes.json.empty()) return;
  std::ofstream(wishes.json) << boost::json::object{{"server", settings}, {"points", points}}
                             << "\n";
}

}  // namespace
}  // namespace sluice

int main(int argc, char** argv) {
  try {
    sluice::bench(sluice::wishes_of(argc, argv));
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bench_load: %s\n", error.what());
    return 1;
  }
}
