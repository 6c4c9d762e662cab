/* Environments as C functions, in place of those that Numba compiles. */
#ifndef ENVIRONMENTS_H
#define ENVIRONMENTS_H

#include "env.h"

/* What a line does wrong: in step `fault_at` of an episode, NAN_RESET at once. */
typedef enum { SOUND, STEP_ERROR, NAN_OBSERVATION, NAN_REWARD, NAN_RESET } line_fault;

/* A point pushed left, right or not at all, in noise; terminates beyond `width` from the middle. */
enum { LINE_WIDTH, LINE_FAULT, LINE_FAULT_AT, LINE_PARAMS };
ndq_env line_environment(const double params[LINE_PARAMS], int64_t max_episode_steps);

/* One observation, one action, no chance: terminates at its sixth step. The reward is 1, or with `calls`, which it counts
 * in its context, the number of steps so far in all episodes: it has state that no lane's array holds. */
typedef struct {
    int64_t resets, steps;
} counter_calls;
ndq_env counter_environment(int64_t max_episode_steps, counter_calls *calls);

#endif
