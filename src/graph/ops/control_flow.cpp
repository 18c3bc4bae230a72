// TensorIterator, Loop, and variables (front-end spec §1.5, §15.1).
#include <cstdlib>
#include <set>

#include "graph/ops/known_value.hpp"
#include "graph/ops/op.hpp"
#include "graph/ops/shape_math.hpp"

namespace blobsmith::ops {
namespace {

using enum AttributeKind;
constexpr AttributeSpec kVariable[] = {{"variable_id", Text, kMandatory}};

Node* body_parameter(const Inference& in, Graph& body, int index) {
  const auto& list = body.parameters();
  if (index < 0 || static_cast<size_t>(index) >= list.size()) in.fail("Its port map names no Parameter of the body");
  return list[static_cast<size_t>(index)];
}

Node* body_result(const Inference& in, Graph& body, int index) {
  const auto& list = body.results();
  if (index < 0 || static_cast<size_t>(index) >= list.size()) in.fail("Its port map names no Result of the body");
  return list[static_cast<size_t>(index)];
}

// Number of slices that a sliced input has.
int64_t slices(const Inference& in, const PortMap::Input& p, int64_t size) {
  if (size == kDynamic) return kDynamic;
  in.require(p.part_size > 0, "part_size must be positive");
  const auto from_front = [&](int64_t v) { return v < 0 ? v + size : v; };
  return (std::abs(from_front(p.end) - from_front(p.start)) + 1) / p.part_size;
}

// Gives the body's parameters their shapes; returns the number of iterations that slicing implies (-1: none).
int64_t enter_body(Inference& in, Graph& body) {
  int64_t iterations = kDynamic;
  for (const PortMap::Input& p : in.node().port_map.inputs) {
    if (p.outer < 0) continue;
    if (p.outer >= in.input_count()) in.fail("Its port map names no input");
    Shape shape = in.shape(p.outer);
    if (p.sliced) {
      const auto axis = static_cast<size_t>(in.axis(p.axis, in.rank(p.outer)));
      iterations = slices(in, p, shape[axis]);
      shape[axis] = p.part_size;
    }
    body.set_outputs(body_parameter(in, body, p.body_parameter), {{in.type(p.outer), shape}});
  }
  return iterations;
}

void leave_body(Inference& in, Graph& body, int64_t iterations) {
  std::set<int> mapped;
  for (const PortMap::Output& p : in.node().port_map.outputs)
    if (p.outer >= 0) mapped.insert(p.outer);
  if (!mapped.empty() && *mapped.rbegin() != static_cast<int>(mapped.size()) - 1)
    in.fail("node output index is out of range: its port map leaves outputs out");
  std::vector<std::pair<ElementType, Shape>> list(mapped.size());
  for (const PortMap::Output& p : in.node().port_map.outputs) {
    if (p.outer < 0) continue;
    const Value v = body_result(in, body, p.body_result)->input(0);
    Shape shape = v.shape();
    if (p.concatenated) {
      if (shape.empty()) shape = {1};  // scalars are concatenated to a vector
      const auto axis = static_cast<size_t>(in.axis(p.axis, static_cast<int64_t>(shape.size())));
      shape[axis] = multiply_dims(iterations, p.part_size);
    }
    list[static_cast<size_t>(p.outer)] = {v.type(), std::move(shape)};
  }
  for (auto& [type, shape] : list) in.output(type, std::move(shape));
}

Graph& body_of(Inference& in) {
  if (!in.node().body) in.fail("TensorIterator has no body.");
  return *in.node().body;
}

void infer_tensor_iterator(Inference& in) {
  Graph& body = body_of(in);
  const int64_t iterations = enter_body(in, body);
  infer_all(body);
  leave_body(in, body, iterations);
}

// The trip count, unless the body may stop earlier.
int64_t loop_iterations(const Inference& in, Graph& body) {
  const auto trips = in.value(0);
  const int condition = in.node().port_map.execution_condition_output;
  if (condition < 0) return trips.value_or(kDynamic) < 0 ? kDynamic : *trips;
  const auto goes_on = known_value(body_result(in, body, condition)->input(0));
  if (!goes_on) return kDynamic;
  const auto flags = goes_on->to_i64();
  if (flags.size() == 1 && flags[0] == 0) return 1;
  return trips.value_or(kDynamic) < 0 ? kDynamic : *trips;
}

void infer_loop(Inference& in) {
  Graph& body = body_of(in);
  enter_body(in, body);
  infer_all(body);
  leave_body(in, body, loop_iterations(in, body));
}

constexpr OpRow kOps[] = {
    {"TensorIterator", 0, {1, 7}, 1, kAnyNumber, {}, infer_tensor_iterator},
    {"Loop", 0, {5, 7}, 2, kAnyNumber, {}, infer_loop},
    {"StaticShapeLoop", 0, {}, 2, kAnyNumber, {}, infer_loop},
    {"Assign", 3, {3, 5}, 1, 1, kVariable, infer_like_input},
    {"Assign", 6, {6, 7}, 1, 1, kVariable, infer_like_input},
    {"ReadValue", 3, {3, 5}, 1, 1, kVariable, infer_like_input},
    {"ReadValue", 6, {6, 7}, 1, 1, kVariable, infer_like_input},
};

}  // namespace

std::span<const OpRow> control_flow_ops() { return kOps; }

}  // namespace blobsmith::ops
