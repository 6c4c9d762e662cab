/* A sum tree: numbers >= 0 in its leaves, in each node above the sum of its children, so that the leaf in which a running
 * sum passes a given number is found in as many steps as there are levels.
 *
 * NDQ_FAN children a node: siblings lie side by side in one cache line, above the leaves followed by the running sums
 * before each, so that a step down compares one line with the number. A sum is always made anew from the children, in their order,
 * never corrected by a difference: after any number of changes the tree has the bits of a new one. */
#ifndef NDQ_SUM_TREE_H
#define NDQ_SUM_TREE_H

#include <stdint.h>

enum { NDQ_FAN = 8, NDQ_TREE_LEVELS = 11 }; /* 8^11 = 2^33 leaves, more than a replay memory has slots */

typedef struct {
    double *nodes; /* level by level, the leaves first, each level filled up with zeros to whole groups of siblings */
    int64_t n_levels;
    int64_t starts[NDQ_TREE_LEVELS + 1]; /* where a level begins in nodes; after the last one: how many doubles there are */
} ndq_sum_tree;

/* The plan of a tree of n leaves, n >= 1; returns the doubles it needs: `nodes` is to be zeros on a 64-byte boundary. The
 * tree can be used at once; to have the bits of others with the same leaves, it is to be rebuilt once. */
int64_t ndq_sum_tree_plan(ndq_sum_tree *t, int64_t n);

/* The sum of all leaves. */
double ndq_sum_tree_total(const ndq_sum_tree *t);

/* Sets n leaves, the last value of a leaf that is named twice; fastest in ascending order, when neighbours' sums are made
 * once. Values are finite and >= 0, their sum too. */
void ndq_sum_tree_set(ndq_sum_tree *t, const int64_t *leaves, const double *values, int64_t n);

/* Makes all sums anew, after the leaves were written to. */
void ndq_sum_tree_rebuild(ndq_sum_tree *t);

/* For n numbers x in [0, total): the first leaf up to which the leaves' sum exceeds x. A larger x finds one of the last that
 * are not zero, a smaller one the first, so that a leaf of zero is never found. The total must be > 0. */
void ndq_sum_tree_find(const ndq_sum_tree *t, const double *x, int64_t n, int64_t *leaves);

#endif
