/* One vector of floats, as wide as the CPU target has, in the vector extensions of GCC and Clang.
 * Included only by kernels that are compiled once for each target; everything is static.
 * With NDQ_HALF_VECTORS, AVX-512 has vectors of half its width, those of AVX2. */
#ifndef NDQ_VEC_H
#define NDQ_VEC_H

#include <math.h>
#include <stdint.h>

#if defined(__AVX512F__) && !defined(NDQ_HALF_VECTORS)
#include <immintrin.h>
#define VECTOR_BITS 512
enum { VL = 16, TILE_VECTORS = 24 }; /* floats in a vector; vectors of a tile held in registers, of 32 */
#elif defined(__AVX2__)
#include <immintrin.h>
#define VECTOR_BITS 256
enum { VL = 8, TILE_VECTORS = 12 }; /* of 16 */
#elif defined(__aarch64__)
#define VECTOR_BITS 128
enum { VL = 4, TILE_VECTORS = 24 }; /* of 32 */
#else
#define VECTOR_BITS 128
enum { VL = 4, TILE_VECTORS = 12 }; /* of 16 */
#endif

typedef float vf __attribute__((vector_size(VL * 4), may_alias));
typedef int32_t vi __attribute__((vector_size(VL * 4), may_alias));

#define INLINE static inline __attribute__((always_inline))

INLINE vf vf_load(const float *p) { return *(const vf *)p; }
INLINE void vf_store(float *p, vf x) { *(vf *)p = x; }
/* x - 0 is x for every x, -0 included, so no arithmetic remains. */
INLINE vf vf_set(float x) { return x - (vf){0}; }

/* where ? a : b, lane by lane; `where` as a comparison gives it (all ones or all zeros). */
INLINE vf vf_select(vi where, vf a, vf b) { return (vf)((where & (vi)a) | (~where & (vi)b)); }

/* x limited to [-limit, limit]. min and max return their second operand when one is NaN: NaN stays NaN. */
INLINE vf vf_clip(vf x, float limit)
{
#if VECTOR_BITS == 512
    return (vf)_mm512_max_ps(_mm512_set1_ps(-limit), _mm512_min_ps(_mm512_set1_ps(limit), (__m512)x));
#elif VECTOR_BITS == 256
    return (vf)_mm256_max_ps(_mm256_set1_ps(-limit), _mm256_min_ps(_mm256_set1_ps(limit), (__m256)x));
#else
    x = vf_select(x > limit, vf_set(limit), x);
    return vf_select(x < -limit, vf_set(-limit), x);
#endif
}

/* x, or 0 where |x| < tiny; NaN stays NaN. */
INLINE vf vf_flushed(vf x, float tiny)
{
    const vf size = (vf)((vi)x & 0x7fffffff);
    return vf_select(size < tiny, (vf){0}, x);
}

INLINE vf vf_sqrt(vf x)
{
#if VECTOR_BITS == 512
    return (vf)_mm512_sqrt_ps((__m512)x);
#elif VECTOR_BITS == 256
    return (vf)_mm256_sqrt_ps((__m256)x);
#else
    vf root;
    for (int i = 0; i < VL; i++) root[i] = sqrtf(x[i]);
    return root;
#endif
}

/* max(x, 0); NaN stays NaN. */
INLINE vf vf_relu(vf x)
{
#if VECTOR_BITS == 512
    return (vf)_mm512_max_ps(_mm512_setzero_ps(), (__m512)x);
#elif VECTOR_BITS == 256
    return (vf)_mm256_max_ps(_mm256_setzero_ps(), (__m256)x);
#else
    return vf_select(x < 0.0f, (vf){0}, x);
#endif
}

/* h > 0 ? x : slope * x: Leaky ReLU with h = x, its backward pass with h = the output, that of ReLU with slope 0. */
INLINE vf vf_leaky(vf h, vf x, vf slope)
{
#if VECTOR_BITS == 512
    return (vf)_mm512_mask_mul_ps((__m512)x, _mm512_cmp_ps_mask((__m512)h, _mm512_setzero_ps(), _CMP_NGT_UQ),
                                  (__m512)x, (__m512)slope);
#elif VECTOR_BITS == 256
    return (vf)_mm256_blendv_ps((__m256)(x * slope), (__m256)x,
                                _mm256_cmp_ps((__m256)h, _mm256_setzero_ps(), _CMP_GT_OQ));
#else
    return vf_select(h > 0.0f, x, x * slope);
#endif
}

#endif
