// Recurrent layers and loops (front-end spec §6.6, §9).
#include <algorithm>

#include "core/float16.hpp"
#include "lowering_fixture.hpp"
#include "vpu/format/recurrent.hpp"
#include "vpu/lowering/lower.hpp"
#include "vpu/program/loops.hpp"
#include "vpu/program/specs.hpp"

using namespace blobsmith;
using namespace blobsmith::vpu;

namespace {

constexpr int64_t kSteps = 5, kInput = 2, kState = 1;

/// Its outputs are FP16.
Node* half_op(Graph& g, std::string type, std::vector<Value> inputs, std::string name, std::vector<Shape> shapes) {
  return op_of_several(g, std::move(type), std::move(inputs), std::move(name), std::move(shapes), ElementType::f16);
}

/// 0, 1, 2, ... as FP16.
Node* counted(Graph& g, Shape shape, std::string name) {
  std::vector<double> v(static_cast<size_t>(element_count(shape)));
  for (size_t i = 0; i < v.size(); ++i) v[i] = static_cast<double>(i);
  return g.constant(Tensor::reals(ElementType::f16, std::move(shape), v), std::move(name));
}

Node* lstm_cell(Graph& g, Value x, Value h, Value c, std::string name) {
  Node* weights = counted(g, {4 * kState, kInput + kState}, name + "/weights");
  Node* biases = counted(g, {4 * kState}, name + "/biases");
  return half_op(g, "LSTMCellIE", {x, h, c, weights->value(), biases->value()}, std::move(name),
                 {{1, kState}, {1, kState}});
}

/// A loop over axis 1 whose body is Reshape, `make_cell`, Reshape.
template <class MakeCell>
Graph loop_graph(MakeCell make_cell, int states) {
  auto body = std::make_unique<Graph>();
  Node* bx = body->parameter(ElementType::f16, {1, 1, kInput}, "bx");
  std::vector<Value> inputs{half_op(*body, "Reshape", {bx->value(), body->constant(Tensor::i64({1, kInput}))->value()},
                                    "squeeze", {{1, kInput}})
                                ->value()};
  for (int i = 0; i < states; ++i)
    inputs.push_back(body->parameter(ElementType::f16, {1, kState}, "s" + std::to_string(i))->value());
  Node* cell = make_cell(*body, inputs);
  body->result(half_op(*body, "Reshape", {cell->value(), body->constant(Tensor::i64({1, 1, kState}))->value()},
                       "unsqueeze", {{1, 1, kState}})
                   ->value());
  for (int i = 0; i < states; ++i) body->result(cell->value(i));

  Graph g;
  std::vector<Value> outer{g.parameter(ElementType::f16, {1, kSteps, kInput}, "x")->value()};
  for (int i = 0; i < states; ++i)
    outer.push_back(g.parameter(ElementType::f16, {1, kState}, "h" + std::to_string(i))->value());
  std::vector<Shape> shapes{{1, kSteps, kState}};
  for (int i = 0; i < states; ++i) shapes.push_back({1, kState});
  Node* loop = half_op(g, "TensorIterator", outer, "loop", shapes);
  loop->body = std::move(body);
  PortMap& m = loop->port_map;
  m.inputs.push_back({.outer = 0, .body_parameter = 0, .axis = 1, .sliced = true});
  m.outputs.push_back({.outer = 0, .body_result = 0, .axis = 1, .concatenated = true});
  for (int i = 0; i < states; ++i) {
    m.inputs.push_back({.outer = i + 1, .body_parameter = i + 1});
    m.outputs.push_back({.outer = i + 1, .body_result = i + 1});
    m.back_edges.push_back({.body_result = i + 1, .body_parameter = i + 1});
  }
  for (int i = 0; i < loop->output_count(); ++i) g.result(loop->value(i));
  return g;
}

}  // namespace

TEST(LstmLowering, WeightsAreSeparatedIntoInputAndStateRows) {
  Graph g;
  Node* x = g.parameter(ElementType::f16, {1, kInput}, "x");
  Node* h = g.parameter(ElementType::f16, {1, kState}, "h");
  Node* c = g.parameter(ElementType::f16, {1, kState}, "c");
  Node* cell = lstm_cell(g, x->value(), h->value(), c->value(), "cell");
  g.result(cell->value(0));
  const auto p = lower(g, {}, {});
  const Stage* s = p->stages().at(0);
  std::vector<float> values(12);
  halves_to_floats(s->input(3)->content.data(), values.data(), values.size());
  EXPECT_EQ(values, (std::vector<float>{0, 1, 3, 4, 6, 7, 9, 10, 2, 5, 8, 11}));
  EXPECT_EQ(s->output_count(), 1);
}

