/* Explanations: the contributions that a score is the sum of, and its arithmetic. */
#include "models/model.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum status explanation_new(struct explanation *x, size_t nparts, struct error *err)
{
    *x = (struct explanation){0};
    x->parts = mem_new(nparts, sizeof *x->parts, "an explanation", err);
    return x->parts ? ST_OK : ST_NOMEM;
}

struct contribution *explanation_add(struct explanation *x, uint32_t item, double value)
{
    struct contribution *c = &x->parts[x->nparts++];
    *c = (struct contribution){.item = item, .value = value};
    return c;
}

static int by_size(const void *pa, const void *pb)
{
    const struct contribution *a = pa, *b = pb;
    double x = fabs(a->value), y = fabs(b->value);
    if (x != y)
        return x > y ? -1 : 1;
    if (a->item != b->item)
        return a->item < b->item ? -1 : 1;
    return strcmp(a->label, b->label);
}

void explanation_sort(struct explanation *x)
{
    qsort(x->parts, x->nparts, sizeof *x->parts, by_size);
}

void explanation_score(struct explanation *x, const float *scores, size_t n, uint32_t item)
{
    const double apart = 1e-5, rounding = 1e-6;
    double sum = x->base, size = fabs(x->base), largest = 0;
    for (size_t p = 0; p < x->nparts; p++) {
        sum += x->parts[p].value;
        size += fabs(x->parts[p].value);
    }
    for (size_t i = 0; i < n; i++)
        largest = isfinite(scores[i]) ? fmax(largest, fabs((double)scores[i])) : largest;
    x->score = (double)scores[item];
    double lost = fabs(x->score - sum);
    if (lost > apart * size && lost <= rounding * largest)
        x->base += x->score - sum;
}

void explanation_clear(struct explanation *x)
{
    mem_free(x->parts);
    *x = (struct explanation){0};
}

/* ---- arithmetic ---- */

enum status steps_new(struct steps *s, size_t n, struct error *err)
{
    s->terms = mem_new(n, sizeof *s->terms, "the steps of a score", err);
    return s->terms ? ST_OK : ST_NOMEM;
}

struct score_term *steps_add(struct steps *s, uint32_t item, double left, double right)
{
    struct score_term *t = &s->terms[s->n++];
    *t = (struct score_term){.item = item, .user = NO_USER, .left = left, .right = right, .value = left * right};
    return t;
}

void steps_add_plain(struct steps *s, const char *label, double value)
{
    struct score_term *t = steps_add(s, NO_ITEM, NAN, NAN);
    t->value = value;
    snprintf(t->label, sizeof t->label, "%s", label);
}

void steps_clear(struct steps *s)
{
    mem_free(s->terms);
    *s = (struct steps){0};
}
