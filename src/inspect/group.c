#include "inspect/group.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "ranking/lists.h"

/* ---- the list ---- */

/* The first k, and the best of the group behind them. */
static enum status find_places(const struct model *m, const struct query *q, const uint8_t *chosen, enum seen seen,
                               struct why_group *g, struct error *err)
{
    float *scores = mem_new_raw(m->nitems, sizeof *scores, "scores", err);
    struct scored *list = mem_new_raw(g->k, sizeof *list, "a list", err);
    g->found = mem_new_raw(g->k, sizeof *g->found, "a list", err);
    enum status st = scores && list && g->found ? rank_scores(m, q, seen, scores, err) : ST_NOMEM;
    if (st)
        goto out;
    g->listed = topk(scores, m->nitems, g->k, list);
    for (size_t r = 0; r < g->listed; r++)
        if (chosen[list[r].index])
            g->found[g->nfound++] = (struct group_item){list[r].index, r + 1, list[r].score};
    uint32_t best = NO_ITEM;
    for (size_t r = 0; r < g->listed; r++)
        scores[list[r].index] = -INFINITY;
    for (uint32_t i = 0; i < m->nitems; i++)
        if (chosen[i] && scores[i] > (best == NO_ITEM ? -INFINITY : scores[best]))
            best = i;
    if (best != NO_ITEM)
        g->next = (struct group_item){best, g->listed + rank_of(scores, m->nitems, best), scores[best]};
out:
    mem_free(scores);
    mem_free(list);
    return st;
}

/* ---- what speaks for it ---- */

static int by_size(const void *pa, const void *pb)
{
    const struct why_part *a = pa, *b = pb;
    double x = fabs(a->what.value), y = fabs(b->what.value);
    if (x > y || x < y)
        return x > y ? -1 : 1;
    return a->what.item < b->what.item ? -1 : a->what.item > b->what.item;
}

static int by_pull(const void *pa, const void *pb)
{
    const struct group_pull *a = pa, *b = pb;
    double x = fabs(a->value), y = fabs(b->value);
    return x > y ? -1 : x < y ? 1 : strcmp(a->category, b->category);
}

/* Sums by item of the history: sum[0..nitems). What is owed to none of them goes to the base. */
static enum status add_up(const struct model *m, const struct query *q, struct why_group *g, double *sum,
                          struct error *err)
{
    enum status st = ST_OK;
    bool items = false;
    g->exact = true;
    for (size_t i = 0; i < g->nfound && !st; i++) {
        struct explanation x;
        st = model_explain(m, q, g->found[i].item, &x, err);
        if (st)
            break;
        g->score += x.score;
        g->base += x.base;
        g->exact = g->exact && x.exact;
        for (size_t p = 0; p < x.nparts; p++) {
            *(x.parts[p].item == NO_ITEM ? &g->base : &sum[x.parts[p].item]) += x.parts[p].value;
            items |= x.parts[p].item != NO_ITEM;
        }
        explanation_clear(&x);
    }
    if (!items && model_trained(m)->class->part_weights)
        g->fused = model_trained(m);
    return st;
}

static enum status take_parts(const struct folded *f, const double *sum, struct why_group *g, struct error *err)
{
    g->parts = mem_new(f->begin[1], sizeof *g->parts, "an explanation", err);
    if (!g->parts)
        return ST_NOMEM;
    for (size_t h = 0; h < f->begin[1]; h++) {
        uint32_t item = f->items[h].item;
        if (sum[item] == 0)
            continue;
        g->parts[g->nparts++] = (struct why_part){.what = {.item = item, .value = sum[item]}, .time = f->items[h].time};
    }
    qsort(g->parts, g->nparts, sizeof *g->parts, by_size);
    return ST_OK;
}

static enum status take_pulls(const struct dataset *d, const struct folded *f, const double *sum, struct why_group *g,
                              struct error *err)
{
    const struct field *category = dataset_item_category(d);
    if (!category || (category->type != FIELD_TEXT && category->type != FIELD_LIST))
        return ST_OK;
    size_t nlevels = category->levels.n;
    g->pulls = mem_new(nlevels, sizeof *g->pulls, "categories", err);
    if (!g->pulls)
        return ST_NOMEM;
    for (size_t h = 0; h < f->begin[1]; h++) {
        const uint32_t *codes;
        size_t n = field_levels(category, f->items[h].item, &codes);
        for (size_t i = 0; i < n; i++) {
            g->pulls[codes[i]].value += sum[f->items[h].item] / (double)n;
            g->pulls[codes[i]].items++;
        }
    }
    for (size_t l = 0; l < nlevels; l++)
        if (g->pulls[l].items)
            g->pulls[g->npulls++] =
                (struct group_pull){dict_text(&category->levels, (uint32_t)l), g->pulls[l].value, g->pulls[l].items};
    qsort(g->pulls, g->npulls, sizeof *g->pulls, by_pull);
    return ST_OK;
}

/* ---- how usual it is ---- */

