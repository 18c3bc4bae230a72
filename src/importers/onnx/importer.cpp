#include "importers/onnx/importer.hpp"

namespace blobsmith {

Graph import_onnx(const std::string& path, const OnnxOptions&) { throw Error(ErrorCode::NotYetSupported, "not yet supported: ONNX models, file " + path); }
Graph import_onnx(Bytes, const std::string& file_name, const std::string&, const OnnxOptions&) { throw Error(ErrorCode::NotYetSupported, "not yet supported: ONNX models, file " + file_name); }

}  // namespace blobsmith
