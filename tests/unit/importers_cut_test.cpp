// Cutting, freezing and pre-processing of models on the way of Model Optimizer (model-optimizer spec §2.4, §3).
#include <gtest/gtest.h>

#include <fstream>

#include "core/float16.hpp"
#include "importers/model_optimizer/options.hpp"
#include "onnx_fixture.hpp"

namespace blobsmith {
namespace {

using namespace model_optimizer;

/// x -> relu -> conv -> sum (with relu's output) -> y, and an operator that nothing knows behind it.
ModelText chain() {
  return std::move(ModelText(13)
                       .input("x", {1, 3, 4, 4})
                       .constant("w", {3, 3, 1, 1}, {1, 2, 3, 4, 5, 6, 7, 8, 9})
                       .node("Relu", "relu", {"x"}, "r")
                       .node("Conv", "conv", {"r", "w"}, "c")
                       .node("Add", "sum", {"c", "r"}, "s")
                       .node("Nonsense", "odd", {"s"}, "y")
                       .output("y"));
}

Graph cut(const ModelText& m, const std::string& inputs, const std::string& outputs) {
  ImportOptions o;
  if (!inputs.empty()) o.cut.inputs = parse_inputs(inputs);
  if (!outputs.empty()) o.cut.outputs = parse_places(outputs);
  return m.import(o);
}

std::vector<std::string> names(const std::vector<Node*>& nodes) {
  std::vector<std::string> r;
  for (const Node* n : nodes) r.push_back(n->is("Result") ? n->input(0).node->name : n->name);
  return r;
}
using Names = std::vector<std::string>;

template <class F>
ErrorCode code_of(F f) {
  try {
    f();
  } catch (const Error& e) {
    return e.code();
  }
  return ErrorCode::Internal;
}

TEST(ImporterOptions, AreReadAsModelOptimizerWritesThem) {
  const auto inputs = parse_inputs("0:node1[3 4],node2:1[2]{i32}->[20 15],train->False");
  ASSERT_EQ(inputs.size(), 3u);
  EXPECT_EQ(inputs[0].place, "0:node1");
  EXPECT_EQ(inputs[0].shape, (Shape{3, 4}));
  EXPECT_EQ(inputs[1].type, ElementType::i32);
  EXPECT_EQ(inputs[1].value, (std::vector<std::string>{"20", "15"}));
  EXPECT_EQ(inputs[2].value, (std::vector<std::string>{"False"}));
  EXPECT_EQ(parse_shapes("[1,3,2,2],(4,5)"), (std::vector<Shape>{{1, 3, 2, 2}, {4, 5}}));
  const auto values = parse_channel_values("a[1,2.5],b[-3]");
  EXPECT_EQ(values[0].values, (std::vector<double>{1, 2.5}));
  EXPECT_EQ(values[1].input, "b");
  for (const char* bad : {"[1,x]", "1,2", "[]", "a[1],[2]", "[1"})
    EXPECT_THROW(parse_channel_values(bad), Error) << bad;
  for (const char* bad : {"", "a[0 1]", "a{what}", "a->", "[1 2]"}) EXPECT_THROW(parse_inputs(bad), Error) << bad;
  for (const char* bad : {"1,3", "[1,-2]", "a[1]"}) EXPECT_THROW(parse_shapes(bad), Error) << bad;
  EXPECT_THROW(parse_places("a,,b"), Error);
}

TEST(ImporterCut, EndsAtLayersAndTensors) {
  EXPECT_THROW(chain().import(), ErrorList) << "the operator behind the cut is unknown";
  EXPECT_EQ(names(cut(chain(), "", "sum").results()), Names{"sum"});
  EXPECT_EQ(names(cut(chain(), "", "sum:0,r").results()), (Names{"r", "sum"}));
  EXPECT_EQ(names(cut(chain(), "", "1:sum").results()), Names{"relu"});
}

TEST(ImporterCut, BeginsAtPortsWithTheShapesOfWhatWasThere) {
  EXPECT_EQ(code_of([] { cut(chain(), "0:sum", "sum"); }), ErrorCode::BadInputName) << "x is needed for the other port";
  const Graph both = cut(chain(), "sum", "sum");
  EXPECT_EQ(names(both.parameters()), (Names{"sum/placeholder_port_0", "sum/placeholder_port_1"}));
  EXPECT_EQ(both.parameters()[0]->shape(), (Shape{1, 3, 4, 4}));
  const Graph tensor = cut(chain(), "r", "sum");
  EXPECT_EQ(names(tensor.parameters()), Names{"r"});
  const Graph stated = cut(chain(), "conv[1 3 2 2]", "c");
  EXPECT_EQ(stated.parameters()[0]->shape(), (Shape{1, 3, 2, 2}));
}

TEST(ImporterCut, AsksForTheShapeWhereWhatComputesItIsNotKnown) {
  const ModelText m = std::move(ModelText()
                                    .input("x", {1, 3, 4, 4})
                                    .node("Nonsense", "odd", {"x"}, "o")
                                    .node("Relu", "relu", {"o"}, "y")
                                    .output("y"));
  EXPECT_EQ(names(cut(m, "relu[1 3 2 2]", "").parameters()), Names{"relu/placeholder_port_0"});
  try {
    cut(m, "relu", "");
    ADD_FAILURE() << "no error";
  } catch (const ErrorList& e) {
    EXPECT_NE(e.errors().at(0).hint().find("state that"), std::string::npos);
  }
  Diagnostics problems;
  ImportOptions o{.problems = &problems};
  o.cut.inputs = parse_inputs("relu");
  m.import(o);
  EXPECT_EQ(problems.problems.size(), 1u);
  EXPECT_EQ(problems.remarks.size(), 2u) << "one unreadable, one behind it";
}

TEST(ImporterCut, RefusesPlacesThatDoNotExist) {
  for (const char* output : {"nowhere", "relu:1", "3:sum", "x"})
    EXPECT_EQ(code_of([&] { cut(chain(), "", output); }), ErrorCode::BadInputName) << output;
  EXPECT_EQ(code_of([] { cut(chain(), "sum[1 3 4 4]", "sum"); }), ErrorCode::BadInputName) << "which port?";
  EXPECT_EQ(code_of([] { cut(chain(), "relu->1", "sum"); }), ErrorCode::BadOptionValue);
}

TEST(ImporterCut, GivesInputsValuesAndShapes) {
  const auto model = [] {
    return std::move(ModelText().input("x", {1, 2}).input("k", {2}).node("Mul", "y_", {"x", "k"}, "y").output("y"));
  };
  const Graph g = cut(model(), "x,k->[2 3]", "");
  EXPECT_EQ(names(g.parameters()), Names{"x"});
  EXPECT_EQ(layer(g, "y")->input(1).node->constant.to_f32(), (std::vector<float>{2, 3}));
  EXPECT_EQ(code_of([&] { cut(model(), "x,k->[2 3 4]", ""); }), ErrorCode::ShapeMismatch);
  EXPECT_EQ(code_of([&] { cut(model(), "x", ""); }), ErrorCode::BadInputName) << "k is needed";
  const ModelText open = std::move(ModelText().input("x", {0, 3}).node("Relu", "", {"x"}, "y").output("y"));
  ImportOptions batch;
  batch.cut.batch = 5;
  EXPECT_EQ(open.import(batch).parameters()[0]->shape(), (Shape{5, 3}));
  ImportOptions shapes;
  shapes.cut.shapes = {{2, 3}};
  EXPECT_EQ(open.import(shapes).parameters()[0]->shape(), (Shape{2, 3}));
}

ImportOptions preprocessing(const char* mean, const char* scale, bool reverse) {
  ImportOptions o{.half_precision = false};
  if (*mean) o.preprocess.mean = parse_channel_values(mean);
  if (*scale) o.preprocess.scale = parse_channel_values(scale);
  o.preprocess.reverse_input_channels = reverse;
  return o;
}

ModelText one_convolution(const char* first = "Conv") {
  ModelText m(13);
  m.input("x", {1, 3, 2, 2}).constant("w", {1, 3, 1, 1}, {1, 2, 3});
  if (first != std::string("Conv")) m.node(first, "first", {"x"}, "f");
  m.node("Conv", "conv", {first == std::string("Conv") ? "x" : "f", "w"}, "y").output("y");
  return m;
}

TEST(ImporterPreprocess, MultipliesAndAddsInTheModelsOrderOfChannels) {
  const Graph g = one_convolution().import(preprocessing("[1,2,4]", "x[2,4,8]", true));
  const Node* multiply = layer(g, "x/scale/Fused_Mul_");
  const Node* add = layer(g, "x/mean/Fused_Add_");
  ASSERT_TRUE(multiply && add);
  EXPECT_EQ(multiply->input(1).node->constant.to_f32(), (std::vector<float>{0.125f, 0.25f, 0.5f}));
  EXPECT_EQ(add->input(1).node->constant.to_f32(), (std::vector<float>{-0.5f, -0.5f, -0.5f}));
  EXPECT_EQ(layer(g, "y")->input(1).node->constant.to_f32(), (std::vector<float>{3, 2, 1}));
}

TEST(ImporterPreprocess, PutsWhatItCanIntoTheWeights) {
  const Graph scaled = one_convolution().import(preprocessing("", "[2]", false));
  EXPECT_EQ(layer(scaled, "y")->input(1).node->constant.to_f32(), (std::vector<float>{0.5f, 1, 1.5f}));
  const Graph reversed = one_convolution("Relu").import(preprocessing("", "", true));
  EXPECT_TRUE(layer(reversed, "x/reverse_input_channels/Concat")) << "a Relu is in the way";
  EXPECT_EQ(layer(reversed, "y")->input(1).node->constant.to_f32(), (std::vector<float>{1, 2, 3}));
  ModelText padded(13);
  padded.input("x", {1, 3, 2, 2}).integers("pads", {0, 0, 1, 1, 0, 0, 1, 1}).constant("w", {1, 3, 1, 1}, {1, 2, 3});
  padded.node("Pad", "pad", {"x", "pads"}, "p")
      .with_text("mode", "reflect")
      .node("Conv", "conv", {"p", "w"}, "y")
      .output("y");
  EXPECT_EQ(layer(padded.import(preprocessing("", "", true)), "y")->input(1).node->constant.to_f32(),
            (std::vector<float>{3, 2, 1}))
      << "a Pad of the plane is not";
}

TEST(ImporterPreprocess, RefusesValuesThatDoNotFit) {
  for (const char* values : {"[1,2]", "[1],[2]", "z[1]"})
    EXPECT_THROW(one_convolution().import(preprocessing(values, "", false)), Error) << values;
  EXPECT_THROW(one_convolution().import(preprocessing("", "[0]", false)), Error);
}

TEST(ImporterFormats, SayWhatToDoWithFilesThatCanNotBeRead) {
  const std::string folder = testing::TempDir();
  const auto hint_of = [&](const std::string& name, const std::string& contents) {
    std::ofstream(folder + name) << contents;
    try {
      import_model(folder + name);
    } catch (const Error& e) {
      return e.code() == ErrorCode::UnknownFormat ? e.hint() : "another error: " + std::string(e.what());
    }
    return std::string("no error");
  };
  EXPECT_NE(hint_of("m.onnx", "version https://git-lfs.github.com/spec/v1\noid sha256:0\n").find("git lfs pull"),
            std::string::npos);
  EXPECT_NE(hint_of("m.pt", "PK\3\4").find("torch.onnx.export"), std::string::npos);
  for (const char* name : {"m.caffemodel", "m-symbol.json", "m.nnet", "m.mdl", "m.tflite", "m.h5"})
    for (const char* none : {"no error", "not yet supported"})  // there is a reader, which refuses such contents
      EXPECT_EQ(hint_of(name, "x").find(none), std::string::npos) << name;
  EXPECT_TRUE(hint_of("m", "<Nnet> ").starts_with("another error")) << "a reader by its contents";
  EXPECT_NE(hint_of("m.odd", "x").find(".onnx"), std::string::npos);
  EXPECT_TRUE(is_model_file("a/b.onnx") && is_model_file("b.pth") && !is_model_file("b.blob"));
}

}  // namespace
}  // namespace blobsmith
