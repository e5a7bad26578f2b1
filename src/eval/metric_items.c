/* Metrics of what stands in a list, right or not: how known, how alike, how much like the user's history. */
#include <math.h>

#include "eval/facts.h"
#include "eval/metrics.h"
#include "linalg/topk.h"

static double mean(double sum, size_t n)
{
    return n ? sum / (double)n : NAN;
}

/* Foreign lists may hold items that the data does not have: nothing is known of them. */
static bool is_known(const struct judged_list *l, size_t i)
{
    return l->item[i] != NO_ITEM;
}

static size_t known_items(const struct judged_list *l)
{
    size_t n = 0;
    for (size_t i = 0; i < l->n; i++)
        n += is_known(l, i);
    return n;
}

/* Users who have the i-th listed item. */
static unsigned users_of(const struct judged_list *l, size_t i)
{
    return is_known(l, i) ? l->facts->popularity[l->item[i]] : 0;
}

static double novelty(const struct judged_list *l)
{
    double sum = 0;
    for (size_t i = 0; i < l->n; i++)
        if (is_known(l, i))
            sum -= log2(item_share(l->facts, l->item[i]));
    return mean(sum, known_items(l));
}

static void work_novelty(const struct judged_list *l, struct str *out)
{
    for (size_t i = 0; i < l->n && i < 3; i++)
        str_printf(out, "%s-log2(%u/%zu)", i ? " + " : "(", users_of(l, i), l->facts->learners);
    str_printf(out, "%s) / %zu = %.4f bits", l->n > 3 ? " + ..." : "", l->n, novelty(l));
}

static double popularity(const struct judged_list *l)
{
    double sum = 0;
    for (size_t i = 0; i < l->n; i++)
        sum += users_of(l, i);
    return mean(sum, known_items(l)) / (double)l->facts->learners;
}

static void work_popularity(const struct judged_list *l, struct str *out)
{
    for (size_t i = 0; i < l->n && i < 3; i++)
        str_printf(out, "%s%u", i ? " + " : "(", users_of(l, i));
    str_printf(out, "%s) users / %zu item%s / %zu user%s = %.4f", l->n > 3 ? " + ..." : "", l->n, l->n == 1 ? "" : "s",
               l->facts->learners, l->facts->learners == 1 ? "" : "s", popularity(l));
}

static double of_history(const struct judged_list *l)
{
    const struct item_facts *f = l->facts;
    double sum = 0;
    for (size_t at = f->history_begin[l->user]; at < f->history_begin[l->user + 1]; at++)
        sum += f->popularity[f->history[at]];
    return mean(sum, f->history_begin[l->user + 1] - f->history_begin[l->user]) / (double)f->learners;
}

static double lift(const struct judged_list *l)
{
    double before = of_history(l);
    return before > 0 ? popularity(l) / before - 1 : NAN;
}

static void work_lift(const struct judged_list *l, struct str *out)
{
    str_printf(out, "popularity %.4f of the list / %.4f of the history - 1 = %.4f", popularity(l), of_history(l),
               lift(l));
}

static size_t in_tail(const struct judged_list *l)
{
    size_t n = 0;
    for (size_t i = 0; i < l->n; i++)
        n += is_known(l, i) && l->facts->tail[l->item[i]];
    return n;
}

static double tail(const struct judged_list *l)
{
    return mean((double)in_tail(l), known_items(l));
}

static void work_tail(const struct judged_list *l, struct str *out)
{
    str_printf(out, "%zu of %zu listed item%s %s outside the head = %.4f", in_tail(l), l->n, l->n == 1 ? "" : "s",
               in_tail(l) == 1 ? "is" : "are", tail(l));
}

static size_t surprising(const struct judged_list *l)
{
    size_t n = 0;
    for (size_t i = 0; i < l->nhits; i++)
        n += !item_expected(l->facts, l->user, l->item[l->rank[i]], l->k);
    return n;
}

static double serendipity(const struct judged_list *l)
{
    return (double)surprising(l) / (double)l->k;
}

static void work_serendipity(const struct judged_list *l, struct str *out)
{
    str_printf(out, "%zu right in the list, %zu of them not among the %zu most popular: %zu / %zu = %.4f", l->nhits,
               surprising(l), l->k, surprising(l), l->k, serendipity(l));
}

