#include "features/feature.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/parallel.h"
#include "base/text.h"
#include "features/condition.h"

enum function { COUNT, RECENCY, RECENCY_SECONDS };
const char *const feature_functions[] = {"count", "recency", "recency_seconds", NULL};
enum { BLOCK = 4096 };

/* The times of the matching events of each entity, ascending: begin[entity] .. begin[entity + 1]. That is all a
 * function of counts and times needs, and a moment is found in it by halving. */
struct feature {
    struct dataset *data;
    struct condition *condition; /* NULL: every event */
    enum function function;
    bool by_item;
    int64_t window; /* 0: all the past */
    int64_t newest; /* time of the newest event of the data */
    size_t *begin;  /* entities + 1 */
    int64_t *time;  /* NULL when the data has no times */
};

void feature_free(struct feature *f)
{
    if (!f)
        return;
    condition_free(f->condition);
    dataset_release(f->data);
    mem_free(f->begin);
    mem_free(f->time);
    mem_free(f);
}

/* ---- reading ---- */

static enum status read_function(struct lexer *in, struct feature *f, struct error *err)
{
    for (size_t i = 0; feature_functions[i]; i++) {
        if (lexer_sees(in, feature_functions[i])) {
            f->function = (enum function)i;
            return lexer_next(in, err);
        }
    }
    if (in->token.type != TOKEN_WORD)
        return lexer_expected(in, "a function (count, recency, recency_seconds)", err);
    const char *near = text_nearest(in->token.text, feature_functions, 3);
    error_set(err, ST_USAGE, "there is no function \"%s\"", in->token.text);
    error_span(err, in->token.offset, in->token.length);
    if (near)
        error_hint(err, "did you mean %s?", near);
    else
        error_hint(err, "there are count, recency (days since) and recency_seconds");
    return ST_USAGE;
}

static enum status read_window(struct lexer *in, struct feature *f, struct error *err)
{
    bool found;
    enum status st = lexer_take(in, "over", &found, err);
    if (st || !found)
        return st;
    if (in->token.type != TOKEN_WORD || strlen(in->token.text) != in->token.text_length ||
        !text_parse_duration(in->token.text, &f->window) || f->window <= 0) {
        st = lexer_expected(in, "a duration", err);
        error_hint(err, "for example 30m, 12h, 7d or 4w");
        return st;
    }
    return lexer_next(in, err);
}

static enum status read_entity(struct lexer *in, struct feature *f, struct error *err)
{
    enum status st = lexer_need(in, "by", err);
    if (st) {
        error_hint(err, "a feature ends with `by user` or `by item`");
        return st;
    }
    f->by_item = lexer_sees(in, "item");
    if (!f->by_item && !lexer_sees(in, "user"))
        return lexer_expected(in, "\"user\" or \"item\"", err);
    return lexer_next(in, err);
}

/* What needs a clock is refused where there is none. */
static enum status check_clock(const struct feature *f, const struct token *function, const struct token *over,
                               struct error *err)
{
    if (f->data->events.time || (f->function == COUNT && !f->window))
        return ST_OK;
    const struct token *t = f->function == COUNT ? over : function;
    error_set(err, ST_UNSUPPORTED, "%s needs to know when events happened, and no event of %s has a time",
              f->function == COUNT ? "`over`" : "recency", f->data->name);
    error_span(err, t->offset, t->length);
    error_hint(err, "count(...) without `over` works without times; or load the data with time=COLUMN");
    return ST_UNSUPPORTED;
}

static enum status read_feature(struct feature *f, const char *text, size_t n, struct error *err)
{
    struct lexer in;
    struct token function, over;
    enum status st = lexer_start(&in, text, n, err);
    function = in.token;
    if (!st)
        st = read_function(&in, f, err);
    if (!st)
        st = lexer_need(&in, "(", err);
    if (!st && !lexer_sees(&in, ")"))
        st = condition_parse(&in, f->data, &f->condition, err);
    if (!st)
        st = lexer_need(&in, ")", err);
    over = in.token;
    if (!st)
        st = read_window(&in, f, err);
    if (!st)
        st = read_entity(&in, f, err);
    if (!st && in.token.type != TOKEN_END)
        st = lexer_expected(&in, "the end", err);
    return st ? st : check_clock(f, &function, &over, err);
}

/* ---- preparing ---- */

static uint32_t entity_of(const struct feature *f, size_t e)
{
    return f->by_item ? f->data->events.item[e] : f->data->events.user[e];
}

static bool counts(const struct feature *f, size_t e)
{
    if (f->data->events.time && f->data->events.time[e] == NO_TIME)
        return false;
    return !f->condition || condition_holds(f->condition, e);
}

