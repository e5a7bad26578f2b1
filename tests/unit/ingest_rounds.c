/* Reading in chunks on all cores against one row after the other: nasty files, cut anywhere, any number of threads. */
#include "tests/unit/ingest_help.h"

#include <omp.h>

#include "base/rng.h"
#include "ingest/load.h"
#include "ingest/number.h"
#include "ingest/packed.h"

enum { FILES = 8, SIZE = 3 << 20 };

/* What a row is, to be compared. */
struct plain_row {
    char *user, *item, *note;
    int64_t time;
    uint64_t line;
};
struct plain_rows {
    struct plain_row *row;
    size_t n, capacity;
    struct str rejects; /* line and reason of each */
};

static void free_rows(struct plain_rows *p)
{
    for (size_t i = 0; i < p->n; i++) {
        free(p->row[i].user);
        free(p->row[i].item);
        free(p->row[i].note);
    }
    mem_free(p->row);
    str_free(&p->rejects);
}

static void put_id(struct str *s, struct rng *g, const char *kind)
{
    switch (rng_below(g, 40)) {
    case 0:
        break;
    case 1:
        str_printf(s, "\"%s%u\"", kind, (unsigned)rng_below(g, 50));
        break;
    case 2:
        str_printf(s, " %s%u ", kind, (unsigned)rng_below(g, 50));
        break;
    case 3:
        str_printf(s, "%s\xc3\xa9%u", kind, (unsigned)rng_below(g, 50));
        break;
    case 4:
        str_printf(s, "%s\xe9", kind);
        break;
    default:
        str_printf(s, "%s%u", kind, (unsigned)rng_below(g, 30000));
    }
}

/* A cell in quotes with line ends, quotes and text that looks like rows. */
static void put_quoted(struct str *s, struct rng *g, size_t most)
{
    str_putc(s, '"');
    for (size_t end = s->length + rng_below(g, most); s->length < end;) {
        static const char *const parts[] = {"\n",  "\r\n", "\"\"", "u1,i1,2020-01-01,x\n", "text ",
                                            ",",   "\n\n", "\xff", "\"\"\n\"\",",          "u2,i2,17,\"\"a\"\"\n"};
        str_puts(s, parts[rng_below(g, sizeof parts / sizeof *parts)]);
    }
    str_putc(s, '"');
}

static void put_note(struct str *s, struct rng *g, bool quotes)
{
    uint64_t kind = rng_below(g, 400);
    bool huge = rng_below(g, 4000) == 0;
    if (huge && quotes)
        put_quoted(s, g, 600 << 10);
    else if (kind < 20 && quotes)
        put_quoted(s, g, 200);
    else if (kind == 20)
        str_puts(s, "\"never closed");
    else if (kind == 21)
        str_puts(s, "\"text\" behind");
    else if (kind == 22)
        str_append(s, "a\0b", 3);
    else if (kind == 23)
        str_puts(s, "too,many");
    else if (huge)
        str_repeat(s, "long ", 100000);
    else
        str_printf(s, "n%u", (unsigned)rng_below(g, 1000));
}

static void make_file(struct str *s, unsigned seed, const char *name)
{
    struct rng g = rng_stream(7, "nasty", seed);
    const char *line_end = seed % 3 == 2 ? "\r\n" : "\n";
    str_printf(s, "user,item,time,note%s", line_end);
    while (s->length < SIZE) {
        put_id(s, &g, "u");
        str_putc(s, ',');
        put_id(s, &g, "i");
        static const char *const times[] = {"", "1700000000", "2024-02-30", "2024-02-29T12:00:00Z", "never"};
        uint64_t time = rng_below(&g, 200);
        if (time < 5)
            str_printf(s, ",%s,", times[time]);
        else
            str_printf(s, ",%u,", 1600000000 + (unsigned)rng_below(&g, 100000000));
        put_note(s, &g, seed % 4 != 3);
        str_puts(s, rng_below(&g, 300) ? line_end : "\n\n \n");
    }
    if (seed % 2)
        str_puts(s, "last,one,1700000000,\"open");
    write_file(name, s->data, s->length);
}

