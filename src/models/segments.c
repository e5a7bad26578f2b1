#include "models/segments.h"

#include <string.h>

#include "base/mem.h"
#include "models/sparse_blob.h"

enum { NAME_MAX_BYTES = 1 << 16 };

enum status segments_check(const struct dataset *d, const char *by, struct error *err)
{
    if (fields_find(&d->user_fields, by))
        return ST_OK;
    error_set(err, ST_USAGE, "by=%.64s: users have no attribute of that name", by);
    struct str names = {0};
    for (size_t f = 0; f < d->user_fields.n; f++)
        str_printf(&names, "%s%s", f ? ", " : "", d->user_fields.field[f].name);
    if (d->user_fields.n)
        error_hint(err, "there are: %s", str_text(&names));
    else
        error_hint(err, "`load users FILE` brings attributes of users");
    str_free(&names);
    return ST_USAGE;
}

void segments_clear(struct segments *s)
{
    dict_clear(&s->names);
    mem_free(s->of_user);
    csr_clear(&s->sums);
    *s = (struct segments){0};
}

uint32_t segments_find(const struct segments *s, uint32_t user)
{
    return user < s->nusers ? s->of_user[user] : NO_CODE;
}

static enum status cut(struct segments *s, const struct dataset *d, const char *by, struct error *err)
{
    const struct field *f = fields_find(&d->user_fields, by);
    struct str cell = {0};
    enum status st = ST_OK;
    s->nusers = d->users.n;
    s->of_user = mem_new_raw(s->nusers, sizeof *s->of_user, "segments of users", err);
    if (!s->of_user || !f)
        return s->of_user ? segments_check(d, by, err) : ST_NOMEM;
    for (size_t u = 0; u < s->nusers && !st; u++) {
        s->of_user[u] = NO_CODE;
        if (u >= f->n || field_missing(f, u))
            continue;
        str_clear(&cell);
        field_format(f, u, &cell);
        st = cell.failed ? error_nomem(err, NAME_MAX_BYTES, "the name of a segment")
                         : dict_add(&s->names, str_text(&cell), cell.length, &s->of_user[u], err);
    }
    str_free(&cell);
    return st;
}

/* Sums of one segment, whose evidence is e[order[begin .. end)), into a dense row and from there to the parts. */
static void sum_segment(struct csr_parts *parts, size_t segment, const struct evidence *e, const size_t *order,
                        size_t n, double *sum, uint32_t *index, float *value)
{
    size_t used = 0;
    for (size_t i = 0; i < n; i++)
        sum[e[order[i]].item] += e[order[i]].value;
    for (uint32_t item = 0; item < parts->cols; item++) {
        if (!(sum[item] > 0))
            continue;
        index[used] = item;
        value[used++] = (float)sum[item];
        sum[item] = 0;
    }
    csr_parts_add(parts, segment, index, value, used);
}

static enum status sum_all(struct segments *s, size_t nitems, const struct evidence *e, size_t n, struct error *err)
{
    size_t segments = s->names.n;
    struct csr_parts parts = {0};
    enum status st = ST_NOMEM;
    size_t *start = mem_new(segments + 2, sizeof *start, "segments", err),
           *order = mem_new_raw(n, sizeof *order, "segments", err);
    double *sum = mem_new(nitems, sizeof *sum, "sums of a segment", err);
    uint32_t *index = mem_new_raw(nitems, sizeof *index, "sums of a segment", err);
    float *value = mem_new_raw(nitems, sizeof *value, "sums of a segment", err);
    if (!start || !order || !sum || !index || !value)
        goto out;
    for (size_t i = 0; i < n; i++)
        if (s->of_user[e[i].user] != NO_CODE)
            start[s->of_user[e[i].user] + 2]++;
    for (size_t g = 2; g < segments + 2; g++)
        start[g] += start[g - 1];
    for (size_t i = 0; i < n; i++)
        if (s->of_user[e[i].user] != NO_CODE)
            order[start[s->of_user[e[i].user] + 1]++] = i;
    st = csr_parts_new(&parts, segments, nitems, segments ? segments : 1, err);
    for (size_t g = 0; g < segments && !st; g++)
        sum_segment(&parts, g, e, order + start[g], start[g + 1] - start[g], sum, index, value);
    if (!st)
        st = csr_parts_join(&parts, &s->sums, err);
out:
    csr_parts_clear(&parts);
    mem_free(start);
    mem_free(order);
    mem_free(sum);
    mem_free(index);
    mem_free(value);
    return st;
}

enum status segments_new(struct segments *s, const struct dataset *d, const char *by, const struct evidence *e,
                         size_t n, struct error *err)
{
    enum status st = cut(s, d, by, err);
    return st ? st : sum_all(s, d->items.n, e, n, err);
}

enum status segments_save(const struct segments *s, struct blob_writer *w, struct error *err)
{
    uint64_t n = s->names.n;
    enum status st = blob_put(w, "segments", BLOB_U64, &n, 1, err);
    for (uint32_t g = 0; g < n && !st; g++)
        st = blob_put_text(w, "segment", dict_text(&s->names, g), err);
    if (!st)
        st = blob_put(w, "segment-of-user", BLOB_U32, s->of_user, s->nusers, err);
    return st ? st : sparse_save(&s->sums, w, err);
}

static enum status load_names(struct segments *s, struct blob_reader *r, struct error *err)
{
    uint64_t n;
    enum status st = blob_get(r, "segments", BLOB_U64, &n, 1, err);
    for (uint64_t g = 0; g < n && !st; g++) {
        char *name = NULL;
        uint32_t code;
        st = blob_get_text(r, "segment", NAME_MAX_BYTES, &name, err);
        if (!st)
            st = dict_add(&s->names, name, strlen(name), &code, err);
        if (!st && code != g)
            st = error_set(err, ST_CORRUPT, "two segments of users have the same name");
        mem_free(name);
    }
    return st;
}

enum status segments_load(struct segments *s, size_t nusers, size_t nitems, const char *model, struct blob_reader *r,
                          struct error *err)
{
    enum status st = load_names(s, r, err);
    if (st)
        return st;
    s->nusers = nusers;
    s->of_user = mem_new(nusers, sizeof *s->of_user, "segments of users", err);
    st = s->of_user ? blob_get(r, "segment-of-user", BLOB_U32, s->of_user, nusers, err) : ST_NOMEM;
    for (size_t u = 0; u < nusers && !st; u++)
        if (s->of_user[u] != NO_CODE && s->of_user[u] >= s->names.n)
            st = error_set(err, ST_CORRUPT, "the segments of model %s are damaged", model);
    return st ? st : sparse_load(&s->sums, s->names.n, nitems, true, model, r, err);
}
