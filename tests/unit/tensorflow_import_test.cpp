// TensorFlow graphs in text form to a Graph: operators, layout, control flow, what is refused (model-optimizer spec
// §4.2, §5.1, §6.9).
#include <gtest/gtest.h>

#include <algorithm>

#include "importers/model_optimizer/options.hpp"
#include "importers/tensorflow/importer.hpp"

namespace blobsmith {
namespace {

using tensorflow_file::flatten, tensorflow_file::make_source, tensorflow_file::Model, tensorflow_file::read_graph,
    tensorflow_file::read_graph_text;

Bytes bytes_of(const std::string& text) {
  return Bytes::copy_of(std::span(reinterpret_cast<const uint8_t*>(text.data()), text.size()));
}

Graph import_text(const std::string& text, const ImportOptions& options = {}) {
  const auto none = [](const std::string&) { return std::optional<Tensor>(); };
  return import_tensorflow(make_source(flatten(read_graph_text(bytes_of(text)), {}), none), options).graph;
}

std::string dims(const std::vector<int>& shape) {
  std::string s;
  for (const int d : shape) s += " dim { size: " + std::to_string(d) + " }";
  return s;
}
std::string placeholder(const std::string& name, const std::vector<int>& shape, const std::string& type = "DT_FLOAT") {
  return "node { name: '" + name + "' op: 'Placeholder' attr { key: 'dtype' value { type: " + type +
         " } } attr { key: 'shape' value { shape {" + dims(shape) + " } } } }\n";
}
/// All elements are `value`.
std::string constant(const std::string& name, const std::vector<int>& shape, float value) {
  return "node { name: '" + name + "' op: 'Const' attr { key: 'value' value { tensor { dtype: DT_FLOAT tensor_shape {" +
         dims(shape) + " } float_val: " + std::to_string(value) + " } } } }\n";
}
std::string integers(const std::string& name, const std::vector<int>& values) {
  std::string s = "node { name: '" + name +
                  "' op: 'Const' attr { key: 'value' value { tensor { dtype: DT_INT32 tensor_shape {" +
                  dims({static_cast<int>(values.size())}) + " }";
  for (const int v : values) s += " int_val: " + std::to_string(v);
  return s + " } } } }\n";
}
std::string node(const std::string& op, const std::string& name, const std::vector<std::string>& inputs,
                 const std::string& attributes = {}) {
  std::string s = "node { name: '" + name + "' op: '" + op + "'";
  for (const std::string& i : inputs) s += " input: '" + i + "'";
  return s + " " + attributes + " }\n";
}
std::string list(const std::string& name, const std::string& values) {
  return "attr { key: '" + name + "' value { list { " + values + " } } } ";
}
const std::string kUnitStrides = list("strides", "i: 1 i: 1 i: 1 i: 1"),
                  kSame = "attr { key: 'padding' value { s: 'SAME' } }";

std::string types(const Graph& g) {
  std::string s;
  for (const Node* n : g.ordered())
    if (is_layer(*n)) s += (s.empty() ? "" : " ") + n->type;
  return s;
}
Shape output_shape(const Graph& g) { return g.results().at(0)->input(0).shape(); }

template <class F>
std::vector<Error> errors_of(F f) {
  try {
    f();
  } catch (const Error& e) {
    return {e};
  } catch (const ErrorList& list) {
    return list.errors();
  }
  return {};
}

TEST(TensorFlow, ChannelsComeToTheFrontWithoutTransposes) {
  const Graph g = import_text(placeholder("x", {1, 8, 6, 3}) + constant("w", {3, 3, 3, 4}, 0.5f) +
                              node("Conv2D", "conv", {"x", "w"}, kUnitStrides + kSame) + constant("b", {4}, 1) +
                              node("BiasAdd", "bias", {"conv", "b"}) + node("Relu", "relu", {"bias"}));
  EXPECT_EQ(types(g), "Convolution Add Relu");
  EXPECT_EQ(g.parameters()[0]->shape(), (Shape{1, 3, 8, 6}));
  EXPECT_EQ(output_shape(g), (Shape{1, 4, 8, 6}));
  EXPECT_EQ(g.results()[0]->input(0).node->name, "relu");
}

TEST(TensorFlow, ReshapesSeeTheModelsOrder) {
  const Graph g = import_text(placeholder("x", {1, 4, 5, 3}) + node("Relu", "relu", {"x"}) + integers("s", {1, 60}) +
                              node("Reshape", "flat", {"relu", "s"}));
  EXPECT_EQ(types(g), "Relu Transpose Reshape");
  EXPECT_EQ(g.ordered().back()->input(0).node->name, "flat");
}

TEST(TensorFlow, AxesAreRenamed) {
  const std::string x = placeholder("x", {1, 4, 5, 3});
  EXPECT_EQ(output_shape(import_text(x + integers("a", {1, 2}) + node("Mean", "y", {"x", "a"}))), (Shape{1, 3}));
  EXPECT_EQ(types(import_text(x + integers("a", {1, 2}) + node("Mean", "y", {"x", "a"}))), "ReduceMean");
  // What is left is [N,W,C], which rank 3 keeps.
  const Graph rows = import_text(x + integers("a", {1}) + node("Sum", "y", {"x", "a"}));
  EXPECT_EQ(types(rows), "ReduceSum Transpose");
  EXPECT_EQ(output_shape(rows), (Shape{1, 5, 3}));
  const Graph pads = import_text(x +
                                 "node { name: 'p' op: 'Const' attr { key: 'value' value { tensor { dtype: DT_INT32 "
                                 "tensor_shape { dim { size: 4 } dim { size: 2 } } int_val: 0 int_val: 0 int_val: 1 "
                                 "int_val: 2 int_val: 3 int_val: 4 int_val: 0 } } } }\n" +
                                 node("Pad", "y", {"x", "p"}));
  EXPECT_EQ(output_shape(pads), (Shape{1, 3, 7, 12}));
}

TEST(TensorFlow, ABranchOfAKnownConditionIsTaken) {
  const std::string text = placeholder("x", {1, 2}) + placeholder("train", {}, "DT_BOOL") +
                           node("Switch", "s", {"x", "train"}) + node("Relu", "off", {"s"}) +
                           node("Tanh", "on", {"s:1"}) + node("Merge", "m", {"off", "on"}) +
                           node("Sigmoid", "y", {"m"});
  ImportOptions options;
  options.cut.inputs = model_optimizer::parse_inputs("x,train->False");
  EXPECT_EQ(types(import_text(text, options)), "Relu Sigmoid");
  options.cut.inputs = model_optimizer::parse_inputs("x,train->True");
  EXPECT_EQ(types(import_text(text, options)), "Tanh Sigmoid");
  const auto errors = errors_of([&] { import_text(text); });
  ASSERT_EQ(errors.size(), 1u);
  EXPECT_NE(errors[0].hint().find("train->False"), std::string::npos) << errors[0].hint();
}

TEST(TensorFlow, FunctionsAreInlined) {
  const Graph g = import_text(
      placeholder("x", {1, 2}) +
      node("PartitionedCall", "call", {"x"}, "attr { key: 'f' value { func { name: 'twice' } } }") +
      node("Relu", "y", {"call"}) +
      "library { function { signature { name: 'twice' input_arg { name: 'a' type: DT_FLOAT } output_arg { name: 'r' "
      "type: "
      "DT_FLOAT } } node_def { name: 'sum' op: 'AddV2' input: 'a' input: 'a' } ret { key: 'r' value: 'sum:z:0' } } }");
  EXPECT_EQ(types(g), "Add Relu");
}

/// A function of the library: "name: type" arguments, its nodes in text form, what it returns.
std::string function(const std::string& name, const std::string& arguments, const std::string& nodes,
                     const std::vector<std::pair<std::string, std::string>>& returns) {
  std::string s = "function { signature { name: '" + name + "'";
  for (const char a : arguments) s += std::string(" input_arg { name: '") + a + "' type: DT_FLOAT }";
  for (const auto& [key, value] : returns) s += " output_arg { name: '" + key + "' type: DT_FLOAT }";
  s += " } " + nodes;
  for (const auto& [key, value] : returns) s += " ret { key: '" + key + "' value: '" + value + "' }";
  return s + " }\n";
}
std::string inner(std::string nodes) {
  for (size_t at = 0; (at = nodes.find("node {", at)) != std::string::npos; at += 10) nodes.replace(at, 4, "node_def");
  return nodes;
}

TEST(TensorFlow, LoopsOfAKnownLengthAreUnrolled) {
  const std::string functions =
      "attr { key: 'cond' value { func { name: 'goes_on' } } } attr { key: 'body' value { func { name: 'step' } } }";
  const std::string one =
      "node { name: 'one' op: 'Const' attr { key: 'value' value { tensor { dtype: DT_INT32 int_val: 1 tensor_shape { } "
      "} } } }\n";
  const std::string library =
      "library { " + function("goes_on", "ilx", inner(node("Less", "less", {"i", "l"})), {{"r", "less:z:0"}}) +
      function("step", "ilx", inner(one + node("AddV2", "next", {"i", "one:output:0"}) + node("Tanh", "t", {"x"})),
               {{"a", "next:z:0"}, {"b", "l"}, {"c", "t:y:0"}}) +
      "}";
  const auto scalar = [](const std::string& name, int v) {
    return "node { name: '" + name +
           "' op: 'Const' attr { key: 'value' value { tensor { dtype: DT_INT32 int_val: " + std::to_string(v) +
           " tensor_shape { } } } } }\n";
  };
  const std::string x = placeholder("x", {1, 2}), end = node("Relu", "y", {"w:2"});
  EXPECT_EQ(types(import_text(x + scalar("zero", 0) + scalar("three", 3) +
                              node("While", "w", {"zero", "three", "x"}, functions) + end + library)),
            "Tanh Tanh Tanh Relu");
  const auto open = errors_of([&] {
    import_text(x + placeholder("n", {}, "DT_INT32") + scalar("zero", 0) +
                node("While", "w", {"zero", "n", "x"}, functions) + end + library);
  });
  ASSERT_EQ(open.size(), 1u);
  EXPECT_NE(std::string(open[0].what()).find("number of iterations"), std::string::npos) << open[0].what();
}

TEST(TensorFlow, AStepOfAnLstmIsOneCell) {
  const std::string axis =
      "node { name: 'axis' op: 'Const' attr { key: 'value' value { tensor { dtype: DT_INT32 int_val: 1 tensor_shape { "
      "} } } } }\n";
  const std::string sigmoid = "Sigmoid";
  const Graph g = import_text(
      placeholder("x", {1, 3}) + placeholder("h", {1, 2}) + placeholder("c", {1, 2}) + axis +
      node("ConcatV2", "both", {"x", "h", "axis"}, "attr { key: 'N' value { i: 2 } }") + constant("w", {5, 8}, 0.5f) +
      node("MatMul", "product", {"both", "w"}) + constant("b", {8}, 0.25f) + node("BiasAdd", "sum", {"product", "b"}) +
      node("Split", "parts", {"axis", "sum"}, "attr { key: 'num_split' value { i: 4 } }") +
      constant("forget_bias", {}, 1) + node("AddV2", "forget", {"parts:2", "forget_bias"}) +
      node(sigmoid, "f", {"forget"}) + node(sigmoid, "i", {"parts"}) + node("Tanh", "j", {"parts:1"}) +
      node(sigmoid, "o", {"parts:3"}) + node("Mul", "kept", {"c", "f"}) + node("Mul", "added", {"i", "j"}) +
      node("AddV2", "c_next", {"kept", "added"}) + node("Tanh", "squashed", {"c_next"}) +
      node("Mul", "h_next", {"squashed", "o"}));
  EXPECT_EQ(types(g), "LSTMCell");
  for (const Node* n : g.all()) {
    if (!n->is("LSTMCell")) continue;
    EXPECT_EQ(n->input(5).node->constant.to_f32(), (std::vector<float>{1.25, 1.25, .25, .25, .25, .25, .25, .25}));
  }
}

TEST(TensorFlow, ASpelledSoftmaxIsOneLayer) {
  const std::string keep = "attr { key: 'keep_dims' value { b: true } }";
  const Graph g =
      import_text(placeholder("x", {1, 4, 4, 3}) + integers("axis", {3}) + node("Max", "max", {"x", "axis"}, keep) +
                  node("Sub", "sub", {"x", "max"}) + node("Exp", "exp", {"sub"}) +
                  node("Sum", "sum", {"exp", "axis"}, keep) + node("RealDiv", "y", {"exp", "sum"}));
  EXPECT_EQ(types(g), "Softmax");
}

TEST(TensorFlow, SmallConstantsKeepTheirMeaningInHalfPrecision) {
  const std::string x = placeholder("x", {1, 4}), eps = constant("eps", {}, 1e-6f);
  const auto both = [&](bool quirks) {
    ImportOptions options;
    options.quirks = quirks;
    return types(import_text(x + eps + node("Square", "s", {"x"}) + node("AddV2", "a", {"s", "eps"}) +
                                 node("Log", "y", {"a"}) + node("AddV2", "b", {"s", "eps"}) +
                                 node("RealDiv", "z", {"x", "b"}),
                             options));
  };
  EXPECT_EQ(both(true), "Power Add Power Multiply Add Log");
  const std::string guarded = both(false);
  for (const char* type : {"Clamp", "Maximum Power"}) EXPECT_NE(guarded.find(type), std::string::npos) << guarded;
}

TEST(TensorFlow, WhatIsWrongIsSaid) {
  const std::string x = placeholder("x", {1, 2});
  const auto unknown = errors_of([&] { import_text(x + node("Frobnicate", "a", {"x"}) + node("Glorp", "b", {"a"})); });
  ASSERT_EQ(unknown.size(), 2u);
  EXPECT_EQ(unknown[1].source(), "node \"b\" (Glorp)");
  const auto open = errors_of([&] {
    import_text("node { name: 'x' op: 'Placeholder' attr { key: 'dtype' value { type: DT_FLOAT } } }" +
                node("Relu", "y", {"x"}));
  });
  ASSERT_EQ(open.size(), 1u);
  EXPECT_NE(open[0].hint().find("--input-shape x="), std::string::npos);
  const auto variables =
      errors_of([&] { import_text(x + node("VariableV2", "v", {}) + node("Mul", "y", {"x", "v"})); });
  ASSERT_EQ(variables.size(), 1u);
  EXPECT_EQ(variables[0].code(), ErrorCode::MissingWeights);
  EXPECT_EQ(errors_of([] { read_graph(bytes_of("nonsense")); }).at(0).code(), ErrorCode::FileCorrupt);
  EXPECT_EQ(errors_of([] { import_text("node { name: 1 }"); }).at(0).code(), ErrorCode::FileCorrupt);
  const auto itself =
      "library { function { signature { name: 'f' output_arg { name: 'r' } } node_def { name: 'c' op: "
      "'PartitionedCall' attr { key: 'f' value { func { name: 'f' } } } } ret { key: 'r' value: 'c:output:0' } } }";
  EXPECT_EQ(errors_of([&] {
              import_text(node("PartitionedCall", "c", {}, "attr { key: 'f' value { func { name: 'f' } } }") + itself);
            })
                .at(0)
                .code(),
            ErrorCode::FileCorrupt);
}

TEST(TensorFlow, ConstantsThatRepeat) {
  const Model m = read_graph_text(bytes_of(constant("c", {2, 3}, 7) +
                                           "node { name: 'z' op: 'Const' attr { key: 'value' value { tensor { dtype: "
                                           "DT_FLOAT tensor_shape { dim { size: 2 } } } } } }"));
  EXPECT_EQ(m.nodes[0].find("value")->tensor->to_f32(), std::vector<float>(6, 7));
  EXPECT_EQ(m.nodes[1].find("value")->tensor->to_f32(), std::vector<float>(2, 0));
  EXPECT_EQ(errors_of([] { read_graph_text(bytes_of(constant("c", {1 << 20, 1 << 20}, 7))); }).at(0).code(),
            ErrorCode::FileTooLarge);
}

}  // namespace
}  // namespace blobsmith