/* A member of an object, as different programs write it. */
static void put_member(struct str *s, struct rng *g, unsigned style, bool first, const char *key, const char *kind)
{
    str_puts(s, first ? "" : style & 1 ? ", " : ",");
    str_printf(s, style & 1 ? "\"%s\": " : "\"%s\":", key);
    unsigned n = (unsigned)rng_below(g, 3000);
    static const char *const odd[] = {"null",         "true",           "1.5",    "-3",    "12345678901234567890",
                                      "\"a\\\"b\"",  "\"\\u00e9\"",     "\"\"",   "1e3",   "\"\xc3\xa9\"",
                                      "\"\xe9\"",     "{\"deep\":1}",   "[1,2]",  "01",    "nul",
                                      "\"a\tb\"",     "0.10",           "false",  "\"open", "\"x\" "};
    const char *value = odd[rng_below(g, sizeof odd / sizeof *odd)];
    if (rng_below(g, 60) == 0) /* a list would make lists of all notes */
        str_puts(s, *value == '[' && strcmp(key, "note") == 0 ? "null" : value);
    else if (strcmp(key, "time") == 0)
        str_printf(s, "%u", 1600000000 + n);
    else if (style & 2)
        str_printf(s, "%u", n);
    else
        str_printf(s, "\"%s%u\"", kind, n);
}

static void make_json(struct str *s, unsigned seed, const char *name)
{
    struct rng g = rng_stream(7, "json", seed);
    while (s->length < SIZE / 2) {
        unsigned style = (unsigned)rng_below(&g, seed + 1);
        str_puts(s, rng_below(&g, 500) ? "{" : "  { ");
        put_member(s, &g, style, true, "user", "u");
        if (style & 4)
            put_member(s, &g, style, false, "other", "o");
        put_member(s, &g, style, false, "item", "i");
        put_member(s, &g, style, false, style & 8 && rng_below(&g, 9) == 0 ? "user" : "time", "");
        if (rng_below(&g, 10))
            put_member(s, &g, 0, false, "note", "n");
        str_puts(s, rng_below(&g, 500) ? "}" : "} x");
        str_puts(s, rng_below(&g, 500) ? seed % 3 ? "\n" : "\r\n" : "\n \n\n");
    }
    write_file(name, s->data, s->length - seed % 2);
}

/* One row after the other, by the sheet alone. */
static void read_serially(const char *path, struct plain_rows *out)
{
    static const char *const names[] = {"user", "item", "time", "note"};
    struct feed *feed;
    struct sheet t;
    struct error err;
    bool more = true;
    assert_int_equal(feed_open(path, NULL, &feed, &err), ST_OK);
    assert_int_equal(sheet_open(feed, &(struct sheet_form){0}, &t, &err), ST_OK);
    while (more) {
        assert_int_equal(sheet_next(&t, &more, &err), ST_OK);
        if (!more)
            break;
        struct cell c[4];
        for (int i = 0; i < 4; i++)
            c[i] = t.bad ? (struct cell){0} : t.row.cells[dict_find_text(&t.names, names[i])];
        int64_t time = NO_TIME; /* an empty cell: nobody knows when */
        if (t.bad || !c[0].n || !c[1].n || c[0].list || c[1].list ||
            (c[2].n && !time_parse(c[2].text, c[2].n, 0, &time))) {
            str_printf(&out->rejects, "%llu\n", (unsigned long long)t.row_line);
            continue;
        }
        assert_int_equal(mem_grow(&out->row, &out->capacity, out->n + 1, sizeof *out->row, &err), ST_OK);
        out->row[out->n++] = (struct plain_row){strndup(c[0].text, c[0].n), strndup(c[1].text, c[1].n),
                                                strndup(c[3].n ? c[3].text : "", c[3].n), time, t.row_line};
    }
    sheet_close(&t);
}

