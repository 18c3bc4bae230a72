// PriorBox and PriorBoxClustered: their parameters, from which a pass computes a constant (front-end spec §9, §6.2).
#include "vpu/lowering/attribute_text.hpp"
#include "vpu/lowering/parsers/layer.hpp"

namespace blobsmith::vpu {
namespace {

std::vector<float> floats(const LayerContext& c, std::string_view name) {
  const auto v = quirks::attribute_list_floats(c.attrs().get_or<std::vector<double>>(name, {}));
  return {v.begin(), v.end()};
}

/// quirk: without scale_all_sizes the step and the smallest boxes are taken as parts of the image height.
void scale_by_image(const LayerContext& c, PriorBoxSpec& p) {
  const Shape &map = c.node().input(0).shape(), &image = c.node().input(1).shape();
  c.require(map.size() == 4 && image.size() == 4, "the inputs of PriorBox must have 4 dimensions");
  const auto height = static_cast<double>(image[2]);
  const double step = c.attrs().real("step", 0.0);
  p.step = static_cast<float>(
      quirks::attribute_float(static_cast<float>(step == -1 ? height / static_cast<double>(map[2]) : step * height)));
  std::vector<double> sizes = c.attrs().get_or<std::vector<double>>("min_size", {});
  for (double& v : sizes) v = static_cast<float>(v * height);
  const auto scaled = quirks::attribute_list_floats(sizes);
  p.min_sizes = {scaled.begin(), scaled.end()};
}

PriorBoxSpec prior_box(const LayerContext& c) {
  PriorBoxSpec p;
  p.min_sizes = floats(c, "min_size");
  p.max_sizes = floats(c, "max_size");
  p.aspect_ratios = floats(c, "aspect_ratio");
  p.densities = floats(c, "density");
  p.fixed_ratios = floats(c, "fixed_ratio");
  p.fixed_sizes = floats(c, "fixed_size");
  p.variances = floats(c, "variance");
  p.clip = c.attrs().flag("clip");
  p.flip = c.attrs().flag("flip");
  p.scale_all_sizes = c.attrs().flag("scale_all_sizes", true);
  p.step = static_cast<float>(c.real("step", 0.0));
  p.offset = static_cast<float>(c.real("offset", 0.0));
  if (!p.scale_all_sizes) scale_by_image(c, p);
  return p;
}

PriorBoxSpec clustered_prior_box(const LayerContext& c) {
  PriorBoxSpec p;
  p.widths = floats(c, "width");
  p.heights = floats(c, "height");
  p.variances = floats(c, "variance");
  p.clip = c.attrs().flag("clip");
  p.step = static_cast<float>(c.real("step", 0.0));
  p.step_w = static_cast<float>(c.real("step_w", 0.0));
  p.step_h = static_cast<float>(c.real("step_h", 0.0));
  p.offset = static_cast<float>(c.real("offset", 0.0));
  return p;
}

void parse_prior_box(LayerContext& c) {
  c.expect_ports(2, 1);
  const bool clustered = c.layer.type == "PriorBoxClustered";
  c.add_stage(clustered ? StageType::StubPriorBoxClustered : StageType::StubPriorBox, c.inputs, {c.out()})
      ->set(clustered ? clustered_prior_box(c) : prior_box(c));
}

constexpr ParserRow kRows[] = {
    {"PriorBox", parse_prior_box},
    {"PriorBoxClustered", parse_prior_box},
};

}  // namespace

std::span<const ParserRow> prior_box_parsers() { return kRows; }

}  // namespace blobsmith::vpu
