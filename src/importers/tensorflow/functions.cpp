#include "importers/tensorflow/functions.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <set>

#include "importers/tensorflow/frames.hpp"

namespace blobsmith::tensorflow_file {
namespace {

constexpr int kDeepestCall = 64;
constexpr size_t kMostNodes = 2'000'000;  // functions that call functions twice each grow without end

bool is_call(const Node& n) { return n.op == "PartitionedCall" || n.op == "StatefulPartitionedCall"; }

/// Output arguments of operators with several of them: a function's nodes name them.
struct OutputNames {
  std::string_view op;
  std::array<std::string_view, 6> names;
};
constexpr OutputNames kOutputNames[] = {
    {"FusedBatchNorm", {"y", "batch_mean", "batch_variance", "reserve_space_1", "reserve_space_2"}},
    {"FusedBatchNormV2", {"y", "batch_mean", "batch_variance", "reserve_space_1", "reserve_space_2"}},
    {"FusedBatchNormV3",
     {"y", "batch_mean", "batch_variance", "reserve_space_1", "reserve_space_2", "reserve_space_3"}},
    {"TopK", {"values", "indices"}},
    {"TopKV2", {"values", "indices"}},
    {"Switch", {"output_false", "output_true"}},
    {"Merge", {"output", "value_index"}},
    {"NonMaxSuppressionV4", {"selected_indices", "valid_outputs"}},
    {"NonMaxSuppressionV5", {"selected_indices", "selected_scores", "valid_outputs"}},
    {"CombinedNonMaxSuppression", {"nmsed_boxes", "nmsed_scores", "nmsed_classes", "valid_detections"}},
    {"Unique", {"y", "idx"}},
    {"UniqueWithCounts", {"y", "idx", "count"}},
    {"SparseFillEmptyRows", {"output_indices", "output_values", "empty_row_indicator", "reverse_index_map"}},
    {"SparseReshape", {"output_indices", "output_shape"}},
    {"CTCGreedyDecoder", {"decoded_indices", "decoded_values", "decoded_shape", "log_probability"}},
    {"TensorArrayV3", {"handle", "flow"}},
    {"BlockLSTM", {"i", "cs", "f", "o", "ci", "co"}},
    {"Moments", {"mean", "variance"}},
};

size_t number(std::string_view text, const std::string& input) {
  size_t v = 0;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), v);
  if (text.empty() || ec != std::errc{} || end != text.data() + text.size())
    throw Error(ErrorCode::FileCorrupt, "'" + input + "' names no output of a node");
  return v;
}

/// Takes the inputs off that only order.
void drop_orders(Node& n, const std::string& prefix, FlatModel& flat) {
  std::erase_if(n.inputs, [&](const std::string& i) {
    if (i.starts_with("^")) flat.waited_for.insert(prefix + i.substr(1));
    return i.starts_with("^");
  });
}

class Inliner {
 public:
  Inliner(Model& model, FlatModel& flat) : model_(model), flat_(flat) {}

  /// A node of the main graph, or of a function: `prefix` in front of its name.
  void add(Node n, const std::string& prefix, int depth) {
    if (!is_call(n)) {
      n.name = prefix + n.name;
      flat_.nodes.push_back(std::move(n));
      if (flat_.nodes.size() > kMostNodes)
        throw Error(ErrorCode::FileTooLarge, "the functions of the graph call each other too often");
      return;
    }
    const std::string name = prefix + n.name;
    const std::vector<std::string> results = call(n, name + "/", depth);
    for (size_t i = 0; i < results.size(); ++i) flat_.aliases[name + ":" + std::to_string(i)] = results[i];
  }

  /// The keys of what a call returns. Its inputs are keys.
  std::vector<std::string> call(const Node& n, const std::string& prefix, int depth) {
    const std::string function_name = n.text("f", "");
    const auto it = model_.functions.find(function_name);
    if (it == model_.functions.end())
      throw Error(ErrorCode::FileCorrupt,
                  "node \"" + n.name + "\" calls the function '" + function_name + "', which the file does not hold");
    if (depth > kDeepestCall) throw Error(ErrorCode::FileCorrupt, "the function '" + function_name + "' calls itself");
    const Function& f = it->second;
    std::map<std::string, std::string> given;
    for (size_t i = 0; i < f.inputs.size() && i < n.inputs.size(); ++i) given[f.inputs[i].name] = n.inputs[i];
    std::map<std::string_view, const Node*> by_name;
    for (const Node& inner : f.nodes) by_name[inner.name] = &inner;
    const auto key = [&](const std::string& input) { return key_in(input, given, by_name, prefix); };
    for (Node inner : f.nodes) {
      drop_orders(inner, prefix, flat_);
      std::ranges::transform(inner.inputs, inner.inputs.begin(), key);
      add(std::move(inner), prefix, depth + 1);
    }
    std::vector<std::string> results;
    for (const Argument& o : f.outputs) {
      const auto r = f.returns.find(o.name);
      if (r == f.returns.end())
        throw Error(ErrorCode::FileCorrupt,
                    "the function '" + function_name + "' does not say what '" + o.name + "' is");
      results.push_back(key(r->second));
    }
    return results;
  }

