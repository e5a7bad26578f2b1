/* events: looking at what was loaded. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "commands/families.h"

/* ---- which events ---- */

struct choice {
    const struct dataset *data;
    uint32_t user, item; /* or NO_USER, NO_ITEM */
    uint32_t type;       /* or NO_CODE */
    int64_t until;       /* the clock of the workbench: later events are not shown; NO_TIME: all */
};

static enum status find_type(const struct dataset *d, const char *text, uint32_t *out, struct error *err)
{
    enum { LOOK = 256 };
    const char *names[LOOK];
    uint32_t n = d->types.n < LOOK ? d->types.n : LOOK;
    *out = dict_find_text(&d->types, text);
    for (uint32_t i = 0; *out == NO_CODE && i < d->types.n; i++)
        if (text_same(dict_text(&d->types, i), text))
            *out = i;
    if (*out != NO_CODE)
        return ST_OK;
    for (uint32_t i = 0; i < n; i++)
        names[i] = dict_text(&d->types, i);
    const char *near = text_nearest(text, names, n);
    error_set(err, ST_NOT_FOUND, "no event is of type \"%s\"", text);
    error_hint(err, near ? "did you mean %s?" : "`events by=type` lists the types", near);
    return ST_NOT_FOUND;
}

static enum status read_choice(struct workbench *wb, const struct call *call, struct choice *c, struct error *err)
{
    const char *user = call_text(call, "user"), *item = call_text(call, "item"), *type = call_text(call, "type");
    enum status st = ST_OK;
    c->user = NO_USER;
    c->item = NO_ITEM;
    c->type = NO_CODE;
    c->until = wb->now;
    if (user && strcmp(user, ".") == 0 && wb->user != NO_USER)
        c->user = wb->user;
    else if (user)
        st = error_at_option(dataset_find_user(c->data, user, &c->user, err), err, call, "user");
    if (!st && item)
        st = error_at_option(dataset_find_item(c->data, item, &c->item, err), err, call, "item");
    if (!st && type)
        st = error_at_option(find_type(c->data, type, &c->type, err), err, call, "type");
    return st;
}

static bool is_chosen(const struct choice *c, size_t e)
{
    const struct events *ev = &c->data->events;
    return (c->item == NO_ITEM || ev->item[e] == c->item) && (c->type == NO_CODE || ev->type[e] == c->type) &&
           (c->until == NO_TIME || !ev->time || ev->time[e] < c->until);
}

static void range_of(const struct choice *c, size_t *begin, size_t *end)
{
    *begin = c->user == NO_USER ? 0 : c->data->user_begin[c->user];
    *end = c->user == NO_USER ? c->data->events.n : c->data->user_begin[c->user + 1];
}

/* ---- the newest, as a list ---- */

/* Later in time, then later in the file. */
static bool is_later(const struct events *e, size_t a, size_t b)
{
    int64_t ta = e->time ? e->time[a] : 0, tb = e->time ? e->time[b] : 0;
    return ta != tb ? ta > tb : e->sequence[a] > e->sequence[b];
}

/* heap[0..n) with the earliest on top. */
static void sift(const struct events *e, size_t *heap, size_t n, size_t i)
{
    for (;;) {
        size_t least = i, l = 2 * i + 1;
        for (size_t k = l; k < l + 2 && k < n; k++)
            if (is_later(e, heap[least], heap[k]))
                least = k;
        if (least == i)
            return;
        size_t t = heap[i];
        heap[i] = heap[least];
        heap[least] = t;
        i = least;
    }
}

static int by_later(const void *a, const void *b, void *events)
{
    size_t x = *(const size_t *)a, y = *(const size_t *)b;
    return is_later(events, x, y) ? -1 : is_later(events, y, x);
}

