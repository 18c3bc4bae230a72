#include "blobsmith/superblob.hpp"

#include <algorithm>
#include <numeric>

#include "core/error.hpp"
#include "core/parallel.hpp"
#include "packaging/superblob_maker.hpp"
#include "vpu/format/container.hpp"

namespace blobsmith {
namespace {

constexpr size_t kNumberBytes = 8, kHeaderBytes = kNumberBytes * (1 + kMostShaves);
constexpr size_t kConstantsAt = 128;  // of a blob's header: offset of its constants

void put_big_endian(std::vector<uint8_t>& to, uint64_t v) {
  for (int shift = 56; shift >= 0; shift -= 8) to.push_back(static_cast<uint8_t>(v >> shift));
}

uint64_t big_endian_at(std::span<const uint8_t> bytes, size_t at) {
  uint64_t v = 0;
  for (size_t i = 0; i < kNumberBytes; ++i) v = v << 8 | bytes[at + i];
  return v;
}

uint32_t word_at(std::span<const uint8_t> bytes, size_t at) {
  uint32_t v = 0;
  for (size_t i = 4; i-- > 0;) v = v << 8 | bytes[at + i];
  return v;
}

constexpr size_t kBlobBegins = kConstantsAt + 5;  ///< as many bytes tell a blob

bool is_blob(std::span<const uint8_t> bytes) {
  return bytes.size() >= kBlobBegins && word_at(bytes, vpu::kElfHeaderBytes) == vpu::kBlobMagic;
}

[[noreturn]] void bad_superblob(const std::string& what) { throw Error(ErrorCode::BadBlob, "bad superblob: " + what); }

}  // namespace

namespace packaging {

SuperblobMaker::SuperblobMaker(ChunkedBytes base)
    : base_parts_(std::move(base)), places_(base_parts_), base_(base_parts_.joined()), maker_(base_) {
  if (!is_blob(base_)) bad_superblob("one of its blobs is none");
}

void SuperblobMaker::add(int shaves, const ChunkedBytes& blob) {
  std::vector<uint8_t> room;
  const Parts parts(blob, places_);
  if (!is_blob(parts.bytes(0, std::min(parts.size(), kBlobBegins), room))) bad_superblob("one of its blobs is none");
  if (parts.size() == base_.size() && parts.same_as(base_, 0, 0, base_.size()) == base_.size()) return;
  std::vector<uint8_t>& patch = patches_.at(static_cast<size_t>(shaves - 1));
  patch = maker_.patch_to(parts);
  ensure(patch_gives(base_, patch, parts, known_), "a patch gives back its blob");
}

Superblob SuperblobMaker::finish() const {
  std::vector<uint8_t> file;
  size_t size = kHeaderBytes + base_.size();
  for (const auto& p : patches_) size += p.size();
  file.reserve(size);
  put_big_endian(file, base_.size());
  for (const auto& p : patches_) put_big_endian(file, p.size());
  file.insert(file.end(), base_.begin(), base_.end());
  for (const auto& p : patches_) file.insert(file.end(), p.begin(), p.end());
  return Superblob::read(std::move(file));
}

}  // namespace packaging

Superblob Superblob::make(std::span<const std::vector<uint8_t>> blobs) {
  ensure(blobs.size() == kMostShaves, "a superblob is of 16 blobs");
  const auto in_place = [](const std::vector<uint8_t>& blob) {  // not copied: all of them outlive the maker
    ChunkedBytes whole;
    whole.append(Bytes(nullptr, blob.data(), blob.size()));
    return whole;
  };
  packaging::SuperblobMaker maker(in_place(blobs[packaging::kBaseShaves - 1]));
  in_parallel(kMostShaves, {}, "packing", [&](size_t i) { maker.add(static_cast<int>(i) + 1, in_place(blobs[i])); });
  return maker.finish();
}

Superblob Superblob::read(std::vector<uint8_t> file) {
  if (file.size() < kHeaderBytes)
    bad_superblob("it has " + std::to_string(file.size()) + " bytes, and its header alone needs " +
                  std::to_string(kHeaderBytes));
  if (file.size() >= kMostBytes) bad_superblob("it has more than 2 GiB");
  Superblob s;
  s.base_size_ = big_endian_at(file, 0);
  uint64_t left = file.size() - kHeaderBytes;
  const auto take = [&](uint64_t size) {
    if (size > left)
      bad_superblob("the sizes in its header are more than its " + std::to_string(file.size()) + " bytes");
    left -= size;
  };
  take(s.base_size_);
  for (size_t i = 0; i < kMostShaves; ++i) take(s.patch_sizes_[i] = big_endian_at(file, kNumberBytes * (1 + i)));
  if (left != 0) bad_superblob(std::to_string(left) + " bytes more than the sizes in its header");
  s.file_ = std::move(file);
  if (!is_blob(s.base())) bad_superblob("what should be its blob is none");
  return s;
}

std::span<const uint8_t> Superblob::base() const {
  return std::span(file_).subspan(kHeaderBytes, static_cast<size_t>(base_size_));
}

std::vector<uint8_t> Superblob::blob(int shaves) const {
  if (shaves < 1 || shaves > kMostShaves) {
    Error e(ErrorCode::BadOptionValue, "there is no blob for " + std::to_string(shaves) + " SHAVEs in a superblob");
    throw e.hint("1 to 16");
  }
  const auto index = static_cast<size_t>(shaves - 1);
  if (patch_sizes_[index] == 0) return {base().begin(), base().end()};
  const uint64_t before = std::accumulate(patch_sizes_.begin(), patch_sizes_.begin() + shaves - 1, uint64_t{0});
  const auto patch = std::span(file_).subspan(kHeaderBytes + static_cast<size_t>(base_size_ + before),
                                              static_cast<size_t>(patch_sizes_[index]));
  // Blobs of one network are of about one size: a patch is not to fill the memory.
  return packaging::apply_patch(base(), patch, std::min(kMostBlobBytes, 4 * base_size_ + (uint64_t{1} << 24)));
}

bool is_superblob(std::span<const uint8_t> file) {
  if (file.size() < kHeaderBytes) return false;
  uint64_t left = file.size() - kHeaderBytes;
  for (size_t i = 0; i <= kMostShaves; ++i) {
    const uint64_t size = big_endian_at(file, kNumberBytes * i);
    if (size > left) return false;
    left -= size;
  }
  return left == 0 && is_blob(file.subspan(kHeaderBytes));
}

}  // namespace blobsmith
