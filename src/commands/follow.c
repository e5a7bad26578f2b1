#include "commands/follow.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "commands/grow.h"

enum {
    LOOK_MS = 100,
    TRY_AGAIN = 5 /* seconds after a failure */,
    SHARE = 4 /* times as long as a batch takes is for the user */
};

struct follow {
    char *path, *dataset;
    struct origin_mapping mapping;
    double every;
    struct tail *tail;       /* under lock once the thread runs */
    struct batch_text batch; /* taken from the tail, not yet kept */
    struct origin_places places; /* where the source is behind it */
    struct follow_counts counts;
    double next;             /* no batch before this moment */
    struct error error;      /* of the last try; code ST_OK: none */
    /* the thread */
    bool threaded;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool closing;
    struct error broken; /* why it cannot read any more */
};

/* ---- beginning and end ---- */

static void follow_free(struct follow *f)
{
    if (!f)
        return;
    if (f->threaded) {
        pthread_mutex_lock(&f->lock);
        f->closing = true;
        pthread_cond_signal(&f->wake);
        pthread_mutex_unlock(&f->lock);
        pthread_join(f->thread, NULL);
    }
    pthread_cond_destroy(&f->wake);
    pthread_mutex_destroy(&f->lock);
    tail_close(f->tail);
    origin_mapping_clear(&f->mapping);
    origin_places_clear(&f->places);
    str_free(&f->batch.rows);
    mem_free(f->path);
    mem_free(f->dataset);
    mem_free(f);
}

static enum status follow_new(struct workbench *wb, const struct follow_plan *plan, struct follow **out,
                              struct error *err)
{
    struct dataset *d = workbench_data(wb);
    struct follow *f = mem_new(1, sizeof *f, "a source to follow", err);
    enum status st = f ? ST_OK : ST_NOMEM;
    if (f) {
        pthread_mutex_init(&f->lock, NULL);
        pthread_cond_init(&f->wake, NULL);
        f->every = plan->every;
        f->path = mem_strdup(plan->path, err);
        f->dataset = mem_strdup(d->name, err);
        f->batch.source = f->path;
        st = f->path && f->dataset ? origin_copy_mapping(plan->mapping, plan->nmapping, &f->mapping, err) : ST_NOMEM;
    }
    if (!st)
        st = tail_open(plan->path, plan->place, &f->tail, err);
    dataset_release(d);
    if (st)
        follow_free(f);
    else
        *out = f;
    return st;
}

/* ---- the thread ---- */

static void *read_on(void *context)
{
    struct follow *f = context;
    pthread_mutex_lock(&f->lock);
    while (!f->closing && !f->broken.code) {
        struct error err = {0};
        if (tail_read(f->tail, &err))
            f->broken = err;
        struct timespec until;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += LOOK_MS * 1000000L;
        until.tv_sec += until.tv_nsec / 1000000000L;
        until.tv_nsec %= 1000000000L;
        pthread_cond_timedwait(&f->wake, &f->lock, &until);
    }
    pthread_mutex_unlock(&f->lock);
    return NULL;
}

/* ---- taking in ---- */

/* The rows that wait become the batch, unless one waits already that could not be kept. */
static enum status take_rows(struct follow *f, struct error *err)
{
    struct tail_place place;
    if (f->batch.rows.length)
        return ST_OK;
    origin_places_clear(&f->places);
    pthread_mutex_lock(&f->lock);
    enum status st = batch_take(f->tail, &f->batch, err);
    bool placed = tail_place_now(f->tail, &place);
    pthread_mutex_unlock(&f->lock);
    return !st && placed ? origin_add(&f->places, f->path, &place, err) : st;
}

static enum status take_in(struct workbench *wb, struct follow *f, struct error *err)
{
    struct ingest_report report;
    struct dataset *d = NULL;
    enum status st = take_rows(f, err);
    if (st || !f->batch.rows.length)
        return st;
    st = batch_read(wb, &f->batch, f->mapping.pair, f->mapping.n, &d, &report, err);
    if (st)
        workspace_unstage_rejects(wb->space);
    else
        st = workbench_append(wb, d, &f->places, err);
    if (!st) {
        f->counts.read += d->rows_read;
        f->counts.kept += d->rows_kept;
        f->counts.rejected += d->rows_rejected;
        f->counts.batches++;
        str_clear(&f->batch.rows);
    }
    dataset_release(d);
    return st;
}

static bool something_waits(struct follow *f)
{
    pthread_mutex_lock(&f->lock);
    bool waits = f->batch.rows.length || tail_waiting(f->tail);
    pthread_mutex_unlock(&f->lock);
    return waits;
}

static bool here(struct workbench *wb, const struct follow *f)
{
    struct dataset *d = workbench_data(wb);
    bool is = d && strcmp(d->name, f->dataset) == 0 && wb->now == NO_TIME;
    dataset_release(d);
    return is;
}

/* ---- in the background ---- */

