/* Rows of delimited text or JSON lines as events. */
#include <string.h>

#include "base/mem.h"
#include "ingest/serial.h"

static bool is_taken(const struct event_form *form, const struct raw_columns *set, enum role role, const char *name)
{
    for (size_t i = 0; i < form->nplans; i++) {
        const struct plan *p = &form->plans[i];
        bool same_set = (role == ROLE_ITEM_FIELD) == (p->role == ROLE_ITEM_FIELD) &&
                        (role == ROLE_USER_FIELD) == (p->role == ROLE_USER_FIELD);
        if (same_set && strcmp(set->column[p->target].name, name) == 0)
            return true;
    }
    bool amount = role == ROLE_PRICE || role == ROLE_QUANTITY;
    for (size_t i = 0; i < set->n; i++) /* of a file before: it holds numbers from the start or it does not */
        if (strcmp(set->column[i].name, name) == 0 && set->column[i].n && set->column[i].numeric != amount)
            return true;
    return false;
}

/* No two columns of the file go to the same place: the second one that wants a name gets another. */
static enum status add_plan(struct event_form *form, uint32_t source, enum role role, const char *name,
                            struct error *err)
{
    struct raw_columns *set = role == ROLE_ITEM_FIELD   ? &form->in->item_columns
                              : role == ROLE_USER_FIELD ? &form->in->user_columns
                                                        : &form->in->context;
    struct plan plan = {.source = source, .role = role};
    struct str own = {0};
    str_puts(&own, name);
    for (unsigned k = 2; is_taken(form, set, role, str_text(&own)); k++) {
        str_clear(&own);
        str_printf(&own, "%s.%u", name, k);
    }
    enum status st = own.failed ? error_nomem(err, strlen(name), "a column name")
                                : mem_grow(&form->plans, &form->capacity, form->nplans + 1, sizeof *form->plans, err);
    if (!st)
        st = raw_columns_add(set, str_text(&own), &plan.target, err);
    str_free(&own);
    if (st)
        return st;
    if (role == ROLE_ITEM_FIELD || role == ROLE_USER_FIELD)
        set->column[plan.target].bars = true;
    if (role == ROLE_SESSION)
        set->column[plan.target].text = true;
    form->plans[form->nplans++] = plan;
    return ST_OK;
}

/* Plans the columns that were found since the last call (JSON finds them on the way). */
static enum status plan_new_columns(struct event_form *form, struct error *err)
{
    enum status st = ST_OK;
    for (; !st && form->planned < form->t->names.n; form->planned++) {
        uint32_t c = form->planned;
        const char *name = dict_text(&form->t->names, c);
        enum role role = ROLE_CONTEXT;
        bool rides = false;
        for (int i = 0; i < ROLES; i++)
            if (form->roles.column[i] == c)
                role = (enum role)i;
        for (size_t i = 0; !st && i < form->in->nmapping; i++) {
            const char *key = form->in->mapping[i].key;
            bool item = text_starts(key, "item."), user = text_starts(key, "user.");
            if ((!item && !user) || sheet_column(form->t, form->in->mapping[i].value) != c)
                continue;
            st = add_plan(form, c, item ? ROLE_ITEM_FIELD : ROLE_USER_FIELD, key + 5, err);
            rides = true;
        }
        bool left_out = role == ROLE_CONTEXT && (rides || !ingest_keeps(form->in, name));
        if (!st && role >= ROLE_SESSION && !left_out)
            st = add_plan(form, c, role, role < ROLES ? role_names[role] : name, err);
    }
    return st;
}

static void note_roles(const struct event_form *r)
{
    struct str taken = {0};
    for (int i = 0; i < ROLES; i++) {
        uint32_t c = r->roles.column[i];
        if (c != NO_CODE && r->t->header && strcmp(dict_text(&r->t->names, c), role_names[i]) != 0)
            str_printf(&taken, "%s%s=%s", taken.length ? " " : "", role_names[i], dict_text(&r->t->names, c));
    }
    if (taken.length && !r->in->known)
        ingest_note(r->in, "columns: %s", str_text(&taken));
    if (!roles_has(&r->roles, ROLE_TIME) && !r->in->known)
        ingest_note(r->in, "%s has no times: order of the file only%s", r->t->feed->path,
                    r->t->header ? " (time=COLUMN names one)" : "");
    str_free(&taken);
}

enum status events_read(struct ingest *in, struct sheet *t, struct error *err)
{
    struct event_form form = {.in = in, .t = t};
    enum status st = roles_find(in, t, &form.roles, err);
    form.default_type = in->default_type ? in->default_type : form.roles.ratings ? "rating" : "event";
    if (!st)
        st = plan_new_columns(&form, err);
    if (!st) {
        note_roles(&form);
        st = form.roles.counts_rows ? serial_read(&form, plan_new_columns, err)
                                    : rounds_read(&form, plan_new_columns, err);
    }
    mem_free(form.plans);
    roles_clear(&form.roles);
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

const struct reader reader_jsonl = {"jsonl", "JSON lines, one event an object", recognise_jsonl, read_events, false};
const struct reader reader_csv = {"csv", "delimited text with or without a header", recognise_csv, read_events, false};
