/* Events from files: mapping, types, times, encodings, compressed and piped input, and every kind of bad row. */
#include "tests/unit/ingest_help.h"

#include <fcntl.h>
#include <math.h>
#include <pthread.h>
#include <zlib.h>
#include <zstd.h>

#define LOADS(l, name, text) assert_int_equal(load_text(l, name, text), ST_OK)

static void test_columns(void **state)
{
    (void)state;
    struct loaded l;
    LOADS(&l, "a.csv",
          "userId,sku,ts,event_type,rating,device,price,sessionId,clicks,share,joined,order_id,member\n"
          "u2,i1,2026-05-24T10:30:00Z,click,4.5,mobile,9.50,7,3,0.5,2020-01-02,17,true\n"
          "u1,i2,1779618600,buy,,\"desk, top\",,7,,1,,18,false\n");
    const struct events *e = &l.data->events;
    const struct fields *c = &e->context;
    assert_int_equal(e->n, 2);
    assert_string_equal(dict_text(&l.data->users, 0), "u2"); /* in order of appearance */
    assert_string_equal(dict_text(&l.data->types, e->type[1]), "buy");
    assert_int_equal(e->time[0], INT64_C(1779618600) * US_PER_SECOND);
    assert_int_equal(e->time[0], e->time[1]);
    assert_true(e->value[0] == 4.5f && isnan(e->value[1]));
    assert_string_equal(cell_text(c, "device", 1), "desk, top");
    assert_int_equal(fields_find(c, "price")->type, FIELD_REAL);
    assert_string_equal(cell_text(c, "price", 0), "9.5");
    assert_int_equal(fields_find(c, "session")->type, FIELD_TEXT);
    assert_int_equal(fields_find(c, "clicks")->type, FIELD_INT);
    assert_true(field_missing(fields_find(c, "clicks"), 1));
    assert_int_equal(fields_find(c, "share")->type, FIELD_REAL);
    assert_int_equal(fields_find(c, "joined")->type, FIELD_TIME);
    assert_int_equal(fields_find(c, "order_id")->type, FIELD_TEXT);
    assert_int_equal(fields_find(c, "member")->type, FIELD_INT);
    assert_int_equal(fields_find(c, "member")->integer[0], 1);
    assert_true(noted(&l, "user=userId") && noted(&l, "session=sessionId"));
    unload(&l);
}

static void test_mapping(void **state)
{
    (void)state;
    struct loaded l;
    const char *path = write_text(
        "b.txt", "who;what;when;colour;brand;country\nann;x;2026-01-01;red;Acme;GB\nann;y;2026-01-02;blue;Bolt;FR\n");
    const struct mapping m[] = {
        {"user", "who"}, {"item", "2"}, {"time", "WHEN"}, {"item.brand", "brand"}, {"user.country", "country"},
        {"tz", "+02:00"}};
    assert_int_equal(load_paths(&l, &path, 1, m, 6), ST_OK);
    assert_string_equal(cell_text(&l.data->item_fields, "brand", 1), "Bolt");
    assert_string_equal(cell_text(&l.data->user_fields, "country", 0), "FR"); /* the latest */
    assert_string_equal(cell_text(&l.data->events.context, "colour", 0), "red");
    assert_null(fields_find(&l.data->events.context, "brand"));
    assert_int_equal(l.data->events.time[0], time_days(2026, 1, 1) * US_PER_DAY - 2 * 3600 * US_PER_SECOND);
    assert_string_equal(dict_text(&l.data->types, 0), "event");
    unload(&l);

    const struct mapping wrong[] = {{"user", "whom"}};
    assert_int_equal(load_paths(&l, &path, 1, wrong, 1), ST_USAGE);
    assert_non_null(strstr(l.err.message, "no column \"whom\""));
    assert_non_null(strstr(l.err.hint, "did you mean user=who?"));
    assert_non_null(strstr(l.err.hint, "colour"));
    const struct mapping typo[] = {{"usr", "who"}};
    assert_int_equal(load_paths(&l, &path, 1, typo, 1), ST_USAGE);
    assert_non_null(strstr(l.err.hint, "user"));
    const struct mapping odd[] = {{"tz", "moon"}}, enc[] = {{"encoding", "ebcdic"}}, head[] = {{"header", "maybe"}},
                         delim[] = {{"delimiter", "ab"}};
    assert_int_equal(load_paths(&l, &path, 1, odd, 1), ST_USAGE);
    assert_int_equal(load_paths(&l, &path, 1, enc, 1), ST_USAGE);
    assert_int_equal(load_paths(&l, &path, 1, head, 1), ST_USAGE);
    assert_int_equal(load_paths(&l, &path, 1, delim, 1), ST_USAGE);
    assert_int_equal(load_path(&l, path), ST_USAGE);
    assert_non_null(strstr(l.err.hint, "who, what, when"));
}

