// Arrays and pictures from files.
#include <gtest/gtest.h>

#include <cstring>
#include <string>

#include "core/bytes.hpp"
#include "core/error.hpp"
#include "core/float16.hpp"
#include "files/image_input.hpp"
#include "files/npz.hpp"
#include "files/picture.hpp"

namespace blobsmith {
namespace {

using Values = std::vector<float>;

template <class T>
Bytes npy(const std::string& header, const std::vector<T>& values, char version = 1) {
  std::vector<uint8_t> file{0x93,
                            'N',
                            'U',
                            'M',
                            'P',
                            'Y',
                            static_cast<uint8_t>(version),
                            0,
                            static_cast<uint8_t>(header.size()),
                            static_cast<uint8_t>(header.size() >> 8)};
  if (version > 1) file.insert(file.end(), {0, 0});
  file.insert(file.end(), header.begin(), header.end());
  const size_t at = file.size();
  file.resize(at + values.size() * sizeof(T));
  if (!values.empty()) std::memcpy(file.data() + at, values.data(), values.size() * sizeof(T));
  return Bytes::adopt(std::move(file));
}

std::string header(const std::string& type, const std::string& shape, const char* fortran = "False") {
  return "{'descr': '" + type + "', 'fortran_order': " + fortran + ", 'shape': (" + shape + "), }          \n";
}

std::vector<uint8_t> write_npy(const Values& values, const std::vector<int64_t>& shape) {
  std::vector<uint8_t> file = npy_header(shape);
  const auto* p = reinterpret_cast<const uint8_t*>(values.data());
  file.insert(file.end(), p, p + values.size() * sizeof(float));
  return file;
}

Values floats(const NpyArray& a) {
  Values v;
  for (int64_t i = 0; i < a.count(); ++i) v.push_back(a.number(i));
  return v;
}

std::vector<int64_t> integers(const NpyArray& a) {
  std::vector<int64_t> v;
  for (int64_t i = 0; i < a.count(); ++i) v.push_back(a.integer(i));
  return v;
}

TEST(Npy, ReadsWhatItWrites) {
  for (const std::vector<int64_t>& shape : {std::vector<int64_t>{}, {4}, {2, 3, 1}, {0, 5}}) {
    size_t n = 1;
    for (int64_t d : shape) n *= static_cast<size_t>(d);
    Values v(n);
    for (size_t i = 0; i < n; ++i) v[i] = static_cast<float>(i) - 0.25f;
    const std::vector<uint8_t> file = write_npy(v, shape);
    EXPECT_EQ((file.size() - n * sizeof(float)) % 64, 0u);
    const NpyArray a = read_npy(Bytes::adopt(std::vector<uint8_t>(file)));
    EXPECT_EQ(a.shape, shape);
    EXPECT_EQ(floats(a), v);
  }
}

TEST(Npy, ReadsEveryType) {
  EXPECT_EQ(integers(read_npy(npy<uint8_t>(header("|u1", "2,"), {0, 255}))), (std::vector<int64_t>{0, 255}));
  EXPECT_EQ(floats(read_npy(npy<int8_t>(header("|i1", "2,"), {-1, 5}))), (Values{-1, 5}));
  EXPECT_EQ(floats(read_npy(npy<uint8_t>(header("|b1", "2,"), {0, 1}))), (Values{0, 1}));
  EXPECT_EQ(floats(read_npy(npy<int16_t>(header("<i2", "1,"), {-300}))), (Values{-300}));
  EXPECT_EQ(integers(read_npy(npy<int64_t>(header("<i8", "1,"), {int64_t{-1} << 40}))),
            (std::vector<int64_t>{int64_t{-1} << 40}));
  EXPECT_EQ(integers(read_npy(npy<uint32_t>(header("<u4", "1,"), {0xFFFFFFFFu}))), (std::vector<int64_t>{0xFFFFFFFF}));
  EXPECT_EQ(floats(read_npy(npy<Half>(header("<f2", "1,"), {float_to_half(-2.5f)}))), (Values{-2.5f}));
  EXPECT_EQ(floats(read_npy(npy<double>(header("<f8", "1,"), {0.5}))), (Values{0.5f}));
  EXPECT_EQ(floats(read_npy(npy<uint8_t>(header(">i2", "1,"), {1, 2}))), (Values{258}));
}

TEST(Npy, TurnsFortranOrderRound) {
  const NpyArray a = read_npy(npy<float>(header("<f4", "2, 3", "True"), {0, 3, 1, 4, 2, 5}));
  EXPECT_EQ(floats(a), (Values{0, 1, 2, 3, 4, 5}));
}

TEST(Npy, ReadsVersionsTwoAndThree) {
  EXPECT_EQ(floats(read_npy(npy<float>(header("<f4", "1,"), {7}, 2))), (Values{7}));
  EXPECT_EQ(floats(read_npy(npy<float>(header("<f4", "1,"), {7}, 3))), (Values{7}));
}

TEST(Npy, RefusesWhatIsNotAnArray) {
  const auto refuses = [](const Bytes& file) {
    try {
      read_npy(file);
      ADD_FAILURE() << "accepted";
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), ErrorCode::BadTensorFile);
    }
  };
  refuses(Bytes::adopt(std::vector<uint8_t>{}));
  refuses(Bytes::adopt(std::vector<uint8_t>(200)));
  refuses(npy<float>(header("<f4", "1,"), {7}, 9));
  refuses(npy<float>(header("<f4", "5,"), {7}));
  refuses(npy<float>(header("<f4", "99999999999, 99999999999"), {7}));
  refuses(npy<float>(header("<f4", "99999999999999999999,"), {7}));
  refuses(npy<float>(header("<c8", "1,"), {7, 7}));
  refuses(npy<float>(header("|O", "1,"), {7}));
  refuses(npy<float>("{'descr': '<f4', 'shape': (1,)", {7}));
  refuses(npy<float>("{'descr': '<f4', 'shape': 1}", {7}));
  refuses(npy<float>("{'descr': '<f4}", {7}));
  const std::vector<uint8_t> good = write_npy(Values{1, 2}, {2});
  for (size_t n = 0; n < good.size(); ++n)
    refuses(Bytes::adopt(std::vector<uint8_t>(good.begin(), good.begin() + static_cast<ptrdiff_t>(n))));
}

