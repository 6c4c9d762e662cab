/* One step of Adam on a vector of parameters (Kingma & Ba 2015, algorithm 1), the gradient clipped first:
 *
 *   m = beta1 m + (1 - beta1) g,   v = beta2 v + (1 - beta2) g^2,   w = w - step m / (sqrt(v / correction2) + epsilon)
 *
 * The moments of a parameter whose gradient stays zero, as that of a dead ReLU unit does, shrink from step to step and
 * would end as subnormal numbers, with which some processors multiply a hundred times slower. So a moment below
 * NDQ_TINY_M or NDQ_TINY_V becomes zero: a step that such a moment would take, |m| / epsilon, changes no float32
 * parameter worth the name. The twin does the same. */
#ifndef NDQ_ADAM_H
#define NDQ_ADAM_H

#include "target.h"
#include "vec.h"

INLINE vf adam_moved(vf w, vf g, float *m, float *v, const ndq_adam *s)
{
    g = vf_clip(g, s->clip);
    const vf first = vf_flushed(s->beta1 * vf_load(m) + (1.0f - s->beta1) * g, NDQ_TINY_M);
    const vf second = vf_flushed(s->beta2 * vf_load(v) + (1.0f - s->beta2) * g * g, NDQ_TINY_V);
    vf_store(m, first);
    vf_store(v, second);
    return w - s->step * first / (vf_sqrt(second * s->scale) + s->epsilon);
}

#endif
