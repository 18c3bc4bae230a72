// --mean_file: a picture that is subtracted from the network's only input (model-optimizer spec §3.4).
#pragma once
#include "importers/common/session.hpp"

namespace blobsmith::caffe {

/// Reads the picture that the options name and cuts what is subtracted out of it; it stands with the Parameter.
void set_mean_image(importers::Session& s);

}  // namespace blobsmith::caffe
