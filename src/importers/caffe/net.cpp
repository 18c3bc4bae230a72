// .prototxt: layers of all generations, and which of them are there at inference time.
#include "importers/caffe/net.hpp"

#include <algorithm>
#include <optional>

namespace blobsmith::caffe {
namespace {

using Field = Message::Field;

std::string_view view(const Bytes& b) { return {reinterpret_cast<const char*>(b.data()), b.size()}; }

// ---- V0: one flat message with names of its own inside of a V1 layer ----

struct V0Name {
  std::string_view type, param, v0, now;  ///< a field of layers of a type, and what and where it is now
};
constexpr V0Name kV0Names[] = {
    {"conv", "convolution_param", "num_output", "num_output"},
    {"conv", "convolution_param", "biasterm", "bias_term"},
    {"conv", "convolution_param", "pad", "pad"},
    {"conv", "convolution_param", "kernelsize", "kernel_size"},
    {"conv", "convolution_param", "group", "group"},
    {"conv", "convolution_param", "stride", "stride"},
    {"conv", "convolution_param", "weight_filler", "weight_filler"},
    {"conv", "convolution_param", "bias_filler", "bias_filler"},
    {"innerproduct", "inner_product_param", "num_output", "num_output"},
    {"innerproduct", "inner_product_param", "biasterm", "bias_term"},
    {"innerproduct", "inner_product_param", "weight_filler", "weight_filler"},
    {"innerproduct", "inner_product_param", "bias_filler", "bias_filler"},
    {"pool", "pooling_param", "pool", "pool"},
    {"pool", "pooling_param", "pad", "pad"},
    {"pool", "pooling_param", "kernelsize", "kernel_size"},
    {"pool", "pooling_param", "stride", "stride"},
    {"lrn", "lrn_param", "local_size", "local_size"},
    {"lrn", "lrn_param", "alpha", "alpha"},
    {"lrn", "lrn_param", "beta", "beta"},
    {"lrn", "lrn_param", "k", "k"},
    {"dropout", "dropout_param", "dropout_ratio", "dropout_ratio"},
    {"concat", "concat_param", "concat_dim", "concat_dim"},
};

Message copy_of(const Message& m);

Field moved(const Field& f, std::string_view name) {
  Field copy{std::string(name), f.text, nullptr, f.line, false};
  if (f.message) copy.message = std::make_unique<Message>(copy_of(*f.message));
  return copy;
}

Message copy_of(const Message& m) {
  Message copy;
  for (const Field& f : m.fields()) copy.add(moved(f, f.name));
  return copy;
}

Message upgraded_v0(const Message& outer, const Message& v0) {
  Message m, param;
  std::string param_name;
  const std::string type = v0.text("type");
  for (const Field& f : v0.fields()) {
    const auto row = std::ranges::find_if(kV0Names, [&](const V0Name& r) { return r.type == type && r.v0 == f.name; });
    if (row == std::end(kV0Names)) {
      m.add(moved(f, f.name));
    } else {
      param.add(moved(f, row->now));
      param_name = row->param;
    }
  }
  if (!param_name.empty()) m.add({param_name, {}, std::make_unique<Message>(std::move(param)), 0, false});
  for (const Field& f : outer.fields())
    if (f.name != "layer") m.add(moved(f, f.name));
  return m;
}

// ---- phases ----

bool is_phase(const std::string& text, const char* name, const char* number) { return text == name || text == number; }

/// The net is in phase TEST, at level 0, without stages.
bool meets(const Message& rule) {
  if (rule.has("phase") && !is_phase(rule.text("phase"), "TEST", "1")) return false;
  if (rule.integer("min_level", 0) > 0 || rule.integer("max_level", 0) < 0) return false;
  const bool meant_for_others = !rule.texts("stage").empty();
  rule.mark_read("not_stage");
  return !meant_for_others;
}

bool is_for_inference(const Message& layer) {
  if (layer.has("phase") && is_phase(layer.text("phase"), "TRAIN", "0")) return false;
  const std::vector<const Message*> include = layer.messages("include");
  const auto met = [](const Message* rule) { return meets(*rule); };
  if (!include.empty() && std::ranges::none_of(include, met)) return false;
  return std::ranges::none_of(layer.messages("exclude"), met);
}

// ---- layers ----

std::string type_of(const Message& m) {
  const std::string type = m.text("type");
  const Message* python = type == "Python" ? m.message("python_param") : nullptr;
  return python ? type + " " + python->text("module") + "." + python->text("layer") : type;
}

/// Null: it is for training only.
std::optional<Layer> read_layer(const Field& f) {
  if (!f.message) throw Error(ErrorCode::FileCorrupt, "line " + std::to_string(f.line) + ": a layer has no contents");
  Layer layer;
  const Message* v0 = f.name == "layers" ? f.message->message("layer") : nullptr;
  layer.message = v0 ? upgraded_v0(*f.message, *v0) : copy_of(*f.message);
  const Message& m = layer.message;
  if (!is_for_inference(m)) return std::nullopt;
  layer.name = m.text("name");
  layer.type = type_of(m);
  layer.bottoms = m.texts("bottom");
  layer.tops = m.texts("top");
  layer.line = f.line;
  if (layer.type.empty())
    throw Error(ErrorCode::FileCorrupt, "line " + std::to_string(f.line) + ": layer '" + layer.name + "' has no type");
  return layer;
}

std::vector<NetInput> read_inputs(const Message& m) {
  const std::vector<std::string> names = m.texts("input");
  const std::vector<const Message*> shapes = m.messages("input_shape");
  const std::vector<int64_t> dims = m.integers("input_dim");
  std::vector<NetInput> inputs;
  for (size_t i = 0; i < names.size(); ++i) {
    NetInput input{names[i], {}};
    if (i < shapes.size())
      input.shape = shapes[i]->integers("dim");
    else if (shapes.empty() && dims.size() == 4 * names.size())
      input.shape.assign(dims.begin() + static_cast<std::ptrdiff_t>(4 * i),
                         dims.begin() + static_cast<std::ptrdiff_t>(4 * i + 4));
    else if (names.size() == 1)
      input.shape = dims;
    inputs.push_back(std::move(input));
  }
  return inputs;
}

}  // namespace

std::string plain_type(std::string_view type) {
  std::string r;
  for (const char c : type)
    if (c != '_') r += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  if (r == "conv") return "convolution";  // V0
  if (r == "pool") return "pooling";
  return r;
}

Net read_net(const Bytes& prototxt) {
  const Message m = parse_text(view(prototxt));
  Net net{m.text("name"), read_inputs(m), {}};
  const bool is_new = m.has("layer");
  for (const Field& f : m.fields())
    if (f.name == (is_new ? "layer" : "layers"))
      if (auto layer = read_layer(f)) net.layers.push_back(*std::move(layer));
  if (net.layers.empty())
    throw Error(ErrorCode::FileCorrupt,
                "Invalid proto file: there is neither \"layer\" nor \"layers\" top-level messages.");
  return net;
}

}  // namespace blobsmith::caffe
