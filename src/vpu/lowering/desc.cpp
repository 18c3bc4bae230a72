// Types and shapes of the graph as descriptors of the VPU (front-end spec §8, §13).
#include "vpu/lowering/lowering.hpp"
#include "vpu/program/contents.hpp"

namespace blobsmith::vpu {
namespace {

DataType data_type(ElementType t) {
  switch (t) {
    case ElementType::f16: return DataType::FP16;
    case ElementType::f32: return DataType::FP32;
    case ElementType::i32: return DataType::S32;
    case ElementType::u8: return DataType::U8;
    case ElementType::i8: return DataType::I8;
    default: throw Error(ErrorCode::TypeMismatch, std::string(precision_name(t)) + " isn't supported");
  }
}

DataDesc desc(DataType type, const Shape& shape) {
  if (shape.size() > static_cast<size_t>(kMaxDims))
    throw Error(ErrorCode::ShapeMismatch, "shape " + blobsmith::to_string(shape) + " has too many dimensions");
  std::vector<int64_t> innermost_first(shape.rbegin(), shape.rend());
  if (innermost_first.empty()) innermost_first.push_back(1);
  return DataDesc(type, innermost_first);
}

}  // namespace

DataDesc desc_of(ElementType type, const Shape& shape) { return desc(data_type(type), shape); }

DataDesc internal_desc_of(ElementType type, const Shape& shape) {
  const DataType t = data_type(type);
  return desc(t == DataType::FP32 ? DataType::FP16 : t, shape);
}

Bytes constant_content(const Tensor& t) {
  data_type(t.type);
  const Bytes source = t.bytes.aligned(byte_width(t.type));
  return t.type == ElementType::f32 ? contents::blob_halves(source.as<float>()) : source;
}

}  // namespace blobsmith::vpu
