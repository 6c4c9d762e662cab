/* The sum tree against a list: every size of the last group, ties and zeros, and what rounding could spoil. */
#include <string.h>

#include "check.h"
#include "generator.h"
#include "memory.h"
#include "sum_tree.h"

enum { BATCH = 100 }; /* more than are set side by side */

static ndq_sum_tree make(int64_t n)
{
    ndq_sum_tree tree;
    const int64_t doubles = ndq_sum_tree_plan(&tree, n);
    CHECK(doubles == tree.starts[tree.n_levels] && tree.n_levels <= NDQ_TREE_LEVELS);
    tree.nodes = ZEROS(double, doubles);
    ndq_sum_tree_rebuild(&tree);
    return tree;
}

/* Small whole numbers, whose sums are exact, and zero every third time; or numbers over 60 powers of ten. */
static double value_of(uint64_t *seed, int is_exact)
{
    const uint64_t bits = generator_uint64(seed);
    if (bits % 3 == 0) return 0.0;
    if (is_exact) return (double)(bits >> 8 & 7);
    double value = 1.0 + generator_double(seed);
    for (int power = (int)(bits >> 8) % 61 - 30; power; power += power < 0 ? 1 : -1) value *= power < 0 ? 0.1 : 10.0;
    return value;
}

/* As many as `batch` leaves, some of them twice, the last value of which stays. */
static void set_some(ndq_sum_tree *tree, double *list, int64_t n, int batch, uint64_t *seed, int is_exact)
{
    int64_t leaves[BATCH];
    double values[BATCH];
    for (int i = 0; i < batch; i++) {
        leaves[i] = (int64_t)(generator_uint64(seed) % (uint64_t)n);
        values[i] = list[leaves[i]] = value_of(seed, is_exact);
    }
    ndq_sum_tree_set(tree, leaves, values, batch);
}

/* Bit for bit the tree that is made of the list at once. */
static void check_is_new(const ndq_sum_tree *tree, const double *list, int64_t n)
{
    ndq_sum_tree fresh = make(n);
    memcpy(fresh.nodes, list, n * sizeof *list);
    ndq_sum_tree_rebuild(&fresh);
    CHECK(!memcmp(fresh.nodes, tree->nodes, tree->starts[tree->n_levels] * sizeof(double)));
    memory_give(fresh.nodes);
}

static int64_t naive_find(const double *list, double x)
{
    double sum = 0.0;
    for (int64_t leaf = 0;; leaf++)
        if ((sum += list[leaf]) > x) return leaf;
}

static void check_find(const ndq_sum_tree *tree, const double *list, int64_t n, uint64_t *seed, int is_exact)
{
    const double total = ndq_sum_tree_total(tree);
    double x[BATCH];
    int64_t found[BATCH];
    if (total == 0.0) return;
    for (int i = 0; i < BATCH; i++) {
        x[i] = generator_double(seed) * total;
        if (is_exact && i % 2) x[i] = (double)(int64_t)x[i]; /* where one leaf ends and another begins */
    }
    x[0] = 0.0, x[1] = total, x[2] = 2.0 * total;
    ndq_sum_tree_find(tree, x, BATCH, found);
    for (int i = 0; i < BATCH; i++) {
        CHECK(found[i] >= 0 && found[i] < n && list[found[i]] > 0.0);
        if (is_exact && x[i] < total) CHECK(found[i] == naive_find(list, x[i]));
    }
    if (is_exact) CHECK(found[1] == naive_find(list, total - 0.5) && found[2] == found[1]);
}

static void check_size(int64_t n, int is_exact)
{
    ndq_sum_tree tree = make(n);
    double *list = ZEROS(double, n);
    uint64_t seed = (uint64_t)n;
    for (int round = 0; round < 20; round++) {
        set_some(&tree, list, n, round % 2 ? BATCH : 1, &seed, is_exact);
        check_is_new(&tree, list, n);
        check_find(&tree, list, n, &seed, is_exact);
    }
    memory_give(list), memory_give(tree.nodes);
}

/* A million changes over sixty powers of ten leave no trace. */
static void check_no_drift(void)
{
    const int64_t n = 1000;
    ndq_sum_tree tree = make(n);
    double *list = ZEROS(double, n);
    uint64_t seed = 1;
    for (int i = 0; i < 1000000 / BATCH; i++) set_some(&tree, list, n, BATCH, &seed, 0);
    check_is_new(&tree, list, n);
    memory_give(list), memory_give(tree.nodes);
}

void check_sum_tree(void)
{
    const int64_t sizes[] = {1, 2, 7, 8, 9, 63, 64, 65, 513, 5000};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (int is_exact = 0; is_exact < 2; is_exact++) check_size(sizes[i], is_exact);
    check_no_drift();
    ndq_sum_tree largest;
    CHECK(ndq_sum_tree_plan(&largest, (1LL << 32) - 1) > 1LL << 32 && largest.n_levels == NDQ_TREE_LEVELS);
}
