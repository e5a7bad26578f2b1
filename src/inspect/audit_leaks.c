/* Checks of what a model must not see, and of what a recommender has done to the log already. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/parallel.h"
#include "inspect/audit_parts.h"

/* ---- leakage between given parts ---- */

struct leaks {
    uint64_t tests, same, pairs, early;
};

/* One user: what of the test events training has too. trained[item] is the user who has it in training. */
static void look_at_user(const struct dataset *d, const uint32_t *part, uint32_t train, uint32_t test, uint32_t u,
                         uint32_t *trained, struct leaks *l)
{
    const struct events *e = &d->events;
    size_t begin = d->user_begin[u], end = d->user_begin[u + 1];
    int64_t newest = NO_TIME;
    for (size_t k = begin; k < end; k++) {
        if (part[k] != train)
            continue;
        trained[e->item[k]] = u;
        newest = e->time && e->time[k] > newest ? e->time[k] : newest;
    }
    for (size_t k = begin; k < end; k++) {
        if (part[k] != test)
            continue;
        bool same = false, timed = e->time && e->time[k] != NO_TIME;
        l->tests++;
        if (timed && trained[e->item[k]] == u) {
            size_t first = k, last = k;
            while (first > begin && e->time[first - 1] == e->time[k])
                first--;
            while (last + 1 < end && e->time[last + 1] == e->time[k])
                last++;
            for (size_t i = first; i <= last; i++)
                same |= part[i] == train && e->item[i] == e->item[k];
        }
        l->same += same;
        l->pairs += trained[e->item[k]] == u;
        l->early += timed && e->time[k] < newest;
    }
}

static void judge_leaks(struct audit *a, const struct leaks *l)
{
    static const char exists[] =
        "SELECT * FROM events t WHERE t.part = 'test' AND EXISTS (SELECT 1 FROM events r WHERE r.user = t.user AND "
        "r.item = t.item AND r.part = 'train'%s)";
    bool timed = a->data->events.time;
    if (l->same) {
        struct finding *f = audit_find(a, severity_of((double)l->same / (double)l->tests, 0, .01),
                                       "%s of the test events (%s) are in the train part too: same user, item and time",
                                       SHARE(l->same, l->tests), COUNT(l->same));
        finding_evidence(f, l->same, exists, " AND r.time = t.time");
    }
    if (l->pairs > l->same) {
        struct finding *f =
            audit_find(a, timed ? SEVERITY_INFO : severity_of((double)l->pairs / (double)l->tests, .01, 2),
                       "%s of the test events (%s) are of a pair of user and item that training has: "
                       "hiding what was seen hides them",
                       SHARE(l->pairs, l->tests), COUNT(l->pairs));
        finding_evidence(f, l->pairs, exists, "");
        finding_advice(f, "set seen show");
    }
    if (l->early * 20 >= l->tests && l->tests) {
        struct finding *f = audit_find(
            a, SEVERITY_WARNING,
            "%s of the test events are older than the user's newest training event: the given parts are not by time, "
            "and models know what came after",
            SHARE(l->early, l->tests));
        finding_evidence(
            f, l->early,
            "SELECT * FROM events t WHERE t.part = 'test' AND t.time < (SELECT max(r.time) FROM events r WHERE r.user "
            "= t.user AND r.part = 'train')");
        finding_advice(f, "split last 1");
    }
}

static enum status check_leakage(struct audit *a, struct error *err)
{
    const struct dataset *d = a->data;
    const struct field *part = fields_find(&d->events.context, "part");
    struct leaks l = {0};
    uint32_t train = NO_CODE, test = NO_CODE;
    if (part && part->type == FIELD_TEXT) {
        train = dict_find_text(&part->levels, "train");
        test = dict_find_text(&part->levels, "test");
    }
    if (train == NO_CODE || test == NO_CODE) {
        audit_find(a, SEVERITY_OK, "no train and test files were given: `split` makes parts that do not overlap");
        return ST_OK;
    }
    uint32_t *trained = mem_new_raw(d->items.n, sizeof *trained, "marks of items", err);
    if (!trained)
        return ST_NOMEM;
    memset(trained, 0xff, d->items.n * sizeof *trained);
    for (uint32_t u = 0; u < d->users.n; u++)
        look_at_user(d, part->code, train, test, u, trained, &l);
    mem_free(trained);
    judge_leaks(a, &l);
    return ST_OK;
}

