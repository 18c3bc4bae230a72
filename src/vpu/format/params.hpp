// Stage parameters declare their fields once; writing, reading and dumping use the same declaration.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.hpp"
#include "core/float16.hpp"

namespace blobsmith::vpu {

/// Visits the fields of a parameter struct in the order of the blob. A writer appends their bytes, a reader fills them
/// (throwing BadBlob when bytes run out), a dumper prints them.
class FieldArchive {
 public:
  virtual ~FieldArchive() = default;
  virtual void word(std::string_view name, int32_t& v) = 0;
  virtual void word(std::string_view name, uint32_t& v) = 0;
  virtual void word(std::string_view name, float& v) = 0;
  virtual void half(std::string_view name, Half& v) = 0;
  virtual void words(std::string_view name, std::vector<int32_t>& v) = 0;  ///< a count word, then that many words
  virtual void words(std::string_view name, std::vector<float>& v) = 0;
  /// Opens a list of structs; the count (already visited as a field) is given. A reader is told how many will come.
  virtual void begin_item(std::string_view list, int index) = 0;
  virtual void end_item() = 0;
  /// Of parameters that are not yet as the blob has them, dimensions and the like: only dumps show it.
  virtual void text(std::string_view, const std::string&) {}
  virtual bool reading() const = 0;  ///< true: fields are being filled
  /// Reading: the bytes of the parameters not read so far; a few stages tell optional fields by it.
  virtual size_t remaining() const { return 0; }
};

struct StageParams {
  virtual ~StageParams() = default;
  virtual void fields(FieldArchive&) {}  ///< none by default
};

/// Visits fields that the archive only looks at.
inline void show_fields(const StageParams& p, FieldArchive& a) {
  ensure(!a.reading(), "fields of constant parameters");
  const_cast<StageParams&>(p).fields(a);
}

/// A vector of structs with a member `void fields(FieldArchive&)`, preceded by its count word.
template <class T>
void list_field(FieldArchive& a, std::string_view count_name, std::string_view name, std::vector<T>& v) {
  auto n = static_cast<uint32_t>(v.size());
  a.word(count_name, n);
  if (a.reading()) v.clear();
  for (uint32_t i = 0; i < n; ++i) {
    a.begin_item(name, static_cast<int>(i));
    if (a.reading()) v.emplace_back();  // one at a time: a hostile count runs out of bytes before it runs out of memory
    v[i].fields(a);
    a.end_item();
  }
}

}  // namespace blobsmith::vpu
