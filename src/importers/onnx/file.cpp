#include "importers/onnx/file.hpp"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <set>

#include "core/file.hpp"
#include "importers/common/message_fields.hpp"
#include "importers/common/tensor_bytes.hpp"
#include "importers/onnx/local_functions.hpp"

namespace blobsmith::onnx_file {
namespace {

using importers::BrokenMessage;
using Kind = importers::MessageFields::Kind;
using Fields = importers::MessageFields;

constexpr size_t kLargestRank = 32;
constexpr int kDeepest = 32;  ///< nesting of graphs

/// TensorProto.DataType; what no ElementType stands for has a name for messages.
struct TypeRow {
  int number;
  std::string_view name;
  std::optional<ElementType> type;
};
constexpr TypeRow kRows[] = {
    {1, "FLOAT", ElementType::f32},      {2, "UINT8", ElementType::u8},        {3, "INT8", ElementType::i8},
    {4, "UINT16", ElementType::u16},     {5, "INT16", ElementType::i16},       {6, "INT32", ElementType::i32},
    {7, "INT64", ElementType::i64},      {8, "STRING", std::nullopt},          {9, "BOOL", ElementType::boolean},
    {10, "FLOAT16", ElementType::f16},   {11, "DOUBLE", ElementType::f64},     {12, "UINT32", ElementType::u32},
    {13, "UINT64", ElementType::u64},    {14, "COMPLEX64", std::nullopt},      {15, "COMPLEX128", std::nullopt},
    {16, "BFLOAT16", ElementType::bf16}, {17, "FLOAT8E4M3FN", std::nullopt},   {18, "FLOAT8E4M3FNUZ", std::nullopt},
    {19, "FLOAT8E5M2", std::nullopt},    {20, "FLOAT8E5M2FNUZ", std::nullopt}, {21, "UINT4", std::nullopt},
    {22, "INT4", std::nullopt},          {23, "FLOAT4E2M1", std::nullopt},     {24, "FLOAT8E8M0", std::nullopt},
};

Error bad_model(ErrorCode code, const std::string& what) { return Error(code, what); }

ElementType checked_type(int64_t t, const std::string& who) {
  if (const auto type = element_type(t)) return *type;
  const auto row = std::ranges::find(kRows, t, &TypeRow::number);
  throw bad_model(ErrorCode::TypeMismatch,
                  "unsupported element type: " + (row == std::end(kRows) ? std::to_string(t) : std::string(row->name)) +
                      " of " + who);
}

template <class To, class From>
Bytes converted(const std::vector<From>& list) {
  std::vector<To> v;
  v.reserve(list.size());
  for (const From x : list) v.push_back(static_cast<To>(x));
  return Bytes::adopt(std::move(v));
}

int64_t whole_number(const std::string& s, const std::string& who) {
  int64_t v = 0;
  const auto [end, ec] = std::from_chars(s.data(), s.data() + s.size(), v);
  if (ec != std::errc{} || end != s.data() + s.size() || v < 0)
    throw bad_model(ErrorCode::BadOnnx, "external data of " + who + ": '" + s + "' is not a number");
  return v;
}

/// What the fields of a TensorProto say; one way of storing the values is used.
struct TensorFields {
  std::string name;
  int64_t type = 0;
  Shape shape;
  std::optional<Bytes> raw;
  std::vector<float> floats;
  std::vector<double> doubles;
  std::vector<int64_t> integers;  ///< int32_data, int64_data or uint64_data: a tensor has one of them
  std::vector<std::pair<std::string, std::string>> external;
  bool is_external = false;
};

std::pair<std::string, std::string> read_entry(const Bytes& message) {
  std::pair<std::string, std::string> r;
  for (Fields f(message); f.next();) {
    if (f.is(1, Kind::Bytes))
      r.first = f.text();
    else if (f.is(2, Kind::Bytes))
      r.second = f.text();
  }
  return r;
}

TensorFields tensor_fields(const Bytes& message) {
  TensorFields r;
  for (Fields f(message); f.next();) switch (f.number()) {
      case 1: f.integers(r.shape); break;
      case 2:
        if (f.kind() == Kind::Integer) r.type = f.integer();
        break;
      case 4: f.floats(r.floats); break;
      case 5:
      case 7:
      case 11: f.integers(r.integers); break;
      case 8:
        if (f.kind() == Kind::Bytes) r.name = f.text();
        break;
      case 9:
        if (f.kind() == Kind::Bytes) r.raw = f.bytes();
        break;
      case 10: f.doubles(r.doubles); break;
      case 13:
        if (f.kind() == Kind::Bytes) r.external.push_back(read_entry(f.bytes()));
        break;
      case 14:
        if (f.kind() == Kind::Integer) r.is_external = f.integer() == 1;
        break;
      default: break;
    }
  return r;
}

/// Values stored in the typed fields of a tensor.
Bytes typed_values(TensorFields& t, ElementType type) {
  switch (type) {
    case ElementType::f32: return Bytes::adopt(std::move(t.floats));
    case ElementType::f64: return Bytes::adopt(std::move(t.doubles));
    case ElementType::i64:
    case ElementType::u64: return Bytes::adopt(std::move(t.integers));
    case ElementType::u32: return converted<uint32_t>(t.integers);
    case ElementType::i32: return converted<int32_t>(t.integers);
    case ElementType::f16:
    case ElementType::bf16:
    case ElementType::u16:
    case ElementType::i16: return converted<uint16_t>(t.integers);
    default: return converted<uint8_t>(t.integers);
  }
}

Bytes external_values(const TensorFields& t, ElementType type, const importers::FilesBeside& beside,
                      const std::string& who) {
  std::string location;
  int64_t offset = 0, length = -1;
  for (const auto& [key, value] : t.external) {
    if (key == "location") location = value;
    if (key == "offset") offset = whole_number(value, who);
    if (key == "length") length = whole_number(value, who);
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
  return importers::placed(*values, byte_width(type));
}

constexpr int64_t kUint4 = 21, kInt4 = 22;

/// Numbers of four bits, the lower half of a byte first, as bytes.
Bytes unpacked(const Bytes& packed, size_t count, bool is_signed) {
  std::vector<uint8_t> v(count);
  for (size_t i = 0; i < count; ++i) {
    const auto half = static_cast<uint8_t>(i % 2 ? packed.data()[i / 2] >> 4 : packed.data()[i / 2] & 15);
    v[i] = is_signed && half > 7 ? static_cast<uint8_t>(half | 0xF0) : half;
  }
  return Bytes::adopt(std::move(v));
}

/// `four_bits`: whether the tensor is of such numbers; null where none are taken.
std::pair<std::string, Tensor> read_tensor(const Bytes& message, const importers::FilesBeside& beside,
                                           bool* four_bits = nullptr) {
  TensorFields t = tensor_fields(message);
  const std::string who = "tensor '" + t.name + "'";
  const bool is_packed = four_bits && (t.type == kUint4 || t.type == kInt4);
  if (four_bits) *four_bits = is_packed;
  Tensor r{is_packed ? t.type == kInt4 ? ElementType::i8 : ElementType::u8 : checked_type(t.type, who), t.shape, {}};
  if (r.shape.size() > kLargestRank)
    throw bad_model(ErrorCode::BadOnnx, who + " has " + std::to_string(r.shape.size()) + " dimensions");
  if (!is_static(r.shape)) throw bad_model(ErrorCode::BadOnnx, who + " has the shape " + to_string(r.shape));
  const uint64_t values = importers::bytes_of(r.type, r.shape, who), bytes = is_packed ? (values + 1) / 2 : values;
  if (t.is_external)
    r.bytes = external_values(t, r.type, beside, who);
  else
    r.bytes = t.raw ? importers::placed(*t.raw, byte_width(r.type)) : typed_values(t, r.type);
  if (r.bytes.size() < bytes)
    throw bad_model(ErrorCode::BadOnnx, who + " of shape " + to_string(r.shape) + " has " +
                                            std::to_string(r.bytes.size()) + " bytes, " + std::to_string(bytes) +
                                            " expected");
  if (is_packed)
    r.bytes = unpacked(r.bytes, static_cast<size_t>(values), t.type == kInt4);
  else if (r.bytes.size() != bytes)
    r.bytes = r.bytes.slice(0, bytes);
  return {t.name, std::move(r)};
}

/// Where the messages of a file come from, and how deep in graphs of graphs they are.
struct Place {
  const importers::FilesBeside& beside;
  int depth = 0;
};

std::shared_ptr<const Model> read_body(const Bytes& graph, const Place& place);

Attribute::Kind kind_of(int64_t type) {
  using K = Attribute::Kind;
  constexpr K kKinds[] = {K::Other, K::Real, K::Integer, K::Text, K::Tensor, K::Graph, K::Reals, K::Integers, K::Texts};
  return type >= 0 && type < std::ssize(kKinds) ? kKinds[type] : K::Other;
}

/// The name and the value. Which of the fields is the value, the field `type` says.
std::pair<std::string, Attribute> read_attribute(const Bytes& message, const Place& place) {
  std::pair<std::string, Attribute> named;
  Attribute& r = named.second;
  Bytes tensor, graph;
  for (Fields f(message); f.next();) {
    switch (f.number()) {
      case 2:
        if (f.kind() == Kind::Fixed32) r.real = f.float32();
        continue;
      case 3:
        if (f.kind() == Kind::Integer) r.integer = f.integer();
        continue;
      case 7: f.floats(r.reals); continue;
      case 8: f.integers(r.integers); continue;
      case 20:
        if (f.kind() == Kind::Integer) r.kind = kind_of(f.integer());
        continue;
      default: break;
    }
    if (f.kind() != Kind::Bytes) continue;
    switch (f.number()) {
      case 1: named.first = f.text(); break;
      case 4: r.text = f.text(); break;
      case 5: tensor = f.bytes(); break;
      case 6: graph = f.bytes(); break;
      case 9: r.texts.push_back(f.text()); break;
      case 21: r.stands_for = f.text(); break;
      default: break;
    }
  }
  if (r.kind == Attribute::Kind::Tensor && r.stands_for.empty()) r.tensor = read_tensor(tensor, place.beside).second;
  if (r.kind == Attribute::Kind::Graph && r.stands_for.empty()) {
    try {
      r.graph = read_body(graph, {place.beside, place.depth + 1});
    } catch (const Error& e) {  // it matters only to who needs it
      r.text = e.what();
    }
  }
  return named;
}

Node read_node(const Bytes& message, const Place& place) {
  Node r;
  for (Fields f(message); f.next();) {
    if (f.kind() != Kind::Bytes) continue;
    switch (f.number()) {
      case 1: r.inputs.push_back(f.text()); break;
      case 2: r.outputs.push_back(f.text()); break;
      case 3: r.name = f.text(); break;
      case 4: r.op_type = f.text(); break;
      case 5: {
        auto [name, value] = read_attribute(f.bytes(), place);
        r.attributes[name] = std::move(value);
        break;
      }
      case 7: r.domain = f.text(); break;
      case 8: r.overload = f.text(); break;
      default: break;
    }
  }
  return r;
}

int64_t read_dimension(const Bytes& message) {
  int64_t d = kDynamic;
  for (Fields f(message); f.next();)
    if (f.is(1, Kind::Integer)) d = f.integer();
  return d < 0 ? kDynamic : d;
}

Shape read_shape(const Bytes& message, const std::string& who) {
  Shape r;
  for (Fields f(message); f.next();)
    if (f.is(1, Kind::Bytes)) r.push_back(read_dimension(f.bytes()));
  if (r.size() > kLargestRank)
    throw bad_model(ErrorCode::BadOnnx, who + " has " + std::to_string(r.size()) + " dimensions");
  return r;
}

/// `texts`: they may be; what gives labels (a classifier) gives their numbers instead.
void read_tensor_type(const Bytes& message, ValueInfo& v, bool texts) {
  constexpr int64_t kText = 8;
  const std::string who = "value '" + v.name + "'";
  for (Fields f(message); f.next();) {
    if (f.is(1, Kind::Integer)) {
      if (const int64_t type = f.integer(); type && !(texts && type == kText)) v.type = checked_type(type, who);
    } else if (f.is(2, Kind::Bytes)) {
      v.shape = read_shape(f.bytes(), who);
    }
  }
}

/// Of an output too that is no tensor of numbers: labels, or a list of maps, which has no shape.
ValueInfo read_value_info(const Bytes& message, bool is_output = false) {
  ValueInfo r;
  Bytes type;
  for (Fields f(message); f.next();) {
    if (f.is(1, Kind::Bytes))
      r.name = f.text();
    else if (f.is(2, Kind::Bytes))
      type = f.bytes();
  }
  for (Fields f(type); f.next();) {
    constexpr int kTensor = 1, kDenotation = 6;
    if (f.is(kTensor, Kind::Bytes))
      read_tensor_type(f.bytes(), r, is_output);
    else if (!is_output && f.kind() == Kind::Bytes && f.number() != kDenotation)
      throw bad_model(ErrorCode::BadOnnx, "value '" + r.name + "' is not a tensor");
  }
  return r;
}

/// Constants come first: what is a constant is no input, and an error in one is told before others.
struct GraphFields {
  std::string name;
  std::vector<Bytes> nodes, constants, inputs, outputs;
  bool has_sparse = false;
};

GraphFields graph_fields(const Bytes& message) {
  GraphFields r;
  for (Fields f(message); f.next();) {
    if (f.kind() != Kind::Bytes) continue;
    switch (f.number()) {
      case 1: r.nodes.push_back(f.bytes()); break;
      case 2: r.name = f.text(); break;
      case 5: r.constants.push_back(f.bytes()); break;
      case 11: r.inputs.push_back(f.bytes()); break;
      case 12: r.outputs.push_back(f.bytes()); break;
      case 15: r.has_sparse = true; break;
      default: break;
    }
  }
  return r;
}

void read_graph(const Bytes& message, const Place& place, Model& m) {
  if (place.depth > kDeepest) throw bad_model(ErrorCode::BadOnnx, "its graphs are nested too deeply");
  const GraphFields g = graph_fields(message);
  m.graph_name = g.name;
  std::set<std::string> constant;
  for (const Bytes& t : g.constants) {
    bool four_bits = false;
    m.initializers.push_back(read_tensor(t, place.beside, &four_bits));
    constant.insert(m.initializers.back().first);
    if (four_bits) m.four_bits.insert(m.initializers.back().first);
  }
  if (g.has_sparse) throw bad_model(ErrorCode::BadOnnx, "sparse initializers are not supported");
  for (const Bytes& n : g.nodes) m.nodes.push_back(read_node(n, place));
  for (const Bytes& i : g.inputs)
    if (ValueInfo v = read_value_info(i); !constant.contains(v.name)) m.inputs.push_back(std::move(v));
  for (const Bytes& o : g.outputs) m.outputs.push_back(read_value_info(o, true));
}

std::shared_ptr<const Model> read_body(const Bytes& graph, const Place& place) {
  auto body = std::make_shared<Model>();
  read_graph(graph, place, *body);
  return body;
}

/// A domain and its version; ONNX's own domain is called "".
std::pair<std::string, int64_t> read_opset(const Bytes& message) {
  std::pair<std::string, int64_t> r;
  for (Fields f(message); f.next();) {
    if (f.is(1, Kind::Bytes))
      r.first = f.text();
    else if (f.is(2, Kind::Integer))
      r.second = f.integer();
  }
  if (r.first == "ai.onnx") r.first.clear();
  return r;
}

Function read_function(const Bytes& message, const Place& place) {
  Function r;
  for (Fields f(message); f.next();) {
    if (f.kind() != Kind::Bytes) continue;
    switch (f.number()) {
      case 1: r.name = f.text(); break;
      case 4: r.inputs.push_back(f.text()); break;
      case 5: r.outputs.push_back(f.text()); break;
      case 7: r.nodes.push_back(read_node(f.bytes(), place)); break;
      case 9:
        if (const auto [domain, version] = read_opset(f.bytes()); domain.empty()) r.opset = version;
        break;
      case 10: r.domain = f.text(); break;
      case 11: {
        auto [name, value] = read_attribute(f.bytes(), place);
        r.defaults[name] = std::move(value);
        break;
      }
      case 13: r.overload = f.text(); break;
      default: break;
    }
  }
  return r;
}

struct ModelFields {
  std::optional<Bytes> graph;
  std::vector<Bytes> functions;
  int64_t opset = 0;
  std::map<std::string, std::string> metadata;
};

ModelFields model_fields(const Bytes& file) {
  ModelFields r;
  for (Fields f(file); f.next();) {
    if (f.kind() != Kind::Bytes) continue;
    switch (f.number()) {
      case 7: r.graph = f.bytes(); break;
      case 8:
        if (const auto [domain, version] = read_opset(f.bytes()); domain.empty()) r.opset = version;
        break;
      case 14: r.metadata.insert(read_entry(f.bytes())); break;
      case 25: r.functions.push_back(f.bytes()); break;
      default: break;
    }
  }
  return r;
}

}  // namespace

std::optional<ElementType> element_type(int64_t onnx_type) {
  const auto row = std::ranges::find(kRows, onnx_type, &TypeRow::number);
  return row == std::end(kRows) ? std::nullopt : row->type;
}

int64_t type_number(ElementType type) {
  const auto row = std::ranges::find(kRows, std::optional(type), &TypeRow::type);
  return row == std::end(kRows) ? 0 : row->number;
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
  try {
    const ModelFields fields = model_fields(file);
    if (!fields.graph) throw BrokenMessage(ErrorCode::BadOnnx, "there is no graph in it");
    Model m;
    m.opset = fields.opset;
    m.metadata = fields.metadata;
    read_graph(*fields.graph, {beside}, m);
    std::vector<Function> functions;
    for (const Bytes& f : fields.functions) functions.push_back(read_function(f, {beside}));
    inline_functions(m, functions);
    return m;
  } catch (const BrokenMessage&) {
    throw Error(ErrorCode::BadOnnx, "the file is not an ONNX model, or it is cut off")
        .hint("python -m onnx.checker tells whether ONNX itself can read it");
  }
}

}  // namespace blobsmith::onnx_file
