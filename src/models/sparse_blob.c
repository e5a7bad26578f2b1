#include "models/sparse_blob.h"

#include "base/mem.h"

enum status sparse_save(const struct csr *m, struct blob_writer *w, struct error *err)
{
    enum status st = blob_put(w, "begin", BLOB_U64, m->begin, m->rows + 1, err);
    if (!st)
        st = blob_put(w, "index", BLOB_U32, m->index, csr_count(m), err);
    return st || !m->value ? st : blob_put(w, "value", BLOB_F32, m->value, csr_count(m), err);
}

static bool sound(const struct csr *m)
{
    bool good = m->begin[0] == 0;
    for (size_t r = 0; r < m->rows && good; r++) {
        good = m->begin[r] <= m->begin[r + 1] && m->begin[r + 1] <= m->begin[m->rows];
        for (size_t i = m->begin[r]; good && i < m->begin[r + 1]; i++)
            good = m->index[i] < m->cols && (i == m->begin[r] || m->index[i - 1] < m->index[i]);
    }
    return good;
}

enum status sparse_load(struct csr *m, size_t rows, size_t cols, bool with_value, const char *model,
                        struct blob_reader *r, struct error *err)
{
    void *index = NULL, *value = NULL;
    size_t nindex = 0, nvalue = 0;
    *m = (struct csr){.rows = rows, .cols = cols};
    m->begin = mem_new(rows + 1, sizeof *m->begin, "row starts", err);
    enum status st = m->begin ? blob_get(r, "begin", BLOB_U64, m->begin, rows + 1, err) : ST_NOMEM;
    if (st)
        return st;
    size_t count = m->begin[rows];
    st = blob_get_new(r, "index", BLOB_U32, count, &index, &nindex, err);
    m->index = index;
    if (!st && with_value)
        st = blob_get_new(r, "value", BLOB_F32, count, &value, &nvalue, err);
    m->value = value;
    if (!st && (nindex != count || (with_value && nvalue != count) || !sound(m)))
        st = error_set(err, ST_CORRUPT, "the sparse matrix of model %s is damaged", model);
    return st;
}
