// A tensor of a TensorFlow protobuf message.
#pragma once
#include <string>

#include "importers/tensorflow/file.hpp"
#include "importers/tensorflow/graph.pb.h"

namespace blobsmith::tensorflow_file {

/// kDynamic where a dimension is open; absent: not even the rank is known. Throws FileCorrupt naming `who`.
std::optional<Shape> read_shape(const tensorflow_proto::TensorShapeProto& s, const std::string& who);
/// Takes the bytes out of `t`; `content`: they lie there instead, if not empty. The last of the values that are listed
/// repeats; none at all are zeros. Throws FileCorrupt naming `who`.
Tensor take_tensor(tensorflow_proto::TensorProto& t, const std::string& who, const Bytes& content = {});

}  // namespace blobsmith::tensorflow_file
