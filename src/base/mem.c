#include "base/mem.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* The one global of this file: the allocator hook of the tests. */
static struct {
    bool (*ask)(void *context, size_t bytes);
    void *context;
} hook;

enum { ALIGNMENT = 64, HUGE_PAGE = 2 << 20, HUGE_FROM = 4 << 20 };

void mem_set_hook(bool (*ask)(void *context, size_t bytes), void *context)
{
    hook.ask = ask;
    hook.context = context;
}

static bool allowed(size_t bytes)
{
    return !hook.ask || hook.ask(hook.context, bytes);
}

/* Of the whole pages inside. Only a wish: small pages are right too. */
static void ask_for_huge_pages(void *p, size_t bytes)
{
    size_t begin = ((uintptr_t)p + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE, end = ((uintptr_t)p + bytes) / HUGE_PAGE * HUGE_PAGE;
    if (end > begin)
        (void)madvise((void *)begin, end - begin, MADV_HUGEPAGE);
}

void *mem_new_raw(size_t count, size_t size, const char *what, struct error *err)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes) || bytes > SIZE_MAX - HUGE_PAGE) {
        error_nomem(err, SIZE_MAX, what);
        return NULL;
    }
    size_t align = bytes >= HUGE_FROM ? HUGE_PAGE : ALIGNMENT;
    size_t rounded = bytes ? (bytes + align - 1) / align * align : align;
    void *p = allowed(bytes) ? aligned_alloc(align, rounded) : NULL;
    if (!p) {
        error_nomem(err, bytes, what);
        return NULL;
    }
    if (bytes >= HUGE_FROM)
        ask_for_huge_pages(p, rounded);
    return p;
}

void *mem_new(size_t count, size_t size, const char *what, struct error *err)
{
    void *p = mem_new_raw(count, size, what, err);
    return p ? memset(p, 0, count * size) : NULL;
}

enum status mem_grow(void *array, size_t *capacity, size_t need, size_t size, struct error *err)
{
    if (need <= *capacity)
        return ST_OK;
    size_t want = *capacity + *capacity / 2 + 8;
    if (want < need)
        want = need;
    size_t bytes;
    void *old, *p = NULL;
    memcpy(&old, array, sizeof old);
    if (!__builtin_mul_overflow(want, size, &bytes) && allowed(bytes))
        p = realloc(old, bytes);
    if (!p)
        return error_nomem(err, bytes, "a growing array");
    if (bytes >= HUGE_FROM)
        ask_for_huge_pages(p, bytes);
    memcpy(array, &p, sizeof p);
    *capacity = want;
    return ST_OK;
}

char *mem_strndup(const char *text, size_t n, struct error *err)
{
    char *copy = allowed(n + 1) ? malloc(n + 1) : NULL;
    if (!copy) {
        error_nomem(err, n + 1, "a string");
        return NULL;
    }
    memcpy(copy, text, n);
    copy[n] = 0;
    return copy;
}

char *mem_strdup(const char *text, struct error *err)
{
    return mem_strndup(text, strlen(text), err);
}

size_t mem_available(void)
{
    unsigned long long kib;
    char line[128];
    size_t bytes = SIZE_MAX;
    FILE *f = fopen("/proc/meminfo", "r");
    if (!f)
        return bytes;
    while (fgets(line, sizeof line, f))
        if (sscanf(line, "MemAvailable: %llu kB", &kib) == 1)
            bytes = (size_t)kib << 10;
    fclose(f);
    return bytes;
}

void mem_free(void *pointer)
{
    free(pointer);
}
