#include "importers/keras/arguments.hpp"

namespace blobsmith::keras_import {

Json argument(Layer& l, Names names, size_t place) {
  for (const char* name : names)
    for (const Json* from : {&l.config(), &l.arguments()})
      if (const auto it = from->find(name); it != from->end()) return *it;
  if (const auto it = l.arguments().find("args"); it != l.arguments().end() && it->is_array() && place < it->size())
    return (*it)[place];
  return {};
}

std::vector<int64_t> integers_in(const Json& j) {
  std::vector<int64_t> v;
  if (j.is_number()) v.push_back(j.get<int64_t>());
  if (j.is_array())
    for (const Json& item : j) v.push_back(item.is_number() ? item.get<int64_t>() : -1);
  return v;
}

int64_t integer_argument(Layer& l, Names names, size_t place, int64_t fallback) {
  const Json j = argument(l, names, place);
  return j.is_number() ? j.get<int64_t>() : fallback;
}
double real_argument(Layer& l, Names names, size_t place, double fallback) {
  const Json j = argument(l, names, place);
  return j.is_number() ? j.get<double>() : fallback;
}

std::vector<int64_t> axes_of(Layer& l) {
  std::vector<int64_t> axes = integers_in(argument(l, {"axis", "axes"}, 1));
  if (axes.empty())
    for (int64_t i = 0; i < l.c.rank(); ++i) axes.push_back(i);
  for (int64_t& a : axes) a = l.c.axis(a, l.c.rank());
  return axes;
}

int64_t axis_of(Layer& l, Names names, size_t place, int64_t fallback) {
  return l.c.axis(integer_argument(l, names, place, fallback), l.c.rank());
}

std::vector<Value> operands(Layer& l, std::initializer_list<Names> names) {
  std::vector<Value> v;
  size_t place = 0, tensor = 0;
  for (const Names& names_of_one : names) {
    const Json j = argument(l, names_of_one, place++);
    if (j.is_number())
      v.push_back(l.number(j.get<double>(), "/number_" + std::to_string(place)));
    else if (tensor < l.c.input_count())
      v.push_back(l.c.input(tensor++));
    else
      l.refuse("one of its operands is not known");
  }
  return v;
}

Value reduced(Layer& l, const char* op, Value x, bool keep, const std::string& suffix) {
  return l.apply(op, {x, l.integers_value(axes_of(l), suffix + "/axes")}, {{"keep_dims", flag_attribute(keep)}},
                 suffix);
}
bool keeps_axes(Layer& l) { return argument(l, {"keepdims"}, 2) == Json(true); }

Value transposed(Layer& l, Value x, const std::vector<int64_t>& order, const std::string& suffix) {
  return l.apply("Transpose", {x, l.integers_value(order, suffix + "/perm")}, {}, suffix);
}

}  // namespace blobsmith::keras_import
