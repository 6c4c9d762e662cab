#if defined __FAST_MATH__ || defined __ASSOCIATIVE_MATH__ || defined __RECIPROCAL_MATH__ || __FINITE_MATH_ONLY__
#error "nasdqn-fast: built with -ffast-math or a part of it, which setup.py cannot take out; take it out of the compiler's own settings"
#endif

#include "dispatch.h"

extern const ndq_kernels ndq_kernels_baseline, ndq_kernels_avx2, ndq_kernels_avx512;

int ndq_available(const ndq_kernels *tables[NDQ_MAX_TARGETS])
{
    int n = 0;
    tables[n++] = &ndq_kernels_baseline;
#if defined(__x86_64__) && defined(NDQ_HAVE_AVX512)
    __builtin_cpu_init(); /* asks the operating system too whether it saves the wide registers */
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
        tables[n++] = &ndq_kernels_avx2;
        if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
            __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw"))
            tables[n++] = &ndq_kernels_avx512;
    }
#endif
    return n;
}
