/* The arithmetic of a score, line by line. */
#include <math.h>
#include <stdio.h>

#include "base/mem.h"
#include "commands/why_tables.h"
#include "inspect/made_of.h"
#include "inspect/steps.h"

enum { STEP_MODEL, STEP_TERM, STEP_LEFT = STEP_TERM + REASON_COLUMNS, STEP_RIGHT, STEP_VALUE, STEP_SUM, STEP_COLUMNS };

static struct table *new_steps(const struct question *q, uint32_t item, struct result *out)
{
    struct column columns[STEP_COLUMNS] = {
        [STEP_MODEL] = {.name = "model", .type = VALUE_TEXT, .flags = q->nmodels == 1 ? COLUMN_HIDDEN : 0},
        [STEP_LEFT] = {.name = "factor", .type = VALUE_REAL, .precision = STEP_DIGITS},
        [STEP_RIGHT] = {.name = "times", .type = VALUE_REAL, .precision = STEP_DIGITS},
        [STEP_VALUE] = {.name = "is", .type = VALUE_REAL, .precision = STEP_DIGITS},
        [STEP_SUM] = {.name = "sum", .type = VALUE_REAL, .precision = STEP_DIGITS},
    };
    reason_columns(columns + STEP_TERM);
    columns[STEP_TERM + 1].name = "term";
    return result_table(out, "steps",
                        result_textf(out, "the score of %s for %s", dataset_item_title(q->data, item), q->who), columns,
                        STEP_COLUMNS);
}

static void add_term(const struct question *q, const struct model *m, const struct score_term *s, double sum,
                     struct table *t)
{
    struct str name = {0};
    if (s->user != NO_USER)
        str_printf(&name, "user %s", dict_text(&q->data->users, s->user));
    else if (s->item != NO_ITEM)
        str_printf(&name, s->label[0] ? "%s (%s)" : "%s", dataset_item_title(q->data, s->item), s->label);
    else
        str_puts(&name, s->label);
    table_text(t, m->name);
    table_text(t, s->item == NO_ITEM ? NULL : dict_text(&q->data->items, s->item));
    table_str(t, &name);
    str_free(&name);
    table_real(t, s->left);
    table_real(t, s->right);
    table_real(t, s->value);
    table_real(t, sum);
}

static void add_line(const struct question *q, const struct model *m, const char *label, double value, double sum,
                     struct table *t)
{
    struct score_term s = {.item = NO_ITEM, .user = NO_USER, .left = NAN, .right = NAN, .value = value};
    snprintf(s.label, sizeof s.label, "%s", label);
    add_term(q, m, &s, sum, t);
}

/* The largest k terms, the others as one, and what the rounding of float32 adds when that is to be seen: the last sum
 * is the score. */
static void add_steps(const struct question *q, const struct model *m, const struct steps *s, size_t k, struct table *t,
                      struct result *out)
{
    double sum = 0;
    size_t shown = s->n <= k + 1 ? s->n : k;
    for (size_t i = 0; i < shown; i++) {
        sum += s->terms[i].value;
        add_term(q, m, &s->terms[i], sum, t);
    }
    if (shown < s->n)
        add_line(q, m, result_textf(out, "%zu more term%s", s->n - shown, s->n - shown == 1 ? "" : "s"), s->sum - sum,
                 s->sum, t);
    if (steps_rounded(s))
        add_line(q, m, s->exact ? "rounding to float32" : "what the parts leave out", s->score - s->sum, s->score, t);
    add_line(q, m, "score", s->score, s->score, t);
}

/* Whose arithmetic it is, of a switch. */
static enum status say_who_answers(const struct question *q, const struct model *m, const struct query *query,
                                   uint32_t item, struct result *out, struct error *err)
{
    struct made_of x;
    struct str text = {0};
    if (!m->class->shares || m->class->part_weights)
        return ST_OK;
    enum status st = made_of_make(m, query, item, q->seen, &x, err);
    if (!st)
        made_of_choice(&x, q->who, &text);
    if (text.length)
        say_of_model(q, m, result_str(out, &text), out);
    str_free(&text);
    made_of_clear(&x);
    return st;
}

enum status why_of_steps(const struct call *call, const struct question *q, uint32_t item, struct result *out,
                         struct error *err)
{
    struct query query = history_query(&q->history);
    struct table *t = new_steps(q, item, out);
    enum status st = ST_OK;
    for (size_t i = 0; i < q->nmodels && !st; i++) {
        struct steps s;
        st = steps_make(q->models[i], &query, item, &s, err);
        if (!st) {
            add_steps(q, q->models[i], &s, (size_t)call_int(call, "k"), t, out);
            st = say_who_answers(q, q->models[i], &query, item, out, err);
            say_of_model(q, q->models[i], s.formula, out);
        }
        steps_clear(&s);
    }
    return st;
}