/* The `most` newest events into newest[], newest first; returns how many there are of all. */
static size_t newest_events(const struct choice *c, size_t *newest, size_t most, size_t *n)
{
    struct events *e = (struct events *)(uintptr_t)&c->data->events; /* qsort_r's context is not const */
    size_t begin, end, all = 0;
    *n = 0;
    range_of(c, &begin, &end);
    for (size_t i = begin; i < end; i++) {
        if (!is_chosen(c, i))
            continue;
        all++;
        if (*n < most) {
            newest[(*n)++] = i;
            if (*n == most)
                for (size_t k = most / 2 + 1; k-- > 0;)
                    sift(e, newest, most, k);
        } else if (most && is_later(e, i, newest[0])) {
            newest[0] = i;
            sift(e, newest, most, 0);
        }
    }
    qsort_r(newest, *n, sizeof *newest, by_later, e);
    return all;
}

static void put_context(struct table *t, const struct field *f, size_t row, struct str *text)
{
    if (field_missing(f, row)) {
        table_null(t);
    } else if (f->type == FIELD_REAL) {
        table_real(t, f->real[row]);
    } else if (f->type == FIELD_INT) {
        table_int(t, f->integer[row]);
    } else if (f->type == FIELD_TIME) {
        table_time(t, f->integer[row]);
    } else {
        str_clear(text);
        field_format(f, row, text);
        table_text(t, str_text(text));
    }
}

enum { FIXED = 6, CONTEXT_SHOWN = 24 };

static struct table *list_table(const struct dataset *d, struct result *out, size_t *ncontext)
{
    static const struct column fixed[FIXED] = {
        {.name = "time", .type = VALUE_TIME},
        {.name = "user", .type = VALUE_TEXT, .flags = COLUMN_COMPACT},
        {.name = "item", .type = VALUE_TEXT, .flags = COLUMN_COMPACT},
        {.name = "title", .type = VALUE_TEXT},
        {.name = "type", .type = VALUE_TEXT},
        {.name = "value", .type = VALUE_REAL, .precision = -1},
    };
    static const enum value_type types[] = {[FIELD_TEXT] = VALUE_TEXT,
                                            [FIELD_LIST] = VALUE_TEXT,
                                            [FIELD_REAL] = VALUE_REAL,
                                            [FIELD_INT] = VALUE_INT,
                                            [FIELD_TIME] = VALUE_TIME};
    struct column columns[FIXED + CONTEXT_SHOWN];
    const struct fields *context = &d->events.context;
    *ncontext = context->n < CONTEXT_SHOWN ? context->n : CONTEXT_SHOWN;
    memcpy(columns, fixed, sizeof fixed);
    for (size_t i = 0; i < *ncontext; i++)
        columns[FIXED + i] = (struct column){.name = result_text(out, context->field[i].name),
                                             .type = types[context->field[i].type],
                                             .precision = -1,
                                             .flags = COLUMN_HIDDEN};
    return result_table(out, "events", "newest first", columns, FIXED + *ncontext);
}

static enum status list_events(const struct choice *c, size_t last, struct result *out, struct error *err)
{
    const struct dataset *d = c->data;
    const struct events *e = &d->events;
    size_t most = last < e->n ? last : e->n, n, ncontext;
    size_t *newest = mem_new_raw(most, sizeof *newest, "a list of events", err);
    if (!newest)
        return ST_NOMEM;
    size_t all = newest_events(c, newest, most, &n);
    struct table *t = list_table(d, out, &ncontext);
    struct str text = {0};
    for (size_t i = 0; i < n; i++) {
        size_t row = newest[i];
        table_time(t, e->time ? e->time[row] : NO_TIME);
        table_text(t, dict_text(&d->users, e->user[row]));
        table_text(t, dict_text(&d->items, e->item[row]));
        table_text(t, dataset_item_title(d, e->item[row]));
        table_text(t, dict_text(&d->types, e->type[row]));
        if (e->value)
            table_real(t, real_of_single(e->value[row]));
        else
            table_null(t);
        for (size_t k = 0; k < ncontext; k++)
            put_context(t, &e->context.field[k], row, &text);
    }
    str_free(&text);
    mem_free(newest);
    if (all > n) {
        char shown[32], total[32];
        text_count(shown, sizeof shown, (int64_t)n);
        text_count(total, sizeof total, (int64_t)all);
        result_message(out, MESSAGE_INFO, "the newest %s of %s events: last=N shows more", shown, total);
    }
    return ST_OK;
}

