#include "importers/mxnet/as_model_optimizer.hpp"

#include <algorithm>
#include <filesystem>
#include <set>

#include "core/file.hpp"
#include "importers/common/session.hpp"
#include "importers/model_optimizer/cut.hpp"
#include "importers/model_optimizer/pipeline.hpp"
#include "importers/mxnet/operators.hpp"

namespace blobsmith {
namespace mxnet {
namespace {

using importers::SourceModel;
using importers::SourceOperator;
using Parameters = std::map<std::string, Tensor>;

constexpr std::string_view kSymbol = "-symbol.json", kParams = ".params";

struct Files {
  std::string symbol;
  std::vector<std::string> parameters;  ///< later ones win
};

/// "net-0001.params" -> "net"
std::string prefix_of(const std::string& params) {
  const std::string stem = params.substr(0, params.size() - kParams.size());
  const size_t dash = stem.rfind('-');
  if (dash == std::string::npos || dash + 1 == stem.size() ||
      stem.find_first_not_of("0123456789", dash + 1) != std::string::npos)
    throw Error(ErrorCode::FileNotFound, "Input model name " + std::filesystem::path(params).filename().string() +
                                             " is not in an expected format, cannot extract iteration number.")
        .hint("it is to end in -0000.params, or name the symbol file: --input_symbol");
  return stem.substr(0, dash);
}

/// The .params of the highest iteration beside a symbol file.
std::string params_beside(const std::string& prefix) {
  namespace fs = std::filesystem;
  const fs::path path(prefix);
  const std::string start = path.filename().string() + "-";
  std::string best;
  std::error_code ec;
  for (const auto& entry : fs::directory_iterator(path.has_parent_path() ? path.parent_path() : ".", ec)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with(start) && name.ends_with(kParams)) best = std::max(best, entry.path().string());
  }
  if (best.empty())
    throw Error(ErrorCode::MissingWeights, "there are no parameters " + prefix + "-0000.params beside the symbol file");
  return best;
}

Files files_of(const std::string& path, const ImportOptions& options) {
  const auto& o = options.framework;
  const bool separate = !o.nd_prefix_name.empty() || !o.pretrained_model_name.empty();
  if (separate && (o.nd_prefix_name.empty() || o.pretrained_model_name.empty() || o.input_symbol.empty()))
    throw Error(ErrorCode::BadOptionValue,
                "Arguments --nd_prefix_name, --pretrained_model_name and --input_symbol should be provided. Please "
                "provide all or do not use any.");
  Files f{o.input_symbol, {}};
  if (separate) {
    f.parameters = {o.pretrained_model_name + std::string(kParams)};
    for (const char* part : {"_args.nd", "_auxs.nd"})
      if (file_exists(o.nd_prefix_name + part)) f.parameters.push_back(o.nd_prefix_name + part);
    return f;
  }
  if (path.ends_with(".json")) {
    if (f.symbol.empty()) f.symbol = path;
    f.parameters = {params_beside(path.substr(0, path.size() - (path.ends_with(kSymbol) ? kSymbol.size() : 5)))};
    return f;
  }
  if (!path.ends_with(kParams) && !path.ends_with(".nd"))
    throw Error(ErrorCode::UnknownFormat, "Unsupported Input model file type " +
                                              std::filesystem::path(path).extension().string() +
                                              ". Model Optimizer support only .params and .nd files format.");
  f.parameters = {path};
  if (f.symbol.empty()) f.symbol = prefix_of(path) + std::string(kSymbol);
  if (!file_exists(f.symbol))
    throw Error(ErrorCode::FileNotFound, "Specified input json " + f.symbol + " does not exist.")
        .hint("name the symbol file: --input_symbol");
  return f;
}

std::string key_of(const mxnet::Symbol& s, const mxnet::Input& i) {
  return s.nodes[i.node].name + ":" + std::to_string(i.port);
}

/// Labels of losses, which are no inputs at inference time.
bool drops_labels(const std::string& op) {
  return op == "SoftmaxOutput" || op == "Softmax" || op == "SoftmaxActivation" || op == "LinearRegressionOutput" ||
         op == "LogisticRegressionOutput" || op == "MAERegressionOutput" || op == "SVMOutput";
}

std::optional<Shape> shape_of_variable(const mxnet::SymbolNode& n) {
  const auto it = n.attributes.find("__shape__");
  const auto numbers = it == n.attributes.end() ? std::nullopt : mxnet::numbers_of(it->second);
  if (!numbers || numbers->empty()) return std::nullopt;
  Shape shape;
  for (const double d : *numbers) shape.push_back(d >= 1 && d < 1e9 ? static_cast<int64_t>(d) : kDynamic);
  return shape;
}

class SourceBuilder {
 public:
  SourceBuilder(const mxnet::Symbol& symbol, Parameters& parameters, const ImportOptions& options, std::string name)
      : symbol_(symbol), parameters_(parameters), options_(options) {
    model_.name = std::move(name);
  }

