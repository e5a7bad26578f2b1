/* A job: long work as seen by the one who waits for it.
 *
 * The worker writes (begin, step, metric), the face reads (snapshot) at 10 Hz and may cancel. All
 * functions take NULL for "nobody is watching". Loops call job_cancelled once per tile. */
#ifndef TAILOR_BASE_JOB_H
#define TAILOR_BASE_JOB_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

enum { JOB_METRICS = 512, JOB_LEVELS = 4 };

struct job_metric {
    char name[24]; /* "loss", "ndcg@10", ... */
    double x;      /* epoch */
    double value;
};

/* Work that waits for a part of itself: job_enter. */
struct job_level {
    char what[96], unit[16];
    uint64_t done, total;
    double started;
};

struct job {
    atomic_bool cancel, stopped;
    atomic_uint_fast64_t done, total; /* total 0: not known */
    pthread_mutex_t lock;             /* guards what follows */
    char what[96];                    /* "train ease: inverting" */
    char unit[16];                    /* "rows", "epochs"; may be "" */
    double started;                   /* clock_seconds() of job_begin */
    double expected,
        expected_from; /* seconds that all will take, as far as can be known before, and from when; 0: not known */
    bool running;
    struct job_level outer[JOB_LEVELS]; /* the whole first */
    size_t depth;
    struct job_metric metrics[JOB_METRICS]; /* a ring: nmetrics % JOB_METRICS is next */
    size_t nmetrics;
    char note[240], about[32]; /* what job_say was told last, and of what */
    uint64_t notes;            /* how often, ever */
};

void job_init(struct job *job);
void job_destroy(struct job *job);
/* Starts a phase: names it, sets done to 0. The first phase after job_reset starts the clock. */
void job_begin(struct job *job, uint64_t total, const char *unit, const char *what, ...) PRINTF_LIKE(4, 5);
void job_step(struct job *job, uint64_t more);
void job_set(struct job *job, uint64_t done);
/* All phases from here on will take about so many seconds. What is left by that counts until a phase that is a good
 * part of it has begun to know better. Nothing within a part (job_enter). */
void job_expect(struct job *job, double seconds);
void job_report(struct job *job, const char *metric, double x, double value);
/* Something to be known before the work is over: that it takes most of the memory. Faces show it at once. Once in a
 * row about the same thing, so that a search is not said what each of its trials takes; job_reset forgets what that
 * was, and leaves the text until there is another. */
void job_say(struct job *job, const char *about, const char *text, ...) PRINTF_LIKE(3, 4);
/* What begins from here on is a part of the present step of what runs (a trial's training, the validation after an
 * epoch); leave goes back to it, where it was. What is seen is the whole, and how far it is counts its parts. */
void job_enter(struct job *job);
void job_leave(struct job *job);
/* Ends the work: not running, metrics and cancel cleared. */
void job_reset(struct job *job);

void job_cancel(struct job *job); /* safe in a signal handler */
bool job_cancelled(const struct job *job);
/* The work has stopped: what is done with its remains is not to be stopped too, however often a face cancels, until
 * job_reset. */
void job_stopped(struct job *job);
/* ST_CANCELLED with a message when cancelled, else ST_OK. */
MUST_CHECK enum status job_check(struct job *job, struct error *err);

/* What a face shows: the whole work. */
struct job_view {
    char what[96], unit[16];
    char part[96];       /* what of it runs now: "train ials.3 4/16 epochs"; "" when it has no parts */
    uint64_t done, total;
    double share;        /* of the whole, parts included; < 0: not known */
    double elapsed, eta; /* seconds; eta < 0: not known */
    double rate;         /* units a second */
    bool running;
    struct job_metric last; /* name "" when there is none */
    char note[240];         /* what was said last (job_say) */
    bool noted;             /* by the work that runs, and not by an earlier one */
    uint64_t notes;         /* grows with each that is said */
};
void job_look(struct job *job, struct job_view *view);
/* Copies the metric points named `name` that are still in the ring, oldest first; returns how many. */
size_t job_metrics(struct job *job, const char *name, struct job_metric *out, size_t max);

#endif
