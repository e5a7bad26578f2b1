/* PureSVD, GF-CF, Turbo-CF and BSPM against dense matrices in double, as their papers write them. */
#include "tests/unit/world.h"

#include "linalg/pca.h"
#include "linalg/spmm.h"
#include "models/classes.h"

enum { USERS = 60, ITEMS = 80, EVENTS = 1500 };

/* What the definitions are made of, all dense: P and H = D^-1/2 V V' D^1/2 (items x items). */
struct dense {
    size_t users, items;
    struct interactions in;
    double *r;    /* users x items */
    double *p, *h;
};

static double *product(const double *a, const double *b, size_t n, size_t m, size_t k)
{
    double *out = mem_new(n * k, sizeof *out, "", NULL);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < m; j++)
            for (size_t c = 0; c < k; c++)
                out[i * k + c] += a[i * m + j] * b[j * k + c];
    return out;
}

static void dense_new(struct dense *d, const struct dataset *data, bool weigh, size_t k)
{
    struct selection all = world_all(data);
    assert_int_equal(interactions_build(&all, &d->in, NULL), ST_OK);
    size_t nu = d->users = data->users.n, ni = d->items = data->items.n;
    double *row = mem_new(nu, 8, "", NULL), *column = mem_new(ni, 8, "", NULL);
    float *normal = mem_new(nu * ni, 4, "", NULL);
    d->r = mem_new(nu * ni, 8, "", NULL);
    d->p = mem_new(ni * ni, 8, "", NULL);
    d->h = mem_new(ni * ni, 8, "", NULL);
    for (size_t u = 0; u < nu; u++)
        for (size_t e = d->in.matrix.begin[u]; e < d->in.matrix.begin[u + 1]; e++) {
            double w = d->r[u * ni + d->in.matrix.index[e]] = weigh ? (double)d->in.matrix.value[e] : 1;
            row[u] += w;
            column[d->in.matrix.index[e]] += w;
        }
    for (size_t u = 0; u < nu; u++)
        for (size_t i = 0; i < ni; i++)
            normal[u * ni + i] = d->r[u * ni + i] > 0 ? (float)(d->r[u * ni + i] / sqrt(row[u] * column[i])) : 0;
    for (size_t u = 0; u < nu; u++)
        for (size_t i = 0; i < ni; i++)
            for (size_t j = 0; j < ni; j++)
                d->p[i * ni + j] += (double)normal[u * ni + i] * (double)normal[u * ni + j];
    struct svd s;
    assert_int_equal(svd_reference(normal, nu, ni, &s, NULL), ST_OK);
    for (size_t i = 0; i < ni; i++)
        for (size_t j = 0; j < ni; j++)
            for (size_t c = 0; c < k; c++)
                d->h[i * ni + j] += (double)s.v[i * s.k + c] * (double)s.v[j * s.k + c] * sqrt(column[j] / column[i]);
    svd_clear(&s);
    mem_free(row);
    mem_free(column);
    mem_free(normal);
}

static void dense_clear(struct dense *d)
{
    interactions_clear(&d->in);
    mem_free(d->r);
    mem_free(d->p);
    mem_free(d->h);
}

/* All users' scores, trained by the program, are `want` (users x items; freed). */
static void compare(const struct dataset *data, const struct model_class *class, const char *const *settings, double *want)
{
    struct model *m = world_train(data, class, settings);
    struct query_event *room = mem_new(data->events.n, sizeof *room, "", NULL);
    float *score = mem_new(data->items.n, 4, "", NULL);
    double largest = 0;
    for (size_t e = 0; e < data->users.n * data->items.n; e++)
        largest = fmax(largest, fabs(want[e]));
    for (uint32_t u = 0; u < data->users.n; u++) {
        struct query q = world_query(data, u, room);
        assert_int_equal(model_score(m, &q, 1, score, NULL), ST_OK);
        for (size_t i = 0; i < data->items.n; i++)
            if (!(fabs((double)score[i] - want[u * data->items.n + i]) < 1e-4 * largest))
                fail_msg("user %u, item %zu: %g, not %g", u, i, (double)score[i], want[u * data->items.n + i]);
    }
    mem_free(room);
    mem_free(score);
    mem_free(want);
    model_release(m);
}