static enum status note_reject(void *context, const char *file, uint64_t line, const char *reason, const char *text,
                               size_t n, struct error *err)
{
    (void)file;
    (void)reason;
    (void)text;
    (void)n;
    (void)err;
    str_printf(context, "%llu\n", (unsigned long long)line);
    return ST_OK;
}

static void same_as_serial(const struct dataset *d, const struct plain_rows *want)
{
    const struct events *e = &d->events;
    const struct field *note = fields_find(&e->context, "note");
    struct dict users = {0}, items = {0};
    uint32_t code;
    assert_int_equal(e->n, want->n);
    for (size_t i = 0; i < want->n; i++) { /* order of first appearance */
        assert_int_equal(dict_add(&users, want->row[i].user, strlen(want->row[i].user), &code, NULL), ST_OK);
        assert_int_equal(dict_add(&items, want->row[i].item, strlen(want->row[i].item), &code, NULL), ST_OK);
    }
    assert_int_equal(d->users.n, users.n);
    assert_int_equal(d->items.n, items.n);
    assert_memory_equal(d->users.bytes, users.bytes, users.nbytes);
    assert_memory_equal(d->items.bytes, items.bytes, items.nbytes);
    for (size_t i = 0; i < e->n; i++) {
        const struct plain_row *row = &want->row[e->sequence[i]];
        assert_string_equal(dict_text(&d->users, e->user[i]), row->user);
        assert_string_equal(dict_text(&d->items, e->item[i]), row->item);
        assert_int_equal(e->time[i], row->time);
        struct str text = {0};
        field_format(note, i, &text);
        assert_string_equal(str_text(&text), row->note);
        str_free(&text);
    }
    dict_clear(&users);
    dict_clear(&items);
}

static void test_against_serial(void **state)
{
    (void)state;
    int threads = omp_get_max_threads();
    for (unsigned file = 0; file < 2 * FILES; file++) {
        struct str text = {0};
        struct plain_rows want = {0};
        uint64_t fingerprint = 0;
        unsigned seed = file / 2;
        const char *path = scratch_path("nasty");
        if (file % 2)
            make_json(&text, 2 * seed, "nasty");
        else
            make_file(&text, seed, "nasty");
        read_serially(path, &want);
        assert_true(want.n > 1000);
        assert_true(want.rejects.length > 100);
        for (int n = 1; n <= 3; n++) {
            struct dataset *d;
            struct ingest_report report;
            struct error err;
            struct str rejects = {0};
            struct reject_sink sink = {&rejects, note_reject};
            omp_set_num_threads(n);
            assert_int_equal(ingest_events(&path, 1, NULL, 0, "d", &sink, NULL, &d, &report, &err), ST_OK);
            if (n == 1)
                same_as_serial(d, &want);
            assert_int_equal(d->rows_read, d->rows_kept + d->rows_rejected);
            assert_string_equal(str_text(&rejects), str_text(&want.rejects));
            assert_true(n == 1 || d->fingerprint == fingerprint);
            fingerprint = d->fingerprint;
            dataset_release(d);
            str_free(&rejects);
        }
        free_rows(&want);
        str_free(&text);
    }
    omp_set_num_threads(threads);
}

/* ---- types of columns ---- */

enum { TYPED_ROWS = 60000 };

/* A cell of column c: numbers of many kinds, most of which are something else in a late row. */
static void put_typed(struct str *s, struct rng *g, unsigned c, unsigned row)
{
    static const char *const late[] = {"word", "NA", "007", "+5", "1e5", "\"12\"", "1234567890123456", "-0", ".5", "5."};
    unsigned n = (unsigned)rng_below(g, 1000000);
    if (rng_below(g, 10) == 0)
        return;
    if (c >= 10 && row == 50000)
        str_puts(s, late[c - 10]);
    else if (c % 5 == 0)
        str_printf(s, "%u", n);
    else if (c % 5 == 1)
        str_printf(s, "%u.%02u", n / 100, n % 100);
    else if (c % 5 == 2)
        str_printf(s, "-%u", n);
    else if (c % 5 == 3)
        str_printf(s, "0.%06u", n);
    else
        str_printf(s, "%u", 1600000000 + n);
}

