/* The tables `users` and `items`: a row each, what they did in numbers, and their attributes. */
#include <string.h>

#include "base/mem.h"
#include "commands/pinned.h"

struct entity_cursor {
    struct pinned *pinned;
    const struct dict *ids;
    const struct fields *fields;
    size_t next_row, end, row;
    uint32_t *chosen; /* rows of a test; NULL: next_row .. end */
    size_t nchosen;
    uint64_t *events, *users; /* items: of each, when asked for */
    struct str text;
};

/* ---- what both do ---- */

static enum status open_entities(struct pinned *p, const struct dict *ids, const struct fields *fields, void **out,
                                 struct error *err)
{
    struct entity_cursor *c = mem_new(1, sizeof *c, "a look at users or items", err);
    if (!c)
        return ST_NOMEM;
    *c = (struct entity_cursor){.pinned = p, .ids = ids, .fields = fields};
    *out = c;
    return ST_OK;
}

static void close(void *cursor)
{
    struct entity_cursor *c = cursor;
    mem_free(c->chosen);
    mem_free(c->events);
    mem_free(c->users);
    str_free(&c->text);
    mem_free(c);
}

static enum status choose(struct entity_cursor *c, const struct sql_test *tests, size_t n, struct error *err)
{
    mem_free(c->chosen);
    c->chosen = NULL;
    c->next_row = 0;
    c->end = c->ids->n;
    if (n == 0)
        return ST_OK;
    /* The smallest test gives the rows, the others thin them out. */
    c->chosen = mem_new(tests[0].ntexts, sizeof *c->chosen, "a condition", err);
    if (!c->chosen)
        return ST_NOMEM;
    c->nchosen = 0;
    for (size_t i = 0; i < tests[0].ntexts; i++) {
        uint32_t code = dict_find(c->ids, tests[0].texts[i].text, tests[0].texts[i].length);
        bool keep = code != NO_CODE;
        for (size_t t = 1; t < n && keep; t++) {
            keep = false;
            for (size_t k = 0; k < tests[t].ntexts && !keep; k++)
                keep = dict_find(c->ids, tests[t].texts[k].text, tests[t].texts[k].length) == code;
        }
        if (keep)
            c->chosen[c->nchosen++] = code;
    }
    c->end = c->nchosen;
    return ST_OK;
}

static enum status next(void *cursor, bool *row, struct error *err)
{
    struct entity_cursor *c = cursor;
    (void)err;
    *row = c->next_row < c->end;
    if (*row) {
        c->row = c->chosen ? c->chosen[c->next_row] : c->next_row;
        c->next_row++;
    }
    return ST_OK;
}

static int64_t row_number(void *cursor)
{
    return (int64_t)((struct entity_cursor *)cursor)->row + 1;
}

static enum status count(void *cursor, uint64_t *n, struct error *err)
{
    (void)err;
    *n = ((struct entity_cursor *)cursor)->end;
    return ST_OK;
}

static void put_id(const struct entity_cursor *c, struct sql_cell *out)
{
    sql_put_fixed(out, dict_text(c->ids, (uint32_t)c->row), dict_length(c->ids, (uint32_t)c->row));
}

/* ---- users ---- */

enum { USER, USER_EVENTS, USER_FIRST, USER_LAST, USER_FIELDS };

static enum status user_columns(void *context, const struct sql_table *table, struct sql_columns *out,
                                struct error *err)
{
    (void)table;
    struct pinned *p = context;
    enum status st = pinned_need_data(p, "users", err);
    if (!st)
        st = sql_columns_add(out, "user", SQL_TEXT, SQL_PUSH | SQL_SEEK, 1 / ((double)p->data->users.n + 1), "id", err);
    if (!st)
        st = sql_columns_add(out, "events", SQL_INT, 0, 0, "how many events", err);
    if (!st)
        st = sql_columns_add(out, "first", SQL_TIME, 0, 0, "time of the first event", err);
    if (!st)
        st = sql_columns_add(out, "last", SQL_TIME, 0, 0, "time of the last event", err);
    return st ? st : add_fields(out, &p->data->user_fields, 0, "attribute of the user", err);
}

static double user_rows(void *context, const struct sql_table *table)
{
    (void)table;
    const struct pinned *p = context;
    return p->data ? p->data->users.n : 0;
}

static enum status user_open(void *context, const struct sql_table *table, void **out, struct error *err)
{
    (void)table;
    struct pinned *p = context;
    return open_entities(p, &p->data->users, &p->data->user_fields, out, err);
}

static enum status user_filter(void *cursor, const struct sql_test *tests, size_t n, uint64_t used, struct error *err)
{
    (void)used;
    return choose(cursor, tests, n, err);
}

/* Events without a time stand first. */
static int64_t first_time(const struct dataset *d, size_t user, size_t end)
{
    size_t e = d->user_begin[user];
    while (d->events.time && e < end && d->events.time[e] == NO_TIME)
        e++;
    return d->events.time && e < end ? d->events.time[e] : NO_TIME;
}

static int64_t last_time(const struct dataset *d, size_t user, size_t end)
{
    return d->events.time && d->user_begin[user] < end ? d->events.time[end - 1] : NO_TIME;
}

