#include "linalg/sparse.h"

#include <string.h>

#include "base/mem.h"
#include "base/parallel.h"

enum status csr_new(struct csr *m, size_t rows, size_t cols, size_t count, int with_value, struct error *err)
{
    *m = (struct csr){.rows = rows, .cols = cols};
    m->begin = mem_new(rows + 1, sizeof *m->begin, "row starts", err);
    m->index = mem_new_raw(count, sizeof *m->index, "column numbers", err);
    m->value = with_value ? mem_new_raw(count, sizeof *m->value, "matrix values", err) : NULL;
    if (!m->begin || !m->index || (with_value && !m->value)) {
        csr_clear(m);
        return ST_NOMEM;
    }
    return ST_OK;
}

void csr_clear(struct csr *m)
{
    mem_free(m->begin);
    mem_free(m->index);
    mem_free(m->value);
    memset(m, 0, sizeof *m);
}

enum status csr_transpose(const struct csr *m, struct csr *out, struct error *err)
{
    size_t count = csr_count(m);
    enum status st = csr_new(out, m->cols, m->rows, count, m->value != NULL, err);
    if (st)
        return st;
    /* Counts go one place ahead, so that filling moves each start to where its row begins. */
    for (size_t i = 0; i < count; i++)
        if ((size_t)m->index[i] + 2 <= m->cols)
            out->begin[m->index[i] + 2]++;
    for (size_t c = 2; c <= m->cols; c++)
        out->begin[c] += out->begin[c - 1];
    for (size_t r = 0; r < m->rows; r++) {
        for (size_t i = m->begin[r]; i < m->begin[r + 1]; i++) {
            size_t at = out->begin[m->index[i] + 1]++;
            out->index[at] = (uint32_t)r;
            if (m->value)
                out->value[at] = m->value[i];
        }
    }
    return ST_OK;
}

enum status csr_rows_where(const struct csr *m, const uint8_t *mark, bool wanted, struct csr *out, struct error *err)
{
    size_t count = 0, at = 0;
    for (size_t r = 0; r < m->rows; r++)
        count += !mark[r] == !wanted ? m->begin[r + 1] - m->begin[r] : 0;
    enum status st = csr_new(out, m->rows, m->cols, count, m->value != NULL, err);
    for (size_t r = 0; r < m->rows && !st; r++) {
        size_t from = m->begin[r], n = !mark[r] == !wanted ? m->begin[r + 1] - from : 0;
        if (n)
            memcpy(out->index + at, m->index + from, n * sizeof *out->index);
        if (n && m->value)
            memcpy(out->value + at, m->value + from, n * sizeof *out->value);
        out->begin[r + 1] = at += n;
    }
    return st;
}

enum status csr_columns_where(const struct csr *m, const uint8_t *mark, struct csr *out, struct error *err)
{
    size_t count = 0, at = 0;
    for (size_t i = 0; i < csr_count(m); i++)
        count += mark[m->index[i]] != 0;
    enum status st = csr_new(out, m->rows, m->cols, count, m->value != NULL, err);
    for (size_t r = 0; r < m->rows && !st; r++) {
        for (size_t i = m->begin[r]; i < m->begin[r + 1]; i++)
            if (mark[m->index[i]]) {
                out->index[at] = m->index[i];
                if (m->value)
                    out->value[at] = m->value[i];
                at++;
            }
        out->begin[r + 1] = at;
    }
    return st;
}

enum status csr_parts_new(struct csr_parts *p, size_t rows, size_t cols, size_t block, struct error *err)
{
    *p = (struct csr_parts){.rows = rows, .cols = cols, .block = block};
    p->part = mem_new(parallel_count(rows, block), sizeof *p->part, "rows of a sparse matrix", err);
    p->count = mem_new(rows, sizeof *p->count, "rows of a sparse matrix", err);
    if (!p->part || !p->count) {
        csr_parts_clear(p);
        return ST_NOMEM;
    }
    return ST_OK;
}

void csr_parts_clear(struct csr_parts *p)
{
    for (size_t b = 0; p->part && b < parallel_count(p->rows, p->block); b++) {
        mem_free(p->part[b].index);
        mem_free(p->part[b].value);
    }
    mem_free(p->part);
    mem_free(p->count);
    memset(p, 0, sizeof *p);
}

void csr_parts_add(struct csr_parts *p, size_t row, const uint32_t *index, const float *value, size_t n)
{
    struct csr_part *part = &p->part[row / p->block];
    if (!n || part->failed)
        return;
    part->failed = mem_grow(&part->index, &part->index_capacity, part->n + n, sizeof *index, NULL) ||
                   mem_grow(&part->value, &part->value_capacity, part->n + n, sizeof *value, NULL);
    if (part->failed)
        return;
    memcpy(part->index + part->n, index, n * sizeof *index);
    memcpy(part->value + part->n, value, n * sizeof *value);
    part->n += n;
    p->count[row] = n;
}

enum status csr_parts_join(const struct csr_parts *p, struct csr *out, struct error *err)
{
    size_t total = 0, at = 0, blocks = parallel_count(p->rows, p->block);
    bool failed = false;
    for (size_t b = 0; b < blocks; b++) {
        total += p->part[b].n;
        failed = failed || p->part[b].failed;
    }
    if (failed)
        return error_nomem(err, total * 4 * sizeof(float), "the rows of a sparse matrix");
    enum status st = csr_new(out, p->rows, p->cols, total, 1, err);
    if (st)
        return st;
    for (size_t r = 0; r < p->rows; r++)
        out->begin[r + 1] = out->begin[r] + p->count[r];
    for (size_t b = 0; b < blocks; b++) {
        const struct csr_part *part = &p->part[b];
        if (part->n) {
            memcpy(out->index + at, part->index, part->n * sizeof *part->index);
            memcpy(out->value + at, part->value, part->n * sizeof *part->value);
        }
        at += part->n;
    }
    return ST_OK;
}
