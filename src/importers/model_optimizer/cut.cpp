#include "importers/model_optimizer/cut.hpp"

#include <algorithm>
#include <charconv>
#include <set>

#include "importers/common/input_shapes.hpp"

namespace blobsmith::model_optimizer {
namespace {

using importers::SourceInput;
using importers::SourceModel;
using importers::SourceOperator;
using importers::SourceOutput;

/// What the text of a place means in a model.
struct Place {
  SourceInput* input = nullptr;
  SourceOperator* op = nullptr;
  std::optional<size_t> in_port{}, out_port{};
  std::string tensor{};  ///< neither of both: a tensor by its key
};

std::optional<size_t> port_number(std::string_view text) {
  size_t v = 0;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), v);
  return !text.empty() && ec == std::errc{} && end == text.data() + text.size() ? std::optional(v) : std::nullopt;
}

class Cutter {
 public:
  Cutter(SourceModel& model, const ImportOptions& options) : model_(model), options_(options) {}

  void run() {
    // Outputs first: they are named as the model was before inputs are cut.
    std::vector<SourceOutput> outputs;
    for (const std::string& text : options_.cut.outputs) outputs.push_back(output_at(text));
    cut_inputs();
    for (const InputPlace& place : options_.cut.frozen) freeze(place);
    if (!outputs.empty()) {
      model_.outputs = std::move(outputs);
      model_.only_stated_outputs = true;
    }
    for (SourceOutput& o : model_.outputs)
      if (const auto it = replaced_.find(o.key); it != replaced_.end()) o.key = it->second;
    keep_what_is_needed();
    set_shapes();
  }

 private:
  // ---- places ----

  SourceInput* find_input(std::string_view name) {
    const auto it = std::ranges::find(model_.inputs, name, &SourceInput::name);
    return it == model_.inputs.end() ? nullptr : &*it;
  }
  SourceOperator* find_operator(std::string_view name) {
    const auto it = std::ranges::find(model_.operators, name, &SourceOperator::name);
    if (it == model_.operators.end()) return nullptr;
    if (std::ranges::count(model_.operators, name, &SourceOperator::name) > 1)
      throw Error(ErrorCode::BadInputName,
                  "Name collision was found: several layers are named '" + std::string(name) + "'");
    return &*it;
  }
  bool is_tensor(const std::string& key) const {
    return std::ranges::any_of(model_.operators, [&](const SourceOperator& op) {
      return std::ranges::find(op.outputs, key) != op.outputs.end();
    });
  }

  std::optional<Place> whole_name(const std::string& name) {
    if (SourceInput* input = find_input(name)) return Place{.input = input};
    if (SourceOperator* op = find_operator(name)) return Place{.op = op};
    if (is_tensor(name)) return Place{.tensor = name};
    return std::nullopt;
  }

  /// A name may hold a colon itself, so the whole text is tried first; where tensors are called NODE:PORT, it is a
  /// port.
  Place find(const std::string& text) {
    const size_t first = text.find(':'), last = text.rfind(':');
    auto place = whole_name(text);
    if (place && !place->tensor.empty() && last != std::string::npos) {
      const auto port = port_number(std::string_view(text).substr(last + 1));
      SourceOperator* op = find_operator(text.substr(0, last));
      if (op && port && *port < op->outputs.size() && op->outputs[*port] == text)
        return Place{.op = op, .out_port = port};
    }
    if (place) return *place;
    if (first != std::string::npos) {
      if (const auto port = port_number(std::string_view(text).substr(0, first)))
        if ((place = whole_name(text.substr(first + 1)))) return place->in_port = port, *place;
      if (const auto port = port_number(std::string_view(text).substr(last + 1)))
        if ((place = whole_name(text.substr(0, last)))) return place->out_port = port, *place;
    }
    for (const std::string& name : {text, text.substr(0, last)})
      if (const auto it = model_.passed_on.find(name); it != model_.passed_on.end()) return find(it->second);
    throw Error(ErrorCode::BadInputName, "No node with name " + text)
        .hint("layers and tensors go by their names in the model; check -v lists them");
  }

  static const std::string& port_of(const std::vector<std::string>& keys, size_t port, const SourceOperator& op,
                                    const char* side) {
    if (port >= keys.size() || keys[port].empty())
      throw Error(ErrorCode::BadInputName, "Port index " + std::to_string(port) + " is out of number of available " +
                                               side + " ports for node \"" + op.name + "\".");
    return keys[port];
  }

