// Arithmetic, comparison and logic between tensors (execution spec §4). Operands meet in framework order, aligned at
// the innermost dimension.
#include "vpu/format/eltwise.hpp"

#include <cmath>

#include "emulator/kernels/shared.hpp"

namespace blobsmith::emulator {
namespace {

using enum vpu::StageType;

Grid broadcast_to(StageRun& s, const Grid& in, const Grid& to) {
  Grid g{in.data, in.type, to.rank, to.dims};
  for (int k = 1; k <= in.rank; ++k) {
    const auto from = static_cast<size_t>(in.rank - k);
    if (in.dims[from] == 1) continue;
    s.check(k <= to.rank && in.dims[from] == to.dims[static_cast<size_t>(to.rank - k)],
            "operands whose sizes don't fit");
    g.strides[static_cast<size_t>(to.rank - k)] = in.strides[from];
  }
  return g;
}

float post_operation(const vpu::EltwiseParams& p, float v) {
  using P = vpu::EltwiseParams;
  switch (static_cast<vpu::StageType>(p.post_operation)) {
    case Relu:
    case LeakyRelu: return v < 0 ? P::real(p.negative_slope) * v : v;
    case Clamp: return std::min(std::max(v, P::real(p.min_value)), P::real(p.max_value));
    default: return v;
  }
}

int64_t quotient(int64_t a, int64_t b) { return b == 0 ? a : a / b; }
float quotient(float a, float b) { return a / b; }
int64_t remainder_of(int64_t a, int64_t b) { return b == 0 ? 0 : ((a % b) + b) % b; }
float remainder_of(float a, float b) { return a - std::floor(a / b) * b; }
float power_of(float a, float b) { return std::pow(a, b); }
int64_t power_of(int64_t a, int64_t b) {
  const double v = std::pow(static_cast<double>(a), static_cast<double>(b));
  return v == v ? static_cast<int64_t>(std::clamp(v, -0x1p62, 0x1p62)) : 0;
}
float square(float v) { return v * v; }
int64_t square(int64_t v) { return static_cast<int64_t>(static_cast<uint64_t>(v) * static_cast<uint64_t>(v)); }

/// Calls f with the function of a stage type.
template <class T, class F>
void with_function(vpu::StageType type, F f) {
  switch (type) {
    case Prod: return f([](T a, T b) { return a * b; });
    case Max: return f([](T a, T b) { return a < b || b != b ? b : a; });
    case Min: return f([](T a, T b) { return b < a || b != b ? b : a; });
    case Div: return f([](T a, T b) { return quotient(a, b); });
    case Squared_diff: return f([](T a, T b) { return square(a - b); });
    case Equal: return f([](T a, T b) { return T(a == b); });
    case Not_equal: return f([](T a, T b) { return T(a != b); });
    case Greater: return f([](T a, T b) { return T(a > b); });
    case Greater_equal: return f([](T a, T b) { return T(a >= b); });
    case Less: return f([](T a, T b) { return T(a < b); });
    case Less_equal: return f([](T a, T b) { return T(a <= b); });
    case Logical_NOT: return f([](T a, T) { return T(a == 0); });
    case Logical_AND: return f([](T a, T b) { return T(a != 0 && b != 0); });
    case Logical_OR: return f([](T a, T b) { return T(a != 0 || b != 0); });
    case Logical_XOR: return f([](T a, T b) { return T((a != 0) != (b != 0)); });
    case Pow: return f([](T a, T b) { return power_of(a, b); });
    case Floor_mod: return f([](T a, T b) { return remainder_of(a, b); });
    case Abs: return f([](T a, T) { return a < 0 ? -a : a; });
    default: throw internal_error("no function for this stage type");
  }
}

struct Operands {
  Grid out, a, b, c;
  Nest<3> pair() const { return {out.rank, out.dims, {out.strides, a.strides, b.strides}, {out.data, a.data, b.data}}; }
  Nest<4> all() const {
    return {out.rank, out.dims, {out.strides, a.strides, b.strides, c.strides}, {out.data, a.data, b.data, c.data}};
  }
};

void run_floats(StageRun& s, const vpu::EltwiseParams& p, const Operands& o) {
  if (s.type() == Select) {
    return map_rows(s.pool(), o.all(), {o.out.type, o.a.type, o.b.type, o.c.type},
                    [&](float* out, const auto& in, int64_t n) {
                      for (int64_t i = 0; i < n; ++i) out[i] = in[0][i] != 0 ? in[1][i] : in[2][i];
                    });
  }
  const auto map = [&](auto f) {
    map_rows(s.pool(), o.pair(), {o.out.type, o.a.type, o.b.type}, [&](float* out, const auto& in, int64_t n) {
      for (int64_t i = 0; i < n; ++i) out[i] = f(in[0][i], in[1][i]);
      if (p.post_operation >= 0)
        for (int64_t i = 0; i < n; ++i) out[i] = post_operation(p, out[i]);
    });
  };
  if (s.type() != Sum) return with_function<float>(s.type(), map);
  const float c1 = vpu::EltwiseParams::real(p.coeff1), c2 = vpu::EltwiseParams::real(p.coeff2);
  map([c1, c2](float a, float b) { return c1 * a + c2 * b; });
}

void run_integers(StageRun& s, const vpu::EltwiseParams& p, const Operands& o) {
  const std::vector<int64_t> a = read_integers(o.a), b = read_integers(o.b);
  std::vector<int64_t> out(a.size());
  if (s.type() == Select) {
    const std::vector<int64_t> c = read_integers(o.c);
    for (size_t i = 0; i < out.size(); ++i) out[i] = a[i] != 0 ? b[i] : c[i];
  } else if (s.type() == Sum) {
    const int64_t c1 = vpu::EltwiseParams::integer(p.coeff1), c2 = vpu::EltwiseParams::integer(p.coeff2);
    for (size_t i = 0; i < out.size(); ++i)
      out[i] = static_cast<int64_t>(static_cast<uint64_t>(c1 * a[i]) + static_cast<uint64_t>(c2 * b[i]));
  } else {
    with_function<int64_t>(s.type(), [&](auto f) {
      for (size_t i = 0; i < out.size(); ++i) out[i] = f(a[i], b[i]);
    });
  }
  write(o.out, out);
}

// Buffers: in0, out0, in1, in2; absent inputs are fakes.
void run_eltwise(StageRun& s) {
  const auto& p = s.params<vpu::EltwiseParams>();
  Operands o;
  o.out = framework_order(s.out(1));
  o.a = broadcast_to(s, framework_order(s.in(0)), o.out);
  o.b = s.has(2) ? broadcast_to(s, framework_order(s.in(2)), o.out) : o.a;
  const bool one_operand = s.type() == Logical_NOT || s.type() == Abs;
  s.check(one_operand || s.has(2), "an operand is missing");
  bool integers = o.a.type == DataType::S32 && o.b.type == DataType::S32;
  if (s.type() == Select) {
    o.c = broadcast_to(s, framework_order(s.in(3)), o.out);
    integers = integers && o.c.type == DataType::S32;
  }
  if (integers)
    run_integers(s, p, o);
  else
    run_floats(s, p, o);
}

constexpr KernelRow kRows[] = {
    {StageType::Sum, run_eltwise},         {StageType::Prod, run_eltwise},
    {StageType::Max, run_eltwise},         {StageType::Div, run_eltwise},
    {StageType::Min, run_eltwise},         {StageType::Squared_diff, run_eltwise},
    {StageType::Equal, run_eltwise},       {StageType::Not_equal, run_eltwise},
    {StageType::Greater, run_eltwise},     {StageType::Greater_equal, run_eltwise},
    {StageType::Less, run_eltwise},        {StageType::Less_equal, run_eltwise},
    {StageType::Logical_NOT, run_eltwise}, {StageType::Logical_AND, run_eltwise},
    {StageType::Logical_OR, run_eltwise},  {StageType::Logical_XOR, run_eltwise},
    {StageType::Pow, run_eltwise},         {StageType::Floor_mod, run_eltwise},
    {StageType::Select, run_eltwise},      {StageType::Abs, run_eltwise},
};

}  // namespace

std::span<const KernelRow> eltwise_kernels() { return kRows; }

}  // namespace blobsmith::emulator
