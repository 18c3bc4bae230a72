// The fields of a message in the wire form of protocol buffers, where they lie: values are parts of the (mapped) file,
// not copies.
//
//   for (MessageFields f(message); f.next();)
//     if (f.is(3, MessageFields::Kind::Bytes)) name = f.text();   // fields that nobody takes are passed over
#pragma once
#include <protozero/pbf_reader.hpp>
#include <string>
#include <vector>

#include "core/bytes.hpp"

namespace blobsmith::importers {

/// What MessageFields throws (FileTruncated): the bytes break off, or are no protocol buffer.
class BrokenMessage : public Error {
 public:
  using Error::Error;
};

class MessageFields {
 public:
  enum class Kind { Integer, Fixed32, Fixed64, Bytes, Other };

  /// `message` must live as long as this.
  explicit MessageFields(const Bytes& message);
  explicit MessageFields(Bytes&&) = delete;

  /// Goes on to the next field, past the present one if it wasn't taken. Throws BrokenMessage, as all that follow.
  bool next();
  int number() const { return static_cast<int>(reader_.tag()); }
  Kind kind() const;
  bool is(int number_wanted, Kind kind_wanted) const { return number() == number_wanted && kind() == kind_wanted; }

  // Each takes the present field, once; `kind` must be as the name says.
  Bytes bytes();
  std::string text();
  int64_t integer();
  float float32();
  double float64();

  // A field of a list: one value, or many in a row (packed); none where the kind is another. They are appended.
  bool integers(std::vector<int64_t>& list);
  bool floats(std::vector<float>& list);
  bool doubles(std::vector<double>& list);

 private:
  template <class Read>
  auto checked(Read read);

  const Bytes& message_;
  protozero::pbf_reader reader_;
  bool taken_ = true;
};

}  // namespace blobsmith::importers
