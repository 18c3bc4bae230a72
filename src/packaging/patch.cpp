#include "packaging/patch.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <string>
#include <string_view>

#include "core/error.hpp"
#include "packaging/bzip2.hpp"

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

// What is looked up, and how far apart the places are that the table has.
constexpr size_t kRun = 24, kStride = 8;
// As many bytes more has a piece elsewhere to agree in before it is taken: a control triple is not free.
constexpr size_t kGain = 16;
constexpr size_t kWeighed = 256;  // of a piece, so that what is periodic costs no square of its length

uint64_t word_at(const uint8_t* bytes) {
  uint64_t word;
  std::memcpy(&word, bytes, sizeof word);
  return word;
}

/// A piece of the new file that is made of one of the old file.
struct Piece {
  size_t old_at, new_at, size;
  size_t old_end() const { return old_at + size; }
  size_t new_end() const { return new_at + size; }
};

/// The number of steps that agree most, of `most`: each that does counts for one that does not.
template <typename Agrees>
size_t best_extension(size_t most, Agrees agrees) {
  size_t best = 0;
  int64_t score = 0, highest = 0;
  for (size_t i = 0; i < most; ++i) {
    score += agrees(i) ? 1 : -1;
    if (score > highest) highest = score, best = i + 1;
    if (score + static_cast<int64_t>(most - i) <= highest) break;
  }
  return best;
}

/// Shares out the bytes between two pieces as far as they resemble what comes behind the first, before the second.
void close_gap(std::span<const uint8_t> old_bytes, std::span<const uint8_t> gap, Piece& first, Piece& second) {
  const auto behind = [&](size_t i) { return old_bytes[first.old_end() + i] == gap[i]; };
  const auto before = [&](size_t i) { return old_bytes[second.old_at - 1 - i] == gap[gap.size() - 1 - i]; };
  size_t forward = best_extension(std::min(gap.size(), old_bytes.size() - first.old_end()), behind);
  size_t backward = best_extension(std::min(gap.size(), second.old_at), before);
  if (forward + backward > gap.size()) {  // both want the middle: cut it where most agrees
    const size_t begin = gap.size() - backward;
    int64_t score = 0, highest = 0;
    size_t cut = begin;
    for (size_t i = begin; i < forward; ++i) {
      score += static_cast<int64_t>(behind(i)) - static_cast<int64_t>(before(gap.size() - 1 - i));
      if (score > highest) highest = score, cut = i + 1;
    }
    forward = cut;
    backward = gap.size() - cut;
  }
  first.size += forward;
  second = {second.old_at - backward, second.new_at - backward, second.size + backward};
}

void put_differences(Bzip2Writer& to, std::span<const uint8_t> old_bytes, const Parts& file, const Piece& piece) {
  std::vector<uint8_t> room;
  std::array<uint8_t, 64> some;
  for (size_t at = 0; at < piece.size;) {
    const size_t same = file.same_as(old_bytes, piece.old_at + at, piece.new_at + at, piece.size - at);
    to.zeros(same);
    at += same;
    const size_t count = std::min(some.size(), piece.size - at);
    const std::span<const uint8_t> now = file.bytes(piece.new_at + at, count, room);
    for (size_t i = 0; i < count; ++i) some[i] = static_cast<uint8_t>(now[i] - old_bytes[piece.old_at + at + i]);
    to.bytes(std::span(some).first(count));
    at += count;
  }
}

}  // namespace

PatchMaker::PatchMaker(std::span<const uint8_t> old_bytes) : old_(old_bytes) {
  bits_ = std::max(8, static_cast<int>(std::bit_width(old_.size() / kStride)));
  places_.resize(size_t{1} << bits_);
  for (size_t at = old_.size() / kStride * kStride; at > 0;) {  // of equal runs the first is kept
    at -= kStride;
    if (at + kRun <= old_.size()) places_[slot_of(&old_[at])] = static_cast<uint32_t>(at + 1);
  }
}

size_t PatchMaker::slot_of(const uint8_t* bytes) const {
  constexpr uint64_t kOdd = 0x9E3779B97F4A7C15;
  uint64_t hash = 0;
  for (size_t i = 0; i < kRun; i += 8) hash = (std::rotl(hash, 29) ^ word_at(bytes + i)) * kOdd;
  return static_cast<size_t>(hash >> (64 - bits_));
}

