// Parameters of a stage with an OpenCL kernel of the user (stages spec §12); only decoded.
#pragma once
#include <array>

#include "vpu/format/stage_format.hpp"

namespace blobsmith::vpu {

struct CustomParams : StageParams {
  struct Argument {
    uint32_t value = 0;  ///< bits
    int32_t kind = 0;    ///< >= 0 the port of a tensor, -1 integer, -2 float, -3 size of local memory
    void fields(FieldArchive& a) {
      a.word("value", value);
      a.word("kind", kind);
    }
  };
  std::array<uint32_t, 3> groups{}, local{}, offset{};
  uint32_t max_shaves = 0, kernel_id = 0;
  int32_t input_data_count = 0, buffer_count = 0;
  std::vector<Argument> arguments;
  void fields(FieldArchive& a) override;
};

inline constexpr StageFormat kCustomFormats[] = {
    {.type = StageType::Custom, .make_params = make_params_of<CustomParams>, .buffer_order = "in*"},
};

}  // namespace blobsmith::vpu
