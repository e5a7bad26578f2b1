/* Rows of delimited text or JSON lines as events. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "ingest/load.h"
#include "ingest/number.h"

/* What happens with a column that is no event column of its own. */
struct plan {
    uint32_t source; /* column of the file */
    enum role role;  /* ROLE_CONTEXT, ROLE_ITEM_FIELD, ROLE_USER_FIELD, ROLE_SESSION, ROLE_PRICE, ROLE_QUANTITY */
    size_t target;   /* index in in->context, in->item_columns or in->user_columns */
};

struct event_reader {
    struct ingest *in;
    struct sheet *t;
    struct roles roles;
    const char *default_type;
    struct plan *plans;
    size_t nplans, capacity;
    uint32_t planned; /* columns of the file that have been looked at */
    double amount[2]; /* price and quantity of the current row */
};

static enum status add_plan(struct event_reader *r, uint32_t source, enum role role, const char *name,
                            struct error *err)
{
    struct raw_columns *set = role == ROLE_ITEM_FIELD   ? &r->in->item_columns
                              : role == ROLE_USER_FIELD ? &r->in->user_columns
                                                        : &r->in->context;
    struct plan plan = {.source = source, .role = role};
    enum status st = mem_grow(&r->plans, &r->capacity, r->nplans + 1, sizeof *r->plans, err);
    if (!st)
        st = raw_columns_add(set, name, &plan.target, err);
    if (st)
        return st;
    if (role == ROLE_ITEM_FIELD || role == ROLE_USER_FIELD)
        set->column[plan.target].bars = true;
    if (role == ROLE_SESSION)
        set->column[plan.target].text = true;
    r->plans[r->nplans++] = plan;
    return ST_OK;
}

/* Plans the columns that were found since the last call (JSON finds them on the way). */
static enum status plan_columns(struct event_reader *r, struct error *err)
{
    enum status st = ST_OK;
    for (; !st && r->planned < r->t->names.n; r->planned++) {
        uint32_t c = r->planned;
        const char *name = dict_text(&r->t->names, c);
        enum role role = ROLE_CONTEXT;
        bool rides = false;
        for (int i = 0; i < ROLES; i++)
            if (r->roles.column[i] == c)
                role = (enum role)i;
        for (size_t i = 0; !st && i < r->in->nmapping; i++) {
            const char *key = r->in->mapping[i].key;
            bool item = text_starts(key, "item."), user = text_starts(key, "user.");
            if ((!item && !user) || sheet_column(r->t, r->in->mapping[i].value) != c)
                continue;
            st = add_plan(r, c, item ? ROLE_ITEM_FIELD : ROLE_USER_FIELD, key + 5, err);
            rides = true;
        }
        bool left_out = role == ROLE_CONTEXT && (rides || !ingest_keeps(r->in, name));
        if (!st && role >= ROLE_SESSION && !left_out)
            st = add_plan(r, c, role, role < ROLES ? role_names[role] : name, err);
    }
    return st;
}

static const struct cell *cell_of(const struct event_reader *r, enum role role)
{
    uint32_t c = r->roles.column[role];
    if (c == NO_CODE)
        return r->roles.computed[role].kind ? &r->roles.made[role] : NULL;
    return &r->t->row.cells[c];
}

/* Says what is wrong with a cell, quoting it. */
static const char *complain(struct ingest *in, const char *what, const struct cell *c, const char *problem)
{
    int shown = c->n > 60 ? 60 : (int)c->n;
    snprintf(in->reason, sizeof in->reason, "%s \"%.*s\" %s", what, shown, c->text, problem);
    return in->reason;
}

static const char *read_number(struct ingest *in, const char *what, const struct cell *c, double *out)
{
    *out = NAN;
    if (!c || !c->text || c->n == 0)
        return NULL;
    return number_real(c->text, c->n, out) ? NULL : complain(in, what, c, "is not a finite number");
}

/* Reads all typed cells of the row before anything is stored; NULL, or why the row is refused. */
static const char *check_row(struct event_reader *r, struct event_row *row)
{
    struct ingest *in = r->in;
    row->user = cell_of(r, ROLE_USER);
    row->item = cell_of(r, ROLE_ITEM);
    row->time = NO_TIME;
    const char *bad = ingest_id(in, row->user, "user");
    if (!bad)
        bad = ingest_id(in, row->item, "item");
    const struct cell *time = cell_of(r, ROLE_TIME);
    bool untimed = time && (!time->text || time->n == 0 || cell_is_missing(time->text, time->n));
    if (!bad && time && !untimed && (!time_parse(time->text, time->n, in->tz, &row->time) || row->time == NO_TIME))
        bad = complain(in, "time", time, "is not a time (ISO 8601 or epoch seconds expected)");
    if (!bad)
        bad = read_number(in, "value", cell_of(r, ROLE_VALUE), &row->value);
    if (!bad && fabs(row->value) > 3e38)
        bad = complain(in, "value", cell_of(r, ROLE_VALUE), "is too large");
    if (!bad)
        bad = read_number(in, "price", cell_of(r, ROLE_PRICE), &r->amount[0]);
    if (!bad)
        bad = read_number(in, "quantity", cell_of(r, ROLE_QUANTITY), &r->amount[1]);
    const struct cell *type = cell_of(r, ROLE_TYPE);
    if (!bad && type && (!type->text || type->n == 0))
        bad = "no event type";
    if (!bad && type)
        bad = ingest_id(in, type, "event type");
    in->untimed += untimed && !bad;
    row->type = type ? type->text : r->default_type;
    row->type_length = type ? type->n : strlen(r->default_type);
    return bad;
}

