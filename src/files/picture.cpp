#include "files/picture.hpp"

#include <png.h>
#include <turbojpeg.h>

#include <algorithm>
#include <csetjmp>
#include <memory>
#include <string>
#include <string_view>

#include "core/error.hpp"

namespace blobsmith {
namespace {

constexpr int kMaxSide = 16384;
constexpr int64_t kMostPixels = 1 << 26;  // a small file may claim very many

Error bad_image(const std::string& what) {
  return Error(ErrorCode::BadTensorFile, "not a picture that can be read: " + what);
}

Picture blank_picture(int64_t width, int64_t height, int channels) {
  if (width < 1 || height < 1 || width > kMaxSide || height > kMaxSide || width * height > kMostPixels)
    throw bad_image("it has " + std::to_string(width) + " x " + std::to_string(height) + " pixels");
  return {static_cast<int>(width), static_cast<int>(height),
          std::vector<uint8_t>(static_cast<size_t>(width * height * channels))};
}

std::string_view head(const Bytes& file) {
  return {reinterpret_cast<const char*>(file.data()), std::min<size_t>(file.size(), 8)};
}
bool is_png(const Bytes& file) { return head(file).starts_with("\x89PNG"); }
bool is_jpeg(const Bytes& file) { return head(file).starts_with("\xFF\xD8\xFF"); }

// ---- PNG ----------------------------------------------------------------------------------------------------------
/// libpng reports errors by longjmp: what is alive across it lives here, and no function below that calls it has locals
/// with destructors.
struct PngReader {
  png_structp png = nullptr;
  png_infop info = nullptr;
  const uint8_t* next;
  size_t left;
  char message[128] = "out of memory";

  explicit PngReader(const Bytes& file) : next(file.data()), left(file.size()) {
    png = png_create_read_struct(PNG_LIBPNG_VER_STRING, this, fail, ignore);
    info = png ? png_create_info_struct(png) : nullptr;
    if (png) png_set_user_limits(png, kMaxSide, kMaxSide);
    if (png) png_set_read_fn(png, this, read);
  }
  PngReader(const PngReader&) = delete;
  PngReader& operator=(const PngReader&) = delete;
  ~PngReader() { png_destroy_read_struct(&png, &info, nullptr); }

  static void fail(png_structp p, png_const_charp why) {
    std::string_view text(why);
    auto& message = static_cast<PngReader*>(png_get_error_ptr(p))->message;
    text = text.substr(0, sizeof message - 1);
    *std::copy(text.begin(), text.end(), message) = 0;
    png_longjmp(p, 1);
  }
  static void ignore(png_structp, png_const_charp) {}
  static void read(png_structp p, png_bytep to, size_t n) {
    auto& self = *static_cast<PngReader*>(png_get_io_ptr(p));
    if (n > self.left) png_error(p, "it ends too early");
    std::copy_n(self.next, n, to);
    self.next += n;
    self.left -= n;
  }

  /// Has the pixels come as 8 bits in 1 or 3 channels.
  bool read_header(int channels) {
    if (!png || !info || setjmp(png_jmpbuf(png))) return false;
    png_read_info(png, info);
    png_set_expand(png);
    png_set_scale_16(png);
    png_set_strip_alpha(png);
    if (channels == 3)
      png_set_gray_to_rgb(png);
    else
      png_set_rgb_to_gray(png, PNG_ERROR_ACTION_NONE, 0.299, 0.587);  // as JPEG defines brightness
    png_set_interlace_handling(png);
    png_read_update_info(png, info);
    return true;
  }
  bool read_rows(png_bytepp rows) {
    if (setjmp(png_jmpbuf(png))) return false;
    png_read_image(png, rows);
    png_read_end(png, nullptr);
    return true;
  }
};

Picture read_png(const Bytes& file, int channels) {
  PngReader reader(file);
  if (!reader.read_header(channels)) throw bad_image(reader.message);
  Picture p = blank_picture(png_get_image_width(reader.png, reader.info), png_get_image_height(reader.png, reader.info),
                            channels);
  const size_t row = static_cast<size_t>(p.width) * static_cast<size_t>(channels);
  ensure(png_get_rowbytes(reader.png, reader.info) == row, "a PNG row of another size");
  std::vector<png_bytep> rows;
  for (size_t y = 0; y < static_cast<size_t>(p.height); ++y) rows.push_back(p.pixels.data() + y * row);
  if (!reader.read_rows(rows.data())) throw bad_image(reader.message);
  return p;
}

// ---- JPEG ---------------------------------------------------------------------------------------------------------
/// Inks as they are stored, inverted: 255 is no ink.
Picture from_inks(const Picture& inks, int channels) {
  Picture p = blank_picture(inks.width, inks.height, channels);
  for (size_t i = 0; i < inks.pixels.size() / 4; ++i) {
    const uint8_t* ink = &inks.pixels[i * 4];
    const auto light = [&](int c) { return (ink[c] * ink[3] + 127) / 255; };
    if (channels == 1)
      p.pixels[i] = static_cast<uint8_t>((light(0) * 299 + light(1) * 587 + light(2) * 114 + 500) / 1000);
    else
      for (int c = 0; c < 3; ++c) p.pixels[i * 3 + static_cast<size_t>(c)] = static_cast<uint8_t>(light(c));
  }
  return p;
}

Picture read_jpeg(const Bytes& file, int channels) {
  const std::unique_ptr<void, int (*)(tjhandle)> decoder(tjInitDecompress(), &tjDestroy);
  if (!decoder) throw bad_image("out of memory");
  const auto size = static_cast<unsigned long>(file.size());
  const auto why = [&] { return std::string(tjGetErrorStr2(decoder.get())); };
  int width = 0, height = 0, sampling = 0, colours = 0;
  if (tjDecompressHeader3(decoder.get(), file.data(), size, &width, &height, &sampling, &colours) != 0)
    throw bad_image(why());
  const bool inks = colours == TJCS_CMYK || colours == TJCS_YCCK;
  Picture p = blank_picture(width, height, inks ? 4 : channels);
  const int format = inks ? TJPF_CMYK : channels == 1 ? TJPF_GRAY : TJPF_RGB;
  if (tjDecompress2(decoder.get(), file.data(), size, p.pixels.data(), width, 0, height, format, TJFLAG_LIMITSCANS) !=
      0) {
    // Cameras write odd bytes between segments; a file that ends too early is another matter.
    const std::string what = why();
    if (tjGetErrorCode(decoder.get()) != TJERR_WARNING || what.find("remature end") != std::string::npos)
      throw bad_image(what);
  }
  return inks ? from_inks(p, channels) : p;
}

}  // namespace

bool looks_like_image(const Bytes& file) { return is_png(file) || is_jpeg(file); }

Picture read_picture(const Bytes& file, int channels) {
  ensure(channels == 1 || channels == 3, "a picture of neither one nor three channels");
  if (is_png(file)) return read_png(file, channels);
  if (is_jpeg(file)) return read_jpeg(file, channels);
  throw bad_image("neither PNG nor JPEG");
}

}  // namespace blobsmith