static void axpy(double *y, double a, const double *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        y[i] += a * x[i];
}

static void test_gfcf(void **state)
{
    (void)state;
    struct dataset *data = world_new(USERS, ITEMS, EVENTS, 4);
    data->type_weight[0] = 2.5f;
    for (int weigh = 0; weigh < 2; weigh++) {
        struct dense d;
        dense_new(&d, data, weigh, 7);
        double *want = product(d.r, d.p, d.users, d.items, d.items), *low = product(d.r, d.h, d.users, d.items, d.items);
        axpy(want, .4, low, d.users * d.items);
        compare(data, &model_gfcf, (const char *[]){"factors=7", "alpha=0.4", weigh ? "values=weight" : "values=binary", NULL}, want);
        mem_free(low);
        if (!weigh)
            compare(data, &model_gfcf, (const char *[]){"factors=0", NULL}, product(d.r, d.p, d.users, d.items, d.items));
        dense_clear(&d);
    }
    dataset_release(data);
}

/* dh/dt = -h P over one step of s, by the stages of the classical method of Runge and Kutta. */
static void rk4_step(const struct dense *d, double *h, double s)
{
    size_t n = d->users * d->items;
    static const double at[] = {0, .5, .5, 1}, weight[] = {1. / 6, 1. / 3, 1. / 3, 1. / 6};
    double *slope = mem_new(n, 8, "", NULL), *start = mem_new(n, 8, "", NULL);
    memcpy(start, h, n * sizeof *h);
    for (int stage = 0; stage < 4; stage++) {
        double *here = mem_new(n, 8, "", NULL);
        memcpy(here, start, n * sizeof *h);
        axpy(here, at[stage] * s, slope, n);
        double *next = product(here, d->p, d->users, d->items, d->items);
        for (size_t e = 0; e < n; e++)
            slope[e] = -next[e];
        axpy(h, weight[stage] * s, slope, n);
        mem_free(here);
        mem_free(next);
    }
    mem_free(slope);
    mem_free(start);
}

static void euler_step(const struct dense *d, double *h, double s)
{
    double *next = product(h, d->p, d->users, d->items, d->items);
    axpy(h, -s, next, d->users * d->items);
    mem_free(next);
}

static void test_bspm(void **state)
{
    (void)state;
    struct dataset *data = world_new(USERS, ITEMS, EVENTS, 5);
    struct dense d;
    dense_new(&d, data, false, 9);
    size_t n = d.users * d.items;
    double *ideal = product(d.r, d.h, d.users, d.items, d.items);
    /* Gowalla's: blurred + ideal, one step of Runge-Kutta. */
    double *h = product(d.r, d.p, d.users, d.items, d.items);
    axpy(h, .3, ideal, n);
    rk4_step(&d, h, 2.5);
    compare(data, &model_bspm, (const char *[]){"factors=9", "beta=0.3", "sharpen_time=2.5", NULL}, h);
    /* Amazon's: two steps, merged late. */
    h = product(d.r, d.p, d.users, d.items, d.items);
    rk4_step(&d, h, 1.1);
    rk4_step(&d, h, 1.1);
    axpy(h, .3, ideal, n);
    compare(data, &model_bspm, (const char *[]){"factors=9", "beta=0.3", "merge=late", "sharpen_steps=2", "sharpen_time=2.2", NULL}, h);
    /* Yelp's: one Euler step, mean of the two points of time. */
    double *blurred = product(d.r, d.p, d.users, d.items, d.items);
    h = product(d.r, d.p, d.users, d.items, d.items);
    axpy(h, .3, ideal, n);
    euler_step(&d, h, 1.2);
    axpy(h, 1, blurred, n);
    for (size_t e = 0; e < n; e++)
        h[e] /= 2;
    compare(data, &model_bspm, (const char *[]){"factors=9", "beta=0.3", "solver=euler", "sharpen_time=1.2", "combine=yes", NULL}, h);
    /* Half a blurring in two steps, no sharpening. */
    h = mem_new(n, 8, "", NULL);
    memcpy(h, d.r, n * sizeof *h);
    for (int step = 0; step < 2; step++) {
        double *next = product(h, d.p, d.users, d.items, d.items);
        for (size_t e = 0; e < n; e++)
            h[e] = .75 * h[e] + .25 * next[e];
        mem_free(next);
    }
    axpy(h, .3, ideal, n);
    compare(data, &model_bspm, (const char *[]){"factors=9", "beta=0.3", "blur_time=0.5", "blur_steps=2", "sharpen_time=0", NULL}, h);
    mem_free(blurred);
    mem_free(ideal);
    dense_clear(&d);
    dataset_release(data);
}

