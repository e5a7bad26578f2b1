# What R says of paired differences and of adjusted p-values, as a header of C for eval_significance.c.
#
#     Rscript tests/unit/significance.R > tests/unit/significance.h
#
# The numbers that are committed were made by R 4.2.2. The values are drawn, but kept to few digits, so that they are the same
# numbers in C; those of metrics have many zeros and ties, as recall has.
set.seed(20)
metric <- function(n, levels, p) sample(levels, n, replace = TRUE, prob = p)
cases <- list(
    two = list(c(.9, .4), c(.5, .1)),
    ten = list(round(rnorm(10), 3), round(rnorm(10, -.6), 3)),
    skewed = list(round(rexp(25), 4), round(rexp(25, 1.6), 4)),
    exact = list(round(rnorm(49, .3), 5), round(rnorm(49), 5)),
    fifty = list(round(rnorm(50, .3), 5), round(rnorm(50), 5)),
    zeros = list(c(.5, .25, 0, 1, .5, 0, .75, 1, 0, .25, .5, 1), c(.5, 0, 0, .5, .25, 0, 1, .5, 0, .5, 0, .25)),
    ties = list(metric(40, (0:4) / 4, c(5, 2, 2, 1, 1)), metric(40, (0:4) / 4, c(7, 2, 1, 1, 1))),
    recall = list(metric(300, c(0, .1, .2, .5, 1), c(60, 15, 12, 8, 5)), metric(300, c(0, .1, .2, .5, 1), c(66, 14, 11, 6, 3))),
    ndcg = list(round(rbeta(400, 1, 4), 4), round(rbeta(400, 1, 4.6), 4)),
    alike = list(round(rnorm(120), 4), round(rnorm(120), 4)),
    surely = list(round(rnorm(80, 1.2), 4), round(rnorm(80), 4)))

number <- function(x) ifelse(is.na(x), "NAN", sprintf("%.17g", x))
wrap <- function(x) paste(strwrap(paste(x, collapse = ", "), 120, prefix = "    "), collapse = "\n")
p <- function(d) suppressWarnings(wilcox.test(d, correct = TRUE)$p.value) # it warns where ranks are not exact

cat("/* Made by significance.R: do not edit. */\n")
for (name in names(cases)) {
    # Differences as numbers of so few digits that those equal in decimals are ties in binary too.
    d <- round(cases[[name]][[1]] - cases[[name]][[2]], 6)
    cat(sprintf("static const double r_%s[] = {\n%s};\n", name, wrap(number(d))))
}
cat("\nstatic const struct r_case {\n    const char *name;\n    const double *d;\n    size_t n;\n",
    "    double t, wilcoxon, d_z, rank_biserial;\n} r_cases[] = {\n", sep = "")
for (name in names(cases)) {
    d <- round(cases[[name]][[1]] - cases[[name]][[2]], 6)
    some <- d[d != 0]
    r <- rank(abs(some))
    cat(sprintf("    {\"%s\", r_%s, %d,\n     %s},\n", name, name, length(d),
                paste(number(c(t.test(d)$p.value, p(d), mean(d) / sd(d), sum(sign(some) * r) / sum(r))), collapse = ", ")))
}
cat("};\n\n")

lists <- list(c(.01, .04, .03), c(.0001, .2, .05, .05, .7, .003), c(.9, .8), c(.02), c(NA, .01, .2, NA, .04, .01),
              c(1e-6, 1e-5, .5, .011, .012, .013, .9, 1))
cat("static const struct r_adjusted {\n    size_t n, family;\n    double p[8], holm[8], bh[8];\n} r_adjusted[] = {\n")
for (x in lists) for (more in c(0, 5)) {
    family <- sum(!is.na(x)) + more
    known <- !is.na(x)
    holm <- bh <- x
    holm[known] <- p.adjust(x[known], "holm", family)
    bh[known] <- p.adjust(x[known], "BH", family)
    cat(sprintf("    {%d, %d, {%s},\n     {%s},\n     {%s}},\n", length(x), family, paste(number(x), collapse = ", "),
                paste(number(holm), collapse = ", "), paste(number(bh), collapse = ", ")))
}
cat("};\n")
