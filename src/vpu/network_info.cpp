#include "vpu/network_info.hpp"

#include "transforms/pipeline.hpp"
#include "vpu/blob/byte_sink.hpp"

namespace blobsmith::vpu {
namespace {

/// Numbers of ov::element::Type_t. Integers of 64 bits and those without sign are read as 32 bits.
int32_t element_number(ElementType t) {
  switch (t) {
    case ElementType::boolean: return 2;
    case ElementType::bf16: return 3;
    case ElementType::f16: return 4;
    case ElementType::f32: return 5;
    case ElementType::f64: return 6;
    case ElementType::i4: return 7;
    case ElementType::i8: return 8;
    case ElementType::i16: return 9;
    case ElementType::i32:
    case ElementType::i64:
    case ElementType::u32:
    case ElementType::u64: return 10;
    case ElementType::u1: return 12;
    case ElementType::u4: return 13;
    case ElementType::u8: return 14;
    case ElementType::u16: return 15;
  }
  return 0;
}

BlobNetworkInfo::Node describe(const std::string& name, const OutputPort& port) {
  BlobNetworkInfo::Node n;
  n.name = name;
  n.shape.assign(port.shape.begin(), port.shape.end());
  n.element_type = element_number(port.type);
  // quirk: a hash table, kept from its end to its beginning
  n.tensor_names.assign(port.tensor_names.rbegin(), port.tensor_names.rend());
  return n;
}

void write_long_text(ByteSink& out, const std::string& s) {
  out.long_word(s.size());
  out.text(s);
}

void write(ByteSink& out, const BlobNetworkInfo::Node& n) {
  out.word(static_cast<uint32_t>(n.name.size()));
  out.word(static_cast<uint32_t>(n.shape.size()));
  out.word(static_cast<uint32_t>(sizeof n.element_type));
  out.word(static_cast<uint32_t>(n.tensor_names.size()));
  out.text(n.name);
  for (uint64_t d : n.shape) out.long_word(d);
  out.word(static_cast<uint32_t>(n.element_type));
  for (const std::string& t : n.tensor_names) write_long_text(out, t);
}

}  // namespace

BlobNetworkInfo describe_network(const Graph& converted) {
  BlobNetworkInfo info;
  for (const Node* p : converted.parameters()) info.parameters.push_back(describe(p->name, p->output()));
  for (const Node* r : converted.results()) {
    const Value v = r->input(0);
    info.results.push_back(describe(r->name, v.node->output(v.port)));
    info.results.back().legacy_name = output_name(*r);
  }
  return info;
}

Bytes encode(const BlobNetworkInfo& info) {
  if (info.parameters.empty() || info.results.empty()) return {};
  ByteSink out;
  out.word(static_cast<uint32_t>(info.parameters.size()));
  out.word(static_cast<uint32_t>(info.results.size()));
  for (const BlobNetworkInfo::Node& n : info.parameters) write(out, n);
  for (const BlobNetworkInfo::Node& n : info.results) {
    write(out, n);
    write_long_text(out, n.legacy_name);
  }
  // quirk: the length of every tensor name of the last output is counted twice.
  out.resize(out.size() + sizeof(uint64_t) * info.results.back().tensor_names.size());
  return Bytes::adopt(out.take());
}

}  // namespace blobsmith::vpu
