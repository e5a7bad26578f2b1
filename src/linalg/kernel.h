/* Within this room: which CPU kernels run.
 *
 * OpenBLAS picks its kernels by CPU model; one that is newer than the library gets the oldest kernels (SSE3), at a
 * tenth of the speed. There we pick by instruction set instead, unless OPENBLAS_CORETYPE says otherwise. */
#ifndef TAILOR_LINALG_KERNEL_H
#define TAILOR_LINALG_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Sets OpenBLAS to one thread and to kernels that fit, once. Everything that calls BLAS says this first. */
void kernel_start(void);

/* The widest vectors of this CPU that our own kernels are built for. */
enum simd { SIMD_BASE, SIMD_AVX2, SIMD_AVX512 };
enum simd kernel_simd(void);

/* Can the matrix unit multiply bf16, and may we? Asks the system once. Only where KERNEL_AMX. */
bool kernel_amx(void);
#if defined __x86_64__ && defined __linux__ && (__GNUC__ >= 11 || __clang_major__ >= 12)
#define KERNEL_AMX 1
#else
#define KERNEL_AMX 0
#endif

#ifdef __x86_64__
#define TARGET_AVX2 __attribute__((target("avx2,fma")))
#define TARGET_AVX512 __attribute__((target("avx512f,avx512vl,avx512dq,avx512bw,fma")))
#else
#define TARGET_AVX2
#define TARGET_AVX512
#endif

/* 16 floats, and what comparing them gives; the compiler cuts them to the vectors of the target. */
typedef float floats __attribute__((vector_size(64), aligned(64)));
typedef int32_t ints __attribute__((vector_size(64)));
typedef float floats_anywhere __attribute__((vector_size(64), aligned(4)));
enum { LANES = 16 };

/* So many floats rounded up to whole vectors. */
static inline size_t whole_vectors(size_t n)
{
    return (n + LANES - 1) / LANES * LANES;
}

#endif
