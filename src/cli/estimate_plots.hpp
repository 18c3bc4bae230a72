// The plots of an estimate's page, as SVG that follows the page's colours (--fg, --line, --nce and so on).
#pragma once
#include <array>
#include <string>
#include <utility>
#include <vector>

namespace blobsmith::cli {

struct PlotAxis {
  std::string title;
  double least = 0, most = 1;
  bool logarithmic = false;  ///< from `least`, a power of ten, to `most`, another; else from 0 to `most`
};

/// Axes with numbers, and what is drawn between them; values beyond the ends are drawn at them.
class Plot {
 public:
  Plot(const std::string& id, PlotAxis x, PlotAxis y);

  void point(double px, double py, const std::string& css, double radius, const std::string& title);
  void line_across(double py, const std::string& text);
  void label(double px, double py, const std::string& text);
  /// Rectangles of one kind, each {left, right, bottom, top}.
  void bars(const std::string& css, const std::vector<std::array<double, 4>>& bars);
  /// A line that keeps each value from its place up to the next one's, and a faint area below it.
  void steps(const std::string& css, const std::vector<std::pair<double, double>>& values, double end);
  std::string svg() const { return svg_ + marks_ + labels_ + "</svg>"; }

 private:
  double x(double v) const;
  double y(double v) const;
  void grid();

  PlotAxis x_axis_, y_axis_;
  std::string svg_, marks_, labels_;
};

}  // namespace blobsmith::cli
