/* Which users get an item, or any item of a group: the blast radius. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "commands/families.h"
#include "commands/question.h"
#include "inspect/who.h"

enum { REACH_MODEL, REACH_USERS, REACH_OF, REACH_SHARE, REACH_HAD, REACH_MEAN, REACH_COLUMNS };
enum {
    SEGMENT_MODEL,
    SEGMENT_BY,
    SEGMENT_NAME,
    SEGMENT_USERS,
    SEGMENT_OF,
    SEGMENT_SHARE,
    SEGMENT_TIMES,
    SEGMENT_COLUMNS
};
enum {
    USER_MODEL,
    USER_ID,
    USER_RANK,
    USER_ITEM,
    USER_COUNT = USER_ITEM + ITEM_COLUMNS,
    USER_SCORE,
    USER_EVENTS,
    USER_COLUMNS
};

/* What is asked about. */
struct asked {
    uint8_t *chosen;
    bool group;
    struct str what;                /* "Fargo (1996)", "baby food" */
    struct selection selection;
    uint32_t *lengths;              /* of all users' histories */
    uint32_t *users;                /* those with a history */
    size_t nusers;
    struct cohorts *cohorts;
    size_t ncohorts;
    bool by;                        /* by= is given: all segments are of interest */
};

struct tables {
    struct table *reach, *segments, *users;
};

enum { PLACES = 48 };

/* "among the first 10" */
static const char *first_places(size_t k, char *text, size_t size)
{
    if (k == 1)
        snprintf(text, size, "in the first place");
    else
        snprintf(text, size, "among the first %zu", k);
    return text;
}

static struct tables new_tables(const struct question *q, const struct asked *a, size_t k, struct result *out)
{
    unsigned model = q->nmodels == 1 ? COLUMN_HIDDEN : 0;
    const struct column reach[REACH_COLUMNS] = {
        [REACH_MODEL] = {.name = "model", .type = VALUE_TEXT},
        [REACH_USERS] = {.name = "users", .type = VALUE_INT, .flags = COLUMN_COUNT},
        [REACH_OF] = {.name = "of", .type = VALUE_INT, .flags = COLUMN_COUNT},
        [REACH_SHARE] = {.name = "share", .type = VALUE_REAL, .unit = "%", .precision = 1},
        [REACH_HAD] = {.name = "had_it", .type = VALUE_INT, .flags = COLUMN_COUNT},
        [REACH_MEAN] = {.name = "mean_rank", .type = VALUE_REAL, .precision = 1},
    };
    const struct column segments[SEGMENT_COLUMNS] = {
        [SEGMENT_MODEL] = {.name = "model", .type = VALUE_TEXT, .flags = model},
        [SEGMENT_BY] = {.name = "by", .type = VALUE_TEXT},
        [SEGMENT_NAME] = {.name = "segment", .type = VALUE_TEXT},
        [SEGMENT_USERS] = {.name = "users", .type = VALUE_INT, .flags = COLUMN_COUNT},
        [SEGMENT_OF] = {.name = "of", .type = VALUE_INT, .flags = COLUMN_COUNT},
        [SEGMENT_SHARE] = {.name = "share", .type = VALUE_REAL, .unit = "%", .precision = 1, .flags = COLUMN_BAR},
        [SEGMENT_TIMES] = {.name = "times_usual", .type = VALUE_REAL, .precision = 2},
    };
    struct column users[USER_COLUMNS] = {
        [USER_MODEL] = {.name = "model", .type = VALUE_TEXT, .flags = COLUMN_SCALE | model},
        [USER_ID] = {.name = "user", .type = VALUE_TEXT},
        [USER_RANK] = {.name = "rank", .type = VALUE_INT, .flags = COLUMN_COUNT},
        [USER_COUNT] = {.name = "of_them", .type = VALUE_INT, .flags = a->group ? 0 : COLUMN_HIDDEN},
        [USER_SCORE] = {.name = "score", .type = VALUE_REAL, .flags = COLUMN_SCORE},
        [USER_EVENTS] = {.name = "events", .type = VALUE_INT, .flags = COLUMN_COUNT},
    };
    item_columns(q->data, users + USER_ITEM);
    users[USER_ITEM + 2].flags = COLUMN_HIDDEN; /* what they have in common was asked for */
    for (size_t i = 0; i < ITEM_COLUMNS && !a->group; i++)
        users[USER_ITEM + i].flags |= COLUMN_HIDDEN;
    char places[PLACES];
    const char *title = result_textf(out, "%s %s", result_str(out, &a->what), first_places(k, places, sizeof places));
    struct tables t = {.reach = result_table(out, "reach", title, reach, REACH_COLUMNS)};
    t.segments = result_table(out, "segments", "by segment", segments, SEGMENT_COLUMNS);
    t.users = result_table(out, "users", "who gets it, those where it stands highest first", users, USER_COLUMNS);
    return t;
}

