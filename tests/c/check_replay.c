/* The ring against a list of all that was ever added. */
#include "check.h"
#include "generator.h"
#include "memory.h"
#include "prioritized.h"

enum { I = 3, ADDED = 60, LANES = 3, N_STEP = 4 };

/* Transition number i, made up so that each number in it is its own. Of three environments in turns, the first never ends
 * an episode, and the others end one with every step. */
static void add(ndq_replay *r, int i)
{
    float *obs = TAKE(float, I), *next = TAKE(float, I);
    for (int k = 0; k < I; k++) obs[k] = 10.0f * i + k, next[k] = 10.0f * i + 5 + k;
    ndq_replay_add(r, obs, i % 7, -(float)i, next, i % LANES, LANES);
    memory_give(obs), memory_give(next);
}

static void check_row(const ndq_replay *r, int64_t slot, int64_t i)
{
    const float *row = ndq_row(r, slot);
    for (int k = 0; k < I; k++) {
        CHECK(row[k] == 10.0f * i + k);
        CHECK(ndq_row_next(r, row)[k] == 10.0f * i + 5 + k);
    }
    CHECK(ndq_row_reward(r, row) == -(float)i);
    CHECK(ndq_row_action(r, row) == i % 7 && ndq_row_flags(r, row) == i % 3);
}

/* Draws only filled slots, and in the end each of them. */
static void check_draws(const ndq_replay *r, uint64_t seed)
{
    const int64_t n = 40 * r->size;
    int64_t *slots = TAKE(int64_t, n), *seen = ZEROS(int64_t, r->size);
    bitgen_t rng = generator_bitgen(&seed);
    ndq_replay_draw(r, &rng, n, slots);
    for (int64_t i = 0; i < n; i++) {
        CHECK(slots[i] >= 0 && slots[i] < r->size);
        seen[slots[i]]++;
    }
    for (int64_t s = 0; s < r->size; s++) CHECK(seen[s] > 0);
    memory_give(slots), memory_give(seen);
}

/* Returns from every slot of a ring whose newest transition is number `newest`; a power of two needs no rounding. */
static void check_returns(const ndq_replay *r, int64_t newest)
{
    const int64_t n = r->size;
    int64_t *slots = TAKE(int64_t, n), *last = TAKE(int64_t, n);
    float *returns = TAKE(float, n), *discounts = TAKE(float, n);
    for (int64_t i = 0; i < n; i++) slots[i] = i;
    ndq_replay_follow(r, slots, n, N_STEP, 0.5, returns, discounts, last);
    for (int64_t i = newest - n + 1; i <= newest; i++) {
        double sum = -(double)i, discount = 0.5;
        int64_t end = i;
        for (int k = 1; k < N_STEP && end % LANES == 0 && end + LANES <= newest && LANES < r->capacity; k++) {
            end += LANES;
            sum -= discount * end;
            discount /= 2;
        }
        const int64_t slot = i % r->capacity;
        CHECK(returns[slot] == (float)sum && discounts[slot] == (float)discount && last[slot] == end % r->capacity);
    }
    memory_give(slots), memory_give(last), memory_give(returns), memory_give(discounts);
}

/* All at once into a second ring, and out of it as arrays: what `add` stored one by one. */
static void check_batch(const ndq_replay *r)
{
    const int64_t n = r->size;
    int64_t *slots = TAKE(int64_t, n), *actions = TAKE(int64_t, n);
    uint8_t *terminated = TAKE(uint8_t, n), *truncated = TAKE(uint8_t, n);
    float *observations = TAKE(float, n * I), *next = TAKE(float, n * I), *rewards = TAKE(float, n);
    const ndq_batch batch = {observations, next, actions, rewards, terminated, truncated};
    ndq_replay second = *r;
    second.rows = TAKE(float, r->capacity * r->stride);
    second.size = second.next = 0;
    for (int64_t i = 0; i < n; i++) slots[i] = i;
    ndq_replay_read(r, slots, slots, n, &batch);
    ndq_replay_add_batch(&second, &batch, 0, n);
    CHECK(second.size == n && second.next == n % r->capacity);
    for (int64_t i = 0; i < n; i++) {
        const float *row = ndq_row(r, i);
        CHECK(!memcmp(row, ndq_row(&second, i), ndq_at_successor(r) * sizeof(float)));
        CHECK(ndq_row_successor(&second, ndq_row(&second, i)) == 0);
        CHECK(!memcmp(row, observations + i * I, I * sizeof(float)) && rewards[i] == ndq_row_reward(r, row));
        CHECK(!memcmp(ndq_row_next(r, row), next + i * I, I * sizeof(float)) && actions[i] == ndq_row_action(r, row));
        CHECK(terminated[i] == (ndq_row_flags(r, row) & 1) && truncated[i] == ndq_row_flags(r, row) >> 1);
    }
    memory_give(slots), memory_give(actions), memory_give(terminated), memory_give(truncated);
    memory_give(observations), memory_give(next), memory_give(rewards), memory_give(second.rows);
}

/* Every third, after which the memory goes on as one that never held the others. */
static void check_keep(ndq_replay *r, int newest)
{
    const int64_t n = (r->size + 2) / 3, size = r->size, version = r->version;
    int64_t *kept = TAKE(int64_t, n);
    float *scratch = TAKE(float, n * r->stride);
    for (int64_t i = 0; i < n; i++) kept[i] = 3 * i;
    ndq_replay_keep(r, kept, n, scratch);
    CHECK(r->size == n && r->next == n % r->capacity && r->version > version);
    for (int64_t i = 0; i < n; i++) {
        check_row(r, i, newest - size + 1 + 3 * i);
        CHECK(ndq_row_successor(r, ndq_row(r, i)) == (i + 1 < n)); /* the third on is the next by now */
    }
    add(r, newest + 1);
    check_row(r, n % r->capacity, newest + 1);
    memory_give(kept), memory_give(scratch);
}

