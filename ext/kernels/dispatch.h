/* Which CPU targets this build holds and this machine runs; best last. */
#ifndef NDQ_DISPATCH_H
#define NDQ_DISPATCH_H

#include "ndq.h"

enum { NDQ_MAX_TARGETS = 3 };

/* Fills `tables` with those that run here and returns how many, at least 1. */
int ndq_available(const ndq_kernels *tables[NDQ_MAX_TARGETS]);

#endif