static void add_reach(const struct model *m, const struct who *w, enum seen seen, struct table *t)
{
    table_text(t, m->name);
    table_int(t, (int64_t)w->n);
    table_int(t, (int64_t)w->asked);
    table_real(t, w->asked ? (double)w->n / (double)w->asked : (double)NAN);
    if (seen == SEEN_HIDE)
        table_int(t, (int64_t)w->had);
    else
        table_null(t);
    table_real(t, w->mean_rank);
}

enum { USERS_SHOWN = 10, SEGMENTS_SHOWN = 3 }; /* of each model */

static void add_users(const struct question *q, const struct model *m, const struct who *w, const struct asked *a,
                      struct table *t)
{
    for (size_t i = 0; i < w->n; i++) {
        const struct who_user *u = &w->users[i];
        table_text(t, m->name);
        table_text(t, dict_text(&q->data->users, u->user));
        table_int(t, u->rank);
        item_cells(q->data, u->item, t);
        table_int(t, u->count);
        table_real(t, (double)u->score);
        table_int(t, a->lengths[u->user]);
        if (i >= USERS_SHOWN)
            table_aside(t);
    }
}

/* One model in one segment. */
struct share {
    const char *by, *name;
    size_t got, users;
    double times; /* its share over that of all users */
    double far;   /* from 1, on a log scale; 0: no more than chance, or too few users to tell */
};

/* Half as large again, or as small, and five users got or to be expected. */
static struct share share_of(const struct who *w, const char *by, const struct cohort *c, size_t got)
{
    double usual = (double)w->n / (double)w->asked, expected = usual * (double)c->n;
    struct share s = {.by = by,
                      .name = c->name,
                      .got = got,
                      .users = c->n,
                      .times = expected > 0 ? (double)got / expected : (double)NAN};
    if ((got >= 5 || expected >= 5) && (s.times >= 1.5 || s.times <= 1 / 1.5))
        s.far = fabs(log(((double)got + .5) / (expected + .5)));
    return s;
}

static bool among_the_farthest(const struct share *s, size_t n, size_t at)
{
    size_t before = 0;
    for (size_t i = 0; i < n; i++)
        before += s[i].far > s[at].far || (i < at && !(s[i].far < s[at].far));
    return s[at].far > 0 && before < SEGMENTS_SHOWN;
}

static void put_shares(const struct model *m, const struct asked *a, const struct share *s, size_t n, struct table *t,
                       struct str *most)
{
    double best = 1;
    for (size_t i = 0; i < n; i++) {
        table_text(t, m->name);
        table_text(t, s[i].by);
        table_text(t, s[i].name);
        table_int(t, (int64_t)s[i].got);
        table_int(t, (int64_t)s[i].users);
        table_real(t, (double)s[i].got / (double)s[i].users);
        table_real(t, s[i].times);
        if (!a->by && !among_the_farthest(s, n, i))
            table_aside(t);
        if (!(s[i].far > 0) || s[i].got < 5 || s[i].times <= best)
            continue;
        best = s[i].times;
        char got[32], users[32];
        text_count(got, sizeof got, (int64_t)s[i].got);
        text_count(users, sizeof users, (int64_t)s[i].users);
        str_reuse(most);
        str_printf(most, "; most of all %s %s (%s of %s, %.1f times as many as usual)", s[i].by, s[i].name, got, users,
                   s[i].times);
    }
}

