/* The menu of bad input: what is read, kept and rejected of each, exactly, and why; the same when it comes packed. */
#include "tests/unit/ingest_help.h"

#include <stdlib.h>
#include <zlib.h>
#include <zstd.h>

struct bad {
    const char *name, *text;
    size_t n; /* 0: strlen */
    uint64_t read, rejected;
    const char *reason; /* of the last one rejected holds these words */
};

#define BYTES(text) text, sizeof text - 1

/* A number within seven objects: the line is the eighth, and no deeper is read. */
#define DEEP_7                                                                                                         \
    "{\"a\":{\"b\":{\"c\":{\"d\":{\"e\":{\"f\":{\"g\":1}}}}}}}"

static const struct bad menu[] = {
    {"NUL in a cell.csv", BYTES("user,item\na,b\nc\0c,d\ne,f\n"), 3, 1, "NUL"},
    {"NUL in a cell.tsv", BYTES("user\titem\na\tb\nc\0c\td\n"), 2, 1, "NUL"},
    {"NUL in a line.jsonl", BYTES("{\"user\":\"a\",\"item\":\"b\"}\n{\"user\":\"c\0\",\"item\":\"d\"}\n"), 2, 1, "NUL"},
    {"byte order mark.csv", BYTES("\xef\xbb\xbfuser,item\na,b\n"), 1, 0, NULL},
    {"byte order mark.jsonl", BYTES("\xef\xbb\xbf{\"user\":\"a\",\"item\":\"b\"}\n"), 1, 0, NULL},
    {"CRLF.csv", BYTES("user,item\r\na,b\r\n\r\nc,d\r\n"), 2, 0, NULL},
    {"CRLF.tsv", BYTES("user\titem\r\na\tb\r\n"), 1, 0, NULL},
    {"CRLF.jsonl", BYTES("{\"user\":\"a\",\"item\":\"b\"}\r\n"), 1, 0, NULL},
    {"lone CR.csv", BYTES("user,item\ra,b\rc,d\r"), 2, 0, NULL},
    {"no line end.csv", BYTES("user,item\na,b"), 1, 0, NULL},
    {"open quote.csv", BYTES("user,item,n\na,b,\"open\nc,d,x\n"), 2, 1, "never closed"},
    {"text behind a quote.csv", BYTES("user,item\na,\"b\"c\nd,e\n"), 2, 1, "behind a closing quote"},
    {"no user.csv", BYTES("user,item\n,b\nc,d\n"), 2, 1, "no user"},
    {"no item.tsv", BYTES("user\titem\na\t\nc\td\n"), 2, 1, "no item"},
    {"not a time.csv", BYTES("user,item,time\na,b,31/02/2024\nc,d,2024-02-29\n"), 2, 1, "31/02/2024"},
    {"seconds, milli, micro, nano.csv",
     BYTES("user,item,time\na,b,1700000000\nc,d,1700000000000\ne,f,1700000000000000\ng,h,1700000000000000000\n"), 4, 0,
     NULL},
    {"overflowing time.csv", BYTES("user,item,time\na,b,99999999999999999999\nc,d,1700000000\n"), 2, 1, "time"},
    {"value beyond numbers.csv", BYTES("user,item,rating\na,b,1e999\nc,d,5\n"), 2, 1, "1e999"},
    {"no numbers.csv", BYTES("user,item,rating\na,b,NaN\nc,d,inf\ne,f,-inf\ng,h,-3\ni,j,-0.0\n"), 5, 3, "finite"},
    {"beyond numbers.jsonl",
     BYTES("{\"user\":\"a\",\"item\":\"b\",\"rating\":5}\n{\"user\":\"c\",\"item\":\"d\",\"rating\":1e999}\n"), 2, 1, ""},
    {"no JSON numbers.jsonl",
     BYTES("{\"user\":\"a\",\"item\":\"b\",\"rating\":-5}\n{\"user\":\"c\",\"item\":\"d\",\"rating\":NaN}\n"
           "{\"user\":\"e\",\"item\":\"f\",\"rating\":Infinity}\n"), 3, 2, ""},
    {"times.jsonl",
     BYTES("{\"user\":\"a\",\"item\":\"b\",\"time\":1700000000}\n{\"user\":\"c\",\"item\":\"d\",\"time\":1700000000000}\n"
           "{\"user\":\"e\",\"item\":\"f\",\"time\":99999999999999999999}\n"), 3, 1, "time"},
    {"as deep as may be.jsonl", BYTES("{\"user\":\"a\",\"item\":\"b\",\"x\":" DEEP_7 "}\n"), 1, 0, NULL},
    {"deeper.jsonl", BYTES("{\"user\":\"a\",\"item\":\"b\"}\n{\"user\":\"a\",\"item\":\"b\",\"x\":{\"k\":" DEEP_7 "}}\n"), 2, 1,
     "nested too deep"},
    {"not closed.jsonl", BYTES("{\"user\":\"a\",\"item\":\"b\"\n{\"user\":\"c\",\"item\":\"d\"}\n"), 2, 1, ""},
    {"text behind.jsonl", BYTES("{\"user\":\"a\",\"item\":\"b\"} x\n{\"user\":\"c\",\"item\":\"d\"}\n"), 2, 1, "JSON"},
    {"no object.jsonl", BYTES("{\"user\":\"c\",\"item\":\"d\"}\n[1,2]\n\"s\"\n"), 3, 2, ""},
    {"empty lines.jsonl", BYTES("{\"user\":\"a\",\"item\":\"b\"}\n\n\n{\"user\":\"a\",\"item\":\"b\"}\n\n\n"), 2, 0, NULL},
    {"half a surrogate.jsonl", BYTES("{\"user\":\"c\",\"item\":\"d\"}\n{\"user\":\"\\ud83d\",\"item\":\"d\"}\n"), 2, 1, ""},
    {"two columns of a name.csv", BYTES("user,item,x,x\na,b,1,2\n"), 1, 0, NULL},
    {"hostile text.csv", BYTES("user,item\n\x1b[2J,\x1b]52;c;x\x07\n\xe2\x80\xae,d\n"), 2, 0, NULL},
};

