#include "cli/run_stages.hpp"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "blobsmith/files.hpp"
#include "cli/cli.hpp"
#include "cli/text.hpp"

namespace blobsmith::cli {

// ---- dump ----
StageDump::StageDump(const RunArguments& options) : folder_(options.output_dir) {
  for (const std::string& name : options.dump_stages) found_[name] = false;
}

void StageDump::see(const StageEvent& event) {
  bool wanted = false;
  for (auto& [name, found] : found_) {
    const bool fits = name == "all" || name == std::to_string(event.index) || name == event.type ||
                      std::ranges::find(event.network_outputs, name) != event.network_outputs.end();
    found |= fits;
    wanted |= fits;
  }
  if (!wanted) return;
  for (const auto& read : {event.inputs, event.outputs})
    for (const FloatTensor& t : read()) {
      files_.push_back(folder_ + "/" + as_file_name(event.label() + "." + t.name) + ".npy");
      save_npy(files_.back(), t.shape, [&](const auto& take) { take(t.values); });
    }
}

void StageDump::check_all_found() const {
  for (const auto& [name, found] : found_)
    if (!found)
      throw Error(ErrorCode::BadOptionValue,
                  "--dump-stage " + name + ": no stage ran that has this number or type or writes this output")
          .hint("blobsmith inspect lists the stages");
}

// ---- profile ----
void StageProfile::see(const StageEvent& event) {
  Row& row = rows_[{event.index, !event.injected}];  // an injected stage runs before its hardware stage
  if (row.type.empty()) {
    row.index = event.index;
    row.injected = event.injected;
    row.type = event.type;
    if (const std::vector<FloatTensor> outputs = event.outputs(); !outputs.empty()) row.shape = outputs[0].shape;
  }
  row.milliseconds += event.milliseconds;
  ++row.calls;
}

void StageProfile::clear() {
  for (auto& [key, row] : rows_) row.milliseconds = 0, row.calls = 0;
}

std::vector<StageProfile::Row> StageProfile::sorted(bool by_time) const {
  std::vector<Row> rows;
  for (const auto& [key, row] : rows_) rows.push_back(row);
  if (by_time)
    std::ranges::stable_sort(rows, [](const Row& a, const Row& b) { return a.milliseconds > b.milliseconds; });
  return rows;
}

double StageProfile::total() const {
  double sum = 0;
  for (const auto& [key, row] : rows_) sum += row.milliseconds;
  return sum;
}

nlohmann::ordered_json StageProfile::json(int runs, bool by_time) const {
  auto list = nlohmann::ordered_json::array();
  for (const Row& r : sorted(by_time))
    list.push_back({{"stage", r.index},
                    {"type", r.type},
                    {"injected", r.injected},
                    {"shape", r.shape},
                    {"calls", r.calls / runs},
                    {"milliseconds", r.milliseconds / runs}});
  return list;
}

std::string StageProfile::text(int runs, bool by_time) const {
  const double all = std::max(total(), 1e-9);
  std::string out = "      ms      %   stage  type                     calls  output\n";
  for (const Row& r : sorted(by_time)) {
    const std::string type = r.type + (r.injected ? " (injected)" : "");
    out += format("%8.3f  %5.1f  %6d  %-24s %5lld  %s\n", r.milliseconds / runs, 100 * r.milliseconds / all, r.index,
                  type.c_str(), static_cast<long long>(r.calls / runs), shape_text(r.shape).c_str());
  }
  return out + format("%8.3f  100.0  in all\n", all / runs);
}

// ---- latency ----
Latency::Latency(std::vector<double> milliseconds) {
  if (milliseconds.empty()) return;
  std::ranges::sort(milliseconds);
  // The smallest value that at least this part of all runs did not exceed.
  const auto quantile = [&](double part) {
    return milliseconds[static_cast<size_t>(std::ceil(part * static_cast<double>(milliseconds.size()))) - 1];
  };
  min = milliseconds[0];
  median = quantile(0.5);
  p95 = quantile(0.95);
}

}  // namespace blobsmith::cli
