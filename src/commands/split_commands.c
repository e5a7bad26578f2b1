/* `split`: which events models learn from, and which judge them. */
#include <string.h>

#include "base/mem.h"
#include "commands/families.h"

enum { KIND_NONE = SPLIT_GIVEN + 1 }; /* `split none`: behind the kinds in the order of enum split_kind */

/* ---- what was asked for ---- */

static enum status parse_count(const char *text, size_t *out, struct error *err)
{
    int64_t n;
    if (!text_parse_int(text, &n) || n < 1 || n > INT32_MAX) {
        error_set(err, ST_USAGE, "\"%s\" is not a number of events", text);
        error_hint(err, "for example: split last 1");
        return ST_USAGE;
    }
    *out = (size_t)n;
    return ST_OK;
}

/* `name` is the option that has the share. */
static enum status parse_share(const char *name, const char *text, double *out, struct error *err)
{
    const struct param share = {.name = name, .type = PARAM_PERCENT};
    struct param_value v = {0};
    enum status st = param_parse(&share, text, &v, err);
    *out = v.real;
    param_values_free(&v, 1);
    return st;
}

/* A share ("20%", "0.2"), a duration ("14d") or a moment ("2025-03-01"). */
static enum status parse_cut(const char *text, struct split_spec *spec, struct error *err)
{
    double real;
    bool plain = text_parse_real(text, &real);
    spec->at = NO_TIME;
    if (strchr(text, '%') || (plain && real < 1))
        return parse_share("test", text, &spec->share, err);
    if (!plain && text_parse_duration(text, &spec->duration) && spec->duration > 0)
        return ST_OK;
    if (time_parse(text, strlen(text), 0, &spec->at))
        return ST_OK;
    error_set(err, ST_USAGE, "\"%s\" is not a place in time to split at", text);
    error_hint(err, "a share (test=20%%), a duration before the newest event (test=14d) or a moment (test=2025-03-01)");
    return ST_USAGE;
}

static enum status amount_twice(const struct call *call, struct error *err)
{
    error_set(err, ST_USAGE, "what to split at is said twice: %s and test=%s", call->args[1].text,
              call_text(call, "test"));
    return error_at_word(ST_USAGE, err, &call->args[1]);
}

/* The word behind the kind, or test=, or the default. */
static enum status read_amount(const struct call *call, struct split_spec *spec, struct error *err)
{
    const struct word *w = call->nargs > 1 ? &call->args[1] : NULL;
    const char *text = w ? w->text : call_text(call, "test");
    enum status st = ST_OK;
    if (w && call_given(call, "test"))
        return amount_twice(call, err);
    if (spec->kind == SPLIT_GIVEN && text) {
        error_set(err, ST_USAGE, "split given goes by the column \"part\" of the data and takes nothing else");
        error_hint(err, "load the files of both parts together: load train.txt test.txt");
        return error_at_word(ST_USAGE, err, w ? w : &call->args[0]);
    }
    spec->last = 1;
    spec->share = .2;
    if (!text)
        return ST_OK;
    if (spec->kind == SPLIT_LAST)
        st = parse_count(text, &spec->last, err);
    else if (spec->kind == SPLIT_TIME)
        st = parse_cut(text, spec, err);
    else
        st = parse_share("test", text, &spec->share, err);
    if (!st)
        return ST_OK;
    return w ? error_at_word(st, err, w) : error_at_option(st, err, call, "test");
}

/* valid=yes: a tenth (for `last`: as many as are tested); valid=no; valid=SHARE. */
static enum status read_valid(const struct call *call, struct split_spec *spec, struct error *err)
{
    const char *text = call_text(call, "valid");
    if (!text || text_same(text, "no"))
        return ST_OK;
    if (text_same(text, "yes")) {
        spec->valid_share = .1;
        return ST_OK;
    }
    return error_at_option(parse_share("valid", text, &spec->valid_share, err), err, call, "valid");
}

