#include "importers/onnx/mapper.hpp"

#include <algorithm>
#include <array>

#include "transforms/rewrite.hpp"

namespace blobsmith::onnx_import {

Attributes attributes(std::initializer_list<std::pair<std::string_view, Attributes::Value>> items) { return transforms::attributes(items); }

Value Context::value(const std::string& value_name) const {
  const auto it = values_.find(value_name);
  if (it == values_.end()) throw Error(ErrorCode::BadOnnx, "value '" + value_name + "' is used before anything computes it");
  return it->second;
}

std::string Context::name() const { return node_->name.empty() && !node_->outputs.empty() ? node_->outputs[0] : node_->name; }

Value Context::input(size_t i) const {
  if (!has_input(i)) refuse("input " + std::to_string(i) + " is missing");
  return value(node_->inputs[i]);
}

const Tensor* Context::constant(size_t i) const { return has_input(i) ? transforms::constant_of(input(i)) : nullptr; }

std::vector<int64_t> Context::constant_integers(size_t i, std::string_view what) const {
  const Tensor* t = constant(i);
  if (!t) refuse("its " + std::string(what) + " is not a constant");
  return t->to_i64();
}

int64_t Context::axis(int64_t a, int64_t rank) const {
  if (a < -rank || a >= rank) refuse("axis " + std::to_string(a) + " is out of range for rank " + std::to_string(rank));
  return a < 0 ? a + rank : a;
}

Value Context::make(std::string type, std::vector<Value> inputs, Attributes attrs, int version, const std::string& suffix) {
  transforms::Rewriter rw(graph_);
  Node* n = rw.make(std::move(type), std::move(inputs), std::move(attrs), version);
  n->name = name() + suffix;
  n->source = node_->describe(opset_);
  std::vector<const Tensor*> constants;
  for (const Value& v : n->inputs())
    if (const Tensor* t = transforms::constant_of(v)) constants.push_back(t);
  if (n->output_count() != 1 || static_cast<int>(constants.size()) != n->input_count()) return n->value();
  std::vector<Tensor> folded = evaluate(*n, constants);
  return folded.empty() ? n->value() : graph_.constant(std::move(folded[0]), n->name)->value();
}

Value Context::real_constant(ElementType type, Shape shape, double v) {
  const std::vector<double> values(static_cast<size_t>(element_count(shape)), v);
  return graph_.constant(Tensor::reals(type, std::move(shape), values))->value();
}

Value Context::reshape(Value x, std::vector<int64_t> pattern, const std::string& suffix) {
  return make("Reshape", {x, integers_constant(std::move(pattern))}, attributes({{"special_zero", true}}), kNewest, suffix);
}

void Context::refuse(std::string_view why) const {
  Error e = cannot_compile(name(), node_->op_type, why);
  throw e.because("in " + node_->describe(opset_));
}

const Mapper* find_mapper(std::string_view op_type) {
  static constexpr std::array kFamilies{convolution_mappers, element_wise_mappers, activation_mappers, normalization_mappers, shape_mappers,
                                        slice_mappers,       reduction_mappers,    resize_mappers,     indexing_mappers};
  for (const auto& family : kFamilies)
    for (const Mapper& m : family())
      if (m.op_type == op_type) return &m;
  return nullptr;
}

}  // namespace blobsmith::onnx_import
