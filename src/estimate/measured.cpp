#include "estimate/measured.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <string_view>

#include "blobsmith/tensor.hpp"

namespace blobsmith::estimate {

extern const std::string_view kMeasuredTable;  // data/fps.csv, by the build

namespace {

/// Fields of a line of CSV; quotes hold commas.
std::vector<std::string> fields_of(std::string_view line) {
  std::vector<std::string> fields(1);
  bool quoted = false;
  for (const char c : line) {
    if (c == '"')
      quoted = !quoted;
    else if (c == ',' && !quoted)
      fields.emplace_back();
    else
      fields.back() += c;
  }
  return fields;
}

std::vector<Measurement> parse_table(std::string_view text) {
  std::vector<Measurement> rows;
  text.remove_prefix(std::min(text.find('\n') + 1, text.size()));  // names of columns
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    const std::vector<std::string> f = fields_of(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (f.size() != 9) continue;
    const auto number = [&](size_t i) { return std::strtod(f[i].c_str(), nullptr); };
    rows.push_back({f[0], f[1], number(2), number(3), f[4], f[5], f[6], number(7), f[8]});
  }
  return rows;
}

/// By which factor two sizes differ, as a logarithm; a size that isn't published differs from all.
double distance(double a, double b) { return a > 0 && b > 0 ? std::abs(std::log(a / b)) : 1; }

std::string inputs_of(const Graph& graph) {
  std::string text;
  for (const Node* p : graph.parameters()) text += (text.empty() ? "" : ",") + shape_text(p->shape());
  return text;
}

}  // namespace

const std::vector<Measurement>& measurements() {
  static const std::vector<Measurement> rows = parse_table(kMeasuredTable);
  return rows;
}

std::vector<Measurement> recognise(const Graph& graph) {
  const NetworkSize size = size_of(graph);
  const std::string inputs = inputs_of(graph);
  const auto away = [&](const Measurement& m) { return distance(m.mparams, size.parameters / 1e6); };
  std::vector<Measurement> found;
  // Tables of GFLOPs count activations and pooling too, each in its own way; parameters are counted alike.
  for (const Measurement& m : measurements())
    if (m.input == inputs && away(m) < 0.02 && distance(m.gflops, size.gflops()) < 0.05) found.push_back(m);
  std::ranges::stable_sort(found, {}, away);
  return found;
}

}  // namespace blobsmith::estimate
