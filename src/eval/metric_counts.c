/* Metrics of all lists together: how they share their places among the items of the catalogue. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "data/dataset.h"
#include "eval/metrics.h"

static int by_number(const void *a, const void *b)
{
    uint32_t x, y;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    return (x > y) - (x < y);
}

static double total(const uint32_t *count, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += count[i];
    return sum;
}

static double gini(uint32_t *count, size_t n)
{
    double all = total(count, n), sum = 0;
    qsort(count, n, sizeof *count, by_number);
    for (size_t i = 0; i < n; i++)
        sum += (2 * ((double)i + 1) - (double)n - 1) * count[i];
    return all > 0 ? sum / ((double)n * all) : NAN;
}

static double entropy(uint32_t *count, size_t n)
{
    double all = total(count, n), sum = 0;
    for (size_t i = 0; i < n; i++)
        if (count[i])
            sum -= count[i] / all * log2(count[i] / all);
    return all > 0 ? sum + 0.0 : NAN;
}

/* ---- one list alone ---- */

static size_t known(const struct judged_list *l)
{
    size_t n = 0;
    for (size_t i = 0; i < l->n; i++)
        n += l->item[i] != NO_ITEM;
    return n;
}

static void work_coverage(const struct judged_list *l, struct str *out)
{
    size_t n = known(l);
    str_printf(out, "%zu / %zu items = %.4f", n, l->catalogue, (double)n / (double)l->catalogue);
}

static void work_gini(const struct judged_list *l, struct str *out)
{
    size_t n = known(l);
    str_printf(out, "%zu %s in it once, the others of all %zu never: 1 - %zu / %zu = %.4f", n,
               n == 1 ? "item stands" : "items stand", l->catalogue, n, l->catalogue,
               1 - (double)n / (double)l->catalogue);
}

static void work_entropy(const struct judged_list *l, struct str *out)
{
    size_t n = known(l);
    if (n < 2)
        str_puts(out, n ? "one item has all places: log2(1) = 0" : "no item has a place");
    else
        str_printf(out, "each of %zu items has 1/%zu of the places: log2(%zu) = %.4f", n, n, n, log2((double)n));
}

const struct metric metric_coverage = {
    .name = "coverage",
    .summary = "share of the catalogue that is in anybody's list",
    .doc = "Items that stand in the first k of at least one list, divided by all items.",
    .source = "Ge, Delgado-Battenfeld and Jannach: Beyond accuracy, RecSys 2010",
    .work = work_coverage,
    .common = true,
};
const struct metric metric_gini = {
    .name = "gini",
    .summary = "how unequally items get into lists",
    .doc = "Gini coefficient of how often each item of the catalogue stands in the first k of a list: 0 when all do "
           "equally often, near 1 when few items fill all lists.",
    .source = "Fleder and Hosanagar: Blockbuster culture's next rise or fall, Management Science 2009",
    .of_counts = gini,
    .work = work_gini,
    .needs = NEEDS_ITEMS,
    .lower = true,
};
const struct metric metric_entropy = {
    .name = "entropy",
    .summary = "how evenly items get into lists, in bits",
    .doc = "Shannon entropy of the share that each item has of all places in the first k: log2(items) when all have "
           "the same.",
    .source = "Adomavicius and Kwon: Improving aggregate recommendation diversity, TKDE 2012",
    .of_counts = entropy,
    .work = work_entropy,
    .needs = NEEDS_ITEMS,
};
