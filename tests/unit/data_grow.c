/* Growing a data set, against the plain way: all events in one pile, sorted anew. */
#include "tests/unit/unit.h"

#include "data/grow.h"
#include "tests/unit/store_data.h"

static void copy_ids(struct dict *to, const struct dict *from)
{
    uint32_t code;
    for (uint32_t i = 0; i < from->n; i++)
        assert_int_equal(dict_add(to, dict_text(from, i), dict_length(from, i), &code, NULL), ST_OK);
}

/* Events of `from` behind those of d; their ids are in the dictionaries already. */
static void pile(struct dataset *d, const struct dataset *from, uint64_t sequence)
{
    struct events *e = &d->events;
    const struct events *f = &from->events;
    for (size_t i = 0; i < f->n; i++, e->n++) {
        const char *user = dict_text(&from->users, f->user[i]), *item = dict_text(&from->items, f->item[i]);
        e->user[e->n] = dict_find_text(&d->users, user);
        e->item[e->n] = dict_find_text(&d->items, item);
        e->type[e->n] = (uint16_t)dict_find_text(&d->types, dict_text(&from->types, f->type[i]));
        e->sequence[e->n] = sequence + f->sequence[i];
        if (e->time)
            e->time[e->n] = f->time ? f->time[i] : NO_TIME;
        if (e->value)
            e->value[e->n] = f->value ? f->value[i] : NAN;
    }
}

static struct dataset *plain_way(const struct dataset *a, const struct dataset *b)
{
    struct dataset *d = dataset_new(a->name, NULL);
    size_t n = a->events.n + b->events.n;
    assert_non_null(d);
    copy_ids(&d->users, &a->users);
    copy_ids(&d->users, &b->users);
    copy_ids(&d->items, &a->items);
    copy_ids(&d->items, &b->items);
    copy_ids(&d->types, &a->types);
    copy_ids(&d->types, &b->types);
    d->events.user = mem_new(n, 4, "", NULL);
    d->events.item = mem_new(n, 4, "", NULL);
    d->events.sequence = mem_new(n, 8, "", NULL);
    d->events.type = mem_new(n, 2, "", NULL);
    d->events.time = a->events.time || b->events.time ? mem_new(n, 8, "", NULL) : NULL;
    d->events.value = a->events.value || b->events.value ? mem_new(n, 4, "", NULL) : NULL;
    pile(d, a, 0);
    pile(d, b, a->events.n);
    assert_int_equal(dataset_finish(d, NULL), ST_OK);
    return d;
}

static void same_cell(const struct field *f, size_t row, const struct field *g, size_t other)
{
    struct str x = {0}, y = {0};
    assert_int_equal(field_missing(f, row), !g || field_missing(g, other));
    field_format(f, row, &x);
    if (g)
        field_format(g, other, &y);
    assert_string_equal(str_text(&x), str_text(&y));
    str_free(&x);
    str_free(&y);
}

/* Row of the event with this sequence number. */
static size_t row_of(const struct dataset *d, uint64_t sequence)
{
    size_t row = 0;
    while (d->events.sequence[row] != sequence)
        row++;
    return row;
}

static void check_context(const struct dataset *d, const struct dataset *a, const struct dataset *b)
{
    for (size_t i = 0; i < d->events.context.n; i++) {
        const struct field *f = &d->events.context.field[i];
        assert_int_equal(f->n, d->events.n);
        for (size_t e = 0; e < d->events.n; e++) {
            bool late = d->events.sequence[e] >= a->events.n;
            const struct dataset *from = late ? b : a;
            const struct field *g = fields_find(&from->events.context, f->name);
            same_cell(f, e, g, row_of(from, d->events.sequence[e] - (late ? a->events.n : 0)));
        }
    }
}

/* The batch counts where it says something. */
static void check_attributes(const struct fields *d, const struct dict *ids, const struct fields *a,
                             const struct dict *a_ids, const struct fields *b, const struct dict *b_ids)
{
    for (size_t i = 0; i < d->n; i++) {
        const struct field *f = &d->field[i], *early = fields_find(a, f->name), *late = fields_find(b, f->name);
        assert_int_equal(f->n, ids->n);
        for (uint32_t r = 0; r < ids->n; r++) {
            uint32_t in_a = dict_find_text(a_ids, dict_text(ids, r)), in_b = dict_find_text(b_ids, dict_text(ids, r));
            if (late && in_b != NO_CODE && (!field_missing(late, in_b) || in_a == NO_CODE))
                same_cell(f, r, late, in_b);
            else
                same_cell(f, r, in_a == NO_CODE ? NULL : early, in_a == NO_CODE ? 0 : in_a);
        }
    }
}

