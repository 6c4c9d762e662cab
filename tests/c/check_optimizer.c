/* One step of each optimizer against the paper's equations in double precision, and the search for what is not finite. */
#include <math.h>

#include "check.h"
#include "generator.h"
#include "memory.h"
#include "optimizer_step.h"

enum { STEPS = 3 };

static double clipped(double g, double clip) { return fmax(-clip, fmin(clip, g)); }

/* The same steps on one parameter, Kingma & Ba 2015; SGD without moments. */
static double stepped(const ndq_optimizer *o, double w, double gradient)
{
    const double g = clipped(gradient, o->clip);
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

static void check_steps(const ndq_kernels *kernels, int32_t kind, int64_t n)
{
    uint64_t seed = (uint64_t)n;
    float *params = TAKE(float, n), *before = TAKE(float, n), *gradient = TAKE(float, n);
    ndq_optimizer o = {.kind = kind, .learning_rate = 0.1f, .clip = 0.5f, .beta1 = 0.9f, .beta2 = 0.999f,
                       .epsilon = 1e-8f, .m = ZEROS(float, n), .v = ZEROS(float, n)};
    for (int64_t i = 0; i < n; i++) {
        params[i] = before[i] = generator_signed(&seed);
        gradient[i] = generator_signed(&seed);
    }
    for (int t = 0; t < STEPS; t++) ndq_optimizer_step(&o, kernels, params, gradient, n);
    CHECK(o.steps == STEPS);
    for (int64_t i = 0; i < n; i++) CHECK(fabs(params[i] - stepped(&o, before[i], gradient[i])) < 1e-5);
    memory_give(params), memory_give(before), memory_give(gradient), memory_give(o.m), memory_give(o.v);
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
        check_steps(kernels, NDQ_SGD, lengths[i]);
        check_steps(kernels, NDQ_ADAM, ndq_pad(lengths[i])); /* a block's length, which Adam relies on */
        check_all_finite(kernels, lengths[i]);
    }
    CHECK(kernels->peak(10, &result) > 0 && isfinite(result));
}
