// Text forms of a Program: JSON (for tests/conformance/passdiff.py) and Graphviz.
#include <nlohmann/json.hpp>

#include "core/float16.hpp"
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

struct AttrJson {
  Json operator()(const Dim& d) const { return to_string(d); }
  Json operator()(const DimsOrder& o) const { return o.name(); }
  Json operator()(const DimValues& v) const { return values_json(v); }
  Json operator()(const DataDesc& d) const {
    return {{"type", to_string(d.type)}, {"order", d.order.name()}, {"dims", dims_json(d, d.dims)}};
  }
  Json operator()(const StageType& t) const { return to_string(t); }
  Json operator()(const std::vector<DimValues>& v) const {
    Json j = Json::array();
    for (const DimValues& d : v) j.push_back(values_json(d));
    return j;
  }
  Json operator()(const std::any&) const { return "(structured)"; }
  template <class T>
  Json operator()(const T& v) const {
    return v;
  }
};

template <class M>
Json attrs_json(const M& attrs) {
  Json j = Json::object();
  for (const auto& [k, v] : attrs) j[k] = std::visit(AttrJson{}, v);
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
  if (d.attrs.size()) j["attrs"] = attrs_json(d.attrs);
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
         {"attrs", attrs_json(s.attrs)}};
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