static enum status user_column(void *cursor, size_t column, struct sql_cell *out, struct error *err)
{
    struct entity_cursor *c = cursor;
    const struct dataset *d = c->pinned->data;
    (void)err;
    size_t end = column < USER_FIELDS ? user_end_before(d, c->row, c->pinned->now) : 0;
    switch (column) {
    case USER:
        put_id(c, out);
        break;
    case USER_EVENTS:
        sql_put_int(out, (int64_t)(end - d->user_begin[c->row]));
        break;
    case USER_FIRST:
        sql_put_time(out, first_time(d, c->row, end));
        break;
    case USER_LAST:
        sql_put_time(out, last_time(d, c->row, end));
        break;
    default:
        put_field(out, &c->fields->field[column - USER_FIELDS], c->row);
    }
    return ST_OK;
}

const struct sql_table table_users = {
    .name = "users",
    .summary = "each user with their attributes",
    .columns = user_columns,
    .rows = user_rows,
    .open = user_open,
    .filter = user_filter,
    .next = next,
    .column = user_column,
    .row = row_number,
    .close = close,
    .count = count,
};

/* ---- items ---- */

enum { ITEM, ITEM_TITLE, ITEM_EVENTS, ITEM_USERS, ITEM_FIELDS };

static enum status item_columns_of(void *context, const struct sql_table *table, struct sql_columns *out,
                                   struct error *err)
{
    (void)table;
    struct pinned *p = context;
    enum status st = pinned_need_data(p, "items", err);
    if (!st)
        st = sql_columns_add(out, "item", SQL_TEXT, SQL_PUSH | SQL_SEEK, 1 / ((double)p->data->items.n + 1), "id", err);
    if (!st)
        st = sql_columns_add(out, "title", SQL_TEXT, 0, 0, "title, or the id where there is none", err);
    if (!st)
        st = sql_columns_add(out, "events", SQL_INT, 0, 0, "how many events", err);
    if (!st)
        st = sql_columns_add(out, "users", SQL_INT, 0, 0, "of how many users", err);
    const struct fields *set = st ? NULL : &p->data->item_fields;
    for (size_t i = 0; set && i < set->n && !st; i++) {
        struct fields one = {.field = &set->field[i], .n = 1};
        if (&set->field[i] != dataset_titles(p->data))
            st = add_fields(out, &one, 0, "attribute of the item", err);
    }
    return st;
}

static double item_rows(void *context, const struct sql_table *table)
{
    (void)table;
    const struct pinned *p = context;
    return p->data ? p->data->items.n : 0;
}

static enum status item_open(void *context, const struct sql_table *table, void **out, struct error *err)
{
    (void)table;
    struct pinned *p = context;
    return open_entities(p, &p->data->items, &p->data->item_fields, out, err);
}

/* Events and users of every item, in one pass: a user's events stand together. */
static enum status count_items(struct entity_cursor *c, struct error *err)
{
    const struct dataset *d = c->pinned->data;
    enum { TILE = 1 << 16 };
    enum status st = ST_OK;
    uint32_t *last = mem_new_raw(d->items.n, sizeof *last, "items", err);
    c->events = mem_new(d->items.n, sizeof *c->events, "items", err);
    c->users = mem_new(d->items.n, sizeof *c->users, "items", err);
    if (last && c->events && c->users) {
        memset(last, 0xff, d->items.n * sizeof *last);
        for (size_t e = 0; e < d->events.n; e++) {
            if (e % TILE == 0 && (st = job_check(&c->pinned->wb->job, err)) != ST_OK)
                break;
            if (!event_before(d, e, c->pinned->now))
                continue;
            uint32_t item = d->events.item[e], user = d->events.user[e];
            c->events[item]++;
            c->users[item] += last[item] != user;
            last[item] = user;
        }
    }
    bool made = last && c->events && c->users;
    mem_free(last);
    return made ? st : ST_NOMEM;
}

static enum status item_filter(void *cursor, const struct sql_test *tests, size_t n, uint64_t used, struct error *err)
{
    struct entity_cursor *c = cursor;
    enum status st = choose(c, tests, n, err);
    if (!st && !c->users && used & (UINT64_C(1) << ITEM_EVENTS | UINT64_C(1) << ITEM_USERS))
        st = count_items(c, err);
    return st;
}

static const struct field *item_field(const struct entity_cursor *c, size_t column)
{
    const struct field *titles = dataset_titles(c->pinned->data);
    size_t i = column - ITEM_FIELDS;
    return &c->fields->field[i + (titles && &c->fields->field[i] >= titles)];
}

static enum status item_column(void *cursor, size_t column, struct sql_cell *out, struct error *err)
{
    struct entity_cursor *c = cursor;
    (void)err;
    switch (column) {
    case ITEM:
        put_id(c, out);
        break;
    case ITEM_TITLE: {
        const char *title = dataset_item_title(c->pinned->data, (uint32_t)c->row);
        sql_put_fixed(out, title, strlen(title));
        break;
    }
    case ITEM_EVENTS:
        sql_put_int(out, (int64_t)c->events[c->row]);
        break;
    case ITEM_USERS:
        sql_put_int(out, (int64_t)c->users[c->row]);
        break;
    default:
        put_field(out, item_field(c, column), c->row);
    }
    return ST_OK;
}

const struct sql_table table_items = {
    .name = "items",
    .summary = "each item with its attributes",
    .columns = item_columns_of,
    .rows = item_rows,
    .open = item_open,
    .filter = item_filter,
    .next = next,
    .column = item_column,
    .row = row_number,
    .close = close,
    .count = count,
};
