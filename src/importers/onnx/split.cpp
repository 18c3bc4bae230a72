#include "importers/onnx/split.hpp"

#include <algorithm>
#include <protozero/pbf_writer.hpp>
#include <set>

#include "importers/common/message_fields.hpp"
#include "importers/onnx/bodies.hpp"
#include "importers/onnx/order.hpp"

namespace blobsmith::onnx_file {
namespace {

using Names = std::set<std::string>;

/// With what its bodies take from outside.
std::vector<std::string> read_by(const Node& n) {
  std::vector<std::string> names = n.inputs;
  for (std::string& name : onnx_import::captured_names(n)) names.push_back(std::move(name));
  return names;
}

bool is_random(const Node& n) {
  return n.op_type.starts_with("Random") || n.op_type == "Bernoulli" || n.op_type == "Multinomial";
}

/// What operators and tensors of a model are to each other.
class Levels {
 public:
  Levels(const Model& model, const std::vector<size_t>& refused)
      : model_(model), refused_(refused.begin(), refused.end()) {
    for (const auto& [name, tensor] : model.initializers) weights_[name] = tensor.bytes.size();
    levels_.resize(model.nodes.size());
    for (const size_t i : onnx_import::order_of_computing(model)) visit(i);
  }

  bool is_refused(size_t i) const { return refused_.contains(i); }
  /// It depends on no input, so that any part can compute it.
  bool is_constant(size_t i) const { return constant_.contains(i); }
  int of(size_t i) const { return levels_[i]; }

  /// The level whose operators have most weights; -1: none has any operators.
  int heaviest() const {
    std::map<int, double> weights;
    for (size_t i = 0; i < model_.nodes.size(); ++i) {
      if (is_refused(i) || is_constant(i)) continue;
      double& w = weights[levels_[i]];
      w += kOperator;
      for (const std::string& name : read_by(model_.nodes[i]))
        if (const auto it = weights_.find(name); it != weights_.end()) w += static_cast<double>(it->second);
    }
    const auto most = std::ranges::max_element(weights, {}, [](const auto& pair) { return pair.second; });
    return most == weights.end() ? -1 : most->first;
  }

 private:
  static constexpr double kOperator = 64;  ///< bytes that one weighs without weights

  void visit(size_t i) {
    const Node& n = model_.nodes[i];
    int level = 0;
    bool constant = !is_refused(i) && !is_random(n);
    for (const std::string& name : read_by(n)) {
      if (name.empty() || weights_.contains(name)) continue;
      const auto it = produced_.find(name);
      constant &= it != produced_.end() && is_constant(it->second);
      if (it != produced_.end()) level = std::max(level, levels_[it->second] + (is_refused(it->second) ? 1 : 0));
    }
    constant &=
        std::ranges::none_of(n.attributes, [](const auto& a) { return a.second.kind == Attribute::Kind::Graph; });
    levels_[i] = level;
    if (constant) constant_.insert(i);
    for (const std::string& name : n.outputs)
      if (!name.empty()) produced_[name] = i;
  }

