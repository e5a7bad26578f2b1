/* The SQL table `trials`: every setting that `tune` has tried on the open data set. */
#include <stdio.h>

#include "commands/held.h"
#include "commands/trials.h"

enum {
    CLASS,
    STUDY,
    TRIAL,
    METRIC,
    VALUE,
    STATUS,
    PARAMETERS,
    EPOCH,
    EPOCHS,
    PLANNED,
    SECONDS,
    CREATED,
    OF_THIS_SPLIT,
    MESSAGE,
    COLUMNS
};

static const struct held_column columns[COLUMNS] = {
    [CLASS] = {"class", SQL_TEXT, SQL_PUSH, "what was tuned: ease, ials, ..."},
    [STUDY] = {"study", SQL_TEXT, SQL_PUSH, "trials of one search have the same"},
    [TRIAL] = {"trial", SQL_INT, SQL_PUSH, "its number in the search, from 1"},
    [METRIC] = {"metric", SQL_TEXT, SQL_PUSH, "what decides: ndcg@20"},
    [VALUE] = {"value", SQL_REAL, SQL_PUSH, "of the metric, by the validation part"},
    [STATUS] = {"status", SQL_TEXT, SQL_PUSH, "complete, stopped early, or failed"},
    [PARAMETERS] = {"parameters", SQL_TEXT, 0, "as they would be typed"},
    [EPOCH] = {"epoch", SQL_INT, SQL_PUSH, "that has the value"},
    [EPOCHS] = {"epochs", SQL_INT, SQL_PUSH, "it went through"},
    [PLANNED] = {"planned", SQL_INT, SQL_PUSH, "epochs there were to be"},
    [SECONDS] = {"seconds", SQL_REAL, SQL_PUSH, "it took"},
    [CREATED] = {"created", SQL_TIME, SQL_PUSH, "when it ended"},
    [OF_THIS_SPLIT] = {"of_this_split", SQL_INT, SQL_PUSH, "1: on the present split"},
    [MESSAGE] = {"message", SQL_TEXT, 0, "why it failed"},
};

static void put_count(struct table *t, size_t n)
{
    if (n)
        table_int(t, (int64_t)n);
    else
        table_null(t);
}

static void put_trial(const struct held_cursor *c, const struct trial *x, const char *parameters, struct table *out)
{
    char study[24];
    snprintf(study, sizeof study, "%016llx", (unsigned long long)x->study);
    table_text(out, x->class);
    table_text(out, study);
    table_int(out, (int64_t)x->number + 1);
    table_text(out, x->metric);
    table_real(out, x->value);
    table_text(out, trial_status_name(x->status));
    table_text(out, parameters);
    put_count(out, x->epoch);
    put_count(out, x->epochs);
    put_count(out, x->planned);
    table_real(out, x->seconds);
    table_time(out, x->created);
    table_int(out, c->pinned->split && x->split == c->pinned->split->fingerprint);
    table_text(out, x->message && x->message[0] ? x->message : NULL);
}

static enum status fill(struct held_cursor *c, size_t piece, struct table *out, struct error *err)
{
    struct trials list = {0};
    struct str parameters = {0};
    (void)piece;
    enum status st = trials_recall(c->pinned->wb, c->pinned->data->name, held_text(c, CLASS), 0, &list, err);
    for (size_t i = 0; i < list.n && !st; i++) {
        str_reuse(&parameters);
        trial_describe(&list.list[i], &parameters);
        put_trial(c, &list.list[i], str_text(&parameters), out);
    }
    if (!st && parameters.failed)
        st = error_nomem(err, parameters.capacity, "parameters");
    str_free(&parameters);
    trials_clear(&list);
    return st;
}

static const struct held trials = {
    .columns = columns, .ncolumns = COLUMNS, .needs_data = true, .rows = 100, .user_column = SIZE_MAX, .fill = fill};

const struct sql_table table_trials = {
    .own = &trials, .name = "trials", .summary = "the settings that `tune` has tried", .few = true, HELD_SLOTS};