static void test_no_header(void **state)
{
    (void)state;
    struct loaded l;
    LOADS(&l, "c.tsv", "196\t242\t3\t881250949\n186\t302\t3\t891717742\n");
    assert_string_equal(dict_text(&l.data->types, 0), "rating");
    assert_int_equal(l.data->events.time[0] / US_PER_SECOND, 881250949);
    assert_true(l.data->events.value[0] == 3);
    assert_true(noted(&l, "no header"));
    unload(&l);
    LOADS(&l, "d.csv", "1,2\n1,3\n2,2\n");
    assert_int_equal(l.data->events.n, 3);
    assert_null(l.data->events.time);
    assert_null(l.data->events.value);
    unload(&l);
    LOADS(&l, "e.csv", "user,item,x,x\na,b,1,2\n");
    assert_true(noted(&l, "x.2"));
    assert_string_equal(cell_text(&l.data->events.context, "x.2", 0), "2");
    unload(&l);
}

static void test_json(void **state)
{
    (void)state;
    struct loaded l;
    LOADS(&l, "a.jsonl",
          "{\"user_id\":\"12345\",\"event_type\":\"product_click\",\"product_id\":\"sku_987\",\"timestamp\":\"2026-05-"
          "24T10:30:00Z\",\"device\":\"mobile\",\"location\":\"US\"}\n"
          "\n"
          "{\"product_id\":17,\"user_id\":-8845298781299428018,\"timestamp\":1779618600000,\"event_type\":\"buy\","
          "\"n\":2,\"ok\":true,\"x\":null,\"geo\":{\"lat\":1.5},\"tags\":[\"a\",\"b|c\"]}\n");
    const struct fields *c = &l.data->events.context;
    assert_string_equal(l.report.reader, "jsonl");
    assert_string_equal(dict_text(&l.data->users, 1), "-8845298781299428018");
    assert_string_equal(dict_text(&l.data->items, 1), "17");
    assert_int_equal(l.data->events.time[0], l.data->events.time[1]);
    assert_string_equal(cell_text(c, "device", 0), "mobile");
    assert_true(field_missing(fields_find(c, "device"), 1));
    assert_int_equal(fields_find(c, "n")->type, FIELD_INT);
    assert_int_equal(fields_find(c, "geo.lat")->type, FIELD_REAL);
    assert_int_equal(fields_find(c, "tags")->type, FIELD_LIST);
    assert_int_equal(fields_find(c, "tags")->list_begin[2], 2);
    unload(&l);

    static const struct {
        const char *line, *reason;
    } bad[] = {{"{\"user_id\":\"a\",\"product_id\":\"b\"", "malformed"},
               {"{\"user_id\":\"a\"}", "no item"},
               {"[1,2]", "not a JSON object"},
               {"{\"user_id\":\"a\",\"product_id\":\"b\"} {}", "behind"},
               {"{\"user_id\":\"a\",\"product_id\":\"b\",\"d\":{\"d\":{\"d\":{\"d\":{\"d\":{\"d\":{\"d\":{\"d\":{\"d\":"
                "1}}}}}}}}}}",
                "too deep"},
               {"{\"user_id\":\"a\",\"product_id\":\"b\",\"v\":1e999}", "number"},
               {"{\"user_id\":\"a\",\"product_id\":\"b\",\"v\":NaN}", "JSON"},
               {"{\"user_id\":\"a\\u0000b\",\"product_id\":\"b\"}", "NUL"},
               {"{\"user_id\":[\"a\"],\"product_id\":\"b\"}", "list"},
               {"{\"user_id\":\"a\",\"product_id\":\"b\",\"t\":\"x\n\"}", ""}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char text[512];
        snprintf(text, sizeof text,
                 "{\"user_id\":\"a\",\"product_id\":\"b\"}\n%s\n{\"user_id\":\"a\",\"product_id\":\"c\"}\n",
                 bad[i].line);
        LOADS(&l, "bad.jsonl", text);
        assert_int_equal(l.data->events.n, 2);
        assert_true(l.rejects >= 1);
        assert_non_null(strstr(l.last_reason, bad[i].reason));
        unload(&l);
    }
    struct str deep = {0};
    str_puts(&deep, "{\"user_id\":\"a\",\"product_id\":\"b\"}\n{\"a\":");
    str_repeat(&deep, "[", 100000);
    LOADS(&l, "deep.jsonl", str_text(&deep));
    assert_int_equal(l.rejects, 1);
    str_free(&deep);
    unload(&l);
    assert_int_equal(load_text(&l, "array.json", "[{\"user_id\":1}]"), ST_FORMAT);
    assert_non_null(strstr(l.err.hint, "jq"));
}

