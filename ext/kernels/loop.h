/* The training loop: act, step, store, sample, learn, sync; no allocation, no lock, no Python in it. */
#ifndef NDQ_LOOP_H
#define NDQ_LOOP_H

#include <time.h>

#include "env.h"
#include "network.h"
#include "optimizer_step.h"
#include "replay.h"

/* One of the environments that run in lockstep, and its episode so far. */
typedef struct {
    double reward_sum, loss_sum, epsilon;
    int64_t length, n_losses;
} ndq_lane;

typedef struct {
    double reward_sum, mean_loss, epsilon; /* mean_loss is NaN if nothing was learned during the episode */
    int64_t length;
} ndq_episode;

typedef enum {
    NDQ_DONE,
    NDQ_STOPPED, /* `poll` asked for it; the loop goes on from there when it is run again */
    /* Errors. When it is run again, all lanes begin new episodes. */
    NDQ_FAILED_ENV,
    NDQ_BAD_OBSERVATION,
    NDQ_BAD_REWARD,
    NDQ_BAD_LOSS,
    NDQ_BAD_WEIGHTS,
} ndq_status;

typedef struct {
    ndq_env env;
    const ndq_net *net;
    float *params, *target, *gradient;
    ndq_optimizer *optimizer;
    ndq_replay *replay; /* NULL: play only, learn nothing */
    bitgen_t *env_rng, *policy_rng, *replay_rng;

    float gamma, huber_delta;
    ndq_loss loss;
    int64_t batch_size, updates_per_step, warm_up, target_every;
    int32_t horizon_is_terminal;
    double epsilon_start, epsilon_decay, epsilon_end;

    int64_t n_lanes;
    ndq_lane *lanes;
    double *states;          /* (n_lanes, state_size) */
    float *obs, *next_obs;   /* (n_lanes, I) */
    float *q;                /* (n_lanes, A), and room for a padded row */
    int64_t *actions;        /* (n_lanes) */
    int32_t *flags;          /* (n_lanes) replay flags of this step */
    double *uniforms;        /* (max of reset's and step's) */
    int64_t *slots;          /* (batch_size) drawn from the replay */
    float *batch;            /* (stride of the replay, NDQ_PANEL) drawn rows, each a column */
    int64_t *batch_actions;  /* (NDQ_PANEL) */
    float *batch_targets;    /* (NDQ_PANEL) */

    /* Q(s', .; w-) of stored transitions: the target stands still between two copies, in which time a transition is
     * drawn many times. Row of a slot: the epoch it belongs to (an integer in a float's place), then A values. */
    float *known;            /* (capacity, known_stride); NULL: compute them each time */
    int64_t known_stride;
    uint32_t epoch;          /* rows of other epochs are void; never 0, which no row has */
    int64_t ahead;           /* slots before it were known in this epoch, or have been */
    float *known_target;     /* a parameter block: the target that this epoch's rows were computed with */
    int64_t known_version;   /* of the replay, when the loop last wrote to it */

    ndq_episode *ended;      /* (n_lanes) ended and not yet reported, oldest first */
    int64_t n_ended;
    int32_t started;         /* lanes have been reset */
    int64_t last_episode;    /* no other starts when this many have ended, which would draw for nothing; 0: endless */

    int64_t failed_episode;  /* counted from 1, after a status that is an error */

    int64_t steps, updates, episodes;

    int (*poll)(void *context); /* called between two vector steps, at most 20 times a second; not 0: stop */
    void *context;
    int64_t work;               /* steps and updates since the clock was read last */
    struct timespec polled;
} ndq_loop;

/* Plays until n episodes have ended; out (n), n_out how many were filled. Episodes that end in the same vector step beyond the
 * n-th are kept for the next call, lanes that have not ended go on in it. */
ndq_status ndq_run(ndq_loop *loop, int64_t n, ndq_episode *out, int64_t *n_out);

/* One Double-DQN update (van Hasselt, Guez & Silver 2016) from the replay, which must not be empty; mean Huber loss. */
double ndq_update(ndq_loop *loop);

#endif