/* Packed numbers become the fields that a dictionary of all texts makes. */
static void test_types(void **state)
{
    (void)state;
    enum { COLUMNS = 20 };
    struct rng g = rng_stream(7, "types", 0);
    struct str s = {0};
    struct loaded l;
    struct feed *feed;
    struct sheet t;
    struct error err;
    struct raw_columns raw = {0};
    struct fields want = {0};
    bool more = true;
    str_puts(&s, "user,item");
    for (unsigned c = 0; c < COLUMNS; c++) /* 4 and 9, and what is like them, are moments by name */
        str_printf(&s, c % 5 == 4 ? ",c%u_time" : ",c%u", c);
    for (unsigned row = 0; row < TYPED_ROWS; row++) {
        str_printf(&s, "\nu%u,i%u", row, row % 100);
        for (unsigned c = 0; c < COLUMNS; c++) {
            str_putc(&s, ',');
            put_typed(&s, &g, c, row);
        }
    }
    const char *path = write_text("typed.csv", str_text(&s));
    assert_int_equal(feed_open(path, NULL, &feed, &err), ST_OK);
    assert_int_equal(sheet_open(feed, &(struct sheet_form){0}, &t, &err), ST_OK);
    for (size_t row = 0; more; row++) {
        assert_int_equal(sheet_next(&t, &more, &err), ST_OK);
        for (uint32_t c = 0; more && c < COLUMNS; c++) {
            size_t index;
            assert_int_equal(raw_columns_add(&raw, dict_text(&t.names, c + 2), &index, &err), ST_OK);
            assert_int_equal(raw_column_set(&raw.column[index], row, &t.row.cells[c + 2], &err), ST_OK);
        }
    }
    sheet_close(&t);
    assert_int_equal(raw_columns_settle(&raw, TYPED_ROWS, &want, &err), ST_OK);
    assert_int_equal(load_path(&l, path), ST_OK);
    for (size_t c = 0; c < COLUMNS; c++) {
        const struct field *f = &l.data->events.context.field[c], *w = &want.field[c];
        assert_string_equal(f->name, w->name);
        assert_int_equal(f->type, w->type);
        assert_int_equal(f->levels.n, w->levels.n);
        if (w->code)
            assert_memory_equal(f->code, w->code, TYPED_ROWS * sizeof *w->code);
        if (w->integer)
            assert_memory_equal(f->integer, w->integer, TYPED_ROWS * sizeof *w->integer);
        for (size_t r = 0; w->real && r < TYPED_ROWS; r++)
            assert_true(f->real[r] == w->real[r] || (field_missing(f, r) && field_missing(w, r)));
    }
    assert_int_equal(want.field[0].type, FIELD_INT);
    assert_int_equal(want.field[4].type, FIELD_TIME);
    assert_int_equal(want.field[10].type, FIELD_TEXT);
    fields_clear(&want);
    unload(&l);
    str_free(&s);
}

