#include "importers/common/plane_shapes.hpp"

namespace blobsmith::importers {

Value plane_size(LayerBuilder& b, Value x, const std::string& shape, const std::string& slice) {
  if (x.shape().size() != 4) b.refuse("its input has " + std::to_string(x.shape().size()) + " dimensions, not 4");
  const Value whole = b.shape_of(x, shape);
  const std::string part = slice.substr(0, slice.find('_', slice.rfind('/')));
  const Value begin = b.integers_constant({2}, part + "_begin"), end = b.integers_constant({4}, part + "_end"),
              step = b.integers_constant({1}, part + "_stride");
  const std::vector<int64_t> no{0}, yes{1};
  return b.make("StridedSlice", {whole, begin, end, step},
                attributes({{"begin_mask", no},
                            {"end_mask", yes},
                            {"new_axis_mask", no},
                            {"shrink_axis_mask", no},
                            {"ellipsis_mask", no}}),
                LayerBuilder::kNewest, slice);
}

Value prior_boxes(LayerBuilder& b, const std::string& type, Value map, Value picture, Attributes a,
                  std::vector<int64_t> picture_size) {
  const Value map_size = plane_size(b, map, "/0_port", "/ss_0_port");
  const Value size = picture_size.empty() ? plane_size(b, picture, "/1_port", "/ss_1_port")
                                          : b.integers_constant(std::move(picture_size), "/picture_size");
  const Value boxes = b.make(type, {map_size, size}, std::move(a), LayerBuilder::kNewest, "/naked_not_unsqueezed");
  return b.make("Unsqueeze", {boxes, b.integers_constant({0}, "/unsqueeze/value")});
}

}  // namespace blobsmith::importers
