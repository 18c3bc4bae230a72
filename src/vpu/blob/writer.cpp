// Blob writer (blob-format spec §1-§6). The four sections are built one by one; the headers, which need their sizes,
// last.
#include "vpu/blob/writer.hpp"

#include <algorithm>
#include <bit>
#include <map>
#include <span>

#include "vpu/blob/byte_sink.hpp"
#include "vpu/format/container.hpp"
#include "vpu/stages/stage_row.hpp"

namespace blobsmith::vpu {
namespace {

/// Appends the fields of a parameter struct.
class ParamWriter final : public FieldArchive {
 public:
  explicit ParamWriter(ByteSink& out) : out_(out) {}
  void word(std::string_view, int32_t& v) override { out_.word(static_cast<uint32_t>(v)); }
  void word(std::string_view, uint32_t& v) override { out_.word(v); }
  void word(std::string_view, float& v) override { out_.word(std::bit_cast<uint32_t>(v)); }
  void half(std::string_view, Half& v) override { out_.half(v); }
  void words(std::string_view, std::vector<int32_t>& v) override { list(v); }
  void words(std::string_view, std::vector<float>& v) override { list(v); }
  void begin_item(std::string_view, int) override {}
  void end_item() override {}
  bool reading() const override { return false; }

 private:
  template <class T>
  void list(const std::vector<T>& v) {
    out_.word(static_cast<uint32_t>(v.size()));
    for (T x : v) out_.word(std::bit_cast<uint32_t>(x));
  }
  ByteSink& out_;
};

bool is_io(Location l) { return l == Location::Input || l == Location::Output; }

class Writer {
 public:
  explicit Writer(Program& program) : program_(program) {}

  ChunkedBytes write() {
    ByteSink inputs = io_section(DataUsage::Input), outputs = io_section(DataUsage::Output);
    ByteSink stages = stage_section();
    const ChunkedBytes constants = const_section();
    ByteSink file;
    write_elf_header(file);
    write_blob_header(file, inputs.size(), outputs.size(), stages.size(), constants.size());
    file.align(kBlobAlignment);
    for (const ByteSink* section : {&inputs, &outputs, &stages}) file.append(section->span());
    ChunkedBytes blob;
    blob.append(Bytes::adopt(file.take()));
    blob.append(constants);
    return blob;
  }

 private:
  // ---- headers ----
  static void write_elf_header(ByteSink& out) {
    constexpr uint32_t kHeaderBits = 8 * kElfHeaderBytes;  // the reference counts bits where ELF counts bytes
    out.text(
        "\x7F"
        "elf",
        16);       // identification
    out.half(1);   // type
    out.half(2);   // machine
    out.word(2u);  // version
    for (int i = 0; i < 4; ++i) out.word(0u);
    out.word(kHeaderBits);
    out.resize(kElfHeaderBytes);
  }

  void write_blob_header(ByteSink& out, size_t inputs, size_t outputs, size_t stages, size_t constants) const {
    const auto input_info =
        align_up(static_cast<int64_t>(kElfHeaderBytes + kBlobHeaderBytes), static_cast<int64_t>(kBlobAlignment));
    const int64_t output_info = input_info + static_cast<int64_t>(inputs),
                  stage_section = output_info + static_cast<int64_t>(outputs),
                  const_section = stage_section + static_cast<int64_t>(stages);
    const Program::MemorySizes& m = program_.memory;
    for (int64_t v : {int64_t{kBlobMagic},
                      const_section + static_cast<int64_t>(constants),
                      int64_t{kBlobVersionMajor},
                      int64_t{kBlobVersionMinor},
                      input_count_,
                      output_count_,
                      stage_count_,
                      m.inputs,
                      m.outputs,
                      program_.batch_size,
                      m.bss,
                      int64_t{program_.resources.slices},
                      int64_t{program_.resources.shaves},
                      int64_t{has_hw_},
                      int64_t{has_shave_},
                      int64_t{has_dma_},
                      input_info,
                      output_info,
                      stage_section,
                      const_section})
      out.word(v);
  }

  // ---- inputs and outputs ----
  ByteSink io_section(DataUsage usage) {
    ByteSink out;
    int64_t& count = usage == DataUsage::Input ? input_count_ : output_count_;
    program_.for_each_data([&](const Data* d) {
      if (d->usage != usage) return;
      io_index_[d->id()] = static_cast<uint32_t>(count);
      out.word(count++);
      out.word(d->marks.io_offset);
      const size_t name_size = (d->name.size() / kNameAlignment + 1) * kNameAlignment;
      out.word(static_cast<uint32_t>(name_size));
      out.text(d->name, name_size);
      const bool dynamic = d->io_dims_upper_bound_offset >= 0;
      write_desc(out, d, dynamic ? Placement{Location::Blob, d->io_dims_upper_bound_offset} : d->dims_placement);
    });
    out.align(kBlobAlignment);
    return out;
  }

  // ---- tensors ----
  static void write_desc(ByteSink& out, const Data* d, const Placement& dims) {
    out.word(static_cast<uint32_t>(d->desc.type));
    out.word(static_cast<uint32_t>(d->desc.order.code()));
    out.word(static_cast<uint32_t>(d->desc.rank()));
    out.word(static_cast<uint32_t>(dims.location));
    out.word(dims.offset);
    out.word(static_cast<uint32_t>(d->strides_placement.location));
    out.word(d->strides_placement.offset);
  }

  void write_io_reference(ByteSink& out, const Data* d) const {
    const Data* top = d->top_parent();
    out.word(io_index_.at(top->id()));
    out.word(top->total_bytes());
  }

