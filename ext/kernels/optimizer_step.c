#include "optimizer_step.h"

#include <math.h>

void ndq_optimizer_step(ndq_optimizer *o, const ndq_kernels *k, float *params, const float *gradient, int64_t n)
{
    o->steps++;
    if (o->kind == NDQ_SGD) {
        k->sgd(params, gradient, n, o->learning_rate, o->clip);
        return;
    }
    const double t = (double)o->steps;
    k->adam(params, o->m, o->v, gradient, n,
            (ndq_adam){o->learning_rate, o->clip, o->beta1, o->beta2, o->epsilon,
                       (float)(1.0 - pow(o->beta1, t)), (float)(1.0 - pow(o->beta2, t))});
}

int ndq_optimizer_descent(ndq_optimizer *o, float *params, ndq_descent *descent)
{
    if (o->kind != NDQ_SGD) return 0;
    o->steps++;
    *descent = (ndq_descent){params, o->learning_rate, o->clip};
    return 1;
}
