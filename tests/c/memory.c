#include "memory.h"

#include <stdlib.h>
#include <string.h>

#include "check.h"

/* In front of a guarded block: its size, then the pattern up to 64 bytes; behind it the pattern again. */
enum { GUARD = 64, PATTERN = 0xa5 };

int memory_guarded = 0;

static int is_pattern(const unsigned char *at, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (at[i] != PATTERN) return 0;
    return 1;
}

void *memory_take(size_t bytes)
{
    void *raw = NULL;
    if (!memory_guarded) {
        CHECK(posix_memalign(&raw, 64, bytes) == 0);
        return raw;
    }
    CHECK(posix_memalign(&raw, 64, bytes + 2 * GUARD) == 0);
    unsigned char *block = (unsigned char *)raw + GUARD;
    memset(raw, PATTERN, GUARD);
    memcpy(raw, &bytes, sizeof bytes);
    memset(block, 0xff, bytes);
    memset(block + bytes, PATTERN, GUARD);
    return block;
}

void *memory_zeros(size_t bytes) { return memset(memory_take(bytes), 0, bytes); }

void memory_give(void *block)
{
    if (!memory_guarded || !block) {
        free(block);
        return;
    }
    unsigned char *raw = (unsigned char *)block - GUARD;
    size_t bytes;
    memcpy(&bytes, raw, sizeof bytes);
    const unsigned char *block_end = raw + GUARD + bytes;
    CHECK(is_pattern(raw + sizeof bytes, GUARD - sizeof bytes) && is_pattern(block_end, GUARD));
    free(raw);
}