static enum status add_segments(const struct model *m, const struct who *w, const struct asked *a, struct table *t,
                                struct str *most, struct error *err)
{
    size_t all = 0, n = 0;
    for (size_t c = 0; c < a->ncohorts; c++)
        all += a->cohorts[c].n;
    struct share *s = mem_new(all, sizeof *s, "segments", err);
    size_t *got = mem_new(all, sizeof *got, "segments", err);
    enum status st = s && got ? ST_OK : ST_NOMEM;
    for (size_t c = 0; c < a->ncohorts && !st; c++) {
        st = who_segments(w, a->selection.data, &a->cohorts[c], a->users, got, err);
        for (size_t i = 0; i < a->cohorts[c].n && !st; i++)
            s[n++] = share_of(w, a->cohorts[c].by, &a->cohorts[c].list[i], got[i]);
    }
    if (!st)
        put_shares(m, a, s, n, t, most);
    mem_free(s);
    mem_free(got);
    return st;
}

static void say(const struct question *q, const struct model *m, const struct who *w, const struct asked *a, size_t k,
                const char *most, struct result *out)
{
    struct str had = {0};
    char users[32], all[32], some[32], places[PLACES];
    text_count(users, sizeof users, (int64_t)w->n);
    text_count(all, sizeof all, (int64_t)w->asked);
    text_count(some, sizeof some, (int64_t)w->had);
    if (q->seen == SEEN_HIDE && w->had)
        str_printf(&had, "; %s had %s already", some, a->group ? "some" : "it");
    result_message(out, MESSAGE_INFO, "%s%s%s of %s user%s (%.1f%%) %s %s%s%s %s%s%s.",
                   q->nmodels > 1 ? m->name : "", q->nmodels > 1 ? ": " : "", users, all, w->asked == 1 ? "" : "s",
                   w->asked ? 100 * (double)w->n / (double)w->asked : 0., w->n == 1 ? "gets" : "get",
                   a->group ? "some " : "\"", result_str(out, &a->what), a->group ? "" : "\"",
                   first_places(k, places, sizeof places), result_str(out, &had), most);
    str_free(&had);
}

static enum status ask_models(struct workbench *wb, const struct question *q, const struct asked *a, size_t k,
                              struct result *out, struct error *err)
{
    struct tables t = new_tables(q, a, k, out);
    enum status st = ST_OK;
    job_begin(&wb->job, q->data->users.n * q->nmodels, "users", "who");
    for (size_t i = 0; i < q->nmodels && !st; i++) {
        struct who w;
        struct str most = {0};
        st = who_make(q->models[i], &a->selection, a->chosen, k, q->seen, &wb->job, &w, err);
        if (!st)
            st = add_segments(q->models[i], &w, a, t.segments, &most, err);
        if (!st) {
            add_reach(q->models[i], &w, q->seen, t.reach);
            add_users(q, q->models[i], &w, a, t.users);
            say(q, q->models[i], &w, a, k, str_text(&most), out);
        }
        str_free(&most);
        who_clear(&w);
    }
    return st;
}

/* ---- what is asked ---- */

static enum status choose_items(struct workbench *wb, const struct call *call, const struct question *q,
                                struct asked *a, uint32_t *item, struct error *err)
{
    enum status st = item_or_group(call, 0, err);
    a->group = call->where.text;
    if (!st && a->group) {
        put_group(call->where.text, &a->what);
        return name_group(wb, call, q->data, &a->chosen, err);
    }
    if (!st)
        st = name_item(wb, q->data, &call->args[0], item, err);
    if (st)
        return st;
    str_puts(&a->what, dataset_item_title(q->data, *item));
    a->chosen = mem_new(q->data->items.n, sizeof *a->chosen, "a choice of items", err);
    if (!a->chosen)
        return ST_NOMEM;
    a->chosen[*item] = 1;
    return ST_OK;
}

enum { FEW_WORDS = 30 };

/* A text that cuts users into a few segments, such as a country. */
static const char *usual_cut(const struct dataset *d)
{
    for (size_t i = 0; i < d->user_fields.n; i++) {
        const struct field *f = &d->user_fields.field[i];
        if (f->type == FIELD_TEXT && f->levels.n > 1 && f->levels.n <= FEW_WORDS && !strchr(f->name, ','))
            return f->name;
    }
    return NULL;
}

