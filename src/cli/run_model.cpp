#include "cli/run_model.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <limits>
#include <nlohmann/json.hpp>

#include "cli/cli.hpp"
#include "cli/model_input.hpp"
#include "core/file.hpp"
#include "emulator/npy.hpp"
#include "reference/executor.hpp"

namespace blobsmith::cli {
namespace {

using Json = nlohmann::ordered_json;

/// Collects values for the parameters of a graph.
class ModelInputs : public InputTarget {
 public:
  explicit ModelInputs(const Graph& graph) {
    for (const Node* p : graph.parameters()) {
      parameters_.push_back(p);
      inputs_.push_back(describe_parameter(*p));
      tensors_.emplace_back();
    }
  }
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
    const auto i = static_cast<size_t>(std::ranges::find(inputs_, input.name, &TensorInfo::name) - inputs_.begin());
    tensors_.at(i) = reference::input_tensor(*parameters_.at(i), values);
  }

  std::vector<const Node*> parameters_;
  std::vector<TensorInfo> inputs_;
  std::vector<Tensor> tensors_;
};

void check_options(const RunOptions& o) {
  if (!o.expect.empty() || !o.dump_stages.empty() || o.profile || o.repeat > 1 || o.avg_exclude_pad || o.check_memory ||
      !o.assume.empty())
    throw Error(
        ErrorCode::BadOptionValue,
        "--expect, --dump-stage, --profile, --repeat, --avg-exclude-pad, --check-memory and --assume are of blobs only")
        .hint("blobsmith compare compares a blob with its model");
}

}  // namespace

TensorInfo describe_parameter(const Node& p) {
  const ElementType t = p.element_type();
  return {p.name, is_float(t) ? TensorType::FP32 : t == ElementType::u8 ? TensorType::U8 : TensorType::S32, p.shape()};
}

std::vector<FloatTensor> named_outputs(const Graph& graph, std::span<const Tensor> results) {
  std::vector<FloatTensor> list;
  for (size_t i = 0; i < results.size(); ++i)
    list.push_back({reference::value_name(graph.results()[i]->input(0)), results[i].shape, results[i].to_f32()});
  return list;
}

Json write_output(const std::string& name, const std::vector<int64_t>& shape, const ValueSource& values,
                  const RunOptions& o) {
  Json j{{"name", name}, {"shape", shape}};
  float low = std::numeric_limits<float>::infinity(), high = -low;
  bool finite = true;
  const auto see = [&](std::span<const float> part) {
    for (float v : part) {
      finite &= std::isfinite(v);
      low = std::min(low, v);
      high = std::max(high, v);
    }
  };
  if (o.output_dir.empty()) {
    values(see);
  } else {
    const std::string path = o.output_dir + "/" + as_file_name(name) + ".npy";
    write_file(path, [&](const auto& write) {
      write(npy_header(shape));
      values([&](std::span<const float> part) {
        see(part);
        write({reinterpret_cast<const uint8_t*>(part.data()), part.size_bytes()});
      });
    });
    j["file"] = path;
  }
  j["finite"] = finite;
  if (finite && low <= high) j.update({{"min", low}, {"max", high}});
  return j;
}

void print_outputs(const Json& outputs) {
  for (const Json& out : outputs) {
    const std::string file = out.contains("file") ? " -> " + out["file"].get<std::string>() : "";
    std::printf("%s %s%s\n", out["name"].get<std::string>().c_str(),
                shape_text(out["shape"].get<std::vector<int64_t>>()).c_str(), file.c_str());
  }
}

int run_model(const RunOptions& o) {
  check_options(o);
  reference::Executor executor(read_model({.file = o.blob, .shapes = {}, .half_precision = false}), o.threads);
  ModelInputs inputs(executor.graph());
  set_inputs(inputs, o);
  if (!o.output_dir.empty()) make_folder(o.output_dir);
  const auto start = std::chrono::steady_clock::now();
  const std::vector<Tensor> results = executor.run(inputs.take());
  const double ms = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
  auto outputs = Json::array();
  for (const FloatTensor& t : named_outputs(executor.graph(), results))
    outputs.push_back(write_output(t.name, t.shape, [&](const auto& take) { take(t.values); }, o));
  if (o.json) {
    std::printf("%s\n", Json{{"milliseconds", ms}, {"outputs", outputs}}.dump(1).c_str());
  } else {
    print_outputs(outputs);
    std::printf("%.0f ms\n", ms);
  }
  return kDone;
}

}  // namespace blobsmith::cli
