/* Checks of the shape: how much there is for a model to learn from. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "inspect/audit_parts.h"

/* ---- sparsity ---- */

static int by_size(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

/* Of counts in ascending order: 0 when all are alike, towards 1 when one has everything. */
static double gini(const uint32_t *sorted, size_t n, double sum)
{
    double weighted = 0;
    for (size_t i = 0; i < n; i++)
        weighted += (double)(i + 1) * sorted[i];
    return n && sum > 0 ? 2 * weighted / ((double)n * sum) - ((double)n + 1) / (double)n : 0;
}

static enum status check_sparsity(struct audit *a, struct error *err)
{
    const struct dataset *d = a->data;
    const struct audit_facts *f = a->facts;
    size_t zero = d->items.n - f->items, top = (f->items + 99) / 100;
    uint64_t of_top = 0;
    uint32_t *counts = mem_new_raw(d->items.n, sizeof *counts, "events of items", err);
    if (!counts)
        return ST_NOMEM;
    memcpy(counts, f->item_events, d->items.n * sizeof *counts);
    qsort(counts, d->items.n, sizeof *counts, by_size);
    for (size_t i = 0; i < top; i++)
        of_top += counts[d->items.n - 1 - i];
    double concentration = gini(counts + zero, f->items, (double)d->events.n),
           share = (double)of_top / (double)d->events.n;
    mem_free(counts);
    double cells = (double)f->users * f->items, density = cells > 0 ? (double)f->pairs / cells : 0;
    bool steep = share >= .5 && f->items >= 100, thin = density < 1e-5 && f->users >= 1000;
    struct finding *x = audit_find(a,
                                   steep  ? severity_of(share, .8, 2)
                                   : thin ? SEVERITY_INFO
                                          : SEVERITY_OK,
                                   "density %s; half of the users have at most %s event%s, half of the items at most "
                                   "%s; the top 1 %% of the items have %s of the events (Gini %.2f)",
                                   SHARE(density, 1), COUNT(f->median_user), f->median_user == 1 ? "" : "s",
                                   COUNT(f->median_item),
                                   SHARE(of_top, d->events.n), concentration);
    finding_evidence(x, top, "SELECT item, title, events, users FROM items ORDER BY events DESC LIMIT %zu", top);
    if (thin)
        finding_advice(x, "kcore 5");
    return ST_OK;
}

const struct audit_check audit_sparsity = {
    .name = "sparsity",
    .looks = "density, the long tail, how concentrated events are",
    .rule = "info when the top 1 % of at least 100 items have half of the events, a warning when they have 80 %: the "
            "most popular list is then hard to beat and says little of taste. Info when less than .001 % of the "
            "user-item table is known, with 1,000 users or more",
    .fine = "",
    .needs = NEED_COUNTS,
    .run = check_sparsity,
};

/* ---- cold ---- */

static void judge_single(struct audit *a, const char *what, const char *one, uint64_t single, uint64_t all,
                         double warning, const char *why)
{
    double share = all ? (double)single / (double)all : 0;
    if (share < .2 || all < 20)
        return;
    struct finding *f = audit_find(a, severity_of(share, warning, 2), "%s of the %s (%s) have one event only: %s",
                                   SHARE(single, all), what, COUNT(single), why);
    finding_evidence(f, single, "SELECT * FROM %s WHERE events = 1", what);
    if (share < .9) /* else hardly anything would be left */
        finding_advice(f, "filter \"events_per_%s >= 2\"", one);
}

static void judge_split(struct audit *a)
{
    const struct split *s = a->split;
    bool one = s->cold_items == 1;
    if (s->test_users && s->cold_users * 20 >= s->test_users)
        audit_find(
            a, severity_of((double)s->cold_users / (double)s->test_users, .2, .5),
            "%s of the %s user%s of the test part have no event before it: all they can be shown is what is popular",
            SHARE(s->cold_users, s->test_users), COUNT(s->test_users), s->test_users == 1 ? "" : "s");
    if (s->cold_items)
        audit_find(a, SEVERITY_INFO,
                   "%s item%s of the test part %s in no training event: models without attributes cannot find %s",
                   COUNT(s->cold_items), one ? "" : "s", one ? "is" : "are", one ? "it" : "them");
}

static enum status check_cold(struct audit *a, struct error *err)
{
    const struct audit_facts *f = a->facts;
    (void)err;
    judge_single(a, "users", "user", f->single_users, f->users, .5, "nothing of theirs is left to test on");
    judge_single(a, "items", "item", f->single_items, f->items, 2, "no model without attributes learns much of them");
    if (a->split)
        judge_split(a);
    return ST_OK;
}

const struct audit_check audit_cold = {
    .name = "cold",
    .looks = "users and items with one event; after a split, those of the test part that training has never seen",
    .rule = "info from 20 % with one event; a warning from half of the users. Of the test users: info from 5 % cold, a "
            "warning from 20 %, serious from half, since the leaderboard then measures popularity",
    .fine = "few users and items have one event only",
    .needs = NEED_COUNTS,
    .run = check_cold,
};

/* ---- repeats ---- */

static enum status check_repeats(struct audit *a, struct error *err)
{
    const struct dataset *d = a->data;
    const struct audit_facts *f = a->facts;
    (void)err;
    uint64_t repeats = f->repeats - (f->repeats > f->copies ? f->copies : f->repeats);
    if (!f->feedback || repeats * 20 < f->feedback)
        return ST_OK;
    struct str types = {0};
    put_feedback_types(&types, d);
    bool much = repeats * 5 >= f->feedback;
    struct finding *x = audit_find(
        a, SEVERITY_INFO, "%s of the feedback repeats an earlier event of the user with the item%s",
        SHARE(repeats, f->feedback), much ? ": lists that hide what was seen hide what they come back for" : "");
    if (d->types.n <= 32)
        finding_evidence(
            x, f->repeated,
            "SELECT user, item, type, count(*) AS times FROM events WHERE type IN %s GROUP BY user, item, type HAVING "
            "count(*) > 1",
            str_text(&types));
    if (much)
        finding_advice(x, "set seen show");
    str_free(&types);
    return ST_OK;
}

const struct audit_check audit_repeats = {
    .name = "repeats",
    .looks = "feedback that repeats an earlier one of the same user, item and type (copies left out)",
    .rule = "info from 5 %; from 20 % on `set seen show` is advised, since most of what is worth recommending has been "
            "seen. It is a property, not a fault",
    .fine = "people rarely come back to the same item",
    .needs = NEED_RUNS | NEED_COUNTS,
    .run = check_repeats,
};
