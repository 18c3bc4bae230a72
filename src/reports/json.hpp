// Results of the library as JSON: what the command prints with --json and what the C interface hands out. Numbers that
// JSON has no words for (infinite, none) are null; text that is no UTF-8 is replaced.
#pragma once
#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>

#include "blobsmith/check.hpp"
#include "blobsmith/compare.hpp"
#include "blobsmith/error.hpp"
#include "blobsmith/estimate.hpp"

namespace blobsmith::reports {

using Json = nlohmann::ordered_json;

/// {"code": "BS2003", "message", and, where there are: "file", "layer", "type", "source", "why", "hint"}
Json of_error(const Error& e);
/// What a conversion did, without the file that it wrote.
Json of_conversion(const CompileResult& r, const std::string& target);
/// {"stages": [{"name", "layer", "type", "source"}], "layers": [{"name", "type", "stages", "source", "inside"}]}: which
/// stages of the blob compute which layers of the model, in their orders.
Json of_layers(const CompileResult& r);
Json of_check(const std::string& model, const CheckResult& r);
Json of_comparison(const std::string& model, const std::string& blob, double tolerance, const CompareResult& r);
Json of_estimate(const std::string& file, const Estimate& e);
Json of_estimate(const std::string& file, const EstimateResult& r);
Json of_ports(const std::vector<BlobPort>& ports);
Json of_measurement(const Measurement& m);

/// As text, one space a level.
std::string text(const Json& j);

}  // namespace blobsmith::reports
