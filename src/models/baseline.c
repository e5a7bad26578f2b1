#include "models/baseline.h"

#include "base/mem.h"
#include "base/parallel.h"

enum { BLOCK = 256 };

/* One turn: the biases of the rows, those of the columns fixed. */
struct turn {
    const struct csr *rows;
    const double *fixed;
    double lambda;
    double *out;
};

static double bias(const uint32_t *index, const float *rating, size_t n, const double *fixed, double lambda)
{
    double sum = 0;
    for (size_t a = 0; a < n; a++)
        sum += rating[a] - fixed[index[a]];
    return n ? sum / (lambda + (double)n) : 0;
}

static void turn_block(void *context, size_t block, size_t begin, size_t end)
{
    const struct turn *t = context;
    (void)block;
    for (size_t r = begin; r < end; r++) {
        size_t at = t->rows->begin[r], n = t->rows->begin[r + 1] - at;
        t->out[r] = bias(t->rows->index + at, t->rows->value + at, n, t->fixed, t->lambda);
    }
}

static void take_turn(const struct csr *rows, const double *fixed, double lambda, double *out)
{
    struct turn t = {rows, fixed, lambda, out};
    parallel_blocks(rows->rows, BLOCK, turn_block, &t);
}

enum status baseline_fit(const struct ratings *r, const struct baseline_terms *terms, struct baseline *out,
                         double *user, struct error *err)
{
    *out = (struct baseline){r->mean, terms->lambda_user, terms->users, r->by_item.rows, NULL};
    double *biases = mem_new(r->by_user.rows, sizeof *biases, "biases", err);
    out->item = mem_new(out->nitems, sizeof *out->item, "biases", err);
    if (!biases || !out->item) {
        mem_free(biases);
        return ST_NOMEM;
    }
    for (size_t e = 0; e < terms->epochs; e++) {
        if (terms->items)
            take_turn(&r->by_item, biases, terms->lambda_item, out->item);
        if (terms->users)
            take_turn(&r->by_user, out->item, terms->lambda_user, biases);
    }
    for (size_t u = 0; user && u < r->by_user.rows; u++)
        user[u] = biases[u];
    mem_free(biases);
    return ST_OK;
}

double baseline_user(const struct baseline *b, const uint32_t *item, const float *rating, size_t n)
{
    return b->users ? bias(item, rating, n, b->item, b->lambda_user) : 0;
}

void baseline_clear(struct baseline *b)
{
    mem_free(b->item);
    *b = (struct baseline){0};
}

void baseline_steps(const struct baseline *b, const struct csr *row, uint32_t item, struct steps *out)
{
    size_t n = csr_count(row);
    steps_add_plain(out, "mean of all ratings", b->mean);
    if (b->item[item] != 0)
        steps_add_plain(out, "bias of the item", b->item[item]);
    for (size_t j = 0; j < n && b->users; j++)
        steps_add(out, row->index[j], (double)row->value[j] - b->item[row->index[j]], 1 / (b->lambda_user + (double)n));
}

enum status baseline_save(const struct baseline *b, struct blob_writer *w, struct error *err)
{
    double head[3] = {b->mean, b->lambda_user, b->users};
    enum status st = blob_put(w, "baseline", BLOB_F64, head, 3, err);
    return st ? st : blob_put(w, "item-biases", BLOB_F64, b->item, b->nitems, err);
}

enum status baseline_load(struct baseline *b, size_t nitems, struct blob_reader *r, struct error *err)
{
    double head[3];
    void *item = NULL;
    size_t n = 0;
    enum status st = blob_get(r, "baseline", BLOB_F64, head, 3, err);
    if (!st)
        st = blob_get_new(r, "item-biases", BLOB_F64, nitems, &item, &n, err);
    if (st)
        return st;
    *b = (struct baseline){head[0], head[1], head[2] != 0, nitems, item};
    return n == nitems ? ST_OK : error_set(err, ST_CORRUPT, "the biases of a saved model are damaged");
}
