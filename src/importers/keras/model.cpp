#include "importers/keras/model.hpp"

#include <algorithm>
#include <functional>
#include <set>

#include "core/file.hpp"
#include "importers/keras/archive.hpp"
#include "importers/keras/first_version.hpp"
#include "importers/keras/hdf5.hpp"

namespace blobsmith::keras_file {
namespace {

constexpr int kDeepest = 32;  // models in models
constexpr size_t kMostCalls = 200'000;

Error damaged(const std::string& what) { return Error(ErrorCode::FileCorrupt, "the Keras model is damaged: " + what); }

bool is_model(const std::string& class_name) {
  return class_name == "Functional" || class_name == "Model" || class_name == "Sequential";
}

std::string text_of(const Json& j, const char* key) {
  const auto it = j.find(key);
  return it != j.end() && it->is_string() ? it->get<std::string>() : std::string();
}

/// "Conv2DTranspose" -> "conv2d_transpose", "PReLU" -> "p_re_lu": how Keras 3 names the groups of weights.
std::string snake_case(const std::string& name) {
  const auto is_upper = [&](size_t i) { return i < name.size() && name[i] >= 'A' && name[i] <= 'Z'; };
  const auto is_lower = [&](size_t i) { return i < name.size() && name[i] >= 'a' && name[i] <= 'z'; };
  std::string r;
  for (size_t i = 0; i < name.size(); ++i) {
    if (i > 0 && is_upper(i) && (is_lower(i + 1) || is_lower(i - 1))) r += '_';
    r += is_upper(i) ? static_cast<char>(name[i] - 'A' + 'a') : name[i];
  }
  return r;
}

/// Where the weights of layers lie in a file.
class Weights {
 public:
  virtual ~Weights() = default;
  /// Of a layer, by the names of the models that it lies in and its own.
  virtual std::map<std::string, Tensor> of(const std::vector<std::string>& path) const = 0;
  /// A model is entered whose layers these are; `path` is its own.
  virtual void enter(const std::vector<std::string>&, const Json&) {}
};

/// .h5: a group for each layer of the outermost model, with the names of its weights.
class NamedWeights final : public Weights {
 public:
  NamedWeights(const Hdf5& file, std::string root) : file_(file), root_(std::move(root)) {}

  std::map<std::string, Tensor> of(const std::vector<std::string>& path) const override {
    std::map<std::string, Tensor> found;
    const std::string group = root_ + "/" + path.front();
    if (!file_.has(group)) return found;
    for (const std::string& name : file_.texts(group, "weight_names")) {
      const auto own = key_in(name, path);
      if (own) found[*own] = file_.dataset(group + "/" + name);
    }
    return found;
  }

 private:
  /// What follows the layer's name in the name of a weight; nothing where it is another layer's.
  static std::optional<std::string> key_in(const std::string& name, const std::vector<std::string>& path) {
    const std::string whole = "/" + name.substr(0, name.find(':'));
    const size_t at = whole.rfind("/" + path.back() + "/");
    if (at != std::string::npos) return whole.substr(at + path.back().size() + 2);
    if (path.size() > 1) return std::nullopt;
    return whole.substr(whole.rfind('/') + 1);
  }

  const Hdf5& file_;
  std::string root_;
};

/// Keras 3: groups by the path of a layer; a layer goes by its name, or by its class and how many came before.
class NumberedWeights final : public Weights {
 public:
  explicit NumberedWeights(const Hdf5& file) : file_(file) {}

  void enter(const std::vector<std::string>& path, const Json& layers) override {
    const std::string folder = group_of(path) + "/layers";
    // Groups state whose they are, in files of today; names of layers are not those of groups, though they look alike.
    std::map<std::string, std::string> stated;
    if (file_.has(folder))
      for (const std::string& group : file_.children(folder))
        if (file_.has(folder + "/" + group + "/vars"))
          if (const auto name = file_.text(folder + "/" + group + "/vars", "name")) stated[*name] = group;
    std::map<std::string, int> used;
    for (const Json& layer : layers) {
      const std::string name = layer_name(layer), base = snake_case(text_of(layer, "class_name"));
      const int count = used[base]++;
      const std::string by_class = count == 0 ? base : base + "_" + std::to_string(count);
      std::vector<std::string> own = path;
      own.push_back(name);
      const auto it = stated.find(name);
      const bool numbered = file_.has(folder + "/" + by_class);
      groups_[own] = folder + "/" + (it != stated.end() ? it->second : numbered ? by_class : name);
    }
  }

