#include "optimizer_step.h"

#include <math.h>

/* The bound of an element. */
static float bound(const ndq_optimizer *o) { return o->clip_by == NDQ_CLIP_ELEMENT ? o->clip : INFINITY; }

/* In double precision, which no float32 gradient overflows, and in one order on every CPU target. */
static double norm(const float *x, int64_t n)
{
    double sums[NDQ_PAD] = {0.0}, sum = 0.0;
    for (int64_t i = 0; i < n; i += NDQ_PAD)
        for (int j = 0; j < NDQ_PAD; j++) sums[j] += (double)x[i + j] * x[i + j];
    for (int j = 0; j < NDQ_PAD; j++) sum += sums[j];
    return sqrt(sum);
}

/* As torch.nn.utils.clip_grad_norm_. */
static void clip_by_norm(float *gradient, int64_t n, float clip)
{
    const double scale = clip / (norm(gradient, n) + 1e-6);
    if (!(scale < 1.0)) return;
    for (int64_t i = 0; i < n; i++) gradient[i] *= (float)scale;
}

static ndq_adam adam_of_step(const ndq_optimizer *o)
{
    const double t = (double)o->steps;
    const float correction1 = (float)(1.0 - pow(o->beta1, t)), correction2 = (float)(1.0 - pow(o->beta2, t));
    return (ndq_adam){.clip = bound(o), .beta1 = o->beta1, .beta2 = o->beta2, .epsilon = o->epsilon,
                      .step = o->learning_rate / correction1, .scale = 1.0f / correction2};
}

void ndq_optimizer_step(ndq_optimizer *o, const ndq_kernels *k, float *params, float *gradient, int64_t n)
{
    o->steps++;
    if (o->clip_by == NDQ_CLIP_NORM) clip_by_norm(gradient, n, o->clip);
    if (o->kind == NDQ_SGD) {
        k->sgd(params, gradient, n, o->learning_rate, bound(o));
        return;
    }
    const ndq_adam settings = adam_of_step(o);
    k->adam(params, o->m, o->v, gradient, n, &settings);
}

int ndq_optimizer_descent(ndq_optimizer *o, float *params, ndq_descent *descent)
{
    if (o->clip_by == NDQ_CLIP_NORM) return 0;
    o->steps++;
    *descent = (ndq_descent){.params = params, .learning_rate = o->learning_rate, .clip = bound(o)};
    if (o->kind == NDQ_ADAM) {
        descent->m = o->m;
        descent->v = o->v;
        descent->adam = adam_of_step(o);
    }
    return 1;
}
