/* The layout of a box, which box_fit.c finds and box.c draws. */
#ifndef TAILOR_RESULT_BOX_H
#define TAILOR_RESULT_BOX_H

#include <math.h>

#include "result/writer.h"

/* A shown column. Widths are in terminal columns. */
struct shape {
    size_t column;     /* in the table */
    size_t width;      /* of the text */
    size_t content;    /* of the widest value, without the heading */
    size_t shown;      /* COLUMN_WRAP: bytes of the present cell that stand already */
    size_t split;      /* bytes of the heading's first line when it stands on two; 0: it has one */
    double high, low;  /* COLUMN_BAR: largest and smallest value, 0 included */
};

struct layout {
    struct table *table;
    const struct render_options *options;
    struct shape *shapes;
    size_t n;
    size_t bar;      /* width of the bars; 0: none */
    bool two_lines;  /* some heading stands on two */
    bool more;       /* there are rows that are not shown: beyond max_rows, or set aside */
    uint64_t shown;
    uint64_t rows;   /* counted; for a cursor that has more: at least so many */
};

static inline const struct column *column_of(const struct layout *l, size_t i)
{
    return &l->table->columns[l->shapes[i].column];
}

static inline bool is_number(const struct column *c)
{
    return c->type == VALUE_INT || c->type == VALUE_REAL;
}

static inline bool has_bar(const struct layout *l, size_t i)
{
    return l->bar && column_of(l, i)->flags & COLUMN_BAR;
}

/* Columns of the terminal that cell i takes, without what stands between cells. */
static inline size_t cell_width(const struct layout *l, size_t i)
{
    return l->shapes[i].width + (has_bar(l, i) ? 1 + l->bar : 0);
}

static inline double bar_value(const struct column *c, const struct value *v)
{
    double x = v->null ? 0 : c->type == VALUE_INT ? (double)v->integer : v->real;
    return isfinite(x) ? x : 0;
}

/* Measures the columns that are shown, in rows up to what is shown. */
MUST_CHECK enum status box_measure(struct layout *l, struct job *job, struct error *err);
/* Finds the widths; whether the table fits. */
bool box_fit(struct layout *l);

#endif
