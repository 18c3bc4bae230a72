#include "importers/onnx/order.hpp"

#include <string_view>
#include <unordered_map>

#include "importers/onnx/bodies.hpp"

namespace blobsmith::onnx_import {

std::vector<size_t> order_of_computing(const onnx_file::Model& model) {
  const size_t count = model.nodes.size();
  std::unordered_map<std::string_view, size_t> producers;
  for (size_t i = 0; i < count; ++i)
    for (const std::string& name : model.nodes[i].outputs)
      if (!name.empty()) producers.emplace(name, i);
  std::vector<std::vector<size_t>> needs(count);
  for (size_t i = 0; i < count; ++i) {
    const auto need = [&](const std::string& name) {
      const auto it = producers.find(name);
      if (it != producers.end() && it->second != i) needs[i].push_back(it->second);
    };
    for (const std::string& name : model.nodes[i].inputs) need(name);
    for (const std::string& name : captured_names(model.nodes[i])) need(name);
  }
  std::vector<size_t> order;
  order.reserve(count);
  std::vector<char> seen(count, 0);
  struct Step {
    size_t node, next;  ///< which of its needs is looked at next
  };
  for (size_t i = 0; i < count; ++i) {
    if (seen[i]) continue;
    std::vector<Step> path{{i, 0}};
    seen[i] = 1;
    while (!path.empty()) {
      Step& step = path.back();
      if (step.next == needs[step.node].size()) {
        order.push_back(step.node);
        path.pop_back();
        continue;
      }
      const size_t producer = needs[step.node][step.next++];
      if (seen[producer]) continue;
      seen[producer] = 1;
      path.push_back({producer, 0});
    }
  }
  return order;
}

}  // namespace blobsmith::onnx_import
