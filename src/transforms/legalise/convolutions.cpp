// Convolutions whose weights the network computes: the VPU's stages want constants. The pixels under every place of the
// window lie side by side, and a product of matrices does the rest; transposed ones are the product first, and then
// blocks added up where they overlap, which a transposed convolution by constant ones does.
#include <algorithm>

#include "graph/ops/known_value.hpp"
#include "transforms/faults/rewrites.hpp"
#include "transforms/legalise/terms.hpp"
#include "transforms/legalise/windows.hpp"

namespace blobsmith::legalise_rows {
namespace {

constexpr int64_t kMostPlaces = 1024;

int64_t product_of(const Shape& s, size_t from, size_t to) {
  int64_t r = 1;
  for (size_t i = from; i < to; ++i) r *= s[i];
  return r;
}

bool has_computed_weights(const Node& n) {
  return is_static(n.shape()) && is_static(n.input(0).shape()) && is_static(n.input(1).shape()) &&
         is_float(n.element_type()) && !known_value(n.input(1));
}

/// [batch, channels, ...] -> [batch, channels * places, pixels]
Value columns(Terms& t, Value x, const Window& w) {
  const Shape given = x.shape();
  std::vector<int64_t> begin(given.size(), 0), end(given.size(), 0);
  std::ranges::copy(w.before, begin.begin() + 2);
  std::ranges::copy(w.after, end.begin() + 2);
  const auto none = [](const std::vector<int64_t>& v) {
    return std::ranges::all_of(v, [](int64_t p) { return p == 0; });
  };
  if (!none(begin) || !none(end)) x = t.zeros_around(x, begin, end);
  const int64_t pixels = product_of(w.out, 0, w.out.size());
  std::vector<Value> parts;
  for (int64_t p = 0; p < w.places(); ++p) {
    int64_t rest = p;
    std::vector<int64_t> from(given.size(), 0), to = given, step(given.size(), 1);
    for (size_t i = w.kernel.size(); i-- > 0;) {
      from[i + 2] = rest % w.kernel[i] * w.dilations[i];
      to[i + 2] = from[i + 2] + (w.out[i] - 1) * w.strides[i] + 1;
      step[i + 2] = w.strides[i];
      rest /= w.kernel[i];
    }
    parts.push_back(t.reshape(t.slice(x, from, to, step), {given[0], given[1], 1, pixels}));
  }
  return t.reshape(t.concat(parts, 2), {given[0], given[1] * w.places(), pixels});
}

Value product(Terms& t, Value a, Value b) {
  return t.make("MatMul", {a, b}, transforms::attributes({{"transpose_a", false}, {"transpose_b", false}}));
}

bool is_convolution(const Node& n) {
  const size_t groups = n.is("GroupConvolution") ? 1 : 0;
  const Shape& w = n.input(1).shape();
  return has_computed_weights(n) && window_of(n, Shape(w.begin() + 2 + static_cast<std::ptrdiff_t>(groups), w.end()));
}

Value convolution(Rewriter& rw, const Node& n) {
  Terms t(rw);
  const size_t axis = n.is("GroupConvolution") ? 1 : 0;
  const Shape w = n.input(1).shape();
  const Window window = *window_of(n, Shape(w.begin() + 2 + static_cast<std::ptrdiff_t>(axis), w.end()));
  const int64_t groups = axis ? w[0] : 1, outputs = w[axis], inputs = w[axis + 1];
  const Value x = columns(t, n.input(0), window);
  const int64_t batch = x.shape()[0], pixels = x.shape()[2], terms = inputs * window.places();
  const Value second = t.reshape(x, {batch, groups, terms, pixels});
  const Value y = product(t, t.reshape(n.input(1), {1, groups, outputs, terms}), second);
  return t.reshape(y, n.shape());
}

bool is_transposed(const Node& n) {
  const Shape& w = n.input(1).shape();
  return n.input(0).shape().size() == 4 && has_computed_weights(n) && product_of(w, 2, w.size()) <= kMostPlaces;
}

Value transposed_convolution(Rewriter& rw, const Node& n) {
  Terms t(rw);
  const Shape x = n.input(0).shape(), w = n.input(1).shape();
  const int64_t places = product_of(w, 2, w.size()), outputs = w[1], pixels = x[2] * x[3];
  const Value rows = t.transpose(t.reshape(n.input(1), {w[0], outputs * places}), {1, 0});
  const Value second = t.reshape(n.input(0), {x[0], x[1], pixels});
  const Value blocks = product(t, t.reshape(rows, {1, outputs * places, w[0]}), second);
  const Value weights = ones_that_add(rw, n.element_type(), outputs, {w[2], w[3]});
  std::vector<Value> inputs{t.reshape(blocks, {x[0], outputs * places, x[2], x[3]}), weights};
  if (n.input_count() > 2) inputs.push_back(n.input(2));
  return rw.make("GroupConvolutionBackpropData", inputs, n.attrs)->value();
}

// ---- gaps in the window of a transposed convolution ---------------------------------------------------------------

/// The stage knows no dilations.
bool has_gaps(const Node& n) {
  const auto* d = n.attrs.find("dilations");
  return d && transforms::constant_of(n.input(1)) &&
         std::ranges::any_of(n.attrs.integers("dilations"), [](int64_t v) { return v != 1; });
}

/// The same window with zeros in its gaps.
Value without_gaps(Rewriter& rw, const Node& n) {
  const Tensor& w = n.input(1).node->constant;
  const std::vector<int64_t> dilations = n.attrs.integers("dilations");
  Shape wide = w.shape;
  const size_t first = wide.size() - dilations.size();
  for (size_t i = 0; i < dilations.size(); ++i) wide[first + i] = (wide[first + i] - 1) * dilations[i] + 1;
  const std::vector<float> values = w.to_f32();
  std::vector<double> spread(static_cast<size_t>(element_count(wide)), 0.0);
  for (size_t k = 0; k < values.size(); ++k) {
    auto rest = static_cast<int64_t>(k);
    int64_t at = 0, step = 1;
    for (size_t a = wide.size(); a-- > 0;) {
      const int64_t i = rest % w.shape[a];
      rest /= w.shape[a];
      at += step * (a < first ? i : i * dilations[a - first]);
      step *= wide[a];
    }
    spread[static_cast<size_t>(at)] = static_cast<double>(values[k]);
  }
  std::vector<Value> inputs = n.inputs();
  inputs[1] = rw.constant(Tensor::reals(w.type, wide, spread));
  Attributes attrs = n.attrs;
  attrs.set("dilations", std::vector<int64_t>(dilations.size(), 1));
  return rw.make(n.type, inputs, attrs, n.version)->value();
}

// ---- transposed convolutions of lines -------------------------------------------------------------------------------

bool is_of_lines(const Node& n) { return n.input(0).shape().size() == 3 && is_static(n.shape()); }

/// A line is a plane of one row.
Value as_plane(Rewriter& rw, const Node& n) {
  Terms t(rw);
  Shape x = n.input(0).shape(), w = n.input(1).shape();
  x.insert(x.begin() + 2, 1);
  w.insert(w.end() - 1, 1);
  Attributes attrs = n.attrs;
  const auto with = [&](const char* name, int64_t of_row) {
    if (!attrs.has(name)) return;
    std::vector<int64_t> v = attrs.integers(name);
    if (v.size() == 1) v.insert(v.begin(), of_row);
    attrs.set(name, v);
  };
  for (const char* name : {"strides", "dilations"}) with(name, 1);
  for (const char* name : {"pads_begin", "pads_end", "output_padding"}) with(name, 0);
  std::vector<Value> inputs{t.reshape(n.input(0), x), t.reshape(n.input(1), w)};
  if (n.input_count() > 2) inputs.push_back(t.concat({rw.indices({1}), n.input(2)}, 0));
  return t.reshape(rw.make(n.type, inputs, attrs, n.version)->value(), n.shape());
}

// ---- AvgPool --------------------------------------------------------------------------------------------------------

/// The stage divides by what lies inside of the input and of as much padding behind it as there is in front.
bool averages_uneven_padding(const Node& n) {
  if (!is_float(n.element_type()) || n.attrs.flag("exclude-pad") || !is_static(n.input(0).shape())) return false;
  return n.attrs.integers("pads_begin") != n.attrs.integers("pads_end") ||
         n.attrs.text("auto_pad", "explicit").starts_with("same");
}

Value padded_average(Rewriter& rw, const Node& n) {
  Terms t(rw);
  const Shape& x = n.input(0).shape();
  Attributes attrs = n.attrs;
  const auto &kernel = attrs.integers("kernel"), &strides = attrs.integers("strides");
  std::vector<int64_t> begin(x.size(), 0), end(x.size(), 0), none(kernel.size(), 0);
  const std::string pad = attrs.text("auto_pad", "explicit");
  for (size_t i = 0; i < kernel.size(); ++i) {
    const int64_t all = std::max<int64_t>(0, (n.shape()[i + 2] - 1) * strides[i] + kernel[i] - x[i + 2]);
    begin[i + 2] = pad == "same_upper"   ? all / 2
                   : pad == "same_lower" ? all - all / 2
                                         : attrs.integers("pads_begin")[i];
    end[i + 2] = std::max<int64_t>(0, all - begin[i + 2]);
  }
  const Value padded = t.zeros_around(n.input(0), begin, end);
  attrs.set("pads_begin", none);
  attrs.set("pads_end", none);
  attrs.set("auto_pad", std::string("explicit"));
  attrs.set("rounding_type", std::string("floor"));
  return rw.make("AvgPool", {padded}, attrs, n.version)->value();
}

// ---- patches of images ----

/// A patch that no other follows at once: those side by side become SpaceToDepth (transforms/faults).
bool takes_patches(const Node& n) {
  constexpr int64_t kMostWeights = int64_t{1} << 22;
  const Shape& x = n.input(0).shape();
  if (x.size() != 4 || !is_static(x) || !is_static(n.shape()) || !is_float(n.element_type())) return false;
  const auto& size = n.attrs.integers("sizes");
  return size.size() == 2 && n.shape()[1] * x[1] <= kMostWeights / (size[0] * size[1]) &&
         !transforms::is_reorganised(n);
}

/// One output channel for each place and channel of a patch, which weights of one 1 pick.
Value picked(Rewriter& rw, const Node& n) {
  const auto& size = n.attrs.integers("sizes");
  const int64_t channels = n.input(0).shape()[1], places = size[0] * size[1];
  std::vector<double> weights(static_cast<size_t>(places * channels * channels * places), 0.0);
  for (int64_t p = 0; p < places; ++p)
    for (int64_t c = 0; c < channels; ++c)
      weights[static_cast<size_t>(((p * channels + c) * channels + c) * places + p)] = 1;
  const Value picks =
      rw.constant(Tensor::reals(n.element_type(), {places * channels, channels, size[0], size[1]}, weights));
  const std::vector<int64_t> none(2, 0);
  return rw
      .make("Convolution", {n.input(0), picks},
            transforms::attributes({{"strides", n.attrs.integers("strides")},
                                    {"dilations", n.attrs.integers("rates")},
                                    {"pads_begin", none},
                                    {"pads_end", none},
                                    {"auto_pad", n.attrs.text("auto_pad")}}))
      ->value();
}

constexpr SpelledRow kRows[] = {
    {{"Convolution", "GroupConvolution"},
     is_convolution,
     convolution,
     "a product of matrices, as its weights are computed"},
    {{"ConvolutionBackpropData"},
     is_transposed,
     transposed_convolution,
     "a product of matrices and sums of blocks, as its weights are computed"},
    {{"ConvolutionBackpropData", "GroupConvolutionBackpropData"},
     is_of_lines,
     as_plane,
     "the same of planes of one row"},
    {{"ConvolutionBackpropData", "GroupConvolutionBackpropData"},
     has_gaps,
     without_gaps,
     "the same with zeros in the gaps of its window"},
    {{"ExtractImagePatches"}, takes_patches, picked, "a convolution whose weights pick each element"},
    {{"AvgPool"}, averages_uneven_padding, padded_average, "Pad, and an average without padding"},
};

}  // namespace

int64_t Window::places() const { return product_of(kernel, 0, kernel.size()); }

std::optional<Window> window_of(const Node& n, const Shape& kernel) {
  const Shape& x = n.input(0).shape();
  Window w{kernel, n.attrs.integers("strides"), n.attrs.integers("dilations"), {}, {}, {}};
  const std::string pad = n.attrs.text("auto_pad", "explicit");
  for (size_t i = 0; i < kernel.size(); ++i) {
    const int64_t size = x[i + 2], extent = (kernel[i] - 1) * w.dilations[i] + 1, out = n.shape()[i + 2];
    w.out.push_back(out);
    if (pad == "explicit" || pad == "notset") {
      w.before.push_back(n.attrs.integers("pads_begin")[i]);
    } else {
      const int64_t all = std::max<int64_t>(0, (out - 1) * w.strides[i] + extent - size);
      w.before.push_back(pad == "valid" ? 0 : pad == "same_lower" ? all - all / 2 : all / 2);
    }
    w.after.push_back(std::max<int64_t>(0, (out - 1) * w.strides[i] + extent - size - w.before[i]));
  }
  if (w.places() > kMostPlaces) return std::nullopt;
  return w;
}

Value ones_that_add(Rewriter& rw, ElementType type, int64_t outputs, const Shape& window) {
  const int64_t places = element_count(window);
  std::vector<double> ones(static_cast<size_t>(outputs * places * places), 0.0);
  for (int64_t k = 0; k < outputs * places; ++k) ones[static_cast<size_t>(k * places + k % places)] = 1;
  Shape shape{outputs, places, 1};
  shape.insert(shape.end(), window.begin(), window.end());
  return rw.constant(Tensor::reals(type, std::move(shape), ones));
}

std::span<const SpelledRow> convolution_rows() { return kRows; }

}  // namespace blobsmith::legalise_rows
