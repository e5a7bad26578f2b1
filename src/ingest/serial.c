/* Events row by row, for files of which a column is the number of the row (computed.c). All others are read in chunks.
 */
#include <string.h>

#include "base/clock.h"
#include "ingest/serial.h"

struct serial {
    struct event_form *form;
    double amount[2]; /* price and quantity of the current row */
};

static const struct cell *cell_of(const struct serial *s, enum role role)
{
    const struct roles *r = &s->form->roles;
    uint32_t c = r->column[role];
    if (c == NO_CODE)
        return r->computed[role].kind ? &r->made[role] : NULL;
    return &s->form->t->row.cells[c];
}

/* Reads all typed cells of the row before anything is stored; NULL, or why the row is refused. */
static const char *check_row(struct serial *s, struct event_row *row)
{
    struct ingest *in = s->form->in;
    const struct cell *time = cell_of(s, ROLE_TIME), *type = cell_of(s, ROLE_TYPE);
    row->user = cell_of(s, ROLE_USER);
    row->item = cell_of(s, ROLE_ITEM);
    row->time = NO_TIME;
    const char *bad = ingest_id(in, row->user, "user");
    if (!bad)
        bad = ingest_id(in, row->item, "item");
    if (!bad && time)
        bad = cell_time(in, time, &row->time, in->reason, sizeof in->reason);
    if (!bad)
        bad = cell_number(in, "value", cell_of(s, ROLE_VALUE), &row->value, in->reason, sizeof in->reason);
    if (!bad)
        bad = cell_number(in, "price", cell_of(s, ROLE_PRICE), &s->amount[0], in->reason, sizeof in->reason);
    if (!bad)
        bad = cell_number(in, "quantity", cell_of(s, ROLE_QUANTITY), &s->amount[1], in->reason, sizeof in->reason);
    if (!bad && type)
        bad = !type->text || type->n == 0 ? "no event type" : ingest_id(in, type, "event type");
    row->type = type ? type->text : s->form->default_type;
    row->type_length = type ? type->n : strlen(s->form->default_type);
    in->untimed += !bad && time && row->time == NO_TIME;
    return bad;
}

static enum status store_rest(struct serial *s, struct error *err)
{
    struct ingest *in = s->form->in;
    const struct events *e = &in->data->events;
    size_t event = e->n - 1;
    enum status st = ST_OK;
    for (size_t i = 0; !st && i < s->form->nplans; i++) {
        const struct plan *p = &s->form->plans[i];
        const struct cell *cell = &s->form->t->row.cells[p->source];
        if (!cell->text || cell->n == 0)
            continue;
        if (p->role == ROLE_PRICE || p->role == ROLE_QUANTITY)
            st = raw_column_set_real(&in->context.column[p->target], event, s->amount[p->role - ROLE_PRICE], err);
        else if (p->role == ROLE_ITEM_FIELD)
            st = raw_column_set(&in->item_columns.column[p->target], e->item[event], cell, err);
        else if (p->role == ROLE_USER_FIELD)
            st = raw_column_set(&in->user_columns.column[p->target], e->user[event], cell, err);
        else
            st = raw_column_set(&in->context.column[p->target], event, cell, err);
    }
    return st;
}

enum status serial_read(struct event_form *form, plan_columns plan, struct error *err)
{
    struct serial s = {.form = form};
    for (;;) {
        bool more;
        struct event_row row;
        enum status st = ingest_next(form->in, form->t, &more, err);
        if (st || !more)
            return st;
        if (form->planned < form->t->names.n)
            st = plan(form, err);
        if (!st)
            st = roles_compute(&form->roles, form->in, form->t, err);
        if (st)
            return st;
        const char *bad = check_row(&s, &row);
        st = bad ? ingest_reject(form->in, form->t, bad, err) : ingest_add_event(form->in, &row, err);
        if (!st && !bad)
            st = store_rest(&s, err);
        if (st)
            return st;
    }
}
