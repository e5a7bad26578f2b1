/* Metrics of relevance, yes or no: nothing but the ranks of the right items counts. */
#include <math.h>

#include "eval/metrics.h"

/* "ranks 2 and 7 are right" */
static void say_ranks(const struct judged_list *l, struct str *out)
{
    if (!l->nhits)
        str_printf(out, "no right item in the first %zu", l->k);
    else
        str_puts(out, l->nhits > 1 ? "ranks " : "rank ");
    for (size_t i = 0; i < l->nhits; i++)
        str_printf(out, "%s%u", !i ? "" : i + 1 == l->nhits ? " and " : ", ", l->rank[i] + 1);
    if (l->nhits)
        str_puts(out, l->nhits > 1 ? " are right" : " is right");
    str_puts(out, ": ");
}

static double recall(const struct judged_list *l)
{
    return (double)l->nhits / (double)l->relevant;
}

static void work_recall(const struct judged_list *l, struct str *out)
{
    say_ranks(l, out);
    str_printf(out, "%zu of %zu right one%s = %.4f", l->nhits, l->relevant, l->relevant == 1 ? "" : "s", recall(l));
}

static double precision(const struct judged_list *l)
{
    return (double)l->nhits / (double)l->k;
}

static void work_precision(const struct judged_list *l, struct str *out)
{
    say_ranks(l, out);
    str_printf(out, "%zu / %zu = %.4f", l->nhits, l->k, precision(l));
}

static double hit(const struct judged_list *l)
{
    return l->nhits > 0;
}

static void work_hit(const struct judged_list *l, struct str *out)
{
    say_ranks(l, out);
    str_printf(out, "%d", l->nhits > 0);
}

static double mrr(const struct judged_list *l)
{
    return l->nhits ? 1.0 / (l->rank[0] + 1.0) : 0;
}

static void work_mrr(const struct judged_list *l, struct str *out)
{
    say_ranks(l, out);
    if (l->nhits)
        str_printf(out, "1/%u = %.4f", l->rank[0] + 1, mrr(l));
    else
        str_puts(out, "0");
}

static double map(const struct judged_list *l)
{
    double sum = 0;
    for (size_t i = 0; i < l->nhits; i++)
        sum += (double)(i + 1) / (l->rank[i] + 1.0);
    return sum / (double)l->relevant;
}

static void work_map(const struct judged_list *l, struct str *out)
{
    say_ranks(l, out);
    str_puts(out, l->nhits ? "(" : "0");
    for (size_t i = 0; i < l->nhits; i++)
        str_printf(out, "%s%zu/%u", i ? " + " : "", i + 1, l->rank[i] + 1);
    str_printf(out, "%s / %zu right in all = %.4f", l->nhits ? ")" : "", l->relevant, map(l));
}

static double ideal_gain(const struct judged_list *l)
{
    double ideal = 0;
    for (size_t i = 0; i < l->k && i < l->relevant; i++)
        ideal += 1 / log2((double)i + 2);
    return ideal;
}

static double gain(const struct judged_list *l)
{
    double sum = 0;
    for (size_t i = 0; i < l->nhits; i++)
        sum += 1 / log2(l->rank[i] + 2.0);
    return sum;
}

static double ndcg(const struct judged_list *l)
{
    return gain(l) / ideal_gain(l);
}

static void work_ndcg(const struct judged_list *l, struct str *out)
{
    size_t best = l->k < l->relevant ? l->k : l->relevant;
    say_ranks(l, out);
    str_puts(out, l->nhits ? "(" : "0");
    for (size_t i = 0; i < l->nhits; i++)
        str_printf(out, "%s1/log2(%u)", i ? " + " : "", l->rank[i] + 2);
    str_puts(out, l->nhits ? ") / (1/log2(2)" : " / (1/log2(2)");
    if (best > 3)
        str_printf(out, " + ... + 1/log2(%zu)) of a perfect list", best + 1);
    else
        for (size_t i = 1; i <= best; i++)
            str_printf(out, i < best ? " + 1/log2(%zu)" : ") of a perfect list", i + 2);
    str_printf(out, " = %.4f / %.4f = %.4f", gain(l), ideal_gain(l), ndcg(l));
}

static size_t rprec_cut(const struct judged_list *l)
{
    return l->relevant < l->k ? l->relevant : l->k;
}

static size_t rprec_hits(const struct judged_list *l)
{
    size_t hits = 0;
    while (hits < l->nhits && l->rank[hits] < rprec_cut(l))
        hits++;
    return hits;
}

static double rprec(const struct judged_list *l)
{
    return (double)rprec_hits(l) / (double)rprec_cut(l);
}

static void work_rprec(const struct judged_list *l, struct str *out)
{
    say_ranks(l, out);
    str_printf(out, "%zu right in all, cut at %zu: %zu of the first %zu = %.4f", l->relevant, l->k, rprec_hits(l),
               rprec_cut(l), rprec(l));
}

