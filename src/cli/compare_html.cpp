// The page of `blobsmith compare --html`: a summary, two plots over the layers as SVG, a table. Names are escaped;
// nothing is loaded from elsewhere.
#include <algorithm>
#include <cmath>

#include "cli/cli.hpp"
#include "cli/compare_report.hpp"
#include "cli/text.hpp"

namespace blobsmith::cli {
namespace {

constexpr double kPlotWidth = 960, kPlotHeight = 240, kPlotLeft = 60, kPlotBottom = 30, kPlotTop = 10;
constexpr double kLargestHalf = 65504;

/// A plot over the layers with a logarithmic axis of whole decades; what lies beyond its ends is drawn at them.
class LayerPlot {
 public:
  LayerPlot(size_t columns, double low, double high) : columns_(std::max<size_t>(columns, 1)), low_(low), high_(high) {
    svg_ = format("<div class=\"wide\"><svg viewBox=\"0 0 %g %g\" role=\"img\">\n", kPlotWidth,
                  kPlotHeight + kPlotTop + kPlotBottom);
    for (int e = static_cast<int>(low); e <= static_cast<int>(high); ++e) {
      const double at = y(std::pow(10, e));
      const char* beyond = e == static_cast<int>(low) ? "&le; " : e == static_cast<int>(high) ? "&ge; " : "";
      svg_ += format(
          "<line class=\"grid\" x1=\"%g\" x2=\"%g\" y1=\"%.1f\" y2=\"%.1f\"/><text x=\"%g\" y=\"%.1f\" "
          "text-anchor=\"end\">%s1e%d</text>\n",
          kPlotLeft, kPlotWidth, at, at, kPlotLeft - 6, at + 4, beyond, e);
    }
  }
  void limit(double value, const std::string& text) {
    svg_ += format("<line class=\"limit\" x1=\"%g\" x2=\"%g\" y1=\"%.1f\" y2=\"%.1f\"/>\n", kPlotLeft, kPlotWidth,
                   y(value), y(value));
    labels_ +=
        format("<text x=\"%g\" y=\"%.1f\" class=\"limit\">%s</text>\n", kPlotLeft + 4, y(value) - 5, text.c_str());
  }
  void dot(size_t column, double value, const char* kind, const std::string& title) {
    svg_ += format("<circle class=\"%s\" cx=\"%.1f\" cy=\"%.1f\" r=\"3.5\"><title>", kind, x(column), y(value)) +
            escaped(title) + "</title></circle>\n";
  }
  void line(const std::vector<double>& values) {
    svg_ += "<polyline points=\"";
    for (size_t i = 0; i < values.size(); ++i) svg_ += format("%.1f,%.1f ", x(i), y(values[i]));
    svg_ += "\"/>\n";
  }
  std::string finish(const std::string& below) const {
    return svg_ + labels_ +
           format("<text x=\"%g\" y=\"%g\" text-anchor=\"middle\">", (kPlotLeft + kPlotWidth) / 2,
                  kPlotHeight + kPlotTop + kPlotBottom - 8) +
           escaped(below) + "</text>\n</svg></div>\n";
  }