/* Of everybody: up to the moment that the question is about. */
static void find_shares(const struct dataset *d, const struct query *q, const struct folded *f, const uint8_t *chosen,
                        struct why_group *g)
{
    double own = 0, all = 0, usual = 0, everything = 0;
    for (size_t h = 0; h < f->begin[1]; h++) {
        bool in = chosen[f->items[h].item];
        all += (double)f->items[h].weight;
        own += in ? (double)f->items[h].weight : 0;
        g->history_items += in;
    }
    struct selection known = {.data = d, .until = q->as_of};
    for (size_t e = 0; e < d->events.n; e++) {
        if (!selection_has(&known, e))
            continue;
        double weight = (double)d->type_weight[d->events.type[e]];
        everything += weight;
        usual += chosen[d->events.item[e]] ? weight : 0;
    }
    g->of_history = all > 0 ? own / all : NAN;
    g->of_everybody = everything > 0 ? usual / everything : NAN;
}

static size_t count_items(const struct dataset *d, const uint8_t *chosen)
{
    size_t n = 0;
    for (size_t i = 0; i < d->items.n; i++)
        n += chosen[i];
    return n;
}

enum status why_group_make(const struct dataset *d, const struct model *m, const struct query *q, const uint8_t *chosen,
                           size_t k, enum seen seen, struct why_group *out, struct error *err)
{
    struct folded f = {0};
    *out = (struct why_group){.items = count_items(d, chosen), .k = k < m->nitems ? k : m->nitems, .of_lists = NAN};
    out->next.item = NO_ITEM;
    double *sum = mem_new(m->nitems, sizeof *sum, "an explanation", err);
    enum status st = sum ? folded_new(&f, q, 1, err) : ST_NOMEM;
    if (!st)
        st = find_places(m, q, chosen, seen, out, err);
    if (!st)
        st = add_up(m, q, out, sum, err);
    if (!st)
        st = take_parts(&f, sum, out, err);
    if (!st)
        st = take_pulls(d, &f, sum, out, err);
    if (!st)
        find_shares(d, q, &f, chosen, out);
    folded_clear(&f);
    mem_free(sum);
    return st;
}

enum status why_group_lists(struct why_group *g, const struct model *m, const struct selection *s,
                            const uint8_t *chosen, size_t most, enum seen seen, struct job *job, struct error *err)
{
    size_t all = s->data->users.n, n = 0, group = 0, entries = 0;
    uint32_t *lengths = mem_new_raw(all, sizeof *lengths, "users", err),
             *users = mem_new_raw(all, sizeof *users, "users", err);
    struct scored *list = mem_new_raw(most * g->k, sizeof *list, "lists", err);
    size_t *counts = mem_new(most, sizeof *counts, "lists", err);
    enum status st = lengths && users && list && counts ? ST_OK : ST_NOMEM;
    if (st)
        goto out;
    history_lengths(s, lengths);
    for (uint32_t u = 0; u < all; u++)
        if (lengths[u])
            users[n++] = u;
    g->lists = n < most ? n : most;
    for (size_t i = 0; i < g->lists; i++)
        users[i] = users[i * n / g->lists];
    st = rank_users(m, s, users, g->lists, g->k, seen, job, list, counts, err);
    for (size_t i = 0; i < g->lists && !st; i++) {
        entries += counts[i];
        for (size_t r = 0; r < counts[i]; r++)
            group += chosen[list[i * g->k + r].index];
    }
    g->of_lists = entries && !st ? (double)group / (double)entries : NAN;
out:
    mem_free(lengths);
    mem_free(users);
    mem_free(list);
    mem_free(counts);
    return st;
}

void why_group_clear(struct why_group *g)
{
    mem_free(g->found);
    mem_free(g->parts);
    mem_free(g->pulls);
    *g = (struct why_group){0};
}

/* ---- the sentence ---- */

/* Of lists that are fused it cannot be said what in the history made them. */
static void put_models(const struct model *m, struct str *out)
{
    str_puts(out, ", by what ");
    for (size_t p = 0; p < m->nparts; p++)
        str_printf(out, "%s%s", p == 0 ? "" : p + 1 == m->nparts ? " and " : ", ", m->parts[p].name);
    str_puts(out, " say of them: those have the reasons");
}

void why_group_sentence(const struct why_group *g, const struct dataset *d, const char *what, struct str *out)
{
    const struct why_part *reason[3];
    size_t n = why_main_reasons(g->parts, g->nparts, reason);
    if (!g->nfound) {
        if (g->listed)
            str_printf(out, g->listed == 1 ? "The %zu item listed is not %s" : "None of the %zu is %s", g->listed,
                       what);
        else
            str_printf(out, "The list is empty, so nothing in it is %s", what);
        if (g->next.item == NO_ITEM) {
            str_puts(out, ", and none could be.");
            return;
        }
        str_puts(out, "; the first one is ");
        put_ordinal(out, g->next.rank);
        str_puts(out, ": ");
        put_spoken_title(d, g->next.item, out);
        str_putc(out, '.');
        return;
    }
    str_printf(out, "%zu of %zu item%s %s %s", g->nfound, g->listed, g->listed == 1 ? "" : "s",
               g->nfound == 1 ? "is" : "are", what);
    if (n) {
        str_puts(out, ", mostly because of ");
        put_reasons(reason, n, true, d, out);
    } else if (g->fused) {
        put_models(g->fused, out);
    } else {
        str_puts(out, ", and nothing in the history speaks for that");
    }
    str_putc(out, '.');
}
