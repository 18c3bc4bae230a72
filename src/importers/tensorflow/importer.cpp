#include "importers/tensorflow/importer.hpp"

#include <algorithm>

#include "importers/common/model_files.hpp"
#include "importers/model_optimizer/cut.hpp"
#include "importers/model_optimizer/pipeline.hpp"
#include "importers/tensorflow/checkpoint.hpp"
#include "importers/tensorflow/operators.hpp"
#include "importers/tensorflow/transformations.hpp"

namespace blobsmith::tensorflow_file {
namespace {

std::string base_name(const std::string& path) {
  const std::string file = path.substr(path.rfind('/') + 1);
  return file.substr(0, file.rfind('.'));
}

Variables no_variables() {
  return [](const std::string&) { return std::optional<Tensor>(); };
}
Variables variables_of(Checkpoint checkpoint) {
  return [c = std::make_shared<const Checkpoint>(std::move(checkpoint))](const std::string& name) {
    return c->find(name);
  };
}

/// Of the checkpoint beside the model that is called so, where there is one.
Variables variables_beside(const ModelFile& file, const std::string& prefix) {
  if (!importers::contents_beside(file, prefix + ".index")) return no_variables();
  return variables_of(Checkpoint::bundle(importers::files_beside(file), prefix));
}

/// Of the file that the user states: of version 1, or any of the files of version 2, or what their names have in
/// common.
Variables variables_at(const std::string& path) {
  const ModelFile stated(path);
  const std::string name = path.substr(path.rfind('/') + 1);
  for (const std::string& prefix : {name, name.substr(0, name.rfind('.'))})
    if (importers::contents_beside(stated, prefix + ".index"))
      return variables_of(Checkpoint::bundle(importers::files_beside(stated), prefix));
  return variables_of(Checkpoint::single_file(importers::contents_of(stated)));
}

std::vector<std::string> tags_of(const std::string& list) {
  if (list.empty()) return {"serve"};
  std::vector<std::string> tags;
  for (size_t at = 0; at <= list.size();) {
    const size_t end = std::min(list.find(',', at), list.size());
    tags.push_back(list.substr(at, end - at));
    at = end + 1;
  }
  return tags;
}

Source read_source(const ModelFile& file, const model_optimizer::FrameworkOptions& options) {
  const Bytes bytes = importers::contents_of(file);
  const std::string &path = file.path(), name = base_name(path);
  const bool is_stated = !options.input_checkpoint.empty();
  const auto variables = [&](const std::string& prefix) {
    return is_stated ? variables_at(options.input_checkpoint) : variables_beside(file, prefix);
  };
  Source s;
  if (path.ends_with("saved_model.pb")) {
    s = make_source(
        flatten(read_saved_model(bytes, tags_of(options.saved_model_tags)), {}),
        variables(importers::contents_beside(file, "variables.index") ? "variables" : "variables/variables"));
    s.model.name = "saved_model";
    return s;
  }
  if (path.ends_with(".meta")) {
    Model model = read_meta_graph(bytes);
    model.signatures.clear();
    s = make_source(flatten(std::move(model), {}), variables(name));
  } else {
    const bool is_text = options.input_model_is_text || path.ends_with(".pbtxt");
    s = make_source(flatten(is_text ? read_graph_text(bytes) : read_graph(bytes), {}),
                    is_stated ? variables_at(options.input_checkpoint) : no_variables());
  }
  s.model.name = name;
  return s;
}

}  // namespace
}  // namespace blobsmith::tensorflow_file

namespace blobsmith {
namespace {

using importers::SourceOperator;

/// Parts of a constant are constants.
void fold_parts(Graph& g, std::vector<Value>& values) {
  if (values.size() < 2 || !values[0].node || !values[0].node->is("Split") ||
      !values[0].node->input(0).node->is_constant())
    return;
  const Node& split = *values[0].node;
  const Tensor* inputs[] = {&split.input(0).node->constant,
                            split.input(1).node->is_constant() ? &split.input(1).node->constant : nullptr};
  if (!inputs[1]) return;
  std::vector<Tensor> parts = evaluate(split, inputs);
  for (Value& v : values)
    if (v.node == &split && static_cast<size_t>(v.port) < parts.size())
      v = g.constant(parts[static_cast<size_t>(v.port)], split.name + "/" + std::to_string(v.port))->value();
}

bool states_shapes(const ImportOptions& o) {
  return !o.input_shapes.empty() || !o.cut.shapes.empty() ||
         std::ranges::any_of(o.cut.inputs, [](const model_optimizer::InputPlace& p) { return p.shape.has_value(); });
}

}  // namespace

std::map<std::string_view, std::string_view> tensorflow_operators() { return tensorflow_import::operators(); }

Imported import_tensorflow(tensorflow_file::Source source, const ImportOptions& options) {
  model_optimizer::cut(source.model, options);
  if (!options.framework.transformations_config.empty())
    apply_transformations(source,
                          {options.framework.transformations_config, options.framework.object_detection_pipeline,
                           states_shapes(options), !options.cut.outputs.empty()});
  prune_branches(source);
  const std::vector<tensorflow_file::Node> nodes = std::move(source.nodes);
  const tensorflow_file::Bodies bodies = std::move(source.bodies);
  importers::Session session(std::move(source.model), options, importers::Framework::TensorFlow);
  tensorflow_import::Shared shared{session, bodies};
  const auto row_of = [](const SourceOperator& op) { return tensorflow_import::find_operator(op.type); };
  const auto convert = [&](const SourceOperator& op) {
    const tensorflow_import::OperatorRow& row = *row_of(op);
    tensorflow_import::Context context(shared, op, nodes.at(op.index), row.becomes);
    std::vector<Value> values = row.convert(context);
    fold_parts(session.graph, values);
    for (Value& v : values) v = context.known(v, op.name);
    return values;
  };
  importers::convert_operators(session, [&](const SourceOperator& op) { return row_of(op) != nullptr; }, convert);
  return model_optimizer::finish(std::move(session));
}

Imported import_tensorflow(const ModelFile& file, const ImportOptions& options) {
  return import_tensorflow(tensorflow_file::read_source(file, options.framework), options);
}

}  // namespace blobsmith
