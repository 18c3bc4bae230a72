// The functions of blobsmith.h: JSON and files in, one call of the library, JSON and bytes out. No exception leaves.
#include "blobsmith/blobsmith.h"

#include <chrono>
#include <new>

#include "blobsmith/emulator.hpp"
#include "blobsmith/files.hpp"
#include "blobsmith/inputs.hpp"
#include "blobsmith/inspect.hpp"
#include "blobsmith/nn_archive.hpp"
#include "blobsmith/superblob.hpp"
#include "blobsmith/version.hpp"
#include "capi/options.hpp"
#include "reports/json.hpp"

using namespace blobsmith;
using capi::Json;
using capi::Options;
using Files = std::span<const blobsmith_file>;

struct blobsmith_result {
  int code = 0;
  std::string report;
  std::vector<std::vector<uint8_t>> data;
};

struct blobsmith_emulator {
  explicit blobsmith_emulator(Emulator e) : emulator(std::move(e)) {}
  Emulator emulator;
};

namespace {

void fail(blobsmith_result& r, std::span<const Error> errors) {
  Json list = Json::array();
  for (const Error& e : errors) list.push_back(reports::of_error(e));
  r.code = static_cast<int>(errors.empty() ? ErrorCode::Internal : errors.front().code());
  r.data.clear();
  r.report = reports::text({{"errors", list}});
}

/// Runs f(result), which fills in a report and data; what it throws becomes the result.
template <class F>
blobsmith_result* call(F f) {
  auto* r = new (std::nothrow) blobsmith_result;
  if (!r) return nullptr;
  const auto failed = [&](ErrorCode code, const std::string& what) {
    const Error e(code, what);
    fail(*r, {&e, 1});
  };
  try {
    r->report = reports::text(f(*r));
  } catch (const Error& e) {
    fail(*r, {&e, 1});
  } catch (const ErrorList& list) {
    fail(*r, list.errors());
  } catch (const std::bad_alloc&) {
    failed(ErrorCode::NotEnoughResources, "out of memory");
  } catch (const std::exception& e) {
    failed(ErrorCode::Internal, std::string("internal error: ") + e.what());
  }
  return r;
}

/// The callback as a Control. Must outlive the call that it is for.
class Watch {
 public:
  Watch(blobsmith_progress progress, void* user) {
    if (!progress) return;
    control_.stop = stop_.get_token();
    control_.on_progress = [this, progress, user](const Progress& p) {
      if (progress(user, std::string(p.phase).c_str(), p.fraction) != 0) stop_.request_stop();
    };
  }
  const Control& control() const { return control_; }

 private:
  std::stop_source stop_;
  Control control_;
};

/// What all that take a model do: options read to the last (`parse` takes those of the call), the model, its progress.
template <class Parse, class Work>
blobsmith_result* call_on_model(const char* options, const Files& files, blobsmith_progress progress, void* user,
                                Parse parse, Work work) {
  return call([&](blobsmith_result& r) {
    Options o(options);
    const ModelFile model = capi::model_file(o, files);
    auto c = parse(o);
    o.finish();
    const Watch watch(progress, user);
    c.control = watch.control();
    return work(r, model, c);
  });
}

Json blob_report(const BlobInfo& info) { return Json::parse(info.json()); }

bool is_blob_name(const char* name) { return name && std::string_view(name).ends_with(".blob"); }

}  // namespace

