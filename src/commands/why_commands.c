/* Why an item is in a user's list. */
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "commands/families.h"
#include "commands/served_words.h"
#include "commands/why_tables.h"
#include "inspect/why.h"

enum {
    WHY_MODEL,
    WHY_RANK = WHY_MODEL + 1 + ITEM_COLUMNS,
    WHY_OF,
    WHY_SCORE,
    WHY_BASE,
    WHY_ABOVE,
    WHY_ABOVE_BY,
    WHY_BELOW,
    WHY_BELOW_BY,
    WHY_SEEN,
    WHY_EXACT,
    WHY_METHOD,
    WHY_SENTENCE,
    WHY_COLUMNS
};
enum {
    MADE_MODEL,
    MADE_PART,
    MADE_RANK,
    MADE_SCORE,
    MADE_VALUE,
    MADE_WEIGHT,
    MADE_CONTRIBUTION,
    MADE_SHARE,
    MADE_NOTE,
    MADE_COLUMNS
};
enum {
    PART_MODEL,
    PART_REASON,
    PART_CATEGORY = PART_REASON + REASON_COLUMNS,
    PART_NOTE,
    PART_CONTRIBUTION,
    PART_SHARE,
    PART_TIME,
    PART_WITHOUT,
    PART_COLUMNS
};

static struct table *new_places(const struct question *q, uint32_t item, struct result *out)
{
    struct column columns[WHY_COLUMNS] = {
        [WHY_MODEL] = {.name = "model", .type = VALUE_TEXT, .flags = COLUMN_SCALE},
        [WHY_RANK] = {.name = "rank", .type = VALUE_INT, .flags = COLUMN_COUNT},
        [WHY_OF] = {.name = "of", .type = VALUE_INT, .flags = COLUMN_COUNT},
        [WHY_SCORE] = {.name = "score", .type = VALUE_REAL, .flags = COLUMN_SCORE},
        [WHY_BASE] = {.name = "base", .type = VALUE_REAL, .flags = COLUMN_SCORE | COLUMN_HIDDEN},
        [WHY_ABOVE] = {.name = "above", .type = VALUE_TEXT, .flags = COLUMN_COMPACT},
        [WHY_ABOVE_BY] = {.name = "behind_by", .type = VALUE_REAL, .flags = COLUMN_SCORE},
        [WHY_BELOW] = {.name = "below", .type = VALUE_TEXT, .flags = COLUMN_COMPACT},
        [WHY_BELOW_BY] = {.name = "ahead_by", .type = VALUE_REAL, .flags = COLUMN_SCORE},
        [WHY_SEEN] = {.name = "seen", .type = VALUE_TIME, .flags = COLUMN_HIDDEN},
        [WHY_EXACT] = {.name = "exact", .type = VALUE_BOOL, .flags = COLUMN_HIDDEN},
        [WHY_METHOD] = {.name = "method", .type = VALUE_TEXT, .flags = COLUMN_HIDDEN},
        [WHY_SENTENCE] = {.name = "sentence", .type = VALUE_TEXT, .flags = COLUMN_HIDDEN},
    };
    item_columns(q->data, columns + WHY_MODEL + 1);
    for (size_t i = 0; i < ITEM_COLUMNS; i++)
        columns[WHY_MODEL + 1 + i].flags |= COLUMN_HIDDEN; /* people read it in the title */
    const char *title = result_textf(out, "%s for %s", dataset_item_title(q->data, item), q->who);
    return result_table(out, "place", title, columns, WHY_COLUMNS);
}

/* What an item of the history has to do with the score, where the model says more than how much: tags that it shares.
 */
static bool has_notes(const struct why *whys, size_t n)
{
    for (size_t i = 0; i < n; i++)
        for (size_t p = 0; p < whys[i].nparts; p++)
            if (whys[i].parts[p].what.item != NO_ITEM && whys[i].parts[p].what.value != 0 &&
                whys[i].parts[p].what.label[0])
                return true;
    return false;
}

/* Does a model speak of items of the history? Popularity does not. */
static bool has_history(const struct why *whys, size_t n)
{
    for (size_t i = 0; i < n; i++)
        for (size_t p = 0; p < whys[i].nparts; p++)
            if (whys[i].parts[p].what.item != NO_ITEM)
                return true;
    return false;
}

