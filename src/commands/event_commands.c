/* events: looking at what was loaded. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "commands/families.h"
#include "data/tally.h"

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
           event_before(c->data, e, c->until);
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
        str_reuse(text);
        field_format(f, row, text);
        table_str(t, text);
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

struct grouping {
    enum tally_by by;
    const struct field *field;
    const char *name;
};

static bool is_time(enum tally_by by)
{
    return by >= TALLY_HOUR && by != TALLY_WEEKDAY;
}

static enum status read_grouping(const struct dataset *d, const struct call *call, struct grouping *g,
                                 struct error *err)
{
    static const char *const names[] = {
        [TALLY_TYPE] = "type", [TALLY_USER] = "user",      [TALLY_ITEM] = "item", [TALLY_FIELD] = "",
        [TALLY_HOUR] = "hour", [TALLY_DAY] = "day",        [TALLY_WEEK] = "week", [TALLY_MONTH] = "month",
        [TALLY_YEAR] = "year", [TALLY_WEEKDAY] = "weekday"};
    enum { KINDS = sizeof names / sizeof *names };
    const char *by = call_text(call, "by"), *candidates[KINDS + CONTEXT_SHOWN];
    size_t n = 0;
    for (int k = 0; k < KINDS; k++) {
        if (k == TALLY_FIELD)
            continue;
        candidates[n++] = names[k];
        if (!text_same(by, names[k]))
            continue;
        *g = (struct grouping){.by = (enum tally_by)k, .name = names[k]};
        if (k < TALLY_HOUR || d->events.time)
            return ST_OK;
        error_set(err, ST_STATE, "%s has no times to count by %s", d->name, by);
        error_hint(err, "by=type, by=user and by=item need none");
        return error_at_option(ST_STATE, err, call, "by");
    }
    *g = (struct grouping){.by = TALLY_FIELD, .field = fields_find(&d->events.context, by), .name = by};
    if (g->field && (g->field->type == FIELD_TEXT || g->field->type == FIELD_INT))
        return ST_OK;
    for (size_t i = 0; i < d->events.context.n && n < KINDS + CONTEXT_SHOWN; i++)
        if (d->events.context.field[i].type == FIELD_TEXT || d->events.context.field[i].type == FIELD_INT)
            candidates[n++] = d->events.context.field[i].name;
    const char *near = text_nearest(by, candidates, n);
    if (g->field)
        error_set(err, ST_USAGE, "events are counted by names and whole numbers, and %s is neither", by);
    else
        error_set(err, ST_NOT_FOUND, "events cannot be counted by \"%s\"", by);
    error_hint(err,
               near ? "did you mean %s?"
                    : "type, user, item, hour, day, week, month, year, weekday, or a column of the events",
               near);
    return error_at_option(g->field ? ST_USAGE : ST_NOT_FOUND, err, call, "by");
}

/* The choice as a scan. */
static enum status scan_choice(const struct choice *c, struct scan *s, uint8_t *types, struct error *err)
{
    const struct events *e = &c->data->events;
    enum status st = ST_OK;
    if (c->item != NO_ITEM)
        st = scan_add(s, (struct scan_test){.kind = SCAN_CODE32, .column = e->item, .code = c->item}, err);
    if (!st && c->type != NO_CODE) {
        types[c->type] = 1;
        st = scan_add(s, (struct scan_test){.kind = SCAN_SET16, .column = e->type, .chosen = types}, err);
    }
    if (!st && c->until != NO_TIME && e->time)
        st = scan_add(
            s, (struct scan_test){.kind = SCAN_WHOLE, .column = e->time, .low = INT64_MIN, .high = c->until - 1}, err);
    return st;
}

/* Groups with events, in the order shown: times and weekdays as they come, else the largest first. */
static int by_events(const void *a, const void *b, void *groups)
{
    const struct tally_group *g = groups;
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    if (g[x].events != g[y].events)
        return g[x].events > g[y].events ? -1 : 1;
    return x < y ? -1 : x > y;
}

static size_t order_groups(const struct tally *t, uint32_t *order)
{
    size_t n = 0;
    for (size_t i = 0; i < t->n; i++)
        if (t->groups[i].events)
            order[n++] = (uint32_t)i;
    if (t->by < TALLY_HOUR)
        qsort_r(order, n, sizeof *order, by_events, t->groups);
    return n;
}

static void put_name(struct table *table, const struct dataset *d, const struct tally *t, uint32_t group)
{
    static const char *const weekdays[] = {"Monday", "Tuesday",  "Wednesday", "Thursday",
                                           "Friday", "Saturday", "Sunday"};
    if (t->by == TALLY_WEEKDAY)
        table_text(table, weekdays[group]);
    else if (is_time(t->by))
        table_time(table, tally_time(t, group));
    else if (t->by == TALLY_FIELD && t->field->type == FIELD_INT)
        table_int(table, t->first + group);
    else
        table_text(table, dict_text(t->by == TALLY_TYPE   ? &d->types
                                    : t->by == TALLY_USER ? &d->users
                                    : t->by == TALLY_ITEM ? &d->items
                                                          : &t->field->levels,
                                    group));
}