/* One bad row between two good ones: it alone is refused, with its line and a reason. */
static void test_bad_rows(void **state)
{
    (void)state;
    static const struct {
        const char *row, *reason;
    } bad[] = {{"u,i", "2 columns where 4"},
               {"u,i,5,2026-01-01,more", "5 columns where 4"},
               {",i,5,2026-01-01", "no user"},
               {"u,,5,2026-01-01", "no item"},
               {"u,i,5,31/02/2024", "\"31/02/2024\" is not a time"},
               {"u,i,5,2024-02-30", "is not a time"},
               {"u,i,5,99999999999999999999999", "is not a time"},
               {"u,i,NaN,2026-01-01", "not a finite number"},
               {"u,i,Inf,2026-01-01", "not a finite number"},
               {"u,i,1e999,2026-01-01", "not a finite number"},
               {"u,i,1e39,2026-01-01", "too large"},
               {"u,i,five,2026-01-01", "not a finite number"},
               {"u,\"i\"x,5,2026-01-01", "behind a closing quote"},
               {"u,\"i,5,2026-01-01", "never closed"}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct loaded l;
        char text[256];
        snprintf(text, sizeof text, "user,item,rating,time\na,b,1,2026-01-01\n%s\nc,d,2,2026-01-02\n", bad[i].row);
        LOADS(&l, "bad.csv", text);
        assert_int_equal(l.data->events.n, 2);
        assert_int_equal(l.rejects, 1);
        assert_int_equal(l.last_line, 3);
        assert_string_equal(l.last_text, bad[i].row);
        assert_non_null(strstr(l.last_reason, bad[i].reason));
        unload(&l);
    }
    struct loaded l;
    LOADS(&l, "times.csv",
          "user,item,value,time\na,b,-3,-5\na,c,2,1779618600123\na,d,2,1779618600123456789\na,e,2,1779618600.5\n");
    assert_int_equal(l.data->events.n, 4);
    assert_int_equal(l.data->events.time[0], -5 * US_PER_SECOND);
    unload(&l);
}

