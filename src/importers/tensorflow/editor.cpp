#include "importers/tensorflow/editor.hpp"

#include <algorithm>

namespace blobsmith::tensorflow_file {

using importers::SourceInput;
using importers::SourceOperator;
using importers::SourceOutput;

Error bad_transformation(const std::string& what) {
  return Error(ErrorCode::BadOptionValue, "--transformations_config: " + what);
}

Editor::Editor(Source& s) : s_(s) {
  for (size_t i = 0; i < s_.model.operators.size(); ++i) {
    const SourceOperator& op = s_.model.operators[i];
    by_name_[op.name] = i;
    for (const std::string& key : op.outputs) by_key_[key] = i;
  }
  for (size_t i = 0; i < s_.model.constants.size(); ++i) constants_[s_.model.constants[i].first] = i;
}

const SourceOperator* Editor::find(const std::string& name) const {
  const auto it = by_name_.find(name);
  return it == by_name_.end() ? nullptr : &s_.model.operators[it->second];
}

const SourceOperator* Editor::producer(const std::string& key) const {
  const auto it = by_key_.find(key);
  return it == by_key_.end() ? nullptr : &s_.model.operators[it->second];
}

const SourceOperator& Editor::at(const std::string& name) const {
  if (const SourceOperator* op = find(name)) return *op;
  throw bad_transformation("the graph has no node \"" + name + "\"").hint(kOtherNetwork);
}

std::optional<std::string> Editor::output_named(const std::string& name) const {
  if (const SourceOperator* op = find(name)) return op->outputs.at(0);
  const auto it = s_.model.passed_on.find(name);
  return it == s_.model.passed_on.end() ? std::nullopt : std::optional(it->second);
}

SourceInput* Editor::input(const std::string& name) {
  const auto it = std::ranges::find(s_.model.inputs, name, &SourceInput::name);
  return it == s_.model.inputs.end() ? nullptr : &*it;
}

std::string Editor::in_front_of(std::string key, const std::set<std::string_view>& types) const {
  for (size_t steps = 0; steps <= s_.model.operators.size(); ++steps) {
    const SourceOperator* op = producer(key);
    if (!op || op->inputs.empty() || (op->type != "Identity" && !types.contains(op->type))) break;
    key = op->inputs[0];
  }
  return key;
}

const Tensor* Editor::constant(const std::string& key) const {
  const auto it = constants_.find(in_front_of(key, {"ReadVariableOp"}));
  return it == constants_.end() ? nullptr : &s_.model.constants[it->second].second;
}

std::vector<std::string> Editor::readers(const std::string& key, const std::set<std::string_view>& types) const {
  std::vector<std::string> found, keys{key};
  std::set<std::string> seen;
  for (size_t i = 0; i < keys.size(); ++i)
    for (const SourceOperator& op : s_.model.operators) {
      if (std::ranges::find(op.inputs, keys[i]) == op.inputs.end() || !seen.insert(op.name).second) continue;
      if (op.type == "Identity" || types.contains(op.type))
        keys.insert(keys.end(), op.outputs.begin(), op.outputs.end());
      else
        found.push_back(op.name);
    }
  return found;
}

std::vector<std::string> Editor::nearest_before(const std::string& key, const std::set<std::string_view>& types) const {
  std::vector<std::string> found, keys{key};
  std::set<std::string> seen;
  for (size_t i = 0; i < keys.size(); ++i) {
    const SourceOperator* op = producer(keys[i]);
    if (!op || !seen.insert(op->name).second) continue;
    if (types.contains(op->type))
      found.push_back(op->name);
    else
      keys.insert(keys.end(), op->inputs.begin(), op->inputs.end());
  }
  return found;
}

std::string Editor::add(const std::string& type, const std::string& name, std::vector<std::string> inputs,
                        NamedAttributes attributes, size_t outputs) {
  std::string own = name;
  for (int i = 1; by_name_.contains(own); ++i) own = name + "_" + std::to_string(i);
  SourceOperator op{s_.nodes.size(), own, type, "node \"" + own + "\" (" + type + ")", inputs, {}};
  for (size_t i = 0; i < outputs; ++i) op.outputs.push_back(own + ":" + std::to_string(i));
  by_name_[own] = s_.model.operators.size();
  for (const std::string& key : op.outputs) by_key_[key] = s_.model.operators.size();
  s_.model.operators.push_back(std::move(op));
  s_.nodes.push_back({own, type, std::move(inputs), std::move(attributes)});
  return own + ":0";
}

std::string Editor::add_constant(const std::string& name, Tensor t) {
  std::string key = name + ":0";
  for (int i = 1; constants_.contains(key) || by_key_.contains(key); ++i) key = name + "_" + std::to_string(i) + ":0";
  constants_[key] = s_.model.constants.size();
  s_.model.constants.emplace_back(key, std::move(t));
  return key;
}

void Editor::set_constant(const std::string& key, Tensor t) {
  s_.model.constants[constants_.at(in_front_of(key, {"ReadVariableOp"}))].second = std::move(t);
}

std::string Editor::add_input(const std::string& name, ElementType type, Shape shape) {
  s_.model.inputs.push_back({name, name + ":0", type, std::move(shape)});
  return name + ":0";
}

void Editor::remove(const std::string& name) {
  const auto it = by_name_.find(name);
  if (it == by_name_.end()) return;
  SourceOperator& op = s_.model.operators[it->second];
  for (const std::string& key : op.outputs) by_key_.erase(key);
  op.outputs.clear();
  by_name_.erase(it);
}

void Editor::set_attribute(const std::string& name, const std::string& attribute, Attribute value) {
  s_.nodes.at(at(name).index).attributes[attribute] = std::move(value);
}

void Editor::set_input(const std::string& name, size_t i, const std::string& key) {
  s_.model.operators.at(by_name_.at(name)).inputs.at(i) = key;
}

void Editor::redirect(const std::string& from, const std::string& to, const std::string& but) {
  for (SourceOperator& op : s_.model.operators)
    if (op.name != but)
      for (std::string& i : op.inputs)
        if (i == from) i = to;
  replace_output(from, to);
}

void Editor::remove_outputs_behind(const std::set<std::string>& operators) {
  std::map<std::string, bool> behind;  // by key
  for (const SourceOperator& op : s_.model.operators) {
    const bool is_behind =
        operators.contains(op.name) || std::ranges::any_of(op.inputs, [&](const std::string& i) { return behind[i]; });
    for (const std::string& key : op.outputs) behind[key] = is_behind;
  }
  std::erase_if(s_.model.outputs, [&](const SourceOutput& o) { return behind[o.key]; });
}

void Editor::set_outputs(std::vector<SourceOutput> outputs) {
  s_.model.outputs = std::move(outputs);
  s_.model.only_stated_outputs = true;
}

void Editor::replace_output(const std::string& from, const std::string& to) {
  for (SourceOutput& o : s_.model.outputs)
    if (o.key == from) o.key = to;
}

void Editor::finish() {
  std::vector<SourceOperator>& operators = s_.model.operators;
  std::vector<size_t> order;
  std::vector<char> state(operators.size());
  std::vector<std::pair<size_t, size_t>> stack;
  for (size_t root = 0; root < operators.size(); ++root) {
    if (!state[root]) stack.emplace_back(root, 0), state[root] = 1;
    while (!stack.empty()) {
      auto& [i, next] = stack.back();
      if (next == operators[i].inputs.size()) {
        order.push_back(i);
        stack.pop_back();
        continue;
      }
      const auto it = by_key_.find(operators[i].inputs[next++]);
      if (it != by_key_.end() && !state[it->second]) state[it->second] = 1, stack.emplace_back(it->second, 0);
    }
  }
  std::vector<SourceOperator> sorted;
  for (const size_t i : order) sorted.push_back(std::move(operators[i]));
  operators = std::move(sorted);
  keep_needed(s_.model);
}

}  // namespace blobsmith::tensorflow_file
