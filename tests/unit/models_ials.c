/* iALS against plain loops in double: its vectors, its loss, its folding in of histories. */
#include "tests/unit/world.h"

#include "linalg/topk.h"
#include "models/classes.h"

static double *room(size_t n)
{
    return mem_new(n, sizeof(double), "", NULL);
}

/* Gauss with pivots: a (k x k) x = b, in place. */
static void solve(double *a, double *b, size_t k)
{
    for (size_t c = 0; c < k; c++) {
        size_t p = c;
        for (size_t r = c; r < k; r++)
            if (fabs(a[r * k + c]) > fabs(a[p * k + c]))
                p = r;
        for (size_t j = 0; j < k; j++) {
            double t = a[c * k + j];
            a[c * k + j] = a[p * k + j];
            a[p * k + j] = t;
        }
        double t = b[c];
        b[c] = b[p];
        b[p] = t;
        for (size_t r = 0; r < k; r++) {
            double f = r == c ? 0 : a[r * k + c] / a[c * k + c];
            for (size_t j = c; j < k; j++)
                a[r * k + j] -= f * a[c * k + j];
            b[r] -= f * b[c];
        }
    }
    for (size_t c = 0; c < k; c++)
        b[c] /= a[c * k + c];
}

struct reference {
    size_t nu, ni, k;
    double *w; /* users x items: weight, 0 for unobserved */
    double *x, *y;
    double lambda, alpha0, nu_power;
};

/* Rows of one side by the book: A = alpha0 Y'Y + sum w y y' + lambda (n + alpha0 N)^nu E. */
static void half_epoch(const struct reference *r, bool users)
{
    size_t rows = users ? r->nu : r->ni, cols = users ? r->ni : r->nu, k = r->k;
    double *out = users ? r->x : r->y, *fixed = users ? r->y : r->x, *a = room(k * k), *all = room(k * k);
    for (size_t c = 0; c < cols; c++)
        for (size_t f = 0; f < k; f++)
            for (size_t g = 0; g < k; g++)
                all[f * k + g] += r->alpha0 * fixed[c * k + f] * fixed[c * k + g];
    for (size_t s = 0; s < rows; s++) {
        double n = 0, *b = out + s * k;
        memcpy(a, all, k * k * sizeof *a);
        memset(b, 0, k * sizeof *b);
        for (size_t c = 0; c < cols; c++) {
            double w = users ? r->w[s * r->ni + c] : r->w[c * r->ni + s];
            if (w == 0)
                continue;
            n++;
            for (size_t f = 0; f < k; f++) {
                b[f] += w * fixed[c * k + f];
                for (size_t g = 0; g < k; g++)
                    a[f * k + g] += w * fixed[c * k + f] * fixed[c * k + g];
            }
        }
        for (size_t f = 0; f < k; f++)
            a[f * k + f] += r->lambda * pow(n + r->alpha0 * (double)cols, r->nu_power);
        solve(a, b, k);
    }
    mem_free(a);
    mem_free(all);
}

static double loss(const struct reference *r)
{
    double sum = 0, count = 0;
    for (size_t u = 0; u < r->nu; u++) {
        double n = 0, square = 0;
        for (size_t i = 0; i < r->ni; i++) {
            double p = 0, w = r->w[u * r->ni + i];
            for (size_t f = 0; f < r->k; f++)
                p += r->x[u * r->k + f] * r->y[i * r->k + f];
            sum += w * (1 - p) * (1 - p) + r->alpha0 * p * p;
            n += w > 0;
        }
        for (size_t f = 0; f < r->k; f++)
            square += r->x[u * r->k + f] * r->x[u * r->k + f];
        sum += r->lambda * pow(n + r->alpha0 * (double)r->ni, r->nu_power) * square;
        count += n;
    }
    for (size_t i = 0; i < r->ni; i++) {
        double n = 0, square = 0;
        for (size_t u = 0; u < r->nu; u++)
            n += r->w[u * r->ni + i] > 0;
        for (size_t f = 0; f < r->k; f++)
            square += r->y[i * r->k + f] * r->y[i * r->k + f];
        sum += r->lambda * pow(n + r->alpha0 * (double)r->nu, r->nu_power) * square;
    }
    return sum / count;
}

/* Before the first epoch. */
static struct reference reference_new(const struct dataset *d, bool weigh, size_t k, double lambda, double alpha0,
                                      double nu)
{
    struct reference r = {d->users.n, d->items.n, k, .lambda = lambda, .alpha0 = alpha0, .nu_power = nu};
    r.w = room(r.nu * r.ni);
    r.x = room(r.nu * k);
    r.y = room(r.ni * k);
    for (size_t e = 0; e < d->events.n; e++) {
        double *w = &r.w[d->events.user[e] * r.ni + d->events.item[e]];
        *w = weigh ? *w + d->type_weight[d->events.type[e]] : 1;
    }
    for (size_t i = 0; i < r.ni; i++) {
        struct rng g = rng_stream(7, "ials items", i);
        for (size_t f = 0; f < k; f++)
            r.y[i * k + f] = (float)(.1 / sqrt((double)k) * rng_normal(&g));
    }
    return r;
}