static void check_grown(const struct dataset *a, const struct dataset *b)
{
    struct dataset *d = NULL, *want = plain_way(a, b);
    assert_int_equal(dataset_grow(a, b, &d, NULL), ST_OK);
    const struct events *e = &d->events, *w = &want->events;
    assert_int_equal(e->n, w->n);
    assert_true(same_dict(&d->users, &want->users));
    assert_true(same_dict(&d->items, &want->items));
    assert_true(same_dict(&d->types, &want->types));
    assert_memory_equal(d->user_begin, want->user_begin, (d->users.n + (size_t)1) * sizeof *d->user_begin);
    assert_true(same_bytes(e->user, w->user, e->n * sizeof *e->user));
    assert_true(same_bytes(e->item, w->item, e->n * sizeof *e->item));
    assert_true(same_bytes(e->sequence, w->sequence, e->n * sizeof *e->sequence));
    assert_true(same_bytes(e->type, w->type, e->n * sizeof *e->type));
    assert_true(same_bytes(e->time, w->time, e->n * sizeof *e->time));
    assert_true(same_bytes(e->value, w->value, e->n * sizeof *e->value));
    check_context(d, a, b);
    check_attributes(&d->user_fields, &d->users, &a->user_fields, &a->users, &b->user_fields, &b->users);
    check_attributes(&d->item_fields, &d->items, &a->item_fields, &a->items, &b->item_fields, &b->items);
    assert_int_equal(d->rows_read, a->rows_read + b->rows_read);
    assert_int_equal(d->rows_read, d->rows_kept + d->rows_rejected);
    assert_int_not_equal(d->fingerprint, a->fingerprint);
    assert_true(dataset_descends(d, a->fingerprint));
    assert_false(dataset_descends(d, b->fingerprint));
    assert_int_equal(dataset_events_since(d, a->fingerprint), b->events.n);
    dataset_release(d);
    dataset_release(want);
}

static void test_grow(void **state)
{
    static const size_t sizes[][2] = {{300, 40}, {40, 300}, {200, 1}, {1, 200}, {100, 0}, {0, 100}};
    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (unsigned with = 0; with < 64; with += 9) {
            struct dataset *a = make_data("a", i, sizes[i][0], with & WITH_ALL, NULL);
            struct dataset *b = make_data("b", i + 100, sizes[i][1], with >> 3, NULL);
            check_grown(a, b);
            struct dataset *c = make_data("a", i, sizes[i][0], ~with & WITH_ALL, NULL);
            check_grown(c, b);
            dataset_release(a);
            dataset_release(b);
            dataset_release(c);
        }
}

/* (a + b) + c is a + (b + c): segments are grown together before they are added to their base. */
static void test_order_does_not_matter(void **state)
{
    (void)state;
    struct dataset *a = make_data("a", 1, 200, WITH_ALL, NULL), *b = make_data("b", 2, 50, WITH_ALL, NULL);
    struct dataset *c = make_data("c", 3, 90, WITH_TIMES | WITH_FIELDS, NULL), *ab, *bc, *x, *y;
    assert_int_equal(dataset_grow(a, b, &ab, NULL), ST_OK);
    assert_int_equal(dataset_grow(ab, c, &x, NULL), ST_OK);
    assert_int_equal(dataset_grow(b, c, &bc, NULL), ST_OK);
    assert_int_equal(dataset_grow(a, bc, &y, NULL), ST_OK);
    assert_int_equal(x->nstages, 2);
    y->fingerprint = x->fingerprint;
    assert_true(same_data(x, y));
    struct dataset *all[] = {a, b, c, ab, bc, x, y};
    for (size_t i = 0; i < 7; i++)
        dataset_release(all[i]);
}

/* Fields whose types differ: integers and reals are reals, else text, or a list when one is a list. */
static void test_types(void **state)
{
    static const enum field_type types[][3] = {
        {FIELD_INT, FIELD_REAL, FIELD_REAL},  {FIELD_REAL, FIELD_INT, FIELD_REAL}, {FIELD_TEXT, FIELD_INT, FIELD_TEXT},
        {FIELD_TIME, FIELD_INT, FIELD_TEXT},  {FIELD_INT, FIELD_TIME, FIELD_TEXT}, {FIELD_LIST, FIELD_TEXT, FIELD_LIST},
        {FIELD_REAL, FIELD_LIST, FIELD_LIST}, {FIELD_TIME, FIELD_TEXT, FIELD_TEXT}};
    (void)state;
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        struct dataset *side[2], *d;
        for (int s = 0; s < 2; s++) {
            struct field *f;
            side[s] = make_data(s ? "b" : "a", i + 50 * (size_t)s, 5, 0, NULL);
            assert_int_equal(fields_add(&side[s]->events.context, "x", types[i][s], &f, NULL), ST_OK);
            for (int r = 0; r < 4; r++) {
                enum status st = types[i][s] == FIELD_REAL                             ? field_push_real(f, r + .5, NULL)
                                 : types[i][s] == FIELD_INT || types[i][s] == FIELD_TIME ? field_push_int(f, r, NULL)
                                                                                       : field_push_text(f, "word", 4, NULL);
                assert_int_equal(st, ST_OK);
            }
            assert_int_equal(field_pad(f, 5, NULL), ST_OK);
        }
        check_grown(side[0], side[1]);
        assert_int_equal(dataset_grow(side[0], side[1], &d, NULL), ST_OK);
        assert_int_equal(d->events.context.field[0].type, types[i][2]);
        dataset_release(d);
        dataset_release(side[0]);
        dataset_release(side[1]);
    }
}

