/* One recommendation: why an item is there, and what another history would change. */
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "commands/families.h"
#include "commands/question.h"
#include "inspect/whatif.h"
#include "inspect/why.h"

/* ---- why ---- */

enum { WHY_MODEL, WHY_RANK = WHY_MODEL + 1 + ITEM_COLUMNS, WHY_OF, WHY_SCORE, WHY_BASE, WHY_ABOVE, WHY_ABOVE_BY, WHY_BELOW, WHY_BELOW_BY, WHY_SEEN,
       WHY_EXACT, WHY_METHOD, WHY_SENTENCE, WHY_COLUMNS };
enum { PART_MODEL, PART_CONTRIBUTION = PART_MODEL + 1 + ITEM_COLUMNS, PART_SHARE, PART_TIME, PART_WITHOUT, PART_COLUMNS };

static struct table *new_places(const struct question *q, uint32_t item, struct result *out)
{
    struct column columns[WHY_COLUMNS] = {
        [WHY_MODEL] = {.name = "model", .type = VALUE_TEXT},
        [WHY_RANK] = {.name = "rank", .type = VALUE_INT},
        [WHY_OF] = {.name = "of", .type = VALUE_INT, .flags = COLUMN_COUNT},
        [WHY_SCORE] = {.name = "score", .type = VALUE_REAL, .precision = 4},
        [WHY_BASE] = {.name = "base", .type = VALUE_REAL, .precision = 4, .flags = COLUMN_HIDDEN},
        [WHY_ABOVE] = {.name = "above", .type = VALUE_TEXT, .flags = COLUMN_COMPACT},
        [WHY_ABOVE_BY] = {.name = "behind_by", .type = VALUE_REAL, .precision = 4},
        [WHY_BELOW] = {.name = "below", .type = VALUE_TEXT, .flags = COLUMN_COMPACT},
        [WHY_BELOW_BY] = {.name = "ahead_by", .type = VALUE_REAL, .precision = 4},
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

static struct table *new_parts(const struct question *q, struct result *out)
{
    struct column columns[PART_COLUMNS] = {
        [PART_MODEL] = {.name = "model", .type = VALUE_TEXT, .flags = q->nmodels == 1 ? COLUMN_HIDDEN : 0},
        [PART_CONTRIBUTION] = {.name = "contribution", .type = VALUE_REAL, .precision = 4},
        [PART_SHARE] = {.name = "share", .type = VALUE_REAL, .unit = "%", .precision = 0, .flags = COLUMN_BAR},
        [PART_TIME] = {.name = "time", .type = VALUE_TIME, .flags = q->data->events.time ? 0 : COLUMN_HIDDEN},
        [PART_WITHOUT] = {.name = "rank_without", .type = VALUE_INT},
    };
    item_columns(q->data, columns + PART_MODEL + 1);
    columns[PART_MODEL + 2].name = "because_of";
    columns[PART_MODEL + 2].flags = 0; /* parts that are no items have a label here */
    columns[PART_MODEL + 3].flags |= COLUMN_HIDDEN;
    return result_table(out, "why", "what the score is made of", columns, PART_COLUMNS);
}

static void add_place(const struct question *q, const struct model *m, const struct why *w, const char *sentence, struct table *t)
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
static void add_label(const struct model *m, const char *label, double value, double size, struct table *t)
{
    table_text(t, m->name);
    table_null(t);
    table_text(t, label);
    table_null(t);
    table_real(t, value);
    table_real(t, value / size);
    table_time(t, NO_TIME);
    table_null(t);
}

static void add_part(const struct question *q, const struct model *m, const struct why_part *p, double size, struct table *t)
{
    if (p->what.item == NO_ITEM) {
        add_label(m, p->what.label, p->what.value, size, t);
        return;
    }
    const struct dataset *d = q->data;
    table_text(t, m->name);
    table_text(t, dict_text(&d->items, p->what.item));
    table_text(t, dataset_item_title(d, p->what.item));
    const struct field *category = dataset_item_category(d);
    struct str cell = {0};
    if (category)
        field_format(category, p->what.item, &cell);
    table_text(t, cell.length && !cell.failed ? str_text(&cell) : NULL);
    str_free(&cell);
    table_real(t, p->what.value);
    table_real(t, p->what.value / size);
    table_time(t, p->time);
    if (p->tried)
        table_int(t, (int64_t)p->rank_without);
    else
        table_null(t);
}

/* All rows of a model sum to its score: what is not shown one by one is one row. */
static void add_parts(const struct question *q, const struct model *m, const struct why *w, size_t k, struct table *t, struct result *out)
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
        add_label(m, result_textf(out, "%zu more", left), rest, size, t);
    if (w->base != 0)
        add_label(m, "base", w->base, size, t);
}

static enum status explain_all(const struct question *q, const struct call *call, uint32_t item, struct result *out, struct error *err)
{
    size_t k = (size_t)call_int(call, "k");
    struct query query = history_query(&q->history);
    struct table *places = new_places(q, item, out), *parts = new_parts(q, out);
    for (size_t i = 0; i < q->nmodels; i++) {
        struct why w;
        struct str sentence = {0};
        enum status st = why_make(q->models[i], &query, item, k, &w, err);
        if (st)
            return st;
        why_sentence(&w, q->data, &sentence);
        add_place(q, q->models[i], &w, str_text(&sentence), places);
        add_parts(q, q->models[i], &w, k, parts, out);
        result_message(out, MESSAGE_INFO, "%s%s%s", q->nmodels > 1 ? q->models[i]->name : "", q->nmodels > 1 ? ": " : "", str_text(&sentence));
        str_free(&sentence);
        why_clear(&w);
    }
    return ST_OK;
}

static enum status run_why(struct workbench *wb, const struct call *call, struct result *out, struct error *err)
{
    struct question q;
    struct str line = {0};
    uint32_t item = 0;
    enum status st = question_open(wb, call, &call->args[0], &q, err);
    if (!st)
        st = name_item(wb, q.data, &call->args[1], &item, err);
    if (!st)
        st = explain_all(&q, call, item, out, err);
    if (!st) {
        warn_of_future(&q, out);
        wb->user = q.user;
        str_puts(&line, "why");
        put_user(&line, &q);
        put_item(&line, q.data, item);
        put_end(&line, call, &q);
        put_command(&line, out);
    }
    str_free(&line);
    question_close(&q);
    return st;
}

/* ---- whatif ---- */

/* Applies "remove ITEM ... add ITEM ..." to a history; says it again with ids in `line` and in words in `said`. */
static enum status change_history(struct workbench *wb, const struct question *q, const struct call *call, struct history *h, struct str *line,
                                  struct str *said, struct error *err)
{
    const char *how = NULL;
    for (size_t i = 1; i < call->nargs; i++) {
        const struct word *w = &call->args[i];
        if (!w->quoted && (strcmp(w->text, "remove") == 0 || strcmp(w->text, "add") == 0)) {
            how = w->text;
            str_printf(line, " %s", how);
            continue;
        }
        uint32_t item;
        if (!how) {
            error_set(err, ST_USAGE, "say `remove` or `add` before \"%s\"", w->text);
            error_hint(err, "for example: whatif %s remove ITEM add ITEM", q->who);
            return error_at_word(ST_USAGE, err, w);
        }
        enum status st = name_item(wb, q->data, w, &item, err);
        if (!st && *how == 'a') {
            st = history_add(h, q->data, item, err);
        } else if (!st && history_remove(h, item) == 0) {
            st = error_set(err, ST_NOT_FOUND, "\"%s\" is not in the history of %s", dataset_item_title(q->data, item), q->who);
            error_hint(err, "`user %s` shows it", q->who);
            error_at_word(st, err, w);
        }
        if (st)
            return st;
        put_item(line, q->data, item);
        str_printf(said, "%s%s %s", said->length ? ", " : "", *how == 'a' ? "with" : "without", dataset_item_title(q->data, item));
    }
    if (said->length)
        return ST_OK;
    error_set(err, ST_USAGE, "nothing is changed: say which item to add or to remove");
    error_hint(err, "for example: whatif %s add ITEM remove ITEM", call->args[0].text);
    return ST_USAGE;
}

static void add_move(const struct question *q, const struct model *m, const struct move *v, struct table *t)
{
    table_text(t, m->name);
    table_int(t, (int64_t)v->after);
    if (v->before)
        table_int(t, (int64_t)v->before - (int64_t)v->after);
    else
        table_null(t); /* was in the history, so not in any list */
    item_cells(q->data, v->item, t);
    table_real(t, v->score_after);
    table_real(t, v->before ? v->score_before : NAN);
    if (v->before)
        table_int(t, (int64_t)v->before);
    else
        table_null(t);
}

static enum status compare_lists(struct workbench *wb, const struct question *q, const struct history *changed, size_t k, const char *said,
                                 struct result *out, struct error *err)
{
    enum { MODEL, RANK, MOVE, ITEM, SCORE = ITEM + ITEM_COLUMNS, SCORE_BEFORE, RANK_BEFORE, COLUMNS };
    struct column columns[COLUMNS] = {
        [MODEL] = {.name = "model", .type = VALUE_TEXT, .flags = q->nmodels == 1 ? COLUMN_HIDDEN : 0},
        [RANK] = {.name = "rank", .type = VALUE_INT},
        [MOVE] = {.name = "move", .type = VALUE_INT, .flags = COLUMN_MOVE},
        [SCORE] = {.name = "score", .type = VALUE_REAL, .precision = 4},
        [SCORE_BEFORE] = {.name = "score_before", .type = VALUE_REAL, .precision = 4},
        [RANK_BEFORE] = {.name = "rank_before", .type = VALUE_INT},
    };
    item_columns(q->data, columns + ITEM);
    struct table *t = result_table(out, "moves", result_textf(out, "for %s, %s", q->who, said), columns, COLUMNS);
    struct query before = history_query(&q->history), after = history_query(changed);
    enum status st = ST_OK;
    for (size_t i = 0; i < q->nmodels && !st; i++) {
        struct whatif w;
        st = whatif_make(q->models[i], &before, &after, k, q->seen, &w, err);
        uint32_t *items = st ? NULL : mem_new(w.n, sizeof *items, "a list", err);
        for (size_t j = 0; items && j < w.n; j++) {
            items[j] = w.moves[j].item;
            if (w.moves[j].after) /* else it fell out because it is in the history now: no news */
                add_move(q, q->models[i], &w.moves[j], t);
        }
        if (!st)
            st = items ? remember_list(wb, items, w.listed, err) : ST_NOMEM;
        mem_free(items);
        whatif_clear(&w);
    }
    return st;
}

static enum status run_whatif(struct workbench *wb, const struct call *call, struct result *out, struct error *err)
{
    struct question q;
    struct history changed = {0};
    struct str line = {0}, said = {0};
    enum status st = question_open(wb, call, &call->args[0], &q, err);
    if (!st)
        st = history_of_events(q.history.events, q.history.n, q.history.as_of, &changed, err);
    if (st)
        goto out;
    changed.user = q.user;
    changed.hides = q.history.hides;
    str_puts(&line, "whatif");
    put_user(&line, &q);
    st = change_history(wb, &q, call, &changed, &line, &said, err);
    if (!st)
        st = compare_lists(wb, &q, &changed, (size_t)call_int(call, "k"), str_text(&said), out, err);
    if (st)
        goto out;
    warn_of_future(&q, out);
    wb->user = q.user;
    put_end(&line, call, &q);
    put_command(&line, out);
out:
    str_free(&line);
    str_free(&said);
    history_clear(&changed);
    question_close(&q);
    return st;
}

/* ---- the rows ---- */

#define USER_ARGUMENT                                                                                                            \
    {                                                                                                                            \
        .name = "USER", .type = ARG_USER, .doc = "an id, . for the current user, new for the made-up one"                        \
    }
#define OPTION_K(text)                                                                                                           \
    {                                                                                                                            \
        .name = "k", .type = PARAM_INT, .initial = "10", .min = 1, .max = 1e9, .doc = text                                       \
    }

static const struct argument why_args[] = {
    USER_ARGUMENT,
    {.name = "ITEM", .type = ARG_ITEM, .doc = "an id, a title, or #3 of the last list"},
};
static const struct argument whatif_args[] = {
    USER_ARGUMENT,
    {.name = "remove|add ITEM", .type = ARG_ITEM, .repeated = true, .doc = "what to take out of the history, and what to put in"},
};
static const struct param why_options[] = {OPTION_K("parts shown one by one"), OPTION_AT};
static const struct param whatif_options[] = {OPTION_K("length of the lists"), OPTION_SEEN, OPTION_AT};

static const struct command rows[] = {
    {.name = "why",
     .group = "inspect",
     .summary = "why an item is, or is not, in a user's list",
     .arguments = why_args,
     .narguments = 2,
     .options = why_options,
     .noptions = 2,
     .flags = COMMAND_WITH | COMMAND_NEEDS_DATA,
     .help = "Takes the score apart: the rows of a model sum to it. rank_without is the place the item would have without that part of the "
             "history, found by asking the model again. behind_by and ahead_by are the margins to the neighbours in the list.",
     .examples = (const char *const[]){"why ana boots with itemknn", "why ana pan with ease ials k=3", NULL},
     .run = run_why},
    {.name = "whatif",
     .group = "inspect",
     .summary = "the list after a change of the history",
     .arguments = whatif_args,
     .narguments = 2,
     .options = whatif_options,
     .noptions = 3,
     .flags = COMMAND_WITH | COMMAND_NEEDS_DATA,
     .help = "Asks the same models with another history; nothing is stored or trained. Below the new list stands what fell out of the old one.",
     .examples = (const char *const[]){"whatif ana remove stove with ease", "whatif ana add pan knife with itemknn k=3", NULL},
     .run = run_whatif},
};

const struct command_family inspect_commands = {rows, sizeof rows / sizeof *rows};
