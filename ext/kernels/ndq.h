/* The engine's own types: a network's memory plan, and the table of kernels compiled for one CPU target.
 *
 * Sizes: B batch, I inputs, O outputs of a layer, A actions. All arrays float32 unless said otherwise.
 *
 * Parameters. One block; layer l is a matrix of (I + 1) rows, the last of them the bias, each row
 * padded by ndq_pad. Padding holds zeros from the allocation on, a gradient's too, and every kernel keeps it so while
 * numbers are finite: what it writes there is zero, and both optimizers move nothing where the gradient is zero.
 *
 * Activations are feature-major in panels of NDQ_PANEL transitions: h[l] is (I + 1, NDQ_PANEL), the
 * last row ones, which multiplies the bias. Vectors so run along the batch, a width of 17 costs 17 rows, not
 * 32, and neither pass needs a transposed copy of the weights; only the weight gradient wants the
 * error the other way round, which is the smaller matrix.
 *
 * Every sum runs over its index in ascending order, whatever the vector width or the size of the batch: a row
 * gives the same bits alone and in a batch, and avx2 and avx512 give the same bits as each other. */
#ifndef NDQ_H
#define NDQ_H

#include <stddef.h>
#include <stdint.h>

enum { NDQ_PANEL = 64, NDQ_PAD = 16 };
enum { NDQ_RELU = 0, NDQ_TANH = 1, NDQ_LEAKY_RELU = 2 };

struct ndq_frozen;
struct ndq_kernels;
struct ndq_normalizer;

typedef struct {
    const struct ndq_kernels *kernels;
    int32_t n_layers; /* weight matrices: hidden layers + 1 */
    int32_t activation;
    const int64_t *sizes;     /* n_layers + 1: I, widths, A */
    const int64_t *offsets;   /* n_layers + 1: where layer l starts in the parameter block; last: its length */
    const int64_t *h_offsets; /* n_layers + 1: where h[l] starts in h */
    float *h;                 /* activations; from the start the rows of ones, and any numbers in the others */
    float *d[2];              /* (widest padded, NDQ_PANEL) error of a layer's outputs, and of the layer below */
    float *d_rows;            /* (NDQ_PANEL, widest padded): d the other way round */
    float *row[2];            /* (widest padded + NDQ_PAD): activations of one observation */
    struct ndq_normalizer *normalizer; /* what observations go through first; NULL: nothing */
    const struct ndq_frozen *base;     /* (n_base) networks whose Q-values are added, which `network.h` does */
    int32_t n_base;
} ndq_net;

/* A network that does not learn, as a part of another's Q-values. It has the same inputs, outputs and normalizer. */
typedef struct ndq_frozen {
    const ndq_net *net;
    const float *params;
    float sign;
} ndq_frozen;

/* Floats from one row of a matrix to the next: whole cache lines, and never whole KiB, or the rows of a wide layer would
 * all compete for the same few lines of the caches. */
static inline int64_t ndq_pad(int64_t n)
{
    const int64_t padded = (n + NDQ_PAD - 1) / NDQ_PAD * NDQ_PAD;
    return padded % 256 || !padded ? padded : padded + NDQ_PAD;
}

static inline float *ndq_h(const ndq_net *net, int layer) { return net->h + net->h_offsets[layer]; }

/* Adam's settings of one step: step = learning_rate / (1 - beta1^t), scale = 1 / (1 - beta2^t). */
typedef struct {
    float clip, beta1, beta2, epsilon, step, scale;
} ndq_adam;

/* Moments of smaller size than this become zero; see adam.h. */
#define NDQ_TINY_M 1e-30f
#define NDQ_TINY_V 1e-34f
/* And weights of a target that follows by parts. */
#define NDQ_TINY_TARGET 1e-30f

/* One step on `params`, the gradient clipped element by element: of Adam, if there are moments, otherwise of SGD. */
typedef struct {
    float *params, *m, *v;
    float learning_rate, clip; /* of SGD */
    ndq_adam adam;
} ndq_descent;

typedef struct ndq_kernels {
    const char *name;
    /* h[0] holds n columns, normalized; fills h[1..]; Q values are h[n_layers], (A, NDQ_PANEL). 1 <= n <= NDQ_PANEL. */
    void (*forward)(const ndq_net *net, const float *params, int n);
    /* Action of the largest Q of every column of the panel; ties keep the lowest, as np.argmax does. */
    void (*best)(const ndq_net *net, int32_t best[NDQ_PANEL]);
    /* panel (columns rounded up to 4, NDQ_PANEL) = the first numbers of NDQ_PANEL rows, a row a column. Rows are aligned to 16 bytes. */
    void (*gather)(float *panel, const float *const rows[NDQ_PANEL], int64_t columns);
    /* Q values of one observation, which it normalizes: q (A padded). Same bits as a column of `forward`. */
    void (*forward_row)(const ndq_net *net, const float *params, const float *observation, float *q);
    /* After `forward`, d[0] holds dL/dQ (A, NDQ_PANEL): writes, or adds to, the gradient (a parameter block). With
     * `descent`, takes the step that the gradient would have led to, and writes none: the same bits, a pass fewer. */
    void (*backward)(const ndq_net *net, const float *params, float *gradient, int n, int accumulate,
                     const ndq_descent *descent);
    /* n a multiple of NDQ_PAD for Adam, as that of every block. */
    void (*sgd)(float *params, const float *gradient, int64_t n, float learning_rate, float clip);
    void (*adam)(float *params, float *m, float *v, const float *gradient, int64_t n, const ndq_adam *s);
    int (*all_finite)(const float *x, int64_t n);
    int64_t (*peak)(int64_t n, float *result); /* for benchmarks: n rounds of multiply-adds, returns the operations */
} ndq_kernels;

#endif
