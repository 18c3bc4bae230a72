#include "importers/onnx/tree_ensemble.hpp"

#include <map>
#include <set>
#include <utility>

namespace blobsmith::onnx_import::mo {
namespace {

constexpr size_t kLargestBlock = 1 << 18;  ///< of a matrix of conditions and leaves
constexpr size_t kMostNodes = 20000, kMostTurns = 256;
constexpr size_t kLargestTree = 1 << 23;  ///< of a tree, and of all leaves with their results

using Place = std::pair<int64_t, int64_t>;  ///< a tree and a node of it

size_t elements(size_t conditions, size_t leaves) { return conditions * leaves; }

/// The nodes of all trees, as the attributes list them.
class Nodes {
 public:
  explicit Nodes(Context& c) : c_(c) {
    trees_ = c.integers("nodes_treeids");
    ids_ = c.integers("nodes_nodeids");
    columns_ = c.integers("nodes_featureids");
    held_ = c.integers("nodes_truenodeids");
    failed_ = c.integers("nodes_falsenodeids");
    const onnx_file::Attribute *modes = c.node().find("nodes_modes"), *wide = c.node().find("nodes_values_as_tensor");
    if (modes) modes_ = modes->texts;
    values_ = wide ? wide->tensor.to_f32() : c.reals("nodes_values");
    const size_t n = trees_.size();
    if (n == 0 || n > kMostNodes) c.refuse("it has " + std::to_string(n) + " nodes");
    for (const size_t size :
         {ids_.size(), columns_.size(), held_.size(), failed_.size(), modes_.size(), values_.size()})
      if (size != n) c.refuse("its lists of nodes have different sizes");
    for (size_t i = 0; i < n; ++i) at_[{trees_[i], ids_[i]}] = i;
  }

  size_t count() const { return trees_.size(); }
  Place place(size_t i) const { return {trees_[i], ids_[i]}; }
  bool is_leaf(size_t i) const { return modes_[i] == "LEAF"; }
  TreeCondition condition(size_t i, int64_t columns) const {
    if (columns_[i] < 0 || columns_[i] >= columns) c_.refuse("a node reads column " + std::to_string(columns_[i]));
    return {columns_[i], modes_[i], values_[i]};
  }
  size_t next(size_t i, bool holds) const {
    const auto it = at_.find({trees_[i], holds ? held_[i] : failed_[i]});
    if (it == at_.end()) c_.refuse("a node leads nowhere");
    return it->second;
  }
  /// The first node of each tree, in their order: no other leads there.
  std::vector<size_t> roots() const {
    std::set<size_t> reached;
    for (size_t i = 0; i < count(); ++i)
      if (!is_leaf(i)) reached.insert({next(i, true), next(i, false)});
    std::vector<size_t> list;
    std::set<int64_t> trees;
    for (size_t i = 0; i < count(); ++i)
      if (!reached.contains(i) && trees.insert(trees_[i]).second) list.push_back(i);
    return list;
  }

