#include "inspect/made_of.h"

#include <stdio.h>

#include "base/mem.h"
#include "inspect/opinion.h"
#include "inspect/why.h"

/* "made of ease, pop": a part that is an ensemble says so, unless there is more to say. */
static void note_parts(const struct model *m, struct part_share *s)
{
    struct str text = {0};
    if (s->note[0] || !(m->class->capabilities & OF_MODELS))
        return;
    for (size_t p = 0; p < m->nparts; p++)
        str_printf(&text, "%s%s", p ? ", " : "made of ", m->parts[p].name);
    snprintf(s->note, sizeof s->note, "%s", str_text(&text));
    str_free(&text);
}

static enum status count_items(const struct query *q, size_t *items, struct error *err)
{
    struct folded f;
    enum status st = folded_new(&f, q, 1, err);
    if (!st)
        *items = f.begin[1];
    folded_clear(&f);
    return st;
}

enum status made_of_make(const struct model *m, const struct query *q, uint32_t item, enum seen seen,
                         struct made_of *out, struct error *err)
{
    const struct model *trained = model_trained(m);
    *out = (struct made_of){0};
    if (!trained->class->shares)
        return ST_OK;
    struct part_share *shares = mem_new(trained->nparts, sizeof *shares, "the models of an ensemble", err);
    out->parts = mem_new(trained->nparts, sizeof *out->parts, "the models of an ensemble", err);
    enum status st = shares && out->parts ? count_items(q, &out->items, err) : ST_NOMEM;
    if (!st)
        st = model_shares(m, q, item, shares, err);
    out->n = out->alone = trained->nparts;
    for (size_t p = 0; p < out->n && !st; p++) {
        struct opinion o;
        st = opinion_make(trained->parts[p].model, q, &item, 1, seen, &o, err);
        out->parts[p] =
            (struct made_part){.model = trained->parts[p].model, .share = shares[p], .rank = st ? 0 : o.rank};
        note_parts(out->parts[p].model, &out->parts[p].share);
        if (!trained->class->part_weights && shares[p].weight != 0)
            out->alone = p;
    }
    mem_free(shares);
    if (st)
        made_of_clear(out);
    return st;
}

void made_of_clear(struct made_of *x)
{
    mem_free(x->parts);
    *x = (struct made_of){0};
}

void made_of_choice(const struct made_of *x, const char *who, struct str *out)
{
    char count[32];
    if (x->alone == x->n)
        return;
    text_count(count, sizeof count, (int64_t)x->items);
    str_printf(out, "%s has %s item%s in the history, so %s answers.", who, x->items ? count : "no",
               x->items == 1 ? "" : "s", x->parts[x->alone].model->name);
}

void made_of_places(const struct made_of *x, struct str *out)
{
    size_t n = 0, last = 0;
    for (size_t p = 0; p < x->n; p++)
        if (x->parts[p].share.adds > 0 && x->parts[p].rank)
            last = p;
    for (size_t p = 0; p < x->n; p++) {
        if (!(x->parts[p].share.adds > 0) || !x->parts[p].rank)
            continue;
        str_printf(out, "%s%s %s",
                   n == 0      ? ""
                   : p == last ? " and "
                               : ", ",
                   x->parts[p].model->name, n ? "" : "has it ");
        n++;
        put_ordinal(out, x->parts[p].rank);
    }
}
