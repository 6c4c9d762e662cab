#include "replay.h"

int64_t ndq_row_stride(int64_t floats)
{
    const int64_t line = 16;
    if (floats > line) return (floats + line - 1) / line * line;
    int64_t stride = 2;
    while (stride < floats) stride *= 2;
    return stride;
}

ndq_replay ndq_replay_over(float *rows, int64_t capacity, int64_t observation_size)
{
    return (ndq_replay){
        .rows = rows, .capacity = capacity, .observation_size = observation_size,
        .stride = ndq_replay_stride(observation_size), .largest_action = -1, .largest_priority = 1.0,
    };
}

int64_t ndq_replay_stride(int64_t observation_size) { return ndq_row_stride(2 * observation_size + 4); }

static void set_successor(const ndq_replay *r, int64_t slot, int32_t rows)
{
    memcpy(ndq_row(r, slot) + ndq_at_successor(r), &rows, sizeof rows);
}

void ndq_replay_add(ndq_replay *r, const float *observation, int32_t action, float reward, const float *next,
                    int32_t flags, int64_t follows)
{
    const int64_t I = r->observation_size;
    if (0 < follows && follows <= r->size && follows < r->capacity)
        set_successor(r, r->next < follows ? r->next - follows + r->capacity : r->next - follows, (int32_t)follows);
    float *row = ndq_row(r, r->next);
    memcpy(row, observation, I * sizeof(float));
    memcpy(row + I, next, I * sizeof(float));
    row[2 * I] = reward;
    memcpy(row + 2 * I + 1, &action, sizeof action);
    memcpy(row + 2 * I + 2, &flags, sizeof flags);
    set_successor(r, r->next, 0);
    if (r->priorities) ndq_sum_tree_set(r->priorities, &r->next, &r->largest_priority, 1);
    r->next = r->next + 1 == r->capacity ? 0 : r->next + 1;
    if (r->size < r->capacity) r->size++;
    if (action > r->largest_action) r->largest_action = action;
    r->version++;
}

void ndq_replay_draw(const ndq_replay *r, bitgen_t *rng, int64_t n, int64_t *slots)
{
    enum { PREFETCHED = 256 }; /* rows: what a first-level cache keeps until they are read */
    for (int64_t i = 0; i < n; i++) {
        slots[i] = ndq_bounded(rng, (uint32_t)r->size);
        if (i < PREFETCHED) __builtin_prefetch(ndq_row(r, slots[i]));
    }
}

void ndq_replay_follow(const ndq_replay *r, const int64_t *slots, int64_t n, int64_t n_step, double gamma,
                       float *returns, float *discounts, int64_t *last)
{
    const ndq_replay ring = *r;
    for (int64_t i = 0; i < n; i++) {
        int64_t slot = slots[i];
        const float *row = ndq_row(&ring, slot);
        double sum = ndq_row_reward(&ring, row), discount = gamma;
        for (int64_t k = 1; k < n_step; k++) {
            const int32_t rows = ndq_row_successor(&ring, row);
            if (!rows || ndq_row_flags(&ring, row)) break;
            slot += rows;
            if (slot >= ring.capacity) slot -= ring.capacity;
            row = ndq_row(&ring, slot);
            sum += discount * ndq_row_reward(&ring, row);
            discount *= gamma;
        }
        returns[i] = (float)sum;
        discounts[i] = (float)discount;
        last[i] = slot;
    }
}

/* Reads a number of each of n rows, some 64 of them, that will be used at once: so short a loop has many more cache
 * misses under way than one that also copies, and does what the prefetches of a draw were measured not to. */
static void touch(const ndq_replay *r, const int64_t *slots, int64_t n)
{
    for (int64_t i = 0; i < n; i++) (void)*(const volatile float *)ndq_row(r, slots[i]);
}

void ndq_replay_read(const ndq_replay *r, const int64_t *slots, const int64_t *last, int64_t n, const ndq_batch *to)
{
    enum { TOGETHER = 64 };
    /* Copies: writes through a uint8_t pointer could change what `r` and `to` point to, for all that the compiler knows. */
    const ndq_replay ring = *r;
    const ndq_batch out = *to;
    const int64_t I = ring.observation_size;
    for (int64_t start = 0, end; start < n; start = end) {
        end = n - start < TOGETHER ? n : start + TOGETHER;
        touch(&ring, slots + start, end - start);
        for (int64_t i = start; i < end; i++) {
            const float *row = ndq_row(&ring, slots[i]), *end = ndq_row(&ring, last[i]);
            const float *next = ndq_row_next(&ring, end);
            for (int64_t j = 0; j < I; j++) {
                out.observations[i * I + j] = row[j];
                out.next_observations[i * I + j] = next[j];
            }
            const int32_t flags = ndq_row_flags(&ring, end);
            out.actions[i] = ndq_row_action(&ring, row);
            out.rewards[i] = ndq_row_reward(&ring, row);
            out.terminated[i] = flags & NDQ_ROW_TERMINATED;
            out.truncated[i] = (flags & NDQ_ROW_TRUNCATED) >> 1;
        }
    }
}

