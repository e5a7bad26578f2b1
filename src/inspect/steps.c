#include "inspect/steps.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "inspect/made_of.h"

static int by_size(const void *pa, const void *pb)
{
    const struct score_term *a = pa, *b = pb;
    double x = fabs(a->value), y = fabs(b->value);
    if (x > y || x < y)
        return x > y ? -1 : 1;
    if (a->item != b->item)
        return a->item < b->item ? -1 : 1;
    return a->user != b->user ? (a->user < b->user ? -1 : 1) : strcmp(a->label, b->label);
}

/* ---- an ensemble ---- */

static enum status by_parts(const struct model *m, const struct query *q, uint32_t item, struct steps *s,
                            struct error *err)
{
    size_t n = model_trained(m)->nparts;
    struct part_share *shares = mem_new(n, sizeof *shares, "the steps of a score", err);
    enum status st = shares ? steps_new(s, n, err) : ST_NOMEM;
    if (!st)
        st = model_shares(m, q, item, shares, err);
    s->formula = m->class->formula;
    for (size_t p = 0; p < n && !st; p++) {
        const struct part_share *x = &shares[p];
        if (x->weight == 0)
            continue;
        struct score_term *t = steps_add(s, NO_ITEM, x->weight, x->value);
        const char *name = model_trained(m)->parts[p].name;
        if (x->note[0])
            snprintf(t->label, sizeof t->label, "%.30s: %s", name, x->note);
        else if (x->place)
            snprintf(t->label, sizeof t->label, "%.40s: place %zu", name, x->place);
        else
            snprintf(t->label, sizeof t->label, "%.40s: score %.6g", name, (double)x->score);
    }
    mem_free(shares);
    return st;
}

/* A switch has the steps of the model that answers. */
static enum status by_answer(const struct model *m, const struct query *q, uint32_t item, struct steps *s,
                             struct error *err)
{
    struct made_of x;
    enum status st = made_of_make(m, q, item, SEEN_SHOW, &x, err);
    if (!st)
        st = steps_make(x.parts[x.alone].model, q, item, s, err);
    made_of_clear(&x);
    return st;
}

/* ---- vectors ---- */

static enum status by_components(const struct model *m, const struct query *q, uint32_t item, struct steps *s,
                                 struct error *err)
{
    size_t width;
    const float *y = m->class->vectors(model_trained(m), &width);
    float *x = mem_new_raw(width, sizeof *x, "the vector of a history", err);
    enum status st = x ? model_fold(m, q, 1, x, err) : ST_NOMEM;
    if (!st)
        st = steps_new(s, width, err);
    s->formula =
        "score = sum over f of x[f] x y[f]; x: the vector that the history is folded into, y: that of the item";
    for (size_t f = 0; f < width && !st; f++)
        snprintf(steps_add(s, NO_ITEM, (double)x[f], (double)y[item * width + f])->label, sizeof s->terms->label,
                 "component %zu", f + 1);
    mem_free(x);
    return st;
}

/* ---- what a class tells ---- */

static enum status by_class(const struct model *m, const struct query *q, uint32_t item, struct steps *s,
                            struct error *err)
{
    s->formula = m->class->formula;
    return model_steps(m, q, item, s, err);
}

/* ---- explanations ---- */

/* v: what the history says of an item: 1, or its weight. */
static double value_in_history(const struct model *m, const struct folded *f, uint32_t item)
{
    size_t i = param_index(m->class->params, m->class->nparams, "values");
    if (i == m->class->nparams || strcmp(m->values[i].text, "weight") != 0)
        return 1;
    for (size_t h = 0; h < f->begin[1]; h++)
        if (f->items[h].item == item)
            return (double)f->items[h].weight;
    return 1;
}

static const char *formula_of(const struct model *m)
{
    if (m->class->formula)
        return m->class->formula;
    return m->class->capabilities & ADDS_UP
               ? "score = sum over the history of v x w[j][i]; w: what the model has learnt between the two items"
               : "score = base + what each part adds";
}

static enum status by_explanation(const struct model *m, const struct query *q, const struct explanation *x,
                                  struct steps *s, struct error *err)
{
    struct folded f;
    enum status st = folded_new(&f, q, 1, err);
    if (st)
        return st;
    st = steps_new(s, x->nparts + 1, err);
    s->formula = formula_of(m);
    for (size_t p = 0; p < x->nparts && !st; p++) {
        const struct contribution *c = &x->parts[p];
        bool product = c->item != NO_ITEM && m->class->capabilities & ADDS_UP;
        double v = product ? value_in_history(m, &f, c->item) : (double)NAN;
        struct score_term *t = steps_add(s, c->item, v, product && v > 0 ? c->value / v : (double)NAN);
        t->value = c->value;
        if (c->item == NO_ITEM)
            snprintf(t->label, sizeof t->label, "%s", c->label);
    }
    if (!st && x->base != 0)
        steps_add_plain(s, "base", x->base);
    folded_clear(&f);
    return st;
}

enum status steps_make(const struct model *m, const struct query *q, uint32_t item, struct steps *out,
                       struct error *err)
{
    struct explanation x;
    *out = (struct steps){0};
    if (m->class->shares && !m->class->part_weights)
        return by_answer(m, q, item, out, err);
    enum status st = model_explain(m, q, item, &x, err);
    if (st)
        return st;
    bool products = m->class->shares || m->class->steps || (m->class->fold && m->class->vectors);
    out->score = x.score;
    out->exact = products || x.exact;
    if (m->class->shares)
        st = by_parts(m, q, item, out, err);
    else if (m->class->steps)
        st = by_class(m, q, item, out, err);
    else if (m->class->fold && m->class->vectors)
        st = by_components(m, q, item, out, err);
    else
        st = by_explanation(m, q, &x, out, err);
    explanation_clear(&x);
    if (st)
        return st;
    qsort(out->terms, out->n, sizeof *out->terms, by_size);
    for (size_t i = 0; i < out->n; i++)
        out->sum += out->terms[i].value;
    return ST_OK;
}

bool steps_rounded(const struct steps *s)
{
    char sum[64], score[64];
    snprintf(sum, sizeof sum, "%.*f", STEP_DIGITS, s->sum);
    snprintf(score, sizeof score, "%.*f", STEP_DIGITS, s->score);
    return isfinite(s->score) && strcmp(sum, score) != 0;
}