  SourceOutput output_at(const std::string& text) {
    const Place p = find(text);
    if (p.input) throw Error(ErrorCode::BadInputName, "'" + text + "' is an input, which can't be an output alone");
    std::string key = p.tensor;
    if (p.op)
      key = p.in_port ? port_of(p.op->inputs, *p.in_port, *p.op, "input")
                      : port_of(p.op->outputs, p.out_port.value_or(0), *p.op, "output");
    return {key, p.tensor};  // a layer keeps its own name
  }

  // ---- inputs ----

  void cut_inputs() {
    const CutOptions& o = options_.cut;
    const bool by_order = !o.shapes.empty() && !o.inputs.empty();
    if (by_order && o.shapes.size() != o.inputs.size())
      throw Error(ErrorCode::BadOptionValue, "Please provide each input layers with an input layer shape.");
    std::vector<SourceInput> made;
    for (size_t i = 0; i < o.inputs.size(); ++i) {
      InputPlace place = o.inputs[i];
      if (by_order) place.shape = o.shapes[i];
      if (place.shape && !is_static(*place.shape) && !find_input(place.place))
        throw Error(ErrorCode::BadOptionValue,
                    "'" + place.place + "' is not an input, so that its shape can't be completed");
      add_input(place, made);
    }
    for (SourceInput& input : made) {
      stated_.insert(input.key);
      model_.inputs.push_back(std::move(input));
    }
  }

  void freeze(const InputPlace& place) {
    if (freeze_default(place)) return;
    SourceInput* input = find_input(place.place);
    if (!input) throw Error(ErrorCode::BadInputName, "the model has no input named '" + place.place + "'");
    state(*input, place);
  }

  /// An operator that passes on a constant (PlaceholderWithDefault): the value takes that constant's place.
  bool freeze_default(const InputPlace& place) {
    SourceOperator* op = find_operator(place.place);
    if (!op || op->inputs.size() != 1 || op->outputs.size() != 1) return false;
    const auto constant =
        std::ranges::find(model_.constants, op->inputs[0], [](const auto& c) -> const std::string& { return c.first; });
    if (constant == model_.constants.end()) return false;
    SourceInput input{op->name, op->outputs[0], place.type.value_or(constant->second.type), constant->second.shape};
    if (place.shape) input.shape = importers::completed(input.name, *place.shape, std::nullopt);
    stated_.insert(input.key);
    model_.constants.emplace_back(input.key, frozen(input, *place.value));
    std::erase_if(model_.operators, [&](const SourceOperator& o) { return o.outputs == std::vector{input.key}; });
    return true;
  }

  void add_input(const InputPlace& place, std::vector<SourceInput>& made) {
    const Place p = find(place.place);
    if (p.input) return state(*p.input, place);
    if (place.value && freeze_default(place)) return;
    if (place.value)
      throw Error(ErrorCode::BadOptionValue, "'" + place.place + "' is not an input: only inputs can be given a value");
    if (!p.op) return cut_tensor(p.tensor, p.tensor, place, made);
    if (p.out_port) {
      const std::string key = port_of(p.op->outputs, *p.out_port, *p.op, "output");
      return cut_tensor(key, p.op->name + "/placeholder_out_port_" + std::to_string(*p.out_port), place, made);
    }
    std::vector<size_t> ports;
    if (p.in_port) {
      port_of(p.op->inputs, *p.in_port, *p.op, "input");
      ports.push_back(*p.in_port);
    } else {
      for (size_t i = 0; i < p.op->inputs.size(); ++i)
        if (!p.op->inputs[i].empty() && !is_constant(p.op->inputs[i])) ports.push_back(i);
    }
    if (ports.empty()) throw Error(ErrorCode::BadInputName, "'" + place.place + "' has no inputs that could be cut");
    if (ports.size() > 1 && place.shape)
      throw Error(ErrorCode::BadInputName, "Node \"" + p.op->name + "\" has several inputs, and one shape is given")
          .hint("name the port: 0:" + p.op->name);
    for (const size_t i : ports) {
      const std::string name = p.op->name + "/placeholder_port_" + std::to_string(i);
      made.push_back({name, name, place.type.value_or(ElementType::f32), place.shape,
                      place.shape ? std::string() : p.op->inputs[i]});
      p.op->inputs[i] = name;
    }
  }

