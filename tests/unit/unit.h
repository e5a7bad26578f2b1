/* What every unit test needs: cmocka and what its header wants before it. */
#ifndef TAILOR_TESTS_UNIT_UNIT_H
#define TAILOR_TESTS_UNIT_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* cmocka compares floats only. NaN is near nothing. */
#define assert_near(value, expected, epsilon)                                                                              \
    assert_true((value) - (expected) <= (epsilon) && (expected) - (value) <= (epsilon))

#endif