static enum status store_rest(struct event_reader *r, struct error *err)
{
    struct ingest *in = r->in;
    const struct events *e = &in->data->events;
    size_t event = e->n - 1;
    enum status st = ST_OK;
    for (size_t i = 0; !st && i < r->nplans; i++) {
        const struct plan *p = &r->plans[i];
        const struct cell *cell = &r->t->row.cells[p->source];
        if (!cell->text || cell->n == 0)
            continue;
        if (p->role == ROLE_PRICE || p->role == ROLE_QUANTITY)
            st = raw_column_set_real(&in->context.column[p->target], event, r->amount[p->role - ROLE_PRICE], err);
        else if (p->role == ROLE_ITEM_FIELD)
            st = raw_column_set(&in->item_columns.column[p->target], e->item[event], cell, err);
        else if (p->role == ROLE_USER_FIELD)
            st = raw_column_set(&in->user_columns.column[p->target], e->user[event], cell, err);
        else
            st = raw_column_set(&in->context.column[p->target], event, cell, err);
    }
    return st;
}

static enum status read_rows(struct event_reader *r, struct error *err)
{
    for (;;) {
        bool more;
        struct event_row row;
        enum status st = ingest_next(r->in, r->t, &more, err);
        if (st || !more)
            return st;
        if (r->planned < r->t->names.n)
            st = plan_columns(r, err);
        if (st)
            return st;
        if (r->roles.any_computed) {
            st = roles_compute(&r->roles, r->in, r->t, err);
            if (st)
                return st;
        }
        const char *bad = check_row(r, &row);
        st = bad ? ingest_reject(r->in, r->t, bad, err) : ingest_add_event(r->in, &row, err);
        if (!st && !bad)
            st = store_rest(r, err);
        if (st)
            return st;
    }
}

static void note_roles(struct event_reader *r)
{
    struct str taken = {0};
    for (int i = 0; i < ROLES; i++) {
        uint32_t c = r->roles.column[i];
        if (c != NO_CODE && r->t->header && strcmp(dict_text(&r->t->names, c), role_names[i]) != 0)
            str_printf(&taken, "%s%s=%s", taken.length ? " " : "", role_names[i], dict_text(&r->t->names, c));
    }
    if (taken.length)
        ingest_note(r->in, "columns: %s", str_text(&taken));
    if (!roles_has(&r->roles, ROLE_TIME))
        ingest_note(r->in, "%s has no times: order of the file only%s", r->t->feed->path,
                    r->t->header ? " (time=COLUMN names one)" : "");
    str_free(&taken);
}

enum status events_read(struct ingest *in, struct sheet *t, struct error *err)
{
    struct event_reader r = {.in = in, .t = t};
    enum status st = roles_find(in, t, &r.roles, err);
    r.default_type = in->default_type ? in->default_type : r.roles.ratings ? "rating" : "event";
    if (!st)
        st = plan_columns(&r, err);
    if (!st) {
        note_roles(&r);
        st = read_rows(&r, err);
    }
    mem_free(r.plans);
    roles_clear(&r.roles);
    ingest_close(in, t);
    return st;
}

static int recognise_jsonl(const char *path, const char *head, size_t n)
{
    (void)path;
    size_t i = 0;
    while (i < n && strchr(" \t\r\n", head[i]) && head[i])
        i++;
    return i < n && head[i] == '{' ? 10 : 0;
}

static int recognise_csv(const char *path, const char *head, size_t n)
{
    (void)path;
    (void)head;
    return n ? 1 : 0;
}

static enum status read_events(struct ingest *in, const char *path, struct error *err)
{
    struct sheet t;
    enum status st = ingest_open(in, path, NULL, &t, err);
    return st ? st : events_read(in, &t, err);
}

const struct reader reader_jsonl = {"jsonl", "JSON lines, one event an object", recognise_jsonl, read_events};
const struct reader reader_csv = {"csv", "delimited text with or without a header", recognise_csv, read_events};
