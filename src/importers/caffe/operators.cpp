#include "importers/caffe/operators.hpp"

#include <array>

#include "importers/caffe/as_model_optimizer.hpp"

namespace blobsmith {
namespace caffe {

std::span<const OperatorRow> activation_operators();
std::span<const OperatorRow> convolution_operators();
std::span<const OperatorRow> detection_operators();
std::span<const OperatorRow> element_wise_operators();
std::span<const OperatorRow> normalization_operators();
std::span<const OperatorRow> resize_operators();
std::span<const OperatorRow> shape_operators();

namespace {

constexpr std::array kFamilies{activation_operators,   convolution_operators,   detection_operators,
                               element_wise_operators, normalization_operators, resize_operators,
                               shape_operators};

}  // namespace

const OperatorRow* find_operator(std::string_view type) {
  const std::string plain = plain_type(type);
  for (const auto rows : kFamilies)
    for (const OperatorRow& row : rows())
      if (plain_type(row.type) == plain) return &row;
  return nullptr;
}

const Message& Context::parameters(std::string_view parameters_name) const {
  static const Message kNone;
  const Message* m = layer_.message.message(parameters_name);
  return m ? *m : kNone;
}

const Tensor& Context::blob(size_t i) const {
  if (!has_blob(i))
    throw refusal("the weights file has no " + std::string(i == 0 ? "weights" : "blob " + std::to_string(i)) +
                  " for it")
        .hint("the .prototxt and the .caffemodel must be of the same network: layers are matched by name");
  return layer_.blobs[i];
}

std::vector<double> Context::blob_values(size_t i) const {
  const auto values = blob(i).as<float>();
  return {values.begin(), values.end()};
}

}  // namespace caffe

std::vector<FrameworkOperator> caffe_operators() {
  std::vector<FrameworkOperator> list;
  for (const auto rows : caffe::kFamilies)
    for (const caffe::OperatorRow& row : rows()) list.push_back({row.type, row.becomes, row.limits});
  return list;
}

}  // namespace blobsmith
