/* One pass over the parameter block: plain loops that the compiler vectorises. Both optimizers clip the gradient
 * element by element first (paper 2.2.3); a NaN passes the clip and is found at the end of the episode. */
#include <math.h>

#include "target.h"

static inline float clipped(float g, float clip) { return g > clip ? clip : g < -clip ? -clip : g; }

void NDQ_NAME(ndq_sgd)(float *restrict params, const float *restrict gradient, int64_t n, float learning_rate,
                       float clip)
{
    for (int64_t i = 0; i < n; i++) params[i] -= learning_rate * clipped(gradient[i], clip);
}

/* Kingma & Ba 2015, algorithm 1. */
void NDQ_NAME(ndq_adam_step)(float *restrict params, float *restrict m, float *restrict v,
                             const float *restrict gradient, int64_t n, ndq_adam s)
{
    const float step = s.learning_rate / s.correction1, scale = 1.0f / s.correction2;
    for (int64_t i = 0; i < n; i++) {
        const float g = clipped(gradient[i], s.clip);
        m[i] = s.beta1 * m[i] + (1.0f - s.beta1) * g;
        v[i] = s.beta2 * v[i] + (1.0f - s.beta2) * g * g;
        params[i] -= step * m[i] / (sqrtf(v[i] * scale) + s.epsilon);
    }
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
