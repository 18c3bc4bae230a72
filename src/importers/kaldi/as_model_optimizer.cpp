#include "importers/kaldi/as_model_optimizer.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <limits>
#include <map>
#include <set>

#include "core/file.hpp"
#include "importers/common/session.hpp"
#include "importers/kaldi/operators.hpp"
#include "importers/model_optimizer/cut.hpp"
#include "importers/model_optimizer/pipeline.hpp"

namespace blobsmith {
namespace kaldi {
namespace {

using importers::SourceModel;
using importers::SourceOperator;

std::string describe(const Layer& l) {
  return "component \"" + l.name + "\" (" + (l.component ? l.component->type : l.type) + ")";
}

/// --remove_output_softmax. Behind a LogSoftmax counts are added: it is the last layer no more.
void remove_softmax(Network& net, bool counts) {
  const auto is_removed = [&](const Layer& l) {
    return l.kind == Kind::Component && (l.type.starts_with("softmax") || (l.type == "logsoftmaxcomponent" && !counts));
  };
  for (std::string& output : net.outputs)
    if (const auto it = std::ranges::find(net.layers, output, &Layer::name); it != net.layers.end() && is_removed(*it))
      output = it->inputs[0];
  std::erase_if(net.layers, [&](const Layer& l) {
    return is_removed(l) && std::ranges::find(net.outputs, l.name) == net.outputs.end() &&
           std::ranges::none_of(net.layers,
                                [&](const Layer& r) { return std::ranges::find(r.inputs, l.name) != r.inputs.end(); });
  });
}

// ---- counts ----

std::vector<double> read_counts(const std::string& path) {
  const Bytes bytes = read_file(path, 1 << 26);
  std::string text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
  if (text.find('\n') != std::string::npos)
    throw Error(ErrorCode::FileCorrupt, "Expect counts file to be one-line file.").in_file(path);
  std::ranges::replace_if(text, [](char c) { return c == '[' || c == ']' || c == '\t'; }, ' ');
  std::vector<double> counts;
  for (size_t at = text.find_first_not_of(' '); at < text.size(); at = text.find_first_not_of(' ', at)) {
    double v = 0;
    const auto [end, ec] = std::from_chars(text.data() + at, text.data() + text.size(), v);
    if (ec != std::errc{})
      throw Error(ErrorCode::FileCorrupt, "Expect counts file to contain list of floats.").in_file(path);
    counts.push_back(v);
    at = static_cast<size_t>(end - text.data());
  }
  if (counts.empty())
    throw Error(ErrorCode::FileCorrupt, "Expect counts file to contain list of floats.").in_file(path);
  return counts;
}

/// -log of the share of each class.
std::vector<float> negative_log_priors(const std::string& path) {
  constexpr double kCutoff = 1.00000001e-10;
  std::vector<double> counts = read_counts(path);
  std::vector<bool> rare;
  double sum = 0;
  for (double& v : counts) {
    rare.push_back(v < kCutoff);
    v = std::max(v, kCutoff);
    sum += v;
  }
  std::vector<float> r;
  for (size_t i = 0; i < counts.size(); ++i) {
    double log = std::log(counts[i] * (1 / sum));
    if (rare[i]) log += static_cast<double>(std::numeric_limits<float>::max()) / 2;
    r.push_back(static_cast<float>(-log));
  }
  return r;
}

/// Adds them to the only output, or in front of its SoftMax.
void apply_counts(importers::Session& s) {
  const std::string& path = s.options.framework.counts;
  if (path.empty()) return;
  if (s.source.outputs.empty()) throw Error(ErrorCode::BadGraph, "No outputs were found");
  const std::string key = s.source.outputs[0].key;
  Value v = s.value(key);
  Node* softmax = v.node->is("Softmax") ? v.node : nullptr;
  if (softmax) v = softmax->input(0);
  std::vector<float> priors = negative_log_priors(path);
  if (v.shape().size() != 2 || v.shape()[1] != std::ssize(priors))
    throw Error(ErrorCode::ShapeMismatch, "the " + std::to_string(priors.size()) +
                                              " counts do not fit an output of shape " + to_string(v.shape()))
        .in_file(path);
  const auto count = static_cast<int64_t>(priors.size());
  const Value constant =
      s.graph.constant(Tensor::of(ElementType::f32, {1, count}, std::move(priors)), "sub_counts/value")->value();
  Node* sum = s.graph.make("Add", {v, constant}, {}, 0, "sub_counts");
  if (softmax) {
    s.graph.set_input(softmax, 0, sum->value());
    return;
  }
  sum->output().tensor_names = {key};
  s.values[key] = sum->value();
}

// ---- the model ----

std::string key_of(const std::string& input) { return input.rfind(':') == std::string::npos ? input + ":0" : input; }

/// By what Model Optimizer sorts a memory's outputs: the first layer of the file that its value comes from, by first
/// inputs; what comes from a memory stands in front of all.
std::string order_name(const Network& net, const Layer& write) {
  for (const Layer& l : net.layers)  // a splice is its register, as long as all its columns change
    if (l.type.starts_with("splice") && l.kind == Kind::Append && l.inputs == write.inputs) return l.name;
  std::string name = write.inputs[0];
  for (size_t steps = 0; steps <= net.layers.size(); ++steps) {
    const auto it = std::ranges::find(net.layers, name.substr(0, name.rfind(':')), &Layer::name);
    if (it == net.layers.end()) return name;  // an input
    const bool of_the_file = it->type != "Offset" && it->kind != Kind::MemoryRead && it->kind != Kind::Split &&
                             !it->type.starts_with("lstmprojected") && it->type != "backproptruncationcomponent";
    if (of_the_file) return name;
    if (it->inputs.empty()) break;
    name = it->type.starts_with("lstmprojected") ? it->inputs[1] : it->inputs[0];
  }
  return "<UNKNOWN>";
}

/// A memory of several frames, which are moved along each time, beside what reads the oldest: what moves them comes
/// first.
bool is_shifted(const Network& net, const std::string& memory) {
  return std::ranges::any_of(
      net.layers, [&](const Layer& l) { return l.kind == Kind::Crop && l.begin > 0 && l.inputs[0] == memory; });
}

SourceModel source_model(const Network& net, const ImportOptions& options, const std::string& name) {
  SourceModel m;
  m.name = name;
  for (const kaldi::NetworkInput& i : net.inputs)
    m.inputs.push_back({i.name, key_of(i.name), ElementType::f32, Shape{1, i.columns}});
  std::map<std::string, int> readers;
  std::set<std::string> memories;
  for (const Layer& l : net.layers)
    if (l.kind == Kind::MemoryRead) memories.insert(l.name);
  const bool cut = options.framework.remove_memory;
  std::vector<importers::SourceOutput> constants;  // follow the others
  for (size_t i = 0; i < net.layers.size(); ++i) {
    const Layer& l = net.layers[i];
    if (l.kind == Kind::MemoryRead && cut) continue;
    SourceOperator op{i, l.name, l.component ? l.component->type : l.type, describe(l), {}, {}};
    for (const std::string& input : l.inputs) {
      if (!cut || !memories.contains(input)) {
        op.inputs.push_back(key_of(input));
        continue;
      }
      // Each that reads a memory has an input of its own.
      const auto read = std::ranges::find(net.layers, input, &Layer::name);
      int number = readers[input]++;
      if (l.kind == Kind::Crop && is_shifted(net, input)) number = l.begin > 0 ? 0 : 1;
      const std::string parameter = "Parameter_" + std::to_string(number) + "_for_" + read->variable;
      m.inputs.push_back({parameter, parameter, ElementType::f32, Shape{1, read->length}});
      op.inputs.push_back(parameter);
    }
    if (l.kind == Kind::MemoryWrite) {
      op.name = order_name(net, l);
      if (cut) {
        op.outputs.push_back(importers::kAgain + ("Result_for_" + l.variable));  // it has no name in the file
        (l.variable.starts_with(kConstantMemory) ? constants : m.outputs).push_back({op.outputs[0], {}});
      }
    } else {
      const size_t count = l.kind == Kind::Split ? l.lengths.size() : l.type.starts_with("lstmprojected") ? 2 : 1;
      for (size_t k = 0; k < count; ++k) op.outputs.push_back(l.name + ":" + std::to_string(k));
    }
    m.operators.push_back(std::move(op));
  }
  std::ranges::move(constants, std::back_inserter(m.outputs));
  for (auto it = net.outputs.rbegin(); it != net.outputs.rend(); ++it)
    m.outputs.insert(m.outputs.begin(), {key_of(*it), {}});
  return m;
}

}  // namespace
}  // namespace kaldi

Imported import_kaldi(const std::string& path, const ImportOptions& options) {
  return import_kaldi(read_file(path), std::filesystem::path(path).stem().string(), options);
}

Imported import_kaldi(const Bytes& bytes, const std::string& name, const ImportOptions& options) {
  const kaldi::File file = kaldi::read_file_of_components(bytes);
  kaldi::Network net = kaldi::network_of(file);
  if (options.framework.remove_output_softmax) kaldi::remove_softmax(net, !options.framework.counts.empty());
  kaldi::lower_time(net);
  importers::SourceModel source = kaldi::source_model(net, options, name);
  model_optimizer::cut(source, options);
  importers::Session session(std::move(source), options, importers::Framework::Kaldi);
  const auto is_known = [&](const importers::SourceOperator& op) {
    const kaldi::Layer& l = net.layers[op.index];
    return l.kind != kaldi::Kind::Component || kaldi::find_operator(l.component->type) != nullptr;
  };
  const auto convert = [&](const importers::SourceOperator& op) {
    const kaldi::Layer& l = net.layers[op.index];
    kaldi::Context context(session, op, l);
    return l.kind == kaldi::Kind::Component ? kaldi::find_operator(l.component->type)->convert(context)
                                            : kaldi::convert_structure(context);
  };
  importers::convert_operators(session, is_known, convert);
  kaldi::apply_counts(session);
  return model_optimizer::finish(std::move(session));
}

}  // namespace blobsmith