/* Options that say nothing to this kind of split. */
static enum status check_options(int kind, const struct call *call, struct error *err)
{
    static const char *const options[] = {"test", "valid", "target", "holdout"};
    for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
        bool holdout = text_same(options[i], "holdout");
        if (!call_given(call, options[i]) || (kind != KIND_NONE && (!holdout || kind == SPLIT_USERS)))
            continue;
        error_set(err, ST_USAGE, "split %s takes no %s=", call->args[0].text, options[i]);
        error_hint(err, holdout ? "it belongs to held-out users: split users 20%% holdout=20%%" : "`split none` stands alone");
        return error_at_option(ST_USAGE, err, call, options[i]);
    }
    return ST_OK;
}

static enum status read_spec(const struct workbench *wb, const struct call *call, struct split_spec *spec,
                             struct error *err)
{
    static const struct param kinds = {
        .name = "", .type = PARAM_ENUM, .choices = "last|time|users|random|given|none"};
    struct param_value v = {0};
    enum status st = param_parse(&kinds, call->args[0].text, &v, err);
    int64_t kind = v.integer;
    param_values_free(&v, 1);
    if (st)
        return error_at_word(st, err, &call->args[0]);
    st = check_options((int)kind, call, err);
    if (st)
        return st;
    *spec = (struct split_spec){
        .kind = (enum split_kind)kind, .at = NO_TIME, .holdout = call_real(call, "holdout"), .seed = wb->seed};
    const char *target = call_text(call, "target");
    if (target && strlen(target) >= sizeof spec->target)
        return error_at_option(error_set(err, ST_USAGE, "no type of event has so long a name"), err, call, "target");
    if (target)
        memcpy(spec->target, target, strlen(target) + 1);
    st = read_amount(call, spec, err);
    return st ? st : read_valid(call, spec, err);
}

/* ---- what came of it ---- */

struct part_size {
    size_t events, users, items, cold_users, cold_items;
    int64_t first, last;
};

/* Sizes of one part. Cold are users without a history before it, and items without a training event. */
static void measure(const struct dataset *d, const struct split *s, enum part part, const uint8_t *trained,
                    uint8_t *mark, struct part_size *out)
{
    *out = (struct part_size){.first = NO_TIME, .last = NO_TIME};
    memset(mark, 0, d->items.n);
    for (uint32_t u = 0; u < d->users.n; u++) {
        unsigned history = split_history(s, u, part);
        bool here = false, known = false;
        for (size_t e = d->user_begin[u]; e < d->user_begin[u + 1]; e++) {
            known |= (s->part[e] & history) != 0;
            if (s->part[e] != part || !(d->type_weight[d->events.type[e]] > 0))
                continue;
            int64_t t = d->events.time ? d->events.time[e] : NO_TIME;
            uint32_t i = d->events.item[e];
            here = true;
            out->events++;
            out->items += !mark[i];
            out->cold_items += !mark[i] && !trained[i];
            mark[i] = 1;
            if (t != NO_TIME && (out->first == NO_TIME || t < out->first))
                out->first = t;
            if (t > out->last)
                out->last = t;
        }
        out->users += here;
        out->cold_users += here && !known;
    }
}

static void put_part(struct table *t, const struct split *s, enum part part, const char *name,
                     const struct part_size *size)
{
    bool is_judged = part == PART_TEST || part == PART_VALID;
    size_t all = s->ntrain + s->nvalid + s->ntest + s->nhistory + s->nnone;
    table_text(t, name);
    table_int(t, (int64_t)size->events);
    table_real(t, all ? (double)size->events / (double)all : 0);
    table_int(t, (int64_t)size->users);
    table_int(t, (int64_t)size->items);
    if (is_judged) {
        table_int(t, (int64_t)size->cold_users);
        table_int(t, (int64_t)size->cold_items);
    } else {
        table_null(t);
        table_null(t);
    }
    table_time(t, size->first);
    table_time(t, size->last);
}

