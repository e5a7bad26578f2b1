/* The table `events`: a row an event, oldest first within each user. Questions about users, items, types, times,
 * numbers and text columns are answered by the columns themselves; SQLite sees only the rows that fit. The events of
 * users are runs, those of items a list of places once there is one. */
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "commands/events_cursor.h"

/* ---- columns ---- */

static enum status columns(void *context, const struct sql_table *table, struct sql_columns *out, struct error *err)
{
    (void)table;
    static const struct {
        const char *name;
        enum sql_type type;
        unsigned flags;
        const char *doc;
    } fixed[FIXED] = {
        {"event", SQL_INT, SQL_PUSH | SQL_SEEK, "number of the event, from 1: user by user, each oldest first"},
        {"user", SQL_TEXT, SQL_PUSH | SQL_SEEK, "who"},
        {"item", SQL_TEXT, SQL_PUSH | SQL_SEEK, "with what"},
        {"type", SQL_TEXT, SQL_PUSH, "click, purchase, rating, ..."},
        {"time", SQL_TIME, SQL_PUSH, "when, UTC"},
        {"value", SQL_REAL, SQL_PUSH, "rating or amount"},
        {"sequence", SQL_INT, SQL_HIDDEN | SQL_PUSH, "place in the files read, from 0; not part of *"},
    };
    struct pinned *p = context;
    enum status st = pinned_need_data(p, "events", err);
    if (st)
        return st;
    const struct dataset *d = p->data;
    const double share[FIXED] = {1 / ((double)d->events.n + 1), 1 / ((double)d->users.n + 1),
                                 1 / ((double)d->items.n + 1), 1 / ((double)d->types.n + 1)};
    for (size_t i = 0; i < FIXED && !st; i++)
        st = sql_columns_add(out, fixed[i].name, fixed[i].type, fixed[i].flags, share[i], fixed[i].doc, err);
    if (!st && p->split)
        st = sql_columns_add(out, "part", SQL_TEXT, SQL_PUSH, .3,
                             "of the split: train, valid, test, history; null in none", err);
    return st ? st : add_fields(out, &d->events.context, SQL_PUSH, "column of the events", err);
}

static double rows(void *context, const struct sql_table *table)
{
    (void)table;
    const struct pinned *p = context;
    return p->data ? (double)p->data->events.n : 0;
}

/* To the next event of the list that passes. */
static enum status next_listed(struct events_cursor *c, bool *found, struct error *err)
{
    for (*found = false; c->nth_listed < c->nlist && !*found;) {
        enum status st = c->nth_listed % SCAN_BLOCK == 0 ? job_check(&c->pinned->wb->job, err) : ST_OK;
        if (st)
            return st;
        c->event = c->list[c->nth_listed++];
        *found = scan_holds(&c->scan, c->event);
    }
    return ST_OK;
}

/* ---- the cursor ---- */

static enum status open(void *context, const struct sql_table *table, void **out, struct error *err)
{
    (void)table;
    struct events_cursor *c = mem_new(1, sizeof *c, "a look at events", err);
    if (!c)
        return ST_NOMEM;
    c->pinned = context;
    c->data = c->pinned->data;
    *out = c;
    return ST_OK;
}

static void close(void *cursor)
{
    struct events_cursor *c = cursor;
    events_nothing(c);
    mem_free(c->sets);
    mem_free(c->runs);
    mem_free(c->merged);
    str_free(&c->text);
    mem_free(c);
}

/* Blocks until one has a place that passes; false when there is none left. */
static enum status next_block(struct events_cursor *c, bool *found, struct error *err)
{
    c->nth = c->nplaces = 0;
    for (size_t blocks = 0; c->run < c->nruns && c->nplaces == 0; blocks++) {
        const struct run *r = &c->runs[c->run];
        size_t n = r->end - c->at < SCAN_BLOCK ? r->end - c->at : SCAN_BLOCK;
        enum status st = blocks % 256 == 255 ? job_check(&c->pinned->wb->job, err) : ST_OK;
        if (st)
            return st;
        c->block = c->at;
        c->nplaces = scan_block(&c->scan, c->at, n, c->place);
        c->at += n;
        if (c->at == r->end && ++c->run < c->nruns)
            c->at = c->runs[c->run].begin;
    }
    *found = c->nplaces > 0;
    return ST_OK;
}

static enum status next(void *cursor, bool *row, struct error *err)
{
    struct events_cursor *c = cursor;
    c->pinned->event_rows++;
    if (c->listed)
        return next_listed(c, row, err);
    *row = true;
    if (c->nth == c->nplaces) {
        enum status st = next_block(c, row, err);
        if (st || !*row)
            return st;
    }
    c->event = c->block + c->place[c->nth++];
    return ST_OK;
}

static enum status count(void *cursor, uint64_t *n, struct error *err)
{
    struct events_cursor *c = cursor;
    enum status st = ST_OK;
    *n = 0;
    for (bool row = c->listed; row && !st; *n += !st && row)
        st = next_listed(c, &row, err);
    for (size_t i = 0; i < c->nruns && !st; i++) {
        uint64_t some;
        st = scan_count(&c->scan, c->runs[i].begin, c->runs[i].end, &c->pinned->wb->job, &some, err);
        *n += st ? 0 : some;
    }
    return st;
}

static int64_t row_number(void *cursor)
{
    return (int64_t)((struct events_cursor *)cursor)->event + 1;
}

static void put_code(struct sql_cell *out, const struct dict *d, uint32_t code)
{
    sql_put_fixed(out, dict_text(d, code), dict_length(d, code));
}

static void put_part(struct sql_cell *out, uint8_t part)
{
    const char *name = part == PART_TRAIN     ? "train"
                       : part == PART_VALID   ? "valid"
                       : part == PART_TEST    ? "test"
                       : part == PART_HISTORY ? "history"
                                              : NULL;
    if (name)
        sql_put_fixed(out, name, strlen(name));
}

static enum status column(void *cursor, size_t column, struct sql_cell *out, struct error *err)
{
    struct events_cursor *c = cursor;
    const struct dataset *d = c->data;
    const struct events *e = &d->events;
    size_t row = c->event, first = events_first_field(c->pinned);
    (void)err;
    switch (column) {
    case EVENT:
        sql_put_int(out, (int64_t)row + 1);
        break;
    case USER:
        put_code(out, &d->users, e->user[row]);
        break;
    case ITEM:
        put_code(out, &d->items, e->item[row]);
        break;
    case TYPE:
        put_code(out, &d->types, e->type[row]);
        break;
    case TIME:
        sql_put_time(out, e->time ? e->time[row] : NO_TIME);
        break;
    case VALUE:
        if (e->value)
            sql_put_real(out, real_of_single(e->value[row]));
        break;
    case SEQUENCE:
        sql_put_int(out, (int64_t)e->sequence[row]);
        break;
    default:
        if (column < first)
            put_part(out, c->pinned->split->part[row]);
        else
            put_field(out, &e->context.field[column - first], row);
    }
    return ST_OK;
}

const struct sql_table table_events = {
    .name = "events",
    .summary = "who did what with which item, and when",
    .columns = columns,
    .rows = rows,
    .open = open,
    .filter = events_choose,
    .next = next,
    .column = column,
    .row = row_number,
    .close = close,
    .count = count,
};
