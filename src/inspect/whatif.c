#include "inspect/whatif.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"

/* Scores of all items, masked, and the best k of them. */
struct side {
    float *scores;
    struct scored *list;
    size_t n;
};

enum { BEFORE, AFTER, RETRAINED, SIDES };

static struct move move_of(const struct side *sides, size_t n, uint32_t item)
{
    const float *before = sides[BEFORE].scores, *after = sides[AFTER].scores, *retrained = sides[RETRAINED].scores;
    return (struct move){item, rank_of(before, n, item), rank_of(after, n, item), before[item], after[item],
                         retrained ? rank_of(retrained, n, item) : 0, retrained ? retrained[item] : NAN};
}

static bool has_move(const struct whatif *w, uint32_t item)
{
    for (size_t i = 0; i < w->n; i++)
        if (w->moves[i].item == item)
            return true;
    return false;
}

static void add_list(struct whatif *w, const struct side *sides, int which, size_t n)
{
    for (size_t i = 0; i < sides[which].n; i++)
        if (!has_move(w, sides[which].list[i].index))
            w->moves[w->n++] = move_of(sides, n, sides[which].list[i].index);
}

static enum status side_new(struct side *s, size_t n, size_t k, struct error *err)
{
    s->scores = mem_new_raw(n, sizeof *s->scores, "scores", err);
    s->list = mem_new_raw(k, sizeof *s->list, "lists", err);
    return s->scores && s->list ? ST_OK : ST_NOMEM;
}

static enum status make(const struct model *m, const struct query *before, const struct model *other,
                        const struct query *after, const float *retrained, size_t k, enum seen seen, struct whatif *out,
                        struct error *err)
{
    size_t n = m->nitems;
    int nsides = retrained ? SIDES : RETRAINED;
    struct side sides[SIDES] = {{0}};
    enum status st = ST_OK;
    k = k < n ? k : n;
    *out = (struct whatif){0};
    for (int i = 0; i < nsides && !st; i++)
        st = side_new(&sides[i], n, k, err);
    out->moves = mem_new((size_t)nsides * k, sizeof *out->moves, "moves", err);
    if (!st)
        st = out->moves ? rank_scores(m, before, seen, sides[BEFORE].scores, err) : ST_NOMEM;
    if (!st)
        st = rank_scores(other, after, seen, sides[AFTER].scores, err);
    if (!st && retrained) {
        memcpy(sides[RETRAINED].scores, retrained, n * sizeof *retrained);
        if (seen == SEEN_HIDE)
            rank_hide(after, sides[RETRAINED].scores);
    }
    for (int i = 0; i < nsides && !st; i++)
        sides[i].n = topk(sides[i].scores, n, k, sides[i].list);
    if (!st) {
        add_list(out, sides, AFTER, n);
        out->listed = out->n;
        add_list(out, sides, RETRAINED, n);
        add_list(out, sides, BEFORE, n);
    }
    for (int i = 0; i < nsides; i++) {
        mem_free(sides[i].scores);
        mem_free(sides[i].list);
    }
    if (st)
        whatif_clear(out);
    return st;
}

enum status whatif_make(const struct model *m, const struct query *before, const struct query *after, size_t k,
                        enum seen seen, struct whatif *out, struct error *err)
{
    return make(m, before, m, after, NULL, k, seen, out, err);
}

enum status whatif_between(const struct model *m, const struct query *before, const struct model *other,
                           const struct query *after, size_t k, enum seen seen, struct whatif *out, struct error *err)
{
    return make(m, before, other, after, NULL, k, seen, out, err);
}

enum status whatif_beside(const struct model *m, const struct query *before, const struct query *after,
                          const float *retrained, size_t k, enum seen seen, struct whatif *out, struct error *err)
{
    return make(m, before, m, after, retrained, k, seen, out, err);
}

void whatif_clear(struct whatif *w)
{
    mem_free(w->moves);
    *w = (struct whatif){0};
}
