// Parts of tensors, and what is put around them.
#include <algorithm>

#include "importers/tensorflow/operators.hpp"

namespace blobsmith::tensorflow_import {
namespace {

struct SlicePlan {
  std::vector<SliceAxis> axes;    ///< one for each of the input
  std::vector<int64_t> squeezed;  ///< axes of the input that one element was taken of
  std::vector<int64_t> added;     ///< new axes of size 1, counted in the result
};

/// Masks are bits of the stated positions; an ellipsis stands for all axes that are not stated.
SlicePlan plan(Context& c) {
  const std::vector<int64_t> begin = c.integers_of(1, "begin"), end = c.integers_of(2, "end"),
                             step = c.integers_of(3, "strides");
  const auto stated = static_cast<int64_t>(begin.size());
  if (end.size() != begin.size() || step.size() != begin.size() || stated > 32)
    c.refuse("its begin, end and strides differ in size");
  const auto mask = [&](const char* attribute) { return static_cast<uint64_t>(c.node().integer(attribute, 0)); };
  const uint64_t begins = mask("begin_mask"), ends = mask("end_mask"), ellipses = mask("ellipsis_mask"),
                 news = mask("new_axis_mask"), ones = mask("shrink_axis_mask");
  int64_t taken = 0;
  for (int64_t i = 0; i < stated; ++i)
    if (!(ellipses >> i & 1) && !(news >> i & 1)) ++taken;
  if (taken > c.rank())
    c.refuse("it takes parts of " + std::to_string(taken) + " axes, its input has " + std::to_string(c.rank()));
  SlicePlan p;
  int64_t out = 0;
  for (int64_t i = 0; i < stated; ++i) {
    const auto at = static_cast<size_t>(i);
    if (ellipses >> i & 1) {
      for (int64_t k = taken; k < c.rank(); ++k, ++out) p.axes.emplace_back();
    } else if (news >> i & 1) {
      p.added.push_back(out++);
    } else {
      SliceAxis a{begin[at], end[at], step[at], (begins >> i & 1) != 0, (ends >> i & 1) != 0, (ones >> i & 1) != 0};
      if (a.one) {
        p.squeezed.push_back(static_cast<int64_t>(p.axes.size()));
        const int64_t size = c.input(0).shape()[p.axes.size()];
        if (a.begin < -size || a.begin >= size)
          c.refuse("it takes element " + std::to_string(a.begin) + " of " + std::to_string(size));
        a.end = a.begin == -1 ? size : a.begin + 1;
        a.step = 1;
        a.from_start = a.to_end = false;
      } else {
        ++out;
      }
      p.axes.push_back(a);
    }
  }
  while (static_cast<int64_t>(p.axes.size()) < c.rank()) p.axes.emplace_back();
  return p;
}

}  // namespace

Value sliced(Context& c, Value x, const std::vector<SliceAxis>& axes, const std::string& suffix) {
  const std::string name = c.name() + suffix;
  return sliced(c, x, axes, suffix, {name + "/begin", name + "/end", name + "/stride"});
}

Value sliced(Context& c, Value x, const std::vector<SliceAxis>& axes, const std::string& suffix,
             const std::array<std::string, 3>& names) {
  std::vector<int64_t> begin, end, step, from_start, to_end;
  for (const SliceAxis& a : axes) {
    begin.push_back(a.begin);
    end.push_back(a.end);
    step.push_back(a.step);
    from_start.push_back(a.from_start);
    to_end.push_back(a.to_end);
  }
  const std::vector<int64_t> none(axes.size(), 0);
  return c.make(
      "StridedSlice",
      {x, c.named_integers(begin, names[0]), c.named_integers(end, names[1]), c.named_integers(step, names[2])},
      attributes({{"begin_mask", from_start},
                  {"end_mask", to_end},
                  {"new_axis_mask", none},
                  {"shrink_axis_mask", none},
                  {"ellipsis_mask", none}}),
      Context::kNewest, suffix);
}

namespace {

std::vector<Value> strided_slice(Context& c) {
  const SlicePlan p = plan(c);
  const bool changes_rank = !p.squeezed.empty() || !p.added.empty();
  const std::array<std::string, 3> names{c.constant_name(1), c.constant_name(2), c.constant_name(3)};
  Value v = p.axes.empty() ? c.input(0) : sliced(c, c.input(0), p.axes, changes_rank ? "/StridedSlice" : "", names);
  if (!p.squeezed.empty())
    v = c.make("Squeeze", {v, c.integers_constant(p.squeezed, "/Squeeze_shrink/value")}, {}, Context::kNewest,
               p.added.empty() ? "" : "/Squeeze_shrink");
  if (!p.added.empty()) v = c.make("Unsqueeze", {v, c.integers_constant(p.added, "/Unsqueeze_new/value")});
  return {v};
}

std::vector<Value> slice(Context& c) {
  const std::vector<int64_t> begin = c.integers_of(1, "begin"), size = c.integers_of(2, "size");
  if (static_cast<int64_t>(begin.size()) != c.rank() || size.size() != begin.size())
    c.refuse("begin is " + to_string(begin) + ", size " + to_string(size));
  std::vector<SliceAxis> axes;
  for (size_t i = 0; i < begin.size(); ++i) {
    const int64_t d = c.input(0).shape()[i];
    if (begin[i] < 0 || begin[i] > d || size[i] < -1 || (size[i] >= 0 && size[i] > d - begin[i]))
      c.refuse("begin is " + to_string(begin) + ", size " + to_string(size));
    axes.push_back({begin[i], size[i] < 0 ? d : begin[i] + size[i], 1, false, false, false});
  }
  return {sliced(c, c.input(0), axes, "", {c.name() + "/Concat", c.name() + "/End", c.name() + "/Strides"})};
}

/// Columns of a list of [before, after].
Value column(Context& c, const std::vector<int64_t>& pads, size_t which, const std::string& suffix) {
  std::vector<int64_t> v;
  for (size_t i = which; i < pads.size(); i += 2) v.push_back(pads[i]);
  return c.integers_constant(v, suffix);
}

std::vector<Value> padded(Context& c, const char* mode, bool value) {
  const std::vector<int64_t> pads = c.integers_of(1, "list of pads");
  if (static_cast<int64_t>(pads.size()) != 2 * c.rank())
    c.refuse("its list of pads has " + std::to_string(pads.size()) + " numbers");
  std::vector<Value> inputs{c.input(0), column(c, pads, 0, "/pads_begin"), column(c, pads, 1, "/pads_end")};
  if (value) inputs.push_back(c.input(2));
  return {c.make("Pad", inputs, attributes({{"pad_mode", std::string(mode)}}))};
}
std::vector<Value> pad(Context& c) { return padded(c, "constant", false); }
std::vector<Value> pad_with(Context& c) { return padded(c, "constant", true); }
std::vector<Value> mirror_pad(Context& c) {
  const std::string mode = c.node().text("mode", "");
  if (mode != "REFLECT" && mode != "SYMMETRIC") c.refuse("mode is '" + mode + "'");
  return padded(c, mode == "REFLECT" ? "reflect" : "symmetric", false);
}

/// Axes backwards: a slice with the step -1. Model Optimizer knows it of one axis, as a sequence whose length is the
/// axis.
std::vector<Value> reverse(Context& c) {
  std::vector<SliceAxis> axes(static_cast<size_t>(c.rank()));
  const std::vector<int64_t> turned = c.integers_of(1, "list of axes");
  for (const int64_t a : turned) axes[static_cast<size_t>(c.axis(a, c.rank()))].step = -1;
  if (c.quirks() && turned.size() == 1 && c.rank() > 1) {
    const int64_t along = c.axis(turned[0], c.rank()), batch = along == 0 ? 1 : 0;
    const Shape& shape = c.input(0).shape();
    const Value lengths = c.number_constant(ElementType::f32, {shape[static_cast<size_t>(batch)]},
                                            static_cast<double>(shape[static_cast<size_t>(along)]));
    return {c.make("ReverseSequence", {c.input(0), lengths}, attributes({{"batch_axis", batch}, {"seq_axis", along}}))};
  }
  return {sliced(c, c.input(0), axes, "")};
}

std::vector<Value> reverse_sequence(Context& c) {
  return {c.make("ReverseSequence", {c.input(0), c.input(1)},
                 attributes({{"batch_axis", c.axis(c.node().integer("batch_dim", 0), c.rank())},
                             {"seq_axis", c.axis(c.node().integer("seq_dim", 0), c.rank())}}))};
}

/// Inputs: tensor, what takes the place of its part, where that begins.
std::vector<Value> update_slice(Context& c) {
  const Shape &whole = c.input(0).shape(), &part = c.input(1).shape();
  const std::vector<int64_t> at = c.integers_of(2, "indices");
  if (at.size() != whole.size() || part.size() != whole.size()) c.refuse("its inputs differ in rank");
  std::optional<size_t> axis;
  for (size_t i = 0; i < whole.size(); ++i) {
    if (part[i] == whole[i]) continue;
    if (axis || part[i] > whole[i]) c.refuse("its part is smaller in several axes");
    axis = i;
  }
  if (!axis) return {c.input(1)};
  const int64_t last = whole[*axis] - part[*axis], begin = std::clamp<int64_t>(at[*axis], 0, last);
  const auto slice = [&](int64_t from, int64_t count, const char* suffix) {
    std::vector<int64_t> begins(whole.size(), 0), sizes(whole.begin(), whole.end());
    begins[*axis] = from;
    sizes[*axis] = count;
    return c
        .apply("Slice",
               {c.input(0), c.integers_constant(begins, std::string(suffix) + "/begin"),
                c.integers_constant(sizes, std::string(suffix) + "/size")},
               {}, suffix)
        .at(0);
  };
  std::vector<Value> parts;
  if (begin > 0) parts.push_back(slice(0, begin, "/before"));
  parts.push_back(c.input(1));
  if (begin < last) parts.push_back(slice(begin + part[*axis], last - begin, "/behind"));
  if (parts.size() == 1) return parts;
  parts.push_back(c.integer_constant(static_cast<int64_t>(*axis), "/axis"));
  return c.apply("ConcatV2", std::move(parts), {}, "");
}

constexpr OperatorRow kOperators[] = {
    {"StridedSlice", "StridedSlice", strided_slice},
    {"Slice", "StridedSlice", slice},
    {"Pad", "Pad", pad},
    {"PadV2", "Pad", pad_with},
    {"MirrorPad", "Pad", mirror_pad},
    {"ReverseV2", "StridedSlice", reverse},
    {"ReverseSequence", "ReverseSequence", reverse_sequence},
    {"XlaDynamicUpdateSlice", "Concat", update_slice},
};

}  // namespace

std::span<const OperatorRow> slice_operators() { return kOperators; }

}  // namespace blobsmith::tensorflow_import