/* Events over time, quiet days and all. */
static void put_course(const struct grouping *g, const struct tally *t, uint32_t from, struct result *out)
{
    enum { MOST_POINTS = 4000 };
    if (!is_time(g->by) || t->n - from < 8 || t->n - from > MOST_POINTS)
        return;
    struct series *s =
        result_series(out, "course", result_textf(out, "events by %s", g->name), VALUE_TIME, t->n - from, false);
    if (!s)
        return;
    s->x_label = g->name;
    s->y_label = "events";
    for (size_t i = 0; i < s->n; i++) {
        s->x[i] = (double)tally_time(t, from + i);
        s->y[i] = (double)t->groups[from + i].events;
    }
}

static void put_groups(const struct choice *c, const struct call *call, const struct grouping *g, const struct tally *t,
                       const uint32_t *order, size_t n, struct result *out)
{
    bool items = g->by == TALLY_ITEM, number = g->by == TALLY_FIELD && g->field->type == FIELD_INT,
         timed = g->by >= TALLY_HOUR;
    struct column columns[5];
    size_t k = 0, most = timed ? (call_given(call, "last") ? (size_t)call_int(call, "last") : n)
                               : (size_t)call_int(call, "top");
    size_t shown = n < most ? n : most, first = timed ? n - shown : 0;
    columns[k++] = (struct column){.name = result_text(out, g->name),
                                   .type = is_time(g->by) ? VALUE_TIME
                                           : number       ? VALUE_INT
                                                          : VALUE_TEXT};
    if (items)
        columns[k++] = (struct column){.name = "title", .type = VALUE_TEXT};
    columns[k++] = (struct column){.name = "events", .type = VALUE_INT, .flags = COLUMN_COUNT};
    if (g->by != TALLY_USER)
        columns[k++] = (struct column){.name = "users", .type = VALUE_INT, .flags = COLUMN_COUNT};
    columns[k++] =
        (struct column){.name = "share", .type = VALUE_REAL, .unit = "%", .precision = 1, .flags = COLUMN_BAR};
    struct table *table = result_table(out, "counts", result_textf(out, "events by %s", g->name), columns, k);
    for (size_t i = first; i < first + shown; i++) {
        const struct tally_group *group = &t->groups[order[i]];
        put_name(table, c->data, t, order[i]);
        if (items)
            table_text(table, dataset_item_title(c->data, order[i]));
        table_int(table, (int64_t)group->events);
        if (g->by != TALLY_USER)
            table_int(table, (int64_t)group->users);
        table_real(table, (double)group->events / (double)t->all);
    }
    if (n)
        put_course(g, t, order[first], out);
    char some[32], all[32];
    text_count(some, sizeof some, (int64_t)shown);
    text_count(all, sizeof all, (int64_t)n);
    if (n > shown)
        result_message(out, MESSAGE_INFO,
                       timed ? "the last %s of %s: last=N shows more" : "the %s largest of %s: top=N shows more", some,
                       all);
}

static enum status count_events(const struct choice *c, const struct call *call, struct job *job, struct result *out,
                                struct error *err)
{
    struct grouping g = {0};
    struct scan scan = {0};
    struct tally t = {0};
    size_t begin, end;
    uint32_t *order = NULL;
    uint8_t *types = mem_new((size_t)c->data->types.n + 1, 1, "types", err);
    enum status st = types ? read_grouping(c->data, call, &g, err) : ST_NOMEM;
    if (!st)
        st = scan_choice(c, &scan, types, err);
    range_of(c, &begin, &end);
    if (!st)
        st = tally_make(c->data, g.by, g.field, &scan, begin, end, job, &t, err);
    if (!st && !(order = mem_new_raw(t.n, sizeof *order, "counts", err)))
        st = ST_NOMEM;
    if (!st)
        put_groups(c, call, &g, &t, order, order_groups(&t, order), out);
    mem_free(order);
    mem_free(types);
    tally_clear(&t);
    return st;
}

static enum status run_events(struct workbench *wb, const struct call *call, struct result *out, struct error *err)
{
    struct dataset *d = workbench_data(wb);
    struct choice c = {.data = d};
    enum status st = read_choice(wb, call, &c, err);
    if (!st)
        st = call_text(call, "by") ? count_events(&c, call, &wb->job, out, err)
                                   : list_events(&c, (size_t)call_int(call, "last"), out, err);
    dataset_release(d);
    return st;
}

/* ---- the table ---- */

static const struct param events_options[] = {
    {.name = "user", .type = PARAM_USER, .doc = "of this user only"},
    {.name = "item", .type = PARAM_ITEM, .doc = "with this item only: an id or a title"},
    {.name = "type", .type = PARAM_EVENT, .doc = "of this type only"},
    {.name = "last",
     .type = PARAM_INT,
     .initial = "20",
     .min = 1,
     .max = 1e9,
     .doc = "how many, the newest first; with by= of time the last so many"},
    {.name = "by",
     .type = PARAM_COLUMN,
     .choices = "type|user|item|hour|day|week|month|year|weekday",
     .doc = "count them instead, by one of these or by a column of the events"},
    {.name = "top",
     .type = PARAM_INT,
     .initial = "50",
     .min = 1,
     .max = 1e9,
     .doc = "with by=: how many of the largest"},
};

static const struct command rows[] = {
    {.name = "events",
     .group = "explore",
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
