#include "packaging/patch.hpp"

#include <bzlib.h>

#include <algorithm>
#include <string>
#include <string_view>

#include "core/error.hpp"

namespace blobsmith::packaging {
namespace {

constexpr std::string_view kMagic = "BSDIFF40";
constexpr size_t kHeaderBytes = 32;

[[noreturn]] void bad(const std::string& what) { throw Error(ErrorCode::BadBlob, "bad patch: " + what); }

/// 64 bits, little endian, the top bit a sign.
void put_number(std::vector<uint8_t>& to, int64_t v) {
  uint64_t bits = v < 0 ? (uint64_t{1} << 63) | (0 - static_cast<uint64_t>(v)) : static_cast<uint64_t>(v);
  for (int i = 0; i < 8; ++i, bits >>= 8) to.push_back(static_cast<uint8_t>(bits));
}

int64_t number_at(std::span<const uint8_t> bytes, size_t at) {
  uint64_t bits = 0;
  for (size_t i = 8; i-- > 0;) bits = bits << 8 | bytes[at + i];
  const auto size = static_cast<int64_t>(bits & ~(uint64_t{1} << 63));
  return bits >> 63 ? -size : size;
}

std::vector<uint8_t> compressed(std::span<const uint8_t> bytes) {
  bz_stream s{};
  if (BZ2_bzCompressInit(&s, 9, 0, 0) != BZ_OK) throw Error(ErrorCode::Internal, "bzip2 does not start");
  std::vector<uint8_t> out(600 + bytes.size() / 64);
  auto* next = const_cast<char*>(reinterpret_cast<const char*>(bytes.data()));  // the library only reads it
  size_t left = bytes.size(), written = 0;
  int state = BZ_RUN_OK;
  while (state != BZ_STREAM_END) {
    if (written == out.size()) out.resize(2 * out.size());
    const auto in = static_cast<unsigned>(std::min<size_t>(left, 1u << 30));
    const auto room = static_cast<unsigned>(std::min<size_t>(out.size() - written, 1u << 30));
    s.next_in = next;
    s.avail_in = in;
    s.next_out = reinterpret_cast<char*>(out.data() + written);
    s.avail_out = room;
    state = BZ2_bzCompress(&s, left == in ? BZ_FINISH : BZ_RUN);
    next += in - s.avail_in;
    left -= in - s.avail_in;
    written += room - s.avail_out;
  }
  BZ2_bzCompressEnd(&s);
  out.resize(written);
  return out;
}

/// A stream that is unpacked as it is asked for, so that no length in a file decides how much memory is taken.
class Unpacker {
 public:
  explicit Unpacker(std::span<const uint8_t> bytes) {
    if (BZ2_bzDecompressInit(&s_, 0, 0) != BZ_OK) throw Error(ErrorCode::Internal, "bzip2 does not start");
    s_.next_in = const_cast<char*>(reinterpret_cast<const char*>(bytes.data()));  // the library only reads it
    s_.avail_in = static_cast<unsigned>(bytes.size());
  }
  ~Unpacker() { BZ2_bzDecompressEnd(&s_); }
  Unpacker(const Unpacker&) = delete;
  Unpacker& operator=(const Unpacker&) = delete;

  void read(std::span<uint8_t> to) {
    s_.next_out = reinterpret_cast<char*>(to.data());
    s_.avail_out = static_cast<unsigned>(to.size());
    while (s_.avail_out > 0) {
      const unsigned before_in = s_.avail_in, before_out = s_.avail_out;
      const int state = BZ2_bzDecompress(&s_);
      if (state == BZ_STREAM_END && s_.avail_out == 0) return;
      if (state != BZ_OK || (s_.avail_in == before_in && s_.avail_out == before_out)) bad("a part of it is damaged");
    }
  }

