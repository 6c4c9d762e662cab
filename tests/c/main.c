/* Drives the C of ext/kernels without Python, for sanitizers and valgrind: see .ci/sanitize.
 *
 * Usage: PROGRAM [--guards]; with it blocks of memory carry guards (memory.h), for runs without such a tool. Ends with
 * 1 at the first claim that does not hold, else with 0 and a last line that says what was run. */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "dispatch.h"
#include "memory.h"

static atomic_long n_claims;
static const char *target = "no CPU target"; /* whose claims are being checked; no thread runs when it changes */

void check_claim(int holds, const char *claim, const char *file, int line)
{
    n_claims++;
    if (holds) return;
    fprintf(stderr, "%s:%d: (%s) does not hold, with %s\n", file, line, claim, target);
    exit(1);
}

int main(int argc, char **argv)
{
    const ndq_kernels *tables[NDQ_MAX_TARGETS];
    const int n = ndq_available(tables);
    if (argc > 2 || (argc == 2 && strcmp(argv[1], "--guards"))) {
        fprintf(stderr, "usage: %s [--guards]\n", argv[0]);
        return 2;
    }
    memory_guarded = argc == 2;
    check_replay();
    check_sum_tree();
    for (int i = 0; i < n; i++) {
        target = tables[i]->name;
        check_network(tables[i]);
        check_optimizer(tables[i]);
        check_loop(tables[i]);
        check_supernet(tables[i]);
        check_errors(tables[i]);
        check_threads(tables[i]);
    }
    if (n > 2) check_targets_agree(tables[1], tables[2]); /* the baseline cannot fuse multiply and add */
    printf("%ld claims hold; 2 threads, 2 agents;", (long)n_claims);
    for (int i = 0; i < n; i++) printf(" %s", tables[i]->name);
    puts(memory_guarded ? "; guards intact" : "");
    return 0;
}
