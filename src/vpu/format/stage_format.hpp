// How a stage of each type stands in a blob: its parameters, and which of its data the buffer records are. A family's
// header in this folder holds the parameter structs and the rows; stage_format.cpp collects them.
#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "vpu/format/params.hpp"
#include "vpu/format/stage_type.hpp"

namespace blobsmith::vpu {

inline constexpr const char* kUsualBufferOrder = "in0 out0 in*";

struct StageFormat {
  StageType type;
  /// An empty parameter struct to read a blob into; null: the type has no parameters.
  std::unique_ptr<StageParams> (*make_params)() = nullptr;
  /// The stage's data in the order in which the blob lists their buffer records: "in0 out0 in1 temp*"; a star stands
  /// for all data of the kind that no other word names.
  const char* buffer_order = kUsualBufferOrder;
  /// Instead of `buffer_order` where it depends on the parameters: what the k-th of `count` records is.
  std::string (*role)(const StageParams&, int k, int count) = nullptr;
};

template <class P>
std::unique_ptr<StageParams> make_params_of() {
  return std::make_unique<P>();
}

/// A type without a row has no parameters and the usual order.
const StageFormat& stage_format(StageType t);
std::unique_ptr<StageParams> make_params(StageType t);
/// What the k-th of `count` buffer records is: "in0", "out1", "temp0".
std::string buffer_role(StageType t, const StageParams& params, int k, int count);

/// One word of a buffer order.
struct BufferOrderWord {
  std::string_view kind;  ///< "in", "out", "temp"
  int index;              ///< -1: a star
};
std::vector<BufferOrderWord> parse_buffer_order(std::string_view order);
bool names(const std::vector<BufferOrderWord>& order, std::string_view kind, int index);

}  // namespace blobsmith::vpu
