// TensorIterator: LoopStart, the body's stages, LoopEnd (front-end spec §9). LoopEnd is made first.
// quirk: the reference orders ports by the addresses of its objects, which no model determines; here they keep the
// order of the port map. With one state, one sliced input and one concatenated output both are the same.
#include <algorithm>

#include "vpu/lowering/parsers/layer.hpp"
#include "vpu/program/loops.hpp"

namespace blobsmith::vpu {
namespace {

constexpr std::string_view kCopyPostfix = "@copy-for-backedge";

class LoopBuilder {
 public:
  explicit LoopBuilder(LayerContext& c)
      : c_(c),
        map_(c.node().port_map),
        body_(*c.node().body),
        network_(body_),
        lowering_{network_, c.options, c.lowering.declared, c.program, c.lowering.release, {}, {}, {}, {}} {}

  void build() {
    Stage* end = add_end();
    Stage* start = add_start();
    const int64_t iterations = iteration_count();
    end->change<LoopSpec>([&](LoopSpec& loop) { loop.iterations = iterations; });
    start->change<LoopSpec>([&](LoopSpec& loop) {
      loop.iterations = iterations;
      loop.end_stage = end->id();
    });
    for (Data* d : start->inputs()) c_.program.add_stage_input(end, d);  // they must live until the loop ends
    parse_layers(lowering_);
  }

 private:
  Value parameter(int i) const { return parameter_node(i)->value(); }
  Node* parameter_node(int i) const {
    c_.require(i >= 0 && static_cast<size_t>(i) < body_.parameters().size(),
               "a port of the loop names no parameter of the body");
    return body_.parameters()[static_cast<size_t>(i)];
  }
  Value result(int i) const {
    c_.require(i >= 0 && static_cast<size_t>(i) < body_.results().size(),
               "a port of the loop names no result of the body");
    return body_.results()[static_cast<size_t>(i)]->input(0);
  }
  Data* outer_input(int port) const { return outer(c_.inputs, port); }
  Data* outer_output(int port) const { return outer(c_.outputs, port); }
  Data* outer(const std::vector<Data*>& ports, int port) const {
    c_.require(port >= 0 && static_cast<size_t>(port) < ports.size(),
               "the port map of the loop names no port of the loop");
    return ports[static_cast<size_t>(port)];
  }

  /// Data of the body: made when it is met first.
  Data* body_data(Value v) {
    if (Data* d = lowering_.bound(v)) return d;
    Data* d = c_.program.add_data(body_data_name(v), internal_desc_of(v.type(), v.shape()));
    lowering_.bind(v, d);
    return d;
  }
  std::string body_data_name(Value v) const {
    const auto& readers = network_.consumers(v);
    if (!v.node->is("Parameter") || readers.empty()) return network_.data_name(v);
    const auto& ports = readers.front()->inputs;
    return readers.front()->name + "." + std::to_string(std::ranges::find(ports, v) - ports.begin());
  }

  template <class Port>
  IterationRule rule_of(const Port& p, const Data* outer) const {
    return {c_.axis_dim(outer, p.axis), p.start, p.stride, p.end};
  }

  Stage* add_end();
  Data* writable(Data* out);
  Stage* add_start();
  Data* initial_value(const PortMap::Input& in);
  std::vector<LoopBackEdge> make_back_edges();
  int64_t iteration_count() const;

