#include "cli/compare_report.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "cli/cli.hpp"
#include "cli/text.hpp"
#include "reports/json.hpp"

namespace blobsmith::cli {
namespace {

/// Badness for the choice of what is shown: what is outside first, then by relative error.
bool worse(const LayerResult* a, const LayerResult* b) {
  if (a->within != b->within) return !a->within;
  return a->relative_error > b->relative_error;
}

std::vector<const LayerResult*> chosen(const Comparison& c, size_t rows) {
  std::vector<const LayerResult*> list;
  for (const LayerResult& l : c.layers) list.push_back(&l);
  if (rows == 0) return list;
  std::ranges::stable_sort(list, worse);
  if (list.size() > rows) list.resize(rows);
  return list;
}

std::string shortened(const std::string& s, size_t width) {
  return s.size() <= width ? s : "..." + s.substr(s.size() - (width - 3));
}

std::string table(const std::vector<const LayerResult*>& rows) {
  constexpr size_t kName = 44, kType = 20;
  std::string s = format("%-*s %-*s %-16s %10s %10s %10s %10s\n", static_cast<int>(kName), "layer",
                         static_cast<int>(kType), "type", "shape", "max error", "mean error", "relative", "cosine");
  for (const LayerResult* l : rows) {
    s += format("%-*s %-*s %-16s %10.3g %10.3g %10.3g %10.7f", static_cast<int>(kName),
                shortened(l->name, kName).c_str(), static_cast<int>(kType), shortened(l->type, kType).c_str(),
                shape_text(l->shape).c_str(), l->max_error, l->mean_error, l->relative_error, l->cosine);
    const std::string notes = remarks(*l);
    s += (notes.empty() ? "" : "  " + notes) + (l->within ? "" : "  OUTSIDE") + "\n";
  }
  return s;
}

}  // namespace

std::string remarks(const LayerResult& l) {
  std::string s;
  const auto add = [&](int64_t n, const char* what) {
    if (n > 0) s += (s.empty() ? "" : ", ") + std::to_string(n) + " " + what;
  };
  add(l.overflows, "beyond FP16");
  add(l.nans, "NaN");
  add(l.flushed, "flushed to 0");
  add(l.model_special, "not finite in the model");
  add(l.differing, "labels differ");
  if (l.rounding >= 0) s += (s.empty() ? "" : ", ") + format("%.3g by rounding to FP16 alone", l.rounding);
  return s;
}

std::string coverage(const Comparison& c) {
  return format("%d of the %d layers that depend on the inputs compared", c.compared_layers, c.model_layers) +
         (c.inside.empty() ? "" : "; the others are computed together with one behind them");
}

std::string compare_text(const CompareReport& r, size_t rows) {
  const Comparison& c = r.result.comparison;
  const std::vector<const LayerResult*> list = chosen(c, rows);
  std::string s = table(list);
  if (list.size() < c.layers.size())
    s += format("... and %zu layers with smaller errors (-v shows all, in order)\n", c.layers.size() - list.size());
  s += "\n" + coverage(c) + "\n";
  if (!r.result.traced)
    s += "the blob was made with other options or another compiler than expected: only its outputs can be compared\n";
  for (const Skipped& k : c.skipped) s += "not compared: \"" + k.name + "\": " + k.why + "\n";
  for (const Remark& f : r.result.faults)
    s += "known: " + f.text() + (f.avoidable ? " (blobsmith convert avoids that)" : "") + "\n";
  for (const std::string& a : r.result.advice) s += "hint: " + a + "\n";
  const LayerResult* first = c.first_outside();
  if (first)
    s += format("first layer outside of the tolerance %g: \"%s\"", r.tolerance, first->name.c_str()) +
         format(" (%s), element %lld: %.6g in the model, %.6g in the blob\n", first->type.c_str(),
                static_cast<long long>(first->worst_at), static_cast<double>(first->model_value),
                static_cast<double>(first->blob_value));
  s += c.outputs_within() ? format("outputs agree (tolerance %g)\n", r.tolerance)
                          : format("outputs do NOT agree (tolerance %g)\n", r.tolerance);
  return s;
}

std::string compare_json(const CompareReport& r) {
  return reports::text(reports::of_comparison(r.model, r.blob, r.tolerance, r.result)) + "\n";
}

}  // namespace blobsmith::cli
