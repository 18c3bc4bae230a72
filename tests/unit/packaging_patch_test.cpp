#include <gtest/gtest.h>

#include <random>

#include "core/error.hpp"
#include "packaging/bzip2.hpp"
#include "packaging/patch.hpp"

namespace blobsmith::packaging {
namespace {

using Data = std::vector<uint8_t>;
constexpr uint64_t kMost = 1 << 24;

Data noise(size_t size, unsigned seed) {
  std::mt19937 next(seed);
  Data data(size);
  for (uint8_t& b : data) b = static_cast<uint8_t>(next());
  return data;
}

/// Size of a patch, which gives the new bytes.
size_t size_of_patch(const Data& old_bytes, const Data& new_bytes) {
  const Data patch = PatchMaker(old_bytes).patch_to(new_bytes);
  EXPECT_EQ(apply_patch(old_bytes, patch, kMost), new_bytes);
  return patch.size();
}

Data joined(std::initializer_list<std::span<const uint8_t>> parts) {
  Data all;
  for (const auto& p : parts) all.insert(all.end(), p.begin(), p.end());
  return all;
}

TEST(Patch, PiecesAtOtherPlacesCostNextToNothing) {
  const Data old_bytes = noise(1 << 18, 1);
  const std::span<const uint8_t> all = old_bytes;
  EXPECT_LT(size_of_patch(old_bytes, old_bytes), 200u);
  const Data swapped = joined({all.subspan(100001), all.first(100001)});
  EXPECT_LT(size_of_patch(old_bytes, swapped), 300u);
  Data tiles;  // as weights for other tiles
  for (size_t at = 0; at < old_bytes.size(); at += 4096)
    for (const size_t half : {2048, 0}) tiles.insert(tiles.end(), &all[at + half], &all[at + half] + 2048);
  EXPECT_LT(size_of_patch(old_bytes, tiles), 2500u);
}

TEST(Patch, BytesThatDifferWithinAPieceAreDifferences) {
  const Data old_bytes = noise(1 << 18, 2);
  Data other = joined({noise(700, 3), old_bytes});
  for (size_t at = 5000; at < other.size(); at += 1000) other[at] ^= 1;
  EXPECT_LT(size_of_patch(old_bytes, other), 700u + 2500u);
}

TEST(Patch, GivesBackWhateverTheBytes) {
  const Data a = noise(5000, 4), b = noise(3000, 5), zeros(1 << 17), empty;
  Data periodic(1 << 16), shifted;
  for (size_t i = 0; i < periodic.size(); ++i) periodic[i] = static_cast<uint8_t>(i % 7);
  shifted.assign(periodic.begin() + 3, periodic.end());
  for (size_t i = 0; i < shifted.size(); i += 100) shifted[i] = 9;
  const Data short_one{1, 2, 3};
  const std::vector<Data> all{a, b, joined({a, b}), joined({b, zeros, a}), zeros, periodic, shifted, short_one, empty};
  for (const Data& old_bytes : all)
    for (const Data& new_bytes : all) size_of_patch(old_bytes, new_bytes);
}

TEST(Patch, RandomEdits) {
  std::mt19937 next(6);
  for (unsigned seed = 0; seed < 200; ++seed) {
    const Data old_bytes = noise(next() % 3000, seed);
    Data new_bytes;
    for (int step = 0; step < 8; ++step) {
      const size_t from = old_bytes.empty() ? 0 : next() % old_bytes.size();
      const size_t count = std::min<size_t>(next() % 600, old_bytes.size() - from);
      new_bytes.insert(new_bytes.end(), old_bytes.begin() + static_cast<std::ptrdiff_t>(from),
                       old_bytes.begin() + static_cast<std::ptrdiff_t>(from + count));
      for (size_t k = next() % 5; k > 0 && !new_bytes.empty(); --k) new_bytes[next() % new_bytes.size()] ^= 255;
      if (next() % 3 == 0) new_bytes.resize(new_bytes.size() + next() % 50, 7);
    }
    size_of_patch(old_bytes, new_bytes);
  }
}

TEST(Patch, StreamsOfBzip2WithLongRunsOfZeros) {
  std::mt19937 next(10);
  for (const std::vector<size_t>& runs : std::vector<std::vector<size_t>>{
           {0}, {1 << 17}, {(1 << 17) - 1}, {3, (5 << 20) + 7, 3}, {1 << 22, 0, 1 << 18, 800000}}) {
    Data data;
    Bzip2Writer writer;
    for (const size_t zeros : runs) {
      data.resize(data.size() + zeros);
      writer.zeros(zeros);
      const size_t begin = data.size();
      for (size_t n = next() % 2000; n > 0; --n) data.push_back(static_cast<uint8_t>(next() % 3));
      writer.bytes(std::span(data).subspan(begin));
    }
    const Data stream = writer.finish();
    ZeroBlocks known;
    for (int again = 0; again < 2; ++again) {  // with known blocks, too
      Data back(data.size());
      Bunzip2 reader(stream, known);
      EXPECT_TRUE(reader.read(back) && back == data);
      EXPECT_FALSE(reader.read(std::span(back).first(1)));
    }
    // The library's own reader of whole streams looks at the checksum of checksums too.
    Data whole(data.size() + 1);
    auto size = static_cast<unsigned>(whole.size());
    ASSERT_EQ(BZ2_bzBuffToBuffDecompress(reinterpret_cast<char*>(whole.data()), &size,
                                         const_cast<char*>(reinterpret_cast<const char*>(stream.data())),
                                         static_cast<unsigned>(stream.size()), 0, 0),
              BZ_OK);
    EXPECT_EQ(size, data.size());
  }
}

TEST(Patch, PartsInOnePlaceMakeTheSamePatch) {
  std::mt19937 next(11);
  for (unsigned seed = 0; seed < 100; ++seed) {
    std::vector<Bytes> shared;
    for (unsigned i = 0; i < 6; ++i) shared.push_back(Bytes::adopt(noise(next() % 3000, 100 * seed + i)));
    const auto file = [&] {
      ChunkedBytes bytes;
      for (unsigned i = 0; i < 8; ++i) {
        Bytes part = shared[next() % shared.size()];
        if (next() % 3 == 0) part = Bytes::copy_of(part.span());  // the same bytes elsewhere
        if (next() % 4 == 0) part = Bytes::adopt(noise(next() % 40, next()));
        bytes.append(part);
      }
      return bytes;
    };
    const ChunkedBytes older = file(), newer = file();
    const Data old_bytes = older.joined(), new_bytes = newer.joined();
    const PatchMaker maker(old_bytes);
    const Parts parts(newer, Places(older));
    const Data patch = maker.patch_to(parts);
    EXPECT_EQ(patch, maker.patch_to(new_bytes));
    ZeroBlocks known;
    EXPECT_TRUE(patch_gives(old_bytes, patch, parts, known));
    Data other = new_bytes;
    if (other.empty()) continue;
    other[next() % other.size()] ^= 1;
    EXPECT_FALSE(patch_gives(old_bytes, patch, Parts(other), known));
  }
}

TEST(Patch, DamagedOnesAreRefused) {
  const Data old_bytes = noise(4000, 7);
  const Data new_bytes = joined({noise(100, 8), old_bytes});
  const Data patch = PatchMaker(old_bytes).patch_to(new_bytes);
  for (size_t size = 0; size < patch.size() / 2; size += 7)
    EXPECT_THROW(apply_patch(old_bytes, std::span(patch).first(size), kMost), Error) << size;
  EXPECT_THROW(apply_patch(old_bytes, patch, new_bytes.size() - 1), Error);
  std::mt19937 next(9);
  for (int round = 0; round < 500; ++round) {
    Data damaged = patch;
    damaged[next() % damaged.size()] ^= static_cast<uint8_t>(1 + next() % 255);
    try {
      apply_patch(old_bytes, damaged, kMost);
    } catch (const Error&) {}
  }
}

}  // namespace
}  // namespace blobsmith::packaging
