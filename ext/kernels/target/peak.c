/* The limit that shares are measured against: independent chains of fused multiply-adds, nothing else. */
#include "target.h"
#include "vec.h"

/* Runs n rounds and returns how many floating point operations they were. */
int64_t NDQ_NAME(ndq_peak)(int64_t n, float *result)
{
    enum { CHAINS = TILE_VECTORS }; /* more than latency times ports, fewer than the registers */
    vf x[CHAINS];
    const vf a = vf_set(0.999999f), b = vf_set(1e-6f);
#pragma GCC unroll 24
    for (int c = 0; c < CHAINS; c++) x[c] = vf_set((float)c);
    for (int64_t i = 0; i < n; i++) {
#pragma GCC unroll 24
        for (int c = 0; c < CHAINS; c++) {
            x[c] = x[c] * a + b;
        }
    }
    float sum = 0.0f;
#pragma GCC unroll 24
    for (int c = 0; c < CHAINS; c++) sum += x[c][0];
    *result = sum; /* so that the chains are not dead code */
    return n * CHAINS * VL * 2;
}
