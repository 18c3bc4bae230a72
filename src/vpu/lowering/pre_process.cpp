// Mean images that an IR gives to its inputs (front-end spec §8.4).
#include "vpu/lowering/lowering.hpp"
#include "vpu/program/builders.hpp"
#include "vpu/program/contents.hpp"

namespace blobsmith::vpu {
namespace {

// The image is added, so its content is negative.
Bytes negated_image(const Tensor& image) {
  std::vector<float> values = image.to_f32();
  for (float& v : values) v = -v;
  return contents::blob_halves(values);
}

}  // namespace

void subtract_mean_images(Lowering& l) {
  for (const Node* p : l.network.inputs()) {
    const Tensor& image = p->constant;
    if (image.bytes.empty()) continue;
    const Value v{const_cast<Node*>(p), 0};
    Shape shape = image.shape;
    if (v.shape().size() == 4) shape.insert(shape.begin(), 1);
    Data* in = l.bound(v);
    Data* mean =
        l.program.add_const(in->name + "@mean-image", internal_desc_of(ElementType::f16, shape), negated_image(image));
    Data* out = l.program.duplicate(in, "@after-mean-image");
    l.bind(v, out);
    l.program.redirect_consumers(in, out);
    add_sum(l.program, mean->name, nullptr, in, mean, out);
  }
}

}  // namespace blobsmith::vpu