const struct audit_check audit_leakage = {
    .name = "leakage",
    .looks =
        "given train and test files: the same events in both, the same pairs, test events older than training ones",
    .rule = "an event (user, item, time) in both parts is a warning, serious from 1 % of the test part: the answer is "
            "in the question. The same pair at another time is info (without times a warning from 1 %). A warning when "
            "5 % of the test events are older than their user's newest training event: scores of such parts are too "
            "good for a live system",
    .fine = "the test part holds nothing that training has seen, and comes after it",
    .run = check_leakage,
};

/* ---- feedback loops ---- */

enum { LEAST_SLICE = 1000, EVENTS_A_BLOCK = 1 << 16 };

struct slices {
    const struct dataset *data;
    const struct time_facts *times;
    uint32_t *counts; /* SLICES x items */
};

static size_t slice_of(const struct time_facts *t, int64_t time)
{
    int64_t day = time / US_PER_DAY - t->first_day;
    if (time < t->first_day * US_PER_DAY || day >= (int64_t)t->ndays)
        return SLICES;
    return (size_t)day * SLICES / t->ndays;
}

static void count_slices(void *context, size_t block, size_t begin, size_t end)
{
    const struct slices *w = context;
    const struct dataset *d = w->data;
    (void)block;
    for (size_t e = begin; e < end; e++) {
        size_t s = d->events.time[e] == NO_TIME || !(d->type_weight[d->events.type[e]] > 0)
                       ? SLICES
                       : slice_of(w->times, d->events.time[e]);
        if (s < SLICES)
            __atomic_fetch_add(&w->counts[s * d->items.n + d->events.item[e]], 1, __ATOMIC_RELAXED);
    }
}

/* How many items share the events of a slice, were they shared evenly: one over the chance that two events drawn from
 * it are of one item. Unbiased whatever the number of events (Simpson, Nature 1949). 0: too few events. */
static double effective_items(const uint32_t *counts, size_t n)
{
    double sum = 0, pairs = 0;
    for (size_t i = 0; i < n; i++) {
        sum += counts[i];
        pairs += (double)counts[i] * ((double)counts[i] - 1);
    }
    return sum >= LEAST_SLICE && pairs > 0 ? sum * (sum - 1) / pairs : 0;
}

static void judge_concentration(struct audit *a, const double *effective, size_t active_last)
{
    const struct time_facts *t = &a->facts->times;
    int down = 0, steps = 0;
    double first = (effective[0] + effective[1]) / 2, last = (effective[SLICES - 2] + effective[SLICES - 1]) / 2;
    for (int s = 0; s < SLICES; s++)
        if (effective[s] == 0)
            return;
    for (int s = 1; s < SLICES; s++)
        for (int r = 0; r < s; r++) {
            steps++;
            down += effective[s] < effective[r];
        }
    if (last * 2 > first || down * 10 < steps * 8)
        return;
    int64_t cut = (t->first_day + ((SLICES - 1) * (int64_t)t->ndays + SLICES - 1) / SLICES) * US_PER_DAY;
    struct finding *f = audit_find(
        a, severity_of(1 - last / first, .8, 2),
        "attention narrows: at first feedback was spread as over %s items, at the end as over %s: a recommender that "
        "feeds on its own clicks, or fewer to choose from",
        COUNT(first), COUNT(last));
    finding_evidence(
        f, active_last < 20 ? active_last : 20,
        "SELECT item, count(*) AS events FROM events WHERE time >= '%s' GROUP BY item ORDER BY events DESC LIMIT 20",
        day_of(cut).text);
    finding_advice(f, "events by=item");
}

