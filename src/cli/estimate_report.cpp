#include "cli/estimate_report.hpp"

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "cli/text.hpp"
#include "reports/json.hpp"

namespace blobsmith::cli {
namespace {

void print_by_shaves(const EstimateReport& r) {
  const int best = r.result.best_shaves;
  std::printf("\nSHAVEs  threads     FPS  range          latency  bound\n");
  for (const ShaveEstimate& s : r.result.by_shaves) {
    if (!s.error.empty()) {
      std::printf("%6d  does not compile: %s\n", s.shaves, s.error.substr(0, s.error.find('\n')).c_str());
      continue;
    }
    const Estimate& e = s.estimate;
    std::printf("%6d  %7d  %6.1f  %5.1f-%-6.1f %7.1f ms  %s%s\n", s.shaves, e.streams, e.fps, e.fps_low, e.fps_high,
                e.latency / 1000, e.bound.c_str(), s.shaves == best ? "   <- best" : "");
  }
  std::printf("%s\n", kBestWords);
}

void print_costliest(const EstimateReport& r) {
  const Estimate& e = r.result.estimate;
  std::printf("\n   #  share       us  bound      %s\n", r.result.by_shaves.empty() ? "stage" : "layer");
  for (const LayerCost& l : costliest_layers(e)) {
    const StageEstimate& c = e.stages[l.stages[0]];
    std::printf("%4zu  %4.1f%% %8.0f  %-9s  %s\n", l.stages[0], 100 * l.total / e.sum, l.total, to_string(c.bound),
                cost_words(e, l).c_str());
    if (!c.advice.empty()) std::printf("                             %s\n", c.advice.c_str());
  }
}

}  // namespace

std::string cost_words(const Estimate& e, const LayerCost& l) {
  const StageEstimate& c = e.stages[l.stages[0]];
  std::string text = (l.layer.empty() ? "" : l.layer + ": ") + c.kind + " " + c.input + " -> " + c.output;
  if (l.stages.size() > 1)
    text += " and " + std::to_string(l.stages.size() - 1) + " more stage" + (l.stages.size() > 2 ? "s" : "");
  return text;
}

std::vector<std::string> notes(const EstimateReport& r) {
  const Estimate& e = r.result.estimate;
  std::vector<std::string> list = e.caveats;
  if (e.usb3_fps > 0)
    list.push_back(
        format("from a host, %.2f MB go over the cable for each inference (%s): USB 3 carries at most %.0f "
               "FPS, USB 2 %.0f%s",
               e.io_bytes / 1e6, e.inputs > 1 ? "all inputs, and the outputs" : "input and outputs", e.usb3_fps,
               e.usb2_fps, e.usb2_fps < e.fps ? ": over USB 2 the cable decides" : ""));
  list.push_back(
      "this is the network alone: cameras, depth, encoding and other networks of one pipeline take SHAVEs, CMX and DDR "
      "of the same chip, and the pictures of several cameras share these FPS");
  return list;
}

std::string estimate_json(const EstimateReport& r) {
  return reports::text(r.result.by_shaves.empty() ? reports::of_estimate(r.file, r.result.estimate)
                                                  : reports::of_estimate(r.file, r.result));
}

void print_estimate(const EstimateReport& r) {
  const Estimate& e = r.result.estimate;
  std::printf("%s: estimate %.1f FPS at %d shaves x %d threads (%.1f-%.1f), %.1f ms latency; bound by %s\n",
              r.file.c_str(), e.fps, e.shaves, e.streams, e.fps_low, e.fps_high, e.latency / 1000, e.bound.c_str());
  std::printf("  NCE %.0f%%, DDR %.0f%%, SHAVE %.0f%%, overhead %.0f%% of %.1f ms; %zu stages\n", 100 * e.nce / e.sum,
              100 * e.ddr / e.sum, 100 * e.shave / e.sum, 100 * e.overhead / e.sum, e.sum / 1000, e.stages.size());
  if (r.result.gflops > 0) std::printf("  %.2f GFLOPs, %.2f million parameters\n", r.result.gflops, r.result.mparams);
  for (const Measurement& m : r.result.measured)
    std::printf("  measured as %s: %.1f FPS on %s, %s, shaves %s (%s)\n", m.model.c_str(), m.fps, m.device.c_str(),
                m.toolchain.c_str(), m.shaves.c_str(), m.source.c_str());
  for (const std::string& n : notes(r)) std::printf("  note: %s\n", n.c_str());
  if (!r.result.by_shaves.empty()) print_by_shaves(r);
  print_costliest(r);
}

}  // namespace blobsmith::cli