static struct table *new_parts(const struct question *q, const struct why *whys, struct result *out)
{
    unsigned of_history = has_history(whys, q->nmodels) ? 0 : COLUMN_HIDDEN;
    struct column columns[PART_COLUMNS] = {
        [PART_MODEL] = {.name = "model",
                        .type = VALUE_TEXT,
                        .flags = COLUMN_SCALE | (q->nmodels == 1 ? COLUMN_HIDDEN : 0)},
        [PART_CATEGORY] = {.name = "category", .type = VALUE_TEXT, .flags = COLUMN_HIDDEN},
        [PART_NOTE] = {.name = "shares",
                       .type = VALUE_TEXT,
                       .flags = has_notes(whys, q->nmodels) ? COLUMN_COMPACT : COLUMN_HIDDEN},
        [PART_CONTRIBUTION] = {.name = "contribution", .type = VALUE_REAL, .flags = COLUMN_SCORE},
        [PART_SHARE] = {.name = "share", .type = VALUE_REAL, .unit = "%", .precision = 0, .flags = COLUMN_BAR},
        [PART_TIME] = {.name = "time", .type = VALUE_TIME, .flags = q->data->events.time ? of_history : COLUMN_HIDDEN},
        [PART_WITHOUT] = {.name = "rank_without", .type = VALUE_INT, .flags = COLUMN_COUNT | of_history},
    };
    bool exact = true;
    for (size_t i = 0; i < q->nmodels; i++)
        exact = exact && whys[i].exact;
    reason_columns(columns + PART_REASON);
    return result_table(out, "why",
                        exact ? "what the score is made of, exactly" : "what the score is made of, approximately",
                        columns, PART_COLUMNS);
}

void reason_columns(struct column out[REASON_COLUMNS])
{
    out[0] = (struct column){.name = "item", .type = VALUE_TEXT, .flags = COLUMN_HIDDEN};
    out[1] = (struct column){.name = "because_of", .type = VALUE_TEXT}; /* parts that are no items have a label here */
}

void reason_cells(const struct dataset *d, uint32_t item, const char *label, struct table *t)
{
    table_text(t, item == NO_ITEM ? NULL : dict_text(&d->items, item));
    table_text(t, item == NO_ITEM ? label : dataset_item_title(d, item));
}

void say_of_model(const struct question *q, const struct model *m, const char *sentence, struct result *out)
{
    result_message(out, MESSAGE_INFO, "%s%s%s", q->nmodels > 1 ? m->name : "", q->nmodels > 1 ? ": " : "", sentence);
}

static void add_place(const struct question *q, const struct model *m, const struct why *w, const char *sentence,
                      struct table *t)
{
    const struct dataset *d = q->data;
    table_text(t, m->name);
    item_cells(d, w->item, t);
    table_int(t, (int64_t)w->rank);
    table_int(t, (int64_t)w->ranked);
    table_real(t, w->score);
    table_real(t, w->base);
    table_text(t, w->above == NO_ITEM ? NULL : dataset_item_title(d, w->above));
    table_real(t, w->above == NO_ITEM ? NAN : (double)w->score_above - w->score);
    table_text(t, w->below == NO_ITEM ? NULL : dataset_item_title(d, w->below));
    table_real(t, w->below == NO_ITEM ? NAN : (double)w->score - w->score_below);
    table_time(t, w->seen_at);
    table_bool(t, w->exact);
    table_text(t, w->method);
    table_text(t, sentence);
}

/* A part that is no item of the history: its label stands where the title would. Shares are of `size`, the sum of all
 * parts without their signs: unlike the scores they can be compared from model to model. */
static void add_label(const struct question *q, const struct model *m, const char *label, double value, double size,
                      struct table *t)
{
    table_text(t, m->name);
    reason_cells(q->data, NO_ITEM, label, t);
    table_null(t);
    table_null(t);
    table_real(t, value);
    table_real(t, value / size);
    table_time(t, NO_TIME);
    table_null(t);
}

static void add_part(const struct question *q, const struct model *m, const struct why_part *p, double size,
                     struct table *t)
{
    if (p->what.item == NO_ITEM) {
        add_label(q, m, p->what.label, p->what.value, size, t);
        return;
    }
    const struct dataset *d = q->data;
    table_text(t, m->name);
    reason_cells(d, p->what.item, "", t);
    const struct field *category = dataset_item_category(d);
    struct str cell = {0};
    if (category)
        field_format(category, p->what.item, &cell);
    table_text(t, cell.failed || cell.length ? result_str(t->result, &cell) : NULL);
    str_free(&cell);
    table_text(t, p->what.label[0] ? p->what.label : NULL);
    table_real(t, p->what.value);
    table_real(t, p->what.value / size);
    table_time(t, p->time);
    if (p->tried)
        table_int(t, (int64_t)p->rank_without);
    else
        table_null(t);
}