/* Powers and normalizations by their definition; the cubic filter by its formula. */
static void test_turbocf(void **state)
{
    (void)state;
    struct dataset *data = world_new(USERS, ITEMS, EVENTS, 8);
    struct dense d;
    dense_new(&d, data, false, 1);
    size_t nu = d.users, ni = d.items;
    double *p = mem_new(ni * ni, 8, "", NULL), *row = mem_new(nu, 8, "", NULL), *column = mem_new(ni, 8, "", NULL);
    for (size_t u = 0; u < nu; u++)
        for (size_t i = 0; i < ni; i++) {
            row[u] += d.r[u * ni + i];
            column[i] += d.r[u * ni + i];
        }
    for (size_t i = 0; i < ni; i++)
        for (size_t j = 0; j < ni; j++) {
            for (size_t u = 0; u < nu; u++)
                p[i * ni + j] += pow(row[u], -1.4) * d.r[u * ni + i] * d.r[u * ni + j];
            p[i * ni + j] = pow(p[i * ni + j] * pow(column[i] * column[j], -.3), .8);
        }
    double *pp = product(p, p, ni, ni, ni), *ppp = product(pp, p, ni, ni, ni), *f = mem_new(ni * ni, 8, "", NULL);
    compare(data, &model_turbocf, (const char *[]){"alpha=0.7", "power=0.8", NULL}, product(d.r, p, nu, ni, ni));
    axpy(f, 2, p, ni * ni);
    axpy(f, -1, pp, ni * ni);
    compare(data, &model_turbocf, (const char *[]){"alpha=0.7", "power=0.8", "filter=quadratic", NULL}, product(d.r, f, nu, ni, ni));
    memcpy(f, p, ni * ni * sizeof *f);
    axpy(f, -.01, ppp, ni * ni);
    axpy(f, .1, pp, ni * ni);
    axpy(f, -.29, p, ni * ni);
    compare(data, &model_turbocf, (const char *[]){"alpha=0.7", "power=0.8", "filter=cubic", NULL}, product(d.r, f, nu, ni, ni));
    mem_free(p);
    mem_free(pp);
    mem_free(ppp);
    mem_free(f);
    mem_free(row);
    mem_free(column);
    dense_clear(&d);
    dataset_release(data);
}

/* h V V' of the dense matrix; scaled columns. */
static void test_puresvd(void **state)
{
    (void)state;
    enum { K = 6 };
    struct dataset *data = world_new(USERS, ITEMS, EVENTS, 9);
    data->type_weight[0] = 2.5f;
    for (int weigh = 0; weigh < 2; weigh++) {
        struct dense d;
        dense_new(&d, data, weigh, 1);
        size_t nu = d.users, ni = d.items;
        float *r = mem_new(nu * ni, 4, "", NULL);
        double *vv = mem_new(ni * ni, 8, "", NULL);
        for (size_t i = 0; i < ni; i++) {
            double square = 0;
            for (size_t u = 0; u < nu; u++)
                square += d.r[u * ni + i] * d.r[u * ni + i];
            for (size_t u = 0; u < nu; u++)
                r[u * ni + i] = (float)(d.r[u * ni + i] * (weigh ? pow(square, -.3) : 1));
        }
        struct svd s;
        assert_int_equal(svd_reference(r, nu, ni, &s, NULL), ST_OK);
        for (size_t i = 0; i < ni; i++)
            for (size_t j = 0; j < ni; j++)
                for (size_t c = 0; c < K; c++)
                    vv[i * ni + j] += (double)s.v[i * s.k + c] * (double)s.v[j * s.k + c];
        compare(data, &model_puresvd, weigh ? (const char *[]){"factors=6", "values=weight", "scaling=0.4", NULL} : (const char *[]){"factors=6", NULL},
                product(d.r, vv, nu, ni, ni));
        svd_clear(&s);
        mem_free(r);
        mem_free(vv);
        dense_clear(&d);
    }
    dataset_release(data);
}

