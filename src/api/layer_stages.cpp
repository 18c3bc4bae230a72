#include "api/layer_stages.hpp"

#include <map>
#include <unordered_map>

namespace blobsmith::api {

LayersOfModel::LayersOfModel(const Graph& graph) {
  std::unordered_map<const Node*, size_t> places;
  const std::vector<Node*> order = graph.ordered();
  for (const Node* n : order) {
    if (!is_layer(*n)) continue;
    places[n] = layers_.size();
    layers_.push_back({n->name, n->type, n->source, {}});
  }
  for (const Node* n : order) {
    const auto it = places.find(n);
    if (it == places.end()) continue;
    for (int i = 0; i < n->output_count(); ++i)
      for (const NodeUse& use : n->output(i).uses)
        if (const auto reader = places.find(use.node); reader != places.end())
          layers_[it->second].readers.push_back(reader->second);
  }
}

std::vector<LayerStages> LayersOfModel::computed_by(std::span<const StageOrigin> stages) const {
  std::map<std::string_view, size_t> by_name;
  std::multimap<std::string_view, size_t> by_source;
  std::vector<LayerStages> r;
  for (size_t i = 0; i < layers_.size(); ++i) {
    const Layer& l = layers_[i];
    by_name.emplace(l.name, i);
    if (!l.source.empty()) by_source.emplace(l.source, i);
    r.push_back({l.name, l.type, l.source, {}, {}});
  }
  for (size_t s = 0; s < stages.size(); ++s) {
    const auto number = static_cast<int>(s);
    if (const auto it = by_name.find(stages[s].layer); it != by_name.end()) {
      r[it->second].stages.push_back(number);
    } else if (!stages[s].source.empty()) {
      const auto [first, last] = by_source.equal_range(stages[s].source);
      for (auto at = first; at != last; ++at) r[at->second].stages.push_back(number);
    }
  }
  for (size_t i = r.size(); i-- > 0;) {  // readers come before what they read
    if (!r[i].stages.empty()) continue;
    for (const size_t reader : layers_[i].readers) {
      if (r[reader].stages.empty()) continue;
      r[i].stages = r[reader].stages;
      r[i].inside = r[reader].inside.empty() ? r[reader].layer : r[reader].inside;
      break;
    }
  }
  return r;
}

}  // namespace blobsmith::api
