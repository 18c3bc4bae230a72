#include "importers/tensorflow/builder.hpp"

#include <algorithm>

namespace blobsmith::tensorflow_file {

Attribute integer_attribute(int64_t v) {
  Attribute a;
  a.integer = v;
  return a;
}
Attribute real_attribute(double v) {
  Attribute a;
  a.real = v;
  return a;
}
Attribute flag_attribute(bool v) {
  Attribute a;
  a.flag = v;
  return a;
}
Attribute text_attribute(std::string v) {
  Attribute a;
  a.text = std::move(v);
  return a;
}
Attribute integers_attribute(std::vector<int64_t> v) {
  Attribute a;
  a.integers = std::move(v);
  return a;
}
Attribute reals_attribute(std::vector<double> v) {
  Attribute a;
  a.reals = std::move(v);
  return a;
}
Attribute type_attribute(ElementType type) {
  Attribute a;
  a.type = type_number(type);
  return a;
}

std::string SourceBuilder::unused(const std::string& name) {
  const auto [it, is_new] = names_.emplace(name, 1);
  if (is_new) return name;
  std::string numbered;
  do numbered = name + "_" + std::to_string(it->second++);
  while (names_.contains(numbered));
  names_.emplace(numbered, 1);
  return numbered;
}

std::string SourceBuilder::input(const std::string& name, ElementType type, std::optional<Shape> shape) {
  const std::string own = unused(name);
  s_.model.inputs.push_back({own, own + ":0", type, std::move(shape)});
  return own + ":0";
}

std::string SourceBuilder::constant(const std::string& name, Tensor t) {
  const std::string key = unused(name) + ":0";
  constants_[key] = s_.model.constants.size();
  s_.model.constants.emplace_back(key, std::move(t));
  return key;
}

std::string SourceBuilder::integers(const std::string& name, const std::vector<int64_t>& v) {
  std::vector<int32_t> narrow;
  for (const int64_t x : v) narrow.push_back(static_cast<int32_t>(x));
  const Shape shape{std::ssize(v)};
  return constant(name, Tensor::of(ElementType::i32, shape, std::move(narrow)));
}

std::string SourceBuilder::integer(const std::string& name, int64_t v) {
  return constant(name, Tensor::of(ElementType::i32, {}, std::vector<int32_t>{static_cast<int32_t>(v)}));
}

std::string SourceBuilder::add(const std::string& op, const std::string& name, std::vector<std::string> inputs,
                               NamedAttributes attributes, size_t outputs) {
  const std::string own = unused(name);
  importers::SourceOperator o{s_.nodes.size(), own, op, where_, inputs, {}};
  for (size_t i = 0; i < outputs; ++i) o.outputs.push_back(own + ":" + std::to_string(i));
  s_.nodes.push_back({own, op, std::move(inputs), std::move(attributes)});
  s_.model.operators.push_back(std::move(o));
  return own + ":0";
}

std::string SourceBuilder::output(const std::string& key, size_t port) {
  return key.substr(0, key.rfind(':') + 1) + std::to_string(port);
}

bool SourceBuilder::is_constant(const std::string& key) const { return constants_.contains(key); }

const Tensor* SourceBuilder::find_constant(const std::string& key) const {
  const auto it = constants_.find(key);
  return it == constants_.end() ? nullptr : &s_.model.constants[it->second].second;
}

Source SourceBuilder::take(std::string model_name) {
  s_.model.name = std::move(model_name);
  s_.model.only_stated_outputs = true;
  return std::move(s_);
}

}  // namespace blobsmith::tensorflow_file
