/* What preview takes the columns of a file for, and the mapping it proposes: that mapping must load the file. */
#include "tests/unit/ingest_help.h"

#include "ingest/preview.h"

static void plain_quote(struct str *out, const char *text)
{
    str_puts(out, text);
}

static struct preview *look(const char *path, const struct mapping *m, size_t n)
{
    struct preview *p = calloc(1, sizeof *p);
    struct error err = {0};
    if (ingest_preview(path, m, n, plain_quote, NULL, p, &err))
        fail_msg("%s", err.message);
    return p;
}

static void done(struct preview *p)
{
    dataset_release(p->head);
    free(p);
}

static const char *role_of(const struct preview *p, const char *column)
{
    for (size_t i = 0; i < p->ncolumns; i++)
        if (strcmp(p->column[i].name, column) == 0)
            return p->column[i].role;
    return "no such column";
}

static const char *make_log(const char *name, bool header)
{
    struct str s = {0};
    if (header)
        str_puts(&s, "when_it_was,shopper key,thing,what,colour,stars\n");
    for (unsigned i = 0; i < 400; i++)
        str_printf(&s, "2026-01-%02u,k%u,t%u,%s,c%u,%u\n", 1 + i / 20, i / 5, i * 7 % 60, i % 3 ? "view" : "purchase",
                   i * 7 % 60 % 5, 1 + i % 5);
    const char *path = write_text(name, str_text(&s));
    str_free(&s);
    return path;
}

/* Rows that are read as Latin-1 are told of, as loading tells of them. */
static void test_encodings(void **state)
{
    static const struct {
        const char *text, *encoding;
    } files[] = {{"id,title\n1,Tea\n2,Rye\n", "ASCII"}, {"id,title\n1,Caf\xc3\xa9\n2,Rye\n", "UTF-8"}, {"id,title\n1,Tea\n2,Caf\xe9\n", "Latin-1"}};
    (void)state;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        struct preview *p = look(write_text("encoded.csv", files[i].text), NULL, 0);
        assert_non_null(strstr(p->form, files[i].encoding));
        assert_string_equal(p->table, "items");
        done(p);
    }
}

static void test_by_content(void **state)
{
    (void)state;
    struct preview *p = look(make_log("log.csv", true), NULL, 0);
    assert_string_equal(p->reader, "csv");
    assert_true(p->whole);
    assert_int_equal(p->rows, 400);
    assert_string_equal(role_of(p, "when_it_was"), "time");
    assert_string_equal(role_of(p, "shopper key"), "user");
    assert_string_equal(role_of(p, "thing"), "item");
    assert_string_equal(role_of(p, "what"), "type");
    assert_string_equal(role_of(p, "colour"), "item.colour");
    assert_string_equal(role_of(p, "stars"), "value");
    assert_non_null(p->head);
    assert_int_equal(p->head->events.n, 400);
    assert_int_equal(p->head->types.n, 2);
    assert_string_equal(p->mapping, "time=when_it_was user=shopper key item=thing type=what item.colour=colour");
    done(p);
    const struct mapping said[] = {{"user", "thing"}, {"item", "shopper key"}};
    p = look(make_log("log.csv", true), said, 2);
    assert_string_equal(role_of(p, "thing"), "user");
    assert_int_equal(p->head->users.n, 60);
    done(p);
}

static void test_tables_and_layouts(void **state)
{
    (void)state;
    struct str s = {0};
    str_puts(&s, "account,plan,months\n");
    for (unsigned i = 0; i < 60; i++)
        str_printf(&s, "a%u,%s,%u\n", i, i % 2 ? "basic" : "full", i % 9);
    struct preview *p = look(write_text("table.csv", str_text(&s)), NULL, 0);
    assert_string_equal(p->table, "users");
    assert_null(p->head);
    assert_string_equal(p->mapping, "");
    done(p);
    str_clear(&s);
    str_puts(&s, "plan,months\n");
    for (unsigned i = 0; i < 60; i++)
        str_printf(&s, "%s,%u\n", i % 2 ? "basic" : "full", i % 9);
    p = look(write_text("noid.csv", str_text(&s)), NULL, 0);
    assert_string_equal(p->table, "users");
    assert_string_equal(p->mapping, "id=row");
    done(p);
    str_clear(&s);
    str_puts(&s, "customer_id date dollars\n");
    for (unsigned i = 0; i < 60; i++)
        str_printf(&s, "%05u 199701%02u %u.5\n", i / 3, 1 + i % 28, i);
    p = look(write_text("cdnow.txt", str_text(&s)), NULL, 0);
    assert_string_equal(p->mapping, "item==item");
    assert_int_equal(p->head->events.n, 60);
    done(p);
    p = look(write_text("x.test.negative", "(0,25)\t1064\t174\n"), NULL, 0);
    assert_string_equal(p->reader, "ncf");
    assert_int_equal(p->ncolumns, 0);
    assert_int_equal(p->head->events.n, 3);
    done(p);
    str_free(&s);
}

static void check_table(const char *file, const char *text, const char *table, const char *id)
{
    struct preview *p = look(write_text(file, text), NULL, 0);
    assert_string_equal(p->table, table);
    assert_string_equal(role_of(p, id), "id");
    assert_string_equal(p->mapping, "");
    assert_null(p->head);
    done(p);
}

