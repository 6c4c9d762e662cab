#include "prioritized.h"

#include <math.h>

enum { TOGETHER = 64 };

static int part_of(int64_t start, int64_t n) { return n - start < TOGETHER ? (int)(n - start) : TOGETHER; }

void ndq_prioritized_draw(const ndq_replay *r, bitgen_t *rng, int64_t n, double beta, int64_t *slots, float *weights)
{
    const double *priorities = r->priorities->nodes;
    const double width = ndq_sum_tree_total(r->priorities) / n;
    double least = INFINITY;
    for (int64_t start = 0; start < n; start += TOGETHER) {
        const int m = part_of(start, n);
        double at[TOGETHER];
        for (int i = 0; i < m; i++) at[i] = (start + i + ndq_uniform(rng)) * width;
        ndq_sum_tree_find(r->priorities, at, m, slots + start);
        for (int i = 0; i < m; i++) {
            __builtin_prefetch(ndq_row(r, slots[start + i]));
            const double priority = priorities[slots[start + i]];
            least = priority < least ? priority : least;
        }
    }
    for (int64_t i = 0; i < n; i++) weights[i] = powf((float)(least / priorities[slots[i]]), (float)beta);
}

void ndq_prioritized_set(ndq_replay *r, const int64_t *slots, const double *priorities, int64_t n)
{
    for (int64_t start = 0; start < n; start += TOGETHER) {
        const int m = part_of(start, n);
        double values[TOGETHER];
        for (int i = 0; i < m; i++) {
            const double bounded = priorities[start + i] > NDQ_LEAST_PRIORITY ? priorities[start + i] : NDQ_LEAST_PRIORITY;
            values[i] = bounded < NDQ_LARGEST_PRIORITY ? bounded : NDQ_LARGEST_PRIORITY;
            r->largest_priority = values[i] > r->largest_priority ? values[i] : r->largest_priority;
        }
        ndq_sum_tree_set(r->priorities, slots + start, values, m);
    }
}

void ndq_prioritized_update(ndq_replay *r, const int64_t *slots, const float *errors, int64_t n, float alpha,
                            float epsilon)
{
    for (int64_t start = 0; start < n; start += TOGETHER) {
        const int m = part_of(start, n);
        double priorities[TOGETHER];
        for (int i = 0; i < m; i++) priorities[i] = powf(fabsf(errors[start + i]) + epsilon, alpha);
        ndq_prioritized_set(r, slots + start, priorities, m);
    }
}
