#include "importers/tensorflow/importer.hpp"

#include "core/file.hpp"
#include "graph/ops/known_value.hpp"
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

Source read_saved_model_file(const std::string& path) {
  const size_t slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash);
  FlatModel flat = flatten(read_saved_model(read_file(path), {"serve"}), {});
  const std::string prefix = folder + "/variables/variables";
  const Variables variables =
      file_exists(prefix + ".index") ? variables_of(Checkpoint::bundle(prefix)) : no_variables();
  Source s = make_source(std::move(flat), variables);
  s.model.name = "saved_model";
  return s;
}

Source read_source(const std::string& path) {
  Source s;
  if (path.ends_with(".meta")) {
    const std::string prefix = path.substr(0, path.size() - 5);
    Model model = read_meta_graph(read_file(path));
    model.signatures.clear();
    const Variables variables =
        file_exists(prefix + ".index") ? variables_of(Checkpoint::bundle(prefix)) : no_variables();
    s = make_source(flatten(std::move(model), {}), variables);
  } else {
    const Bytes file = read_file(path);
    if (!path.ends_with(".pbtxt") && what_else(file) == "a SavedModel") return read_saved_model_file(path);
    s = make_source(flatten(path.ends_with(".pbtxt") ? read_graph_text(file) : read_graph(file), {}), no_variables());
  }
  s.model.name = base_name(path);
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

Imported import_tensorflow(const std::string& path, const ImportOptions& options) {
  return import_tensorflow(tensorflow_file::read_source(path), options);
}

}  // namespace blobsmith
