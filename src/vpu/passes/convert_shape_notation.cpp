// Dimensions of dynamic tensors, written outermost first by the network, are read innermost first by the device: a
// Gather in front of every use turns them round (middle-end spec §3.1).
#include <algorithm>
#include <numeric>

#include "vpu/passes/passes.hpp"
#include "vpu/program/edits.hpp"

namespace blobsmith::vpu {
namespace {

void make_later(Program& p, Stage* gather, const Data* data) {
  for (const Use& use : data->consumers()) {
    const std::vector<Stage*> next = gather->next();
    if (use.stage != gather && std::ranges::find(next, use.stage) == next.end()) p.add_dependency(gather, use.stage);
  }
}

void convert(Program& p, Data* shape) {
  Data* converted = p.duplicate(shape, "@converted-notation");
  converted->marks.converted_notation = true;
  const int64_t n = shape->desc.element_count();
  std::vector<int32_t> reversed(static_cast<size_t>(n));
  std::iota(reversed.rbegin(), reversed.rend(), 0);
  Data* indices =
      p.add_const(shape->name + "@gather-indices", DataDesc(DataType::S32, {n}), contents::int32s(std::move(reversed)));
  Stage* gather = add_gather(p, shape->name + "@convert-notation", nullptr, shape, indices, converted, Dim::C);

  const std::vector<Data*> described = shape->shape_children();
  for (Data* d : described) p.replace_shape(d, converted);
  for (Data* d : described)
    if (!d->producer_stage() || d->producer_stage() == shape->producer_stage()) make_later(p, gather, d);
}

}  // namespace

void convert_shape_notation(Program& p) {
  std::vector<Data*> shapes;
  p.for_each_data([&](Data* d) {
    if (!d->shape_children().empty()) shapes.push_back(d);
  });
  for (Data* shape : shapes) convert(p, shape);
}

}  // namespace blobsmith::vpu
