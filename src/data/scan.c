#include "data/scan.h"

#include <math.h>

#include "base/mem.h"
#include "base/parallel.h"
#include "base/text.h"

enum status scan_add(struct scan *s, struct scan_test test, struct error *err)
{
    if (s->n == SCAN_TESTS)
        return error_set(err, ST_UNSUPPORTED, "more than %d conditions on events at once", SCAN_TESTS);
    s->tests[s->n++] = test;
    return ST_OK;
}

/* The smallest float that is read as at least `low`, the largest as at most `high`: reading keeps the order. */
struct scan_test scan_single(const float *column, double low, double high)
{
    float from = (float)low, to = (float)high;
    from = nextafterf(nextafterf(from, -INFINITY), -INFINITY);
    to = nextafterf(nextafterf(to, INFINITY), INFINITY);
    while (isfinite(from) && real_of_single(from) < low)
        from = nextafterf(from, INFINITY);
    while (isfinite(to) && real_of_single(to) > high)
        to = nextafterf(to, -INFINITY);
    return (struct scan_test){.kind = SCAN_SINGLE, .column = column, .single_low = from, .single_high = to};
}

/* Keeps of the places (`in` NULL: all of 0 .. n - 1) those with `holds`; without a branch, for half of them may fail.
 */
#define KEEP(holds)                              \
    do {                                         \
        if (!in)                                 \
            for (size_t i = 0; i < n; i++) {     \
                out[k] = (uint16_t)i;            \
                k += (holds);                    \
            }                                    \
        else                                     \
            for (size_t j = 0; j < n; j++) {     \
                size_t i = in[j];                \
                out[k] = (uint16_t)i;            \
                k += (holds);                    \
            }                                    \
    } while (0)

static size_t keep(const struct scan_test *t, size_t begin, const uint16_t *in, size_t n, uint16_t *out)
{
    size_t k = 0;
    switch (t->kind) {
    case SCAN_CODE32: {
        const uint32_t *c = (const uint32_t *)t->column + begin, code = t->code;
        KEEP(c[i] == code);
        break;
    }
    case SCAN_SET32: {
        const uint32_t *c = (const uint32_t *)t->column + begin, most = t->ncodes;
        const uint8_t *chosen = t->chosen;
        KEEP(c[i] < most && chosen[c[i]]);
        break;
    }
    case SCAN_SET16: {
        const uint16_t *c = (const uint16_t *)t->column + begin;
        const uint8_t *chosen = t->chosen;
        KEEP(chosen[c[i]]);
        break;
    }
    case SCAN_SET8: {
        const uint8_t *c = (const uint8_t *)t->column + begin;
        const uint8_t *chosen = t->chosen;
        KEEP(chosen[c[i]]);
        break;
    }
    case SCAN_WHOLE: {
        const int64_t *c = (const int64_t *)t->column + begin, low = t->low, high = t->high;
        KEEP((c[i] >= low) & (c[i] <= high));
        break;
    }
    case SCAN_SINGLE: {
        const float *c = (const float *)t->column + begin, low = t->single_low, high = t->single_high;
        KEEP((c[i] >= low) & (c[i] <= high));
        break;
    }
    case SCAN_REAL: {
        const double *c = (const double *)t->column + begin, low = t->real_low, high = t->real_high;
        KEEP((c[i] >= low) & (c[i] <= high));
        break;
    }
    }
    return k;
}

size_t scan_block(const struct scan *s, size_t begin, size_t n, uint16_t *place)
{
    if (s->n == 0)
        for (size_t i = 0; i < n; i++)
            place[i] = (uint16_t)i;
    for (size_t t = 0; t < s->n && n; t++)
        n = keep(&s->tests[t], begin, t ? place : NULL, n, place);
    return n;
}

bool scan_holds(const struct scan *s, size_t event)
{
    uint16_t place[1];
    return scan_block(s, event, 1, place) == 1;
}

/* ---- counting ---- */

enum { COUNT_BLOCK = 1 << 18 };

struct counting {
    const struct scan *scan;
    size_t begin;
    struct job *job;
    uint64_t *counts; /* a block */
};

static void count_block(void *context, size_t i, size_t from, size_t to)
{
    struct counting *c = context;
    uint16_t place[SCAN_BLOCK];
    uint64_t n = 0;
    if (job_cancelled(c->job))
        return;
    for (size_t at = from; at < to; at += SCAN_BLOCK)
        n += scan_block(c->scan, c->begin + at, to - at < SCAN_BLOCK ? to - at : SCAN_BLOCK, place);
    c->counts[i] = n;
}

enum status scan_count(const struct scan *s, size_t begin, size_t end, struct job *job, uint64_t *count,
                       struct error *err)
{
    *count = end - begin;
    if (s->n == 0 || begin == end)
        return ST_OK;
    size_t blocks = parallel_count(end - begin, COUNT_BLOCK);
    uint64_t one, *counts = blocks == 1 ? &one : mem_new(blocks, sizeof *counts, "counts", err);
    if (!counts)
        return ST_NOMEM;
    struct counting c = {s, begin, job, counts};
    if (blocks == 1)
        count_block(&c, 0, 0, end - begin);
    else
        parallel_blocks(end - begin, COUNT_BLOCK, count_block, &c);
    enum status st = job_check(job, err);
    *count = 0;
    for (size_t i = 0; i < blocks && !st; i++)
        *count += counts[i];
    if (counts != &one)
        mem_free(counts);
    return st;
}