  /// Every reader of the tensor reads the new input.
  void cut_tensor(const std::string& key, const std::string& name, const InputPlace& place,
                  std::vector<SourceInput>& made) {
    const std::string fresh = key + "/placeholder";
    made.push_back(
        {name, fresh, place.type.value_or(ElementType::f32), place.shape, place.shape ? std::string() : key});
    for (SourceOperator& op : model_.operators) std::ranges::replace(op.inputs, key, fresh);
    replaced_[key] = fresh;
  }

  bool is_constant(const std::string& key) const {
    return std::ranges::any_of(model_.constants, [&](const auto& c) { return c.first == key; }) ||
           std::ranges::any_of(model_.operators, [&](const SourceOperator& op) {
             return op.inputs.empty() && std::ranges::find(op.outputs, key) != op.outputs.end();
           });
  }

  /// An input of the model itself: its shape, its type, or a value in its place.
  void state(SourceInput& input, const InputPlace& place) {
    stated_.insert(input.key);
    if (place.shape) input.shape = importers::completed(input.name, *place.shape, input.shape);
    if (place.type) input.type = *place.type;
    if (place.value) {
      model_.constants.emplace_back(input.key, frozen(input, *place.value));
      std::erase_if(model_.inputs, [key = input.key](const SourceInput& i) { return i.key == key; });
    }
  }

  static std::string all_of(const std::vector<std::string>& words) {
    std::string all;
    for (const std::string& w : words) all += (all.empty() ? "" : " ") + w;
    return all;
  }

  static Tensor frozen(const SourceInput& input, const std::vector<std::string>& words) {
    std::vector<double> values;
    for (const std::string& w : words) {
      double v = w == "True" || w == "true" ? 1 : 0;
      const auto [end, ec] = std::from_chars(w.data(), w.data() + w.size(), v);
      const bool is_name = w == "True" || w == "true" || w == "False" || w == "false";
      if (!is_name && (ec != std::errc{} || end != w.data() + w.size()))
        throw Error(ErrorCode::BadOptionValue, "'" + w + "' is not a value for input '" + input.name + "'");
      values.push_back(v);
    }
    const bool open = !input.shape || !is_static(*input.shape);
    const Shape shape = !open ? *input.shape : values.size() > 1 ? Shape{static_cast<int64_t>(values.size())} : Shape{};
    if (element_count(shape) != std::ssize(values))
      throw Error(ErrorCode::ShapeMismatch, "Can not reshape value " + all_of(words) + " to shape " + to_string(shape) +
                                                " of input '" + input.name + "'");
    Graph g;
    const Tensor real = Tensor::of(ElementType::f64, shape, std::move(values));
    const Tensor* inputs[] = {&real};
    Attributes to;
    to.set("destination_type", std::string(to_string(input.type)));
    std::vector<Tensor> cast = evaluate(*g.make("Convert", {g.constant(real)->value()}, to), inputs);
    if (cast.empty())
      throw Error(ErrorCode::TypeMismatch, "input '" + input.name + "' of type " + std::string(to_string(input.type)) +
                                               " can't be given a value");
    return std::move(cast[0]);
  }

  // ---- what remains ----

  /// Operators and inputs that these tensors follow from.
  std::set<std::string> needed_for(std::set<std::string> tensors) const {
    for (auto op = model_.operators.rbegin(); op != model_.operators.rend(); ++op)
      if (std::ranges::any_of(op->outputs, [&](const std::string& o) { return !o.empty() && tensors.contains(o); }))
        tensors.insert(op->inputs.begin(), op->inputs.end());
    return tensors;
  }

  /// Tensors that follow from the stated inputs.
  std::set<std::string> reached() const {
    std::set<std::string> tensors = stated_;
    for (const SourceOperator& op : model_.operators)
      if (std::ranges::any_of(op.inputs, [&](const std::string& i) { return !i.empty() && tensors.contains(i); }))
        tensors.insert(op.outputs.begin(), op.outputs.end());
    tensors.erase(std::string());
    return tensors;
  }

  static bool computes_one_of(const SourceOperator& op, const std::set<std::string>& tensors) {
    return std::ranges::any_of(op.outputs, [&](const std::string& o) { return tensors.contains(o); });
  }

