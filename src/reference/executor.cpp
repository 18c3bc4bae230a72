// The order of execution, the life of tensors, shapes that only the data tells.
#include "reference/executor.hpp"

#include <algorithm>
#include <map>

#include "core/float16.hpp"
#include "graph/ops/op.hpp"
#include "reference/operation.hpp"

namespace blobsmith::reference {
namespace {

bool is_source(const Node& n) { return n.is("Parameter") || n.is_constant(); }

bool can_compute(const Node& n) {
  if (is_source(n) || n.is("Result")) return true;
  if (find_operation(n.type, n.version)) return true;
  const ops::OpRow* op = ops::find_op(n.type, n.version);
  return op && op->evaluate;
}

void collect_unknown(const Graph& g, std::vector<Error>& errors) {
  for (const Node* n : g.ordered()) {
    if (n->body) collect_unknown(*n->body, errors);
    if (!can_compute(*n))
      errors.push_back(
          not_yet_supported(n->name, n->type, "the reference executor has no operation \"" + n->type + "\""));
  }
}

/// Whether nothing about the shapes depends on values: an open dimension of an input may be one that the others don't
/// fit.
bool all_static(const Node& n) {
  for (int i = 0; i < n.output_count(); ++i)
    if (!is_static(n.shape(i))) return false;
  return std::ranges::all_of(n.inputs(), [](const Value& v) { return is_static(v.node->shape(v.port)); });
}

Error cannot_compute(const Node& n) {
  Error e(ErrorCode::ShapeMismatch, "layer \"" + n.name + "\" can't be computed");
  return e.at_layer(n.name, n.type)
      .from(n.source)
      .because("its inputs hold values that " + n.type +
               " does not take (an index out of range, a division of integers by zero)");
}

Outputs compute_node(const Node& n, std::span<const Tensor* const> inputs, compute::ThreadPool& pool) {
  const OperationRow* o = find_operation(n.type, n.version);
  Outputs out = o ? o->run(Call(n, inputs, pool)) : evaluate(n, inputs);
  if (out.empty() && n.output_count() > 0) throw cannot_compute(n);
  return out;
}

/// A node of which shapes are open, with the shapes that follow from the values at hand.
Outputs compute_dynamic(const Node& n, std::span<const Tensor* const> inputs, compute::ThreadPool& pool) {
  Graph step;
  std::vector<Value> values;
  for (const Tensor* t : inputs) values.push_back(step.constant(*t)->value());
  return compute_node(*step.make(n.type, values, n.attrs, n.version, n.name), inputs, pool);
}

/// The mean image of an input is subtracted from every item of its batch.
Tensor without_mean(const Tensor& t, const Tensor& mean) {
  std::vector<float> v = t.to_f32();
  const auto m = mean.as<float>();
  ensure(!m.empty() && v.size() % m.size() == 0, "a mean image that doesn't fit its input");
  for (size_t i = 0; i < v.size(); ++i) v[i] -= m[i % m.size()];
  return float_tensor(t.shape, std::move(v));
}

void round_to_half(Tensor& t) {
  if (t.type != ElementType::f32) return;
  std::vector<float> v = t.to_f32();
  std::vector<Half> h(v.size());
  floats_to_halves(v.data(), h.data(), v.size());
  halves_to_floats(h.data(), v.data(), v.size());
  t = float_tensor(t.shape, std::move(v));
}

/// Tensors by the value they are of, dropped behind their last reader.
class Run {
 public:
  Run(const Graph& graph, compute::ThreadPool& pool, const NodeHook& hook, const Control& control, Rounding rounding)
      : pool_(pool), hook_(hook), control_(control), rounding_(rounding), order_(graph.ordered()) {
    for (const Node* n : order_)
      for (const Value& v : n->inputs()) ++readers_[v.node];
  }

