/* One user: attributes, tastes, history; of the data, or made up. */
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "commands/families.h"
#include "commands/user_sections.h"
#include "inspect/profile.h"

/* ---- which sections ---- */

enum section { TASTE, HISTORY, TIMELINE, SESSIONS, NEIGHBOURS, LISTS, SECTIONS };
#define SECTION(which) (1u << (which))
enum { USUAL_SECTIONS = SECTION(TASTE) | SECTION(HISTORY), ALL_SECTIONS = SECTION(SECTIONS) - 1 };

static const char *const section_names[SECTIONS] = {"taste", "history", "timeline", "sessions", "neighbours", "lists"};

/* A word of show=, n letters long; 0: there is no such section. */
static unsigned section_of(const char *word, size_t n)
{
    for (size_t i = 0; i < SECTIONS; i++)
        if (strlen(section_names[i]) == n && memcmp(word, section_names[i], n) == 0)
            return SECTION(i);
    return n == 3 && memcmp(word, "all", n) == 0 ? ALL_SECTIONS : 0;
}

/* show=lists,neighbours; models that are named want their lists seen. */
static enum status read_sections(const struct call *call, unsigned *out, struct error *err)
{
    const char *word = call_text(call, "show");
    *out = word ? 0 : USUAL_SECTIONS | (call->nmodels ? SECTION(LISTS) : 0);
    while (word) {
        size_t n = strcspn(word, ",");
        unsigned section = section_of(word, n);
        if (!section) {
            error_set(err, ST_USAGE, "user has no section \"%.*s\"", (int)(n < 40 ? n : 40), word);
            error_hint(
                err, "show= takes taste, history, timeline, sessions, neighbours, lists, with commas between, or all");
            return error_at_option(ST_USAGE, err, call, "show");
        }
        *out |= section;
        word = word[n] ? word + n + 1 : NULL;
    }
    return ST_OK;
}

/* Models are needed for lists, and where they are named; `all` does without when there are none. */
static enum status open_user(struct workbench *wb, const struct call *call, const struct word *who, unsigned sections,
                             struct question *q, struct error *err)
{
    bool lists = sections & SECTION(LISTS) && (sections != ALL_SECTIONS || wb->nmodels);
    return lists || call->nmodels ? question_open(wb, call, who, q, err) : question_open_data(wb, call, who, q, err);
}

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
    const char *words = result_text(out, result_str(out, &text));
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
        columns[USER_FIXED + i] = (struct column){
            .name = result_text(out, attributes->field[i].name), .type = VALUE_TEXT, .flags = COLUMN_HIDDEN};
    struct table *t = result_table(out, "user", attributes_in_words(q, n, out), columns, USER_FIXED + n);
    table_text(t, q->who);
    table_int(t, (int64_t)p->events);
    table_int(t, (int64_t)p->items);
    table_time(t, p->oldest);
    table_time(t, p->newest);
    for (size_t i = 0; i < n; i++) {
        struct str cell = {0};
        field_format(&attributes->field[i], q->user, &cell);
        table_text(t, cell.failed || cell.length ? result_str(out, &cell) : NULL);
        str_free(&cell);
    }
}

