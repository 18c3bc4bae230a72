// Networks that the reference executor runs.
#pragma once
#include "graph_fixture.hpp"
#include "reference/executor.hpp"

namespace blobsmith {

using Floats = std::vector<float>;

class Reference : public GraphTest {
 protected:
  /// Results of a network of the nodes made so far.
  std::vector<Tensor> run(std::vector<Value> outputs, std::vector<Tensor> inputs = {}) {
    for (const Value& v : outputs) g.result(v);
    return reference::Executor(std::move(g), 1).run(std::move(inputs));
  }
  Floats floats(Node* n, std::vector<Tensor> inputs = {}) { return run({n->value()}, std::move(inputs))[0].to_f32(); }
  static Tensor of(Shape shape, Floats values) {
    return Tensor::of(ElementType::f32, std::move(shape), std::move(values));
  }
  static Floats counting(int n) {
    Floats v;
    for (int i = 1; i <= n; ++i) v.push_back(static_cast<float>(i));
    return v;
  }
};

inline Attributes::Value ints(std::vector<int64_t> v) { return v; }

}  // namespace blobsmith