static void reference_free(struct reference *r)
{
    mem_free(r->w);
    mem_free(r->x);
    mem_free(r->y);
}

static void check_against_reference(bool weigh)
{
    enum { K = 6, EPOCHS = 5 };
    struct dataset *d = world_new(40, 35, 700, 4);
    d->type_weight[0] = 2.5f;
    struct reference r = reference_new(d, weigh, K, .02, .15, .8);
    struct model *m = world_train(d, &model_ials, (const char *[]){"factors=6", "epochs=5", "lambda=0.02", "alpha0=0.15", "nu=0.8",
                                                                   weigh ? "values=weight" : "values=binary", NULL});
    for (size_t e = 0; e < EPOCHS; e++) {
        half_epoch(&r, true);
        half_epoch(&r, false);
        assert_true(fabs(loss(&r) - m->record.curve[e]) < 1e-4 * loss(&r));
        assert_true(!e || m->record.curve[e] < m->record.curve[e - 1]);
    }
    half_epoch(&r, true); /* folding in */
    struct query_event *events = mem_new(d->events.n, sizeof *events, "", NULL);
    float *score = mem_new(r.ni, sizeof *score, "", NULL);
    for (uint32_t u = 0; u < r.nu; u++) {
        struct query q = world_query(d, u, events);
        assert_int_equal(model_score(m, &q, 1, score, NULL), ST_OK);
        for (size_t i = 0; i < r.ni; i++) {
            double want = 0;
            for (size_t f = 0; f < K; f++)
                want += r.x[u * K + f] * r.y[i * K + f];
            assert_true(fabs(score[i] - want) < 2e-3);
        }
    }
    reference_free(&r);
    mem_free(events);
    mem_free(score);
    model_release(m);
    dataset_release(d);
}

static void test_reference(void **state)
{
    (void)state;
    check_against_reference(false);
    check_against_reference(true);
}

/* The best items but those of the history. */
static size_t best_new(float *scores, size_t n, const struct query *q, struct scored *out)
{
    for (size_t i = 0; i < q->n; i++)
        scores[q->events[i].item] = -INFINITY;
    return topk(scores, n, 20, out);
}

/* How close folding in is to the vectors that training itself ends with: what the driver measures, against the vectors of
 * the reference, and the figure that the class states. */
static void test_fold_in(void **state)
{
    (void)state;
    enum { K = 16, EPOCHS = 16 };
    struct dataset *d = world_movielens();
    if (!d)
        skip();
    struct reference r = reference_new(d, false, K, .003, .1, 1);
    for (size_t e = 0; e < EPOCHS; e++) {
        half_epoch(&r, true);
        half_epoch(&r, false);
    }
    struct model *m = world_train(d, &model_ials, (const char *[]){"factors=16", "epochs=16", "lambda=0.003", "alpha0=0.1", "nu=1", NULL});
    struct query_event *events = mem_new(d->events.n, sizeof *events, "", NULL);
    float *folded = mem_new(r.ni, sizeof *folded, "", NULL), *native = mem_new(r.ni, sizeof *native, "", NULL);
    double sum = 0;
    for (uint32_t u = 0; u < r.nu; u++) {
        struct scored a[20], b[20];
        struct query q = world_query(d, u, events);
        assert_int_equal(model_score(m, &q, 1, folded, NULL), ST_OK);
        for (size_t i = 0; i < r.ni; i++) {
            double s = 0;
            for (size_t f = 0; f < K; f++)
                s += r.x[u * K + f] * r.y[i * K + f];
            native[i] = (float)s;
        }
        size_t na = best_new(folded, r.ni, &q, a);
        sum += topk_overlap(a, na, b, best_new(native, r.ni, &q, b), .9);
    }
    sum /= (double)r.nu;
    print_message("# rank-biased overlap at 20 of folded-in and native lists: %.4f\n", sum);
    assert_true(sum >= .98); /* fold_in of the class says so */
    assert_true(fabs(sum - m->record.fold_in) < .005);
    reference_free(&r);
    mem_free(events);
    mem_free(folded);
    mem_free(native);
    model_release(m);
    dataset_release(d);
}

static void test_contract(void **state)
{
    (void)state;
    struct dataset *d = world_new(150, 120, 4000, 3);
    world_check_model(d, &model_ials, (const char *[]){"factors=16", "epochs=4", NULL});
    world_check_model(d, &model_ials, (const char *[]){"factors=7", "epochs=3", "values=weight", "nu=0", "lambda=0.5", NULL});
    dataset_release(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reference),
        cmocka_unit_test(test_fold_in),
        cmocka_unit_test(test_contract),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
