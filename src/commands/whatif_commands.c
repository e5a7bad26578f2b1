/* What another history would change. */
#include <math.h>
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "commands/families.h"
#include "commands/question.h"
#include "inspect/whatif.h"

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

static const struct argument whatif_args[] = {
    USER_ARGUMENT,
    {.name = "remove|add ITEM", .type = ARG_ITEM, .repeated = true, .doc = "what to take out of the history, and what to put in"},
};
static const struct param whatif_options[] = {OPTION_K("length of the lists"), OPTION_SEEN, OPTION_AT};

static const struct command rows[] = {
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

const struct command_family whatif_commands = {rows, sizeof rows / sizeof *rows};
