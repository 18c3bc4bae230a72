// The kinds of processors for which files with vector loops are compiled: include before <hwy/foreach_target.h>.
#pragma once

// Vectors of a size known when compiling only; three kinds of x86 processors.
#define HWY_DISABLED_TARGETS (HWY_SSSE3 | HWY_AVX3_DL | HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)
