// PriorBox and PriorBoxClustered: their parameters, from which a pass computes a constant (front-end spec §9, §6.2).
#include <array>

#include "vpu/lowering/attribute_text.hpp"
#include "vpu/lowering/parsers/layer.hpp"

namespace blobsmith::vpu {
namespace {

void copy_lists(const LayerContext& c, Stage& s, std::span<const std::string_view> names) {
  for (std::string_view n : names)
    s.attrs.set(n, quirks::attribute_list_floats(c.attrs().get_or<std::vector<double>>(n, {})));
}

void copy_flags(const LayerContext& c, Stage& s, std::string_view name, bool fallback) {
  s.attrs.set(name, c.attrs().flag(name, fallback));
}

/// quirk: without scale_all_sizes the step and the smallest boxes are taken as parts of the image height.
void scale_by_image(const LayerContext& c, Stage& s) {
  const Shape &map = c.node().input(0).shape(), &image = c.node().input(1).shape();
  c.require(map.size() == 4 && image.size() == 4, "the inputs of PriorBox must have 4 dimensions");
  const auto height = static_cast<double>(image[2]);
  const double step = c.attrs().real("step", 0.0);
  s.attrs.set("step", quirks::attribute_float(
                          static_cast<float>(step == -1 ? height / static_cast<double>(map[2]) : step * height)));
  std::vector<double> sizes = c.attrs().get_or<std::vector<double>>("min_size", {});
  for (double& v : sizes) v = static_cast<float>(v * height);
  s.attrs.set("min_size", quirks::attribute_list_floats(sizes));
}

void set_prior_box(const LayerContext& c, Stage& s) {
  constexpr std::array<std::string_view, 7> kLists{"min_size",    "max_size",   "aspect_ratio", "density",
                                                   "fixed_ratio", "fixed_size", "variance"};
  copy_lists(c, s, kLists);
  copy_flags(c, s, "clip", false);
  copy_flags(c, s, "flip", false);
  copy_flags(c, s, "scale_all_sizes", true);
  s.attrs.set("step", c.real("step", 0.0));
  s.attrs.set("offset", c.real("offset", 0.0));
  if (!c.attrs().flag("scale_all_sizes", true)) scale_by_image(c, s);
}

void set_prior_box_clustered(const LayerContext& c, Stage& s) {
  constexpr std::array<std::string_view, 3> kLists{"width", "height", "variance"};
  copy_lists(c, s, kLists);
  copy_flags(c, s, "clip", false);
  for (std::string_view n : {"step", "step_w", "step_h", "offset"}) s.attrs.set(n, c.real(n, 0.0));
}

void parse_prior_box(LayerContext& c) {
  c.expect_ports(2, 1);
  const bool clustered = c.layer.type == "PriorBoxClustered";
  Stage* s = c.add_stage(clustered ? StageType::StubPriorBoxClustered : StageType::StubPriorBox, c.inputs, {c.out()});
  if (clustered)
    set_prior_box_clustered(c, *s);
  else
    set_prior_box(c, *s);
}

constexpr ParserRow kRows[] = {
    {"PriorBox", parse_prior_box},
    {"PriorBoxClustered", parse_prior_box},
};

}  // namespace

std::span<const ParserRow> prior_box_parsers() { return kRows; }

}  // namespace blobsmith::vpu
