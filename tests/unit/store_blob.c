/* Sections: what goes in comes out; whatever is cut off or altered is refused. */
#include "tests/unit/unit.h"

#include <stdbool.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "store/blob.h"
#include "tests/unit/memory.h"

struct memory {
    unsigned char bytes[8192];
    size_t n, at;
};

static enum status memory_write(void *context, const void *bytes, size_t n, struct error *err)
{
    struct memory *m = context;
    if (n > sizeof m->bytes - m->n)
        return error_set(err, ST_IO, "full");
    memcpy(m->bytes + m->n, bytes, n);
    m->n += n;
    return ST_OK;
}

static enum status memory_read(void *context, void *bytes, size_t n, struct error *err)
{
    struct memory *m = context;
    if (n > m->n - m->at)
        return error_set(err, ST_CORRUPT, "cut short");
    memcpy(bytes, m->bytes + m->at, n);
    m->at += n;
    return ST_OK;
}

static const float vectors[5] = {1.5f, -2, 0, 3e30f, 0.1f};
static const uint64_t ids[3] = {1, UINT64_MAX, 42};

static void fill(struct memory *m)
{
    struct blob_writer w = {m, memory_write};
    memset(m, 0, sizeof *m);
    assert_int_equal(blob_put_text(&w, "class", "ease", NULL), ST_OK);
    assert_int_equal(blob_put(&w, "vectors", BLOB_F32, vectors, 5, NULL), ST_OK);
    assert_int_equal(blob_put(&w, "ids", BLOB_U64, ids, 3, NULL), ST_OK);
    assert_int_equal(blob_put(&w, "nothing", BLOB_U8, "", 0, NULL), ST_OK);
}

/* Reads all sections of fill(); ST_OK only when every value is the one written. */
static enum status drain(struct memory *m, struct error *err)
{
    struct blob_reader r = {m, memory_read};
    char *text = NULL, none;
    float f[5];
    void *u = NULL;
    size_t n = 0;
    m->at = 0;
    enum status st = blob_get_text(&r, "class", 16, &text, err);
    if (!st)
        st = blob_get(&r, "vectors", BLOB_F32, f, 5, err);
    if (!st)
        st = blob_get_new(&r, "ids", BLOB_U64, 10, &u, &n, err);
    if (!st)
        st = blob_get(&r, "nothing", BLOB_U8, &none, 0, err);
    if (!st) {
        assert_string_equal(text, "ease");
        assert_memory_equal(f, vectors, sizeof f);
        assert_int_equal(n, 3);
        assert_memory_equal(u, ids, sizeof ids);
    }
    mem_free(text);
    mem_free(u);
    return st;
}

static void test_round_trip(void **state)
{
    (void)state;
    struct memory m;
    struct error err;
    fill(&m);
    assert_int_equal(drain(&m, &err), ST_OK);
}

static void test_expectations(void **state)
{
    (void)state;
    struct memory m;
    struct error err;
    struct blob_reader r = {&m, memory_read};
    char *text, bytes[4];
    void *p;
    size_t n;
    fill(&m);
    assert_int_equal(blob_get_text(&r, "other", 16, &text, &err), ST_CORRUPT);
    m.at = 0;
    assert_int_equal(blob_get_text(&r, "class", 3, &text, &err), ST_CORRUPT);
    m.at = 0;
    assert_int_equal(blob_get_new(&r, "class", BLOB_F32, 16, &p, &n, &err), ST_CORRUPT);
    m.at = 0;
    assert_int_equal(blob_get(&r, "class", BLOB_U8, bytes, 3, &err), ST_CORRUPT);
    struct blob_writer w = {&m, memory_write};
    assert_int_equal(blob_put(&w, "a name that is longer than 31 bytes", BLOB_U8, "", 0, &err), ST_INTERNAL);
}

static void test_truncated_everywhere(void **state)
{
    (void)state;
    struct memory m;
    fill(&m);
    size_t whole = m.n;
    for (m.n = 0; m.n < whole; m.n++) {
        struct error err = {0};
        assert_int_equal(drain(&m, &err), ST_CORRUPT);
        assert_string_not_equal(err.message, "");
    }
}

static void test_every_bit_flipped(void **state)
{
    (void)state;
    struct memory m;
    fill(&m);
    for (size_t bit = 0; bit < m.n * 8; bit++) {
        m.bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
        assert_int_equal(drain(&m, NULL), ST_CORRUPT);
        m.bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
    }
    assert_int_equal(drain(&m, NULL), ST_OK);
}

static void test_noise(void **state)
{
    (void)state;
    struct memory m;
    struct rng r = rng_stream(1, "noise", 0);
    for (int round = 0; round < 2000; round++) {
        fill(&m);
        size_t at = rng_below(&r, m.n), n = 1 + rng_below(&r, 64);
        bool altered = false;
        for (size_t i = at; i < at + n && i < m.n; i++) {
            unsigned char byte = (unsigned char)rng_next(&r);
            altered |= m.bytes[i] != byte;
            m.bytes[i] = byte;
        }
        assert_int_equal(drain(&m, NULL), altered ? ST_CORRUPT : ST_OK);
    }
}

static void test_no_memory(void **state)
{
    (void)state;
    struct memory m;
    struct error err;
    atomic_long left = 0;
    fill(&m);
    mem_set_hook(fail_from, &left);
    enum status st = drain(&m, &err);
    mem_set_hook(NULL, NULL);
    assert_int_equal(st, ST_NOMEM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_expectations),
        cmocka_unit_test(test_truncated_everywhere),
        cmocka_unit_test(test_every_bit_flipped),
        cmocka_unit_test(test_noise),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests_name("store_blob", tests, NULL, NULL);
}
