#include "importers/kaldi/components.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>

#include "importers/common/tensor_bytes.hpp"

namespace blobsmith::kaldi {
namespace {

constexpr size_t kMostComponents = 100'000, kMostItems = 10'000;
constexpr int kDeepest = 16;

std::string small_letters(std::string s) {
  std::ranges::transform(s, s.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return s;
}

/// The bytes of a file from one place on.
class Cursor {
 public:
  explicit Cursor(const Bytes& bytes)
      : bytes_(bytes), text_(reinterpret_cast<const char*>(bytes.data()), bytes.size()) {}

  [[noreturn]] void fail(const std::string& what, ErrorCode code = ErrorCode::FileCorrupt) const {
    throw Error(code, what + ", byte " + std::to_string(at_));
  }
  [[noreturn]] void fail_short() const { fail("Unexpected end of Kaldi model", ErrorCode::FileTruncated); }

  size_t at() const { return at_; }
  void seek(size_t at) { at_ = at; }
  bool at_end() const { return at_ >= text_.size(); }
  size_t left() const { return text_.size() - at_; }
  char peek(size_t ahead = 0) const { return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0'; }
  bool starts_with(std::string_view s) const { return text_.substr(std::min(at_, text_.size())).starts_with(s); }
  void skip_spaces() {
    while (!at_end() && (peek() == ' ' || peek() == '\n' || peek() == '\r' || peek() == '\t')) ++at_;
  }
  void skip(size_t n) {
    if (n > left()) fail_short();
    at_ += n;
  }
  template <class T>
  T take() {
    if (sizeof(T) > left()) fail_short();
    T v{};
    std::memcpy(&v, text_.data() + at_, sizeof(T));
    at_ += sizeof(T);
    return v;
  }
  Bytes take_bytes(uint64_t n) {
    if (n > left()) fail_short();
    const Bytes b = bytes_.slice(at_, static_cast<size_t>(n));
    at_ += static_cast<size_t>(n);
    return b;
  }
  /// Up to the next space; "<Dim>" without its space behind.
  std::string word() {
    const size_t start = at_;
    while (!at_end() && !(peek() == ' ' || peek() == '\n' || peek() == '\r' || peek() == '\t')) ++at_;
    return std::string(text_.substr(start, at_ - start));
  }
  std::string line() {
    const size_t end = std::min(text_.find('\n', at_), text_.size());
    std::string s(text_.substr(at_, end - at_));
    at_ = std::min(end + 1, text_.size());
    return s;
  }
  size_t find(std::string_view s) const { return text_.find(s, at_); }
  size_t find_first(std::string_view a, std::string_view b) const { return std::min(find(a), find(b)); }

 private:
  const Bytes& bytes_;
  std::string_view text_;
  size_t at_ = 0;
};

Tensor reals_of(std::vector<float> v, Shape shape) {
  return Tensor::of(ElementType::f32, std::move(shape), std::move(v));
}

// ---- binary ------------------------------------------------------------------------------------------------------

int64_t sized_integer(Cursor& c) {
  const auto size = c.take<uint8_t>();
  if (size == 4) return c.take<int32_t>();
  if (size == 8) return c.take<int64_t>();
  c.fail("a number of " + std::to_string(size) + " bytes");
}

int64_t sized_count(Cursor& c) {
  const int64_t n = sized_integer(c);
  if (n < 0 || n > INT32_MAX) c.fail("a size of " + std::to_string(n));
  return n;
}

/// "FM ", "DV ": floats or doubles, matrix or vector.
Tensor binary_reals(Cursor& c) {
  const bool doubles = c.peek() == 'D', matrix = c.peek(1) == 'M';
  c.skip(3);
  Shape shape{sized_count(c)};
  if (matrix) shape.push_back(sized_count(c));
  const auto count = static_cast<uint64_t>(element_count(shape));
  if (count > c.left()) c.fail_short();
  if (!doubles)
    return {ElementType::f32, std::move(shape), importers::placed(c.take_bytes(count * sizeof(float)), sizeof(float))};
  const Bytes bytes = c.take_bytes(count * sizeof(double)).aligned(sizeof(double));
  std::vector<float> v;
  for (const double d : bytes.as<double>()) v.push_back(static_cast<float>(d));
  return reals_of(std::move(v), std::move(shape));
}

/// "CM ": a matrix of bytes between two limits, with quartiles for each column; "CM2 ", "CM3 " of 16 and 8 bits.
Tensor compressed_reals(Cursor& c) {
  const char kind = c.peek(2);
  c.skip(kind == ' ' ? 3 : 4);
  const auto low = c.take<float>(), range = c.take<float>();
  const int64_t rows = c.take<int32_t>(), columns = c.take<int32_t>();
  if (rows < 0 || columns < 0) c.fail("a matrix of " + std::to_string(rows) + " rows");
  const auto count = static_cast<uint64_t>(element_count({rows, columns}));
  if (count > c.left()) c.fail_short();
  const auto wide = [&](uint16_t v) { return low + range * (1.0f / 65535) * static_cast<float>(v); };
  if (kind == '2' || kind == '3') {
    const Bytes bytes = c.take_bytes(count * (kind == '2' ? 2 : 1));
    std::vector<float> v(count);
    for (size_t i = 0; i < v.size(); ++i) {
      if (kind == '3') {
        v[i] = low + range * (1.0f / 255) * static_cast<float>(bytes.data()[i]);
        continue;
      }
      uint16_t whole = 0;
      std::memcpy(&whole, bytes.data() + 2 * i, 2);
      v[i] = wide(whole);
    }
    return reals_of(std::move(v), {rows, columns});
  }
  const Bytes quartiles = c.take_bytes(static_cast<uint64_t>(columns) * 8), bytes = c.take_bytes(count);
  std::vector<float> v(count);
  for (int64_t col = 0; col < columns; ++col) {
    uint16_t q[4];
    std::memcpy(q, quartiles.data() + 8 * col, 8);
    const float p0 = wide(q[0]), p25 = wide(q[1]), p75 = wide(q[2]), p100 = wide(q[3]);
    for (int64_t row = 0; row < rows; ++row) {
      const auto b = static_cast<float>(bytes.data()[col * rows + row]);
      v[static_cast<size_t>(row * columns + col)] = b <= 64    ? p0 + (p25 - p0) * b * (1 / 64.0f)
                                                    : b <= 192 ? p25 + (p75 - p25) * (b - 64) * (1 / 128.0f)
                                                               : p75 + (p100 - p75) * (b - 192) * (1 / 63.0f);
    }
  }
  return reals_of(std::move(v), {rows, columns});
}

/// A size byte, and then a number, or a count and as many integers (or pairs of them): what is behind it tells.
Item binary_number(Cursor& c) {
  Item item;
  const auto size = static_cast<size_t>(c.peek());
  const size_t start = c.at();
  const auto ends_well = [&](uint64_t length) {
    if (length > c.left()) return false;
    const char next = c.peek(static_cast<size_t>(length));
    return next == '<' || next == '\0' || next == ' ' || next == '\n' || next == 'F' || next == 'T' || next == 'D' ||
           next == 'C' || next == 4 || next == 8;
  };
  const auto begins_token = [&](uint64_t length) {
    return length < c.left() && c.peek(static_cast<size_t>(length)) == '<';
  };
  // Offsets in time and columns; what isn't is text, taken for numbers.
  const auto are_small = [&](uint64_t n) {
    constexpr int32_t kLargest = 1'000'000;
    c.skip(5);
    bool small = true;
    for (uint64_t i = 0; i < n && small; ++i) small = std::abs(int64_t{c.take<int32_t>()}) < kLargest;
    c.seek(start);
    return small;
  };
  c.skip(1);
  int32_t count = 0;
  if (c.left() >= 4) std::memcpy(&count, c.take_bytes(4).data(), 4);
  c.seek(start);
  const bool scalar_first = begins_token(1 + size);
  if (!scalar_first && count >= 0 && size == 4) {
    for (const uint64_t width : {uint64_t{4}, uint64_t{8}}) {
      const uint64_t bytes = 5 + static_cast<uint64_t>(count) * width;
      if (!begins_token(bytes) || !are_small(static_cast<uint64_t>(count) * width / 4)) continue;
      c.skip(5);
      item.kind = Item::Kind::Integers;
      for (uint64_t i = 0; i < static_cast<uint64_t>(count) * width / 4; ++i)
        item.integers.push_back(c.take<int32_t>());
      return item;
    }
  }
  if (!ends_well(1 + size)) c.fail("a value of an unknown kind");
  c.skip(1);
  const Bytes raw = c.take_bytes(size);
  if (size == 4) {
    int32_t i = 0;
    float f = 0;
    std::memcpy(&i, raw.data(), 4);
    std::memcpy(&f, raw.data(), 4);
    item.integer = i;
    item.real = static_cast<double>(f);
  } else {
    std::memcpy(&item.integer, raw.data(), 8);
    std::memcpy(&item.real, raw.data(), 8);
  }
  return item;
}

Item binary_item(Cursor& c) {
  const char first = c.peek(), second = c.peek(1);
  if ((first == 'F' || first == 'D') && (second == 'M' || second == 'V') && c.peek(2) == ' ') {
    Item item;
    item.kind = Item::Kind::Reals;
    item.reals = binary_reals(c);
    return item;
  }
  if (first == 'C' && second == 'M') {
    Item item;
    item.kind = Item::Kind::Reals;
    item.reals = compressed_reals(c);
    return item;
  }
  if (first == 'F' || first == 'T') {
    c.skip(1);
    Item item;
    item.kind = Item::Kind::Flag;
    item.integer = first == 'T';
    return item;
  }
  if (first == 4 || first == 8) return binary_number(c);
  c.fail("a value of an unknown kind");
}

// ---- text --------------------------------------------------------------------------------------------------------

double text_number(const Cursor& c, const std::string& word) {
  double v = 0;
  const auto [end, ec] = std::from_chars(word.data(), word.data() + word.size(), v);
  if ((ec != std::errc{} && ec != std::errc::result_out_of_range) || end != word.data() + word.size())
    c.fail("'" + word + "' is not a number");
  return v;
}

/// "[ 1 2 \n 3 4 ]": lines are rows.
Item text_list(Cursor& c) {
  Item item;
  item.kind = Item::Kind::Reals;
  std::vector<float> values;
  bool whole = true;
  int64_t rows = 0;
  size_t in_row = 0;
  c.skip(1);
  while (true) {
    while (c.peek() == ' ' || c.peek() == '\t' || c.peek() == '\r') c.skip(1);
    const bool ends = c.peek() == ']';
    if (c.at_end()) c.fail("Syntax error in model: incorrect number of brackets");
    if (c.peek() == '\n' || ends) {
      if (values.size() > in_row) ++rows;
      in_row = values.size();
      c.skip(1);
      if (ends) break;
      continue;
    }
    const std::string word = c.word();
    const double v = text_number(c, word);
    whole = whole && v == static_cast<double>(static_cast<int64_t>(v)) && word.find('.') == std::string::npos;
    values.push_back(static_cast<float>(v));
    if (whole) item.integers.push_back(static_cast<int64_t>(v));
  }
  const auto count = static_cast<int64_t>(values.size());
  if (rows > 1 && count % rows != 0) c.fail("rows of a matrix differ in length");
  item.reals = reals_of(std::move(values), rows > 1 ? Shape{rows, count / rows} : Shape{count});
  if (!whole) item.integers.clear();
  return item;
}

Item text_item(Cursor& c) {
  if (c.peek() == '[') return text_list(c);
  const std::string word = c.word();
  Item item;
  if (word == "T" || word == "F") {
    item.kind = Item::Kind::Flag;
    item.integer = word == "T";
    return item;
  }
  item.real = text_number(c, word);
  item.integer = item.real > -1e18 && item.real < 1e18 ? static_cast<int64_t>(item.real) : 0;
  return item;
}

// ---- components --------------------------------------------------------------------------------------------------

class Reader {
 public:
  explicit Reader(const Bytes& bytes) : c_(bytes) {
    if (c_.peek() == '\0' && c_.peek(1) == 'B') binary_ = true, c_.skip(2);
  }

  File read() {
    File file;
    c_.skip_spaces();
    if (c_.starts_with("<TransitionModel>")) {
      const size_t end = c_.find("</TransitionModel>");
      if (end == std::string_view::npos) c_.fail_short();
      c_.seek(end);
      const size_t net = c_.find_first("<Nnet>", "<Nnet3>");
      if (net == std::string_view::npos) c_.fail_short();
      c_.seek(net);
      file.generation = Generation::Nnet2;
    }
    if (c_.starts_with("<Nnet3>"))
      file.generation = Generation::Nnet3;
    else if (!c_.starts_with("<Nnet>"))
      throw Error(ErrorCode::UnknownFormat, "Kaldi model should start with <Nnet> or <TransitionModel> tag.");
    token();
    if (file.generation == Generation::Nnet1)
      file.components = chain(0);
    else
      numbered(file);
    return file;
  }

 private:
  std::string token() {
    c_.skip_spaces();
    if (c_.peek() != '<') c_.fail("a token is expected");
    std::string t = c_.word();
    if (c_.peek() == ' ') c_.skip(1);
    if (t.size() < 3 || t.back() != '>' || t.size() > 200) c_.fail("a token is expected");
    return t.substr(1, t.size() - 2);
  }
  Item item() { return binary_ ? binary_item(c_) : text_item(c_); }
  int64_t integer() {
    if (binary_) return sized_integer(c_);
    c_.skip_spaces();
    return text_item(c_).integer;
  }
  void skip_spaces() {
    if (!binary_) return c_.skip_spaces();
    while (c_.peek() == ' ' || c_.peek() == '\n') c_.skip(1);
  }

  /// nnet1: components one behind the other up to </Nnet>.
  std::vector<Component> chain(int depth) {
    if (depth > kDeepest) c_.fail("networks are nested too deep");
    std::vector<Component> list;
    while (true) {
      const std::string type = token();
      if (type == "/Nnet") return list;
      if (type == "!EndOfComponent") continue;
      if (list.size() > kMostComponents) c_.fail("too many components");
      Component& component = list.emplace_back();
      component.type = small_letters(type);
      component.rows = integer();
      skip_spaces();
      component.columns = integer();
      body(component, type, depth);
    }
  }

  /// nnet2 and nnet3: a number of components with tokens around them.
  void numbered(File& file) {
    if (file.generation == Generation::Nnet3) {
      c_.line();  // behind <Nnet3>
      for (std::string line = c_.line(); !line.empty(); line = c_.line()) {
        if (c_.at_end()) c_.fail_short();
        file.config.push_back(std::move(line));
        if (file.config.size() > kMostComponents) c_.fail("too many lines");
      }
    }
    if (token() != "NumComponents") c_.fail("<NumComponents> is expected");
    const int64_t count = integer();
    if (count < 0 || static_cast<uint64_t>(count) > kMostComponents) c_.fail("too many components");
    if (file.generation == Generation::Nnet2 && token() != "Components") c_.fail("<Components> is expected");
    for (int64_t i = 0; i < count; ++i) {
      Component& component = file.components.emplace_back();
      if (file.generation == Generation::Nnet3) {
        if (token() != "ComponentName") c_.fail("<ComponentName> is expected");
        c_.skip_spaces();
        component.name = c_.word();
      }
      const std::string type = token();
      component.type = small_letters(type);
      body(component, type, 0);
    }
  }

  bool ends(const std::string& token, const std::string& type) const {
    return token == "/" + type || token == "!EndOfComponent";
  }

  void body(Component& component, const std::string& type, int depth) {
    std::string field;
    while (true) {
      skip_spaces();
      if (c_.at_end()) c_.fail_short();
      if (c_.peek() == '<') {
        const size_t before = c_.at();
        field = token();
        if (ends(field, type)) return;
        if (field == "Nnet") {
          component.nested.push_back(chain(depth + 1));
          field.clear();
        } else if (field == "/Nnet" || field == "/Components") {
          c_.seek(before);  // old nnet1 components have no end
          return;
        } else if (is_next_component(field, component)) {
          c_.seek(before);
          return;
        }
        continue;
      }
      if (component.items.size() > kMostItems) c_.fail("a component has too many fields");
      Item i = item();
      i.field = field;
      component.items.push_back(std::move(i));
    }
  }

  /// Components of the first nnet1 files have no token at their end.
  static bool is_next_component(const std::string& field, const Component& component) {
    static constexpr std::string_view kOld[] = {"AffineTransform", "Sigmoid", "Softmax", "Tanh",   "AddShift",
                                                "Rescale",         "Splice",  "Copy",    "Dropout"};
    return component.rows > 0 && std::ranges::find(kOld, field) != std::end(kOld);
  }

  Cursor c_;
  bool binary_ = false;
};

Error missing(const Component& c, std::string_view field, const char* what) {
  return Error(ErrorCode::FileCorrupt, "component \"" + (c.name.empty() ? c.type : c.name) + "\" of type " + c.type +
                                           " has no " + what + " <" + std::string(field) + ">");
}

}  // namespace

const Item* Component::find(std::string_view field) const {
  const auto it = std::ranges::find(items, field, &Item::field);
  return it == items.end() ? nullptr : &*it;
}

int64_t Component::integer(std::string_view field) const {
  const Item* i = find(field);
  if (!i || i->kind != Item::Kind::Number) throw missing(*this, field, "number");
  return i->integer;
}
int64_t Component::integer(std::string_view field, int64_t fallback) const {
  return has(field) ? integer(field) : fallback;
}
double Component::real(std::string_view field, double fallback) const {
  const Item* i = find(field);
  if (!i) return fallback;
  if (i->kind != Item::Kind::Number) throw missing(*this, field, "number");
  return i->real;
}
bool Component::flag(std::string_view field, bool fallback) const {
  const Item* i = find(field);
  return i ? i->integer != 0 : fallback;
}
const Tensor& Component::reals(std::string_view field) const {
  const Item* i = find(field);
  if (!i || i->kind != Item::Kind::Reals) throw missing(*this, field, "vector or matrix");
  return i->reals;
}
const std::vector<int64_t>& Component::integers(std::string_view field) const {
  const Item* i = find(field);
  if (!i || (i->kind != Item::Kind::Integers && i->integers.empty() && element_count(i->reals.shape) != 0))
    throw missing(*this, field, "list of integers");
  return i->integers;
}
const Tensor& Component::nth_reals(size_t n) const {
  for (const Item& i : items)
    if (i.kind == Item::Kind::Reals && n-- == 0) return i.reals;
  throw missing(*this, "...", "further vector or matrix");
}

File read_file_of_components(const Bytes& bytes) { return Reader(bytes).read(); }

}  // namespace blobsmith::kaldi