enum status follow_start(struct workbench *wb, const struct follow_plan *plan, struct error *err)
{
    struct follow *f = NULL;
    follow_settle(wb);
    follow_close(wb);
    enum status st = follow_new(wb, plan, &f, err);
    if (st)
        return st;
    if (pthread_create(&f->thread, NULL, read_on, f)) {
        follow_free(f);
        return error_set(err, ST_NOMEM, "no thread could be started to follow %s", plan->path);
    }
    f->threaded = true;
    wb->follow = f;
    return ST_OK;
}

bool follow_poll(struct workbench *wb)
{
    struct follow *f = wb->follow;
    double now = clock_seconds();
    if (!f || now < f->next || !something_waits(f) || !here(wb, f))
        return false;
    job_reset(&wb->job);
    f->error = (struct error){0};
    bool changed = take_in(wb, f, &f->error) == ST_OK;
    job_reset(&wb->job);
    double end = clock_seconds(), pause = SHARE * (end - now);
    f->next = end + (changed ? (pause > f->every ? pause : f->every) : TRY_AGAIN);
    return true;
}

void follow_close(struct workbench *wb)
{
    follow_free(wb->follow);
    wb->follow = NULL;
}

void follow_settle(struct workbench *wb)
{
    struct follow *f = wb->follow;
    struct error err = {0};
    if (!f || !here(wb, f))
        return;
    pthread_mutex_lock(&f->lock);
    enum status st = tail_read(f->tail, &err);
    pthread_mutex_unlock(&f->lock);
    if (!st && take_in(wb, f, &err))
        f->error = err;
}

bool follow_look(struct workbench *wb, struct follow_view *out)
{
    struct follow *f = wb->follow;
    if (!f)
        return false;
    *out = (struct follow_view){.path = f->path, .counts = f->counts, .elsewhere = !here(wb, f)};
    snprintf(out->dataset, sizeof out->dataset, "%s", f->dataset);
    pthread_mutex_lock(&f->lock);
    const struct error *e = f->broken.code ? &f->broken : &f->error;
    out->ended = tail_ended(f->tail);
    memcpy(out->problem, e->code ? e->message : "", e->code ? sizeof e->message : 1);
    pthread_mutex_unlock(&f->lock);
    return true;
}

static void put_count(struct str *out, uint64_t n)
{
    char text[32];
    text_count(text, sizeof text, (int64_t)n);
    str_printf(out, "+%s", text);
}

void follow_short(struct workbench *wb, struct str *out)
{
    struct follow_view v;
    if (!follow_look(wb, &v))
        return;
    put_count(out, v.counts.kept);
    if (*v.problem)
        str_putc(out, '!');
}

void follow_line(struct workbench *wb, struct str *out)
{
    struct follow_view v;
    char name[64];
    if (!follow_look(wb, &v))
        return;
    file_last_part(v.path, name, sizeof name);
    str_puts(out, "following ");
    str_put_safe(out, name, strlen(name));
    str_puts(out, ": ");
    put_count(out, v.counts.kept);
    if (*v.problem)
        str_puts(out, " (stuck: `follow` says why)");
    else if (v.elsewhere)
        str_puts(out, " (waits)");
}

/* ---- here and now ---- */

static void say_progress(struct workbench *wb, const struct follow *f)
{
    job_begin(&wb->job, 0, "events", "following %s", f->path);
    job_set(&wb->job, f->counts.kept);
}

/* One look at the source; *over when there is no reason to look again. */
static enum status look_once(struct workbench *wb, struct follow *f, double end, bool *over, struct error *err)
{
    enum status st = tail_read(f->tail, err);
    double now = clock_seconds();
    bool cancelled = job_cancelled(&wb->job);
    *over = cancelled || (end >= 0 && now >= end);
    if (st)
        return st;
    if (cancelled) /* what is there is taken in all the same */
        job_reset(&wb->job);
    if (something_waits(f) && (*over || tail_ended(f->tail) || now >= f->next)) {
        st = take_in(wb, f, err);
        double took = clock_seconds() - now;
        f->next = now + took + (SHARE * took > f->every ? SHARE * took : f->every);
        say_progress(wb, f);
    }
    *over |= tail_ended(f->tail) && !something_waits(f);
    return st;
}

enum status follow_run(struct workbench *wb, const struct follow_plan *plan, double seconds,
                       struct follow_counts *counts, struct error *err)
{
    struct follow *f = NULL;
    enum status st = follow_new(wb, plan, &f, err);
    if (st)
        return st;
    double end = seconds < 0 ? -1 : clock_seconds() + seconds;
    bool over = false;
    say_progress(wb, f);
    while (!over && !st) {
        st = look_once(wb, f, end, &over, err);
        if (!over && !st)
            nanosleep(&(struct timespec){.tv_nsec = LOOK_MS * 1000000L / 2}, NULL);
    }
    *counts = f->counts;
    follow_free(f);
    return st;
}