std::vector<uint8_t> PatchMaker::patch_to(const Parts& file) const {
  std::vector<Piece> pieces{{0, 0, 0}};
  std::vector<uint8_t> room;
  std::span<const uint8_t> part;  // of the file, from part_at on
  size_t part_at = 0;
  for (size_t at = 0; at + kRun <= file.size();) {
    if (at - part_at >= part.size()) part = file.rest(part_at = at);
    const size_t in_part = at - part_at;
    const uint8_t* run = in_part + kRun <= part.size() ? &part[in_part] : file.bytes(at, kRun, room).data();
    const uint64_t word = word_at(run);  // most runs differ here already
    Piece& last = pieces.back();
    const size_t here = last.old_end() + (at - last.new_end());  // the old byte if the last piece goes on
    if (here + kRun <= old_.size() && word_at(&old_[here]) == word)
      if (const size_t same = file.same_as(old_, here, at, file.size()); same >= kRun) {
        last.size = at + same - last.new_at;
        at += same;
        continue;
      }
    const uint32_t place = places_[slot_of(run)];
    if (place != 0 && word_at(&old_[place - 1]) == word) {
      const size_t same = file.same_as(old_, place - 1, at, kWeighed);
      const std::span<const uint8_t> weighed = file.bytes(at, same, room);
      const std::span<const uint8_t> going_on = old_.subspan(std::min(here, old_.size()));
      size_t anyway = 0;
      for (size_t i = 0; i < std::min(same, going_on.size()); ++i) anyway += going_on[i] == weighed[i];
      if (same >= kRun && same >= anyway + kGain) {
        pieces.push_back({place - 1, at, file.same_as(old_, place - 1, at, file.size())});
        at += pieces.back().size;
        continue;
      }
    }
    ++at;
  }
  pieces.push_back({old_.size(), file.size(), 0});
  for (size_t i = 1; i < pieces.size(); ++i) {
    Piece &first = pieces[i - 1], &second = pieces[i];
    close_gap(old_, file.bytes(first.new_end(), second.new_at - first.new_end(), room), first, second);
  }

  std::vector<uint8_t> control, extra;
  Bzip2Writer differences;
  const Piece end{old_.size(), file.size(), 0};
  for (size_t i = 0; i < pieces.size(); ++i) {
    const Piece &piece = pieces[i], &next = i + 1 < pieces.size() ? pieces[i + 1] : end;
    put_differences(differences, old_, file, piece);
    const std::span<const uint8_t> between = file.bytes(piece.new_end(), next.new_at - piece.new_end(), room);
    extra.insert(extra.end(), between.begin(), between.end());
    put_number(control, static_cast<int64_t>(piece.size));
    put_number(control, static_cast<int64_t>(between.size()));
    put_number(control, static_cast<int64_t>(next.old_at) - static_cast<int64_t>(piece.old_end()));
  }
  std::vector<uint8_t> patch(kMagic.begin(), kMagic.end());
  control = bzip2(control);
  extra = bzip2(extra);
  std::vector<uint8_t> difference = differences.finish();
  put_number(patch, static_cast<int64_t>(control.size()));
  put_number(patch, static_cast<int64_t>(difference.size()));
  put_number(patch, static_cast<int64_t>(file.size()));
  for (const auto* stream : {&control, &difference, &extra}) patch.insert(patch.end(), stream->begin(), stream->end());
  return patch;
}

