/* The smallest sets: against trying every set there is. */
#include "tests/unit/unit.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "inspect/search.h"
#include "tests/unit/memory.h"

enum { ELEMENTS = 9, RIVALS = 14 };

/* A made-up case: the truth in double, as a model that is asked would tell it. */
struct toy {
    size_t n, rivals, k;
    enum search_goal goal;
    bool hiding, coarse; /* coarse: few different numbers, so ties */
    float lead[RIVALS], gain[ELEMENTS * RIVALS];
    uint32_t own[ELEMENTS];
    double twist;        /* not additive: what pairs of elements do to each other */
    uint64_t asked;
};

static double number(struct rng *r, bool coarse)
{
    double u = rng_real(r) * 2 - 1;
    return coarse ? round(u * 2) : (float)u;
}

static void toy_make(struct toy *t, uint64_t seed)
{
    struct rng r = rng_stream(7, "toys", seed);
    *t = (struct toy){.n = 1 + rng_below(&r, ELEMENTS), .rivals = 1 + rng_below(&r, RIVALS), .goal = seed % 2 ? GOAL_IN : GOAL_OUT};
    t->k = 1 + rng_below(&r, 4);
    t->hiding = t->goal == GOAL_IN && rng_below(&r, 2);
    t->coarse = rng_below(&r, 2);
    t->twist = seed % 3 == 0 ? 1 : 0;
    double hard = rng_real(&r) * 3, sign = t->goal == GOAL_IN ? -1 : 1;
    for (size_t i = 0; i < t->rivals; i++)
        t->lead[i] = (float)(number(&r, t->coarse) + (t->coarse ? round(hard) : (double)(float)hard) * sign);
    for (size_t i = 0; i < t->n * t->rivals; i++)
        t->gain[i] = rng_below(&r, 4) ? (float)number(&r, t->coarse) : 0;
    for (size_t e = 0; e < t->n; e++)
        t->own[e] = t->hiding && e < t->rivals && rng_below(&r, 2) ? (uint32_t)e : NO_RIVAL;
}

/* Rivals with an odd number go first at a tie. */
static bool toy_good(const struct toy *t, const uint32_t *set, size_t n)
{
    size_t ahead = 0;
    for (size_t i = 0; i < t->rivals; i++) {
        double lead = (double)t->lead[i];
        bool hidden = false;
        for (size_t e = 0; e < n; e++) {
            lead += (double)t->gain[set[e] * t->rivals + i] * (1 + t->twist * (double)(n - 1));
            hidden = hidden || t->own[set[e]] == i;
        }
        ahead += !hidden && (fabs(lead) < 1e-12 ? i % 2 == 1 : lead < 0);
    }
    return t->goal == GOAL_IN ? ahead < t->k : ahead >= t->k;
}

static enum status toy_ask(void *context, const uint32_t *sets, size_t n, size_t size, double *far, struct error *err)
{
    struct toy *t = context;
    (void)err;
    t->asked += n;
    for (size_t i = 0; i < n; i++) {
        for (size_t e = 1; e < size; e++)
            assert_true(sets[i * size + e] > sets[i * size + e - 1]);
        assert_true(sets[i * size + size - 1] < t->n);
        far[i] = toy_good(t, sets + i * size, size) ? 0 : 1;
    }
    return ST_OK;
}

/* Size of the smallest good set by trying all 2^n; 0: there is none. */
static size_t smallest(const struct toy *t, size_t most)
{
    size_t best = 0;
    for (uint32_t bits = 1; bits < 1U << t->n; bits++) {
        uint32_t set[ELEMENTS];
        size_t n = 0;
        for (uint32_t e = 0; e < t->n; e++)
            if (bits >> e & 1)
                set[n++] = e;
        if (n <= most && (!best || n < best) && toy_good(t, set, n))
            best = n;
    }
    return best;
}

static void check(struct toy *t, size_t most)
{
    struct search s = {.nelements = t->n, .most = most, .ask = toy_ask, .context = t, .goal = t->goal, .k = t->k, .nrivals = t->rivals};
    float lead[RIVALS];
    if (t->twist == 0) {
        for (size_t i = 0; i < t->rivals; i++)
            lead[i] = search_lead(t->lead[i], 0, i % 2 == 1);
        s.lead = lead;
        s.gain = t->gain;
        s.own = t->hiding ? t->own : NULL;
        s.size = 5;
    }
    struct found_set f;
    assert_int_equal(search_smallest(&s, &f, NULL), ST_OK);
    size_t best = smallest(t, most ? most : t->n);
    assert_int_equal(f.found, best > 0);
    assert_int_equal(f.none, best == 0);
    assert_false(f.late);
    assert_int_equal(f.n, best);
    assert_true(f.asked == t->asked);
    if (f.found)
        assert_true(found_smallest(&f) && toy_good(t, f.set, f.n));
    else
        assert_int_equal(f.at_least, (most && most < t->n ? most : t->n) + 1);
    found_set_clear(&f);
}

/* Does the empty set do? Then nobody searches. */
static bool needless(const struct toy *t)
{
    return toy_good(t, NULL, 0);
}