static double distances(const struct judged_list *l, size_t *pairs)
{
    double sum = 0;
    *pairs = 0;
    for (size_t i = 0; i < l->n; i++)
        for (size_t j = i + 1; j < l->n; j++) {
            double x = is_known(l, i) && is_known(l, j) ? item_distance(l->facts, l->item[i], l->item[j]) : NAN;
            if (isnan(x))
                continue;
            sum += x;
            ++*pairs;
        }
    return sum;
}

static double ild(const struct judged_list *l)
{
    size_t pairs;
    double sum = distances(l, &pairs);
    return mean(sum, pairs);
}

static void work_ild(const struct judged_list *l, struct str *out)
{
    size_t pairs;
    double sum = distances(l, &pairs);
    str_printf(out, "by %s: distances add up to %.4f over %zu pair%s = %.4f",
               l->facts->category ? l->facts->category->name : "common users", sum, pairs, pairs == 1 ? "" : "s",
               ild(l));
}

/* Share of category c in the list, an item counting 1 in all; *n: how many items have one. */
static double listed_share(const struct judged_list *l, uint32_t c, size_t *n)
{
    const struct item_facts *f = l->facts;
    double sum = 0;
    *n = 0;
    for (size_t i = 0; i < l->n; i++) {
        if (!is_known(l, i))
            continue;
        size_t begin = f->category_begin[l->item[i]], end = f->category_begin[l->item[i] + 1];
        *n += end > begin;
        for (size_t at = begin; at < end; at++)
            if (f->categories[at] == c)
                sum += 1 / (double)(end - begin);
    }
    return mean(sum, *n);
}

#define CALIBRATION_ALPHA .01

static double calibration(const struct judged_list *l)
{
    const struct item_facts *f = l->facts;
    double sum = 0;
    size_t n = 0, begin = f->taste_begin[l->user], end = f->taste_begin[l->user + 1];
    for (size_t at = begin; at < end; at++) {
        double p = f->taste_share[at], q = listed_share(l, f->taste[at], &n);
        sum += p * log(p / ((1 - CALIBRATION_ALPHA) * q + CALIBRATION_ALPHA * p));
    }
    return begin < end && n ? sum : NAN;
}

static void work_calibration(const struct judged_list *l, struct str *out)
{
    const struct item_facts *f = l->facts;
    size_t n = 0, begin = f->taste_begin[l->user], end = f->taste_begin[l->user + 1];
    for (size_t at = begin; at < end && at < begin + 3; at++)
        str_printf(out, "%s%s: %.1f %% of the history, %.1f %% of the list", at > begin ? "; " : "",
                   dict_text(&f->category->levels, f->taste[at]), 100 * f->taste_share[at],
                   100 * listed_share(l, f->taste[at], &n));
    str_printf(out, "%s: divergence %.4f", end > begin + 3 ? "; ..." : "", calibration(l));
}

static double stability(const struct judged_list *l)
{
    return l->before ? index_overlap(l->item, l->n, l->before, l->nbefore, l->parameter) : NAN;
}

static void work_stability(const struct judged_list *l, struct str *out)
{
    size_t common = 0;
    for (size_t i = 0; i < l->n; i++)
        for (size_t j = 0; j < l->nbefore; j++)
            common += l->item[i] == l->before[j];
    str_printf(out, "%zu of %zu item%s %s in the list before; by their ranks, with p = %g: %.4f", common, l->n,
               l->n == 1 ? "" : "s", common == 1 ? "was" : "were", l->parameter, stability(l));
}

