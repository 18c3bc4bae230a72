#include "packaging/bzip2.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "core/error.hpp"

namespace blobsmith::packaging {
namespace {

// A stream: "BZh9"; blocks, each with a magic number of 48 bits, its checksum of 32 bits and the rest; a magic number
// of 48 bits, the checksum of the blocks' checksums, zeros up to a whole byte.
constexpr size_t kHeaderBits = 32, kMagicBits = 48, kSumBits = 32;
constexpr uint64_t kBegin = 0x314159265359, kEnd = 0x177245385090;
// So many bytes make one block even if none is like the one before it (four equal ones become five).
constexpr size_t kMostInBlock = 700000;
// Runs of zeros that have a block of their own: powers of two. Longer ones are slow to make, and save few bytes.
constexpr int kShortest = 16, kLongest = 19;
constexpr size_t kZeroBlockBits = 512;  ///< blocks of zeros are shorter

/// At most 56, those that are there; zeros for others.
uint64_t bits_at(std::span<const uint8_t> bytes, size_t at, size_t count) {
  uint64_t value = 0;
  const size_t first = at / 8, used = at % 8 + count, words = (used + 7) / 8;
  for (size_t i = first; i < first + words; ++i) value = value << 8 | (i < bytes.size() ? bytes[i] : 0);
  return value >> (8 * words - used) & ((uint64_t{1} << count) - 1);
}

uint32_t sum_at(std::span<const uint8_t> bytes, size_t at) {
  return static_cast<uint32_t>(bits_at(bytes, at, kSumBits));
}

uint32_t with_sum(uint32_t sums, uint32_t sum) { return std::rotl(sums, 1) ^ sum; }

void put_end(BitString& to, uint32_t sum) {
  to.put(kEnd, kMagicBits);
  to.put(sum, kSumBits);
}

/// One block: the bytes of a stream of its own, and where in it the block ends.
struct Block {
  std::vector<uint8_t> stream;
  size_t end;
  uint32_t sum;
};

Block block_of(std::span<const uint8_t> bytes) {
  Block b{bzip2(bytes), 0, 0};
  const size_t all = 8 * b.stream.size(), tail = kMagicBits + kSumBits;
  b.sum = sum_at(b.stream, kHeaderBits + kMagicBits);
  for (size_t padding = 0; padding < 8 && b.end == 0; ++padding)
    if (const size_t end = all - tail - padding;
        bits_at(b.stream, end, kMagicBits) == kEnd && sum_at(b.stream, end + kMagicBits) == b.sum)
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

/// The next place of a magic number, or of the end of the bytes.
size_t find_magic(std::span<const uint8_t> bytes, size_t from) {
  // The second of the bytes that a number lies in is all its own: which shifts it leaves possible.
  static const std::array<uint8_t, 256> kShifts = [] {
    std::array<uint8_t, 256> shifts{};
    for (const uint64_t magic : {kBegin, kEnd})
      for (size_t shift = 0; shift < 8; ++shift)
        shifts[magic >> (kMagicBits - 16 + shift) & 255] |= static_cast<uint8_t>(1 << shift);
    return shifts;
  }();
  for (size_t i = from / 8; 8 * i + kMagicBits <= 8 * bytes.size(); ++i) {
    const uint8_t shifts = kShifts[bytes[i + 1]];
    for (size_t shift = 0; shifts >> shift != 0; ++shift) {
      const size_t at = 8 * i + shift;
      if ((shifts >> shift & 1) == 0 || at < from) continue;
      if (const uint64_t bits = bits_at(bytes, at, kMagicBits); bits == kBegin || bits == kEnd) return at;
    }
  }
  return 8 * bytes.size();
}

}  // namespace

std::vector<uint8_t> bzip2(std::span<const uint8_t> bytes) {
  // Room for the blocks is made ready in any case, so they are as small as may be.
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

void BitString::put(uint64_t bits, size_t count) {
  while (count > 0) {
    if (size_ % 8 == 0) bytes_.push_back(0);
    const size_t room = 8 - size_ % 8, some = std::min(room, count);
    count -= some;
    const auto piece = static_cast<uint8_t>(bits >> count & ((1u << some) - 1));
    bytes_.back() |= static_cast<uint8_t>(piece << (room - some));
    size_ += some;
  }
}

void BitString::put(std::span<const uint8_t> from, size_t begin, size_t end) {
  constexpr size_t kAtOnce = 48;
  for (; begin + kAtOnce <= end; begin += kAtOnce) put(bits_at(from, begin, kAtOnce), kAtOnce);
  put(bits_at(from, begin, end - begin), end - begin);
}

void Bzip2Writer::bytes(std::span<const uint8_t> bytes) {
  put_zeros();
  while (pending_.size() + bytes.size() > kMostInBlock) {
    const size_t some = kMostInBlock - std::min(pending_.size(), kMostInBlock);  // zeros may have come on top
    pending_.insert(pending_.end(), bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(some));
    put_pending();
    bytes = bytes.subspan(some);
  }
  pending_.insert(pending_.end(), bytes.begin(), bytes.end());
}

void Bzip2Writer::put_zeros() {
  if (zeros_ >> kShortest != 0) put_pending();
  for (int exponent = kLongest; exponent >= kShortest; --exponent)
    for (; zeros_ >> exponent != 0; zeros_ -= uint64_t{1} << exponent) {
      const Block& b = zeros_block(exponent);
      put_block(b.stream, b.end, b.sum);
    }
  pending_.resize(pending_.size() + static_cast<size_t>(std::exchange(zeros_, 0)));
}

void Bzip2Writer::put_pending() {
  if (pending_.empty()) return;
  const Block b = block_of(pending_);
  put_block(b.stream, b.end, b.sum);
  pending_.clear();
}

void Bzip2Writer::put_block(std::span<const uint8_t> stream, size_t end, uint32_t sum) {
  stream_.put(stream, kHeaderBits, end);
  sum_ = with_sum(sum_, sum);
  has_block_ = true;
}

std::vector<uint8_t> Bzip2Writer::finish() {
  put_zeros();
  if (!has_block_) return bzip2(pending_);
  put_pending();
  put_end(stream_, sum_);
  return stream_.take();
}

std::optional<uint64_t> ZeroBlocks::find(const std::vector<uint8_t>& block) const {
  const std::lock_guard lock(guard_);
  const auto found = std::ranges::find(known_, block, [](const auto& k) -> const auto& { return k.first; });
  return found == known_.end() ? std::nullopt : std::optional(found->second);
}

void ZeroBlocks::add(const std::vector<uint8_t>& block, uint64_t zeros) {
  constexpr size_t kMost = 16;  // a file decides how many there are
  const std::lock_guard lock(guard_);
  if (known_.size() < kMost) known_.emplace_back(block, zeros);
}

Bunzip2::Bunzip2(std::span<const uint8_t> bytes, ZeroBlocks& known) : bytes_(bytes), known_(known), at_(kHeaderBits) {}

void Bunzip2::close() {
  if (std::exchange(open_, false)) BZ2_bzDecompressEnd(&s_);
}

bool Bunzip2::next_block() {
  if (bits_at(bytes_, at_, kMagicBits) != kBegin) return false;
  const size_t begin = at_;
  at_ = find_magic(bytes_, begin + kMagicBits);
  const uint32_t sum = sum_at(bytes_, begin + kMagicBits);
  sum_ = with_sum(sum_, sum);
  const uint64_t next = bits_at(bytes_, at_, kMagicBits);
  if (next != kBegin && (next != kEnd || sum_at(bytes_, at_ + kMagicBits) != sum_)) return false;
  BitString stream(bytes_.first(kHeaderBits / 8));
  stream.put(bytes_, begin, at_);
  put_end(stream, sum);
  block_ = stream.take();
  all_zero_ = at_ - begin < kZeroBlockBits;
  unpacked_ = 0;
  if (all_zero_)
    if (const auto zeros = known_.find(block_)) {
      zeros_ = *zeros;
      return true;
    }
  s_ = {};
  if (BZ2_bzDecompressInit(&s_, 0, 0) != BZ_OK) throw Error(ErrorCode::Internal, "bzip2 does not start");
  open_ = true;
  s_.next_in = reinterpret_cast<char*>(block_.data());
  s_.avail_in = static_cast<unsigned>(block_.size());
  return true;
}

uint64_t Bunzip2::pass_zeros(uint64_t most) {
  const uint64_t some = std::min(most, zeros_);
  zeros_ -= some;
  return some;
}

bool Bunzip2::read(std::span<uint8_t> to) {
  while (!to.empty()) {
    if (const auto zeros = static_cast<size_t>(pass_zeros(to.size())); zeros > 0) {
      std::ranges::fill(to.first(zeros), uint8_t{0});
      to = to.subspan(zeros);
      continue;
    }
    if (!open_) {
      if (!next_block()) return false;
      continue;
    }
    const auto room = static_cast<unsigned>(std::min<size_t>(to.size(), 1u << 30));
    s_.next_out = reinterpret_cast<char*>(to.data());
    s_.avail_out = room;
    const int state = BZ2_bzDecompress(&s_);
    const size_t made = room - s_.avail_out;
    unpacked_ += made;
    all_zero_ = all_zero_ && std::ranges::all_of(to.first(made), [](uint8_t b) { return b == 0; });
    to = to.subspan(made);
    if (state == BZ_STREAM_END) {
      if (all_zero_) known_.add(block_, unpacked_);
      close();
    } else if (state != BZ_OK || made == 0) {
      return false;
    }
  }
  return true;
}

}  // namespace blobsmith::packaging