/* ---- counted by something ---- */

enum group_kind {
    GROUP_TYPE,
    GROUP_USER,
    GROUP_ITEM,
    GROUP_FIELD,
    GROUP_HOUR,
    GROUP_DAY,
    GROUP_WEEK,
    GROUP_MONTH,
    GROUP_YEAR,
    GROUP_WEEKDAY
};

struct grouping {
    enum group_kind kind;
    const struct field *field;
    const char *name;
};

struct group {
    uint32_t code;
    size_t events, users;
    uint32_t last_user; /* events come user by user, so a change of user is a new user */
};

static enum status read_grouping(const struct dataset *d, const struct call *call, struct grouping *g,
                                 struct error *err)
{
    static const char *const names[] = {"type", "user", "item", "", "hour", "day", "week", "month", "year", "weekday"};
    enum { KINDS = sizeof names / sizeof *names };
    const char *by = call_text(call, "by"), *candidates[KINDS + CONTEXT_SHOWN];
    size_t n = 0;
    for (int k = 0; k < KINDS; k++) {
        if (k == GROUP_FIELD)
            continue;
        candidates[n++] = names[k];
        if (!text_same(by, names[k]))
            continue;
        *g = (struct grouping){.kind = (enum group_kind)k, .name = names[k]};
        if (k < GROUP_HOUR || d->events.time)
            return ST_OK;
        error_set(err, ST_STATE, "%s has no times to count by %s", d->name, by);
        error_hint(err, "by=type, by=user and by=item need none");
        return error_at_option(ST_STATE, err, call, "by");
    }
    g->kind = GROUP_FIELD;
    g->field = fields_find(&d->events.context, by);
    g->name = by;
    if (g->field && (g->field->type == FIELD_TEXT))
        return ST_OK;
    for (size_t i = 0; i < d->events.context.n && n < KINDS + CONTEXT_SHOWN; i++)
        if (d->events.context.field[i].type == FIELD_TEXT)
            candidates[n++] = d->events.context.field[i].name;
    const char *near = text_nearest(by, candidates, n);
    if (g->field)
        error_set(err, ST_USAGE, "%s is a number: events are counted by what has names", by);
    else
        error_set(err, ST_NOT_FOUND, "events cannot be counted by \"%s\"", by);
    error_hint(err,
               near ? "did you mean %s?"
                    : "type, user, item, hour, day, week, month, year, weekday, or a text column of the events",
               near);
    return error_at_option(g->field ? ST_USAGE : ST_NOT_FOUND, err, call, "by");
}

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

/* The time of the start of an event's bucket in us; weekday: 0 = Monday. */
static int64_t bucket_of(enum group_kind kind, int64_t time)
{
    int64_t days = floor_div(time, US_PER_DAY), year;
    int month, day;
    switch (kind) {
    case GROUP_HOUR:
        return floor_div(time, 3600 * US_PER_SECOND) * 3600 * US_PER_SECOND;
    case GROUP_WEEK: /* 1970-01-01 was a Thursday */
        return (floor_div(days + 3, 7) * 7 - 3) * US_PER_DAY;
    case GROUP_MONTH:
        time_civil(days, &year, &month, &day);
        return time_days(year, month, 1) * US_PER_DAY;
    case GROUP_YEAR:
        time_civil(days, &year, &month, &day);
        return time_days(year, 1, 1) * US_PER_DAY;
    case GROUP_WEEKDAY:
        return days + 3 - floor_div(days + 3, 7) * 7;
    default:
        return days * US_PER_DAY;
    }
}

/* Which group an event is in: a code that groups are numbered by, in order of appearance for times. NO_CODE: in none.
 */
