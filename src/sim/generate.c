#include "sim/generate.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/parallel.h"

const char *const log_type_names[LOG_TYPES] = {"impression", "click", "cart", "purchase"};

void log_clear(struct log *l)
{
    mem_free(l->row);
    memset(l, 0, sizeof *l);
}

/* One life being written down. */
struct diary {
    const struct world *w;
    struct shopper *s;
    struct log *out;
    bool impressions;
    int64_t clock; /* seconds: nothing happens before */
    uint8_t device;
};

/* Four significant digits: what a file would hold, and a division that gives the very number its text reads back to. */
static double four_digits(double p)
{
    double scale = pow(10, 3 - floor(log10(p)));
    return round(p * scale) / scale;
}

static struct log_row *put(struct diary *d, enum log_type type, const struct slate *slate, unsigned k, int64_t time)
{
    struct log_row *row = &d->out->row[d->out->n++];
    bool shown = type == LOG_IMPRESSION;
    *row = (struct log_row){
        .user = d->s->user,
        .item = slate->item[k],
        .time = time,
        .session = d->out->sessions,
        .slate = d->out->slates,
        .propensity = shown ? four_digits(slate->propensity[k]) : NAN,
        .price = shown ? NAN : d->w->item[slate->item[k]].price,
        .type = (uint8_t)type,
        .position = (uint8_t)(k + 1),
        .page = (uint8_t)slate->page,
        .device = d->device,
        .country = d->s->country,
    };
    return row;
}

/* One slate and what came of it; returns the clicks. */
static enum status write_slate(struct diary *d, uint32_t day, struct rng *shop, struct rng *mind, unsigned *clicks,
                               struct error *err)
{
    struct slate slate;
    struct response response[MAX_SLATE];
    world_log_slate(d->w, shopper_page(d->w, d->s, shop), day, shop, &slate);
    shopper_browse(d->w, d->s, &slate, day, mind, response);
    /* at most an impression, a click, a cart and a purchase each */
    enum status st =
        mem_grow(&d->out->row, &d->out->capacity, d->out->n + 4 * (size_t)slate.n, sizeof *d->out->row, err);
    if (st)
        return st;
    for (unsigned k = 0; k < slate.n && d->impressions; k++)
        put(d, LOG_IMPRESSION, &slate, k, d->clock);
    for (unsigned k = 0; k < slate.n; k++) {
        if (!response[k].click)
            continue;
        ++*clicks;
        d->clock += 3 + (int64_t)rng_below(shop, 25);
        put(d, LOG_CLICK, &slate, k, d->clock);
        if (response[k].cart) {
            d->clock += 8 + (int64_t)rng_below(shop, 60);
            put(d, LOG_CART, &slate, k, d->clock);
        }
        if (response[k].quantity) {
            d->clock += 20 + (int64_t)rng_below(shop, 120);
            put(d, LOG_PURCHASE, &slate, k, d->clock)->quantity = response[k].quantity;
        }
    }
    d->clock += 10 + (int64_t)rng_below(shop, 40);
    d->out->slates++;
    return ST_OK;
}

/* Start of a session: around the shopper's favourite hour, never before the last one has ended. */
static int64_t session_start(const struct diary *d, uint32_t day, struct rng *r)
{
    double hour = fmod((double)d->s->hour + 1.5 * rng_normal(r) + 48, 24);
    int64_t start = (d->w->spec.start / US_PER_DAY + day) * 86400 + (int64_t)(hour * 3600);
    return start > d->clock + 2700 ? start : d->clock + 2700;
}

static enum status write_session(struct diary *d, uint32_t day, unsigned session, struct error *err)
{
    struct rng shop = shopper_session_stream(d->w, d->s->user, day, session, "shop");
    struct rng mind = shopper_session_stream(d->w, d->s->user, day, session, "mind");
    unsigned slates = shopper_slates(d->w, &shop), clicks = 0;
    d->clock = session_start(d, day, &shop);
    d->device = rng_real(&shop) < .8 ? d->s->device : (uint8_t)rng_below(&shop, DEVICES);
    for (unsigned k = 0; k < slates; k++) {
        enum status st = write_slate(d, day, &shop, &mind, &clicks, err);
        if (st)
            return st;
    }
    shopper_leave(d->w, d->s, slates, clicks, &mind);
    d->out->sessions++;
    return ST_OK;
}

enum status log_life(const struct world *w, struct shopper *s, uint32_t user, bool impressions, struct log *out,
                     struct error *err)
{
    struct diary d = {.w = w, .s = s, .out = out, .impressions = impressions};
    shopper_born(w, s, user);
    for (uint32_t day = s->joins; day < w->spec.days && !s->left; day++) {
        struct rng r = shopper_day_stream(w, user, day);
        shopper_wake(w, s, day, &r);
        unsigned sessions = shopper_sessions(w, s, day, &r);
        for (unsigned k = 0; k < sessions && !s->left; k++) {
            enum status st = write_session(&d, day, k, err);
            if (st)
                return st;
        }
    }
    return ST_OK;
}

/* ---- all lives ---- */

struct factory {
    const struct world *w;
    const struct log_sink *sink;
    bool impressions;
    size_t first; /* block in slot 0 */
    struct log block[LOG_SLOTS];
    struct shopper *shopper; /* one a thread */
    enum status status[LOG_SLOTS];
    struct error error[LOG_SLOTS];
};

