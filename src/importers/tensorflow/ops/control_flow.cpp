// Loops and branches that functions are the bodies of, and the lists of tensors that loops fill. A blob has no control
// flow: a loop whose number of iterations is known from shapes and constants is unrolled, and of a branch whose
// condition is known one side is taken. Lists exist only while a model is read:
//
//   TensorListFromTensor [T,..] -> T slices     while t < T: x = GetItem t ... SetItem t     TensorListStack -> [T,..]
#include <algorithm>
#include <set>

#include "graph/ops/known_value.hpp"
#include "importers/tensorflow/builder.hpp"
#include "importers/tensorflow/operators.hpp"

namespace blobsmith::tensorflow_import {
namespace {

using tensorflow_file::Body;
using Items = std::vector<std::optional<Value>>;

constexpr int64_t kMostIterations = 4096, kMostItems = 1 << 16;
constexpr size_t kMostNodes = 400'000;

// ---- functions ----

const Body& body_of(Context& c, const char* attribute) {
  const auto& bodies = c.shared().bodies;
  const auto it = bodies.find(c.node().text(attribute, ""));
  if (it == bodies.end()) c.refuse("the file does not hold its function");
  return it->second;
}

/// A branch of TensorFlow 1: Switch passes a tensor on to one side, and Merge takes what comes from either.
bool is_junction(std::string_view type) {
  return type == "Switch" || type == "RefSwitch" || type == "Merge" || type == "RefMerge";
}

/// An error that names all operators of a function that are not known.
void check(Context& c, const Body& body) {
  std::string unknown;
  std::set<std::string> seen;
  for (const importers::SourceOperator& op : body.model.operators)
    if (!find_operator(op.type) && !is_junction(op.type) && seen.insert(op.type).second)
      unknown += (unknown.empty() ? "" : ", ") + op.type;
  if (!unknown.empty()) c.refuse("its function holds operators that are not supported: " + unknown);
}

/// The condition, where shapes and constants decide it.
std::optional<bool> known_condition(Value v) {
  const auto t = known_value(v);
  if (!t || element_count(t->shape) != 1) return std::nullopt;
  return t->to_f32().at(0) != 0;
}

/// The outputs of a Switch or Merge. A side that is not taken has no values.
std::vector<Value> junction(Context& c, const importers::SourceOperator& op, const std::vector<Value>& inputs) {
  if (op.type.ends_with("Switch")) {
    const auto condition = inputs.size() == 2 ? known_condition(inputs[1]) : std::nullopt;
    if (!condition) c.refuse("its function has a branch, \"" + op.name + "\", that is chosen while the network runs");
    return *condition ? std::vector<Value>{{}, inputs[0]} : std::vector<Value>{inputs[0], {}};
  }
  for (size_t i = 0; i < inputs.size(); ++i)
    if (inputs[i]) return {inputs[i], c.number_constant(ElementType::i32, {}, static_cast<double>(i))};
  return {{}, {}};
}

/// What a function makes of these values; `suffix` sets the names of its nodes apart.
std::vector<Value> run(Context& c, const Body& body, const std::vector<Value>& arguments, const std::string& suffix) {
  std::map<std::string, Value> values;
  for (size_t i = 0; i < body.arguments.size() && i < arguments.size(); ++i) values[body.arguments[i]] = arguments[i];
  for (const auto& [key, tensor] : body.model.constants)
    values[key] = c.graph().constant(tensor, c.name() + suffix + "/" + key)->value();
  const auto value = [&](const std::string& key) {
    const auto it = values.find(key);
    if (it == values.end()) c.refuse("its function reads '" + key + "', which nothing computes");
    return it->second;
  };
  for (const importers::SourceOperator& op : body.model.operators) {
    std::vector<Value> inputs;
    for (const std::string& i : op.inputs) inputs.push_back(value(i));
    const std::string name = suffix + "/" + op.name;
    std::vector<Value> outputs(op.outputs.size());
    if (is_junction(op.type))
      outputs = junction(c, op, inputs);
    else if (std::ranges::all_of(inputs, [](const Value& v) { return v.node != nullptr; }))
      outputs = c.apply(op.type, std::move(inputs), body.nodes.at(op.index).attributes, name);
    for (size_t i = 0; i < op.outputs.size() && i < outputs.size(); ++i)
      values[op.outputs[i]] = c.known(outputs[i], c.name() + name);
  }
  if (c.graph().size() > kMostNodes) c.refuse("its iterations have too many layers");
  std::vector<Value> results;
  for (const std::string& key : body.results) {
    results.push_back(value(key));
    if (!results.back()) c.refuse("its function has a result, '" + key + "', of a branch that is not taken");
  }
  return results;
}

std::vector<Value> loop(Context& c) {
  const Body &condition = body_of(c, "cond"), &body = body_of(c, "body");
  check(c, condition);
  check(c, body);
  std::vector<Value> state = c.inputs();
  for (int64_t i = 0;; ++i) {
    const std::string number = "/" + std::to_string(i);
    const std::vector<Value> decision = run(c, condition, state, number + "/condition");
    const auto goes_on = decision.empty() ? std::nullopt : known_condition(decision[0]);
    if (!goes_on) c.refuse("its number of iterations is decided while the network runs");
    if (!*goes_on) return state;
    if (i == kMostIterations) c.refuse("it has more than " + std::to_string(kMostIterations) + " iterations");
    state = run(c, body, state, number);
  }
}

std::vector<Value> branch(Context& c) {
  const auto condition = known_condition(c.input(0));
  if (!condition) c.refuse("its condition is decided while the network runs");
  const Body& body = body_of(c, *condition ? "then_branch" : "else_branch");
  check(c, body);
  return run(c, body, {c.inputs().begin() + 1, c.inputs().end()}, *condition ? "/then" : "/else");
}

// ---- lists ----

std::vector<Value> new_list(Context& c, Items items) {
  const Value handle = c.integer_constant(std::ssize(items), "/list");
  c.shared().lists[handle.node] = std::move(items);
  return {handle};
}

const Items& list_of(Context& c, size_t i) {
  const auto it = c.shared().lists.find(c.input(i).node);
  if (it == c.shared().lists.end()) c.refuse("its list of tensors comes from the network's inputs");
  return it->second;
}

size_t index_of(Context& c, size_t i, const Items& items) {
  const int64_t index = c.integer_of(i, "index");
  if (index < 0 || index >= std::ssize(items))
    c.refuse("index " + std::to_string(index) + " is beyond its list of " + std::to_string(items.size()));
  return static_cast<size_t>(index);
}

/// Item i; zeros in the shape of the others where nothing was set.
Value item_or_zeros(Context& c, const Items& items, size_t i) {
  if (items[i]) return *items[i];
  for (const std::optional<Value>& other : items)
    if (other) return c.number_constant(other->type(), other->shape(), 0);
  c.refuse("it reads an item that was not set");
}

std::vector<Value> reserve(Context& c) {
  const int64_t count = c.integer_of(1, "number of elements");
  if (count < 0 || count > kMostItems) c.refuse("its list has " + std::to_string(count) + " items");
  return new_list(c, Items(static_cast<size_t>(count)));
}

std::vector<Value> empty_list(Context& c) { return new_list(c, {}); }

std::vector<Value> list_from_tensor(Context& c) {
  const Shape& shape = c.input(0).shape();
  if (shape.empty() || shape[0] < 1 || shape[0] > kMostItems) c.refuse("its tensor has the shape " + to_string(shape));
  Items items;
  for (const Value& v :
       c.apply("Unpack", {c.input(0)},
               {{"axis", tensorflow_file::integer_attribute(0)}, {"num", tensorflow_file::integer_attribute(shape[0])}},
               "/items"))
    items.emplace_back(v);
  return new_list(c, std::move(items));
}

std::vector<Value> item_of(Context& c, size_t list) {
  const Items& items = list_of(c, list);
  return {item_or_zeros(c, items, index_of(c, 1, items))};
}

std::vector<Value> get_item(Context& c) { return item_of(c, 0); }

std::vector<Value> set_item(Context& c) {
  Items items = list_of(c, 0);
  items[index_of(c, 1, items)] = c.input(2);
  return new_list(c, std::move(items));
}

std::vector<Value> push_back(Context& c) {
  Items items = list_of(c, 0);
  if (std::ssize(items) >= kMostItems) c.refuse("its list grows too long");
  items.emplace_back(c.input(1));
  return new_list(c, std::move(items));
}

std::vector<Value> stack(Context& c) {
  std::vector<Value> items;
  const Items& list = list_of(c, 0);
  for (size_t i = 0; i < list.size(); ++i) items.push_back(item_or_zeros(c, list, i));
  if (items.empty()) c.refuse("its list is empty");
  return c.apply("Pack", std::move(items), {{"axis", tensorflow_file::integer_attribute(0)}}, "");
}

std::vector<Value> list_length(Context& c) {
  const int32_t count = static_cast<int32_t>(list_of(c, 0).size());
  return {c.number_constant(ElementType::i32, {}, count)};
}

// ---- arrays of TensorFlow 1: lists, whose contents go from operator to operator as the "flow" ----

/// Outputs: a handle, which nothing looks into, and the flow.
std::vector<Value> new_array(Context& c) {
  const int64_t count = c.integer_of(0, "number of elements");
  if (count < 0 || count > kMostItems) c.refuse("its list has " + std::to_string(count) + " items");
  return {c.integer_constant(0, "/handle"), new_list(c, Items(static_cast<size_t>(count)))[0]};
}

void set_grown(Context& c, Items& items, int64_t index, Value v) {
  if (index < 0 || index >= kMostItems) c.refuse("index " + std::to_string(index) + " is beyond its list");
  if (index >= std::ssize(items)) items.resize(static_cast<size_t>(index) + 1);
  items[static_cast<size_t>(index)] = v;
}

std::vector<Value> array_write(Context& c) {
  Items items = list_of(c, 3);
  set_grown(c, items, c.integer_of(1, "index"), c.input(2));
  return new_list(c, std::move(items));
}

std::vector<Value> array_read(Context& c) { return item_of(c, 2); }

std::vector<Value> array_scatter(Context& c) {
  Items items = list_of(c, 3);
  const std::vector<int64_t> indices = c.integers_of(1, "indices");
  const Shape& shape = c.input(2).shape();
  if (shape.empty() || shape[0] != std::ssize(indices)) c.refuse("its tensor has the shape " + to_string(shape));
  const std::vector<Value> parts =
      c.apply("Unpack", {c.input(2)},
              {{"axis", tensorflow_file::integer_attribute(0)}, {"num", tensorflow_file::integer_attribute(shape[0])}},
              "/items");
  for (size_t i = 0; i < indices.size(); ++i) set_grown(c, items, indices[i], parts.at(i));
  return new_list(c, std::move(items));
}

std::vector<Value> array_gather(Context& c) {
  const Items& items = list_of(c, 2);
  std::vector<Value> found;
  for (const int64_t i : c.integers_of(1, "indices")) {
    if (i < 0 || i >= std::ssize(items)) c.refuse("index " + std::to_string(i) + " is beyond its list");
    found.push_back(item_or_zeros(c, items, static_cast<size_t>(i)));
  }
  if (found.empty()) c.refuse("its list is empty");
  return c.apply("Pack", std::move(found), {{"axis", tensorflow_file::integer_attribute(0)}}, "");
}

std::vector<Value> array_size(Context& c) {
  return {c.number_constant(ElementType::i32, {}, static_cast<double>(list_of(c, 1).size()))};
}

constexpr OperatorRow kOperators[] = {
    {"While", "Loop", loop},
    {"StatelessWhile", "Loop", loop},
    {"If", "", branch},
    {"StatelessIf", "", branch},
    {"TensorListReserve", "", reserve},
    {"EmptyTensorList", "", empty_list},
    {"TensorListFromTensor", "Split", list_from_tensor},
    {"TensorListGetItem", "", get_item},
    {"TensorListSetItem", "", set_item},
    {"TensorListPushBack", "", push_back},
    {"TensorListStack", "Concat", stack},
    {"TensorListLength", "", list_length},
    {"TensorArrayV3", "", new_array},
    {"TensorArrayWriteV3", "", array_write},
    {"TensorArrayReadV3", "", array_read},
    {"TensorArrayScatterV3", "Split", array_scatter},
    {"TensorArrayGatherV3", "Concat", array_gather},
    {"TensorArraySizeV3", "", array_size},
};

}  // namespace

std::span<const OperatorRow> control_flow_operators() { return kOperators; }

}  // namespace blobsmith::tensorflow_import