static void test_packed(void **state)
{
    (void)state;
    static const char *const good[] = {"0", "-0", "7", "-12", "0.0", "1.50", "-0.050", "123456789012345",
                                       "12345678901234.5", "0.12345678901234", "100"};
    static const char *const other[] = {"", "-", ".", "00", "01", "1.", ".1", "-.1", "+1", "1e1", "1 ", "1,5", "--1",
                                        "1.2.3", "1234567890123456", "0.123456789012345", "a"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        uint64_t packed;
        char text[PACKED_TEXT];
        int64_t a = 0, b = 0;
        double real;
        assert_true(packed_from(good[i], strlen(good[i]), &packed));
        assert_int_equal(packed_text(packed, text), strlen(good[i]));
        assert_memory_equal(text, good[i], strlen(good[i]));
        assert_int_equal(packed_int(packed, &a), number_int(good[i], strlen(good[i]), &b));
        assert_true(number_real(good[i], strlen(good[i]), &real) && real == packed_real(packed));
    }
    for (size_t i = 0; i < sizeof other / sizeof *other; i++) {
        uint64_t packed;
        assert_false(packed_from(other[i], strlen(other[i]), &packed));
    }
}

/* Keys that turn up late, at once in several chunks, are columns in the order of the text. */
static void test_late_keys(void **state)
{
    (void)state;
    struct loaded l;
    struct str s = {0};
    unsigned rows = 0;
    for (; s.length < SIZE; rows++)
        str_printf(&s, "{\"user\":\"u%u\",\"item\":\"i%u\",\"late_%u\":%u}\n", rows % 100, rows % 70, rows / 20000, rows);
    write_text("late.jsonl", str_text(&s));
    assert_int_equal(load_path(&l, scratch_path("late.jsonl")), ST_OK);
    const struct events *e = &l.data->events;
    assert_int_equal(e->n, rows);
    assert_int_equal(e->context.n, (rows + 19999) / 20000);
    for (size_t f = 0; f < e->context.n; f++) {
        char name[32];
        snprintf(name, sizeof name, "late_%zu", f);
        assert_string_equal(e->context.field[f].name, name);
        for (size_t i = 0; i < e->n; i++) {
            if (e->sequence[i] / 20000 == f)
                assert_int_equal(e->context.field[f].integer[i], e->sequence[i]);
            else
                assert_true(field_missing(&e->context.field[f], i));
        }
    }
    unload(&l);
    str_free(&s);
}

/* Two columns that want the same name: both are kept. */
static void test_same_place(void **state)
{
    (void)state;
    struct loaded l;
    const char *path = write_text("twice.csv", "user,item,price,cost,session,visit\na,b,1,2,s,v\n");
    const struct mapping mapping[] = {{"price", "cost"}, {"session", "visit"}};
    assert_int_equal(load_paths(&l, &path, 1, mapping, 2), ST_OK);
    const struct fields *c = &l.data->events.context;
    assert_string_equal(cell_text(c, "price", 0), "1");
    assert_string_equal(cell_text(c, "price.2", 0), "2");
    assert_string_equal(cell_text(c, "session", 0), "s");
    assert_string_equal(cell_text(c, "session.2", 0), "v");
    unload(&l);
}

/* A file that goes on as it began and will not fit is refused once that is plain. */
static void test_too_large(void **state)
{
    (void)state;
    struct error err;
    struct ingest in = {.bytes_taken = 4 << 20, .bytes_total = UINT64_C(1) << 50, .data = dataset_new("d", &err)};
    assert_int_equal(ingest_room(&in, 10, true, false, &err), ST_OK); /* too early to tell */
    in.bytes_taken = 16 << 20;
    assert_int_equal(ingest_room(&in, 500000, true, false, &err), ST_NOMEM);
    assert_non_null(strstr(err.message, "34,225,520,640,000 events"));
    in.will_fit = false;
    in.bytes_total = 17 << 20;
    assert_int_equal(ingest_room(&in, 500000, true, false, &err), ST_OK);
    assert_int_equal(in.capacity[0], 541875); /* the rest, and two percent */
    dataset_release(in.data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_against_serial),
        cmocka_unit_test(test_types),
        cmocka_unit_test(test_packed),
        cmocka_unit_test(test_late_keys),
        cmocka_unit_test(test_same_place),
        cmocka_unit_test(test_too_large),
    };
    return cmocka_run_group_tests_name("ingest_rounds", tests, NULL, remove_scratch);
}
