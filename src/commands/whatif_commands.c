/* What another history would change. */
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "commands/families.h"
#include "commands/lex.h"
#include "commands/parts.h"
#include "commands/question.h"
#include "commands/served_words.h"
#include "inspect/whatif.h"

static enum status nothing_changed(const struct call *call, struct error *err)
{
    error_set(err, ST_USAGE, "nothing is changed: say which item to add or to remove");
    error_hint(err, "for example: whatif %s add ITEM remove ITEM, or at=TIME", call->args[0].text);
    return ST_USAGE;
}

/* ---- NAME=VALUE ---- */

/* The attributes and context that there are: "age, country". */
static void put_fields(const struct fields *set, struct str *s)
{
    for (size_t i = 0; i < set->n; i++)
        str_printf(s, "%s%s", s->length ? ", " : "", set->field[i].name);
}

static enum status no_such_field(const struct dataset *d, const struct word *key, struct error *err)
{
    struct str names = {0};
    put_fields(&d->user_fields, &names);
    put_fields(&d->events.context, &names);
    error_set(err, ST_NOT_FOUND, "%s is no option, no attribute of users and no column of events", key->text);
    if (names.length)
        error_hint(err, "there are: %s", str_text(&names));
    else
        error_hint(err, "%s has no attributes of users: `load users FILE` adds them", d->name);
    str_free(&names);
    return error_at_word(ST_NOT_FOUND, err, key);
}

/* Has one of the users begin .. end this value? */
static bool is_value(const struct field *f, size_t begin, size_t end, const char *value)
{
    struct str cell = {0};
    bool found = false;
    for (size_t i = begin; i < end && !found; i++) {
        str_clear(&cell);
        field_format(f, i, &cell);
        found = strcmp(str_text(&cell), value) == 0;
    }
    str_free(&cell);
    return found;
}

/* Who of the asked models reads it; and when none does, who of the others would. */
static void say_who_reads(struct workbench *wb, const struct question *q, const char *field, bool retrain,
                          struct result *out)
{
    const char *also = retrain ? ", retrained or not" : "";
    struct str others = {0};
    size_t readers = 0;
    for (size_t i = 0; i < q->nmodels; i++)
        readers += model_reads(q->models[i], field);
    for (size_t i = 0; readers && readers < q->nmodels && i < q->nmodels; i++)
        if (!model_reads(q->models[i], field))
            result_message(out, MESSAGE_WARNING, "%s does not read %s: it changes nothing there%s", q->models[i]->name,
                           field, also);
    if (readers)
        return;
    pthread_mutex_lock(&wb->lock);
    for (size_t i = 0; i < wb->nmodels; i++)
        if (model_reads(wb->models[i], field))
            str_printf(&others, "%s%s", others.length ? ", " : "", wb->models[i]->name);
    pthread_mutex_unlock(&wb->lock);
    result_message(out, MESSAGE_WARNING, "none of the models asked reads %s, so it changes nothing%s%s%s", field, also,
                   others.length ? "; these do: " : "", others.length ? result_str(out, &others) : "");
    if (!others.length && fields_find(&q->data->user_fields, field))
        result_message(out, MESSAGE_HINT, "`train pop by=%s` reads it", field);
    str_free(&others);
}

/* Reads NAME=VALUE into out[0..call->nopen); says them again. */
static enum status change_attributes(struct workbench *wb, const struct question *q, const struct call *call,
                                     struct query_attribute *attributes, struct str *line, struct str *said,
                                     struct result *out, struct error *err)
{
    const struct dataset *d = q->data;
    for (size_t i = 0; i < call->nopen; i++) {
        const struct call_option *o = &call->open[i];
        const struct field *f = fields_find(&d->user_fields, o->key.text);
        if (!f && !fields_find(&d->events.context, o->key.text))
            return no_such_field(d, &o->key, err);
        attributes[i] = (struct query_attribute){o->key.text, o->value.text};
        str_printf(line, " %s=", o->key.text);
        lex_quote(line, o->value.text);
        str_printf(said, "%s%s=%s", said->length ? ", " : "", o->key.text, o->value.text);
        say_who_reads(wb, q, o->key.text, call_yes(call, "retrain"), out);
        if (f && q->user != NO_USER && is_value(f, q->user, q->user + 1, o->value.text))
            result_message(out, MESSAGE_WARNING, "%s has %s=%s already", q->who, o->key.text, o->value.text);
        else if (f && !is_value(f, 0, d->users.n, o->value.text))
            result_message(out, MESSAGE_WARNING, "no user has %s=%s: it is taken as unknown%s", o->key.text,
                           o->value.text, call_yes(call, "retrain") ? " where nothing is retrained" : "");
    }
    return ST_OK;
}

