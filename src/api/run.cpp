#include "blobsmith/run.hpp"

#include <chrono>

#include "api/model.hpp"
#include "reference/executor.hpp"

namespace blobsmith {
namespace {

template <class F>
double milliseconds(F f) {
  const auto start = std::chrono::steady_clock::now();
  f();
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
}

/// Collects values for the parameters of a graph.
class ModelInputs : public InputTarget {
 public:
  ModelInputs(const Graph& graph, std::vector<TensorInfo> inputs)
      : parameters_(graph.parameters()), inputs_(std::move(inputs)), tensors_(inputs_.size()) {}
  const std::vector<TensorInfo>& inputs() const override { return inputs_; }
  void set_input(const TensorInfo& input, const std::function<void(std::span<float>)>& next) override {
    std::vector<float> values(static_cast<size_t>(count_of(input)));
    next(values);
    set(input, values);
  }
  void set_integers(const TensorInfo& input, std::span<const int32_t> values) override {
    set(input, std::vector<float>(values.begin(), values.end()));
  }

  std::vector<Tensor> take() { return std::move(tensors_); }

 private:
  void set(const TensorInfo& input, std::span<const float> values) {
    const auto i = static_cast<size_t>(&input - inputs_.data());
    tensors_.at(i) = reference::input_tensor(*parameters_.at(i), values);
  }

  std::vector<Node*> parameters_;
  std::vector<TensorInfo> inputs_;
  std::vector<Tensor> tensors_;
};

}  // namespace

RunResult run_blob(const std::string& path, const RunOptions& o) {
  Emulator emulator = Emulator::open(path, {.threads = o.threads});
  set_inputs(emulator, o.inputs);
  RunResult result;
  result.milliseconds = milliseconds([&] { emulator.run(o.control); });
  for (const TensorInfo& t : emulator.outputs()) result.outputs.push_back(emulator.output(t.name));
  return result;
}

RunResult run_model(Model model, const RunOptions& o) {
  const std::string path = model.path();
  return api::in_file(path, [&] {
    std::vector<TensorInfo> infos = model.inputs();
    reference::Executor executor(std::move(model.impl().graph), o.threads);
    ModelInputs inputs(executor.graph(), std::move(infos));
    set_inputs(inputs, o.inputs);
    RunResult result;
    std::vector<Tensor> outputs;
    result.milliseconds = milliseconds([&] { outputs = executor.run(inputs.take(), {}, o.control); });
    const std::vector<Node*>& results = executor.graph().results();
    for (size_t i = 0; i < outputs.size(); ++i)
      result.outputs.push_back({reference::value_name(results[i]->input(0)), outputs[i].shape, outputs[i].to_f32()});
    return result;
  });
}

}  // namespace blobsmith