void apply_patch(std::span<const uint8_t> old_bytes, std::span<const uint8_t> patch, uint64_t most,
                 const std::function<void(std::span<const uint8_t>)>& take, ZeroBlocks& known) {
  if (patch.size() < kHeaderBytes || !std::ranges::equal(patch.first(kMagic.size()), kMagic)) bad("it has no header");
  const int64_t control_size = number_at(patch, 8), difference_size = number_at(patch, 16);
  const int64_t new_size = number_at(patch, 24);
  const auto body = static_cast<int64_t>(patch.size() - kHeaderBytes),
             old_size = static_cast<int64_t>(old_bytes.size());
  if (control_size < 0 || difference_size < 0 || control_size > body || difference_size > body - control_size)
    bad("its parts are longer than it is");
  if (new_size < 0 || static_cast<uint64_t>(new_size) > most)
    bad("it makes a blob of " + std::to_string(new_size) + " bytes");
  const auto part = [&](int64_t from, int64_t to) {
    return patch.subspan(kHeaderBytes + static_cast<size_t>(from), static_cast<size_t>(to - from));
  };
  Bunzip2 control(part(0, control_size), known), differences(part(control_size, control_size + difference_size), known),
      extra(part(control_size + difference_size, body), known);
  std::vector<uint8_t> buffer(1 << 16);
  const auto next_piece = [&](Bunzip2& from, int64_t left) {
    const auto size = static_cast<size_t>(std::min(left, static_cast<int64_t>(buffer.size())));
    const std::span piece = std::span(buffer).first(size);
    if (!from.read(piece)) bad("a part of it is damaged");
    return piece;
  };
  constexpr int kMostIdle = 1000;
  constexpr int64_t kFar = int64_t{1} << 40;
  int idle = 0;
  int64_t at = 0;  // in the old bytes
  for (int64_t left = new_size; left > 0;) {
    std::array<uint8_t, 24> step;
    if (!control.read(step)) bad("a part of it is damaged");
    const int64_t add = number_at(step, 0), insert = number_at(step, 8), move = number_at(step, 16);
    if (add < 0 || insert < 0 || add > left || insert > left - add) bad("a step leaves the blob");
    if (add == 0 && insert == 0 && ++idle > kMostIdle) bad("its steps do nothing");
    for (int64_t done = 0; done < add;) {
      const int64_t begin = at + done;
      if (begin >= 0 && begin < old_size)
        if (const uint64_t same =
                differences.pass_zeros(static_cast<uint64_t>(std::min(add - done, old_size - begin)))) {
          take(old_bytes.subspan(static_cast<size_t>(begin), static_cast<size_t>(same)));
          done += static_cast<int64_t>(same);
          continue;
        }
      const std::span<uint8_t> piece = next_piece(differences, add - done);
      const auto size = static_cast<int64_t>(piece.size());
      const int64_t first = std::max<int64_t>(0, -begin);  // outside of the old bytes there are zeros
      const int64_t last = std::min(size, old_size - begin);
      for (int64_t i = first; i < last; ++i) {
        uint8_t& b = piece[static_cast<size_t>(i)];
        b = static_cast<uint8_t>(b + old_bytes[static_cast<size_t>(begin + i)]);
      }
      take(piece);
      done += size;
    }
    for (int64_t done = 0; done < insert;) {
      const std::span<uint8_t> piece = next_piece(extra, insert - done);
      take(piece);
      done += static_cast<int64_t>(piece.size());
    }
    left -= add + insert;
    if (move > kFar || move < -kFar) bad("a step leaves the blob");
    at += add + move;
    if (at > kFar || at < -kFar) bad("a step leaves the blob");
  }
}

std::vector<uint8_t> apply_patch(std::span<const uint8_t> old_bytes, std::span<const uint8_t> patch, uint64_t most) {
  std::vector<uint8_t> made;
  made.reserve(static_cast<size_t>(std::min<uint64_t>(most, old_bytes.size() + old_bytes.size() / 4)));
  ZeroBlocks known;
  apply_patch(
      old_bytes, patch, most,
      [&](std::span<const uint8_t> piece) { made.insert(made.end(), piece.begin(), piece.end()); }, known);
  return made;
}

bool patch_gives(std::span<const uint8_t> old_bytes, std::span<const uint8_t> patch, const Parts& file,
                 ZeroBlocks& known) {
  size_t at = 0;
  bool same = true;
  std::vector<uint8_t> room;
  const auto compare = [&](std::span<const uint8_t> piece) {
    const std::less_equal<const uint8_t*> not_behind;
    const bool old = not_behind(old_bytes.data(), piece.data()) &&
                     not_behind(piece.data() + piece.size(), old_bytes.data() + old_bytes.size());
    same = same && piece.size() <= file.size() - at &&
           (old ? file.same_as(old_bytes, static_cast<size_t>(piece.data() - old_bytes.data()), at, piece.size()) ==
                      piece.size()
                : std::ranges::equal(piece, file.bytes(at, piece.size(), room)));
    at += std::min(piece.size(), file.size() - at);
  };
  apply_patch(old_bytes, patch, file.size(), compare, known);
  return same && at == file.size();
}

}  // namespace blobsmith::packaging
