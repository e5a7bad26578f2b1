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

void job_reset(struct job *job)
{
    if (!job)
        return;
    pthread_mutex_lock(&job->lock);
    job->running = false;
    job->nmetrics = 0;
    job->what[0] = 0;
    atomic_store(&job->cancel, false);
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
    return job && atomic_load_explicit(&job->cancel, memory_order_relaxed);
}

enum status job_check(struct job *job, struct error *err)
{
    return job_cancelled(job) ? error_set(err, ST_CANCELLED, "cancelled") : ST_OK;
}

void job_look(struct job *job, struct job_view *view)
{
    memset(view, 0, sizeof *view);
    view->eta = -1;
    pthread_mutex_lock(&job->lock);
    memcpy(view->what, job->what, sizeof view->what);
    memcpy(view->unit, job->unit, sizeof view->unit);
    view->running = job->running;
    view->elapsed = job->running ? clock_seconds() - job->started : 0;
    if (job->nmetrics)
        view->last = job->metrics[(job->nmetrics - 1) % JOB_METRICS];
    view->done = atomic_load(&job->done);
    view->total = atomic_load(&job->total);
    pthread_mutex_unlock(&job->lock);
    if (view->elapsed > 0)
        view->rate = (double)view->done / view->elapsed;
    if (view->total && view->rate > 0)
        view->eta = view->done >= view->total ? 0 : (double)(view->total - view->done) / view->rate;
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