const struct metric metric_novelty = {
    .name = "novelty",
    .summary = "how unlikely users are to know the items, in bits",
    .doc = "Mean over the list of -log2(share of the users of the train part who have the item), its self-information. "
           "An item that nobody has counts as if one user had it.",
    .source = "Zhou et al.: Solving the apparent diversity-accuracy dilemma of recommender systems, PNAS 2010; Vargas "
              "and Castells, RecSys 2011",
    .of_list = novelty,
    .work = work_novelty,
    .needs = NEEDS_ITEMS | NEEDS_FACTS,
    .partial = true,
};
const struct metric metric_popularity = {
    .name = "popularity",
    .summary = "average popularity of what is listed",
    .doc = "Mean over the list of the share of the users of the train part who have the item. Neither more nor less is "
           "better.",
    .source = "Yin et al.: Challenging the long tail recommendation, VLDB 2012 (there in users, not their share)",
    .of_list = popularity,
    .work = work_popularity,
    .needs = NEEDS_ITEMS | NEEDS_FACTS,
    .neutral = true,
    .partial = true,
};
const struct metric metric_lift = {
    .name = "lift",
    .summary = "popularity of the list against that of the user's history",
    .doc = "Mean popularity of the listed items, divided by that of the items of the user's history, less 1: above 0 "
           "the list is more mainstream than the user. Users without a history have none.",
    .source = "Abdollahpouri et al.: The connection between popularity bias, calibration, and fairness in "
              "recommendation, RecSys 2020 (there of groups of users; here user by user)",
    .of_list = lift,
    .work = work_lift,
    .needs = NEEDS_ITEMS | NEEDS_FACTS,
    .neutral = true,
    .partial = true,
};
const struct metric metric_tail = {
    .name = "tail",
    .summary = "share of the list that is from the long tail",
    .doc = "Share of the listed items outside the head. The head is made of the most popular items that together have "
           "80 % of all pairs of a user and an item in the train part.",
    .source = "Abdollahpouri, Burke and Mobasher: Managing popularity bias in recommender systems with personalized "
              "re-ranking, FLAIRS 2019 (APLT)",
    .of_list = tail,
    .work = work_tail,
    .needs = NEEDS_ITEMS | NEEDS_FACTS,
    .neutral = true,
    .partial = true,
};
const struct metric metric_serendipity = {
    .name = "serendipity",
    .summary = "share of the list that is right and would not have been expected",
    .doc = "Right items in the first k that are not among the k most popular items, divided by k. The most popular "
           "ones are those of the train part, without what the user had unless seen=show.",
    .source = "Ge, Delgado-Battenfeld and Jannach: Beyond accuracy, RecSys 2010, with the most popular items as the "
              "primitive recommender",
    .of_list = serendipity,
    .work = work_serendipity,
    .needs = NEEDS_ITEMS | NEEDS_FACTS,
};
const struct metric metric_ild = {
    .name = "ild",
    .summary = "intra-list diversity: how unlike the listed items are",
    .doc = "Mean distance over all pairs of listed items. Where items have a category field (category, genres, tags, "
           "...) the distance is 1 - common categories / all categories of the two (Jaccard), and pairs with an item "
           "that has none are left out; else 1 - cosine of the sets of users who have them.",
    .source = "Ziegler et al.: Improving recommendation lists through topic diversification, WWW 2005",
    .of_list = ild,
    .work = work_ild,
    .needs = NEEDS_ITEMS | NEEDS_FACTS,
    .partial = true,
};
const struct metric metric_calibration = {
    .name = "calibration",
    .summary = "how far the mix of categories is from that of the user's history",
    .doc =
        "Kullback-Leibler divergence (natural logarithm) of the categories of the list from those of the user's "
        "history: sum over the categories of p log(p / (.99 q + .01 p)), where p is their share in the history and "
        "q in the list; an item spreads 1 over its categories. 0: the same mix. Needs a category field of the items.",
    .source = "Steck: Calibrated recommendations, RecSys 2018, alpha = .01",
    .of_list = calibration,
    .work = work_calibration,
    .needs = NEEDS_ITEMS | NEEDS_FACTS | NEEDS_CATEGORIES,
    .lower = true,
    .partial = true,
};
const struct metric metric_stability = {
    .name = "stability",
    .summary = "how much of the lists stays when the model is trained anew",
    .doc = "Rank-biased overlap (extrapolated, p = .9 or said: stability:.95@20) of the user's list with the one that "
           "the previous training of a model of this name gave for the same question: 1 for the same list. There is "
           "none before a model was judged, trained anew and judged again.",
    .source = "Webber, Moffat and Zobel: A similarity measure for indefinite rankings, TOIS 2010, equation 32",
    .of_list = stability,
    .work = work_stability,
    .needs = NEEDS_ITEMS | NEEDS_BEFORE,
    .parameter = .9,
    .parameter_low = .01,
    .parameter_high = .999,
    .partial = true,
};
