#include "sim/generate.h"

#include <math.h>
#include <stdatomic.h>
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

/* The part of `amount` that falls to rows [0, n) of `of`; parts of neighbours add up to it exactly. */
static uint64_t share_before(uint64_t amount, uint64_t n, uint64_t of)
{
    __extension__ unsigned __int128 p = (unsigned __int128)amount * n;
    return (uint64_t)(p / of);
}

/* Leaves `keep` rows: every user's log ends a little earlier, so no cart is without its click. */
static void end_early(struct log *block, uint64_t keep)
{
    uint64_t all = block->n;
    size_t kept = 0;
    for (size_t i = 0, end; i < all; i = end) {
        for (end = i + 1; end < all && block->row[end].user == block->row[i].user; end++)
            ;
        size_t stay = share_before(keep, end, all) - share_before(keep, i, all);
        memmove(block->row + kept, block->row + i, stay * sizeof *block->row);
        kept += stay;
    }
    block->n = kept;
}

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
    if (f->w->keep && !f->status[slot])
        end_early(block, f->w->keep[f->first + slot]);
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

/* ---- so many rows ---- */

struct census {
    const struct world *w;
    bool impressions;
    size_t stride; /* one block of so many is looked at */
    uint64_t *rows;
    struct log *scratch; /* one a thread */
    struct shopper *shopper;
    struct job *job;
    atomic_int failed;
};

static void count_block(void *context, size_t i, size_t begin, size_t end)
{
    struct census *c = context;
    int thread = parallel_thread();
    struct log *l = &c->scratch[thread];
    (void)begin;
    (void)end;
    if (atomic_load_explicit(&c->failed, memory_order_relaxed) || job_cancelled(c->job))
        return;
    l->n = 0;
    uint64_t user = (uint64_t)i * c->stride * LOG_BLOCK_USERS, last = user + LOG_BLOCK_USERS;
    for (; user < last && user < c->w->spec.users; user++)
        if (log_life(c->w, &c->shopper[thread], (uint32_t)user, c->impressions, l, NULL))
            atomic_store(&c->failed, 1);
    c->rows[i] = l->n;
    job_step(c->job, LOG_BLOCK_USERS);
}

/* Rows of each block of users that is looked at, into c->rows. */
static enum status count_rows(struct census *c, size_t blocks, struct error *err)
{
    size_t threads = (size_t)parallel_threads();
    enum status st = ST_NOMEM;
    c->scratch = mem_new(threads, sizeof *c->scratch, "lives", err);
    c->shopper = mem_new(threads, sizeof *c->shopper, "shoppers", err);
    if (!c->scratch || !c->shopper)
        goto out;
    st = ST_OK;
    for (size_t t = 0; t < threads && !st; t++)
        st = shopper_new(c->w, &c->shopper[t], err);
    if (st)
        goto out;
    job_begin(c->job, (uint64_t)blocks * LOG_BLOCK_USERS, "users", "seeing how much happens");
    parallel_blocks(blocks, 1, count_block, c);
    st = atomic_load(&c->failed) ? error_nomem(err, 0, "lives") : job_check(c->job, err);
out:
    for (size_t t = 0; t < threads; t++) {
        if (c->scratch)
            log_clear(&c->scratch[t]);
        if (c->shopper)
            shopper_clear(&c->shopper[t]);
    }
    mem_free(c->scratch);
    mem_free(c->shopper);
    return st;
}

/* Every block gives up its share of what is too much. */
static void keep_shares(uint64_t *rows, size_t blocks, uint64_t total, uint64_t wanted)
{
    uint64_t before = 0;
    for (size_t b = 0; b < blocks; b++) {
        uint64_t after = before + rows[b];
        rows[b] = share_before(wanted, after, total) - share_before(wanted, before, total);
        before = after;
    }
}

/* FEW: not worth another try; a handful of slates. */
enum { SAMPLE_BLOCKS = 512, SAMPLES = 3, TRIES = 12, FEW = 200 };

enum status world_set_rows(struct world *w, bool impressions, uint64_t wanted, struct job *job, struct error *err)
{
    size_t all = parallel_count(w->spec.users, LOG_BLOCK_USERS);
    uint64_t *rows = mem_new(all, sizeof *rows, "rows of the users", err);
    if (!rows)
        return ST_NOMEM;
    enum status st = ST_OK;
    /* More sessions make more pleasure and more leaving, so the answer is not linear: samples settle it roughly, and
     * what the whole makes is aimed a little too high and then cut. */
    for (int step = 0; step < TRIES && !st; step++) {
        size_t stride = step < SAMPLES && all > SAMPLE_BLOCKS ? all / SAMPLE_BLOCKS : 1;
        size_t blocks = parallel_count(all, stride);
        struct census c = {.w = w, .impressions = impressions, .stride = stride, .rows = rows, .job = job};
        uint64_t total = 0;
        st = count_rows(&c, blocks, err);
        for (size_t b = 0; b < blocks && !st; b++)
            total += rows[b];
        if (st)
            break;
        if (stride == 1 && total >= wanted && (total - wanted <= wanted / 20 + FEW || step + 4 > TRIES)) {
            keep_shares(rows, all, total, wanted);
            w->keep = rows;
            return ST_OK;
        }
        double now = (total ? (double)total : .2) * (double)all / (double)blocks;
        w->spec.truth.sessions *= (double)wanted / now * (1.015 + .005 * step);
        if (w->spec.truth.sessions > 20)
            break;
    }
    mem_free(rows);
    if (st)
        return st;
    error_set(err, ST_USAGE, "%u user%s in %u day%s do not make %llu events", w->spec.users,
              w->spec.users == 1 ? "" : "s", w->spec.days, w->spec.days == 1 ? "" : "s", (unsigned long long)wanted);
    error_hint(err, "more users=, more days= or a larger slate=");
    return ST_USAGE;
}
