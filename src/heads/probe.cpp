#include "heads/probe.hpp"

#include <algorithm>
#include <cstdint>

#include "reference/executor.hpp"

namespace blobsmith::heads {
namespace {

Node* by_id(const std::vector<Node*>& nodes, const Node* wanted) {
  return *std::ranges::find(nodes, wanted->id(), &Node::id);
}

}  // namespace

float random_number(size_t level, size_t convolution, size_t element) {
  auto x = static_cast<uint32_t>(element * 2654435761u + level * 40503u + convolution * 977u + 1u);
  for (int i = 0; i < 3; ++i) {  // xorshift
    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
  }
  return static_cast<float>(x % 4001) / 1000 - 2;
}

std::vector<std::vector<float>> probe(const Graph& graph, const Levels& levels, const std::vector<const Node*>& results,
                                      const Filling& filling) {
  Graph g = graph.clone();
  const std::vector<Node*> nodes = g.all();
  for (size_t l = 0; l < levels.levels.size(); ++l)
    for (size_t c = 0; c < levels.levels[l].convolutions.size(); ++c) {
      const Value v = levels.levels[l].convolutions[c].value;
      std::vector<double> numbers(static_cast<size_t>(element_count(v.shape())));
      for (size_t i = 0; i < numbers.size(); ++i) numbers[i] = static_cast<double>(filling(l, c, i));
      const Node* stands_for = g.constant(Tensor::reals(v.type(), v.shape(), numbers));
      g.redirect({by_id(nodes, v.node), v.port}, const_cast<Node*>(stands_for)->value());
    }
  std::vector<Node*> kept;
  for (const Node* r : results) kept.push_back(by_id(nodes, r));
  const std::vector<Node*> all = g.results();
  for (Node* r : all)
    if (std::ranges::find(kept, r) == kept.end()) {
      std::erase(g.mutable_results(), r);
      g.remove(r);
    }
  g.mutable_results() = kept;
  g.remove_unreachable();
  reference::Executor executor(std::move(g), 1);
  std::vector<Tensor> inputs;
  for (const Node* p : executor.graph().parameters())
    inputs.push_back(
        reference::input_tensor(*p, std::vector<float>(static_cast<size_t>(element_count(p->shape())), 0.0f)));
  std::vector<std::vector<float>> values;
  for (const Tensor& t : executor.run(std::move(inputs))) values.push_back(t.to_f32());
  return values;
}

}  // namespace blobsmith::heads
