#include "compare/comparison.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <map>
#include <set>

#include "compare/blob_tensors.hpp"

namespace blobsmith::comparison {
namespace {

constexpr double kLabelsOff = 0.01;  ///< share of labels that may differ: ties, and what FP16 makes of them

using Clock = std::chrono::steady_clock;
double milliseconds_since(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

Shape without_ones(Shape s) {
  std::erase(s, 1);
  return s;
}

/// The nodes that compute something, by the names that their outputs have in a blob.
std::map<std::string, const Node*> nodes_by_name(const Graph& graph) {
  std::map<std::string, const Node*> names;
  for (Node* n : graph.ordered())
    if (!n->is("Parameter") && !n->is("Result") && !n->is_constant())
      for (int i = 0; i < n->output_count(); ++i) names.emplace(reference::value_name(*n, i), n);
  return names;
}

std::vector<vpu::TracedTensor> wanted(const std::vector<vpu::TracedTensor>& tensors,
                                      const std::map<std::string, const Node*>& known) {
  std::vector<vpu::TracedTensor> list;
  std::ranges::copy_if(tensors, std::back_inserter(list),
                       [&](const vpu::TracedTensor& t) { return known.contains(t.name); });
  return list;
}

std::vector<Tensor> model_inputs(const Emulator& emulator, const Graph& graph) {
  std::vector<Tensor> inputs;
  for (const Node* p : graph.parameters()) {
    const bool known = std::ranges::find(emulator.inputs(), p->name, &TensorInfo::name) != emulator.inputs().end();
    if (!known && !p->output().uses.empty())
      throw Error(ErrorCode::BadInputName, "the blob has no input \"" + p->name + "\": it was made of another model");
    const std::vector<float> values =
        known ? emulator.input(p->name).values : std::vector<float>(static_cast<size_t>(element_count(p->shape())));
    inputs.push_back(reference::input_tensor(*p, values));
  }
  return inputs;
}

/// The layers whose values depend on those of the network's inputs; the others are computed once and for all when
/// compiling.
std::set<const Node*> layers_of_inputs(const Graph& graph) {
  std::set<const Node*> found;
  for (const Node* n : graph.ordered()) {
    if (n->is("Result") || (n->is("ShapeOf") && is_static(n->input(0).shape()))) continue;
    if (n->is("Parameter") || std::ranges::any_of(n->inputs(), [&](Value v) { return found.contains(v.node); }))
      found.insert(n);
  }
  std::erase_if(found, [](const Node* n) { return n->is("Parameter"); });
  return found;
}

/// Which layers were compared, and behind which of these the others show.
void count_layers(const Graph& graph, Comparison& c) {
  std::set<std::string> compared;
  for (const LayerResult& l : c.layers) compared.insert(l.name);
  const auto is_compared = [&](const Node& n) {
    for (int i = 0; i < n.output_count(); ++i)
      if (compared.contains(reference::value_name(n, i))) return true;
    return false;
  };
  const std::set<const Node*> layers = layers_of_inputs(graph);
  std::map<const Node*, std::string> shows_in;
  const std::vector<Node*> order = graph.ordered();
  for (auto it = order.rbegin(); it != order.rend(); ++it) {
    const Node* n = *it;
    if (!layers.contains(n)) continue;
    ++c.model_layers;
    std::string& where = shows_in[n];
    if (is_compared(*n)) {
      ++c.compared_layers;
      where = n->name;
      continue;
    }
    for (int i = 0; i < n->output_count() && where.empty(); ++i)
      for (const NodeUse& u : n->output(i).uses)
        if (const auto reader = shows_in.find(u.node); reader != shows_in.end() && !reader->second.empty()) {
          where = reader->second;
          break;
        }
    c.inside.push_back({n->name, n->type, where});
  }
  std::ranges::reverse(c.inside);
}

/// Whole numbers are equal or not; how far they are apart says nothing.
void judge_labels(LayerResult& r, const FloatTensor& blob, std::span<const float> model) {
  r.differing = 0;
  for (size_t i = 0; i < model.size(); ++i) r.differing += model[i] != blob.values[i];
  r.within = static_cast<double>(r.differing) <= kLabelsOff * static_cast<double>(r.count);
}

LayerResult judged(const FloatTensor& blob, const Tensor& model, const Settings& settings) {
  const std::vector<float> values = model.to_f32();
  LayerResult r = measure(blob, values, settings);
  r.shape = model.shape;
  if (is_integer(model.type)) judge_labels(r, blob, values);
  return r;
}

/// Where rounding every tensor to FP16 takes the model as far from itself, the blob is as right as FP16 allows: layers
/// that amplify differences, as those of random weights do.
void allow_rounding(Comparison& c, reference::Executor& executor, const std::vector<Tensor>& inputs,
                    const Settings& settings, const Control& control) {
  std::map<std::string, LayerResult*> outside;
  for (LayerResult& l : c.layers)
    if (!l.within && l.overflows == 0 && l.nans == 0) outside[l.name] = &l;
  if (outside.empty()) return;
  std::map<std::string, Tensor> rounded;
  const auto each = [&](const Node& n, std::span<const Tensor> out, const auto& see) {
    for (int i = 0; i < n.output_count(); ++i) {
      const std::string name = reference::value_name(n, i);
      if (outside.contains(name)) see(name, out[static_cast<size_t>(i)]);
    }
  };
  executor.run(
      inputs,
      [&](const Node& n, std::span<const Tensor> out) {
        each(n, out, [&](const std::string& name, const Tensor& t) { rounded[name] = t; });
      },
      part_of(control, 0, 0.5), reference::Rounding::Half);
  executor.run(
      inputs,
      [&](const Node& n, std::span<const Tensor> out) {
        each(n, out, [&](const std::string& name, const Tensor& t) {
          LayerResult& l = *outside[name];
          const Tensor& half = rounded.at(name);
          const LayerResult alone = judged({name, half.shape, half.to_f32()}, t, settings);
          l.rounding = alone.relative_error;
          l.within =
              l.differing >= 0 ? l.differing <= 2 * alone.differing : l.relative_error <= 2 * alone.relative_error;
        });
      },
      part_of(control, 0.5, 1));
}

}  // namespace

LayerResult measure(const FloatTensor& blob, std::span<const float> model, const Settings& settings) {
  LayerResult r;
  r.name = blob.name;
  r.shape = blob.shape;
  r.count = static_cast<int64_t>(model.size());
  double errors = 0, squares = 0, model_power = 0, blob_power = 0, product = 0;
  int64_t finite = 0, mismatches = 0;
  for (size_t i = 0; i < model.size(); ++i) {
    const auto m = static_cast<double>(model[i]), b = static_cast<double>(blob.values[i]);
    if (!std::isfinite(m)) {
      ++r.model_special;
      mismatches += !(m == b || (std::isnan(m) && std::isnan(b)));
      continue;
    }
    r.largest = std::max(r.largest, std::fabs(m));
    r.overflows += std::fabs(m) > kLargestHalf || std::isinf(b);
    r.nans += std::isnan(b);
    r.flushed += b == 0 && m != 0 && std::fabs(m) < kSmallestNormalHalf;
    const auto note = [&] {
      r.worst_at = static_cast<int64_t>(i);
      r.model_value = model[i];
      r.blob_value = blob.values[i];
    };
    if (!std::isfinite(b)) {  // worse than any number: the first one is shown
      if (mismatches++ == 0) note();
      continue;
    }
    const double e = std::fabs(m - b);
    if (mismatches == 0 && (e > r.max_error || finite == 0)) note();
    r.max_error = std::max(r.max_error, e);
    ++finite;
    errors += e;
    squares += e * e;
    model_power += m * m;
    blob_power += b * b;
    product += m * b;
  }
  r.mean_error = finite ? errors / static_cast<double>(finite) : 0;
  r.relative_error = squares == 0 ? 0 : std::sqrt(squares / std::max(model_power, 1e-30));
  r.cosine = model_power > 0 && blob_power > 0 ? product / std::sqrt(model_power * blob_power) : squares == 0 ? 1 : 0;
  r.within = mismatches == 0 && (r.relative_error <= settings.tolerance || r.max_error <= settings.absolute);
  return r;
}

Comparison compare(Emulator& emulator, const std::vector<vpu::TracedTensor>& tensors, reference::Executor& executor,
                   const Settings& settings, const Control& control) {
  Comparison c;
  const Graph& graph = executor.graph();
  const std::map<std::string, const Node*> known = nodes_by_name(graph);
  BlobTensors blob(emulator, wanted(tensors, known));
  const std::vector<Tensor> inputs = model_inputs(emulator, graph);
  auto start = Clock::now();
  emulator.on_stage([&](const StageEvent& e) { blob.see(e); });
  emulator.run(part_of(control, 0, 0.5));
  emulator.on_stage(nullptr);
  std::vector<FoundTensor> found = blob.finish();
  c.blob_milliseconds = milliseconds_since(start);
  std::set<std::string> network_outputs;
  for (const TensorInfo& t : emulator.outputs()) {  // these with their true shapes
    network_outputs.insert(t.name);
    const auto it = std::ranges::find(found, t.name, &FoundTensor::name);
    if (it == found.end())
      found.push_back({t.name, emulator.output(t.name), -1});
    else
      it->tensor = emulator.output(t.name);
  }

  std::map<std::string, LayerResult> results;
  std::map<std::string, std::string> skipped;
  const auto hold = [&](const FloatTensor& b, const Tensor& t, const std::string& name, const std::string& type) {
    const bool other_shape = without_ones(b.shape) != without_ones(t.shape);
    if (other_shape && b.values.size() != static_cast<size_t>(element_count(t.shape))) {
      skipped[name] = "the blob has " + to_string(b.shape) + ", the model " + to_string(t.shape);
      return;
    }
    LayerResult r = judged(b, t, settings);
    r.name = name;
    r.type = type;
    results[name] = std::move(r);
  };
  std::map<std::string, const FoundTensor*> by_name;
  for (const FoundTensor& f : found) by_name[f.name] = &f;
  start = Clock::now();
  const std::vector<Tensor> outputs = executor.run(
      inputs,
      [&](const Node& n, std::span<const Tensor> out) {
        for (int i = 0; i < n.output_count(); ++i) {
          const std::string name = reference::value_name(n, i);
          if (const auto it = by_name.find(name); it != by_name.end())
            hold(it->second->tensor, out[static_cast<size_t>(i)], name, n.type);
        }
      },
      part_of(control, 0.5, 0.8));
  c.model_milliseconds = milliseconds_since(start);

  for (const FoundTensor& f : found) {
    const std::string& name = f.name;
    const bool is_output = network_outputs.contains(name);
    auto it = results.find(name);
    // A parameter or constant as output, or an operation that became one of several outputs (NonMaxSuppression).
    if (it == results.end() && is_output && !skipped.contains(name))
      for (size_t i = 0; i < outputs.size(); ++i)
        if (const std::string own = reference::value_name(graph.results()[i]->input(0));
            own == name || own + ".0" == name) {
          hold(f.tensor, outputs[i], name, graph.results()[i]->input(0).node->type);
          it = results.find(name);
        }
    if (it == results.end()) {
      if (!skipped.contains(name)) skipped[name] = "the model has no output of this name";
      continue;
    }
    it->second.stage = f.stage;
    it->second.is_output = is_output;
    c.layers.push_back(std::move(it->second));
  }
  for (auto& [name, why] : skipped) c.skipped.push_back({name, why, network_outputs.contains(name)});
  count_layers(graph, c);
  allow_rounding(c, executor, inputs, settings, part_of(control, 0.8, 1));
  return c;
}

}  // namespace blobsmith::comparison
