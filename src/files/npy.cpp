// The format: "\x93NUMPY", version, header length, a Python dict as text, then the values (numpy.lib.format).
#include "files/npy.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>

#include "core/error.hpp"
#include "core/float16.hpp"

namespace blobsmith {
namespace {

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr size_t kMaxRank = 32;

Error bad_npy(const std::string& what) { return Error(ErrorCode::BadTensorFile, "not a valid .npy file: " + what); }

struct Header {
  std::string descr;
  bool fortran = false;
  std::vector<int64_t> shape;
};

/// The three entries of the dict; enough of Python's syntax for what numpy writes.
class HeaderParser {
 public:
  explicit HeaderParser(std::string_view text) : text_(text) {}

  Header parse() {
    Header h;
    bool has_descr = false, has_shape = false;
    expect('{');
    while (!accept('}')) {
      const std::string key = string();
      expect(':');
      if (key == "descr")
        h.descr = string(), has_descr = true;
      else if (key == "fortran_order")
        h.fortran = boolean();
      else if (key == "shape")
        h.shape = tuple(), has_shape = true;
      else
        throw bad_npy("unknown entry '" + key + "'");
      accept(',');
    }
    if (!has_descr || !has_shape) throw bad_npy("no type or no shape");
    return h;
  }

 private:
  void skip_spaces() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n')) ++at_;
  }
  bool accept(char c) {
    skip_spaces();
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  void expect(char c) {
    if (!accept(c)) throw bad_npy(std::string("no '") + c + "' where one should be in its header");
  }
  std::string string() {
    skip_spaces();
    const char quote = at_ < text_.size() ? text_[at_] : 0;
    if (quote != '\'' && quote != '"') throw bad_npy("structured or unknown type");
    const size_t end = text_.find(quote, at_ + 1);
    if (end == std::string_view::npos) throw bad_npy("an open string in its header");
    std::string s(text_.substr(at_ + 1, end - at_ - 1));
    at_ = end + 1;
    return s;
  }
  bool boolean() {
    skip_spaces();
    for (const auto& [word, value] : {std::pair("True", true), std::pair("False", false)})
      if (text_.substr(at_).starts_with(word)) {
        at_ += std::strlen(word);
        return value;
      }
    throw bad_npy("fortran_order is neither True nor False");
  }
  std::vector<int64_t> tuple() {
    std::vector<int64_t> list;
    expect('(');
    while (!accept(')')) {
      skip_spaces();
      int64_t v = 0;
      const size_t begin = at_;
      for (; at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9'; ++at_)
        if (__builtin_mul_overflow(v, 10, &v) || __builtin_add_overflow(v, text_[at_] - '0', &v))
          throw bad_npy("a size that is too large");
      if (at_ == begin || list.size() >= kMaxRank) throw bad_npy("a shape without sense");
      list.push_back(v);
      accept(',');
    }
    return list;
  }

  std::string_view text_;
  size_t at_ = 0;
};

NpyType parse_type(const std::string& descr) {
  const bool known = descr.size() == 3 && std::string_view("<>|=").find(descr[0]) != std::string_view::npos &&
                     descr[2] >= '1' && descr[2] <= '8';
  if (!known) throw bad_npy("elements of type '" + descr + "'");
  const NpyType t{descr[1], static_cast<size_t>(descr[2] - '0'), descr[0] == '>'};
  const bool integer = (t.kind == 'i' || t.kind == 'u') && std::has_single_bit(t.size);
  if (!integer && !(t.kind == 'b' && t.size == 1) && !(t.kind == 'f' && t.size >= 2 && std::has_single_bit(t.size)))
    throw bad_npy("elements of type '" + descr + "'");
  return t;
}

uint64_t load_bits(const uint8_t* p, const NpyType& t) {
  uint8_t raw[8] = {};
  std::copy_n(p, t.size, raw);
  if (t.swapped) std::reverse(raw, raw + t.size);
  uint64_t bits;
  std::memcpy(&bits, raw, sizeof bits);
  return bits;
}

int64_t as_integer(uint64_t bits, const NpyType& t) {
  if (t.kind != 'i') return static_cast<int64_t>(std::min<uint64_t>(bits, std::numeric_limits<int64_t>::max()));
  const int shift = 64 - 8 * static_cast<int>(t.size);
  return static_cast<int64_t>(bits << shift) >> shift;
}

float as_float(uint64_t bits, const NpyType& t) {
  if (t.size == 2) return half_to_float(static_cast<Half>(bits));
  if (t.size == 4) return std::bit_cast<float>(static_cast<uint32_t>(bits));
  return static_cast<float>(std::bit_cast<double>(bits));
}

/// Where element i (in C order) lies in a Fortran-ordered array.
size_t fortran_place(size_t i, const std::vector<int64_t>& shape) {
  std::vector<size_t> index(shape.size());
  for (size_t k = shape.size(); k-- > 0;) {
    index[k] = i % static_cast<size_t>(shape[k]);
    i /= static_cast<size_t>(shape[k]);
  }
  size_t place = 0;
  for (size_t k = shape.size(); k-- > 0;) place = place * static_cast<size_t>(shape[k]) + index[k];
  return place;
}

}  // namespace

bool looks_like_npy(const Bytes& file) {
  return file.size() >= kMagic.size() && std::memcmp(file.data(), kMagic.data(), kMagic.size()) == 0;
}

NpyArray read_npy(const Bytes& file) {
  const auto bytes = file.span();
  if (bytes.size() < 10 || std::memcmp(bytes.data(), kMagic.data(), kMagic.size()) != 0)
    throw bad_npy("it does not begin with \\x93NUMPY");
  const int version = bytes[6];
  if (version < 1 || version > 3) throw bad_npy("version " + std::to_string(version));
  const size_t length_bytes = version == 1 ? 2 : 4, header_at = 8 + length_bytes;
  if (bytes.size() < header_at) throw bad_npy("it ends in its header");
  size_t length = 0;
  for (size_t k = length_bytes; k-- > 0;) length = length << 8 | bytes[8 + k];
  if (length > bytes.size() - header_at) throw bad_npy("it ends in its header");
  const Header h = HeaderParser({reinterpret_cast<const char*>(bytes.data()) + header_at, length}).parse();
  const NpyType type = parse_type(h.descr);
  const size_t data_at = header_at + length, available = (bytes.size() - data_at) / type.size;
  size_t count = 1;
  for (int64_t d : h.shape)
    if (__builtin_mul_overflow(count, static_cast<size_t>(d), &count)) throw bad_npy("a size that is too large");
  if (count > available)
    throw bad_npy("it announces " + std::to_string(count) + " values and holds " + std::to_string(available));
  return {h.shape, h.descr, type, h.fortran, file.slice(data_at, count * type.size)};
}

namespace {
uint64_t bits_of(const NpyArray& a, int64_t i) {
  const auto place = static_cast<size_t>(i);
  return load_bits(a.data.data() + (a.fortran ? fortran_place(place, a.shape) : place) * a.type.size, a.type);
}
}  // namespace

float NpyArray::number(int64_t i) const {
  return is_integer() ? static_cast<float>(integer(i)) : as_float(bits_of(*this, i), type);
}
int64_t NpyArray::integer(int64_t i) const { return as_integer(bits_of(*this, i), type); }

std::vector<uint8_t> npy_header(const std::vector<int64_t>& shape) {
  std::string dict = "{'descr': '<f4', 'fortran_order': False, 'shape': (";
  for (int64_t d : shape) dict += std::to_string(d) + ",";
  if (shape.size() > 1) dict.pop_back();
  dict += "), }";
  constexpr size_t kPrefix = 10, kAlignment = 64;
  dict.append(kAlignment - (kPrefix + dict.size() + 1) % kAlignment, ' ');
  dict += '\n';
  std::string text(kMagic.begin(), kMagic.end());
  text += {1, 0, static_cast<char>(dict.size() & 255), static_cast<char>(dict.size() >> 8)};
  text += dict;
  return {text.begin(), text.end()};
}

}  // namespace blobsmith
