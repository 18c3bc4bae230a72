#include "importers/tensorflow/proto_tensor.hpp"

#include <algorithm>

#include "importers/common/tensor_bytes.hpp"

namespace blobsmith::tensorflow_file {
namespace {

constexpr int kLargestRank = 32;
constexpr uint64_t kLargestFill = uint64_t{1} << 28;  // bytes that a tensor of one repeated value may take

/// The values that are listed, the last of them repeated.
template <class To, class List>
Bytes repeated(const List& list, uint64_t count, const std::string& who) {
  if (static_cast<uint64_t>(list.size()) > count)
    throw Error(ErrorCode::FileCorrupt, who + " has more values than its shape");
  std::vector<To> v;
  v.reserve(count);
  for (const auto x : list) v.push_back(static_cast<To>(x));
  v.resize(count, v.empty() ? To{} : v.back());
  return Bytes::adopt(std::move(v));
}

Bytes listed_values(const tensorflow_proto::TensorProto& t, ElementType type, uint64_t count, const std::string& who) {
  switch (type) {
    case ElementType::f32: return repeated<float>(t.float_val(), count, who);
    case ElementType::f64: return repeated<double>(t.double_val(), count, who);
    case ElementType::i64: return repeated<int64_t>(t.int64_val(), count, who);
    case ElementType::u64: return repeated<uint64_t>(t.uint64_val(), count, who);
    case ElementType::u32: return repeated<uint32_t>(t.uint32_val(), count, who);
    case ElementType::i32: return repeated<int32_t>(t.int_val(), count, who);
    case ElementType::i16:
    case ElementType::u16: return repeated<uint16_t>(t.int_val(), count, who);
    case ElementType::f16:
    case ElementType::bf16: return repeated<uint16_t>(t.half_val(), count, who);
    case ElementType::boolean: return repeated<uint8_t>(t.bool_val(), count, who);
    default: return repeated<uint8_t>(t.int_val(), count, who);
  }
}

}  // namespace

std::optional<Shape> read_shape(const tensorflow_proto::TensorShapeProto& s, const std::string& who) {
  if (s.unknown_rank()) return std::nullopt;
  if (s.dim_size() > kLargestRank)
    throw Error(ErrorCode::FileCorrupt, who + " has " + std::to_string(s.dim_size()) + " dimensions");
  Shape shape;
  for (const auto& d : s.dim()) shape.push_back(d.size() >= 0 ? d.size() : kDynamic);
  return shape;
}

Tensor take_tensor(tensorflow_proto::TensorProto& t, const std::string& who, const Bytes& content) {
  const auto type = element_type(t.dtype());
  if (!type) throw Error(ErrorCode::TypeMismatch, who + " has the type " + type_name(t.dtype()));
  const auto shape = read_shape(t.tensor_shape(), who);
  if (!shape || !is_static(*shape)) throw Error(ErrorCode::FileCorrupt, who + " has an open shape");
  Tensor r{*type, *shape, {}};
  const uint64_t bytes = importers::bytes_of(r.type, r.shape, who);
  if (const size_t stored = t.tensor_content().empty() ? content.size() : t.tensor_content().size()) {
    if (stored != bytes)
      throw Error(ErrorCode::FileCorrupt, who + " of shape " + to_string(r.shape) + " has " + std::to_string(stored) +
                                              " bytes, " + std::to_string(bytes) + " expected");
    if (t.tensor_content().empty()) {
      r.bytes = importers::placed(content, byte_width(r.type));
      return r;
    }
    auto owner = std::make_shared<const std::string>(std::move(*t.mutable_tensor_content()));
    const auto* data = reinterpret_cast<const uint8_t*>(owner->data());
    r.bytes = Bytes(std::move(owner), data, bytes).aligned(8);
    return r;
  }
  if (bytes > kLargestFill)
    throw Error(ErrorCode::FileTooLarge, who + " of shape " + to_string(r.shape) + " is too large");
  r.bytes = listed_values(t, r.type, bytes / std::max<size_t>(byte_width(r.type), 1), who);
  return r;
}

}  // namespace blobsmith::tensorflow_file
