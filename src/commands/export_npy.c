/* Arrays of NumPy: the matrix of users and items in compressed rows and as triples, in one folder.
 *
 *   indptr.npy <i8 users + 1     indices.npy <i4      data.npy <f4        scipy.sparse.csr_matrix((data, indices,
 * indptr)) rows.npy <i4, one an entry: with indices and data the triples counts.npy <i4, times.npy <i8 microseconds
 * since 1970 UTC, the least number where unknown users.csv, items.csv         the id of each row and column, in their
 * order
 *
 * Format 1.0 of NumPy: \x93NUMPY, 1, 0, the length of the header as two bytes, the header: a dictionary as Python
 * writes it, padded with blanks and ended by \n, so that the numbers begin at a multiple of 64. All is little-endian.
 */
#include <string.h>

#include "base/mem.h"
#include "commands/export.h"
#include "data/interactions.h"

size_t npy_header(char *out, size_t size, const char *type, size_t rows, size_t columns)
{
    enum { PREFIX = 10, ALIGN = 64 };
    char shape[64];
    if (columns)
        snprintf(shape, sizeof shape, "(%zu, %zu)", rows, columns);
    else
        snprintf(shape, sizeof shape, "(%zu,)", rows);
    if (size < 2 * ALIGN)
        return 0;
    int n =
        snprintf(out + PREFIX, size - PREFIX, "{'descr': '%s', 'fortran_order': False, 'shape': %s, }", type, shape);
    size_t end = PREFIX + (size_t)n + 1, whole = (end + ALIGN - 1) / ALIGN * ALIGN;
    if (n < 0 || whole > size)
        return 0;
    memcpy(out, "\x93NUMPY\x01\x00", 8);
    memset(out + end - 1, ' ', whole - end);
    out[whole - 1] = '\n';
    out[8] = (char)((whole - PREFIX) & 0xff);
    out[9] = (char)((whole - PREFIX) >> 8);
    return whole;
}

static enum status write_array(struct export *x, const char *name, const char *type, size_t width, const void *data,
                               size_t n, struct error *err)
{
    char header[256];
    size_t length = npy_header(header, sizeof header, type, n, 0);
    FILE *f;
    enum status st = export_file(x, name, &f, err);
    if (st)
        return st;
    fwrite(header, 1, length, f);
    fwrite(data, width, n, f);
    return export_check(x, err);
}

/* RFC 4180, as the other CSV files. */
static enum status write_ids(struct export *x, const char *name, const char *what, const struct dict *ids,
                             struct error *err)
{
    FILE *f;
    enum status st = export_file(x, name, &f, err);
    if (st)
        return st;
    fprintf(f, "%s\n", what);
    for (uint32_t i = 0; i < ids->n; i++) {
        const char *id = dict_text(ids, i);
        bool quote = id[strcspn(id, "\",\r\n")];
        if (quote)
            fputc('"', f);
        for (const char *p = id; *p; p++) {
            if (*p == '"')
                fputc('"', f);
            fputc(*p, f);
        }
        fputs(quote ? "\"\n" : "\n", f);
    }
    return export_check(x, err);
}

static enum status write_matrix(struct export *x, const struct interactions *m, uint32_t *rows, struct error *err)
{
    const struct csr *c = &m->matrix;
    size_t n = csr_count(c);
    _Static_assert(sizeof *c->begin == 8, "row starts are written as <i8");
    for (size_t u = 0; u < c->rows; u++)
        for (size_t i = c->begin[u]; i < c->begin[u + 1]; i++)
            rows[i] = (uint32_t)u;
    x->rows = n;
    enum status st = write_array(x, "indptr.npy", "<i8", 8, c->begin, c->rows + 1, err);
    if (!st)
        st = write_array(x, "indices.npy", "<i4", 4, c->index, n, err);
    if (!st)
        st = write_array(x, "data.npy", "<f4", 4, c->value, n, err);
    if (!st)
        st = write_array(x, "rows.npy", "<i4", 4, rows, n, err);
    if (!st)
        st = write_array(x, "counts.npy", "<i4", 4, m->count, n, err);
    if (!st && x->data->events.time)
        st = write_array(x, "times.npy", "<i8", 8, m->time, n, err);
    if (!st)
        st = write_ids(x, "users.csv", "user", &x->data->users, err);
    return st ? st : write_ids(x, "items.csv", "item", &x->data->items, err);
}

static enum status write_npy(struct export *x, struct error *err)
{
    struct interactions m = {0};
    enum status st = export_matrix(x, &m, err);
    uint32_t *rows = st ? NULL : mem_new_raw(csr_count(&m.matrix), sizeof *rows, "row numbers", err);
    if (!st)
        st = rows ? write_matrix(x, &m, rows, err) : ST_NOMEM;
    mem_free(rows);
    interactions_clear(&m);
    return st;
}

const struct export_format export_npy = {"npy", NULL, write_npy};