static void check(const struct bad *b, const char *name, const void *bytes, size_t n)
{
    struct loaded l;
    if (load_bytes(&l, name, bytes, n))
        fail_msg("%s: %s", b->name, l.err.message);
    if (l.data->rows_read != b->read || l.rejects != b->rejected)
        fail_msg("%s: %llu read, %llu rejected (%s)", b->name, (unsigned long long)l.data->rows_read,
                 (unsigned long long)l.rejects, l.last_reason);
    if (b->reason && !strstr(l.last_reason, b->reason))
        fail_msg("%s: %s", b->name, l.last_reason);
    unload(&l);
}

static size_t gzipped(const char *text, size_t n, char *out, size_t room)
{
    gzFile z = gzopen(scratch_path("x.gz"), "wb");
    gzwrite(z, text, (unsigned)n);
    gzclose(z);
    FILE *f = fopen(scratch_path("x.gz"), "rb");
    size_t got = fread(out, 1, room, f);
    fclose(f);
    return got;
}

static void test_menu(void **state)
{
    (void)state;
    char packed[4096], name[128];
    for (size_t i = 0; i < sizeof menu / sizeof *menu; i++) {
        const struct bad *b = &menu[i];
        check(b, b->name, b->text, b->n);
        snprintf(name, sizeof name, "%s.gz", b->name);
        check(b, name, packed, gzipped(b->text, b->n, packed, sizeof packed));
        snprintf(name, sizeof name, "%s.zst", b->name);
        check(b, name, packed, ZSTD_compress(packed, sizeof packed, b->text, b->n, 1));
    }
}

/* What is packed and damaged is refused as a whole; members one behind the other are one text. */
static void test_packed(void **state)
{
    (void)state;
    static const char first[] = "user,item\na,b\n", second[] = "c,d\n";
    char packed[8192];
    struct loaded l;
    size_t n = ZSTD_compress(packed, sizeof packed, first, sizeof first - 1, 1);
    n += ZSTD_compress(packed + n, sizeof packed - n, second, sizeof second - 1, 1);
    assert_int_equal(load_bytes(&l, "two.csv.zst", packed, n), ST_OK);
    assert_int_equal(l.data->rows_read, 2);
    unload(&l);
    char text[6000] = "user,item\n";
    for (size_t at = strlen(text), i = 0; i < 400; i++)
        at += (size_t)snprintf(text + at, sizeof text - at, "u%zu,i%zu\n", i * 7919 % 1000, i * 104729 % 1000);
    n = gzipped(text, strlen(text), packed, sizeof packed);
    assert_int_equal(load_bytes(&l, "half.csv.gz", packed, n / 2), ST_FORMAT);
    assert_non_null(strstr(l.err.message, "ends in the middle"));
    packed[n - 6] ^= 0x55; /* of the checksum */
    assert_int_equal(load_bytes(&l, "flipped.csv.gz", packed, n), ST_FORMAT);
    assert_non_null(strstr(l.err.message, "damaged"));
}

/* A line of many megabytes is a row as long as it stays under the cap; one beyond it is rejected, its neighbours are not;
 * and so is one that nests a million deep. */
static void test_long_lines(void **state)
{
    (void)state;
    enum { LONG = 10 << 20, BEYOND = (16 << 20) + 1, DEEP = 1 << 20 };
    static const char first[] = "{\"user\":\"a\",\"item\":\"b\"}\n{\"user\":\"c\",\"item\":\"d\",\"x\":";
    static const char last[] = "}\n{\"user\":\"e\",\"item\":\"f\"}\n";
    static const struct {
        char fill;
        size_t n;
        uint64_t rejected;
    } middle[] = {{'y', LONG, 0}, {'y', BEYOND, 1}, {'[', DEEP, 1}};
    char *text = malloc(BEYOND + sizeof first + sizeof last + 2);
    assert_non_null(text);
    for (size_t i = 0; i < sizeof middle / sizeof *middle; i++) {
        struct loaded l;
        bool quoted = middle[i].fill == 'y';
        size_t at = sizeof first - 1;
        memcpy(text, first, at);
        if (quoted)
            text[at++] = '"';
        memset(text + at, middle[i].fill, middle[i].n);
        at += middle[i].n;
        if (quoted)
            text[at++] = '"';
        memcpy(text + at, last, sizeof last - 1);
        if (load_bytes(&l, "long.jsonl", text, at + sizeof last - 1))
            fail_msg("%zu: %s", i, l.err.message);
        if (l.data->rows_read != 3 || l.rejects != middle[i].rejected)
            fail_msg("%zu: %llu read, %llu rejected (%s)", i, (unsigned long long)l.data->rows_read,
                     (unsigned long long)l.rejects, l.last_reason);
        unload(&l);
    }
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_menu), cmocka_unit_test(test_packed),
                                       cmocka_unit_test(test_long_lines)};
    return cmocka_run_group_tests_name("ingest_bad", tests, NULL, remove_scratch);
}