  Outputs operator()(const Graph& graph, std::vector<Tensor> inputs) {
    for (size_t i = 0; i < inputs.size(); ++i) {
      const Node* p = graph.parameters()[i];
      put(p, {p->constant.bytes.empty() ? std::move(inputs[i]) : without_mean(inputs[i], p->constant)});
    }
    for (size_t i = 0; i < order_.size(); ++i) {
      report(control_, "running", static_cast<double>(i) / static_cast<double>(order_.size()));
      if (const Node& n = *order_[i]; !is_source(n) && !n.is("Result")) step(n);
    }
    Outputs results;
    for (const Node* r : graph.results()) results.push_back(*get(r->input(0)));
    return results;
  }

 private:
  void step(const Node& n) {
    std::vector<const Tensor*> inputs;
    for (const Value& v : n.inputs()) inputs.push_back(get(v));
    Outputs out = all_static(n) || n.body ? compute_node(n, inputs, pool_) : compute_dynamic(n, inputs, pool_);
    ensure(static_cast<int>(out.size()) == n.output_count(), "outputs of " + n.type + " are missing");
    if (rounding_ == Rounding::Half)
      for (Tensor& t : out) round_to_half(t);
    if (hook_) hook_(n, out);
    put(&n, std::move(out));
    for (const Value& v : n.inputs())
      if (--readers_[v.node] == 0) tensors_.erase(v.node);
  }

  const Tensor* get(const Value& v) const {
    if (v.node->is_constant()) return &v.node->constant;
    return &tensors_.at(v.node).at(static_cast<size_t>(v.port));
  }
  void put(const Node* n, Outputs out) { tensors_[n] = std::move(out); }

  compute::ThreadPool& pool_;
  const NodeHook& hook_;
  const Control& control_;
  Rounding rounding_;
  std::vector<Node*> order_;
  std::map<const Node*, Outputs> tensors_;
  std::map<const Node*, int64_t> readers_;
};

void check_input(const Node& p, const Tensor& t) {
  bool fits = t.type == p.element_type() && t.shape.size() == p.shape().size();
  for (size_t i = 0; fits && i < t.shape.size(); ++i) fits = p.shape()[i] == kDynamic || p.shape()[i] == t.shape[i];
  if (fits) return;
  throw Error(ErrorCode::ShapeMismatch, "input \"" + p.name + "\" takes " + std::string(to_string(p.element_type())) +
                                            to_string(p.shape()) + ", not " + std::string(to_string(t.type)) +
                                            to_string(t.shape));
}

void check_inputs(const Graph& g, std::span<const Tensor> inputs) {
  const auto& parameters = g.parameters();
  if (inputs.size() != parameters.size())
    throw Error(ErrorCode::BadInputName, "the network has " + std::to_string(parameters.size()) + " inputs, " +
                                             std::to_string(inputs.size()) + " are given");
  for (size_t i = 0; i < inputs.size(); ++i) check_input(*parameters[i], inputs[i]);
}

}  // namespace

struct Executor::Impl {
  Graph graph;
  compute::ThreadPool pool;
  Impl(Graph g, int threads) : graph(std::move(g)), pool(threads) {}
};

Executor::Executor(Graph graph, int threads) : impl_(std::make_unique<Impl>(std::move(graph), threads)) {
  std::vector<Error> errors;
  collect_unknown(impl_->graph, errors);
  if (!errors.empty()) throw ErrorList(std::move(errors));
  to_single_precision(impl_->graph);
}
Executor::~Executor() = default;
Executor::Executor(Executor&&) noexcept = default;
Executor& Executor::operator=(Executor&&) noexcept = default;

const Graph& Executor::graph() const { return impl_->graph; }

std::vector<Tensor> Executor::run(std::vector<Tensor> inputs, const NodeHook& hook, const Control& control,
                                  Rounding rounding) {
  check_inputs(impl_->graph, inputs);
  return Run(impl_->graph, impl_->pool, hook, control, rounding)(impl_->graph, std::move(inputs));
}

Outputs run_body(const Graph& body, std::vector<Tensor> inputs, compute::ThreadPool& pool) {
  check_inputs(body, inputs);
  return Run(body, pool, {}, {}, Rounding::None)(body, std::move(inputs));
}

}  // namespace blobsmith::reference
