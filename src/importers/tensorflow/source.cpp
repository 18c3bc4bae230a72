#include "importers/tensorflow/source.hpp"

#include <algorithm>
#include <array>
#include <set>

namespace blobsmith::tensorflow_file {
namespace {

using importers::SourceModel;
using importers::SourceOperator;

bool is_one_of(const std::string& op, std::initializer_list<std::string_view> list) {
  return std::ranges::find(list, op) != list.end();
}
bool is_variable(const std::string& op) {
  return is_one_of(op, {"VariableV2", "Variable", "VarHandleOp", "AutoReloadVariable", "TemporaryVariable"});
}
bool is_input(const std::string& op) { return is_one_of(op, {"Placeholder", "PlaceholderV2"}); }
/// Passes its first input on.
bool is_identity(const std::string& op) {
  return is_one_of(op, {"Identity", "StopGradient", "PreventGradient", "Snapshot", "CheckNumerics",
                        "PlaceholderWithDefault", "ReadVariableOp", "DisableCopyOnRead", "EnsureShape"});
}
/// Nothing reads them in a network either: they save, restore, check or train.
bool is_leftover(const std::string& op) {
  return is_variable(op) || is_input(op) || op.starts_with("Assign") || op.starts_with("Apply") ||
         op.starts_with("ResourceApply") || op.ends_with("Summary") || op.starts_with("Save") ||
         op.starts_with("Restore") ||
         is_one_of(op, {"Const", "NoOp", "Assert", "MergeV2Checkpoints", "ShardedFilename", "ReadVariableOp", "Print",
                        "PrintV2", "VarIsInitializedOp", "IsVariableInitialized", "DisableCopyOnRead",
                        "DestroyResourceOp", "ControlTrigger", "LookupTableImportV2", "InitializeTableV2",
                        "InitializeTableFromTextFileV2", "HashTableV2"});
}

/// How many tensors a node computes that nothing has to read.
size_t output_count(const Node& n) {
  constexpr int64_t kMost = 1 << 16;
  const auto counted = [&](const char* attribute) {
    const int64_t count = n.integer(attribute, 1);
    return count > 0 && count < kMost ? static_cast<size_t>(count) : 1;
  };
  if (is_one_of(n.op, {"Split", "SplitV"})) return counted("num_split");
  if (n.op == "Unpack") return counted("num");
  if (n.op == "IdentityN") return std::max<size_t>(n.inputs.size(), 1);
  if (is_one_of(n.op, {"TopK", "TopKV2", "Switch", "Merge", "Unique", "TensorArrayV3"})) return 2;
  return 1;
}

std::string describe(const Node& n) { return "node \"" + n.name + "\" (" + n.op + ")"; }
std::string key(const std::string& node, size_t port) { return node + ":" + std::to_string(port); }

class Maker {
 public:
  Maker(FlatModel flat, const Variables& variables) : flat_(std::move(flat)), variables_(variables) {}

  /// `results`: of a function, as its operators compute them; null: the outputs are looked for.
  Source make(const std::vector<std::string>* results = nullptr) {
    index();
    for (size_t i = 0; i < flat_.nodes.size(); ++i) visit(i);
    if (results) {
      for (const std::string& key : *results) s_.model.outputs.push_back({key, {}});
      keep_needed(s_.model);
    } else {
      add_outputs();
    }
    s_.nodes = std::move(flat_.nodes);
    return std::move(s_);
  }

 private:
  void index() {
    for (size_t i = 0; i < flat_.nodes.size(); ++i) {
      const Node& n = flat_.nodes[i];
      if (!by_name_.emplace(n.name, i).second)
        throw Error(ErrorCode::FileCorrupt, "the graph has two nodes named '" + n.name + "'");
      outputs_.push_back(output_count(n));
    }
    for (const Node& n : flat_.nodes)
      for (const std::string& i : n.inputs) read(i);
    for (const FlatModel::Output& o : flat_.outputs) read(o.key);
  }

