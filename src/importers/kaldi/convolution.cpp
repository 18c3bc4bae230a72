// Convolutions and pools over rows: what lies in a row is told by the component.
#include <algorithm>
#include <set>

#include "importers/kaldi/operators.hpp"
#include "transforms/rewriter/rewrite.hpp"

namespace blobsmith::kaldi {
namespace {

const Tensor& bias_of(const Context& c, const Tensor& bias, int64_t out) {
  if (element_count(bias.shape) != out)
    c.refuse("Weights shape does not correspond to the `output` attribute of Convolution layer.");
  return bias;
}

Value convolve(Context& c, Value x, Tensor weights, const Tensor& bias, const std::vector<int64_t>& strides,
               const std::vector<int64_t>& begin, const std::vector<int64_t>& end,
               const std::vector<int64_t>& dilations) {
  const Value y = c.make("Convolution", {x, c.constant(std::move(weights), "/weights")},
                         attributes({{"strides", strides},
                                     {"dilations", dilations},
                                     {"pads_begin", begin},
                                     {"pads_end", end},
                                     {"auto_pad", std::string("explicit")}}),
                         Context::kNewest, "/WithoutBiases");
  return c.add_bias(y, bias);
}

/// [N, channels, 1, places] as rows in Kaldi's order: the channels of one place together.
Value as_rows(Context& c, Value y) {
  const Value places = c.make("Transpose", {y, c.integers_constant({0, 3, 2, 1}, "/Transpose/order")}, {},
                              Context::kNewest, "/Transpose");
  return c.reshape(places, {0, -1}, "/reshape_out");
}

/// Patches of `PatchDim` columns, `PatchStep` apart, of each of the frames that lie side by side.
std::vector<Value> patches(Context& c) {
  const Component& k = c.component();
  const int64_t size = k.integer("PatchDim"), step = k.integer("PatchStep"), stride = k.integer("PatchStride");
  const Tensor &filters = k.has("FilterParams") ? k.reals("FilterParams") : k.nth_reals(0),
               &bias = k.has("BiasParams") ? k.reals("BiasParams") : k.nth_reals(1);
  if (size < 1 || step < 1 || stride < size || (stride - size) % step != 0)
    c.refuse("Kernel size and stride does not correspond to `patch_stride` attribute of Convolution layer.");
  if (filters.shape.size() != 2 || c.columns() % stride != 0 || filters.shape[1] != size * (c.columns() / stride))
    c.refuse("its filters of shape " + to_string(filters.shape) + " do not fit an input of shape " +
             to_string(c.shape()));
  const int64_t out = filters.shape[0], frames = c.columns() / stride;
  const Value x = c.reshape(c.input(0), {0, frames, 1, stride}, "/reshape_in");
  const Value y = convolve(c, x, {filters.type, {out, frames, 1, size}, filters.bytes}, bias_of(c, bias, out),
                           {1, step}, {0, 0}, {0, 0}, {1, 1});
  return {as_rows(c, y)};
}

/// Heights from `begin` to `end` of rows of shape [N, times, heights, channels].
Value heights_of(Context& c, Value rows, int64_t begin, int64_t end) {
  if (begin >= end) c.refuse("no output reads its input");
  const std::vector<int64_t> mask{1, 1, 0, 1}, none{0, 0, 0, 0};
  return c.make(
      "StridedSlice",
      {rows, c.integers_constant({0, 0, begin, 0}, "/heights/begin"),
       c.integers_constant({0, 0, end, 0}, "/heights/end"), c.integers_constant({1, 1, 1, 1}, "/heights/stride")},
      attributes({{"begin_mask", mask},
                  {"end_mask", mask},
                  {"new_axis_mask", none},
                  {"shrink_axis_mask", none},
                  {"ellipsis_mask", none}}),
      Context::kNewest, "/heights");
}

/// Frames of heights of channels, [time][height][channel] in a row.
std::vector<Value> time_height(Context& c) {
  const Component& k = c.component();
  const int64_t in = k.integer("NumFiltersIn"), out = k.integer("NumFiltersOut"), height = k.integer("HeightIn"),
                height_out = k.integer("HeightOut"), step = k.integer("HeightSubsampleOut", 1);
  const std::vector<int64_t>& pairs = k.integers("Offsets");
  const Tensor& weights = k.reals("LinearParams");
  std::set<int64_t> times, heights;
  for (size_t i = 0; i + 1 < pairs.size(); i += 2) times.insert(pairs[i]), heights.insert(pairs[i + 1]);
  const auto kt = static_cast<int64_t>(times.size()), kh = static_cast<int64_t>(heights.size());
  if (in < 1 || out < 1 || height < 1 || step < 1 || kt * kh == 0 || height_out < 1 ||
      element_count(weights.shape) != out * kt * kh * in || c.columns() != kt * height * in)
    c.refuse("its sizes do not fit each other");
  const auto dilation = [&](const std::set<int64_t>& s) {
    const int64_t n = std::ssize(s);
    const int64_t span = *s.rbegin() - *s.begin();
    if (n > 1 && span % (n - 1) != 0) c.refuse("its offsets are not regular");
    return n > 1 ? span / (n - 1) : int64_t{1};
  };
  // Rows that no output reads are cut away: Model Optimizer makes negative pads of them, which no compiler takes.
  const int64_t before = -*heights.begin(), after = step * height_out - height + *heights.rbegin();
  Value rows = c.reshape(c.input(0), {0, kt, height, in}, "/reshape_in");
  if (before < 0 || after < 0)
    rows = heights_of(c, rows, std::max<int64_t>(-before, 0), height + std::min<int64_t>(after, 0));
  const Value x = c.make("Transpose", {rows, c.integers_constant({0, 3, 1, 2}, "/TransposeIn/order")}, {},
                         Context::kNewest, "/TransposeIn");
  // [out][time and height][in] -> [out][in][time][height]
  const auto from = weights.as<float>();
  std::vector<float> w(from.size());
  for (int64_t o = 0; o < out; ++o)
    for (int64_t p = 0; p < kt * kh; ++p)
      for (int64_t i = 0; i < in; ++i)
        w[static_cast<size_t>((o * in + i) * kt * kh + p)] = from[static_cast<size_t>((o * kt * kh + p) * in + i)];
  const Value y = convolve(c, x, Tensor::of(ElementType::f32, {out, in, kt, kh}, std::move(w)),
                           bias_of(c, k.reals("BiasParams"), out), {1, step}, {0, std::max<int64_t>(before, 0)},
                           {0, std::max<int64_t>(after, 0)}, {dilation(times), dilation(heights)});
  return {as_rows(c, y)};
}

/// What as_rows has made rows of, where its channels are so many; else nothing.
Value of_convolution(Value rows, int64_t channels) {
  const Node* flat = transforms::producer(rows, "Reshape");
  const Node* turned = flat ? transforms::producer(flat->input(0), "Transpose") : nullptr;
  if (!turned || !turned->name.ends_with("/Transpose")) return {};
  const Value planes = turned->input(0);
  return planes.shape().size() == 4 && planes.shape()[1] == channels && planes.shape()[2] == 1 ? planes : Value{};
}

/// The largest of `PoolSize` patches, column by column.
std::vector<Value> max_pool(Context& c) {
  const Component& k = c.component();
  const int64_t size = k.integer("PoolSize"), width = k.integer("PoolStride"), step = k.integer("PoolStep", size);
  if (size < 1 || width < 1 || step < 1 || c.columns() % width != 0 || c.columns() / width < size)
    c.refuse("its pools do not fit an input of shape " + to_string(c.shape()));
  // Behind a convolution the rows are turned after the pool, as Model Optimizer has it.
  const Value planes = of_convolution(c.input(0), width);
  const Value x = planes ? c.reshape(c.reshape(planes, {0, -1}, "/reshape_before"), {0, width, 1, c.columns() / width},
                                     "/reshape_in")
                         : c.reshape(c.input(0), {0, 1, c.columns() / width, width}, "/reshape_in");
  const auto along = [&](int64_t n) { return planes ? std::vector<int64_t>{1, n} : std::vector<int64_t>{n, 1}; };
  const std::vector<int64_t> none{0, 0};
  const Value y = c.make("MaxPool", {x},
                         attributes({{"strides", along(step)},
                                     {"pads_begin", none},
                                     {"pads_end", none},
                                     {"kernel", along(size)},
                                     {"rounding_type", std::string("floor")},
                                     {"auto_pad", std::string("explicit")}}),
                         1);
  return {planes ? as_rows(c, y) : c.reshape(y, {0, -1}, "/reshape_out")};
}

// type, becomes, conversion, limits
constexpr OperatorRow kOperators[] = {
    {"convolutional1dcomponent", "Convolution", patches},
    {"convolutionalcomponent", "Convolution", patches},
    {"maxpoolingcomponent", "MaxPool", max_pool},
    {"timeheightconvolutioncomponent", "Convolution", time_height},
};

}  // namespace

std::span<const OperatorRow> convolution_operators() { return kOperators; }

}  // namespace blobsmith::kaldi