/* Everybody with a history, in segments: by= or what is usual, and the length of the history. */
static enum status choose_segments(const struct call *call, struct asked *a, struct error *err)
{
    const struct dataset *d = a->selection.data;
    const char *usual = usual_cut(d);
    struct str by = {0};
    a->by = call_given(call, "by");
    if (a->by)
        str_puts(&by, call_text(call, "by"));
    else
        str_printf(&by, "%s%shistory_length", usual ? usual : "", usual ? "," : "");
    a->lengths = mem_new_raw(d->users.n, sizeof *a->lengths, "users", err);
    a->users = mem_new_raw(d->users.n, sizeof *a->users, "users", err);
    enum status st = a->lengths && a->users ? ST_OK : ST_NOMEM;
    if (!st)
        history_lengths(&a->selection, a->lengths);
    for (uint32_t u = 0; u < d->users.n && !st; u++)
        if (a->lengths[u])
            a->users[a->nusers++] = u;
    if (!st && by.failed)
        st = error_nomem(err, by.capacity, "segments");
    if (!st)
        st = cohorts_of_users_by(&a->selection, a->users, a->nusers, str_text(&by), &a->cohorts, &a->ncohorts, err);
    str_free(&by);
    return st && a->by ? error_at_option(st, err, call, "by") : st;
}

static void asked_clear(struct asked *a)
{
    cohorts_free(a->cohorts, a->ncohorts);
    mem_free(a->chosen);
    mem_free(a->lengths);
    mem_free(a->users);
    str_free(&a->what);
}

static enum status run_who(struct workbench *wb, const struct call *call, struct result *out, struct error *err)
{
    struct question q;
    struct asked a = {0};
    struct str line = {0};
    uint32_t item = NO_ITEM;
    enum status st = question_open(wb, call, NULL, &q, err);
    if (!st)
        st = choose_items(wb, call, &q, &a, &item, err);
    if (st)
        goto out;
    a.selection = question_selection(wb, call, q.data);
    q.history.as_of = a.selection.until;
    size_t k = (size_t)call_int(call, "k");
    k = k < q.data->items.n ? k : q.data->items.n;
    st = choose_segments(call, &a, err);
    if (!st)
        st = ask_models(wb, &q, &a, k, out, err);
    if (st)
        goto out;
    warn_of_future(&q, out);
    str_puts(&line, "who");
    if (a.group)
        put_where(&line, call);
    else
        put_item(&line, q.data, item);
    put_end(&line, call, &q);
    put_command(&line, out);
out:
    str_free(&line);
    asked_clear(&a);
    question_close(&q);
    return st;
}

/* ---- the rows ---- */

static const struct argument who_args[] = {
    {.name = "ITEM", .type = ARG_ITEM, .optional = true, .doc = "an id, a title, or #3 of the last list"}};
static const struct param who_options[] = {
    OPTION_K("length of the lists"),
    {.name = "by",
     .type = PARAM_SEGMENT,
     .doc = "segments: " COHORTS_BY_USERS
            "; several: by=country,taste; without it the first attribute with few values, and history_length"},
    OPTION_SEEN,
    OPTION_AT,
};

static const struct command rows[] = {
    {.name = "who",
     .group = "inspect",
     .summary = "which users get an item, or one of a group of items",
     .arguments = who_args,
     .narguments = 1,
     .options = who_options,
     .noptions = 4,
     .flags = COMMAND_WITH | COMMAND_WHERE | COMMAND_NEEDS_DATA,
     .help = "Makes the lists of all users with a history and looks for the item, or with where for any item that the "
             "condition holds for: item, events_per_item, or an attribute of items. times_usual compares the share of "
             "a segment with that of all users; without by= people see the segments where it is farthest from 1. "
             "had_it counts the users from whom it is hidden, as their history has it. People see the first 10 users "
             "of each model; `last` shows all, `> FILE` writes them.",
     .examples =
         (const char *const[]){"who boots with itemknn k=3", "who pan with ease pop k=3 by=country,history_length",
                               "who where \"category = 'Kitchen'\" with ease k=2", NULL},
     .run = run_who},
};

const struct command_family who_commands = {rows, sizeof rows / sizeof *rows};