static enum status group_of(const struct grouping *g, const struct dataset *d, size_t e, struct dict *buckets,
                            uint32_t *code, struct error *err)
{
    const struct events *ev = &d->events;
    *code = NO_CODE;
    if (g->kind == GROUP_TYPE)
        *code = ev->type[e];
    else if (g->kind == GROUP_USER)
        *code = ev->user[e];
    else if (g->kind == GROUP_ITEM)
        *code = ev->item[e];
    else if (g->kind == GROUP_FIELD)
        *code = g->field->code[e];
    else if (ev->time[e] != NO_TIME) {
        int64_t bucket = bucket_of(g->kind, ev->time[e]);
        return dict_add(buckets, (const char *)&bucket, sizeof bucket, code, err);
    }
    return ST_OK;
}

static int64_t bucket_time(const struct dict *buckets, uint32_t code)
{
    int64_t t;
    memcpy(&t, dict_text(buckets, code), sizeof t);
    return t;
}

struct order {
    const struct dict *buckets; /* NULL: by size */
};

static int compare_groups(const void *a, const void *b, void *context)
{
    const struct group *x = a, *y = b;
    const struct order *o = context;
    if (o->buckets) {
        int64_t tx = bucket_time(o->buckets, x->code), ty = bucket_time(o->buckets, y->code);
        return tx < ty ? -1 : tx > ty;
    }
    if (x->events != y->events)
        return x->events > y->events ? -1 : 1;
    return x->code < y->code ? -1 : x->code > y->code;
}

static enum status count_groups(const struct choice *c, const struct grouping *g, struct dict *buckets,
                                struct group **groups, size_t *n, size_t *all, struct error *err)
{
    size_t begin, end, capacity = 0;
    enum status st = ST_OK;
    range_of(c, &begin, &end);
    for (size_t e = begin; e < end && !st; e++) {
        uint32_t code, user = c->data->events.user[e];
        if (!is_chosen(c, e))
            continue;
        st = group_of(g, c->data, e, buckets, &code, err);
        (*all)++;
        if (st || code == NO_CODE)
            continue;
        if (code >= capacity)
            st = mem_grow(groups, &capacity, (size_t)code + 1, sizeof **groups, err);
        for (; !st && *n <= code; (*n)++)
            (*groups)[*n] = (struct group){.code = (uint32_t)*n, .last_user = NO_USER};
        if (st)
            break;
        struct group *at = &(*groups)[code];
        at->events++;
        at->users += at->last_user != user;
        at->last_user = user;
    }
    return st;
}

static const char *group_name(const struct grouping *g, const struct dataset *d, uint32_t code)
{
    switch (g->kind) {
    case GROUP_TYPE:
        return dict_text(&d->types, code);
    case GROUP_USER:
        return dict_text(&d->users, code);
    case GROUP_ITEM:
        return dict_text(&d->items, code);
    default:
        return dict_text(&g->field->levels, code);
    }
}

