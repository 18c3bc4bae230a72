#include "importers/onnx/functions.hpp"

#include <array>
#include <string_view>
#include <utility>

namespace blobsmith::onnx_import::ie {
namespace {

using onnx_file::Attribute;

/// quirk: where the reference shows the address of a node that has no name; as long as one of Linux on x86-64.
constexpr std::string_view kNoAddress = "0x7fff00000000";

/// The body of one operator. Values inside are named after the node, or after the operator where the node has no name.
class Body {
 public:
  explicit Body(const onnx_file::Node& n)
      : node_(n), prefix_("Func_" + (n.name.empty() ? n.op_type + std::string(kNoAddress) : n.name)) {}

  std::string inner(std::string_view name) const { return prefix_ + std::string(name); }
  std::string input(size_t i) const { return i < node_.inputs.size() ? node_.inputs[i] : std::string(); }
  std::string output(size_t i = 0) const { return node_.outputs.at(i); }
  size_t output_count() const { return node_.outputs.size(); }
  const onnx_file::Node& call() const { return node_; }

  onnx_file::Node& add(std::string op_type, std::vector<std::string> inputs, std::string output) {
    onnx_file::Node n;
    n.op_type = std::move(op_type);
    n.inputs = std::move(inputs);
    n.outputs = {std::move(output)};
    nodes_.push_back(std::move(n));
    return nodes_.back();
  }
  std::string constant(std::string_view name, Tensor t) {
    Attribute a;
    a.kind = Attribute::Kind::Tensor;
    a.tensor = std::move(t);
    add("Constant", {}, inner(name)).attributes["value"] = std::move(a);
    return inner(name);
  }
  std::vector<onnx_file::Node> take() { return std::move(nodes_); }

 private:
  const onnx_file::Node& node_;
  std::string prefix_;
  std::vector<onnx_file::Node> nodes_;
};

void set(onnx_file::Node& n, const char* name, int64_t v) {
  Attribute a;
  a.kind = Attribute::Kind::Integer;
  a.integer = v;
  n.attributes[name] = std::move(a);
}
void set(onnx_file::Node& n, const char* name, std::vector<int64_t> v) {
  Attribute a;
  a.kind = Attribute::Kind::Integers;
  a.integers = std::move(v);
  n.attributes[name] = std::move(a);
}

void celu(Body& b) {
  const std::string alpha =
      b.constant("alpha", Tensor::of(ElementType::f32, {1}, std::vector<float>{b.call().real("alpha", 1)}));
  b.add("Div", {b.input(0), alpha}, b.inner("X_alpha"));
  b.add("Elu", {b.inner("X_alpha")}, b.inner("Elu_Result"));
  b.add("Mul", {alpha, b.inner("Elu_Result")}, b.output());
}

void or_equal(Body& b, const char* comparison) {
  b.add(comparison, {b.input(0), b.input(1)}, b.inner("O1"));
  b.add("Equal", {b.input(0), b.input(1)}, b.inner("O2"));
  b.add("Or", {b.inner("O1"), b.inner("O2")}, b.output());
}
void dynamic_quantize(Body& b) {
  const auto real = [](float v) { return Tensor::of(ElementType::f32, {}, std::vector<float>{v}); };
  const std::string low = b.constant("Q_Min", real(0)), high = b.constant("Q_Max", real(255));
  const auto step = [&](const char* op_type, std::vector<std::string> inputs, const char* name) -> onnx_file::Node& {
    return b.add(op_type, std::move(inputs), b.inner(name));
  };
  set(step("ReduceMin", {b.input(0)}, "X_Min"), "keepdims", 0);
  step("Min", {b.inner("X_Min"), low}, "X_Min_Adjusted");
  set(step("ReduceMax", {b.input(0)}, "X_Max"), "keepdims", 0);
  step("Max", {b.inner("X_Max"), low}, "X_Max_Adjusted");
  step("Sub", {b.inner("X_Max_Adjusted"), b.inner("X_Min_Adjusted")}, "X_Range");
  step("Div", {b.inner("X_Range"), high}, "Scale");
  step("Div", {b.inner("X_Min_Adjusted"), b.inner("Scale")}, "Min_Scaled");
  step("Sub", {low, b.inner("Min_Scaled")}, "Initial_ZeroPoint_FP");
  step("Clip", {b.inner("Initial_ZeroPoint_FP"), low, high}, "Clipped_ZeroPoint_FP");
  step("Round", {b.inner("Clipped_ZeroPoint_FP")}, "Rounded_ZeroPoint_FP");
  set(step("Cast", {b.inner("Rounded_ZeroPoint_FP")}, "Zeropoint"), "to", onnx_file::type_number(ElementType::u8));
  if (b.output_count() > 1) b.add("Identity", {b.inner("Scale")}, b.output(1));
  if (b.output_count() > 2) b.add("Identity", {b.inner("Zeropoint")}, b.output(2));
  b.add("QuantizeLinear", {b.input(0), b.inner("Scale"), b.inner("Zeropoint")}, b.output());
}

/// Axes are an input since opset 13, an attribute before.
class Axes {
 public:
  Axes(Body& b, int64_t opset)
      : axes_(opset >= kAxesAreInputs ? b.constant("axes", Tensor::i64({1})) : std::string()) {}
  void add(Body& b, const char* op_type, const std::string& input, const std::string& output,
           bool keep_dims = false) const {
    onnx_file::Node& n = b.add(op_type, {input}, output);
    if (keep_dims) set(n, "keepdims", 1);
    if (axes_.empty())
      set(n, "axes", std::vector<int64_t>{1});
    else
      n.inputs.push_back(axes_);
  }