// ---- archives ----

/// A ZIP archive of one stored file.
std::vector<uint8_t> zip_of(const std::string& name, const std::vector<uint8_t>& data) {
  uint32_t crc = ~0u;
  for (uint8_t b : data) {
    crc ^= b;
    for (int k = 0; k < 8; ++k) crc = crc >> 1 ^ (crc & 1 ? 0xEDB88320u : 0);
  }
  crc = ~crc;
  std::vector<uint8_t> zip;
  const auto words = [&](std::initializer_list<std::pair<int, size_t>> list) {  // (bytes, value)
    for (const auto& [bytes, value] : list)
      for (int k = 0; k < bytes; ++k) zip.push_back(static_cast<uint8_t>(value >> 8 * k));
  };
  const auto text = [&] { zip.insert(zip.end(), name.begin(), name.end()); };
  words({{4, 0x04034b50},
         {2, 20},
         {2, 0},
         {2, 0},
         {4, 0},
         {4, crc},
         {4, data.size()},
         {4, data.size()},
         {2, name.size()},
         {2, 0}});
  text();
  zip.insert(zip.end(), data.begin(), data.end());
  const size_t directory = zip.size();
  words({{4, 0x02014b50},
         {2, 20},
         {2, 20},
         {2, 0},
         {2, 0},
         {4, 0},
         {4, crc},
         {4, data.size()},
         {4, data.size()},
         {2, name.size()},
         {8, 0},
         {4, 0},
         {4, 0}});
  text();
  const size_t end = zip.size();
  words({{4, 0x06054b50}, {4, 0}, {2, 1}, {2, 1}, {4, end - directory}, {4, directory}, {2, 0}});
  return zip;
}

TEST(Npz, ReadsArraysByName) {
  const auto arrays = read_npz(Bytes::adopt(zip_of("scores.npy", write_npy(Values{1, 2}, {2}))));
  ASSERT_EQ(arrays.size(), 1u);
  EXPECT_EQ(arrays[0].first, "scores");
  EXPECT_EQ(floats(arrays[0].second), (Values{1, 2}));
}