/* ---- the lists ---- */

static const double slow_seconds = .1; /* from here on people are told how long it took */

/* What is asked, of each model. */
struct asked {
    struct workbench *wb;
    const struct question *q;
    struct query before, after;
    size_t k;
    bool retrain;
};

static void put_rank(struct table *t, size_t rank)
{
    if (rank)
        table_int(t, (int64_t)rank);
    else
        table_null(t); /* in the history, so in no list */
}

static void put_move(struct table *t, size_t from, size_t to)
{
    if (from && to)
        table_int(t, (int64_t)from - (int64_t)to);
    else
        table_null(t);
}

/* The places before and after the change and, when asked for, by the model trained on it. With three of them scores
 * have no room. */
static struct table *moves_table(const struct asked *a, const char *said, struct result *out)
{
    enum { MOST = 9 + ITEM_COLUMNS };
    struct column columns[MOST];
    unsigned scores = a->retrain ? COLUMN_HIDDEN : 0;
    size_t n = 0;
    columns[n++] = (struct column){
        .name = "model", .type = VALUE_TEXT, .flags = COLUMN_SCALE | (a->q->nmodels == 1 ? COLUMN_HIDDEN : 0)};
    columns[n++] = (struct column){.name = "before", .type = VALUE_INT};
    columns[n++] = (struct column){.name = "rank", .type = VALUE_INT, .flags = COLUMN_COUNT};
    columns[n++] = (struct column){.name = "move", .type = VALUE_INT, .flags = COLUMN_MOVE};
    if (a->retrain) {
        columns[n++] = (struct column){.name = "retrained", .type = VALUE_INT};
        columns[n++] = (struct column){.name = "move_retrained", .type = VALUE_INT, .flags = COLUMN_MOVE};
    }
    item_columns(a->q->data, columns + n);
    n += ITEM_COLUMNS;
    columns[n++] = (struct column){.name = "score", .type = VALUE_REAL, .flags = COLUMN_SCORE | scores};
    if (a->retrain)
        columns[n++] = (struct column){.name = "score_retrained", .type = VALUE_REAL, .flags = COLUMN_SCORE | scores};
    columns[n++] = (struct column){.name = "score_before", .type = VALUE_REAL, .flags = COLUMN_SCORE | COLUMN_HIDDEN};
    return result_table(out, "moves", result_textf(out, "for %s, %s", a->q->who, said), columns, n);
}

static void add_move(const struct asked *a, const struct model *m, const struct move *v, struct table *t)
{
    table_text(t, m->name);
    put_rank(t, v->before);
    put_rank(t, v->after);
    put_move(t, v->before, v->after);
    if (a->retrain) {
        put_rank(t, v->retrained);
        put_move(t, v->before, v->retrained);
    }
    item_cells(a->q->data, v->item, t);
    table_real(t, v->after ? v->score_after : NAN);
    if (a->retrain)
        table_real(t, v->retrained ? v->score_retrained : NAN);
    table_real(t, v->before ? v->score_before : NAN);
}

static void put_events(struct str *s, const char *how, size_t n)
{
    char text[32];
    text_count(text, sizeof text, (int64_t)n);
    if (n)
        str_printf(s, " %s %s event%s", how, text, n == 1 ? "" : "s");
}

/* Does what is asked change the history, too? */
static bool other_history(const struct asked *a)
{
    return a->before.n != a->after.n ||
           (a->after.n && memcmp(a->before.events, a->after.events, a->after.n * sizeof *a->after.events) != 0);
}

/* "mix was rebuilt on its models, retrained without 1 event, 2.1 s: ease exactly, pop anew; fitted weights stay" */
static void say_rebuilt(const struct model *m, const struct retrained *r, const char *what, const char *took,
                        struct result *out)
{
    static const char *const ways[] = {[RETRAIN_UPDATE] = "exactly", [RETRAIN_ANEW] = "anew", [RETRAIN_CHANCE] = "anew",
                                       [RETRAIN_SAME] = "as it is"};
    struct str parts = {0};
    for (size_t i = 0; i < r->nparts; i++)
        str_printf(&parts, "%s%s %s", i ? ", " : "", r->parts[i].name, ways[r->parts[i].way]);
    result_message(out, MESSAGE_INFO, "%s was rebuilt on its models, retrained%s%s: %s%s%s", m->name, what, took,
                   result_str(out, &parts), model_fits_weights(m) ? "; fitted weights stay" : "",
                   r->way == RETRAIN_CHANCE ? "; part of what moved may be chance" : "");
    str_free(&parts);
}

