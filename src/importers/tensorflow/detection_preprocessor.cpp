// Pictures come in the size that the network was trained for, so what scales them goes. What stays is arithmetic with
// constants, which stands before or behind it:
//
//   image_tensor → Cast → [Preprocessor: loop over pictures, resize] → mul → sub → FeatureExtractor
//   image_tensor → Cast →                                              mul → sub → FeatureExtractor
#include <cmath>
#include <nlohmann/json.hpp>
#include <regex>

#include "importers/tensorflow/object_detection.hpp"

namespace blobsmith::tensorflow_file {
namespace {

using importers::SourceInput;
using importers::SourceOperator;
using Json = nlohmann::json;

Error not_as_expected(const std::string& what) { return bad_transformation(what).hint(kOtherNetwork); }

SourceInput& picture(Editor& e) {
  for (const char* name : {"input_tensor", "image_tensor"})
    if (SourceInput* i = e.input(name)) return *i;
  throw not_as_expected("the graph has no input \"image_tensor\"").hint("no --input: the network is cut by itself");
}

/// Rows and columns of pictures that keep their proportions.
std::pair<int64_t, int64_t> kept_in_proportion(double rows, double columns, double least, double most) {
  const double ratio = std::min(least / std::min(rows, columns), most / std::max(rows, columns));
  return {static_cast<int64_t>(std::nearbyint(rows * ratio)), static_cast<int64_t>(std::nearbyint(columns * ratio))};
}

/// The size that the network gets its pictures in: as trained, else as the user says.
void fix_picture_size(Detector& d) {
  SourceInput& input = picture(d.editor);
  Shape shape = input.shape && input.shape->size() == 4 ? *input.shape : Shape{kDynamic, kDynamic, kDynamic, 3};
  const bool stated = d.has_stated_shape && shape[1] > 0 && shape[2] > 0;
  const std::string fixed = "image_resizer/fixed_shape_resizer/", kept = "image_resizer/keep_aspect_ratio_resizer/";
  if (d.pipeline.has(fixed + "height") && d.pipeline.has(fixed + "width")) {
    if (!stated) shape[1] = d.pipeline.needed_integer(fixed + "height");
    if (!stated) shape[2] = d.pipeline.needed_integer(fixed + "width");
  } else if (d.pipeline.has("image_resizer/keep_aspect_ratio_resizer")) {
    const int64_t least = d.pipeline.integer(kept + "min_dimension", 600);
    const int64_t most = d.pipeline.integer(kept + "max_dimension", 1024);
    if (d.pipeline.flag(kept + "pad_to_max_dimension", false))
      shape[1] = shape[2] = most;
    else if (!stated)
      shape[1] = shape[2] = least;
    else
      std::tie(shape[1], shape[2]) = kept_in_proportion(static_cast<double>(shape[1]), static_cast<double>(shape[2]),
                                                        static_cast<double>(least), static_cast<double>(most));
  } else if (!stated) {
    throw not_as_expected("pipeline.config does not say how large pictures are").hint("state it, --input_shape");
  }
  if (shape[0] < 1) shape[0] = 1;
  input.shape = std::move(shape);
}

bool is_arithmetic(const SourceOperator& op) {
  static const std::set<std::string_view> kTypes{"Sub", "Mul", "RealDiv", "Div", "Add", "AddV2"};
  return kTypes.contains(op.type) && op.inputs.size() == 2;
}
/// Which input is computed, the other one is a constant; none: it is no such arithmetic.
std::optional<size_t> computed_input(const Editor& e, const SourceOperator& op) {
  if (!is_arithmetic(op)) return std::nullopt;
  const bool first = e.constant(op.inputs[0]) != nullptr, second = e.constant(op.inputs[1]) != nullptr;
  if (first == second) return std::nullopt;
  return first ? 1 : 0;
}

/// The first operator of a chain of arithmetic that ends with `last`.
const SourceOperator& first_of_chain(const Editor& e, const SourceOperator& last) {
  const SourceOperator* first = &last;
  while (true) {
    const auto input = computed_input(e, *first);
    const SourceOperator* before = input ? e.producer(e.in_front_of(first->inputs[*input])) : nullptr;
    if (!before || !computed_input(e, *before)) return *first;
    first = before;
  }
}

std::regex expression(const std::string& text) try { return std::regex(text); } catch (const std::regex_error&) {
  throw not_as_expected("'" + text + "' is no regular expression");
}

std::string first_of(const Editor& e, const Json& names) {
  for (const Json& name : names)
    if (e.find(name.get<std::string>())) return name.get<std::string>();
  throw not_as_expected("failed to find start/end nodes of the pre-processing block");
}

/// An operator that reads a tensor and a constant.
struct Arithmetic {
  std::string type;
  size_t computed;  ///< which input is the tensor
  Tensor constant;
};

/// What a loop over pictures computes with constants, beside scaling them: before it, or behind it.
std::vector<Arithmetic> loop_arithmetic(const Editor& outer, const SourceOperator& loop, const Source& s) {
  const auto named = s.bodies.find(outer.node(loop).text("body", ""));
  if (named == s.bodies.end()) throw not_as_expected("the loop over pictures has no body");
  const Body& body = named->second;
  Source copy{body.model, body.nodes};
  for (size_t i = 0; i < body.arguments.size() && i < loop.inputs.size(); ++i)
    if (const Tensor* t = outer.constant(loop.inputs[i])) copy.model.constants.emplace_back(body.arguments[i], *t);
  const Editor inner(copy);
  const auto named_so = [&](const char* ending) -> const SourceOperator& {
    for (const SourceOperator& op : copy.model.operators)
      if (op.name.ends_with(ending)) return op;
    throw not_as_expected(std::string("the loop over pictures has no node \"") + ending + "\"");
  };
  const auto described = [&](const SourceOperator& op) {
    const size_t computed = *computed_input(inner, op);
    return Arithmetic{op.type, computed, *inner.constant(op.inputs[1 - computed])};
  };
  std::vector<Arithmetic> chain;
  std::string key = inner.in_front_of(named_so("Preprocessor/unstack").inputs.at(0));
  for (const SourceOperator* op = inner.producer(key); op && computed_input(inner, *op);
       op = inner.producer(inner.in_front_of(op->inputs[*computed_input(inner, *op)])))
    chain.insert(chain.begin(), described(*op));
  if (!chain.empty()) return chain;
  key = named_so("Preprocessor/stack").outputs.at(0);
  for (std::vector<std::string> readers = inner.readers(key); readers.size() == 1; readers = inner.readers(key)) {
    const SourceOperator& op = inner.at(readers[0]);
    if (!computed_input(inner, op)) break;
    chain.push_back(described(op));
    key = op.outputs[0];
  }
  return chain;
}

std::string add_loop_arithmetic(Editor& e, const std::string& loop, std::string key) {
  for (Arithmetic& a : loop_arithmetic(e, e.at(loop), e.source())) {
    const std::string name = "Preprocessor/" + a.type,
                      constant = e.add_constant(name + "/constant", std::move(a.constant));
    key = e.add(a.type, name, a.computed ? std::vector{constant, key} : std::vector{key, constant});
  }
  return key;
}

}  // namespace

std::string find_scope(const Editor& e, const Json& expressions) {
  for (const Json& one : expressions) {
    const std::regex scope = expression(one.get<std::string>());
    for (const SourceOperator& op : e.source().model.operators) {
      std::smatch m;
      if (std::regex_search(op.name, m, scope, std::regex_constants::match_continuous))
        return op.name.substr(0, static_cast<size_t>(m.length()));
    }
  }
  throw not_as_expected("the graph has no scope that the entry's expressions describe");
}

std::string picture_as_floats(Editor& e) {
  const SourceInput& input = picture(e);
  for (const std::string& reader : e.readers(input.key))
    if (e.at(reader).type == "Cast") return e.at(reader).outputs[0];
  if (is_float(input.type)) return input.key;
  throw not_as_expected("no Cast reads the picture");
}

void remove_preprocessor(Detector& d, const Json& entry) {
  Editor& e = d.editor;
  fix_picture_size(d);
  const std::string scope = find_scope(e, entry.at("instances"));
  std::string last = entry.at("outputs").at(0).at("node").get<std::string>();
  if (last.ends_with('$')) last.pop_back();
  const SourceOperator& end = e.at(scope + last);
  const auto input = computed_input(e, end);
  if (!input || end.type != "Sub")
    throw not_as_expected("the output op of the Preprocessor sub-graph is not of type \"Sub\"");
  const std::string end_key = end.outputs[0];
  const SourceOperator& begin = first_of_chain(e, end);
  const size_t begin_input = *computed_input(e, begin);
  const std::string floats = picture_as_floats(e);
  if (e.in_front_of(begin.inputs[begin_input]) == floats) {
    e.redirect(e.at(scope + "map/TensorArrayStack/TensorArrayGatherV3").outputs[0], end_key);
  } else {
    e.set_input(begin.name, begin_input, floats);
  }
}

void remove_loop_preprocessor(Detector& d, const Json& entry) {
  Editor& e = d.editor;
  fix_picture_size(d);
  const Json own = entry.at("custom_attributes");
  const std::string start = first_of(e, own.at("start_nodes")), end = first_of(e, own.at("end_nodes"));
  std::string key = e.at(start).inputs.at(0);
  const std::vector<std::string> loops = e.nearest_before(e.at(end).outputs[0], {"While", "StatelessWhile"});
  if (loops.size() > 1) throw not_as_expected("there should be exactly one loop in the pre-processor block");
  const SourceInput& input = picture(e);
  if (!is_float(input.type) && e.in_front_of(key) == input.key)
    key = e.add("Cast", input.name + "/Cast", {key}, {{"DstT", type_attribute(ElementType::f32)}});
  if (!loops.empty()) key = add_loop_arithmetic(e, loops[0], key);
  e.redirect(e.at(end).outputs[0], key);
}

}  // namespace blobsmith::tensorflow_file