extern "C" {

int blobsmith_abi(void) { return BLOBSMITH_ABI_MAJOR * 1000 + BLOBSMITH_ABI_MINOR; }
const char* blobsmith_version(void) { return version().data(); }

int blobsmith_code(const blobsmith_result* r) { return r ? r->code : static_cast<int>(ErrorCode::NotEnoughResources); }
const char* blobsmith_report(const blobsmith_result* r) { return r ? r->report.c_str() : ""; }
size_t blobsmith_count(const blobsmith_result* r) { return r ? r->data.size() : 0; }
const void* blobsmith_data(const blobsmith_result* r, size_t i) {
  return r && i < r->data.size() ? r->data[i].data() : nullptr;
}
size_t blobsmith_size(const blobsmith_result* r, size_t i) { return r && i < r->data.size() ? r->data[i].size() : 0; }
void blobsmith_free(blobsmith_result* r) { delete r; }

blobsmith_result* blobsmith_convert(const char* options, const blobsmith_file* files, size_t count,
                                    blobsmith_progress progress, void* user) {
  return call_on_model(options, Files(files, count), progress, user, capi::convert_options,
                       [](blobsmith_result& r, const ModelFile& model, const ConvertOptions& c) {
                         const CompileResult result = convert(model, c);
                         r.data.push_back(result.blob.bytes());
                         return reports::of_conversion(result, c.target);
                       });
}

blobsmith_result* blobsmith_superblob(const char* options, const blobsmith_file* files, size_t count,
                                      blobsmith_progress progress, void* user) {
  return call_on_model(options, Files(files, count), progress, user, capi::convert_options,
                       [](blobsmith_result& r, const ModelFile& model, const ConvertOptions& c) {
                         const SuperblobResult result = convert_superblob(model, c);
                         r.data.push_back(result.superblob.bytes());
                         return reports::of_conversion(result.base, c.target);
                       });
}

blobsmith_result* blobsmith_compile(const char* options, const blobsmith_file* files, size_t count,
                                    blobsmith_progress progress, void* user) {
  return call_on_model(
      options, Files(files, count), progress, user, capi::compile_options,
      [](blobsmith_result& r, const ModelFile& model, const CompileOptions& c) {
        const CompileResult result =
            compile(read_model(model, {.as = ReadAs::InferenceEngine, .target = c.target, .control = c.control}), c);
        r.data.push_back(result.blob.bytes());
        return reports::of_conversion(result, c.target);
      });
}

blobsmith_result* blobsmith_check(const char* options, const blobsmith_file* files, size_t count,
                                  blobsmith_progress progress, void* user) {
  const auto parse = [](Options& o) {
    CheckOptions c;
    c.input_shapes = o.shapes("input_shapes");
    c.conversion = capi::conversion_options(o);
    c.camera = capi::camera_options(o);
    c.fix = o.flag("fix", true);
    return c;
  };
  return call_on_model(options, Files(files, count), progress, user, parse,
                       [](blobsmith_result&, const ModelFile& model, const CheckOptions& c) {
                         return reports::of_check(model.path(), check(model, c));
                       });
}

blobsmith_result* blobsmith_compare(const char* options, const blobsmith_file* files, size_t count,
                                    blobsmith_progress progress, void* user) {
  const auto parse = [](Options& o) {
    CompareOptions c;
    c.blob = o.text("blob");
    c.input_shapes = o.shapes("input_shapes");
    c.camera = capi::camera_options(o);
    c.quirks = o.flag("quirks", false);
    c.tolerance = o.number("tolerance", c.tolerance);
    c.threads = static_cast<int>(o.integer("threads", 0));
    c.inputs.seed = static_cast<uint32_t>(o.integer("seed", 0));
    c.inputs.files = o.list("input_files");
    return c;
  };
  return call_on_model(options, Files(files, count), progress, user, parse,
                       [](blobsmith_result&, const ModelFile& model, const CompareOptions& c) {
                         return reports::of_comparison(model.path(), c.blob, c.tolerance, compare(model, c));
                       });
}

blobsmith_result* blobsmith_estimate(const char* options, const blobsmith_file* files, size_t count,
                                     blobsmith_progress progress, void* user) {
  return call([&](blobsmith_result&) {
    Options o(options);
    const Files in_memory(files, count);
    EstimateOptions c;
    c.constants = o.numbers("constants");
    const std::string blob = o.text("blob");
    if (!blob.empty() || (count > 0 && is_blob_name(files[0].name))) {
      const std::vector<uint8_t> bytes = capi::one_file(o, "blob", in_memory);
      o.finish();
      return reports::of_estimate(blob.empty() ? files[0].name : blob, estimate_blob(bytes, c.constants));
    }
    const ModelFile model = capi::model_file(o, in_memory);
    c.input_shapes = o.shapes("input_shapes");
    c.conversion = capi::conversion_options(o);
    c.camera = capi::camera_options(o);
    o.finish();
    const Watch watch(progress, user);
    c.control = watch.control();
    return reports::of_estimate(model.path(), estimate_model(model, c));
  });
}

blobsmith_result* blobsmith_inspect(const char* options, const blobsmith_file* files, size_t count) {
  return call([&](blobsmith_result&) {
    Options o(options);
    const std::vector<uint8_t> bytes = capi::one_file(o, "blob", Files(files, count));
    o.finish();
    return blob_report(inspect(bytes));
  });
}

blobsmith_result* blobsmith_superblob_extract(const char* options, const blobsmith_file* files, size_t count) {
  return call([&](blobsmith_result& r) {
    Options o(options);
    const int64_t shaves = o.integer("shaves", 8);
    const Superblob s = Superblob::read(capi::one_file(o, "path", Files(files, count)));
    o.finish();
    r.data.push_back(s.blob(static_cast<int>(std::clamp<int64_t>(shaves, 0, 1000))));
    return blob_report(inspect(r.data[0]));
  });
}

blobsmith_result* blobsmith_nn_archive(const char* options, const blobsmith_file* files, size_t count) {
  return call([&](blobsmith_result&) {
    Options o(options);
    const std::string path = o.text("path");
    NnArchiveOptions a{.name = o.text("name"), .dai_type = o.text("dai_type")};
    if (const Json heads = o.value("heads"); !heads.is_null()) a.heads = heads.dump();
    for (const auto& [key, value] : o.texts("build_info")) a.build_info.emplace_back(key, value);
    const std::vector<uint8_t> bytes = capi::one_file(o, "model", Files(files, count));
    o.finish();
    a.superblob = is_superblob(bytes);
    const BlobInfo info = a.superblob ? inspect(Superblob::read(bytes).base()) : inspect(bytes);
    write_nn_archive(path, bytes, info.inputs, info.outputs, a);
    return Json{{"path", path}, {"superblob", a.superblob}};
  });
}

blobsmith_result* blobsmith_nn_archive_read(const char* options) {
  return call([&](blobsmith_result& r) {
    Options o(options);
    const std::string path = o.text("path");
    o.finish();
    NnArchive a = read_nn_archive(path);
    r.data.push_back(std::move(a.model));
    return Json{{"config", Json::parse(a.config)}, {"model_name", a.model_name}, {"members", a.members}};
  });
}

blobsmith_result* blobsmith_measured_speeds(void) {
  return call([](blobsmith_result&) {
    Json rows = Json::array();
    for (const Measurement& m : measured_speeds()) rows.push_back(reports::of_measurement(m));
    return rows;
  });
}

blobsmith_result* blobsmith_emulator_open(const char* options, const blobsmith_file* files, size_t count,
                                          blobsmith_emulator** emulator) {
  *emulator = nullptr;
  return call([&](blobsmith_result&) {
    Options o(options);
    const EmulatorOptions e{.avg_exclude_pad = o.flag("avg_exclude_pad", false),
                            .threads = static_cast<int>(o.integer("threads", 0))};
    const std::vector<uint8_t> bytes = capi::one_file(o, "blob", Files(files, count));
    o.finish();
    auto made = std::make_unique<blobsmith_emulator>(Emulator(bytes, e));
    const auto tensors = [](const std::vector<TensorInfo>& list) {
      Json j = Json::array();
      for (const TensorInfo& t : list) j.push_back({{"name", t.name}, {"type", to_string(t.type)}, {"shape", t.shape}});
      return j;
    };
    Json report{{"inputs", tensors(made->emulator.inputs())}, {"outputs", tensors(made->emulator.outputs())}};
    *emulator = made.release();
    return report;
  });
}

blobsmith_result* blobsmith_emulator_set(blobsmith_emulator* e, const char* input, const float* values, size_t count) {
  return call([&](blobsmith_result&) {
    e->emulator.set_input(input, std::span(values, count));
    return Json::object();
  });
}

blobsmith_result* blobsmith_emulator_set_integers(blobsmith_emulator* e, const char* input, const int32_t* values,
                                                  size_t count) {
  return call([&](blobsmith_result&) {
    e->emulator.set_input(input, std::span(values, count));
    return Json::object();
  });
}

blobsmith_result* blobsmith_emulator_run(blobsmith_emulator* e, blobsmith_progress progress, void* user) {
  return call([&](blobsmith_result&) {
    const Watch watch(progress, user);
    const auto start = std::chrono::steady_clock::now();
    e->emulator.run(watch.control());
    const std::chrono::duration<double, std::milli> time = std::chrono::steady_clock::now() - start;
    return Json{{"milliseconds", time.count()}};
  });
}

blobsmith_result* blobsmith_emulator_output(blobsmith_emulator* e, const char* output) {
  return call([&](blobsmith_result& r) {
    std::vector<uint8_t> bytes;
    e->emulator.output(output, [&](std::span<const float> part) {
      const auto* begin = reinterpret_cast<const uint8_t*>(part.data());
      bytes.insert(bytes.end(), begin, begin + part.size_bytes());
    });
    r.data.push_back(std::move(bytes));
    return Json{{"shape", e->emulator.output_shape(output)}};
  });
}

void blobsmith_emulator_close(blobsmith_emulator* e) { delete e; }

}  // extern "C"
