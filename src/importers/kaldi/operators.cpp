#include "importers/kaldi/operators.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "importers/kaldi/as_model_optimizer.hpp"

namespace blobsmith {
namespace kaldi {
namespace {

// ---- products and sums ----

std::vector<float> values(const Tensor& t) {
  const auto v = t.as<float>();
  return {v.begin(), v.end()};
}

// What changes nothing is left out.
Value scaled(Context& c, std::vector<float> by) {
  if (std::ranges::all_of(by, [](float v) { return v == 1; })) return c.input(0);
  return c.linear("Multiply", c.input(0), std::move(by), 1, "/Mul_");
}
Value shifted(Context& c, Value x, std::vector<float> by) {
  if (std::ranges::all_of(by, [](float v) { return v == 0; })) return x;
  return c.linear("Add", x, std::move(by), 1, "/Add_");
}

std::vector<Value> affine(Context& c) {
  const Component& k = c.component();
  const bool named = k.has("LinearParams") || k.has("Params");
  const Tensor& weights = k.has("LinearParams") ? k.reals("LinearParams")
                          : k.has("Params")     ? k.reals("Params")
                                                : k.nth_reals(0);
  const Tensor* bias = nullptr;
  if (k.has("BiasParams"))
    bias = &k.reals("BiasParams");
  else if (!named)
    bias = &k.nth_reals(1);
  if (bias && element_count(bias->shape) == 0) bias = nullptr;
  return {c.affine(c.input(0), weights, bias)};
}

std::vector<Value> linear(Context& c) { return {c.affine(c.input(0), c.component().reals("Params"), nullptr)}; }

const Tensor& first_of(const Component& k, std::initializer_list<const char*> fields) {
  for (const char* field : fields)
    if (k.has(field)) return k.reals(field);
  return k.nth_reals(0);
}

std::vector<Value> scale(Context& c) { return {scaled(c, values(first_of(c.component(), {"Scales", "Params"})))}; }
std::vector<Value> shift(Context& c) { return {shifted(c, c.input(0), values(first_of(c.component(), {"Bias"})))}; }

/// (scales · x) + offsets
std::vector<Value> scale_and_offset(Context& c) {
  const Component& k = c.component();
  return {shifted(c, scaled(c, values(k.reals("Scales"))), values(k.reals("Offsets")))};
}

std::vector<Value> batch_norm(Context& c) {
  const Component& k = c.component();
  const auto mean = values(k.reals("StatsMean")), variance = values(k.reals("StatsVar"));
  const auto eps = static_cast<float>(k.real("Epsilon", 1e-3)), rms = static_cast<float>(k.real("TargetRms", 1));
  if (mean.size() != variance.size() || mean.empty() || c.columns() % std::ssize(mean) != 0)
    c.refuse("its statistics of " + std::to_string(mean.size()) + " values do not fit an input of shape " +
             to_string(c.shape()));
  std::vector<float> factor, summand;
  for (int64_t i = 0; i < c.columns(); ++i) {
    const size_t j = static_cast<size_t>(i) % mean.size();
    const float deviation = std::sqrt(variance[j] + eps);
    factor.push_back(rms / deviation);
    summand.push_back(-rms * mean[j] / deviation);
  }
  return {shifted(c, scaled(c, std::move(factor)), std::move(summand))};
}

/// A factor for each value, learned or of training.
std::vector<Value> backprop_truncation(Context& c) {
  const double factor = c.component().real("Scale", 1);
  return {scaled(c, std::vector<float>(static_cast<size_t>(c.columns()), static_cast<float>(factor)))};
}

/// x · rms · sqrt(n) / |x|
std::vector<Value> normalize(Context& c) {
  const Component& k = c.component();
  if (k.flag("AddLogStddev", false)) c.refuse("AddLogStddev True in Normalize component is not supported");
  const int64_t n = k.integer("Dim", k.integer("InputDim", c.columns())), block = k.integer("BlockDim", n);
  if (block != n) c.refuse("it normalizes blocks of its input");
  const double factor = k.real("TargetRms", 1) * std::sqrt(static_cast<double>(n));
  const Value normal =
      c.make("NormalizeL2", {c.input(0), c.integers_constant({1}, "/NormalizeL2/axes")},
             attributes({{"eps", 1e-8}, {"eps_mode", std::string("add")}}), Context::kNewest, "/NormalizeL2");
  Tensor weights = Tensor::of(ElementType::f32, {1}, std::vector<float>{static_cast<float>(factor)});
  return {c.factor_of_norm(normal, std::move(weights))};
}

/// The p-norm of each group of columns.
std::vector<Value> p_norm(Context& c) {
  const Component& k = c.component();
  const int64_t in = k.integer("InputDim"), out = k.integer("OutputDim");
  const double p = k.real("P", 2);
  if (out < 1 || in % out != 0 || p <= 0)
    c.refuse("its sizes are " + std::to_string(in) + " and " + std::to_string(out));
  Value x = c.input(0);
  const bool even = std::fmod(p, 2.0) == 0;
  if (!even && !c.quirks()) x = c.make("Abs", {x}, {}, Context::kNewest, "_abs");  // quirk: powers of what is negative
  const Value powers = c.binary("Power", x, p, "_power");
  const Value groups = c.reshape(powers, {0, out, in / out}, "_reshape");
  const Value sum = c.make("ReduceSum", {groups, c.integers_constant({2}, "_axes")}, attributes({{"keep_dims", false}}),
                           Context::kNewest, "_sum");
  return {c.binary("Power", sum, 1 / p, "_invpower")};
}

// ---- functions of single values ----

template <const char* kType>
std::vector<Value> unary(Context& c) {
  return {c.make(kType, {c.input(0)})};
}
constexpr char kSigmoid[] = "Sigmoid", kTanh[] = "Tanh", kRelu[] = "Relu";

std::vector<Value> softmax(Context& c) {
  return {c.make("Softmax", {c.input(0)}, attributes({{"axis", int64_t{1}}}), 1)};
}
std::vector<Value> log_softmax(Context& c) {
  return {c.make("LogSoftmax", {c.input(0)}, attributes({{"axis", int64_t{1}}}), 5)};
}
std::vector<Value> softsign(Context& c) {
  const Value size = c.make("Abs", {c.input(0)}, {}, Context::kNewest, "/abs");
  return {c.binary("Divide", c.input(0), c.binary("Add", size, 1, "/add"), "/div")};
}
std::vector<Value> identity(Context& c) { return {c.input(0)}; }

// ---- columns ----

const std::vector<int64_t>& list_of(const Component& k) {
  if (k.has("ColumnMap")) return k.integers("ColumnMap");
  for (const Item& i : k.items)
    if (i.kind == Item::Kind::Integers || !i.integers.empty()) return i.integers;
  throw Error(ErrorCode::FileCorrupt, "component " + k.type + " has no list of columns");
}

/// Other columns, by their places: of nnet1 counted from 1.
std::vector<Value> copy(Context& c) {
  std::vector<int64_t> from = list_of(c.component());
  const bool from_one = c.component().type == "copy";
  for (int64_t& i : from) {
    if (from_one) --i;
    if (i < 0 || i >= c.columns()) c.refuse("it copies column " + std::to_string(i) + ", which there is not");
  }
  const Value order = c.integers_constant({1, 0}, "/order");
  const Value columns = c.make("Transpose", {c.input(0), order}, {}, Context::kNewest, "/input_permute");
  const Value rows = c.make("Gather", {columns, c.integers_constant(from, "/indexes"), c.integer_constant(0, "/axis")},
                            attributes({{"batch_dims", int64_t{0}}}), 7, "/gather");
  return {c.make("Transpose", {rows, order}, {}, Context::kNewest, "/output_permute")};
}

/// Parts of the input with each other.
std::vector<Value> element_wise_of_parts(Context& c, const char* type) {
  const Component& k = c.component();
  const int64_t in = k.integer("InputDim"), out = k.integer("OutputDim");
  if (out < 1 || in % out != 0 || in / out < 2 || in / out > 1000)
    c.refuse("its sizes are " + std::to_string(in) + " and " + std::to_string(out));
  Node* split = c.make("Split", {c.input(0), c.integer_constant(1, "/axis")}, attributes({{"num_splits", in / out}}),
                       Context::kNewest, "/Split")
                    .node;
  // Named as Model Optimizer's Eltwise, of which several are numbered.
  const auto name = [&](int i) {
    return "Eltwise_" + c.name() + (split->output_count() > 2 ? "/mul_" + std::to_string(i) : "");
  };
  Value v = split->value(0);
  for (int i = 1; i < split->output_count(); ++i) {
    v = c.make(type, {v, split->value(i)});
    v.node->name = name(i);
  }
  return {v};
}
std::vector<Value> element_wise_product(Context& c) { return element_wise_of_parts(c, "Multiply"); }

/// The sum of each group of columns that lie side by side; the groups may differ in size.
std::vector<Value> sum_of_groups(Context& c) {
  const std::vector<int64_t>& sizes = c.component().integers("Sizes");
  const int64_t in = c.columns(), out = std::ssize(sizes);
  if (out < 1 ||
      std::ranges::any_of(
          sizes, [&](int64_t n) { return n < 1 || n > in; }) ||
      std::accumulate(sizes.begin(), sizes.end(), int64_t{0}) != in)
    c.refuse("its groups do not fit an input of shape " + to_string(c.shape()));
  if (std::ranges::all_of(sizes, [&](int64_t n) { return n == sizes[0]; })) {
    const Value groups = c.reshape(c.input(0), {0, out, sizes[0]}, "/groups");
    return {c.make("ReduceSum", {groups, c.integers_constant({2}, "/axes")}, attributes({{"keep_dims", false}}))};
  }
  std::vector<float> belongs(static_cast<size_t>(in * out));
  int64_t column = 0;
  for (int64_t group = 0; group < out; ++group)
    for (int64_t i = 0; i < sizes[static_cast<size_t>(group)]; ++i)
      belongs[static_cast<size_t>(group * in + column++)] = 1;
  return {c.affine(c.input(0), Tensor::of(ElementType::f32, {out, in}, std::move(belongs)), nullptr)};
}

// ---- what is no component ----

std::vector<Value> split(Context& c) {
  Node* n = c.make("VariadicSplit",
                   {c.input(0), c.integer_constant(1, "/axis"), c.integers_constant(c.layer().lengths, "/lengths")})
                .node;
  std::vector<Value> parts;
  for (int i = 0; i < n->output_count(); ++i) parts.push_back(n->value(i));
  return parts;
}

std::vector<Value> sum(Context& c) {
  Value v = c.input(0);
  for (size_t i = 1; i < c.input_count(); ++i)
    v = c.make("Add", {v, c.input(i)}, {}, Context::kNewest, i + 1 < c.input_count() ? "/" + std::to_string(i) : "");
  return {v};
}

std::vector<Value> read_memory(Context& c) {
  const int64_t n = c.layer().length;
  const Value start =
      c.constant(Tensor::of(ElementType::f32, {1, n}, std::vector<float>(static_cast<size_t>(n))), "/init_value");
  return {c.make("ReadValue", {start}, attributes({{"variable_id", c.layer().variable}}), 6)};
}

/// A memory's value for the next frame; without memories an output of its own.
std::vector<Value> write_memory(Context& c) {
  Graph& g = c.graph();
  const std::string& id = c.layer().variable;
  if (!c.framework_options().remove_memory) {
    Node* n = g.make("Assign", {c.input(0)}, attributes({{"variable_id", id}}), 6, c.layer().name);
    n->source = c.source();
    return {};
  }
  const std::vector<int64_t> first{0, 1}, none{0, 0};
  const std::string name = "Result_for_" + id + "/strided_slice";
  const auto list = [&](std::vector<int64_t> v, const char* suffix) {
    return g.constant(Tensor::i64(std::move(v)), name + suffix)->value();
  };
  Node* n = g.make("StridedSlice", {c.input(0), list({0, 0}, "/begin"), list({1, 0}, "/end"), list({1, 1}, "/stride")},
                   attributes({{"begin_mask", first},
                               {"end_mask", first},
                               {"new_axis_mask", none},
                               {"shrink_axis_mask", none},
                               {"ellipsis_mask", none}}),
                   0, name);
  n->source = c.source();
  return {n->value()};
}

// type, becomes, conversion, limits
constexpr OperatorRow kOperators[] = {
    {"addshift", "Add", shift},
    {"affinecomponent", "MatMul", affine},
    {"affinecomponentpreconditioned", "MatMul", affine},
    {"affinecomponentpreconditionedonline", "MatMul", affine},
    {"affinetransform", "MatMul", affine},
    {"backproptruncationcomponent", "Multiply", backprop_truncation},
    {"batchnormcomponent", "Multiply", batch_norm},
    {"clipgradientcomponent", "", identity},
    {"copy", "Gather", copy},
    {"copyn", "Gather", copy},
    {"dropout", "", identity},
    {"dropoutcomponent", "", identity},
    {"dropoutmaskcomponent", "", identity},
    {"elementwiseproductcomponent", "Multiply", element_wise_product},
    {"fixedaffinecomponent", "MatMul", affine},
    {"fixedbiascomponent", "Add", shift},
    {"fixedscalecomponent", "Multiply", scale},
    {"generaldropoutcomponent", "", identity},
    {"linearcomponent", "MatMul", linear},
    {"linearscale", "Multiply", scale},
    {"logsoftmaxcomponent", "LogSoftmax", log_softmax},
    {"naturalgradientaffinecomponent", "MatMul", affine},
    {"naturalgradientperelementscalecomponent", "Multiply", scale},
    {"noopcomponent", "", identity},
    {"normalizecomponent", "NormalizeL2", normalize, "whole rows, without AddLogStddev"},
    {"perelementscalecomponent", "Multiply", scale},
    {"permutecomponent", "Gather", copy},
    {"pnormcomponent", "ReduceSum", p_norm},
    {"rectifiedlinear", "Relu", unary<kRelu>},
    {"rectifiedlinearcomponent", "Relu", unary<kRelu>},
    {"relu", "Relu", unary<kRelu>},
    {"rescale", "Multiply", scale},
    {"scaleandoffsetcomponent", "Multiply", scale_and_offset},
    {"sigmoid", "Sigmoid", unary<kSigmoid>},
    {"sigmoidcomponent", "Sigmoid", unary<kSigmoid>},
    {"softmax", "Softmax", softmax},
    {"softmaxcomponent", "Softmax", softmax},
    {"softsign", "Divide", softsign},
    {"specaugmenttimemaskcomponent", "", identity},
    {"splice", "Concat", nullptr},
    {"splicecomponent", "Concat", nullptr},
    {"sumgroupcomponent", "ReduceSum", sum_of_groups},
    {"tanh", "Tanh", unary<kTanh>},
    {"tanhcomponent", "Tanh", unary<kTanh>},
    {"tdnncomponent", "MatMul", affine},
};

constexpr std::array kFamilies{std::span<const OperatorRow>(kOperators)};

}  // namespace

const Component& Context::component() const {
  ensure(layer_.component != nullptr, "a layer of Kaldi without a component");
  return *layer_.component;
}

Value Context::affine(Value x, const Tensor& weights, const Tensor* bias, const std::string& suffix) {
  if (weights.shape.size() != 2 || x.shape().size() != 2 || weights.shape[1] != x.shape()[1])
    refuse("its weights of shape " + to_string(weights.shape) + " do not fit an input of shape " +
           to_string(x.shape()));
  const Value y = make("MatMul", {x, constant(weights, suffix + "/weights_transpose")},
                       attributes({{"transpose_a", false}, {"transpose_b", true}}), kNewest,
                       bias ? suffix + "/WithoutBiases" : suffix);
  if (!bias) return y;
  if (element_count(bias->shape) != weights.shape[0]) refuse("its bias has another size than its output");
  return make("Add", {y, constant({bias->type, {1, weights.shape[0]}, bias->bytes}, suffix + "/biases")}, {}, kNewest,
              suffix);
}

Value Context::crop(Value x, int64_t begin, int64_t length, const std::string& suffix) {
  if (x.shape().size() != 2 || begin < 0 || length < 1 || begin + length > x.shape()[1])
    refuse("columns " + std::to_string(begin) + " to " + std::to_string(begin + length) + " of an input of shape " +
           to_string(x.shape()));
  const std::vector<int64_t> mask{1, 0}, none{0, 0};
  return make("StridedSlice",
              {x, integers_constant({0, begin}, suffix + "/begin"),
               integers_constant({0, begin + length}, suffix + "/end"), integers_constant({1, 1}, suffix + "/stride")},
              attributes({{"begin_mask", mask},
                          {"end_mask", mask},
                          {"new_axis_mask", none},
                          {"shrink_axis_mask", none},
                          {"ellipsis_mask", none}}),
              kNewest, suffix);
}

const OperatorRow* find_operator(std::string_view type) {
  for (const auto rows : {kFamilies[0], convolution_operators(), recurrent_operators()})
    for (const OperatorRow& row : rows)
      if (row.type == type) return row.convert ? &row : nullptr;
  return nullptr;
}

std::vector<Value> convert_structure(Context& c) {
  const Layer& l = c.layer();
  switch (l.kind) {
    case Kind::Append:
      return {c.input_count() == 1 ? c.input(0) : c.make("Concat", c.inputs(), attributes({{"axis", int64_t{1}}}))};
    case Kind::Sum: return sum(c);
    case Kind::Scale: return {c.linear("Multiply", c.input(0), std::vector<float>{static_cast<float>(l.scale)}, 1)};
    case Kind::Crop: return {c.crop(c.input(0), l.begin, l.length, "/strided_slice")};
    case Kind::Split: return split(c);
    case Kind::MemoryRead: return read_memory(c);
    case Kind::MemoryWrite: return write_memory(c);
    default: throw internal_error("an offset in time is left");
  }
}

}  // namespace kaldi

std::vector<FrameworkOperator> kaldi_operators() {
  std::vector<FrameworkOperator> list;
  for (const auto rows : {kaldi::kFamilies[0], kaldi::convolution_operators(), kaldi::recurrent_operators()})
    for (const kaldi::OperatorRow& row : rows) list.push_back({row.type, row.becomes, row.limits});
  return list;
}

}  // namespace blobsmith
