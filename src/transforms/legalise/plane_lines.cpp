// The compiler cuts a plane into tiles (hw-tiling spec §6, §7): as few parts of the input channels as may be, then
// the least cycles. What becomes of a product therefore depends on the length of the plane's lines. 3136 rows of 98 to
// 384 columns, as lines of
//
//   64    6 tiles of 442 KB: the second has no room beside the first, so each waits for a copy of the one before it
//   448   7 tiles of 344 KB: each is computed while the one before it is copied
//
// This models what the search finds for a 1x1 convolution, and the time of it (cost-model spec §2, §3).
#include "transforms/legalise/plane_lines.hpp"

#include <algorithm>
#include <optional>
#include <vector>

namespace blobsmith::legalise_rows {
namespace {

constexpr int64_t kMemory = 6 * 131072;  ///< of six slices
constexpr int64_t kMostOutput = 458752;  ///< of a tile
constexpr int64_t kLineStep = 8;         ///< places of a line that lie in one word of the engine's memory
constexpr int64_t kMostParts = 15, kLongestPart = 2048;

int64_t parts_of(int64_t n, int64_t of) { return (n + of - 1) / of; }
int64_t aligned(int64_t n, int64_t to) { return parts_of(n, to) * to; }
int64_t line_bytes(int64_t width) { return aligned(width, kLineStep) * 2; }

/// How the engine computes a tile: 2^mode input channels at once, for 256 / 2^mode outputs of a descriptor.
struct Mode {
  int64_t cost, descriptors, in_channels, steps;  ///< steps: of a place and descriptor
  double overhead;                                ///< cycles of a place and descriptor
};

std::optional<Mode> mode_of(int64_t w, int64_t h, int64_t in, int64_t out) {
  constexpr int64_t kEngine = 131072, kMostChannels = 2048, kMostSteps = 256, kWidestLow = 507, kLow = 64, kLines = 4;
  constexpr int64_t kFixed[] = {0, 5, 11, 19, 31};
  constexpr double kTrueOverhead = 2.02;
  if (in > kMostChannels || (w > kWidestLow && h > 1 && h < kLow)) return {};
  std::optional<Mode> best;
  for (int64_t m = 0; m < std::ssize(kFixed); ++m) {
    const int64_t lanes = int64_t{1} << m, steps = parts_of(in, lanes),
                  each = std::min(int64_t{256} >> m, aligned(out, 8));
    const int64_t lines = std::min(kEngine / (steps * lanes * line_bytes(w)), h);
    if (steps > kMostSteps || std::min(kLines + (w <= kLineStep ? 1 : 0), h) > lines) continue;
    const int64_t count = parts_of(out, each), cost = count * (steps + kFixed[m]);
    if (best && (cost > best->cost || (cost == best->cost && count >= best->descriptors))) continue;
    best = Mode{cost, count, steps * lanes, steps, kTrueOverhead * static_cast<double>(kFixed[m])};
  }
  return best;
}

struct Parts {
  int64_t channels, columns, lines;
};

/// What the compiler's search takes; none where no tile fits.
class Search {
 public:
  Search(const Product& p, int64_t width) : p_(p), width_(width), height_(p.rows / width) {
    for (int64_t channels = 1; channels <= kMostParts; ++channels)
      for (int64_t columns = 1; columns <= kMostParts; ++columns) {
        constexpr int64_t kNarrowest = 64;
        const int64_t w = parts_of(width_, columns);
        if (columns > 1 && w < kNarrowest) break;
        if (w <= kLongestPart) search_lines(channels, columns);
      }
  }

  const std::optional<Parts>& parts() const { return best_; }
  int64_t plane_tiles() const { return parts_of(height_, tall(*best_)) * parts_of(width_, wide(*best_)); }
  int64_t largest_tile() const { return line_bytes(wide(*best_)) * tall(*best_) * p_.out; }  ///< bytes of its output

  /// Calls with the first place, width and height of each tile.
  template <class Do>
  void each_tile(const Parts& parts, const Do& with) const {
    for (int64_t y = 0; y < height_; y += tall(parts))
      for (int64_t x = 0; x < width_; x += wide(parts))
        with(x, std::min(wide(parts), width_ - x), std::min(tall(parts), height_ - y));
  }

 private:
  int64_t tall(const Parts& parts) const { return parts_of(height_, parts.lines); }
  int64_t wide(const Parts& parts) const { return parts_of(width_, parts.columns); }
  void search_lines(int64_t channels, int64_t columns) {
    for (int64_t lines = 1; lines <= std::min(kMostParts, height_); ++lines) {
      const Parts parts{channels, columns, lines};
      const auto cost = parts_of(height_, lines) <= kLongestPart ? cost_of(parts) : std::nullopt;
      if (!cost) continue;
      const int64_t count = channels * columns * lines;
      if (best_ && (*cost > cost_ || (*cost == cost_ && count >= count_))) return;
      best_ = parts;
      cost_ = *cost;
      count_ = count;
      return;
    }
  }

  std::optional<int64_t> cost_of(const Parts& parts) const {
    int64_t cost = 0;
    bool fits = true;
    each_tile(parts, [&](int64_t x, int64_t w, int64_t h) {
      const auto mode = fits ? mode_of(w, h, parts_of(p_.in, parts.channels), p_.out) : std::nullopt;
      fits = mode && line_bytes(w) * h * p_.out <= kMostOutput;
      if (!fits) return;
      cost += mode->cost * parts.channels + (parts.channels - 1) * w * h * p_.out;
      if (x % kLineStep != 0) cost += w * h * (p_.out + mode->in_channels);
    });
    return fits ? std::optional(cost) : std::nullopt;
  }

