// Operations that OpenVINO has gained and ONNX has too, under other names: made by the rows of ONNX's operators. A row
// here gives a node of ONNX the layer's inputs, in ONNX's order, and its attributes:
//
//   GridSample(mode="bicubic")  ->  node {"GridSample", mode: "cubic"}  ->  what ops/sampling.cpp makes of it
#include "importers/openvino_ir/as_onnx.hpp"

#include <algorithm>

#include "importers/onnx/operators.hpp"

namespace blobsmith::ir {
namespace {

using importers::attributes;

/// A node of ONNX in place of the layer.
class OnnxNode {
 public:
  OnnxNode(LaterLayer& l, const char* op_type, int64_t opset) : l_(l), opset_(opset) {
    node_.name = l.name();
    node_.op_type = op_type;
    node_.outputs = {l.name()};
  }

  OnnxNode& with(const char* attribute, int64_t v) {
    onnx_file::Attribute& a = add(attribute, onnx_file::Attribute::Kind::Integer);
    a.integer = v;
    return *this;
  }
  OnnxNode& with(const char* attribute, double v) {
    onnx_file::Attribute& a = add(attribute, onnx_file::Attribute::Kind::Real);
    a.real = static_cast<float>(v);
    return *this;
  }
  OnnxNode& with(const char* attribute, std::string v) {
    onnx_file::Attribute& a = add(attribute, onnx_file::Attribute::Kind::Text);
    a.text = std::move(v);
    return *this;
  }
  OnnxNode& with(const char* attribute, std::vector<int64_t> v) {
    onnx_file::Attribute& a = add(attribute, onnx_file::Attribute::Kind::Integers);
    a.integers = std::move(v);
    return *this;
  }

  /// Its first output. Of the inputs those that it doesn't have are no values.
  Value made(const std::vector<Value>& inputs) {
    static const ImportOptions kOptions;
    importers::Session session({}, kOptions, importers::Framework::Onnx);
    for (size_t i = 0; i < inputs.size(); ++i) {
      node_.inputs.push_back(inputs[i] ? std::to_string(i) : std::string());
      if (inputs[i]) session.values[node_.inputs.back()] = inputs[i];
    }
    const onnx_import::OperatorRow* row =
        onnx_import::find_operator({}, node_.op_type, opset_, onnx_import::Column::ModelOptimizer);
    ensure(row != nullptr, "ONNX's table does not have " + node_.op_type);
    onnx_import::mo::Context context(session, node_, opset_, row->becomes);
    const Lent lent(session.graph, l_.graph());
    const Value v = row->as_model_optimizer(context).at(0);
    for (Remark& r : session.notes) l_.note(std::move(r.what));
    return v;
  }
  Node* node(const std::vector<Value>& inputs) { return made(inputs).node; }

 private:
  /// The session makes nodes in a graph of its own: it is given ours meanwhile.
  struct Lent {
    Lent(Graph& a, Graph& b) : a_(a), b_(b) { std::swap(a_, b_); }
    ~Lent() { std::swap(a_, b_); }
    Lent(const Lent&) = delete;
    Lent& operator=(const Lent&) = delete;
    Graph &a_, &b_;
  };

  onnx_file::Attribute& add(const char* attribute, onnx_file::Attribute::Kind kind) {
    onnx_file::Attribute& a = node_.attributes[attribute];
    a.kind = kind;
    return a;
  }

