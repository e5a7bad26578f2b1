/* A world fitted to a log.
 *
 * visits      Poisson, each user at a rate of their own (measure.h), up or down with the pleasure of the last visit as
 * far as the log shows such an effect within users slates      as many a visit as the log shows, else as many as its
 * clicks need clicks      position k is looked at with probability k^-decay; what is looked at is clicked with
 * probability
 *
 *                 a(u, i) = logistic(level + taste * z(u, i) + fame * log popularity(i)),   times `again` for what u
 * had before
 *
 *             z is the standardised score of a factorization (iALS) of all events but each user's last; taste and fame
 * are a logistic regression of those last events against items at random, and level makes slates drawn by popularity
 * get the click rate of the log (fitted_taste.c) purchases   as often a click as in the log, whatever the item; at the
 * item's price
 *
 * Nobody's taste drifts, nobody leaves for good, and nobody tires of seeing an item. What a log without impressions
 * cannot say (click rate, position bias) is assumed, and said to be. */
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "sim/fitted.h"
#include "sim/measure.h"

enum { MOST_SLATES = 5 };
#define ASSUMED_CTR   .05
#define ASSUMED_DECAY .5

/* ---- guests ---- */

enum status fitted_guest_new(const struct environment *e, struct guest **out, struct error *err)
{
    struct guest *g = mem_new(1, sizeof *g, "guest", err);
    if (!g)
        return ST_NOMEM;
    g->score = mem_new_raw(e->data->items.n, sizeof *g->score, "tastes", err);
    g->attraction = mem_new_raw(e->data->items.n, sizeof *g->attraction, "tastes", err);
    if (g->score && g->attraction) {
        *out = g;
        return ST_OK;
    }
    mem_free(g->score);
    mem_free(g->attraction);
    mem_free(g);
    return ST_NOMEM;
}

void fitted_guest_free(struct guest *g)
{
    if (!g)
        return;
    history_clear(&g->history);
    mem_free(g->score);
    mem_free(g->attraction);
    mem_free(g);
}

double fitted_odds(const struct fitted *f, const float *score, uint32_t item)
{
    return f->slope * ((double)score[item] - f->mean) / f->deviation + f->fame_slope * (double)f->fame[item];
}

enum status fitted_score(const struct fitted *f, struct guest *g, const struct selection *s, uint32_t user,
                              struct error *err)
{
    history_clear(&g->history);
    enum status st = history_of_user(s, user, &g->history, err);
    struct query q = history_query(&g->history);
    return st ? st : model_score(f->taste, &q, 1, g->score, err);
}

static enum status arrive(const struct environment *e, struct guest *g, uint32_t user, struct error *err)
{
    const struct fitted *f = e->state;
    struct selection all = everything(f->d);
    enum status st = fitted_score(f, g, &all, user, err);
    if (st)
        return st;
    for (uint32_t i = 0; i < f->d->items.n; i++)
        g->attraction[i] = (float)logistic(f->level + fitted_odds(f, g->score, i));
    struct query_item *had = mem_new(g->history.n + 1, sizeof *had, "items of a history", err);
    if (!had)
        return ST_NOMEM;
    struct query q = history_query(&g->history);
    size_t n = query_items(&q, had);
    for (size_t k = 0; k < n; k++)
        g->attraction[had[k].item] *= (float)f->again;
    mem_free(had);
    g->rate = f->user_rate[user];
    g->mood = 0;
    return ST_OK;
}

static unsigned visits(const struct environment *e, struct guest *g, uint32_t day, struct rng *r)
{
    (void)e;
    (void)day;
    double rate = g->rate * exp(g->mood), u = rng_real(r), p = exp(-rate), below = p;
    unsigned n = 0;
    while (u >= below && n < 8)
        below += p *= rate / ++n;
    return n;
}

static unsigned slates(const struct environment *e, struct guest *g, struct rng *r)
{
    const struct fitted *f = e->state;
    double stay = 1 - 1 / f->slates;
    unsigned n = 1;
    (void)g;
    while (n < 20 && rng_real(r) < stay)
        n++;
    return n;
}