static void say_retrained(const struct asked *a, const struct model *m, const struct retrained *r, struct result *out)
{
    struct str what = {0};
    char took[40] = "";
    if (r->seconds >= slow_seconds) {
        took[0] = ',';
        took[1] = ' ';
        text_duration(took + 2, sizeof took - 2, r->seconds);
    }
    put_events(&what, "without", r->removed);
    str_puts(&what, r->removed && r->added ? " and" : "");
    put_events(&what, "with", r->added);
    for (size_t i = 0, n = 0; r->attributes && i < a->after.nattributes; i++)
        if (model_reads(m, a->after.attributes[i].field))
            str_printf(&what, "%s%s=%s",
                       n++                      ? ", "
                       : r->removed || r->added ? " and "
                                                : " with ",
                       a->after.attributes[i].field, a->after.attributes[i].value);
    if (r->way == RETRAIN_SAME && other_history(a)) /* of attributes it was said */
        result_message(out, MESSAGE_INFO, "%s learnt from none of these events, so retraining changes nothing",
                       m->name);
    else if (r->nparts && r->way != RETRAIN_SAME)
        say_rebuilt(m, r, result_str(out, &what), took, out);
    else if (r->way == RETRAIN_UPDATE)
        result_message(out, MESSAGE_INFO, "%s was retrained%s, exactly, by a change of its inverse", m->name,
                       result_str(out, &what));
    else if (r->way != RETRAIN_SAME)
        result_message(out, MESSAGE_INFO, "%s was trained anew%s%s%s", m->name, result_str(out, &what), took,
                       r->way == RETRAIN_CHANCE
                           ? "; it learns in epochs from a random start, so part of what moved may be chance"
                           : "");
    str_free(&what);
}

/* Several models: one that cannot be retrained says why, and has no place in those columns. */
static enum status retrain(const struct asked *a, const struct model *m, struct split *s, struct retrained *r,
                           struct result *out, struct error *err)
{
    struct retrain how = {
        .m = m, .data = a->q->data, .split = s, .before = &a->before, .after = &a->after, .job = &a->wb->job};
    struct error why = {0};
    enum status st = retrain_make(&how, r, &why);
    if ((st == ST_UNSUPPORTED || st == ST_STATE) && a->q->nmodels > 1) {
        result_message(out, MESSAGE_WARNING, "%s cannot be retrained: %s", m->name, why.message);
        return ST_OK;
    }
    if (st)
        *err = why;
    else
        say_retrained(a, m, r, out);
    return st;
}

static enum status compare_lists(const struct asked *a, struct split *s, const struct model *m, struct table *t,
                                 struct result *out, struct error *err)
{
    struct retrained r = {0};
    struct whatif w = {0};
    uint32_t *items = NULL;
    enum status st = a->retrain ? retrain(a, m, s, &r, out, err) : ST_OK;
    if (!st)
        st = whatif_beside(m, &a->before, &a->after, r.scores, a->k, a->q->seen, &w, err);
    if (st)
        goto out;
    items = mem_new(w.n, sizeof *items, "a list", err);
    st = items ? ST_OK : ST_NOMEM;
    for (size_t j = 0; j < w.n && !st; j++) {
        items[j] = w.moves[j].item;
        if (w.moves[j].after || w.moves[j].retrained) /* else it fell out because it is in the history now: no news */
            add_move(a, m, &w.moves[j], t);
    }
    if (!st)
        st = remember_list(a->wb, items, w.listed, err);
out:
    mem_free(items);
    whatif_clear(&w);
    retrained_clear(&r);
    return st;
}

static enum status answer(const struct asked *a, const char *said, struct result *out, struct error *err)
{
    enum status st = ST_OK;
    struct split *s = workbench_split(a->wb);
    struct table *t = moves_table(a, said, out);
    for (size_t i = 0; i < a->q->nmodels && !st; i++)
        st = compare_lists(a, s, a->q->models[i], t, out, err);
    split_release(s);
    return st;
}

/* at= is all that is changed: before is the present, or where the clock stands, and after is that moment. */
static enum status change_moment(struct workbench *wb, const struct question *q, struct history *present,
                                 struct str *said, struct error *err)
{
    struct selection all = {.data = q->data, .until = wb->now, .hides = q->history.hides};
    char moment[40];
    time_short(moment, sizeof moment, q->history.as_of);
    str_printf(said, "as of %s", moment);
    return q->user == NO_USER ? history_of_events(wb->made_up, wb->nmade_up, wb->now, present, err)
                              : history_of_user(&all, q->user, present, err);
}

