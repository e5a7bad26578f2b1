/* One user: attributes, tastes, history; of the data, or made up. */
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "commands/families.h"
#include "commands/question.h"
#include "inspect/profile.h"

/* ---- what is shown ---- */

enum { USER_EVENTS = 1, USER_ITEMS, USER_FIRST, USER_LAST, USER_FIXED, USER_ATTRIBUTES = 24 };

/* "country GB, device mobile": for people, who would else see a row of cut cells. */
static const char *attributes_in_words(const struct question *q, size_t n, struct result *out)
{
    struct str text = {0};
    for (size_t i = 0; i < n; i++) {
        const struct field *f = &q->data->user_fields.field[i];
        if (field_missing(f, q->user))
            continue;
        str_printf(&text, "%s%s ", text.length ? ", " : "", f->name);
        field_format(f, q->user, &text);
    }
    const char *words = result_text(out, str_text(&text));
    str_free(&text);
    return words;
}

static void add_user(const struct question *q, const struct profile *p, struct result *out)
{
    const struct fields *attributes = &q->data->user_fields;
    bool known = q->user != NO_USER, times = p->newest != NO_TIME;
    size_t n = !known ? 0 : attributes->n < USER_ATTRIBUTES ? attributes->n : USER_ATTRIBUTES;
    struct column columns[USER_FIXED + USER_ATTRIBUTES] = {
        {.name = "user", .type = VALUE_TEXT},
        [USER_EVENTS] = {.name = "events", .type = VALUE_INT, .flags = COLUMN_COUNT},
        [USER_ITEMS] = {.name = "items", .type = VALUE_INT, .flags = COLUMN_COUNT},
        [USER_FIRST] = {.name = "first", .type = VALUE_TIME, .flags = times ? 0 : COLUMN_HIDDEN},
        [USER_LAST] = {.name = "last", .type = VALUE_TIME, .flags = times ? 0 : COLUMN_HIDDEN},
    };
    for (size_t i = 0; i < n; i++)
        columns[USER_FIXED + i] = (struct column){.name = result_text(out, attributes->field[i].name), .type = VALUE_TEXT, .flags = COLUMN_HIDDEN};
    struct table *t = result_table(out, "user", attributes_in_words(q, n, out), columns, USER_FIXED + n);
    table_text(t, q->who);
    table_int(t, (int64_t)p->events);
    table_int(t, (int64_t)p->items);
    table_time(t, p->oldest);
    table_time(t, p->newest);
    for (size_t i = 0; i < n; i++) {
        struct str cell = {0};
        field_format(&attributes->field[i], q->user, &cell);
        table_text(t, cell.length && !cell.failed ? str_text(&cell) : NULL);
        str_free(&cell);
    }
}

static void add_taste(const struct profile *p, struct result *out)
{
    static const struct column columns[] = {
        {.name = "category", .type = VALUE_TEXT},
        {.name = "share", .type = VALUE_REAL, .unit = "%", .precision = 0, .flags = COLUMN_BAR},
        {.name = "everybody", .type = VALUE_REAL, .unit = "%", .precision = 0},
        {.name = "items", .type = VALUE_INT, .flags = COLUMN_COUNT},
    };
    struct table *t = result_table(out, "taste", result_textf(out, "taste, by %s", p->category ? p->category->name : "category"), columns, 4);
    for (size_t i = 0; i < p->ntastes; i++) {
        table_text(t, p->tastes[i].category);
        table_real(t, p->tastes[i].share);
        table_real(t, p->tastes[i].usual);
        table_int(t, (int64_t)p->tastes[i].items);
    }
}

/* In which part of the split an event is; people are not told apart why it is in none that models use. */
static const char *part_of(const struct split *s, uint64_t event)
{
    if (!s || event == UINT64_MAX)
        return NULL;
    bool used = s->part[event] & (PART_TRAIN | PART_VALID | PART_TEST);
    return used ? split_part_name(s->part[event]) : "unused";
}

/* The last events, newest first: that is where one looks. */
static void add_history(const struct question *q, const struct split *split, size_t most, struct result *out)
{
    enum { TIME, TITLE, VALUE = TITLE + ITEM_COLUMNS, TYPE, PART, COLUMNS };
    const struct dataset *d = q->data;
    struct column columns[COLUMNS] = {
        [TIME] = {.name = "time", .type = VALUE_TIME, .flags = d->events.time ? 0 : COLUMN_HIDDEN},
        [VALUE] = {.name = "value", .type = VALUE_REAL, .precision = -1, .flags = d->events.value ? 0 : COLUMN_HIDDEN},
        [TYPE] = {.name = "type", .type = VALUE_TEXT, .flags = d->types.n > 1 ? 0 : COLUMN_HIDDEN},
        [PART] = {.name = "part", .type = VALUE_TEXT, .flags = split ? 0 : COLUMN_HIDDEN},
    };
    item_columns(d, columns + TITLE);
    size_t n = q->history.n < most ? q->history.n : most;
    const char *title = n < q->history.n ? result_textf(out, "history: the last %zu of %zu events", n, q->history.n) : "history, newest first";
    struct table *t = result_table(out, "history", title, columns, COLUMNS);
    for (size_t i = q->history.n; i-- > q->history.n - n;) {
        const struct query_event *e = &q->history.events[i];
        table_time(t, e->time);
        item_cells(d, e->item, t);
        table_real(t, real_of_single(e->value));
        table_text(t, dict_text(&d->types, e->type));
        table_text(t, part_of(split, e->event));
    }
}