static void browse(const struct environment *e, struct guest *g, const uint32_t *item, unsigned n, uint32_t day,
                   struct rng *r, struct response *response)
{
    const struct fitted *f = e->state;
    (void)day;
    for (unsigned k = 0; k < n; k++) {
        double look = rng_real(r), buy = rng_real(r), cart = rng_real(r);
        response[k] = (struct response){.click = look < f->examined[k] * (double)g->attraction[item[k]]};
        if (!response[k].click)
            continue;
        response[k].quantity = buy < f->buy;
        response[k].cart = response[k].quantity || cart < f->cart;
        g->attraction[item[k]] *= (float)f->again;
    }
}

static void leave(const struct environment *e, struct guest *g, unsigned n, unsigned clicks, struct rng *r)
{
    const struct fitted *f = e->state;
    (void)n;
    (void)r;
    g->mood = f->return_gain * (log1p(clicks) - f->pleasure);
}

static void attraction(const struct environment *e, struct guest *g, uint32_t day, float *out)
{
    (void)day;
    memcpy(out, g->attraction, e->data->items.n * sizeof *out);
}

static void fitted_free(struct environment *e)
{
    struct fitted *f = e->state;
    model_release(f->taste);
    mem_free(f->fame);
    mem_free(f->cumulative);
    mem_free(f->user_rate);
    mem_free(f);
}

static const struct environment_class fitted_class = {
    .name = "fitted",
    .guest_new = fitted_guest_new,
    .guest_free = fitted_guest_free,
    .arrive = arrive,
    .visits = visits,
    .slates = slates,
    .browse = browse,
    .leave = leave,
    .attraction = attraction,
    .free = fitted_free,
};

/* ---- fitting ---- */

/* Popularity of items, and how often one comes back to the same item. */
static enum status measure_items(struct fitted *f, struct error *err)
{
    struct selection all = everything(f->d);
    struct interactions x = {0};
    uint32_t n = f->d->items.n;
    f->fame = mem_new(n, sizeof *f->fame, "popularity", err);
    f->cumulative = mem_new(n, sizeof *f->cumulative, "popularity", err);
    if (!f->fame || !f->cumulative)
        return ST_NOMEM;
    enum status st = interactions_build(&all, &x, err);
    if (st)
        return st;
    size_t pairs = csr_count(&x.matrix);
    for (size_t k = 0; k < pairs; k++)
        f->cumulative[x.matrix.index[k]]++;
    double mean = 0, sum = 0;
    for (uint32_t i = 0; i < n; i++)
        mean += log1p(f->cumulative[i]) / n;
    for (uint32_t i = 0; i < n; i++) {
        f->fame[i] = (float)(log1p(f->cumulative[i]) - mean);
        f->cumulative[i] = sum += f->cumulative[i];
    }
    /* Repeats among events, against what they would be if having had an item made no difference to wanting it: a lower
     * bound of 2 % keeps a log that forbids repeats from making them impossible. */
    f->again = x.events ? fmax(.02, 1 - (double)pairs / (double)x.events) : .02;
    interactions_clear(&x);
    return ST_OK;
}

static uint64_t count_type(const struct dataset *d, uint16_t type)
{
    uint64_t n = 0;
    for (size_t e = 0; e < d->events.n; e++)
        n += d->events.type[e] == type;
    return n;
}

static void fit_funnel(struct environment *e, struct fitted *f)
{
    double clicks = (double)count_type(f->d, e->click);
    if (e->purchase != e->click)
        f->buy = fmin(1, (double)count_type(f->d, e->purchase) / clicks);
    else if (strcmp(dict_text(&f->d->types, e->click), "purchase") == 0)
        f->buy = 1;
    if (e->cart != e->click)
        f->cart = fmin(1, (double)count_type(f->d, e->cart) / clicks);
    e->purchases = f->buy > 0;
}