 private:
  double x(size_t column) const {
    return kPlotLeft + 8 +
           (kPlotWidth - kPlotLeft - 16) *
               (columns_ == 1 ? 0.5 : static_cast<double>(column) / static_cast<double>(columns_ - 1));
  }
  double y(double value) const {
    const double e = std::clamp(std::log10(std::max(value, 1e-300)), low_, high_);
    return kPlotTop + kPlotHeight * (high_ - e) / (high_ - low_);
  }
  size_t columns_;
  double low_, high_;
  std::string svg_, labels_;  ///< labels lie over the dots
};

const char* kind_of(const LayerResult& l) { return l.within ? l.is_output ? "out" : "ok" : "bad"; }

std::string error_plot(const CompareReport& r) {
  const auto& layers = r.result.comparison.layers;
  LayerPlot p(layers.size(), -6, 1);
  p.limit(r.tolerance, format("tolerance %g", r.tolerance));
  std::vector<double> values;
  for (const LayerResult& l : layers) values.push_back(l.relative_error);
  p.line(values);
  for (size_t i = 0; i < layers.size(); ++i)
    p.dot(i, layers[i].relative_error, kind_of(layers[i]),
          layers[i].name + format(": relative error %.3g", layers[i].relative_error));
  return p.finish("layers in the order of execution");
}

std::string magnitude_plot(const CompareReport& r) {
  const auto& layers = r.result.comparison.layers;
  LayerPlot p(layers.size(), -5, 6);
  p.limit(kLargestHalf, "largest of FP16");
  p.limit(0x1p-14, "smallest normal of FP16");
  std::vector<double> values;
  for (const LayerResult& l : layers) values.push_back(l.largest);
  p.line(values);
  for (size_t i = 0; i < layers.size(); ++i)
    p.dot(i, layers[i].largest, layers[i].overflows > 0 ? "bad" : "ok",
          layers[i].name + format(": largest value %.4g", layers[i].largest));
  return p.finish("layers in the order of execution");
}

std::string table(const CompareReport& r) {
  std::string s = "<div class=\"wide\"><table>\n<tr><th>layer</th><th>type</th><th>shape</th>";
  for (const char* column : {"stage", "max error", "mean error", "relative", "cosine", "largest"})
    s += std::string("<th class=\"n\">") + column + "</th>";
  s += "<th>remarks</th></tr>\n";
  for (const LayerResult& l : r.result.comparison.layers) {
    s += format("<tr class=\"%s\"><td>", kind_of(l)) + escaped(l.name) + (l.is_output ? " (output)" : "") +
         "</td><td>" + escaped(l.type) + "</td><td>" + shape_text(l.shape) + "</td><td class=\"n\">" +
         (l.stage < 0 ? "" : std::to_string(l.stage)) + "</td>";
    s += format(
             "<td class=\"n\">%.3g</td><td class=\"n\">%.3g</td><td class=\"n\">%.3g</td><td class=\"n\">%.7f</td><td "
             "class=\"n\">%.4g</td><td>",
             l.max_error, l.mean_error, l.relative_error, l.cosine, l.largest) +
         escaped(remarks(l)) + "</td></tr>\n";
  }
  return s + "</table></div>\n";
}

constexpr const char* kLegend =
    "<p class=\"legend\"><span class=\"key ok\">&#9679;</span> within the tolerance &ensp;<span class=\"key "
    "out\">&#9679;</span> an output, within &ensp;<span class=\"key bad\">&#9679;</span> outside</p>\n";

/// Many, and seldom asked for: to be unfolded.
std::string inside(const std::vector<Inside>& layers) {
  if (layers.empty()) return "";
  std::string s = "<h2>Computed inside other layers</h2>\n<details><summary>" + std::to_string(layers.size()) +
                  (layers.size() == 1 ? " layer" : " layers") + "</summary>\n<ul>\n";
  for (const Inside& i : layers)
    s += "<li>" + escaped(i.type) + " " + escaped(i.name) +
         (i.shows_in.empty() ? "" : ": shows in " + escaped(i.shows_in)) + "</li>\n";
  return s + "</ul>\n</details>\n";
}

std::string list(const std::string& title, const std::vector<std::string>& items) {
  if (items.empty()) return "";
  std::string s = "<h2>" + title + "</h2>\n<ul>\n";
  for (const std::string& i : items) s += "<li>" + escaped(i) + "</li>\n";
  return s + "</ul>\n";
}

/// Colours once for light and once for dark. Names break anywhere, numbers nowhere; what is wider than the window
/// scrolls by itself.
constexpr const char* kComparisonStyle =
    ":root{color-scheme:light "
    "dark;--back:#fff;--text:#222;--faint:#666;--rule:#ddd;--grid:#e8e8e8;--line:#9bb7d4;--ok:#3a76b5;--out:#0d3b6e;--"
    "bad:#c62828;--bad-row:#fde4e1;--out-row:#eaf2fd}"
    "@media(prefers-color-scheme:dark){:root{--back:#16181c;--text:#e4e6ea;--faint:#a0a6b0;--rule:#3a3f47;--grid:#"
    "2a2e35;--line:#48617c;--ok:#6aa9ea;--out:#cfe4fb;--bad:#ff7b72;--bad-row:#4a2422;--out-row:#1d3147}}"
    "body{font:15px/1.45 system-ui,sans-serif;max-width:1120px;margin:2em auto;padding:0 "
    "1em;background:var(--back);color:var(--text);overflow-wrap:anywhere}"
    "h1{font-size:1.4em}h2{font-size:1.1em;margin-top:1.6em}ul{padding-left:1.4em}.verdict{font-weight:600}.wide{"
    "overflow-x:auto}"
    "table{border-collapse:collapse;font-size:13px;width:100%}th,td{text-align:left;padding:3px 8px;border-bottom:1px "
    "solid var(--rule);white-space:nowrap}th{vertical-align:bottom}"
    "td:first-child{white-space:normal;min-width:16em}td:last-child{white-space:normal;min-width:9em;overflow-wrap:"
    "normal}.n{text-align:right;font-variant-numeric:tabular-nums}"
    "tr.bad td{background:var(--bad-row)}tr.out td{background:var(--out-row)}"
    "svg{display:block;width:100%;min-width:800px;height:auto}svg "
    "text{font-size:11px;fill:var(--faint)}.grid{stroke:var(--grid)}line.limit{stroke:var(--bad);stroke-dasharray:5 4}"
    "svg "
    "text.limit{fill:var(--bad);stroke:var(--back);stroke-width:4px;paint-order:stroke}polyline{fill:none;stroke:var(--"
    "line)}"
    "circle.ok,.key.ok{fill:var(--ok);color:var(--ok)}circle.out,.key.out{fill:var(--out);color:var(--out)}circle.bad,."
    "key.bad{fill:var(--bad);color:var(--bad)}.legend{font-size:13px;color:var(--faint)}summary{cursor:pointer}";

}  // namespace

std::string compare_html(const CompareReport& r) {
  const Comparison& c = r.result.comparison;
  const std::string title = escaped(r.model) + (r.blob.empty() ? "" : " and " + escaped(r.blob));
  std::string s =
      "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" "
      "content=\"width=device-width,initial-scale=1\"><title>blobsmith compare: " +
      title + "</title><style>" + kComparisonStyle + "</style></head><body>\n<h1>" + title + "</h1>\n";
  s += std::string("<p class=\"verdict\">The outputs ") + (c.outputs_within() ? "agree" : "do not agree") +
       format(" (tolerance %g).</p>\n", r.tolerance);
  if (const LayerResult* first = c.first_outside())
    s += "<p>First layer outside of the tolerance: <b>" + escaped(first->name) + "</b> (" + escaped(first->type) +
         ").</p>\n";
  s += "<p>" + coverage(c) + ".</p>\n";
  s += list("Hints", r.result.advice);
  std::vector<std::string> known, skipped;
  for (const Remark& f : r.result.faults) known.push_back(f.text());
  for (const Skipped& k : c.skipped) skipped.push_back(k.name + ": " + k.why);
  s += list("Layers that Intel's compiler is known to compute otherwise", known);
  s += "<h2>Relative error</h2>\n" + error_plot(r) + kLegend + "<h2>Largest value of the model</h2>\n" +
       magnitude_plot(r) + "<h2>Layers</h2>\n" + table(r);
  s += inside(c.inside) + list("Not compared", skipped);
  return s + "</body></html>\n";
}

}  // namespace blobsmith::cli
