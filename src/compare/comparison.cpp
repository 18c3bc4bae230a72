#include "compare/comparison.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <map>

namespace blobsmith::compare {
namespace {

constexpr double kLargestHalf = 65504, kSmallestNormalHalf = 0x1p-14;

using Clock = std::chrono::steady_clock;
double milliseconds_since(Clock::time_point start) { return std::chrono::duration<double, std::milli>(Clock::now() - start).count(); }

Shape without_ones(Shape s) {
  std::erase(s, 1);
  return s;
}

/// The values of traced tensors, taken from memory as soon as they are complete; batch items one behind the other.
class BlobTensors {
 public:
  BlobTensors(Emulator& emulator, const std::vector<vpu::TracedTensor>& tensors, const std::map<std::string, const Node*>& known) : emulator_(emulator) {
    for (const vpu::TracedTensor& t : tensors)
      if (known.contains(t.name)) wanted_.push_back(&t);
  }

  void see(const StageEvent& e) {
    if (e.injected) return;
    if (!started_ || (!e.turn.empty() && e.index < last_stage_ && e.turn[0] != item_)) next_ = 0;
    started_ = true;
    item_ = e.turn.empty() ? 0 : e.turn[0];
    last_stage_ = e.index;
    take(e.index);
  }
  /// What a loop at the end of the network wrote.
  void finish() { take(INT32_MAX); }

  struct Found {
    FloatTensor tensor;
    int stage;
    bool is_output = false;
  };
  std::vector<std::pair<std::string, Found>> found;  ///< in the order of stages

 private:
  void take(int stage) {
    for (; next_ < wanted_.size() && wanted_[next_]->stage <= stage; ++next_) {
      const vpu::TracedTensor& t = *wanted_[next_];
      FloatTensor values = emulator_.tensor(t.record);
      const auto it = std::ranges::find(found, t.name, [](const auto& f) -> const std::string& { return f.first; });
      if (it == found.end()) {
        found.emplace_back(t.name, Found{std::move(values), t.stage});
        continue;
      }
      FloatTensor& all = it->second.tensor;  // a further batch item
      if (!all.shape.empty()) all.shape[0] += values.shape.empty() ? 0 : values.shape[0];
      all.values.insert(all.values.end(), values.values.begin(), values.values.end());
    }
  }

  Emulator& emulator_;
  std::vector<const vpu::TracedTensor*> wanted_;
  size_t next_ = 0;
  bool started_ = false;
  int item_ = 0, last_stage_ = 0;
};

/// The nodes that compute something, by the names that their outputs have in a blob.
std::map<std::string, const Node*> nodes_by_name(const Graph& graph) {
  std::map<std::string, const Node*> names;
  for (Node* n : graph.ordered())
    if (!n->is("Parameter") && !n->is("Result") && !n->is_constant())
      for (int i = 0; i < n->output_count(); ++i) names.emplace(reference::value_name(*n, i), n);
  return names;
}

std::vector<Tensor> model_inputs(const Emulator& emulator, const Graph& graph) {
  std::vector<Tensor> inputs;
  for (const Node* p : graph.parameters()) {
    const bool known = std::ranges::find(emulator.inputs(), p->name, &TensorInfo::name) != emulator.inputs().end();
    if (!known && !p->output().uses.empty()) throw Error(ErrorCode::BadInputName, "the blob has no input \"" + p->name + "\": it was made of another model");
    const std::vector<float> values = known ? emulator.input(p->name).values : std::vector<float>(static_cast<size_t>(element_count(p->shape())));
    inputs.push_back(reference::input_tensor(*p, values));
  }
  return inputs;
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

const LayerResult* Comparison::first_outside() const {
  const auto it = std::ranges::find(layers, false, &LayerResult::within);
  return it == layers.end() ? nullptr : &*it;
}

bool Comparison::outputs_within() const {
  return std::ranges::all_of(layers, [](const LayerResult& l) { return l.within || !l.is_output; }) && std::ranges::none_of(skipped, &Skipped::is_output);
}

Comparison compare(Emulator& emulator, const std::vector<vpu::TracedTensor>& tensors, reference::Executor& executor, const Settings& settings) {
  Comparison c;
  const Graph& graph = executor.graph();
  const std::map<std::string, const Node*> known = nodes_by_name(graph);
  BlobTensors blob(emulator, tensors, known);
  std::vector<Tensor> inputs = model_inputs(emulator, graph);
  auto start = Clock::now();
  emulator.on_stage([&](const StageEvent& e) { blob.see(e); });
  emulator.run();
  emulator.on_stage(nullptr);
  blob.finish();
  c.blob_milliseconds = milliseconds_since(start);
  for (const TensorInfo& t : emulator.outputs()) {  // these with their true shapes
    const auto it = std::ranges::find(blob.found, t.name, [](const auto& f) -> const std::string& { return f.first; });
    if (it == blob.found.end()) blob.found.emplace_back(t.name, BlobTensors::Found{emulator.output(t.name), -1, true});
    else it->second = {emulator.output(t.name), it->second.stage, true};
  }

  std::map<std::string, LayerResult> results;
  std::map<std::string, std::string> skipped;
  const auto hold = [&](const FloatTensor& b, const Tensor& t, const std::string& name, const std::string& type) {
    const bool other_shape = without_ones(b.shape) != without_ones(t.shape);
    if (other_shape && b.values.size() != static_cast<size_t>(element_count(t.shape))) {
      skipped[name] = "the blob has " + to_string(b.shape) + ", the model " + to_string(t.shape);
      return;
    }
    LayerResult r = measure(b, t.to_f32(), settings);
    r.name = name;
    r.type = type;
    r.shape = t.shape;
    results[name] = std::move(r);
  };
  std::map<std::string, const BlobTensors::Found*> by_name;
  for (const auto& [name, f] : blob.found) by_name[name] = &f;
  start = Clock::now();
  const std::vector<Tensor> outputs = executor.run(std::move(inputs), [&](const Node& n, std::span<const Tensor> out) {
    ++c.model_layers;
    for (int i = 0; i < n.output_count(); ++i) {
      const std::string name = reference::value_name(n, i);
      if (const auto it = by_name.find(name); it != by_name.end()) hold(it->second->tensor, out[static_cast<size_t>(i)], name, n.type);
    }
  });
  c.model_milliseconds = milliseconds_since(start);

  for (const auto& [name, f] : blob.found) {
    auto it = results.find(name);
    if (it == results.end() && f.is_output && !skipped.contains(name))  // a parameter or constant as output
      for (size_t i = 0; i < outputs.size(); ++i)
        if (reference::value_name(graph.results()[i]->input(0)) == name) {
          hold(f.tensor, outputs[i], name, graph.results()[i]->input(0).node->type);
          it = results.find(name);
        }
    if (it == results.end()) {
      if (!skipped.contains(name)) skipped[name] = "the model has no output of this name";
      continue;
    }
    it->second.stage = f.stage;
    it->second.is_output = f.is_output;
    c.layers.push_back(std::move(it->second));
  }
  for (auto& [name, why] : skipped) c.skipped.push_back({name, why, by_name.at(name)->is_output});
  return c;
}

}  // namespace blobsmith::compare
