// Layers of networks with dynamic shapes (front-end spec §9, §5.7).
#include "vpu/format/detection.hpp"
#include "vpu/lowering/parsers/layer.hpp"

namespace blobsmith::vpu {
namespace {

void parse_non_zero(LayerContext& c) {
  c.expect_ports(1, 2);
  c.add_stage(StageType::NonZero, c.inputs, c.outputs);
}

void parse_static_shape_nms(LayerContext& c) {
  c.check(c.inputs.size() == 5 || c.inputs.size() == 6, "inputs.size() == 6");
  const std::vector<Data*> inputs(c.inputs.begin(), c.inputs.begin() + 5);  // the sigma of soft NMS is not looked at
  c.require(!c.attrs().flag("sort_result_descending", false),
            "StaticShapeNMS with name " + c.name() + ": parameter sortResultDescending=true is not supported on VPU");
  const std::vector<Data*> outs = c.used_outputs();
  c.check(outs.size() >= 2, "outputs.size() == 2");
  StaticShapeNmsParams p;
  p.center_point_box = c.attrs().flag("center_point_box") || c.text("box_encoding") == "center";
  c.add_stage(StageType::StaticShapeNMS, inputs, outs)->set(p);
}

void parse_broadcast(LayerContext& c) {
  const std::string mode = c.text("mode", "numpy");
  const int number = mode == "numpy" ? 0 : mode == "explicit" ? 1 : 2;
  c.expect_ports(number == 1 ? 3 : 2, 1);
  BroadcastParams p;
  p.mode = number;
  c.add_stage(StageType::Broadcast, c.inputs, {c.out()})->set(p);
}

void parse_out_shape_of_reshape(LayerContext& c) {
  c.expect_ports(2, 1);
  OutShapeOfReshapeParams p;
  p.special_zero = c.attrs().flag("special_zero");
  c.add_stage(StageType::OutShapeOfReshape, c.inputs, {c.out()})->set(p);
}

/// A dynamic output of the network comes with an output that tells its shape; the shape's producer writes there.
Data* shape_as_output(LayerContext& c, Data* shape, Data* data) {
  const Use producer = shape->producer();
  c.require(producer.stage != nullptr, "the shape of output " + data->name + " has no producer");
  Data* out = c.program.add_output(data->name + "@shape", shape->desc);
  c.lowering.bind(c.layer.inputs[1], out);
  c.program.redirect_consumers(shape, out);
  const std::vector<Data*> children = shape->shape_children();
  for (Data* child : children) c.program.replace_shape(child, out);
  c.program.replace_output(producer.stage, producer.port, out);
  return out;
}

// No stage: the producer of the data writes to the output, whose shape is the second input.
void parse_dynamic_shape_resolver(LayerContext& c) {
  c.expect_ports(2, 1);
  Data *data = c.inputs[0], *shape = c.inputs[1], *out = c.out();
  const Use producer = data->producer();
  if (producer.stage) {
    c.require(data->usage == DataUsage::Intermediate,
              "Parsing layer " + c.name() + " failed: if input data has a producer, it must be intermediate");
    c.program.replace_output(producer.stage, producer.port, out);
  } else {
    c.require(data->usage == DataUsage::Input && out->usage != DataUsage::Output,
              "Parsing layer " + c.name() + " failed: if input data has no producer, it must be a network input");
    c.lowering.bind(c.layer.outputs[0], data);
    out = data;
  }
  if (out->usage == DataUsage::Output && shape->usage != DataUsage::Output) shape = shape_as_output(c, shape, out);
  c.program.connect_shape(shape, out);
}

constexpr ParserRow kRows[] = {
    {"StaticShapeNonZero", parse_non_zero},
    {"StaticShapeNonMaxSuppression", parse_static_shape_nms},
    {"StaticShapeBroadcast", parse_broadcast},
    {"OutShapeOfReshape", parse_out_shape_of_reshape},
    {"DynamicShapeResolver", parse_dynamic_shape_resolver},
};

}  // namespace

std::span<const ParserRow> dynamic_parsers() { return kRows; }

}  // namespace blobsmith::vpu
