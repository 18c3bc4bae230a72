// The parts of an HDF5 file that Keras writes. All that touches the HDF5 library is behind this header.
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "graph/graph.hpp"

namespace blobsmith::keras_file {

class Hdf5 {
 public:
  /// Throws FileCorrupt.
  explicit Hdf5(const std::string& path);
  explicit Hdf5(const Bytes& file);  ///< the contents of a file

  bool has(const std::string& path) const;  ///< every part of the path is there
  /// An attribute of a group: one text, or several.
  std::optional<std::string> text(const std::string& group, const std::string& attribute) const;
  /// A list that does not fit into one attribute is in attribute0, attribute1, ...
  std::vector<std::string> texts(const std::string& group, const std::string& attribute) const;
  std::vector<std::string> children(const std::string& group) const;  ///< by name
  bool is_dataset(const std::string& path) const;
  /// Numbers; f16 and f64 become f32. Throws FileCorrupt, TypeMismatch naming the path.
  Tensor dataset(const std::string& path) const;

 private:
  std::shared_ptr<const int64_t> file_;  ///< the library's handle
  Bytes contents_;                       ///< of the file
};

}  // namespace blobsmith::keras_file
