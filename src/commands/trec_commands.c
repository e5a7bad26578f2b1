/* `export run` and `export qrels`: lists and what was right, as trec_eval reads them. */
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "commands/export.h"
#include "commands/families.h"
#include "eval/protocol.h"
#include "ranking/lists.h"

static const char blanks[] = " \t\n\r\v\f";

static enum status check_all_ids(const struct dataset *d, const char *format, struct error *err)
{
    enum status st = export_check_ids(&d->users, "user", format, blanks, err);
    return st ? st : export_check_ids(&d->items, "item", format, blanks, err);
}

/* The questions that are asked: one a user. */
static enum status find_questions(struct export *x, const struct call *call, struct test_set **set, struct error *err)
{
    bool valid = call_int(call, "on") == 1;
    bool hide = call_given(call, "seen") ? call_int(call, "seen") == 0 : x->wb->hide_seen;
    const struct protocol p = {.on = valid ? PART_VALID : PART_TEST, .hide_seen = hide};
    x->split = workbench_split(x->wb);
    if (x->split)
        return test_set_new(x->data, x->split, &p, set, err);
    error_set(err, ST_STATE, "%s needs a split: it is about the test part", call->command->name);
    error_hint(err, "`split last 1` first");
    return ST_STATE;
}

/* ---- runs ---- */

enum { PIECE = 512 };

/* trec_eval orders by score and ties by id: scores that do not fall from rank to rank are written a bit lower, so that
 * it reads the list as it is. */
static void put_list(struct export *x, FILE *f, const char *user, const struct scored *list, size_t n, const char *tag)
{
    float last = INFINITY;
    for (size_t i = 0; i < n; i++) {
        float score = list[i].score < last ? list[i].score : nextafterf(last, -INFINITY);
        char text[64];
        text_real(text, sizeof text, (double)score);
        fprintf(f, "%s Q0 %s %zu %s %s\n", user, dict_text(&x->data->items, list[i].index), i + 1, text, tag);
        last = score;
        x->rows++;
    }
}

static enum status put_lists(struct export *x, FILE *f, const struct ranker *r, const struct test_set *t,
                             struct error *err)
{
    struct scored *list = mem_new_raw(PIECE * r->k, sizeof *list, "lists", err);
    size_t *counts = mem_new_raw(PIECE, sizeof *counts, "lists", err);
    enum status st = list && counts ? ST_OK : ST_NOMEM;
    for (size_t q = 0; q < t->nqueries && !st; q += PIECE) {
        size_t n = t->nqueries - q < PIECE ? t->nqueries - q : PIECE;
        st = ranker_lists(r, t->query + q, n, NULL, &x->wb->job, list, counts, err);
        for (size_t i = 0; i < n && !st; i++)
            put_list(x, f, dict_text(&x->data->users, t->user[q + i]), list + i * r->k, counts[i], r->m->name);
        if (!st)
            st = export_check(x, err);
    }
    mem_free(list);
    mem_free(counts);
    return st;
}

/* Was it trained on this split? On all events, it would know what is asked. */
static enum status check_model(const struct export *x, const struct model *m, struct error *err)
{
    if (m->record.split_fingerprint == x->split->fingerprint && m->nitems == x->data->items.n)
        return ST_OK;
    error_set(err, ST_STATE, "%s was not trained on the train part of this split (%s)", m->name, x->split->description);
    error_hint(err, "train it again, then export");
    return ST_STATE;
}

static enum status find_model(struct workbench *wb, const struct call *call, struct model **out, struct error *err)
{
    struct model **models = NULL;
    const char *name = call->nmodels ? call->models[0].text : NULL;
    size_t n = 0;
    enum status st = ST_OK;
    if (call->nmodels > 1) {
        st = error_set(err, ST_USAGE, "a run is of one model");
        error_hint(err, "a file each: export run ease.run with ease");
        return error_at_word(st, err, &call->models[1]);
    }
    st = workbench_models(wb, &name, call->nmodels, &models, &n, err);
    if (!st && n != 1) {
        st = error_set(err, ST_USAGE, "the lists of which model?");
        error_hint(err, "one: %s %s with %s", call->command->name, call->args[0].text, models[0]->name);
    }
    if (!st)
        *out = model_hold(models[0]);
    for (size_t i = 0; i < n && models; i++)
        model_release(models[i]);
    mem_free(models);
    return st;
}

static enum status write_run(struct export *x, const struct call *call, const struct model *m, const struct test_set *t,
                             struct error *err)
{
    struct ranker ranker = {.k = 0};
    FILE *f;
    enum status st = check_model(x, m, err);
    if (!st)
        st = check_all_ids(x->data, "a run", err);
    if (!st)
        st = export_file(x, NULL, &f, err);
    if (!st)
        st = ranker_new(&ranker, m, (size_t)call_int(call, "k"), t->protocol.hide_seen ? SEEN_HIDE : SEEN_SHOW,
                        t->nqueries, err);
    job_begin(&x->wb->job, t->nqueries, "users", "lists of %s", m->name);
    if (!st)
        st = put_lists(x, f, &ranker, t, err);
    ranker_clear(&ranker);
    return st;
}