  void keep_what_is_needed() {
    const CutOptions& o = options_.cut;
    if (o.inputs.empty() && o.outputs.empty()) return;
    if (!model_.only_stated_outputs) {
      const std::set<std::string> from_inputs = reached();
      std::erase_if(model_.outputs, [&](const SourceOutput& out) { return !from_inputs.contains(out.key); });
    }
    std::set<std::string> roots = model_.only_stated_outputs ? std::set<std::string>{} : reached();
    for (const SourceOutput& out : model_.outputs) roots.insert(out.key);
    std::set<std::string> used = needed_for(roots);
    std::set<std::string> shapes;
    for (const SourceInput& input : model_.inputs)
      if (!input.like.empty() && used.contains(input.key)) shapes.insert(input.like);
    shapes = needed_for(shapes);
    used.erase(std::string());
    check_inputs(used);
    for (SourceOperator& op : model_.operators) op.for_shapes = !computes_one_of(op, used);
    for (SourceInput& input : model_.inputs) input.for_shapes = !used.contains(input.key);
    std::erase_if(model_.operators,
                  [&](const SourceOperator& op) { return op.for_shapes && !computes_one_of(op, shapes); });
    std::erase_if(model_.inputs, [&](const SourceInput& i) { return i.for_shapes && !shapes.contains(i.key); });
  }

  void check_inputs(const std::set<std::string>& used) const {
    if (options_.cut.inputs.empty()) return;
    for (const SourceInput& input : model_.inputs)
      if (used.contains(input.key) && !stated_.contains(input.key))
        throw Error(ErrorCode::BadInputName,
                    "--input parameter was provided. Other inputs are needed for output computation. Provide more "
                    "inputs or choose another place to cut the net.")
            .because("input '" + input.name + "' is needed too");
  }

  // ---- shapes ----

  void set_shapes() {
    for (const auto& [name, shape] : options_.input_shapes) {
      SourceInput* input = find_input(name);
      if (!input)
        throw Error(ErrorCode::BadInputName, "the model has no input named '" + name + "'").hint(input_list());
      input->shape = importers::completed(name, shape, input->shape);
    }
    const CutOptions& o = options_.cut;
    if (!o.shapes.empty() && o.inputs.empty()) set_shapes_in_order(o.shapes);
    if (o.batch) set_batch(*o.batch);
  }

  std::string input_list() const {
    std::string names;
    for (const SourceInput& input : model_.inputs) names += (names.empty() ? "" : ", ") + input.name;
    return "its inputs are: " + names;
  }

  void set_shapes_in_order(const std::vector<Shape>& shapes) {
    if (shapes.size() != model_.inputs.size())
      throw Error(ErrorCode::BadOptionValue, "the model has " + std::to_string(model_.inputs.size()) + " inputs, and " +
                                                 std::to_string(shapes.size()) + " shapes are given without names")
          .hint(input_list());
    for (size_t i = 0; i < shapes.size(); ++i) {
      SourceInput& input = model_.inputs[i];
      input.shape = importers::completed(input.name, shapes[i], input.shape);
    }
  }

  void set_batch(int64_t batch) {
    if (std::ranges::any_of(options_.cut.inputs, [](const InputPlace& p) { return p.shape.has_value(); }))
      throw Error(ErrorCode::BadOptionValue,
                  "Shapes are specified using both --input and --batch command-line parameters, but only one parameter "
                  "is allowed.");
    const bool shapes_too = !options_.cut.shapes.empty() || !options_.input_shapes.empty();
    if (shapes_too)
      throw Error(ErrorCode::BadOptionValue,
                  "Both --input_shape and --batch were provided. Please provide only one of "
                  "them.");
    for (SourceInput& input : model_.inputs) {
      if (!input.like.empty()) continue;
      if (!input.shape || input.shape->empty() || (*input.shape)[0] > 1)
        throw Error(ErrorCode::BadOptionValue,
                    "The input layer " + input.name + " has a shape " +
                        (input.shape ? to_string(*input.shape) : "[...]") +
                        " defined in the model, of which --batch does not know the batch dimension")
            .hint("state the whole shape: --input_shape");
      (*input.shape)[0] = batch;
    }
  }

  SourceModel& model_;
  const ImportOptions& options_;
  std::set<std::string> stated_;                 ///< keys of the inputs that --input names
  std::map<std::string, std::string> replaced_;  ///< tensors and the inputs in their place
};

}  // namespace

void cut(SourceModel& model, const ImportOptions& options) { Cutter(model, options).run(); }

}  // namespace blobsmith::model_optimizer
