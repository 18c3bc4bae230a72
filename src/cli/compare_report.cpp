#include "cli/compare_report.hpp"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "cli/cli.hpp"
#include "cli/text.hpp"

namespace blobsmith::cli {
namespace {

using Json = nlohmann::ordered_json;

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

Json number(double v) { return std::isfinite(v) ? Json(v) : Json(nullptr); }

Json to_json(const LayerResult& l) {
  return {{"name", l.name},
          {"type", l.type},
          {"shape", l.shape},
          {"output", l.is_output},
          {"stage", l.stage >= 0 ? Json(l.stage) : Json(nullptr)},
          {"within", l.within},
          {"values", l.count},
          {"largest", number(l.largest)},
          {"max_error", number(l.max_error)},
          {"mean_error", number(l.mean_error)},
          {"relative_error", number(l.relative_error)},
          {"cosine", number(l.cosine)},
          {"worst",
           {{"at", l.worst_at},
            {"model", number(static_cast<double>(l.model_value))},
            {"blob", number(static_cast<double>(l.blob_value))}}},
          {"overflows", l.overflows},
          {"flushed", l.flushed},
          {"nans", l.nans},
          {"model_special", l.model_special},
          {"labels_differ", l.differing >= 0 ? Json(l.differing) : Json(nullptr)},
          {"rounding_alone", l.rounding >= 0 ? number(l.rounding) : Json(nullptr)}};
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
  const Comparison& c = r.result.comparison;
  const LayerResult* first = c.first_outside();
  Json j{{"model", r.model},
         {"blob", r.blob.empty() ? Json(nullptr) : Json(r.blob)},
         {"tolerance", r.tolerance},
         {"outputs_within", c.outputs_within()},
         {"first_outside", first ? Json(first->name) : Json(nullptr)},
         {"traced", r.result.traced},
         {"model_layers", c.model_layers},
         {"compared_layers", c.compared_layers},
         {"milliseconds", {{"blob", c.blob_milliseconds}, {"model", c.model_milliseconds}}},
         {"layers", Json::array()},
         {"computed_inside", Json::array()},
         {"not_compared", Json::array()},
         {"known_faults", Json::array()},
         {"hints", r.result.advice}};
  for (const LayerResult& l : c.layers) j["layers"].push_back(to_json(l));
  for (const Inside& i : c.inside)
    j["computed_inside"].push_back(
        {{"name", i.name}, {"type", i.type}, {"shows_in", i.shows_in.empty() ? Json(nullptr) : Json(i.shows_in)}});
  for (const Skipped& k : c.skipped) j["not_compared"].push_back({{"name", k.name}, {"why", k.why}});
  for (const Remark& f : r.result.faults)
    j["known_faults"].push_back({{"layer", f.layer}, {"type", f.type}, {"what", f.what}, {"avoidable", f.avoidable}});
  return j.dump(1) + "\n";
}

}  // namespace blobsmith::cli