TEST(LstmLowering, CellsWithTheSameWeightsShareThem) {
  Graph g;
  Node* x = g.parameter(ElementType::f16, {1, kInput}, "x");
  Node* h = g.parameter(ElementType::f16, {1, kState}, "h");
  Node* c = g.parameter(ElementType::f16, {1, kState}, "c");
  Node* first = lstm_cell(g, x->value(), h->value(), c->value(), "cell1");
  Node* second =
      half_op(g, "LSTMCellIE", {x->value(), first->value(0), first->value(1), first->input(3), first->input(4)},
              "cell2", {{1, kState}, {1, kState}});
  g.result(second->value(0));
  const auto p = lower(g, {}, {});
  EXPECT_EQ(p->stages().at(0)->input(3), p->stages().at(1)->input(3));
}

TEST(LstmLowering, ALoopOverOneCellIsASequence) {
  const Graph g =
      loop_graph([](Graph& b, const std::vector<Value>& in) { return lstm_cell(b, in[0], in[1], in[2], "cell"); }, 2);
  const auto p = lower(g, {}, {});
  EXPECT_EQ(stage_names(*p), (Names{"LSTMCell:cell_sequence"}));
  const Stage* s = p->stages().at(0);
  EXPECT_EQ(s->get<LstmCellParams>().n_cells, kSteps);
  EXPECT_EQ(s->output_count(), 3);
  EXPECT_EQ(s->output(0)->name, "loop.0");
  ASSERT_EQ(s->temps().size(), 1u);
  EXPECT_EQ(s->temps()[0]->desc.element_count(), 2 * kState);
}

TEST(LoopLowering, OtherLoopsBecomeLoopStartAndLoopEnd) {
  const Graph g = loop_graph(
      [](Graph& b, const std::vector<Value>& in) {
        return half_op(b, "MatMul", {in[0], in[1]}, "gemm", {{1, kState}});
      },
      1);
  const auto p = lower(g, {}, {});
  EXPECT_EQ(stage_names(*p), (Names{"Copy:copy-for-backedge", "LoopStart:loop@LoopStart", "Reshape:squeeze",
                                    "GEMM:gemm", "Copy:copy-for-backedge", "Reshape:unsqueeze", "LoopEnd:loop@LoopEnd",
                                    "Copy:copy-for-tensor-iterator-output"}));
}

TEST(LoopLowering, StartAndEndSliceAndJoin) {
  const Graph g = loop_graph(
      [](Graph& b, const std::vector<Value>& in) {
        return half_op(b, "MatMul", {in[0], in[1]}, "gemm", {{1, kState}});
      },
      1);
  const auto p = lower(g, {}, {});
  const Stage* start = p->stages().at(1);
  const Stage* end = p->stages().at(6);
  EXPECT_EQ(start->get<LoopSpec>().iterations, kSteps);
  EXPECT_EQ(start->get<LoopSpec>().end_stage, end->id());
  const auto& in = start->get<LoopSpec>().components;
  EXPECT_EQ(in, (LoopComponents{{1, {Dim::H, 0, 1, -1}, 1}}));
  const auto& out = end->get<LoopSpec>().components;
  EXPECT_EQ(out, (LoopComponents{{0, {Dim::H, 0, 1, -1}, 0}}));
}

TEST(LoopLowering, StatesShareMemoryWithTheirInitialValues) {
  const Graph g = loop_graph(
      [](Graph& b, const std::vector<Value>& in) {
        return half_op(b, "MatMul", {in[0], in[1]}, "gemm", {{1, kState}});
      },
      1);
  const auto p = lower(g, {}, {});
  const Stage* start = p->stages().at(1);
  EXPECT_EQ(p->find_data(start->input(0)->marks.start_shared), start->output(0));
  const auto& edges = start->get<LoopSpec>().edges;
  ASSERT_EQ(edges.size(), 1u);
  EXPECT_EQ(p->find_data(edges[0].target), start->output(0));
  EXPECT_EQ(p->find_data(edges[0].source)->name, start->output(0)->name + "@copy-for-backedge");
}

TEST(LoopLowering, ProblemsOfTheBodyAreReported) {
  const Graph g = loop_graph(
      [](Graph& b, const std::vector<Value>& in) { return half_op(b, "Abs", {in[1]}, "abs", {{1, kState}}); }, 1);
  EXPECT_THROW(lower(g, {}, {}), ErrorList);
}

TEST(LoopLowering, PureLoopsCanBeForced) {
  const Graph g =
      loop_graph([](Graph& b, const std::vector<Value>& in) { return lstm_cell(b, in[0], in[1], in[2], "cell"); }, 2);
  CompileOptions o;
  o.force_pure_tensor_iterator = true;
  const auto p = lower(g, o, {});
  const Names names = stage_names(*p);
  EXPECT_NE(std::ranges::find(names, "LSTMCell:cell"), names.end());
  EXPECT_NE(std::ranges::find(names, "LoopStart:loop@LoopStart"), names.end());
}
