// Small questions and edits that several passes share.
#pragma once
#include <initializer_list>
#include <string>

#include "vpu/program/builders.hpp"
#include "vpu/program/contents.hpp"
#include "vpu/program/program.hpp"
#include "vpu/program/specs.hpp"

namespace blobsmith::vpu {

/// "i/n", as the names of parts end.
inline std::string part_of(int64_t i, int64_t n) { return std::to_string(i) + "/" + std::to_string(n); }

inline bool is_fake(const Data* d) { return d->usage == DataUsage::Fake; }
inline bool is_const(const Data* d) { return d->usage == DataUsage::Const; }
inline bool is_intermediate(const Data* d) { return d->usage == DataUsage::Intermediate; }
inline bool tries_hw(const Stage& s) {
  const auto* stub = s.find<StubSpec>();
  return stub && stub->try_hw;
}
/// Of stubs.
inline const Window& window_of(const Stage& s) { return s.get<StubSpec>().window; }

/// The only consumer of the stage's only output, if that output is Intermediate and the consumer is of one of `types`;
/// else null.
Stage* single_next(const Stage& s, std::initializer_list<StageType> types);

/// The stage's output edge moves to the output of `next`, its only consumer, and `next` disappears.
void absorb(Program& p, Stage* s, Stage* next);

/// Errors that name the layer of a stage.
Error not_yet_supported(const Stage& s, std::string_view what);
Error cannot_compile(const Stage& s, std::string_view what);

/// A network may ask for any number of parts in a few bytes: beyond this limit it is refused.
void check_part_count(const Stage& s, int64_t parts);

/// A Const of the pieces [start, start+count) of the FP16 constant `d` with the description `desc`; a Fake stays as it
/// is.
Data* slice_const(Program& p, Data* d, const std::string& postfix, const DataDesc& desc, int64_t start);
/// The same for vectors like biases and scales.
Data* slice_vector(Program& p, Data* d, const std::string& postfix, int64_t start, int64_t count);

/// Weights must be constants with the content that their description says.
const Data* require_const(const Stage& s, int port);

}  // namespace blobsmith::vpu