static double rbp(const struct judged_list *l)
{
    double sum = 0;
    for (size_t i = 0; i < l->nhits; i++)
        sum += pow(l->parameter, l->rank[i]);
    return (1 - l->parameter) * sum;
}

static void work_rbp(const struct judged_list *l, struct str *out)
{
    say_ranks(l, out);
    str_printf(out, "(1 - %g) * ", l->parameter);
    str_puts(out, l->nhits ? "(" : "0");
    for (size_t i = 0; i < l->nhits; i++)
        str_printf(out, "%s%g^%u", i ? " + " : "", l->parameter, l->rank[i]);
    str_printf(out, "%s = %.4f", l->nhits ? ")" : "", rbp(l));
}

static double auc(const struct judged_list *l)
{
    return l->won;
}

static void work_auc(const struct judged_list *l, struct str *out)
{
    str_printf(out, "%zu right in all, each against every other candidate: %.2f %% of the pairs are in order = %.4f",
               l->relevant, 100 * l->won, l->won);
}

const struct metric metric_ndcg = {
    .name = "ndcg",
    .summary = "gain of the right items, worth less further down",
    .doc = "Sum over the right items in the first k of 1 / log2(rank + 1), divided by the same sum for a perfect list, "
           "which has min(k, right items) of them on top; gains are 0 and 1.",
    .source = "Jarvelin and Kekalainen: Cumulated gain-based evaluation of IR techniques, TOIS 2002",
    .of_list = ndcg,
    .work = work_ndcg,
    .common = true,
};
const struct metric metric_recall = {
    .name = "recall",
    .summary = "share of the right items that are listed",
    .doc = "Right items in the first k, divided by all right items of the user.",
    .source = "trec_eval: recall_k",
    .of_list = recall,
    .work = work_recall,
    .common = true,
};
const struct metric metric_precision = {
    .name = "precision",
    .summary = "share of the list that is right",
    .doc = "Right items in the first k, divided by k, also when the list is shorter.",
    .source = "trec_eval: P_k",
    .of_list = precision,
    .work = work_precision,
};
const struct metric metric_map = {
    .name = "map",
    .summary = "mean of the precision at each right item",
    .doc = "Sum over the right items in the first k of the precision at their rank, divided by all right items of the "
           "user.",
    .source = "trec_eval: map_cut_k",
    .of_list = map,
    .work = work_map,
};
const struct metric metric_mrr = {
    .name = "mrr",
    .summary = "one over the rank of the first right item",
    .doc = "1 / rank of the first right item in the first k; 0 when there is none.",
    .source = "Voorhees: The TREC-8 question answering track report, 1999",
    .of_list = mrr,
    .work = work_mrr,
    .common = true,
};
const struct metric metric_hit = {
    .name = "hit",
    .summary = "share of users with a right item in the list",
    .doc = "1 when the first k hold a right item, else 0 (hit rate, HR@k).",
    .source = "trec_eval: success_k",
    .of_list = hit,
    .work = work_hit,
    .common = true,
};
const struct metric metric_rprec = {
    .name = "rprec",
    .summary = "precision at as many ranks as there are right items",
    .doc = "Right items in the first r, divided by r, where r is the number of right items of the user, at most k.",
    .source = "trec_eval: Rprec, which has no cut: the same while k is not below the number of right items",
    .of_list = rprec,
    .work = work_rprec,
};
const struct metric metric_rbp = {
    .name = "rbp",
    .summary = "rank-biased precision: somebody who reads on with probability p",
    .doc = "(1 - p) times the sum over the right items in the first k of p^(rank - 1): what somebody finds a step who "
           "goes on from each rank to the next with probability p. p is .8, or said: rbp:.95@50. What stands below k "
           "could add p^k at most.",
    .source = "Moffat and Zobel: Rank-biased precision for measurement of retrieval effectiveness, TOIS 2008",
    .of_list = rbp,
    .work = work_rbp,
    .parameter = .8,
    .parameter_low = .01,
    .parameter_high = .999,
};
const struct metric metric_auc = {
    .name = "auc",
    .summary = "how often a right item stands above another one",
    .doc = "Share of pairs of a right item and another candidate in which the right one has the higher score; equal "
           "scores count half. Candidates are all items that the history does not hide; those without a score are "
           "below all others. It looks at the whole catalogue and is not cut at a rank. Items that the same users had "
           "score alike but for rounding, so that another program's sixth digit can be another.",
    .source = "Rendle et al.: BPR, UAI 2009, section 4.1.1; Hanley and McNeil: The meaning and use of the area under a "
              "ROC curve, Radiology 1982",
    .of_list = auc,
    .work = work_auc,
    .needs = NEEDS_PAIRS,
    .partial = true,
};