  LayerContext& c_;
  const PortMap& map_;
  const Graph& body_;
  Network network_;
  Lowering lowering_;
};

/// An output of the network can't lie in a buffer of the loop.
Data* LoopBuilder::writable(Data* out) {
  if (out->usage != DataUsage::Output) return out;
  Data* copy = c_.program.duplicate(out, std::string(kCopyPostfix));
  add_copy(c_.program, "copy-for-tensor-iterator-output", c_.origin, copy, out, "copy for TI output");
  return copy;
}

Stage* LoopBuilder::add_end() {
  std::vector<Data*> ins, outs;
  for (int i = 0; i < static_cast<int>(body_.results().size()); ++i) {
    const bool leaves = std::ranges::any_of(
        map_.outputs, [&](const PortMap::Output& o) { return o.body_result == i && outer_output(o.outer); });
    if (!leaves) ins.push_back(body_data(result(i)));
  }
  LoopComponents components;
  for (const bool concatenated : {true, false})
    for (const PortMap::Output& o : map_.outputs) {
      Data* outer = outer_output(o.outer);
      if (!outer || o.concatenated != concatenated) continue;
      if (!concatenated) outer = writable(outer);
      Data* inner = body_data(result(o.body_result));
      c_.require(std::ranges::find(ins, inner) == ins.end(),
                 "There may be only one Tensor Iterator's output data object for body's output data object if any");
      if (concatenated)
        components.push_back({static_cast<int64_t>(outs.size()), rule_of(o, outer), static_cast<int64_t>(ins.size())});
      else
        outer->marks.end_shared = inner->id();
      ins.push_back(inner);
      outs.push_back(outer);
    }
  Stage* end = add_loop_end(c_.program, c_.name() + "@LoopEnd", std::move(ins), std::move(outs));
  std::ranges::sort(components);
  LoopSpec loop;
  loop.components = std::move(components);
  return end->set(std::move(loop));
}

/// Where a state's first value lies: inputs and constants can't be written to, so they are copied.
Data* LoopBuilder::initial_value(const PortMap::Input& in) {
  Data* outer = outer_input(in.outer);
  if (outer->usage != DataUsage::Input && outer->usage != DataUsage::Const) return outer;
  DataDesc desc = outer->desc;
  Data* copy = c_.program.add_data(outer->name + std::string(kCopyPostfix), desc);
  add_copy(c_.program, "copy-for-backedge", c_.origin, outer, copy, "copy for backedge");
  return copy;
}

Stage* LoopBuilder::add_start() {
  std::vector<Data*> ins, outs;
  const auto is_state = [&](const PortMap::Input& in) {
    return std::ranges::any_of(map_.back_edges,
                               [&](const PortMap::BackEdge& e) { return e.body_parameter == in.body_parameter; });
  };
  const auto share = [&](Data* outer, const PortMap::Input& in) {
    Data* inner = body_data(parameter(in.body_parameter));
    outer->marks.start_shared = inner->id();
    ins.push_back(outer);
    outs.push_back(inner);
  };
  LoopComponents components;
  for (const PortMap::Input& in : map_.inputs) {
    c_.require(!is_state(in) || !in.sliced, "There must not be a back-edge connection to iterable component");
    if (is_state(in)) share(initial_value(in), in);
  }
  for (const PortMap::Input& in : map_.inputs) {
    if (!in.sliced) continue;
    components.push_back(
        {static_cast<int64_t>(ins.size()), rule_of(in, outer_input(in.outer)), static_cast<int64_t>(outs.size())});
    ins.push_back(outer_input(in.outer));
    outs.push_back(body_data(parameter(in.body_parameter)));
  }
  for (const PortMap::Input& in : map_.inputs)
    if (!in.sliced && !is_state(in)) share(outer_input(in.outer), in);

  Stage* start = add_loop_start(c_.program, c_.name() + "@LoopStart", std::move(ins), std::move(outs));
  std::ranges::sort(components);
  LoopSpec loop;
  loop.components = std::move(components);
  loop.edges = make_back_edges();
  return start->set(std::move(loop));
}

std::vector<LoopBackEdge> LoopBuilder::make_back_edges() {
  std::vector<LoopBackEdge> edges;
  for (const PortMap::BackEdge& e : map_.back_edges) {
    Data* state = body_data(parameter(e.body_parameter));
    Data* next = body_data(result(e.body_result));
    Data* copy = c_.program.duplicate(state, std::string(kCopyPostfix));
    c_.program.redirect_consumers(next, copy);
    add_copy(c_.program, "copy-for-backedge", c_.origin, next, copy, "copy for backedge");
    edges.push_back({copy->id(), state->id()});
  }
  return edges;
}

int64_t LoopBuilder::iteration_count() const {
  for (const PortMap::Input& in : map_.inputs) {
    if (!in.sliced) continue;
    const Data* outer = outer_input(in.outer);
    const int64_t size = outer->desc.dim(c_.axis_dim(outer, in.axis));
    const auto from_front = [&](int64_t v) { return v < 0 ? v + size + 1 : v; };
    const int64_t count =
        std::abs(from_front(in.end) - from_front(in.start)) / std::max<int64_t>(std::abs(in.stride), 1);
    c_.require(count >= 0, "Encountered Tensor Iterator with iterations count equal to " + std::to_string(count) +
                               ", but only non-negative values are supported");
    return count;
  }
  c_.fail("a loop without a sliced input is not supported");
}

void parse_tensor_iterator(LayerContext& c) {
  if (!c.node().is("TensorIterator") || !c.node().body)
    throw not_yet_supported(c.name(), c.layer.type, "loops of type " + c.node().type);
  LoopBuilder(c).build();
}

constexpr ParserRow kRows[] = {
    {"TensorIterator", parse_tensor_iterator},
};

}  // namespace

std::span<const ParserRow> tensor_iterator_parsers() { return kRows; }

}  // namespace blobsmith::vpu