/* Batches of more than one panel, and of one that is not full. */
static void test_contract(void **state)
{
    (void)state;
    struct dataset *d = world_new(200, 130, 4000, 6);
    world_check_model(d, &model_gfcf, (const char *[]){"factors=20", NULL});
    world_check_model(d, &model_bspm, (const char *[]){"factors=20", NULL});
    world_check_model(d, &model_puresvd, (const char *[]){"factors=20", NULL});
    world_check_model(d, &model_turbocf, NULL);
    world_check_model(d, &model_turbocf, (const char *[]){"filter=cubic", "alpha=0.5", "power=1", NULL});
    struct model *m = world_train(d, &model_bspm, (const char *[]){"factors=20", NULL});
    struct query_event *room = mem_new(2 * d->events.n, sizeof *room, "", NULL);
    struct query q[37];
    size_t ni = d->items.n, at = 0;
    float *batch = mem_new(37 * ni, 4, "", NULL), *alone = mem_new(ni, 4, "", NULL);
    for (uint32_t u = 0; u < 37; u++, at += q[u - 1].n)
        q[u] = world_query(d, u, room + at);
    assert_int_equal(model_score(m, q, 37, batch, NULL), ST_OK);
    for (size_t i = 0; i < 37; i++) {
        assert_int_equal(model_score(m, &q[i], 1, alone, NULL), ST_OK);
        assert_memory_equal(alone, batch + i * ni, ni * sizeof *alone);
    }
    mem_free(room);
    mem_free(batch);
    mem_free(alone);
    model_release(m);
    dataset_release(d);
}

/* ---- vectors to compare by ---- */

enum { GROUP = 4, PEOPLE = 2 * GROUP, THINGS = 2 * GROUP, BRIDGES = 2 };

/* Two groups of users, each with things of its own: all but the one that has the user's number; two of each group had one of the others'. */
static struct dataset *two_groups(void)
{
    struct dataset *d = world_empty(64);
    for (size_t bridges = 0; bridges < 2; bridges++) /* first their own: each group's things are numbered together */
        for (size_t u = 0; u < PEOPLE; u++)
            for (size_t i = 0; i < THINGS; i++)
                if (bridges ? u % GROUP < BRIDGES && i == (u + GROUP) % THINGS : u / GROUP == i / GROUP && u % GROUP != i % GROUP)
                    world_event(d, (char[]){(char)('A' + u), 0}, (char[]){(char)('a' + i), 0}, "click", WORLD_START + (int64_t)d->events.n);
    assert_int_equal(dataset_finish(d, NULL), ST_OK);
    return d;
}

/* Rows of the matrix, or columns, as vectors: each is divided by the roots of the sums of the other side, and of its own, where wanted. */
static void rows_of(const struct dense *d, bool columns, bool by_items, bool by_users, float *out)
{
    for (size_t u = 0; u < d->users; u++)
        for (size_t i = 0; i < d->items; i++) {
            double row = 0, column = 0;
            for (size_t j = 0; j < d->items; j++)
                row += d->r[u * d->items + j];
            for (size_t v = 0; v < d->users; v++)
                column += d->r[v * d->items + i];
            out[columns ? i * d->users + u : u * d->items + i] =
                (float)(d->r[u * d->items + i] / sqrt((by_items ? column : 1) * (by_users ? row : 1)));
        }
}

