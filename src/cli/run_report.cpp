#include "cli/run_report.hpp"

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>

#include "cli/run_model.hpp"

namespace blobsmith::cli {
namespace {

using Json = nlohmann::ordered_json;

Json to_json(const Verdict& v) {
  Json j{{"output", v.output}, {"ok", v.good}, {"shape", v.shape}, {"expected_shape", v.expected_shape}};
  if (!v.same_count) return j;
  const auto number = [](double d) { return std::isfinite(d) ? Json(d) : Json(nullptr); };
  j.update({{"values", v.count},
            {"differing", v.differing},
            {"largest_difference", number(v.largest_difference)},
            {"relative_difference", number(v.relative_difference)}});
  if (!v.at.empty()) j.update({{"at", v.at}, {"got", number(v.got)}, {"expected", number(v.expected)}});
  return j;
}

const char* kind_text(MemoryReport::Kind kind) {
  switch (kind) {
    case MemoryReport::Kind::Unwritten: return "unwritten";
    case MemoryReport::Kind::Overlap: return "overlap";
    case MemoryReport::Kind::Outside: return "outside";
    case MemoryReport::Kind::Alignment: return "alignment";
    case MemoryReport::Kind::OutputUnwritten: return "output unwritten";
  }
  return "";
}

Json to_json(const MemoryReport& r) {
  return {{"kind", kind_text(r.kind)}, {"stage", r.stage},   {"injected", r.injected}, {"type", r.type},
          {"buffer", r.buffer},        {"memory", r.memory}, {"first", r.first},       {"last", r.last},
          {"bytes", r.bytes},          {"other", r.other}};
}

/// The largest part of the memory that this process has held so far, in bytes; 0 where the system does not tell.
int64_t peak_memory() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("VmHWM:")) return std::strtoll(line.c_str() + 6, nullptr, 10) * 1024;
  return 0;
}

}  // namespace

void print_json(const RunArguments& o, const RunReport& r) {
  const Latency latency(r.milliseconds);
  Json j{{"milliseconds", latency.median}, {"outputs", r.outputs}};
  if (const int64_t peak = peak_memory()) j["peak_memory"] = peak;
  if (o.repeat > 1)
    j["latency"] = {{"runs", o.repeat}, {"min", latency.min}, {"median", latency.median}, {"p95", latency.p95}};
  if (o.profile) j["stages"] = r.profile.json(o.repeat, o.sort == "time");
  if (!r.dumped.empty()) j["dumped"] = r.dumped;
  for (const Verdict& v : r.verdicts) j["expected"].push_back(to_json(v));
  if (o.check_memory) j["memory"] = Json::array();
  for (const MemoryReport& m : r.memory) j["memory"].push_back(to_json(m));
  if (!r.notes.empty()) j["notes"] = r.notes;
  std::printf("%s\n", j.dump(1).c_str());
}

void print_text(const RunArguments& o, const RunReport& r) {
  for (const std::string& note : r.notes) std::fprintf(stderr, "%s\n", note.c_str());
  if (o.profile) std::printf("%s", r.profile.text(o.repeat, o.sort == "time").c_str());
  for (const std::string& path : r.dumped) std::printf("%s\n", path.c_str());
  print_outputs(r.outputs);
  const Latency latency(r.milliseconds);
  if (o.repeat > 1)
    std::printf("%d runs: min %.2f, median %.2f, p95 %.2f ms\n", o.repeat, latency.min, latency.median, latency.p95);
  else
    std::printf("%.0f ms\n", latency.median);
  for (const Verdict& v : r.verdicts) std::printf("%s\n", verdict_text(v).c_str());
  for (const MemoryReport& m : r.memory) std::printf("%s\n", m.text().c_str());
  if (o.check_memory) std::printf("memory: %zu reports\n", r.memory.size());
}

}  // namespace blobsmith::cli
