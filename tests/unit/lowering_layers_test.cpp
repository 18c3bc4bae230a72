// From a graph of legacy operations to the initial program (front-end spec §8, §9).
#include "core/file.hpp"
#include "core/float16.hpp"
#include "lowering_fixture.hpp"
#include "vpu/lowering/lower.hpp"
#include "vpu/program/specs.hpp"

using namespace blobsmith;
using namespace blobsmith::vpu;

namespace {

std::vector<std::string> data_names(const Program& p) {
  std::vector<std::string> r;
  for (const Data* d : p.datas()) r.push_back(d->name);
  return r;
}

/// x -> ReLU -> output.
Graph relu_graph(ElementType input = ElementType::f32) {
  Graph g;
  Node* x = g.parameter(input, {1, 4, 2, 2}, "x");
  g.result(op(g, "Relu", {x->value()}, "relu", {1, 4, 2, 2})->value());
  return g;
}

/// x -> convolution with the given window -> output.
Graph conv_graph(int64_t kernel, int64_t stride, int64_t size = 16) {
  Graph g;
  Node* x = g.parameter(ElementType::f32, {1, 4, size, size}, "x");
  Node* w = floats(g, {8, 4, kernel, kernel}, "w");
  Node* conv = op(g, "ConvolutionIE", {x->value(), w->value()}, "conv",
                  {1, 8, (size - kernel) / stride + 1, (size - kernel) / stride + 1});
  conv->attrs.set("strides", std::vector<int64_t>{stride, stride});
  conv->attrs.set("group", 1);
  g.result(conv->value());
  return g;
}

std::vector<Error> errors_of(const Graph& g) {
  try {
    lower(g, {}, {});
  } catch (const ErrorList& e) {
    return e.errors();
  }
  return {};
}

}  // namespace

TEST(Lowering, RealInputsAndOutputsAreHalfByDefault) {
  const auto p = lower(relu_graph(), {}, {});
  EXPECT_EQ(data_names(*p), (Names{"x", "relu"}));
  EXPECT_EQ(stage_names(*p), (Names{"Relu:relu"}));
  EXPECT_EQ(p->datas()[0]->desc.type, DataType::FP16);
}

TEST(Lowering, U8InputsAreConverted) {
  CompileOptions o;
  o.input_precision = ElementType::u8;
  const auto p = lower(relu_graph(), o, {});
  EXPECT_EQ(data_names(*p), (Names{"x", "relu", "x@FP16"}));
  EXPECT_EQ(stage_names(*p), (Names{"Convert:x@FP16", "Relu:relu"}));
  EXPECT_EQ(p->datas()[0]->desc.type, DataType::U8);
  EXPECT_EQ(p->find_data(p->datas()[0]->marks.fp16_copy)->name, "x@FP16");
}

TEST(Lowering, PrecisionByNameWinsOverPrecisionForAll) {
  CompileOptions o;
  o.output_precision = ElementType::f16;
  o.io_precision["relu"] = ElementType::f32;
  const auto p = lower(relu_graph(), o, {});
  EXPECT_EQ(data_names(*p), (Names{"x", "relu", "relu@FP16"}));
  EXPECT_EQ(stage_names(*p), (Names{"Relu:relu", "Convert:relu@FP16"}));
}

TEST(Lowering, ConvertStagesCanBeDisabled) {
  CompileOptions o;
  o.input_precision = ElementType::u8;
  o.disable_convert_stages = true;
  EXPECT_EQ(stage_names(*lower(relu_graph(), o, {})), (Names{"Relu:relu"}));
}

TEST(Lowering, UnknownPrecisionsAreRefused) {
  CompileOptions o;
  o.input_precision = ElementType::u16;
  EXPECT_THROW(lower(relu_graph(), o, {}), Error);
}

TEST(Lowering, AnInputThatIsAnOutputIsCopied) {
  Graph g;
  g.result(g.parameter(ElementType::f32, {1, 4}, "x")->value());
  const auto p = lower(g, {}, {});
  EXPECT_EQ(data_names(*p), (Names{"x", "x"}));
  EXPECT_EQ(stage_names(*p), (Names{"Copy:x@copy"}));
}

TEST(Lowering, AnInputThatIsAnOutputHasOnePrecision) {
  Graph g;
  g.result(g.parameter(ElementType::f32, {1, 4}, "x")->value());
  CompileOptions o;
  o.input_precision = ElementType::u8;
  const auto p = lower(g, o, {});
  EXPECT_EQ(p->datas().at(1)->desc.type, DataType::U8);
}

TEST(Lowering, BooleanOutputsLeaveAsRealNumbers) {
  Graph g;
  Node* x = g.parameter(ElementType::f32, {1, 4}, "x");
  g.result(op(g, "LogicalNot", {x->value()}, "not", {1, 4}, ElementType::i32)->value());
  EXPECT_EQ(lower(g, {}, {})->datas().at(1)->desc.type, DataType::S32);
  EXPECT_EQ(lower(g, {}, {.output_types = {{"not", ElementType::boolean}}})->datas().at(1)->desc.type, DataType::FP16);
}

