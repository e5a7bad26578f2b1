/* The audit: what is odd about a data set, before any model sees it.
 *
 * A check is one function and one row of a table. It looks at the data set (and at facts that were gathered in a few
 * parallel passes) and adds findings: how bad, one line with numbers, a query that shows the rows, and a command that
 * mends it. Thresholds are told in the row's doc, with their reason; `help audit` shows them. */
#ifndef TAILOR_INSPECT_AUDIT_H
#define TAILOR_INSPECT_AUDIT_H

#include "base/job.h"
#include "base/text.h"
#include "data/dataset.h"
#include "data/split.h"

enum severity { SEVERITY_OK, SEVERITY_INFO, SEVERITY_WARNING, SEVERITY_SERIOUS, SEVERITIES };

extern const char *const severity_names[SEVERITIES]; /* "ok", "info", "warning", "serious" */

struct audit_check;

struct finding {
    const struct audit_check *check;
    enum severity severity;
    struct str text;     /* one line, with numbers; ids in it are raw */
    struct str evidence; /* SQL over events, users, items, rejects; empty: there are no rows to show */
    uint64_t rows;       /* how many rows the evidence has */
    struct str advice;   /* a command; empty: none mends it */
};

enum { MOST_FINDINGS = 96 };

struct audit_facts;

struct audit {
    const struct dataset *data;
    const struct split *split; /* NULL: none */
    int64_t now;               /* us: what lies after it is in the future */
    struct job *job;           /* may be NULL */
    struct audit_facts *facts;
    struct finding *findings;  /* worst first once audit_run is through; owned */
    size_t nfindings;
    bool failed;               /* a text ran out of memory */
    const struct audit_check *check; /* the one that runs */
    char grade;                /* 'A' .. 'F' */
    size_t checks, worst[SEVERITIES]; /* checks that ran, and how many have this as the worst of their findings */
};

struct audit_check {
    const char *name;    /* "clock" */
    const char *looks;   /* what it looks for */
    const char *rule;    /* thresholds, and why these */
    const char *fine;    /* what is said when nothing was found */
    unsigned needs;      /* or-ed enum audit_need (audit_parts.h) */
    enum status (*run)(struct audit *a, struct error *err);
};

/* The checks: one a line here, in the order in which they run. */
#define AUDIT_CHECKS(CHECK) \
    CHECK(rejects)          \
    CHECK(schema)           \
    CHECK(values)           \
    CHECK(ids)              \
    CHECK(duplicates)       \
    CHECK(clock)            \
    CHECK(zones)            \
    CHECK(gaps)             \
    CHECK(bots)             \
    CHECK(funnel)           \
    CHECK(attributes)       \
    CHECK(sparsity)         \
    CHECK(cold)             \
    CHECK(repeats)          \
    CHECK(leakage)          \
    CHECK(feedback)

#define DECLARE(name) extern const struct audit_check audit_##name;
AUDIT_CHECKS(DECLARE)
#undef DECLARE

/* NULL-terminated. */
extern const struct audit_check *const audit_checks[];
/* How the grade comes about, in a sentence or two. */
extern const char audit_grade_rule[];

/* Runs all checks, or the one of this name (ST_NOT_FOUND with a near name). Clear it in every case. */
MUST_CHECK enum status audit_run(const struct dataset *d, const struct split *split, const char *only, int64_t now,
                                 struct job *job, struct audit *out, struct error *err);
void audit_clear(struct audit *a);

#endif
