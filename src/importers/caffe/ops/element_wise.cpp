// Arithmetic of tensors, and reductions.
#include <algorithm>

#include "importers/caffe/operators.hpp"
#include "importers/model_optimizer/rewrites.hpp"

namespace blobsmith::caffe {
namespace {

std::string eltwise_type(const Context& c, const Message& p) {
  const std::string operation = p.text("operation", "SUM");
  if (operation == "PROD" || operation == "0") return "Multiply";
  if (operation == "SUM" || operation == "1") return "Add";
  if (operation == "MAX" || operation == "2") return "Maximum";
  c.refuse("its operation " + operation + " can't be computed");
}

std::vector<Value> eltwise(Context& c) {
  const Message& p = c.parameters("eltwise_param");
  const std::string type = eltwise_type(c, p);
  const std::vector<double> factors = p.reals("coeff");
  std::vector<Value> inputs = c.inputs();
  if (inputs.size() < 2) c.refuse("it has fewer than two inputs");
  if (!factors.empty() && (type != "Add" || factors.size() != inputs.size()))
    c.refuse("it has " + std::to_string(factors.size()) + " coefficients for " + std::to_string(inputs.size()) +
             " inputs of a " + type);
  const bool forgotten = c.quirks() && inputs.size() > 2;  // quirk: coefficients of more than two inputs
  for (size_t i = 0; i < factors.size() && !forgotten; ++i)
    if (factors[i] != 1) {
      Tensor t = Tensor::of(ElementType::f64, Shape(inputs[i].shape().size(), 1), std::vector<double>{factors[i]});
      inputs[i] = c.linear("Multiply", inputs[i], c.constant(std::move(t), "/coeff"), "/coeff_mul");
    }
  // Several are numbered.
  const std::string part = type == "Multiply" ? "/mul_" : type == "Add" ? "/sum_" : "/max_";
  Value v = inputs[0];
  for (size_t i = 1; i < inputs.size(); ++i)
    v = c.binary(type, v, inputs[i], inputs.size() > 2 ? part + std::to_string(i) : "");
  return {v};
}

/// How Caffe lines `small` up with `large`: from an axis on, ones behind it.
Value lined_up(Context& c, Value small, Value large, size_t axis, const std::string& suffix) {
  Shape shape(large.shape().size(), 1);
  if (axis + small.shape().size() > shape.size())
    c.refuse("its second input of shape " + to_string(small.shape()) + " does not fit the first from axis " +
             std::to_string(axis) + " on");
  std::ranges::copy(small.shape(), shape.begin() + static_cast<std::ptrdiff_t>(axis));
  return small.shape() == shape ? small : c.reshape(small, shape, suffix);
}

/// `num_axes` of the input from `axis` on are those of the parameters.
Shape covered_shape(Context& c, const Message& p, size_t axis) {
  const int64_t count = p.integer("num_axes", 1), rest = c.rank() - static_cast<int64_t>(axis);
  const int64_t axes = count < 0 ? rest : count;
  if (axes > rest) c.refuse("its num_axes is " + std::to_string(count));
  const auto begin = c.shape().begin() + static_cast<std::ptrdiff_t>(axis);
  return {begin, begin + axes};
}

/// An operation with learned values along some axes: one Multiply or Add per channel, or for each place. What changes
/// nothing is left out.
Value with_blob(Context& c, const char* type, Value x, size_t i, const Message& p, size_t axis,
                const std::string& suffix, bool leave_out = true) {
  const Shape covered = covered_shape(c, p, axis);
  const std::vector<double> values = c.blob_values(i);
  const double neutral = std::string_view(type) == "Add" ? 0 : 1;
  if (leave_out && std::ranges::all_of(values, [&](double v) { return v == neutral; })) return x;
  if (std::ssize(values) != element_count(covered))
    c.refuse("its " + std::to_string(values.size()) + " parameters do not fit axes of shape " + to_string(covered));
  if (covered.size() == 1) return c.linear(type, x, values, axis, suffix);
  Shape shape(x.shape().size(), 1);
  std::ranges::copy(covered, shape.begin() + static_cast<std::ptrdiff_t>(axis));
  const Tensor& blob = c.blob(i);
  return c.make(type, {x, c.constant({blob.type, shape, blob.bytes}, suffix + "/value")}, {}, Context::kNewest, suffix);
}

std::vector<Value> scale(Context& c) {
  const Message& p = c.parameters("scale_param");
  const bool biased = p.flag("bias_term", false);
  size_t axis = c.axis(p.integer("axis", 1));
  Value v = c.input(0);
  if (c.input_count() > 1) {
    if (!c.quirks() || c.rank(1) != c.rank()) {
      v = c.binary("Multiply", v, lined_up(c, c.input(1), v, axis, "/Broadcast_"), "/Mul_");
    } else {
      v = c.binary("Multiply", v, c.input(1), "/Mul_");
    }
    p.mark_read("num_axes");
    if (biased) v = c.binary("Add", v, lined_up(c, c.constant(c.blob(0), "/bias"), v, axis, "/Bias_"), "/Add_");
    return {v};
  }
  v = with_blob(c, "Multiply", v, 0, p, axis, "/Mul_");
  if (biased) v = with_blob(c, "Add", v, 1, p, axis, "/Add_");
  return {v};
}

std::vector<Value> bias(Context& c) {
  const Message& p = c.parameters("bias_param");
  const size_t axis = c.axis(p.integer("axis", 1));
  if (c.input_count() < 2) {
    const Value v = with_blob(c, "Add", c.input(0), 0, p, axis, "", false);
    v.node->attrs.set(model_optimizer::kUnfused, true);
    return {v};
  }
  p.mark_read("num_axes");
  return {c.binary("Add", c.input(0), lined_up(c, c.input(1), c.input(0), axis, "/bias"))};
}

/// a · x + y, a one number per channel.
std::vector<Value> axpy(Context& c) {
  const Value a = lined_up(c, c.input(0), c.input(1), 0, "/a");
  return {c.binary("Add", c.binary("Multiply", c.input(1), a, "/ScaleShift_/Mul_"), c.input(2), "/Add_")};
}

/// No layer of Model Optimizer: over all axes from one on.
std::vector<Value> reduction(Context& c) {
  const Message& p = c.parameters("reduction_param");
  const std::string operation = p.text("operation", "SUM");
  const double factor = p.real("coeff", 1);
  std::vector<int64_t> axes;
  for (size_t i = c.axis(p.integer("axis", 0)); i < c.shape().size(); ++i) axes.push_back(static_cast<int64_t>(i));
  Value x = c.input(0);
  std::string type = "ReduceSum";
  if (operation == "ASUM" || operation == "2")
    x = c.make("Abs", {x}, {}, Context::kNewest, "/abs");
  else if (operation == "SUMSQ" || operation == "3")
    x = c.binary("Multiply", x, x, "/square");
  else if (operation == "MEAN" || operation == "4")
    type = "ReduceMean";
  else if (operation != "SUM" && operation != "1")
    c.refuse("its operation " + operation + " can't be computed");
  const Value y = c.make(type, {x, c.integers_constant(axes)}, attributes({{"keep_dims", false}}), Context::kNewest,
                         factor == 1 ? "" : "/reduce");
  return {factor == 1 ? y : c.binary("Multiply", y, factor)};
}

/// The places of the largest values; with out_max_val the values (along an axis) or both.
std::vector<Value> arg_max(Context& c) {
  const Message& p = c.parameters("argmax_param");
  const bool values = p.flag("out_max_val", false), along = p.has("axis");
  const int64_t k = p.integer("top_k", 1);
  const Value x = along ? c.input(0) : c.reshape(c.input(0), {0, 1, -1}, "/Flatten");
  const size_t axis = along ? c.axis(p.integer("axis", 1)) : 2;
  if (k < 1 || k > x.shape()[axis]) c.refuse("its top_k is " + std::to_string(k));
  const Value count =
      c.constant(Tensor::of(ElementType::i32, {}, std::vector<int32_t>{static_cast<int32_t>(k)}), "/TopK");
  Node* top = c.make("TopK", {x, count},
                     attributes({{"axis", static_cast<int64_t>(axis)},
                                 {"mode", std::string("max")},
                                 {"sort", std::string(c.quirks() ? "index" : "value")},
                                 {"index_element_type", std::string("i64")}}),
                     3)
                  .node;
  if (!values) return {top->value(1)};
  if (along) return {top->value(0)};
  const Value places = c.make("Convert", {top->value(1)}, attributes({{"destination_type", std::string("f32")}}),
                              Context::kNewest, "/places");
  return {c.make("Concat", {places, top->value(0)}, attributes({{"axis", int64_t{1}}}), Context::kNewest, "/both")};
}

// type, becomes, conversion, limits
constexpr OperatorRow kOperators[] = {
    {"ArgMax", "TopK", arg_max},
    {"Axpy", "Multiply", axpy},
    {"Bias", "Add", bias},
    {"Eltwise", "Add", eltwise},
    {"Reduction", "ReduceSum", reduction},
    {"Scale", "Multiply", scale},
};

}  // namespace

std::span<const OperatorRow> element_wise_operators() { return kOperators; }

}  // namespace blobsmith::caffe
