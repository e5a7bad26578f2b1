/* Which users get an item, or any item of a group: the blast radius. */
#include <math.h>

#include "base/mem.h"
#include "commands/families.h"
#include "commands/question.h"
#include "inspect/who.h"

enum { REACH_MODEL, REACH_USERS, REACH_OF, REACH_SHARE, REACH_HAD, REACH_MEAN, REACH_COLUMNS };
enum { SEGMENT_MODEL, SEGMENT_BY, SEGMENT_NAME, SEGMENT_USERS, SEGMENT_OF, SEGMENT_SHARE, SEGMENT_TIMES, SEGMENT_COLUMNS };
enum { USER_MODEL, USER_ID, USER_RANK, USER_ITEM, USER_COUNT = USER_ITEM + ITEM_COLUMNS, USER_SCORE, USER_EVENTS, USER_COLUMNS };

/* What is asked about. */
struct asked {
    uint8_t *chosen;
    bool group;
    struct str what;                /* "Fargo (1996)", "baby food" */
    struct selection selection;
    uint32_t *lengths;              /* of all users' histories */
    struct user_cut cuts[2];
    const char *by[2];
    size_t ncuts;
};

struct tables {
    struct table *reach, *segments, *users;
};

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
        [USER_MODEL] = {.name = "model", .type = VALUE_TEXT, .flags = model},
        [USER_ID] = {.name = "user", .type = VALUE_TEXT},
        [USER_RANK] = {.name = "rank", .type = VALUE_INT},
        [USER_COUNT] = {.name = "of_them", .type = VALUE_INT, .flags = a->group ? 0 : COLUMN_HIDDEN},
        [USER_SCORE] = {.name = "score", .type = VALUE_REAL, .precision = 4},
        [USER_EVENTS] = {.name = "events", .type = VALUE_INT, .flags = COLUMN_COUNT},
    };
    item_columns(q->data, users + USER_ITEM);
    for (size_t i = 0; i < ITEM_COLUMNS && !a->group; i++)
        users[USER_ITEM + i].flags |= COLUMN_HIDDEN;
    const char *title = result_textf(out, "%s among the first %zu", str_text(&a->what), k);
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

static void add_users(const struct question *q, const struct model *m, const struct who *w, const struct asked *a, struct table *t)
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
    }
}

/* Where it falls most often, of segments that say something: a share that is half as large again, and five users. */
static bool stands_out(const struct who *w, const struct who_segment *s, double *times)
{
    double usual = (double)w->n / (double)w->asked;
    *times = usual > 0 ? (double)s->got / (double)s->users / usual : (double)NAN;
    return s->got >= 5 && *times >= 1.5;
}

static enum status add_segments(const struct model *m, const struct who *w, const struct asked *a, struct table *t, struct str *most, struct error *err)
{
    double best = 0, times;
    for (size_t c = 0; c < a->ncuts; c++) {
        const struct user_cut *cut = &a->cuts[c];
        struct who_segment *s = mem_new((size_t)cut->names.n + 1, sizeof *s, "segments", err);
        if (!s)
            return ST_NOMEM;
        size_t n = who_segments(w, cut, a->lengths, s);
        for (size_t i = 0; i < n; i++) {
            const char *name = s[i].segment == NO_CODE ? NULL : dict_text(&cut->names, s[i].segment);
            bool out = stands_out(w, &s[i], &times) && name;
            table_text(t, m->name);
            table_text(t, a->by[c]);
            table_text(t, name);
            table_int(t, (int64_t)s[i].got);
            table_int(t, (int64_t)s[i].users);
            table_real(t, (double)s[i].got / (double)s[i].users);
            table_real(t, times);
            if (!out || times <= best)
                continue;
            best = times;
            str_clear(most);
            str_printf(most, "; most of all %s %s (%zu of %zu, %.1f times as many as usual)", a->by[c], name, s[i].got, s[i].users, times);
        }
        mem_free(s);
    }
    return ST_OK;
}

