// What a run tells while it goes: tensors of chosen stages, the time of each stage.
#pragma once
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "blobsmith/emulator.hpp"
#include "cli/run_options.hpp"

namespace blobsmith::cli {

/// Writes the tensors of the stages that --dump-stage names, by number, type or network output, or "all":
/// DIR/<label>.<role>.npy.
class StageDump {
 public:
  explicit StageDump(const RunArguments& options);
  void see(const StageEvent& event);
  /// Throws BadOptionValue when a name fitted no stage.
  void check_all_found() const;
  const std::vector<std::string>& files() const { return files_; }

 private:
  std::string folder_;
  std::map<std::string, bool> found_;  ///< by name asked for
  std::vector<std::string> files_;
};

/// The time of every stage over all runs.
class StageProfile {
 public:
  void see(const StageEvent& event);
  void clear();
  nlohmann::ordered_json json(int runs, bool by_time) const;
  std::string text(int runs, bool by_time) const;

 private:
  struct Row {
    int index = 0;
    bool injected = false;
    std::string type;
    std::vector<int64_t> shape;  ///< of the first output
    double milliseconds = 0;
    int64_t calls = 0;
  };
  std::vector<Row> sorted(bool by_time) const;
  double total() const;
  std::map<std::pair<int, bool>, Row> rows_;
};

/// Times of all runs: their smallest, median and 95th percentile.
struct Latency {
  explicit Latency(std::vector<double> milliseconds);
  double min = 0, median = 0, p95 = 0;
};

}  // namespace blobsmith::cli
