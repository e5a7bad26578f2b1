/* Fuzz targets: each is one LLVMFuzzerTestOneInput. `make fuzz` links it with libFuzzer; in the normal build replay.c runs
 * it over its committed corpus. A target asserts what must hold for any bytes: it never looks for one right answer. */
#ifndef TAILOR_TESTS_FUZZ_FUZZ_H
#define TAILOR_TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* assert() that stays in any build. */
#define MUST(holds)                                                                \
    do {                                                                           \
        if (!(holds)) {                                                            \
            fprintf(stderr, "%s:%d: MUST(%s) fails\n", __FILE__, __LINE__, #holds); \
            abort();                                                               \
        }                                                                          \
    } while (0)

#endif
