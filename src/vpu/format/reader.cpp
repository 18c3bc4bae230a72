// Blob reader (blob-format spec §1-§4, §9). Nothing that a file claims is believed: every offset, count and size is
// checked against the bytes there are, before it is used.
#include "vpu/format/reader.hpp"

#include <cstring>
#include <limits>

#include "vpu/format/container.hpp"
#include "vpu/format/stage_format.hpp"
#include "vpu/format/target.hpp"

namespace blobsmith::vpu {
namespace {

constexpr int kMaxRank = 8;
constexpr uint32_t kMaxSlices = 19, kMaxBatch = 1 << 16;
constexpr uint64_t kMaxMemory = uint64_t{1} << 30;  // of inputs, outputs and BSS together; the device has 512 MB

Error bad_blob(size_t offset, const std::string& what) {
  return Error(ErrorCode::BadBlob, "bad blob: " + what + " (at byte " + std::to_string(offset) + ")");
}

/// Reads little-endian values from a range of the file.
class Cursor {
 public:
  Cursor(const Bytes& file, size_t begin, size_t end) : file_(file), at_(begin), end_(end) {}

  size_t position() const { return at_; }
  size_t remaining() const { return end_ - at_; }
  uint32_t word() { return value<uint32_t>(); }
  template <class T>
  T value() {
    T v;
    std::memcpy(&v, take(sizeof v), sizeof v);
    return v;
  }
  const uint8_t* take(size_t n) {
    if (n > remaining())
      throw bad_blob(at_, "a field of " + std::to_string(n) + " bytes runs past the end of its part, which has " +
                              std::to_string(remaining()) + " left");
    const uint8_t* p = file_.data() + at_;
    at_ += n;
    return p;
  }
  std::string text(size_t n) {
    const auto* p = reinterpret_cast<const char*>(take(n));
    return std::string(p, n);
  }

 private:
  const Bytes& file_;
  size_t at_, end_;
};

/// Fills a parameter struct.
class ParamReader final : public FieldArchive {
 public:
  explicit ParamReader(Cursor& in) : in_(in) {}
  void word(std::string_view, int32_t& v) override { v = in_.value<int32_t>(); }
  void word(std::string_view, uint32_t& v) override { v = in_.word(); }
  void word(std::string_view, float& v) override { v = in_.value<float>(); }
  void half(std::string_view, Half& v) override { v = in_.value<Half>(); }
  void words(std::string_view, std::vector<int32_t>& v) override { list(v); }
  void words(std::string_view, std::vector<float>& v) override { list(v); }
  void begin_item(std::string_view, int) override {}
  void end_item() override {}
  bool reading() const override { return true; }
  size_t remaining() const override { return in_.remaining(); }

 private:
  template <class T>
  void list(std::vector<T>& v) {
    const uint32_t n = in_.word();
    if (n > in_.remaining() / sizeof(T)) throw bad_blob(in_.position(), "a list of " + std::to_string(n) + " entries");
    v.resize(n);
    for (T& e : v) e = in_.value<T>();
  }
  Cursor& in_;
};

class Reader {
 public:
  explicit Reader(const Bytes& file) : file_(file) { blob_.file = file; }

  Blob read() {
    read_header();
    const BlobHeader& h = blob_.header;
    read_io(blob_.inputs, h.input_info_offset, h.output_info_offset, h.input_count, blob_.inputs_end);
    read_io(blob_.outputs, h.output_info_offset, h.stage_section_offset, h.output_count, blob_.outputs_end);
    Cursor in(file_, h.stage_section_offset, h.const_section_offset);
    for (uint32_t i = 0; i < h.stage_count; ++i) blob_.stages.push_back(read_stage(in, true));
    blob_.stages.shrink_to_fit();
    blob_.stages_end = in.position();
    if (file_.size() > h.file_size) read_network_info();
    return std::move(blob_);
  }

