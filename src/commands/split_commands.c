/* `split`: which events models learn from, and which judge them. */
#include <string.h>

#include "base/mem.h"
#include "commands/families.h"
#include "commands/given.h"
#include "commands/leak.h"
#include "commands/split_report.h"

enum { KIND_NONE = SPLIT_KINDS }; /* `split none`: behind the kinds in the order of enum split_kind */
#define WORD(kind, name) #name "|"
#define KIND_CHOICES SPLIT_RULES(WORD) "none"

/* ---- what was asked for ---- */

static enum status parse_count(const char *text, const char *what, const char *example, size_t *out, struct error *err)
{
    int64_t n;
    if (!text_parse_int(text, &n) || n < 1 || n > INT32_MAX) {
        error_set(err, ST_USAGE, "\"%s\" is not a number of %s", text, what);
        error_hint(err, "for example: split %s", example);
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

/* "20%" and "0.2" are shares, "2" is a number. */
static bool is_share(const char *text)
{
    double real;
    return strchr(text, '%') || (text_parse_real(text, &real) && real < 1 && real > 0);
}

static enum status parse_count_or_share(const char *text, const char *what, const char *example,
                                        struct split_spec *spec, struct error *err)
{
    if (!is_share(text))
        return parse_count(text, what, example, &spec->last, err);
    spec->last = 0;
    return parse_share("test", text, &spec->share, err);
}

/* A share ("20%", "0.2"), a duration ("14d") or, for one cut, a moment ("2025-03-01"). */
static enum status parse_cut(const char *text, struct split_spec *spec, struct error *err)
{
    bool rolling = spec->kind == SPLIT_ROLLING;
    double real;
    if (is_share(text))
        return parse_share("test", text, &spec->share, err);
    if (!text_parse_real(text, &real) && text_parse_duration(text, &spec->duration) && spec->duration > 0)
        return ST_OK;
    spec->duration = 0;
    if (!rolling && time_parse(text, strlen(text), 0, &spec->at))
        return ST_OK;
    error_set(err, ST_USAGE, "\"%s\" is not a place in time to split at", text);
    if (rolling)
        error_hint(err, "from one cut to the next: a duration (test=7d) or a share of the events (test=10%%)");
    else
        error_hint(err, "a share (test=20%%), a duration before the newest event (test=14d) or a moment "
                        "(test=2025-03-01)");
    return ST_USAGE;
}

static enum status amount_twice(const struct call *call, struct error *err)
{
    error_set(err, ST_USAGE, "what to split at is said twice: %s and test=%s", call->args[1].text,
              call_text(call, "test"));
    return error_at_word(ST_USAGE, err, &call->args[1]);
}

/* The amount of one kind from its text. */
static enum status parse_amount(const char *text, struct split_spec *spec, struct error *err)
{
    switch (spec->kind) {
    case SPLIT_LAST:
        return parse_count_or_share(text, "events", "last 1", spec, err);
    case SPLIT_RANDOM:
        return parse_count_or_share(text, "items", "random 20%", spec, err);
    case SPLIT_SESSIONS:
        return parse_count(text, "sessions", "sessions 1", &spec->last, err);
    case SPLIT_FOLDS:
        return parse_count(text, "folds", "folds 5", &spec->folds, err);
    case SPLIT_TIME:
    case SPLIT_ROLLING:
        return parse_cut(text, spec, err);
    default:
        return parse_share("test", text, &spec->share, err);
    }
}

/* The word behind the kind, or test=, or the default. */
static enum status read_amount(const struct call *call, struct split_spec *spec, struct error *err)
{
    const struct word *w = call->nargs > 1 ? &call->args[1] : NULL;
    const char *text = w ? w->text : call_text(call, "test");
    if (w && call_given(call, "test"))
        return amount_twice(call, err);
    if (call->nargs > 2) {
        error_set(err, ST_USAGE, "split %s takes one amount", call->args[0].text);
        error_hint(err, "a validation part is asked for by valid=, the size of the test part by AMOUNT or test=");
        return error_at_word(ST_USAGE, err, &call->args[2]);
    }
    spec->last = spec->kind == SPLIT_LAST || spec->kind == SPLIT_SESSIONS;
    spec->share = spec->kind == SPLIT_ROLLING ? .1 : .2;
    if (spec->kind == SPLIT_ROLLING)
        spec->folds = (size_t)call_int(call, "cuts");
    else if (spec->kind == SPLIT_FOLDS)
        spec->folds = 5;
    if (spec->folds)
        spec->fold = (size_t)call_int(call, "fold");
    if (call_given(call, "window"))
        spec->window = call_int(call, "window");
    spec->by_users = spec->kind == SPLIT_FOLDS && call_int(call, "by") == 1;
    enum status st = text ? parse_amount(text, spec, err) : ST_OK;
    if (!st)
        return ST_OK;
    return w ? error_at_word(st, err, w) : error_at_option(st, err, call, "test");
}

/* valid=yes: a tenth (of a number: as many as are tested); valid=no; valid=SHARE. */
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

/* The files behind the word, or test=, or none: then the columns say it. */
static enum status read_given(struct workbench *wb, const struct call *call, struct split_spec *spec,
                              struct result *out, struct error *err)
{
    const char *test = call_text(call, "test"), *valid = call_text(call, "valid");
    const struct word said = {.text = (char *)test};
    if (call->nargs > 1 && test)
        return amount_twice(call, err);
    if (call_given(call, "fold"))
        spec->fold = (size_t)call_int(call, "fold");
    if (call->nargs == 1 && !test)
        return read_valid(call, spec, err);
    bool file = valid && !is_share(valid) && !text_same(valid, "yes") && !text_same(valid, "no");
    struct dataset *d = workbench_data(wb);
    enum status st = file ? ST_OK : read_valid(call, spec, err);
    if (!st)
        st = given_read(wb, d, test ? &said : call->args + 1, test ? 1 : call->nargs - 1, file ? valid : NULL,
                        &spec->list, out, err);
    dataset_release(d);
    if (st)
        return st;
    spec->folds = spec->list->folds > 1 ? spec->list->folds : 0;
    if (spec->folds && !spec->fold)
        spec->fold = 1;
    return ST_OK;
}

/* Options that only some kinds have; the others suit all but `none`. */
static const struct {
    const char *option;
    unsigned kinds;
    const char *hint;
} partial[] = {
    {"holdout", 1U << SPLIT_USERS | 1U << SPLIT_FOLDS, "it belongs to held-out users: split users 20% holdout=20%"},
    {"cuts", 1U << SPLIT_ROLLING, "several cuts in time: split rolling test=7d cuts=4"},
    {"window", 1U << SPLIT_ROLLING, "it belongs to cuts in time: split rolling test=7d window=30d"},
    {"by", 1U << SPLIT_FOLDS, "folds are dealt out by items or by users: split folds 5 by=users"},
    {"fold", 1U << SPLIT_FOLDS | 1U << SPLIT_ROLLING | 1U << SPLIT_GIVEN,
     "only folds, rolling and given have several folds"},
    {"test", (1U << SPLIT_KINDS) - 1, "`split none` stands alone"},
    {"valid", (1U << SPLIT_KINDS) - 1, "`split none` stands alone"},
    {"target", (1U << SPLIT_KINDS) - 1, "`split none` stands alone"},
};

/* Options that say nothing to this kind of split. */
static enum status check_options(int kind, const struct call *call, struct error *err)
{
    for (size_t i = 0; i < sizeof partial / sizeof *partial; i++) {
        if (!call_given(call, partial[i].option) || (partial[i].kinds >> kind & 1))
            continue;
        error_set(err, ST_USAGE, "split %s takes no %s=", call->args[0].text, partial[i].option);
        error_hint(err, "%s", partial[i].hint);
        return error_at_option(ST_USAGE, err, call, partial[i].option);
    }
    return ST_OK;
}

/* The caller releases the list of the spec, which is set to begin with. */
static enum status read_spec(struct workbench *wb, const struct call *call, struct split_spec *spec,
                             struct result *out, struct error *err)
{
    static const struct param kinds = {
        .name = "", .type = PARAM_ENUM, .choices = KIND_CHOICES};
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
    if (kind == SPLIT_GIVEN)
        return read_given(wb, call, spec, out, err);
    st = read_amount(call, spec, err);
    return st ? st : read_valid(call, spec, err);
}

/* ---- what came of it ---- */

static void say_cold(const struct split *s, struct result *out)
{
    char users[32], cold[32], items[32];
    text_count(users, sizeof users, (int64_t)s->test_users);
    text_count(cold, sizeof cold, (int64_t)s->cold_users);
    text_count(items, sizeof items, (int64_t)s->cold_items);
    if (s->cold_users)
        result_message(out, MESSAGE_INFO, "%s of the %s user%s tested %s cold: nothing is known of them before", cold,
                       users, s->test_users == 1 ? "" : "s", s->cold_users == 1 ? "is" : "are");
    if (s->cold_items)
        result_message(out, MESSAGE_INFO, "%s item%s of the test part: cold, no model can have learnt %s", items,
                       s->cold_items == 1 ? "" : "s", s->cold_items == 1 ? "it" : "them");
}

/* A draw does not look at the time: models learn from what came after. */
static enum status say_future(const struct dataset *d, const struct split *s, struct result *out, struct error *err)
{
    struct split_leaks l;
    if (split_in_order(s))
        return ST_OK;
    enum status st = split_leaks_find(d, s, &l, err);
    if (st || !l.timed || !l.late_users)
        return st;
    result_message(out, MESSAGE_WARNING,
                   "the future leaks: %.0f %% of the test users have known events after their first test event; "
                   "`split last 20%%` and `split time 20%%` keep the order",
                   100 * (double)l.late_users / (double)s->test_users);
    return ST_OK;
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
                       result_str(out, &names));
    if (s->spec.folds > 1)
        result_message(out, MESSAGE_HINT, "this is fold %zu of %zu: `backtest pop ease` goes through all", s->spec.fold,
                       s->spec.folds);
    else if (n == all)
        result_message(out, MESSAGE_HINT, "train %s",
                       all ? "them again, or others" : "models on it: `train pop itemknn ease ials`");
    str_free(&names);
}

static enum status show_split(struct workbench *wb, struct dataset *d, struct split *s, struct result *out,
                              struct error *err)
{
    enum status st = ST_OK;
    if (s) {
        st = split_put(d, s, out, err);
        say_cold(s, out);
        st = st ? st : say_future(d, s, out, err);
        say_models(wb, s, out);
    } else {
        result_message(out, MESSAGE_INFO, "%s is not split: models learn from all events", d->name);
        if (fields_find(&d->events.context, "part"))
            result_message(out, MESSAGE_HINT, "`split given` goes by the column part of the data");
        else
            result_message(out, MESSAGE_HINT, "`split last 1` keeps each user's last event for testing");
    }
    return st ? st : result_status(out, err);
}

static const struct argument split_args[] = {
    {.name = "KIND",
     .type = ARG_CHOICE,
     .optional = true,
     .choices = KIND_CHOICES,
     .doc = "how to cut; without it: the present split"},
    {.name = "AMOUNT|FILE",
     .type = ARG_TEXT,
     .optional = true,
     .repeated = true,
     .doc = "last: events of each user, or a share of them; time: share, duration or moment; users: share; random: "
            "items, or a share; sessions, folds: how many; rolling: share or duration from cut to cut; given: files, "
            "one a fold"},
};

static const struct param split_options[] = {
    {.name = "test", .type = PARAM_TEXT, .doc = "the same as AMOUNT: 14d, 20%, 2025-03-01"},
    {.name = "valid",
     .type = PARAM_TEXT,
     .initial = "no",
     .doc = "also carve a validation part out of train, by the same rule: yes, no or a share such as 10% (last: as "
            "many events as are tested); given: or a file"},
    {.name = "target",
     .type = PARAM_EVENT,
     .doc = "judge by events of this type only, such as purchase; only they hide items as seen"},
    {.name = "holdout",
     .type = PARAM_PERCENT,
     .initial = "20%",
     .doc = "users, folds by=users: the share of a held-out user's events that is test"},
    {.name = "fold",
     .type = PARAM_INT,
     .initial = "1",
     .min = 1,
     .max = SPLIT_FOLDS_MAX,
     .doc = "folds, rolling, given: the fold that counts now; alone: another fold of the present split"},
    {.name = "by",
     .type = PARAM_ENUM,
     .initial = "items",
     .choices = "items|users",
     .doc = "folds: deal out each user's items, or the users"},
    {.name = "cuts",
     .type = PARAM_INT,
     .initial = "4",
     .min = 1,
     .max = SPLIT_FOLDS_MAX,
     .doc = "rolling: how many cuts in time"},
    {.name = "window",
     .type = PARAM_DURATION,
     .doc = "rolling: learn only from so long before the cut; all when left out"},
};

/* `split valid=yes` would change nothing. */
static enum status needs_kind(const struct call *call, const char *option, struct error *err)
{
    error_set(err, ST_USAGE, "%s= needs to know the kind of the split", option);
    const char *kind = "last 1";
    for (size_t i = 0; i < sizeof partial / sizeof *partial; i++)
        if (strcmp(partial[i].option, option) == 0 && partial[i].kinds + 1 < 1U << SPLIT_KINDS)
            kind = text_same(option, "holdout")          ? "users 20%"
                   : partial[i].kinds >> SPLIT_FOLDS & 1 ? "folds 5"
                                                         : "rolling 7d";
    error_hint(err, "for example: split %s %s=...", kind, option);
    return error_at_option(ST_USAGE, err, call, option);
}

/* `split fold=3`: the present split, another fold. */
static enum status read_fold(struct workbench *wb, const struct call *call, struct split_spec *spec, struct error *err)
{
    struct split *s = workbench_split(wb);
    if (s) {
        *spec = s->spec;
        split_list_hold(spec->list);
    }
    split_release(s);
    if (s && spec->folds) {
        spec->fold = (size_t)call_int(call, "fold");
        return ST_OK;
    }
    if (!s)
        return needs_kind(call, "fold", err);
    error_set(err, ST_USAGE, "the present split has no folds");
    error_hint(err, "`split folds 5` deals the events out, `split rolling test=7d cuts=4` has several cuts");
    return error_at_option(ST_USAGE, err, call, "fold");
}

/* Nothing but fold=? Then *spec is the present split's with that fold. */
static enum status read_without_kind(struct workbench *wb, const struct call *call, bool *change,
                                     struct split_spec *spec, struct error *err)
{
    for (size_t i = 0; i < sizeof split_options / sizeof *split_options; i++)
        if (call_given(call, split_options[i].name) && strcmp(split_options[i].name, "fold") != 0)
            return needs_kind(call, split_options[i].name, err);
    *change = call_given(call, "fold");
    return *change ? read_fold(wb, call, spec, err) : ST_OK;
}

static enum status make_split(struct dataset *d, const struct split_spec *spec, struct split **s, struct result *out,
                              struct error *err)
{
    enum status st = (int)spec->kind == KIND_NONE ? ST_OK : split_new(d, spec, s, err);
    if (*s && spec->valid_share > 0 && !(*s)->nvalid)
        result_message(out, MESSAGE_WARNING, "no event fell into the validation part: there are too few");
    return st;
}

/* Takes over s. What cannot be kept is not published. */
static enum status publish_split(struct workbench *wb, struct split *s, struct error *err)
{
    struct split *old = workbench_split(wb);
    uint64_t old_of = wb->split_of;
    workbench_set_split(wb, s);
    enum status st = workbench_keep_split(wb, err);
    if (st) {
        workbench_set_split(wb, split_hold(old));
        wb->split_of = old_of;
    }
    split_release(old);
    return st;
}

static enum status run_split(struct workbench *wb, const struct call *call, struct result *out, struct error *err)
{
    struct split_spec spec = {0};
    struct split *s = NULL;
    struct dataset *d = workbench_data(wb);
    bool change = call->nargs > 0;
    enum status st = change ? read_spec(wb, call, &spec, out, err) : read_without_kind(wb, call, &change, &spec, err);
    if (!st && change && wb->readonly)
        st = error_set(err, ST_STATE, "split would change the workspace, which is open for reading only");
    if (!st && change)
        st = make_split(d, &spec, &s, out, err);
    else if (!st)
        s = workbench_split(wb);
    if (!st)
        st = show_split(wb, d, s, out, err);
    if (!st && change)
        st = publish_split(wb, split_hold(s), err);
    split_list_release(spec.list);
    split_release(s);
    dataset_release(d);
    return st;
}

static const struct param leak_options[] = {OPTION_LEAK};

static const struct command rows[] = {
    {.name = "split",
     .group = "learn",
     .summary = "which events models learn from, and which judge them",
     .arguments = split_args,
     .narguments = sizeof split_args / sizeof *split_args,
     .options = split_options,
     .noptions = sizeof split_options / sizeof *split_options,
     .flags = COMMAND_NEEDS_DATA,
     .help =
         "last N: the last N events of each user who has more are the test part; last 20%: the end of each user's own "
         "history. It goes by order and needs no times.\n"
         "time CUT: everything from one moment on is the test part: 20% of the events, the last 14d, or from "
         "2025-03-01 on. An instant is never cut in two. This is how the future looks in production, with new users "
         "and new items.\n"
         "rolling STEP cuts=K: K cuts in time, each tested on what comes before the next. folds K: every event is "
         "tested once, by=users holds whole users out. One fold counts at a time: `split fold=2` takes another, "
         "`backtest` goes through all.\n"
         "users SHARE: these users are not trained on at all; what they did last is test, what they did before is "
         "their history.\n"
         "sessions N: the last N sessions of each user who has more, by the column session.\n"
         "random SHARE or N: a share of each user's items, or N of them, whatever the time: models learn from the "
         "future.\n"
         "given: the data says it itself, in a column named part (train, valid, test), which files such as train.txt "
         "and test.txt get when they are loaded together; with fold= in a column named fold. given FILE: the rows of "
         "the file (user, item and, if it has one, the time) are the test part; of several files each is a fold.\n"
         "none: no split, models learn from all events.\n"
         "Cold users have no history before the test part, cold items no training event; means over users are told "
         "apart for them. Random draws follow `set seed`. `split check` looks for what models could know too early.",
     .examples = (const char *const[]){"split last 1", "split last 20%", "split time test=20%",
                                       "split rolling 2d cuts=3", "split folds 3", "split fold=2", "split users 20%",
                                       "split random 20% valid=10%", "split", NULL},
     .run = run_split},
    {.name = "split check",
     .group = "learn",
     .summary = "does the split let models know the future?",
     .options = leak_options,
     .noptions = sizeof leak_options / sizeof *leak_options,
     .flags = COMMAND_NEEDS_DATA,
     .help = "Sizes and times of the parts, and what could be known too early: events of a user after the first one "
             "they are tested by, train events after the first test event, pairs of user and item in both parts, cold "
             "users and items, attributes that were counted from all events, the test part's too, and steps of the "
             "recipe that were (kcore, bots drop, repeat last).\n"
             "A leak is an error, so that a script stops; leak=allow shows the report all the same. A note is no "
             "mistake: with `split last` others' events may be later than one's own last.",
     .examples = (const char *const[]){"split check leak=allow", NULL},
     .run = run_split_check},
};

const struct command_family split_commands = {rows, sizeof rows / sizeof *rows};
