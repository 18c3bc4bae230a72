// Convolutions, products with a matrix, pools.
#include <algorithm>

#include "importers/mxnet/operators.hpp"

namespace blobsmith::mxnet {
namespace {

using List = std::vector<int64_t>;

struct Window {
  List kernel, strides, pads, dilations;
};

List checked(const Context& c, const char* name, List list, size_t rank, int64_t smallest) {
  if (list.size() != rank || std::ranges::any_of(list, [&](int64_t v) { return v < smallest || v > INT32_MAX; }))
    c.refuse("attribute " + std::string(name) + " is " + to_string(list));
  return list;
}

Window window_of(const Context& c) {
  const List kernel = c.integers("kernel");
  const size_t n = kernel.size();
  if (n < 1 || n > 3 || c.rank() != static_cast<int64_t>(n) + 2)
    c.refuse("its kernel " + to_string(kernel) + " does not fit an input of shape " + to_string(c.shape()));
  return {checked(c, "kernel", kernel, n, 1), checked(c, "stride", c.integers("stride", List(n, 1)), n, 1),
          checked(c, "pad", c.integers("pad", List(n, 0)), n, 0),
          checked(c, "dilate", c.integers("dilate", List(n, 1)), n, 1)};
}

void check_layout(const Context& c) {
  const std::string layout = c.text("layout", "NCHW");
  if (layout != "NCHW" && layout != "NCW" && layout != "NCDHW") c.refuse("its layout is " + layout);
}

Attributes window_attributes(const Window& w) {
  return attributes({{"strides", w.strides},
                     {"dilations", w.dilations},
                     {"pads_begin", w.pads},
                     {"pads_end", w.pads},
                     {"auto_pad", std::string("explicit")}});
}

/// The weights in the shape that the attributes ask for: the same node where they have it.
Value weights_in(Context& c, Shape shape) {
  const Value given = c.input(1);
  const Tensor& w = c.parameter(1);
  if (element_count(w.shape) != element_count(shape))
    c.refuse("its weights have the shape " + to_string(w.shape) + " instead of " + to_string(shape));
  if (w.shape == shape) return given;
  Node* n = c.graph().constant({w.type, std::move(shape), w.bytes}, given.node->name);
  return n->value();
}

int64_t groups_of(const Context& c, int64_t in, int64_t out) {
  const int64_t groups = c.integer("num_group", 1);
  if (groups < 1 || out < 1 || in % groups != 0 || out % groups != 0)
    c.refuse(std::to_string(in) + " input and " + std::to_string(out) + " output channels can't be in " +
             std::to_string(groups) + " groups");
  return groups;
}

Shape grouped(Shape shape, int64_t groups) {
  if (groups == 1) return shape;
  shape[0] /= groups;
  shape.insert(shape.begin(), groups);
  return shape;
}

Value with_bias(Context& c, Value y, bool biased) { return biased ? c.add_bias(y, c.parameter(2)) : y; }

std::vector<Value> convolution(Context& c) {
  check_layout(c);
  const Window w = window_of(c);
  const int64_t in = c.shape()[1], out = c.integer("num_filter", 0), groups = groups_of(c, in, out);
  Shape shape{out, in / groups};
  shape.insert(shape.end(), w.kernel.begin(), w.kernel.end());
  const bool biased = !c.flag("no_bias", false);
  const Value y = c.make(groups == 1 ? "Convolution" : "GroupConvolution",
                         {c.input(0), weights_in(c, grouped(std::move(shape), groups))}, window_attributes(w),
                         Context::kNewest, biased ? "/WithoutBiases" : "");
  return {with_bias(c, y, biased)};
}

std::vector<Value> deconvolution(Context& c) {
  check_layout(c);
  const Window w = window_of(c);
  const int64_t in = c.shape()[1], out = c.integer("num_filter", 0), groups = groups_of(c, in, out);
  Shape shape{in, out / groups};
  shape.insert(shape.end(), w.kernel.begin(), w.kernel.end());
  Attributes a = window_attributes(w);
  const List target = c.integers("target_shape");
  std::vector<Value> inputs{c.input(0), weights_in(c, grouped(std::move(shape), groups))};
  const bool has_target = !target.empty() && std::ranges::none_of(target, [](int64_t v) { return v == 0; });
  a.set("output_padding", has_target
                              ? List(w.kernel.size(), 0)
                              : checked(c, "adj", c.integers("adj", List(w.kernel.size(), 0)), w.kernel.size(), 0));
  if (has_target) {
    // The pads follow from the size of the output.
    List begin, end;
    for (size_t i = 0; i < w.kernel.size(); ++i) {
      const int64_t whole = w.strides[i] * (c.shape()[i + 2] - 1) + 1 + (w.kernel[i] - 1) * w.dilations[i];
      const int64_t pads = std::max<int64_t>(whole - target.at(i), 0);
      begin.push_back((pads + 1) / 2);
      end.push_back((pads + 1) / 2);
    }
    a.set("pads_begin", begin);
    a.set("pads_end", end);
    inputs.push_back(c.integers_constant(target, "/output_shape"));
  }
  const bool biased = !c.flag("no_bias", true);
  const Value y = c.make(groups == 1 ? "ConvolutionBackpropData" : "GroupConvolutionBackpropData", inputs, a,
                         Context::kNewest, biased ? "/WithoutBiases" : "");
  return {with_bias(c, y, biased)};
}

std::vector<Value> fully_connected(Context& c) {
  const Tensor& w = c.parameter(1);
  const bool biased = !c.flag("no_bias", false), flatten = c.flag("flatten", true);
  const int64_t out = c.integer("num_hidden", w.shape.empty() ? 0 : w.shape[0]);
  if (w.shape.size() != 2 || w.shape[0] != out) c.refuse("its weights have the shape " + to_string(w.shape));
  const Value x = flatten ? c.reshape(c.input(0), {0, -1}, "/flatten_fc_input") : c.input(0);
  const Value weights = c.constant(w, "/weights_transpose");
  const Value y = c.make("MatMul", {x, weights}, attributes({{"transpose_a", false}, {"transpose_b", true}}),
                         Context::kNewest, biased ? "/WithoutBiases" : "");
  if (!biased) return {y};
  const Tensor& bias = c.parameter(2);
  if (element_count(bias.shape) != out) c.refuse("its bias does not have num_hidden values");
  Shape shape(y.shape().size(), 1);
  shape.back() = out;
  return {c.make("Add", {y, c.constant({bias.type, shape, bias.bytes}, "/biases")})};
}

// ---- pools ----

List plane_axes(const Context& c) {
  List axes;
  for (int64_t i = 2; i < c.rank(); ++i) axes.push_back(i);
  return axes;
}

Value whole_plane(Context& c, bool max) {
  return c.make(max ? "ReduceMax" : "ReduceMean", {c.input(0), c.integers_constant(plane_axes(c))},
                attributes({{"keep_dims", true}}), Context::kNewest, "/reduce");
}

std::vector<Value> pooling(Context& c) {
  check_layout(c);
  const std::string type = c.text("pool_type", "max");
  const bool max = type == "max";
  if (!max && type != "avg") c.refuse("pool_type " + type + " can't be computed");
  if (c.flag("global_pool", false)) return {whole_plane(c, max)};
  const Window w = window_of(c);
  const std::string convention = c.text("pooling_convention", "valid");
  if (convention == "same") c.refuse("its pooling_convention is same");
  Attributes a = attributes({{"strides", w.strides},
                             {"pads_begin", w.pads},
                             {"pads_end", w.pads},
                             {"kernel", w.kernel},
                             {"rounding_type", std::string(convention == "full" ? "ceil" : "floor")},
                             {"auto_pad", std::string("explicit")}});
  // quirk: Model Optimizer ignores count_include_pad.
  if (!max) a.set("exclude-pad", !c.quirks() && !c.flag("count_include_pad", true));
  return {c.make(max ? "MaxPool" : "AvgPool", {c.input(0)}, a, 1)};
}

/// Planes to a stated size, where it divides theirs.
std::vector<Value> adaptive_pool(Context& c) {
  List size = c.integers("output_size", {1});
  if (size.size() == 1) size.push_back(size[0]);
  if (c.rank() != 4 || size.size() != 2) c.refuse("its output_size is " + to_string(size));
  if (size == List{1, 1}) return {whole_plane(c, false)};
  List kernel;
  for (const size_t i : {0, 1}) {
    const int64_t in = c.shape()[i + 2];
    if (size[i] < 1 || in % size[i] != 0) c.refuse("its output_size " + to_string(size) + " does not divide its input");
    kernel.push_back(in / size[i]);
  }
  const List none{0, 0};
  return {c.make("AvgPool", {c.input(0)},
                 attributes({{"strides", kernel},
                             {"pads_begin", none},
                             {"pads_end", none},
                             {"kernel", kernel},
                             {"exclude-pad", false},
                             {"rounding_type", std::string("floor")},
                             {"auto_pad", std::string("explicit")}}),
                 1)};
}

std::vector<Value> deformable_convolution(Context& c) {
  const Window w = window_of(c);
  const int64_t in = c.shape()[1], out = c.integer("num_filter", 0), groups = c.integer("num_group", 1);
  if (groups != 1) c.refuse("it has groups");
  const Tensor& weights = c.parameter(2);
  const Shape shape{out, in, w.kernel.at(0), w.kernel.at(1)};
  if (weights.shape != shape) c.refuse("its weights have the shape " + to_string(weights.shape));
  Attributes a = window_attributes(w);
  a.set("group", int64_t{1});
  a.set("deformable_group", c.integer("num_deformable_group", 1));
  const bool biased = !c.flag("no_bias", false);
  const Value y = c.make("DeformableConvolution", {c.input(0), c.input(1), c.input(2)}, a, Context::kNewest,
                         biased ? "/WithoutBiases" : "");
  return {biased ? c.add_bias(y, c.parameter(3)) : y};
}

// type, becomes, conversion, limits
constexpr OperatorRow kOperators[] = {
    {"Convolution", "Convolution", convolution, "channels first"},
    {"Convolution_v1", "Convolution", convolution, "channels first"},
    {"Deconvolution", "ConvolutionBackpropData", deconvolution, "channels first"},
    {"FullyConnected", "MatMul", fully_connected},
    {"Pooling", "MaxPool", pooling, "max and avg"},
    {"Pooling_v1", "MaxPool", pooling, "max and avg"},
    {"_contrib_AdaptiveAvgPooling2D", "AvgPool", adaptive_pool, "sizes that divide the input's"},
    {"_contrib_DeformableConvolution", "DeformableConvolution", deformable_convolution, "one group"},
};

}  // namespace

std::span<const OperatorRow> convolution_operators() { return kOperators; }

}  // namespace blobsmith::mxnet