static int by_time(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static void sort_block(void *context, size_t i, size_t begin, size_t end)
{
    struct feature *f = context;
    (void)i;
    for (size_t entity = begin; entity < end; entity++)
        qsort(f->time + f->begin[entity], f->begin[entity + 1] - f->begin[entity], sizeof *f->time, by_time);
}

struct matching {
    const struct feature *feature;
    uint8_t *match; /* one an event */
};

static void match_block(void *context, size_t i, size_t begin, size_t end)
{
    struct matching *m = context;
    (void)i;
    for (size_t e = begin; e < end; e++)
        m->match[e] = counts(m->feature, e);
}

static enum status prepare(struct feature *f, struct error *err)
{
    const struct events *ev = &f->data->events;
    size_t entities = feature_entities(f);
    int64_t oldest;
    if (!dataset_time_range(f->data, &oldest, &f->newest))
        f->newest = 0;
    struct matching m = {f, mem_new_raw(ev->n, 1, "matching events", err)};
    size_t *next = mem_new(entities + 1, sizeof *next, "a feature", err);
    f->begin = mem_new(entities + 1, sizeof *f->begin, "a feature", err);
    enum status st = m.match && next && f->begin ? ST_OK : ST_NOMEM;
    if (!st) {
        parallel_blocks(ev->n, BLOCK, match_block, &m);
        for (size_t e = 0; e < ev->n; e++)
            f->begin[entity_of(f, e) + 1] += m.match[e];
        for (size_t i = 0; i < entities; i++)
            f->begin[i + 1] += f->begin[i];
        memcpy(next, f->begin, (entities + 1) * sizeof *next);
    }
    if (!st && ev->time) {
        f->time = mem_new_raw(f->begin[entities], sizeof *f->time, "a feature", err);
        st = f->time ? ST_OK : ST_NOMEM;
        for (size_t e = 0; e < ev->n && !st; e++)
            if (m.match[e])
                f->time[next[entity_of(f, e)]++] = ev->time[e];
        /* Events are sorted by user and time: only the runs of items are not in order yet. */
        if (!st && f->by_item)
            parallel_blocks(entities, BLOCK, sort_block, f);
    }
    mem_free(m.match);
    mem_free(next);
    return st;
}

enum status feature_new(struct dataset *d, const char *text, size_t n, struct feature **out, struct error *err)
{
    struct feature *f = mem_new(1, sizeof *f, "a feature", err);
    if (!f)
        return ST_NOMEM;
    f->data = dataset_hold(d);
    enum status st = read_feature(f, text, n, err);
    if (!st)
        st = prepare(f, err);
    if (st) {
        feature_free(f);
        return st;
    }
    *out = f;
    return ST_OK;
}

bool feature_by_item(const struct feature *f)
{
    return f->by_item;
}

size_t feature_entities(const struct feature *f)
{
    return f->by_item ? f->data->items.n : f->data->users.n;
}

const char *feature_unit(const struct feature *f)
{
    static const char *const units[] = {[COUNT] = "events", [RECENCY] = "d", [RECENCY_SECONDS] = "s"};
    return units[f->function];
}

/* ---- evaluating ---- */

/* How many of t[0..n) lie before the moment. */
static size_t before(const int64_t *t, size_t n, int64_t moment)
{
    size_t low = 0;
    while (n > 0) {
        size_t half = n / 2;
        if (t[low + half] < moment) {
            low += half + 1;
            n -= half + 1;
        } else {
            n = half;
        }
    }
    return low;
}

static double value_at(const struct feature *f, uint32_t entity, int64_t moment)
{
    size_t n = f->begin[entity + 1] - f->begin[entity];
    if (!f->time)
        return (double)n;
    const int64_t *t = f->time + f->begin[entity];
    int64_t start = INT64_MIN, now = moment == NO_TIME ? f->newest : moment;
    /* After all events: the newest counts too, and is no time ago. */
    if (moment == NO_TIME)
        moment = f->newest < INT64_MAX ? f->newest + 1 : f->newest;
    if (f->window && __builtin_sub_overflow(moment, f->window, &start))
        start = INT64_MIN;
    size_t end = before(t, n, moment), first = before(t, n, start);
    if (f->function == COUNT)
        return (double)(end - first);
    if (end == first)
        return NAN;
    double seconds = ((double)now - (double)t[end - 1]) / (double)US_PER_SECOND;
    return f->function == RECENCY ? seconds / 86400 : seconds;
}

void feature_evaluate(const struct feature *f, const uint32_t *entity, const int64_t *moment, size_t n, double *out)
{
    for (size_t i = 0; i < n; i++)
        out[i] = value_at(f, entity[i], moment[i]);
}

enum status feature_snapshot(const struct feature *f, int64_t moment, struct job *job, double *out, struct error *err)
{
    enum { TILE = 1 << 12 };
    enum status st = ST_OK;
    for (size_t i = 0, n = feature_entities(f); i < n && !st; i++) {
        st = i % TILE == 0 ? job_check(job, err) : ST_OK;
        out[i] = st ? NAN : value_at(f, (uint32_t)i, moment);
    }
    return st;
}
