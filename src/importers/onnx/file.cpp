#include "importers/onnx/file.hpp"

#define ONNX_ML 1
#define ONNX_NAMESPACE onnx
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <onnx/onnx_pb.h>

#include <algorithm>
#include <charconv>
#include <set>

#include "core/file.hpp"
#include "importers/common/tensor_bytes.hpp"

namespace blobsmith::onnx_file {
namespace {

constexpr int kLargestRank = 32;

Error bad_model(ErrorCode code, const std::string& what) { return Error(code, what); }

ElementType checked_type(int32_t t, const std::string& who) {
  if (const auto type = element_type(t)) return *type;
  const std::string name = onnx::TensorProto_DataType_IsValid(t)
                               ? onnx::TensorProto_DataType_Name(static_cast<onnx::TensorProto_DataType>(t))
                               : std::to_string(t);
  throw bad_model(ErrorCode::TypeMismatch, "unsupported element type: " + name + " of " + who);
}

Shape tensor_shape(const onnx::TensorProto& t, const std::string& who) {
  if (t.dims_size() > kLargestRank)
    throw bad_model(ErrorCode::BadOnnx, who + " has " + std::to_string(t.dims_size()) + " dimensions");
  Shape s(t.dims().begin(), t.dims().end());
  if (!is_static(s)) throw bad_model(ErrorCode::BadOnnx, who + " has the shape " + to_string(s));
  return s;
}

template <class To, class List>
Bytes converted(const List& list) {
  std::vector<To> v;
  v.reserve(static_cast<size_t>(list.size()));
  for (auto x : list) v.push_back(static_cast<To>(x));
  return Bytes::adopt(std::move(v));
}

/// Values stored in the typed fields of a tensor.
Bytes typed_values(const onnx::TensorProto& t, ElementType type) {
  switch (type) {
    case ElementType::f32: return converted<float>(t.float_data());
    case ElementType::f64: return converted<double>(t.double_data());
    case ElementType::i64: return converted<int64_t>(t.int64_data());
    case ElementType::u64: return converted<uint64_t>(t.uint64_data());
    case ElementType::u32: return converted<uint32_t>(t.uint64_data());
    case ElementType::i32: return converted<int32_t>(t.int32_data());
    case ElementType::f16:
    case ElementType::bf16:
    case ElementType::u16:
    case ElementType::i16: return converted<uint16_t>(t.int32_data());
    default: return converted<uint8_t>(t.int32_data());
  }
}

int64_t whole_number(const std::string& s, const std::string& who) {
  int64_t v = 0;
  const auto [end, ec] = std::from_chars(s.data(), s.data() + s.size(), v);
  if (ec != std::errc{} || end != s.data() + s.size() || v < 0)
    throw bad_model(ErrorCode::BadOnnx, "external data of " + who + ": '" + s + "' is not a number");
  return v;
}

Bytes external_values(const onnx::TensorProto& t, const importers::FilesBeside& beside, const std::string& who) {
  std::string location;
  int64_t offset = 0, length = -1;
  for (const auto& entry : t.external_data()) {
    if (entry.key() == "location") location = entry.value();
    if (entry.key() == "offset") offset = whole_number(entry.value(), who);
    if (entry.key() == "length") length = whole_number(entry.value(), who);
  }
  // The file must lie in the model's folder: a model is no reason to read anything else.
  if (!beside || location.empty() || location.front() == '/' || location.find("..") != std::string::npos)
    throw bad_model(ErrorCode::BadOnnx,
                    "external data of " + who + " lies at '" + location + "', which is not in the model's folder");
  const Bytes file = beside(location);
  const int64_t rest = std::max<int64_t>(static_cast<int64_t>(file.size()) - offset, 0);
  const auto values =
      importers::part_of(file, static_cast<uint64_t>(offset), static_cast<uint64_t>(length >= 0 ? length : rest));
  if (!values)
    throw bad_model(ErrorCode::FileTruncated, "external data of " + who + " goes past the end of " + location);
  return values->aligned(8);
}

Tensor read_tensor(const onnx::TensorProto& t, const importers::FilesBeside& beside) {
  const std::string who = "tensor '" + t.name() + "'";
  Tensor r{checked_type(t.data_type(), who), tensor_shape(t, who), {}};
  const uint64_t bytes = importers::bytes_of(r.type, r.shape, who);
  if (t.data_location() == onnx::TensorProto::EXTERNAL)
    r.bytes = external_values(t, beside, who);
  else if (t.has_raw_data())
    r.bytes = Bytes::copy_of(std::span(reinterpret_cast<const uint8_t*>(t.raw_data().data()), t.raw_data().size()))
                  .aligned(8);
  else
    r.bytes = typed_values(t, r.type);
  if (r.bytes.size() < bytes)
    throw bad_model(ErrorCode::BadOnnx, who + " of shape " + to_string(r.shape) + " has " +
                                            std::to_string(r.bytes.size()) + " bytes, " + std::to_string(bytes) +
                                            " expected");
  r.bytes = r.bytes.slice(0, bytes);
  return r;
}

std::shared_ptr<const Model> read_body(const onnx::GraphProto& graph, const importers::FilesBeside& beside);

Attribute read_attribute(const onnx::AttributeProto& a, const importers::FilesBeside& beside) {
  using Kind = Attribute::Kind;
  Attribute r;
  switch (a.type()) {
    case onnx::AttributeProto::INT:
      r.kind = Kind::Integer;
      r.integer = a.i();
      break;
    case onnx::AttributeProto::FLOAT:
      r.kind = Kind::Real;
      r.real = a.f();
      break;
    case onnx::AttributeProto::STRING:
      r.kind = Kind::Text;
      r.text = a.s();
      break;
    case onnx::AttributeProto::INTS:
      r.kind = Kind::Integers;
      r.integers.assign(a.ints().begin(), a.ints().end());
      break;
    case onnx::AttributeProto::FLOATS:
      r.kind = Kind::Reals;
      r.reals.assign(a.floats().begin(), a.floats().end());
      break;
    case onnx::AttributeProto::STRINGS:
      r.kind = Kind::Texts;
      r.texts.assign(a.strings().begin(), a.strings().end());
      break;
    case onnx::AttributeProto::TENSOR:
      r.kind = Kind::Tensor;
      r.tensor = read_tensor(a.t(), beside);
      break;
    case onnx::AttributeProto::GRAPH:
      r.kind = Kind::Graph;
      try {
        r.graph = read_body(a.g(), beside);
      } catch (const Error& e) {  // it matters only to who needs it
        r.text = e.what();
      }
      break;
    default: break;
  }
  return r;
}

Node read_node(const onnx::NodeProto& n, const importers::FilesBeside& beside) {
  Node r{
      n.name(), n.op_type(), n.domain(), {n.input().begin(), n.input().end()}, {n.output().begin(), n.output().end()},
      {}};
  for (const auto& a : n.attribute()) r.attributes[a.name()] = read_attribute(a, beside);
  return r;
}

ValueInfo read_value_info(const onnx::ValueInfoProto& v) {
  ValueInfo r;
  r.name = v.name();
  if (v.type().value_case() == onnx::TypeProto::VALUE_NOT_SET) return r;
  if (!v.type().has_tensor_type()) throw bad_model(ErrorCode::BadOnnx, "value '" + v.name() + "' is not a tensor");
  const auto& t = v.type().tensor_type();
  if (t.elem_type()) r.type = checked_type(t.elem_type(), "value '" + v.name() + "'");
  if (!t.has_shape()) return r;
  if (t.shape().dim_size() > kLargestRank)
    throw bad_model(ErrorCode::BadOnnx,
                    "value '" + v.name() + "' has " + std::to_string(t.shape().dim_size()) + " dimensions");
  r.shape.emplace();
  for (const auto& d : t.shape().dim())
    r.shape->push_back(d.has_dim_value() && d.dim_value() >= 0 ? d.dim_value() : kDynamic);
  return r;
}

void read_graph(const onnx::GraphProto& graph, const importers::FilesBeside& beside, Model& m) {
  m.graph_name = graph.name();
  std::set<std::string> constant;
  for (const auto& t : graph.initializer()) {
    m.initializers.emplace_back(t.name(), read_tensor(t, beside));
    constant.insert(t.name());
  }
  if (graph.sparse_initializer_size()) throw bad_model(ErrorCode::BadOnnx, "sparse initializers are not supported");
  for (const auto& n : graph.node()) m.nodes.push_back(read_node(n, beside));
  for (const auto& v : graph.input())
    if (!constant.contains(v.name())) m.inputs.push_back(read_value_info(v));
  for (const auto& v : graph.output()) m.outputs.push_back(read_value_info(v));
}

std::shared_ptr<const Model> read_body(const onnx::GraphProto& graph, const importers::FilesBeside& beside) {
  auto body = std::make_shared<Model>();
  read_graph(graph, beside, *body);
  return body;
}

onnx::ModelProto parse(const Bytes& file) {
  onnx::ModelProto proto;
  google::protobuf::io::ArrayInputStream stream(file.data(),
                                                static_cast<int>(std::min<size_t>(file.size(), INT32_MAX)));
  google::protobuf::io::CodedInputStream coded(&stream);
  coded.SetTotalBytesLimit(INT32_MAX);
  if (file.size() > INT32_MAX || !proto.ParseFromCodedStream(&coded) || !proto.has_graph()) {
    Error e(ErrorCode::BadOnnx, "the file is not an ONNX model, or it is cut off");
    throw e.hint(
        "python -m onnx.checker tells whether ONNX itself can read it; models of 2 GB and more need external data");
  }
  return proto;
}

}  // namespace

namespace {
constexpr std::pair<int, ElementType> kTypes[] = {
    {onnx::TensorProto::FLOAT, ElementType::f32},   {onnx::TensorProto::UINT8, ElementType::u8},
    {onnx::TensorProto::INT8, ElementType::i8},     {onnx::TensorProto::UINT16, ElementType::u16},
    {onnx::TensorProto::INT16, ElementType::i16},   {onnx::TensorProto::INT32, ElementType::i32},
    {onnx::TensorProto::INT64, ElementType::i64},   {onnx::TensorProto::BOOL, ElementType::boolean},
    {onnx::TensorProto::FLOAT16, ElementType::f16}, {onnx::TensorProto::BFLOAT16, ElementType::bf16},
    {onnx::TensorProto::DOUBLE, ElementType::f64},  {onnx::TensorProto::UINT32, ElementType::u32},
    {onnx::TensorProto::UINT64, ElementType::u64},
};
}  // namespace

std::optional<ElementType> element_type(int64_t onnx_type) {
  for (const auto& [number, type] : kTypes)
    if (number == onnx_type) return type;
  return std::nullopt;
}

int64_t type_number(ElementType type) {
  for (const auto& [number, t] : kTypes)
    if (t == type) return number;
  return onnx::TensorProto::UNDEFINED;
}

const Attribute* Node::find(const std::string& attribute) const {
  const auto it = attributes.find(attribute);
  return it == attributes.end() ? nullptr : &it->second;
}
int64_t Node::integer(const std::string& attribute, int64_t fallback) const {
  const Attribute* a = find(attribute);
  return a && a->kind == Attribute::Kind::Integer ? a->integer : fallback;
}
float Node::real(const std::string& attribute, float fallback) const {
  const Attribute* a = find(attribute);
  return a && a->kind == Attribute::Kind::Real ? a->real : fallback;
}
std::string Node::text(const std::string& attribute, const std::string& fallback) const {
  const Attribute* a = find(attribute);
  return a && a->kind == Attribute::Kind::Text ? a->text : fallback;
}
std::vector<int64_t> Node::integers(const std::string& attribute, std::vector<int64_t> fallback) const {
  const Attribute* a = find(attribute);
  return a && a->kind == Attribute::Kind::Integers ? a->integers : fallback;
}

std::string Node::describe(int64_t opset) const {
  return "node \"" + (name.empty() && !outputs.empty() ? outputs[0] : name) + "\" (" + op_type + "-" +
         std::to_string(opset) + ")";
}

Model read_model(const Bytes& file, const importers::FilesBeside& beside) {
  const onnx::ModelProto proto = parse(file);
  Model m;
  for (const auto& o : proto.opset_import())
    if (o.domain().empty() || o.domain() == "ai.onnx") m.opset = o.version();
  read_graph(proto.graph(), beside, m);
  return m;
}

}  // namespace blobsmith::onnx_file
