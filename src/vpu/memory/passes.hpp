// The passes of this folder: layouts, views and places of data (memory spec). Their order stands in vpu/pipeline.cpp.
#pragma once
#include "vpu/program/program.hpp"

namespace blobsmith::vpu {

void adjust_data_layout(Program&);
void process_special_stages(Program&);
void adjust_data_location(Program&);
void eliminate_copy_stages(Program&);
void inject_sw(Program&);
void allocate_resources(Program&);

}  // namespace blobsmith::vpu