  void read(const std::string& k) {
    constexpr size_t kMost = 1 << 16;
    const size_t colon = k.rfind(':');
    const auto it = by_name_.find(k.substr(0, colon));
    if (it == by_name_.end()) return;
    const size_t port = static_cast<size_t>(std::stoul("0" + k.substr(colon + 1).substr(0, 6)));
    if (port >= kMost) throw Error(ErrorCode::FileCorrupt, "'" + k + "' is read, but no node has so many outputs");
    outputs_[it->second] = std::max(outputs_[it->second], port + 1);
    read_.insert(it->second);
  }

  /// Depth first: what a node reads comes before it. Nodes in a circle come in the order of the file.
  void visit(size_t root) {
    std::vector<std::pair<size_t, size_t>> stack;
    const auto enter = [&](size_t i) {
      if (visited_.insert(i).second) stack.emplace_back(i, 0);
    };
    enter(root);
    while (!stack.empty()) {
      auto& [i, next] = stack.back();
      const Node& n = flat_.nodes[i];
      if (next < n.inputs.size()) {
        const std::string& input = n.inputs[next++];
        const auto it = by_name_.find(input.substr(0, input.rfind(':')));
        if (it != by_name_.end()) enter(it->second);
      } else {
        add(i);
        stack.pop_back();
      }
    }
  }

  void add(size_t i) {
    const Node& n = flat_.nodes[i];
    const std::string first = key(n.name, 0);
    if (is_input(n.op)) return add_input(n, first);
    if (n.op == "Const") {
      if (const Attribute* value = n.find("value"); value && value->tensor)
        return s_.model.constants.emplace_back(first, *value->tensor), void();
    }
    if (is_variable(n.op)) {
      std::optional<Tensor> value;
      for (const std::string& name : {n.name, n.text("shared_name", "")})
        if (const auto k = flat_.variable_keys.find(name); !value && k != flat_.variable_keys.end())
          value = variables_(k->second);
      if (value) return s_.model.constants.emplace_back(first, *std::move(value)), void();
      if (const std::string shared = n.text("shared_name", ""); !shared.empty()) value = variables_(shared);
      if (!value) value = variables_(n.name);
      if (value) return s_.model.constants.emplace_back(first, *std::move(value)), void();
    }
    SourceOperator op{i, n.name, n.op, describe(n), n.inputs, {}};
    for (size_t port = 0; port < outputs_[i]; ++port) op.outputs.push_back(key(n.name, port));
    s_.model.operators.push_back(std::move(op));
  }

  void add_input(const Node& n, const std::string& k) {
    importers::SourceInput input{n.name, k};
    if (const Attribute* type = n.find("dtype"); type && type->type) {
      const auto known = element_type(*type->type);
      if (!known)  // texts: an operator that can't be converted, should it be needed
        return s_.model.operators.push_back(
                   {by_name_.at(n.name), n.name, n.op + " of " + type_name(*type->type), describe(n), {}, {k}}),
               void();
      input.type = *known;
    }
    if (const Attribute* shape = n.find("shape")) input.shape = shape->shape;
    s_.model.inputs.push_back(std::move(input));
  }

  /// The layer that computes what an Identity passes on has its name.
  std::string behind_identities(std::string k) const {
    for (size_t steps = 0; steps < flat_.nodes.size(); ++steps) {
      const size_t colon = k.rfind(':');
      const auto it = by_name_.find(k.substr(0, colon));
      if (it == by_name_.end()) return k;
      const Node& n = flat_.nodes[it->second];
      const size_t port =
          n.op == "IdentityN" ? static_cast<size_t>(std::stoul("0" + k.substr(colon + 1).substr(0, 6))) : 0;
      if ((n.op != "IdentityN" && !is_identity(n.op)) || port >= n.inputs.size()) return k;
      k = n.inputs[port];
    }
    return k;
  }

