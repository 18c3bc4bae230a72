// `blobsmith run` of a model instead of a blob, and what both print.
#pragma once
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "blobsmith/files.hpp"
#include "cli/run_options.hpp"

namespace blobsmith::cli {

/// Computes the model in FP32, as its operations are defined. Returns the exit code.
int run_model_file(const RunArguments& options);

/// Writes DIR/<name>.npy where --output-dir is given; says what was written.
nlohmann::ordered_json write_output(const std::string& name, const std::vector<int64_t>& shape,
                                    const ValueSource& values, const RunArguments& options);
void print_outputs(const nlohmann::ordered_json& outputs);

}  // namespace blobsmith::cli
