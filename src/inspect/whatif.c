#include "inspect/whatif.h"

#include "base/mem.h"

static struct move move_of(const float *before, const float *after, size_t n, uint32_t item)
{
    return (struct move){item, rank_of(before, n, item), rank_of(after, n, item), before[item], after[item]};
}

static bool in_list(const struct scored *list, size_t n, uint32_t item)
{
    for (size_t i = 0; i < n; i++)
        if (list[i].index == item)
            return true;
    return false;
}

enum status whatif_make(const struct model *m, const struct query *before, const struct query *after, size_t k,
                        enum seen seen, struct whatif *out, struct error *err)
{
    return whatif_between(m, before, m, after, k, seen, out, err);
}

enum status whatif_between(const struct model *m, const struct query *before, const struct model *other, const struct query *after,
                           size_t k, enum seen seen, struct whatif *out, struct error *err)
{
    size_t n = m->nitems;
    k = k < n ? k : n;
    *out = (struct whatif){0};
    float *old = mem_new_raw(n, sizeof *old, "scores", err), *new = mem_new_raw(n, sizeof *new, "scores", err);
    struct scored *list = mem_new_raw(2 * k, sizeof *list, "lists", err);
    out->moves = mem_new(2 * k, sizeof *out->moves, "moves", err);
    enum status st = old && new && list && out->moves ? rank_scores(m, before, seen, old, err) : ST_NOMEM;
    if (!st)
        st = rank_scores(other, after, seen, new, err);
    if (!st) {
        struct scored *old_list = list + k;
        size_t nold = topk(old, n, k, old_list);
        out->listed = topk(new, n, k, list);
        for (; out->n < out->listed; out->n++)
            out->moves[out->n] = move_of(old, new, n, list[out->n].index);
        for (size_t i = 0; i < nold; i++)
            if (!in_list(list, out->listed, old_list[i].index))
                out->moves[out->n++] = move_of(old, new, n, old_list[i].index);
    }
    mem_free(old);
    mem_free(new);
    mem_free(list);
    if (st)
        whatif_clear(out);
    return st;
}

void whatif_clear(struct whatif *w)
{
    mem_free(w->moves);
    *w = (struct whatif){0};
}
