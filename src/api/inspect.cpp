#include "blobsmith/inspect.hpp"

#include <algorithm>

#include "api/model.hpp"
#include "core/file.hpp"
#include "vpu/format/account.hpp"
#include "vpu/format/inspect.hpp"
#include "vpu/format/reader.hpp"

namespace blobsmith {

struct BlobInfo::Impl {
  vpu::Blob blob;
};

namespace {

std::vector<BlobPort> ports(const std::vector<vpu::BlobIo>& list) {
  std::vector<BlobPort> r;
  for (const vpu::BlobIo& io : list) {
    Shape shape;
    if (!io.desc.is_dynamic()) {
      const vpu::DimsOrder usual = vpu::DimsOrder::of_rank(io.desc.order.rank());
      for (int i = usual.rank() - 1; i >= 0; --i)
        shape.push_back(io.desc.dims[static_cast<size_t>(io.desc.order.position(usual.at(i)))]);
    }
    r.push_back({io.name, static_cast<TensorType>(io.desc.type), std::move(shape), io.desc.order.name()});
  }
  return r;
}

BlobInfo describe(vpu::Blob blob) {
  const vpu::BlobHeader& h = blob.header;
  BlobInfo r;
  r.version = std::to_string(h.version_major) + "." + std::to_string(h.version_minor);
  r.file_size = static_cast<int64_t>(h.file_size);
  r.shaves = static_cast<int>(h.shaves);
  r.slices = static_cast<int>(h.slices);
  r.batch = static_cast<int>(h.batch_size);
  r.inputs_size = static_cast<int64_t>(h.inputs_size);
  r.outputs_size = static_cast<int64_t>(h.outputs_size);
  r.bss_size = static_cast<int64_t>(h.bss_size);
  r.inputs = ports(blob.inputs);
  r.outputs = ports(blob.outputs);
  for (const vpu::BlobStage& s : blob.stages)
    r.stages.push_back({to_string(s.type), static_cast<int>(s.shaves), static_cast<int64_t>(s.file_offset),
                        static_cast<int64_t>(s.file_size), s.injected != nullptr});
  const vpu::ByteAccount account = vpu::account_bytes(blob);
  r.complete = account.complete();
  r.problems = account.problems;
  r.impl = std::make_shared<const BlobInfo::Impl>(BlobInfo::Impl{std::move(blob)});
  return r;
}

}  // namespace

BlobInfo inspect(const std::string& path) {
  return api::in_file(path, [&] { return describe(vpu::read_blob(read_file(path))); });
}

BlobInfo inspect(std::span<const uint8_t> file) { return describe(vpu::read_blob(Bytes::copy_of(file))); }

std::string BlobInfo::json() const { return vpu::inspect_json(impl->blob); }
std::string BlobInfo::text() const { return vpu::inspect_text(impl->blob); }

}  // namespace blobsmith
