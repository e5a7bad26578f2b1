/* Lists of EASE as it would be without some events, or with others: exactly, without inverting anything again.
 *
 * One row of X becomes x' in place of x. With d = x' - x the matrix of the model changes by d d' + d x' + x d' (of d
 * and x as columns of U: U C U', C = [1 1; 1 0]), and its inverse becomes
 *
 *     P - V' M V        V = U' P (2 x n),  M = (C^-1 + U' P U)^-1
 *
 * A list reads the rows of P that its history names, and the diagonal. */
#include <math.h>

#include "base/mem.h"
#include "linalg/dense.h"
#include "models/ease_body.h"

/* Columns of U: how the row changes, and the row as it was. Their values are 0 where only the other one has an item. */
enum { CHANGE, ROW, COLUMNS };

struct retrained {
    const struct ease *s;
    size_t n, entries;     /* items; those of either row */
    uint32_t *item;        /* entries */
    float *u[COLUMNS];     /* entries */
    float *v[COLUMNS];     /* n */
    double m[COLUMNS][COLUMNS];
};

static void retrained_clear(struct retrained *r)
{
    mem_free(r->item);
    for (int k = 0; k < COLUMNS; k++) {
        mem_free(r->u[k]);
        mem_free(r->v[k]);
    }
}

static float value_of(const struct ease *s, const struct query_item *i)
{
    return s->weigh ? i->weight : 1;
}

static enum status find_columns(struct retrained *r, const struct row_edit *e, struct error *err)
{
    static const char what[] = "the change of a row";
    size_t i = 0, j = 0, most = e->nbefore + e->nafter;
    r->item = mem_new_raw(most, sizeof *r->item, what, err);
    for (int k = 0; k < COLUMNS; k++) {
        r->u[k] = mem_new_raw(most, sizeof **r->u, what, err);
        r->v[k] = mem_new_raw(r->n, sizeof **r->v, what, err);
    }
    if (!r->item || !r->u[CHANGE] || !r->u[ROW] || !r->v[CHANGE] || !r->v[ROW])
        return ST_NOMEM;
    while (i < e->nbefore || j < e->nafter) {
        bool old = j == e->nafter || (i < e->nbefore && e->before[i].item <= e->after[j].item);
        bool new = i == e->nbefore || (j < e->nafter && e->after[j].item <= e->before[i].item);
        float was = old ? value_of(r->s, &e->before[i]) : 0, is = new ? value_of(r->s, &e->after[j]) : 0;
        r->item[r->entries] = old ? e->before[i].item : e->after[j].item;
        r->u[CHANGE][r->entries] = is - was;
        r->u[ROW][r->entries++] = was;
        i += old;
        j += new;
    }
    return ST_OK;
}

/* The diagonal of P, which the model keeps apart. */
static double diagonal(const struct ease *s, size_t i)
{
    return -1 / (double)s->scale[i];
}

static void multiply(struct retrained *r)
{
    for (int k = 0; k < COLUMNS; k++) {
        rows_sum_stride(r->v[k], r->n, r->s->p, r->n, r->item, r->u[k], r->entries);
        for (size_t e = 0; e < r->entries; e++)
            r->v[k][r->item[e]] += (float)((double)r->u[k][e] * diagonal(r->s, r->item[e]));
    }
}

/* The inverse of C is [0 1; 1 -1]. */
static bool invert_middle(struct retrained *r)
{
    double s[COLUMNS][COLUMNS] = {{0, 1}, {1, -1}};
    for (int k = 0; k < COLUMNS; k++)
        for (int l = 0; l < COLUMNS; l++)
            for (size_t e = 0; e < r->entries; e++)
                s[k][l] += (double)r->u[k][e] * (double)r->v[l][r->item[e]];
    double determinant = s[0][0] * s[1][1] - s[0][1] * s[1][0];
    r->m[0][0] = s[1][1] / determinant;
    r->m[1][1] = s[0][0] / determinant;
    r->m[0][1] = r->m[1][0] = -(s[0][1] + s[1][0]) / 2 / determinant;
    return determinant < 0 && isfinite(r->m[0][0]) && isfinite(r->m[1][1]);
}

/* scores: on entry h P without the diagonal of P. */
static bool correct(const struct retrained *r, const uint32_t *item, const float *value, size_t nhistory, float *scores)
{
    double a[COLUMNS] = {0}, b[COLUMNS] = {0};
    bool good = true;
    for (int k = 0; k < COLUMNS; k++)
        for (size_t j = 0; j < nhistory; j++)
            a[k] += (double)value[j] * (double)r->v[k][item[j]];
    for (int k = 0; k < COLUMNS; k++)
        b[k] = r->m[k][0] * a[0] + r->m[k][1] * a[1];
    for (size_t i = 0, j = 0; i < r->n; i++) {
        double x = (double)r->v[CHANGE][i], y = (double)r->v[ROW][i];
        double less = x * x * r->m[0][0] + 2 * x * y * r->m[0][1] + y * y * r->m[1][1],
               inverse = diagonal(r->s, i) - less;
        double sum = (double)scores[i] - x * b[0] - y * b[1];
        if (j < nhistory && item[j] == i)
            sum += (double)value[j++] * less;
        scores[i] = (float)(-sum / inverse) + 0.0F;
        good = good && inverse > 0;
    }
    return good;
}

enum status ease_body_retrained(const struct model *m, const struct row_edit *edit, const struct query *q,
                                float *scores, struct error *err)
{
    struct retrained r = {.s = m->state, .n = m->nitems};
    struct folded f;
    enum status st = folded_new(&f, q, 1, err);
    if (st)
        return st;
    size_t n = f.begin[1];
    uint32_t *item = mem_new_raw(n, sizeof *item, "a history", err);
    float *value = mem_new_raw(n, sizeof *value, "a history", err);
    st = item && value ? find_columns(&r, edit, err) : ST_NOMEM;
    if (!st) {
        for (size_t i = 0; i < n; i++) {
            item[i] = f.items[i].item;
            value[i] = value_of(r.s, &f.items[i]);
        }
        rows_sum_stride(scores, r.n, r.s->p, r.n, item, value, n);
        multiply(&r);
        if (!invert_middle(&r) || !correct(&r, item, value, n, scores))
            st = error_set(err, ST_FORMAT, "the inverse that %s keeps is not exact enough to be changed", m->name);
    }
    mem_free(item);
    mem_free(value);
    folded_clear(&f);
    retrained_clear(&r);
    return st;
}
