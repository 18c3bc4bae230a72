#include "importers/tensorflow/importer.hpp"

#include "graph/ops/known_value.hpp"
#include "importers/common/model_files.hpp"
#include "importers/model_optimizer/cut.hpp"
#include "importers/model_optimizer/pipeline.hpp"
#include "importers/tensorflow/checkpoint.hpp"
#include "importers/tensorflow/operators.hpp"

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

Source read_source(const ModelFile& file) {
  const Bytes bytes = importers::contents_of(file);
  const std::string &path = file.path(), name = base_name(path);
  if (path.ends_with("saved_model.pb")) {
    FlatModel flat = flatten(read_saved_model(bytes, {"serve"}), {});
    Source s = make_source(std::move(flat), variables_beside(file, "variables/variables"));
    s.model.name = "saved_model";
    return s;
  }
  Source s;
  if (path.ends_with(".meta")) {
    Model model = read_meta_graph(bytes);
    model.signatures.clear();
    s = make_source(flatten(std::move(model), {}), variables_beside(file, name));
  } else {
    s = make_source(flatten(path.ends_with(".pbtxt") ? read_graph_text(bytes) : read_graph(bytes), {}), no_variables());
  }
  s.model.name = name;
  return s;
}

}  // namespace
}  // namespace blobsmith::tensorflow_file

namespace blobsmith {
namespace {

using importers::SourceOperator;

/// Arithmetic on shapes is done now.
Value known(importers::Session& s, Value v, const std::string& name) {
  if (v.node->is_constant() || is_float(v.type()) || v.node->is("Parameter")) return v;
  auto t = known_value(v);
  return t ? s.graph.constant(*std::move(t), name)->value() : v;
}

}  // namespace

std::map<std::string_view, std::string_view> tensorflow_operators() { return tensorflow_import::operators(); }

Imported import_tensorflow(tensorflow_file::Source source, const ImportOptions& options) {
  model_optimizer::cut(source.model, options);
  prune_branches(source);
  const std::vector<tensorflow_file::Node> nodes = std::move(source.nodes);
  importers::Session session(std::move(source.model), options, importers::Framework::TensorFlow);
  const auto row_of = [](const SourceOperator& op) { return tensorflow_import::find_operator(op.type); };
  const auto convert = [&](const SourceOperator& op) {
    const tensorflow_import::OperatorRow& row = *row_of(op);
    tensorflow_import::Context context(session, op, nodes.at(op.index), row.becomes);
    std::vector<Value> values = row.convert(context);
    for (Value& v : values) v = known(session, v, op.name);
    return values;
  };
  importers::convert_operators(session, [&](const SourceOperator& op) { return row_of(op) != nullptr; }, convert);
  return model_optimizer::finish(std::move(session));
}

Imported import_tensorflow(const ModelFile& file, const ImportOptions& options) {
  return import_tensorflow(tensorflow_file::read_source(file), options);
}

}  // namespace blobsmith