 private:
  Context& c_;
  std::vector<int64_t> trees_, ids_, columns_, held_, failed_;
  std::vector<std::string> modes_;
  std::vector<float> values_;
  std::map<Place, size_t> at_;
};

std::map<Place, std::vector<float>> leaf_weights(Context& c, const std::string& prefix, TreeEnsemble& e) {
  const std::vector<int64_t> trees = c.integers((prefix + "_treeids").c_str()),
                             nodes = c.integers((prefix + "_nodeids").c_str()),
                             results = c.integers((prefix + "_ids").c_str());
  const onnx_file::Attribute* wide = c.node().find(prefix + "_weights_as_tensor");
  const std::vector<float> weights = wide ? wide->tensor.to_f32() : c.reals((prefix + "_weights").c_str());
  if (nodes.size() != trees.size() || results.size() != trees.size() || weights.size() != trees.size())
    c.refuse("its lists of weights have different sizes");
  std::map<Place, std::vector<float>> list;
  std::set<int64_t> used;
  for (size_t i = 0; i < trees.size(); ++i) {
    if (results[i] < 0 || results[i] >= e.results) c.refuse("a leaf counts for result " + std::to_string(results[i]));
    std::vector<float>& w = list[{trees[i], nodes[i]}];
    w.resize(static_cast<size_t>(e.results), 0);
    w[static_cast<size_t>(results[i])] += weights[i];
    used.insert(results[i]);
    if (elements(list.size(), static_cast<size_t>(e.results)) > kLargestTree)
      c.refuse("its leaves and results are too many");
    e.weights_are_positive = e.weights_are_positive && weights[i] >= 0;
  }
  e.used = static_cast<int64_t>(used.size());
  if (!used.empty()) e.first_used = *used.begin();
  return list;
}

/// Adds a tree to a block.
void add_tree(Context& c, const Nodes& nodes, size_t root, int64_t columns,
              const std::map<Place, std::vector<float>>& weights, size_t results, TreeBlock& block) {
  struct Open {
    size_t node;
    std::vector<TreeTurn> way;
  };
  std::vector<Open> open{{root, {}}};
  size_t seen = 0;
  while (!open.empty()) {
    Open at = std::move(open.back());
    open.pop_back();
    if (++seen > nodes.count() || at.way.size() > kMostTurns)
      c.refuse("a way through a tree has no end, or more than " + std::to_string(kMostTurns) + " turns");
    if (nodes.is_leaf(at.node)) {
      const auto it = weights.find(nodes.place(at.node));
      block.leaves.push_back({std::move(at.way), it == weights.end() ? std::vector<float>(results, 0) : it->second});
      continue;
    }
    const size_t condition = block.conditions.size();
    block.conditions.push_back(nodes.condition(at.node, columns));
    for (const bool holds : {false, true}) {
      Open next{nodes.next(at.node, holds), at.way};
      next.way.push_back({condition, holds});
      open.push_back(std::move(next));
    }
  }
}

void append(TreeBlock& block, TreeBlock more) {
  const size_t before = block.conditions.size();
  for (TreeLeaf& leaf : more.leaves) {
    for (TreeTurn& turn : leaf.way) turn.condition += before;
    block.leaves.push_back(std::move(leaf));
  }
  block.conditions.insert(block.conditions.end(), more.conditions.begin(), more.conditions.end());
}

constexpr std::pair<std::string_view, const char*> kComparisons[] = {
    {"BRANCH_LEQ", "LessEqual"}, {"BRANCH_LT", "Less"},  {"BRANCH_GTE", "GreaterEqual"},
    {"BRANCH_GT", "Greater"},    {"BRANCH_EQ", "Equal"}, {"BRANCH_NEQ", "NotEqual"},
};

const char* comparison(const std::string& mode) {
  for (const auto& [name, type] : kComparisons)
    if (mode == name) return type;
  return nullptr;
}

/// 1 for the conditions that hold, else 0: [rows, conditions].
Value conditions_of(Steps& s, Value x, const TreeBlock& block) {
  std::vector<int64_t> columns;
  std::vector<float> values;
  for (const TreeCondition& condition : block.conditions) {
    columns.push_back(condition.column);
    values.push_back(condition.value);
  }
  const Value read = s.gather(x, s.indices(columns), 1);
  const Value bounds = s.reals({1, static_cast<int64_t>(values.size())}, values);
  return s.convert(s.make(comparison(block.conditions[0].mode), {read, bounds}), x.type());
}

/// 1 for the leaves that are reached, else 0: [rows, leaves].
Value reached(Steps& s, Value x, const TreeBlock& block) {
  const size_t leaves = block.leaves.size();
  const auto width = static_cast<int64_t>(leaves);
  std::vector<float> ways(elements(block.conditions.size(), leaves), 0), offsets(leaves, 1);
  for (size_t i = 0; i < leaves; ++i)
    for (const TreeTurn& turn : block.leaves[i].way) {
      ways[turn.condition * leaves + i] = turn.holds ? 1.0f : -1.0f;
      if (turn.holds) offsets[i] -= 1;
    }
  const Value counted =
      s.product(conditions_of(s, x, block), s.reals({static_cast<int64_t>(block.conditions.size()), width}, ways));
  return s.make("Relu", {s.add(counted, s.reals({1, width}, offsets))});
}

}  // namespace

TreeEnsemble read_trees(Context& c, const std::string& prefix, int64_t columns, int64_t results) {
  constexpr int64_t kMostResults = 4096;
  if (results < 1 || results > kMostResults) c.refuse("it has " + std::to_string(results) + " results");
  if (const std::string f = c.text("aggregate_function", "SUM"); f != "SUM" && f != "AVERAGE")
    c.refuse("aggregate_function is '" + f + "'");
  TreeEnsemble e;
  e.results = results;
  const Nodes nodes(c);
  std::map<Place, std::vector<float>> weights = leaf_weights(c, prefix, e);
  const std::vector<size_t> roots = nodes.roots();
  if (c.text("aggregate_function", "SUM") == "AVERAGE")
    for (auto& [place, list] : weights)
      for (float& w : list) w /= static_cast<float>(roots.size());
  for (const size_t root : roots) {
    TreeBlock tree;
    add_tree(c, nodes, root, columns, weights, static_cast<size_t>(results), tree);
    if (elements(tree.conditions.size(), tree.leaves.size()) > kLargestTree)
      c.refuse("a tree has " + std::to_string(tree.leaves.size()) + " leaves");
    for (const TreeCondition& condition : tree.conditions)
      if (!comparison(condition.mode) || condition.mode != tree.conditions[0].mode)
        c.refuse("conditions of the kind " + condition.mode + " beside others");
    const auto fits = [&](const TreeBlock& block) {
      return block.conditions.empty() || tree.conditions.empty() ||
             (block.conditions[0].mode == tree.conditions[0].mode &&
              elements(block.conditions.size() + tree.conditions.size(), block.leaves.size() + tree.leaves.size()) <=
                  kLargestBlock);
    };
    if (e.blocks.empty() || !fits(e.blocks.back())) e.blocks.emplace_back();
    append(e.blocks.back(), std::move(tree));
  }
  e.base = c.reals("base_values");
  if (const onnx_file::Attribute* wide = c.node().find("base_values_as_tensor")) e.base = wide->tensor.to_f32();
  if (!e.base.empty() && static_cast<int64_t>(e.base.size()) != results && e.base.size() != 1)
    c.refuse("base_values has " + std::to_string(e.base.size()) + " values");
  e.base.resize(static_cast<size_t>(results), e.base.size() == 1 ? e.base[0] : 0);
  return e;
}

Value scores_of(Steps& s, Value x, const TreeEnsemble& trees) {
  std::vector<Value> parts;
  std::vector<float> weights, base = trees.base;
  for (const TreeBlock& block : trees.blocks) {
    if (block.conditions.empty()) {  // leaves alone, which are reached in any case
      for (const TreeLeaf& leaf : block.leaves)
        for (size_t k = 0; k < base.size(); ++k) base[k] += leaf.weights[k];
      continue;
    }
    parts.push_back(reached(s, x, block));
    for (const TreeLeaf& leaf : block.leaves) weights.insert(weights.end(), leaf.weights.begin(), leaf.weights.end());
  }
  const Value bases = s.reals({1, trees.results}, base);
  if (parts.empty()) return s.add(s.multiply(s.slice(x, 1, 0, 1), 0), bases);
  const auto leaves = static_cast<int64_t>(weights.size()) / trees.results;
  return s.add(s.product(s.concat(parts, 1), s.reals({leaves, trees.results}, weights)), bases);
}

}  // namespace blobsmith::onnx_import::mo