TEST(Lowering, ConvolutionHasWeightsAndTwoFakes) {
  const Graph g = conv_graph(3, 1);
  const auto p = lower(g, {}, {});
  EXPECT_EQ(data_names(*p), (Names{"x", "conv", "<fake>", "conv@weights@conv", "<fake>"}));
  const Stage* s = p->stages().at(0);
  EXPECT_EQ(s->type, StageType::StubConv);
  EXPECT_EQ(s->get<StubSpec>().window.kernel_x, 3);
  EXPECT_TRUE(s->get<StubSpec>().try_hw);
  EXPECT_EQ(s->input(1)->desc.dim(Dim::C), 4);
  EXPECT_EQ(s->input(1)->desc.dim(Dim::N), 8);
  EXPECT_EQ(s->input(1)->content.as<Half>()[0], float_to_half(0.5f));
}

TEST(Lowering, HalfWeightsAreNotCopied) {
  Graph g;
  Node* x = g.parameter(ElementType::f16, {1, 4, 4, 4}, "x");
  Node* w = g.constant(Tensor::of(ElementType::f16, {8, 4, 1, 1}, std::vector<Half>(32, 1)), "w");
  Node* conv = op(g, "ConvolutionIE", {x->value(), w->value()}, "conv", {1, 8, 4, 4}, ElementType::f16);
  g.result(conv->value());
  const auto p = lower(g, {}, {});
  EXPECT_EQ(p->stages().at(0)->input(1)->content.data(), w->constant.bytes.data());
}

TEST(Lowering, LargeStridesAndKernelsStayOffTheHardware) {
  EXPECT_TRUE(lower(conv_graph(1, 8), {}, {})->stages().at(0)->get<StubSpec>().try_hw);
  EXPECT_FALSE(lower(conv_graph(1, 9), {}, {})->stages().at(0)->get<StubSpec>().try_hw);
  EXPECT_FALSE(lower(conv_graph(16, 1, 20), {}, {})->stages().at(0)->get<StubSpec>().try_hw);
}

TEST(Lowering, AConvolutionOverTheWholeHeightTakesTheStrideOfX) {
  Graph g;
  Node* x = g.parameter(ElementType::f32, {1, 4, 3, 16}, "x");
  Node* conv = op(g, "ConvolutionIE", {x->value(), floats(g, {8, 4, 3, 3}, "w")->value()}, "conv", {1, 8, 1, 14});
  conv->attrs.set("strides", std::vector<int64_t>{5, 1});
  g.result(conv->value());
  EXPECT_EQ(lower(g, {}, {})->stages().at(0)->get<StubSpec>().window.stride_y, 1);
}

TEST(Lowering, SameUpperPutsTheOddPadAtTheEnd) {
  Graph g;
  Node* x = g.parameter(ElementType::f32, {1, 4, 8, 8}, "x");
  Node* pool = op(g, "MaxPool", {x->value()}, "pool", {1, 4, 4, 4});
  pool->attrs.set("kernel", std::vector<int64_t>{3, 3});
  pool->attrs.set("strides", std::vector<int64_t>{2, 2});
  pool->attrs.set("auto_pad", "same_upper");
  g.result(pool->value());
  const auto p = lower(g, {}, {});
  const Stage* s = p->stages().at(0);
  EXPECT_EQ(s->get<StubSpec>().window.pad_left, 0);
  EXPECT_EQ(s->get<StubSpec>().window.pad_right, 1);
}

TEST(Lowering, PoolingPadsGrowUntilTheLastWindowFits) {
  Graph g;
  Node* x = g.parameter(ElementType::f32, {1, 4, 8, 8}, "x");
  Node* pool = op(g, "MaxPool", {x->value()}, "pool", {1, 4, 4, 4});  // rounded up
  pool->attrs.set("kernel", std::vector<int64_t>{3, 3});
  pool->attrs.set("strides", std::vector<int64_t>{2, 2});
  g.result(pool->value());
  const auto p = lower(g, {}, {});
  EXPECT_EQ(p->stages().at(0)->get<StubSpec>().window.pad_bottom, 1);
  EXPECT_TRUE(p->stages().at(0)->get<StubSpec>().try_hw);
}

TEST(Lowering, PermutationMapsOutputDimensionsToInputDimensions) {
  Graph g;
  Node* x = g.parameter(ElementType::f32, {1, 2, 3, 4}, "x");
  Node* order = g.constant(Tensor::i64({0, 2, 3, 1}), "order");
  g.result(op(g, "Transpose", {x->value(), order->value()}, "nhwc", {1, 3, 4, 2})->value());
  const auto p = lower(g, {}, {});
  EXPECT_EQ(p->stages().at(0)->get<PermuteSpec>().permutation,
            (DimValues{{Dim::W, 2}, {Dim::H, 0}, {Dim::C, 1}, {Dim::N, 3}}));
}

