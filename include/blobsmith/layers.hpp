// Which operations can be converted, read off the tables that the library works with.
#pragma once
#include <string>
#include <vector>

namespace blobsmith {

enum class Support { Yes, ByConvert, No };
const char* to_string(Support s);

struct SupportedLayer {
  std::string name;
  std::string versions;  ///< of OpenVINO operations the opsets, "1-7"; of stage types the number in a blob
  Support support = Support::Yes;
  std::string becomes;  ///< what it is turned into
  std::string limits;   ///< forms that are refused
};

/// Operators of ONNX, by name.
std::vector<SupportedLayer> supported_onnx();
/// Operators of TensorFlow, by name.
std::vector<SupportedLayer> supported_tensorflow();
/// Operators of TensorFlow Lite, by name.
std::vector<SupportedLayer> supported_tflite();
/// Classes of Keras layers, by name.
std::vector<SupportedLayer> supported_keras();
/// Layers of Caffe, components of Kaldi, operators of MXNet.
std::vector<SupportedLayer> supported_caffe();
std::vector<SupportedLayer> supported_kaldi();
std::vector<SupportedLayer> supported_mxnet();
/// Operations of OpenVINO IR, by name.
std::vector<SupportedLayer> supported_openvino();
/// Layer types that the compiler lowers, by name.
std::vector<SupportedLayer> supported_vpu();
/// Stage types that the blob reader and the compiler know, by number.
std::vector<SupportedLayer> stage_types();
/// The known wrong results of Intel's tools, as docs/quirks.md has them (Markdown).
std::string known_faults_markdown();

}  // namespace blobsmith
