// Parameters of the normalisations (stages spec §7).
#pragma once
#include "vpu/format/stage_format.hpp"

namespace blobsmith::vpu {

struct SoftMaxParams : StageParams {
  int32_t axis = 0;
  void fields(FieldArchive& a) override { a.word("axis", axis); }
};

/// LRN, InnerLRN.
struct LrnParams : StageParams {
  uint32_t size = 1;
  Half k = 0, alpha = 0, beta = 0, padding = 0;
  void fields(FieldArchive& a) override {
    a.word("size", size);
    a.half("k", k);
    a.half("alpha", alpha);
    a.half("beta", beta);
    a.half("pad", padding);
  }
};

struct NormalizeParams : StageParams {
  int32_t across_spatial = 0, channel_shared = 0;
  float eps = 0;
  void fields(FieldArchive& a) override {
    a.word("acrossSpatial", across_spatial);
    a.word("channelShared", channel_shared);
    a.word("eps", eps);
  }
};

struct GrnParams : StageParams {
  float bias = 0;
  void fields(FieldArchive& a) override { a.word("bias", bias); }
};

struct MvnParams : StageParams {
  int32_t normalize = 0, across_channels = 0, across_width = 0;
  float eps = 0;
  void fields(FieldArchive& a) override {
    a.word("normalize", normalize);
    a.word("across_channels", across_channels);
    if (!a.reading() || a.remaining() > sizeof eps) a.word("across_width", across_width);  // absent before 2021.4.2
    a.word("eps", eps);
  }
};

inline constexpr StageFormat kNormalizationFormats[] = {
    {.type = StageType::SoftMax, .make_params = make_params_of<SoftMaxParams>},
    {.type = StageType::LRN, .make_params = make_params_of<LrnParams>},
    {.type = StageType::InnerLRN, .make_params = make_params_of<LrnParams>},
    {.type = StageType::Normalize, .make_params = make_params_of<NormalizeParams>},
    {.type = StageType::GRN, .make_params = make_params_of<GrnParams>},
    {.type = StageType::MVN, .make_params = make_params_of<MvnParams>, .buffer_order = "in0 out0"},
};

}  // namespace blobsmith::vpu
