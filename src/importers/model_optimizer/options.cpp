#include "importers/model_optimizer/options.hpp"

#include <algorithm>
#include <charconv>

namespace blobsmith::model_optimizer {
namespace {

Error bad(std::string_view text, const char* expected) {
  return Error(ErrorCode::BadOptionValue, "'" + std::string(text) + "' is not " + expected);
}

constexpr const char* kInputForm = "NAME, PORT:NAME or NAME:PORT, each with [shape], {type} or ->value behind it";
constexpr const char* kShapeForm = "[1,3,224,224]";
constexpr const char* kValuesForm = "[104,117,123] or NAME[104,117,123],OTHER[1]";

bool opens(char c) { return c == '[' || c == '('; }
bool closes(char c) { return c == ']' || c == ')'; }

/// The parts between commas outside of brackets.
std::vector<std::string> items(std::string_view text) {
  std::vector<std::string> list(1);
  int depth = 0;
  for (char c : text) {
    depth += opens(c) - closes(c);
    if (c == ' ' && list.back().empty()) continue;
    if (c == ',' && depth == 0)
      list.emplace_back();
    else
      list.back() += c;
  }
  return list;
}

std::vector<std::string> words(std::string_view text) {
  std::vector<std::string> list(1);
  for (char c : text) {
    if (c != ' ' && c != ',')
      list.back() += c;
    else if (!list.back().empty())
      list.emplace_back();
  }
  if (list.back().empty()) list.pop_back();
  return list;
}

template <class T>
T number(const std::string& word, std::string_view whole, const char* expected) {
  T v{};
  const auto [end, ec] = std::from_chars(word.data(), word.data() + word.size(), v);
  if (ec != std::errc{} || end != word.data() + word.size()) throw bad(whole, expected);
  return v;
}

/// "?", "*" and -1 stand for what the model has.
Shape shape_of(std::string_view inside, std::string_view whole, const char* expected) {
  Shape shape;
  for (const std::string& w : words(inside)) {
    shape.push_back(w == "?" || w == "*" ? kDynamic : number<int64_t>(w, whole, expected));
    if (shape.back() < 1 && shape.back() != kDynamic) throw bad(whole, expected);
  }
  return shape;
}

/// Takes "[...]" off the end; nothing where the text does not end in a bracket.
std::optional<std::string> take_brackets(std::string& text) {
  if (text.empty() || !closes(text.back())) return std::nullopt;
  const size_t open = text.find_last_of("[(");
  if (open == std::string::npos) return std::nullopt;
  std::string inside = text.substr(open + 1, text.size() - open - 2);
  text.resize(open);
  return inside;
}

std::optional<ElementType> take_type(std::string& text, std::string_view whole) {
  if (text.empty() || text.back() != '}') return std::nullopt;
  const size_t open = text.rfind('{');
  if (open == std::string::npos) throw bad(whole, kInputForm);
  const auto type = parse_element_type(text.substr(open + 1, text.size() - open - 2));
  if (!type) throw bad(whole, kInputForm);
  text.resize(open);
  return type;
}

InputPlace parse_input(const std::string& item) {
  InputPlace p;
  std::string rest = item;
  if (const size_t arrow = rest.find("->"); arrow != std::string::npos) {
    std::string value = rest.substr(arrow + 2);
    rest.resize(arrow);
    const auto list = take_brackets(value);
    p.value = words(list ? *list : value);
    if (p.value->empty()) throw bad(item, kInputForm);
  }
  p.type = take_type(rest, item);
  if (const auto inside = take_brackets(rest)) p.shape = shape_of(*inside, item, kInputForm);
  if (!p.type) p.type = take_type(rest, item);  // either order
  p.place = rest;
  if (p.place.empty()) throw bad(item, kInputForm);
  return p;
}

}  // namespace

std::vector<InputPlace> parse_inputs(std::string_view text) {
  std::vector<InputPlace> list;
  for (const std::string& item : items(text)) list.push_back(parse_input(item));
  return list;
}

std::vector<std::string> parse_places(std::string_view text) {
  std::vector<std::string> list = items(text);
  if (std::ranges::find(list, "") != list.end()) throw bad(text, "a list of NAME, PORT:NAME or NAME:PORT");
  return list;
}

std::vector<Shape> parse_shapes(std::string_view text) {
  std::vector<Shape> list;
  for (std::string item : items(text)) {
    const auto inside = take_brackets(item);
    if (!inside || !item.empty()) throw bad(text, kShapeForm);
    list.push_back(shape_of(*inside, text, kShapeForm));
  }
  return list;
}

std::vector<ChannelValues> parse_channel_values(std::string_view text) {
  std::vector<ChannelValues> list;
  for (std::string item : items(text)) {
    const auto inside = take_brackets(item);
    if (!inside) throw bad(text, kValuesForm);
    ChannelValues v{item, {}};
    for (const std::string& w : words(*inside)) v.values.push_back(number<double>(w, text, kValuesForm));
    if (v.values.empty()) throw bad(text, kValuesForm);
    list.push_back(std::move(v));
  }
  const auto named = std::ranges::count_if(list, [](const ChannelValues& v) { return !v.input.empty(); });
  if (named != 0 && named != std::ssize(list)) throw bad(text, "named for all inputs or for none");
  return list;
}

std::pair<int64_t, int64_t> parse_offsets(std::string_view text) {
  constexpr const char* kForm = "(1,2)";
  std::string item(text);
  const auto inside = take_brackets(item);
  const std::vector<std::string> list = inside ? words(*inside) : std::vector<std::string>{};
  if (!item.empty() || list.size() != 2) throw bad(text, kForm);
  return {number<int64_t>(list[0], text, kForm), number<int64_t>(list[1], text, kForm)};
}

}  // namespace blobsmith::model_optimizer
