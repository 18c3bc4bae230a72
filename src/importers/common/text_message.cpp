#include "importers/common/text_message.hpp"

#include <algorithm>
#include <charconv>

namespace blobsmith::importers {
namespace {

constexpr int kDeepest = 32;

Error not_a(const Message::Field& f, const char* what) {
  return Error(ErrorCode::FileCorrupt,
               "line " + std::to_string(f.line) + ": " + f.name + " is '" + f.text + "', which is not " + what);
}

std::string_view without_sign(std::string_view t, bool& negative) {
  negative = t.starts_with('-');
  if (negative) t.remove_prefix(1);
  return t;
}

int64_t integer_of(const Message::Field& f) {
  bool negative = false;
  std::string_view t = without_sign(f.text, negative);
  int base = 10;
  if (t.starts_with("0x") || t.starts_with("0X")) base = 16, t.remove_prefix(2);
  int64_t v = 0;
  const auto [end, ec] = std::from_chars(t.data(), t.data() + t.size(), v, base);
  if (t.empty() || ec != std::errc{} || end != t.data() + t.size()) throw not_a(f, "a whole number");
  return negative ? -v : v;
}

double real_of(const Message::Field& f) {
  bool negative = false;
  std::string_view t = without_sign(f.text, negative);
  if (t.size() > 1 && (t.ends_with('f') || t.ends_with('F')) && t != "inf") t.remove_suffix(1);
  float v = 0;
  const auto [end, ec] = std::from_chars(t.data(), t.data() + t.size(), v);
  const bool all = !t.empty() && end == t.data() + t.size();
  // A number that is too small for a float is 0.
  if (!all || (ec != std::errc{} && ec != std::errc::result_out_of_range)) throw not_a(f, "a number");
  const double wide = static_cast<double>(v);
  return negative ? -wide : wide;
}

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\f' || c == '\v'; }
bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.' ||
         c == '-' || c == '+';
}

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {
    if (text_.starts_with("\xEF\xBB\xBF")) at_ = 3;
  }

  Message whole() {
    Message m = body('\0', 0);
    return m;
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw Error(ErrorCode::FileCorrupt, "line " + std::to_string(line_) + ": " + what);
  }

  char peek() {
    for (; at_ < text_.size(); ++at_) {
      if (text_[at_] == '#') {
        at_ = std::min(text_.find('\n', at_), text_.size());
        if (at_ == text_.size()) break;
      }
      if (text_[at_] == '\n') ++line_;
      if (!is_space(text_[at_])) return text_[at_];
    }
    return '\0';
  }
  bool take(char c) {
    if (peek() != c || at_ == text_.size()) return false;
    ++at_;
    return true;
  }

  std::string word(const char* expected) {
    peek();
    const size_t start = at_;
    while (at_ < text_.size() && is_word(text_[at_])) ++at_;
    if (at_ == start) fail(std::string(expected) + " expected");
    return std::string(text_.substr(start, at_ - start));
  }

  char escaped_char() {
    const char c = text_[at_++];
    switch (c) {
      case 'n': return '\n';
      case 't': return '\t';
      case 'r': return '\r';
      case 'a': return '\a';
      case 'b': return '\b';
      case 'f': return '\f';
      case 'v': return '\v';
      case 'x': return code(16, 2);
      default: break;
    }
    if (c < '0' || c > '7') return c;
    --at_;
    return code(8, 3);
  }
  char code(int base, size_t digits) {
    unsigned v = 0;
    const char* first = text_.data() + at_;
    const auto [end, ec] = std::from_chars(first, first + std::min(digits, text_.size() - at_), v, base);
    if (ec != std::errc{}) fail("a bad escape in a string");
    at_ += static_cast<size_t>(end - first);
    return static_cast<char>(v);
  }

  /// Strings that follow each other are one.
  std::string quoted() {
    std::string s;
    for (char quote = peek(); quote == '"' || quote == '\''; quote = peek()) {
      ++at_;
      while (true) {
        if (at_ >= text_.size() || text_[at_] == '\n') fail("a string does not end");
        const char c = text_[at_++];
        if (c == quote) break;
        if (c != '\\')
          s += c;
        else if (at_ < text_.size())
          s += escaped_char();
      }
    }
    return s;
  }

