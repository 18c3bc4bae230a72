#include "importers/mxnet/model.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <nlohmann/json.hpp>

#include "importers/common/tensor_bytes.hpp"

namespace blobsmith::mxnet {
namespace {

using Json = nlohmann::json;

constexpr uint64_t kListMagic = 0x112;
constexpr uint32_t kV1 = 0xF993FAC8, kV2 = 0xF993FAC9, kV3 = 0xF993FACA;
constexpr size_t kLargestRank = 32, kMostNodes = 1'000'000;

// ---- the symbol ----

[[noreturn]] void bad_symbol(const std::string& what) {
  throw Error(ErrorCode::FileCorrupt, "the symbol file: " + what);
}

Input read_input(const Json& j, size_t count) {
  if (!j.is_array() || j.size() < 2 || !j[0].is_number_unsigned() || !j[1].is_number_unsigned())
    bad_symbol("an input is no list of two numbers");
  const Input input{j[0].get<size_t>(), j[1].get<int>()};
  if (input.node >= count || input.port < 0 || input.port > 100'000) bad_symbol("an input is none of the nodes before");
  return input;
}

SymbolNode read_node(const Json& j, size_t index) {
  if (!j.is_object() || !j.contains("op") || !j["op"].is_string() || !j.contains("name") || !j["name"].is_string())
    bad_symbol("node " + std::to_string(index) + " has no op or no name");
  SymbolNode n{j["op"].get<std::string>(), j["name"].get<std::string>()};
  for (const char* key : {"attr", "param", "attrs"}) {
    if (!j.contains(key) || !j[key].is_object()) continue;
    for (const auto& [name, value] : j[key].items())
      n.attributes[name] = value.is_string() ? value.get<std::string>() : value.dump();
  }
  if (j.contains("inputs")) {
    if (!j["inputs"].is_array()) bad_symbol("inputs of '" + n.name + "' are no list");
    for (const Json& i : j["inputs"]) n.inputs.push_back(read_input(i, index));
  }
  return n;
}

// ---- parameters ----

class Cursor {
 public:
  explicit Cursor(const Bytes& bytes) : bytes_(bytes) {}

  template <class T>
  T take() {
    T v{};
    std::memcpy(&v, take_bytes(sizeof(T)).data(), sizeof(T));
    return v;
  }
  Bytes take_bytes(uint64_t n) {
    const auto part = importers::part_of(bytes_, at_, n);
    if (!part)
      throw Error(ErrorCode::FileTruncated, "the parameters end at byte " + std::to_string(bytes_.size()) + ", where " +
                                                std::to_string(n) + " more from byte " + std::to_string(at_) +
                                                " on are expected");
    at_ += static_cast<size_t>(n);
    return *part;
  }
  size_t left() const { return bytes_.size() - at_; }

 private:
  const Bytes& bytes_;
  size_t at_ = 0;
};

ElementType element_type(int32_t flag) {
  static constexpr ElementType kTypes[] = {ElementType::f32, ElementType::f64, ElementType::f16, ElementType::u8,
                                           ElementType::i32, ElementType::i8,  ElementType::i64};
  if (flag < 0 || flag >= static_cast<int32_t>(std::size(kTypes)))
    throw Error(ErrorCode::TypeMismatch, "parameters of type " + std::to_string(flag) + " can't be read");
  return kTypes[flag];
}

template <class T>
Shape read_dims(Cursor& c, uint32_t rank) {
  if (rank > kLargestRank)
    throw Error(ErrorCode::FileCorrupt, "a parameter has " + std::to_string(rank) + " dimensions");
  Shape shape;
  for (uint32_t i = 0; i < rank; ++i) shape.push_back(static_cast<int64_t>(c.take<T>()));
  if (!is_static(shape)) throw Error(ErrorCode::FileCorrupt, "a parameter has the shape " + to_string(shape));
  return shape;
}

/// No value where the array is empty.
Tensor read_array(Cursor& c) {
  const auto magic = c.take<uint32_t>();
  Shape shape;
  if (magic == kV2 || magic == kV3) {
    if (const auto storage = c.take<int32_t>(); storage != 0)
      throw Error(ErrorCode::NotYetSupported,
                  "not yet supported: sparse parameters (storage type " + std::to_string(storage) + ")");
    shape = read_dims<int64_t>(c, c.take<uint32_t>());
  } else if (magic == kV1) {
    shape = read_dims<int64_t>(c, c.take<uint32_t>());
  } else {
    shape = read_dims<uint32_t>(c, magic);  // the oldest files begin with the rank
  }
  if (shape.empty() && magic != kV3) return {};
  c.take<int32_t>();  // device
  c.take<int32_t>();
  const ElementType type = element_type(c.take<int32_t>());
  Tensor t{type, std::move(shape), {}};
  t.bytes = importers::placed(c.take_bytes(importers::bytes_of(type, t.shape, "a parameter")), byte_width(type));
  return t;
}

std::string without_prefix(const std::string& name) {
  for (const char* prefix : {"arg:", "aux:"})
    if (name.starts_with(prefix)) return name.substr(4);
  return name;
}

}  // namespace

Symbol read_symbol(std::string_view text) {
  const Json j = Json::parse(text, nullptr, false);
  if (j.is_discarded() || !j.is_object()) bad_symbol("it is no JSON");
  if (!j.contains("nodes") || !j["nodes"].is_array() || j["nodes"].size() > kMostNodes) bad_symbol("it has no nodes");
  Symbol s;
  for (const Json& node : j["nodes"]) s.nodes.push_back(read_node(node, s.nodes.size()));
  if (j.contains("heads") && j["heads"].is_array())
    for (const Json& head : j["heads"]) s.heads.push_back(read_input(head, s.nodes.size()));
  if (s.heads.empty()) bad_symbol("it has no heads: nothing is computed");
  return s;
}

std::map<std::string, Tensor> read_parameters(const Bytes& file) {
  Cursor c(file);
  if (c.take<uint64_t>() != kListMagic)
    throw Error(ErrorCode::FileCorrupt, "the parameters do not begin as MXNet's do");
  c.take<uint64_t>();
  const auto count = c.take<uint64_t>();
  if (count > c.left() / 4)
    throw Error(ErrorCode::FileTruncated, "there are said to be " + std::to_string(count) + " parameters");
  std::vector<Tensor> arrays;
  for (uint64_t i = 0; i < count; ++i) arrays.push_back(read_array(c));
  const auto names = c.take<uint64_t>();
  if (names != count)
    throw Error(ErrorCode::FileCorrupt, std::to_string(count) + " parameters have " + std::to_string(names) + " names");
  std::map<std::string, Tensor> parameters;
  for (uint64_t i = 0; i < names; ++i) {
    const Bytes name = c.take_bytes(c.take<uint64_t>());
    parameters[without_prefix({reinterpret_cast<const char*>(name.data()), name.size()})] = std::move(arrays[i]);
  }
  return parameters;
}

std::optional<std::vector<double>> numbers_of(std::string_view text, double none) {
  std::vector<double> list;
  size_t at = 0;
  const auto is_filler = [](char c) { return c == ' ' || c == '(' || c == ')' || c == '[' || c == ']' || c == ','; };
  while (true) {
    while (at < text.size() && is_filler(text[at])) ++at;
    if (at == text.size()) return list;
    if (text.substr(at).starts_with("None")) {
      list.push_back(none);
      at += 4;
      continue;
    }
    if (text.substr(at).starts_with("True") || text.substr(at).starts_with("False")) {
      list.push_back(text[at] == 'T');
      at += text[at] == 'T' ? 4 : 5;
      continue;
    }
    double v = 0;
    const auto [end, ec] = std::from_chars(text.data() + at, text.data() + text.size(), v);
    if (ec != std::errc{} && ec != std::errc::result_out_of_range) return std::nullopt;
    list.push_back(v);
    at = static_cast<size_t>(end - text.data());
    if (at < text.size() && (text[at] == 'L' || text[at] == 'l')) ++at;  // 3L of Python 2
    if (at < text.size() && !is_filler(text[at])) return std::nullopt;
  }
}

}  // namespace blobsmith::mxnet