 private:
  void read_header() {
    if (file_.size() < kElfHeaderBytes + kBlobHeaderBytes)
      throw Error(ErrorCode::FileTruncated,
                  "not a blob: the file has " + std::to_string(file_.size()) + " bytes, the headers alone take 132");
    Cursor in(file_, kElfHeaderBytes, kElfHeaderBytes + kBlobHeaderBytes);
    BlobHeader& h = blob_.header;
    for (uint32_t* field : {&h.magic,
                            &h.file_size,
                            &h.version_major,
                            &h.version_minor,
                            &h.input_count,
                            &h.output_count,
                            &h.stage_count,
                            &h.inputs_size,
                            &h.outputs_size,
                            &h.batch_size,
                            &h.bss_size,
                            &h.slices,
                            &h.shaves,
                            &h.has_hw_stage,
                            &h.has_shave_stage,
                            &h.has_dma_stage,
                            &h.input_info_offset,
                            &h.output_info_offset,
                            &h.stage_section_offset,
                            &h.const_section_offset})
      *field = in.word();
    check_header();
    blob_.constants = file_.slice(h.const_section_offset, h.file_size - h.const_section_offset);
  }

  void check_header() const {
    const BlobHeader& h = blob_.header;
    if (h.magic != kBlobMagic)
      throw bad_blob(52, "the magic number is " + std::to_string(h.magic) + ", not " + std::to_string(kBlobMagic));
    if (!is_known_version(h.version_major, h.version_minor) && !h.has_inline_shapes()) {
      Error e = bad_blob(kVersionAt,
                         "unknown version " + std::to_string(h.version_major) + "." + std::to_string(h.version_minor));
      throw e.hint("blobs of OpenVINO " + target_names() + ", and of 2020.1 to 2020.3, can be read");
    }
    if (file_.size() < h.file_size)
      throw Error(ErrorCode::FileTruncated, "truncated blob: the header says " + std::to_string(h.file_size) +
                                                " bytes, the file has " + std::to_string(file_.size()));
    const bool ordered = kElfHeaderBytes + kBlobHeaderBytes <= h.input_info_offset &&
                         h.input_info_offset <= h.output_info_offset &&
                         h.output_info_offset <= h.stage_section_offset &&
                         h.stage_section_offset <= h.const_section_offset && h.const_section_offset <= h.file_size;
    if (!ordered) throw bad_blob(116, "the sections are not in order inside the file");
    if (uint64_t{h.inputs_size} + h.outputs_size + h.bss_size > kMaxMemory)
      throw bad_blob(80, "more than 1 GiB of memory is claimed");
    if (h.slices > kMaxSlices) throw bad_blob(96, std::to_string(h.slices) + " CMX slices; the device has 19");
    if (h.batch_size < 1 || h.batch_size > kMaxBatch) throw bad_blob(88, "batch size " + std::to_string(h.batch_size));
  }

  void read_io(std::vector<BlobIo>& list, size_t begin, size_t end, uint32_t count, size_t& records_end) {
    Cursor in(file_, begin, end);
    for (uint32_t i = 0; i < count; ++i) {
      BlobIo io;
      io.file_offset = in.position();
      io.index = in.word();
      if (io.index != i)
        throw bad_blob(io.file_offset,
                       "input or output " + std::to_string(i) + " calls itself number " + std::to_string(io.index));
      io.buffer_offset = in.value<int32_t>();
      io.name = in.text(in.word());
      io.name.resize(std::min(io.name.size(), io.name.find('\0')));
      const size_t desc_at = in.position();
      io.desc = read_desc(in);
      if (io.desc.is_dynamic())
        throw bad_blob(desc_at, "the shape of a network input or output lies outside the constants");
      io.file_size = in.position() - io.file_offset;
      list.push_back(std::move(io));
    }
    records_end = in.position();
  }

  BlobTensorDesc read_desc(Cursor& in) {
    const size_t at = in.position();
    BlobTensorDesc d;
    const uint32_t type = in.word(), order = in.word(), rank = in.word();
    if (type > static_cast<uint32_t>(DataType::I8)) throw bad_blob(at, "data type " + std::to_string(type));
    d.type = static_cast<DataType>(type);
    d.order = DimsOrder(order);
    if (!DimsOrder::is_valid(order) || d.order.rank() > kMaxRank || rank != static_cast<uint32_t>(d.order.rank()))
      throw bad_blob(at, "a tensor of " + std::to_string(rank) + " dimensions in order " + std::to_string(order));
    if (blob_.header.has_inline_shapes()) {
      for (auto* list : {&d.dims, &d.strides})
        for (uint32_t i = 0; i < rank; ++i) list->push_back(in.word());
      return d;
    }
    d.dims_location = read_location(in);
    d.dims_offset = in.word();
    d.strides_location = read_location(in);
    d.strides_offset = in.word();
    if (!d.is_dynamic()) d.dims = shape_words(d.dims_offset, rank, at);
    if (d.strides_location != Location::Blob) throw bad_blob(at, "strides outside the constants");
    d.strides = shape_words(d.strides_offset, rank, at);
    return d;
  }

