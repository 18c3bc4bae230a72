// What the compiler must know of a stage type: requirements on its data, its parameters in the blob. One file per
// family in this folder defines StageRows and parameter structs; registry.cpp looks them up and adds what injected
// stages requirement.
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "vpu/format/stage_format.hpp"
#include "vpu/program/program.hpp"

namespace blobsmith::vpu {

/// A requirement per port; unset where the stage states nothing.
template <class T>
struct PortWishes {
  std::vector<std::optional<T>> inputs, outputs;
  explicit PortWishes(const Stage& s) : inputs(s.inputs().size()), outputs(s.outputs().size()) {}
};
using OrderRequirements = PortWishes<DimsOrder>;
using StrideRequirements = PortWishes<StridesRequirement>;
/// true: this port must be processed one batch item at a time (N == 1).
using BatchRequirements = PortWishes<bool>;

struct StageRow {
  StageType type;
  /// Null: NeedMax for SHAVE stages, NotNeeded otherwise.
  ShaveRequirement (*shaves)(const Stage&) = nullptr;
  void (*order)(const Stage&, OrderRequirements&) = nullptr;
  void (*strides)(const Stage&, StrideRequirements&) = nullptr;
  void (*batch)(const Stage&, BatchRequirements&) = nullptr;
  /// Called at the end of adjustDataLayout: may replace constant inputs, add temps, change the type.
  void (*finalize_layout)(Program&, Stage&) = nullptr;
  /// The data types that the ports allow, "FP16 FP16|S32 -> FP16": one word per port, alternatives in between bars, T
  /// the type of input 0, a last word with a star for all further ports. Null: anything.
  const char* types = nullptr;
  /// Instead of `types` where they depend on each other.
  void (*check_types)(const Stage&) = nullptr;
  /// The stage's parameters as the blob has them (positions instead of dimensions); null: as they are.
  std::unique_ptr<StageParams> (*encode)(const Stage&) = nullptr;
  /// The stage's data as the blob lists them, where the format has a `role` instead of a `buffer_order`.
  std::vector<const Data*> (*buffers)(const Stage&) = nullptr;
};

/// Null for a type that has no definition.
const StageRow* find_stage_def(StageType t);
const StageRow& stage_row(StageType t);

// The requirements of a stage including its injected child, as passes ask for them.
ShaveRequirement shave_requirement(const Stage& s);
OrderRequirements order_requirements(const Stage& s);
StrideRequirements stride_requirements(const Stage& s);
BatchRequirements batch_requirements(const Stage& s);
/// Throws TypeMismatch with the reference's text ("Stage node X (T) types check error: ...").
void check_types(const Stage& s);
void finalize_layout(Program& p, Stage& s);

// The blob's side; an injected child is not included.
std::shared_ptr<const StageParams> encode_params(const Stage& s);
std::vector<const Data*> blob_buffers(const Stage& s);

}  // namespace blobsmith::vpu
