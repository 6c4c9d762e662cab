/* An optimizer with its state, and one step of it on whatever CPU target the network uses. */
#ifndef NDQ_OPTIMIZER_STEP_H
#define NDQ_OPTIMIZER_STEP_H

#include "ndq.h"

enum { NDQ_SGD = 0, NDQ_ADAM = 1 };
typedef enum { NDQ_CLIP_ELEMENT, NDQ_CLIP_NORM, NDQ_CLIP_NONE } ndq_clip_by;

typedef struct {
    int32_t kind;
    ndq_clip_by clip_by;
    float learning_rate, clip, beta1, beta2, epsilon;
    int64_t steps; /* taken so far */
    float *m, *v;  /* Adam's moments, parameter blocks */
} ndq_optimizer;

/* Params and gradient (n), n a multiple of NDQ_PAD. A gradient that is clipped by its norm is changed. */
void ndq_optimizer_step(ndq_optimizer *o, const ndq_kernels *k, float *params, float *gradient, int64_t n);

/* Instead of a step, where the pass that makes the gradient can take it: whether it can; if so, the step is counted. It
 * cannot where the norm of the whole gradient must be known first. */
int ndq_optimizer_descent(ndq_optimizer *o, float *params, ndq_descent *descent);

#endif
