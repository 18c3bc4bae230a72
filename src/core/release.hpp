// What the releases of OpenVINO do differently, where it decides the bytes of a blob. A rule that differs is a switch
// here; the code asks for the switch, never for the release.
#pragma once

namespace blobsmith {

struct Release {
  bool network_info;       ///< names, shapes and types of inputs and outputs follow the end that the header states
  bool outputs_by_tensor;  ///< outputs of an ONNX operator with several have the names of its tensors
};

extern const Release kRelease2021;  ///< 2021.4.2
extern const Release kRelease2022;  ///< 2022.1

}  // namespace blobsmith
