#include "importers/caffe/as_model_optimizer.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "core/file.hpp"
#include "importers/caffe/mean_file.hpp"
#include "importers/caffe/operators.hpp"
#include "importers/common/session.hpp"
#include "importers/model_optimizer/cut.hpp"
#include "importers/model_optimizer/pipeline.hpp"

namespace blobsmith {
namespace caffe {
namespace {

using importers::SourceModel;
using importers::SourceOperator;

constexpr std::string_view kModel = ".caffemodel", kText = ".prototxt";

struct Paths {
  std::string text, model;
};

Paths paths_of(const std::string& path, const ImportOptions& options) {
  Paths p{options.framework.input_proto, path};
  if (path.ends_with(kText) && p.text.empty()) {
    p.text = path;
    p.model = path.substr(0, path.size() - kText.size()) + std::string(kModel);
    if (!file_exists(p.model))
      throw Error(ErrorCode::MissingWeights, "the weights " + p.model + " are not there")
          .hint("name the .caffemodel as the model and the .prototxt by --input_proto");
  } else if (p.text.empty()) {
    const size_t dot = path.rfind('.');
    p.text = path.substr(0, path.ends_with(kModel) ? path.size() - kModel.size() : dot) + std::string(kText);
    if (!file_exists(p.text))
      throw Error(ErrorCode::FileNotFound,
                  "Cannot find prototxt file: for Caffe please specify --input_proto - a protobuf file that stores "
                  "topology and --input_model that stores pretrained weights.")
          .because("there is no " + p.text);
  }
  return p;
}

/// Layers over blobs that are written again and again, as operators over tensors that are written once.
class SourceBuilder {
 public:
  explicit SourceBuilder(const caffe::Net& net) : net_(net) { model_.name = net.name; }

  SourceModel build() {
    for (const caffe::NetInput& input : net_.inputs) add_input(input.name, input.name, input.shape);
    for (size_t i = 0; i < net_.layers.size(); ++i) add(net_.layers[i], i);
    if (model_.inputs.empty())
      throw Error(ErrorCode::BadGraph, "The topology contains no \"input\" layers.")
          .hint("it is a description for training, or lacks its input: take the deploy.prototxt");
    for (const std::string& key : unread_) model_.outputs.push_back({key, {}});
    return std::move(model_);
  }

 private:
  void add_input(const std::string& name, const std::string& blob, const Shape& shape) {
    model_.inputs.push_back(
        {name, written(blob), ElementType::f32, shape.empty() ? std::optional<Shape>() : std::optional(shape)});
  }

  void add(const caffe::Layer& layer, size_t index) {
    if (caffe::plain_type(layer.type) == "input") return add_input_layer(layer);
    SourceOperator op{index, unique(layer.name), layer.type, describe(layer), {}, {}};
    for (const std::string& blob : layer.bottoms) op.inputs.push_back(read(blob, layer));
    const bool silent = caffe::plain_type(layer.type) == "silence";
    if (silent) return;
    for (const std::string& blob : layer.tops) {
      op.outputs.push_back(written(blob));
      unread_.push_back(op.outputs.back());
    }
    model_.operators.push_back(std::move(op));
  }

  void add_input_layer(const caffe::Layer& layer) {
    const caffe::Message* param = layer.message.message("input_param");
    std::vector<const caffe::Message*> shapes = param ? param->messages("shape") : std::vector<const caffe::Message*>();
    for (size_t i = 0; i < layer.tops.size(); ++i) {
      const caffe::Message* shape = shapes.empty() ? nullptr : shapes[std::min(i, shapes.size() - 1)];
      add_input(i == 0 ? layer.name : layer.tops[i], layer.tops[i], shape ? shape->integers("dim") : Shape{});
    }
  }

  static std::string describe(const caffe::Layer& layer) { return "layer \"" + layer.name + "\" (" + layer.type + ")"; }

  /// A second layer of one name gets a number, as Model Optimizer counts.
  std::string unique(const std::string& name) {
    size_t number = ++count_;
    std::string r = name;
    while (r.empty() || !names_.insert(r).second) r = name + std::to_string(number++);
    return r;
  }

  std::string read(const std::string& blob, const caffe::Layer& layer) {
    const auto it = current_.find(blob);
    if (it == current_.end())
      throw Error(ErrorCode::BadGraph,
                  "layer '" + layer.name + "' reads '" + blob + "', which no layer before it writes")
          .at_layer(layer.name, layer.type)
          .from(describe(layer));
    std::erase(unread_, it->second);
    return it->second;
  }

