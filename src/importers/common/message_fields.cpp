#include "importers/common/message_fields.hpp"

#include <cstring>

namespace blobsmith::importers {
namespace {

/// Packed values of a fixed size lie in the file as they do in memory (little endian).
template <class T>
bool append(const Bytes& packed, std::vector<T>& list) {
  if (packed.size() % sizeof(T) != 0) return false;
  const size_t before = list.size();
  list.resize(before + packed.size() / sizeof(T));
  if (!packed.empty()) std::memcpy(list.data() + before, packed.data(), packed.size());
  packed.leave_memory();
  return true;
}

}  // namespace

MessageFields::MessageFields(const Bytes& message)
    : message_(message), reader_(reinterpret_cast<const char*>(message.data()), message.size()) {}

template <class Read>
auto MessageFields::checked(Read read) {
  taken_ = true;
  try {
    return read();
  } catch (const protozero::exception&) {
    throw BrokenMessage(ErrorCode::FileTruncated, "the file breaks off, or is no protocol buffer: in a message of " +
                                                      std::to_string(message_.size()) + " bytes");
  }
}

bool MessageFields::next() {
  const bool skip = !taken_;
  const bool more = checked([&] {
    if (skip) reader_.skip();
    return reader_.next();
  });
  taken_ = !more;
  return more;
}

MessageFields::Kind MessageFields::kind() const {
  switch (reader_.wire_type()) {
    case protozero::pbf_wire_type::varint: return Kind::Integer;
    case protozero::pbf_wire_type::fixed32: return Kind::Fixed32;
    case protozero::pbf_wire_type::fixed64: return Kind::Fixed64;
    case protozero::pbf_wire_type::length_delimited: return Kind::Bytes;
    default: return Kind::Other;
  }
}

Bytes MessageFields::bytes() {
  return checked([&] {
    const protozero::data_view v = reader_.get_view();
    return message_.slice(static_cast<size_t>(v.data() - reinterpret_cast<const char*>(message_.data())), v.size());
  });
}

std::string MessageFields::text() {
  return checked([&] { return reader_.get_string(); });
}
int64_t MessageFields::integer() {
  return checked([&] { return static_cast<int64_t>(reader_.get_uint64()); });
}
float MessageFields::float32() {
  return checked([&] { return reader_.get_float(); });
}
double MessageFields::float64() {
  return checked([&] { return reader_.get_double(); });
}

bool MessageFields::integers(std::vector<int64_t>& list) {
  if (kind() == Kind::Integer) return list.push_back(integer()), true;
  if (kind() != Kind::Bytes) return false;
  checked([&] {
    for (const uint64_t v : reader_.get_packed_uint64()) list.push_back(static_cast<int64_t>(v));
  });
  return true;
}
bool MessageFields::floats(std::vector<float>& list) {
  if (kind() == Kind::Fixed32) return list.push_back(float32()), true;
  return kind() == Kind::Bytes && append(bytes(), list);
}
bool MessageFields::doubles(std::vector<double>& list) {
  if (kind() == Kind::Fixed64) return list.push_back(float64()), true;
  return kind() == Kind::Bytes && append(bytes(), list);
}

}  // namespace blobsmith::importers
