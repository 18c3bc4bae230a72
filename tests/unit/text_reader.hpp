// What the textual forms of tests have in common (graph_text.hpp, program_text.hpp): words, numbers, brackets.
// A semicolon opens a comment.
#pragma once
#include <algorithm>
#include <cctype>
#include <stdexcept>
#include <string>
#include <string_view>

namespace blobsmith {

class TextReader {
 protected:
  explicit TextReader(std::string of_what) : of_what_(std::move(of_what)) {}

  void open(std::string_view text) {
    text_ = text;
    at_ = 0;
  }

  /// A number, as its digits.
  std::string digits() {
    skip();
    return taken(std::min(text_.find_first_not_of("-+.0123456789e", at_), text_.size()));
  }
  std::string word() {
    skip();
    const size_t end = end_of_word();
    if (end == at_) fail("a name is missing");
    return taken(end);
  }
  /// False where another word is next.
  bool take_word(std::string_view expected) {
    skip();
    const size_t end = end_of_word();
    if (text_.substr(at_, end - at_) != expected) return false;
    at_ = end;
    return true;
  }
  std::string until(std::string_view ends) { return taken(std::min(text_.find_first_of(ends, at_), text_.size())); }
  std::string inside(char open, char close) {
    expect(open);
    std::string s = until(std::string_view(&close, 1));
    expect(close);
    return s;
  }
  /// What an attribute is: a list without its brackets, or the text up to the next comma or the end.
  std::string attribute_text() { return peek() == '[' ? inside('[', ']') : until(",)"); }
  /// Whether a word and "=" come next.
  bool names_attribute() {
    skip();
    const size_t end = end_of_word();
    return end != at_ && end < text_.size() && text_[end] == '=';
  }
  bool starts_number() const { return peek() == '-' || std::isdigit(static_cast<unsigned char>(peek())); }

  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  bool take(char c) {
    skip();
    if (peek() != c) return false;
    ++at_;
    return true;
  }
  void expect(char c) {
    if (!take(c)) fail(std::string("expected ") + c);
    if (c == '=') skip();
  }
  /// False at the end of the text.
  bool more() {
    skip();
    return at_ < text_.size();
  }
  void skip() {
    while (at_ < text_.size())
      if (std::isspace(static_cast<unsigned char>(text_[at_])))
        ++at_;
      else if (text_[at_] == ';')
        at_ = std::min(text_.find('\n', at_), text_.size());
      else
        return;
  }
  [[noreturn]] void fail(const std::string& what) const {
    const auto line = 1 + std::ranges::count(text_.substr(0, at_), '\n');
    throw std::runtime_error("line " + std::to_string(line) + " of a " + of_what_ + ": " + what);
  }

 private:
  size_t end_of_word() const {
    size_t end = at_;
    while (end < text_.size() && (std::isalnum(static_cast<unsigned char>(text_[end])) || text_[end] == '_')) ++end;
    return end;
  }
  std::string taken(size_t end) {
    const std::string s(text_.substr(at_, end - at_));
    at_ = end;
    return s;
  }

  std::string of_what_;
  std::string_view text_;
  size_t at_ = 0;
};

}  // namespace blobsmith
