/* A network that contains others, and the update that trains them together: slimmable networks (Yu et al. 2019,
 * arXiv:1812.08928; Yu & Huang 2019, arXiv:1903.05134). No allocation, no lock, no Python in it.
 *
 * A path is a network of L layers. Its hidden layer l is the leading block of the shared layer l, and its head reads the
 * leading rows of the head that all paths of L layers share; these heads stand side by side in the shared last layer.
 *
 *     W_path = sqrt(n / n_path) W_shared[:n_path, columns],  b_path = b_shared[columns]
 *
 * n inputs has the shared layer, n_path that of the path: the variance of a path's weights at the start is by its own
 * fan-in. One update:
 *
 *     draw paths; y from the largest path and its target
 *     L_largest = mean l(Q(s, a) - y), and so of every path without distillation
 *     L_path = mean over transitions and actions of l(Q_path(s, .) - Q_largest(s, .)), with it
 *     w <- one step of the optimizer on the gradient of the sum of L over the paths drawn */
#ifndef NDQ_SUPERNET_H
#define NDQ_SUPERNET_H

#include "learner.h"

typedef struct {
    const ndq_net *net;
    float *params, *gradient; /* parameter blocks of its own */
    int64_t head;             /* the first of its Q-values in the shared last layer */
} ndq_path;

typedef struct ndq_supernet {
    const ndq_net *net;       /* the shared layers */
    float *params, *gradient; /* their parameter blocks */
    ndq_path *paths;          /* (n_paths); the largest one's network and weights are the learner's */
    int64_t n_paths, largest, smallest;
    int64_t n_drawn;          /* paths of an update, repetitions counted */
    int32_t is_sandwich;      /* the largest is among them, then the smallest; only the others are drawn */
    int32_t distills;         /* all but the largest learn the largest one's values; 0: they learn y, too */
    double *odds;             /* (n_paths) >= 0, what a path's probability is proportional to */
    int64_t *drawn, *times;   /* (n_paths) different paths of the last update, and of each path how often it was drawn */
    double *losses;           /* (n_paths) of the paths in `drawn`, mean losses */
    float *teacher;           /* (A, NDQ_PANEL) the largest path's values */
} ndq_supernet;

/* Reads a path's weights from the shared ones into its own block. */
void ndq_supernet_read(const ndq_supernet *supernet, int64_t path);

/* One update of the paths that are drawn, from the learner's minibatch; the mean of their losses before it. The largest
 * path has its new weights then, the others have them when they are read. If a loss is not finite, it is returned, and
 * nothing has changed but the position of `rng`. Errors, for the priorities, are those of the first path drawn, or with
 * distillation of the largest. */
double ndq_supernet_learn(ndq_supernet *supernet, ndq_learner *learner);

#endif