static enum status put_split(const struct dataset *d, const struct split *s, struct result *out, struct error *err)
{
    static const struct column columns[] = {
        {.name = "part", .type = VALUE_TEXT},
        {.name = "events", .type = VALUE_INT, .flags = COLUMN_COUNT},
        {.name = "share", .type = VALUE_REAL, .unit = "%", .precision = 1},
        {.name = "users", .type = VALUE_INT, .flags = COLUMN_COUNT},
        {.name = "items", .type = VALUE_INT, .flags = COLUMN_COUNT},
        {.name = "cold_users", .type = VALUE_INT, .flags = COLUMN_COUNT},
        {.name = "cold_items", .type = VALUE_INT, .flags = COLUMN_COUNT},
        {.name = "first", .type = VALUE_TIME, .flags = COLUMN_COMPACT},
        {.name = "last", .type = VALUE_TIME, .flags = COLUMN_COMPACT},
    };
    static const struct {
        enum part part;
        const char *name;
    } parts[] = {{PART_TRAIN, "train"},
                 {PART_VALID, "valid"},
                 {PART_TEST, "test"},
                 {PART_HISTORY, "history"},
                 {PART_NONE, "left out"}};
    struct table *t = result_table(out, "parts", result_textf(out, "split: %s", s->description), columns,
                                   sizeof columns / sizeof *columns);
    uint8_t *trained = mem_new(d->items.n, 1, "item marks", err), *mark = mem_new(d->items.n, 1, "item marks", err);
    enum status st = trained && mark ? ST_OK : ST_NOMEM;
    for (size_t e = 0; e < d->events.n && !st; e++)
        if (s->part[e] == PART_TRAIN)
            trained[d->events.item[e]] = 1;
    for (size_t i = 0; i < sizeof parts / sizeof *parts && !st; i++) {
        struct part_size size;
        measure(d, s, parts[i].part, trained, mark, &size);
        if (size.events)
            put_part(t, s, parts[i].part, parts[i].name, &size);
    }
    mem_free(trained);
    mem_free(mark);
    return st;
}

static void say_cold(const struct split *s, struct result *out)
{
    char users[32], cold[32], items[32];
    text_count(users, sizeof users, (int64_t)s->test_users);
    text_count(cold, sizeof cold, (int64_t)s->cold_users);
    text_count(items, sizeof items, (int64_t)s->cold_items);
    if (s->cold_users)
        result_message(out, MESSAGE_INFO, "%s of the %s users who are tested are cold: nothing is known of them before",
                       cold, users);
    if (s->cold_items)
        result_message(out, MESSAGE_INFO, "%s item%s of the test part: cold, no model can have learnt %s", items,
                       s->cold_items == 1 ? "" : "s", s->cold_items == 1 ? "it" : "them");
}

/* How many models learnt from other events than the split says. */
static void say_models(struct workbench *wb, const struct split *s, struct result *out)
{
    struct str names = {0};
    size_t n = 0;
    pthread_mutex_lock(&wb->lock);
    for (size_t i = 0; i < wb->nmodels; i++)
        if (wb->models[i]->record.split_fingerprint != s->fingerprint)
            str_printf(&names, "%s%s", n++ ? ", " : "", wb->models[i]->name);
    size_t all = wb->nmodels;
    pthread_mutex_unlock(&wb->lock);
    if (n)
        result_message(out, MESSAGE_WARNING, "trained on other events, so not to be compared on this split: %s",
                       str_text(&names));
    if (n == all)
        result_message(out, MESSAGE_HINT, "train %s",
                       all ? "them again, or others" : "models on it: `train pop itemknn ease ials`");
    str_free(&names);
}

static enum status show_split(struct workbench *wb, struct result *out, struct error *err)
{
    struct dataset *d = workbench_data(wb);
    struct split *s = workbench_split(wb);
    enum status st = ST_OK;
    if (s) {
        st = put_split(d, s, out, err);
        say_cold(s, out);
        say_models(wb, s, out);
    } else {
        result_message(out, MESSAGE_INFO, "%s is not split: models learn from all events", d->name);
        if (fields_find(&d->events.context, "part"))
            result_message(out, MESSAGE_HINT, "`split given` goes by the column part of the data");
        else
            result_message(out, MESSAGE_HINT, "`split last 1` keeps each user's last event for testing");
    }
    split_release(s);
    dataset_release(d);
    return st;
}

