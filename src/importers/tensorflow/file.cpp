#include "importers/tensorflow/file.hpp"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/tokenizer.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/stubs/logging.h>
#include <google/protobuf/text_format.h>

#include <algorithm>
#include <protozero/pbf_writer.hpp>
#include <span>

#include "importers/common/message_fields.hpp"
#include "importers/tensorflow/proto_tensor.hpp"

namespace blobsmith::tensorflow_file {
namespace {

namespace proto = tensorflow_proto;

constexpr int kDeepest = 64;  // nesting of messages

bool parse(const Bytes& file, google::protobuf::Message& message) {
  if (file.size() > INT32_MAX) return false;
  const google::protobuf::LogSilencer silence;  // texts that are no UTF-8
  google::protobuf::io::ArrayInputStream stream(file.data(), static_cast<int>(file.size()));
  google::protobuf::io::CodedInputStream coded(&stream);
  coded.SetTotalBytesLimit(INT32_MAX);
  coded.SetRecursionLimit(kDeepest);
  return message.ParseFromCodedStream(&coded) && coded.ConsumedEntireMessage();
}

/// The first error of a text, with its place; the library would print it.
class FirstError final : public google::protobuf::io::ErrorCollector {
 public:
  void AddError(int line, int column, const std::string& message) override {
    if (text.empty())
      text = "line " + std::to_string(line + 1) + ", column " + std::to_string(column + 1) + ": " + message;
  }
  void AddWarning(int, int, const std::string&) override {}
  std::string text;
};

/// `content`: of its tensor, where it was left out; else empty.
Attribute read_attribute(proto::AttrValue& a, const std::string& who, const Bytes& content) {
  Attribute r;
  switch (a.value_case()) {
    case proto::AttrValue::kS: r.text = std::move(*a.mutable_s()); break;
    case proto::AttrValue::kI: r.integer = a.i(); break;
    case proto::AttrValue::kF: r.real = static_cast<double>(a.f()); break;
    case proto::AttrValue::kB: r.flag = a.b(); break;
    case proto::AttrValue::kType: r.type = a.type(); break;
    case proto::AttrValue::kShape: r.shape = read_shape(a.shape(), who); break;
    case proto::AttrValue::kFunc: r.text = a.func().name(); break;
    case proto::AttrValue::kTensor:
      if (element_type(a.tensor().dtype()))
        r.tensor = take_tensor(*a.mutable_tensor(), "the constant of " + who, content);
      else
        r.type = a.tensor().dtype();  // texts and the like: an error only where they are needed
      r.texts.assign(a.tensor().string_val().begin(), a.tensor().string_val().end());
      break;
    case proto::AttrValue::kList:
      r.integers.assign(a.list().i().begin(), a.list().i().end());
      r.texts.assign(a.list().s().begin(), a.list().s().end());
      r.types.assign(a.list().type().begin(), a.list().type().end());
      break;
    default: break;
  }
  return r;
}

/// Large contents of constants stay where they lie in the file, which is parsed without them: a parsed message is a
/// copy.
constexpr size_t kLargeContent = 1 << 16;

/// The message without what is large at the end of `path` (numbers of fields, from the outside in), which is taken out.
std::string without_large(const Bytes& message, std::span<const int> path, std::vector<Bytes>& taken) {
  using Kind = importers::MessageFields::Kind;
  std::string rest;
  protozero::pbf_writer out(rest);
  for (importers::MessageFields f(message); f.next();) {
    const auto number = static_cast<protozero::pbf_tag_type>(f.number());
    switch (f.kind()) {
      case Kind::Integer: out.add_int64(number, f.integer()); break;
      case Kind::Fixed32: out.add_float(number, f.float32()); break;
      case Kind::Fixed64: out.add_double(number, f.float64()); break;
      case Kind::Bytes: {
        const Bytes part = f.bytes();
        const bool on_path = static_cast<int>(number) == path[0];
        if (on_path && path.size() > 1)
          out.add_bytes(number, without_large(part, path.subspan(1), taken));
        else if (on_path && part.size() >= kLargeContent)
          taken.push_back(part);
        else
          out.add_bytes(number, reinterpret_cast<const char*>(part.data()), part.size());
        break;
      }
      default: break;
    }
  }
  return rest;
}

/// A frozen graph without its large constants, and these by the number of their node.
struct SlimGraph {
  Bytes message;
  std::map<int, Bytes> contents;
};

SlimGraph slim_graph(const Bytes& file) {
  static constexpr int kToContent[] = {proto::NodeDef::kAttrFieldNumber, 2, proto::AttrValue::kTensorFieldNumber,
                                       proto::TensorProto::kTensorContentFieldNumber};
  using Kind = importers::MessageFields::Kind;
  std::map<int, Bytes> contents;
  std::string graph;
  protozero::pbf_writer out(graph);
  int number = 0;
  try {
    for (importers::MessageFields f(file); f.next();) {
      if (f.kind() != Kind::Bytes) continue;
      const auto tag = static_cast<protozero::pbf_tag_type>(f.number());
      const bool is_node = tag == proto::GraphDef::kNodeFieldNumber;
      const Bytes part = f.bytes();
      std::vector<Bytes> taken;
      std::string slim;
      if (is_node && part.size() >= kLargeContent) slim = without_large(part, kToContent, taken);
      if (taken.size() == 1)
        contents[number] = taken[0], out.add_bytes(tag, slim);
      else
        out.add_bytes(tag, reinterpret_cast<const char*>(part.data()), part.size());
      if (is_node) ++number;
    }
  } catch (const importers::BrokenMessage&) {
    return {file, {}};  // the parser says what it is
  }
  if (contents.empty()) return {file, {}};
  return {Bytes::adopt(std::vector<char>(graph.begin(), graph.end())), std::move(contents)};
}

Node read_node(proto::NodeDef& n, const Bytes& content = {}) {
  Node r{n.name(), n.op(), {n.input().begin(), n.input().end()}, {}};
  if (!content.empty() && std::ranges::count_if(n.attr(), [](const auto& a) { return a.second.has_tensor(); }) != 1)
    throw Error(ErrorCode::FileCorrupt, "node \"" + n.name() + "\" has several tensors");
  for (auto& [name, value] : *n.mutable_attr())
    if (!name.starts_with("_")) r.attributes[name] = read_attribute(value, "node \"" + n.name() + "\"", content);
  return r;
}

std::vector<Argument> arguments(const google::protobuf::RepeatedPtrField<proto::OpDef::ArgDef>& list) {
  std::vector<Argument> r;
  for (const auto& a : list) r.push_back({a.name(), a.number_attr(), a.type_list_attr()});
  return r;
}

Model read(proto::GraphDef& g, const std::map<int, Bytes>& contents = {}) {
  Model m;
  m.nodes.reserve(static_cast<size_t>(g.node_size()));
  for (int i = 0; i < g.node_size(); ++i) {
    const auto content = contents.find(i);
    m.nodes.push_back(read_node(*g.mutable_node(i), content == contents.end() ? Bytes() : content->second));
  }
  for (auto& f : *g.mutable_library()->mutable_function()) {
    Function r{arguments(f.signature().input_arg()), arguments(f.signature().output_arg()), {}, {}};
    for (auto& n : *f.mutable_node_def()) r.nodes.push_back(read_node(n));
    r.returns.insert(f.ret().begin(), f.ret().end());
    m.functions[f.signature().name()] = std::move(r);
  }
  return m;
}

std::string producer_of(const std::string& input) { return input.substr(0, input.find(':')); }

/// What a function that restores a checkpoint assigns: the keys of its arguments, by their place. It assigns, maybe
/// through an Identity, what "RestoreV2:tensors:i" reads by name i of a list.
std::map<size_t, std::string> restored_arguments(const Function& f) {
  std::map<std::string, const Node*> by_name;
  for (const Node& n : f.nodes) by_name[n.name] = &n;
  std::map<size_t, std::string> keys;
  for (const Node& n : f.nodes) {
    if (n.op != "AssignVariableOp" || n.inputs.size() < 2) continue;
    std::string from = n.inputs[1];
    auto it = by_name.find(producer_of(from));
    while (it != by_name.end() && it->second->op == "Identity" && !it->second->inputs.empty()) {
      from = it->second->inputs[0];
      it = by_name.find(producer_of(from));
    }
    if (it == by_name.end() || it->second->op != "RestoreV2" || it->second->inputs.size() < 2) continue;
    const auto names = by_name.find(producer_of(it->second->inputs[1]));
    const Attribute* list = names == by_name.end() ? nullptr : names->second->find("value");
    const size_t at = static_cast<size_t>(std::stoul("0" + from.substr(from.rfind(':') + 1).substr(0, 6)));
    const auto argument = std::ranges::find(f.inputs, n.inputs[0], &Argument::name);
    if (list && at < list->texts.size() && argument != f.inputs.end())
      keys[static_cast<size_t>(argument - f.inputs.begin())] = list->texts[at];
  }
  return keys;
}

/// Variables of one name have keys of their own, which only what restores them says.
std::map<std::string, std::string> keys_of_variables(const Model& m) {
  std::map<std::string, std::string> keys;
  for (const Node& n : m.nodes) {
    if (n.op != "StatefulPartitionedCall") continue;
    const auto f = m.functions.find(n.text("f", ""));
    if (f == m.functions.end()) continue;
    for (const auto& [argument, key] : restored_arguments(f->second))
      if (argument < n.inputs.size()) keys[producer_of(n.inputs[argument])] = key;
  }
  return keys;
}

Model read(proto::MetaGraphDef& g) {
  Model m = read(*g.mutable_graph_def());
  m.variable_keys = keys_of_variables(m);
  for (const auto& [name, s] : g.signature_def()) {
    Signature& signature = m.signatures[name];
    for (const auto& [argument, tensor] : s.inputs()) signature.inputs[argument] = tensor.name();
    for (const auto& [argument, tensor] : s.outputs()) signature.outputs[argument] = tensor.name();
  }
  return m;
}

Error not_a(const char* what, const Bytes& file) {
  const std::string instead = what_else(file);
  Error e(ErrorCode::FileCorrupt, std::string("the file is not ") + what +
                                      (instead.empty() ? " of TensorFlow, or it is cut off" : ": it is " + instead));
  return e;
}

}  // namespace

Model read_graph(const Bytes& file) {
  proto::GraphDef g;
  const SlimGraph slim = slim_graph(file);
  // A SavedModel parses as a graph of no nodes, or of nonsense.
  const bool parsed = parse(slim.message, g);
  const bool names =
      parsed && g.node_size() && std::ranges::all_of(g.node(), [](const auto& n) { return !n.op().empty(); });
  if (!names) {
    Error e = not_a("a GraphDef", file);
    throw e.hint(what_else(file).empty() ? "python -c \"import tensorflow\" tells whether TensorFlow itself can read it"
                                         : "give the folder that it lies in");
  }
  return read(g, slim.contents);
}

Model read_graph_text(const Bytes& file) {
  proto::GraphDef g;
  FirstError error;
  google::protobuf::TextFormat::Parser parser;
  parser.RecordErrorsTo(&error);
  parser.AllowUnknownField(true);
  parser.SetRecursionLimit(kDeepest);
  google::protobuf::io::ArrayInputStream stream(file.data(),
                                                static_cast<int>(std::min<size_t>(file.size(), INT32_MAX)));
  if (!parser.Parse(&stream, &g))
    throw Error(ErrorCode::FileCorrupt, "the file is not a GraphDef in text form").because(error.text);
  if (!g.node_size()) throw Error(ErrorCode::FileCorrupt, "the graph has no nodes");
  return read(g);
}

Model read_saved_model(const Bytes& file, const std::vector<std::string>& tags) {
  proto::SavedModel s;
  if (!parse(file, s) || !s.meta_graphs_size()) throw not_a("a SavedModel", file);
  const auto has_all = [&](const proto::MetaGraphDef& g) {
    return std::ranges::all_of(tags, [&](const std::string& t) {
      return std::ranges::find(g.meta_info_def().tags(), t) != g.meta_info_def().tags().end();
    });
  };
  for (auto& g : *s.mutable_meta_graphs())
    if (s.meta_graphs_size() == 1 || has_all(g)) return read(g);
  std::string all;
  for (const auto& g : s.meta_graphs())
    for (const std::string& t : g.meta_info_def().tags()) all += (all.empty() ? "" : ", ") + t;
  throw Error(ErrorCode::BadOptionValue, "no graph of the SavedModel has these tags").hint("there are: " + all);
}

Model read_meta_graph(const Bytes& file) {
  proto::MetaGraphDef g;
  if (!parse(file, g) || !g.graph_def().node_size()) throw not_a("a MetaGraphDef", file);
  return read(g);
}

std::string what_else(const Bytes& file) {
  proto::SavedModel s;
  if (parse(file, s) && s.meta_graphs_size() && s.meta_graphs(0).graph_def().node_size()) return "a SavedModel";
  proto::MetaGraphDef m;
  if (parse(file, m) && m.graph_def().node_size() && !m.graph_def().node(0).op().empty()) return "a meta graph";
  return {};
}

namespace {

constexpr std::pair<int, ElementType> kTypes[] = {
    {proto::DT_FLOAT, ElementType::f32},     {proto::DT_DOUBLE, ElementType::f64},
    {proto::DT_INT32, ElementType::i32},     {proto::DT_UINT8, ElementType::u8},
    {proto::DT_INT16, ElementType::i16},     {proto::DT_INT8, ElementType::i8},
    {proto::DT_INT64, ElementType::i64},     {proto::DT_BOOL, ElementType::boolean},
    {proto::DT_BFLOAT16, ElementType::bf16}, {proto::DT_UINT16, ElementType::u16},
    {proto::DT_HALF, ElementType::f16},      {proto::DT_UINT32, ElementType::u32},
    {proto::DT_UINT64, ElementType::u64},
};

}  // namespace

std::optional<ElementType> element_type(int tensorflow_type) {
  constexpr int kReferences = 100;  // the type of a variable that can be assigned to
  for (const auto& [number, type] : kTypes)
    if (number == tensorflow_type % kReferences) return type;
  return std::nullopt;
}

int type_number(ElementType type) {
  for (const auto& [number, t] : kTypes)
    if (t == type) return number;
  return proto::DT_INVALID;
}

std::string type_name(int tensorflow_type) {
  return proto::DataType_IsValid(tensorflow_type) ? proto::DataType_Name(static_cast<proto::DataType>(tensorflow_type))
                                                  : "number " + std::to_string(tensorflow_type);
}

const Attribute* Node::find(std::string_view attribute) const {
  const auto it = attributes.find(std::string(attribute));
  return it == attributes.end() ? nullptr : &it->second;
}
int64_t Node::integer(std::string_view attribute, int64_t fallback) const {
  const Attribute* a = find(attribute);
  return a ? a->integer : fallback;
}
double Node::real(std::string_view attribute, double fallback) const {
  const Attribute* a = find(attribute);
  return a ? a->real : fallback;
}
bool Node::flag(std::string_view attribute, bool fallback) const {
  const Attribute* a = find(attribute);
  return a ? a->flag : fallback;
}
std::string Node::text(std::string_view attribute, std::string fallback) const {
  const Attribute* a = find(attribute);
  return a ? a->text : fallback;
}
std::vector<double> Node::reals(std::string_view attribute) const {
  const Attribute* a = find(attribute);
  return a ? a->reals : std::vector<double>{};
}
std::vector<int64_t> Node::integers(std::string_view attribute) const {
  const Attribute* a = find(attribute);
  return a ? a->integers : std::vector<int64_t>{};
}

}  // namespace blobsmith::tensorflow_file
