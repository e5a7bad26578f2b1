#include "base/mem.h"

#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

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
    size_t begin = ((uintptr_t)p + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE,
           end = ((uintptr_t)p + bytes) / HUGE_PAGE * HUGE_PAGE;
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

/* ---- what could be taken ---- */

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* The number behind `key` in a file of lines "key number"; the first number with key "". SIZE_MAX: there is none
 * ("max"). */
static size_t read_number(const char *path, const char *key)
{
    char line[512];
    unsigned long long number;
    size_t found = SIZE_MAX, n = strlen(key);
    FILE *f = fopen(path, "r");
    while (f && found == SIZE_MAX && fgets(line, sizeof line, f))
        if (strncmp(line, key, n) == 0 && sscanf(line + n, "%llu", &number) == 1)
            found = (size_t)number;
    if (f)
        fclose(f);
    return found;
}

/* What a control group leaves: its limit less what it uses, but for pages of files that can be dropped. */
static size_t group_leaves(const char *folder, const char *limit, const char *usage, const char *stat_key)
{
    char path[PATH_MAX + 64];
    snprintf(path, sizeof path, "%s/%s", folder, limit);
    size_t most = read_number(path, "");
    if (most == SIZE_MAX)
        return SIZE_MAX;
    snprintf(path, sizeof path, "%s/%s", folder, usage);
    size_t used = read_number(path, "");
    snprintf(path, sizeof path, "%s/memory.stat", folder);
    size_t files = read_number(path, stat_key);
    used = used == SIZE_MAX ? 0 : files == SIZE_MAX ? used : used - least(files, used);
    return most - least(used, most);
}

/* The own control group and those around it: version 2 has one path, "0::/a/b"; version 1 mounts the own one. */
static size_t groups_leave(void)
{
    char line[PATH_MAX], folder[PATH_MAX + 32];
    size_t left =
        group_leaves("/sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file ");
    FILE *f = fopen("/proc/self/cgroup", "r");
    while (f && fgets(line, sizeof line, f)) {
        if (strncmp(line, "0::/", 4) != 0)
            continue;
        line[strcspn(line, "\n")] = 0;
        snprintf(folder, sizeof folder, "/sys/fs/cgroup%s", line + 3);
        for (size_t root = strlen("/sys/fs/cgroup");;) {
            left = least(left, group_leaves(folder, "memory.max", "memory.current", "inactive_file "));
            char *cut = strrchr(folder, '/');
            if (!cut || (size_t)(cut - folder) < root)
                break;
            *cut = 0;
        }
    }
    if (f)
        fclose(f);
    return left;
}

/* What `ulimit -v` leaves of the address space. */
static size_t address_space_leaves(void)
{
    struct rlimit limit;
    size_t pages = read_number("/proc/self/statm", ""), page = (size_t)sysconf(_SC_PAGESIZE);
    if (getrlimit(RLIMIT_AS, &limit) || limit.rlim_cur == RLIM_INFINITY)
        return SIZE_MAX;
    return (size_t)limit.rlim_cur - least(pages == SIZE_MAX ? 0 : pages * page, (size_t)limit.rlim_cur);
}

size_t mem_available(void)
{
    size_t kib = read_number("/proc/meminfo", "MemAvailable:"), machine = kib == SIZE_MAX ? kib : kib << 10;
    return least(machine, least(groups_leave(), address_space_leaves()));
}

void mem_free(void *pointer)
{
    free(pointer);
}