 private:
  /// "argument", "node:output:0" -> key.
  static std::string key_in(const std::string& input, const std::map<std::string, std::string>& given,
                            const std::map<std::string_view, const Node*>& by_name, const std::string& prefix) {
    const size_t first = input.find(':');
    if (first == std::string::npos) {
      const auto it = given.find(input);
      return it == given.end() ? prefix + input + ":0" : it->second;
    }
    const std::string node = input.substr(0, first);
    const size_t last = input.rfind(':');
    const size_t index = number(std::string_view(input).substr(last + 1), input);
    const auto it = by_name.find(node);
    if (it == by_name.end())
      throw Error(ErrorCode::FileCorrupt, "'" + input + "' is read in a function, but no node computes it");
    const std::string_view output = last > first ? std::string_view(input).substr(first + 1, last - first - 1) : "";
    return prefix + node + ":" + std::to_string(first_port(*it->second, output) + index);
  }

  /// Where an output argument begins; that of a call is a list, as of all operators with one.
  static size_t first_port(const Node& n, std::string_view output) {
    for (const OutputNames& row : kOutputNames) {
      if (row.op != n.op) continue;
      const auto it = std::ranges::find(row.names, output);
      return it == row.names.end() ? 0 : static_cast<size_t>(it - row.names.begin());
    }
    return 0;
  }

  Model& model_;
  FlatModel& flat_;
};

const Signature* find_signature(const Model& model, const std::string& name) {
  const auto it = model.signatures.find(name.empty() ? "serving_default" : name);
  if (it != model.signatures.end()) return &it->second;
  if (!name.empty()) {
    std::string all;
    for (const auto& [other, s] : model.signatures) all += (all.empty() ? "" : ", ") + other;
    throw Error(ErrorCode::BadOptionValue, "the model has no signature '" + name + "'").hint("it has: " + all);
  }
  const Signature* only = nullptr;
  for (const auto& [other, s] : model.signatures) {
    if (s.outputs.empty() || other.starts_with("__")) continue;
    if (only) return nullptr;
    only = &s;
  }
  return only;
}

std::string node_of(const std::string& key) { return key.substr(0, key.rfind(':')); }

/// Nodes of the main graph that a node comes from, without itself.
std::set<std::string> before(const Node& last, const std::map<std::string, const Node*>& by_name) {
  std::set<std::string> found;
  std::vector<const Node*> stack{&last};
  while (!stack.empty()) {
    const Node* n = stack.back();
    stack.pop_back();
    for (const std::string& i : n->inputs)
      if (const auto it = by_name.find(node_of(tensor_key(i))); it != by_name.end() && found.insert(it->first).second)
        stack.push_back(it->second);
  }
  return found;
}

/// The outputs of the signature as the function returns them, and inputs under the names of its arguments.
void add_call(Model& model, FlatModel& flat, const Signature& signature, Inliner& inliner, const Node& call,
              const std::map<std::string, const Node*>& by_name) {
  std::map<std::string, std::string> renamed;  // placeholders of the main graph -> arguments
  for (const auto& [argument, tensor] : signature.inputs) renamed[node_of(tensor_key(tensor))] = argument;
  // The function's nodes are called as in the function, so that those of the main graph make room.
  std::set<std::string> taken;
  if (const auto f = model.functions.find(call.text("f", "")); f != model.functions.end())
    for (const Node& n : f->second.nodes) taken.insert(n.name);
  const std::set<std::string> needed = before(call, by_name);
  for (const std::string& name : needed)
    if (!renamed.contains(name) && taken.contains(name)) renamed[name] = name + "/outside";
  const auto rename = [&](std::string& i) {
    i = tensor_key(i);
    if (const auto it = renamed.find(node_of(i)); it != renamed.end()) i = it->second + i.substr(i.rfind(':'));
  };
  for (Node n : model.nodes) {
    if (n.name != call.name) {
      if (!needed.contains(n.name)) continue;  // what saves and restores
      drop_orders(n, "", flat);
      std::ranges::for_each(n.inputs, rename);
      if (const auto it = renamed.find(n.name); it != renamed.end()) {
        if (n.text("shared_name", "").empty()) n.attributes["shared_name"].text = n.name;
        n.name = it->second;
      }
      inliner.add(std::move(n), "", 0);
      continue;
    }
    drop_orders(n, "", flat);
    std::ranges::for_each(n.inputs, rename);
    // Numbered behind the inputs of the call, in the order in which the function returns them.
    const std::vector<std::string> results = inliner.call(n, "", 0);
    for (size_t i = 0; i < results.size(); ++i)
      flat.outputs.push_back(
          {results[i], "Func/StatefulPartitionedCall/output/_" + std::to_string(n.inputs.size() + i)});
  }
}

