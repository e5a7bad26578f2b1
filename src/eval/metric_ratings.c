/* Metrics of predicted ratings. */
#include "eval/metrics.h"

const struct metric metric_rmse = {
    .name = "rmse",
    .summary = "root of the mean squared error of predicted ratings",
    .doc = "Root of the mean of (rating - prediction)^2 over all ratings of the part, of users with a history; "
           "predictions are cut to the range of the ratings that were learnt from. Models that predict no ratings have "
           "none.",
    .errors = ERRORS_SQUARED,
    .pooled = true,
    .lower = true,
    .partial = true,
    .common = true,
};
const struct metric metric_mae = {
    .name = "mae",
    .summary = "mean absolute error of predicted ratings",
    .doc = "Mean of |rating - prediction| over the same ratings as rmse.",
    .errors = ERRORS_ABSOLUTE,
    .pooled = true,
    .lower = true,
    .partial = true,
    .common = true,
};
const struct metric metric_user_rmse = {
    .name = "user_rmse",
    .summary = "the same for each user, then the mean over users",
    .doc = "Mean over users of the rmse of their own ratings, so that those who rate much count no more than others.",
    .errors = ERRORS_SQUARED,
    .lower = true,
    .partial = true,
};
const struct metric metric_user_mae = {
    .name = "user_mae",
    .summary = "mean over users of the error of their ratings",
    .doc = "Mean over users of the mae of their own ratings.",
    .errors = ERRORS_ABSOLUTE,
    .lower = true,
    .partial = true,
};
