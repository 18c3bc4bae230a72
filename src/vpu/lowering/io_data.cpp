// Inputs, outputs and constants of the network, and the stages that convert them (front-end spec §8.1 to §8.3, §10
// Flow, §13).
#include <algorithm>

#include "core/release.hpp"
#include "core/table.hpp"
#include "transforms/compressed_models.hpp"
#include "vpu/lowering/lowering.hpp"
#include "vpu/options/tensor_strides.hpp"
#include "vpu/program/builders.hpp"

namespace blobsmith::vpu {
namespace {

ElementType blob_type(ElementType t) {
  switch (t) {
    case ElementType::i64:
    case ElementType::u64:
    case ElementType::u32:
    case ElementType::boolean: return ElementType::i32;
    default: return t;
  }
}

/// Precision of an input or output: as told for its name, as told for all, else FP16 for real numbers.
ElementType io_precision(const CompileOptions& o, const std::string& name, const std::optional<ElementType>& for_all,
                         ElementType fallback) {
  if (const auto it = o.io_precision.find(name); it != o.io_precision.end()) return blob_type(it->second);
  return blob_type(for_all.value_or(fallback));
}

ElementType default_input_precision(ElementType t, const Release& release) {
  const bool real = release.halves_all_reals ? is_float(t) : t == ElementType::f32;
  return real ? ElementType::f16 : t;
}

// Booleans and small integers leave the network as real numbers.
ElementType default_output_precision(ElementType t, const Release& release) {
  switch (t) {
    case ElementType::i32:
    case ElementType::i64: return ElementType::i32;
    case ElementType::u32:
    case ElementType::u64: return release.unsigned_outputs ? ElementType::i32 : ElementType::f16;
    default: return ElementType::f16;
  }
}

bool is_input(Value v) { return v.node->is("Parameter"); }

/// An input that is an output as well has one precision; what is told for outputs, or their default, wins.
ElementType input_precision(const Lowering& l, Value v, const std::string& name) {
  if (l.options.runtime_2_0)
    return blob_type(parse_element_type(v.node->attrs.text(kDeclaredType, "")).value_or(v.type()));
  if (!l.network.is_output(v))
    return io_precision(l.options, name, l.options.input_precision, default_input_precision(v.type(), l.release));
  const auto declared = l.declared.output_types.find(name);
  const ElementType type = declared == l.declared.output_types.end() ? v.type() : declared->second;
  return io_precision(l.options, name,
                      l.options.output_precision ? l.options.output_precision : l.options.input_precision,
                      default_output_precision(type, l.release));
}

ElementType output_precision(const Lowering& l, Value v, const std::string& name) {
  if (is_input(v)) return input_precision(l, v, name);
  const auto it = l.declared.output_types.find(name);
  const bool found = it != l.declared.output_types.end();
  // quirk: precisions are told by name, and this output has lost the model's name for it.
  if (!found && !l.declared.output_types.empty()) return v.type();
  if (l.options.runtime_2_0) return blob_type(found ? it->second : v.type());
  return io_precision(l.options, name, l.options.output_precision,
                      default_output_precision(found ? it->second : v.type(), l.release));
}

DataDesc io_desc(const std::string& name, ElementType precision, Value v) {
  try {
    return desc_of(precision, v.shape());
  } catch (Error& e) {
    throw e.at_layer(name, "").from(v.node->source);
  }
}

struct LayoutRow {
  std::string_view name;
  DimsOrder order;
};
constexpr LayoutRow kLayouts[] = {{"NCDHW", orders::NCDHW}, {"NDHWC", orders::NDHWC}, {"NCHW", orders::NCHW},
                                  {"NHWC", orders::NHWC},   {"CHW", orders::CHW},     {"NC", orders::NC},
                                  {"C", orders::C}};

DimsOrder layout_order(const std::string& name) {
  if (name == "HWC") throw Error(ErrorCode::BadOptionValue, "Layout is not valid.");
  const LayoutRow* row = find_row(kLayouts, name, &LayoutRow::name);
  if (!row) throw Error(ErrorCode::BadOptionValue, "\"" + name + "\" is not a valid layout");
  return row->order;
}

/// A layout told for all applies where the rank fits; one told by name must fit.
void set_layout(const CompileOptions& o, const std::string& name, const std::string& for_all, DataDesc& desc) {
  if (o.runtime_2_0) return;  // the network has it
  const auto told = o.io_layout.find(name);
  const std::string& layout = told != o.io_layout.end() ? told->second : for_all;
  if (layout.empty()) return;
  const DimsOrder order = layout_order(layout);
  if (order.rank() == desc.rank())
    desc.order = order;
  else if (told != o.io_layout.end())
    throw Error(ErrorCode::BadOptionValue, layout + " layout is not applicable to " + name);
}

TensorStrides told_strides(const CompileOptions& o) {
  return o.tensor_strides.empty() ? TensorStrides{} : parse_tensor_strides(o.tensor_strides);
}

void set_strides(const TensorStrides& told, Data* d) {
  if (const auto it = told.find(d->name); it != told.end())
    d->update_required_strides(fixed_strides(it->second, d->desc));
}

bool needs_conversion(DataType t) { return t == DataType::U8 || t == DataType::FP32; }

DataDesc as_fp16(DataDesc d) {
  d.type = DataType::FP16;
  return d;
}

}  // namespace

void add_inputs(Lowering& l) {
  const TensorStrides strides = told_strides(l.options);
  for (const Node* p : l.network.inputs()) {
    const Value v{const_cast<Node*>(p), 0};
    const std::string name = l.network.data_name(v);
    DataDesc desc = io_desc(name, input_precision(l, v, name), v);
    set_layout(l.options, name, l.options.input_layout, desc);
    l.inputs.emplace_back(v, l.program.add_input(name, desc));
    set_strides(strides, l.inputs.back().second);
    l.bind(v, l.inputs.back().second);
  }
}

void add_outputs(Lowering& l) {
  const TensorStrides strides = told_strides(l.options);
  for (const Value& v : l.network.outputs()) {
    const std::string name = l.network.data_name(v);
    DataDesc desc = io_desc(name, output_precision(l, v, name), v);
    set_layout(l.options, name, l.options.output_layout, desc);
    Data* d = l.program.add_output(name, desc);
    set_strides(strides, d);
    if (l.declared.batch.unbatched_outputs.contains(name)) d->marks.unbatched = true;
    l.outputs.emplace_back(v, d);
    l.bind(v, d);  // an input that is an output: its readers read the output
  }
}

void add_constant(Lowering& l, Value v) {
  const Tensor& t = v.node->constant;
  const std::string name = l.network.data_name(v);
  try {
    l.bind(v, l.program.add_const(name, internal_desc_of(t.type, t.shape), constant_content(t)));
  } catch (Error& e) {
    throw e.at_layer(name, "Const").from(v.node->source);
  }
}

void add_constants(Lowering& l) {
  for (const NetworkLayer* layer : l.network.sorted())
    if (layer->is_const()) add_constant(l, layer->node->value());
}

namespace {
/// The input or constant that an output is as well; null for outputs of layers.
Data* source_of(const Lowering& l, Value v) {
  if (v.node->is_constant()) return l.bound(v);
  const auto it = std::ranges::find(l.inputs, v, &std::pair<Value, Data*>::first);
  return it == l.inputs.end() ? nullptr : it->second;
}
}  // namespace

// quirk: the reference walks a hash table whose buckets depend on addresses. Without collisions it lists its entries
// from the last to the first until it grows the first time; which order holds beyond that no model tells.
void copy_trivial_outputs(Lowering& l) {
  constexpr size_t kFirstGrowth = 13;
  std::vector<std::pair<Data*, Data*>> copies;
  for (const auto& [v, out] : l.outputs)
    if (Data* in = source_of(l, v)) copies.emplace_back(in, out);
  if (l.datas.size() <= kFirstGrowth) std::ranges::reverse(copies);
  for (const auto& [in, out] : copies) add_copy(l.program, in->name + "@copy", nullptr, in, out, "processTrivialCase");
}

void convert_inputs(Lowering& l) {
  for (const auto& [v, in] : l.inputs) {
    if (!needs_conversion(in->desc.type)) continue;
    Data* copy = l.program.duplicate(in, "@FP16", as_fp16(in->desc));
    in->marks.fp16_copy = copy->id();
    l.bind(v, copy);
    l.program.redirect_consumers(in, copy);
    add_convert(l.program, copy->name, nullptr, in, copy);
  }
}

void convert_outputs(Lowering& l) {
  for (const auto& [v, out] : l.outputs) {
    if (out->desc.type != DataType::FP32) continue;
    Data* copy = l.program.duplicate(out, "@FP16", as_fp16(out->desc));
    l.bind(v, copy);
    if (const Use producer = out->producer(); producer.stage)
      l.program.replace_output(producer.stage, producer.port, copy);
    add_convert(l.program, copy->name, nullptr, copy, out)->change<ConvertParams>([&, to = out](ConvertParams& p) {
      p.convert_from_det_output = l.program.with_detection_output;
      p.have_batch = l.program.batch_size != 1 && !to->marks.unbatched;
    });
  }
}

}  // namespace blobsmith::vpu