  void write_buffer(ByteSink& out, const Data* d) const {
    write_desc(out, d, d->dims_placement);
    out.word(static_cast<uint32_t>(d->placement.location));
    if (is_io(d->placement.location)) write_io_reference(out, d);
    if (is_io(d->dims_placement.location)) write_io_reference(out, d->shape_parent());
    out.word(d->placement.offset);
  }

  // ---- stages ----
  ByteSink stage_section() {
    ByteSink out;
    for (const Stage* s : program_.stages()) {
      switch (s->category()) {
        case StageCategory::Special: continue;
        case StageCategory::HW: has_hw_ = true; break;
        case StageCategory::DMA: has_dma_ = true; break;
        case StageCategory::SHAVE: has_shave_ = true; break;
      }
      ++stage_count_;
      write_stage(out, *s, s->num_shaves);
    }
    out.align(kBlobAlignment);
    return out;
  }

  /// An injected stage is a whole record at the end of its carrier's parameters; it runs with the carrier's SHAVEs.
  void write_stage(ByteSink& out, const Stage& s, int shaves) const {
    const size_t begin = out.size();
    out.word(0u);  // length, known later
    out.word(static_cast<uint32_t>(s.type));
    out.word(static_cast<uint32_t>(shaves));
    const size_t params = out.size();
    out.word(0u);  // size of the parameters, this word included
    ParamWriter writer(out);
    show_fields(*encode_params(s), writer);
    if (s.category() == StageCategory::HW) {
      out.word(s.injected() ? 1u : 0u);
      if (s.injected()) write_stage(out, *s.injected(), shaves);
    }
    out.put_word(params, static_cast<uint32_t>(out.size() - params));
    const std::vector<const Data*> buffers = blob_buffers(s);
    if (s.category() == StageCategory::HW) out.word(static_cast<uint32_t>(buffers.size()));
    for (const Data* d : buffers) write_buffer(out, d);
    out.word(static_cast<uint32_t>(s.type));
    out.word(kStageBorder);
    out.put_word(begin, static_cast<uint32_t>(out.size() - begin));
  }

  // ---- constants and shapes ----
  /// Zeros stand where nothing was placed.
  ChunkedBytes const_section() {
    std::vector<Placed> contents;
    program_.for_each_data([&](const Data* d) {
      if (d->usage == DataUsage::Const) contents.push_back({static_cast<size_t>(d->placement.offset), d->content});
      const int64_t batch = d->marks.batch;
      if (d->io_dims_upper_bound_offset >= 0)
        contents.push_back(shape(d, d->io_dims_upper_bound_offset,
                                 [&](Dim dim) { return d->desc.dim(dim) * (dim == Dim::N ? batch : 1); }));
      if (d->dims_placement.location == Location::Blob)
        contents.push_back(shape(d, d->dims_placement.offset, [&](Dim dim) { return d->desc.dim(dim); }));
      if (d->strides_placement.location != Location::Blob) return;
      const DimValues strides = d->strides();
      contents.push_back(shape(d, d->strides_placement.offset, [&](Dim dim) { return strides[dim]; }));
    });
    return joined(std::move(contents),
                  static_cast<size_t>(align_up(program_.memory.blob, static_cast<int64_t>(kBlobAlignment))));
  }

  struct Placed {
    size_t offset;
    Bytes content;
  };

  template <class ValueOf>
  static Placed shape(const Data* d, int64_t offset, ValueOf value_of) {
    ByteSink out;
    for (Dim dim : d->desc.order.dims()) out.word(static_cast<uint32_t>(value_of(dim)));
    return {static_cast<size_t>(offset), Bytes::adopt(out.take())};
  }

  /// Large contents stay where they are, the small ones between them are copied together.
  static ChunkedBytes joined(std::vector<Placed> contents, size_t size) {
    constexpr size_t kLarge = 1 << 16;
    std::ranges::stable_sort(contents, {}, &Placed::offset);
    const auto shared = [](const Placed& a, const Placed& b) {
      return a.offset == b.offset;
    };  // equal shapes have one place
    contents.erase(std::unique(contents.begin(), contents.end(), shared), contents.end());
    ChunkedBytes section;
    ByteSink small;
    size_t at = 0;
    const auto flush = [&] { section.append(Bytes::adopt(small.take())); };
    const auto fill_up_to = [&](size_t offset) {
      ensure(offset >= at && offset <= size, "content outside its place");
      small.resize(small.size() + offset - at);
      at = offset;
    };
    const auto is_large = [](const Placed& p) { return p.content.size() >= kLarge; };
    for (auto p = contents.begin(); p != contents.end(); ++p) {
      if (small.size() == 0 && !is_large(*p)) {  // room for all up to the next large one
        const auto next = std::find_if(p, contents.end(), is_large);
        const size_t end = next == contents.end() ? size : next->offset;
        if (end > at && end <= size) small.reserve(end - at);
      }
      fill_up_to(p->offset);
      if (is_large(*p)) {
        flush();
        section.append(p->content);
      } else {
        small.append(p->content.span());
      }
      at += p->content.size();
    }
    fill_up_to(size);
    flush();
    return section;
  }

  Program& program_;
  std::map<int, uint32_t> io_index_;  // data id -> number among the inputs or outputs
  int64_t input_count_ = 0, output_count_ = 0, stage_count_ = 0;
  bool has_hw_ = false, has_shave_ = false, has_dma_ = false;
};

}  // namespace

ChunkedBytes write_blob(Program& program) { return Writer(program).write(); }

}  // namespace blobsmith::vpu
