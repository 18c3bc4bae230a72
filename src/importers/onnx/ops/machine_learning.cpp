// The domain ai.onnx.ml: what converters of scikit-learn, XGBoost and LightGBM write. No operators of Model Optimizer,
// nor of the importer inside Intel's compiler.
#include "importers/onnx/mo_steps.hpp"
#include "importers/onnx/operators.hpp"
#include "importers/onnx/tree_ensemble.hpp"

namespace blobsmith::onnx_import {
namespace mo {
namespace {

constexpr double kLeastNorm = 1.0 / 16384;  ///< FP16's least normal number: below it a sum counts as this

/// The input as rows of real numbers.
Value rows_of(Context& c, Steps& s, size_t i = 0) {
  const Value x = c.input(i);
  const Shape& shape = x.shape();
  if (!is_static(shape) || shape.empty() || shape.size() > 2) c.refuse("its input has the shape " + to_string(shape));
  const Value rows = shape.size() == 1 ? s.reshape(x, {1, shape[0]}) : x;
  return s.convert(rows, is_float(x.type()) ? x.type() : ElementType::f32);
}

int64_t columns(Value x) { return x.shape().back(); }

/// One value for each column, or one for all.
Value per_column(Context& c, Steps& s, Value x, const std::vector<float>& values, const char* name) {
  const auto count = static_cast<int64_t>(values.size());
  if (count != 1 && count != columns(x))
    c.refuse(std::string(name) + " has " + std::to_string(count) + " values for " + std::to_string(columns(x)) +
             " columns");
  return s.reals({1, count}, values);
}

std::vector<Value> scaler(Context& c) {
  Steps s(c);
  Value x = rows_of(c, s);
  if (const auto offset = c.reals("offset"); !offset.empty()) x = s.subtract(x, per_column(c, s, x, offset, "offset"));
  if (const auto scale = c.reals("scale"); !scale.empty()) x = s.multiply(x, per_column(c, s, x, scale, "scale"));
  return {s.done(x)};
}

std::vector<Value> normalizer(Context& c) {
  Steps s(c);
  const Value x = rows_of(c, s);
  const std::string norm = c.text("norm", "MAX");
  if (norm == "L2")
    return {s.done(
        s.make("NormalizeL2", {x, s.indices({1})}, attributes({{"eps", 1e-12}, {"eps_mode", std::string("max")}})))};
  if (norm == "L1") {
    const Value sums = s.reduce("ReduceSum", s.make("Abs", {x}), {1}, true);
    return {s.done(s.divide(x, s.maximum(sums, kLeastNorm)))};
  }
  if (norm != "MAX") c.refuse("norm is '" + norm + "'");
  return {s.done(s.divide(x, s.reduce("ReduceMax", x, {1}, true)))};
}

std::vector<Value> binarizer(Context& c) {
  Steps s(c);
  const Value x = rows_of(c, s);
  return {s.done(s.convert(s.make("Greater", {x, s.number(x, c.real("threshold", 0))}), x.type()))};
}

std::vector<Value> feature_vectorizer(Context& c) {
  Steps s(c);
  std::vector<Value> parts;
  for (size_t i = 0; i < c.input_count(); ++i) parts.push_back(s.convert(rows_of(c, s, i), ElementType::f32));
  if (parts.empty()) c.refuse("it has no inputs");
  return {s.done(s.concat(parts, 1))};
}

std::vector<Value> array_feature_extractor(Context& c) {
  Steps s(c);
  const Value x = c.input(0), at = c.input(1);
  const Shape& shape = x.shape();
  if (!is_static(shape) || shape.empty() || !is_static(at.shape()))
    c.refuse("its input has the shape " + to_string(shape));
  const Value data = shape.size() == 1 ? s.reshape(x, {1, shape[0]}) : x;
  return {s.done(
      s.gather(data, s.reshape(at, {element_count(at.shape())}), static_cast<int64_t>(data.shape().size()) - 1))};
}

/// Lists of maps have no place in a blob.
std::vector<Value> zip_map(Context& c) {
  c.note("a tensor of the values in the order of the labels, not a list of maps");
  return {c.input(0)};
}

Value transformed(Context& c, Steps& s, Value scores) {
  const std::string transform = c.text("post_transform", "NONE");
  if (transform == "NONE") return scores;
  if (transform == "LOGISTIC") return s.make("Sigmoid", {scores});
  if (transform == "SOFTMAX") return s.make("Softmax", {scores}, attributes({{"axis", int64_t{1}}}));
  c.refuse("post_transform is '" + transform + "'");
}

/// What is called after the classes: their numbers, or the positions of texts.
Value labels(Context& c, Steps& s, Value positions, int64_t classes) {
  const onnx_file::Attribute* texts = c.node().find("classlabels_strings");
  if (texts && !texts->texts.empty()) {
    if (static_cast<int64_t>(texts->texts.size()) != classes) c.refuse("it has another number of labels");
    c.note("its labels are texts: their positions are given");
    return positions;
  }
  const std::vector<int64_t> given =
      c.has("classlabels_ints") ? c.integers("classlabels_ints") : c.integers("classlabels_int64s");
  if (static_cast<int64_t>(given.size()) != classes) c.refuse("it has another number of labels");
  bool are_positions = true;
  for (size_t i = 0; i < given.size(); ++i) are_positions = are_positions && given[i] == static_cast<int64_t>(i);
  return are_positions ? positions : s.gather(s.indices(given), positions, 0);
}

/// The labels of the largest scores, and the scores as the model wants them.
std::vector<Value> classified(Context& c, Steps& s, Value scores) {
  const int64_t classes = columns(scores);
  Node* top = s.make("TopK", {scores, s.constant(Tensor::scalar_i64(1))},
                     attributes({{"axis", int64_t{1}},
                                 {"mode", std::string("max")},
                                 {"sort", std::string("index")},
                                 {"index_element_type", std::string("i64")}}))
                  .node;
  const Value position = s.reshape(top->value(1), {scores.shape()[0]});
  const Value label = labels(c, s, position, classes);
  const Value values = transformed(c, s, scores);
  return {s.done(label), values};
}

/// One score decides between two classes; `middle`: where it is even.
std::vector<Value> decided(Context& c, Steps& s, Value score, bool is_probability) {
  const bool logistic = c.text("post_transform", "NONE") == "LOGISTIC";
  const Value second =
      s.convert(s.make("Greater", {score, s.number(score, is_probability ? 0.5 : 0)}), ElementType::i64);
  const Value label = labels(c, s, s.reshape(second, {score.shape()[0]}), 2);
  Value other = s.multiply(score, -1);
  if (is_probability)
    other = s.add(other, 1);
  else if (logistic)
    score = s.make("Sigmoid", {score}), other = s.make("Sigmoid", {other});
  return {s.done(label), s.concat({other, score}, 1)};
}

/// x times the coefficients, a row for each result, and the intercepts.
Value linear(Context& c, Steps& s, Value x, int64_t results) {
  const std::vector<float> coefficients = c.reals("coefficients"), intercepts = c.reals("intercepts");
  if (results < 1 || static_cast<int64_t>(coefficients.size()) != results * columns(x))
    c.refuse("it has " + std::to_string(coefficients.size()) + " coefficients");
  const Value y = s.product(x, s.reals({results, columns(x)}, coefficients), true);
  if (intercepts.empty()) return y;
  if (static_cast<int64_t>(intercepts.size()) != results) c.refuse("it has another number of intercepts");
  return s.add(y, s.reals({1, results}, intercepts));
}

std::vector<Value> linear_classifier(Context& c) {
  Steps s(c);
  const Value x = rows_of(c, s);
  const auto results = static_cast<int64_t>(c.reals("coefficients").size()) / std::max<int64_t>(1, columns(x));
  if (results < 2) c.refuse("one score for two classes is not supported");
  return classified(c, s, linear(c, s, x, results));
}

std::vector<Value> linear_regressor(Context& c) {
  Steps s(c);
  const Value x = rows_of(c, s);
  return {s.done(transformed(c, s, linear(c, s, x, c.integer("targets", 1))))};
}

/// Of rows of x and the support vectors: [rows, vectors].
Value kernel(Context& c, Steps& s, Value x, const std::vector<float>& vectors, int64_t count) {
  const std::string type = c.text("kernel_type", "LINEAR");
  std::vector<float> parameters = c.reals("kernel_params");
  parameters.resize(3, 0);
  const double gamma = parameters[0], bias = parameters[1], degree = parameters[2];
  if (type == "RBF") {
    const Value rows = s.reshape(x, {x.shape()[0], 1, columns(x)});
    const Value apart = s.subtract(rows, s.reals({1, count, columns(x)}, vectors));
    // The factor goes in front of the square, which FP16 might not hold.
    const Value scaled = s.multiply(apart, std::sqrt(gamma));
    return s.make("Exp", {s.multiply(s.reduce("ReduceSum", s.multiply(scaled, scaled), {2}, false), -1)});
  }
  const Value product = s.product(x, s.reals({count, columns(x)}, vectors), true);
  if (type == "LINEAR") return product;
  const Value inner = s.add(s.multiply(product, gamma), bias);
  if (type == "SIGMOID") return s.make("Tanh", {inner});
  if (type == "POLY") return s.power(inner, degree);
  c.refuse("kernel_type is '" + type + "'");
}

std::vector<Value> svm_regressor(Context& c) {
  Steps s(c);
  const Value x = rows_of(c, s);
  const std::vector<float> weights = c.reals("coefficients"), rho = c.reals("rho");
  const int64_t count = c.integer("n_supports", 0);
  if (c.integer("one_class", 0) != 0) c.refuse("one_class is not supported");
  if (rho.size() != 1) c.refuse("rho has " + std::to_string(rho.size()) + " values");
  if (count == 0) {
    if (static_cast<int64_t>(weights.size()) != columns(x)) c.refuse("it has another number of coefficients");
    const Value y = s.product(x, s.reals({1, columns(x)}, weights), true);
    return {s.done(transformed(c, s, s.add(y, static_cast<double>(rho[0]))))};
  }
  const std::vector<float> vectors = c.reals("support_vectors");
  if (count < 0 || static_cast<int64_t>(vectors.size()) != count * columns(x) ||
      static_cast<int64_t>(weights.size()) != count)
    c.refuse("it has another number of support vectors");
  const Value y = s.product(kernel(c, s, x, vectors, count), s.reals({1, count}, weights), true);
  return {s.done(transformed(c, s, s.add(y, static_cast<double>(rho[0]))))};
}

std::vector<Value> tree_ensemble_regressor(Context& c) {
  Steps s(c);
  const Value x = rows_of(c, s);
  const TreeEnsemble trees = read_trees(c, "target", columns(x), c.integer("n_targets", 1));
  return {s.done(transformed(c, s, scores_of(s, x, trees)))};
}

std::vector<Value> tree_ensemble_classifier(Context& c) {
  Steps s(c);
  const Value x = rows_of(c, s);
  const onnx_file::Attribute* texts = c.node().find("classlabels_strings");
  const size_t named = texts && !texts->texts.empty() ? texts->texts.size() : c.integers("classlabels_int64s").size();
  const TreeEnsemble trees = read_trees(c, "class", columns(x), static_cast<int64_t>(named));
  const Value scores = scores_of(s, x, trees);
  if (named != 2 || trees.used != 1) return classified(c, s, scores);
  const int64_t only = trees.first_used;
  return decided(c, s, s.slice(scores, 1, only, only + 1), trees.weights_are_positive);
}

}  // namespace
}  // namespace mo

namespace {

// name, since, becomes, as Model Optimizer (convert), as Inference Engine (compile)
constexpr OperatorRow kOperators[] = {
    {"ArrayFeatureExtractor", 1, "Gather", mo::array_feature_extractor, nullptr},
    {"Binarizer", 1, "Greater", mo::binarizer, nullptr},
    {"FeatureVectorizer", 1, "Concat", mo::feature_vectorizer, nullptr},
    {"LinearClassifier", 1, "MatMul", mo::linear_classifier, nullptr},
    {"LinearRegressor", 1, "MatMul", mo::linear_regressor, nullptr},
    {"Normalizer", 1, "Divide", mo::normalizer, nullptr},
    {"SVMRegressor", 1, "MatMul", mo::svm_regressor, nullptr},
    {"Scaler", 1, "Multiply", mo::scaler, nullptr},
    {"TreeEnsembleClassifier", 1, "MatMul", mo::tree_ensemble_classifier, nullptr},
    {"TreeEnsembleRegressor", 1, "MatMul", mo::tree_ensemble_regressor, nullptr},
    {"ZipMap", 1, "", mo::zip_map, nullptr},
};

}  // namespace

std::span<const OperatorRow> machine_learning_operators() { return kOperators; }

}  // namespace blobsmith::onnx_import