static enum status find_concentration(struct audit *a, struct error *err)
{
    const struct dataset *d = a->data;
    struct slices w = {.data = d, .times = &a->facts->times};
    double effective[SLICES];
    size_t active = 0;
    if (!d->events.time || w.times->ndays < SLICES || w.times->usual < SLICES * LEAST_SLICE)
        return ST_OK;
    w.counts = mem_new((size_t)d->items.n * SLICES, sizeof *w.counts, "events of items over time", err);
    if (!w.counts)
        return ST_NOMEM;
    parallel_blocks(d->events.n, EVENTS_A_BLOCK, count_slices, &w);
    for (size_t s = 0; s < SLICES; s++)
        effective[s] = effective_items(w.counts + s * d->items.n, d->items.n);
    for (size_t i = 0; i < d->items.n; i++)
        active += w.counts[(SLICES - 1) * (size_t)d->items.n + i] > 0;
    judge_concentration(a, effective, active);
    mem_free(w.counts);
    return ST_OK;
}

/* The column that says where an item stood, or NULL. */
static const struct field *position_column(const struct dataset *d)
{
    static const char *const names[] = {"position", "pos", "rank", "slot"};
    for (size_t i = 0; i < d->events.context.n; i++)
        for (size_t k = 0; k < sizeof names / sizeof *names; k++)
            if (text_same(d->events.context.field[i].name, names[k]) && d->events.context.field[i].type == FIELD_INT)
                return &d->events.context.field[i];
    return NULL;
}

static void judge_position(struct audit *a, const struct field *position)
{
    enum { POSITIONS = 64 };
    const struct dataset *d = a->data;
    uint64_t count[POSITIONS] = {0}, all = 0;
    size_t different = 0, best = 0;
    for (size_t e = 0; e < d->events.n; e++) {
        int64_t p = position->integer[e];
        if (p < 0 || p >= POSITIONS || !(d->type_weight[d->events.type[e]] > 0))
            continue;
        count[p]++;
        all++;
    }
    for (size_t p = 0; p < POSITIONS; p++) {
        different += count[p] > 0;
        best = count[p] > count[best] ? p : best;
    }
    if (different < 3 || all < LEAST_SLICE || (double)count[best] * (double)different < 2 * (double)all)
        return;
    struct str name = {0}, types = {0};
    put_sql_name(&name, position->name);
    put_feedback_types(&types, d);
    struct finding *f =
        audit_find(a, SEVERITY_INFO,
                   "%s of the feedback is at position %zu of %zu: it tells where items stood as much as what was liked",
                   SHARE(count[best], all), best, different);
    finding_evidence(f, different,
                     "SELECT %s, count(*) AS events FROM events WHERE %s BETWEEN 0 AND 63 AND type IN %s GROUP BY 1",
                     str_text(&name), str_text(&name), str_text(&types));
    str_free(&name);
    str_free(&types);
}

static enum status check_feedback(struct audit *a, struct error *err)
{
    const struct dataset *d = a->data;
    const struct field *position = position_column(d);
    size_t before = a->nfindings;
    bool shown = false;
    for (uint32_t t = 0; t < d->types.n; t++)
        shown |= !(d->type_weight[t] > 0);
    enum status st = find_concentration(a, err);
    if (!st && position)
        judge_position(a, position);
    if (!st && a->nfindings == before)
        audit_find(
            a, SEVERITY_OK,
            shown
                ? "impressions are logged: what was shown and passed over is known"
                : "attention does not narrow; no impressions are logged, so what was shown and passed over is not known");
    return st;
}

const struct audit_check audit_feedback = {
    .name = "feedback",
    .looks = "signs of a recommender in the log: attention that narrows over time, feedback bound to a position",
    .rule = "time is cut into 8 stretches of 1,000 feedback events or more; the effective number of items of each is "
            "one over the chance that two of its events are of one item. Info when it falls to half and nearly every "
            "later stretch is below the earlier ones, a warning when it falls to a fifth. Info when one of 3 positions "
            "or more has twice its share of the feedback",
    .fine = "",
    .needs = NEED_TIMES,
    .run = check_feedback,
};
