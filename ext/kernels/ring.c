#include "ring.h"

#include <string.h>

void ndq_ring_draw(bitgen_t *g, int64_t low, uint32_t span, int64_t n, int64_t *to)
{
    uint32_t mask = span;
    for (int shift = 1; shift < 32; shift *= 2) mask |= mask >> shift;
    for (int64_t i = 0; i < n; i++) {
        uint32_t draw = 0;
        if (span != 0)
            do draw = g->next_uint32(g->state) & mask;
            while (draw > span);
        to[i] = low + draw;
    }
}

/* The sizes of small observations are constants here: a copy of them is one or two instructions. The caller may write what
 * it has read from the same array. */
static inline void copy_value(char *to, const char *from, int64_t bytes)
{
    switch (bytes) {
    case 4: memcpy(to, from, 4); break;
    case 8: memcpy(to, from, 8); break;
    case 12: memcpy(to, from, 12); break;
    case 16: memcpy(to, from, 16); break;
    default: memmove(to, from, (size_t)bytes);
    }
}

int ndq_ring_take(const ndq_ring *r, const int64_t *steps, const int64_t *lanes, int64_t n, char *to)
{
    for (int64_t i = 0; i < n; i++) {
        const int64_t step = steps[i] < 0 ? steps[i] + r->steps : steps[i];
        const int64_t lane = lanes[i] < 0 ? lanes[i] + r->lanes : lanes[i];
        if (step < 0 || step >= r->steps || lane < 0 || lane >= r->lanes) return 0;
        copy_value(to + i * r->bytes, r->data + step * r->step_stride + lane * r->lane_stride, r->bytes);
    }
    return 1;
}

static int64_t modulo(int64_t step, int64_t steps)
{
    step %= steps;
    return step < 0 ? step + steps : step;
}

static float number(const ndq_ring *r, int64_t step, int64_t lane)
{
    float value;
    memcpy(&value, r->data + step * r->step_stride + lane * r->lane_stride, sizeof value);
    return value;
}

int ndq_ring_walk(const ndq_ring_episodes *r, const int64_t *steps, const int64_t *lanes, int64_t n, int64_t length,
                  const ndq_ring_walks *to)
{
    const int64_t newest = modulo(r->newest, r->rewards.steps);
    for (int64_t i = 0; i < n; i++) {
        const int64_t lane = lanes[i] < 0 ? lanes[i] + r->rewards.lanes : lanes[i];
        if (lane < 0 || lane >= r->rewards.lanes) return 0;
        float *rewards = to->rewards + i * length, *within = to->within + i * length;
        int64_t step = modulo(steps[i], r->rewards.steps), n_within = 0;
        int goes_on = 1;
        for (int64_t k = 0; k < length; k++) {
            rewards[k] = number(&r->rewards, step, lane);
            within[k] = goes_on;
            if (goes_on) {
                const float done = number(&r->dones, step, lane);
                float timeout = number(&r->timeouts, step, lane);
                if (step == newest) timeout = timeout != 0 || done == 0;
                to->ended[i] = done * (1 - timeout);
                to->last[i] = step;
                goes_on = done == 0 && timeout == 0;
                n_within++;
            }
            step = step + 1 < r->rewards.steps ? step + 1 : 0;
        }
        to->n_within[i] = n_within;
    }
    return 1;
}

void ndq_ring_put(const ndq_ring *r, int64_t step, const char *from)
{
    char *to = r->data + step * r->step_stride;
    for (int64_t lane = 0; lane < r->lanes; lane++) copy_value(to + lane * r->lane_stride, from + lane * r->bytes, r->bytes);
}
