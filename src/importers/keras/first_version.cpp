// Keras 2 renamed most arguments, and joined the weights of recurrent layers: "nb_filter" is "filters", and where an
// LSTM of Keras 1 has W_i, U_i, b_i, W_c ..., that of Keras 2 has
//
//   kernel = [W_i W_f W_c W_o], recurrent_kernel = [U_i U_f U_c U_o], bias = [b_i b_f b_c b_o]
//
// Source: Keras' own conversion when it reads such files.
#include "importers/keras/first_version.hpp"

#include <algorithm>

#include "core/error.hpp"

namespace blobsmith::keras_file {
namespace {

struct Renamed {
  std::string_view before, now;
};
constexpr Renamed kClasses[] = {
    {"Convolution1D", "Conv1D"},
    {"Convolution2D", "Conv2D"},
    {"Convolution3D", "Conv3D"},
    {"AtrousConvolution1D", "Conv1D"},
    {"AtrousConvolution2D", "Conv2D"},
    {"Deconvolution2D", "Conv2DTranspose"},
    {"SeparableConvolution2D", "SeparableConv2D"},
};
constexpr Renamed kArguments[] = {
    {"nb_filter", "filters"},         {"border_mode", "padding"},   {"subsample", "strides"},
    {"subsample_length", "strides"},  {"bias", "use_bias"},         {"inner_activation", "recurrent_activation"},
    {"atrous_rate", "dilation_rate"}, {"pool_length", "pool_size"}, {"stride", "strides"},
    {"filter_length", "kernel_size"}, {"length", "size"},           {"concat_axis", "axis"},
};
constexpr Renamed kWeights[] = {
    {"W", "kernel"},
    {"U", "recurrent_kernel"},
    {"b", "bias"},
    {"alphas", "alpha"},
    {"running_mean", "moving_mean"},
    {"running_std", "moving_variance"},
    {"gamma", "gamma"},
    {"beta", "beta"},
    {"depthwise_kernel", "depthwise_kernel"},
    {"pointwise_kernel", "pointwise_kernel"},
};
constexpr Renamed kMerges[] = {{"sum", "Add"},     {"mul", "Multiply"}, {"ave", "Average"},
                               {"max", "Maximum"}, {"dot", "Dot"},      {"concat", "Concatenate"}};

template <size_t kCount>
const std::string_view* now(const Renamed (&table)[kCount], std::string_view before) {
  const auto* it = std::ranges::find(table, before, &Renamed::before);
  return it == std::end(table) ? nullptr : &it->now;
}

Error no_counterpart(const Call& call, const std::string& what) {
  Error e(ErrorCode::UnsupportedLayer, "layer \"" + call.name + "\" of Keras 1: " + what);
  e.from("layer \"" + call.name + "\" (" + call.class_name + ")");
  return e.hint("load the model with Keras 2 and save it anew");
}

void rename_arguments(Json& c, const std::string& class_name) {
  for (const Renamed& r : kArguments) {
    const auto it = c.find(r.before);
    if (it == c.end()) continue;
    c[std::string(r.now)] = *it;
    c.erase(std::string(r.before));
  }
  if (c.contains("nb_row") && c.contains("nb_col")) c["kernel_size"] = {c["nb_row"], c["nb_col"]};
  if (c.contains("kernel_dim1"))
    c["kernel_size"] = {c["kernel_dim1"], c.value("kernel_dim2", 1), c.value("kernel_dim3", 1)};
  if (c.contains("output_dim") && class_name != "Embedding") c["units"] = c["output_dim"];
  if (const auto order = c.find("dim_ordering"); order != c.end())
    c["data_format"] = *order == "th" ? "channels_first" : "channels_last";
  if (class_name == "ZeroPadding2D" && c.contains("padding") && c["padding"].is_array() && c["padding"].size() == 4)
    c["padding"] = {{c["padding"][0], c["padding"][1]}, {c["padding"][2], c["padding"][3]}};
}

/// A layer that a layer wraps, and cells, have arguments of their own.
void bring_up_to_date(std::string& class_name, Json& config) {
  if (const auto* name = now(kClasses, class_name)) class_name = *name;
  rename_arguments(config, class_name);
  if (const auto inner = config.find("layer"); inner != config.end() && inner->is_object()) {
    std::string name = inner->value("class_name", std::string());
    Json own = inner->value("config", Json::object());
    bring_up_to_date(name, own);
    *inner = {{"class_name", name}, {"config", own}};
  }
}

void choose_merge(Call& call) {
  const std::string mode = call.config.contains("mode") && call.config["mode"].is_string()
                               ? call.config["mode"].get<std::string>()
                               : std::string();
  const auto* name = now(kMerges, mode);
  if (!name) throw no_counterpart(call, "its mode is '" + mode + "'");
  call.class_name = *name;
  if (mode == "dot") call.config["axes"] = call.config.value("dot_axes", Json(-1));
}

// ---- weights ----

/// "lstm_1_W_i" -> "W_i"; "forward_lstm_1_W_i" -> "forward/W_i".
std::string short_key(const std::string& key) {
  const std::string side = key.starts_with("forward_") ? "forward/" : key.starts_with("backward_") ? "backward/" : "";
  std::string_view best;
  const auto consider = [&](std::string_view name) {
    if (name.size() > best.size() && (key == name || key.ends_with("_" + std::string(name)))) best = name;
  };
  for (const Renamed& r : kWeights) consider(r.before);
  static constexpr std::string_view kOfGates[] = {"W_i", "U_i", "b_i", "W_f", "U_f", "b_f", "W_c",
                                                  "U_c", "b_c", "W_o", "U_o", "b_o", "W_z", "U_z",
                                                  "b_z", "W_r", "U_r", "b_r", "W_h", "U_h", "b_h"};
  for (const std::string_view name : kOfGates) consider(name);
  return best.empty() ? key : side + std::string(best);
}

/// Matrices side by side, or vectors behind each other.
Tensor joined(const std::vector<Tensor>& parts) {
  const int64_t rows = parts[0].shape.size() == 2 ? parts[0].shape[0] : 1;
  std::vector<std::vector<float>> values;
  int64_t columns = 0;
  for (const Tensor& t : parts) {
    values.push_back(t.to_f32());
    columns += std::ssize(values.back()) / std::max<int64_t>(rows, 1);
  }
  std::vector<float> all;
  for (int64_t r = 0; r < rows; ++r)
    for (const auto& v : values) {
      const auto each = static_cast<std::ptrdiff_t>(std::ssize(v) / rows);
      all.insert(all.end(), v.begin() + r * each, v.begin() + (r + 1) * each);
    }
  return Tensor::of(ElementType::f32, parts[0].shape.size() == 2 ? Shape{rows, columns} : Shape{columns},
                    std::move(all));
}

void join_gates(std::map<std::string, Tensor>& weights, const std::string& side, std::string_view gates) {
  static constexpr Renamed kJoined[] = {{"W", "kernel"}, {"U", "recurrent_kernel"}, {"b", "bias"}};
  for (const Renamed& r : kJoined) {
    std::vector<Tensor> parts;
    for (const char gate : gates) {
      const auto it = weights.find(side + std::string(r.before) + "_" + gate);
      if (it == weights.end()) break;
      parts.push_back(it->second);
    }
    if (parts.size() != gates.size()) continue;
    weights[side + std::string(r.now)] = joined(parts);
  }
}

/// [out, in, ...] -> [..., in, out], and turned round where the backend convolves.
Tensor turned_kernel(const Tensor& w, bool channels_first, bool flips) {
  const size_t planes = w.shape.size() - 2;
  Shape s;
  for (size_t i = 0; i < planes; ++i) s.push_back(w.shape[channels_first ? i + 2 : i]);
  s.push_back(w.shape[channels_first ? 1 : planes]);
  s.push_back(w.shape[channels_first ? 0 : planes + 1]);
  const int64_t places = element_count(s) / (s[planes] * s[planes + 1]), in = s[planes], out = s[planes + 1];
  const std::vector<float> v = w.to_f32();
  std::vector<float> r(v.size());
  for (int64_t p = 0; p < places; ++p)
    for (int64_t i = 0; i < in; ++i)
      for (int64_t o = 0; o < out; ++o) {
        const int64_t from = flips ? places - 1 - p : p;
        r[static_cast<size_t>((p * in + i) * out + o)] =
            v[static_cast<size_t>(channels_first ? (o * in + i) * places + from : (from * in + i) * out + o)];
      }
  return Tensor::of(ElementType::f32, s, std::move(r));
}

void rename_weights(Call& call, const std::string& class_name, bool flips) {
  std::map<std::string, Tensor> weights;
  for (auto& [key, tensor] : call.weights) weights[short_key(key)] = tensor;
  for (const std::string side : {"", "forward/", "backward/"}) {
    if (class_name == "LSTM") join_gates(weights, side, "ifco");
    if (class_name == "GRU") join_gates(weights, side, "zrh");
    for (const Renamed& r : kWeights)
      if (const auto it = weights.find(side + std::string(r.before)); it != weights.end() && r.before != r.now) {
        const bool is_table = class_name == "Embedding" && r.before == "W";
        weights[side + (is_table ? "embeddings" : std::string(r.now))] = it->second;
      }
  }
  if (const auto kernel = weights.find("kernel");
      kernel != weights.end() && class_name.find("Conv") != std::string::npos) {
    const bool channels_first = call.config.value("data_format", Json("channels_last")) == "channels_first";
    if (kernel->second.shape.size() > 3 && (channels_first || flips))
      kernel->second = turned_kernel(kernel->second, channels_first, flips);
    if (class_name == "Conv1D" && kernel->second.shape.size() == 4)
      kernel->second.shape.erase(kernel->second.shape.begin() + 1);
  }
  call.weights = std::move(weights);
}

}  // namespace

void bring_up_to_date(Model& model, bool flips) {
  std::vector<Error> errors;
  for (Call& call : model.calls) {
    try {
      if (call.class_name == "Merge") choose_merge(call);
      bring_up_to_date(call.class_name, call.config);
      const auto inner = call.config.find("layer");
      const std::string of = inner != call.config.end() && inner->is_object()
                                 ? inner->value("class_name", std::string())
                                 : call.class_name;
      if (call.class_name == "BatchNormalization" && call.config.value("mode", Json(0)) == 1)
        throw no_counterpart(call, "it normalises each sample by itself");
      rename_weights(call, of, flips);
    } catch (Error& e) {
      errors.push_back(std::move(e));
    }
  }
  if (!errors.empty()) throw ErrorList(std::move(errors));
}

}  // namespace blobsmith::keras_file
