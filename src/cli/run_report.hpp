// What a call of `blobsmith run` found out, and how it is told.
#pragma once
#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "cli/run_expect.hpp"
#include "cli/run_stages.hpp"

namespace blobsmith::cli {

struct RunReport {
  std::vector<double> milliseconds;  ///< of each run that counts
  std::vector<std::string> dumped;
  StageProfile profile;
  nlohmann::ordered_json outputs;
  std::vector<Verdict> verdicts;
  std::vector<MemoryReport> memory;
  std::vector<std::string> notes;
  bool good() const { return memory.empty() && std::ranges::all_of(verdicts, &Verdict::good); }
};

void print_json(const RunArguments& options, const RunReport& result);
void print_text(const RunArguments& options, const RunReport& result);

}  // namespace blobsmith::cli
