// An estimate as one page without anything outside of it: plots are SVG (docs/performance.md).
#include <algorithm>
#include <cmath>

#include "cli/estimate_report.hpp"
#include "cli/text.hpp"

namespace blobsmith::cli {
namespace {

constexpr const char* kEstimateStyle = R"(<style>
:root{color-scheme:light dark;--bg:#fff;--fg:#1b1f24;--dim:#5b636d;--line:#d4d8dd;--dot:#3a6fb0;--you:#c0392b;
--nce:#3a6fb0;--ddr:#c77d1e;--shave:#3b8a4e;--over:#8a8f98}
@media(prefers-color-scheme:dark){:root{--bg:#14171b;--fg:#e6e8eb;--dim:#a0a8b2;--line:#3a4048;--dot:#7fb0ea;
--you:#ff7a6b;--nce:#7fb0ea;--ddr:#eda94e;--shave:#72c487;--over:#8f96a1}}
body{background:var(--bg);color:var(--fg);font:16px/1.45 system-ui,sans-serif;max-width:52rem;margin:1.5rem auto;
padding:0 1rem}h1{font-size:1.3rem;overflow-wrap:anywhere}h2{font-size:1.05rem;margin-top:2rem}
svg{width:100%;height:auto;display:block}text{fill:var(--fg);font:14px system-ui,sans-serif}
.axis{stroke:var(--line)}.dot{fill:var(--dot);opacity:.75}.you{fill:var(--you)}.dim{color:var(--dim)}
table{border-collapse:collapse;width:100%;font-size:.9rem}td,th{border-bottom:1px solid var(--line);padding:.2rem .4rem;
text-align:right}.wide{overflow-x:auto}.key i{display:inline-block;width:.8em;height:.8em;margin:0 .3em 0 .9em}
</style>)";

/// Points on two logarithmic axes.
class SpeedPlot {
 public:
  SpeedPlot(std::string x_title, double x_least, double x_most)
      : title_(std::move(x_title)), x0_(x_least), x1_(x_most) {
    for (double v = 1; v <= 1000; v *= 10) grid(v, y(v), true);
    for (double v = x0_; v <= x1_ * 1.001; v *= 10) grid(v, x(v), false);
  }
  void point(double px, double fps, const char* css, double radius, const std::string& name) {
    if (px <= 0 || fps <= 0) return;
    body_ += format("<circle class=\"%s\" cx=\"%.1f\" cy=\"%.1f\" r=\"%g\"><title>", css, x(px), y(fps), radius) +
             escaped(name) + format(": %.1f FPS</title></circle>", fps);
  }
  void label(double px, double fps, const std::string& text) {
    const bool left = 2 * x(px) > kWidth;
    body_ += format("<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">", x(px) + (left ? -10 : 10), y(fps) - 9,
                    left ? "end" : "start") +
             escaped(text) + "</text>";
  }
  std::string svg() const {
    return format("<svg viewBox=\"0 0 %d %d\" role=\"img\">", kWidth, kHeight) + body_ +
           format("<text x=\"%d\" y=\"%d\" text-anchor=\"middle\">", kWidth / 2, kHeight - 4) + title_ +
           "</text><text x=\"2\" y=\"14\">FPS</text></svg>";
  }

 private:
  static constexpr int kWidth = 440, kHeight = 300, kLeft = 46, kBottom = 42, kTop = 22;
  double x(double v) const {
    return kLeft + (kWidth - kLeft - 14) * std::clamp(std::log(v / x0_) / std::log(x1_ / x0_), 0.0, 1.0);
  }
  static double y(double v) {
    return kHeight - kBottom - (kHeight - kBottom - kTop) * std::clamp(std::log10(v) / 3, 0.0, 1.0);
  }
  void grid(double v, double at, bool horizontal) {
    body_ += horizontal ? format(
                              "<line class=\"axis\" x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\"/><text x=\"%d\" "
                              "y=\"%.1f\" text-anchor=\"end\">%g</text>",
                              kLeft, kWidth - 14, at, at, kLeft - 5, at + 5, v)
                        : format(
                              "<line class=\"axis\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%d\" y2=\"%d\"/><text x=\"%.1f\" "
                              "y=\"%d\" text-anchor=\"middle\">%g</text>",
                              at, at, kTop, kHeight - kBottom, at, kHeight - kBottom + 17, v);
  }
  std::string title_, body_;
  double x0_, x1_;
};

std::string charts(const EstimateReport& r) {
  std::string html;
  for (const bool flops : {true, false}) {
    SpeedPlot plot(flops ? "GFLOPs" : "million parameters", flops ? 0.01 : 0.01, flops ? 1000 : 1000);
    for (const Measurement& m : measured_speeds())
      plot.point(flops ? m.gflops : m.mparams, m.fps, "dot", 4, m.model + ", " + m.device);
    if (const double size = flops ? r.result.gflops : r.result.mparams; size > 0) {
      plot.point(size, r.result.estimate.fps, "you", 7, r.file);
      plot.label(size, r.result.estimate.fps, format("yours: %.1f FPS", r.result.estimate.fps));
    }
    html += plot.svg();
  }
  return html;
}

std::string timeline(const Estimate& e) {
  constexpr double kWidth = 440, kHeight = 120;
  std::string body;
  double at = 0, most = 1;
  for (const StageEstimate& c : e.stages) most = std::max(most, c.total);
  for (const StageEstimate& c : e.stages) {
    double top = kHeight;
    const std::pair<const char*, double> parts[] = {
        {"over", c.overhead}, {"nce", c.nce}, {"ddr", c.ddr}, {"shave", c.shave}};
    for (const auto& [name, us] : parts) {
      const double height = us / most * (kHeight - 4);
      top -= height;
      if (height > 0.05)
        body += format("<rect x=\"%.2f\" y=\"%.2f\" width=\"%.2f\" height=\"%.2f\" fill=\"var(--%s)\"/>", at, top,
                       kWidth * c.total / e.sum, height, name);
    }
    at += kWidth * c.total / e.sum;
  }
  return "<p class=\"key\"><i style=\"background:var(--nce)\"></i>NCE<i style=\"background:var(--ddr)\"></i>DDR<i "
         "style=\"background:var(--shave)\"></i>SHAVE<i style=\"background:var(--over)\"></i>overhead</p>" +
         format("<svg viewBox=\"0 0 %g %g\" role=\"img\">", kWidth, kHeight) + body + "</svg>" +
         format(
             "<p class=\"dim\">%zu stages one after another, %.1f ms with the start of an inference (the gap at the "
             "end); the highest takes %.0f us.</p>",
             e.stages.size(), e.sum / 1000, most);
}

/// Bytes of CMX and DDR that the stages of an inference have in use, stage by stage: their own buffers.
std::string memory(const Estimate& e) {
  constexpr double kWidth = 440, kHeight = 110;
  std::string lines;
  double at = 0, most = 1;
  for (const StageEstimate& c : e.stages) most = std::max({most, c.cmx_buffers, c.other_buffers});
  for (const StageEstimate& c : e.stages) {
    const double width = kWidth * c.total / e.sum;
    for (const auto& [name, bytes] : {std::pair{"ddr", c.other_buffers}, std::pair{"nce", c.cmx_buffers}})
      lines += format(
          "<rect x=\"%.2f\" y=\"%.2f\" width=\"%.2f\" height=\"%.2f\" fill=\"var(--%s)\" "
          "fill-opacity=\".7\"/>",
          at, kHeight - bytes / most * (kHeight - 4), width, bytes / most * (kHeight - 4), name);
    at += width;
  }
  return "<p class=\"key\"><i style=\"background:var(--nce)\"></i>CMX<i style=\"background:var(--ddr)\"></i>DDR</p>" +
         format("<svg viewBox=\"0 0 %g %g\" role=\"img\">", kWidth, kHeight) + lines + "</svg>" +
         format("<p class=\"dim\">What each stage reads and writes; most %.2f MB.</p>", most / 1e6);
}

std::string shaves_table(const EstimateReport& r) {
  if (r.result.by_shaves.empty()) return {};
  std::string html =
      "<h2>By number of SHAVEs</h2><div class=\"wide\"><table><tr><th>SHAVEs</th><th>threads</th>"
      "<th>FPS</th><th>range</th><th>latency</th><th>bound</th></tr>";
  for (const ShaveEstimate& s : r.result.by_shaves) {
    const Estimate& e = s.estimate;
    html += s.error.empty() ? format(
                                  "<tr><td>%d</td><td>%d</td><td>%.1f</td><td>%.1f&ndash;%.1f</td><td>%.1f ms</td>"
                                  "<td>%s</td></tr>",
                                  s.shaves, e.streams, e.fps, e.fps_low, e.fps_high, e.latency / 1000, e.bound.c_str())
                            : format("<tr><td>%d</td><td colspan=\"5\">does not compile</td></tr>", s.shaves);
  }
  return html + "</table></div>";
}

}  // namespace

std::string estimate_html(const EstimateReport& r) {
  const Estimate& e = r.result.estimate;
  std::string html =
      "<!DOCTYPE html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" "
      "content=\"width=device-width,initial-scale=1\"><title>Estimate</title>";
  html += kEstimateStyle;
  html += "<h1>" + escaped(r.file) + "</h1>";
  html += format(
      "<p>Estimate: <b>%.1f FPS</b> at %d SHAVEs and %d threads (%.1f&ndash;%.1f), %.1f ms latency; bound by "
      "%s.</p>",
      e.fps, e.shaves, e.streams, e.fps_low, e.fps_high, e.latency / 1000, e.bound.c_str());
  for (const Measurement& m : r.result.measured)
    html +=
        "<p>Measured as " + escaped(m.model + " on " + m.device + ", " + m.toolchain) + format(": %.1f FPS</p>", m.fps);
  for (const std::string& c : e.caveats) html += "<p class=\"dim\">" + escaped(c) + "</p>";
  html +=
      "<h2>Among measured networks</h2>" + charts(r) + "<h2>Time</h2>" + timeline(e) + "<h2>Memory</h2>" + memory(e);
  return html + shaves_table(r) + "</html>\n";
}

}  // namespace blobsmith::cli