 private:
  bz_stream s_{};
};

}  // namespace

std::vector<uint8_t> make_patch(std::span<const uint8_t> old_bytes, size_t old_head, std::span<const uint8_t> new_bytes,
                                size_t new_head) {
  std::vector<uint8_t> control, differences, extra;
  const auto step = [&](std::span<const uint8_t> from, std::span<const uint8_t> to) {
    const size_t common = std::min(from.size(), to.size());
    for (size_t i = 0; i < common; ++i) differences.push_back(static_cast<uint8_t>(to[i] - from[i]));
    extra.insert(extra.end(), to.begin() + static_cast<std::ptrdiff_t>(common), to.end());
    put_number(control, static_cast<int64_t>(common));
    put_number(control, static_cast<int64_t>(to.size() - common));
    put_number(control, static_cast<int64_t>(from.size() - common));
  };
  step(old_bytes.first(old_head), new_bytes.first(new_head));
  step(old_bytes.subspan(old_head), new_bytes.subspan(new_head));
  control = compressed(control);
  differences = compressed(differences);
  std::vector<uint8_t> patch(kMagic.begin(), kMagic.end());
  put_number(patch, static_cast<int64_t>(control.size()));
  put_number(patch, static_cast<int64_t>(differences.size()));
  put_number(patch, static_cast<int64_t>(new_bytes.size()));
  extra = compressed(extra);
  for (const auto* part : {&control, &differences, &extra}) patch.insert(patch.end(), part->begin(), part->end());
  return patch;
}

std::vector<uint8_t> apply_patch(std::span<const uint8_t> old_bytes, std::span<const uint8_t> patch, uint64_t most) {
  if (patch.size() < kHeaderBytes || !std::ranges::equal(patch.first(kMagic.size()), kMagic)) bad("it has no header");
  const int64_t control_size = number_at(patch, 8), difference_size = number_at(patch, 16);
  const int64_t new_size = number_at(patch, 24);
  const auto body = static_cast<int64_t>(patch.size() - kHeaderBytes);
  if (control_size < 0 || difference_size < 0 || control_size > body || difference_size > body - control_size)
    bad("its parts are longer than it is");
  if (new_size < 0 || static_cast<uint64_t>(new_size) > most)
    bad("it makes a blob of " + std::to_string(new_size) + " bytes");
  const auto part = [&](int64_t from, int64_t to) {
    return patch.subspan(kHeaderBytes + static_cast<size_t>(from), static_cast<size_t>(to - from));
  };
  Unpacker control(part(0, control_size)), differences(part(control_size, control_size + difference_size)),
      extra(part(control_size + difference_size, body));
  std::vector<uint8_t> made;
  int64_t at = 0;  // in the old bytes
  constexpr int64_t kPiece = 1 << 20;
  constexpr int kMostIdle = 1000;
  int idle = 0;
  const auto take = [&](Unpacker& from, int64_t count) {
    const int64_t end = static_cast<int64_t>(made.size()) + count;
    while (static_cast<int64_t>(made.size()) < end) {
      const size_t begin = made.size();
      made.resize(begin + static_cast<size_t>(std::min(kPiece, end - static_cast<int64_t>(begin))));
      from.read(std::span(made).subspan(begin));
    }
  };
  while (static_cast<int64_t>(made.size()) < new_size) {
    std::vector<uint8_t> step(24);
    control.read(step);
    const int64_t add = number_at(step, 0), insert = number_at(step, 8), move = number_at(step, 16);
    const int64_t left = new_size - static_cast<int64_t>(made.size());
    if (add < 0 || insert < 0 || add > left || insert > left - add) bad("a step leaves the blob");
    if (add == 0 && insert == 0 && ++idle > kMostIdle) bad("its steps do nothing");
    const size_t begin = made.size();
    take(differences, add);
    for (int64_t i = 0; i < add; ++i)
      if (at + i >= 0 && at + i < static_cast<int64_t>(old_bytes.size()))
        made[begin + static_cast<size_t>(i)] += old_bytes[static_cast<size_t>(at + i)];
    take(extra, insert);
    constexpr int64_t kFar = int64_t{1} << 40;
    if (move > kFar || move < -kFar) bad("a step leaves the blob");
    at += add + move;
    if (at > kFar || at < -kFar) bad("a step leaves the blob");
  }
  return made;
}

}  // namespace blobsmith::packaging
