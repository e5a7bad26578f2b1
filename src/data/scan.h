/* Scans: which events fulfil some conditions, in tight loops over the columns.
 *
 * A scan is a list of tests that an event must pass all of. Blocks of events are tested column by column; what remains
 * is a list of places in the block. Counting runs on all threads. */
#ifndef TAILOR_DATA_SCAN_H
#define TAILOR_DATA_SCAN_H

#include "base/job.h"
#include "data/dataset.h"

enum { SCAN_BLOCK = 4096, SCAN_TESTS = 32 };

enum scan_kind {
    SCAN_CODE32, /* a column of codes equal to one */
    SCAN_SET32,  /* codes of which `chosen` has a 1 */
    SCAN_SET16,
    SCAN_SET8,
    SCAN_WHOLE,  /* int64: low <= x <= high; the missing one is INT64_MIN */
    SCAN_SINGLE, /* float, double: real_low <= x <= real_high; NaN never passes */
    SCAN_REAL,
};

struct scan_test {
    enum scan_kind kind;
    const void *column;
    uint32_t code;
    const uint8_t *chosen; /* SET: a byte a code; codes from ncodes on (missing) are not chosen */
    uint32_t ncodes;
    int64_t low, high;
    double real_low, real_high;
    float single_low, single_high;
};

struct scan {
    struct scan_test tests[SCAN_TESTS];
    size_t n;
};

/* Adds a test. ST_UNSUPPORTED when there are SCAN_TESTS already. */
MUST_CHECK enum status scan_add(struct scan *s, struct scan_test test, struct error *err);
/* A test of float numbers against doubles, each read as real_of_single reads it. */
struct scan_test scan_single(const float *column, double low, double high);
/* Places, from 0, of the events of [begin, begin + n) that pass, ascending; n <= SCAN_BLOCK. */
size_t scan_block(const struct scan *s, size_t begin, size_t n, uint16_t *place);
bool scan_holds(const struct scan *s, size_t event);
/* How many of [begin, end) pass. */
MUST_CHECK enum status scan_count(const struct scan *s, size_t begin, size_t end, struct job *job, uint64_t *count,
                                  struct error *err);

#endif
