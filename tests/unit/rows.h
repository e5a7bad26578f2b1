/* Small data sets written down as rows, for tests. */
#ifndef TAILOR_TESTS_UNIT_ROWS_H
#define TAILOR_TESTS_UNIT_ROWS_H

#include <string.h>

#include "base/mem.h"
#include "data/dataset.h"
#include "tests/unit/unit.h"

struct row {
    const char *user, *item, *type; /* type NULL: "click" */
    int64_t time;
    const char *part;               /* NULL: none */
};

/* A finished data set of these rows; without times when with_times is false. Release it. */
static inline struct dataset *rows_dataset(const struct row *rows, size_t n, bool with_times)
{
    struct dataset *d = dataset_new("rows", NULL);
    struct events *e = &d->events;
    struct field *part;
    e->user = mem_new(n, sizeof *e->user, "", NULL);
    e->item = mem_new(n, sizeof *e->item, "", NULL);
    e->time = with_times ? mem_new(n, sizeof *e->time, "", NULL) : NULL;
    e->sequence = mem_new(n, sizeof *e->sequence, "", NULL);
    e->type = mem_new(n, sizeof *e->type, "", NULL);
    assert_int_equal(fields_add(&e->context, "part", FIELD_TEXT, &part, NULL), ST_OK);
    for (size_t i = 0; i < n; i++) {
        const struct row *r = &rows[i];
        const char *word = r->type ? r->type : "click";
        uint32_t type;
        assert_int_equal(dict_add(&d->users, r->user, strlen(r->user), &e->user[i], NULL), ST_OK);
        assert_int_equal(dict_add(&d->items, r->item, strlen(r->item), &e->item[i], NULL), ST_OK);
        assert_int_equal(dict_add(&d->types, word, strlen(word), &type, NULL), ST_OK);
        assert_int_equal(field_push_text(part, r->part, r->part ? strlen(r->part) : 0, NULL), ST_OK);
        e->type[i] = (uint16_t)type;
        if (with_times)
            e->time[i] = r->time;
        e->sequence[i] = i;
    }
    e->n = n;
    assert_int_equal(dataset_finish(d, NULL), ST_OK);
    return d;
}

#define ROWS(rows) (rows), sizeof(rows) / sizeof *(rows)

#endif
