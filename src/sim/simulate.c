#include "sim/simulate.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "base/parallel.h"

enum { BLOCK = 16 }; /* people a block: sums are taken block by block, in order */

/* What a thread works with. */
struct desk {
    struct guest *guest;
    struct history history;
    float *scores, *shown_scores; /* as the policy said; with what this visit has shown taken out */
};

struct run {
    const struct environment *e;
    const struct policy *policy;
    const struct sim_spec *spec;
    struct job *job;
    struct selection all;
    const uint32_t *person;    /* spec->users: who in the data */
    struct desk *desk;         /* one a thread */
    struct sim_totals *totals; /* of this policy */
    struct sim_day *day;       /* [block * days + day] */
    enum status *status;       /* a block */
    struct error *error;
};

/* One person's visits under the policy of the run. */
struct stay {
    struct run *run;
    struct desk *desk;
    struct sim_totals *total;
    uint32_t person, today;
    struct sim_totals so_far; /* of today */
    int64_t clock;            /* us; NO_TIME */
    bool fresh;               /* scores fit the history as it is now */
};

/* ---- slates ---- */

static void random_scores(const struct stay *s, unsigned visit, unsigned slate, size_t n, float *scores)
{
    uint64_t index = (((uint64_t)s->person << 16 | s->today) << 4 | visit) << 8 | slate;
    struct rng r = rng_stream(s->run->spec->seed, "random policy", index);
    for (size_t i = 0; i < n; i++)
        scores[i] = (float)rng_real(&r);
}

static enum status policy_scores(struct stay *s, unsigned visit, unsigned slate, struct error *err)
{
    const struct run *run = s->run;
    struct desk *desk = s->desk;
    size_t n = run->e->data->items.n;
    if (s->fresh && run->policy->kind != POLICY_RANDOM)
        return ST_OK;
    s->fresh = true;
    desk->history.as_of = s->clock;
    history_age(&desk->history, run->e->data, s->clock);
    struct query q = history_query(&desk->history);
    if (run->policy->kind == POLICY_MODEL)
        return rank_scores(run->policy->model, &q, run->spec->seen, desk->scores, err);
    if (run->policy->kind == POLICY_RANDOM)
        random_scores(s, visit, slate, n, desk->scores);
    else
        run->e->class->attraction(run->e, desk->guest, s->today, desk->scores);
    if (run->spec->seen == SEEN_HIDE)
        rank_hide(&q, desk->scores);
    return ST_OK;
}

/* The best that this visit has not shown yet; marks them as shown. */
static unsigned take_slate(struct stay *s, const uint32_t *shown, unsigned nshown, uint32_t *item)
{
    struct scored best[MAX_SLATE];
    struct desk *desk = s->desk;
    size_t n = s->run->e->data->items.n;
    const float *scores = desk->scores;
    if (nshown) {
        memcpy(desk->shown_scores, scores, n * sizeof *scores);
        for (unsigned k = 0; k < nshown; k++)
            desk->shown_scores[shown[k]] = -INFINITY;
        scores = desk->shown_scores;
    }
    unsigned got = (unsigned)topk(scores, n, s->run->spec->slate, best);
    for (unsigned k = 0; k < got; k++)
        item[k] = best[k].index;
    return got;
}

/* ---- what people do ---- */

static enum status remember(struct stay *s, uint32_t item, uint16_t type, struct error *err)
{
    struct history *h = &s->desk->history;
    float weight = s->run->e->data->type_weight[type];
    if (!(weight > 0))
        return ST_OK;
    enum status st = mem_grow(&h->events, &h->capacity, h->n + 1, sizeof *h->events, err);
    if (st)
        return st;
    h->events[h->n++] = (struct query_event){
        .item = item, .type = type, .value = NAN, .weight = weight, .time = s->clock, .event = UINT64_MAX};
    s->fresh = false;
    return ST_OK;
}

static enum status account(struct stay *s, const uint32_t *item, unsigned n, const struct response *response,
                           struct error *err)
{
    const struct environment *e = s->run->e;
    enum status st = ST_OK;
    s->so_far.impressions += n;
    for (unsigned k = 0; k < n && !st; k++) {
        const struct response *a = &response[k];
        if (!a->click)
            continue;
        s->so_far.clicks++;
        st = remember(s, item[k], e->click, err);
        if (a->cart && e->cart != e->click && !st)
            st = remember(s, item[k], e->cart, err);
        if (!a->quantity || st)
            continue;
        s->so_far.purchases++;
        if (e->price && !isnan(e->price[item[k]]))
            s->so_far.revenue += a->quantity * (double)e->price[item[k]];
        if (e->purchase != e->click)
            st = remember(s, item[k], e->purchase, err);
    }
    return st;
}

enum { VISIT_SLATES = 20, US_PER_MINUTE = 60 * 1000000 };

