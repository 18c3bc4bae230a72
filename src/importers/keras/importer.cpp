#include "importers/keras/importer.hpp"

#include "importers/common/session.hpp"
#include "importers/keras/layer.hpp"
#include "importers/keras/masks.hpp"
#include "importers/model_optimizer/cut.hpp"
#include "importers/model_optimizer/pipeline.hpp"

namespace blobsmith {
namespace {

using importers::SourceOperator;

importers::SourceModel source_model(const keras_file::Model& m) {
  importers::SourceModel s;
  s.name = m.name;
  for (const keras_file::Input& i : m.inputs) s.inputs.push_back({i.name, i.name + ":0", i.type, i.shape});
  for (size_t i = 0; i < m.calls.size(); ++i) {
    const keras_file::Call& c = m.calls[i];
    SourceOperator op{i, c.name, c.class_name, "layer \"" + c.name + "\" (" + c.class_name + ")", c.inputs, {}};
    for (size_t port = 0; port < c.outputs; ++port) op.outputs.push_back(c.name + ":" + std::to_string(port));
    s.operators.push_back(std::move(op));
  }
  for (const std::string& key : m.outputs) s.outputs.push_back({key, {}});
  s.only_stated_outputs = true;
  return s;
}

/// Layers whose code is not in the file: all of them at once.
void check_layers(const keras_file::Model& m) {
  std::vector<Error> errors;
  for (const keras_file::Call& c : m.calls) {
    if (keras_import::find_layer(c.class_name)) continue;
    Error e = unsupported_layer(c.name, c.class_name);
    e.from("layer \"" + c.name + "\" (" + c.class_name + ")");
    if (c.class_name == "Lambda") e.because("a Lambda layer is Python code, which is not run");
    e.hint("save the model as a SavedModel, model.export(\"folder\"), and convert that");
    errors.push_back(std::move(e));
  }
  if (!errors.empty()) throw ErrorList(std::move(errors));
}

}  // namespace

std::map<std::string_view, std::string_view> keras_layers() {
  using namespace keras_import;
  std::map<std::string_view, std::string_view> all;
  for (const auto& family : layer_families())
    for (const LayerRow& row : family) all[row.class_name] = row.becomes;
  return all;
}

Imported import_keras(keras_file::Model model, const ImportOptions& options) {
  if (!options.problems) check_layers(model);
  importers::SourceModel source = source_model(model);
  model_optimizer::cut(source, options);
  importers::Session session(std::move(source), options, importers::Framework::TensorFlow);
  const tensorflow_file::Bodies none;
  tensorflow_import::Shared shared{session, none};
  keras_import::Masks masks;
  const auto convert = [&](const SourceOperator& op) {
    const keras_file::Call& call = model.calls.at(op.index);
    const keras_import::LayerRow& row = *keras_import::find_layer(call.class_name);
    const tensorflow_file::Node node{op.name, op.type, {}, {}};
    SourceOperator named = op;
    // Model Optimizer reads the SavedModel, where layers lie in a function and a model.
    if (options.quirks && model.keras < 3) named.name = "StatefulPartitionedCall/" + model.name + "/" + op.name;
    tensorflow_import::Context context(shared, named, node, row.becomes);
    keras_import::Layer layer(context, call, model.keras);
    masks.before(layer, call);
    std::vector<Value> values = row.convert(layer);
    masks.after(layer, call, op.outputs, values);
    return values;
  };
  importers::convert_operators(
      session, [](const SourceOperator& op) { return keras_import::find_layer(op.type) != nullptr; }, convert);
  return model_optimizer::finish(std::move(session));
}

Imported import_keras(const std::string& path, const ImportOptions& options) {
  return import_keras(keras_file::read_model(path), options);
}

}  // namespace blobsmith
