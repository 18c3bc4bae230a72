// Where the bytes of models and results are: in a folder, in the database, or in a store that speaks S3. The key of an
// object is the sha256 of its contents.
#pragma once
#include <memory>
#include <optional>
#include <string>

#include "serve/storage/sql.hpp"

namespace blobsmith::serve {

class Objects {
 public:
  virtual ~Objects() = default;
  /// Takes the file away (or copies it); it is there as a whole, and stays, when the call returns.
  virtual void put(const std::string& key, const std::string& file) = 0;
  /// A file with the contents: the stored one, or a copy at `place`. Nothing where there is no such object.
  virtual std::optional<std::string> get(const std::string& key, const std::string& place) = 0;
  virtual void remove(const std::string& key) = 0;
  virtual bool copies() const = 0;  ///< get() makes a copy, which the caller has to remove
};

std::unique_ptr<Objects> objects_in_folder(const std::string& folder);
/// In tables of a database that is shared.
std::unique_ptr<Objects> objects_in_database(Sql& sql);
struct S3Options {
  std::string endpoint;  ///< "http://127.0.0.1:9000"
  std::string bucket, prefix, region = "us-east-1";
  std::string access_key, secret_key;  ///< from AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY
};
std::unique_ptr<Objects> objects_in_s3(S3Options options);

/// "folder:/path", "database", "s3://bucket/prefix?endpoint=http://...&region=...".
std::unique_ptr<Objects> open_objects(const std::string& where, Sql& sql);

/// Hexadecimal.
std::string sha256_of_file(const std::string& path);
std::string sha384_of_file(const std::string& path);
std::string sha256_of(std::string_view bytes);
/// Moves, also to another file system; on the disk when the call returns. Throws std::system_error.
void move_file(const std::string& from, const std::string& to);

}  // namespace blobsmith::serve
