#include "cli/estimate_plots.hpp"

#include <algorithm>
#include <cmath>

#include "cli/text.hpp"

namespace blobsmith::cli {
namespace {

// In the units of the picture: small, so that its texts can be read at the width of a phone.
constexpr double kChartWidth = 400, kChartHeight = 280, kChartLeft = 52, kChartRight = 20, kChartTop = 26,
                 kChartBottom = 44;

double share(const PlotAxis& axis, double v) {
  const double s = axis.logarithmic ? std::log(std::max(v, axis.least) / axis.least) / std::log(axis.most / axis.least)
                                    : v / axis.most;
  return std::clamp(s, 0.0, 1.0);
}

/// Powers of ten, or about five round numbers.
std::vector<double> ticks(const PlotAxis& axis) {
  std::vector<double> list;
  if (axis.logarithmic) {
    for (double v = axis.least; v < axis.most * 1.001; v *= 10) list.push_back(v);
    return list;
  }
  const double decade = std::pow(10, std::floor(std::log10(axis.most / 5)));
  const double wanted = axis.most / 5 / decade;
  const double step = decade * (wanted < 1.5 ? 1 : wanted < 3.5 ? 2 : wanted < 7.5 ? 5 : 10);
  for (int i = 0; i * step <= axis.most; ++i) list.push_back(i * step);
  return list;
}

}  // namespace

Plot::Plot(const std::string& id, PlotAxis x_axis, PlotAxis y_axis)
    : x_axis_(std::move(x_axis)), y_axis_(std::move(y_axis)) {
  svg_ =
      format("<svg id=\"%s\" viewBox=\"0 0 %g %g\" role=\"img\" aria-label=\"", id.c_str(), kChartWidth, kChartHeight) +
      escaped(y_axis_.title + " over " + x_axis_.title) + "\">\n";
  grid();
}

double Plot::x(double v) const { return kChartLeft + (kChartWidth - kChartLeft - kChartRight) * share(x_axis_, v); }
double Plot::y(double v) const {
  return kChartHeight - kChartBottom - (kChartHeight - kChartBottom - kChartTop) * share(y_axis_, v);
}

void Plot::grid() {
  for (const double v : ticks(y_axis_))
    svg_ += format(
        "<line class=\"axis\" x1=\"%g\" x2=\"%g\" y1=\"%.2f\" y2=\"%.2f\"/><text class=\"y\" x=\"%g\" y=\"%.2f\" "
        "text-anchor=\"end\">%g</text>\n",
        kChartLeft, kChartWidth - kChartRight, y(v), y(v), kChartLeft - 6, y(v) + 5, v);
  for (const double v : ticks(x_axis_))
    svg_ += format(
        "<line class=\"axis\" x1=\"%.2f\" x2=\"%.2f\" y1=\"%g\" y2=\"%g\"/><text class=\"x\" x=\"%.2f\" y=\"%g\" "
        "text-anchor=\"middle\">%g</text>\n",
        x(v), x(v), kChartTop, kChartHeight - kChartBottom, x(v), kChartHeight - kChartBottom + 18, v);
  svg_ += format("<text x=\"%g\" y=\"%g\" text-anchor=\"middle\">", (kChartLeft + kChartWidth) / 2, kChartHeight - 6) +
          escaped(x_axis_.title) + "</text><text x=\"2\" y=\"15\">" + escaped(y_axis_.title) + "</text>\n";
}

void Plot::point(double px, double py, const std::string& css, double radius, const std::string& title) {
  marks_ += format("<circle class=\"%s\" cx=\"%.2f\" cy=\"%.2f\" r=\"%g\"><title>", css.c_str(), x(px), y(py), radius) +
            escaped(title) + "</title></circle>\n";
}

void Plot::line_across(double py, const std::string& text) {
  marks_ += format("<line class=\"mine\" x1=\"%g\" x2=\"%g\" y1=\"%.2f\" y2=\"%.2f\"/>\n", kChartLeft,
                   kChartWidth - kChartRight, y(py), y(py));
  labels_ += format("<text class=\"halo\" x=\"%g\" y=\"%.2f\">", kChartLeft + 6, y(py) + (y(py) < 60 ? 18 : -7)) +
             escaped(text) + "</text>\n";
}

void Plot::label(double px, double py, const std::string& text) {
  const bool left = share(x_axis_, px) > 0.5;
  labels_ += format("<text class=\"halo\" x=\"%.2f\" y=\"%.2f\" text-anchor=\"%s\">", x(px) + (left ? -12 : 12),
                    y(py) + 5, left ? "end" : "start") +
             escaped(text) + "</text>\n";
}

void Plot::bars(const std::string& css, const std::vector<std::array<double, 4>>& bars) {
  marks_ += "<path class=\"bars\" fill=\"var(--" + css + ")\" d=\"";
  for (const auto& [left, right, bottom, top] : bars)
    if (y(bottom) - y(top) > 0.005)
      marks_ += format("M%.3f %.3fH%.3fV%.3fH%.3fz", x(left), y(bottom), x(right), y(top), x(left));
  marks_ += "\"/>\n";
}

void Plot::steps(const std::string& css, const std::vector<std::pair<double, double>>& values, double end) {
  if (values.empty()) return;
  std::string path = format("M%.3f %.3f", x(values[0].first), y(values[0].second));
  for (size_t i = 1; i < values.size(); ++i)
    if (values[i].second != values[i - 1].second) path += format("H%.3fV%.3f", x(values[i].first), y(values[i].second));
  path += format("H%.3f", x(end));
  marks_ += "<path class=\"steps\" stroke=\"var(--" + css + ")\" d=\"" + path + "\"/>\n";
  marks_ += format("<path opacity=\".15\" fill=\"var(--%s)\" d=\"", css.c_str()) + path +
            format("V%.3fH%.3fz\"/>\n", y(0), x(values[0].first));
}

}  // namespace blobsmith::cli
