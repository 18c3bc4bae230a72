#include "estimate/network_size.hpp"

namespace blobsmith::estimate {
namespace {

double count(const Shape& shape) { return is_static(shape) ? static_cast<double>(element_count(shape)) : 0; }

/// Elements of the weights that make one output (or, transposed, that one input meets).
double weights_per(const Shape& weights, size_t groups_and_channels) {
  double n = 1;
  for (size_t i = groups_and_channels; i < weights.size(); ++i) n *= static_cast<double>(weights[i]);
  return n;
}

double multiply_adds(const Node& n) {
  if (n.is("Convolution")) return count(n.shape()) * weights_per(n.input(1).shape(), 1);
  if (n.is("GroupConvolution")) return count(n.shape()) * weights_per(n.input(1).shape(), 2);
  if (n.is("ConvolutionBackpropData")) return count(n.input(0).shape()) * weights_per(n.input(1).shape(), 1);
  if (n.is("GroupConvolutionBackpropData")) return count(n.input(0).shape()) * weights_per(n.input(1).shape(), 2);
  if (!n.is("MatMul") || n.input(0).shape().empty()) return 0;
  const Shape& a = n.input(0).shape();
  const bool turned = n.attrs.flag("transpose_a") && a.size() > 1;
  return count(n.shape()) * static_cast<double>(a[a.size() - (turned ? 2 : 1)]);
}

}  // namespace

NetworkSize size_of(const Graph& graph) {
  NetworkSize size;
  for (const Node* n : graph.ordered()) {
    if (n->is_constant() && is_float(n->element_type())) size.parameters += count(n->shape());
    size.macs += multiply_adds(*n);
    if (!n->body) continue;
    const NetworkSize body = size_of(*n->body);
    size.macs += body.macs;
    size.parameters += body.parameters;
  }
  return size;
}

}  // namespace blobsmith::estimate