static enum status show_user(struct workbench *wb, const struct call *call, struct question *q, struct result *out, struct error *err)
{
    struct profile p;
    struct query query = history_query(&q->history);
    enum status st = profile_make(q->data, &query, &p, err);
    if (st)
        return st;
    struct split *split = workbench_split(wb);
    add_user(q, &p, out);
    if (p.ntastes)
        add_taste(&p, out);
    add_history(q, split, (size_t)call_int(call, "events"), out);
    if (q->history.n == 0)
        result_message(out, MESSAGE_INFO, "no event of %s counts%s", q->who, q->history.as_of == NO_TIME ? "" : " before that moment");
    split_release(split);
    profile_clear(&p);
    wb->user = q->user;
    return ST_OK;
}

/* ---- the command ---- */

/* user new = ITEM ...: keeps the history and looks at it. */
static enum status make_up(struct workbench *wb, const struct call *call, struct result *out, struct error *err)
{
    struct question q;
    struct str line = {0};
    enum status st = question_open_data(wb, call, NULL, &q, err);
    str_puts(&line, "user new =");
    for (size_t i = 2; i < call->nargs && !st; i++) {
        uint32_t item;
        st = name_item(wb, q.data, &call->args[i], &item, err);
        if (!st)
            st = history_add(&q.history, q.data, item, err);
        if (!st)
            q.history.events[q.history.n - 1].time = NO_TIME; /* it holds wherever the clock stands */
        if (!st)
            put_item(&line, q.data, item);
    }
    if (st)
        goto out;
    struct history copy;
    st = history_of_events(q.history.events, q.history.n, NO_TIME, &copy, err);
    if (st)
        goto out;
    pthread_mutex_lock(&wb->lock);
    struct query_event *old = wb->made_up;
    wb->made_up = copy.events;
    wb->nmade_up = copy.n;
    pthread_mutex_unlock(&wb->lock);
    mem_free(old);
    q.who = "new";
    st = show_user(wb, call, &q, out, err);
    put_command(&line, out);
out:
    str_free(&line);
    question_close(&q);
    return st;
}

static enum status run_user(struct workbench *wb, const struct call *call, struct result *out, struct error *err)
{
    const struct word current = {.text = (char *)"."};
    const struct word *who = call->nargs ? &call->args[0] : &current;
    if (call->nargs > 1) {
        bool assigns = strcmp(call->args[0].text, "new") == 0 && strcmp(call->args[1].text, "=") == 0;
        if (assigns && call->nargs > 2)
            return make_up(wb, call, out, err);
        enum status st = error_set(err, ST_USAGE, assigns ? "a made-up user needs items" : "user takes one user");
        error_hint(err, "usage: user USER, or user new = ITEM ...");
        return error_at_word(st, err, &call->args[1]);
    }
    struct question q;
    struct str line = {0};
    enum status st = question_open_data(wb, call, who, &q, err);
    if (!st)
        st = show_user(wb, call, &q, out, err);
    if (!st) {
        str_puts(&line, "user");
        put_user(&line, &q);
        put_end(&line, call, &q);
        put_command(&line, out);
    }
    str_free(&line);
    question_close(&q);
    return st;
}

/* ---- the row ---- */

static const struct argument user_args[] = {
    {.name = "USER", .type = ARG_USER, .optional = true, .doc = "an id, . for the current user; new = ITEM ... makes one up"},
    {.name = "ITEM", .type = ARG_ITEM, .optional = true, .repeated = true, .doc = "after new =: the history of the made-up user, oldest first"},
};
static const struct param user_options[] = {
    {.name = "events", .type = PARAM_INT, .initial = "20", .min = 0, .max = 1e9, .doc = "events of the history that are shown"},
    OPTION_AT,
};

static const struct command rows[] = {
    {.name = "user",
     .group = "inspect",
     .summary = "one user: attributes, tastes, history",
     .arguments = user_args,
     .narguments = 2,
     .options = user_options,
     .noptions = 2,
     .flags = COMMAND_NEEDS_DATA,
     .help = "The user becomes the current one, `.` in later commands. `user new = ITEM ...` makes one up who had these items; ask about them "
             "with `.` or `new`. Tastes: shares of the weight of the history by category, beside those of everybody.",
     .examples = (const char *const[]){"user ana", "user ana events=3 at=2025-05-05", "user new = tent \"Spice set\"", NULL},
     .run = run_user},
};

const struct command_family user_commands = {rows, sizeof rows / sizeof *rows};