  Product p_;
  int64_t width_, height_;
  std::optional<Parts> best_;
  int64_t cost_ = 0, count_ = 0;
};

/// Whether the input lies in the chip's memory beside an output of so many bytes.
bool fits_beside(const Product& p, int64_t width, int64_t output) {
  // The input of an activation lies there, too, beside the memory of the two SHAVEs that compute it.
  constexpr int64_t kActivated = (kMemory - 2 * 131072) / 2;
  const int64_t input = line_bytes(width) * (p.rows / width) * p.in;
  return input <= (p.activated ? kActivated : kMemory) && input + output <= kMemory;
}

/// Whether the Transposes beside the product can do the plane's work, too.
bool follows_items(const Product& p, int64_t width) {
  if (p.item == 0 || width % p.item == 0 || p.item % width == 0) return true;
  const int64_t items = p.rows / p.item;
  return width % items == 0 && p.item % (width / items) == 0;
}

/// Microseconds of a plane; none where the engine can't take it.
std::optional<double> time_of(const Product& p, int64_t width) {
  constexpr double kStage = 4.19, kDescriptor = 0.717, kCycles = 700, kWeights = 5697, kDdrInput = 1384, kCopy = 13.6,
                   kCopied = 2800, kRun = 0.0075, kSum = 46, kSummed = 4900;
  constexpr double kFewer = 60;  ///< what a stage less is worth, beside its time
  const Search search(p, width);
  const auto& parts = search.parts();
  if (!parts) return {};
  const int64_t largest = search.largest_tile(), tiles = search.plane_tiles();
  const bool near = fits_beside(p, width, largest);
  const int64_t height = p.rows / width, room = kMemory - (near ? line_bytes(width) * height * p.in : 0);
  const bool stays = line_bytes(width) * height * p.out <= room;
  // What follows a tile runs beside the next one where there is room: a copy, or the sum with the part before it.
  const bool beside = (parts->channels > 1 ? 3 : 2) * largest <= room;
  double time = 0, follows = 0;
  const auto wait = [&] {
    if (follows > 0) time += follows + kFewer;
    follows = 0;
  };
  search.each_tile(*parts, [&](int64_t x, int64_t w, int64_t h) {
    const Mode m = *mode_of(w, h, parts_of(p.in, parts->channels), p.out);
    const auto places = static_cast<double>(w * h), outputs = places * static_cast<double>(p.out),
               inputs = static_cast<double>(m.in_channels), count = static_cast<double>(m.descriptors);
    const double cycles = count * places * (static_cast<double>(m.steps) + m.overhead) / kCycles;
    const double weights = 2 * inputs * static_cast<double>(aligned(p.out, 8)) / kWeights;
    const double input = near || x % kLineStep != 0 ? 0 : 2 * places * inputs * count / kDdrInput;
    const double engine = kStage + kDescriptor * count + std::max(cycles, weights + input);
    if (x % kLineStep != 0) time += 2 * (kCopy + kFewer) + 2 * (places * inputs + outputs) / kCopied;
    if (width % kLineStep != 0) time += kCopy + kFewer + 2 * places * inputs / kCopied;  // may be needed
    for (int64_t part = 0; part < parts->channels; ++part) {
      if (!beside) wait();
      time += std::max(engine, follows) + kFewer;
      follows = part > 0 ? kSum + 2 * 3 * outputs / kSummed : 0;
    }
    if (parts->channels == 1 && tiles > 1 && !stays)
      follows = kCopy + 2 * outputs / kCopied + (width % kLineStep == 0 ? 0 : kRun * static_cast<double>(h * p.out));
  });
  wait();
  if (!follows_items(p, width))
    time += 2 * (kSum + kFewer) + 2 * 2 * static_cast<double>(p.rows * (p.in + p.out)) / kSummed;
  return time;
}

}  // namespace

int64_t line_length(std::span<const Product> products) {
  constexpr int64_t kUsual = 64, kLongestUsual = 256;
  constexpr double kClearly = 0.93;  ///< the model is coarse
  const int64_t rows = products[0].rows;
  std::vector<int64_t> lengths;  // between equals the first is taken
  for (int64_t w = kUsual; w <= std::min(rows, kLongestUsual); w += kLineStep) lengths.push_back(w);
  for (int64_t w = std::min(rows, kLongestUsual); w > 0; --w) lengths.push_back(w);
  for (int64_t w = kLongestUsual + 1; w <= std::min(rows, kLongestPart); ++w) lengths.push_back(w);
  std::erase_if(lengths, [&](int64_t w) { return rows % w != 0; });
  int64_t best = 0;
  double least = 0;
  for (const int64_t w : lengths) {
    std::optional<double> all;
    if (w >= kLineStep || w == rows) all = 0;
    for (const Product& p : products)
      if (const auto time = all ? time_of(p, w) : std::nullopt)
        *all += *time;
      else
        all.reset();
    if (!all || (best > 0 && *all >= least * kClearly)) continue;
    best = w;
    least = *all;
  }
  return best > 0 ? best : lengths[0];
}

bool lies_near(const Product& p, int64_t width) {
  const Search search(p, width);
  return search.parts() && fits_beside(p, width, search.largest_tile());
}

}  // namespace blobsmith::legalise_rows
