/* The training loop: act, step, store, learn; no allocation, no lock, no Python in it. */
#ifndef NDQ_LOOP_H
#define NDQ_LOOP_H

#include "env.h"
#include "population.h"
#include "stop.h"

/* One of the environments that run in lockstep, and its episode so far. */
typedef struct {
    double reward_sum, loss_sum, epsilon;
    int64_t length, n_losses;
} ndq_lane;

typedef struct {
    double reward_sum, mean_loss, epsilon; /* mean_loss is NaN if nothing was learned during the episode */
    int64_t length;
    int64_t actor; /* the network of the population that chose most of its actions; without any, that of the target */
} ndq_episode;

typedef enum {
    NDQ_DONE,
    NDQ_STOPPED, /* the flag asked for it; the loop continues from there when it is run again */
    NDQ_CHOSEN,  /* the population has chosen a target; so again until its `has_chosen` is reset, then it continues */
    /* Errors. When it is run again, all lanes begin new episodes. */
    NDQ_FAILED_ENV,
    NDQ_BAD_OBSERVATION,
    NDQ_BAD_REWARD,
    NDQ_BAD_LOSS,
    NDQ_BAD_WEIGHTS,
} ndq_status;

typedef struct {
    ndq_env env;
    const ndq_net *net;     /* what acts, unless the population has several networks */
    const float *params;
    ndq_population *population; /* what learns; without networks: play only. A loss reported is the mean of theirs */
    int32_t normalizes;     /* the network's normalizer learns from every observation, but those that end an episode */
    bitgen_t *env_rng, *policy_rng;

    int64_t random_steps;   /* the first ones, whose actions are uniform draws without a look at the network */
    int64_t warm_up;
    int64_t train_every;    /* vector steps between learning phases */
    int64_t phase_updates;  /* of each learner in a phase */
    int64_t target_every;   /* steps between moves of the targets; 0: they are moved by updates */
    int32_t moves_after;    /* such a move follows the updates of its step; 0: it precedes them */
    int32_t counts_from_0;  /* warm_up, train_every and target_every call a run's first vector step 0; else 1 */
    double epsilon_start, epsilon_decay, epsilon_end;
    double epsilon_steps;   /* in which it goes from start to end in a line; 0: it decays from episode to episode */

    int64_t n_lanes;
    ndq_lane *lanes;
    double *states;          /* (n_lanes, state_size) */
    float *obs, *next_obs;   /* (n_lanes, I) */
    float *q;                /* (n_lanes, A), and room for a padded row */
    int64_t *actions;        /* (n_lanes) */
    double *rewards;         /* (n_lanes) of environments that are stepped together */
    int32_t *flags;          /* (n_lanes) replay flags of this step, 0 where the episode continues */
    double *uniforms;        /* (max of reset's and step's) */
    int32_t *begins;         /* (n_lanes) of environments that are stepped together: the next step only begins an episode */
    double *seeds;           /* (n_lanes) of these, a uniform for each reset */
    int64_t *rows;           /* (n_lanes) the number of the lane's last transition, in the order of storing */
    int64_t n_rows;          /* how many have been stored */

    ndq_episode *ended;      /* (n_lanes) ended and not yet reported, oldest first */
    int64_t n_ended;
    int32_t started;         /* lanes have been reset */
    int64_t replay_version;  /* of the memory after the last vector step: while it is so, its newest rows are that step's */
    int64_t last_step;       /* no other is made when so many have been; 0: endless */
    int64_t last_episode;    /* no other starts when this many have ended, which would draw for nothing; 0: endless */

    int64_t failed_episode;  /* counted from 1, after a status that is an error */

    int64_t steps, episodes;
    int64_t step_updates;    /* done in the phase of the vector step in progress; -1: none is */

    ndq_stop *stop;          /* polled between two steps and between two updates; NULL: never stops */
} ndq_loop;

/* Plays until n episodes have ended, or the last step is made; out (n), n_out how many were filled. Episodes that end in the same vector step
 * beyond the n-th are kept for the next call, in which lanes that have not ended continue. */
ndq_status ndq_run(ndq_loop *loop, int64_t n, ndq_episode *out, int64_t *n_out);

#endif
