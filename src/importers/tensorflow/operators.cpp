#include "importers/tensorflow/operators.hpp"

#include <algorithm>
#include <array>

namespace blobsmith::tensorflow_import {

std::span<const OperatorRow> activation_operators();
std::span<const OperatorRow> arithmetic_operators();
std::span<const OperatorRow> control_flow_operators();
std::span<const OperatorRow> convolution_operators();
std::span<const OperatorRow> detection_operators();
std::span<const OperatorRow> detector_operators();  ///< which are not TensorFlow's: transformations make them
std::span<const OperatorRow> indexing_operators();
std::span<const OperatorRow> spelled_operators();
std::span<const OperatorRow> matmul_operators();
std::span<const OperatorRow> normalization_operators();
std::span<const OperatorRow> pooling_operators();
std::span<const OperatorRow> recurrent_operators();
std::span<const OperatorRow> reduction_operators();
std::span<const OperatorRow> resize_operators();
std::span<const OperatorRow> shape_operators();
std::span<const OperatorRow> slice_operators();

namespace {

constexpr std::array kFamilies{
    activation_operators, arithmetic_operators, control_flow_operators, convolution_operators,   detection_operators,
    indexing_operators,   spelled_operators,    matmul_operators,       normalization_operators, pooling_operators,
    recurrent_operators,  reduction_operators,  resize_operators,       shape_operators,         slice_operators};

}  // namespace

const OperatorRow* find_operator(std::string_view op) {
  for (const auto& family : kFamilies)
    if (const auto it = std::ranges::find(family(), op, &OperatorRow::op); it != family().end()) return &*it;
  const auto made = detector_operators();
  const auto it = std::ranges::find(made, op, &OperatorRow::op);
  return it == made.end() ? nullptr : &*it;
}

std::map<std::string_view, std::string_view> operators() {
  std::map<std::string_view, std::string_view> all;
  for (const auto& family : kFamilies)
    for (const OperatorRow& row : family()) all[row.op] = row.becomes;
  return all;
}

}  // namespace blobsmith::tensorflow_import
