#include "transforms/legalise/legalise.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <iterator>
#include <map>

#include "core/release.hpp"
#include "core/text.hpp"
#include "graph/ops/known_value.hpp"
#include "transforms/compressed_models.hpp"
#include "transforms/conversion/rewrites.hpp"
#include "transforms/faults/avoid_faults.hpp"
#include "transforms/legalise/row_moves.hpp"
#include "transforms/legalise/rows.hpp"
#include "transforms/legalise/terms.hpp"

namespace blobsmith {
namespace {

using legalise_rows::SpelledRow;

/// One rewrite: `build` makes the replacement of an element-wise operation on `x`; `reference` is the operation itself.
struct LegaliseRow {
  const char* type;
  std::function<bool(const Node&)> applies;
  std::function<Value(Graph&, const Node&, Value x)> build;
  std::function<double(const Node&, double x)> reference;
  std::function<std::string(const Node&)> description;
  bool Release::* has_stage = nullptr;  ///< the switch of releases whose stages include it
};

double scalar_input(const Node& n, int port) { return n.input(port).node->constant.to_f32().at(0); }

bool has_scalar_constants(const Node& n, int first) {
  for (int i = first; i < n.input_count(); ++i)
    if (!n.input(i).node->is_constant() || element_count(n.input(i).shape()) != 1) return false;
  return true;
}

Value scalar(Graph& g, ElementType type, double v) {
  return g.constant(Tensor::reals(type, {}, std::span(&v, 1)))->value();
}

Value clamp(Graph& g, Value x, double min, double max) {
  Attributes a;
  a.set("min", min);
  a.set("max", max);
  return g.make("Clamp", {x}, a)->value();
}

const std::vector<LegaliseRow>& rules() {
  static const std::vector<LegaliseRow> kRules{
      {"HardSigmoid", [](const Node& n) { return n.input_count() == 3 && has_scalar_constants(n, 1); },
       [](Graph& g, const Node& n, Value x) {
         const Value scaled = g.make("Multiply", {x, scalar(g, x.type(), scalar_input(n, 1))})->value();
         return clamp(g, g.make("Add", {scaled, scalar(g, x.type(), scalar_input(n, 2))})->value(), 0, 1);
       },
       [](const Node& n, double x) { return std::clamp(scalar_input(n, 1) * x + scalar_input(n, 2), 0.0, 1.0); },
       [](const Node& n) {
         return "Clamp(" + number_text(scalar_input(n, 1), 6) + "*x + " + number_text(scalar_input(n, 2), 6) +
                ", 0, 1)";
       }},
      {"Abs", [](const Node& n) { return is_float(n.input(0).type()); },
       [](Graph& g, const Node&, Value x) {
         return g.make("Maximum", {x, g.make("Multiply", {x, scalar(g, x.type(), -1)})->value()})->value();
       },
       [](const Node&, double x) { return std::fabs(x); }, [](const Node&) { return std::string("Maximum(x, -x)"); },
       &Release::abs_stage},
  };
  return kRules;
}

/// Folds a small constant graph up to `v`.
Tensor fold(Value v, std::map<const Node*, Tensor>& known) {
  if (v.node->is_constant()) return v.node->constant;
  if (const auto it = known.find(v.node); it != known.end()) return it->second;
  std::vector<Tensor> inputs;
  for (const Value& i : v.node->inputs()) inputs.push_back(fold(i, known));
  std::vector<const Tensor*> pointers;
  for (const Tensor& t : inputs) pointers.push_back(&t);
  std::vector<Tensor> out = evaluate(*v.node, pointers);
  ensure(!out.empty(), "operation '" + v.node->type + "' can't be evaluated");
  return known[v.node] = std::move(out[0]);
}

/// The replacement against the operation in FP32, from -32 to 32.
double measured_error(const LegaliseRow& rule, const Node& n) {
  std::vector<float> samples;
  for (int i = -2048; i <= 2048; ++i) samples.push_back(static_cast<float>(i) / 64);
  Graph g;
  const auto count = static_cast<int64_t>(samples.size());
  const Value x = g.constant(Tensor::of(ElementType::f32, {count}, samples))->value();
  std::map<const Node*, Tensor> known;
  const std::vector<float> got = fold(rule.build(g, n, x), known).to_f32();
  double worst = 0;
  for (size_t i = 0; i < samples.size(); ++i)
    worst = std::max(worst, std::fabs(got[i] - rule.reference(n, samples[i])));
  return worst;
}

constexpr std::array kSpelled{legalise_rows::integer_rows,      legalise_rows::logic_rows,
                              legalise_rows::movement_rows,     legalise_rows::sum_rows,
                              legalise_rows::function_rows,     legalise_rows::index_rows,
                              legalise_rows::convolution_rows,  legalise_rows::volume_rows,
                              legalise_rows::quantization_rows, legalise_rows::rank_rows};

const SpelledRow* spelled_row(const Node& n) {
  for (const auto family : kSpelled)
    for (const SpelledRow& row : family())
      if (row.roots.contains(n.type) && row.applies(n)) return &row;
  return nullptr;
}

bool may_be_spelled(const Node& n) {
  return std::ranges::any_of(kSpelled, [&](const auto family) {
    return std::ranges::any_of(family(), [&](const SpelledRow& row) { return row.roots.contains(n.type); });
  });
}

/// Integers that shapes decide (lengths, axes, sizes) become constants, which is what rows want.
bool state_known_operands(Graph& graph, Node& n) {
  if (!may_be_spelled(n)) return false;
  bool changed = false;
  for (int i = 1; i < n.input_count(); ++i) {
    const Value v = n.input(i);
    if (v.node->is_constant() || is_float(v.type())) continue;
    const auto known = known_value(v);
    if (!known) continue;
    graph.set_input(&n, i, graph.constant(*known)->value());
    changed = true;
  }
  return changed;
}

/// What constants alone decide becomes a constant, which is exact.
bool spell_out_once(Graph& graph, std::vector<Remark>& said) {
  transforms::Rewriter rw(graph);
  bool changed = false;
  for (Node* n : graph.ordered()) {
    if (n->body) changed |= transforms::in_body(graph, *n, [&](Graph& body) { return spell_out_once(body, said); });
    if (n->output_count() != 1 || n->use_count() == 0 || n->attrs.flag(legalise_rows::kSpelledOut)) continue;
    const SpelledRow* row = spelled_row(*n);
    if (!row && state_known_operands(graph, *n)) row = spelled_row(*n);
    if (!row) continue;
    rw.set_origin(n->source);
    changed = true;
    if (const auto known = known_value(n->value())) {
      rw.replace(n, graph.constant(*known));
      continue;
    }
    said.push_back(remark(Remark::Kind::Rewritten, *n, std::string(row->says)));
    said.back().max_error = row->max_error;
    rw.replace(n, row->build(rw, *n).node);
  }
  if (changed) graph.remove_unreachable();
  return changed;
}

/// Until nothing is left to do: some are spelled out in operations that are spelled out themselves.
void spell_out(Graph& graph, std::vector<Remark>& said) {
  constexpr int kMostRounds = 8;
  for (int round = 0; round < kMostRounds && spell_out_once(graph, said); ++round) {}
}

/// Of what was made on top of `x`.
void state_origin(Node* made, const Node* x, const std::string& source) {
  if (made == x || !made->source.empty()) return;
  made->source = source;
  for (const Value& v : made->inputs()) state_origin(v.node, x, source);
}

}  // namespace

std::vector<Remark> legalise(Graph& graph, bool quirks) {
  constexpr double kTolerance = 1e-6;
  std::vector<Remark> done;
  if (!quirks) restore_constants(graph);
  for (Node* n : graph.ordered()) {
    const auto rule =
        std::ranges::find_if(rules(), [&](const LegaliseRow& r) { return n->is(r.type) && r.applies(*n); });
    if (rule == rules().end()) continue;
    if (rule->has_stage && graph.release->*rule->has_stage) {
      done.push_back(
          remark(Remark::Kind::OfTarget, *n, "a stage of its own; older versions need " + rule->description(*n)));
      continue;
    }
    Remark r = remark(Remark::Kind::Rewritten, *n, rule->description(*n));
    r.max_error = measured_error(*rule, *n);
    ensure(r.max_error <= kTolerance, "the rewrite of '" + n->type + "' is not exact");
    const Value replacement = rule->build(graph, *n, n->input(0));
    replacement.node->name = n->name;
    state_origin(replacement.node, n->input(0).node, n->source);
    graph.redirect(n->value(), replacement);
    graph.remove(n);
    done.push_back(std::move(r));
  }
  if (quirks) return done;
  const auto add = [&](std::vector<Remark> some) { std::ranges::move(some, std::back_inserter(done)); };
  add(legalise_rows::keep_whole_numbers(graph));
  add(legalise_rows::widen_integers(graph));
  add(legalise_rows::sort_integers(graph));
  add(legalise_rows::sequences_to_loops(graph));
  legalise_rows::name_ellipses(graph);
  transforms::apply_rewrites(graph, transforms::einsum_decomposition());  // its products are to be seen here
  spell_out(graph, done);
  legalise_rows::drop_empty_parts(graph);
  const auto is_quantized = [](const Remark& r) { return r.type == "FakeQuantize"; };
  if (std::ranges::any_of(done, is_quantized)) transforms::fold_constants(graph);  // weights are constants again
  add(legalise_rows::restore_layers(graph));
  add(avoid_faults_of_moments(graph));
  legalise_rows::split_instead_of_gathers(graph);
  legalise_rows::put_constants_second(graph);
  add(legalise_rows::fold_column_factors(graph));
  legalise_rows::fold_part_factors(graph);
  if (legalise_rows::may_mix_items(graph)) {
    legalise_rows::keep_spare_columns(graph);
    legalise_rows::gather_moved_rows(graph);
    legalise_rows::carry_means(graph);
    legalise_rows::join_summands(graph);
    add(rows_to_planes(graph));
    legalise_rows::join_transposes(graph);
  }
  legalise_rows::simplify_products(graph);
  return done;
}

std::vector<std::string> legalised_types() {
  std::vector<std::string> types;
  for (const LegaliseRow& r : rules()) types.emplace_back(r.type);
  for (const char* sequence : {"GRUSequence", "RNNSequence", "GRUCell", "RNNCell"}) types.emplace_back(sequence);
  for (const auto family : kSpelled)
    for (const SpelledRow& row : family())
      for (const std::string_view type : row.roots) types.emplace_back(type);
  return types;
}

}  // namespace blobsmith
