/* Metrics of relevance with grades: some right items are worth more than others. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "eval/facts.h"
#include "eval/metrics.h"

static int by_number(const void *a, const void *b)
{
    uint32_t x, y;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    return (x > y) - (x < y);
}

/* Where among the right items the h-th hit is. */
static size_t right_of(const struct judged_list *l, size_t h)
{
    const uint32_t *at = bsearch(&l->item[l->rank[h]], l->right, l->relevant, sizeof *at, by_number);
    return (size_t)(at - l->right);
}

/* Gains are taken as shares of the largest one, so that 2^grade has room for any grade. */
static double exponential(double grade, double most)
{
    return exp2(grade - most) - exp2(-most);
}

static double graded(const struct judged_list *l, bool exponents, double *best)
{
    double sum = 0;
    *best = 0;
    for (size_t i = 0; i < l->nhits; i++) {
        double g = metric_gain(l->grade[right_of(l, i)]);
        sum += (exponents ? exponential(g, (double)l->ideal[0]) : g) / log2(l->rank[i] + 2.0);
    }
    for (size_t i = 0; i < l->k && i < l->relevant; i++) {
        double g = (double)l->ideal[i];
        *best += (exponents ? exponential(g, (double)l->ideal[0]) : g) / log2((double)i + 2);
    }
    return *best > 0 ? sum / *best : NAN;
}

static double ndcg_linear(const struct judged_list *l)
{
    double best;
    return graded(l, false, &best);
}

static double ndcg_exp(const struct judged_list *l)
{
    double best;
    return graded(l, true, &best);
}

static void say_gain(const char *sign, double grade, bool exponents, size_t argument, struct str *out)
{
    if (exponents)
        str_printf(out, "%s(2^%g - 1)/log2(%zu)", sign, grade, argument);
    else
        str_printf(out, "%s%g/log2(%zu)", sign, grade, argument);
}

/* "4/log2(3) + 3/log2(8), divided by the perfect list's 5/log2(2) + ... = .41" */
static void work_graded(const struct judged_list *l, struct str *out, bool exponents)
{
    double best;
    for (size_t i = 0; i < l->nhits; i++)
        say_gain(i ? " + " : "", metric_gain(l->grade[right_of(l, i)]), exponents, (size_t)l->rank[i] + 2, out);
    str_puts(out, l->nhits ? ", divided by the perfect list's " : "0, divided by the perfect list's ");
    for (size_t i = 0; i < l->k && i < l->relevant && i < 3; i++)
        say_gain(i ? " + " : "", (double)l->ideal[i], exponents, i + 2, out);
    str_printf(out, "%s = %.4f", l->k > 3 && l->relevant > 3 ? " + ..." : "", graded(l, exponents, &best));
}

static void work_linear(const struct judged_list *l, struct str *out)
{
    work_graded(l, out, false);
}

static void work_exp(const struct judged_list *l, struct str *out)
{
    work_graded(l, out, true);
}

/* What the i-th right item would bring in. */
static double amount(const struct judged_list *l, size_t i)
{
    double x = l->facts->price ? l->facts->price[l->right[i]] : l->valued ? (double)l->grade[i] : 0;
    return isfinite(x) && x > 0 ? x : 0;
}

static double revenue_of(const struct judged_list *l, double *all)
{
    double found = 0;
    *all = 0;
    for (size_t i = 0; i < l->nhits; i++)
        found += amount(l, right_of(l, i));
    for (size_t i = 0; i < l->relevant; i++)
        *all += amount(l, i);
    return found;
}

static double revenue(const struct judged_list *l)
{
    double all, found = revenue_of(l, &all);
    return all > 0 ? found / all : NAN;
}

static void work_revenue(const struct judged_list *l, struct str *out)
{
    double all, found = revenue_of(l, &all);
    str_printf(out, "by %s: %.2f found of %.2f = %.4f",
               l->facts->price ? l->facts->price_name : "the values of the events", found, all, revenue(l));
}

const struct metric metric_ndcg_linear = {
    .name = "ndcg_linear",
    .summary = "ndcg with grades: an item gains its rating",
    .doc = "As ndcg, but a right item gains its grade: the user's rating of it, or where events have no values the "
           "weight of their type (view=1, purchase=10). Unrated ones gain 1, negative grades nothing. The perfect list "
           "has the highest grades on top.",
    .source = "Jarvelin and Kekalainen, TOIS 2002; trec_eval: ndcg_cut_k",
    .of_list = ndcg_linear,
    .work = work_linear,
    .needs = NEEDS_ITEMS | NEEDS_GRADES,
    .partial = true,
};
const struct metric metric_ndcg_exp = {
    .name = "ndcg_exp",
    .summary = "ndcg with grades: an item gains 2^rating - 1",
    .doc = "As ndcg_linear, but an item of grade g gains 2^g - 1, so that the highest grades count most.",
    .source = "Burges et al.: Learning to rank using gradient descent, ICML 2005",
    .of_list = ndcg_exp,
    .work = work_exp,
    .needs = NEEDS_ITEMS | NEEDS_GRADES,
    .partial = true,
};
const struct metric metric_revenue = {
    .name = "revenue",
    .summary = "recall weighted by price: share of the revenue that is listed",
    .doc = "Sum of the prices of the right items in the first k, divided by that of all right items of the user. The "
           "price is the items' field price (unit_price, sale_price, list_price, amount, revenue); without one it is "
           "the value of the user's latest event with the item.",
    .source = "recall with weights; Jannach and Adomavicius: Price and profit awareness in recommender systems, 2017",
    .of_list = revenue,
    .work = work_revenue,
    .needs = NEEDS_ITEMS | NEEDS_GRADES | NEEDS_FACTS | NEEDS_AMOUNTS,
    .partial = true,
};
