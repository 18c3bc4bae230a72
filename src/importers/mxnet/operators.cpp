#include "importers/mxnet/operators.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "importers/mxnet/as_model_optimizer.hpp"

namespace blobsmith {
namespace mxnet {

std::span<const OperatorRow> activation_operators();
std::span<const OperatorRow> convolution_operators();
std::span<const OperatorRow> detection_operators();
std::span<const OperatorRow> element_wise_operators();
std::span<const OperatorRow> normalization_operators();
std::span<const OperatorRow> recurrent_operators();
std::span<const OperatorRow> shape_operators();

namespace {

constexpr std::array kFamilies{activation_operators,   convolution_operators,   detection_operators,
                               element_wise_operators, normalization_operators, recurrent_operators,
                               shape_operators};

}  // namespace

const OperatorRow* find_operator(std::string_view type) {
  for (const auto rows : kFamilies)
    for (const OperatorRow& row : rows())
      if (row.type == type) return &row;
  return nullptr;
}

std::string Context::text(const char* attribute, const char* fallback) const {
  const auto it = node_.attributes.find(attribute);
  return it == node_.attributes.end() || it->second == "None" ? fallback : it->second;
}

bool Context::flag(const char* attribute, bool fallback) const {
  const std::string t = text(attribute, "");
  if (t.empty()) return fallback;
  if (t == "True" || t == "true" || t == "1") return true;
  if (t == "False" || t == "false" || t == "0") return false;
  refuse("attribute " + std::string(attribute) + " is '" + t + "'");
}

std::vector<double> Context::reals(const char* attribute, std::vector<double> fallback) const {
  const std::string t = text(attribute, "");
  if (t.empty()) return fallback;
  const auto numbers = numbers_of(t);
  if (!numbers) refuse("attribute " + std::string(attribute) + " is '" + t + "'");
  return *numbers;
}

double Context::real(const char* attribute, double fallback) const {
  const std::vector<double> list = reals(attribute, {fallback});
  if (list.size() != 1) refuse("attribute " + std::string(attribute) + " is no single number");
  return list[0];
}

std::vector<int64_t> Context::integers(const char* attribute, std::vector<int64_t> fallback) const {
  if (!has(attribute)) return fallback;
  std::vector<int64_t> list;
  for (const double v : reals(attribute)) {
    if (v != std::floor(v) || std::fabs(v) > 1e15)
      refuse("attribute " + std::string(attribute) + " is no whole number");
    list.push_back(static_cast<int64_t>(v));
  }
  return list;
}

int64_t Context::integer(const char* attribute, int64_t fallback) const {
  const std::vector<int64_t> list = integers(attribute, {fallback});
  if (list.size() != 1) refuse("attribute " + std::string(attribute) + " is no single number");
  return list[0];
}

const Tensor& Context::parameter(size_t i) const {
  const Tensor* t = known(i);
  if (!t) refuse("its input " + std::to_string(i) + " is computed, or not in the file of parameters");
  return *t;
}

Value Context::transpose(Value x, std::vector<int64_t> order, const std::string& suffix) {
  return make("Transpose", {x, integers_constant(std::move(order), suffix + "/order")}, {}, kNewest, suffix);
}

}  // namespace mxnet

std::vector<FrameworkOperator> mxnet_operators() {
  std::vector<FrameworkOperator> list;
  for (const auto rows : mxnet::kFamilies)
    for (const mxnet::OperatorRow& row : rows()) list.push_back({row.type, row.becomes, row.limits});
  return list;
}

}  // namespace blobsmith
