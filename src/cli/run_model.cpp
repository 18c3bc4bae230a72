#include "cli/run_model.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <nlohmann/json.hpp>

#include "blobsmith/files.hpp"
#include "blobsmith/run.hpp"
#include "cli/cli.hpp"
#include "cli/progress.hpp"

namespace blobsmith::cli {
namespace {

using Json = nlohmann::ordered_json;

void check_options(const RunArguments& o) {
  if (!o.expect.empty() || !o.dump_stages.empty() || o.profile || o.repeat > 1 || o.avg_exclude_pad || o.check_memory ||
      !o.assume.empty())
    throw Error(
        ErrorCode::BadOptionValue,
        "--expect, --dump-stage, --profile, --repeat, --avg-exclude-pad, --check-memory and --assume are of blobs only")
        .hint("blobsmith compare compares a blob with its model");
}

}  // namespace

std::string as_file_name(std::string name) {
  std::ranges::replace(name, '/', '_');
  return name;
}

Json write_output(const std::string& name, const std::vector<int64_t>& shape, const ValueSource& values,
                  const RunArguments& o) {
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
    save_npy(path, shape, [&](const auto& take) {
      values([&](std::span<const float> part) {
        see(part);
        take(part);
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

int run_model_file(const RunArguments& o) {
  check_options(o);
  ProgressBar bar;
  Model model = with_open_shapes(o.model.input_shapes(), o.inputs, [&](const auto& shapes) {
    return read_model(o.file, {.input_shapes = shapes,
                               .conversion = o.model.for_conversion(),
                               .half_precision = false,
                               .control = bar.control(0, 0.1)});
  });
  const RunResult r =
      run_model(std::move(model), {.inputs = o.inputs, .threads = o.threads, .control = bar.control(0.1)});
  if (!o.output_dir.empty()) make_folder(o.output_dir);
  auto outputs = Json::array();
  for (const FloatTensor& t : r.outputs)
    outputs.push_back(write_output(t.name, t.shape, [&](const auto& take) { take(t.values); }, o));
  if (o.json) {
    std::printf("%s\n", Json{{"milliseconds", r.milliseconds}, {"outputs", outputs}}.dump(1).c_str());
  } else {
    print_outputs(outputs);
    std::printf("%.0f ms\n", r.milliseconds);
  }
  return kDone;
}

}  // namespace blobsmith::cli
