#include "optimizer_step.h"

#include <math.h>

static ndq_adam adam_of_step(const ndq_optimizer *o)
{
    const double t = (double)o->steps;
    const float correction1 = (float)(1.0 - pow(o->beta1, t)), correction2 = (float)(1.0 - pow(o->beta2, t));
    return (ndq_adam){.clip = o->clip, .beta1 = o->beta1, .beta2 = o->beta2, .epsilon = o->epsilon,
                      .step = o->learning_rate / correction1, .scale = 1.0f / correction2};
}

void ndq_optimizer_step(ndq_optimizer *o, const ndq_kernels *k, float *params, const float *gradient, int64_t n)
{
    o->steps++;
    if (o->kind == NDQ_SGD) {
        k->sgd(params, gradient, n, o->learning_rate, o->clip);
        return;
    }
    const ndq_adam settings = adam_of_step(o);
    k->adam(params, o->m, o->v, gradient, n, &settings);
}

int ndq_optimizer_descent(ndq_optimizer *o, float *params, ndq_descent *descent)
{
    o->steps++;
    *descent = (ndq_descent){.params = params, .learning_rate = o->learning_rate, .clip = o->clip};
    if (o->kind == NDQ_ADAM) {
        descent->m = o->m;
        descent->v = o->v;
        descent->adam = adam_of_step(o);
    }
    return 1;
}
