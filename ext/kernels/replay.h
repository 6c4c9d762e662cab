/* Replay memory: a ring of rows, one row a transition, so that a sampled transition costs one cache miss.
 * Row: observation (I), next observation (I), reward, action, flags, successor; the last three are integers in a float's
 * place.
 *
 * The successor of a row is the next step of the same episode: so many rows younger, 0 where none is stored. Rows of
 * several environments lie between the two, so that the neighbour alone would not do, and the newest row of an episode,
 * a row whose successor was pruned, and one that was added by itself have none. As the ring writes over its oldest row
 * first, a row lives no longer than its successor. */
#ifndef NDQ_REPLAY_H
#define NDQ_REPLAY_H

#include <stdint.h>
#include <string.h>

#include "random.h"
#include "sum_tree.h"

enum { NDQ_ROW_TERMINATED = 1, NDQ_ROW_TRUNCATED = 2 };

typedef struct {
    float *rows; /* (capacity, stride) */
    int64_t capacity, size, next, stride;
    int64_t observation_size;
    int64_t version;        /* raised with every change of a row */
    int32_t largest_action; /* at least that of those stored, -1 if none: a learner indexes its Q values with it */
    ndq_sum_tree *priorities; /* of the slots, zero where nothing is stored; NULL: none, draws are uniform */
    double largest_priority;  /* of all so far: what a new transition gets */
} ndq_replay;

/* Where the fields after the observation are in a row, and how many floats they all are. */
static inline int64_t ndq_at_next(const ndq_replay *r) { return r->observation_size; }
static inline int64_t ndq_at_reward(const ndq_replay *r) { return 2 * r->observation_size; }
static inline int64_t ndq_at_action(const ndq_replay *r) { return 2 * r->observation_size + 1; }
static inline int64_t ndq_at_flags(const ndq_replay *r) { return 2 * r->observation_size + 2; }
static inline int64_t ndq_at_successor(const ndq_replay *r) { return 2 * r->observation_size + 3; }
static inline int64_t ndq_row_floats(const ndq_replay *r) { return 2 * r->observation_size + 4; }

static inline float *ndq_row(const ndq_replay *r, int64_t slot) { return r->rows + slot * r->stride; }
static inline const float *ndq_row_next(const ndq_replay *r, const float *row) { return row + ndq_at_next(r); }
static inline float ndq_row_reward(const ndq_replay *r, const float *row) { return row[ndq_at_reward(r)]; }
static inline int32_t ndq_row_int(const float *at)
{
    int32_t value;
    memcpy(&value, at, sizeof value);
    return value;
}
static inline int32_t ndq_row_action(const ndq_replay *r, const float *row)
{
    return ndq_row_int(row + ndq_at_action(r));
}
static inline int32_t ndq_row_flags(const ndq_replay *r, const float *row)
{
    return ndq_row_int(row + ndq_at_flags(r));
}
static inline int32_t ndq_row_successor(const ndq_replay *r, const float *row)
{
    return ndq_row_int(row + ndq_at_successor(r));
}

/* Floats from one row to the next: whole divisors or multiples of a cache line, so that no small row straddles two. */
int64_t ndq_row_stride(int64_t floats);
int64_t ndq_replay_stride(int64_t observation_size);

/* Whether none of n numbers is NaN or infinite: bits, which need no branch. */
static inline int ndq_all_finite(const float *x, int64_t n)
{
    int bad = 0;
    for (int64_t i = 0; i < n; i++) {
        const int32_t bits = ndq_row_int(x + i);
        bad |= (bits & 0x7f800000) == 0x7f800000;
    }
    return !bad;
}

/* An empty memory over rows (capacity, ndq_replay_stride), which are zeros. */
ndq_replay ndq_replay_over(float *rows, int64_t capacity, int64_t observation_size);

/* `follows`: how many rows before it the preceding step of its episode was added; 0: none was. The two are linked if the
 * memory still holds the earlier one; whether the number is still right after other changes is for the caller to know. */
void ndq_replay_add(ndq_replay *r, const float *observation, int32_t action, float reward, const float *next,
                    int32_t flags, int64_t follows);

/* n slots, uniform with replacement, the draws of Generator.integers(0, size, n). size >= 1. */
void ndq_replay_draw(const ndq_replay *r, bitgen_t *rng, int64_t n, int64_t *slots);

/* n-step returns from n drawn rows, as Stable-Baselines3's NStepReplayBuffer has them: each follows its successors until a
 * termination, a truncation, the newest row of the episode that is stored, or n_step rows. returns (n) is the sum of
 * gamma^k times the k-th reward, last (n) the slot of the last row, with whose next observation and flags the target is
 * made, and discounts (n) gamma^(rows), the factor of its value. Products and sums in double precision. */
void ndq_replay_follow(const ndq_replay *r, const int64_t *slots, int64_t n, int64_t n_step, double gamma,
                       float *returns, float *discounts, int64_t *last);

/* Transitions as separate arrays of n rows: observations (n, I), the others (n). */
typedef struct {
    float *observations, *next_observations;
    int64_t *actions;
    float *rewards;
    uint8_t *terminated, *truncated;
} ndq_batch;

/* Copies the transitions of n slots to arrays; next observations and flags are those of the slots `last`, which may be the
 * same array. */
void ndq_replay_read(const ndq_replay *r, const int64_t *slots, const int64_t *last, int64_t n, const ndq_batch *to);

/* Adds n transitions in their order; `follows` as in ndq_replay_add, the same for all. */
void ndq_replay_add_batch(ndq_replay *r, const ndq_batch *batch, int64_t follows, int64_t n);

/* Whether an action >= `action` is stored; one that was written over since is forgotten here. */
int ndq_replay_holds(ndq_replay *r, int32_t action);

/* Keeps the transitions `kept` (places in order of age, ascending), with their priorities, compacted, oldest first; those
 * whose successor goes have none. scratch (n, stride): rows are moved through it only if some lie at both ends of the ring,
 * priorities always. */
void ndq_replay_keep(ndq_replay *r, const int64_t *kept, int64_t n, float *scratch);

#endif
