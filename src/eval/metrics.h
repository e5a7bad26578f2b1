/* The register of metrics: one line each, in the order of `help`. A family is one file, metric_FAMILY.c. */
#ifndef TAILOR_EVAL_METRICS_H
#define TAILOR_EVAL_METRICS_H

#include "eval/metric.h"

#define METRICS(METRIC)  \
    METRIC(ndcg)         \
    METRIC(recall)       \
    METRIC(precision)    \
    METRIC(map)          \
    METRIC(mrr)          \
    METRIC(hit)          \
    METRIC(rprec)        \
    METRIC(rbp)          \
    METRIC(auc)          \
    METRIC(ndcg_linear)  \
    METRIC(ndcg_exp)     \
    METRIC(revenue)      \
    METRIC(coverage)     \
    METRIC(gini)         \
    METRIC(entropy)      \
    METRIC(novelty)      \
    METRIC(ild)          \
    METRIC(serendipity)  \
    METRIC(popularity)   \
    METRIC(tail)         \
    METRIC(lift)         \
    METRIC(calibration)  \
    METRIC(stability)    \
    METRIC(rmse)         \
    METRIC(mae)          \
    METRIC(user_rmse)    \
    METRIC(user_mae)

#define DECLARE(name) extern const struct metric metric_##name;
METRICS(DECLARE)
#undef DECLARE

#endif
