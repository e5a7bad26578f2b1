/* Simulation: several policies, each tried for some weeks on the same people.
 *
 * A person visits, looks through slates, clicks and buys (environment.h); what they do comes back into their history,
 * which is all a policy sees, and is folded in at the next slate. Every policy gets its own copy of the same people
 * with the same luck, so that differences are paired. A visit's slates never show an item twice. Bits do not depend on
 * the number of threads. */
#ifndef TAILOR_SIM_SIMULATE_H
#define TAILOR_SIM_SIMULATE_H

#include "ranking/ranking.h"
#include "sim/environment.h"

enum policy_kind {
    POLICY_MODEL,  /* the best of a model's scores */
    POLICY_RANDOM, /* any item alike */
    POLICY_ORACLE, /* the best by the true attraction of the environment: knows what no model can, an upper bound for
                      clicks now */
};

struct policy {
    const char *name;
    enum policy_kind kind;
    const struct model *model; /* POLICY_MODEL */
};

struct sim_spec {
    uint32_t users; /* drawn from the data without replacement; when there are fewer, all come several times, each with
                     * luck of its own */
    uint32_t days;
    unsigned slate; /* items a slate, <= MAX_SLATE */
    enum seen seen; /* SEEN_HIDE: what the history holds is not shown again */
    uint32_t hides; /* which events do, as in a query */
    uint64_t seed;
};

/* One person under one policy, all days together. */
struct sim_totals {
    double visits, active_days, impressions, clicks, purchases, revenue;
};

/* One day under one policy, summed over the people: enough for means, ratios and their intervals. */
struct sim_day {
    double active, impressions, clicks, purchases, revenue;
    double impressions2, clicks2, impressions_clicks, purchases2, revenue2;
};

struct sim_outcome {
    struct sim_spec spec;
    size_t npolicies;
    bool revenue, purchases;   /* are they known at all? */
    int64_t start;             /* of day 0; NO_TIME */
    struct sim_totals *totals; /* [policy * users + person] */
    struct sim_day *day;       /* [policy * days + day] */
};

MUST_CHECK enum status simulate(const struct environment *e, const struct policy *policies, size_t npolicies,
                                const struct sim_spec *spec, struct job *job, struct sim_outcome **out,
                                struct error *err);
void sim_outcome_free(struct sim_outcome *o); /* NULL is fine */

/* What is reported. */
enum sim_metric {
    SIM_CTR,       /* clicks / impressions */
    SIM_CLICKS,    /* a user */
    SIM_PURCHASES, /* a user */
    SIM_REVENUE,   /* a user */
    SIM_RETURN,    /* share of the days on which a user came back */
    SIM_METRICS
};
bool sim_metric_known(const struct sim_outcome *o, enum sim_metric metric);

/* A value with its 95 % interval over users: Student's t, the delta method for the ratio (Deng et al. 2018), Wilson's
 * for the share of users that come on a day. No interval (NaN) for a click rate of fewer than ten people. */
struct estimate {
    double value, low, high;
};
struct estimate sim_value(const struct sim_outcome *o, size_t policy, enum sim_metric metric);
/* policy minus baseline, paired by person. */
struct estimate sim_difference(const struct sim_outcome *o, size_t policy, size_t baseline, enum sim_metric metric);
/* One day. SIM_RETURN: share of the users who came that day. */
struct estimate sim_daily(const struct sim_outcome *o, size_t policy, uint32_t day, enum sim_metric metric);

#endif
