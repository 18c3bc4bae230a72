// The table of formats: how a model file is told, and what reads it. Formats without a reader are rows too, with what
// to do instead.
#include <algorithm>
#include <array>
#include <iterator>

#include "core/file.hpp"
#include "core/release.hpp"
#include "importers/caffe/as_model_optimizer.hpp"
#include "importers/common/model_files.hpp"
#include "importers/import.hpp"
#include "importers/kaldi/as_model_optimizer.hpp"
#include "importers/keras/importer.hpp"
#include "importers/model_archive.hpp"
#include "importers/model_optimizer/rewrites.hpp"
#include "importers/mxnet/as_model_optimizer.hpp"
#include "importers/onnx/as_inference_engine.hpp"
#include "importers/onnx/as_model_optimizer.hpp"
#include "importers/openvino_ir/reader.hpp"
#include "importers/tensorflow/importer.hpp"
#include "importers/tflite/importer.hpp"
#include "transforms/conversion/passes.hpp"

namespace blobsmith {
namespace {

using importers::contents_of, importers::files_beside, importers::FilesBeside;
using Head = std::string_view;  // the first bytes of a file

constexpr size_t kHeadBytes = 64;
constexpr std::string_view kLfsPointer = "version https://git-lfs.github.com/spec/";

struct FormatRow {
  std::string_view name;
  std::array<std::string_view, 4> endings;                   ///< of file names; empty ones are unused
  bool (*probe)(Head);                                       ///< null: the contents tell nothing
  Imported (*read)(const ModelFile&, const ImportOptions&);  ///< null: there is no reader
  std::string_view hint = {};                                ///< what to do where there is no reader
  std::string_view framework = {};                           ///< what --framework calls it
};

bool use_runtime_2_0(const ImportOptions& options, bool usual) {
  if (options.release->runtime_2_0) return !options.runtime_1_0.value_or(!usual);
  if (!options.runtime_1_0.value_or(true))
    throw Error(ErrorCode::BadOptionValue, "the second runtime interface came with OpenVINO 2022.1")
        .hint("--target 2022.1");
  return false;
}

Imported read_onnx(const ModelFile& file, const ImportOptions& options) {
  const bool runtime_2_0 = use_runtime_2_0(options, false);
  const Bytes bytes = contents_of(file);
  const FilesBeside beside = files_beside(file);
  if (options.as == ImportAs::InferenceEngine)
    return {import_onnx_as_inference_engine(bytes, beside, *options.release), {}, runtime_2_0};
  return import_onnx_as_model_optimizer(bytes, beside, options);
}

Imported read_tensorflow(const ModelFile& file, const ImportOptions& options) {
  return import_tensorflow(file, options);
}

Imported read_tflite(const ModelFile& file, const ImportOptions& options) {
  return import_tflite(contents_of(file), options);
}

Imported read_keras(const ModelFile& file, const ImportOptions& options) {
  return import_keras(importers::OnDisk(file).path(), options);
}

Imported read_caffe(const ModelFile& file, const ImportOptions& options) {
  return import_caffe(importers::OnDisk(file).path(), options);
}

Imported read_mxnet(const ModelFile& file, const ImportOptions& options) {
  return import_mxnet(importers::OnDisk(file).path(), options);
}

Imported read_kaldi(const ModelFile& file, const ImportOptions& options) {
  return import_kaldi(importers::OnDisk(file).path(), options);
}

Imported read_ir(const ModelFile& file, const ImportOptions& options) {
  const model_optimizer::CutOptions& cut = options.cut;
  const model_optimizer::PreprocessOptions& pre = options.preprocess;
  if (!cut.inputs.empty() || !cut.outputs.empty() || !pre.mean.empty() || !pre.scale.empty() || pre.scale_of_all ||
      pre.reverse_input_channels)
    throw Error(
        ErrorCode::BadOptionValue,
        "an OpenVINO IR is converted already: cutting, mean, scale and reversed channels are options for models "
        "of frameworks");
  const bool as_it_is = options.as == ImportAs::InferenceEngine || options.quirks;
  Imported r;
  r.runtime_2_0 = use_runtime_2_0(options, true);
  r.graph = read_openvino_ir(file, {.release = options.release,
                                    .runtime_2_0 = r.runtime_2_0,
                                    .problems = options.problems,
                                    .inputs = {.by_name = options.input_shapes,
                                               .in_order = cut.shapes,
                                               .batch = cut.batch,
                                               .close_batch = !as_it_is,
                                               .notes = &r.notes}});
  if (as_it_is) return r;
  // Compressed weights are arithmetic of constants; what looks for weights wants them as they are computed with.
  transforms::fold_constants(r.graph);
  if (options.half_precision)
    for (const auto make_fit : {model_optimizer::keep_guards, model_optimizer::limit_constants})
      std::ranges::move(make_fit(r.graph), std::back_inserter(r.notes));
  return r;
}

bool is_xml(Head h) {
  const size_t first = h.find_first_not_of(" \t\r\n\xEF\xBB\xBF");
  return first != Head::npos && (h.substr(first).starts_with("<?xml") || h.substr(first).starts_with("<net"));
}
/// Field 1 (ir_version, a small number) and then a string or the graph.
bool is_onnx(Head h) {
  return h.size() > 2 && h[0] == 0x08 && h[1] > 0 && h[1] < 32 && (h[2] == 0x12 || h[2] == 0x3A || h[2] == 0x42);
}
bool is_tflite(Head h) { return h.size() >= 8 && h.substr(4, 4) == "TFL3"; }
bool is_hdf5(Head h) { return h.starts_with("\x89HDF\r\n\x1a\n"); }
bool is_zip(Head h) { return h.starts_with("PK\x03\x04"); }
bool is_kaldi(Head h) {
  return h.starts_with(std::string_view("\0B", 2)) || h.starts_with("<Nnet") || h.starts_with("<TransitionModel");
}

constexpr FormatRow kFormats[] = {
    // name, endings of file names, probe, reader, what to do without one
    {"OpenVINO IR", {".xml"}, is_xml, read_ir},
    {"ONNX", {".onnx"}, is_onnx, read_onnx, {}, "onnx"},
    {"TensorFlow Lite", {".tflite"}, is_tflite, read_tflite},
    {"TensorFlow", {".pb", ".pbtxt", ".meta"}, nullptr, read_tensorflow, {}, "tf"},
    {"Keras", {".h5", ".hdf5", ".keras"}, is_hdf5, read_keras},
    {"Caffe", {".caffemodel", ".prototxt"}, nullptr, read_caffe, {}, "caffe"},
    {"MXNet", {"-symbol.json", ".params", ".nd"}, nullptr, read_mxnet, {}, "mxnet"},
    {"Kaldi", {".nnet", ".mdl", ".raw"}, is_kaldi, read_kaldi, {}, "kaldi"},
    {"PyTorch",
     {".pt", ".pth"},
     is_zip,
     nullptr,
     "PyTorch files hold code beside the weights, or the weights alone; export the model to ONNX in Python:\n"
     "        import torch\n"
     "        model = torch.load(\"model.pt\", weights_only=False).eval()  # weights alone: YourNet(), "
     "load_state_dict\n"
     "        torch.onnx.export(model, torch.zeros(1, 3, 224, 224), \"model.onnx\", opset_version=11)"},
    {"weights of an OpenVINO IR", {".bin"}, nullptr, nullptr, "give the .xml; the .bin is found beside it"},
};

const FormatRow* by_name(std::string_view path) {
  for (const FormatRow& f : kFormats)
    for (const std::string_view ending : f.endings)
      if (!ending.empty() && path.ends_with(ending)) return &f;
  return nullptr;
}

const FormatRow* by_contents(Head head) {
  const auto it = std::ranges::find_if(kFormats, [&](const FormatRow& f) { return f.probe && f.probe(head); });
  return it == std::end(kFormats) ? nullptr : it;
}

/// Of a file in an archive.
importers::Candidate candidate_of(std::string_view name) {
  const FormatRow* f = by_name(name);
  if (!f || !f->read) return {};
  const auto ending = std::ranges::find_if(f->endings, [&](auto e) { return !e.empty() && name.ends_with(e); });
  return {static_cast<int>(f - kFormats), static_cast<int>(ending - f->endings.begin()),
          name.ends_with("saved_model.pb")};
}

std::string extension_of(const std::string& path) {
  const size_t dot = path.rfind('.');
  return dot == std::string::npos || path.find('/', dot) != std::string::npos ? "" : path.substr(dot);
}

Error unknown_format(const std::string& path) {
  return Error(ErrorCode::UnknownFormat, "Unknown model format! Cannot find reader for model format: " +
                                             extension_of(path) + " and read the model: " + path)
      .in_file(path);
}

const FormatRow* by_framework(std::string_view framework) {
  const auto it = std::ranges::find(kFormats, framework, &FormatRow::framework);
  return framework.empty() || it == std::end(kFormats) ? nullptr : it;
}

const FormatRow& find_format(const ModelFile& file, const std::string& framework) {
  const std::string& path = file.path();
  const Bytes contents = contents_of(file);
  const Head head(reinterpret_cast<const char*>(contents.data()), std::min(contents.size(), kHeadBytes));
  if (head.starts_with(kLfsPointer))
    throw Error(ErrorCode::UnknownFormat, path + " is a Git LFS pointer, not the model itself")
        .in_file(path)
        .hint("fetch the file: git lfs pull");
  const FormatRow* format = by_framework(framework);
  if (!format) format = by_name(path);
  if (!format) format = by_contents(head);
  if (!format) throw unknown_format(path).hint("models are " + readable_formats());
  if (!format->read)
    throw unknown_format(path)
        .because("it is of the format " + std::string(format->name))
        .hint(std::string(format->hint));
  return *format;
}

}  // namespace

Imported import_model(const ModelFile& given, const ImportOptions& options) {
  const std::string saved_model = given.path() + "/saved_model.pb";  // of TensorFlow: a model is a folder
  const ModelFile file = !given.memory() && file_exists(saved_model) ? ModelFile(saved_model)
                         : importers::is_archive_name(given.path())  ? model_in_archive(given, candidate_of)
                                                                     : given;
  try {
    Imported imported = find_format(file, options.framework.framework).read(file, options);
    imported.graph.release = options.release;
    return imported;
  } catch (Error& e) {
    if (e.file().empty()) e.in_file(file.path());
    throw;
  }
}

bool is_model_file(std::string_view path) {
  return by_name(path) != nullptr || importers::is_archive_name(path) ||
         file_exists(std::string(path) + "/saved_model.pb");
}

std::string readable_formats() {
  std::string list;
  for (const FormatRow& f : kFormats)
    if (f.read) list += (list.empty() ? "" : ", ") + std::string(f.name) + " (" + std::string(f.endings[0]) + ")";
  return list + ", or an archive of such files (.zip, .tar.gz)";
}

}  // namespace blobsmith