/* All rows of a model sum to its score: what is not shown one by one is one row. */
static void add_parts(const struct question *q, const struct model *m, const struct why *w, size_t k, struct table *t,
                      struct result *out)
{
    size_t shown = 0, left = 0;
    double rest = 0, size = fabs(w->base);
    for (size_t i = 0; i < w->nparts; i++)
        size += fabs(w->parts[i].what.value);
    for (; shown < w->nparts && shown < k && w->parts[shown].what.value != 0; shown++)
        add_part(q, m, &w->parts[shown], size, t);
    for (size_t i = shown; i < w->nparts; i++) {
        rest += w->parts[i].what.value;
        left += w->parts[i].what.value != 0;
    }
    if (left)
        add_label(q, m, result_textf(out, "%zu more", left), rest, size, t);
    if (w->base != 0)
        add_label(q, m, "base", w->base, size, t);
}

/* ---- the models of an ensemble ---- */

static struct table *new_made(const struct question *q, const struct why *whys, struct result *out)
{
    struct column columns[MADE_COLUMNS] = {
        [MADE_MODEL] = {.name = "model", .type = VALUE_TEXT, .flags = q->nmodels == 1 ? COLUMN_HIDDEN : 0},
        [MADE_PART] = {.name = "part", .type = VALUE_TEXT, .flags = COLUMN_SCALE},
        [MADE_RANK] = {.name = "rank", .type = VALUE_INT, .flags = COLUMN_COUNT},
        [MADE_SCORE] = {.name = "score", .type = VALUE_REAL, .flags = COLUMN_SCORE},
        [MADE_VALUE] = {.name = "value", .type = VALUE_REAL, .flags = COLUMN_SCORE},
        [MADE_WEIGHT] = {.name = "weight", .type = VALUE_REAL, .precision = 3},
        [MADE_CONTRIBUTION] = {.name = "contribution", .type = VALUE_REAL, .flags = COLUMN_SCORE},
        [MADE_SHARE] = {.name = "share", .type = VALUE_REAL, .unit = "%", .precision = 0, .flags = COLUMN_BAR},
        [MADE_NOTE] = {.name = "note", .type = VALUE_TEXT, .flags = COLUMN_HIDDEN},
    };
    for (size_t i = 0; i < q->nmodels; i++)
        for (size_t p = 0; p < whys[i].made_of.n; p++)
            if (whys[i].made_of.parts[p].share.note[0])
                columns[MADE_NOTE].flags = COLUMN_COMPACT;
    return result_table(out, "parts", "the models it is made of", columns, MADE_COLUMNS);
}

/* All rows sum to the score of the ensemble. */
static void add_made(const struct model *m, const struct made_of *x, struct table *t)
{
    double size = 0;
    for (size_t p = 0; p < x->n; p++)
        size += fabs(x->parts[p].share.adds);
    for (size_t p = 0; p < x->n; p++) {
        const struct part_share *s = &x->parts[p].share;
        table_text(t, m->name);
        table_text(t, x->parts[p].model->name);
        if (x->parts[p].rank)
            table_int(t, (int64_t)x->parts[p].rank);
        else
            table_null(t);
        table_real(t, isfinite(s->score) ? (double)s->score : NAN);
        table_real(t, isfinite(s->value) ? s->value : NAN);
        table_real(t, s->weight);
        table_real(t, isfinite(s->adds) ? s->adds : NAN);
        table_real(t, size > 0 && isfinite(size) ? s->adds / size : NAN);
        table_text(t, s->note[0] ? s->note : NULL);
    }
}

static void say_choice(const struct question *q, const struct model *m, const struct made_of *x, struct result *out)
{
    struct str text = {0};
    made_of_choice(x, q->who, &text);
    if (text.length)
        say_of_model(q, m, str_text(&text), out);
    str_free(&text);
}

