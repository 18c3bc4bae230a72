// What HWY_DYNAMIC_DISPATCH needs of Highway's own library. That one measures the processor's timer when it is loaded,
// which takes 4 ms: half of the program's start.
#include "core/vector_targets.hpp"

#include <hwy/targets.h>
#if HWY_ARCH_X86
#include <cpuid.h>
#endif

namespace hwy {
namespace {

#if HWY_ARCH_X86
struct Registers {
  unsigned a = 0, b = 0, c = 0, d = 0;
};

Registers cpuid(unsigned leaf) {
  Registers r;
  __get_cpuid_count(leaf, 0, &r.a, &r.b, &r.c, &r.d);
  return r;
}

/// The vector registers that the operating system keeps (XCR0).
unsigned kept_registers() {
  unsigned low = 0, high = 0;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return low;
}

bool has(unsigned flags, unsigned wanted) { return (flags & wanted) == wanted; }
#endif

}  // namespace

/// Source: CPUID in Intel's Software Developer's Manual, and the instructions that hwy/ops/set_macros-inl.h asks for.
int64_t SupportedTargets() {
  int64_t targets = HWY_STATIC_TARGET;
#if HWY_ARCH_X86
  const Registers basic = cpuid(1), extended = cpuid(7);
  if (!has(basic.c, bit_SSSE3 | bit_SSE4_1 | bit_SSE4_2 | bit_PCLMUL | bit_AES)) return targets;
  targets |= HWY_SSE4;
  const unsigned kept = has(basic.c, bit_OSXSAVE) ? kept_registers() : 0;
  constexpr unsigned kYmm = 0x6, kZmm = 0xE6;
  if (!has(kept, kYmm) || !has(basic.c, bit_AVX | bit_FMA | bit_F16C) ||
      !has(extended.b, bit_AVX2 | bit_BMI | bit_BMI2))
    return targets;
  targets |= HWY_AVX2;
  if (has(kept, kZmm) && has(extended.b, bit_AVX512F | bit_AVX512VL | bit_AVX512DQ | bit_AVX512BW)) targets |= HWY_AVX3;
#endif
  return targets;
}

ChosenTarget& GetChosenTarget() {
  static ChosenTarget chosen;
  return chosen;
}

}  // namespace hwy