  std::map<std::string, Tensor> of(const std::vector<std::string>& path) const override {
    std::map<std::string, Tensor> found;
    const auto it = groups_.find(path);
    if (it != groups_.end() && file_.has(it->second)) collect(it->second, "", found, 0);
    return found;
  }

  static std::string layer_name(const Json& layer) {
    const auto config = layer.find("config");
    const std::string own = config != layer.end() && config->is_object() ? text_of(*config, "name") : std::string();
    return own.empty() ? text_of(layer, "name") : own;
  }

 private:
  /// A model that a layer wraps lies in the group of that layer.
  std::string group_of(std::vector<std::string> path) const {
    if (path.empty()) return {};
    if (const auto it = groups_.find(path); it != groups_.end()) return it->second;
    const std::string last = path.back();
    path.pop_back();
    return group_of(std::move(path)) + "/" + last;
  }

  /// "cell/vars/0" is "cell/0".
  void collect(const std::string& group, const std::string& prefix, std::map<std::string, Tensor>& found,
               int depth) const {
    if (depth > kDeepest) throw damaged("its weights lie too deep");
    for (const std::string& child : file_.children(group)) {
      const std::string path = group + "/" + child;
      if (file_.is_dataset(path))
        found[prefix + child] = file_.dataset(path);
      else
        collect(path, child == "vars" ? prefix : prefix + child + "/", found, depth + 1);
    }
  }

  const Hdf5& file_;
  std::map<std::vector<std::string>, std::string> groups_;
};

/// A tensor as calls refer to it.
struct Reference {
  std::string layer;
  int64_t node = 0, tensor = 0;
};

std::optional<Reference> reference_of(const Json& j) {
  if (j.is_array() && j.size() >= 3 && j[0].is_string() && j[1].is_number_integer() && j[2].is_number_integer())
    return Reference{j[0].get<std::string>(), j[1].get<int64_t>(), j[2].get<int64_t>()};
  if (j.is_object() && text_of(j, "class_name") == "__keras_tensor__" && j.contains("config") &&
      j["config"].is_object() && j["config"].contains("keras_history"))
    return reference_of(j["config"]["keras_history"]);
  return std::nullopt;
}

class Walker {
 public:
  Walker(Model& model, Weights& weights) : model_(model), weights_(weights) {}

  /// Tensors that the model gives for those it is called on; none: its inputs are those of the network.
  std::vector<std::string> walk(const std::string& class_name, const Json& config, const std::vector<std::string>& path,
                                const std::string& prefix, const std::optional<std::vector<std::string>>& given) {
    if (path.size() > kDeepest) throw damaged("models lie in models too deep");
    const Json& layers = config.is_array() ? config : config.value("layers", Json::array());
    if (!layers.is_array() || layers.empty()) throw damaged("a model has no layers");
    weights_.enter(path, layers);
    if (class_name == "Sequential") return sequential(layers, path, prefix, given);
    return functional(config, layers, path, prefix, given);
  }

 private:
  using Keys = std::map<std::string, std::string>;  // "layer:node:tensor" -> key

  static std::string place(const Reference& r) {
    return r.layer + ":" + std::to_string(r.node) + ":" + std::to_string(r.tensor);
  }

  static std::optional<Shape> shape_in(const Json& config) {
    for (const char* key : {"batch_input_shape", "batch_shape"}) {
      const auto it = config.find(key);
      if (it == config.end() || !it->is_array()) continue;
      Shape s;
      for (const Json& d : *it)
        s.push_back(d.is_number_integer() && d.get<int64_t>() >= 0 ? d.get<int64_t>() : kDynamic);
      return s;
    }
    return std::nullopt;
  }

  std::string add_input(const std::string& name, const Json& config) {
    Input input{name, ElementType::f32, shape_in(config)};
    std::string type = text_of(config, "dtype");
    if (type == "int32") input.type = ElementType::i32;
    if (type == "int64") input.type = ElementType::i64;
    if (type == "uint8") input.type = ElementType::u8;
    if (type == "bool") input.type = ElementType::boolean;
    model_.inputs.push_back(input);
    return name + ":0";
  }

