#include "graph/numbering.hpp"

#include <algorithm>
#include <array>

#include "core/release.hpp"
#include "core/table.hpp"
#include "graph/evaluations.hpp"
#include "graph/ops/known_value.hpp"

namespace blobsmith::numbering {
namespace {

// quirk: the bounds of a shape input are held in two constants; some operations are decomposed to infer their shape.
struct CountRow {
  std::string_view type;
  int64_t ids;
};
constexpr std::array kBounded{CountRow{"Reshape", 2}, CountRow{"Broadcast", 2}, CountRow{"Tile", 2},
                              CountRow{"TopK", 2}};
constexpr std::array kDecomposed{CountRow{"NormalizeL2", 6}, CountRow{"HardSigmoid", 6}, CountRow{"Selu", 8},
                                 CountRow{"GRN", 12}};
constexpr int64_t kGelu0 = 23;

template <class Rows>
int64_t ids_in(const Rows& rows, const Node& n) {
  const CountRow* row = find_row(rows, n.type, &CountRow::type);
  return row ? row->ids : 0;
}

bool is_interpolation_by_sizes(const Node& n) {
  return n.is("Interpolate") && n.version == 4 && n.attrs.text("shape_calculation_mode", "sizes") == "sizes";
}

// quirk: these make one constant of each input that is known without being a constant.
std::vector<int> inputs_as_constants(const Node& n) {
  if (n.is("Range")) return {0, 1, 2};
  if (n.is("StridedSlice") && n.input_count() > 2)
    return n.input_count() > 3 ? std::vector<int>{1, 2, 3} : std::vector<int>{1, 2};
  if (n.is("SpaceToBatch") || n.is("BatchToSpace")) return {1, 2, 3};
  if (n.is("Pad")) return {1, 2};
  if (is_interpolation_by_sizes(n)) return {1};
  if (n.is("Slice")) return n.input_count() > 4 ? std::vector<int>{1, 2, 3, 4} : std::vector<int>{1, 2, 3};
  if (n.type.starts_with("Reduce") && n.input_count() > 1) return {1};
  return {};
}

bool is_known(const Node& n, int input) { return known_value(n.input(input)).has_value(); }

// quirk: a constant that only changes its shape takes no new number in releases that change it in place.
int64_t of_folding(const Graph& graph, const Node& n) {
  const bool in_place = !graph.release->copies_reshaped_constants;
  if (in_place && (n.is("Reshape") || n.is("Squeeze") || n.is("Unsqueeze"))) return 0;
  return n.output_count();
}

/// Where bounds are compared, they are when a node is made, and known when its shapes are inferred again by themselves.
int64_t of_inference_again(const Node& n) {
  constexpr int64_t kBothBounds = 2;
  const std::vector<int> inputs = compared_inputs(n);
  if (holds_both_bounds(n)) return is_known(n, inputs[0]) ? kBothBounds : 0;
  const auto known =
      std::ranges::count_if(inputs, [&](int i) { return !n.input(i).node->is_constant() && is_known(n, i); });
  return of_missing_axes(n) + known * constants_of_known(n);
}

/// All bounds are forgotten first.
int64_t of_validation(const Graph& graph) {
  const bool compares = graph.release->compares_bounds;
  Evaluations evaluations(compares);
  int64_t count = 0;
  for (const Node* n : compares ? graph.ordered() : graph.all()) {
    count += compares ? evaluations.of_inference(*n) : of_inference(*n);
    if (n->body) count += of_validation(*n->body);
  }
  return count;
}

}  // namespace

// quirk: a constant stands for the axes that are left out.
int64_t of_missing_axes(const Node& n) {
  return (n.is("Squeeze") && n.input_count() == 1) || (n.is("Slice") && n.input_count() == 4) ? 1 : 0;
}

// quirk: PriorBox asks twice.
int64_t constants_of_known(const Node& n) { return n.is("PriorBox") ? 2 : 1; }

namespace {
bool is_transposed_convolution(const Node& n) {
  return n.is("ConvolutionBackpropData") || n.is("GroupConvolutionBackpropData");
}
}  // namespace

bool holds_both_bounds(const Node& n) {
  if (is_transposed_convolution(n)) return n.input_count() > 2;
  if (n.input_count() < 2) return false;
  return n.is("Reshape") || n.is("Broadcast") || n.is("TopK") || is_interpolation_by_sizes(n);
}

std::vector<int> compared_inputs(const Node& n) {
  if (is_transposed_convolution(n)) return n.input_count() > 2 ? std::vector<int>{2} : std::vector<int>{};
  if (holds_both_bounds(n) || ((n.is("Tile") || n.is("OneHot")) && n.input_count() > 1)) return {1};
  if (n.is("PriorBox") || n.is("PriorBoxClustered")) return {0};
  return inputs_as_constants(n);
}

std::vector<int> bounded_inputs(const Node& n) {
  if (ids_in(kBounded, n) > 0 && n.input_count() > 1) return {1};
  std::vector<int> inputs = inputs_as_constants(n);
  std::erase_if(inputs, [&](int i) { return n.input(i).node->is_constant(); });
  return inputs;
}

int64_t of_inference(const Node& n) {
  if (n.is("Gelu")) return n.version == 0 ? kGelu0 : 0;
  if (const int64_t ids = ids_in(kDecomposed, n)) return ids;
  const std::vector<int> inputs = bounded_inputs(n);
  const auto known = std::ranges::count_if(inputs, [&](int i) { return is_known(n, i); });
  return of_missing_axes(n) + known * std::max<int64_t>(ids_in(kBounded, n), 1);
}

namespace {
/// Where bounds are compared, a constant is asked for its bounds only by what holds both of them.
std::vector<int> asked_inputs(const Node& n) {
  std::vector<int> inputs = compared_inputs(n);
  if (!holds_both_bounds(n)) std::erase_if(inputs, [&](int i) { return n.input(i).node->is_constant(); });
  return inputs;
}

/// Adds to `bounded` what inference of `n` computes for `inputs`, and calls f for every node of which that is the first
/// value.
template <class F>
void add_bounded_values(const Node& n, const std::vector<int>& inputs, std::set<Port>& bounded, F f) {
  std::vector<Value> todo;
  for (int i : inputs)
    if (known_value(n.input(i))) todo.push_back(n.input(i));
  while (!todo.empty()) {
    const Value v = todo.back();
    todo.pop_back();
    if (!bounded.emplace(v.node, v.port).second) continue;
    f(*v.node);
    if (v.node->is("ShapeOf")) continue;
    for (const Value& input : v.node->inputs()) todo.push_back(input);
  }
}
}  // namespace

std::set<Port> bounded_values(const Graph& graph, const std::vector<Node*>& order) {
  const bool compares = graph.release->compares_bounds;
  std::set<Port> bounded;
  for (const Node* n : order)
    add_bounded_values(*n, compares ? asked_inputs(*n) : bounded_inputs(*n), bounded, [](const Node&) {});
  return bounded;
}

// quirk: a product is computed by nodes, once for its lower and once for its upper bound, a Convert's upper bound by
// the largest values of both types, an Equal and a Select; pads and axes of reductions are asked for as constants.
int64_t of_evaluation(const Node& n) {
  constexpr int64_t kProduct = 14, kConversion = 4;
  const int64_t count = n.is("ReduceProd") ? kProduct : n.is("Convert") ? kConversion : 0;
  if (!n.is("Pad") && !n.type.starts_with("Reduce")) return count;
  const std::vector<int> inputs = bounded_inputs(n);
  return count + std::ranges::count_if(inputs, [&](int i) { return is_known(n, i); });
}

int64_t of_new_evaluations(const Node& n, std::set<Port>& bounded) {
  int64_t count = 0;
  add_bounded_values(n, bounded_inputs(n), bounded, [&](const Node& evaluated) { count += of_evaluation(evaluated); });
  return count;
}

void skip(Graph& graph, int64_t count) { graph.next_id += count; }
void start(Graph& graph, int64_t count) { graph.next_id = count; }
int64_t next(const Graph& graph) { return graph.next_id; }
namespace {
/// A pattern that other nodes read has its bounds already, as has a constant that an older node has read from its
/// beginning: shapes that are inferred again while constants are folded do not make anything be forgotten.
bool has_bounds(const Graph& graph, const Node& n) {
  const Value pattern = n.input(compared_inputs(n)[0]);
  if (pattern.node->output(pattern.port).uses.size() > 1) return true;
  const bool is_new = n.id() + 1 >= graph.next_id;
  return !is_new && pattern.node->is_constant() && pattern.node->id() < n.id();
}
}  // namespace

void made(Graph& graph, const Node& n) {
  if (!graph.release->compares_bounds)
    skip(graph, of_inference(n));
  else if (holds_both_bounds(n) && has_bounds(graph, n))
    skip(graph, of_inference_again(n));
  else
    skip(graph, Evaluations(true).of_inference(n));
}
void made(Graph& graph, const Node& n, int64_t inference) { graph.next_id = n.id() + 1 + inference; }
void validated(Graph& graph) { skip(graph, of_validation(graph)); }

void folded(Graph& graph, const Node& n, const std::function<void()>& make_constants) {
  const int64_t next = graph.next_id + of_folding(graph, n);
  make_constants();
  graph.next_id = next;
}

Node* constant_of_bounds(Graph& graph, Tensor t, std::string name) {
  ++graph.next_id;
  Node* c = graph.constant(std::move(t), std::move(name));
  --graph.next_id;
  return c;
}

namespace {

int64_t of_copies(const Graph& graph, std::set<Port>& bounded, Evaluations& evaluations) {
  int64_t count = 0;
  for (const Node* n : graph.all()) {
    count += 1 + of_copy(*n);
    count += graph.release->compares_bounds ? evaluations.of_inference(*n)
                                            : of_inference(*n) + of_new_evaluations(*n, bounded);
    if (n->body) count += of_copies(*n->body, bounded, evaluations);
  }
  return count;
}

bool is_dynamic(const Graph& graph) {
  for (const Node* n : graph.all())
    for (int i = 0; i < n->output_count(); ++i)
      if (!is_static(n->shape(i))) return true;
  return false;
}

// quirk: a network with an unknown shape is copied once more, folded and validated, to learn what its outputs could be.
int64_t of_dynamic_copy(const Graph& graph) {
  constexpr int64_t kPatterns = 13, kLegacyNonMaxSuppression = 27;
  int64_t count = kPatterns;
  for (const Node* n : graph.all()) {
    const auto bounded = static_cast<int64_t>(bounded_inputs(*n).size());
    count += 1 + 2 * of_inference(*n) + bounded;
    if (n->is("NonMaxSuppression")) count += kLegacyNonMaxSuppression;
    if (n->is("TopK") && n->version == 3) count += 2;
  }
  return count;
}

}  // namespace

bool lacks_strides(const Node& n) {
  return n.is("StridedSlice") && n.input_count() == 3 && n.input(1).node->is_constant() &&
         n.input(1).shape().size() == 1;
}

int64_t of_copy(const Node& n) {
  if ((n.is("Pad") && n.input_count() == 3) || lacks_strides(n)) return 1;
  if (n.is("TopK") && n.version == 3) return 2;
  return 0;
}

void copied(Graph& graph) {
  std::set<Port> bounded;
  Evaluations evaluations(true);
  skip(graph, graph.release->nodes_before + of_copies(graph, bounded, evaluations));
  if (is_dynamic(graph)) skip(graph, of_dynamic_copy(graph));
}

void renumber(Graph& graph, Node* n) {
  if (n->name == n->type + "_" + std::to_string(n->id())) n->name = n->type + "_" + std::to_string(graph.next_id);
  skip(graph, 1);
}

}  // namespace blobsmith::numbering
