#include <array>

#include "blobsmith/error.hpp"

namespace blobsmith {
namespace {

using enum ErrorCode;
constexpr std::array kRows{
    ErrorCodeRow{FileNotFound, "A file does not exist.", "Check the path."},
    ErrorCodeRow{FileNotReadable, "A file exists and can't be read.",
                 "Check its permissions, and that it is not a folder."},
    ErrorCodeRow{FileNotWritable, "The output can't be written.",
                 "Check the folder, its permissions and the free space. Nothing partial is left."},
    ErrorCodeRow{FileTooLarge, "A file is larger than its kind can sensibly be.", "Check that it is the file meant."},
    ErrorCodeRow{FileTruncated, "A file ends before it should.", "Copy or download it again."},
    ErrorCodeRow{FileCorrupt, "The contents of a file contradict themselves.", "Make it again from its source."},
    ErrorCodeRow{UnknownFormat, "There is no reader for this kind of file.",
                 "Models are .onnx or OpenVINO IR (.xml of version 10 or 11)."},
    ErrorCodeRow{MissingWeights, "The weights of a model are not there.",
                 "Put the .bin beside the .xml, external data beside the .onnx."},
    ErrorCodeRow{BadXml, "The IR is not well-formed XML.", "Convert the model again."},
    ErrorCodeRow{BadOnnx, "An ONNX file breaks the rules of the format.", "Run onnx.checker on it; export it again."},
    ErrorCodeRow{BadBlob, "A blob can't be what a compiler wrote.",
                 "The byte where it fails is named; compile the model again."},
    ErrorCodeRow{BadTensorFile, "An array or picture can't be read, or does not fit the input.",
                 "`inspect` shows the inputs of a blob."},
    ErrorCodeRow{UnknownOperation, "The operation set of the model has no operation of this name.",
                 "Convert the model with Model Optimizer 2021.4 or 2022.1."},
    ErrorCodeRow{UnsupportedLayer, "The VPU, or Intel's compiler for it, has no such layer, or not in this form.",
                 "`check -v` gives a hint for each; `convert` rewrites some (`layers`)."},
    ErrorCodeRow{NotYetSupported,
                 "Intel's compiler takes this, blobsmith does not so far; or what a stage of a blob computes is not "
                 "known (docs/emulator.md).",
                 "Please report it with the model."},
    ErrorCodeRow{BadAttribute, "An attribute of a layer is missing or has an impossible value.",
                 "Look the layer up in the model; export it again."},
    ErrorCodeRow{BadGraph,
                 "The layers don't make a network: cycles, missing edges, double names, no inputs or outputs.",
                 "Export the model again."},
    ErrorCodeRow{TypeMismatch,
                 "A tensor has an element type that a layer does not take, mostly integers where the VPU wants FP16.",
                 "Give integer inputs as FP16 (`--iop`), or compute in floating point up to there."},
    ErrorCodeRow{ShapeMismatch, "Shapes don't fit, or are not known before the model runs.",
                 "State the shapes of the inputs: `--input-shape NAME=1,3,224,224`."},
    ErrorCodeRow{UnknownOption, "There is no such option or configuration key.",
                 "`blobsmith VERB --help` lists the options."},
    ErrorCodeRow{BadOptionValue, "An option has a value that it can't have.",
                 "The message says which values there are."},
    ErrorCodeRow{BadInputName, "The model has no input or output of this name.",
                 "The message or `inspect` lists them."},
    ErrorCodeRow{NotEnoughResources, "More SHAVEs, slices or memory are asked for than there are.",
                 "Ask for fewer, or set MYRIAD_THROUGHPUT_STREAMS to 1."},
    ErrorCodeRow{AllocationFailed, "The network's data does not fit the memory of the device.",
                 "Use a smaller input or more slices."},
    ErrorCodeRow{Cancelled, "The call was stopped by its caller: Ctrl-C, or a stop token.",
                 "Nothing; no partial file is left."},
    ErrorCodeRow{Internal, "A bug of blobsmith.", "Please report it with the model and the command line."},
};

}  // namespace

std::string error_name(ErrorCode code) { return "BS" + std::to_string(static_cast<int>(code)); }

std::span<const ErrorCodeRow> error_codes() { return kRows; }

std::string_view error_group(ErrorCode code) {
  switch (static_cast<int>(code) / 1000) {
    case 1: return "input files";
    case 2: return "layers";
    case 3: return "types and shapes";
    case 4: return "options";
    case 5: return "resources";
    case 6: return "stopped";
    default: return "bugs";
  }
}

}  // namespace blobsmith