  Location read_location(Cursor& in) {
    const size_t at = in.position();
    const uint32_t v = in.word();
    if (v > static_cast<uint32_t>(Location::CMX)) throw bad_blob(at, "memory location " + std::to_string(v));
    return static_cast<Location>(v);
  }

  std::vector<int64_t> shape_words(uint32_t offset, uint32_t rank, size_t at) const {
    const size_t bytes = size_t{4} * rank;
    if (blob_.constants.size() < bytes || offset > blob_.constants.size() - bytes)
      throw bad_blob(at,
                     "sizes or strides at offset " + std::to_string(offset) + " of the constants, outside the file");
    std::vector<int64_t> words;
    for (uint32_t i = 0; i < rank; ++i) {
      uint32_t v;
      std::memcpy(&v, blob_.constants.data() + offset + size_t{4} * i, sizeof v);
      words.push_back(v);
    }
    return words;
  }

  BlobBuffer read_buffer(Cursor& in) {
    BlobBuffer b;
    b.file_offset = in.position();
    b.desc = read_desc(in);
    b.location = read_location(in);
    const auto is_io = [](Location l) { return l == Location::Input || l == Location::Output; };
    if (is_io(b.location)) b.io = read_io_reference(in, b.location);
    if (is_io(b.desc.dims_location)) b.dims_io = read_io_reference(in, b.desc.dims_location);
    b.offset = in.word();
    b.file_size = in.position() - b.file_offset;
    if (b.location == Location::Blob) {
      const auto extent =
          b.desc.is_dynamic() ? std::optional<int64_t>(0) : tensor_extent(b.desc.type, b.desc.dims, b.desc.strides);
      if (!extent || int64_t{b.offset} + *extent > static_cast<int64_t>(blob_.constants.size()))
        throw bad_blob(b.file_offset, "a constant runs past the end of the file");
    }
    return b;
  }

  IoReference read_io_reference(Cursor& in, Location where) {
    const size_t at = in.position();
    IoReference io;
    io.index = in.word();
    io.bytes = in.word();
    if (io.index >= (where == Location::Input ? blob_.inputs : blob_.outputs).size())
      throw bad_blob(at, "a buffer of input or output number " + std::to_string(io.index) + ", which does not exist");
    return io;
  }

  BlobStage read_stage(Cursor& in, bool top_level) {
    constexpr size_t kFixedBytes = 6 * 4;  // length, type, shaves, parameter size; type, border
    BlobStage s;
    s.file_offset = in.position();
    const uint32_t length = in.word(), type_id = in.word();
    if (length < kFixedBytes || length - 8 > in.remaining())
      throw bad_blob(s.file_offset, "a stage record of " + std::to_string(length) + " bytes");
    const size_t end = s.file_offset + length;
    const auto type = stage_type_from_id(static_cast<int32_t>(type_id));
    if (!type || category(*type) == StageCategory::Special)
      throw bad_blob(s.file_offset + 4, "unknown stage type " + std::to_string(static_cast<int32_t>(type_id)));
    s.type = *type;
    s.file_size = length;
    s.shaves = in.word();
    Cursor tail(file_, end - 8, end);
    if (tail.word() != type_id || tail.word() != kStageBorder)
      throw bad_blob(end - 8, "no border after a " + std::string(to_string(s.type)) + " stage");

    const size_t size_at = in.position();
    const uint32_t params_size = in.word();  // counts itself
    if (params_size < 4 || params_size - 4 > end - 8 - in.position())
      throw bad_blob(size_at, "stage parameters of " + std::to_string(params_size) + " bytes");
    s.params_offset = in.position();
    s.params_size = params_size - 4;
    read_params(s, top_level);
    Cursor buffers(file_, s.params_offset + s.params_size, end - 8);
    read_buffers(s, buffers);
    in.take(end - in.position());
    return s;
  }

