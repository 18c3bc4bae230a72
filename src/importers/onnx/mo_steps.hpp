// Short words for operators that Model Optimizer doesn't know and that become several operations: no name in an IR of
// Intel's is to be met, so that nodes are named after what they do.
#pragma once
#include <cmath>

#include "importers/onnx/mo_context.hpp"

namespace blobsmith::onnx_import::mo {

/// Numbers of the type of a tensor that they meet, which in a model of halves is no FP32.
inline Tensor floats_of(ElementType type, Shape shape, std::vector<float> values) {
  if (type == ElementType::f32 || !is_float(type))
    return Tensor::of(ElementType::f32, std::move(shape), std::move(values));
  return Tensor::reals(type, std::move(shape), std::vector<double>(values.begin(), values.end()));
}

class Steps {
 public:
  explicit Steps(Context& c) : c_(c) {}

  Value make(const std::string& type, std::vector<Value> inputs, Attributes a = {}) {
    return c_.make(type, std::move(inputs), std::move(a), Context::kNewest,
                   "/" + type + "_" + std::to_string(count_++));
  }
  Value constant(Tensor t) {
    return c_.graph().constant(std::move(t), c_.name() + "/value_" + std::to_string(count_++))->value();
  }
  Value reals(Shape shape, std::vector<float> v) {
    return constant(Tensor::of(ElementType::f32, std::move(shape), std::move(v)));
  }
  Value indices(std::vector<int64_t> v) { return constant(Tensor::i64(std::move(v))); }
  /// A number of x's type.
  Value number(Value x, double v) { return c_.number_constant(x.type(), {}, v); }
  Value zeros(ElementType type, Shape shape) { return c_.number_constant(type, std::move(shape), 0); }
  Value convert(Value v, ElementType type) {
    return v.type() == type ? v
                            : make("Convert", {v}, attributes({{"destination_type", std::string(to_string(type))}}));
  }

  Value add(Value a, Value b) { return make("Add", {a, b}); }
  Value add(Value a, double b) { return add(a, number(a, b)); }
  Value subtract(Value a, Value b) { return make("Subtract", {a, b}); }
  Value multiply(Value a, Value b) { return make("Multiply", {a, b}); }
  Value multiply(Value a, double b) { return multiply(a, number(a, b)); }
  Value divide(Value a, Value b) { return make("Divide", {a, b}); }
  Value maximum(Value a, double b) { return make("Maximum", {a, number(a, b)}); }
  Value minimum(Value a, double b) { return make("Minimum", {a, number(a, b)}); }
  Value power(Value a, double b) { return make("Power", {a, number(a, b)}); }
  Value clamp(Value x, double low, double high) {
    return make("Clamp", {x}, attributes({{"min", low}, {"max", high}}));
  }
  Value floor(Value x) { return make("Floor", {x}); }
  Value round(Value x) { return make("Round", {x}, attributes({{"mode", std::string("half_to_even")}})); }
  Value reduce(const std::string& type, Value x, std::vector<int64_t> axes, bool keep_dims) {
    return make(type, {x, indices(std::move(axes))}, attributes({{"keep_dims", keep_dims}}));
  }
  Value reshape(Value x, std::vector<int64_t> shape) {
    return x.shape() == shape ? x
                              : make("Reshape", {x, indices(std::move(shape))}, attributes({{"special_zero", false}}));
  }
  Value transpose(Value x, std::vector<int64_t> order) { return make("Transpose", {x, indices(std::move(order))}); }
  Value gather(Value x, Value at, int64_t axis) {
    return make("Gather", {x, at, constant(Tensor::scalar_i64(axis))}, attributes({{"batch_dims", int64_t{0}}}));
  }
  Value concat(std::vector<Value> parts, int64_t axis) {
    return parts.size() == 1 ? parts[0] : make("Concat", std::move(parts), attributes({{"axis", axis}}));
  }
  Value product(Value a, Value b, bool transpose_b = false) {
    return make("MatMul", {a, b}, attributes({{"transpose_a", false}, {"transpose_b", transpose_b}}));
  }
  /// Elements [from, to) of an axis.
  Value slice(Value x, size_t axis, int64_t from, int64_t to) {
    if (from == 0 && to == x.shape().at(axis)) return x;
    const size_t rank = x.shape().size();
    std::vector<int64_t> begin(rank, 0), end(rank, 0), stride(rank, 1), mask(rank, 1), none(rank, 0);
    begin[axis] = from;
    end[axis] = to;
    mask[axis] = 0;
    return make("StridedSlice", {x, indices(begin), indices(end), indices(stride)},
                attributes({{"begin_mask", mask},
                            {"end_mask", mask},
                            {"new_axis_mask", none},
                            {"shrink_axis_mask", none},
                            {"ellipsis_mask", none}}));
  }

  /// x / sqrt(mean(x^2) + eps) over the last n elements, as an L2 norm, which has a stage: no square leaves it.
  Value root_mean_square_norm(Value x, int64_t n, double eps) {
    const Shape shape = x.shape();
    const auto count = static_cast<double>(n);
    const Value normal = make("NormalizeL2", {reshape(x, {1, element_count(shape) / n, n}), indices({2})},
                              attributes({{"eps", eps * count}, {"eps_mode", std::string("add")}}));
    return multiply(reshape(normal, shape), std::sqrt(count));
  }

  /// The result, which has the layer's name.
  Value done(Value v) {
    for (size_t i = 0; i < c_.input_count(); ++i)
      if (c_.has_input(i) && c_.input(i) == v) return v;
    v.node->name = c_.name();
    return v;
  }

 private:
  Context& c_;
  int count_ = 0;
};

}  // namespace blobsmith::onnx_import::mo
