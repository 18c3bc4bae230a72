// The way from MXNet's files to a graph, as Model Optimizer 2021.4.2 goes it.
#pragma once
#include "importers/common/framework_operator.hpp"
#include "importers/import.hpp"

namespace blobsmith {

/// `path`: the .params or the -symbol.json; the other one is named by the options or lies beside it.
Imported import_mxnet(const std::string& path, const ImportOptions& options);
/// The contents of both files; `name` of the network.
Imported import_mxnet(const Bytes& symbol, const Bytes& parameters, const std::string& name,
                      const ImportOptions& options);

std::vector<FrameworkOperator> mxnet_operators();

}  // namespace blobsmith
