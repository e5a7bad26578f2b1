/* Whatever comes in: no crash, rows read = kept + rejected, text inside is UTF-8, and every allocation may fail. */
#include "tests/unit/ingest_help.h"

#include "base/rng.h"

static const char *const seeds[] = {
    "user,item,rating,timestamp,note\nu1,i1,5,2026-05-24T10:30:00Z,\"a \"\"quoted\"\" "
    "note\"\nu2,i2,4.5,1779618600,\nJos\xe9,i3,1,1779618600123,x\n",
    "1\t242\t3\t881250949\r\n186\t302\t3\t891717742\r\n22\t377\t1\t878887116\r\n",
    "1::10::5::978300760\n1::20::3::978302109\n",
    "{\"user_id\":\"1\",\"product_id\":\"s\",\"timestamp\":\"2026-05-24T10:30:00Z\",\"n\":1.5,\"tags\":[\"a\",\"b\"],"
    "\"o\":{\"x\":true,\"y\":null}}\n"
    "{\"user_id\":2,\"product_id\":\"t\",\"timestamp\":1779618600}\n",
    "0 1 2 3 4\n1 5 6\n2 7\n",
    "user;item;value\ra;b;1,5\rc;d;2\r",
    "\"User-ID\";\"ISBN\";\"Book-Rating\"\r\n\"276725\";\"034545104X\";\"0\"\r\n\"7\";\"a\\\"b\";\"5\"\r\n",
    "user_id:token\titem_id:token\trating:float\tw:token_seq\n196\t242\t3\ta b\n186\t302\t3.5\t\n",
    ",timestamp,item_id,position,click,propensity_score,user_feature_0,user-item_affinity_0\n"
    "0,2019-11-24 00:03:13+00:00,0,3,0,0.02,ce,0.5\n1,2019-11-24 00:03:36+00:00,0,1,1,0.5,cf,0.5\n",
    "(0,25)\t1064\t174\n(1,133)\t1072\t\n",
    "0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 5\n0 3 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n",
    "{\"reviewerID\": \"A1\", \"asin\": \"7806397051\", \"overall\": 1.0, \"unixReviewTime\": 1391040000}\n",
};
enum { SEEDS = sizeof seeds / sizeof *seeds, MOST = 2048, ROUNDS = 20000 };

/* A few small changes: a byte flipped, a piece cut, doubled or moved, a nasty token put in. */
static size_t mutate(struct rng *g, char *text, size_t n)
{
    static const char *const nasty[] = {"\"",
                                        "\"\"",
                                        ",",
                                        "\n",
                                        "\r",
                                        "\t",
                                        "::",
                                        "|",
                                        "{",
                                        "}",
                                        "[",
                                        "]",
                                        ":",
                                        "\\",
                                        "\\u0000",
                                        "1e999",
                                        "NaN",
                                        "-",
                                        "99999999999999999999",
                                        "\xef\xbb\xbf",
                                        "\xff",
                                        "\xc3",
                                        "\xe2\x82",
                                        "user",
                                        "item",
                                        " ",
                                        "null",
                                        "{\"a\":",
                                        "[["};
    for (uint64_t changes = 1 + rng_below(g, 4); changes > 0; changes--) {
        size_t at = rng_below(g, n + 1), length = rng_below(g, 24);
        switch (rng_below(g, 5)) {
        case 0:
            if (at < n)
                text[at] = (char)rng_below(g, 256);
            break;
        case 1:
            if (at + length < n) {
                memmove(text + at, text + at + length, n - at - length);
                n -= length;
            }
            break;
        case 2:
            if (at + length < n && n + length < MOST) {
                memmove(text + at + length, text + at, n - at);
                n += length;
            }
            break;
        case 3:
            if (at < n)
                n = at + 1;
            break;
        default: {
            const char *word = nasty[rng_below(g, sizeof nasty / sizeof *nasty)];
            size_t m = strlen(word);
            if (n + m < MOST) {
                memmove(text + at + m, text + at, n - at);
                memcpy(text + at, word, m);
                n += m;
            }
        }
        }
    }
    return n;
}

static void check_text(const struct dict *d)
{
    for (uint32_t i = 0; i < d->n; i++)
        assert_true(utf8_valid(dict_text(d, i), dict_length(d, i)));
}

static void check_fields(const struct fields *set, size_t rows)
{
    for (size_t i = 0; i < set->n; i++) {
        assert_int_equal(set->field[i].n, rows);
        check_text(&set->field[i].levels);
    }
}

static void test_fuzz(void **state)
{
    (void)state;
    size_t loaded = 0;
    for (uint32_t round = 0; round < ROUNDS; round++) {
        struct rng g;
        struct loaded l;
        char text[MOST];
        const char *seed = seeds[round % SEEDS];
        size_t n = strlen(seed);
        g = rng_stream(7, "fuzz", round); /* a failing round can be run alone */
        memcpy(text, seed, n);
        n = mutate(&g, text, n);
        if (load_bytes(&l, "fuzz", text, n))
            continue;
        loaded++;
        check_text(&l.data->users);
        check_text(&l.data->items);
        check_text(&l.data->types);
        check_fields(&l.data->events.context, l.data->events.n);
        unload(&l);
    }
    assert_in_range(loaded, ROUNDS / 4, ROUNDS);
}

/* ---- every allocation fails once ---- */

struct budget {
    uint64_t left;
    bool for_ever, failed;
};

static bool allow(void *context, size_t bytes)
{
    struct budget *b = context;
    (void)bytes;
    if (b->left) {
        b->left--;
        return true;
    }
    bool fails = b->for_ever || !b->failed;
    b->failed = true;
    return !fails;
}

static enum status load_all(const char *events, const char *items)
{
    struct loaded l = {0};
    struct reject_sink sink = {&l, count_reject};
    struct dataset *d = NULL, *next = NULL;
    enum status st = ingest_events(&events, 1, NULL, 0, "x", &sink, NULL, &d, &l.report, &l.err);
    if (!st)
        st = ingest_attributes(d, ATTRIBUTES_OF_ITEMS, items, NULL, 0, &sink, NULL, &next, &l.report, &l.err);
    dataset_release(d);
    dataset_release(next);
    return st;
}

static void fail_each(const char *events, const char *items, bool for_ever)
{
    for (uint64_t n = 0;; n++) {
        struct budget b = {.left = n, .for_ever = for_ever};
        mem_set_hook(allow, &b);
        enum status st = load_all(events, items);
        mem_set_hook(NULL, NULL);
        if (!b.failed) {
            assert_int_equal(st, ST_OK);
            assert_true(n > 50);
            return;
        }
        if (st && st != ST_NOMEM)
            fail_msg("allocation %llu: %s", (unsigned long long)n, status_name(st));
        assert_true(st == ST_NOMEM || !for_ever);
    }
}

static void test_no_memory(void **state)
{
    (void)state;
    static char csv[256], json[256], items[256];
    snprintf(csv, sizeof csv, "%s", write_text("m.csv", seeds[0]));
    snprintf(json, sizeof json, "%s", write_text("m.jsonl", seeds[3]));
    snprintf(items, sizeof items, "%s",
             write_text("items.csv", "item,title,genres,price\ni1,One,a|b,1.5\ni9,Nine,,2\n"));
    fail_each(csv, items, false);
    fail_each(csv, items, true);
    fail_each(json, items, false);
    fail_each(json, items, true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_fuzz), cmocka_unit_test(test_no_memory)};
    return cmocka_run_group_tests_name("ingest_fuzz", tests, NULL, remove_scratch);
}