static enum status visit(struct stay *s, unsigned nth, struct error *err)
{
    const struct environment *e = s->run->e;
    struct rng r = rng_stream(s->run->spec->seed, "simulated visit", ((uint64_t)s->person << 20 | s->today) << 4 | nth);
    uint32_t shown[VISIT_SLATES * MAX_SLATE];
    unsigned slates = e->class->slates(e, s->desk->guest, &r), nshown = 0, browsed = 0;
    double clicks = s->so_far.clicks;
    if (slates > VISIT_SLATES)
        slates = VISIT_SLATES;
    while (browsed < slates) {
        struct response response[MAX_SLATE];
        enum status st = policy_scores(s, nth, browsed, err);
        if (st)
            return st;
        unsigned n = take_slate(s, shown, nshown, shown + nshown);
        if (!n)
            break; /* nothing left to show */
        e->class->browse(e, s->desk->guest, shown + nshown, n, s->today, &r, response);
        st = account(s, shown + nshown, n, response, err);
        if (st)
            return st;
        nshown += n;
        browsed++;
        if (s->clock != NO_TIME)
            s->clock += US_PER_MINUTE;
    }
    s->so_far.visits++;
    if (browsed)
        e->class->leave(e, s->desk->guest, browsed, (unsigned)(s->so_far.clicks - clicks), &r);
    return ST_OK;
}

static void close_day(struct stay *s, struct sim_day *d)
{
    const struct sim_totals *t = &s->so_far;
    struct sim_totals *total = s->total;
    bool active = t->visits > 0;
    total->visits += t->visits;
    total->active_days += active;
    total->impressions += t->impressions;
    total->clicks += t->clicks;
    total->purchases += t->purchases;
    total->revenue += t->revenue;
    d->active += active;
    d->impressions += t->impressions;
    d->clicks += t->clicks;
    d->purchases += t->purchases;
    d->revenue += t->revenue;
    d->impressions2 += t->impressions * t->impressions;
    d->clicks2 += t->clicks * t->clicks;
    d->impressions_clicks += t->impressions * t->clicks;
    d->purchases2 += t->purchases * t->purchases;
    d->revenue2 += t->revenue * t->revenue;
}

static enum status live(struct run *run, struct desk *desk, uint32_t person, struct sim_day *day, struct error *err)
{
    const struct environment *e = run->e;
    struct stay s = {.run = run, .desk = desk, .total = &run->totals[person], .person = person};
    enum { NOON_ISH = 11 };
    history_clear(&desk->history);
    enum status st = history_of_user(&run->all, run->person[person], &desk->history, err);
    if (!st)
        st = e->class->arrive(e, desk->guest, run->person[person], err);
    for (s.today = 0; s.today < run->spec->days && !st; s.today++) {
        struct rng r = rng_stream(run->spec->seed, "simulated day", (uint64_t)person << 20 | s.today);
        unsigned visits = e->class->visits(e, desk->guest, s.today, &r);
        s.so_far = (struct sim_totals){0};
        s.fresh = false; /* tastes have drifted, and models may look at the clock */
        for (unsigned k = 0; k < visits && k < 12 && !st; k++) {
            s.clock = e->start == NO_TIME
                          ? NO_TIME
                          : e->start + s.today * US_PER_DAY + (NOON_ISH + k) * 60 * (int64_t)US_PER_MINUTE;
            st = visit(&s, k, err);
        }
        close_day(&s, &day[s.today]);
    }
    return st;
}

/* ---- all people ---- */

static void live_block(void *context, size_t block, size_t begin, size_t end)
{
    struct run *run = context;
    struct desk *desk = &run->desk[parallel_thread()];
    struct sim_day *day = run->day + block * run->spec->days;
    for (size_t person = begin; person < end && !run->status[block]; person++) {
        run->status[block] = job_check(run->job, &run->error[block]);
        if (!run->status[block])
            run->status[block] = live(run, desk, (uint32_t)person, day, &run->error[block]);
        job_step(run->job, 1);
    }
}

static void add_day(struct sim_day *sum, const struct sim_day *d)
{
    sum->active += d->active;
    sum->impressions += d->impressions;
    sum->clicks += d->clicks;
    sum->purchases += d->purchases;
    sum->revenue += d->revenue;
    sum->impressions2 += d->impressions2;
    sum->clicks2 += d->clicks2;
    sum->impressions_clicks += d->impressions_clicks;
    sum->purchases2 += d->purchases2;
    sum->revenue2 += d->revenue2;
}

static enum status run_policy(struct run *run, struct sim_day *out, struct error *err)
{
    size_t blocks = parallel_count(run->spec->users, BLOCK), days = run->spec->days;
    memset(run->day, 0, blocks * days * sizeof *run->day);
    job_begin(run->job, run->spec->users, "users", "simulating %s", run->policy->name);
    parallel_blocks(run->spec->users, BLOCK, live_block, run);
    for (size_t b = 0; b < blocks; b++) {
        if (run->status[b]) {
            if (err)
                *err = run->error[b];
            return run->status[b];
        }
        for (size_t d = 0; d < days; d++)
            add_day(&out[d], &run->day[b * days + d]);
    }
    return ST_OK;
}

