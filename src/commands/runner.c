#include "commands/runner.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"

struct runner {
    struct workbench *wb;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool closing;
    bool busy;        /* the face's view: between start and wait */
    /* Handed over, not yet taken up: a line or a function. */
    char *text;
    enum status (*work)(void *context, struct error *err);
    void *context;
    struct sink *sink;
    enum status st;
    struct error err;
    int ended[2];     /* a pipe: one byte a command that ended */
};

static enum status run_work(struct runner *r, enum status (*work)(void *context, struct error *err), struct error *err)
{
    job_reset(&r->wb->job);
    enum status st = work(r->context, err);
    job_reset(&r->wb->job);
    return st;
}

static void run_one(struct runner *r, char *text, enum status (*work)(void *context, struct error *err))
{
    struct error err = {0};
    enum status st = work ? run_work(r, work, &err) : command_run(r->wb, text, r->sink, &err);
    mem_free(text);
    pthread_mutex_lock(&r->lock);
    r->st = st;
    r->err = err;
    pthread_mutex_unlock(&r->lock);
    while (write(r->ended[1], "", 1) < 0 && errno == EINTR)
        ;
}

static void *work_on(void *context)
{
    struct runner *r = context;
    pthread_mutex_lock(&r->lock);
    for (;;) {
        while (!r->text && !r->work && !r->closing)
            pthread_cond_wait(&r->wake, &r->lock);
        if (!r->text && !r->work)
            break;
        char *text = r->text;
        enum status (*work)(void *, struct error *) = r->work;
        r->text = NULL;
        r->work = NULL;
        pthread_mutex_unlock(&r->lock);
        run_one(r, text, work);
        pthread_mutex_lock(&r->lock);
    }
    pthread_mutex_unlock(&r->lock);
    return NULL;
}

enum status runner_open(struct workbench *wb, struct runner **out, struct error *err)
{
    struct runner *r = mem_new(1, sizeof *r, "the worker", err);
    if (!r)
        return ST_NOMEM;
    r->wb = wb;
    pthread_mutex_init(&r->lock, NULL);
    pthread_cond_init(&r->wake, NULL);
    enum status st = ST_OK;
    if (pipe2(r->ended, O_CLOEXEC)) {
        st = error_errno(err, "open", "a pipe");
    } else if ((errno = pthread_create(&r->thread, NULL, work_on, r))) {
        st = error_errno(err, "start", "the worker thread");
        close(r->ended[0]);
        close(r->ended[1]);
    }
    if (st) {
        pthread_cond_destroy(&r->wake);
        pthread_mutex_destroy(&r->lock);
        mem_free(r);
        return st;
    }
    *out = r;
    return ST_OK;
}

void runner_close(struct runner *r)
{
    struct error ignored;
    if (!r)
        return;
    if (r->busy) {
        runner_cancel(r);
        if (runner_wait(r, &ignored))
            r->st = ST_OK; /* nobody is left to hear of it */
    }
    pthread_mutex_lock(&r->lock);
    r->closing = true;
    pthread_cond_signal(&r->wake);
    pthread_mutex_unlock(&r->lock);
    pthread_join(r->thread, NULL);
    close(r->ended[0]);
    close(r->ended[1]);
    pthread_cond_destroy(&r->wake);
    pthread_mutex_destroy(&r->lock);
    mem_free(r);
}

enum status runner_start(struct runner *r, const char *text, struct sink *sink, struct error *err)
{
    if (r->busy)
        return error_set(err, ST_STATE, "another command is still running");
    char *copy = mem_strdup(text, err);
    if (!copy)
        return ST_NOMEM;
    pthread_mutex_lock(&r->lock);
    r->busy = true;
    r->text = copy;
    r->sink = sink;
    pthread_cond_signal(&r->wake);
    pthread_mutex_unlock(&r->lock);
    return ST_OK;
}

enum status runner_start_work(struct runner *r, enum status (*work)(void *context, struct error *err), void *context,
                              struct error *err)
{
    if (r->busy)
        return error_set(err, ST_STATE, "another command is still running");
    pthread_mutex_lock(&r->lock);
    r->busy = true;
    r->work = work;
    r->context = context;
    pthread_cond_signal(&r->wake);
    pthread_mutex_unlock(&r->lock);
    return ST_OK;
}

bool runner_busy(const struct runner *r)
{
    return r->busy;
}

int runner_fd(const struct runner *r)
{
    return r->ended[0];
}

void runner_cancel(struct runner *r)
{
    job_cancel(&r->wb->job);
}

enum status runner_wait(struct runner *r, struct error *err)
{
    char byte;
    while (read(r->ended[0], &byte, 1) < 0 && errno == EINTR)
        ;
    pthread_mutex_lock(&r->lock);
    enum status st = r->st;
    if (err)
        *err = r->err;
    r->busy = false;
    pthread_mutex_unlock(&r->lock);
    return st;
}