static enum status fit_visits(struct environment *e, const struct fit_options *o, struct error *err)
{
    struct fitted *f = e->state;
    struct exposure seen;
    struct visits v = {0};
    enum status st = measure_exposure(f->d, e->click, &seen, err);
    if (!st)
        st = measure_visits(f->d, &v, err);
    if (st == ST_UNSUPPORTED)
        error_hint(err, "say how many visits a user makes a day: visits=0.2");
    if (st == ST_UNSUPPORTED && !isnan(o->visits)) {
        v = (struct visits){.rate = o->visits, .per_visit = 1};
        v.user_rate = mem_new(f->d->users.n, sizeof *v.user_rate, "rates of visits", err);
        st = v.user_rate ? ST_OK : ST_NOMEM;
        for (uint32_t u = 0; !st && u < f->d->users.n; u++)
            v.user_rate[u] = o->visits;
    }
    if (st)
        return st;
    for (uint32_t u = 0; u < f->d->users.n && !isnan(o->visits); u++)
        v.user_rate[u] *= o->visits / v.rate;
    f->user_rate = v.user_rate;
    f->return_gain = v.return_gain;
    f->ctr = !isnan(o->ctr) ? o->ctr : !isnan(seen.ctr) ? fmin(.9, seen.ctr) : ASSUMED_CTR;
    f->decay = !isnan(o->decay) ? o->decay : !isnan(seen.decay) ? seen.decay : ASSUMED_DECAY;
    f->slates = (isnan(seen.length) ? v.per_visit / f->ctr : seen.length) / o->slate;
    f->slates = fmin(MOST_SLATES, fmax(1, f->slates));
    f->pleasure = log1p(f->ctr * o->slate * f->slates);
    for (unsigned k = 0; k < MAX_SLATE; k++)
        f->examined[k] = pow(k + 1, -f->decay);
    environment_note(e, "visits: %.3g a user a day, %s; a visit looks through %.2g slates",
                     isnan(o->visits) ? v.rate : o->visits,
                     isnan(o->visits) ? "each user at a rate of their own, as in the log" : "as you said", f->slates);
    environment_note(e, "click rate %.3g (%s), position bias k^-%.2g (%s)", f->ctr,
                     !isnan(o->ctr)     ? "as you said"
                     : !isnan(seen.ctr) ? "as in the log"
                                        : "assumed: the log does not say what was shown",
                     f->decay,
                     !isnan(o->decay)     ? "as you said"
                     : !isnan(seen.decay) ? "from clicks by position, not corrected for what stood there"
                                          : "assumed: the log has no positions");
    if (v.return_gain > 0)
        environment_note(
            e,
            "after visits with more clicks people of this log come back sooner (elasticity %.2g); a correlation, taken "
            "for a cause",
            v.return_gain);
    else
        environment_note(
            e,
            "the log shows no sooner return after visits with more clicks, so no policy changes how often people come");
    return ST_OK;
}

enum status environment_fit(struct dataset *d, const struct fit_options *o, struct job *job, struct environment **out,
                            struct error *err)
{
    struct environment *e = NULL;
    enum status st = environment_new(&fitted_class, d, &e, err);
    if (st)
        return st;
    struct fitted *f = e->state = mem_new(1, sizeof *f, "fitted world", err);
    if (!f) {
        environment_free(e);
        return ST_NOMEM;
    }
    f->d = d;
    environment_note(e,
                     "the world is fitted to this data: tastes come from a factorization (ials, %d factors), which "
                     "favours models like it",
                     (int)TASTE_FACTORS);
    st = d->events.n && d->items.n ? fit_visits(e, o, err) : error_set(err, ST_STATE, "the data has no events");
    if (!st)
        st = measure_items(f, err);
    if (!st)
        st = fitted_taste(e, o, job, err);
    if (!st) {
        fit_funnel(e, f);
        environment_note(e,
                         "clicks: odds grow %.2f-fold a standard deviation of taste, %.2f-fold with each doubling of "
                         "popularity; what "
                         "one has had already is %.2g times as attractive",
                         exp(f->slope), pow(2, f->fame_slope), f->again);
    }
    if (st)
        environment_free(e);
    else
        *out = e;
    return st;
}