 private:
  static constexpr int64_t kAxesAreInputs = 13;
  std::string axes_;
};

/// The loss per element times its weight, to `loss`; what remains of it after the reduction is the output.
void reduced_loss(Body& b, const std::string& weights) {
  const std::string reduction = b.call().text("reduction", "mean");
  const std::string weighted = reduction == "none" ? b.output() : b.inner("loss_Ndd");
  b.add("Mul", {b.inner("loss_unweighted"), weights}, weighted);
  if (reduction == "none") return;
  const bool mean = reduction == "mean";
  set(b.add("ReduceSum", {weighted}, mean ? b.inner("loss_sum") : b.output()), "keepdims", 0);
  if (!mean) return;
  set(b.add("ReduceSum", {weights}, b.inner("weight_gather_sum")), "keepdims", 0);
  b.add("Div", {b.inner("loss_sum"), b.inner("weight_gather_sum")}, b.output());
}

void unweighted_loss(Body& b, const Axes& axes) {
  const std::string reduction = b.call().text("reduction", "mean");
  if (reduction == "none") return axes.add(b, "Squeeze", b.inner("loss_N1dd"), b.output());
  axes.add(b, "Squeeze", b.inner("loss_N1dd"), b.inner("loss_Ndd"));
  set(b.add(reduction == "mean" ? "ReduceMean" : "ReduceSum", {b.inner("loss_Ndd")}, b.output()), "keepdims", 0);
}

/// Elements of the class to ignore: they gather something, and count nothing.
void mask_ignored(Body& b) {
  const std::string ignored = b.constant("const_ignore_index", Tensor::i64({b.call().integer("ignore_index", 0)}));
  b.add("Sub", {b.inner("expanded_target"), b.inner("expanded_target")}, b.inner("const_zero_target_typed"));
  set(b.add("Cast", {b.inner("expanded_target")}, b.inner("expanded_target_int64")), "to",
      onnx_file::type_number(ElementType::i64));
  b.add("Equal", {b.inner("expanded_target_int64"), ignored}, b.inner("mask"));
  b.add("Where", {b.inner("mask"), b.inner("const_zero_target_typed"), b.inner("expanded_target")},
        b.inner("transform_targets"));
}

void negative_log_likelihood(Body& b, int64_t opset) {
  const auto one_value = [](auto v) { return std::vector{v}; };
  const bool ignores = b.call().find("ignore_index") != nullptr, weighted = b.call().has_input(2);
  const std::string zero = b.constant("const_zero", Tensor::of(ElementType::i32, {1}, one_value(int32_t{0}))),
                    one = b.constant("const_one", Tensor::of(ElementType::i32, {1}, one_value(int32_t{1})));
  const Axes axes(b, opset);
  axes.add(b, "Unsqueeze", b.input(1), b.inner("expanded_target"));
  if (ignores) mask_ignored(b);
  set(b.add("GatherElements", {b.input(0), b.inner(ignores ? "transform_targets" : "expanded_target")},
            b.inner("input_gather_element")),
      "axis", 1);
  if (ignores) {
    const std::string nothing = b.constant("const_zero_float", Tensor::of(ElementType::f32, {1}, one_value(0.0f)));
    b.add("Where", {b.inner("mask"), nothing, b.inner("input_gather_element")},
          b.inner("input_gather_element_transform"));
  }
  b.add("Neg", {b.inner(ignores ? "input_gather_element_transform" : "input_gather_element")}, b.inner("loss_NCdd"));
  b.add("Slice", {b.inner("loss_NCdd"), zero, one, one}, b.inner("loss_N1dd"));
  if (!ignores && !weighted) return unweighted_loss(b, axes);
  if (!ignores) {
    b.add("Gather", {b.input(2), b.input(1)}, b.inner("weight_gather"));
  } else if (weighted) {
    b.add("Gather", {b.input(2), b.inner("transform_targets")}, b.inner("weight_gather_temp"));
    b.add("Where", {b.inner("mask"), b.inner("const_zero_float"), b.inner("weight_gather_temp")},
          b.inner("weight_gather_temp_1"));
    axes.add(b, "Squeeze", b.inner("weight_gather_temp_1"), b.inner("weight_gather"));
  } else {
    axes.add(b, "Squeeze", b.inner("mask"), b.inner("squeeze_mask"));
    const std::string all = b.constant("const_one_float", Tensor::of(ElementType::f32, {1}, one_value(1.0f)));
    b.add("Where", {b.inner("squeeze_mask"), b.inner("const_zero_float"), all}, b.inner("weight_gather"));
  }
  axes.add(b, "Squeeze", b.inner("loss_N1dd"), b.inner("loss_unweighted"));
  reduced_loss(b, b.inner("weight_gather"));
}

void loss_of_logarithms(Body& b) {
  if (b.output_count() > 1) b.add("Identity", {b.inner("X_Log")}, b.output(1));
  std::vector<std::string> inputs{b.inner("X_Log"), b.input(1)};
  if (b.call().has_input(2)) inputs.push_back(b.input(2));
  b.add("NegativeLogLikelihoodLoss", std::move(inputs), b.output()).attributes = b.call().attributes;
}

void softmax_cross_entropy(Body& b, int64_t opset) {
  const Axes axes(b, opset);
  set(b.add("ReduceMax", {b.input(0)}, b.inner("X_Max")), "axes", std::vector<int64_t>{1});
  b.add("Sub", {b.input(0), b.inner("X_Max")}, b.inner("X_Sub"));
  b.add("Exp", {b.inner("X_Sub")}, b.inner("X_Exp"));
  axes.add(b, "ReduceSum", b.inner("X_Exp"), b.inner("X_RS"), true);
  b.add("Div", {b.inner("X_Exp"), b.inner("X_RS")}, b.inner("X_Div"));
  b.add("Log", {b.inner("X_Div")}, b.inner("X_Log"));
  loss_of_logarithms(b);
}

/// The classes are the last axis of three for a LogSoftmax.
void newer_softmax_cross_entropy(Body& b, int64_t) {
  const std::string three = b.constant("Shape3D", Tensor::i64({0, 0, -1}));
  const auto step = [&](const char* op_type, std::vector<std::string> inputs, const char* name) -> onnx_file::Node& {
    return b.add(op_type, std::move(inputs), b.inner(name));
  };
  const std::vector<int64_t> swapped{0, 2, 1};
  step("Reshape", {b.input(0), three}, "X_NCD");
  set(step("Transpose", {b.inner("X_NCD")}, "X_NDC"), "perm", swapped);
  set(step("LogSoftmax", {b.inner("X_NDC")}, "X_LogSM"), "axis", 2);
  set(step("Transpose", {b.inner("X_LogSM")}, "X_LogSM_NCD"), "perm", swapped);
  step("Shape", {b.input(0)}, "X_shape");
  step("Reshape", {b.inner("X_LogSM_NCD"), b.inner("X_shape")}, "X_Log");
  loss_of_logarithms(b);
}

struct FunctionRow {
  std::string_view op_type;
  int64_t since;
  void (*expand)(Body&, int64_t opset);
  void (*newer)(Body&, int64_t opset) = nullptr;  ///< with Release::functions_in_place
};
constexpr std::array kFunctions{
    FunctionRow{"Celu", 12, [](Body& b, int64_t) { celu(b); }},
    FunctionRow{"DynamicQuantizeLinear", 11, [](Body& b, int64_t) { dynamic_quantize(b); }},
    FunctionRow{"GreaterOrEqual", 12, [](Body& b, int64_t) { or_equal(b, "Greater"); }},
    FunctionRow{"LessOrEqual", 12, [](Body& b, int64_t) { or_equal(b, "Less"); }},
    FunctionRow{"NegativeLogLikelihoodLoss", 12, negative_log_likelihood},
    FunctionRow{"SoftmaxCrossEntropyLoss", 12, softmax_cross_entropy, newer_softmax_cross_entropy}};

const FunctionRow* find_function(const onnx_file::Node& n, int64_t opset) {
  if (!n.domain.empty() && n.domain != "ai.onnx") return nullptr;
  for (const FunctionRow& f : kFunctions)
    if (f.op_type == n.op_type && opset >= f.since && !n.outputs.empty()) return &f;
  return nullptr;
}

}  // namespace

namespace {
void expand_in_place(onnx_file::Model& model) {
  for (size_t i = 0; i < model.nodes.size();) {
    const onnx_file::Node n = model.nodes[i];
    const FunctionRow* f = find_function(n, model.opset);
    if (!f) {
      ++i;
      continue;
    }
    Body body(n);
    (f->newer ? f->newer : f->expand)(body, model.opset);
    std::vector<onnx_file::Node> inner = body.take();
    const auto call = model.nodes.erase(model.nodes.begin() + static_cast<std::ptrdiff_t>(i));
    model.nodes.insert(call, std::make_move_iterator(inner.begin()), std::make_move_iterator(inner.end()));
  }
}
}  // namespace

void expand_functions(onnx_file::Model& model, bool in_place) {
  if (in_place) return expand_in_place(model);
  std::vector<onnx_file::Node> kept;
  bool overlooked = false;
  // Bodies are appended and looked at in their turn: they may hold such operators themselves.
  for (size_t i = 0; i < model.nodes.size(); ++i) {
    const onnx_file::Node n = std::move(model.nodes[i]);
    // quirk: the operator right behind an expanded one is overlooked.
    const FunctionRow* f = std::exchange(overlooked, false) ? nullptr : find_function(n, model.opset);
    if (!f) {
      kept.push_back(n);
      continue;
    }
    overlooked = true;
    Body body(n);
    f->expand(body, model.opset);
    for (onnx_file::Node& inner : body.take()) model.nodes.push_back(std::move(inner));
  }
  model.nodes = std::move(kept);
}

}  // namespace blobsmith::onnx_import::ie