  std::string written(const std::string& blob) {
    const size_t times = times_[blob]++;
    std::string& key = current_[blob];
    key = times == 0 ? blob : blob + importers::kAgain + std::to_string(times);
    return key;
  }

  const caffe::Net& net_;
  SourceModel model_;
  std::map<std::string, std::string> current_;  ///< blob: key of the tensor that it holds
  std::map<std::string, size_t> times_;
  std::vector<std::string> unread_;
  std::set<std::string> names_;
  size_t count_ = 0;
};

/// Fields that say nothing of what a layer computes at inference time.
constexpr std::string_view kHarmless[] = {"transform_param",
                                          "loss_param",
                                          "weight_filler",
                                          "bias_filler",
                                          "filler",
                                          "scale_filler",
                                          "engine",
                                          "moving_average_fraction",
                                          "use_global_stats",
                                          "force_nd_im2col",
                                          "stable_prod_grad",
                                          "dropout_param",
                                          "save_output_param",
                                          "visualize",
                                          "visualize_threshold",
                                          "save_file",
                                          "cudnn_convolution_algo_seeker"};

void mark_harmless(const caffe::Message& m, bool all = false) {
  for (const caffe::Message::Field& f : m.fields()) {
    const bool harmless = all || std::ranges::find(kHarmless, f.name) != std::end(kHarmless);
    if (harmless) f.read = true;
    if (f.message) mark_harmless(*f.message, harmless);
  }
}

/// A field that the layer's conversion has not asked for might change what it computes.
void check_all_read(const caffe::Context& c) {
  const caffe::Message& m = c.layer().message;
  for (const caffe::Message::Field& f : m.fields())
    if (!f.message || !f.name.ends_with("_param")) m.mark_read(f.name);
  mark_harmless(m);
  for (const caffe::Message::Field& f : m.fields()) {
    if (!f.message || !f.name.ends_with("_param")) continue;
    if (f.read && !f.message->unread()) continue;
    const std::string field = f.read ? f.name + "." + f.message->unread()->name : f.name;
    throw not_yet_supported(c.name(), c.type(), "field " + field + " of a layer " + c.type())
        .from(c.source())
        .hint("line " + std::to_string(f.read ? f.message->unread()->line : f.line) +
              " of the .prototxt; take it out if it changes nothing at inference time");
  }
}

}  // namespace
}  // namespace caffe

namespace caffe {
namespace {

Imported import_net(caffe::Net net, const ImportOptions& options) {
  SourceModel source = SourceBuilder(net).build();
  model_optimizer::cut(source, options);
  importers::Session session(std::move(source), options, importers::Framework::Caffe);
  const auto row_of = [&](const SourceOperator& op) { return caffe::find_operator(op.type); };
  const auto convert = [&](const SourceOperator& op) {
    const caffe::OperatorRow& row = *row_of(op);
    caffe::Context context(session, op, net.layers[op.index], row.becomes);
    std::vector<Value> outputs = row.convert(context);
    check_all_read(context);
    return outputs;
  };
  importers::convert_operators(session, [&](const SourceOperator& op) { return row_of(op) != nullptr; }, convert);
  caffe::set_mean_image(session);
  return model_optimizer::finish(std::move(session));
}

}  // namespace
}  // namespace caffe

Imported import_caffe(const Bytes& prototxt, const Bytes& caffemodel, const ImportOptions& options) {
  caffe::Net net = caffe::read_net(prototxt);
  caffe::read_weights(caffemodel, net);
  return caffe::import_net(std::move(net), options);
}

Imported import_caffe(const std::string& path, const ImportOptions& options) {
  const caffe::Paths paths = caffe::paths_of(path, options);
  const auto in_file = [](const std::string& file, auto f) {
    try {
      return f();
    } catch (Error& e) {
      if (e.file().empty()) e.in_file(file);
      throw;
    }
  };
  caffe::Net net = in_file(paths.text, [&] { return caffe::read_net(read_file(paths.text)); });
  in_file(paths.model, [&] { caffe::read_weights(read_file(paths.model), net); });
  return caffe::import_net(std::move(net), options);
}

}  // namespace blobsmith
