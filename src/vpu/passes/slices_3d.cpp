#include "vpu/passes/slices_3d.hpp"

namespace blobsmith::vpu {
namespace {

DataDesc with_depth_1(const DataDesc& whole) { return whole.with_dim(Dim::D, 1); }

}  // namespace

DataDesc plane_desc(const DataDesc& desc) {
  return DataDesc({desc.dim(Dim::W), desc.dim(Dim::H), desc.dim(Dim::C), desc.dim(Dim::N)});
}

std::vector<Data*> concat_depth(Program& p, const Stage& stage, Data* whole) {
  const int64_t depth = whole->desc.dim(Dim::D);
  std::vector<Data*> solid, flat;
  const auto postfix = [&](int64_t d) { return "@output_depth=" + part_of(d + 1, depth); };
  for (int64_t d = 0; d < depth; ++d)
    solid.push_back(p.duplicate(whole, postfix(d) + "@3D", with_depth_1(whole->desc)));
  add_concat(p, stage.name + "@concat", stage.layer, Dim::D, solid, whole);
  for (int64_t d = 0; d < depth; ++d) {
    flat.push_back(p.duplicate(whole, postfix(d), plane_desc(whole->desc)));
    add_reshape(p, stage.name + "@reshape", stage.layer, flat.back(), solid[static_cast<size_t>(d)]);
  }
  return flat;
}

Data* DepthSlices::at(int64_t depth) {
  Data*& d = slices_[depth];
  if (!d)
    d = p_.duplicate(whole_, "@input_depth=" + part_of(depth + 1, whole_->desc.dim(Dim::D)), plane_desc(whole_->desc));
  return d;
}

void DepthSlices::connect(const Stage& stage) {
  std::vector<Data*> solid;
  std::vector<DimValues> offsets;
  for (const auto& [depth, flat] : slices_) {
    solid.push_back(p_.duplicate(whole_, "@input_depth=" + part_of(depth + 1, whole_->desc.dim(Dim::D)) + "@3D",
                                 with_depth_1(whole_->desc)));
    offsets.push_back(DimValues{{Dim::D, depth}});
    add_reshape(p_, stage.name + "@split", stage.layer, solid.back(), flat);
  }
  add_split(p_, stage.name + "@split", stage.layer, std::move(offsets), whole_, std::move(solid))
      ->change<PartsSpec>([](PartsSpec& parts) { parts.axis = Dim::D; });
}

std::vector<DepthTap> depth_taps(int64_t d, int64_t kernel, int64_t stride, int64_t pad_begin, int64_t dilation,
                                 int64_t input_depth) {
  std::vector<DepthTap> r;
  for (int64_t k = 0; k < kernel; ++k) {
    const int64_t i = d * stride + k * dilation - pad_begin;
    if (i >= 0 && i < input_depth) r.push_back({k, i});
  }
  return r;
}

std::vector<int64_t> xyz(const Stage& s, std::string_view name, const std::vector<int32_t>& list) {
  if (list.size() != 3)
    throw not_yet_supported(s, std::string(name) + " with " + std::to_string(list.size()) + " dimensions");
  return {list.begin(), list.end()};
}

bool is_fp16_3d(const Stage& s) {
  const auto fits = [](const Data* d) { return d->desc.type == DataType::FP16 && d->desc.order == orders::NCDHW; };
  return fits(s.input(0)) && fits(s.output());
}

}  // namespace blobsmith::vpu
