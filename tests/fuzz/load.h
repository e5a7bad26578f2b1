/* Loading bytes as the program would, and what must hold of the outcome. */
#ifndef TAILOR_TESTS_FUZZ_LOAD_H
#define TAILOR_TESTS_FUZZ_LOAD_H

#include "ingest/ingest.h"

struct outcome {
    enum status st;
    struct error err;
    struct dataset *data; /* NULL when st is not ST_OK */
    struct ingest_report report;
    uint64_t rejects;
    uint64_t rejects_hash; /* of line, reason and text of each, in order */
};

/* A regular file without a name that holds data[0..n), and the path that opens it as long as it is not closed. */
int fuzz_file(const uint8_t *data, size_t n, char path[64]);
/* Loads data[0..n) from a regular file that has no name; piped: through a pipe instead. */
void fuzz_load(const uint8_t *data, size_t n, bool piped, const struct mapping *mapping, size_t nmapping,
               struct outcome *out);
/* Rows read are kept or rejected, every reject was told, all text inside is UTF-8, a failure has a message; then frees. */
void fuzz_check(struct outcome *o);
/* Both outcomes are the same to the last bit: status, counts, ids, events, rejects; with `whole` all fields too. */
void fuzz_same(const struct outcome *a, const struct outcome *b, bool whole);
/* Loads the bytes in the ways there are and compares: from a file in chunks on all cores, from a pipe, row by row (a
 * computed type has that effect), and as mere rows of a sheet. format: "csv" or "jsonl". */
void fuzz_each_way(const uint8_t *data, size_t n, const char *format);

#endif