static enum status run_whatif(struct workbench *wb, const struct call *call, struct result *out, struct error *err)
{
    struct question q;
    struct history changed = {0}, present = {0};
    struct str line = {0}, said = {0}, open = {0};
    struct query_attribute *attributes = NULL;
    enum status st = question_open(wb, call, &call->args[0], &q, err);
    if (!st)
        st = history_of_events(q.history.events, q.history.n, q.history.as_of, &changed, err);
    if (st)
        goto out;
    changed.user = q.user;
    changed.hides = q.history.hides;
    str_puts(&line, "whatif");
    put_user(&line, &q);
    attributes = mem_new(call->nopen, sizeof *attributes, "attributes", err);
    st = attributes ? edit_history(wb, &q, call->args + 1, call->nargs - 1, &changed, &line, &said, err) : ST_NOMEM;
    if (!st)
        st = change_attributes(wb, &q, call, attributes, &open, &said, out, err);
    if (!st && said.failed)
        st = error_nomem(err, said.capacity, "what was changed");
    bool moved = !st && !said.length && call_given(call, "at");
    if (moved)
        st = change_moment(wb, &q, &present, &said, err);
    else if (!st && !said.length)
        st = nothing_changed(call, err);
    if (st)
        goto out;
    present.hides = q.history.hides;
    struct asked a = {.wb = wb,
                      .q = &q,
                      .before = history_query(moved ? &present : &q.history),
                      .after = history_query(&changed),
                      .k = (size_t)call_int(call, "k"),
                      .retrain = call_yes(call, "retrain")};
    a.after.attributes = attributes;
    a.after.nattributes = call->nopen;
    st = served_aside(wb, &q, NULL, 0, out, err);
    if (!st && q.nmodels)
        st = answer(&a, result_str(out, &said), out, err);
    if (st)
        goto out;
    warn_of_future(&q, out);
    wb->user = q.user;
    put_end(&line, call, &q);
    str_puts(&line, result_str(out, &open));
    put_command(&line, out);
out:
    mem_free(attributes);
    str_free(&line);
    str_free(&said);
    str_free(&open);
    history_clear(&changed);
    history_clear(&present);
    question_close(&q);
    return st;
}

/* ---- the rows ---- */

static const struct argument whatif_args[] = {
    USER_ARGUMENT,
    {.name = "remove|add ITEM", .type = ARG_ITEM, .optional = true, .repeated = true,
     .doc = "what to take out of the history, and what to put in; any number of both"},
};
static const struct param whatif_options[] = {
    OPTION_K("length of the lists"),
    OPTION_SEEN,
    {.name = "at",
     .type = PARAM_TIME,
     .doc = "alone: the list as of then beside that of now; with other changes both are as of then"},
    {.name = "retrain",
     .type = PARAM_BOOL,
     .initial = "no",
     .doc = "also the model as it would be had it learnt from the changed events and attributes"},
};

static const struct command rows[] = {
    {.name = "whatif",
     .group = "inspect",
     .summary = "the list after a change of the history",
     .arguments = whatif_args,
     .narguments = 2,
     .options = whatif_options,
     .noptions = sizeof whatif_options / sizeof *whatif_options,
     .flags = COMMAND_WITH | COMMAND_NEEDS_DATA | COMMAND_OPEN,
     .help = "Asks the same models with another history; nothing is stored. `before` is the rank with the history as "
             "it is, `rank` and `move` are with the changed one; below the new list stands what fell out of the old "
             "one. NAME=VALUE takes an attribute of the user to be another, such as country=NO, for models that read "
             "it (`train pop by=country`); where none does, it says so. at=TIME alone changes the moment: the same "
             "models with the history as it was then; `before` is the list of now.\n"
             "retrain=yes adds the rank (`retrained`) by the model as training would have made it had these events "
             "never been there, or been there, and had the user always been who NAME=VALUE says. For EASE a change of "
             "events is one of one row, and takes milliseconds; other models are trained on the changed data with the "
             "same parameters and seed, and an ensemble is put together again from its retrained models, with its "
             "weights as they are. What a model does not read changes nothing in it. A made-up user is in no training.",
     .examples = (const char *const[]){"whatif ana remove stove with ease", "whatif ana add pan knife with itemknn k=3",
                                       "whatif ana at=2025-05-03 with itemknn k=3",
                                       "whatif ana remove stove tent add pan with ease retrain=yes", NULL},
     .run = run_whatif},
};

const struct command_family whatif_commands = {rows, sizeof rows / sizeof *rows};
