// Text forms of a Program: JSON (for tests/conformance/passdiff.py) and Graphviz.
#include <nlohmann/json.hpp>

#include "core/float16.hpp"
#include "vpu/format/params_json.hpp"
#include "vpu/program/program.hpp"

namespace blobsmith::vpu {
namespace {

using Json = nlohmann::ordered_json;

Json dims_json(const DataDesc& desc, const DimValues& values) {
  Json j = Json::object();
  for (int i = 0, n = desc.rank(); i < n; ++i)
    if (values.has(desc.order.at(i))) j[to_string(desc.order.at(i))] = values[desc.order.at(i)];
  return j;
}

Json values_json(const DimValues& values) {
  Json j = Json::object();
  values.for_each([&](Dim d, int64_t v) { j[to_string(d)] = v; });
  return j;
}

Json marks_json(const DataMarks& m) {
  Json j = Json::object();
  const auto show = [&](const char* name, int64_t value, int64_t usual) {
    if (value != usual) j[name] = value;
  };
  show("fp16_copy", m.fp16_copy, -1);
  show("swWeights", m.relaid_weights, -1);
  show("start-shared-allocation", m.start_shared, -1);
  show("end-shared-allocation", m.end_shared, -1);
  show("activated", m.activated, 0);
  show("converted-notation", m.converted_notation, 0);
  show("unbatched", m.unbatched, 0);
  show("packing-candidate", m.packing_candidate, 0);
  show("ioBufferOffset", m.io_offset, 0);
  show("batch", m.batch, 1);
  return j;
}

/// The first eight values of a constant, as the reference compiler's dumps show.
Json content_json(const Data& d) {
  Json j = Json::array();
  const size_t n = std::min<size_t>(8, static_cast<size_t>(d.desc.element_count()));
  for (size_t i = 0; i < n; ++i) {
    switch (d.desc.type) {
      case DataType::FP16: j.push_back(half_to_float(d.content.as<Half>()[i])); break;
      case DataType::FP32: j.push_back(d.content.as<float>()[i]); break;
      case DataType::S32: j.push_back(d.content.as<int32_t>()[i]); break;
      default: j.push_back(d.content.data()[i]);
    }
  }
  return j;
}

Json ids(const std::vector<Data*>& v) {
  Json j = Json::array();
  for (const Data* d : v) j.push_back(d->id());
  return j;
}

Json data_json(const Data& d) {
  Json j{{"id", d.id()},
         {"name", d.name},
         {"usage", to_string(d.usage)},
         {"type", to_string(d.desc.type)},
         {"order", d.desc.order.name()},
         {"dims", dims_json(d.desc, d.desc.dims)},
         {"strides", dims_json(d.desc, d.strides())},
         {"memory", d.memory_type == MemoryType::CMX ? "CMX" : "DDR"},
         {"location", to_string(d.placement.location)},
         {"offset", d.placement.offset}};
  if (d.usage == DataUsage::Const) j["content"] = content_json(d);
  if (const Sharing* s = d.sharing()) {
    j["parent"] = {{"data", s->parent->id()},
                   {"mode", s->mode == Sharing::Mode::ROI ? "ROI" : "Reshape"},
                   {"order", s->direction == Sharing::Direction::ChildWritesToParent ? "ChildWritesToParent"
                                                                                     : "ParentWritesToChild"},
                   {"offset", values_json(s->offset)}};
  }
  if (d.shape_parent()) j["shape"] = d.shape_parent()->id();
  if (Json marks = marks_json(d.marks); !marks.empty()) j["attrs"] = std::move(marks);
  return j;
}

Json stage_json(const Stage& s) {
  Json j{{"id", s.id()},
         {"name", s.name},
         {"type", to_string(s.type)},
         {"layer", s.layer ? s.layer->name : ""},
         {"inputs", ids(s.inputs())},
         {"outputs", ids(s.outputs())},
         {"temps", ids(s.temps())},
         {"shaves", s.num_shaves},
         {"attrs", s.params ? params_json(*s.params) : Json::object()}};
  if (s.injected()) j["injected"] = stage_json(*s.injected());
  return j;
}

std::string escaped(const std::string& s) {
  std::string r;
  for (char c : s) {
    if (c == '"' || c == '\\') r += '\\';
    r += c;
  }
  return r;
}

}  // namespace

std::string to_json(Program& program) {
  Json j{{"name", program.name}, {"batch", program.batch_size}, {"datas", Json::array()}, {"stages", Json::array()}};
  program.for_each_data([&](Data* d) { j["datas"].push_back(data_json(*d)); });
  for (const Stage* s : program.stages()) j["stages"].push_back(stage_json(*s));
  return j.dump(1) + "\n";
}

std::string to_dot(Program& program) {
  std::string t = "digraph \"" + escaped(program.name) + "\" {\n";
  program.for_each_data([&](Data* d) {
    t += "  d" + std::to_string(d->id()) + " [shape=ellipse label=\"" + escaped(d->name) + "\\n" + to_string(d->usage) +
         " " + to_string(d->desc.type) + " " + d->desc.order.name() + "\\n";
    for (int i = d->desc.rank() - 1; i >= 0; --i)
      t += std::to_string(d->desc.dim(d->desc.order.at(i))) + (i ? "x" : "");
    t += "\"];\n";
    if (d->parent())
      t += "  d" + std::to_string(d->id()) + " -> d" + std::to_string(d->parent()->id()) + " [style=dashed];\n";
  });
  int n = 0;
  for (const Stage* s : program.stages()) {
    const std::string id = "s" + std::to_string(s->id());
    t += "  " + id + " [shape=box label=\"[" + std::to_string(n++) + "] " + escaped(s->name) + "\\n" +
         to_string(s->type) + "\"];\n";
    for (const Data* d : s->inputs()) t += "  d" + std::to_string(d->id()) + " -> " + id + ";\n";
    for (const Data* d : s->outputs()) t += "  " + id + " -> d" + std::to_string(d->id()) + ";\n";
    for (const Stage* c : s->dependency_children())
      t += "  " + id + " -> s" + std::to_string(c->id()) + " [style=dotted];\n";
  }
  return t + "}\n";
}

}  // namespace blobsmith::vpu
