// The GEMM kernel cannot transpose its first matrix: a Permute does (middle-end spec §3.30).
#include "vpu/passes/passes.hpp"
#include "vpu/program/edits.hpp"

namespace blobsmith::vpu {
namespace {

void transpose_first(Program& p, Stage* gemm) {
  Data* a = gemm->input(0);
  const int rank = a->desc.rank();
  if (rank < 2 || rank > 4) throw cannot_compile(*gemm, "transposed first input of rank " + std::to_string(rank));
  if (a->shape_parent()) throw cannot_compile(*gemm, "transposed first input of dynamic shape");
  if (is_const(a)) throw cannot_compile(*gemm, "transposed constant first input");
  std::vector<Dim> dims = DimsOrder::of_rank(rank).dims();
  DimValues permutation;
  for (Dim d : dims) permutation.set(d, static_cast<int64_t>(d));
  permutation.set(dims[0], static_cast<int64_t>(dims[1]));
  permutation.set(dims[1], static_cast<int64_t>(dims[0]));
  std::vector<int64_t> sizes;
  for (Dim d : dims) sizes.push_back(a->desc.dim(d));
  std::swap(sizes[0], sizes[1]);

  Data* transposed = p.duplicate(a, "@reshape", DataDesc(a->desc.type, sizes));
  gemm->change<GemmParams>([](GemmParams& g) { g.transpose_a = 0; });
  p.replace_input(gemm, 0, transposed);
  add_permute(p, gemm->name + "@transpose", gemm->layer, a, transposed, permutation);
}

}  // namespace

void gemm_transpose(Program& p) {
  p.for_each_stage([&](Stage* s) {
    if (s->is(StageType::GEMM) && s->get<GemmParams>().transpose_a) transpose_first(p, s);
  });
}

}  // namespace blobsmith::vpu
