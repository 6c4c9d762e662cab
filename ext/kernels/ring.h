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

#endif
