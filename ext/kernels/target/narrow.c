/* A column of tiles in the half vectors of AVX-512, two of which are multiplied in the time of a whole one: for the
 * head, which has few actions, for odd widths and for few transitions. */
#define NDQ_HALF_VECTORS
#include "tile.h"

DEFINE_COLUMN(1, 12)

void NDQ_NAME(ndq_narrow_column)(const gemm *g, int64_t at) { column_1(g, at / VL); }