  /// The result of one layer. Models in the model are walked too.
  std::vector<std::string> call(const Json& layer, const std::string& call_name, std::vector<std::string> inputs,
                                const Json& arguments, const std::vector<std::string>& path) {
    const std::string class_name = text_of(layer, "class_name");
    const Json& config = layer.contains("config") ? layer["config"] : Json();
    std::vector<std::string> own = path;
    own.push_back(NumberedWeights::layer_name(layer));
    if (is_model(class_name)) return walk(class_name, config, own, call_name + "/", inputs);
    if (class_name == "TimeDistributed" && config.is_object() && config.contains("layer") && !inputs.empty() &&
        is_model(text_of(config["layer"], "class_name")))
      return for_every_step(config["layer"], call_name, inputs[0], own);
    if (model_.calls.size() > kMostCalls) throw damaged("it has too many layers");
    Call c{call_name, class_name, config, std::move(inputs), arguments, 1, weights_.of(own)};
    if (config.is_object() && config.value("return_state", Json(false)) == Json(true)) c.outputs = 5;
    constexpr std::string_view kOfSeveral[] = {"Split", "Unstack", "TopK", "Moments", "TFOpLambda"};
    constexpr size_t kMostOutputs = 256;
    if (std::ranges::find(kOfSeveral, class_name) != std::end(kOfSeveral)) c.outputs = kMostOutputs;
    model_.calls.push_back(std::move(c));
    std::vector<std::string> keys;
    for (size_t i = 0; i < model_.calls.back().outputs; ++i) keys.push_back(call_name + ":" + std::to_string(i));
    return keys;
  }

  /// A model for every step: steps become batches for it.
  std::vector<std::string> for_every_step(const Json& inner, const std::string& name, const std::string& input,
                                          std::vector<std::string> path) {
    const std::string together = name + "/together";
    model_.calls.push_back({together, kStepsTogether, Json::object(), {input}, Json::object(), 1, {}});
    path.emplace_back("layer");
    const Json config = inner.value("config", Json::object());
    const std::vector<std::string> results =
        walk(text_of(inner, "class_name"), config, path, name + "/", std::vector{together + ":0"});
    if (results.size() != 1) throw damaged("a model for every step has several outputs");
    model_.calls.push_back({name, kStepsApart, Json::object(), {results[0], input}, Json::object(), 1, {}});
    return {name + ":0"};
  }

  std::vector<std::string> sequential(const Json& layers, const std::vector<std::string>& path,
                                      const std::string& prefix, const std::optional<std::vector<std::string>>& given) {
    std::vector<std::string> current = given.value_or(std::vector<std::string>());
    for (const Json& layer : layers) {
      if (!layer.is_object()) throw damaged("a layer is no object");
      const std::string name = NumberedWeights::layer_name(layer);
      const bool is_input = text_of(layer, "class_name") == "InputLayer";
      if (is_input && given) continue;
      const Json config = layer.contains("config") && layer["config"].is_object() ? layer["config"] : Json::object();
      if (is_input || current.empty())
        current = {add_input(is_input ? name : name + "_input", first_config(layer, config))};
      if (!is_input) current = call(layer, prefix + name, {current.front()}, Json::object(), path);
    }
    return current;
  }

  /// The shape of a model's input may be stated by the first layer of a model in it.
  static Json first_config(const Json& layer, const Json& config) {
    if (shape_in(config)) return config;
    if (is_model(text_of(layer, "class_name")) && config.contains("layers") && !config["layers"].empty()) {
      const Json& inner = config["layers"][0];
      if (inner.is_object() && inner.contains("config") && inner["config"].is_object())
        return first_config(inner, inner["config"]);
    }
    return config;
  }

  struct Node {
    const Json* layer;
    int64_t index;
    std::vector<Reference> inputs;
    Json arguments;
    int64_t unsaved = 0;  ///< calls that are counted before it
  };

  /// Of a call, tensors in their order and what else is stated.
  static void read_arguments(const Json& j, Node& n, int depth = 0) {
    if (depth > kDeepest) throw damaged("a call's arguments lie too deep");
    if (const auto r = reference_of(j)) return n.inputs.push_back(*r);
    if (j.is_array())
      for (const Json& item : j) read_arguments(item, n, depth + 1);
  }

  static std::vector<Node> nodes_of(const Json& layer) {
    std::vector<Node> nodes;
    const Json& list = layer.contains("inbound_nodes") ? layer["inbound_nodes"] : Json::array();
    for (const Json& j : list) {
      Node n{&layer, std::ssize(nodes), {}, Json::object(), 0};
      if (j.is_object()) {  // Keras 3
        read_arguments(j.value("args", Json::array()), n);
        n.arguments = j.value("kwargs", Json::object());
        n.arguments["args"] = j.value("args", Json::array());
        for (const auto& [key, value] : n.arguments.items())
          if (key != "args" && key != "mask") read_arguments(value, n);
      } else if (const auto single = reference_of(j); single && single->layer != "_CONSTANT_VALUE") {
        // a function of TensorFlow
        n.inputs.push_back(*single);
        if (j.size() > 3 && j[3].is_object()) n.arguments = j[3];
        for (const auto& [key, value] : n.arguments.items()) read_arguments(value, n);
      } else if (j.is_array() && j.size() >= 3 && j[0] == "_CONSTANT_VALUE") {  // its first argument is no tensor
        if (j.size() > 3 && j[3].is_object()) n.arguments = j[3];
        for (const auto& [key, value] : n.arguments.items()) read_arguments(value, n);
        n.arguments["args"] = Json::array({j[2]});
      } else {
        for (const Json& item : j) {
          read_arguments(item, n);
          if (item.is_array() && item.size() > 3 && item[3].is_object()) n.arguments.update(item[3]);
        }
        for (const auto& [key, value] : n.arguments.items())
          if (key != "mask") read_arguments(value, n);
      }
      nodes.push_back(std::move(n));
    }
    return nodes;
  }

