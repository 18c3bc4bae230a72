// What the releases of OpenVINO do differently, where it decides the bytes of a blob. A rule that differs is a switch
// here; the code asks for the switch, never for the release.
#pragma once
#include <cstdint>

namespace blobsmith {

struct Release {
  bool network_info;       ///< names, shapes and types of inputs and outputs follow the end that the header states
  bool runtime_2_0;        ///< IRs are read and compiled by way of the second runtime interface, unless told otherwise
  bool outputs_by_tensor;  ///< outputs of an ONNX operator with several have the names of its tensors

  // ---- the conversion ----
  bool halves_compressed_models;          ///< a network whose constants are stored in FP16 is computed in FP16
  bool sinks_transposes_behind_converts;  ///< a Transpose moves behind a Convert
  int64_t nodes_before;                   ///< nodes that exist before a network is converted; automatic names show it

  // ---- how an IR is read ----
  int64_t ir_opset;           ///< the newest operation set that is known
  bool reads_all_parameters;  ///< also those that nothing reads, in the order of the file, before the walk from the
                              ///< outputs
};

extern const Release kRelease2021;  ///< 2021.4.2
extern const Release kRelease2022;  ///< 2022.1

}  // namespace blobsmith
