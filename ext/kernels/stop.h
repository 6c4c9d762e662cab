/* A flag that asks a loop to stop, set from any thread or from a signal handler, polled between steps and updates. */
#ifndef NDQ_STOP_H
#define NDQ_STOP_H

#include <stdatomic.h>

typedef struct {
    atomic_int reason; /* 0: go on */
} ndq_stop;

static inline int ndq_stop_reason(ndq_stop *stop) { return atomic_load_explicit(&stop->reason, memory_order_relaxed); }
static inline void ndq_stop_set(ndq_stop *stop, int reason) { atomic_store(&stop->reason, reason); }

#endif
