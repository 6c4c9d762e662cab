#include "sum_tree.h"

#include <math.h>
#include <string.h>

enum { TOGETHER = 64 }; /* leaves that go through the levels side by side, so that their latencies overlap */

typedef double pair __attribute__((vector_size(16), may_alias));
typedef int64_t pair_of_ints __attribute__((vector_size(16)));

/* Doubles of a group of siblings: above the leaves their running sums, too. */
static int64_t group_size(int64_t level) { return level ? 2 * NDQ_FAN : NDQ_FAN; }

static double *group(const ndq_sum_tree *t, int64_t level, int64_t index)
{
    return t->nodes + t->starts[level] + index * group_size(level);
}

int64_t ndq_sum_tree_plan(ndq_sum_tree *t, int64_t n)
{
    t->n_levels = 0;
    t->starts[0] = 0;
    for (int64_t groups = NDQ_FAN; groups > 1; n = groups) {
        groups = (n + NDQ_FAN - 1) / NDQ_FAN;
        t->starts[t->n_levels + 1] = t->starts[t->n_levels] + groups * group_size(t->n_levels);
        t->n_levels++;
    }
    return t->starts[t->n_levels];
}

static double sum(const double *leaves)
{
    double s = leaves[0];
    for (int k = 1; k < NDQ_FAN; k++) s += leaves[k];
    return s;
}

/* Writes the running sums of a group above the leaves, of what lies before each node; the sum of all. */
static double accumulate(double *nodes)
{
    double s = 0.0;
    for (int k = 0; k < NDQ_FAN; k++) {
        nodes[NDQ_FAN + k] = s;
        s += nodes[k];
    }
    for (int k = NDQ_FAN - 1; k >= 0 && nodes[k] == 0.0; k--) nodes[NDQ_FAN + k] = INFINITY;
    return s;
}

double ndq_sum_tree_total(const ndq_sum_tree *t) { return sum(group(t, t->n_levels - 1, 0)); }

/* The groups of n nodes, of neighbours in one group once, without a branch to mispredict; how many. at (n + 1). */
static int64_t groups_of(int64_t *at, int64_t n)
{
    int64_t groups = 0;
    at[n] = -NDQ_FAN; /* in no group */
    for (int64_t i = 0; i < n; i++) {
        const int64_t index = at[i] / NDQ_FAN, is_last = index != at[i + 1] / NDQ_FAN;
        at[groups] = index;
        groups += is_last;
    }
    return groups;
}

static void set_together(ndq_sum_tree *t, const int64_t *leaves, const double *values, int64_t n)
{
    int64_t at[TOGETHER + 1];
    double sums[TOGETHER];
    for (int64_t i = 0; i < n; i++) t->nodes[leaves[i]] = values[i];
    memcpy(at, leaves, n * sizeof *at);
    n = groups_of(at, n);
    for (int64_t i = 0; i < n; i++) sums[i] = sum(group(t, 0, at[i]));
    for (int64_t level = 1; level < t->n_levels; level++) {
        for (int64_t i = 0; i < n; i++) group(t, level, at[i] / NDQ_FAN)[at[i] % NDQ_FAN] = sums[i];
        n = groups_of(at, n);
        for (int64_t i = 0; i < n; i++) sums[i] = accumulate(group(t, level, at[i]));
    }
}

void ndq_sum_tree_set(ndq_sum_tree *t, const int64_t *leaves, const double *values, int64_t n)
{
    for (int64_t i = 0; i < n; i += TOGETHER)
        set_together(t, leaves + i, values + i, n - i < TOGETHER ? n - i : TOGETHER);
}

void ndq_sum_tree_rebuild(ndq_sum_tree *t)
{
    for (int64_t level = 1; level < t->n_levels; level++) {
        const int64_t n = (t->starts[level] - t->starts[level - 1]) / group_size(level - 1);
        for (int64_t i = 0; i < n; i++) group(t, level, i / NDQ_FAN)[i % NDQ_FAN] = sum(group(t, level - 1, i));
        for (int64_t i = 0; i < (n + NDQ_FAN - 1) / NDQ_FAN; i++) accumulate(group(t, level, i));
    }
}

/* x, or the next double below a positive `limit` if x is not less: rounding may have taken it there. */
static inline double less(double x, double limit)
{
    uint64_t bits;
    double below;
    memcpy(&bits, &limit, sizeof bits);
    bits--;
    memcpy(&below, &bits, sizeof below);
    return x < below ? x : below;
}

/* How many of a group's running sums are at most x. No branch: it would be mispredicted. */
static inline int64_t passed(const pair sums[NDQ_FAN / 2], double x)
{
    const pair both = {x, x};
    pair_of_ints passed = {0, 0};
    for (int k = 0; k < NDQ_FAN / 2; k++) passed += sums[k] <= both; /* -1 where it holds */
    return -(passed[0] + passed[1]);
}

/* Above the leaves, the last node of a group before which the running sum is at most x. That is no zero, whatever the
 * rounding: the sum before the node after a zero is the same, so that the zero is not the last one, and the sums before
 * zeros at the end are infinite. */
void ndq_sum_tree_find(const ndq_sum_tree *t, const double *x, int64_t n, int64_t *leaves)
{
    for (int64_t start = 0; start < n; start += TOGETHER) {
        const int m = n - start < TOGETHER ? (int)(n - start) : TOGETHER;
        int64_t *at = leaves + start;
        double left[TOGETHER];
        for (int i = 0; i < m; i++) {
            at[i] = 0;
            left[i] = x[start + i] > 0.0 ? x[start + i] : 0.0;
        }
        for (int64_t level = t->n_levels - 1; level > 0; level--)
            for (int i = 0; i < m; i++) {
                const double *sums = group(t, level, at[i]) + NDQ_FAN;
                const int64_t k = passed((const pair *)sums, left[i]) - 1;
                left[i] -= sums[k];
                at[i] = at[i] * NDQ_FAN + k;
                if (level == 1) __builtin_prefetch(group(t, 0, at[i])); /* the leaves are too many for the nearest caches */
            }
        for (int i = 0; i < m; i++) {
            const double *nodes = group(t, 0, at[i]);
            pair sums[NDQ_FAN / 2];
            double s = 0.0;
            for (int k = 0; k < NDQ_FAN / 2; k++) {
                const double first = s + nodes[2 * k];
                s = first + nodes[2 * k + 1];
                sums[k] = (pair){first, s};
            }
            at[i] = at[i] * NDQ_FAN + passed(sums, less(left[i], s));
        }
    }
}