void ndq_replay_add_batch(ndq_replay *r, const ndq_batch *batch, int64_t follows, int64_t n)
{
    const int64_t I = r->observation_size;
    for (int64_t i = 0; i < n; i++) {
        const int32_t flags =
            (batch->terminated[i] ? NDQ_ROW_TERMINATED : 0) | (batch->truncated[i] ? NDQ_ROW_TRUNCATED : 0);
        ndq_replay_add(r, batch->observations + i * I, (int32_t)batch->actions[i], batch->rewards[i],
                       batch->next_observations + i * I, flags, follows);
    }
}

int ndq_replay_holds(ndq_replay *r, int32_t action)
{
    if (r->largest_action < action) return 0;
    r->largest_action = -1;
    for (int64_t i = 0; i < r->size; i++) {
        const int32_t stored = ndq_row_action(r, ndq_row(r, i));
        if (stored > r->largest_action) r->largest_action = stored;
    }
    return r->largest_action >= action;
}

/* Copies rows `offset` + kept[i] to `to`, ascending, a run of neighbours at a time. `to` may be the memory itself: rows
 * only move down, so none is written over before it has moved. */
static void gather(const ndq_replay *r, const int64_t *kept, int64_t n, int64_t offset, float *to)
{
    for (int64_t i = 0, run; i < n; i += run) {
        for (run = 1; i + run < n && kept[i + run] == kept[i] + run;) run++;
        memmove(to + i * r->stride, ndq_row(r, offset + kept[i]), run * r->stride * sizeof(float));
    }
}

/* Moves priorities as their rows: oldest + kept[i], around the ring, to i. A double needs less of the scratch than a row,
 * and is copied as bytes, since the scratch is one of floats. */
static void keep_priorities(const ndq_replay *r, const int64_t *kept, int64_t n, int64_t oldest, float *scratch)
{
    double *leaves = r->priorities->nodes;
    for (int64_t i = 0; i < n; i++)
        memcpy((char *)scratch + i * sizeof *leaves, leaves + (oldest + kept[i]) % r->capacity, sizeof *leaves);
    memset(leaves, 0, r->capacity * sizeof *leaves);
    memcpy(leaves, scratch, n * sizeof *leaves);
    ndq_sum_tree_rebuild(r->priorities);
}

/* Of the rows `kept`, which have moved to the first n slots: how far their successors are by now. */
static void relink(const ndq_replay *r, const int64_t *kept, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        const int32_t rows = ndq_row_successor(r, ndq_row(r, i));
        if (!rows) continue;
        /* The last place up to the successor's, which is at most as many places on as it was. */
        int64_t low = i, high = i + rows < n ? i + rows : n - 1;
        while (low < high) {
            const int64_t middle = high - (high - low) / 2;
            if (kept[middle] <= kept[i] + rows)
                low = middle;
            else
                high = middle - 1;
        }
        set_successor(r, i, kept[low] == kept[i] + rows ? (int32_t)(low - i) : 0);
    }
}

void ndq_replay_keep(ndq_replay *r, const int64_t *kept, int64_t n, float *scratch)
{
    const int64_t oldest = r->size == r->capacity ? r->next : 0, to_end = r->capacity - oldest;
    if (r->priorities) keep_priorities(r, kept, n, oldest, scratch);
    int64_t older = 0; /* how many of them lie between the oldest and the end of the ring; the others begin at slot 0 */
    while (older < n && kept[older] < to_end) older++;
    gather(r, kept + older, n - older, -to_end, older ? scratch : r->rows);
    gather(r, kept, older, oldest, r->rows);
    if (older) memcpy(ndq_row(r, older), scratch, (n - older) * r->stride * sizeof(float));
    if (n && kept[0] != r->size - n) relink(r, kept, n); /* not the newest, which stay as far from each other */
    r->size = n;
    r->next = n == r->capacity ? 0 : n;
    r->version++;
}