static enum status run_run(struct workbench *wb, const struct call *call, struct result *out, struct error *err)
{
    struct export x = export_begin(wb, call);
    struct test_set *set = NULL;
    struct model *m = NULL;
    enum status st = find_model(wb, call, &m, err);
    if (!st)
        st = find_questions(&x, call, &set, err);
    if (!st)
        st = write_run(&x, call, m, set, err);
    test_set_free(set);
    model_release(m);
    st = export_close(&x, st, err);
    if (!st)
        export_say(&x, "trec run", "places in lists", out);
    return st;
}

/* ---- qrels ---- */

/* Whole numbers, and whatever was in the part is relevant. */
static long grade_of(const struct test_set *t, size_t i)
{
    double grade = t->rating ? (double)t->rating[i] : (double)t->weight[i];
    return grade >= 1.5 && grade < 1e9 ? lround(grade) : 1;
}

static enum status write_qrels(struct export *x, const struct test_set *t, struct error *err)
{
    FILE *f;
    enum status st = check_all_ids(x->data, "qrels", err);
    if (!st)
        st = export_file(x, NULL, &f, err);
    for (size_t q = 0; q < t->nqueries && !st; q++) {
        for (size_t i = t->right_begin[q]; i < t->right_begin[q + 1]; i++, x->rows++)
            fprintf(f, "%s 0 %s %ld\n", dict_text(&x->data->users, t->user[q]), dict_text(&x->data->items, t->right[i]),
                    grade_of(t, i));
        if (q % 4096 == 0)
            st = export_check(x, err);
    }
    return st ? st : export_check(x, err);
}

static enum status run_qrels(struct workbench *wb, const struct call *call, struct result *out, struct error *err)
{
    struct export x = export_begin(wb, call);
    struct test_set *set = NULL;
    enum status st = find_questions(&x, call, &set, err);
    if (!st)
        st = write_qrels(&x, set, err);
    test_set_free(set);
    st = export_close(&x, st, err);
    if (!st)
        export_say(&x, "trec qrels", "right items", out);
    return st;
}

/* ---- the rows ---- */

static const struct argument path_args[] = {{.name = "PATH", .type = ARG_PATH, .doc = "the file to be"}};

#define ON {.name = "on", .type = PARAM_ENUM, .initial = "test", .choices = "test|valid", .doc = "the part that judges"}
#define SEEN                                                                                                           \
    {                                                                                                                  \
        .name = "seen", .type = PARAM_ENUM, .choices = "hide|show",                                                    \
        .doc = "items of the history; the setting `seen` when left out"                                                \
    }
#define REPLACE {.name = "replace", .type = PARAM_BOOL, .initial = "no", .doc = "write over what is there"}

static const struct param run_options[] = {
    {.name = "k", .type = PARAM_INT, .initial = "100", .min = 1, .max = 100000, .doc = "length of the lists"},
    ON,
    SEEN,
    REPLACE};
static const struct param qrels_options[] = {ON, SEEN, REPLACE};

static const struct command rows[] = {
    {.name = "export run",
     .group = "files",
     .summary = "write a model's lists as trec_eval reads them",
     .arguments = path_args,
     .narguments = 1,
     .options = run_options,
     .noptions = sizeof run_options / sizeof *run_options,
     .flags = COMMAND_NEEDS_DATA | COMMAND_WITH,
     .help = "A line a place: user Q0 item rank score tag, the tag being the name of the model. Users are those of the "
             "test part, with the history before it, as `compare` asks them.\n"
             "trec_eval goes by the score, and by the id (last in the alphabet first) where scores are equal; we go by "
             "the order in which items came into the data. A score that does not fall is therefore written a bit lower "
             "than the one before it, so that trec_eval reads the same list. Its means are over users who have a list, "
             "with -c over all of the test part, as ours; compare's leave users without a history apart.",
     .examples = (const char *const[]){"export run tiny.run with ease replace=yes",
                                       "export run tiny.run with pop k=5 replace=yes", NULL},
     .run = run_run},
    {.name = "export qrels",
     .group = "files",
     .summary = "write what was right in the test part as trec_eval reads it",
     .arguments = path_args,
     .narguments = 1,
     .options = qrels_options,
     .noptions = sizeof qrels_options / sizeof *qrels_options,
     .flags = COMMAND_NEEDS_DATA,
     .help = "A line a right item: user 0 item grade. The grade is the rating, or the weight of the type of event, "
             "rounded to a whole number and at least 1, as every item of the test part is right. What the user had "
             "before is left out, unless seen=show.",
     .examples = (const char *const[]){"export qrels tiny.qrels replace=yes", NULL},
     .run = run_qrels},
};

const struct command_family trec_commands = {rows, sizeof rows / sizeof *rows};
