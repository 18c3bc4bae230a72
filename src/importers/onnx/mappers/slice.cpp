// Operators that cut a tensor up, or pad it.
#include <algorithm>

#include "importers/onnx/mapper.hpp"

namespace blobsmith::onnx_import {
namespace {

/// Slice as StridedSlice over all axes; axes that are not cut are masked out.
std::vector<Value> map_slice(Context& c) {
  const bool by_inputs = c.opset() >= 10;
  const std::vector<int64_t> starts = by_inputs ? c.constant_integers(1, "list of starts") : c.integers("starts");
  const std::vector<int64_t> ends = by_inputs ? c.constant_integers(2, "list of ends") : c.integers("ends");
  std::vector<int64_t> axes = !by_inputs       ? c.integers("axes")
                              : c.has_input(3) ? c.constant_integers(3, "list of axes")
                                               : std::vector<int64_t>{};
  std::vector<int64_t> steps =
      by_inputs && c.has_input(4) ? c.constant_integers(4, "list of steps") : std::vector<int64_t>(starts.size(), 1);
  for (size_t i = 0; axes.size() < starts.size(); ++i) axes.push_back(static_cast<int64_t>(i));
  if (ends.size() != starts.size() || axes.size() != starts.size() || steps.size() != starts.size())
    c.refuse("starts, ends, axes and steps differ in number");
  const auto rank = static_cast<size_t>(c.rank());
  std::vector<int64_t> begin(rank, 0), end(rank, 0), stride(rank, 1), mask(rank, 1);
  for (size_t i = 0; i < axes.size(); ++i) {
    const auto a = static_cast<size_t>(c.axis(axes[i], c.rank()));
    if (steps[i] == 0) c.refuse("a step is 0");
    begin[a] = starts[i];
    end[a] = ends[i];
    stride[a] = steps[i];
    mask[a] = 0;
  }
  const std::vector<int64_t> none(rank, 0);
  const Attributes a = attributes({{"begin_mask", mask},
                                   {"end_mask", mask},
                                   {"new_axis_mask", none},
                                   {"shrink_axis_mask", none},
                                   {"ellipsis_mask", none}});
  // quirk: Model Optimizer numbers the constant of the ends before that of the begins.
  return {c.make("StridedSlice",
                 {c.input(0), c.integers_constant(begin, "/Concat2"), c.integers_constant(end, "/Concat1"),
                  c.integers_constant(stride, "/Strides")},
                 a)};
}

std::vector<Value> outputs_of(Value v) {
  std::vector<Value> r;
  for (int i = 0; i < v.node->output_count(); ++i) r.push_back(v.node->value(i));
  return r;
}

std::vector<Value> map_split(Context& c) {
  const Value axis = c.integer_constant(c.axis(c.integer("axis", 0), c.rank()));
  const std::vector<int64_t> sizes = c.has_input(1) ? c.constant_integers(1, "list of sizes") : c.integers("split");
  if (!sizes.empty()) {
    if (sizes.size() != c.output_count())
      c.refuse("it has " + std::to_string(c.output_count()) + " outputs and " + std::to_string(sizes.size()) +
               " sizes");
    return outputs_of(c.make("VariadicSplit", {c.input(0), axis, c.integers_constant(sizes)}, {}, Context::kNewest,
                             "/VariadicSplit"));
  }
  return outputs_of(c.make("Split", {c.input(0), axis},
                           attributes({{"num_splits", static_cast<int64_t>(c.output_count())}}), Context::kNewest,
                           "/Split"));
}

std::vector<Value> map_pad(Context& c) {
  const std::string mode = c.text("mode", "constant");
  const std::vector<int64_t> pads = c.opset() >= 11 ? c.constant_integers(1, "list of pads") : c.integers("pads");
  const auto rank = static_cast<size_t>(c.rank());
  if (pads.size() != 2 * rank)
    c.refuse("it has " + std::to_string(pads.size()) + " pads for " + std::to_string(rank) + " axes");
  if (c.has_input(3)) c.refuse("pads of chosen axes are not supported");
  const auto middle = pads.begin() + static_cast<std::ptrdiff_t>(rank);
  std::vector<Value> inputs{c.input(0), c.integers_constant({pads.begin(), middle}),
                            c.integers_constant({middle, pads.end()})};
  if (mode == "constant")
    inputs.push_back(c.opset() >= 11 && c.has_input(2)
                         ? c.scalar(c.input(2))
                         : c.number_constant(c.input(0).type(), {}, c.opset() >= 11 ? 0 : c.real("value", 0)));
  return {c.make("Pad", inputs, attributes({{"pad_mode", mode}}))};
}

constexpr Mapper kMappers[] = {{"Slice", map_slice}, {"Split", map_split}, {"Pad", map_pad}};

}  // namespace

std::span<const Mapper> slice_mappers() { return kMappers; }

}  // namespace blobsmith::onnx_import
