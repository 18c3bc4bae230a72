// TensorIterator, Loop, and variables, which start as their initial value (opset 1..6).
#include <cstdlib>

#include "reference/operation.hpp"

namespace blobsmith::reference {
namespace {

constexpr int64_t kMaxIterations = 1 << 20;

/// Part `i` of a sliced port: `part_size` elements along its axis.
struct Slices {
  size_t axis;
  int64_t start, count, step;  ///< step: from the beginning of a part to that of the next

  template <class Port>
  Slices(const Port& p, const Shape& shape) : axis(static_cast<size_t>(ops::from_front(p.axis, shape.size()))) {
    const int64_t size = shape[axis], first = p.start < 0 ? p.start + size : p.start,
                  last = p.end < 0 ? p.end + size : p.end;
    count = (std::abs(last - first) + 1) / p.part_size;
    step = p.stride < 0 ? -p.part_size : p.part_size;
    start = p.stride < 0 ? first + 1 - p.part_size : first;
  }
  int64_t at(int64_t i) const { return start + i * step; }
  bool has(int64_t i, int64_t part_size, int64_t size) const { return at(i) >= 0 && at(i) <= size - part_size; }
};

Tensor cut(const Tensor& t, size_t axis, int64_t first, int64_t size) {
  Shape shape = t.shape;
  shape[axis] = size;
  const std::vector<int64_t> strides = ops::dense_strides(t.shape);
  return ops::gather_strided(t, shape, first * strides[axis], strides);
}

Tensor concatenated(const Call& c, const PortMap::Output& p, std::vector<Tensor> parts) {
  for (Tensor& t : parts) {
    if (t.shape.empty()) t.shape = {1};  // scalars become a vector
    c.require(t.shape == parts[0].shape, "an output has another shape in another iteration");
  }
  Shape shape = parts.at(0).shape;
  const auto axis = static_cast<size_t>(ops::from_front(p.axis, shape.size()));
  const int64_t each = shape[axis];
  shape[axis] = each * static_cast<int64_t>(parts.size());
  ops::TensorBuilder out(parts[0].type, shape);
  const std::vector<int64_t> strides = ops::dense_strides(shape);
  for (size_t i = 0; i < parts.size(); ++i) {
    const auto place = static_cast<int64_t>(p.stride < 0 ? parts.size() - 1 - i : i);
    out.scatter_strided(parts[i], place * each * strides[axis], strides);
  }
  return out.take();
}

/// One run of a body after the other; `goes_on` sees the body's results and the number of the next iteration.
template <class GoesOn>
Outputs iterate(const Call& c, bool first, GoesOn goes_on) {
  const PortMap& map = c.node().port_map;
  const Graph& body = *c.node().body;
  std::vector<Tensor> inputs(body.parameters().size());
  for (const PortMap::Input& p : map.inputs)
    if (p.outer >= 0 && !p.sliced) inputs.at(static_cast<size_t>(p.body_parameter)) = c.input(p.outer);
  std::vector<std::vector<Tensor>> history(body.results().size());
  Outputs results;
  for (int64_t i = 0; i == 0 ? first : goes_on(results, i); ++i) {
    c.require(i < kMaxIterations, "too many iterations");
    for (const PortMap::Input& p : map.inputs) {
      if (p.outer < 0 || !p.sliced) continue;
      const Slices s(p, c.shape(p.outer));
      c.require(s.has(i, p.part_size, c.dim(p.outer, s.axis)), "it runs longer than an input has slices");
      inputs[static_cast<size_t>(p.body_parameter)] = cut(c.input(p.outer), s.axis, s.at(i), p.part_size);
    }
    if (i > 0)
      for (const PortMap::BackEdge& e : map.back_edges)
        inputs[static_cast<size_t>(e.body_parameter)] = results.at(static_cast<size_t>(e.body_result));
    if (map.current_iteration_input >= 0) {
      const Node* p = body.parameters().at(static_cast<size_t>(map.current_iteration_input));
      c.require(is_static(p->shape()) && element_count(p->shape()) == 1, "the number of the iteration is one number");
      inputs[static_cast<size_t>(map.current_iteration_input)] =
          integer_tensor(p->element_type(), p->shape(), std::vector<int64_t>{i});
    }
    results = run_body(body, inputs, c.pool());
    for (size_t k = 0; k < results.size(); ++k) history[k].push_back(results[k]);
  }
  c.require(!results.empty(), "not yet supported: a loop that never runs");
  Outputs out(static_cast<size_t>(c.node().output_count()));
  for (const PortMap::Output& p : map.outputs) {
    if (p.outer < 0) continue;
    auto& parts = history.at(static_cast<size_t>(p.body_result));
    out.at(static_cast<size_t>(p.outer)) = p.concatenated ? concatenated(c, p, parts) : parts.back();
  }
  return out;
}

Outputs run_tensor_iterator(const Call& c) {
  int64_t count = 1;
  for (const PortMap::Input& p : c.node().port_map.inputs)
    if (p.outer >= 0 && p.sliced) count = Slices(p, c.shape(p.outer)).count;
  return iterate(c, count > 0, [&](const Outputs&, int64_t i) { return i < count; });
}

int64_t only_value(const Call& c, const Tensor& t) {
  c.require(element_count(t.shape) == 1, "its trip count and its conditions are one number each");
  return t.to_i64()[0];
}

Outputs run_loop(const Call& c) {
  const int64_t trips = only_value(c, c.input(0));
  const int condition = c.node().port_map.execution_condition_output;
  const bool first = trips != 0 && only_value(c, c.input(1)) != 0;
  return iterate(c, first, [&](const Outputs& results, int64_t i) {
    if (trips >= 0 && i >= trips) return false;
    return condition < 0 || only_value(c, results.at(static_cast<size_t>(condition))) != 0;
  });
}

Outputs run_unchanged(const Call& c) { return {c.input(0)}; }

constexpr OperationRow kOperations[] = {
    {"TensorIterator", kAnyVersion, run_tensor_iterator},
    {"Loop", kAnyVersion, run_loop},
    {"ReadValue", kAnyVersion, run_unchanged},
    {"Assign", kAnyVersion, run_unchanged},
};

}  // namespace

std::span<const OperationRow> control_flow_operations() { return kOperations; }

}  // namespace blobsmith::reference
