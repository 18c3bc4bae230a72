#include "graph/ops/einsum.hpp"

#include <algorithm>
#include <cctype>

#include "graph/ops/shape_math.hpp"

namespace blobsmith::ops {
namespace {

constexpr std::string_view kDots = "...";

std::vector<std::string> split(std::string_view text, char at) {
  std::vector<std::string> parts(1);
  for (char c : text) {
    if (c == at)
      parts.emplace_back();
    else if (c != ' ')
      parts.back() += c;
  }
  return parts;
}

[[noreturn]] void fail(const std::string& what) { throw Error(ErrorCode::ShapeMismatch, what); }

bool has_dots(const std::string& subscript) { return subscript.find(kDots) != std::string::npos; }

// How many letters a subscript has.
int64_t letters(const std::string& subscript) {
  return static_cast<int64_t>(subscript.size()) - (has_dots(subscript) ? 3 : 0);
}

std::vector<std::string> labels(const std::string& subscript, int64_t rank) {
  std::vector<std::string> list;
  for (size_t i = 0; i < subscript.size(); ++i) {
    if (subscript.compare(i, kDots.size(), kDots) == 0) {
      for (int64_t k = rank - letters(subscript); k > 0; --k) list.push_back(std::to_string(k));
      i += kDots.size() - 1;
    } else {
      list.emplace_back(1, subscript[i]);
    }
  }
  if (static_cast<int64_t>(list.size()) != rank) fail("Equation doesn't fit the rank of its inputs");
  return list;
}

void collect_sizes(const std::vector<std::string>& names, const Shape& shape, std::map<std::string, int64_t>& sizes) {
  for (size_t axis = 0; axis < names.size(); ++axis) {
    const int64_t size = shape[axis];
    const auto [it, fresh] = sizes.emplace(names[axis], size);
    if (fresh) continue;
    if (it->second == 1)
      it->second = size;
    else if (size != 1 && !merge_dims(it->second, size))
      fail("Different input dimensions indicated by the same labels for Einsum must be compatible");
  }
}

std::string implicit_output(const std::string& inputs) {
  // quirk: every label once, in the order in which they appear; numpy would sum up those that appear twice.
  std::string out;
  for (char c : inputs)
    if (out.find(c) == std::string::npos && c != ',' && c != '.') out += c;
  return has_dots(inputs) ? std::string(kDots) + out : out;
}

}  // namespace

EinsumLabels read_einsum(const std::string& equation, const std::vector<Shape>& inputs) {
  const size_t arrow = equation.find("->");
  const std::string left = equation.substr(0, arrow);
  const std::vector<std::string> subscripts = split(left, ',');
  if (subscripts.size() != inputs.size()) fail("Equation must contain one subscript per input");
  EinsumLabels l;
  for (size_t i = 0; i < inputs.size(); ++i) {
    l.inputs.push_back(labels(subscripts[i], static_cast<int64_t>(inputs[i].size())));
    collect_sizes(l.inputs[i], inputs[i], l.sizes);
  }
  const std::string right =
      arrow == std::string::npos ? implicit_output(left) : split(equation.substr(arrow + 2), ',')[0];
  const int64_t unnamed =
      has_dots(right) ? std::ranges::count_if(
                            l.sizes, [](const auto& s) { return std::isdigit(static_cast<unsigned char>(s.first[0])); })
                      : 0;
  l.output = labels(right, letters(right) + unnamed);
  for (const std::string& name : l.output)
    if (!l.sizes.contains(name)) fail("Label \"" + name + "\" of the output is in no input");
  return l;
}

}  // namespace blobsmith::ops
