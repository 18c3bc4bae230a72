// A trained network as it was read from a file, or from memory: OpenVINO IR (.xml of version 10 or 11, with its .bin
// beside it) or ONNX.
//
// Threads: a Model is not for use by several threads at once; different Models are independent of each other.
#pragma once
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "blobsmith/model_file.hpp"
#include "blobsmith/progress.hpp"
#include "blobsmith/remark.hpp"
#include "blobsmith/tensor.hpp"

namespace blobsmith {

/// Of Intel's two ways from a framework to a network, which give different blobs.
enum class ReadAs {
  ModelOptimizer,   ///< as the offline converter with --data_type FP16; what `convert` does
  InferenceEngine,  ///< as the importer inside Intel's compiler; what `compile` does
};

/// Options of single frameworks, in the words of Model Optimizer; paths are of files. What a model's framework has no
/// use for is ignored.
struct FrameworkOptions {
  std::string framework{};                       ///< "caffe", "kaldi", "mxnet", "onnx", "tf"; "": told by the file
  std::string input_proto{};                     ///< Caffe: the .prototxt; "": beside the model
  std::string mean_file{}, mean_file_offsets{};  ///< Caffe: a picture to subtract; "(x,y)" in it
  std::string input_symbol{};                    ///< MXNet: the symbol file; "": beside the model
  std::string nd_prefix_name{}, pretrained_model_name{};           ///< MXNet: parameters apart from the pretrained ones
  std::string counts{};                                            ///< Kaldi: priors of the classes
  bool remove_output_softmax = false, remove_memory = false;       ///< Kaldi
  bool input_model_is_text = false, disable_nhwc_to_nchw = false;  ///< TensorFlow, as all that follow
  std::string input_checkpoint{}, saved_model_tags{}, transformations_config{}, object_detection_pipeline{};
};

/// What Model Optimizer does to a network of a framework on the way, in the words of its options. None of it for an
/// OpenVINO IR, which is converted already.
struct ConversionOptions {
  std::string inputs{}, outputs{};  ///< where the network begins and ends: "conv1", "0:conv1[1 3 224 224]", "x->1.0"
  std::string shapes{};             ///< "[1,3,224,224],[1,10]" of `inputs` in order, or of the only input
  int64_t batch = 0;                ///< first dimension of all inputs; 0: as it is
  std::string mean_values{}, scale_values{};  ///< "[104,117,123]" or "x[1,2,3],y[4]": by channel of the model
  /// Of inputs and outputs: "nhwc->nchw", "x(nhwc->nchw),y(nc)": how the model has the dimensions, then how its user
  /// does.
  std::string layout{};
  bool reverse_input_channels = false;          ///< pictures come in the other order of channels than the model's
  double scale = 0;                             ///< instead of scale_values: for all inputs; 0: none
  std::string freeze_placeholder_with_value{};  ///< "x->1.0,train->False"
  bool disable_fusing = false, disable_gfusing = false, disable_resnet_optimization = false;
  bool enable_concat_optimization = false, static_shape = false;
  bool low_latency = false;        ///< memories in place of the states of loops: refused where there are loops
  std::string finegrain_fusing{};  ///< regular expressions, separated by commas: such layers are not fused
  FrameworkOptions framework{};
  /// A quantized network without the rounding of its activations (FakeQuantize, QuantizeLinear and DequantizeLinear):
  /// the chip computes in FP16. Its weights are those that it was quantized to.
  bool strip_quant = false;
  /// A YOLO's outputs become those that depthai's decoders on the camera read: one for each stride (DetectionHead).
  bool yolo_head = false;
  /// --data_type FP32: with quirks, constants come to the compiler as they are, not rounded to FP16 before.
  bool single_precision = false;
};

struct ReadOptions {
  ReadAs as = ReadAs::ModelOptimizer;
  std::map<std::string, Shape> input_shapes{};  ///< by input; needed where the model leaves a dimension open
  ConversionOptions conversion{};
  bool half_precision = true;  ///< constants rounded to FP16, as a blob has them; false: as precise as in the file
  bool quirks = false;         ///< reproduce known wrong results of Intel's importers (docs/quirks.md)
  /// By way of the first ("API 1.0", Inference Engine) or the second runtime interface of 2022.1, which decides also
  /// how the network is compiled; none: the second for an OpenVINO IR, as compile_tool 2022.1 does, the first for ONNX.
  std::optional<bool> runtime_1_0{};
  std::string target{};  ///< OpenVINO version whose reader decides, as in CompileOptions; "" = 2021.4
  Control control{};
};

/// One layer of a network, without inputs, outputs and constants.
struct LayerInfo {
  std::string name, type;
  std::string source;                  ///< where it stands in the file, as in Error::source
  std::vector<Shape> inputs, outputs;  ///< inputs: without constants; -1 where a dimension is not known
};

class Model {
 public:
  ~Model();
  Model(Model&&) noexcept;
  Model& operator=(Model&&) noexcept;
  /// A copy that can be used apart; constants are shared.
  Model clone() const;

  const std::string& path() const;
  std::string name() const;
  /// In the order of the file. Types are those that a reference run takes: FP32 for real numbers, U8, S32.
  std::vector<TensorInfo> inputs() const;
  /// The same of the outputs, by the names that a blob gives them.
  std::vector<TensorInfo> outputs() const;
  std::vector<LayerInfo> layers() const;  ///< in order of execution
  /// What the reader did differently from Intel's (NotAsIntel), and which layers a blob computes differently from
  /// the model when known wrong results are reproduced (WrongResult).
  std::vector<Remark> remarks() const;

  struct Impl;
  explicit Model(std::unique_ptr<Impl> impl);  ///< for the library
  Impl& impl() const { return *impl_; }

 private:
  std::unique_ptr<Impl> impl_;
};

/// Picks the reader by the file's name, else by its first bytes. Throws Error or ErrorList: FileNotFound,
/// UnknownFormat, what is wrong with the file, and every operator that there is no reader for.
Model read_model(const ModelFile& file, const ReadOptions& options = {});
/// True for the names of files that hold models, also of formats that can't be read.
bool is_model_file(std::string_view path);
/// "ONNX (.onnx), OpenVINO IR (.xml)": what can be read.
std::string readable_formats();

}  // namespace blobsmith