/* Without a history there is nothing that most models go by: what can be asked instead. */
static void hint_blank(struct workbench *wb, const struct call *call, const struct question *q, const struct why *whys,
                       uint32_t item, struct result *out)
{
    struct str line = {0};
    bool mute = false, pop = false;
    for (size_t i = 0; i < q->nmodels; i++)
        mute |= whys[i].blank && whys[i].nparts == 0 && !whys[i].own_is;
    if (!mute)
        return;
    pthread_mutex_lock(&wb->lock);
    for (size_t i = 0; i < wb->nmodels; i++)
        pop |= strcmp(wb->models[i]->name, "pop") == 0;
    pthread_mutex_unlock(&wb->lock);
    str_puts(&line, "why");
    put_user(&line, q);
    put_item(&line, q->data, item);
    str_puts(&line, " add ITEM");
    put_end(&line, call, q);
    result_message(out, MESSAGE_HINT, "`%s` asks as if there were a history; popularity needs none: `%s`",
                   result_str(out, &line), pop ? "with pop" : "train pop");
    str_free(&line);
}

static void show(const struct question *q, const struct why *whys, uint32_t item, size_t k, struct result *out)
{
    bool made = false, opened = false;
    for (size_t i = 0; i < q->nmodels; i++) {
        made |= whys[i].made_of.n > 0;
        opened |= whys[i].nparts > 0 && !why_only_models(&whys[i]);
    }
    struct table *places = new_places(q, item, out), *models = made ? new_made(q, whys, out) : NULL,
                 *parts = opened ? new_parts(q, whys, out) : NULL;
    for (size_t i = 0; i < q->nmodels; i++) {
        struct str sentence = {0};
        why_sentence(&whys[i], q->data, &sentence);
        add_place(q, q->models[i], &whys[i], result_str(out, &sentence), places);
        if (models)
            add_made(q->models[i], &whys[i].made_of, models);
        if (parts && !why_only_models(&whys[i]))
            add_parts(q, q->models[i], &whys[i], k, parts, out);
        say_choice(q, q->models[i], &whys[i].made_of, out);
        say_of_model(q, q->models[i], result_str(out, &sentence), out);
        if (!whys[i].exact)
            result_message(out, MESSAGE_WARNING, "%s: %s; rank_without is exact", q->models[i]->name, whys[i].method);
        str_free(&sentence);
    }
}

static enum status explain_all(struct workbench *wb, const struct question *q, const struct call *call, uint32_t item,
                               struct result *out, struct error *err)
{
    size_t k = (size_t)call_int(call, "k"), n = 0;
    struct query query = history_query(&q->history);
    struct why *whys = mem_new(q->nmodels, sizeof *whys, "explanations", err);
    enum status st = whys ? ST_OK : ST_NOMEM;
    for (; n < q->nmodels && !st; n++)
        st = why_make(q->models[n], &query, item, q->seen, k, &whys[n], err);
    if (!st) {
        show(q, whys, item, k, out);
        hint_blank(wb, call, q, whys, item, out);
    }
    while (n > 0)
        why_clear(&whys[--n]);
    mem_free(whys);
    return st;
}

static enum status answer(struct workbench *wb, const struct call *call, const struct question *q, uint32_t item,
                          struct result *out, struct error *err)
{
    if (call_yes(call, "minimal"))
        return why_of_removal(wb, call, q, item, out, err);
    return call_yes(call, "steps") ? why_of_steps(call, q, item, out, err) : explain_all(wb, q, call, item, out, err);
}

/* What goes together: a removal and steps are about one item. */
static enum status check_options(const struct call *call, struct error *err)
{
    bool minimal = call_yes(call, "minimal"), steps = call_yes(call, "steps");
    if (minimal && steps) {
        error_set(err, ST_USAGE, "minimal and steps are two questions");
        error_hint(err, "ask one after the other");
        return ST_USAGE;
    }
    if ((minimal || steps) && call->where.text) {
        error_set(err, ST_USAGE, "%s is about one item, not a group", minimal ? "minimal" : "steps");
        error_hint(err, "why %.*s ITEM %s", (int)call->args[0].length, call->text + call->args[0].offset,
                   minimal ? "minimal" : "steps");
        return error_at_word(ST_USAGE, err, &call->where);
    }
    if (!minimal && call_given(call, "time")) {
        error_set(err, ST_USAGE, "time= is for the search of `minimal`");
        return error_at_option(ST_USAGE, err, call, "time");
    }
    return ST_OK;
}