static void test_text_forms(void **state)
{
    (void)state;
    struct loaded l;
    LOADS(&l, "bom.csv", "\xef\xbb\xbfuser,item\r\na,b\r\nc,d\r\n");
    assert_int_equal(l.data->events.n, 2);
    assert_string_equal(dict_text(&l.data->items, 0), "b");
    unload(&l);
    LOADS(&l, "mac.csv", "user,item\ra,b\rc,\"d\"\r");
    assert_int_equal(l.data->events.n, 2);
    unload(&l);
    LOADS(&l, "embedded.csv", "user,item,note\na,b,\"two\nlines, \"\"quoted\"\"\"\nx,,\n");
    assert_int_equal(l.data->events.n, 1);
    assert_string_equal(cell_text(&l.data->events.context, "note", 0), "two\nlines, \"quoted\"");
    assert_int_equal(l.last_line, 4);
    unload(&l);
    LOADS(&l, "latin.csv",
          "user,item\nJos\xe9,b\nA\xf1"
          "a,\"\x93x\x94\"\nZo\xc3\xab,d\n");
    assert_string_equal(dict_text(&l.data->users, 0), "José");
    assert_string_equal(dict_text(&l.data->items, 1), "“x”");
    assert_string_equal(dict_text(&l.data->users, 2), "Zoë"); /* what is UTF-8 stays */
    assert_true(noted(&l, "2 rows read as Latin-1"));
    unload(&l);
    const char *path = scratch_path("latin.csv");
    const struct mapping utf8[] = {{"encoding", "utf-8"}}, latin[] = {{"encoding", "latin1"}};
    assert_int_equal(load_paths(&l, &path, 1, utf8, 1), ST_OK);
    assert_int_equal(l.rejects, 2);
    assert_string_equal(l.last_reason, "not valid UTF-8");
    unload(&l);
    assert_int_equal(load_paths(&l, &path, 1, latin, 1), ST_OK);
    assert_string_equal(dict_text(&l.data->users, 2), "ZoÃ«");
    unload(&l);
    static const char nul[] = "user,item\na,b\nc\0,d\ne,f\n";
    assert_int_equal(load_bytes(&l, "nul.csv", nul, sizeof nul - 1), ST_OK);
    assert_int_equal(l.rejects, 1);
    assert_string_equal(l.last_reason, "a NUL byte");
    unload(&l);
    LOADS(&l, "quoted.tsv", "user\titem\na\t\"Weird Al\" Yankovic\nb\t\"open\nc\td\n");
    assert_int_equal(l.data->events.n, 3);
    assert_string_equal(dict_text(&l.data->items, 0), "\"Weird Al\" Yankovic");
    unload(&l);
}

static void fails(const char *name, const void *bytes, size_t n, enum status expect, const char *words)
{
    struct loaded l;
    assert_int_equal(load_bytes(&l, name, bytes, n), expect);
    assert_non_null(strstr(l.err.message, words));
    assert_true(l.err.hint[0]);
}

static void test_not_data(void **state)
{
    (void)state;
    char noise[4096];
    for (size_t i = 0; i < sizeof noise; i++)
        noise[i] = (char)(i * 2654435761u >> 13);
    fails("empty.csv", "", 0, ST_FORMAT, "is empty");
    fails("blank.csv", " \n\n\r\n", 5, ST_FORMAT, "is empty");
    fails("noise.csv", noise, sizeof noise, ST_FORMAT, "not text");
    fails("p.csv", "\x89PNG\r\n\x1a\n", 8, ST_FORMAT, "a picture");
    fails("w.csv", "\xff\xfeu\0s\0", 6, ST_FORMAT, "UTF-16");
    fails("one.csv", "justone\nword\n", 13, ST_FORMAT, "one column");
    fails("head.csv", "user,item\n", 10, ST_FORMAT, "holds no rows");
    fails("head.jsonl", "{}\n{}\n", 6, ST_USAGE, "user");
    fails("none.csv", "user,item,time\na,b,x\nc,d,y\n", 27, ST_FORMAT, "none of 2 rows");
    struct loaded l;
    assert_int_equal(load_path(&l, scratch_path("nothere.csv")), ST_NOT_FOUND);
    assert_int_equal(load_path(&l, scratch_path("nonee.csv")), ST_NOT_FOUND);
    assert_non_null(strstr(l.err.hint, "none.csv?"));
    assert_int_equal(load_path(&l, scratch_path("no*match")), ST_NOT_FOUND);
    assert_int_equal(load_path(&l, scratch_path("")), ST_FORMAT);
    assert_non_null(strstr(l.err.message, "folder"));
}

