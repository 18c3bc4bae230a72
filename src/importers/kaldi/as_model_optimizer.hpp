// The way from Kaldi's files to a graph, as Model Optimizer 2021.4.2 goes it.
#pragma once
#include "importers/common/framework_operator.hpp"
#include "importers/import.hpp"

namespace blobsmith {

Imported import_kaldi(const std::string& path, const ImportOptions& options);
/// The contents of a file; `name` of the network.
Imported import_kaldi(const Bytes& bytes, const std::string& name, const ImportOptions& options);

std::vector<FrameworkOperator> kaldi_operators();

}  // namespace blobsmith