/* The largest `most`. */
static void add_taste(const struct dataset *d, const struct profile *p, size_t most, struct result *out)
{
    unsigned valued = d->events.value ? 0 : COLUMN_HIDDEN;
    const struct column columns[] = {
        {.name = "category", .type = VALUE_TEXT},
        {.name = "share", .type = VALUE_REAL, .unit = "%", .precision = 0, .flags = COLUMN_BAR},
        {.name = "everybody", .type = VALUE_REAL, .unit = "%", .precision = 0},
        {.name = "lift", .type = VALUE_REAL, .precision = 2},
        {.name = "items", .type = VALUE_INT, .flags = COLUMN_COUNT},
        {.name = "value", .type = VALUE_REAL, .precision = 2, .flags = valued},
        {.name = "everybody_value", .type = VALUE_REAL, .precision = 2, .flags = valued | COLUMN_COMPACT},
        {.name = "events", .type = VALUE_INT, .flags = COLUMN_HIDDEN},
        {.name = "weight", .type = VALUE_REAL, .precision = -1, .flags = COLUMN_HIDDEN},
    };
    const char *category = p->category ? p->category->name : "category";
    size_t n = p->ntastes < most ? p->ntastes : most;
    const char *title = n < p->ntastes
                            ? result_textf(out, "taste, by %s: the first %zu of %zu", category, n, p->ntastes)
                            : result_textf(out, "taste, by %s", category);
    struct table *t = result_table(out, "taste", title, columns, 9);
    for (size_t i = 0; i < n; i++) {
        const struct taste *taste = &p->tastes[i];
        table_text(t, taste->category);
        table_real(t, taste->share);
        table_real(t, taste->usual);
        table_real(t, taste->lift);
        table_int(t, (int64_t)taste->items);
        table_real(t, taste->value);
        table_real(t, taste->usual_value);
        table_int(t, (int64_t)taste->events);
        table_real(t, taste->weight);
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
    char count[32];
    text_count(count, sizeof count, (int64_t)q->history.n);
    const char *title =
        n < q->history.n ? result_textf(out, "history: the last %zu of %s events", n, count) : "history, newest first";
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

static enum status show_profile(const struct call *call, const struct question *q, unsigned sections,
                                struct result *out, struct error *err)
{
    enum { FEW = 6 };
    struct profile p;
    struct query query = history_query(&q->history);
    enum status st = profile_make(q->data, &query, &p, err);
    if (st)
        return st;
    add_user(q, &p, out);
    if (p.ntastes && sections & SECTION(TASTE))
        add_taste(q->data, &p, call_given(call, "show") ? SIZE_MAX : FEW, out);
    profile_clear(&p);
    return ST_OK;
}

static size_t rows_of(const struct call *call, size_t usual)
{
    return call_given(call, "k") ? (size_t)call_int(call, "k") : usual;
}

static enum status show_user(struct workbench *wb, const struct call *call, struct question *q, unsigned sections,
                             struct result *out, struct error *err)
{
    enum { LISTED = 10, SESSIONS_SHOWN = 10, PEOPLE = 5 };
    bool all = sections == ALL_SECTIONS;
    enum status st = show_profile(call, q, sections, out, err);
    if (!st && sections & SECTION(TIMELINE))
        st = user_put_timeline(q, out, err);
    if (!st && sections & SECTION(SESSIONS))
        st = user_put_sessions(call, q, rows_of(call, SESSIONS_SHOWN), !all, out, err);
    if (!st && sections & SECTION(HISTORY) && q->history.n && call_int(call, "events")) {
        struct split *split = workbench_split(wb);
        add_history(q, split, (size_t)call_int(call, "events"), out);
        split_release(split);
    }
    if (!st && sections & SECTION(NEIGHBOURS))
        st = user_put_neighbours(wb, call, q, rows_of(call, PEOPLE), out, err);
    if (!st && sections & SECTION(LISTS) && q->nmodels)
        st = user_put_lists(wb, q, rows_of(call, LISTED), out, err);
    if (st)
        return st;
    if (q->history.n == 0)
        result_message(out, MESSAGE_INFO, "no event of %s counts%s", q->who,
                       q->history.as_of == NO_TIME ? "" : " before that moment");
    warn_of_future(q, out);
    wb->user = q->user;
    return ST_OK;
}

/* ---- the command ---- */

/* user new = ITEM ...: keeps the history and looks at it. */
static enum status make_up(struct workbench *wb, const struct call *call, struct result *out, struct error *err)
{
    struct question q = {0};
    struct str line = {0};
    unsigned sections;
    enum status st = read_sections(call, &sections, err);
    if (!st)
        st = open_user(wb, call, NULL, sections, &q, err);
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
    st = show_user(wb, call, &q, sections, out, err);
    put_end(&line, call, &q);
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
    struct question q = {0};
    struct str line = {0};
    unsigned sections;
    enum status st = read_sections(call, &sections, err);
    if (!st)
        st = open_user(wb, call, who, sections, &q, err);
    if (!st)
        st = show_user(wb, call, &q, sections, out, err);
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
    {.name = "USER",
     .type = ARG_USER,
     .optional = true,
     .doc = "an id, . for the current user; new = ITEM ... makes one up"},
    {.name = "ITEM",
     .type = ARG_ITEM,
     .optional = true,
     .repeated = true,
     .doc = "after new =: the history of the made-up user, oldest first"},
};
static const struct param user_options[] = {
    {.name = "show",
     .type = PARAM_TEXT,
     .doc = "sections, with commas: taste, history, timeline, sessions, neighbours, lists; or all"},
    {.name = "events",
     .type = PARAM_INT,
     .initial = "10",
     .min = 0,
     .max = 1e9,
     .doc = "events of the history that are shown"},
    {.name = "k",
     .type = PARAM_INT,
     .min = 1,
     .max = 1e9,
     .doc = "rows: of lists (else 10), neighbours (5), sessions (10)"},
    {.name = "gap",
     .type = PARAM_DURATION,
     .initial = "30m",
     .doc = "a longer time without an event ends a session; where the events have no column session"},
    OPTION_SEEN,
    OPTION_AT,
};

static const struct command rows[] = {
    {.name = "user",
     .group = "inspect",
     .summary = "one user: attributes, tastes, history, sessions, neighbours, lists",
     .arguments = user_args,
     .narguments = 2,
     .options = user_options,
     .noptions = sizeof user_options / sizeof *user_options,
     .flags = COMMAND_WITH | COMMAND_NEEDS_DATA | COMMAND_SEVERAL,
     .help =
         "The user becomes the current one, `.` in later commands. `user new = ITEM ...` makes one up who had "
         "these items; ask about them with `.` or `new`.\n"
         "\n"
         "Tastes: shares of the weight of the history by category, beside those of everybody; a lift of 2 is twice "
         "everybody's share. Value is the mean of ratings or amounts.\n"
         "\n"
         "show= opens more. timeline: events by day, week or month, and the longest gap. sessions: the last ones. "
         "neighbours: users with the most similar items (cosine of the weights), or vectors, when a model that has "
         "vectors is named. lists: what each model would show, side by side; how far they agree (rank-biased "
         "overlap); and for models that learnt from the train part how good each is for this user by the test part.",
     .examples =
         (const char *const[]){"user ana", "user ana events=3 at=2025-05-05", "user ana show=lists,neighbours",
                               "user ana with ease pop", "user ana show=all", "user new = tent \"Spice set\"", NULL},
     .run = run_user},
};

const struct command_family user_commands = {rows, sizeof rows / sizeof *rows};
