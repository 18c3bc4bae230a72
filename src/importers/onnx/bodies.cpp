#include "importers/onnx/bodies.hpp"

#include <algorithm>
#include <optional>
#include <set>

#include "graph/ops/known_value.hpp"
#include "importers/onnx/mo_steps.hpp"

namespace blobsmith::onnx_import {
namespace {

using onnx_file::Attribute;
using onnx_file::Model;

constexpr int64_t kMostNodes = 1 << 17;

void add_captured(const Model& body, std::set<std::string> made, std::vector<std::string>& list) {
  for (const auto& [name, tensor] : body.initializers) made.insert(name);
  for (const onnx_file::ValueInfo& i : body.inputs) made.insert(i.name);
  const auto read = [&](const std::string& name) {
    if (!name.empty() && !made.contains(name) && std::ranges::find(list, name) == list.end()) list.push_back(name);
  };
  for (const onnx_file::Node& n : body.nodes) {
    std::ranges::for_each(n.inputs, read);
    for (const auto& [name, a] : n.attributes)
      if (a.graph) add_captured(*a.graph, made, list);
    made.insert(n.outputs.begin(), n.outputs.end());
  }
  for (const onnx_file::ValueInfo& o : body.outputs) read(o.name);
}

const Model& body_of(const onnx_file::Node& n, const char* attribute, const mo::Context& c) {
  const Attribute* a = n.find(attribute);
  if (!a || !a->graph)
    c.refuse("its " + std::string(attribute) + " can't be read" + (a && !a->text.empty() ? ": " + a->text : ""));
  return *a->graph;
}

}  // namespace

bool has_bodies(const onnx_file::Node& n) {
  return is_default_domain(n.domain) && (n.op_type == "If" || n.op_type == "Loop" || n.op_type == "Scan");
}

std::vector<std::string> captured_names(const onnx_file::Node& n) {
  std::vector<std::string> list;
  for (const auto& [name, a] : n.attributes)
    if (a.graph) add_captured(*a.graph, {}, list);
  return list;
}

std::vector<Value> Bodies::convert(const onnx_file::Node& n) {
  if (n.op_type == "If") return branch(n);
  return n.op_type == "Loop" ? loop(n) : scan(n);
}

std::string Bodies::key_of(const std::string& name) const {
  for (size_t i = scopes_.size(); i-- > 0;)
    if (const auto it = scopes_[i].find(name); it != scopes_[i].end()) return it->second;
  return name;
}

std::vector<Value> Bodies::inlined(const Model& body, const std::vector<Value>& inputs, const std::string& prefix) {
  scopes_.emplace_back();
  const auto define = [&](const std::string& name, Value v) {
    const std::string key = prefix + name;
    session_.values[key] = v;
    scopes_.back()[name] = key;
  };
  for (const auto& [name, tensor] : body.initializers)
    define(name, session_.graph.constant(tensor, prefix + name)->value());
  for (size_t i = 0; i < body.inputs.size() && i < inputs.size(); ++i) define(body.inputs[i].name, inputs[i]);
  for (const onnx_file::Node& given : body.nodes) {
    if (++nodes_ > kMostNodes)
      throw Error(ErrorCode::NotYetSupported, "all turns of the loop are more than " + std::to_string(kMostNodes) +
                                                  " operators, which is too many to spell out");
    onnx_file::Node n = given;
    for (std::string& i : n.inputs)
      if (!i.empty()) i = key_of(i);
    n.name = prefix + mo::layer_name(given);
    const std::vector<Value> values = has_bodies(n) ? convert(n) : convert_(n);
    for (size_t i = 0; i < given.outputs.size() && i < values.size(); ++i)
      if (!given.outputs[i].empty()) define(given.outputs[i], values[i]);
  }
  std::vector<Value> outputs;
  for (const onnx_file::ValueInfo& o : body.outputs) outputs.push_back(session_.value(key_of(o.name)));
  scopes_.pop_back();
  return outputs;
}

namespace {

/// Small inputs that alone decide a value, such as a rate or a flag; empty where others have a say.
std::vector<std::string> deciding_inputs(Value v) {
  constexpr int64_t kSmall = 16;
  std::vector<std::string> names;
  std::vector<const Node*> open{v.node};
  std::set<const Node*> seen{v.node};
  while (!open.empty()) {
    const Node* n = open.back();
    open.pop_back();
    if (n->is("Parameter")) {
      if (!is_static(n->shape()) || element_count(n->shape()) > kSmall) return {};
      names.push_back(n->name);
    }
    for (const Value& i : n->inputs())
      if (seen.insert(i.node).second) open.push_back(i.node);
  }
  return names;
}

[[noreturn]] void refuse_open_condition(mo::Context& c) {
  try {
    c.refuse(
        "its condition is computed when the network runs; only those that constants and shapes decide can be "
        "followed");
  } catch (Error& e) {
    std::string values;
    for (const std::string& name : deciding_inputs(c.input(0)))
      values += (values.empty() ? "" : ",") + name + "->VALUE";
    if (!values.empty())
      e.hint("it depends on inputs alone that can be made constants: --freeze-placeholder-with-value \"" + values +
             "\"");
    throw;
  }
}

}  // namespace

std::vector<Value> Bodies::branch(const onnx_file::Node& n) {
  mo::Context c(session_, n, opset_, "If");
  const auto condition = known_value(c.input(0));
  if (!condition || element_count(condition->shape) != 1) refuse_open_condition(c);
  const bool taken = condition->to_i64()[0] != 0;
  return inlined(body_of(n, taken ? "then_branch" : "else_branch", c), {}, c.name() + "/");
}

namespace {

/// One tensor of all turns, along a new axis.
Value stacked(mo::Context& c, mo::Steps& s, std::vector<Value> turns, int64_t axis, bool reverse) {
  if (turns.empty()) c.refuse("it has no turns, so that an output is empty");
  if (reverse) std::ranges::reverse(turns);
  for (Value& v : turns) v = s.make("Unsqueeze", {v, s.indices({axis})});
  return s.concat(std::move(turns), axis);
}

}  // namespace

std::vector<Value> Bodies::loop(const onnx_file::Node& n) {
  mo::Context c(session_, n, opset_, "Loop");
  mo::Steps s(c);
  const Model& body = body_of(n, "body", c);
  const auto known = [&](Value v, const char* what) {
    const auto t = known_value(v);
    if (!t || element_count(t->shape) != 1)
      c.refuse("its " + std::string(what) +
               " is computed when the network runs; only loops of a constant number of "
               "turns can be followed");
    return t->to_i64()[0];
  };
  const int64_t most = c.has_input(0) ? known(c.input(0), "number of turns") : kMostNodes;
  bool goes_on = !c.has_input(1) || known(c.input(1), "condition") != 0;
  std::vector<Value> state;
  for (size_t i = 2; i < c.input_count(); ++i) state.push_back(c.input(i));
  if (body.outputs.size() < 1 + state.size()) c.refuse("its body has too few outputs");
  std::vector<std::vector<Value>> scanned(body.outputs.size() - 1 - state.size());
  for (int64_t turn = 0; turn < most && goes_on; ++turn) {
    std::vector<Value> inputs{s.constant(Tensor::scalar_i64(turn)),
                              s.constant(Tensor::of(ElementType::boolean, {}, std::vector<uint8_t>{1}))};
    inputs.insert(inputs.end(), state.begin(), state.end());
    const std::vector<Value> outputs = inlined(body, inputs, c.name() + "/" + std::to_string(turn) + "/");
    goes_on = known(outputs[0], "condition") != 0;
    for (size_t i = 1; i < outputs.size(); ++i)
      (i <= state.size() ? state[i - 1] : scanned[i - 1 - state.size()].emplace_back()) = outputs[i];
  }
  for (std::vector<Value>& turns : scanned) state.push_back(stacked(c, s, std::move(turns), 0, false));
  return state;
}

std::vector<Value> Bodies::scan(const onnx_file::Node& n) {
  mo::Context c(session_, n, opset_, "Scan");
  mo::Steps s(c);
  if (opset_ < 9) c.refuse("Scan of opset 8, over a batch, is not supported");
  const Model& body = body_of(n, "body", c);
  const auto inputs = static_cast<size_t>(c.integer("num_scan_inputs", 0));
  if (inputs < 1 || inputs > c.input_count() || body.outputs.size() < c.input_count() - inputs)
    c.refuse("its num_scan_inputs don't fit its inputs");
  const size_t states = c.input_count() - inputs, outputs = body.outputs.size() - states;
  const auto stated = [&](const char* name, size_t i) {
    const std::vector<int64_t> list = c.integers(name);
    return i < list.size() ? list[i] : 0;
  };
  std::vector<Value> state;
  for (size_t i = 0; i < states; ++i) state.push_back(c.input(i));
  std::vector<int64_t> axes;
  std::optional<int64_t> turns;
  for (size_t i = 0; i < inputs; ++i) {
    axes.push_back(c.axis(stated("scan_input_axes", i), c.rank(states + i)));
    const int64_t length = c.input(states + i).shape()[static_cast<size_t>(axes[i])];
    if (length < 1 || (turns && *turns != length)) c.refuse("its inputs differ in length");
    turns = length;
  }
  std::vector<std::vector<Value>> scanned(outputs);
  for (int64_t turn = 0; turn < *turns; ++turn) {
    std::vector<Value> given = state;
    for (size_t i = 0; i < inputs; ++i) {
      const int64_t at = stated("scan_input_directions", i) != 0 ? *turns - 1 - turn : turn;
      const Value part = s.slice(c.input(states + i), static_cast<size_t>(axes[i]), at, at + 1);
      given.push_back(s.make("Squeeze", {part, s.indices({axes[i]})}));
    }
    const std::vector<Value> made = inlined(body, given, c.name() + "/" + std::to_string(turn) + "/");
    for (size_t i = 0; i < made.size(); ++i) (i < states ? state[i] : scanned[i - states].emplace_back()) = made[i];
  }
  for (size_t i = 0; i < outputs; ++i) {
    const int64_t rank = static_cast<int64_t>(scanned[i][0].shape().size()) + 1;
    state.push_back(stacked(c, s, std::move(scanned[i]), c.axis(stated("scan_output_axes", i), rank),
                            stated("scan_output_directions", i) != 0));
  }
  return state;
}

}  // namespace blobsmith::onnx_import
