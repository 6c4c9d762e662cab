/* One step of each optimizer against the paper's equations in double precision, and the search for what is not finite. */
#include <math.h>

#include "check.h"
#include "generator.h"
#include "memory.h"
#include "optimizer_step.h"

enum { STEPS = 3 };

static double clipped(double g, double clip) { return fmax(-clip, fmin(clip, g)); }

/* Element i of the gradient as the rule sees it. */
static double bounded(const ndq_optimizer *o, const float *gradient, int64_t n, int64_t i)
{
    double squares = 0.0;
    if (o->clip_by == NDQ_CLIP_ELEMENT) return clipped(gradient[i], o->clip);
    if (o->clip_by == NDQ_CLIP_NONE) return gradient[i];
    for (int64_t k = 0; k < n; k++) squares += (double)gradient[k] * gradient[k];
    return gradient[i] * fmin(1.0, o->clip / (sqrt(squares) + 1e-6));
}

/* The same steps on one parameter, Kingma & Ba 2015; SGD without moments. */
static double stepped(const ndq_optimizer *o, double w, double g)
{
    double m = 0.0, v = 0.0;
    for (int t = 1; t <= STEPS; t++) {
        if (o->kind == NDQ_SGD) {
            w -= o->learning_rate * g;
            continue;
        }
        m = o->beta1 * m + (1.0 - o->beta1) * g;
        v = o->beta2 * v + (1.0 - o->beta2) * g * g;
        const double corrected = m / (1.0 - pow(o->beta1, t));
        w -= o->learning_rate * corrected / (sqrt(v / (1.0 - pow(o->beta2, t))) + o->epsilon);
    }
    return w;
}

static void check_steps(const ndq_kernels *kernels, int32_t kind, ndq_clip_by clip_by, int64_t n)
{
    uint64_t seed = (uint64_t)n;
    float *params = TAKE(float, n), *before = TAKE(float, n), *gradient = TAKE(float, n), *given = TAKE(float, n);
    ndq_optimizer o = {.kind = kind, .clip_by = clip_by, .learning_rate = 0.1f, .clip = 0.5f, .beta1 = 0.9f,
                       .beta2 = 0.999f, .epsilon = 1e-8f, .m = ZEROS(float, n), .v = ZEROS(float, n)};
    for (int64_t i = 0; i < n; i++) {
        params[i] = before[i] = generator_signed(&seed);
        gradient[i] = given[i] = generator_signed(&seed);
    }
    for (int t = 0; t < STEPS; t++) ndq_optimizer_step(&o, kernels, params, gradient, n);
    CHECK(o.steps == STEPS);
    for (int64_t i = 0; i < n; i++)
        CHECK(fabs(params[i] - stepped(&o, before[i], bounded(&o, given, n, i))) < 1e-5);
    memory_give(params), memory_give(before), memory_give(gradient), memory_give(given), memory_give(o.m), memory_give(o.v);
}

static void check_all_finite(const ndq_kernels *kernels, int64_t n)
{
    const float bad[] = {NAN, INFINITY, -INFINITY};
    float *x = ZEROS(float, n);
    CHECK(kernels->all_finite(x, n));
    for (int64_t i = 0; i < n; i++) {
        x[i] = bad[i % 3];
        CHECK(!kernels->all_finite(x, n));
        x[i] = 3.4e38f;
    }
    CHECK(kernels->all_finite(x, n));
    memory_give(x);
}

void check_optimizer(const ndq_kernels *kernels)
{
    const int64_t lengths[] = {0, 1, 15, 17, 64, 131};
    float result;
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        check_steps(kernels, NDQ_SGD, NDQ_CLIP_ELEMENT, lengths[i]);
        for (int by = NDQ_CLIP_ELEMENT; by <= NDQ_CLIP_NONE; by++) { /* a block's length, which these rely on */
            check_steps(kernels, NDQ_SGD, (ndq_clip_by)by, ndq_pad(lengths[i]));
            check_steps(kernels, NDQ_ADAM, (ndq_clip_by)by, ndq_pad(lengths[i]));
        }
        check_all_finite(kernels, lengths[i]);
    }
    CHECK(kernels->peak(10, &result) > 0 && isfinite(result));
}
