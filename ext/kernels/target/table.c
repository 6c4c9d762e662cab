/* The table of one CPU target, ndq_kernels_<target>. */
#include "target.h"

const ndq_kernels NDQ_NAME(ndq_kernels) = {
    .name = NDQ_TARGET_STRING,
    .forward = NDQ_NAME(ndq_forward),
    .forward_row = NDQ_NAME(ndq_forward_row),
    .best = NDQ_NAME(ndq_best),
    .gather = NDQ_NAME(ndq_gather),
    .backward = NDQ_NAME(ndq_backward),
    .sgd = NDQ_NAME(ndq_sgd),
    .adam = NDQ_NAME(ndq_adam_step),
    .all_finite = NDQ_NAME(ndq_all_finite),
    .peak = NDQ_NAME(ndq_peak),
};
