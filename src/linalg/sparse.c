#include "linalg/sparse.h"

#include <string.h>

#include "base/mem.h"

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
