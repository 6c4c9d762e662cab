/* n episodes side by side under Gymnasium's vector interface: each row has a generator and a clock of its own, and is
 * reset when its episode has ended, as the mode says. */
#ifndef NDQ_VECTOR_ENV_H
#define NDQ_VECTOR_ENV_H

#include "env.h"
#include "random.h"

typedef enum {
    NDQ_RESET_NEXT_STEP, /* the step after the last one resets, and ignores the action */
    NDQ_RESET_SAME_STEP, /* the last step resets, too; its own observation goes to `last_obs` */
    NDQ_RESET_BY_CALLER,
} ndq_reset_mode;

typedef struct {
    const ndq_env *env;
    ndq_reset_mode mode;
    int64_t n;
    bitgen_t **rngs;  /* (n) */
    int64_t *lengths; /* (n) steps of the episode so far */
    uint8_t *ended;   /* (n) the episode has ended, and the row has not been reset */
    double *uniforms; /* (n, step_uniforms), and at least reset_uniforms */
    int32_t *flags;   /* (n) of the environment's step */
} ndq_vector_env;

/* What a step reads and writes; arrays of n rows. */
typedef struct {
    double *states;         /* (n, state_size), read and written */
    const int64_t *actions; /* (n) */
    float *obs, *last_obs;  /* (n, observation_size); rows of last_obs are written where a SAME_STEP reset follows */
    double *rewards;
    uint8_t *terminated, *truncated;
} ndq_vector_step;

/* Begins an episode in one row. */
void ndq_vector_env_reset(const ndq_vector_env *v, int64_t row, double *states, float *obs);

/* Whether all n actions are ones that the environment has. */
int ndq_vector_env_can(const ndq_vector_env *v, const int64_t *actions);

/* One step of all rows. The first row whose environment reported an error, or -1. */
int64_t ndq_vector_env_step(const ndq_vector_env *v, const ndq_vector_step *step);

#endif
