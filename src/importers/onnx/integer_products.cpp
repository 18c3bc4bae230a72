#include "importers/onnx/integer_products.hpp"

#include <algorithm>
#include <iterator>
#include <set>
#include <string_view>
#include <unordered_map>

#include "importers/onnx/bodies.hpp"
#include "importers/onnx/node_view.hpp"

namespace blobsmith::onnx_import::mo {
namespace {

constexpr size_t kOwnInputs = 4, kMostFactors = 4;

/// Who makes and who reads the values of a model.
class ProductUses {
 public:
  explicit ProductUses(const onnx_file::Model& model) : model_(model) {
    for (size_t i = 0; i < model.nodes.size(); ++i) {
      for (const std::string& name : model.nodes[i].outputs) makers_.emplace(name, i);
      for (const std::string& name : model.nodes[i].inputs) readers_[name].push_back(i);
      for (const std::string& name : captured_names(model.nodes[i])) fixed_.insert(name);
    }
    for (const onnx_file::ValueInfo& o : model.outputs) fixed_.insert(o.name);
  }

  /// The only node that reads the only output of node i; none where others or the user want it.
  const size_t* only_reader(size_t i) const {
    const std::vector<std::string>& outputs = model_.nodes[i].outputs;
    if (outputs.size() != 1 || fixed_.contains(outputs[0])) return nullptr;
    const auto it = readers_.find(outputs[0]);
    return it == readers_.end() || it->second.size() != 1 ? nullptr : it->second.data();
  }
  const onnx_file::Node* maker(const std::string& name) const {
    const auto it = makers_.find(name);
    return it == makers_.end() ? nullptr : &model_.nodes[it->second];
  }

 private:
  const onnx_file::Model& model_;
  std::unordered_map<std::string_view, size_t> makers_;
  std::unordered_map<std::string_view, std::vector<size_t>> readers_;
  std::set<std::string, std::less<>> fixed_;
};

bool is_default(const onnx_file::Node& n, std::string_view type) {
  return n.op_type == type && is_default_domain(n.domain);
}

/// The factors of a scale, which is often a product itself.
void add_factors(const ProductUses& uses, const std::string& scale, std::vector<std::string>& factors) {
  const onnx_file::Node* n = uses.maker(scale);
  if (n && is_default(*n, "Mul") && n->inputs.size() == 2)
    std::ranges::copy(n->inputs, std::back_inserter(factors));
  else
    factors.push_back(scale);
}

}  // namespace

void give_products_their_scales(onnx_file::Model& model) {
  const ProductUses uses(model);
  std::vector<char> dropped(model.nodes.size(), 0);
  bool changed = false;
  struct Scaled {
    size_t product, last;
    std::vector<std::string> factors;
  };
  std::vector<Scaled> found;
  for (size_t i = 0; i < model.nodes.size(); ++i) {
    const onnx_file::Node& n = model.nodes[i];
    if (!is_default(n, "MatMulInteger") && !is_default(n, "ConvInteger")) continue;
    const size_t* cast = uses.only_reader(i);
    if (!cast || !is_default(model.nodes[*cast], "Cast")) continue;
    Scaled s{i, *cast, {}};
    std::vector<size_t> passed{*cast};
    for (const size_t* next = uses.only_reader(s.last); next; next = uses.only_reader(s.last)) {
      const onnx_file::Node& by = model.nodes[*next];
      if (!is_default(by, "Mul") || by.inputs.size() != 2) break;
      std::vector<std::string> more = s.factors;
      add_factors(uses, by.inputs[by.inputs[0] == model.nodes[s.last].outputs[0] ? 1 : 0], more);
      if (more.size() > kMostFactors) break;
      s.factors = std::move(more);
      s.last = *next;
      passed.push_back(*next);
    }
    if (s.factors.empty()) continue;
    for (const size_t p : passed) dropped[p] = 1;
    found.push_back(std::move(s));
    changed = true;
  }
  if (!changed) return;
  for (const Scaled& s : found) {
    onnx_file::Node& n = model.nodes[s.product];
    n.inputs.resize(kOwnInputs);
    std::ranges::copy(s.factors, std::back_inserter(n.inputs));
    n.outputs = model.nodes[s.last].outputs;
  }
  std::vector<onnx_file::Node> kept;
  for (size_t i = 0; i < model.nodes.size(); ++i)
    if (!dropped[i]) kept.push_back(std::move(model.nodes[i]));
  model.nodes = std::move(kept);
}

}  // namespace blobsmith::onnx_import::mo
