// pipeline.config of TensorFlow's Object Detection API: what a detector was made of (model-optimizer spec §7.3).
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "importers/common/text_message.hpp"

namespace blobsmith::tensorflow_file {

/// Fields are named by their paths below the architecture: "box_coder/faster_rcnn_box_coder/x_scale". Texts of numbers
/// are read with all their digits.
class DetectionPipeline {
 public:
  /// `path`: of the file; empty: an error that says which option states it. Throws FileNotFound, FileCorrupt.
  static DetectionPipeline read(const std::string& path);
  static DetectionPipeline parse(std::string_view text);

  const std::string& architecture() const { return architecture_; }  ///< "ssd", "faster_rcnn"
  bool has(const std::string& path) const { return !find(path).empty(); }
  std::optional<std::string> text(const std::string& path) const;
  std::optional<double> real(const std::string& path) const;
  double real(const std::string& path, double fallback) const { return real(path).value_or(fallback); }
  double needed_real(const std::string& path) const;  ///< throws BadOptionValue where it is missing
  std::vector<double> reals(const std::string& path) const;
  std::optional<int64_t> integer(const std::string& path) const;
  int64_t integer(const std::string& path, int64_t fallback) const { return integer(path).value_or(fallback); }
  int64_t needed_integer(const std::string& path) const;
  bool flag(const std::string& path, bool fallback) const;
  std::string needed_text(const std::string& path) const;

  /// How boxes are told from anchors: 1 / the scales of x, y, width, height.
  std::vector<double> variances() const;

 private:
  std::vector<std::string> find(const std::string& path) const;  ///< texts of scalars, or one empty text of a message

  std::shared_ptr<const importers::Message> file_;
  const importers::Message* model_ = nullptr;
  std::string architecture_;
};

}  // namespace blobsmith::tensorflow_file
