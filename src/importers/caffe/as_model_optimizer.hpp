// The way from Caffe's files to a graph, as Model Optimizer 2021.4.2 goes it.
#pragma once
#include "importers/common/framework_operator.hpp"
#include "importers/import.hpp"

namespace blobsmith {

/// `path`: the .caffemodel or the .prototxt; the other one is named by the options or lies beside it.
Imported import_caffe(const std::string& path, const ImportOptions& options);
/// The contents of both files.
Imported import_caffe(const Bytes& prototxt, const Bytes& caffemodel, const ImportOptions& options);

std::vector<FrameworkOperator> caffe_operators();

}  // namespace blobsmith