  void read_params(BlobStage& s, bool top_level) {
    std::unique_ptr<StageParams> params = make_params(s.type);
    Cursor in(file_, s.params_offset, s.params_offset + s.params_size);
    ParamReader reader(in);
    params->fields(reader);
    if (s.type == StageType::MyriadXHwOp && in.word() != 0) {
      if (!top_level) throw bad_blob(in.position(), "an injected stage inside an injected stage");
      s.injected = std::make_shared<const BlobStage>(read_stage(in, false));
    }
    if (in.remaining())
      throw bad_blob(in.position(), std::to_string(in.remaining()) + " bytes left over after the parameters of a " +
                                        to_string(s.type) + " stage");
    s.params = std::move(params);
  }

  void read_buffers(BlobStage& s, Cursor& in) {
    const size_t least_record = blob_.header.has_inline_shapes() ? 28 : 36;
    std::optional<uint32_t> declared;
    if (s.type == StageType::MyriadXHwOp) declared = in.word();
    s.buffers.reserve(in.remaining() / least_record);
    while (in.remaining() >= least_record) s.buffers.push_back(read_buffer(in));
    if (in.remaining()) throw bad_blob(in.position(), "bytes after the buffers of a stage");
    if (declared && *declared != s.buffers.size())
      throw bad_blob(s.params_offset + s.params_size, "a hardware stage declares " + std::to_string(*declared) +
                                                          " buffers and has " + std::to_string(s.buffers.size()));
    const int count = static_cast<int>(s.buffers.size());
    for (int k = 0; k < count; ++k) s.buffers[static_cast<size_t>(k)].role = buffer_role(s.type, *s.params, k, count);
  }

  // ---- what 2022.1 appends ------------------------------------------------------------------------------------------
  /// Anything else behind file_size is allowed and ignored, as by every reader of blobs.
  void read_network_info() {
    Cursor in(file_, blob_.header.file_size, file_.size());
    BlobNetworkInfo info;
    info.file_offset = in.position();
    try {
      const uint32_t parameters = in.word(), results = in.word();
      for (uint32_t i = 0; i < parameters; ++i) info.parameters.push_back(read_network_node(in, false));
      for (uint32_t i = 0; i < results; ++i) info.results.push_back(read_network_node(in, true));
    } catch (const Error&) {
      return;
    }
    info.file_size = in.position() - info.file_offset;
    blob_.network_info = std::move(info);
  }

  static std::string long_text(Cursor& in) {
    const auto n = in.value<uint64_t>();
    if (n > in.remaining()) throw bad_blob(in.position(), "a name of " + std::to_string(n) + " bytes");
    return in.text(n);
  }

  BlobNetworkInfo::Node read_network_node(Cursor& in, bool is_result) {
    BlobNetworkInfo::Node node;
    const uint32_t name_length = in.word(), rank = in.word(), type_bytes = in.word(), tensor_names = in.word();
    node.name = in.text(name_length);
    for (uint32_t i = 0; i < rank; ++i) node.shape.push_back(in.value<uint64_t>());
    if (type_bytes == 4)
      node.element_type = in.value<int32_t>();
    else
      in.take(type_bytes);
    for (uint32_t i = 0; i < tensor_names; ++i) node.tensor_names.push_back(long_text(in));
    if (is_result) node.legacy_name = long_text(in);
    return node;
  }

  const Bytes& file_;
  Blob blob_;
};

}  // namespace

std::optional<int64_t> tensor_extent(DataType type, const std::vector<int64_t>& dims,
                                     const std::vector<int64_t>& strides) {
  int64_t end = element_size(type);
  for (size_t i = 0; i < dims.size(); ++i) {
    if (dims[i] == 0) return 0;
    int64_t part = 0;
    if (__builtin_mul_overflow(dims[i] - 1, strides[i], &part) || __builtin_add_overflow(end, part, &end))
      return std::nullopt;
  }
  return end;
}

int64_t BlobIo::item_bytes() const {
  int64_t n = 0;
  if (desc.dims.empty() || __builtin_mul_overflow(desc.dims.back(), desc.strides.back(), &n))
    return std::numeric_limits<int64_t>::max();
  return n;
}

Blob read_blob(const Bytes& file) { return Reader(file).read(); }

}  // namespace blobsmith::vpu
