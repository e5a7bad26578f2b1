#include "inspect/opinion.h"

#include <string.h>

#include "base/mem.h"

enum status opinion_make(const struct model *m, const struct query *q, const uint32_t *items, size_t n, enum seen seen,
                         struct opinion *out, struct error *err)
{
    float *all = mem_new_raw(m->nitems, sizeof *all, "scores", err);
    float *shown = mem_new_raw(m->nitems, sizeof *shown, "scores", err);
    enum status st = all && shown ? rank_scores(m, q, SEEN_SHOW, all, err) : ST_NOMEM;
    bool hides = seen == SEEN_HIDE && !(m->class->capabilities & SERVED);
    if (!st) {
        memcpy(shown, all, m->nitems * sizeof *all);
        if (hides)
            rank_hide(q, shown);
    }
    for (size_t i = 0; i < n && !st; i++) {
        int64_t at;
        uint32_t times;
        bool seen_before = hides && rank_seen(q, items[i], &at, &times);
        out[i] = (struct opinion){rank_of(seen_before ? all : shown, m->nitems, items[i]), all[items[i]], seen_before};
    }
    mem_free(all);
    mem_free(shown);
    return st;
}