  SourceModel build() {
    find_needed();
    for (size_t i = 0; i < symbol_.nodes.size(); ++i)
      if (needed_.contains(i)) add(symbol_.nodes[i], i);
    for (const mxnet::Input& head : symbol_.heads) model_.outputs.push_back({key_of(symbol_, head), {}});
    return std::move(model_);
  }

 private:
  static size_t inputs_of(const mxnet::SymbolNode& n) {
    return drops_labels(n.op) ? std::min<size_t>(n.inputs.size(), 1) : n.inputs.size();
  }

  /// What the heads follow from, without labels.
  void find_needed() {
    std::vector<size_t> todo;
    for (const mxnet::Input& head : symbol_.heads) todo.push_back(head.node);
    while (!todo.empty()) {
      const size_t i = todo.back();
      todo.pop_back();
      if (!needed_.insert(i).second) continue;
      const mxnet::SymbolNode& n = symbol_.nodes[i];
      for (size_t k = 0; k < inputs_of(n); ++k) {
        const mxnet::Input& in = n.inputs[k];
        todo.push_back(in.node);
        int& count = outputs_[in.node];
        count = std::max(count, in.port + 1);
      }
    }
    for (const mxnet::Input& head : symbol_.heads) outputs_[head.node] = std::max(outputs_[head.node], head.port + 1);
  }

  void add(const mxnet::SymbolNode& n, size_t index) {
    const std::string key = n.name + ":0";
    if (n.op == "null") {
      const auto it = parameters_.find(n.name);
      if (it == parameters_.end() || it->second.bytes.empty())
        model_.inputs.push_back({n.name, key, ElementType::f32, shape_of_variable(n)});
      else
        model_.constants.emplace_back(key, as_single(it->second));
      return;
    }
    SourceOperator op{index, n.name, n.op, "node \"" + n.name + "\" (" + n.op + ")", {}, {}};
    for (size_t k = 0; k < inputs_of(n); ++k) op.inputs.push_back(key_of(symbol_, n.inputs[k]));
    // quirk: states of loops that nothing reads become outputs.
    const bool states = options_.quirks && n.op == "RNN";
    const int count = states ? (n.attributes.contains("mode") && n.attributes.at("mode") == "lstm" ? 3 : 2) : 1;
    op.single_outputs = states;
    for (int k = 0; k < std::max(outputs_[index], count); ++k) op.outputs.push_back(n.name + ":" + std::to_string(k));
    model_.operators.push_back(std::move(op));
  }

  static Tensor as_single(const Tensor& t) {
    if (t.type == ElementType::f32) return t;
    return Tensor::of(ElementType::f32, t.shape, t.to_f32());
  }

  const mxnet::Symbol& symbol_;
  Parameters& parameters_;
  const ImportOptions& options_;
  SourceModel model_;
  std::set<size_t> needed_;
  std::map<size_t, int> outputs_;  ///< how many of a node's outputs are read
};

}  // namespace
}  // namespace mxnet

namespace mxnet {
namespace {

Imported import_graph(const Bytes& json, Parameters parameters, std::string name, const ImportOptions& options) {
  const mxnet::Symbol symbol = mxnet::read_symbol({reinterpret_cast<const char*>(json.data()), json.size()});
  SourceModel source = SourceBuilder(symbol, parameters, options, std::move(name)).build();
  model_optimizer::cut(source, options);
  importers::Session session(std::move(source), options, importers::Framework::Mxnet);
  const auto convert = [&](const SourceOperator& op) {
    const mxnet::OperatorRow& row = *mxnet::find_operator(op.type);
    mxnet::Context context(session, op, symbol.nodes[op.index], row.becomes);
    return row.convert(context);
  };
  importers::convert_operators(
      session, [](const SourceOperator& op) { return mxnet::find_operator(op.type) != nullptr; }, convert);
  return model_optimizer::finish(std::move(session));
}

}  // namespace
}  // namespace mxnet

Imported import_mxnet(const Bytes& symbol, const Bytes& parameters, const std::string& name,
                      const ImportOptions& options) {
  return mxnet::import_graph(symbol, mxnet::read_parameters(parameters), name, options);
}

Imported import_mxnet(const std::string& path, const ImportOptions& options) {
  const mxnet::Files files = mxnet::files_of(path, options);
  mxnet::Parameters parameters;
  for (const std::string& file : files.parameters)
    for (auto& [name, tensor] : mxnet::read_parameters(read_file(file))) parameters[name] = std::move(tensor);
  std::string name = std::filesystem::path(files.symbol).filename().string();
  if (name.ends_with(mxnet::kSymbol)) name.resize(name.size() - mxnet::kSymbol.size());
  return mxnet::import_graph(read_file(files.symbol, uint64_t{1} << 28), std::move(parameters), std::move(name),
                             options);
}

}  // namespace blobsmith
