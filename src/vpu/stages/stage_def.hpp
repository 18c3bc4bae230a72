// What the compiler must know of a stage type: demands on its data, its parameters in the blob. One file per stage
// (or family) in this folder defines a StageDef and its parameter struct; registry.cpp lists them.
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "vpu/program/program.hpp"
#include "vpu/stages/params.hpp"

namespace blobsmith::vpu {

/// A demand per port; unset where the stage states nothing.
template <class T>
struct PortWishes {
  std::vector<std::optional<T>> inputs, outputs;
  explicit PortWishes(const Stage& s) : inputs(s.inputs().size()), outputs(s.outputs().size()) {}
};
using OrderWishes = PortWishes<DimsOrder>;
using StrideWishes = PortWishes<StridesRequirement>;
/// true: this port must be processed one batch item at a time (N == 1).
using BatchWishes = PortWishes<bool>;

struct StageDef {
  StageType type;
  /// SHAVE demand without an injected child; null: NeedMax for SHAVE stages, NotNeeded otherwise.
  ShaveDemand (*shaves)(const Stage&) = nullptr;
  void (*order)(const Stage&, OrderWishes&) = nullptr;
  void (*strides)(const Stage&, StrideWishes&) = nullptr;
  void (*batch)(const Stage&, BatchWishes&) = nullptr;
  /// Called at the end of adjustDataLayout: may replace constant inputs, add temps, change the type.
  void (*finalize_layout)(Program&, Stage&) = nullptr;
  /// Throws TypeMismatch with the reference's text ("Stage node X (T) types check error: ...").
  void (*check_types)(const Stage&) = nullptr;
  /// The stage's parameters as they stand in the blob (positions instead of dimensions); null for special stages.
  std::unique_ptr<StageParams> (*encode)(const Stage&) = nullptr;
  /// An empty parameter struct to read a blob into.
  std::unique_ptr<StageParams> (*make_params)() = nullptr;
  /// The stage's data in the order in which the blob lists its buffer records; null: in0, out0, then in1... .
  std::vector<const Data*> (*buffers)(const Stage&) = nullptr;
  /// What the k-th of `count` buffer records of a blob is ("in0", "out0", "temp0"); null: as `buffers` above.
  std::string (*role)(const StageParams&, int k, int count) = nullptr;
};

/// Null for a type that has no definition.
const StageDef* find_stage_def(StageType t);
const StageDef& stage_def(StageType t);

// The demands of a stage including its injected child, as passes ask for them.
ShaveDemand shave_demand(const Stage& s);
OrderWishes order_wishes(const Stage& s);
StrideWishes stride_wishes(const Stage& s);
BatchWishes batch_wishes(const Stage& s);
void check_types(const Stage& s);
void finalize_layout(Program& p, Stage& s);
std::unique_ptr<StageParams> encode_params(const Stage& s);
std::vector<const Data*> blob_buffers(const Stage& s);

}  // namespace blobsmith::vpu
