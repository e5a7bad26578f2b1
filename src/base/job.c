#include "base/job.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"

void job_init(struct job *job)
{
    memset(job, 0, sizeof *job);
    pthread_mutex_init(&job->lock, NULL);
}

void job_destroy(struct job *job)
{
    pthread_mutex_destroy(&job->lock);
}

void job_begin(struct job *job, uint64_t total, const char *unit, const char *what, ...)
{
    if (!job)
        return;
    pthread_mutex_lock(&job->lock);
    va_list args;
    va_start(args, what);
    vsnprintf(job->what, sizeof job->what, what, args);
    va_end(args);
    snprintf(job->unit, sizeof job->unit, "%s", unit);
    job->started = clock_seconds();
    job->running = true;
    atomic_store(&job->done, 0);
    atomic_store(&job->total, total);
    pthread_mutex_unlock(&job->lock);
}

void job_step(struct job *job, uint64_t more)
{
    if (job)
        atomic_fetch_add_explicit(&job->done, more, memory_order_relaxed);
}

void job_set(struct job *job, uint64_t done)
{
    if (job)
        atomic_store(&job->done, done);
}

void job_expect(struct job *job, double seconds)
{
    if (!job)
        return;
    pthread_mutex_lock(&job->lock);
    if (!job->depth) {
        job->expected = seconds;
        job->expected_from = clock_seconds();
    }
    pthread_mutex_unlock(&job->lock);
}

void job_report(struct job *job, const char *metric, double x, double value)
{
    if (!job)
        return;
    pthread_mutex_lock(&job->lock);
    struct job_metric *m = &job->metrics[job->nmetrics++ % JOB_METRICS];
    snprintf(m->name, sizeof m->name, "%s", metric);
    m->x = x;
    m->value = value;
    pthread_mutex_unlock(&job->lock);
}

void job_say(struct job *job, const char *about, const char *text, ...)
{
    if (!job)
        return;
    pthread_mutex_lock(&job->lock);
    if (strncmp(job->about, about, sizeof job->about - 1) != 0) {
        va_list args;
        va_start(args, text);
        vsnprintf(job->note, sizeof job->note, text, args);
        va_end(args);
        snprintf(job->about, sizeof job->about, "%s", about);
        job->notes++;
    }
    pthread_mutex_unlock(&job->lock);
}

static struct job_level present(const struct job *job)
{
    struct job_level l = {.done = atomic_load(&job->done), .total = atomic_load(&job->total), .started = job->started};
    memcpy(l.what, job->what, sizeof l.what);
    memcpy(l.unit, job->unit, sizeof l.unit);
    return l;
}

void job_enter(struct job *job)
{
    if (!job)
        return;
    pthread_mutex_lock(&job->lock);
    if (job->depth < JOB_LEVELS)
        job->outer[job->depth] = present(job);
    job->depth++;
    job->what[0] = 0;
    atomic_store(&job->done, 0);
    atomic_store(&job->total, 0);
    pthread_mutex_unlock(&job->lock);
}

void job_leave(struct job *job)
{
    if (!job)
        return;
    pthread_mutex_lock(&job->lock);
    if (job->depth && --job->depth < JOB_LEVELS) {
        const struct job_level *l = &job->outer[job->depth];
        memcpy(job->what, l->what, sizeof job->what);
        memcpy(job->unit, l->unit, sizeof job->unit);
        job->started = l->started;
        atomic_store(&job->done, l->done);
        atomic_store(&job->total, l->total);
    }
    pthread_mutex_unlock(&job->lock);
}

void job_reset(struct job *job)
{
    if (!job)
        return;
    pthread_mutex_lock(&job->lock);
    job->running = false;
    job->expected = 0;
    job->depth = 0;
    job->nmetrics = 0;
    job->what[0] = 0;
    job->about[0] = 0;
    atomic_store(&job->cancel, false);
    atomic_store(&job->stopped, false);
    atomic_store(&job->done, 0);
    atomic_store(&job->total, 0);
    pthread_mutex_unlock(&job->lock);
}

void job_cancel(struct job *job)
{
    atomic_store(&job->cancel, true);
}

bool job_cancelled(const struct job *job)
{
    return job && atomic_load_explicit(&job->cancel, memory_order_relaxed) &&
           !atomic_load_explicit(&job->stopped, memory_order_relaxed);
}

void job_stopped(struct job *job)
{
    if (job)
        atomic_store(&job->stopped, true);
}

enum status job_check(struct job *job, struct error *err)
{
    return job_cancelled(job) ? error_set(err, ST_CANCELLED, "cancelled") : ST_OK;
}

/* How far a level is when its present step is `part` done. */
static double share_of(const struct job_level *l, double part)
{
    if (!l->total)
        return -1;
    double share = ((double)l->done + (part > 0 ? part : 0)) / (double)l->total;
    return share > 1 ? 1 : share;
}

static void describe_part(const struct job_level *l, struct job_view *view)
{
    if (*l->what && l->total)
        snprintf(view->part, sizeof view->part, "%.40s %llu/%llu%s%.10s", l->what, (unsigned long long)l->done,
                 (unsigned long long)l->total, *l->unit ? " " : "", l->unit);
    else
        memcpy(view->part, l->what, sizeof view->part);
}

void job_look(struct job *job, struct job_view *view)
{
    memset(view, 0, sizeof *view);
    view->eta = -1;
    pthread_mutex_lock(&job->lock);
    struct job_level now = present(job), *whole = job->depth ? &job->outer[0] : &now;
    view->share = share_of(&now, 0);
    for (size_t i = job->depth < JOB_LEVELS ? job->depth : JOB_LEVELS; i-- > 0;)
        view->share = share_of(&job->outer[i], view->share);
    if (job->depth)
        describe_part(&now, view);
    memcpy(view->what, whole->what, sizeof view->what);
    memcpy(view->unit, whole->unit, sizeof view->unit);
    view->done = whole->done;
    view->total = whole->total;
    view->running = job->running;
    view->elapsed = job->running ? clock_seconds() - whole->started : 0;
    double expected = job->running ? job->expected : 0, left = job->expected_from + expected - clock_seconds();
    if (job->nmetrics)
        view->last = job->metrics[(job->nmetrics - 1) % JOB_METRICS];
    memcpy(view->note, job->note, sizeof view->note);
    view->noted = *job->about;
    view->notes = job->notes;
    pthread_mutex_unlock(&job->lock);
    if (view->elapsed > 0)
        view->rate = (double)view->done / view->elapsed;
    if (view->share > 0 && view->elapsed > 0)
        view->eta = view->elapsed * (1 - view->share) / view->share;
    bool knows_better = view->share >= .05 && view->elapsed / view->share > expected / 4;
    if (expected > 0 && !knows_better)
        view->eta = left > 0 ? left : -1;
}

size_t job_metrics(struct job *job, const char *name, struct job_metric *out, size_t max)
{
    size_t n = 0;
    pthread_mutex_lock(&job->lock);
    size_t first = job->nmetrics > JOB_METRICS ? job->nmetrics - JOB_METRICS : 0;
    for (size_t i = first; i < job->nmetrics && n < max; i++)
        if (strcmp(job->metrics[i % JOB_METRICS].name, name) == 0)
            out[n++] = job->metrics[i % JOB_METRICS];
    pthread_mutex_unlock(&job->lock);
    return n;
}