/* Files that say what items or users are, not who did what: well known by their names, without a header, with an id. */
static void test_attributes(void **state)
{
    (void)state;
    struct str films = {0}, people = {0}, goods = {0};
    str_puts(&goods, "id,title,added,price\n");
    for (unsigned i = 0; i < 40; i++) {
        str_printf(&films, "%u,A film of %u,Drama\n", i, i);
        str_printf(&people, "%u,%s,%u\n", i, i % 2 ? "F" : "M", 20 + i % 9);
        str_printf(&goods, "g%u,The %uth thing,2025-01-%02u,%u.5\n", i, i, 1 + i % 28, i);
    }
    check_table("u.user", "1|24|M|writer|85711\n2|53|F|other|94043\n", "users", "column_1");
    check_table("movies.dat", "1::Toy Story (1995)::Comedy\n2::Heat (1995)::Crime\n", "items", "column_1");
    check_table("films.csv", str_text(&films), "items", "column_1");
    check_table("people.csv", str_text(&people), "users", "column_1");
    check_table("goods.csv", str_text(&goods), "items", "id");
    check_table("users.csv", "id,country\na,ES\nb,FR\n", "users", "id");
    str_free(&films);
    str_free(&people);
    str_free(&goods);
}

/* A log of 200 rows: `row` takes user, item, and the two numbers a date begins with, below first and second. */
static struct preview *look_at_dates(const char *head, const char *row, unsigned first, unsigned second)
{
    struct str s = {0};
    str_puts(&s, head);
    for (unsigned i = 0; i < 200; i++)
        str_printf(&s, row, i % 40, i * 7 % 90, 1 + i % first, 1 + i % second);
    struct preview *p = look(write_text("dates.csv", str_text(&s)), NULL, 0);
    str_free(&s);
    return p;
}

/* Dates that begin with the day or the month: the one that can be is proposed, and said when both can. */
static void test_dates(void **state)
{
    (void)state;
    struct preview *p = look_at_dates("Kunde;Artikel;Wann\n", "k%u;a%u;%u.%u.2025 8:15\n", 28, 12);
    assert_string_equal(p->mapping, "user=Kunde item=Artikel time=Wann");
    assert_int_equal(p->head->events.n, 200);
    done(p);
    p = look_at_dates("user,item,date\n", "k%u,a%u,%u/%u/2025 8:15 PM\n", 12, 28);
    assert_string_equal(p->mapping, "dates=mdy");
    assert_int_equal(p->ndoubts, 0);
    assert_int_equal(p->head->events.n, 200);
    done(p);
    p = look_at_dates("user,item,date\n", "k%u,a%u,%u/%u/2025\n", 28, 12);
    assert_string_equal(p->mapping, "dates=dmy");
    assert_int_equal(p->head->events.n, 200);
    done(p);
    p = look_at_dates("user,item,date\n", "k%u,a%u,%u/%u/2025\n", 9, 9);
    assert_string_equal(p->mapping, "dates=mdy");
    assert_int_equal(p->ndoubts, 1);
    done(p);
}

/* A popular item comes twice in a row by chance: that does not make a column the user. */
static void test_popular(void **state)
{
    (void)state;
    struct str s = {0};
    str_puts(&s, "left,right\n");
    for (unsigned i = 0; i < 2000; i++)
        str_printf(&s, "k%u,a%u\n", i * 37 % 199, i % 3 ? 0 : i % 601);
    struct preview *p = look(write_text("popular.csv", str_text(&s)), NULL, 0);
    assert_string_equal(p->mapping, "user=left item=right");
    done(p);
    str_free(&s);
}

/* Names of nested objects say whose attribute it is already. */
static void test_nested(void **state)
{
    (void)state;
    struct str s = {0};
    for (unsigned i = 0; i < 200; i++)
        str_printf(&s, "{\"user\":{\"id\":\"u%u\"},\"item\":{\"sku\":\"s%u\",\"brand\":\"b%u\"}}\n", i % 40, i * 7 % 60, i * 7 % 60 % 5);
    struct preview *p = look(write_text("nested.jsonl", str_text(&s)), NULL, 0);
    assert_string_equal(role_of(p, "item.brand"), "item.brand");
    done(p);
    str_free(&s);
}

/* Only the head of a large file is looked at. */
static void test_large(void **state)
{
    (void)state;
    struct str s = {0};
    str_puts(&s, "user,item,note\n");
    while (s.length < (6 << 20))
        str_printf(&s, "u%zu,i%zu,\"a note, that says nothing\"\n", s.length % 977, s.length % 311);
    struct preview *p = look(write_text("large.csv", str_text(&s)), NULL, 0);
    assert_false(p->whole);
    assert_true(p->head->events.n > 1000 && p->head->events.n < 100000);
    assert_int_equal(p->head->rows_rejected, 0);
    done(p);
    str_free(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_encodings), cmocka_unit_test(test_by_content),
        cmocka_unit_test(test_tables_and_layouts),
        cmocka_unit_test(test_attributes),
        cmocka_unit_test(test_dates),
        cmocka_unit_test(test_popular),
        cmocka_unit_test(test_nested),
        cmocka_unit_test(test_large),
    };
    return cmocka_run_group_tests_name("ingest_preview", tests, NULL, remove_scratch);
}
