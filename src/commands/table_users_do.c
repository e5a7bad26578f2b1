/* What users did, summed up: the tables `interactions` and `sessions`. A piece is one user. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "commands/held.h"

/* ---- interactions ---- */

enum { I_USER, I_ITEM, I_WEIGHT, I_COUNT, I_TIME, I_COLUMNS };

static const struct held_column interaction_columns[I_COLUMNS] = {
    {"user", SQL_TEXT, 0, "who"},
    {"item", SQL_TEXT, SQL_PUSH, "with what"},
    {"weight", SQL_REAL, SQL_PUSH, "summed weights of the events, by type"},
    {"count", SQL_INT, SQL_PUSH, "events of feedback"},
    {"time", SQL_TIME, SQL_PUSH, "of the last one"},
};

static enum status fill_interactions(struct held_cursor *c, size_t user, struct table *out, struct error *err)
{
    struct pinned *p = c->pinned;
    struct selection s = {.data = p->data, .until = p->now};
    struct history h = {0};
    enum status st = history_of_user(&s, (uint32_t)user, &h, err);
    struct query_item *items = st ? NULL : mem_new_raw(h.n, sizeof *items, "interactions", err);
    if (items) {
        struct query q = history_query(&h);
        size_t n = query_items(&q, items);
        for (size_t i = 0; i < n; i++) {
            table_text(out, dict_text(&p->data->users, (uint32_t)user));
            table_text(out, dict_text(&p->data->items, items[i].item));
            table_real(out, real_of_single(items[i].weight));
            table_int(out, items[i].count);
            table_time(out, items[i].time);
        }
    } else if (!st) {
        st = ST_NOMEM;
    }
    mem_free(items);
    history_clear(&h);
    return st;
}

static const struct held interactions = {.columns = interaction_columns,
                                         .ncolumns = I_COLUMNS,
                                         .needs_data = true,
                                         .user_column = I_USER,
                                         .fill = fill_interactions};

const struct sql_table table_interactions = {.own = &interactions,
                                             .name = "interactions",
                                             .summary =
                                                 "each user and item once, as models learn them from all feedback",
                                             HELD_SLOTS};

/* ---- sessions ---- */

enum { S_USER, S_SESSION, S_START, S_END, S_EVENTS, S_SECONDS, S_COLUMNS };

static const int64_t default_gap = 30 * 60 * US_PER_SECOND;

static const struct held_column session_columns[S_COLUMNS] = {
    {"user", SQL_TEXT, 0, "who"},
    {"session", SQL_TEXT, SQL_PUSH,
     "of the column session of the events; else a number of the user's, new after 30 minutes without an event"},
    {"start", SQL_TIME, SQL_PUSH, "time of the first event"},
    {"end", SQL_TIME, SQL_PUSH, "time of the last event"},
    {"events", SQL_INT, SQL_PUSH, "how many"},
    {"seconds", SQL_REAL, SQL_PUSH, "from the first to the last event"},
};

/* An event and what its session is called by; sorted, the events of a session stand together. */
struct member {
    uint64_t key;
    size_t event;
};

struct session {
    size_t first; /* event */
    int64_t start, end;
    size_t events;
};

static int by_key(const void *a, const void *b)
{
    const struct member *x = a, *y = b;
    if (x->key != y->key)
        return x->key < y->key ? -1 : 1;
    return x->event < y->event ? -1 : x->event > y->event;
}

static int by_first(const void *a, const void *b)
{
    size_t x = ((const struct session *)a)->first, y = ((const struct session *)b)->first;
    return (x > y) - (x < y);
}

static uint64_t key_of(const struct field *f, size_t e)
{
    uint64_t key = 0;
    switch (f->type) {
    case FIELD_TEXT:
        return f->code[e];
    case FIELD_REAL:
        memcpy(&key, &f->real[e], sizeof key);
        return key;
    case FIELD_INT:
    case FIELD_TIME:
        return (uint64_t)f->integer[e];
    default:
        return f->list_begin[e + 1] > f->list_begin[e] ? f->list_code[f->list_begin[e]] : NO_CODE;
    }
}

/* The events of [begin, end) by session: those of the column, else cut by gaps. Returns how many are in one. */
static size_t take_members(const struct dataset *d, const struct field *f, size_t begin, size_t end, struct member *out)
{
    size_t n = 0, gaps = 0;
    for (size_t e = begin; e < end; e++) {
        if (f && !field_missing(f, e))
            out[n++] = (struct member){key_of(f, e), e};
        if (f)
            continue;
        int64_t now = d->events.time ? d->events.time[e] : NO_TIME,
                before = d->events.time && e > begin ? d->events.time[e - 1] : now;
        gaps += now != before && (before == NO_TIME || now - before > default_gap);
        out[n++] = (struct member){gaps, e};
    }
    if (f)
        qsort(out, n, sizeof *out, by_key);
    return n;
}

/* list[0..) has room for one a member; in order of their first events. */
static size_t make_sessions(const struct dataset *d, const struct member *member, size_t n, struct session *list)
{
    size_t k = 0;
    for (size_t i = 0; i < n; i++) {
        int64_t time = d->events.time ? d->events.time[member[i].event] : NO_TIME;
        if (i == 0 || member[i].key != member[i - 1].key)
            list[k++] = (struct session){.first = member[i].event, .start = time};
        struct session *s = &list[k - 1];
        s->start = s->start == NO_TIME ? time : s->start;
        s->end = time;
        s->events++;
    }
    qsort(list, k, sizeof *list, by_first);
    return k;
}

static void put_session(const struct dataset *d, const struct field *f, size_t user, size_t number,
                        const struct session *s, struct table *out)
{
    struct str name = {0};
    if (f)
        field_format(f, s->first, &name);
    else
        str_printf(&name, "%zu", number + 1);
    table_text(out, dict_text(&d->users, (uint32_t)user));
    table_str(out, &name);
    table_time(out, s->start);
    table_time(out, s->end);
    table_int(out, (int64_t)s->events);
    if (s->start == NO_TIME || s->end == NO_TIME)
        table_null(out);
    else
        table_real(out, (double)(s->end - s->start) / (double)US_PER_SECOND);
    str_free(&name);
}

static enum status fill_sessions(struct held_cursor *c, size_t user, struct table *out, struct error *err)
{
    const struct dataset *d = c->pinned->data;
    const struct field *f = fields_find(&d->events.context, "session");
    size_t begin = d->user_begin[user], end = user_end_before(d, user, c->pinned->now);
    struct member *members = mem_new_raw(end - begin, sizeof *members, "sessions", err);
    struct session *list = mem_new_raw(end - begin, sizeof *list, "sessions", err);
    bool made = members && list;
    size_t n = made ? make_sessions(d, members, take_members(d, f, begin, end, members), list) : 0;
    for (size_t i = 0; i < n; i++)
        put_session(d, f, user, i, &list[i], out);
    mem_free(members);
    mem_free(list);
    return made ? ST_OK : ST_NOMEM;
}

static const struct held sessions = {.columns = session_columns,
                                     .ncolumns = S_COLUMNS,
                                     .needs_data = true,
                                     .user_column = S_USER,
                                     .fill = fill_sessions};

const struct sql_table table_sessions = {
    .own = &sessions, .name = "sessions", .summary = "visits: events of a user without a long gap", HELD_SLOTS};