  void value(Message& m, const std::string& name, int depth) {
    const char c = peek();
    Message::Field f{name, {}, nullptr, line_, false};
    if (c == '{' || c == '<') {
      ++at_;
      f.message = std::make_unique<Message>(body(c == '{' ? '}' : '>', depth + 1));
    } else {
      f.text = c == '"' || c == '\'' ? quoted() : word("a value");
    }
    m.add(std::move(f));
  }

  void field(Message& m, int depth) {
    const bool extension = take('[');
    const std::string name = word("the name of a field");
    if (extension && !take(']')) fail("']' expected");
    const bool colon = take(':');
    const char c = peek();
    if (!colon && c != '{' && c != '<') fail("':' expected behind " + name);
    if (c != '[') {
      value(m, name, depth);
    } else if (take('['); !take(']')) {
      do value(m, name, depth);
      while (take(','));
      if (!take(']')) fail("']' expected");
    }
    if (!take(',')) take(';');
  }

  Message body(char end, int depth) {
    if (depth > kDeepest) fail("messages are nested too deep");
    Message m;
    while (true) {
      const char c = peek();
      if (at_ >= text_.size()) {
        if (end) fail(std::string("'") + end + "' is missing at the end");
        return m;
      }
      if (end && c == end) {
        ++at_;
        return m;
      }
      field(m, depth);
    }
  }

  std::string_view text_;
  size_t at_ = 0;
  int line_ = 1;
};

}  // namespace

const Message::Field* Message::last(std::string_view name) const {
  const Field* found = nullptr;
  for (const Field& f : fields_)
    if (f.name == name) f.read = true, found = &f;
  return found;
}

bool Message::has(std::string_view name) const { return last(name) != nullptr; }
void Message::mark_read(std::string_view name) const { last(name); }

const Message* Message::message(std::string_view name) const {
  const Field* f = last(name);
  if (f && !f->message) throw not_a(*f, "a message");
  return f ? f->message.get() : nullptr;
}

std::vector<const Message*> Message::messages(std::string_view name) const {
  std::vector<const Message*> list;
  for (const Field& f : fields_) {
    if (f.name != name) continue;
    f.read = true;
    if (!f.message) throw not_a(f, "a message");
    list.push_back(f.message.get());
  }
  return list;
}

namespace {

const Message::Field& scalar(const Message::Field& f) {
  if (f.message)
    throw Error(ErrorCode::FileCorrupt,
                "line " + std::to_string(f.line) + ": " + f.name + " is a message where a value is expected");
  return f;
}

template <class T, class Of>
std::vector<T> list_of(const std::vector<Message::Field>& fields, std::string_view name, Of of) {
  std::vector<T> list;
  for (const Message::Field& f : fields) {
    if (f.name != name) continue;
    f.read = true;
    list.push_back(of(scalar(f)));
  }
  return list;
}

}  // namespace

std::string Message::text(std::string_view name, std::string_view fallback) const {
  const Field* f = last(name);
  return f ? scalar(*f).text : std::string(fallback);
}
std::vector<std::string> Message::texts(std::string_view name) const {
  return list_of<std::string>(fields_, name, [](const Field& f) { return f.text; });
}
int64_t Message::integer(std::string_view name, int64_t fallback) const {
  const Field* f = last(name);
  return f ? integer_of(scalar(*f)) : fallback;
}
std::vector<int64_t> Message::integers(std::string_view name) const {
  return list_of<int64_t>(fields_, name, integer_of);
}
double Message::real(std::string_view name, float fallback) const {
  const Field* f = last(name);
  return f ? real_of(scalar(*f)) : static_cast<double>(fallback);
}
std::vector<double> Message::reals(std::string_view name) const { return list_of<double>(fields_, name, real_of); }

bool Message::flag(std::string_view name, bool fallback) const {
  const Field* f = last(name);
  if (!f) return fallback;
  const std::string& t = scalar(*f).text;
  if (t == "true" || t == "True" || t == "t" || t == "1") return true;
  if (t == "false" || t == "False" || t == "f" || t == "0") return false;
  throw not_a(*f, "true or false");
}

const Message::Field* Message::unread() const {
  for (const Field& f : fields_) {
    if (!f.read) return &f;
    if (const Field* inner = f.message ? f.message->unread() : nullptr) return inner;
  }
  return nullptr;
}

Message parse_text(std::string_view text) { return Parser(text).whole(); }

}  // namespace blobsmith::importers
