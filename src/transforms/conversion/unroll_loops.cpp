// A TensorIterator as copies of its body, one per iteration: slices come from a Split, joined outputs from a Concat
// (front-end spec §6.6; only on request).
#include <algorithm>
#include <cstdlib>
#include <map>

#include "transforms/conversion/rewrites.hpp"
#include "transforms/pipeline.hpp"

namespace blobsmith {
namespace transforms {
namespace {

using Copies = std::map<std::pair<const Node*, int>, Value>;  ///< values of the body in one iteration

class Unroller {
 public:
  Unroller(Graph& graph, Node* loop)
      : graph_(graph),
        loop_(loop),
        body_(*loop->body),
        map_(loop->port_map),
        count_(iteration_count()),
        iterations_(static_cast<size_t>(count_)) {}

  void run() {
    int splits = 0;
    for (const PortMap::Input& in : map_.inputs) {
      if (in.sliced)
        slice(in, splits++);
      else
        enter(in);
    }
    for (size_t i = 0; i < iterations_.size(); ++i) copy_body(i);
    int concats = 0;
    for (const PortMap::Output& out : map_.outputs) {
      const Value joined = out.concatenated ? join(out, concats++) : result(iterations_.size() - 1, out.body_result);
      take_place(out.outer, joined);
    }
    graph_.set_inputs(loop_, {});
  }

 private:
  [[noreturn]] void fail(const std::string& why) const { throw cannot_compile(*loop_, why); }

  const Node* parameter(int i) const {
    if (i < 0 || static_cast<size_t>(i) >= body_.parameters().size())
      fail("a port of the loop names no parameter of the body");
    return body_.parameters()[static_cast<size_t>(i)];
  }

  Value result(size_t iteration, int i) const {
    if (i < 0 || static_cast<size_t>(i) >= body_.results().size())
      fail("a port of the loop names no result of the body");
    const Value v = body_.results()[static_cast<size_t>(i)]->input(0);
    return iterations_[iteration].at({v.node, v.port});
  }

  Value outer(int port) const {
    if (port < 0 || port >= loop_->input_count()) fail("the port map of the loop names no port of the loop");
    return loop_->input(port);
  }

  int64_t iteration_count() const {
    constexpr int64_t kMost = 4096;
    for (const PortMap::Input& in : map_.inputs) {
      if (!in.sliced) continue;
      const Shape& shape = outer(in.outer).shape();
      const int64_t size = shape[axis_from_front(in.axis, shape.size())];
      const auto from_front = [&](int64_t v) { return v < 0 ? v + size + 1 : v; };
      const int64_t length = std::abs(from_front(in.end) - from_front(in.start)), step = std::abs(in.stride);
      if (step == 0 || length != size || length % step != 0 || length / step > kMost)
        fail("its slices don't cover the axis, which unrolling needs");
      return length / step;
    }
    fail("a loop without a sliced input can't be unrolled");
  }

  size_t place(int64_t stride, size_t iteration) const {
    return stride > 0 ? iteration : iterations_.size() - 1 - iteration;
  }

  void slice(const PortMap::Input& in, int number) {
    const Value v = outer(in.outer);
    const Node* p = parameter(in.body_parameter);
    const auto axis = static_cast<int64_t>(axis_from_front(in.axis, v.shape().size()));
    const Value at = graph_.constant(Tensor::scalar_i64(axis))->value();
    Node* split = graph_.add("Split", {v, at}, 0, loop_->name + ":in_split_" + std::to_string(number));
    split->attrs = attributes({{"num_splits", count_}});
    graph_.set_outputs(split, std::vector<std::pair<ElementType, Shape>>(iterations_.size(), {v.type(), p->shape()}));
    for (size_t i = 0; i < iterations_.size(); ++i)
      iterations_[i][{p, 0}] = split->value(static_cast<int>(place(in.stride, i)));
  }

  // A state enters the first iteration, anything else every one.
  void enter(const PortMap::Input& in) {
    const Node* p = parameter(in.body_parameter);
    const bool is_state = std::ranges::any_of(
        map_.back_edges, [&](const PortMap::BackEdge& e) { return e.body_parameter == in.body_parameter; });
    for (size_t i = 0; i < (is_state ? size_t{1} : iterations_.size()); ++i) iterations_[i][{p, 0}] = outer(in.outer);
  }

  void copy_body(size_t i) {
    Copies& copies = iterations_[i];
    if (i > 0)
      for (const PortMap::BackEdge& e : map_.back_edges)
        copies[{parameter(e.body_parameter), 0}] = result(i - 1, e.body_result);
    for (const Node* n : body_.ordered())
      if (!n->is("Parameter") && !n->is("Result")) copy_node(*n, i);
  }

  void copy_node(const Node& n, size_t i) {
    if (n.body) fail("a loop within the loop can't be unrolled");
    Copies& copies = iterations_[i];
    std::vector<Value> inputs;
    for (const Value& v : n.inputs()) {
      const auto found = copies.find({v.node, v.port});
      if (found == copies.end()) fail("parameter " + v.node->name + " of its body is not connected");
      inputs.push_back(found->second);
    }
    Node* copy = graph_.add(n.type, std::move(inputs), n.version, n.name + ":" + std::to_string(i));
    copy->attrs = n.attrs;
    copy->constant = n.constant;
    std::vector<std::pair<ElementType, Shape>> outputs;
    for (int o = 0; o < n.output_count(); ++o) outputs.emplace_back(n.element_type(o), n.shape(o));
    graph_.set_outputs(copy, std::move(outputs));
    for (int o = 0; o < n.output_count(); ++o) copies[{&n, o}] = copy->value(o);
  }

  Value join(const PortMap::Output& out, int number) {
    std::vector<Value> parts(iterations_.size());
    for (size_t i = 0; i < iterations_.size(); ++i) parts[place(out.stride, i)] = result(i, out.body_result);
    Node* concat = graph_.add("Concat", std::move(parts), 0, loop_->name + ":out_concat_" + std::to_string(number));
    concat->attrs = attributes({{"axis", static_cast<int64_t>(axis_from_front(out.axis, parts_rank(out)))}});
    graph_.set_outputs(concat, {{result(0, out.body_result).type(), loop_->shape(port_of(out.outer))}});
    return concat->value();
  }

  size_t parts_rank(const PortMap::Output& out) const { return result(0, out.body_result).shape().size(); }

  int port_of(int outer) const {
    if (outer < 0 || outer >= loop_->output_count()) fail("the port map of the loop names no port of the loop");
    return outer;
  }

  // What takes an output's place keeps the output's name as a tensor, not as a layer.
  void take_place(int port, Value by) {
    const Value old = loop_->value(port_of(port));
    std::vector<std::string> names(static_cast<size_t>(by.node->output_count()));
    if (by.node->attrs.has("data_names")) names = by.node->attrs.get<std::vector<std::string>>("data_names");
    names[static_cast<size_t>(by.port)] = output_name(old);
    by.node->attrs.set("data_names", names);
    graph_.redirect(old, by);
  }

  Graph& graph_;
  Node* loop_;
  const Graph& body_;
  const PortMap& map_;
  int64_t count_;
  std::vector<Copies> iterations_;
};

}  // namespace
}  // namespace transforms

void unroll_loops(Graph& graph) {
  for (Node* n : graph.ordered())
    if (n->is("TensorIterator") && n->body) transforms::Unroller(graph, n).run();
  graph.remove_unreachable();
}

}  // namespace blobsmith
