// The reference's node counter (front-end spec §2.2): every node that it makes takes a number, also those that it
// drops at once. The counter shows in automatic names ("Reshape_1253"), and compared names decide the order of layers,
// so it has to stand where the reference's does. Whoever rewrites a graph says here what it did; nobody else counts.
// Example: to infer the shape of a Reshape whose pattern is computed from constants, the reference holds the pattern's
// bounds in two constants, so the node behind "Reshape_10" is number 13.
#pragma once
#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "graph/graph.hpp"

namespace blobsmith::numbering {

// ---- what happened --------------------------------------------------------------------------------------------------

/// `n` was made, with inferred outputs; the other: and its inference took that many numbers.
void made(Graph& graph, const Node& n);
void made(Graph& graph, const Node& n, int64_t inference);
/// All shapes were inferred again, as happens after each pass that changed something.
void validated(Graph& graph);
/// `make_constants` puts constants in place of `n`, whose own numbers do not count.
void folded(Graph& graph, const Node& n, const std::function<void()>& make_constants);
/// A constant in place of a value that shape inference has computed.
Node* constant_of_bounds(Graph& graph, Tensor t, std::string name);
/// quirk: the reference replaces `n` by a copy, which keeps a name that was given and takes the copy's number
/// otherwise.
void renumber(Graph& graph, Node* n);
/// The reference made that many nodes that nothing here stands for.
void skip(Graph& graph, int64_t count);
/// The network was handed to the compiler, which works on a copy and makes nodes of its own before it looks at it.
void copied(Graph& graph);
/// The graph has been read: the reference has made that many nodes so far.
void start(Graph& graph, int64_t count);

// ---- how much that counts -------------------------------------------------------------------------------------------

/// The number of the next node.
int64_t next(const Graph& graph);
/// How many numbers one inference of `n` takes, besides its own, in releases that do not compare bounds.
int64_t of_inference(const Node& n);
/// How many one evaluation of `n` takes, where its value is needed before it is folded.
int64_t of_evaluation(const Node& n);
/// quirk: whether the lower and the upper bound of a shape input are held in a constant each, in releases that compare
/// bounds.
bool holds_both_bounds(const Node& n);
/// Numbers that inference takes for axes that `n` leaves out.
int64_t of_missing_axes(const Node& n);
/// Constants that inference of `n` makes of a value that it knows without holding both bounds.
int64_t constants_of_known(const Node& n);
/// The inputs whose values inference of `n` computes in such releases.
std::vector<int> compared_inputs(const Node& n);
/// The inputs whose values inference of `n` computes (a Reshape's pattern).
std::vector<int> bounded_inputs(const Node& n);
/// Further nodes that the reference makes while it makes `n`, besides those of shape inference.
int64_t of_copy(const Node& n);
/// A StridedSlice whose strides are left out, and that gets a constant of ones for them.
bool lacks_strides(const Node& n);
using Port = std::pair<const Node*, int>;
/// Every value that shape inference has computed: the shape inputs of Reshape and its like, and what they are made of.
std::set<Port> bounded_values(const Graph& graph, const std::vector<Node*>& order);
/// How many the evaluations take that inference of `n` is the first to ask for; adds these values to `bounded`.
int64_t of_new_evaluations(const Node& n, std::set<Port>& bounded);

}  // namespace blobsmith::numbering
