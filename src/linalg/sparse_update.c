/* A sparse product whose operands have changed. An entry has other bits than before only where its sum, its row's scale
 * or its column's scale has. Rows of the first two kinds are made anew; in the others the changed columns are, and take
 * their place among the entries that stay. */
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "base/parallel.h"
#include "linalg/sparse_product.h"

enum { ROWS_PER_BLOCK = 64 };

/* A row on its way. */
struct row {
    uint32_t *index, *space;
    float *value;
};

struct revision {
    const struct sparse_product *before, *after;
    const struct csr *old;
    uint8_t *row, *column; /* rows to be made anew; columns whose scale is another */
    struct csr some, anew; /* of the other rows the best of the changed columns; the rows that were made anew */
    struct row *scratch;   /* one a thread */
    struct csr_parts parts;
};

static void revision_clear(struct revision *v)
{
    for (int t = 0; v->scratch && t < parallel_threads(); t++) {
        mem_free(v->scratch[t].index);
        mem_free(v->scratch[t].space);
        mem_free(v->scratch[t].value);
    }
    mem_free(v->scratch);
    mem_free(v->row);
    mem_free(v->column);
    csr_clear(&v->some);
    csr_clear(&v->anew);
    csr_parts_clear(&v->parts);
}

/* ---- what has changed ---- */

static bool same_row(const struct csr *a, const struct csr *b, size_t r)
{
    size_t i = a->begin[r], j = b->begin[r], n = a->begin[r + 1] - i;
    return n == b->begin[r + 1] - j &&
           (!n || (memcmp(a->index + i, b->index + j, n * sizeof *a->index) == 0 &&
                   (!a->value || memcmp(a->value + i, b->value + j, n * sizeof *a->value) == 0)));
}

static bool same_scale(const float *a, const float *b, size_t i)
{
    return a == b || memcmp(a + i, b + i, sizeof *a) == 0; /* both NULL, or neither */
}

/* v->row: rows with another scale, other entries, or a place that counts otherwise. */
static enum status mark_rows(struct revision *v, struct error *err)
{
    const struct sparse_product *p = v->before, *q = v->after;
    uint8_t *place = mem_new(q->b->rows, sizeof *place, "changed places", err);
    if (!place)
        return ST_NOMEM;
    for (size_t m = 0; m < q->b->rows; m++)
        place[m] = m >= p->b->rows || !same_scale(p->inner, q->inner, m) || !same_row(p->b, q->b, m);
    for (size_t r = 0; r < q->a->rows; r++) {
        v->row[r] = r >= p->a->rows || !same_scale(p->row, q->row, r) || !same_row(p->a, q->a, r);
        for (size_t i = q->a->begin[r]; i < q->a->begin[r + 1] && !v->row[r]; i++)
            v->row[r] = place[q->a->index[i]];
    }
    mem_free(place);
    return ST_OK;
}

static enum status mark(struct revision *v, struct error *err)
{
    const struct sparse_product *p = v->before, *q = v->after;
    v->row = mem_new(q->a->rows, sizeof *v->row, "changed rows", err);
    v->column = mem_new(q->b->cols, sizeof *v->column, "changed columns", err);
    if (!v->row || !v->column)
        return ST_NOMEM;
    for (size_t c = 0; c < q->b->cols; c++)
        v->column[c] = c >= p->b->cols || !same_scale(p->column, q->column, c);
    return mark_rows(v, err);
}

/* Half the products are what a revision may take: it has a few passes over the operands besides. */
static enum status is_worth(const struct revision *v, bool *worth, struct error *err)
{
    const struct csr *a = v->after->a, *b = v->after->b;
    size_t *narrow = mem_new(b->rows, sizeof *narrow, "changed places", err), all = 0, part = 0;
    if (!narrow)
        return ST_NOMEM;
    for (size_t m = 0; m < b->rows; m++)
        for (size_t i = b->begin[m]; i < b->begin[m + 1]; i++)
            narrow[m] += v->column[b->index[i]];
    for (size_t r = 0; r < a->rows; r++)
        for (size_t i = a->begin[r]; i < a->begin[r + 1]; i++) {
            size_t m = a->index[i], n = b->begin[m + 1] - b->begin[m];
            all += n;
            part += v->row[r] ? n : narrow[m];
        }
    *worth = part <= all / 2;
    mem_free(narrow);
    return ST_OK;
}

/* ---- parts of the product ---- */

/* The product of those rows that are marked as `wanted`, the others being empty. */
static enum status product_of_rows(const struct revision *v, bool wanted, const struct csr *b, struct csr *out,
                                   struct job *job, struct error *err)
{
    struct csr rows = {0};
    struct sparse_product p = *v->after;
    enum status st = csr_rows_where(v->after->a, v->row, wanted, &rows, err);
    p.a = &rows;
    p.b = b;
    if (!st)
        st = sparse_product(&p, out, job, err);
    csr_clear(&rows);
    return st;
}

