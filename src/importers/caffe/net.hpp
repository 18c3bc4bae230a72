// Caffe's files: the description of a network (.prototxt), its weights (.caffemodel), pictures of means (.binaryproto);
// model-optimizer spec §4.1, Appendix B.
#pragma once
#include <string>
#include <vector>

#include "graph/graph.hpp"
#include "importers/common/text_message.hpp"

namespace blobsmith::caffe {

using importers::Message;
using importers::parse_text;

/// A layer in the form of today, whatever its age: V0 and V1 are brought up to it.
struct Layer {
  std::string name;
  std::string type;  ///< "InnerProduct"; of layers in Python "Python" and module.layer
  std::vector<std::string> bottoms, tops;
  Message message;
  std::vector<Tensor> blobs{};  ///< what it has learned, f32
  int line = 0;
};

struct NetInput {
  std::string name;
  Shape shape;
};

/// As it is at inference time: layers of training are left out.
struct Net {
  std::string name;
  std::vector<NetInput> inputs;  ///< fields of the net; layers of type Input are among the layers
  std::vector<Layer> layers;
};

/// Throws FileCorrupt.
Net read_net(const Bytes& prototxt);
/// Gives the layers their blobs: by name, else by type and position. Throws FileCorrupt, FileTruncated.
void read_weights(const Bytes& caffemodel, Net& net);
/// A BlobProto: f32, in the shape that it states. Throws as above.
Tensor read_blob(const Bytes& file);

/// Types are the same in any letter case, with or without underscores: "inner_product", "InnerProduct".
std::string plain_type(std::string_view type);

}  // namespace blobsmith::caffe
