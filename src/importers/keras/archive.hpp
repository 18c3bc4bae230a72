// Files in a ZIP archive. All that touches libzip is behind this header.
#pragma once
#include <memory>
#include <optional>
#include <string>

#include "core/bytes.hpp"

namespace blobsmith::keras_file {

class Archive {
 public:
  /// Throws FileCorrupt.
  explicit Archive(Bytes file);
  /// The contents of a file by its name; where they are not compressed, as they lie in the archive. Throws FileCorrupt,
  /// FileTooLarge.
  std::optional<Bytes> find(const std::string& name) const;

 private:
  Bytes file_;
  std::shared_ptr<void> zip_;
};

}  // namespace blobsmith::keras_file