  void add_outputs() {
    std::set<std::string> stated;
    const auto add_output = [&](const std::string& k) {
      const std::string producer = behind_identities(k);
      if (stated.insert(producer).second) s_.model.outputs.push_back({producer, {}});
    };
    std::ranges::stable_sort(flat_.outputs, {}, &FlatModel::Output::sorted_by);
    for (const FlatModel::Output& o : flat_.outputs) add_output(o.key);
    if (!flat_.outputs.empty()) {
      s_.model.only_stated_outputs = true;
      keep_needed(s_.model);  // a signature leaves out what saves and restores
      return add_names();
    }
    for (const SourceOperator& op : s_.model.operators)
      if (!read_.contains(op.index) && !is_leftover(op.type) && !flat_.waited_for.contains(op.name))
        for (const std::string& k : op.outputs) add_output(k);
    if (s_.model.outputs.empty()) return;
    const std::vector<importers::SourceInput> inputs = s_.model.inputs;  // also those that nothing reads
    keep_needed(s_.model);
    s_.model.inputs = inputs;
    add_names();
  }

  /// Identities that nothing reads are left out, but outputs may be called by their names.
  void add_names() {
    std::set<std::string> computed;
    for (const SourceOperator& op : s_.model.operators) computed.insert(op.outputs.begin(), op.outputs.end());
    for (const Node& n : flat_.nodes) {
      if ((n.op != "IdentityN" && !is_identity(n.op)) || computed.contains(key(n.name, 0))) continue;
      if (const std::string k = behind_identities(key(n.name, 0)); computed.contains(k)) s_.model.passed_on[n.name] = k;
    }
  }

  FlatModel flat_;
  const Variables& variables_;
  Source s_;
  std::map<std::string, size_t> by_name_;
  std::vector<size_t> outputs_;  ///< by node
  std::set<size_t> visited_, read_;
};

/// Follows conditions: what is known of them while the graph is cut.
class Pruner {
 public:
  explicit Pruner(Source& s) : s_(s) {
    for (const auto& [k, t] : s_.model.constants)
      if (t.type == ElementType::boolean && element_count(t.shape) == 1) known_[k] = t.to_i64()[0] != 0;
    for (const importers::SourceInput& i : s_.model.inputs)
      if (i.type == ElementType::boolean) conditions_.insert(i.name);
  }

  void run() {
    std::vector<SourceOperator> kept;
    for (SourceOperator& op : s_.model.operators) {
      for (std::string& i : op.inputs) i = now(i);
      if (op.type == "Switch" || op.type == "RefSwitch")
        take(op);
      else if (op.type == "Merge" || op.type == "RefMerge")
        merge(op);
      else if (std::ranges::any_of(op.inputs, [&](const std::string& i) { return dead_.contains(i); }))
        dead_.insert(op.outputs.begin(), op.outputs.end());
      else if (!follow(op))
        kept.push_back(std::move(op));
    }
    s_.model.operators = std::move(kept);
    for (importers::SourceOutput& o : s_.model.outputs) o.key = now(o.key);
    std::erase_if(s_.model.outputs,
                  [&](const importers::SourceOutput& o) { return dead_.contains(o.key) || indices_.contains(o.key); });
  }

 private:
  std::string now(const std::string& k) const {
    const auto it = replaced_.find(k);
    return it == replaced_.end() ? k : it->second;
  }

  void take(const SourceOperator& op) {
    if (op.inputs.size() != 2) throw Error(ErrorCode::FileCorrupt, op.where + " has no two inputs");
    const auto condition = known_.find(op.inputs[1]);
    if (condition == known_.end()) {
      std::string inputs;
      for (const std::string& name : conditions_) inputs += (inputs.empty() ? "" : ", ") + name;
      Error e = not_yet_supported(op.name, op.type, "a branch that is chosen while the network runs");
      e.from(op.where);
      if (!inputs.empty()) {
        e.because("It looks like there are input nodes of boolean type: " + inputs);
        e.hint("state their values, --input \"" + *conditions_.begin() + "->False\" or \"" + *conditions_.begin() +
               "->True\"");
      }
      throw e;
    }
    const size_t alive = condition->second ? 1 : 0;
    for (size_t port = 0; port < op.outputs.size(); ++port) {
      if (port != alive || dead_.contains(op.inputs[0])) {
        dead_.insert(op.outputs[port]);
        continue;
      }
      replaced_[op.outputs[port]] = op.inputs[0];
    }
  }

