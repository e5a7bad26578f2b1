/* Checks of how users act: programs among them, purchases without a view. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/parallel.h"
#include "data/shape.h"
#include "inspect/activity.h"
#include "inspect/audit_parts.h"

/* ---- bots ---- */

enum { RATE = 600, HOURS = 20, LEAST_HEAVY = 200 }; /* the first two are what `bots drop` takes by itself */

static int by_real(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

/* Events from which on a user is far beyond the others: five robust standard deviations (1.4826 median absolute
 * deviations) on the logarithm of events, the deviation being at least log(2) so that a crowd of one-timers does not
 * make everybody else odd. */
static enum status heavy_bar(const struct dataset *d, double *bar, struct error *err)
{
    size_t n = 0;
    double *v = mem_new_raw(d->users.n, sizeof *v, "events of users", err);
    if (!v)
        return ST_NOMEM;
    for (uint32_t u = 0; u < d->users.n; u++)
        if (user_events(d, u))
            v[n++] = log((double)user_events(d, u));
    *bar = INFINITY;
    if (n >= 20) {
        qsort(v, n, sizeof *v, by_real);
        double median = v[n / 2];
        for (size_t i = 0; i < n; i++)
            v[i] = fabs(v[i] - median);
        qsort(v, n, sizeof *v, by_real);
        double deviation = 1.4826 * v[n / 2];
        *bar = exp(median + 5 * (deviation > M_LN2 ? deviation : M_LN2));
    }
    mem_free(v);
    return ST_OK;
}

static void judge_heavy(struct audit *a, double bar)
{
    const struct dataset *d = a->data;
    uint64_t users = 0, events = 0;
    uint64_t most = bar < LEAST_HEAVY ? LEAST_HEAVY : (uint64_t)fmin(bar, 1e18);
    for (uint32_t u = 0; u < d->users.n; u++) {
        users += user_events(d, u) > most;
        events += user_events(d, u) > most ? user_events(d, u) : 0;
    }
    if (!users)
        return;
    bool few = users <= 5 + a->facts->users / 1000; /* more are no exceptions but a long tail */
    struct finding *f = audit_find(a, severity_of(few ? (double)events / (double)d->events.n : 0, .1, 2),
                                   "%s user%s far beyond the others: more than %s events each where half have at most "
                                   "%s (%s of all events)",
                                   COUNT(users), users == 1 ? " is" : "s are", COUNT(most),
                                   COUNT(a->facts->median_user), SHARE(events, d->events.n));
    finding_evidence(f, users, "SELECT user, events FROM users WHERE events > %llu ORDER BY events DESC",
                     (unsigned long long)most);
    finding_advice(f, "filter \"events_per_user <= %llu\"", (unsigned long long)most);
}

/* Users for whom `is` holds, named. Where one in ten is like that they are no exceptions: the key is not a person's. */
static void judge_tempo(struct audit *a, const struct pace *pace, bool (*is)(const struct pace *p, float regular),
                        const char *how, const char *advice)
{
    const struct dataset *d = a->data;
    struct name_list l = {0};
    uint64_t events = 0;
    for (uint32_t u = 0; u < d->users.n; u++) {
        if (!is(&pace[u], a->facts->regular[u]))
            continue;
        name_list_add(&l, dict_text(&d->users, u));
        events += user_events(d, u);
    }
    bool many = l.n * 10 > a->facts->users;
    if (l.n) {
        struct finding *f =
            many ? audit_find(a, SEVERITY_WARNING, "%s of the users (%s) %s: is the column of users one of people?",
                              SHARE(l.n, a->facts->users), COUNT(l.n), how)
                 : audit_find(a, severity_of((double)events / (double)d->events.n, 0, .1),
                              "%s %s %s (%s of all events): %s", COUNT(l.n), l.n == 1 ? "user" : "users", how,
                              SHARE(events, d->events.n), name_list_words(&l));
        finding_evidence(f, l.n < LITERALS_MOST ? l.n : LITERALS_MOST,
                         "SELECT user, events, first, last FROM users WHERE user IN (%s)", str_text(&l.literals));
        if (advice && !many)
            finding_advice(f, "%s", advice);
        else if (!many)
            finding_advice(f, "filter \"user not in (%s)\"", str_text(&l.literals));
    }
    name_list_clear(&l);
}

static bool is_fast(const struct pace *p, float regular)
{
    (void)regular;
    return p->busiest_hour > RATE;
}

static bool is_sleepless(const struct pace *p, float regular)
{
    (void)regular;
    return p->longest_day > HOURS;
}

static bool is_regular(const struct pace *p, float regular)
{
    (void)p;
    return regular < .05f;
}

static enum status judge_paces(struct audit *a, struct error *err)
{
    struct pace *pace = mem_new(a->data->users.n, sizeof *pace, "the pace of users", err);
    enum status st = pace ? measure_pace(a->data, pace, err) : ST_NOMEM;
    if (!st) {
        judge_tempo(a, pace, is_fast, "had more than 600 events within an hour", "bots drop");
        judge_tempo(a, pace, is_sleepless, "had events in more than 20 hours of one day", "bots drop");
        judge_tempo(a, pace, is_regular, "acted like clockwork, at even intervals", NULL);
    }
    mem_free(pace);
    return st;
}

static enum status check_bots(struct audit *a, struct error *err)
{
    const struct time_facts *t = &a->facts->times;
    double bar;
    enum status st = heavy_bar(a->data, &bar, err);
    if (st)
        return st;
    judge_heavy(a, bar);
    if (!a->data->events.time || t->whole_minute * 2 > t->usual)
        return ST_OK; /* of dates and whole minutes every pace is an artefact */
    return judge_paces(a, err);
}

const struct audit_check audit_bots = {
    .name = "bots",
    .looks = "users far beyond the others, more than 600 events an hour, awake for more than 20 hours, even intervals",
    .rule = "volume: events above exp(median + 5 deviations) of their logarithm, the deviation by 1.4826 times the "
            "median absolute one (at least log 2) so that the odd ones do not move the bar, and over 200: info, since "
            "some people are like that, and a warning when a few (5, or one in a thousand) have 10 % of all events. "
            "Pace, as `bots drop` judges it: over 600 events within 60 minutes, or in over 20 hours of one day; "
            "clockwork is a median deviation of 30 or more intervals under 5 % of the median: a warning, serious with "
            "10 % of all events. Where one user in ten is like that, the key is not a person's: a warning",
    .fine = "nobody acts like a program",
    .needs = NEED_COUNTS | NEED_RUNS | NEED_TIMES,
    .run = check_bots,
};

/* ---- funnel ---- */

enum stage { STAGE_NONE, STAGE_VIEW, STAGE_BUY };

static enum stage stage_of(const char *type)
{
    static const char *const views[] = {"view",  "views",  "pageview", "page_view", "product_view",
                                        "click", "detail", "open",     "visit",     "pv"};
    for (size_t i = 0; i < sizeof views / sizeof *views; i++)
        if (text_same(type, views[i]))
            return STAGE_VIEW;
    return type_buys(type) ? STAGE_BUY : STAGE_NONE;
}

struct funnel_tally {
    uint32_t *viewed; /* of an item: the user who viewed it up to now */
    uint32_t *ever;   /* ... or at any time */
    uint64_t buys, unseen, early;
    char apart[64];
};

struct funnel {
    const struct dataset *data;
    const enum stage *stage;
    struct funnel_tally *tallies;
};

static void walk_funnel(void *context, size_t block, size_t first, size_t last)
{
    const struct funnel *w = context;
    const struct events *e = &w->data->events;
    struct funnel_tally *t = &w->tallies[parallel_thread()];
    (void)block;
    for (size_t u = first; u < last; u++) {
        size_t begin = w->data->user_begin[u], end = w->data->user_begin[u + 1];
        for (size_t k = begin; k < end; k++)
            if (w->stage[e->type[k]] == STAGE_VIEW)
                t->ever[e->item[k]] = (uint32_t)u;
        for (size_t k = begin, next; k < end; k = next) {
            for (next = k; next < end && (!e->time || e->time[next] == e->time[k]); next++)
                if (w->stage[e->type[next]] == STAGE_VIEW)
                    t->viewed[e->item[next]] = (uint32_t)u;
            for (size_t i = k; i < next; i++) {
                if (w->stage[e->type[i]] != STAGE_BUY)
                    continue;
                bool known = t->viewed[e->item[i]] == u;
                t->buys++;
                t->unseen += !known;
                t->early += !known && t->ever[e->item[i]] == u;
            }
        }
    }
}

static void put_stage(struct str *out, const struct dataset *d, const enum stage *stage, enum stage which)
{
    size_t n = 0;
    str_putc(out, '(');
    for (uint32_t t = 0; t < d->types.n; t++) {
        if (stage[t] != which)
            continue;
        str_puts(out, n++ ? ", " : "");
        put_sql_text(out, dict_text(&d->types, t));
    }
    str_putc(out, ')');
}

enum { LEAST_BUYS = 20 };

static void judge_funnel(struct audit *a, const struct funnel *w, const struct funnel_tally *sum)
{
    const char *by_time = a->data->events.time ? " AND v.time <= p.time" : "";
    struct str views = {0}, buys = {0};
    if (!sum->unseen)
        return;
    put_stage(&views, a->data, w->stage, STAGE_VIEW);
    put_stage(&buys, a->data, w->stage, STAGE_BUY);
    double share = (double)sum->unseen / (double)sum->buys, early = (double)sum->early / (double)sum->buys;
    struct finding *f =
        audit_find(a, severity_of(sum->buys < LEAST_BUYS ? 0 : share, .2, .8),
                   "%s of the purchases (%s) come without an earlier view of the item by the user%s%s%s",
                   SHARE(sum->unseen, sum->buys), COUNT(sum->unseen), early >= .01 ? "; " : "",
                   early >= .01 ? SHARE(sum->early, sum->buys) : "",
                   early >= .01 ? " are viewed only after they were bought: do the clocks of both agree?" : "");
    finding_evidence(f, sum->unseen,
                     "SELECT * FROM events p WHERE p.type IN %s AND NOT EXISTS (SELECT 1 FROM events v WHERE v.user = "
                     "p.user AND v.item = p.item AND v.type IN %s%s)",
                     str_text(&buys), str_text(&views), by_time);
    str_free(&views);
    str_free(&buys);
}

static enum status walk_all(struct audit *a, struct funnel *w, struct error *err)
{
    enum { USERS_A_BLOCK = 1024 };
    const struct dataset *d = a->data;
    int threads = parallel_threads();
    enum status st = ST_OK;
    w->tallies = mem_new((size_t)threads, sizeof *w->tallies, "the funnel", err);
    if (!w->tallies)
        return ST_NOMEM;
    for (int i = 0; i < threads && !st; i++) {
        w->tallies[i].viewed = mem_new_raw(d->items.n, 2 * sizeof *w->tallies[i].viewed, "marks of items", err);
        st = w->tallies[i].viewed ? ST_OK : ST_NOMEM;
        if (st)
            break;
        w->tallies[i].ever = w->tallies[i].viewed + d->items.n;
        memset(w->tallies[i].viewed, 0xff, 2 * (size_t)d->items.n * sizeof *w->tallies[i].viewed);
    }
    if (!st)
        parallel_blocks(d->users.n, USERS_A_BLOCK, walk_funnel, w);
    for (int i = 1; i < threads && !st; i++) {
        w->tallies[0].buys += w->tallies[i].buys;
        w->tallies[0].unseen += w->tallies[i].unseen;
        w->tallies[0].early += w->tallies[i].early;
    }
    if (!st)
        judge_funnel(a, w, &w->tallies[0]);
    for (int i = 0; i < threads; i++)
        mem_free(w->tallies[i].viewed);
    mem_free(w->tallies);
    return st;
}

static enum status check_funnel(struct audit *a, struct error *err)
{
    const struct dataset *d = a->data;
    bool views = false, buys = false;
    enum status st = ST_OK;
    enum stage *stage = mem_new(d->types.n, sizeof *stage, "stages of the funnel", err);
    if (!stage)
        return ST_NOMEM;
    for (uint32_t t = 0; t < d->types.n; t++) {
        stage[t] = stage_of(dict_text(&d->types, t));
        views |= stage[t] == STAGE_VIEW;
        buys |= stage[t] == STAGE_BUY;
    }
    struct funnel w = {.data = d, .stage = stage};
    if (views && buys)
        st = walk_all(a, &w, err);
    else
        audit_find(a, SEVERITY_OK, "no funnel: there are no types for both a view (or click) and a purchase");
    mem_free(stage);
    return st;
}

const struct audit_check audit_funnel = {
    .name = "funnel",
    .looks = "purchases of what the user has not viewed or clicked before",
    .rule = "by type names (view, click, ...; purchase, transaction, order, ...). Info, a warning from 20 % of at "
            "least 20 purchases, serious from 80 %: some views lie before the log begins or are blocked, but when most "
            "are missing the two do not share their user ids or clocks",
    .fine = "purchases come after a view of the item",
    .run = check_funnel,
};
