/* Within this room: the tiles of the matrix unit (AMX), where KERNEL_AMX says that the compiler knows them and
 * kernel_amx that the machine has them. All eight are whole: 16 rows of 64 bytes. */
#ifndef TAILOR_LINALG_TILES_H
#define TAILOR_LINALG_TILES_H

#include <stdint.h>

#include "linalg/kernel.h"

#if KERNEL_AMX

#include <immintrin.h>

#define TARGET_TILES __attribute__((target("avx512f,avx512vl,avx512dq,avx512bw,fma,amx-tile,amx-bf16")))

/* What stands in memory is what tiles are loaded from. Compilers up to GCC 12 believe that loading one reads no memory,
 * and of its configuration a word, and might write what is read there later. */
static inline void tiles_see_memory(void)
{
    __asm__ volatile("" : : : "memory");
}

/* Before the first use by a thread; _tile_release() after the last. */
TARGET_TILES static inline void tiles_open(void)
{
    static const struct {
        uint8_t palette, start, zero[14];
        uint16_t bytes[16];
        uint8_t rows[16];
    } shapes = {1, 0, {0}, {64, 64, 64, 64, 64, 64, 64, 64}, {16, 16, 16, 16, 16, 16, 16, 16}};
    _tile_loadconfig(&shapes);
}

#endif

#endif