static ndq_sum_tree make_tree(int64_t n)
{
    ndq_sum_tree tree;
    const int64_t doubles = ndq_sum_tree_plan(&tree, n);
    tree.nodes = ZEROS(double, doubles);
    return tree;
}

/* Each transition keeps its priority when others are added, drawn and pruned; a slot where nothing is stored has none. */
static void check_priorities(int64_t capacity)
{
    const int64_t stride = ndq_replay_stride(I);
    ndq_sum_tree tree = make_tree(capacity);
    ndq_replay r = {.rows = TAKE(float, capacity * stride), .capacity = capacity, .stride = stride,
                    .observation_size = I, .largest_action = -1, .priorities = &tree, .largest_priority = 1.0};
    double sum = 0.0;
    for (int i = 0; i < ADDED; i++) {
        const int64_t slot = r.next;
        const double priority = i % 5 ? (double)i : 0.0;
        add(&r, i);
        CHECK(tree.nodes[slot] == (i > 1 ? i % 5 == 1 ? (double)(i - 2) : (double)(i - 1) : 1.0)); /* the largest so far */
        ndq_prioritized_set(&r, &slot, &priority, 1);
    }
    for (int64_t i = ADDED - r.size; i < ADDED; i++) {
        CHECK(tree.nodes[i % capacity] == (i % 5 ? (double)i : NDQ_LEAST_PRIORITY));
        sum += tree.nodes[i % capacity];
    }
    CHECK(ndq_sum_tree_total(&tree) == sum);

    uint64_t seed = 3;
    bitgen_t rng = generator_bitgen(&seed);
    const int64_t n = 100;
    int64_t *slots = TAKE(int64_t, n);
    float *weights = TAKE(float, n), *errors = ZEROS(float, n);
    ndq_prioritized_draw(&r, &rng, n, 1.0, slots, weights);
    for (int64_t i = 0; i < n; i++) {
        CHECK(slots[i] >= 0 && slots[i] < r.size && weights[i] > 0.0f && weights[i] <= 1.0f);
        CHECK(i == 0 || slots[i] >= slots[i - 1]); /* stratified */
    }

    const int64_t kept_n = (r.size + 2) / 3, size = r.size;
    int64_t *kept = TAKE(int64_t, kept_n);
    double *expected = TAKE(double, kept_n);
    float *scratch = TAKE(float, kept_n * r.stride);
    const int64_t oldest = r.size == capacity ? r.next : 0;
    for (int64_t i = 0; i < kept_n; i++) {
        kept[i] = 3 * i;
        expected[i] = tree.nodes[(oldest + 3 * i) % capacity];
    }
    ndq_replay_keep(&r, kept, kept_n, scratch);
    for (int64_t i = 0; i < capacity; i++) CHECK(tree.nodes[i] == (i < kept_n ? expected[i] : 0.0));
    for (int64_t i = 0; i < kept_n; i++) {
        check_row(&r, i, (int)(ADDED - size + 3 * i));
        CHECK(ndq_row_successor(&r, ndq_row(&r, i)) == (i + 1 < kept_n));
    }

    ndq_prioritized_update(&r, &(int64_t){0}, errors, 1, 0.6f, 0.0f); /* no error, no epsilon: the least */
    CHECK(tree.nodes[0] == NDQ_LEAST_PRIORITY);
    ndq_prioritized_draw(&r, &rng, n, 0.4, slots, weights);
    for (int64_t i = 0; i < n; i++) CHECK(slots[i] >= 0 && slots[i] < r.size && weights[i] >= 0.0f);
    memory_give(r.rows), memory_give(tree.nodes), memory_give(slots), memory_give(weights), memory_give(errors);
    memory_give(kept), memory_give(expected), memory_give(scratch);
}

static void check_capacity(int64_t capacity)
{
    const int64_t stride = ndq_replay_stride(I);
    ndq_replay r = {.rows = TAKE(float, capacity * stride), .capacity = capacity, .stride = stride,
                    .observation_size = I, .largest_action = -1};
    for (int i = 0; i < ADDED; i++) {
        add(&r, i);
        CHECK(r.size == (i + 1 < capacity ? i + 1 : capacity) && r.next == (i + 1) % capacity);
        if (i % 10 == 9) check_draws(&r, (uint64_t)i);
        check_returns(&r, i);
    }
    for (int64_t i = ADDED - r.size; i < ADDED; i++) check_row(&r, i % capacity, i);
    CHECK(!ndq_replay_holds(&r, 7));
    CHECK(ndq_replay_holds(&r, 6) == (capacity >= 4)); /* number 55 was the last with action 6, 4 were added since */
    check_batch(&r);
    check_keep(&r, ADDED - 1);
    memory_give(r.rows);
}

void check_replay(void)
{
    const int64_t capacities[] = {1, 2, 37, ADDED, 100};
    for (size_t i = 0; i < sizeof capacities / sizeof *capacities; i++) {
        check_capacity(capacities[i]);
        check_priorities(capacities[i]);
    }
    CHECK(ndq_row_stride(3) == 4 && ndq_row_stride(16) == 16 && ndq_row_stride(17) == 32);
}