  static std::vector<Reference> references(const Json& j) {
    Node n{nullptr, 0, {}, Json::object(), 0};
    if (j.is_object() && !reference_of(j)) {
      for (const auto& [key, value] : j.items()) read_arguments(value, n);
    } else {
      read_arguments(j, n);
    }
    return n.inputs;
  }

  std::vector<std::string> functional(const Json& config, const Json& layers, const std::vector<std::string>& path,
                                      const std::string& prefix, const std::optional<std::vector<std::string>>& given) {
    Keys keys;
    std::map<std::string, const Json*> by_name;
    std::vector<Node> waiting;
    for (const Json& layer : layers) {
      if (!layer.is_object()) throw damaged("a layer is no object");
      by_name[NumberedWeights::layer_name(layer)] = &layer;
      for (Node& n : nodes_of(layer)) waiting.push_back(std::move(n));
    }
    const std::vector<Reference> inputs = references(config.value("input_layers", Json::array()));
    for (size_t i = 0; i < inputs.size(); ++i) {
      const auto layer = by_name.find(inputs[i].layer);
      if (layer == by_name.end()) throw damaged("input '" + inputs[i].layer + "' is not there");
      if (given && i >= given->size()) throw damaged("a model is called on too few tensors");
      const Json own = layer->second->value("config", Json::object());
      keys[place(inputs[i])] = given ? (*given)[i] : add_input(inputs[i].layer, own);
    }
    const std::vector<Reference> results = references(config.value("output_layers", Json::array()));
    count_unsaved(waiting, results);
    run(waiting, keys, path, prefix);
    std::vector<std::string> outputs;
    for (const Reference& r : results) {
      const auto it = keys.find(place(r));
      if (it == keys.end()) throw damaged("output '" + r.layer + "' is not computed");
      outputs.push_back(it->second);
    }
    return outputs;
  }

  /// Keras 2 does not save the first call of a model in the model, but counts it.
  static void count_unsaved(std::vector<Node>& nodes, const std::vector<Reference>& results) {
    std::map<std::string, int64_t> last, saved;
    const auto note = [&](const Reference& r) {
      int64_t& number = last.emplace(r.layer, 0).first->second;
      number = std::max(number, r.node);
    };
    std::ranges::for_each(results, note);
    for (const Node& n : nodes) {
      std::ranges::for_each(n.inputs, note);
      ++saved[NumberedWeights::layer_name(*n.layer)];
    }
    for (Node& n : nodes) {
      const std::string name = NumberedWeights::layer_name(*n.layer);
      if (is_model(text_of(*n.layer, "class_name"))) n.unsaved = std::max<int64_t>(last[name] + 1 - saved[name], 0);
    }
  }

  /// Calls whose inputs are there, until none is left.
  void run(std::vector<Node>& waiting, Keys& keys, const std::vector<std::string>& path, const std::string& prefix) {
    while (!waiting.empty()) {
      const size_t before = waiting.size();
      std::vector<Node> later;
      for (Node& n : waiting) {
        const bool ready = std::ranges::all_of(n.inputs, [&](const Reference& r) { return keys.contains(place(r)); });
        if (!ready) {
          later.push_back(std::move(n));
          continue;
        }
        const std::string name = NumberedWeights::layer_name(*n.layer);
        if (text_of(*n.layer, "class_name") == "InputLayer") continue;
        std::vector<std::string> inputs;
        for (const Reference& r : n.inputs) inputs.push_back(keys.at(place(r)));
        const std::string call_name = prefix + name + (n.index ? "_" + std::to_string(n.index) : "");
        const std::vector<std::string> results = call(*n.layer, call_name, inputs, n.arguments, path);
        for (size_t i = 0; i < results.size(); ++i)
          keys[place({name, n.index + n.unsaved, static_cast<int64_t>(i)})] = results[i];
      }
      waiting = std::move(later);
      if (waiting.size() == before)
        throw damaged("nothing computes what layer '" + NumberedWeights::layer_name(*waiting[0].layer) + "' reads");
    }
  }

