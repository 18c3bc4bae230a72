// Losses of classifications. Labels choose probabilities by way of a one-hot tensor: what is outside of the classes
// counts for nothing. No operators of Model Optimizer, nor of the importer inside Intel's compiler.
#include "importers/onnx/mo_steps.hpp"
#include "importers/onnx/operators.hpp"

namespace blobsmith::onnx_import {
namespace mo {
namespace {

struct Labels {
  int64_t batch, classes, places;
};

Labels labels(Context& c) {
  const Shape& x = c.input(0).shape();
  const Shape& t = c.input(1).shape();
  if (x.size() < 2 || !is_static(x) || !is_static(t)) c.refuse("its input has the shape " + to_string(x));
  const Labels l{x[0], x[1], element_count(x) / (x[0] * x[1])};
  if (element_count(t) != l.batch * l.places) c.refuse("its labels have the shape " + to_string(t));
  return l;
}

/// -log p of each label, weighted; summed up as the model says.
Value loss(Context& c, Steps& s, Value log_probabilities, const Labels& l) {
  const ElementType type = log_probabilities.type();
  const Value target = s.reshape(c.input(1), {l.batch, l.places});
  const Value one = c.number_constant(type, {}, 1), zero = c.number_constant(type, {}, 0);
  Value chosen = s.make("OneHot", {target, s.constant(Tensor::scalar_i64(l.classes)), one, zero},
                        attributes({{"axis", int64_t{1}}}));
  const bool weighted = c.has_input(2);
  const int64_t ignored = c.integer("ignore_index", 0);
  // Labels outside of the classes choose nothing anyway.
  const bool ignores = c.has("ignore_index"), masks = ignores && ignored >= 0 && ignored < l.classes;
  if (weighted) chosen = s.multiply(chosen, s.reshape(c.input(2), {1, l.classes, 1}));
  if (masks) {
    const Value counts = s.make("NotEqual", {target, s.number(target, static_cast<double>(ignored))});
    chosen = s.multiply(chosen, s.reshape(s.convert(counts, type), {l.batch, 1, l.places}));
  }
  const Value each =
      s.multiply(s.reduce("ReduceSum", s.multiply(log_probabilities, chosen), {1}, false), -1);  // [batch, places]
  const std::string reduction = c.text("reduction", "mean");
  if (reduction == "none") return s.reshape(each, c.input(1).shape());
  if (reduction == "sum") return s.reduce("ReduceSum", each, {0, 1}, false);
  if (reduction != "mean") c.refuse("reduction is '" + reduction + "'");
  if (!weighted && !ignores) return s.reduce("ReduceMean", each, {0, 1}, false);
  // Quotients of means: the sums may be beyond FP16.
  const Value total = s.reduce("ReduceMean", s.reduce("ReduceSum", chosen, {1}, false), {0, 1}, false);
  return s.divide(s.reduce("ReduceMean", each, {0, 1}, false), total);
}

std::vector<Value> negative_log_likelihood(Context& c) {
  Steps s(c);
  const Labels l = labels(c);
  return {s.done(loss(c, s, s.reshape(c.input(0), {l.batch, l.classes, l.places}), l))};
}

std::vector<Value> softmax_cross_entropy(Context& c) {
  Steps s(c);
  const Labels l = labels(c);
  const Value x = s.reshape(c.input(0), {l.batch, l.classes, l.places});
  const Value logs = s.make("LogSoftmax", {x}, attributes({{"axis", int64_t{1}}}));
  const Value y = s.done(loss(c, s, logs, l));
  if (c.output_count() < 2) return {y};
  return {y, s.reshape(logs, c.input(0).shape())};
}

}  // namespace
}  // namespace mo

namespace {

// name, since, becomes, as Model Optimizer (convert), as Inference Engine (compile)
constexpr OperatorRow kOperators[] = {
    {"NegativeLogLikelihoodLoss", 12, "ReduceSum", mo::negative_log_likelihood, nullptr},
    {"SoftmaxCrossEntropyLoss", 12, "LogSoftmax", mo::softmax_cross_entropy, nullptr},
};

}  // namespace

std::span<const OperatorRow> loss_operators() { return kOperators; }

}  // namespace blobsmith::onnx_import