static enum status product_of_columns(struct revision *v, struct job *job, struct error *err)
{
    struct csr narrow = {0};
    enum status st = csr_columns_where(v->after->b, v->column, &narrow, err);
    if (!st)
        st = product_of_rows(v, false, &narrow, &v->some, job, err);
    csr_clear(&narrow);
    return st;
}

/* ---- a row of both ---- */

static float size_of(const struct revision *v, float x)
{
    return v->after->by_size ? fabsf(x) : x;
}

/* The place of the entry that n others come before: the smallest, among equals the last. */
static size_t last_of(const struct revision *v, const float *value, size_t n)
{
    size_t last = 0;
    for (size_t i = 1; i < n; i++)
        if (size_of(v, value[i]) <= size_of(v, value[last]))
            last = i;
    return last;
}

/* Row r: what stays of the old one, and the changed columns. Returns how many, columns ascending. */
static size_t merge(const struct revision *v, size_t r, const struct row *out)
{
    const struct csr *old = v->old, *some = &v->some;
    size_t i = old->begin[r], j = some->begin[r], n = 0, kept = v->after->kept;
    float bar;
    for (;;) {
        while (i < old->begin[r + 1] && v->column[old->index[i]])
            i++;
        bool more = i < old->begin[r + 1], other = j < some->begin[r + 1];
        if (!more && !other)
            break;
        bool stays = more && (!other || old->index[i] < some->index[j]);
        out->index[n] = stays ? old->index[i] : some->index[j];
        out->value[n++] = stays ? old->value[i++] : some->value[j++];
    }
    return kept && n > kept ? best_entries(out->index, out->value, n, kept, v->after->by_size, &bar, out->space) : n;
}

/* Could row r, n entries now, lack one that had been left out of the old row? What was left out stands behind all of
 * that row, and in a column that has not changed it still does. */
static bool lacks(const struct revision *v, size_t r, const struct row *now, size_t n)
{
    const struct csr *old = v->old;
    size_t begin = old->begin[r], had = old->begin[r + 1] - begin, kept = v->after->kept;
    if (!kept || had < kept)
        return false;
    if (n < kept)
        return true;
    size_t was = begin + last_of(v, old->value + begin, had), is = last_of(v, now->value, n);
    float least = size_of(v, old->value[was]), least_now = size_of(v, now->value[is]);
    return least_now < least || (!(least_now > least) && now->index[is] > old->index[was]);
}

/* Marks the rows that a merger does not give. */
static void test_rows(void *context, size_t block, size_t begin, size_t end)
{
    struct revision *v = context;
    const struct row *row = &v->scratch[parallel_thread()];
    (void)block;
    for (size_t r = begin; r < end; r++)
        v->row[r] = v->row[r] || lacks(v, r, row, merge(v, r, row));
}

static void put_rows(void *context, size_t block, size_t begin, size_t end)
{
    struct revision *v = context;
    const struct row *row = &v->scratch[parallel_thread()];
    (void)block;
    for (size_t r = begin; r < end; r++) {
        size_t at = v->anew.begin[r];
        if (v->row[r])
            csr_parts_add(&v->parts, r, v->anew.index + at, v->anew.value + at, v->anew.begin[r + 1] - at);
        else
            csr_parts_add(&v->parts, r, row->index, row->value, merge(v, r, row));
    }
}

static enum status scratch_new(struct revision *v, struct error *err)
{
    static const char what[] = "a row of a sparse product";
    size_t cols = v->after->b->cols;
    v->scratch = mem_new((size_t)parallel_threads(), sizeof *v->scratch, what, err);
    for (int t = 0; v->scratch && t < parallel_threads(); t++) {
        struct row *row = &v->scratch[t];
        row->index = mem_new_raw(cols, sizeof *row->index, what, err);
        row->space = mem_new_raw(cols, sizeof *row->space, what, err);
        row->value = mem_new_raw(cols, sizeof *row->value, what, err);
        if (!row->index || !row->space || !row->value)
            return ST_NOMEM;
    }
    return v->scratch ? ST_OK : ST_NOMEM;
}

static enum status revise(struct revision *v, struct csr *out, struct job *job, struct error *err)
{
    size_t rows = v->after->a->rows;
    enum status st = product_of_columns(v, job, err);
    if (!st)
        st = scratch_new(v, err);
    if (!st)
        st = csr_parts_new(&v->parts, rows, v->after->b->cols, ROWS_PER_BLOCK, err);
    if (st)
        return st;
    parallel_blocks(rows, ROWS_PER_BLOCK, test_rows, v);
    st = product_of_rows(v, true, v->after->b, &v->anew, job, err);
    if (st)
        return st;
    parallel_blocks(rows, ROWS_PER_BLOCK, put_rows, v);
    return csr_parts_join(&v->parts, out, err);
}

enum status sparse_product_update(const struct sparse_product *before, const struct sparse_product *after,
                                  const struct csr *old, bool *worth, struct csr *out, struct job *job,
                                  struct error *err)
{
    struct revision v = {.before = before, .after = after, .old = old};
    enum status st = mark(&v, err);
    if (!st)
        st = is_worth(&v, worth, err);
    if (!st && *worth)
        st = revise(&v, out, job, err);
    revision_clear(&v);
    return st;
}