static const struct argument split_args[] = {
    {.name = "KIND",
     .type = ARG_CHOICE,
     .optional = true,
     .choices = "last|time|users|random|given|none",
     .doc = "how to cut; without it: the present split"},
    {.name = "AMOUNT",
     .type = ARG_TEXT,
     .optional = true,
     .doc = "last: events of each user; time: share, duration or moment; users, random: share"},
};

static const struct param split_options[] = {
    {.name = "test", .type = PARAM_TEXT, .doc = "the same as AMOUNT: 14d, 20%, 2025-03-01"},
    {.name = "valid",
     .type = PARAM_TEXT,
     .initial = "no",
     .doc = "also carve a validation part out of train, by the same rule: yes, no or a share such as 10% (last: as many events as are tested)"},
    {.name = "target", .type = PARAM_EVENT, .doc = "judge by events of this type only, such as purchase"},
    {.name = "holdout",
     .type = PARAM_PERCENT,
     .initial = "20%",
     .doc = "users: the share of a held-out user's events that is test"},
};

/* `split valid=yes` would change nothing. */
static enum status needs_kind(const struct call *call, const char *option, struct error *err)
{
    error_set(err, ST_USAGE, "%s= needs to know the kind of the split", option);
    error_hint(err, "for example: split %s %s=...", text_same(option, "holdout") ? "users 20%" : "last 1", option);
    return error_at_option(ST_USAGE, err, call, option);
}

static enum status run_split(struct workbench *wb, const struct call *call, struct result *out, struct error *err)
{
    struct split_spec spec;
    struct split *s = NULL;
    if (!call->nargs) {
        for (size_t i = 0; i < sizeof split_options / sizeof *split_options; i++)
            if (call_given(call, split_options[i].name))
                return needs_kind(call, split_options[i].name, err);
        return show_split(wb, out, err);
    }
    if (wb->readonly)
        return error_set(err, ST_STATE, "split would change the workspace, which is open for reading only");
    enum status st = read_spec(wb, call, &spec, err);
    if (st)
        return st;
    if ((int)spec.kind != KIND_NONE) {
        struct dataset *d = workbench_data(wb);
        st = split_new(d, &spec, &s, err);
        dataset_release(d);
        if (st)
            return st;
    }
    if (s && spec.valid_share > 0 && !s->nvalid)
        result_message(out, MESSAGE_WARNING, "no event fell into the validation part: there are too few");
    workbench_set_split(wb, s);
    st = workbench_keep_split(wb, err);
    return st ? st : show_split(wb, out, err);
}

static const struct command rows[] = {
    {.name = "split",
     .group = "data",
     .summary = "which events models learn from, and which judge them",
     .arguments = split_args,
     .narguments = sizeof split_args / sizeof *split_args,
     .options = split_options,
     .noptions = sizeof split_options / sizeof *split_options,
     .flags = COMMAND_NEEDS_DATA,
     .help =
         "last N: the last N events of each user who has more are the test part. It goes by order and needs no times.\n"
         "time CUT: everything from one moment on is the test part: 20% of the events, the last 14d, or from "
         "2025-03-01 on. "
         "An instant is never cut in two. This is how the future looks in production, with new users and new items.\n"
         "users SHARE: these users are not trained on at all; what they did last is test, what they did before is "
         "their history.\n"
         "random SHARE: a share of each user's items, whatever the time.\n"
         "given: the data says it itself, in a column named part (train, valid, test); folders with train.txt and "
         "test.txt have one.\n"
         "none: no split, models learn from all events.\n"
         "Cold users have no history before the test part, cold items no training event; means over users are told "
         "apart for "
         "them. Random draws follow `set seed`.",
     .examples = (const char *const[]){"split last 1", "split time test=20%", "split users 20%",
                                       "split random 20% valid=10%", "split", NULL},
     .run = run_split},
};

const struct command_family split_commands = {rows, sizeof rows / sizeof *rows};
