// Tensors as users see them. Shapes are in framework order, outermost dimension first (NCHW).
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace blobsmith {

using Shape = std::vector<int64_t>;

/// "1x3x224x224"
std::string shape_text(const Shape& shape);

/// Types of network inputs and outputs, with the codes of the blob.
enum class TensorType : uint8_t { FP16 = 0, U8 = 1, S32 = 2, FP32 = 3, I8 = 4 };

/// "FP16", "U8", "I32", "FP32", "I8": as Intel's tools print them.
std::string_view to_string(TensorType t);
/// Such a name, or the element type of a framework ("f16", "i64"), in any letter case; integers that the VPU holds in
/// 32 bits (I64, U32, U64, BOOL) are S32. Nothing for others.
std::optional<TensorType> parse_tensor_type(std::string_view name);

struct TensorInfo {
  std::string name;
  TensorType type = TensorType::FP16;
  Shape shape;  ///< a batch is in the first number
};

/// Values in framework order, widened to float (exact for all but large S32).
struct FloatTensor {
  std::string name;  ///< an output's name; "out0", "in1"... of a stage
  Shape shape;
  std::vector<float> values;
};

}  // namespace blobsmith
