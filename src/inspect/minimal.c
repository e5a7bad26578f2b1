#include "inspect/minimal.h"

#include "base/mem.h"
#include "inspect/why.h"

static enum status find_rank(const struct model *m, const struct query *q, uint32_t item, bool shown, size_t *rank,
                             struct error *err)
{
    float *scores = mem_new_raw(m->nitems, sizeof *scores, "scores", err);
    enum status st = scores ? rank_scores(m, q, shown ? SEEN_SHOW : SEEN_HIDE, scores, err) : ST_NOMEM;
    if (!st)
        *rank = rank_of(scores, m->nitems, item);
    mem_free(scores);
    return st;
}

enum status minimal_make(const struct model *m, const struct query *q, uint32_t item, enum seen seen, size_t k,
                         double seconds, struct job *job, struct minimal *out, struct error *err)
{
    int64_t at;
    uint32_t times;
    bool shown = seen == SEEN_SHOW || rank_seen(q, item, &at, &times);
    *out = (struct minimal){
        .item = item, .k = k < m->nitems ? k : m->nitems, .ignores = m->class->capabilities & IGNORES_HISTORY};
    enum status st = find_rank(m, q, item, shown, &out->rank, err);
    out->needless = !st && (out->rank == 0 || out->rank > out->k);
    if (st || out->needless)
        return st;
    struct bring b = {
        .m = m, .q = q, .item = item, .k = out->k, .goal = GOAL_OUT, .shown = shown, .seconds = seconds, .job = job};
    return bring_in(&b, BY_REMOVING, &out->removed, err);
}

void minimal_clear(struct minimal *x)
{
    brought_clear(&x->removed);
    *x = (struct minimal){0};
}

/* ---- the sentence ---- */

static void put_items(const struct brought *b, const struct dataset *d, struct str *out)
{
    enum { NAMED = 5 };
    size_t named = b->n <= NAMED + 1 ? b->n : NAMED;
    for (size_t i = 0; i < named; i++) {
        str_puts(out, i == 0 ? "" : i + 1 == b->n ? " and " : ", ");
        put_spoken_title(d, b->items[i], out);
    }
    if (named < b->n)
        str_printf(out, " and %zu more", b->n - named);
}

static void put_proof(const struct brought *b, struct str *out)
{
    if (brought_smallest(b))
        str_puts(out, b->n == 1 ? " Nothing less does it." : " No smaller set does it (proved).");
    else if (b->at_least == 1)
        str_puts(out, " Whether fewer would do is not known: time was over.");
    else
        str_printf(
            out, " Found %zu; that fewer than %zu do not do it is proved, the rest was not looked through in the time.",
            b->n, b->at_least);
}

void minimal_sentence(const struct minimal *x, const struct dataset *d, struct str *out)
{
    const struct brought *b = &x->removed;
    if (x->needless) {
        str_puts(out, x->rank ? "It is " : "It has no place in the list: nothing has to go.");
        if (x->rank) {
            put_ordinal(out, x->rank);
            str_printf(out, ", not among the first %zu: nothing has to go.", x->k);
        }
    } else if (b->found) {
        str_puts(out, "Without ");
        put_items(b, d, out);
        if (b->rank) {
            str_puts(out, " it would be ");
            put_ordinal(out, b->rank);
            str_printf(out, ", out of the first %zu.", x->k);
        } else {
            str_puts(out, " it would have no place in the list.");
        }
        put_proof(b, out);
    } else if (b->none) {
        str_printf(out, "Whatever is taken out of the history, it stays among the first %zu%s.", x->k,
                   x->ignores ? ": the model does not look at it" : " (proved)");
    } else {
        str_printf(out, "No set was found in the time; at least %zu of the history would have to go (proved).",
                   b->at_least);
    }
}