static void test_wide_and_long(void **state)
{
    (void)state;
    struct loaded l;
    struct str s = {0};
    str_puts(&s, "user,item");
    for (int i = 0; i < 10000; i++)
        str_printf(&s, ",c%d", i);
    for (int r = 0; r < 3; r++) {
        str_printf(&s, "\nu%d,i", r);
        for (int i = 0; i < 10000; i++)
            str_printf(&s, ",%d", i % 7);
    }
    LOADS(&l, "wide.csv", str_text(&s));
    assert_int_equal(l.data->events.context.n, 10000);
    assert_string_equal(cell_text(&l.data->events.context, "c9999", 2), "3");
    unload(&l);

    str_clear(&s);
    str_puts(&s, "user,item,note\na,b,");
    str_repeat(&s, "0123456789", 1 << 20); /* a row of 10 MiB is read, one of 20 MiB is refused */
    str_puts(&s, "\nc,d,");
    str_repeat(&s, "0123456789", 2 << 20);
    str_puts(&s, "\ne,f,\"open\ng,h,\n");
    LOADS(&l, "long.csv", str_text(&s));
    assert_int_equal(l.data->events.n, 2);
    assert_int_equal(l.rejects, 2);
    unload(&l);

    str_clear(&s);
    str_puts(&s, "user,item,note\na,b,\"open\n");
    for (int i = 0; i < 2000000; i++)
        str_puts(&s, "c,d,01234\n");
    LOADS(&l, "open.csv", str_text(&s)); /* a quote that never closes costs its line, not the 20 MB behind it */
    assert_int_equal(l.data->events.n, 2000000);
    assert_int_equal(l.rejects, 1);
    assert_int_equal(l.last_line, 2);
    unload(&l);
    str_free(&s);
}

static void test_many_broken(void **state)
{
    (void)state;
    struct loaded l;
    struct str s = {0};
    str_puts(&s, "user,item,rating,timestamp\n");
    for (int i = 0; i < 100000; i++) {
        if (i % 100 == 50)
            str_printf(&s, i % 200 == 50 ? "u%d,i%d,five,2026-01-01\n" : "u%d,\"i%d\n", i % 1000, i % 333);
        else
            str_printf(&s, "u%d,i%d,%d,%d\n", i % 1000, i % 333, i % 5 + 1, 1700000000 + i);
    }
    LOADS(&l, "broken.csv", str_text(&s));
    assert_int_equal(l.data->rows_read, 100000);
    assert_int_equal(l.data->rows_kept, 99000);
    assert_int_equal(l.rejects, 1000);
    unload(&l);
    str_free(&s);
}

struct pipe_writer {
    const char *path, *text;
};

static void *feed_pipe(void *context)
{
    const struct pipe_writer *w = context;
    FILE *f = fopen(w->path, "wb");
    for (const char *p = w->text; *p; p++) {
        fputc(*p, f);
        fflush(f);
    }
    fclose(f);
    return NULL;
}

