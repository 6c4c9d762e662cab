#include "supernet.h"

#include <math.h>
#include <string.h>

/* A layer of a path and where it lies in the shared one; both matrices end with the bias. */
typedef struct {
    float *own, *shared;
    int64_t own_stride, shared_stride;
    int64_t own_rows, shared_rows, columns; /* rows without the bias */
    float scale;
} part;

static part part_of(const ndq_supernet *s, const ndq_path *path, float *own, float *shared, int layer)
{
    const ndq_net *net = path->net;
    const int is_head = layer == net->n_layers - 1, at = is_head ? s->net->n_layers - 1 : layer;
    part p = {.own = own + net->offsets[layer], .shared = shared + s->net->offsets[at] + (is_head ? path->head : 0)};
    p.own_rows = net->sizes[layer];
    p.shared_rows = s->net->sizes[at];
    p.columns = net->sizes[layer + 1];
    p.own_stride = ndq_pad(p.columns);
    p.shared_stride = ndq_pad(s->net->sizes[at + 1]);
    p.scale = sqrtf((float)p.shared_rows / (float)p.own_rows);
    return p;
}

static void read_row(float *own, const float *shared, int64_t n, float scale)
{
    for (int64_t i = 0; i < n; i++) own[i] = scale * shared[i];
}

static void add_row(const float *own, float *shared, int64_t n, float scale)
{
    for (int64_t i = 0; i < n; i++) shared[i] += scale * own[i];
}

void ndq_supernet_read(const ndq_supernet *s, int64_t k)
{
    const ndq_path *path = s->paths + k;
    for (int layer = 0; layer < path->net->n_layers; layer++) {
        const part p = part_of(s, path, path->params, s->params, layer);
        for (int64_t i = 0; i < p.own_rows; i++)
            read_row(p.own + i * p.own_stride, p.shared + i * p.shared_stride, p.columns, p.scale);
        read_row(p.own + p.own_rows * p.own_stride, p.shared + p.shared_rows * p.shared_stride, p.columns, 1.0f);
    }
}

/* Adds a path's gradient, `times` over, to that of the shared layers. */
static void add_gradient(const ndq_supernet *s, int64_t k, float times)
{
    const ndq_path *path = s->paths + k;
    for (int layer = 0; layer < path->net->n_layers; layer++) {
        const part p = part_of(s, path, path->gradient, s->gradient, layer);
        for (int64_t i = 0; i < p.own_rows; i++)
            add_row(p.own + i * p.own_stride, p.shared + i * p.shared_stride, p.columns, times * p.scale);
        add_row(p.own + p.own_rows * p.own_stride, p.shared + p.shared_rows * p.shared_stride, p.columns, times);
    }
}

/* By the odds, with one uniform number; one path alone needs none. */
static int64_t draw_path(const ndq_supernet *s, bitgen_t *rng)
{
    if (s->n_paths == 1) return 0;
    double sum = 0.0;
    for (int64_t k = 0; k < s->n_paths; k++) sum += s->odds[k];
    double left = ndq_uniform(rng) * sum;
    int64_t path = 0;
    while (path < s->n_paths - 1 && (left -= s->odds[path]) >= 0.0) path++;
    return path;
}

/* The paths of an update; how many different ones. */
static int64_t draw(ndq_supernet *s, bitgen_t *rng)
{
    int64_t n = 0;
    memset(s->times, 0, s->n_paths * sizeof *s->times);
    for (int64_t i = 0; i < s->n_drawn; i++) {
        const int64_t k = !s->is_sandwich || i > 1 ? draw_path(s, rng) : i == 0 ? s->largest : s->smallest;
        if (s->times[k]++ == 0) s->drawn[n++] = k;
    }
    return n;
}

static void forward(const ndq_path *path, const ndq_learner *l, int n)
{
    memcpy(ndq_h(path->net, 0), l->batch, l->replay->observation_size * NDQ_PANEL * sizeof(float));
    path->net->kernels->forward(path->net, path->params, n);
}

static double td_error(const ndq_path *path, const ndq_learner *l, int64_t start, int n, float *errors)
{
    return ndq_td_error(path->net, l->actions, l->targets, l->is_prioritized ? l->weights + start : NULL, n,
                        l->batch_size, l->loss, l->huber_delta, errors);
}

static size_t q_bytes(const ndq_net *net) { return net->sizes[net->n_layers] * NDQ_PANEL * sizeof(float); }

static void keep_values(const ndq_supernet *s)
{
    const ndq_net *net = s->paths[s->largest].net;
    memcpy(s->teacher, ndq_h(net, net->n_layers), q_bytes(net));
}

/* As ndq_td_error, of the differences to the largest path's values, over all actions. */
static double distillation_error(const ndq_supernet *s, const ndq_net *net, const ndq_learner *l, int64_t start, int n)
{
    const int64_t A = net->sizes[net->n_layers];
    const float *q = ndq_h(net, net->n_layers), share = (float)(l->batch_size * A);
    float *d = net->d[0];
    double loss = 0.0;
    memset(d, 0, q_bytes(net));
    for (int64_t a = 0; a < A; a++)
        for (int b = 0; b < n; b++) {
            const int64_t at = a * NDQ_PANEL + b;
            const float weight = l->is_prioritized ? l->weights[start + b] : 1.0f;
            loss += ndq_loss_of(l->loss, l->huber_delta, q[at] - s->teacher[at], weight, share, &d[at]);
        }
    return loss / A;
}

double ndq_supernet_learn(ndq_supernet *s, ndq_learner *l)
{
    const int64_t batch = l->batch_size, length = s->net->offsets[s->net->n_layers];
    const int64_t n_paths = draw(s, l->rng);
    const int by_largest = s->distills && s->drawn[0] != s->largest;
    double loss = 0.0;
    for (int64_t i = 0; i < n_paths; i++) {
        if (s->drawn[i] != s->largest) ndq_supernet_read(s, s->drawn[i]);
        s->losses[i] = 0.0;
    }
    for (int64_t start = 0; start < batch; start += NDQ_PANEL) {
        const int n = batch - start < NDQ_PANEL ? (int)(batch - start) : NDQ_PANEL;
        ndq_learner_prepare(l, start, n);
        if (by_largest) {
            forward(s->paths + s->largest, l, n);
            td_error(s->paths + s->largest, l, start, n, l->errors + start);
            keep_values(s);
        }
        for (int64_t i = 0; i < n_paths; i++) {
            const int64_t k = s->drawn[i];
            const ndq_path *path = s->paths + k;
            forward(path, l, n);
            if (k == s->largest) keep_values(s);
            if (k == s->largest || !s->distills)
                s->losses[i] += td_error(path, l, start, n, i || by_largest ? NULL : l->errors + start);
            else
                s->losses[i] += distillation_error(s, path->net, l, start, n);
            path->net->kernels->backward(path->net, path->params, path->gradient, n, start > 0, NULL);
        }
    }
    for (int64_t i = 0; i < n_paths; i++) {
        s->losses[i] /= batch;
        loss += s->times[s->drawn[i]] * s->losses[i];
    }
    loss /= s->n_drawn;
    if (!isfinite(loss)) return loss;
    memset(s->gradient, 0, length * sizeof(float));
    for (int64_t i = 0; i < n_paths; i++) add_gradient(s, s->drawn[i], (float)s->times[s->drawn[i]]);
    ndq_optimizer_step(l->optimizer, s->net->kernels, s->params, s->gradient, length);
    ndq_supernet_read(s, s->largest);
    return loss;
}
