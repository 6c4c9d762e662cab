/* Names that carry the CPU target (ndq_forward_avx2, ...), and what each target's objects export. */
#ifndef NDQ_TARGET_H
#define NDQ_TARGET_H

#include "ndq.h"

#define NDQ_PASTE_(name, target) name##_##target
#define NDQ_PASTE(name, target) NDQ_PASTE_(name, target)
#define NDQ_NAME(name) NDQ_PASTE(name, NDQ_TARGET)
#define NDQ_STRING_(x) #x
#define NDQ_STRING(x) NDQ_STRING_(x)
#define NDQ_TARGET_STRING NDQ_STRING(NDQ_TARGET)

void NDQ_NAME(ndq_forward)(const ndq_net *net, const float *params, int n);
void NDQ_NAME(ndq_forward_row)(const ndq_net *net, const float *params, const float *observation, float *q);
void NDQ_NAME(ndq_backward)(const ndq_net *net, const float *params, float *gradient, int n, int accumulate,
                            const ndq_descent *descent);
void NDQ_NAME(ndq_best)(const ndq_net *net, int32_t best[NDQ_PANEL]);
/* out (n, rows) = in (rows, NDQ_PANEL) transposed; rows a multiple of NDQ_PAD, n rounded up to 16. */
void NDQ_NAME(ndq_transpose)(float *out, const float *in, int64_t rows, int64_t n);
void NDQ_NAME(ndq_gather)(float *panel, const float *const rows[NDQ_PANEL], int64_t columns);
void NDQ_NAME(ndq_sgd)(float *params, const float *gradient, int64_t n, float learning_rate, float clip);
void NDQ_NAME(ndq_adam_step)(float *params, float *m, float *v, const float *gradient, int64_t n, const ndq_adam *s);
int NDQ_NAME(ndq_all_finite)(const float *x, int64_t n);
int64_t NDQ_NAME(ndq_peak)(int64_t n, float *result);

#endif