static void make_block(void *context, size_t slot, size_t begin, size_t end)
{
    struct factory *f = context;
    struct shopper *s = &f->shopper[parallel_thread()];
    struct log *block = &f->block[slot];
    (void)begin;
    (void)end;
    block->n = 0;
    block->sessions = block->slates = 0;
    uint64_t user = (uint64_t)(f->first + slot) * LOG_BLOCK_USERS, last = user + LOG_BLOCK_USERS;
    f->status[slot] = ST_OK;
    for (; user < last && user < f->w->spec.users && !f->status[slot]; user++)
        f->status[slot] = log_life(f->w, s, (uint32_t)user, f->impressions, block, &f->error[slot]);
}

static void prepare_block(void *context, size_t slot, size_t begin, size_t end)
{
    struct factory *f = context;
    (void)begin;
    (void)end;
    f->status[slot] = f->sink->prepare(f->sink->context, slot, &f->block[slot], &f->error[slot]);
}

static enum status first_failure(const struct factory *f, size_t n, struct error *err)
{
    for (size_t slot = 0; slot < n; slot++)
        if (f->status[slot]) {
            if (err)
                *err = f->error[slot];
            return f->status[slot];
        }
    return ST_OK;
}

/* Sessions and slates get numbers that are theirs alone. */
static void number(struct log *block, uint64_t *sessions, uint64_t *slates)
{
    for (size_t i = 0; i < block->n; i++) {
        block->row[i].session += *sessions;
        block->row[i].slate += *slates;
    }
    *sessions += block->sessions;
    *slates += block->slates;
}

/* LOG_SLOTS blocks at a time: made on all threads, numbered, prepared on all threads, taken in order. */
static enum status make_round(struct factory *f, size_t n, uint64_t *sessions, uint64_t *slates, struct error *err)
{
    parallel_blocks(n, 1, make_block, f);
    enum status st = first_failure(f, n, err);
    for (size_t slot = 0; slot < n && !st; slot++)
        number(&f->block[slot], sessions, slates);
    if (!st && f->sink->prepare) {
        parallel_blocks(n, 1, prepare_block, f);
        st = first_failure(f, n, err);
    }
    for (size_t slot = 0; slot < n && !st; slot++)
        st = f->sink->take(f->sink->context, slot, &f->block[slot], err);
    return st;
}

enum status log_generate(const struct world *w, bool impressions, const struct log_sink *sink, struct job *job,
                         struct error *err)
{
    size_t threads = (size_t)parallel_threads(), blocks = parallel_count(w->spec.users, LOG_BLOCK_USERS);
    uint64_t sessions = 0, slates = 0;
    enum status st = ST_NOMEM;
    struct factory *f = mem_new(1, sizeof *f, "generator", err);
    if (!f)
        return ST_NOMEM;
    *f = (struct factory){.w = w, .sink = sink, .impressions = impressions};
    f->shopper = mem_new(threads, sizeof *f->shopper, "shoppers", err);
    if (!f->shopper)
        goto out;
    st = ST_OK;
    for (size_t t = 0; t < threads && !st; t++)
        st = shopper_new(w, &f->shopper[t], err);
    job_begin(job, w->spec.users, "users", "making up a shop");
    for (f->first = 0; f->first < blocks && !st; f->first += LOG_SLOTS) {
        st = job_check(job, err);
        size_t n = blocks - f->first < LOG_SLOTS ? blocks - f->first : LOG_SLOTS;
        if (!st)
            st = make_round(f, n, &sessions, &slates, err);
        job_step(job, n * LOG_BLOCK_USERS);
    }
out:
    for (size_t t = 0; f->shopper && t < threads; t++)
        shopper_clear(&f->shopper[t]);
    for (size_t slot = 0; slot < LOG_SLOTS; slot++)
        log_clear(&f->block[slot]);
    mem_free(f->shopper);
    mem_free(f);
    return st;
}

/* Rows of a sample of users, spread evenly, scaled to all. */
static enum status expected_rows(const struct world_spec *spec, bool impressions, double *rows, struct error *err)
{
    enum { SAMPLE = 2000 };
    struct world *w = NULL;
    struct shopper s = {0};
    struct log l = {0};
    uint32_t n = spec->users < SAMPLE ? spec->users : SAMPLE;
    enum status st = world_new(spec, &w, err);
    if (!st)
        st = shopper_new(w, &s, err);
    for (uint32_t k = 0; k < n && !st; k++)
        st = log_life(w, &s, (uint32_t)((uint64_t)k * spec->users / n), impressions, &l, err);
    *rows = (double)l.n * spec->users / n;
    log_clear(&l);
    shopper_clear(&s);
    world_free(w);
    return st;
}

enum status world_scale_rows(struct world_spec *spec, bool impressions, uint64_t rows, struct error *err)
{
    /* More sessions make more pleasure and more leaving, so the answer is not linear: three steps settle it. */
    for (int step = 0; step < 3; step++) {
        double now;
        enum status st = expected_rows(spec, impressions, &now, err);
        if (st)
            return st;
        if (now < 1)
            return error_set(err, ST_USAGE, "such a small world makes no events at all");
        spec->truth.sessions *= (double)rows / now;
        if (spec->truth.sessions > 20)
            return error_set(err, ST_USAGE, "%u users in %u days do not make %llu events", spec->users, spec->days,
                             (unsigned long long)rows);
    }
    return ST_OK;
}