  const Model& model_;
  std::set<size_t> refused_, constant_;
  std::map<std::string, size_t> weights_, produced_;
  std::vector<int> levels_;
};

/// Tensors that these operators read and none of them makes, without initializers.
std::vector<std::string> read_from_outside(const Model& model, const std::vector<size_t>& operators) {
  Names made, seen;
  for (const auto& [name, tensor] : model.initializers) made.insert(name);
  for (const size_t i : operators) made.insert(model.nodes[i].outputs.begin(), model.nodes[i].outputs.end());
  std::vector<std::string> list;
  for (const size_t i : operators)
    for (const std::string& name : read_by(model.nodes[i]))
      if (!name.empty() && !made.contains(name) && seen.insert(name).second) list.push_back(name);
  return list;
}

/// With the constant operators that they need.
std::vector<size_t> with_constants(const Model& model, const Levels& levels, std::vector<size_t> operators) {
  std::map<std::string, size_t> constants;
  for (size_t i = 0; i < model.nodes.size(); ++i)
    if (levels.is_constant(i))
      for (const std::string& name : model.nodes[i].outputs) constants[name] = i;
  std::set<size_t> all(operators.begin(), operators.end());
  for (size_t k = 0; k < operators.size(); ++k)
    for (const std::string& name : read_by(model.nodes[operators[k]]))
      if (const auto it = constants.find(name); it != constants.end() && all.insert(it->second).second)
        operators.push_back(it->second);
  return {all.begin(), all.end()};
}

using Fields = importers::MessageFields;
using protozero::pbf_writer;

/// Fields of the messages of an ONNX file (onnx.proto).
namespace field {
constexpr int kIrVersion = 1, kProducer = 2, kGraph = 7, kOpset = 8, kMetadata = 14, kFunction = 25;    // ModelProto
constexpr int kNode = 1, kGraphName = 2, kInitializer = 5, kInput = 11, kOutput = 12, kValueInfo = 13;  // GraphProto
constexpr int kDims = 1, kDataType = 2, kTensorName = 8, kRawData = 9, kDataLocation = 14;              // TensorProto
constexpr int kValueName = 1, kValueType = 2, kTensorType = 1, kElemType = 1, kShape = 2, kDim = 1, kDimValue = 1;
}  // namespace field

std::string_view text_of(const Bytes& b) { return {reinterpret_cast<const char*>(b.data()), b.size()}; }

/// The text in a field of a message.
std::string text_in(const Bytes& message, int number) {
  for (Fields f(message); f.next();)
    if (f.is(number, Fields::Kind::Bytes)) return f.text();
  return {};
}

bool lies_elsewhere(const Bytes& tensor) {
  for (Fields f(tensor); f.next();)
    if (f.is(field::kDataLocation, Fields::Kind::Integer)) return f.integer() == 1;
  return false;
}

/// The messages of a file, as they lie in it.
struct Messages {
  int64_t ir_version = 0;
  std::vector<Bytes> opsets, metadata, nodes;
  std::map<std::string, Bytes> initializers, values;  ///< by name; values: what the file says of tensors
  std::string graph_name;
};

Messages messages_of(const Bytes& file) {
  Messages m;
  Bytes graph;
  for (Fields f(file); f.next();) {
    if (f.is(field::kIrVersion, Fields::Kind::Integer)) m.ir_version = f.integer();
    if (f.kind() != Fields::Kind::Bytes) continue;
    const int number = f.number();
    if (number == field::kFunction)
      throw Error(ErrorCode::NotYetSupported, "a model with functions of its own can't be cut")
          .hint("inline them: onnx.inliner.inline_local_functions");
    if (number == field::kGraph) graph = f.bytes();
    if (number == field::kOpset) m.opsets.push_back(f.bytes());
    if (number == field::kMetadata) m.metadata.push_back(f.bytes());
  }
  for (Fields f(graph); f.next();) {
    if (f.kind() != Fields::Kind::Bytes) continue;
    const int number = f.number();
    if (number == field::kNode) m.nodes.push_back(f.bytes());
    if (number == field::kGraphName) m.graph_name = f.text();
    if (number == field::kInitializer) {
      Bytes b = f.bytes();
      m.initializers[text_in(b, field::kTensorName)] = std::move(b);
    }
    if (number == field::kInput || number == field::kOutput || number == field::kValueInfo) {
      Bytes b = f.bytes();
      m.values[text_in(b, field::kValueName)] = std::move(b);
    }
  }
  return m;
}

void write_tensor(pbf_writer to, const std::string& name, const Tensor& t) {
  for (const int64_t d : t.shape) to.add_int64(field::kDims, d);
  to.add_int32(field::kDataType, static_cast<int32_t>(type_number(t.type)));
  to.add_string(field::kTensorName, name);
  to.add_bytes(field::kRawData, text_of(t.bytes).data(), t.bytes.size());
}

void write_value(pbf_writer to, const ValueInfo& v) {
  to.add_string(field::kValueName, v.name);
  pbf_writer type(to, field::kValueType);
  pbf_writer tensor(type, field::kTensorType);
  tensor.add_int32(field::kElemType, static_cast<int32_t>(type_number(v.type)));
  if (!v.shape) return;
  pbf_writer shape(tensor, field::kShape);
  for (const int64_t d : *v.shape) {
    pbf_writer dim(shape, field::kDim);
    if (d >= 0) dim.add_int64(field::kDimValue, d);
  }
}

}  // namespace

Parts split(const Model& model, const std::vector<size_t>& refused, bool first) {
  const Levels levels(model, refused);
  Parts p;
  const int chip = first ? 0 : levels.heaviest();
  if (chip < 0) return p;
  for (size_t i = 0; i < model.nodes.size(); ++i) {
    if (levels.is_constant(i)) continue;
    const int level = levels.of(i);
    Part& part = level < chip ? p.before : level == chip && !levels.is_refused(i) ? p.chip : p.after;
    part.operators.push_back(i);
  }
  Names wanted;  // by those behind, and by the user
  for (const ValueInfo& o : model.outputs) wanted.insert(o.name);
  for (Part* part : {&p.after, &p.chip, &p.before}) {
    part->operators = with_constants(model, levels, std::move(part->operators));
    part->inputs = read_from_outside(model, part->operators);
    for (const size_t i : part->operators)
      for (const std::string& name : model.nodes[i].outputs)
        if (wanted.erase(name)) part->outputs.push_back(name);
    wanted.insert(part->inputs.begin(), part->inputs.end());
  }
  return p;
}

std::vector<uint8_t> part_of_model(const Bytes& file, const Model& model, const Part& part,
                                   const std::map<std::string, ValueInfo>& known) {
  const Messages m = messages_of(file);
  std::string bytes;
  pbf_writer to(bytes);
  to.add_int64(field::kIrVersion, m.ir_version);
  to.add_string(field::kProducer, "blobsmith");
  for (const Bytes& b : m.opsets) to.add_message(field::kOpset, text_of(b).data(), b.size());
  for (const Bytes& b : m.metadata) to.add_message(field::kMetadata, text_of(b).data(), b.size());
  {
    pbf_writer graph(to, field::kGraph);
    graph.add_string(field::kGraphName, m.graph_name);
    Names read(part.outputs.begin(), part.outputs.end());
    for (const size_t i : part.operators) {
      graph.add_message(field::kNode, text_of(m.nodes.at(i)).data(), m.nodes[i].size());
      const std::vector<std::string> names = read_by(model.nodes[i]);
      read.insert(names.begin(), names.end());
    }
    for (const auto& [name, tensor] : model.initializers) {
      const auto it = m.initializers.find(name);
      if (!read.contains(name) || it == m.initializers.end()) continue;
      if (lies_elsewhere(it->second))
        write_tensor(pbf_writer(graph, field::kInitializer), name, tensor);
      else
        graph.add_message(field::kInitializer, text_of(it->second).data(), it->second.size());
    }
    const auto add = [&](int number, const std::string& name) {
      const auto it = known.find(name);
      const auto said = m.values.find(name);
      if (it != known.end())
        write_value(pbf_writer(graph, static_cast<uint32_t>(number)), it->second);
      else if (said != m.values.end())
        graph.add_message(static_cast<uint32_t>(number), text_of(said->second).data(), said->second.size());
      else
        pbf_writer(graph, static_cast<uint32_t>(number)).add_string(field::kValueName, name);
    };
    for (const std::string& name : part.inputs) add(field::kInput, name);
    for (const std::string& name : part.outputs) add(field::kOutput, name);
  }
  return {bytes.begin(), bytes.end()};
}

}  // namespace blobsmith::onnx_file
