/* Blocks of exactly the size asked for, on a 64-byte boundary as the engine's arrays are, so that one number too far is
 * outside. Nothing is filled in: a sanitizer or valgrind is to see what was never written.
 *
 * Without such a tool `memory_guarded` puts 64 bytes around each block, whose change ends the program when the block is
 * given back, and fills the block with NaN (ones, as integers -1). */
#ifndef MEMORY_H
#define MEMORY_H

#include <stddef.h>
#include <stdint.h>

extern int memory_guarded; /* set once, before the first block */

void *memory_take(size_t bytes);
void *memory_zeros(size_t bytes);
void memory_give(void *block);

/* An array of n, as `float *x = TAKE(float, n)`. */
#define TAKE(type, n) ((type *)memory_take((size_t)(n) * sizeof(type)))
#define ZEROS(type, n) ((type *)memory_zeros((size_t)(n) * sizeof(type)))

#endif
