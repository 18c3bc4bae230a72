#include "importers/caffe/mean_file.hpp"

#include "core/file.hpp"
#include "importers/caffe/net.hpp"

namespace blobsmith::caffe {
namespace {

Error bad_mean(const std::string& what) { return Error(ErrorCode::ShapeMismatch, what); }

/// [C, H, W] of the picture: its last three dimensions.
Tensor read_picture(const std::string& path) {
  Tensor t = read_blob(read_file(path));
  if (t.bytes.empty()) throw Error(ErrorCode::FileCorrupt, "Mean file \"" + path + "\" is empty.");
  while (t.shape.size() > 3 && t.shape[0] == 1) t.shape.erase(t.shape.begin());
  if (t.shape.size() != 3)
    throw Error(ErrorCode::FileCorrupt, "While processing mean file \"" + path + "\": its shape is " +
                                            to_string(t.shape) + ". Probably mean file has incorrect format.");
  return t;
}

}  // namespace

void set_mean_image(importers::Session& s) {
  const std::string& path = s.options.framework.mean_file;
  if (path.empty()) return;
  if (!s.options.preprocess.mean.empty())
    throw Error(ErrorCode::BadOptionValue,
                "Both --mean_file and mean_values are specified. Specify either mean file or mean values.");
  if (s.graph.parameters().size() != 1)
    throw Error(ErrorCode::BadOptionValue, "Mean file for topologies with multiple inputs is not supported.");
  Node* input = s.graph.parameters()[0];
  const Shape& in = input->shape();
  const Tensor picture = read_picture(path);
  const Shape& big = picture.shape;
  if (in.size() != 4 || in[1] > big[0] || in[2] > big[1] || in[3] > big[2])
    throw bad_mean("Input image of shape " + to_string(in) + " is larger than mean image " + to_string(big) +
                   " from file \"" + path + "\".");
  const auto offsets =
      s.options.framework.mean_file_origin.value_or(std::pair{(big[1] - in[2]) / 2, (big[2] - in[3]) / 2});
  const auto [row, column] = offsets;
  if (row < 0 || column < 0)
    throw Error(ErrorCode::BadOptionValue,
                "Negative value specified for --mean_file_offsets option. Please specify positive integer values in "
                "format '(x,y)'.");
  if (row > big[1] - in[2] || column > big[2] - in[3])
    throw bad_mean("with these offsets, the input of shape " + to_string(in) + " reaches beyond the mean image " +
                   to_string(big));
  const auto from = picture.bytes.as<float>();
  std::vector<float> mean;
  mean.reserve(static_cast<size_t>(in[1] * in[2] * in[3]));
  for (int64_t channel = 0; channel < in[1]; ++channel)
    for (int64_t y = 0; y < in[2]; ++y) {
      const auto start = static_cast<size_t>((channel * big[1] + y + row) * big[2] + column);
      mean.insert(mean.end(), from.begin() + static_cast<std::ptrdiff_t>(start),
                  from.begin() + static_cast<std::ptrdiff_t>(start) + in[3]);
    }
  input->constant = Tensor::of(ElementType::f32, {in[1], in[2], in[3]}, std::move(mean));
}

}  // namespace blobsmith::caffe
