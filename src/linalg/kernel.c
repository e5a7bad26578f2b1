#include "linalg/kernel.h"

#include <cblas.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "base/parallel.h"
#include "linalg/dense.h"

#if KERNEL_AMX
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

/* In OpenBLAS builds with run-time dispatch; weak, so that any other BLAS links too. */
extern void gotoblas_dynamic_init(void) __attribute__((weak));
extern void gotoblas_dynamic_quit(void) __attribute__((weak));

static pthread_once_t once = PTHREAD_ONCE_INIT;
static char name[64];
static bool amx;
static atomic_bool has_room;

enum simd kernel_simd(void)
{
#ifdef __x86_64__
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512bw"))
        return SIMD_AVX512;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        return SIMD_AVX2;
#endif
    return SIMD_BASE;
}

/* OpenBLAS falls back to Prescott when it does not know the CPU. */
static void choose_blas_kernel(void)
{
    if (!gotoblas_dynamic_init || !gotoblas_dynamic_quit || getenv("OPENBLAS_CORETYPE") || kernel_simd() == SIMD_BASE ||
        strcmp(openblas_get_corename(), "Prescott") != 0)
        return;
    if (setenv("OPENBLAS_CORETYPE", kernel_simd() == SIMD_AVX512 ? "SkylakeX" : "Haswell", 1) != 0)
        return;
    gotoblas_dynamic_quit();
    gotoblas_dynamic_init();
    unsetenv("OPENBLAS_CORETYPE");
}

/* The state of the matrix unit is large, so the system wants to be asked before its first use. */
static bool may_use_amx(void)
{
#if KERNEL_AMX
    enum { REQUEST_PERMISSION = 0x1023, TILE_DATA = 18, AMX_BF16 = 1 << 22, AMX_TILE = 1 << 24 };
    unsigned eax, ebx, ecx, edx;
    return kernel_simd() == SIMD_AVX512 && __get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) && (edx & AMX_BF16) &&
           (edx & AMX_TILE) && syscall(SYS_arch_prctl, REQUEST_PERMISSION, TILE_DATA) == 0;
#else
    return false;
#endif
}

static void start(void)
{
    choose_blas_kernel();
    openblas_set_num_threads(1);
    static const char *const widths[] = {"base", "avx2", "avx512"};
    char version[32] = "";
    sscanf(openblas_get_config(), "OpenBLAS %31s", version);
    amx = may_use_amx();
    snprintf(name, sizeof name, "OpenBLAS %s %s, %s%s", version, openblas_get_corename(), widths[kernel_simd()],
             amx ? ", amx" : "");
}

void kernel_start(void)
{
    pthread_once(&once, start);
}

bool kernel_amx(void)
{
    kernel_start();
    return amx;
}

const char *linalg_kernel_name(void)
{
    kernel_start();
    return name;
}

/* What OpenBLAS maps for each of the threads that are inside it at one time. */
static const size_t BUFFER = (size_t)128 << 20;

/* All threads call it together, so that each has its buffer from now on. */
static void take_buffers(void)
{
    enum { N = 128 };
#pragma omp parallel
    {
        static const float some[N * N];
        float out[N];
        cblas_sgemv(CblasRowMajor, CblasNoTrans, N, N, 1, some, N, some, 1, 0, out, 1);
    }
}

enum status linalg_room(struct error *err)
{
    struct rlimit limit;
    size_t all = (size_t)parallel_threads() * BUFFER;
    if (atomic_load(&has_room) || getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY)
        return ST_OK;
    void *p = mmap(NULL, all, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED) {
        error_set(err, ST_NOMEM, "the matrix library wants %zu MiB of address space for %d threads; `ulimit -v` has less",
                  all >> 20, parallel_threads());
        error_hint(err, "raise that limit, or start with OMP_NUM_THREADS=1 in the environment");
        return ST_NOMEM;
    }
    munmap(p, all);
    kernel_start();
    take_buffers();
    atomic_store(&has_room, true);
    return ST_OK;
}
