#include "packaging/bzip2.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <mutex>

#include "core/error.hpp"

namespace blobsmith::packaging {
namespace {

/// As libbz2 makes it: one block of up to 900 kB, or several of that size. Room for the block is made ready in any
/// case, so it is as small as may be.
std::vector<uint8_t> whole_stream(std::span<const uint8_t> bytes) {
  constexpr size_t kUnit = 100000;
  const size_t most_packed = bytes.size() + bytes.size() / 4;  // four equal bytes become five
  bz_stream s{};
  if (BZ2_bzCompressInit(&s, static_cast<int>(std::min<size_t>(most_packed / kUnit + 1, 9)), 0, 0) != BZ_OK)
    throw Error(ErrorCode::Internal, "bzip2 does not start");
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

// A stream: "BZh9"; blocks, each with a magic number of 48 bits, its checksum of 32 bits and the rest; a magic number
// of 48 bits, the checksum of the blocks' checksums, zeros up to a whole byte.
constexpr size_t kHeaderBits = 32, kMagicBits = 48, kSumBits = 32;
constexpr uint64_t kEnd = 0x177245385090;
// So many bytes make one block even if none is like the one before it (four equal ones become five).
constexpr size_t kMostInBlock = 700000;
constexpr int kShortest = 17, kLongest = 22;  ///< runs of zeros that have a block of their own: powers of two

uint64_t bits_at(std::span<const uint8_t> bytes, size_t at, size_t count) {
  uint64_t value = 0;
  for (size_t i = at; i < at + count; ++i) value = value << 1 | (bytes[i / 8] >> (7 - i % 8) & 1);
  return value;
}

/// One block: the bytes of a stream of its own, and which bits of them it is.
struct Block {
  std::vector<uint8_t> stream;
  size_t end;
  uint32_t sum;
};

Block block_of(std::span<const uint8_t> bytes) {
  Block b{whole_stream(bytes), 0, 0};
  const size_t all = 8 * b.stream.size(), tail = kMagicBits + kSumBits;
  b.sum = static_cast<uint32_t>(bits_at(b.stream, kHeaderBits + kMagicBits, kSumBits));
  for (size_t padding = 0; padding < 8 && b.end == 0; ++padding)
    if (const size_t end = all - tail - padding;
        bits_at(b.stream, end, kMagicBits) == kEnd && bits_at(b.stream, end + kMagicBits, kSumBits) == b.sum)
      b.end = end;
  ensure(b.end != 0, "a bzip2 stream of one block ends with its checksum");
  return b;
}

/// Of 2^exponent zeros.
const Block& zeros_block(int exponent) {
  static std::array<std::once_flag, kLongest + 1> made;
  static std::array<Block, kLongest + 1> blocks;
  const auto i = static_cast<size_t>(exponent);
  std::call_once(made[i], [&] { blocks[i] = block_of(std::vector<uint8_t>(size_t{1} << exponent)); });
  return blocks[i];
}

/// A stream that grows block by block.
class Stream {
 public:
  void add(const Block& b) {
    size_t at = kHeaderBits;
    for (; at + 8 <= b.end; at += 8) put(b.stream[at / 8], 8);  // the header is of whole bytes
    put(b.stream[at / 8] >> (8 - (b.end - at)), b.end - at);
    sum_ = std::rotl(sum_, 1) ^ b.sum;
  }

  std::vector<uint8_t> finish() {
    for (int shift = 40; shift >= 0; shift -= 8) put(kEnd >> shift & 255, 8);
    for (int shift = 24; shift >= 0; shift -= 8) put(sum_ >> shift & 255, 8);
    return std::move(bytes_);
  }

 private:
  /// Of `bits` the lowest `count`, 8 at most.
  void put(uint64_t bits, size_t count) {
    if (count == 0) return;
    const auto top = static_cast<uint8_t>(bits << (8 - count));  // left-aligned
    if (used_ % 8 == 0) {
      bytes_.push_back(top);
    } else {
      bytes_.back() |= static_cast<uint8_t>(top >> used_ % 8);
      if (used_ % 8 + count > 8) bytes_.push_back(static_cast<uint8_t>(top << (8 - used_ % 8)));
    }
    used_ += count;
  }

  std::vector<uint8_t> bytes_{'B', 'Z', 'h', '9'};
  size_t used_ = kHeaderBits;  ///< bits
  uint32_t sum_ = 0;
};

/// How many zeros it begins with.
size_t zeros_before(std::span<const uint8_t> bytes) {
  constexpr size_t kAtOnce = 64;
  size_t n = 0;
  const auto is_zero = [](uint8_t b) { return b == 0; };
  while (n + kAtOnce <= bytes.size()) {
    uint8_t any = 0;
    for (size_t i = 0; i < kAtOnce; ++i) any |= bytes[n + i];
    if (any != 0) break;
    n += kAtOnce;
  }
  return n + static_cast<size_t>(std::ranges::find_if_not(bytes.subspan(n), is_zero) - bytes.subspan(n).begin());
}

}  // namespace

std::vector<uint8_t> bzip2(std::span<const uint8_t> bytes) {
  if (bytes.size() < size_t{1} << kShortest) return whole_stream(bytes);
  Stream stream;
  size_t begin = 0;  // of what is not yet in a block
  const auto flush = [&](size_t end) {
    while (begin < end) {
      const size_t count = std::min(end - begin, kMostInBlock);
      stream.add(block_of(bytes.subspan(begin, count)));
      begin += count;
    }
  };
  for (size_t at = 0; at < bytes.size();) {
    size_t zeros = zeros_before(bytes.subspan(at));
    if (zeros >> kShortest != 0) {
      flush(at);
      for (int exponent = kLongest; exponent >= kShortest; --exponent)
        for (; zeros >> exponent != 0; zeros -= size_t{1} << exponent, begin += size_t{1} << exponent)
          stream.add(zeros_block(exponent));
      at = begin;
    }
    at += zeros;
    at = static_cast<size_t>(std::ranges::find(bytes.subspan(std::min(at, bytes.size())), 0) - bytes.begin());
  }
  flush(bytes.size());
  return stream.finish();
}

Bunzip2::Bunzip2(std::span<const uint8_t> bytes) {
  if (BZ2_bzDecompressInit(&s_, 0, 0) != BZ_OK) throw Error(ErrorCode::Internal, "bzip2 does not start");
  s_.next_in = const_cast<char*>(reinterpret_cast<const char*>(bytes.data()));  // the library only reads it
  s_.avail_in = static_cast<unsigned>(bytes.size());
}

bool Bunzip2::read(std::span<uint8_t> to) {
  s_.next_out = reinterpret_cast<char*>(to.data());
  s_.avail_out = static_cast<unsigned>(to.size());
  while (s_.avail_out > 0) {
    const unsigned before_in = s_.avail_in, before_out = s_.avail_out;
    const int state = BZ2_bzDecompress(&s_);
    if (state == BZ_STREAM_END && s_.avail_out == 0) return true;
    if (state != BZ_OK || (s_.avail_in == before_in && s_.avail_out == before_out)) return false;
  }
  return true;
}

}  // namespace blobsmith::packaging