static void test_toys(void **state)
{
    size_t found = 0, larger = 0;
    (void)state;
    for (uint64_t seed = 0; seed < 3000; seed++) {
        struct toy t;
        toy_make(&t, seed);
        if (needless(&t))
            continue;
        check(&t, seed % 5 == 0 ? 2 : 0);
        size_t n = smallest(&t, t.n);
        found += n > 0;
        larger += n > 2;
    }
    assert_true(found > 500 && larger > 100);
}

/* Many elements: bounds rule out nearly all sets before anybody is asked. */
struct large {
    struct search s;
    const float *lead, *gain;
    size_t asked;
};

static enum status large_ask(void *context, const uint32_t *sets, size_t n, size_t size, double *far, struct error *err)
{
    struct large *l = context;
    (void)err;
    l->asked += n;
    for (size_t i = 0; i < n; i++) {
        size_t ahead = 0;
        for (size_t r = 0; r < l->s.nrivals; r++) {
            double lead = (double)l->lead[r];
            for (size_t e = 0; e < size; e++)
                lead += (double)l->gain[sets[i * size + e] * l->s.nrivals + r];
            ahead += lead < 0;
        }
        far[i] = (double)ahead - (double)(l->s.k - 1);
    }
    return ST_OK;
}

/* Somebody has waited long enough. */
static enum status cancelled_at_two(void *context, const uint32_t *sets, size_t n, size_t size, double *far, struct error *err)
{
    struct large *l = context;
    if (size == 2)
        job_cancel(l->s.job);
    return large_ask(context, sets, n, size, far, err);
}

enum { MANY = 200, MANY_RIVALS = 500 };

static struct large large_make(float *lead, float *gain)
{
    struct rng r = rng_stream(7, "large", 0);
    for (size_t i = 0; i < MANY_RIVALS; i++)
        lead[i] = (float)(rng_real(&r) - (i < 20 ? 1.1 : .2));
    for (size_t i = 0; i < (size_t)MANY * MANY_RIVALS; i++)
        gain[i] = (float)(rng_real(&r) - .3);
    return (struct large){.s = {.nelements = MANY, .ask = large_ask, .goal = GOAL_IN, .k = 10, .nrivals = MANY_RIVALS, .lead = lead, .gain = gain, .size = 10}, .lead = lead, .gain = gain};
}

static void test_large(void **state)
{
    (void)state;
    float *lead = mem_new(MANY_RIVALS, sizeof *lead, "", NULL), *gain = mem_new((size_t)MANY * MANY_RIVALS, sizeof *gain, "", NULL);
    struct large l = large_make(lead, gain);
    struct found_set f;
    l.s.context = &l;
    assert_int_equal(search_smallest(&l.s, &f, NULL), ST_OK);
    assert_true(found_smallest(&f));

    assert_true(f.n >= 2 && l.asked < 2000); /* of 200^n / n! sets */
    found_set_clear(&f);
    l.s.lead = NULL; /* the same without knowing that it adds up, and with little time */
    l.s.seconds = .05;
    assert_int_equal(search_smallest(&l.s, &f, NULL), ST_OK);
    assert_true(f.late || found_smallest(&f));
    assert_true(f.at_least >= 1);
    found_set_clear(&f);
    struct job job;
    struct error err = {0};
    job_init(&job);
    job_cancel(&job);
    l.s.job = &job;
    assert_int_equal(search_smallest(&l.s, &f, &err), ST_CANCELLED);
    found_set_clear(&f);
    /* Without a limit what was proved by then stands, and the work after it is not cancelled again. */
    job_reset(&job);
    l.s.seconds = 0;
    l.s.ask = cancelled_at_two;
    assert_int_equal(search_smallest(&l.s, &f, &err), ST_OK);
    assert_true(f.late && !f.none && f.at_least == 2 && !job_cancelled(&job));
    found_set_clear(&f);
    job_destroy(&job);
    mem_free(lead);
    mem_free(gain);
}

static void test_memory(void **state)
{
    (void)state;
    struct toy t;
    for (uint64_t seed = 0; seed < 30; seed++) {
        toy_make(&t, seed);
        float lead[RIVALS];
        for (size_t i = 0; i < t.rivals; i++)
            lead[i] = search_lead(t.lead[i], 0, i % 2 == 1);
        struct search s = {.nelements = t.n, .ask = toy_ask, .context = &t, .goal = t.goal, .k = t.k, .nrivals = t.rivals, .size = 5};
        if (t.twist == 0) {
            s.lead = lead;
            s.gain = t.gain;
        }
        enum status st = ST_NOMEM;
        for (size_t fail = 0; st == ST_NOMEM && fail < 100; fail++) {
            struct found_set f;
            struct error err = {0};
            atomic_long left = (long)fail;
            mem_set_hook(fail_one, &left);
            st = search_smallest(&s, &f, &err);
            mem_set_hook(NULL, NULL);
            found_set_clear(&f);
        }
        assert_int_equal(st, ST_OK);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_toys),
        cmocka_unit_test(test_large),
        cmocka_unit_test(test_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
