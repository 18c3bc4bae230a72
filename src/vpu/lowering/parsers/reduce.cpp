// Reductions, TopK, OneHot (front-end spec §9).
#include <algorithm>
#include <array>

#include "core/table.hpp"
#include "vpu/lowering/attribute_text.hpp"
#include "vpu/lowering/parsers/layer.hpp"

namespace blobsmith::vpu {
namespace {

void parse_reduce(LayerContext& c) {
  struct ReduceRow {
    std::string_view layer;
    StageType stage;
  };
  constexpr std::array kRows{ReduceRow{"ReduceAnd", StageType::ReduceAnd}, ReduceRow{"ReduceMin", StageType::ReduceMin},
                             ReduceRow{"ReduceMax", StageType::ReduceMax}, ReduceRow{"ReduceSum", StageType::ReduceSum},
                             ReduceRow{"ReduceMean", StageType::ReduceMean}};
  c.expect_ports(2, 1);
  const ReduceRow* row = find_row(kRows, c.layer.type, &ReduceRow::layer);
  ensure(row != nullptr, "no stage for layer type " + c.layer.type);
  c.require(c.inputs[1]->usage == DataUsage::Const, "the axes of layer " + c.name() + " must be constant");
  add_reduce(c.program, c.name(), c.origin, row->stage, c.in(), c.inputs[1], c.out(), c.attrs().flag("keep_dims"));
}

void parse_topk(LayerContext& c) {
  c.check(c.inputs.size() == 2, "inputs.size() == 2");
  c.check(c.outputs.size() == 1 || c.outputs.size() == 2, "outputs.size() == 1 || outputs.size() == 2");
  const std::vector<Data*> used = c.used_outputs();
  c.check(!used.empty(), "!outputs.empty()");
  const std::string mode = c.text("mode"), sort = c.text("sort");
  c.require(mode == "max" || mode == "min", c.name() + ": unsupported mode " + mode);
  c.require(sort == "none" || sort == "value" || sort == "index", c.name() + ": unsupported sort " + sort);
  Stage* s = c.add_stage(StageType::TopK, c.inputs, used);
  TopKSpec spec;
  spec.dim = c.axis_dim(c.in(), c.attrs().integer("axis"));
  spec.mode = mode == "max" ? 0 : 1;
  spec.sort = sort == "none" ? 0 : sort == "value" ? 1 : 2;
  spec.values_present = used.size() == 2 || c.outputs[0];
  spec.indices_present = used.size() == 2 || !c.outputs[0];
  s->set(spec);
}

void parse_one_hot(LayerContext& c) {
  c.check(!c.inputs.empty(), "!inputs.empty()");
  c.expect_ports(c.inputs.size(), 1);
  const int64_t axis = c.attrs().integer("axis");
  Stage* s = c.add_stage(StageType::OneHot);
  OneHotParams p;
  p.axis = axis == -1 ? 0 : c.in()->desc.rank() - axis;
  p.depth = c.attrs().integer("depth");
  p.on_value = quirks::attribute_list_float(c.attrs().real("on_value", 1.0));
  p.off_value = quirks::attribute_list_float(c.attrs().real("off_value", 0.0));
  s->set(p);
}

constexpr ParserRow kRows[] = {
    {"OneHot", parse_one_hot},   {"ReduceAnd", parse_reduce},     {"ReduceMin", parse_reduce},
    {"ReduceMax", parse_reduce}, {"ReduceSum", parse_reduce},     {"ReduceMean", parse_reduce},
    {"TopK", parse_topk},        {"StaticShapeTopK", parse_topk},
};

}  // namespace

std::span<const ParserRow> reduce_parsers() { return kRows; }

}  // namespace blobsmith::vpu
