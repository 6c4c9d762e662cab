/* tanh x = x P(x^2) / Q(x^2) for |x| <= 9.02, beyond which it is 1 in float32. The libm call does not vectorise.
 * Coefficients and their error: fit_tanh.py; the error in float32: docs/kernels.md. NaN stays NaN. */
#ifndef NDQ_TANH_H
#define NDQ_TANH_H

#include "vec.h"

INLINE vf vf_tanh(vf x)
{
    x = vf_clip(x, 9.02f);
    const vf t = x * x;
    vf p = t * 1.331909930e-08f + 2.058350386e-05f;
    p = p * t + 3.494036057e-03f;
    p = p * t + 1.337971924e-01f;
    p = p * t + 9.999999790e-01f;
    vf q = t * 7.762031485e-07f + 3.283095200e-04f;
    q = q * t + 2.587107902e-02f;
    q = q * t + 4.671303449e-01f;
    q = q * t + 1.0f;
    return vf_clip(x * p / q, 1.0f);
}

#endif
