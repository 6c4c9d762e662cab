/* argmax_a Q(s, a) of every column of a panel, action by action: a branch for each column would be mispredicted. */
#include "target.h"
#include "vec.h"

void NDQ_NAME(ndq_best)(const ndq_net *net, int32_t best[NDQ_PANEL])
{
    const float *q = ndq_h(net, net->n_layers);
    for (int64_t j = 0; j < NDQ_PANEL; j += VL) {
        vf largest = vf_load(q + j);
        vi action = {0};
        for (int32_t a = 1; a < net->sizes[net->n_layers]; a++) {
            const vf qa = vf_load(q + a * NDQ_PANEL + j);
            const vi is_larger = qa > largest;
            action = (is_larger & a) | (~is_larger & action);
            largest = vf_select(is_larger, qa, largest);
        }
        *(vi *)(best + j) = action;
    }
}
