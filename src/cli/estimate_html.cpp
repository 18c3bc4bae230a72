// An estimate as one page without anything outside of it: plots are SVG (docs/performance.md).
#include <algorithm>
#include <cmath>

#include "cli/estimate_plots.hpp"
#include "cli/estimate_report.hpp"
#include "cli/text.hpp"

namespace blobsmith::cli {
namespace {

constexpr const char* kEstimateStyle = R"(<style>
:root{color-scheme:light dark;--bg:#fff;--fg:#1b1f24;--dim:#5b636d;--line:#d4d8dd;--dot:#3a6fb0;--you:#c0392b;
--nce:#3a6fb0;--ddr:#c77d1e;--shave:#3b8a4e;--over:#8a8f98}
@media(prefers-color-scheme:dark){:root{--bg:#14171b;--fg:#e6e8eb;--dim:#a0a8b2;--line:#3a4048;--dot:#7fb0ea;
--you:#ff7a6b;--nce:#7fb0ea;--ddr:#eda94e;--shave:#72c487;--over:#8f96a1}}
body{background:var(--bg);color:var(--fg);font:16px/1.45 system-ui,sans-serif;max-width:56rem;margin:1.5rem auto;
padding:0 1rem}h1{font-size:1.3rem;overflow-wrap:anywhere}h2{font-size:1.05rem;margin-top:2rem}
.pair{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(20rem,100%),1fr));gap:1rem 2rem}
svg{width:100%;height:auto;display:block}svg text{fill:var(--fg);font:14px system-ui,sans-serif}
.axis{stroke:var(--line)}.dot{fill:var(--dot);opacity:.6}.you{fill:var(--you);stroke:var(--bg);stroke-width:2}
.mine{stroke:var(--you);stroke-dasharray:6 4;stroke-width:2}.steps{fill:none;stroke-width:2}
.halo{paint-order:stroke;stroke:var(--bg);stroke-width:5px;stroke-linejoin:round;font-weight:600}
.dim{color:var(--dim)}.key i{display:inline-block;width:.8em;height:.8em;margin:0 .3em 0 .9em}
.key i:first-child{margin-left:0}.wide{overflow-x:auto}table{border-collapse:collapse;width:100%;font-size:.9rem}
td,th{border-bottom:1px solid var(--line);padding:.25rem .4rem;text-align:right;vertical-align:top}
.by td{white-space:nowrap}.best{font-weight:700}td.text,th.text{text-align:left;overflow-wrap:anywhere}
@media(max-width:30rem){table{font-size:.8rem}td,th{padding:.25rem .2rem}}
</style>)";

std::string key(const std::vector<std::pair<const char*, const char*>>& entries) {
  std::string html = "<p class=\"key\">";
  for (const auto& [css, name] : entries) html += format("<i style=\"background:var(--%s)\"></i>%s", css, name);
  return html + "</p>";
}

std::string charts(const EstimateReport& r) {
  const double fps = r.result.estimate.fps;
  const std::string mine = format("yours: %.1f FPS", fps);
  std::string html = "<div class=\"pair\">";
  for (const bool flops : {true, false}) {
    Plot plot(flops ? "fps-gflops" : "fps-mparams", {flops ? "GFLOPs" : "million parameters", 0.01, 1000, true},
              {"FPS", 1, 1000, true});
    for (const Measurement& m : measured_speeds())
      if (const double size = flops ? m.gflops : m.mparams; size > 0 && m.fps > 0)
        plot.point(size, m.fps, "dot", 4, m.model + ", " + m.device + format(": %.1f FPS", m.fps));
    if (const double size = flops ? r.result.gflops : r.result.mparams; size > 0) {
      plot.point(size, fps, "you", 8, r.file + format(": %.1f FPS", fps));
      plot.label(size, fps, mine);
    } else {
      plot.line_across(fps, mine);  // of a blob: what it was made from isn't known
    }
    html += plot.svg();
  }
  return html + "</div>";
}

/// Milliseconds at which each stage begins; the start of an inference comes before the first.
std::vector<double> beginnings(const Estimate& e) {
  std::vector<double> at;
  double now = e.sum;
  for (const StageEstimate& c : e.stages) now -= c.total;
  for (const StageEstimate& c : e.stages) {
    at.push_back(now / 1000);
    now += c.total;
  }
  return at;
}

std::string timeline(const Estimate& e) {
  double most = 1;
  for (const StageEstimate& c : e.stages) most = std::max(most, c.total);
  const std::vector<double> at = beginnings(e);
  Plot plot("timeline", {"ms since the start of an inference", 0, e.sum / 1000}, {"us of the stage", 0, most});
  const std::pair<const char*, double StageEstimate::*> parts[] = {{"over", &StageEstimate::overhead},
                                                                   {"nce", &StageEstimate::nce},
                                                                   {"ddr", &StageEstimate::ddr},
                                                                   {"shave", &StageEstimate::shave}};
  std::vector<double> bottom(e.stages.size());
  for (const auto& [css, part] : parts) {
    std::vector<std::array<double, 4>> bars;
    for (size_t i = 0; i < e.stages.size(); ++i) {
      const StageEstimate& c = e.stages[i];
      bars.push_back({at[i], at[i] + c.total / 1000, bottom[i], bottom[i] + c.*part});
      bottom[i] += c.*part;
    }
    plot.bars(css, bars);
  }
  return key({{"nce", "NCE"}, {"ddr", "DDR"}, {"shave", "SHAVE"}, {"over", "overhead"}}) + plot.svg() +
         format(
             "<p class=\"dim\">%zu stages, one after another, as wide as they take; the slowest takes %.0f us. Before "
             "the "
             "first, an inference takes %.1f ms to start.</p>",
             e.stages.size(), most, at.empty() ? e.sum / 1000 : at[0]);
}

std::string memory(const Estimate& e) {
  const std::vector<double> at = beginnings(e);
  Plot plot("memory", {"ms since the start of an inference", 0, e.sum / 1000},
            {"MB in use", 0, std::max({e.cmx_peak, e.ddr_peak, 1e3}) / 1e6});
  for (const auto& [css, bytes] :
       {std::pair{"ddr", &StageEstimate::live_ddr}, std::pair{"nce", &StageEstimate::live_cmx}}) {
    std::vector<std::pair<double, double>> values;
    for (size_t i = 0; i < e.stages.size(); ++i) values.emplace_back(at[i], e.stages[i].*bytes / 1e6);
    plot.steps(css, values, e.sum / 1000);
  }
  return key({{"nce", "CMX (on the chip)"}, {"ddr", "DDR"}}) + plot.svg() +
         format(
             "<p class=\"dim\">What is still needed: at most %.2f MB of the %.2f MB CMX of this blob, and %.2f MB of "
             "DDR; "
             "besides %.2f MB of constants in DDR.</p>",
             e.cmx_peak / 1e6, e.slices * 131072 / 1e6, e.ddr_peak / 1e6, e.constants / 1e6);
}

std::string shaves_table(const EstimateReport& r) {
  if (r.result.by_shaves.empty()) return {};
  std::string html =
      "<h2>By number of SHAVEs</h2><div class=\"wide\"><table class=\"by\"><tr><th>SHAVEs</th><th>threads</th>"
      "<th>FPS</th><th>range</th><th>latency</th><th>bound</th></tr>";
  for (const ShaveEstimate& s : r.result.by_shaves) {
    const Estimate& e = s.estimate;
    const char* css = s.shaves == r.result.best_shaves ? " class=\"best\"" : "";
    html += s.error.empty()
                ? format(
                      "<tr%s><td>%d</td><td>%d</td><td>%.1f</td><td>%.1f&ndash;%.1f</td><td>%.1f ms</td>"
                      "<td>%s</td></tr>\n",
                      css, s.shaves, e.streams, e.fps, e.fps_low, e.fps_high, e.latency / 1000, e.bound.c_str())
                : format("<tr><td>%d</td><td colspan=\"5\">does not compile</td></tr>\n", s.shaves);
  }
  return html + "</table></div><p class=\"dim\">" + kBestWords + "</p>";
}

std::string costliest_table(const EstimateReport& r) {
  const Estimate& e = r.result.estimate;
  const char* what = r.result.by_shaves.empty() ? "stage" : "layer";
  std::string html = format(
      "<h2>The costliest %ss</h2><table class=\"costly\"><tr><th>#</th><th>share</th><th>us</th>"
      "<th>bound</th><th class=\"text\">%s</th></tr>",
      what, what);
  for (const LayerCost& l : costliest_layers(e)) {
    const StageEstimate& c = e.stages[l.stages[0]];
    html += format("<tr><td>%zu</td><td>%.1f %%</td><td>%.0f</td><td>%s</td><td class=\"text\">", l.stages[0],
                   100 * l.total / e.sum, l.total, to_string(c.bound)) +
            escaped(cost_words(e, l));
    if (!c.advice.empty()) html += "<br><span class=\"dim\">" + escaped(c.advice) + "</span>";
    html += "</td></tr>\n";
  }
  return html + "</table>";
}

}  // namespace

std::string estimate_html(const EstimateReport& r) {
  const Estimate& e = r.result.estimate;
  const std::string name = r.file.substr(r.file.find_last_of('/') + 1);
  std::string html =
      "<!DOCTYPE html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" "
      "content=\"width=device-width,initial-scale=1\"><title>" +
      escaped(name) + ": estimate</title>";
  html += kEstimateStyle;
  html += "<h1>" + escaped(name) + "</h1>";
  html += format(
      "<p>Estimate: <b>%.1f FPS</b> at %d SHAVEs and %d thread%s (%.1f&ndash;%.1f), %.1f ms latency; bound by "
      "%s.</p>",
      e.fps, e.shaves, e.streams, e.streams == 1 ? "" : "s", e.fps_low, e.fps_high, e.latency / 1000, e.bound.c_str());
  if (r.result.gflops > 0)
    html += format("<p>%.2f GFLOPs, %.2f million parameters.</p>", r.result.gflops, r.result.mparams);
  for (const Measurement& m : r.result.measured)
    html +=
        "<p>Measured as " + escaped(m.model + " on " + m.device + ", " + m.toolchain) + format(": %.1f FPS</p>", m.fps);
  for (const std::string& c : notes(r)) html += "<p class=\"dim\">" + escaped(c) + "</p>";
  html += "<h2>Among measured networks</h2>" + charts(r);
  html += "<div class=\"pair\"><div><h2>Time</h2>" + timeline(e) + "</div><div><h2>Memory</h2>" + memory(e) +
          "</div></div>";
  return html + shaves_table(r) + costliest_table(r) + "</html>\n";
}

}  // namespace blobsmith::cli
