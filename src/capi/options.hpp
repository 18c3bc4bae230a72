// Options as JSON, as other languages give them, into the library's structs.
#pragma once
#include <nlohmann/json.hpp>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "blobsmith/blobsmith.h"
#include "blobsmith/check.hpp"
#include "blobsmith/compare.hpp"
#include "blobsmith/compile.hpp"
#include "blobsmith/estimate.hpp"

namespace blobsmith::capi {

using Json = nlohmann::ordered_json;

/// The members of one call. Every getter throws BadOptionValue for a value of another type, naming it; `finish` throws
/// UnknownOption for the first member that nobody asked for, with the nearest name that there is.
class Options {
 public:
  /// Throws BadOptionValue for what is no JSON object; null is one without members.
  explicit Options(const char* text);

  bool has(const std::string& name);
  std::string text(const std::string& name, const std::string& otherwise = {});
  int64_t integer(const std::string& name, int64_t otherwise);
  double number(const std::string& name, double otherwise);
  bool flag(const std::string& name, bool otherwise);
  std::optional<TensorType> precision(const std::string& name);
  std::map<std::string, TensorType> precisions(const std::string& name);
  std::map<std::string, std::string> texts(const std::string& name);
  std::vector<std::string> list(const std::string& name);
  std::map<std::string, Shape> shapes(const std::string& name);
  std::map<std::string, double> numbers(const std::string& name);
  /// The value as it is; null where there is none.
  Json value(const std::string& name);
  void finish() const;

 private:
  Json members_;
  std::set<std::string> known_;
};

/// The model of a call: "model", or the files in memory, the model first.
ModelFile model_file(Options& o, std::span<const blobsmith_file> files);
/// Bytes of the one file of a call: in memory, or at the path that option `name` has.
std::vector<uint8_t> one_file(Options& o, const std::string& name, std::span<const blobsmith_file> files);
ConversionOptions conversion_options(Options& o);
CameraOptions camera_options(Options& o);
ConvertOptions convert_options(Options& o);
CompileOptions compile_options(Options& o);

}  // namespace blobsmith::capi