/* Who takes part: a random choice, all of them as often as need be before anyone comes once more. */
static uint32_t *choose(const struct dataset *d, const struct sim_spec *spec, struct error *err)
{
    uint32_t n = d->users.n, *order = mem_new_raw(n, sizeof *order, "people", err);
    uint32_t *person = mem_new_raw(spec->users, sizeof *person, "people", err);
    if (order && person) {
        struct rng r = rng_stream(spec->seed, "simulated people", 0);
        for (uint32_t u = 0; u < n; u++)
            order[u] = u;
        rng_shuffle(&r, order, n);
        for (uint32_t k = 0; k < spec->users; k++)
            person[k] = order[k % n];
        mem_free(order);
        return person;
    }
    mem_free(order);
    mem_free(person);
    return NULL;
}

static enum status open_desk(const struct environment *e, struct desk *desk, struct error *err)
{
    size_t n = e->data->items.n;
    desk->scores = mem_new_raw(n, sizeof *desk->scores, "scores", err);
    desk->shown_scores = mem_new_raw(n, sizeof *desk->shown_scores, "scores", err);
    return desk->scores && desk->shown_scores ? e->class->guest_new(e, &desk->guest, err) : ST_NOMEM;
}

static void close_desk(const struct environment *e, struct desk *desk)
{
    mem_free(desk->scores);
    mem_free(desk->shown_scores);
    history_clear(&desk->history);
    e->class->guest_free(desk->guest);
}

static enum status check_spec(const struct environment *e, const struct policy *policies, size_t n,
                              const struct sim_spec *spec, struct error *err)
{
    if (!n || !spec->users || !spec->days || !spec->slate || spec->slate > MAX_SLATE || spec->days >= 1u << 16)
        return error_set(err, ST_USAGE,
                         "a simulation needs policies, users, days (below 65536) and slates of 1 to %d items",
                         MAX_SLATE);
    for (size_t k = 0; k < n; k++)
        if (policies[k].model && policies[k].model->nitems != e->data->items.n)
            return error_set(err, ST_STATE, "model %s was trained on other data", policies[k].name);
    return e->data->users.n ? ST_OK : error_set(err, ST_STATE, "the data has no users");
}

static enum status outcome_new(const struct environment *e, const struct sim_spec *spec, size_t npolicies,
                               struct sim_outcome **out, struct error *err)
{
    struct sim_outcome *o = mem_new(1, sizeof *o, "outcome", err);
    if (!o)
        return ST_NOMEM;
    o->spec = *spec;
    o->npolicies = npolicies;
    o->purchases = e->purchases;
    o->revenue = e->purchases && e->price;
    o->start = e->start;
    o->totals = mem_new(npolicies * spec->users, sizeof *o->totals, "outcome by user", err);
    o->day = mem_new(npolicies * spec->days, sizeof *o->day, "outcome by day", err);
    if (o->totals && o->day) {
        *out = o;
        return ST_OK;
    }
    sim_outcome_free(o);
    return ST_NOMEM;
}

enum status simulate(const struct environment *e, const struct policy *policies, size_t npolicies,
                     const struct sim_spec *spec, struct job *job, struct sim_outcome **out, struct error *err)
{
    size_t threads = (size_t)parallel_threads(), blocks = parallel_count(spec->users, BLOCK), open = 0;
    struct run run = {.e = e, .spec = spec, .job = job};
    run.all = (struct selection){.data = e->data, .parts = PART_TRAIN, .until = NO_TIME, .hides = spec->hides};
    struct sim_outcome *o = NULL;
    uint32_t *person = NULL;
    enum status st = check_spec(e, policies, npolicies, spec, err);
    if (!st)
        st = outcome_new(e, spec, npolicies, &o, err);
    if (st)
        return st;
    run.person = person = choose(e->data, spec, err);
    run.desk = mem_new(threads, sizeof *run.desk, "simulator", err);
    run.day = mem_new(blocks * spec->days, sizeof *run.day, "days of the simulation", err);
    run.status = mem_new(blocks, sizeof *run.status, "simulator", err);
    run.error = mem_new(blocks, sizeof *run.error, "simulator", err);
    if (!person || !run.desk || !run.day || !run.status || !run.error)
        st = ST_NOMEM;
    while (open < threads && !st)
        st = open_desk(e, &run.desk[open++], err);
    for (size_t p = 0; p < npolicies && !st; p++) {
        run.policy = &policies[p];
        run.totals = o->totals + p * spec->users;
        st = run_policy(&run, o->day + p * spec->days, err);
    }
    while (open)
        close_desk(e, &run.desk[--open]);
    mem_free(person);
    mem_free(run.desk);
    mem_free(run.day);
    mem_free(run.status);
    mem_free(run.error);
    if (st)
        sim_outcome_free(o);
    else
        *out = o;
    return st;
}

void sim_outcome_free(struct sim_outcome *o)
{
    if (!o)
        return;
    mem_free(o->totals);
    mem_free(o->day);
    mem_free(o);
}
