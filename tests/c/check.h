/* CHECK(claim): counts it, and ends the program with its text and place if it does not hold. */
#ifndef CHECK_H
#define CHECK_H

#include "ndq.h"

#define CHECK(claim) check_claim(claim, #claim, __FILE__, __LINE__)

void check_claim(int holds, const char *claim, const char *file, int line);

/* Each file's claims, on one CPU target. */
void check_network(const ndq_kernels *kernels);
void check_optimizer(const ndq_kernels *kernels);
void check_loop(const ndq_kernels *kernels);
void check_supernet(const ndq_kernels *kernels);
void check_errors(const ndq_kernels *kernels);
void check_threads(const ndq_kernels *kernels);

/* On none. */
void check_replay(void);
void check_sum_tree(void);

/* On two whose bits are the same. */
void check_targets_agree(const ndq_kernels *a, const ndq_kernels *b);

#endif