  Model& model_;
  Weights& weights_;
};

/// What computes masks, which no layer heeds.
void drop_unread(Model& m) {
  std::set<std::string> needed(m.outputs.begin(), m.outputs.end());
  std::vector<Call> kept;
  for (auto c = m.calls.rbegin(); c != m.calls.rend(); ++c) {
    bool read = false;
    for (size_t i = 0; i < c->outputs; ++i) read |= needed.contains(c->name + ":" + std::to_string(i));
    if (!read) continue;
    needed.insert(c->inputs.begin(), c->inputs.end());
    kept.push_back(std::move(*c));
  }
  std::ranges::reverse(kept);
  m.calls = std::move(kept);
}

Model walk(const Json& config, Weights& weights, int keras) {
  Model m;
  m.keras = keras;
  try {
    const std::string class_name = text_of(config, "class_name");
    if (!is_model(class_name))
      throw Error(ErrorCode::UnsupportedLayer,
                  "the model is of the class '" + class_name + "', which the file does not define")
          .hint("save it as a SavedModel, model.export(\"folder\"), and convert that");
    const Json& own = config.contains("config") ? config["config"] : Json::object();
    m.name = own.is_object() ? text_of(own, "name") : std::string();
    m.outputs = Walker(m, weights).walk(class_name, own, {}, "", std::nullopt);
    drop_unread(m);
  } catch (const Json::exception& e) {
    throw damaged("its description is not as expected").because(e.what());
  }
  return m;
}

Json parsed(const std::string& text) {
  Json j = Json::parse(text, nullptr, false);
  if (j.is_discarded() || !j.is_object()) throw damaged("its description is no JSON");
  return j;
}

Error weights_alone() {
  Error e(ErrorCode::FileCorrupt, "the file holds the weights of a Keras model alone, not its layers");
  e.hint("save the whole model: model.save(\"model.keras\")");
  return e;
}

Model read_h5(const Hdf5& file) {
  const auto config = file.text("/", "model_config");
  if (!config) {
    const bool weights =
        !file.texts("/", "layer_names").empty() || file.has("/layers") || file.has("/_layer_checkpoint_dependencies");
    if (weights) throw weights_alone();
    throw Error(ErrorCode::FileCorrupt, "the HDF5 file holds no Keras model");
  }
  const std::string version =
      file.text("/", "keras_version").value_or(file.text("/model_weights", "keras_version").value_or("2"));
  NamedWeights weights(file, file.has("/model_weights") ? "/model_weights" : "");
  Model model = walk(parsed(*config), weights, version.starts_with("3") ? 3 : version.starts_with("1") ? 1 : 2);
  if (model.keras == 1) try {
      bring_up_to_date(model, file.text("/", "backend").value_or("tensorflow") == "theano");
    } catch (const Json::exception& e) {
      throw damaged("its description is not as expected").because(e.what());
    }
  return model;
}

}  // namespace

Model read_h5(const Bytes& file) { return read_h5(Hdf5(file)); }

Model read_description(const std::string& json) {
  class None final : public Weights {
    std::map<std::string, Tensor> of(const std::vector<std::string>&) const override { return {}; }
  } none;
  return walk(parsed(json), none, 3);
}

Model read_keras_archive(const Bytes& file) {
  const Archive archive(file);
  const auto config = archive.find("config.json");
  if (!config) throw Error(ErrorCode::FileCorrupt, "the archive holds no Keras model");
  const auto weights_file = archive.find("model.weights.h5");
  if (!weights_file) throw Error(ErrorCode::MissingWeights, "the archive holds no weights");
  const Hdf5 h5(*weights_file);
  NumberedWeights weights(h5);
  const auto text = [](const Bytes& b) { return std::string(reinterpret_cast<const char*>(b.data()), b.size()); };
  const auto metadata = archive.find("metadata.json");  // Keras 2.12 and later write such archives too
  const Json about = metadata ? Json::parse(text(*metadata), nullptr, false) : Json();
  const bool is_second = about.is_object() && about.value("keras_version", Json()).is_string() &&
                         about["keras_version"].get<std::string>().starts_with("2");
  return walk(parsed(text(*config)), weights, is_second ? 2 : 3);
}

Model read_model(const std::string& path) {
  const Bytes file = read_file(path);
  if (file.size() > 4 && file.data()[0] == 'P' && file.data()[1] == 'K') return read_keras_archive(file);
  return read_h5(Hdf5(path));
}

}  // namespace blobsmith::keras_file