  LaterLayer& l_;
  int64_t opset_;
  onnx_file::Node node_;
};

std::vector<int64_t> pads_of(const LaterLayer& l) {
  std::vector<int64_t> pads = l.integers("pads_begin");
  const std::vector<int64_t> end = l.integers("pads_end");
  pads.insert(pads.end(), end.begin(), end.end());
  return pads;
}

/// "same_upper" -> "SAME_UPPER"; "explicit" is "NOTSET".
std::string auto_pad_of(const LaterLayer& l) {
  std::string mode = l.choice("auto_pad", "explicit");
  if (mode == "explicit") return "NOTSET";
  std::ranges::transform(mode, mode.begin(),
                         [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
  return mode;
}

Node* grid_sample(LaterLayer& l) {
  return OnnxNode(l, "GridSample", 20)
      .with("align_corners", int64_t{l.flag("align_corners", false)})
      .with("mode", l.choice("mode", "bilinear"))
      .with("padding_mode", l.choice("padding_mode", "zeros"))
      .node(l.all_inputs());
}

Node* is_nan(LaterLayer& l) { return OnnxNode(l, "IsNaN", 20).node(l.all_inputs()); }

Node* is_infinite(LaterLayer& l) {
  return OnnxNode(l, "IsInf", 20)
      .with("detect_negative", int64_t{l.flag("detect_negative", true)})
      .with("detect_positive", int64_t{l.flag("detect_positive", true)})
      .node(l.all_inputs());
}

/// Not beyond the largest number of FP16; NaN is not less than any.
Node* is_finite(LaterLayer& l) {
  constexpr double kLargest = 65504;
  const Value size = l.make("Abs", {l.input(0)}, {}, LaterLayer::kNewest, "/abs");
  return l.binary("LessEqual", size, kLargest).node;
}

/// The place of each update in the flat data, and how many updates each place gets.
std::vector<int64_t> updates_per_place(const LaterLayer& l, int64_t axis) {
  const Shape &data = l.input(0).shape(), &shape = l.input(2).shape();
  std::vector<int64_t> counts(static_cast<size_t>(element_count(data)), 0);
  const std::vector<int64_t> indices = l.known_integers(1, "list of indices, which a mean needs,");
  for (size_t i = 0; i < indices.size(); ++i) {
    int64_t rest = static_cast<int64_t>(i), place = 0, step = 1;
    for (size_t a = shape.size(); a-- > 0;) {
      int64_t at = rest % shape[a];
      rest /= shape[a];
      if (static_cast<int64_t>(a) == axis) at = indices[i] < 0 ? indices[i] + data[a] : indices[i];
      if (at < 0 || at >= data[a]) l.refuse("an index is out of range");
      place += at * step;
      step *= data[a];
    }
    ++counts[static_cast<size_t>(place)];
  }
  return counts;
}

/// Without the first values, places that get updates begin with what changes nothing.
Value started_anew(LaterLayer& l, const std::string& reduction) {
  constexpr double kLargest = 65504;  // of FP16
  const double nothing = reduction == "prod" ? 1 : reduction == "min" ? kLargest : reduction == "max" ? -kLargest : 0;
  const Value start = l.number_constant(l.input(0).type(), l.input(2).shape(), nothing);
  return l.make("ScatterElementsUpdate", {l.input(0), l.input(1), start, l.input(3)}, {}, LaterLayer::kNewest,
                "/start");
}

const char* onnx_reduction(const LaterLayer& l, const std::string& reduction) {
  if (reduction == "sum" || reduction == "mean" || reduction == "sub") return "add";
  if (reduction == "prod") return "mul";
  if (reduction == "min" || reduction == "max") return reduction == "min" ? "min" : "max";
  l.refuse("its reduction is " + reduction);
}

Node* scatter_elements(LaterLayer& l) {
  const std::string reduction = l.choice("reduction", "none");
  if (reduction == "none") return l.as("ScatterElementsUpdate", 0, l.all_inputs());
  const std::vector<int64_t> axes = l.known_integers(3, "axis");
  if (axes.size() != 1) l.refuse("it has several axes");
  const auto axis = static_cast<int64_t>(l.axis(axes[0], l.input(0).shape().size()));
  const bool keeps = l.flag("use_init_val", true);
  const Value data = keeps ? l.input(0) : started_anew(l, reduction);
  const Value y = OnnxNode(l, "ScatterElements", 18)
                      .with("axis", axis)
                      .with("reduction", std::string(onnx_reduction(l, reduction)))
                      .made({data, l.input(1), l.input(2)});
  if (reduction != "mean") return y.node;
  std::vector<float> parts;
  for (const int64_t count : updates_per_place(l, axis))
    parts.push_back(1.0f / static_cast<float>(std::max<int64_t>(1, count + (keeps ? 1 : 0))));
  const Tensor factors = Tensor::of(ElementType::f32, y.shape(), std::move(parts));
  y.node->name = l.name() + "/sum";
  return l.make("Multiply", {y, l.graph().constant(factors, l.name() + "/parts")->value()}).node;
}

Node* scatter_nd(LaterLayer& l) {
  const std::string reduction = l.choice("reduction", "none");
  if (reduction == "none") return l.as("ScatterNDUpdate", 0, l.all_inputs());
  const Value updates = reduction == "sub" ? l.binary("Multiply", l.input(2), -1, "/negated") : l.input(2);
  return OnnxNode(l, "ScatterND", 18)
      .with("reduction", std::string(onnx_reduction(l, reduction)))
      .node({l.input(0), l.input(1), updates});
}

/// Of booleans it is logic.
template <const char* kLogic, const char* kOfBits>
Node* bitwise(LaterLayer& l) {
  if (l.input(0).type() == ElementType::boolean) return l.make(kLogic, l.all_inputs()).node;
  return OnnxNode(l, kOfBits, 18).node(l.all_inputs());
}
constexpr char kLogicalAnd[] = "LogicalAnd", kLogicalOr[] = "LogicalOr", kLogicalXor[] = "LogicalXor",
               kLogicalNot[] = "LogicalNot", kAnd[] = "BitwiseAnd", kOr[] = "BitwiseOr", kXor[] = "BitwiseXor",
               kNot[] = "BitwiseNot";

/// The mask comes last in both; ONNX has a bias before it.
Node* deformable_convolution(LaterLayer& l) {
  if (l.choice("auto_pad", "explicit") != "explicit" && l.choice("auto_pad", "") != "valid")
    l.refuse("its padding is " + l.text("auto_pad"));
  if (!l.flag("bilinear_interpolation_pad", false)) {
    if (l.input_count() <= 3) return nullptr;
    l.refuse(
        "with a mask, and places beyond the last pixel are not towards zero (bilinear_interpolation_pad is false)");
  }
  std::vector<Value> inputs{l.input(0), l.input(2), l.input(1)};
  if (l.input_count() > 3) inputs.insert(inputs.end(), {Value{}, l.input(3)});
  return OnnxNode(l, "DeformConv", 19)
      .with("strides", l.integers("strides"))
      .with("dilations", l.integers("dilations"))
      .with("pads", pads_of(l))
      .with("group", l.integer("group", 1))
      .with("offset_group", l.integer("deformable_group", 1))
      .node(inputs);
}

/// Windows with gaps; others have an operation.
Node* dilated_max_pool(LaterLayer& l) {
  const std::vector<int64_t> dilations = l.integers("dilations");
  if (std::ranges::all_of(dilations, [](int64_t d) { return d == 1; })) return nullptr;
  return OnnxNode(l, "MaxPool", 12)
      .with("kernel_shape", l.integers("kernel"))
      .with("strides", l.integers("strides"))
      .with("dilations", dilations)
      .with("pads", pads_of(l))
      .with("auto_pad", auto_pad_of(l))
      .with("ceil_mode", int64_t{l.choice("rounding_type", "floor") != "floor"})
      .node({l.input(0)});
}

// type, first opset of this meaning, how it is made
constexpr LaterRow kOnnxForms[] = {
    {"DeformableConvolution", 8, deformable_convolution},
    {"MaxPool", 8, dilated_max_pool},
    {"GridSample", 9, grid_sample},
    {"IsFinite", 10, is_finite},
    {"IsInf", 10, is_infinite},
    {"IsNaN", 10, is_nan},
    {"ScatterElementsUpdate", 12, scatter_elements},
    {"BitwiseAnd", 13, bitwise<kLogicalAnd, kAnd>},
    {"BitwiseNot", 13, bitwise<kLogicalNot, kNot>},
    {"BitwiseOr", 13, bitwise<kLogicalOr, kOr>},
    {"BitwiseXor", 13, bitwise<kLogicalXor, kXor>},
    {"ScatterNDUpdate", 15, scatter_nd},
};

}  // namespace

std::span<const LaterRow> onnx_rows() { return kOnnxForms; }

}  // namespace blobsmith::ir
