#include "graph/ops/attribute_text.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>

#include "core/text.hpp"

namespace blobsmith::ops {
namespace {

Error bad_value(std::string_view text, std::string_view wanted) {
  return Error(ErrorCode::BadAttribute, "\"" + std::string(text) + "\" is not " + std::string(wanted));
}

std::string_view without_leading(std::string_view s) {
  while (!s.empty() && std::isspace(static_cast<unsigned char>(s.front()))) s.remove_prefix(1);
  if (!s.empty() && s.front() == '+') s.remove_prefix(1);
  return s;
}

std::vector<std::string_view> fields(std::string_view text) {
  std::vector<std::string_view> list;
  size_t begin = 0;
  // As with getline: a comma at the very end opens no further field.
  while (begin < text.size()) {
    const size_t comma = std::min(text.find(',', begin), text.size());
    if (comma == begin)
      throw Error(ErrorCode::BadAttribute,
                  "Cannot get vector of parameters! \"" + std::string(text) + "\" is incorrect");
    list.push_back(text.substr(begin, comma - begin));
    begin = comma + 1;
  }
  return list;
}

std::optional<bool> parse_flag(std::string_view text) {
  const std::string s = lower_case(text);
  if (s == "true" || s == "1") return true;
  if (s == "false" || s == "0") return false;
  return std::nullopt;
}

// The choice as the row spells it; empty when it is none.
std::string_view find_choice(const AttributeSpec& spec, std::string_view text) {
  std::string_view left = spec.choices;
  while (!left.empty()) {
    const size_t bar = std::min(left.find('|'), left.size());
    if (same_caseless(left.substr(0, bar), text)) return left.substr(0, bar);
    left.remove_prefix(std::min(bar + 1, left.size()));
  }
  return {};
}

std::string parse_choice(const AttributeSpec& spec, std::string_view text) {
  if (find_choice(spec, text).empty()) throw bad_value(text, "one of " + lower_case(spec.choices));
  return lower_case(text);
}

template <class T, class F>
std::string print_list(const std::vector<T>& values, F print) {
  std::string text;
  for (const T& v : values) text += (text.empty() ? "" : ", ") + print(v);
  return text;
}

template <class T, class F>
std::vector<T> parse_list(std::string_view text, F parse) {
  std::vector<T> values;
  for (std::string_view field : fields(text)) values.push_back(T(parse(field)));
  return values;
}

}  // namespace

int64_t parse_integer(std::string_view text) {
  const std::string_view s = without_leading(text);
  int64_t v = 0;
  const auto [end, error] = std::from_chars(s.data(), s.data() + s.size(), v);
  if (error != std::errc()) throw bad_value(text, "a signed 64 bit integer");
  return v;
}

double parse_real(std::string_view text) {
  const std::string_view s = without_leading(text);
  double v = 0;
  const auto [end, error] = std::from_chars(s.data(), s.data() + s.size(), v);
  if (error != std::errc()) throw bad_value(text, "a number");
  return v;
}

std::vector<int64_t> parse_integers(std::string_view text) { return parse_list<int64_t>(text, parse_integer); }

std::optional<Attributes::Value> parse_attribute(const AttributeSpec& spec, std::string_view text) {
  switch (spec.kind) {
    case AttributeKind::Flag: {
      const auto flag = parse_flag(text);
      if (!flag) return std::nullopt;
      return Attributes::Value(*flag);
    }
    case AttributeKind::Integer: return Attributes::Value(parse_integer(text));
    case AttributeKind::Real: return Attributes::Value(parse_real(text));
    case AttributeKind::Text: return Attributes::Value(std::string(text));
    case AttributeKind::Choice: return Attributes::Value(parse_choice(spec, text));
    case AttributeKind::Integers: return Attributes::Value(parse_integers(text));
    case AttributeKind::Reals: return Attributes::Value(parse_list<double>(text, parse_real));
    case AttributeKind::Texts:
      return Attributes::Value(
          parse_list<std::string>(text, [](std::string_view s) { return std::string(without_leading(s)); }));
    case AttributeKind::Type: {
      const auto type = parse_element_type(text);
      if (!type) throw bad_value(text, "an element type");
      return Attributes::Value(std::string(to_string(*type)));
    }
  }
  throw internal_error("unknown kind of attribute");
}

std::string print_attribute(const AttributeSpec& spec, const Attributes::Value& value) {
  struct Printer {
    const AttributeSpec& spec;
    std::string operator()(bool v) const { return v ? "true" : "false"; }
    std::string operator()(int64_t v) const { return std::to_string(v); }
    std::string operator()(double v) const { return number_text(v, 17); }
    std::string operator()(const std::string& v) const {
      const std::string_view choice = spec.kind == AttributeKind::Choice ? find_choice(spec, v) : v;
      return choice.empty() ? v : std::string(choice);
    }
    std::string operator()(const std::vector<int64_t>& v) const { return print_integers(v); }
    std::string operator()(const std::vector<double>& v) const {
      return print_list(v, [](double x) { return number_text(x, 6); });
    }
    std::string operator()(const std::vector<std::string>& v) const {
      return print_list(v, [](const std::string& x) { return x; });
    }
  };
  return std::visit(Printer{spec}, value);
}

std::string print_integers(const std::vector<int64_t>& values) {
  return print_list(values, [](int64_t v) { return std::to_string(v); });
}

}  // namespace blobsmith::ops
