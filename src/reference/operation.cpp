// The table of all operations.
#include "reference/operation.hpp"

#include <array>
#include <map>

#include "graph/ops/numbers.hpp"

namespace blobsmith::reference {
namespace {

constexpr std::array kFamilies{convolution_operations,  pooling_operations,       matmul_operations,
                               elementwise_operations,  normalization_operations, resize_operations,
                               rearrange_operations,    selection_operations,     recurrent_operations,
                               control_flow_operations, roi_operations,           detection_operations,
                               proposal_operations,     sequence_operations,      einsum_operations,
                               fourier_operations,      embedding_operations,     special_convolution_operations};

}  // namespace

const OperationRow* find_operation(std::string_view type, int version) {
  static const std::multimap<std::string_view, const OperationRow*> table = [] {
    std::multimap<std::string_view, const OperationRow*> t;
    for (const auto& family : kFamilies)
      for (const OperationRow& o : family()) t.emplace(o.type, &o);
    return t;
  }();
  const auto [first, last] = table.equal_range(type);
  for (auto it = first; it != last; ++it)
    if (it->second->version == version || it->second->version == kAnyVersion) return it->second;
  return nullptr;
}

void Call::require(bool condition, std::string_view what) const {
  if (!condition)
    throw Error(ErrorCode::ShapeMismatch, "layer \"" + node_.name + "\" can't be computed: " + std::string(what))
        .at_layer(node_.name, node_.type);
}

std::span<const float> Call::floats(int i) const {
  require(input(i).type == ElementType::f32, "an input that is to be floating is not");
  return input(i).as<float>();
}

int64_t Call::out_count(int i) const {
  require(is_static(out_shape(i)), "its attributes don't say how much it gives");
  return element_count(out_shape(i));
}

std::vector<double> Call::reals(int i) const {
  if (input(i).type == ElementType::f32) return {floats(i).begin(), floats(i).end()};
  const std::vector<int64_t> v = integers(i);
  return {v.begin(), v.end()};
}

Tensor number_tensor(ElementType type, Shape shape, const std::vector<double>& values) {
  if (type == ElementType::f32) return float_tensor(std::move(shape), std::vector<float>(values.begin(), values.end()));
  return integer_tensor(type, std::move(shape), std::vector<int64_t>(values.begin(), values.end()));
}

Tensor integer_tensor(ElementType type, Shape shape, std::span<const int64_t> values) {
  return ops::store<int64_t>(type, shape, values);
}

}  // namespace blobsmith::reference
