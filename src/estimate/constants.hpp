// The constants of the cost model: the only place where they stand (cost-model reference §3).
#pragma once
#include <array>
#include <string_view>

namespace blobsmith::estimate {

enum class Constant {
  NceClock,
  ModeOverhead,
  Pool,
  WeightRate,
  InputRate,
  DescriptorTime,
  HwStageTime,
  ShaveStageTime,
  CopyTime,
  CopyRate,
  CopyPiece,
  ShaveRate,
  Base,
  DdrRate,
  UsbRate,
  Usb2Rate,
  LatencyAlone,
  RangeLow,
  RangeHigh,
  // SHAVE work per element (of the output unless stated), divided by the number of SHAVEs
  Arithmetic,
  Conversion,
  Transcendental,
  Move,
  Lrn,
  Normalise,
  Interpolate,
  Reduce,
  Multiply,
  MultiplyDepthwise,
  PoolTap,
  Detection,
  Other,
  kCount
};

struct ConstantRow {
  Constant id;
  std::string_view name;
  double value;
  std::string_view unit;
  std::string_view range;  ///< least and greatest value when one family of networks is left out of the fit
  std::string_view meaning;
};

/// All rows, in the order of the enumeration.
const std::array<ConstantRow, static_cast<size_t>(Constant::kCount)>& constant_rows();

/// Values by row: those of the table unless a user calibrates them.
class Constants {
 public:
  Constants();
  double operator[](Constant c) const { return values_[static_cast<size_t>(c)]; }
  /// Throws BadOptionValue for a name that no row has, and for values that are not positive.
  void set(std::string_view name, double value);

 private:
  std::array<double, static_cast<size_t>(Constant::kCount)> values_{};
};

}  // namespace blobsmith::estimate