/* Of the items that are asked about those which a served list has. */
static enum status served_aside_where(struct workbench *wb, const struct call *call, struct question *q,
                                      struct result *out, struct error *err)
{
    uint8_t *chosen = NULL;
    uint32_t *items = NULL;
    size_t n = 0;
    enum status st = name_group(wb, call, q->data, &chosen, err);
    if (!st)
        st = served_chosen(q, chosen, &items, &n, err);
    if (!st)
        st = served_aside(wb, q, items, n, out, err);
    mem_free(items);
    mem_free(chosen);
    return st;
}

static enum status run_why(struct workbench *wb, const struct call *call, struct result *out, struct error *err)
{
    struct question q = {0};
    uint32_t item = NO_ITEM;
    bool group = call->where.text;
    enum status st = item_or_group(call, 1, err);
    if (!st)
        st = check_options(call, err);
    if (!st)
        st = question_open(wb, call, &call->args[0], &q, err);
    if (!st && !group)
        st = name_item(wb, q.data, &call->args[1], &item, err);
    if (!st)
        st = group ? served_aside_where(wb, call, &q, out, err) : served_aside(wb, &q, &item, 1, out, err);
    if (!st && q.nmodels)
        st = group ? why_of_group(wb, call, &q, out, err) : answer(wb, call, &q, item, out, err);
    if (!st)
        question_end(wb, call, &q, item, out);
    question_close(&q);
    return st;
}

/* ---- the rows ---- */

static const struct argument why_args[] = {
    USER_ARGUMENT,
    {.name = "ITEM", .type = ARG_ITEM, .optional = true, .doc = "an id, a title, or #3 of the last list"},
};
static const struct param why_options[] = {
    OPTION_K("parts shown one by one; with where and minimal the length of the list"),
    {.name = "minimal",
     .type = PARAM_BOOL,
     .initial = "no",
     .doc = "what must go from the history for the item to leave the first k"},
    {.name = "steps", .type = PARAM_BOOL, .initial = "no", .doc = "the arithmetic of the score, with the real numbers"},
    {.name = "time",
     .type = PARAM_DURATION,
     .initial = "1s",
     .min = 0,
     .max = 86400e6,
     .doc = "for the search of minimal, for each model; then the best so far and what is proved of it; 0: as long as "
            "it takes"},
    OPTION_SEEN,
    OPTION_AT,
};

static const struct command rows[] = {
    {.name = "why",
     .group = "inspect",
     .summary = "why an item is, or is not, in a user's list",
     .arguments = why_args,
     .narguments = 2,
     .options = why_options,
     .noptions = sizeof why_options / sizeof *why_options,
     .flags = COMMAND_WITH | COMMAND_WHERE | COMMAND_EDITS | COMMAND_NEEDS_DATA,
     .help = "Takes the score apart: the rows of a model sum to it. rank_without is the place the item would have "
             "without that part of the history, found by asking the model again. behind_by and ahead_by are the "
             "margins to the neighbours in the list. Of an ensemble the models it is made of stand first: where each "
             "has the item, its own score, what that is worth (value: on the common scale, or of its place) and what "
             "value x weight adds; a switch says which model answers. Where lists are merged by place (`fuse`), what a "
             "place is worth goes to what speaks for the item in that model, in proportion: that sums to the score "
             "too, but places are no sums, so it is named as approximate.\n"
             "With where it is about a group of items, by what they are: how many of the first k are of it, which "
             "ones, and what in the history speaks for them: their scores are summed and taken apart. of_history and "
             "of_all_events are the group's shares of what this user and everybody did, of_lists_of_all its share of "
             "the lists of 500 users.\n"
             "With minimal it looks for the smallest set of items of the history, with all their events, without which "
             "the item is not among the first k. at_least is proved: by bounds where the scores of a model add up, "
             "else by trying all smaller sets. What is hidden stays hidden.\n"
             "With steps the score is worked out: for models that add up what each item of the history says, item by "
             "item; for neighbours with their similarities, for ratings with their deviations; for models with vectors "
             "component by component; for an ensemble model by model. The last sum is the score.\n"
             "With remove and add it is asked of another history, as in `whatif`.",
     .examples = (const char *const[]){"why ana boots with itemknn", "why ana pan with ease ials k=3",
                                       "why ana where \"category = 'Kitchen'\" with itemknn k=3",
                                       "why chloe boots with ease minimal k=3", "why chloe boots with itemknn steps",
                                       "why ana pan remove stove with ease", NULL},
     .run = run_why},
};

const struct command_family why_commands = {rows, sizeof rows / sizeof *rows};