TEST(Npz, RefusesWhatIsNoArchiveOfArrays) {
  const auto refuses = [](std::vector<uint8_t> file) {
    try {
      read_npz(Bytes::adopt(std::move(file)));
      ADD_FAILURE() << "accepted";
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), ErrorCode::BadTensorFile);
    }
  };
  refuses({});
  refuses(zip_of("scores.txt", write_npy(Values{1, 2}, {2})));
  refuses(zip_of("scores.npy", {1, 2, 3}));
  std::vector<uint8_t> zip = zip_of("scores.npy", write_npy(Values{1, 2}, {2}));
  for (size_t n = 0; n < zip.size(); ++n) refuses({zip.begin(), zip.begin() + static_cast<ptrdiff_t>(n)});
  zip[60] ^= 1;  // in the array: the check sum is wrong
  refuses(zip);
}

// ---- pictures ----

/// A PNG of 2x1 pixels: red 10/20, green 30/40, blue 50/60.
Bytes picture() {
  return Bytes::adopt(std::vector<uint8_t>{
      0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0x00, 0x00, 0x00, 0x0d, 0x49, 0x48, 0x44, 0x52, 0x00, 0x00, 0x00,
      0x02, 0x00, 0x00, 0x00, 0x01, 0x08, 0x02, 0x00, 0x00, 0x00, 0x7b, 0x40, 0xe8, 0xdd, 0x00, 0x00, 0x00, 0x12, 0x49,
      0x44, 0x41, 0x54, 0x78, 0x01, 0x01, 0x07, 0x00, 0xf8, 0xff, 0x00, 0x0a, 0x1e, 0x32, 0x14, 0x28, 0x3c, 0x02, 0x69,
      0x00, 0xd3, 0x8d, 0x79, 0xc0, 0x4b, 0x00, 0x00, 0x00, 0x00, 0x49, 0x45, 0x4e, 0x44, 0xae, 0x42, 0x60, 0x82});
}

/// The beginning of a PNG of 16000x16000 pixels.
Bytes huge_picture() {
  return Bytes::adopt(std::vector<uint8_t>{0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0x00, 0x00, 0x00,
                                           0x0d, 0x49, 0x48, 0x44, 0x52, 0x00, 0x00, 0x3e, 0x80, 0x00, 0x00,
                                           0x3e, 0x80, 0x08, 0x02, 0x00, 0x00, 0x00, 0xce, 0x1c, 0x48, 0x89});
}

/// A JPEG whose Huffman table has more codes than there are bytes.
Bytes overfull_jpeg() {
  constexpr size_t kLengths = 16, kCodes = 255;
  std::vector<uint8_t> v{0xFF, 0xD8, 0xFF, 0xC4, 0x10, 0x03, 0x00};
  v.insert(v.end(), kLengths + kLengths * kCodes, kCodes);
  return Bytes::adopt(std::move(v));
}

TEST(ImageInput, GivesPlanesInBgrOrRgb) {
  EXPECT_TRUE(looks_like_image(picture()));
  EXPECT_EQ(image_planes(picture(), 3, 1, 2), (std::vector<uint8_t>{50, 60, 30, 40, 10, 20}));
  EXPECT_EQ(image_planes(picture(), 3, 1, 2, {.bgr = false}), (std::vector<uint8_t>{10, 20, 30, 40, 50, 60}));
}

TEST(ImageInput, StretchesOrLetterboxes) {
  EXPECT_EQ(image_planes(picture(), 3, 2, 2, {.bgr = false}),
            (std::vector<uint8_t>{10, 20, 10, 20, 30, 40, 30, 40, 50, 60, 50, 60}));
  const std::vector<uint8_t> boxed = image_planes(picture(), 3, 4, 4, {.bgr = false, .letterbox = true, .fill = 7});
  EXPECT_EQ(boxed[0], 7);
  EXPECT_EQ(boxed[4], 10);
  EXPECT_EQ(boxed[11], 20);
  EXPECT_EQ(boxed[12], 7);
}

TEST(ImageInput, RefusesWhatIsNotAPicture) {
  EXPECT_THROW(image_planes(Bytes::adopt(std::vector<uint8_t>(100)), 3, 2, 2), Error);
  EXPECT_THROW(image_planes(huge_picture(), 3, 2, 2), Error);
  EXPECT_THROW(image_planes(overfull_jpeg(), 3, 2, 2), Error);
  const Bytes whole = picture();
  for (size_t n = 0; n < whole.size(); ++n) EXPECT_THROW(image_planes(whole.slice(0, n), 3, 2, 2), Error);
  EXPECT_THROW(image_planes(picture(), 2, 2, 2), Error);
}

}  // namespace
}  // namespace blobsmith