static void test_stages_and_splits(void **state)
{
    (void)state;
    struct dataset *a = make_data("a", 1, 400, WITH_ALL, NULL), *b = make_data("b", 2, 900, WITH_ALL, NULL);
    struct dataset *c = make_data("c", 3, 30, WITH_ALL, NULL), *ab, *d, *early;
    struct split *of_a, *carried, *again, *of_early;
    struct split_spec spec = {.kind = SPLIT_USERS, .share = .3, .holdout = .5, .valid_share = .2, .seed = 7, .at = NO_TIME};
    assert_int_equal(dataset_grow(a, b, &ab, NULL), ST_OK);
    assert_int_equal(dataset_grow(ab, c, &d, NULL), ST_OK);
    assert_int_equal(split_new(a, &spec, &of_a, NULL), ST_OK);
    assert_int_equal(split_carry(of_a, a, d, &carried, NULL), ST_OK);
    assert_int_equal(carried->fingerprint, of_a->fingerprint);
    assert_int_equal(carried->ntrain, of_a->ntrain);
    assert_int_equal(carried->ntest, of_a->ntest);
    assert_int_equal(carried->nvalid, of_a->nvalid);
    for (size_t e = 0; e < d->events.n; e++) {
        uint64_t sequence = d->events.sequence[e];
        assert_int_equal(carried->part[e], sequence < a->events.n ? of_a->part[row_of(a, sequence)] : PART_NONE);
    }
    /* What it was is there again, and is split the same way. */
    assert_int_equal(dataset_at_stage(d, dataset_stage(d, a->fingerprint), &early, NULL), ST_OK);
    assert_int_equal(early->events.n, a->events.n);
    assert_true(same_dict(&early->users, &a->users));
    assert_memory_equal(early->events.sequence, a->events.sequence, a->events.n * sizeof *a->events.sequence);
    assert_int_equal(split_new(early, &spec, &of_early, NULL), ST_OK);
    assert_int_equal(split_carry(of_early, early, d, &again, NULL), ST_OK);
    assert_int_equal(again->fingerprint, carried->fingerprint);
    assert_memory_equal(again->part, carried->part, d->events.n);
    assert_memory_equal(again->held_out, carried->held_out, d->users.n);
    struct split *splits[] = {of_a, carried, again, of_early};
    for (size_t i = 0; i < 4; i++)
        split_release(splits[i]);
    struct dataset *all[] = {a, b, c, ab, d, early};
    for (size_t i = 0; i < 6; i++)
        dataset_release(all[i]);
}

static long left;

static bool refuse(void *context, size_t bytes)
{
    (void)context;
    (void)bytes;
    return left-- != 0;
}

static void test_no_memory(void **state)
{
    (void)state;
    struct dataset *a = make_data("a", 1, 100, WITH_ALL, NULL), *b = make_data("b", 2, 60, WITH_ALL, NULL);
    for (long n = 0;; n++) {
        struct dataset *d = NULL, *early = NULL;
        left = n;
        mem_set_hook(refuse, NULL);
        enum status st = dataset_grow(a, b, &d, NULL);
        if (!st)
            st = dataset_at_stage(d, &d->stages[0], &early, NULL);
        mem_set_hook(NULL, NULL);
        dataset_release(d);
        dataset_release(early);
        if (!st)
            break;
        assert_int_equal(st, ST_NOMEM);
    }
    dataset_release(a);
    dataset_release(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_grow), cmocka_unit_test(test_order_does_not_matter),
                                       cmocka_unit_test(test_types), cmocka_unit_test(test_stages_and_splits),
                                       cmocka_unit_test(test_no_memory)};
    return cmocka_run_group_tests_name("data_grow", tests, NULL, NULL);
}
