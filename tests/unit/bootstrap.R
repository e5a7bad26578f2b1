# What R's boot says of resampled statistics, as a header of C for eval_bootstrap.c.
#
#     Rscript tests/unit/bootstrap.R > tests/unit/bootstrap.h
#
# The numbers that are committed were made by R 4.2.2 with boot 1.3-28.1. Values are kept to few digits, so that they are the same numbers
# in C. Influences are differentiated by boot (empinf, type "inf"); the C test has them in closed form.
library(boot)
set.seed(21)
n <- 24
ratio <- function(x, y, w) sum(w * x) / sum(w * y)
cases <- list(
    skewed = list(round(rexp(n), 3), rep(1, n), function(d, w) ratio(d$x, d$y, w)),
    recall = list(sample(c(0, .25, .5, 1), n, TRUE, c(14, 5, 3, 2)) + round(runif(n, 0, .01), 4), rep(1, n), function(d, w) ratio(d$x, d$y, w)),
    partial = list(round(rexp(n, 3), 3), sample(1:9, n, TRUE), function(d, w) ratio(d$x, d$y, w)),
    share = list(round(rexp(n, 2), 3), round(rexp(n, 2.5) + .2, 3), function(d, w) ratio(d$x, d$y, w) - 1),
    rmse = list(round(rexp(n, .4)^2, 3), sample(1:6, n, TRUE), function(d, w) sqrt(ratio(d$x, d$y, w))))
number <- function(x) sprintf("%.15g", x)
wrap <- function(x) paste(strwrap(paste(number(x), collapse = ", "), 120, prefix = "     "), collapse = "\n")
cat("/* Made by bootstrap.R: do not edit. */\nenum { R_N = 24, R_RESAMPLES = 199 };\n",
    "static const struct r_interval {\n    const char *name;\n    double x[R_N], y[R_N], estimate, acceleration, resampled[R_RESAMPLES];\n",
    "    double percentile[2], bca[2];\n} r_intervals[] = {\n", sep = "")
for (name in names(cases)) {
    d <- data.frame(x = cases[[name]][[1]], y = cases[[name]][[2]])
    f <- cases[[name]][[3]]
    b <- boot(d, f, 199, stype = "w")
    b$t <- matrix(round(b$t, 8))
    L <- empinf(data = d, statistic = f, stype = "w", type = "inf", eps = 1e-6)
    ci <- suppressWarnings(boot.ci(b, type = c("perc", "bca"), L = L))
    cat(sprintf("    {\"%s\",\n     {%s},\n     {%s},\n     %s, %s,\n     {%s},\n     {%s}, {%s}},\n", name, trimws(wrap(d$x)), trimws(wrap(d$y)),
                number(b$t0), number(sum(L^3) / (6 * sum(L^2)^1.5)), trimws(wrap(b$t)), paste(number(ci$percent[4:5]), collapse = ", "),
                paste(number(ci$bca[4:5]), collapse = ", ")))
}
cat("};\n")