static void test_sources(void **state)
{
    (void)state;
    static const char text[] = "user,item\na,b\nc,d\n";
    struct loaded l;
    char packed[256];
    const char *path = scratch_path("x.csv.gz");
    gzFile z = gzopen(path, "ab");
    gzwrite(z, text, 14);
    gzclose(z);
    z = gzopen(path, "ab"); /* a second member */
    gzwrite(z, text + 14, 4);
    gzclose(z);
    assert_int_equal(load_path(&l, path), ST_OK);
    assert_int_equal(l.data->events.n, 2);
    unload(&l);
    size_t n = ZSTD_compress(packed, sizeof packed, text, sizeof text - 1, 3);
    assert_int_equal(load_bytes(&l, "nameless", packed, n), ST_OK); /* told by its first bytes */
    assert_int_equal(l.data->events.n, 2);
    unload(&l);
    for (size_t cut = 5; cut < n; cut++) {
        enum status st = load_bytes(&l, "cut.zst", packed, cut);
        assert_int_equal(st, ST_FORMAT);
    }
    FILE *f = fopen(path, "rb");
    n = fread(packed, 1, sizeof packed, f);
    fclose(f);
    for (size_t cut = 12; cut < 24; cut++)
        assert_int_equal(load_bytes(&l, "cut.gz", packed, cut), ST_FORMAT);

    pthread_t writer;
    struct pipe_writer w = {scratch_path("fifo"), text};
    assert_int_equal(mkfifo(w.path, 0600), 0);
    pthread_create(&writer, NULL, feed_pipe, &w);
    assert_int_equal(load_path(&l, w.path), ST_OK);
    pthread_join(writer, NULL);
    assert_int_equal(l.data->events.n, 2);
    unload(&l);

    int saved = dup(0), in = open(write_file("in.csv", text, sizeof text - 1), O_RDONLY);
    dup2(in, 0);
    assert_int_equal(load_path(&l, "-"), ST_OK);
    dup2(saved, 0);
    close(in);
    close(saved);
    assert_int_equal(l.data->events.n, 2);
    unload(&l);
}

static void test_several_files(void **state)
{
    (void)state;
    struct loaded l;
    write_text("part-1.csv", "user,item,a\nx,y,1\n");
    write_text("part-2.csv", "item,user,b\ny,z,2\n");
    assert_int_equal(load_path(&l, scratch_path("part-*.csv")), ST_OK);
    assert_int_equal(l.data->events.n, 2);
    assert_string_equal(dict_text(&l.data->users, 1), "z");
    assert_true(field_missing(fields_find(&l.data->events.context, "b"), 0));
    unload(&l);
    const char *paths[] = {write_text("train.csv", "1,2\n1,3\n"), write_text("test.csv", "1,4\n")};
    assert_int_equal(load_paths(&l, paths, 2, NULL, 0), ST_OK);
    assert_string_equal(cell_text(&l.data->events.context, "part", 0), "train");
    assert_string_equal(cell_text(&l.data->events.context, "part", 2), "test");
    unload(&l);
}

static void test_more(void **state)
{
    (void)state;
    struct loaded base, more = {0};
    write_text("base.csv", "user,item,type\nx,y,view\nz,w,buy\n");
    assert_int_equal(load_path(&base, scratch_path("base.csv")), ST_OK);
    const char *path = write_text("more.csv", "user,item,type\nnew,w,buy\nx,cold,view\n");
    assert_int_equal(ingest_more(base.data, &path, 1, NULL, 0, NULL, NULL, &more.data, &more.report, &more.err),
                     ST_OK);
    const struct dataset *d = more.data;
    assert_int_equal(d->events.n, 2);
    assert_int_equal(d->users.n, 3);
    assert_string_equal(dict_text(&d->users, 0), "x");
    assert_string_equal(dict_text(&d->users, 2), "new");
    assert_string_equal(dict_text(&d->items, d->events.item[d->user_begin[2]]), "w");
    assert_int_equal(d->events.item[0], 2); /* of user 0: cold */
    assert_int_equal(d->events.type[0], 0);
    unload(&more);
    unload(&base);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_columns),  cmocka_unit_test(test_mapping),       cmocka_unit_test(test_no_header),
        cmocka_unit_test(test_json),     cmocka_unit_test(test_bad_rows),      cmocka_unit_test(test_text_forms),
        cmocka_unit_test(test_not_data), cmocka_unit_test(test_wide_and_long), cmocka_unit_test(test_many_broken),
        cmocka_unit_test(test_sources),  cmocka_unit_test(test_several_files), cmocka_unit_test(test_more),
    };
    return cmocka_run_group_tests_name("ingest_events", tests, NULL, remove_scratch);
}