/* Places on two axes have these shares, and the first one has one group on one side: vectors that were rotated differ in nothing else. */
static void check_axes(const float *got, size_t width, const float *want, size_t wide, size_t n, bool groups)
{
    double *axis = mem_new(2 * (width > wide ? width : wide), 8, "", NULL), *at = mem_new(2 * n, 8, "", NULL);
    double *other = mem_new(2 * n, 8, "", NULL), share[2], right[2];
    assert_int_equal(pca(got, n, width, 2, axis, at, share, NULL), ST_OK);
    assert_int_equal(pca(want, n, wide, 2, axis, other, right, NULL), ST_OK);
    assert_true(fabs(share[0] - right[0]) < 1e-4 && fabs(share[1] - right[1]) < 1e-4);
    for (size_t i = 0; i < n; i++)
        assert_true(fabs(fabs(at[2 * i]) - fabs(other[2 * i])) < 1e-3);
    for (size_t i = 1; i < n && groups; i++)
        assert_true(at[0] * at[2 * i] * (i < GROUP ? 1 : -1) > 0);
    mem_free(axis);
    mem_free(at);
    mem_free(other);
}

/* With all singular vectors those of users are the rows of the (scaled) matrix, and those of items its columns, but for a rotation. */
static void check_vectors(const struct dataset *data, const struct model_class *class, const char *const *settings, bool normal, bool groups)
{
    struct dense d = {0};
    size_t width, nu = data->users.n, ni = data->items.n;
    dense_new(&d, data, false, 1);
    struct model *m = world_train(data, class, settings);
    const float *y = model_vectors(m, &width);
    struct query_event *room = mem_new(data->events.n, sizeof *room, "", NULL);
    float *x = mem_new((nu > ni ? nu : ni) * width, 4, "", NULL), *want = mem_new(nu * ni, 4, "", NULL), *scale = mem_new(width, 4, "", NULL);
    assert_true(model_projects(m));
    for (uint32_t u = 0; u < nu; u++) {
        struct query q = world_query(data, u, room);
        assert_int_equal(model_project(m, &q, 1, x + u * width, NULL), ST_OK);
    }
    rows_of(&d, false, normal, false, want);
    check_axes(x, width, want, ni, nu, groups);
    assert_int_equal(class->scale(m, scale, NULL), ST_OK);
    for (size_t i = 0; i < ni * width; i++)
        x[i] = y[i] * scale[i % width];
    rows_of(&d, true, normal, normal, want);
    check_axes(x, width, want, nu, ni, groups);
    for (uint32_t i = 0; !normal && i < ni; i++) { /* likeness is the cosine of the columns */
        assert_int_equal(model_similar(m, i, x, NULL), ST_OK);
        for (size_t j = 0; j < ni; j++) {
            double dot = 0, a = 0, b = 0;
            for (size_t u = 0; u < nu; u++) {
                dot += d.r[u * ni + i] * d.r[u * ni + j];
                a += d.r[u * ni + i];
                b += d.r[u * ni + j];
            }
            assert_true(j == i || fabs((double)x[j] - dot / sqrt(a * b)) < 1e-3);
        }
    }
    mem_free(room);
    mem_free(x);
    mem_free(want);
    mem_free(scale);
    model_release(m);
    dense_clear(&d);
}

static void test_vectors(void **state)
{
    (void)state;
    struct dataset *groups = two_groups(), *random = world_new(30, 20, 300, 9);
    for (size_t g = 0; g < 2; g++) {
        const struct dataset *d = g ? groups : random;
        check_vectors(d, &model_puresvd, (const char *[]){"factors=30", NULL}, false, g);
        check_vectors(d, &model_gfcf, (const char *[]){"factors=30", NULL}, true, g);
        check_vectors(d, &model_gfcf, (const char *[]){"factors=30", "alpha=0", NULL}, true, g);
        check_vectors(d, &model_bspm, (const char *[]){"factors=30", NULL}, true, g);
    }
    struct model *m = world_train(groups, &model_gfcf, (const char *[]){"factors=0", NULL});
    assert_false(model_projects(m));
    model_release(m);
    dataset_release(groups);
    dataset_release(random);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_gfcf), cmocka_unit_test(test_bspm), cmocka_unit_test(test_turbocf), cmocka_unit_test(test_puresvd),
                                       cmocka_unit_test(test_vectors), cmocka_unit_test(test_contract)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
