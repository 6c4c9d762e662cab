/* A bit generator with the face of NumPy's: SplitMix64 (Steele, Lea & Flood 2014). */
#ifndef GENERATOR_H
#define GENERATOR_H

#include <numpy/random/bitgen.h>
#include <stdint.h>

static inline uint64_t generator_uint64(void *state)
{
    uint64_t z = *(uint64_t *)state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}
static inline uint32_t generator_uint32(void *state) { return generator_uint64(state) >> 32; }
static inline double generator_double(void *state) { return (generator_uint64(state) >> 11) * 0x1p-53; }

static inline bitgen_t generator_bitgen(uint64_t *state)
{
    return (bitgen_t){state, generator_uint64, generator_uint32, generator_double, generator_uint64};
}

/* In [-1, 1). */
static inline float generator_signed(uint64_t *state) { return (float)(2.0 * generator_double(state) - 1.0); }

#endif
