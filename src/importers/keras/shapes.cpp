// Layers that change shapes, resize, pad and cut.
#include <algorithm>

#include "importers/keras/layer.hpp"
#include "importers/keras/masks.hpp"

namespace blobsmith::keras_import {
namespace {

std::vector<Value> same(Layer& l) { return {l.x()}; }

std::vector<Value> flatten(Layer& l) {
  const Shape& s = l.x().shape();
  if (s.size() < 2) return {l.apply("Reshape", {l.x(), l.integers_value({-1, 1}, "/shape")})};
  Value x = l.x();
  if (!l.channels_last() && s.size() > 2) {
    std::vector<int64_t> order{0};
    for (int64_t i = 2; i < std::ssize(s); ++i) order.push_back(i);
    order.push_back(1);
    x = l.apply("Transpose", {x, l.integers_value(order, "/order")}, {}, "/Transpose");
  }
  return {l.apply("Reshape", {x, l.integers_value({s[0], -1}, "/shape")})};
}

std::vector<Value> reshape(Layer& l) {
  if (const auto whole = l.config().find("newshape"); whole != l.config().end() && whole->is_array())
    return {l.apply("Reshape", {l.x(), l.integers_value(l.integers("newshape", whole->size(), -1), "/shape")})};
  std::vector<int64_t> shape{l.x().shape().at(0)};
  const auto it = l.config().find("target_shape");
  if (it == l.config().end() || !it->is_array()) l.refuse("it states no target_shape");
  for (const Json& d : *it) shape.push_back(d.is_number() ? d.get<int64_t>() : -1);
  return {l.apply("Reshape", {l.x(), l.integers_value(shape, "/shape")})};
}

std::vector<Value> permute(Layer& l) {
  std::vector<int64_t> order{0};
  for (const int64_t a : l.integers("dims", static_cast<size_t>(l.c.rank()) - 1, 0)) order.push_back(a);
  return {l.apply("Transpose", {l.x(), l.integers_value(order, "/perm")})};
}

std::vector<Value> repeat_vector(Layer& l) {
  const Value row = l.apply("ExpandDims", {l.x(), l.integers_value({1}, "/axis")}, {}, "/ExpandDims");
  return {l.apply("Tile", {row, l.integers_value({1, l.integer("n", 1), 1}, "/multiples")})};
}

/// [[before, after], ...], [before, after] of one axis, one number, or one per axis.
std::vector<std::pair<int64_t, int64_t>> pairs(Layer& l, const char* key, size_t planes) {
  const auto it = l.config().find(key);
  std::vector<std::pair<int64_t, int64_t>> r;
  if (it == l.config().end()) return std::vector<std::pair<int64_t, int64_t>>(planes, {1, 1});
  if (it->is_number())
    return std::vector<std::pair<int64_t, int64_t>>(planes, {it->get<int64_t>(), it->get<int64_t>()});
  if (!it->is_array()) l.refuse(std::string(key) + " is not a list");
  if (planes == 1 && it->size() == 2 && (*it)[0].is_number())
    return {{(*it)[0].get<int64_t>(), (*it)[1].get<int64_t>()}};
  for (const Json& j : *it) {
    if (j.is_number()) r.emplace_back(j.get<int64_t>(), j.get<int64_t>());
    if (j.is_array() && j.size() == 2) r.emplace_back(j[0].get<int64_t>(), j[1].get<int64_t>());
  }
  if (r.size() != planes) l.refuse(std::string(key) + " is not for " + std::to_string(planes) + " axes");
  return r;
}

size_t plane_count(Layer& l) { return static_cast<size_t>(std::max<int64_t>(l.c.rank() - 2, 1)); }

std::vector<Value> zero_padding(Layer& l) {
  std::vector<int64_t> pads(static_cast<size_t>(2 * l.c.rank()), 0);
  size_t axis = l.channels_last() ? 1 : 2;
  for (const auto& [before, after] : pairs(l, "padding", plane_count(l))) {
    pads.at(2 * axis) = before;
    pads.at(2 * axis + 1) = after;
    ++axis;
  }
  const Tensor t = Tensor::of(ElementType::i64, {l.c.rank(), 2}, pads);
  return {l.apply("Pad", {l.x(), l.constant(t, "/paddings")})};
}

/// A part of every axis.
Value part(Layer& l, const std::vector<int64_t>& begin, const std::vector<int64_t>& size) {
  return l.apply("Slice", {l.x(), l.integers_value(begin, "/begin"), l.integers_value(size, "/size")});
}

std::vector<Value> cropping(Layer& l) {
  const Shape& s = l.x().shape();
  std::vector<int64_t> begin(s.size(), 0), size = s;
  size_t axis = l.channels_last() ? 1 : 2;
  for (const auto& [before, after] : pairs(l, "cropping", plane_count(l))) {
    begin.at(axis) = before;
    size.at(axis) = s[axis] - before - after;
    if (before < 0 || after < 0 || size[axis] < 1) l.refuse("it cuts all of axis " + std::to_string(axis));
    ++axis;
  }
  return {part(l, begin, size)};
}

std::vector<Value> centre_crop(Layer& l) {
  const Shape& s = l.x().shape();
  if (s.size() != 4 || !l.channels_last()) l.refuse("its input has the shape " + to_string(s));
  const int64_t height = l.integer("height", s[1]), width = l.integer("width", s[2]);
  if (height > s[1] || width > s[2]) l.refuse("it crops to more than there is");
  return {part(l, {0, (s[1] - height) / 2, (s[2] - width) / 2, 0}, {s[0], height, width, s[3]})};
}

Value resized(Layer& l, const std::string& mode, int64_t height, int64_t width) {
  const char* op = mode == "nearest"    ? "ResizeNearestNeighbor"
                   : mode == "bilinear" ? "ResizeBilinear"
                   : mode == "bicubic"  ? "ResizeBicubic"
                                        : "";
  if (!*op) l.refuse("interpolation is '" + mode + "'");
  return l.apply(op, {l.x(), l.integers_value({height, width}, "/size")},
                 {{"half_pixel_centers", flag_attribute(true)}});
}

std::vector<Value> up_sampling_2d(Layer& l) {
  const std::vector<int64_t> by = l.integers("size", 2, 2);
  const Shape& s = l.x().shape();
  if (s.size() != 4 || !l.channels_last()) l.refuse("channels in front are not supported");
  return {resized(l, l.text("interpolation", "nearest"), s[1] * by[0], s[2] * by[1])};
}

/// Each step several times: steps of one more axis, then flat again.
std::vector<Value> up_sampling_1d(Layer& l) {
  const int64_t by = l.integers("size", 1, 2)[0];
  const Shape s = l.x().shape();
  if (s.size() != 3 || by < 1) l.refuse("its input has the shape " + to_string(s));
  const Value rows = l.apply("ExpandDims", {l.x(), l.integers_value({2}, "/axis")}, {}, "/ExpandDims");
  const Value tiled = l.apply("Tile", {rows, l.integers_value({1, 1, by, 1}, "/multiples")}, {}, "/Tile");
  return {l.apply("Reshape", {tiled, l.integers_value({s[0], s[1] * by, s[2]}, "/shape")})};
}

/// Depth, rows and columns one after the other, each as the middle axis of three.
std::vector<Value> up_sampling_3d(Layer& l) {
  const std::vector<int64_t> by = l.integers("size", 3, 2);
  Shape s = l.x().shape();
  if (s.size() != 5 || !is_static(s)) l.refuse("its input has the shape " + to_string(s));
  Value v = l.x();
  for (size_t i = 0; i < 3; ++i) {
    const size_t axis = i + (l.channels_last() ? 1 : 2);
    const std::string at = "/" + std::to_string(i);
    int64_t outer = 1;
    for (size_t k = 0; k <= axis; ++k) outer *= s[k];
    const Value items = l.apply("Reshape", {v, l.integers_value({outer, 1, element_count(s) / outer}, at + "/items")},
                                {}, at + "/Reshape");
    v = l.apply("Tile", {items, l.integers_value({1, by[i], 1}, at + "/multiples")}, {}, at + "/Tile");
    s[axis] *= by[i];
  }
  return {l.apply("Reshape", {v, l.integers_value(s, "/shape")})};
}

std::vector<Value> resizing(Layer& l) {
  if (l.flag("crop_to_aspect_ratio", false) || l.flag("pad_to_aspect_ratio", false))
    l.refuse("it keeps the aspect ratio");
  return {resized(l, l.text("interpolation", "bilinear"), l.integer("height", 1), l.integer("width", 1))};
}

std::vector<Value> concatenate(Layer& l) {
  std::vector<Value> parts = l.c.inputs();
  const int64_t axis = l.c.axis(l.integer("axis", -1), l.c.rank());
  parts.push_back(l.integers_value({axis}, "/axis"));
  return {l.apply("ConcatV2", std::move(parts))};
}

/// A product over one axis of each.
Value of_length_one(Layer& l, Value x, int64_t axis, const std::string& suffix) {
  const Value sum = l.apply("Sum", {l.apply("Square", {x}, {}, suffix + "/Square"), l.integers_value({axis}, "/axis")},
                            {{"keep_dims", flag_attribute(true)}}, suffix + "/Sum");
  const Value least = l.apply("Maximum", {sum, l.number(1e-12, "/epsilon")}, {}, suffix + "/Maximum");
  return l.apply("Mul", {x, l.apply("Rsqrt", {least}, {}, suffix + "/Rsqrt")}, {}, suffix + "/normal");
}

std::vector<Value> dot(Layer& l) {
  const std::vector<int64_t> axes = l.integers("axes", 2, -1);
  Value a = l.c.input(0), b = l.c.input(1);
  const int64_t rank = l.c.rank();
  if (rank != l.c.rank(1) || rank < 2 || rank > 3)
    l.refuse("its inputs have the shapes " + to_string(a.shape()) + " and " + to_string(b.shape()));
  const int64_t first = l.c.axis(axes[0], rank), second = l.c.axis(axes[1], rank);
  if (l.flag("normalize", false)) a = of_length_one(l, a, first, "/a"), b = of_length_one(l, b, second, "/b");
  if (rank == 2)
    return {l.apply("Sum", {l.apply("Mul", {a, b}, {}, "/mul"), l.integers_value({1}, "/axis")},
                    {{"keep_dims", flag_attribute(true)}})};
  if (first == 0 || second == 0) l.refuse("it sums over batches");
  return {l.apply("BatchMatMulV2", {a, b},
                  {{"adj_x", flag_attribute(first == 1)}, {"adj_y", flag_attribute(second == 2)}})};
}

std::vector<Value> embedding(Layer& l) {
  const Value table = l.constant(l.weight("embeddings", 0), "/embeddings");
  Value x = l.x();
  if (is_float(x.type())) x = l.apply("Cast", {x}, {{"DstT", type_attribute(ElementType::i32)}}, "/Cast");
  return {l.apply("GatherV2", {table, x, l.integers_value({0}, "/axis")})};
}

/// Steps that don't count become zeros.
std::vector<Value> masking(Layer& l) {
  const Value column = l.apply("ExpandDims", {steps_that_count(l), l.integers_value({-1}, "/axis")}, {}, "/mask");
  return {l.apply("Mul", {l.x(), column})};
}

constexpr LayerRow kOperators[] = {
    {"Dropout", "", same},
    {"SpatialDropout1D", "", same},
    {"SpatialDropout2D", "", same},
    {"SpatialDropout3D", "", same},
    {"GaussianDropout", "", same},
    {"GaussianNoise", "", same},
    {"AlphaDropout", "", same},
    {"ActivityRegularization", "", same},
    {"StochasticDepth", "", same},  // of keras.applications' ConvNeXt
    {"Masking", "Multiply", masking},
    {"Identity", "", same},
    {"RandomFlip", "", same},
    {"RandomRotation", "", same},
    {"RandomZoom", "", same},
    {"RandomContrast", "", same},
    {"RandomBrightness", "", same},
    {"RandomTranslation", "", same},
    {"AugMix", "", same},
    {"CutMix", "", same},
    {"MixUp", "", same},
    {"RandAugment", "", same},
    {"RandomColorDegeneration", "", same},
    {"RandomColorJitter", "", same},
    {"RandomElasticTransform", "", same},
    {"RandomErasing", "", same},
    {"RandomGaussianBlur", "", same},
    {"RandomGrayscale", "", same},
    {"RandomHue", "", same},
    {"RandomInvert", "", same},
    {"RandomPerspective", "", same},
    {"RandomPosterization", "", same},
    {"RandomSaturation", "", same},
    {"RandomSharpness", "", same},
    {"RandomShear", "", same},
    {"Flatten", "Reshape", flatten},
    {"Reshape", "Reshape", reshape},
    {"Permute", "Transpose", permute},
    {"RepeatVector", "Tile", repeat_vector},
    {"ZeroPadding1D", "Pad", zero_padding},
    {"ZeroPadding2D", "Pad", zero_padding},
    {"ZeroPadding3D", "Pad", zero_padding},
    {"Cropping1D", "Slice", cropping},
    {"Cropping2D", "Slice", cropping},
    {"Cropping3D", "Slice", cropping},
    {"CenterCrop", "Slice", centre_crop},
    {"UpSampling1D", "Tile", up_sampling_1d},
    {"UpSampling2D", "ResizeNearestNeighbor", up_sampling_2d},
    {"UpSampling3D", "Tile", up_sampling_3d},
    {"Resizing", "ResizeBilinear", resizing},
    {"Concatenate", "ConcatV2", concatenate},
    {"Dot", "BatchMatMulV2", dot},
    {"Embedding", "GatherV2", embedding},
};

}  // namespace

std::span<const LayerRow> shape_layers() { return kOperators; }

}  // namespace blobsmith::keras_import
