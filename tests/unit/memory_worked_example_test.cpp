// The worked example of memory spec §9.1, from a graph to addresses: U8 input, 6 SHAVEs, 6 CMX slices.
#include <gtest/gtest.h>

#include "transforms/pipeline.hpp"
#include "vpu/lowering/lower.hpp"
#include "vpu/pipeline.hpp"

namespace blobsmith::vpu {
namespace {

using Integers = std::vector<int64_t>;

Value convolution(Graph& g, Value in, int64_t channels, int64_t kernel, int64_t stride, const std::string& name) {
  const Shape shape{channels, in.shape()[1], kernel, kernel};
  std::vector<float> weights(static_cast<size_t>(element_count(shape)));
  for (size_t i = 0; i < weights.size(); ++i) weights[i] = static_cast<float>(i % 7) - 3;
  Node* w = g.constant(Tensor::of(ElementType::f32, shape, std::move(weights)), name + "/w");
  Attributes a;
  a.set("strides", Integers{stride, stride});
  a.set("dilations", Integers{1, 1});
  a.set("pads_begin", Integers{kernel / 2, kernel / 2});
  a.set("pads_end", Integers{kernel / 2, kernel / 2});
  return g.make("Convolution", {in, w->value()}, a, 0, name)->value();
}

Value relu(Graph& g, Value in, const std::string& name) { return g.make("Relu", {in}, {}, 0, name)->value(); }

/// a = pool(conv(in)), b = conv1x1(a); out1 = tanh(b), out2 = leakyReLU(conv(concat(a, b))).
Graph example() {
  Graph g;
  Node* in = g.parameter(ElementType::f32, {1, 5, 37, 41}, "in");
  Attributes pool;
  pool.set("strides", Integers{2, 2});
  pool.set("kernel", Integers{3, 3});
  pool.set("pads_begin", Integers{1, 1});
  pool.set("pads_end", Integers{1, 1});
  const Value a =
      g.make("MaxPool", {relu(g, convolution(g, in->value(), 13, 3, 2, "conv1"), "relu1")}, pool, 0, "a")->value();
  const Value b = relu(g, convolution(g, a, 27, 1, 1, "conv2"), "b");
  const Value out1 = g.make("Tanh", {b}, {}, 0, "out1")->value();
  Attributes axis;
  axis.set("axis", int64_t{1});
  const Value joined = g.make("Concat", {a, b}, axis, 0, "joined")->value();
  Node* slope = g.constant(Tensor::of<float>(ElementType::f32, {1}, {0.1f}), "slope");
  const Value out2 =
      g.make("PRelu", {convolution(g, joined, 11, 3, 1, "conv3"), slope->value()}, {}, 0, "out2")->value();
  g.result(out1);
  g.result(out2);
  return g;
}

std::unique_ptr<Program> place(Graph g) {
  CompileOptions options;
  options.shaves = options.slices = 6;
  options.input_precision = ElementType::u8;
  const BatchInfo batch = detect_batch(g);
  convert_to_legacy(g);
  std::unique_ptr<Program> p = lower(g, options, {.batch = batch});
  run_passes(*p);
  return p;
}

TEST(WorkedExample, EveryBufferLiesWhereTheReferencePutsIt) {
  const std::unique_ptr<Program> p = place(example());
  std::vector<const Stage*> run;
  for (const Stage* s : p->stages())
    if (s->category() != StageCategory::Special) run.push_back(s);
  ASSERT_EQ(run.size(), 8u);
  const auto at = [&](size_t i) { return run[i]->output()->placement; };
  const auto expect = [&](size_t i, StageType type, Location location, int64_t offset) {
    EXPECT_EQ(run[i]->type, type) << i;
    EXPECT_EQ(at(i).location, location) << i;
    EXPECT_EQ(at(i).offset, offset) << i;
  };
  expect(0, StageType::Convert, Location::BSS, 0);
  EXPECT_EQ(run[0]->num_shaves, 6);
  expect(1, StageType::Copy, Location::CMX, 758016);         // into the padded input of the first convolution
  expect(2, StageType::MyriadXHwOp, Location::CMX, 746112);  // 21x19x13
  expect(3, StageType::MyriadXHwOp, Location::CMX, 758016);  // the pool, inside its padded version
  expect(4, StageType::MyriadXHwOp, Location::CMX, 766656);  // b, at channel 13 of the concat
  ASSERT_NE(run[4]->injected(), nullptr);                    // a's copy into the concat rides on it
  EXPECT_EQ(run[4]->injected()->output()->placement.offset, 762496);
  expect(5, StageType::Tanh, Location::Output, 0);
  EXPECT_EQ(run[5]->num_shaves, 2);
  expect(6, StageType::MyriadXHwOp, Location::CMX, 777856);
  expect(7, StageType::Copy, Location::Output, 0);
  EXPECT_EQ(run[7]->output()->marks.io_offset % 64, 0);
  EXPECT_EQ(p->memory.bss, 17792);
}

TEST(WorkedExample, ShapesFollowTheConstants) {
  const std::unique_ptr<Program> p = place(example());
  const Data* in = p->datas()[0];
  const Data* fp16 = p->stages()[0]->output();
  EXPECT_EQ(in->strides_placement.offset, in->dims_placement.offset + 16);
  EXPECT_EQ(fp16->dims_placement.offset, in->dims_placement.offset);
  EXPECT_EQ(fp16->strides_placement.offset, in->dims_placement.offset + 32);
}

}  // namespace
}  // namespace blobsmith::vpu