static void say(const struct question *q, const struct model *m, const struct who *w, const struct asked *a, size_t k, const char *most,
                struct result *out)
{
    struct str had = {0};
    char users[32], all[32], some[32];
    text_count(users, sizeof users, (int64_t)w->n);
    text_count(all, sizeof all, (int64_t)w->asked);
    text_count(some, sizeof some, (int64_t)w->had);
    if (q->seen == SEEN_HIDE && w->had)
        str_printf(&had, "; %s had %s already", some, a->group ? "some" : "it");
    result_message(out, MESSAGE_INFO, "%s%s%s of %s users (%.1f%%) get %s%s among their first %zu%s%s.", q->nmodels > 1 ? m->name : "",
                   q->nmodels > 1 ? ": " : "", users, all, w->asked ? 100 * (double)w->n / (double)w->asked : 0., a->group ? "some " : "",
                   str_text(&a->what), k, str_text(&had), most);
    str_free(&had);
}

static enum status ask_models(struct workbench *wb, const struct question *q, const struct asked *a, size_t k, struct result *out, struct error *err)
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

static enum status choose_items(struct workbench *wb, const struct call *call, const struct question *q, struct asked *a, uint32_t *item, struct error *err)
{
    enum status st = item_or_group(call, 0, err);
    a->group = call->where.text;
    if (!st && a->group) {
        put_group(call->where.text, &a->what);
        return name_group(q->data, call, &a->chosen, err);
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
        if (f->type == FIELD_TEXT && f->levels.n > 1 && f->levels.n <= FEW_WORDS)
            return f->name;
    }
    return NULL;
}

static enum status choose_cuts(const struct call *call, struct asked *a, struct error *err)
{
    const char *usual = usual_cut(a->selection.data);
    enum status st = ST_OK;
    a->by[0] = call_given(call, "by") ? call_text(call, "by") : usual ? usual : CUT_BY_HISTORY;
    a->by[1] = !call_given(call, "by") && usual ? CUT_BY_HISTORY : NULL;
    while (a->ncuts < 2 && a->by[a->ncuts] && !st) {
        st = user_cut_make(&a->selection, a->by[a->ncuts], &a->cuts[a->ncuts], err);
        a->ncuts++;
    }
    return st == ST_NOT_FOUND ? error_at_option(st, err, call, "by") : st;
}

static void asked_clear(struct asked *a)
{
    for (size_t i = 0; i < a->ncuts; i++)
        user_cut_clear(&a->cuts[i]);
    mem_free(a->chosen);
    mem_free(a->lengths);
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
    a.lengths = mem_new_raw(q.data->users.n, sizeof *a.lengths, "users", err);
    st = a.lengths ? choose_cuts(call, &a, err) : ST_NOMEM;
    if (!st) {
        history_lengths(&a.selection, a.lengths);
        st = ask_models(wb, &q, &a, k, out, err);
    }
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

static const struct argument who_args[] = {{.name = "ITEM", .type = ARG_ITEM, .optional = true, .doc = "an id, a title, or #3 of the last list"}};
static const struct param who_options[] = {
    OPTION_K("length of the lists"),
    {.name = "by", .type = PARAM_TEXT, .doc = "an attribute of users, or " CUT_BY_HISTORY "; without it the first attribute with few values, and " CUT_BY_HISTORY},
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
     .help = "Makes the lists of all users with a history and looks for the item, or with where for any item that the condition holds for: "
             "item, events_per_item, or an attribute of items. times_usual compares the share of a segment with that of all users. had_it counts the users from "
             "whom it is hidden, as their history has it. `last` shows all users, `> FILE` writes them.",
     .examples = (const char *const[]){"who boots with itemknn k=3", "who pan with ease pop k=3 by=country", "who where \"category = 'Kitchen'\" with ease k=2", NULL},
     .run = run_who},
};

const struct command_family who_commands = {rows, sizeof rows / sizeof *rows};
