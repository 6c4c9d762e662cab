/* One pass over a parameter block. Both optimizers clip the gradient element by element first (paper 2.2.3); a NaN passes
 * the clip and is found at the end of the episode. */
#include "adam.h"
#include "target.h"

static inline float clipped(float g, float clip) { return g > clip ? clip : g < -clip ? -clip : g; }

void NDQ_NAME(ndq_sgd)(float *restrict params, const float *restrict gradient, int64_t n, float learning_rate,
                       float clip)
{
    for (int64_t i = 0; i < n; i++) params[i] -= learning_rate * clipped(gradient[i], clip);
}

/* n a multiple of NDQ_PAD, as that of every block. */
void NDQ_NAME(ndq_adam_step)(float *restrict params, float *restrict m, float *restrict v,
                             const float *restrict gradient, int64_t n, const ndq_adam *s)
{
    for (int64_t i = 0; i < n; i += VL)
        vf_store(params + i, adam_moved(vf_load(params + i), vf_load(gradient + i), m + i, v + i, s));
}

int NDQ_NAME(ndq_all_finite)(const float *x, int64_t n)
{
    /* The exponent of NaN and infinity is all ones. */
    const uint32_t exponent = 0x7f800000u;
    uint32_t bad = 0;
    for (int64_t i = 0; i < n; i++) {
        uint32_t bits;
        __builtin_memcpy(&bits, x + i, sizeof bits);
        bad |= (bits & exponent) == exponent;
    }
    return !bad;
}