TEST(Lowering, UnusedOutputsOfASplitKeepTheirPlace) {
  Graph g;
  Node* x = g.parameter(ElementType::f32, {1, 6, 2, 2}, "x");
  Node* split = g.add("Split", {x->value(), g.constant(Tensor::scalar_i64(1), "axis")->value()}, 0, "split");
  g.set_outputs(split,
                {{ElementType::f32, {1, 2, 2, 2}}, {ElementType::f32, {1, 2, 2, 2}}, {ElementType::f32, {1, 2, 2, 2}}});
  g.result(split->value(0));
  g.result(split->value(2));
  const auto p = lower(g, {}, {});
  const Stage* s = p->stages().at(0);
  ASSERT_EQ(s->output_count(), 2);
  EXPECT_EQ(s->get<PartsSpec>().offsets.at(1)[Dim::C], 4);
}

TEST(Lowering, AllProblemsAreReportedInNetworkOrder) {
  Graph g;
  Node* x = g.parameter(ElementType::f32, {1, 4, 2, 2}, "x");
  Node* a = op(g, "Abs", {x->value()}, "first", {1, 4, 2, 2});
  Node* r = op(g, "Relu", {a->value()}, "relu", {1, 4, 2, 2});
  g.result(op(g, "Sign", {r->value()}, "second", {1, 4, 2, 2})->value());
  const std::vector<Error> errors = errors_of(g);
  ASSERT_EQ(errors.size(), 2u);
  EXPECT_STREQ(errors[0].what(), "Failed to compile layer \"first\": unsupported layer type \"Abs\"");
  EXPECT_STREQ(errors[1].what(), "Failed to compile layer \"second\": unsupported layer type \"Sign\"");
}

TEST(Lowering, UnknownLayersCanBeIgnored) {
  Graph g;
  Node* x = g.parameter(ElementType::f32, {1, 4, 2, 2}, "x");
  g.result(op(g, "Abs", {x->value()}, "abs", {1, 4, 2, 2})->value());
  CompileOptions o;
  o.ignore_unknown_layers = true;
  EXPECT_EQ(stage_names(*lower(g, o, {})), (Names{"None:abs"}));
}

TEST(Lowering, MvnOfOpset2IsRefusedWithItsInputs) {
  Graph g;
  Node* x = g.parameter(ElementType::f32, {1, 4, 2, 2}, "x");
  g.result(op(g, "MVN", {x->value()}, "MVN_1", {1, 4, 2, 2})->value());
  const std::vector<Error> errors = errors_of(g);
  ASSERT_EQ(errors.size(), 1u);
  EXPECT_STREQ(errors[0].what(),
               "Failed to compile layer \"MVN_1\": 1 inputs provided to MVN_1 layer, but 2 expected.");
}

TEST(Lowering, TooShortWeightsAreAnError) {
  Graph g;
  Node* x = g.parameter(ElementType::f32, {1, 4, 4, 4}, "x");
  Node* w = g.constant(Tensor{ElementType::f32, {8, 4, 3, 3}, Bytes::adopt(std::vector<float>(8))}, "w");
  g.result(op(g, "ConvolutionIE", {x->value(), w->value()}, "conv", {1, 8, 2, 2})->value());
  EXPECT_EQ(errors_of(g).size(), 1u);
}

TEST(Lowering, CopiesOfInputsAreMadeFromTheLastToTheFirst) {
  Graph g;
  for (const char* name : {"a", "b", "c"}) g.result(g.parameter(ElementType::f32, {1, 4}, name)->value());
  EXPECT_EQ(stage_names(*lower(g, {}, {})), (Names{"Copy:c@copy", "Copy:b@copy", "Copy:a@copy"}));
}

TEST(Lowering, LayersReadTheOutputThatAnInputIsCopiedTo) {
  Graph g;
  Node* x = g.parameter(ElementType::f32, {1, 4, 2, 2}, "x");
  g.result(x->value());
  g.result(op(g, "Relu", {x->value()}, "relu", {1, 4, 2, 2})->value());
  const auto p = lower(g, {}, {});
  EXPECT_EQ(stage_names(*p), (Names{"Copy:x@copy", "Relu:relu"}));
  EXPECT_EQ(p->stages().at(1)->input(0)->usage, DataUsage::Output);
}

TEST(Lowering, CustomLayersAreRefusedByNameAndOthersLeftAlone) {
  const std::string path = testing::TempDir() + "custom_layers.xml";
  CompileOptions options;
  options.custom_layers = path;
  write_file(path, std::string(R"(<CustomLayers><CustomLayer name="Sort" type="MVCL" version="1"/></CustomLayers>)"));
  EXPECT_NO_THROW(lower(relu_graph(), options, {}));
  write_file(path, std::string(R"(<CustomLayer name="relu" type="MVCL" version="1"/>)"));
  try {
    lower(relu_graph(), options, {});
    FAIL() << "a custom layer was compiled";
  } catch (const ErrorList& e) {
    ASSERT_EQ(e.errors().size(), 1u);
    EXPECT_EQ(e.errors()[0].code(), ErrorCode::NotYetSupported);
    EXPECT_FALSE(e.errors()[0].layer().empty());
  }
}
