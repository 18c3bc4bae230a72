// The text form of protocol buffers without a schema: Caffe has as many schemas as forks, and what nobody has read in
// the end is told from what does nothing (Message::unread).
//
//   name: "net"  layer { name: "conv1" convolution_param { pad: 1 kernel_size: [3, 3] } }
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.hpp"

namespace blobsmith::importers {

class Message {
 public:
  struct Field {
    std::string name;
    std::string text{};                  ///< of a scalar: its token, or the contents of the string
    std::unique_ptr<Message> message{};  ///< of a message
    int line = 0;
    mutable bool read = false;
  };

  const std::vector<Field>& fields() const { return fields_; }
  void add(Field f) { fields_.push_back(std::move(f)); }

  // What a field holds; the last one counts where a single value is asked for. Numbers are those of C's int64 and
  // float: others throw FileCorrupt naming the field.
  bool has(std::string_view name) const;
  const Message* message(std::string_view name) const;  ///< null: absent
  std::vector<const Message*> messages(std::string_view name) const;
  std::string text(std::string_view name, std::string_view fallback = {}) const;
  std::vector<std::string> texts(std::string_view name) const;
  int64_t integer(std::string_view name, int64_t fallback) const;
  std::vector<int64_t> integers(std::string_view name) const;
  double real(std::string_view name, float fallback) const;  ///< a float, widened
  std::vector<double> reals(std::string_view name) const;
  bool flag(std::string_view name, bool fallback) const;

  /// The first field, of this message or those in it, that nobody has asked for.
  const Field* unread() const;
  void mark_read(std::string_view name) const;

 private:
  const Field* last(std::string_view name) const;

  std::vector<Field> fields_;
};

/// Throws FileCorrupt naming the line.
Message parse_text(std::string_view text);

}  // namespace blobsmith::importers