  void merge(const SourceOperator& op) {
    for (size_t i = 0; i < op.inputs.size(); ++i) {
      if (dead_.contains(op.inputs[i])) continue;
      if (!op.outputs.empty()) replaced_[op.outputs[0]] = op.inputs[i];
      if (op.outputs.size() < 2) return;
      s_.model.constants.emplace_back(op.outputs[1],
                                      Tensor::of(ElementType::i32, Shape{}, std::vector{static_cast<int32_t>(i)}));
      indices_.insert(op.outputs[1]);
      return;
    }
    dead_.insert(op.outputs.begin(), op.outputs.end());
  }

  /// Arithmetic on conditions; true: the operator is done with.
  bool follow(const SourceOperator& op) {
    const auto value = [&](size_t i) -> std::optional<bool> {
      if (i >= op.inputs.size()) return std::nullopt;
      const auto it = known_.find(op.inputs[i]);
      return it == known_.end() ? std::nullopt : std::optional(it->second);
    };
    const auto a = value(0), b = value(1);
    if (is_identity(op.type) && a) known_[op.outputs.at(0)] = *a;
    if (op.type == "LogicalNot" && a) known_[op.outputs.at(0)] = !*a;
    if (op.type == "LogicalAnd" && a && b) known_[op.outputs.at(0)] = *a && *b;
    if (op.type == "LogicalOr" && a && b) known_[op.outputs.at(0)] = *a || *b;
    return false;
  }

  Source& s_;
  std::map<std::string, bool> known_;
  std::map<std::string, std::string> replaced_;
  std::set<std::string> dead_, conditions_;
  std::set<std::string> indices_;  ///< tensors that say which branch was taken
};

}  // namespace

void keep_needed(SourceModel& model) {
  std::set<std::string> needed;
  for (const importers::SourceOutput& o : model.outputs) needed.insert(o.key);
  std::vector<SourceOperator> kept;
  for (auto op = model.operators.rbegin(); op != model.operators.rend(); ++op) {
    if (std::ranges::none_of(op->outputs, [&](const std::string& k) { return needed.contains(k); })) continue;
    needed.insert(op->inputs.begin(), op->inputs.end());
    kept.push_back(std::move(*op));
  }
  std::ranges::reverse(kept);
  model.operators = std::move(kept);
  std::erase_if(model.inputs, [&](const importers::SourceInput& i) { return !needed.contains(i.key); });
  std::erase_if(model.constants, [&](const auto& c) { return !needed.contains(c.first); });
}

Source make_source(FlatModel flat, const Variables& variables) {
  const std::map<std::string, FlatFunction> functions = std::move(flat.bodies);
  Source s = Maker(std::move(flat), variables).make();
  for (const auto& [name, f] : functions) {
    Source body = Maker(f.flat, variables).make(&f.results);
    s.bodies[name] = {f.arguments, f.results, std::move(body.model), std::move(body.nodes)};
  }
  return s;
}

void prune_branches(Source& source) {
  std::string variables;
  size_t count = 0;
  for (const SourceOperator& op : source.model.operators)
    if (is_variable(op.type) && ++count <= 5) variables += (variables.empty() ? "" : ", ") + op.name;
  if (count) {
    Error e(ErrorCode::MissingWeights, "the graph is not frozen: " + std::to_string(count) +
                                           " of its variables have no values, " + variables +
                                           (count > 5 ? ", ..." : ""));
    throw e.hint("give the SavedModel's folder, the .meta file beside its checkpoint, or freeze the graph");
  }
  Pruner(source).run();
}

}  // namespace blobsmith::tensorflow_file