void add_signature(Model& model, FlatModel& flat, const Signature& signature, Inliner& inliner) {
  std::map<std::string, const Node*> by_name;
  for (const Node& n : model.nodes) by_name[n.name] = &n;
  const Node* call = nullptr;
  for (const auto& [name, tensor] : signature.outputs) {
    const auto it = by_name.find(node_of(tensor));
    if (it != by_name.end() && is_call(*it->second)) call = it->second;
  }
  if (call) return add_call(model, flat, signature, inliner, *call, by_name);
  for (Node n : model.nodes) {
    drop_orders(n, "", flat);
    std::ranges::transform(n.inputs, n.inputs.begin(), tensor_key);
    if (!is_call(n)) inliner.add(std::move(n), "", 0);  // calls save and restore
  }
  for (const auto& [name, tensor] : signature.outputs) {
    const std::string key = tensor_key(tensor);
    flat.outputs.push_back({key, node_of(key) + "_" + key});
  }
}

void resolve_all(FlatModel& flat) {
  for (Node& n : flat.nodes)
    for (std::string& i : n.inputs) i = flat.resolve(i);
  for (FlatModel::Output& o : flat.outputs) o.key = flat.resolve(o.key);
}

bool runs_functions(const Node& n) {
  return n.op == "While" || n.op == "StatelessWhile" || n.op == "If" || n.op == "StatelessIf";
}

/// The functions that the loops and branches of a model run, with those that these run in turn.
void add_bodies(Model& model, const std::vector<Node>& nodes, std::map<std::string, FlatFunction>& bodies) {
  for (const Node& n : nodes) {
    if (!runs_functions(n)) continue;
    for (const char* attribute : {"cond", "body", "then_branch", "else_branch"}) {
      const std::string name = n.text(attribute, "");
      if (name.empty() || bodies.contains(name)) continue;
      FlatFunction& f = bodies[name];
      Node call{name, "PartitionedCall", {}, {}};
      call.attributes["f"].text = name;
      if (const auto it = model.functions.find(name); it != model.functions.end())
        for (const Argument& a : it->second.inputs) f.arguments.push_back(a.name + ":0");
      call.inputs = f.arguments;
      f.results = Inliner(model, f.flat).call(call, "", 0);
      resolve_all(f.flat);
      for (std::string& r : f.results) {
        r = f.flat.resolve(r);
        f.flat.outputs.push_back({r, {}});
      }
      add_bodies(model, std::vector<Node>(f.flat.nodes), bodies);
    }
  }
}

}  // namespace

std::string tensor_key(const std::string& input) {
  const size_t colon = input.rfind(':');
  const bool has_port = colon != std::string::npos && colon + 1 < input.size() &&
                        std::all_of(input.begin() + static_cast<std::ptrdiff_t>(colon) + 1, input.end(),
                                    [](char c) { return c >= '0' && c <= '9'; });
  return has_port ? input : input + ":0";
}

std::string FlatModel::resolve(std::string key) const {
  for (size_t i = 0; i <= aliases.size(); ++i) {  // a chain, unless the file is damaged
    const auto it = aliases.find(key);
    if (it == aliases.end()) return key;
    key = it->second;
  }
  throw Error(ErrorCode::FileCorrupt, "the result of a call is itself: " + key);
}

FlatModel flatten(Model model, const std::string& signature) {
  FlatModel flat;
  flat.variable_keys = model.variable_keys;
  Inliner inliner(model, flat);
  if (const Signature* s = find_signature(model, signature)) {
    add_signature(model, flat, *s, inliner);
  } else {
    for (Node n : model.nodes) {
      drop_orders(n, "", flat);
      std::ranges::transform(n.inputs, n.inputs.begin(), tensor_key);
      inliner.add(std::move(n), "", 0);
    }
  }
  resolve_all(flat);
  add_bodies(model, flat.nodes, flat.bodies);
  make_loops(flat);
  return flat;
}

}  // namespace blobsmith::tensorflow_file
