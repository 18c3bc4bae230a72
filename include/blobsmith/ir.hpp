// A model of a framework as OpenVINO IR: what Intel's Model Optimizer does.
//
// Threads: calls are independent of each other; one call uses one thread.
#pragma once
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "blobsmith/model.hpp"

namespace blobsmith {

struct IrOptions {
  std::map<std::string, Shape> input_shapes{};  ///< by input; needed where the model leaves a dimension open
  ConversionOptions conversion{};
  bool half_precision = false;  ///< constants and inputs of real numbers in FP16, not FP32
  bool quirks = true;           ///< exactly as Intel's tool, what it is known to compute wrong included
  int version = 10;             ///< of the IR: 10 (OpenVINO 2020 to 2022) or 11
  std::string target{};         ///< OpenVINO version whose reader decides, as in CompileOptions; "" = 2021.4
  std::string folder = ".";     ///< where the files go; made where it is missing
  std::string name{};           ///< of the files; "": the model's
  std::vector<std::pair<std::string, std::string>> parameters{};  ///< stated in the file, for information only
  Control control{};
};

struct IrResult {
  std::string xml, bin, mapping;  ///< paths; mapping: which layer computes which tensor of the model
  std::vector<Remark> remarks;    ///< as Model::remarks
};

/// Throws Error, or ErrorList with every layer that can't be converted, naming it.
IrResult write_ir(const std::string& path, const IrOptions& options = {});

}  // namespace blobsmith
