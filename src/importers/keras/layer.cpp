#include "importers/keras/layer.hpp"

#include <algorithm>

namespace blobsmith::keras_import {

int64_t Layer::integer(const char* key, int64_t fallback) const {
  const auto it = config_.find(key);
  return it != config_.end() && it->is_number() ? it->get<int64_t>() : fallback;
}
double Layer::real(const char* key, double fallback) const {
  const auto it = config_.find(key);
  return it != config_.end() && it->is_number() ? it->get<double>() : fallback;
}
bool Layer::flag(const char* key, bool fallback) const {
  const auto it = config_.find(key);
  return it != config_.end() && it->is_boolean() ? it->get<bool>() : fallback;
}
std::string Layer::text(const char* key, const std::string& fallback) const {
  const auto it = config_.find(key);
  return it != config_.end() && it->is_string() ? it->get<std::string>() : fallback;
}

std::vector<int64_t> Layer::integers(const char* key, size_t count, int64_t fallback) const {
  const auto it = config_.find(key);
  if (it == config_.end() || it->is_null()) return std::vector<int64_t>(count, fallback);
  if (it->is_number()) return std::vector<int64_t>(count, it->get<int64_t>());
  std::vector<int64_t> v;
  if (it->is_array())
    for (const Json& j : *it)
      if (j.is_number()) v.push_back(j.get<int64_t>());
  if (v.size() == 1) v.resize(count, v[0]);
  if (v.size() != count)
    refuse(std::string(key) + " has " + std::to_string(v.size()) + " numbers, " + std::to_string(count) + " expected");
  return v;
}

const Tensor* Layer::find_weight(const char* name, size_t number, const std::string& part) const {
  const std::string own = scope_.empty() ? part : "";  // one of several cells is the part itself
  const std::string where = part_.empty() ? own : part_ + (own.empty() ? "" : "/" + own);
  const std::string wanted = where.empty() ? std::to_string(number) : where + "/" + std::to_string(number);
  if (const auto it = call_.weights.find(wanted); it != call_.weights.end()) return &it->second;
  for (const auto& [key, tensor] : call_.weights) {
    const size_t slash = key.rfind('/');
    const std::string last = slash == std::string::npos ? key : key.substr(slash + 1);
    // Older files say "forward_lstm/lstm_cell/kernel".
    const std::string side = where.substr(0, where.find('_'));
    const bool sided = side == "forward" || side == "backward";
    const bool inside = scope_.empty() || ("/" + key).find("/" + scope_ + "/") != std::string::npos;
    if (last == name && inside && (!sided || key.starts_with(side))) return &tensor;
  }
  return nullptr;
}

const Tensor* Layer::find_exactly(const std::string& key) const {
  const auto it = call_.weights.find(key);
  return it == call_.weights.end() ? nullptr : &it->second;
}

const Tensor& Layer::weight(const char* name, size_t number, const std::string& part) const {
  const Tensor* t = find_weight(name, number, part);
  if (!t) refuse("its weight '" + std::string(name) + "' is not in the file");
  return *t;
}

Value Layer::constant(const Tensor& t, const std::string& suffix) {
  return c.graph().constant(t, c.name() + suffix)->value();
}
Value Layer::integers_value(const std::vector<int64_t>& v, const std::string& suffix) {
  return c.graph().constant(Tensor::i64(v), c.name() + suffix)->value();
}
Value Layer::number(double v, const std::string& suffix) {
  return c.graph()
      .constant(Tensor::of(ElementType::f32, {}, std::vector<float>{static_cast<float>(v)}), c.name() + suffix)
      ->value();
}

namespace {

/// What Keras calls an operator within its layer.
std::string scope_of(std::string_view op) {
  static constexpr std::pair<std::string_view, const char*> kNames[] = {
      {"AddV2", "add"},
      {"Mul", "mul"},
      {"Sub", "sub"},
      {"RealDiv", "truediv"},
      {"ConcatV2", "concat"},
      {"Transpose", "transpose"},
      {"Slice", "strided_slice"},
      {"ResizeNearestNeighbor", "resize/ResizeNearestNeighbor"},
      {"ResizeBilinear", "resize/ResizeBilinear"},
  };
  for (const auto& [name, scope] : kNames)
    if (op == name) return scope;
  return std::string(op);
}

}  // namespace

Value Layer::apply(const char* op, std::vector<Value> inputs, NamedAttributes attributes, const std::string& suffix) {
  const std::string scope = suffix.empty() && c.quirks() ? "/" + scope_of(op) : suffix;
  return c.apply(op, std::move(inputs), std::move(attributes), scope).at(0);
}

Value Layer::activated(Value v, const Json& activation, const std::string& suffix) {
  std::string name;
  Json own = Json::object();
  if (activation.is_string()) {
    name = activation.get<std::string>();
  } else if (activation.is_object()) {  // {"class_name": "LeakyReLU", "config": {...}}, or a function by its name
    const Json inner = activation.value("config", Json());
    name = inner.is_string() ? inner.get<std::string>() : activation.value("class_name", std::string());
    if (inner.is_object()) own = inner;
  } else if (activation.is_null()) {
    return v;
  }
  const auto dot = name.rfind('.');
  if (dot != std::string::npos) name = name.substr(dot + 1);
  static constexpr std::pair<const char*, const char*> kSame[] = {
      {"relu", "Relu"},         {"relu6", "Relu6"},     {"sigmoid", "Sigmoid"},   {"tanh", "Tanh"},
      {"softplus", "Softplus"}, {"elu", "Elu"},         {"softsign", "Softsign"}, {"exponential", "Exp"},
      {"selu", "Selu"},         {"softmax", "Softmax"}, {"mish", "Mish"},         {"log_softmax", "LogSoftmax"},
      {"ReLU", "Relu"},         {"ELU", "Elu"},         {"Softmax", "Softmax"},
  };
  if (name == "linear") return v;
  // Keras 2 spells it out over more than two dimensions, which then is called after the operator in front.
  if (name == "softmax" && suffix.empty() && c.quirks() && v.shape().size() > 2)
    return apply("Softmax", {v}, {}, "/BiasAdd/Softmax");
  for (const auto& [keras_name, op] : kSame)
    if (name == keras_name && (own.empty() || (name != "ReLU" && name != "ELU" && name != "Softmax")))
      return apply(op, {v}, {}, suffix);
  if (name == "swish" || name == "silu")
    return apply("Mul", {v, apply("Sigmoid", {v}, {}, suffix + "/Sigmoid")}, {}, suffix);
  if (name == "gelu")
    return apply("Gelu", {v}, {{"approximate", flag_attribute(own.value("approximate", false))}}, suffix);
  if (name == "leaky_relu") return apply("LeakyRelu", {v}, {{"alpha", real_attribute(0.2)}}, suffix);
  if (name == "hard_sigmoid" && keras_ < 3) {
    const Value line =
        apply("AddV2", {apply("Mul", {v, number(0.2, "/fifth")}, {}, suffix + "/mul"), number(0.5, "/half")}, {},
              suffix + "/add");
    return apply("Maximum", {apply("Minimum", {line, number(1, "/one")}, {}, suffix + "/Minimum"), number(0, "/zero")},
                 {}, suffix);
  }
  if (name == "hard_sigmoid" || name == "hard_swish" || name == "hard_silu") {
    const Value gate =
        apply("Relu6", {apply("AddV2", {v, number(3, "/three")}, {}, suffix + "/add")}, {}, suffix + "/Relu6");
    const Value product = name == "hard_sigmoid" ? gate : apply("Mul", {v, gate}, {}, suffix + "/product");
    return apply("Mul", {product, number(1.0 / 6, "/sixth")}, {}, suffix);
  }
  if (name == "hard_tanh")
    return apply("Maximum", {apply("Minimum", {v, number(1, "/one")}, {}, suffix + "/Minimum"), number(-1, "/low")}, {},
                 suffix);
  if (name == "tanh_shrink") return apply("Sub", {v, apply("Tanh", {v}, {}, suffix + "/Tanh")}, {}, suffix);
  if (name == "log_sigmoid") {
    const Value turned = apply("Neg", {v}, {}, suffix + "/Neg");
    return apply("Neg", {apply("Softplus", {turned}, {}, suffix + "/Softplus")}, {}, suffix);
  }
  if (name == "squareplus") {
    const Value square =
        apply("AddV2", {apply("Square", {v}, {}, suffix + "/Square"), number(4, "/b")}, {}, suffix + "/add");
    const Value sum = apply("AddV2", {v, apply("Sqrt", {square}, {}, suffix + "/Sqrt")}, {}, suffix + "/sum");
    return apply("Mul", {sum, number(0.5, "/half")}, {}, suffix);
  }
  if (name == "soft_shrink") {  // x - clip(x, -0.5, 0.5)
    const Value low = apply("Maximum", {v, number(-0.5, "/low")}, {}, suffix + "/Maximum");
    return apply("Sub", {v, apply("Minimum", {low, number(0.5, "/high")}, {}, suffix + "/Minimum")}, {}, suffix);
  }
  if (const LayerRow* row = find_layer(name); row && activation.is_object()) {  // an activation layer as a function
    if (name == "LeakyReLU")
      return apply("LeakyRelu", {v}, {{"alpha", real_attribute(own.value("negative_slope", own.value("alpha", 0.3)))}},
                   suffix);
    if (name == "ReLU" && own.value("max_value", Json()).is_null()) return apply("Relu", {v}, {}, suffix);
    if (name == "ELU") return apply("Elu", {v}, {}, suffix);
  }
  refuse("activation '" + name + "' is not supported");
}

std::vector<std::span<const LayerRow>> layer_families() {
  return {window_layers(),    norm_layers(),      shape_layers(), element_layers(), recurrent_layers(),
          attention_layers(), operation_layers(), array_layers(), function_layers()};
}

const LayerRow* find_layer(std::string_view class_name) {
  const auto made = made_layers();
  if (const auto it = std::ranges::find(made, class_name, &LayerRow::class_name); it != made.end()) return &*it;
  for (const auto& family : layer_families())
    if (const auto it = std::ranges::find(family, class_name, &LayerRow::class_name); it != family.end()) return &*it;
  return nullptr;
}

}  // namespace blobsmith::keras_import