static void put_groups(const struct choice *c, const struct grouping *g, const struct dict *buckets,
                       const struct group *groups, size_t n, size_t all, size_t top, struct result *out)
{
    static const char *const weekdays[] = {"Monday", "Tuesday",  "Wednesday", "Thursday",
                                           "Friday", "Saturday", "Sunday"};
    bool timed = g->kind >= GROUP_HOUR && g->kind != GROUP_WEEKDAY, items = g->kind == GROUP_ITEM;
    struct column columns[5];
    size_t k = 0;
    columns[k++] = (struct column){.name = result_text(out, g->name), .type = timed ? VALUE_TIME : VALUE_TEXT};
    if (items)
        columns[k++] = (struct column){.name = "title", .type = VALUE_TEXT};
    columns[k++] = (struct column){.name = "events", .type = VALUE_INT, .flags = COLUMN_COUNT};
    if (g->kind != GROUP_USER)
        columns[k++] = (struct column){.name = "users", .type = VALUE_INT, .flags = COLUMN_COUNT};
    columns[k++] =
        (struct column){.name = "share", .type = VALUE_REAL, .unit = "%", .precision = 1, .flags = COLUMN_BAR};
    struct table *t = result_table(out, "counts", result_textf(out, "events by %s", g->name), columns, k);
    size_t shown = 0, groups_all = 0;
    for (size_t i = 0; i < n; i++) {
        if (!groups[i].events)
            continue;
        groups_all++;
        if (!timed && g->kind != GROUP_WEEKDAY && shown == top)
            continue;
        shown++;
        if (timed)
            table_time(t, bucket_time(buckets, groups[i].code));
        else
            table_text(t, g->kind == GROUP_WEEKDAY ? weekdays[bucket_time(buckets, groups[i].code)]
                                                   : group_name(g, c->data, groups[i].code));
        if (items)
            table_text(t, dataset_item_title(c->data, groups[i].code));
        table_int(t, (int64_t)groups[i].events);
        if (g->kind != GROUP_USER)
            table_int(t, (int64_t)groups[i].users);
        table_real(t, (double)groups[i].events / (double)all);
    }
    if (groups_all > shown)
        result_message(out, MESSAGE_INFO, "the %zu largest of %zu: top=N shows more", shown, groups_all);
}

static enum status count_events(const struct choice *c, const struct call *call, struct result *out, struct error *err)
{
    struct grouping g = {0};
    struct dict buckets = {0};
    struct group *groups = NULL;
    size_t n = 0, all = 0;
    enum status st = read_grouping(c->data, call, &g, err);
    if (!st)
        st = count_groups(c, &g, &buckets, &groups, &n, &all, err);
    if (!st && n) {
        struct order order = {.buckets = g.kind >= GROUP_HOUR ? &buckets : NULL};
        qsort_r(groups, n, sizeof *groups, compare_groups, &order);
    }
    if (!st)
        put_groups(c, &g, &buckets, groups, n, all, (size_t)call_int(call, "top"), out);
    mem_free(groups);
    dict_clear(&buckets);
    return st;
}

static enum status run_events(struct workbench *wb, const struct call *call, struct result *out, struct error *err)
{
    struct dataset *d = workbench_data(wb);
    struct choice c = {.data = d};
    enum status st = read_choice(wb, call, &c, err);
    if (!st)
        st = call_text(call, "by") ? count_events(&c, call, out, err)
                                   : list_events(&c, (size_t)call_int(call, "last"), out, err);
    dataset_release(d);
    return st;
}

/* ---- the table ---- */

static const struct param events_options[] = {
    {.name = "user", .type = PARAM_USER, .doc = "of this user only"},
    {.name = "item", .type = PARAM_ITEM, .doc = "with this item only: an id or a title"},
    {.name = "type", .type = PARAM_EVENT, .doc = "of this type only"},
    {.name = "last", .type = PARAM_INT, .initial = "20", .min = 1, .max = 1e9, .doc = "how many, the newest first"},
    {.name = "by",
     .type = PARAM_COLUMN,
     .choices = "type|user|item|hour|day|week|month|year|weekday",
     .doc = "count them instead, by one of these or by a text column of the events"},
    {.name = "top",
     .type = PARAM_INT,
     .initial = "50",
     .min = 1,
     .max = 1e9,
     .doc = "with by=: how many of the largest"},
};

static const struct command rows[] = {
    {.name = "events",
     .group = "data",
     .summary = "list or count events",
     .options = events_options,
     .noptions = sizeof events_options / sizeof *events_options,
     .flags = COMMAND_NEEDS_DATA,
     .help = "Lists the newest events, or counts them with by=. Context columns come along in json, csv and tsv. Times "
             "are UTC, weeks begin on Monday.",
     .examples = (const char *const[]){"events", "events user=ana last=5", "events by=type", "events by=day",
                                       "events item=tent by=user", NULL},
     .run = run_events},
};

const struct command_family event_commands = {rows, sizeof rows / sizeof *rows};
