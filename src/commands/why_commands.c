/* Why an item is in a user's list. */
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "commands/families.h"
#include "commands/question.h"
#include "inspect/why.h"

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

/* ---- the rows ---- */

static const struct argument why_args[] = {
    USER_ARGUMENT,
    {.name = "ITEM", .type = ARG_ITEM, .doc = "an id, a title, or #3 of the last list"},
};
static const struct param why_options[] = {OPTION_K("parts shown one by one"), OPTION_AT};

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
};

const struct command_family why_commands = {rows, sizeof rows / sizeof *rows};
