/* What the replay buffers of other packages do with their arrays: values of any type, `bytes` long, in steps of lanes.
 *
 *     array[step, lane], 0 <= step < steps, 0 <= lane < lanes; a negative index counts from the end
 *
 * and the places are drawn as np.random.randint draws them. */
#ifndef NDQ_RING_H
#define NDQ_RING_H

#include <numpy/random/bitgen.h>
#include <stdint.h>

typedef struct {
    char *data;
    int64_t steps, lanes;
    int64_t step_stride, lane_stride; /* bytes */
    int64_t bytes;
} ndq_ring;

/* n draws of [low, low + span], span < 2^32 - 1, equal to those of np.random.randint(low, low + span + 1, n): it masks
 * and rejects where Generator.integers (random.h) multiplies. span = 0 draws nothing. */
void ndq_ring_draw(bitgen_t *g, int64_t low, uint32_t span, int64_t n, int64_t *to);

/* to[i] = array[steps[i], lanes[i]], i < n. Whether all indices were in range; if not, `to` is written in part. */
int ndq_ring_take(const ndq_ring *r, const int64_t *steps, const int64_t *lanes, int64_t n, char *to);

/* array[step] = from, (lanes) values in a row. */
void ndq_ring_put(const ndq_ring *r, int64_t step, const char *from);

/* Three rings of the same shape, of float32: what an episode leaves in a replay buffer of Stable-Baselines3. */
typedef struct {
    ndq_ring rewards, dones, timeouts;
    int64_t newest; /* the step added last, a negative one counted from the end: no episode goes on after it */
} ndq_ring_episodes;

/* n walks of `length` steps, as Stable-Baselines3's NStepReplayBuffer makes them. */
typedef struct {
    float *rewards;  /* (n, length), of all steps, beyond the end of the episode too */
    float *within;   /* (n, length), 1 up to the step at which the episode ends, that one included; then 0 */
    float *n_within; /* (n), how many ones these are */
    float *ended;    /* (n), whether the episode has terminated with the last step within: done, and not timed out */
    int64_t *last;   /* (n), the last step within */
} ndq_ring_walks;

/* Walks from array[steps[i], lanes[i]], i < n, on the ring: step `steps - 1` is followed by step 0. A step that is done or
 * timed out ends an episode; the newest one, if it is neither, counts as timed out. length >= 1. Whether all lanes were in
 * range; if not, `to` is written in part. */
int ndq_ring_walk(const ndq_ring_episodes *r, const int64_t *steps, const int64_t *lanes, int64_t n, int64_t length,
                  const ndq_ring_walks *to);

#endif
