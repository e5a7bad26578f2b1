/* Metrics of grades, items, pairs and all lists, and the facts they use: cases worked by hand, and everything against plain counting
 * over the events. */
#include "tests/unit/rows.h"

#include <math.h>

#include "base/rng.h"
#include "eval/evaluation.h"
#include "models/snapshot.h"
#include "tests/unit/memory.h"

/* ---- a model whose scores are drawn, with ties and a few items without one ---- */

static float guess(const struct query *q, uint32_t item)
{
    uint64_t h = hash_bytes(&item, sizeof item, q->n + 3);
    if (h % 29 == 0)
        return h % 2 ? NAN : -INFINITY;
    return (float)(h % 11);
}

static enum status fake_score(const struct model *m, const struct query *queries, size_t n, float *scores, struct error *err)
{
    (void)err;
    for (size_t q = 0; q < n; q++)
        for (uint32_t i = 0; i < m->nitems; i++)
            scores[q * m->nitems + i] = guess(&queries[q], i);
    return ST_OK;
}

static void fake_free(struct model *m)
{
    m->state = NULL;
}

static const struct model_class fake_class = {.name = "fake", .score = fake_score, .free = fake_free};

/* ---- random data with everything metrics ask for ---- */

enum { USERS = 90, ITEMS = 70, EVENTS = 2500, GENRES = 9 };

enum { WITH_GENRES = 1, WITH_PRICES = 2, WITH_RATINGS = 4 };

static struct dataset *random_data(uint64_t seed, unsigned with)
{
    struct rng r = rng_stream(seed, "test", 0);
    struct dataset *d = dataset_new("random", NULL);
    struct events *e = &d->events;
    struct field *f;
    e->user = mem_new(EVENTS, sizeof *e->user, "", NULL);
    e->item = mem_new(EVENTS, sizeof *e->item, "", NULL);
    e->time = mem_new(EVENTS, sizeof *e->time, "", NULL);
    e->sequence = mem_new(EVENTS, sizeof *e->sequence, "", NULL);
    e->type = mem_new(EVENTS, sizeof *e->type, "", NULL);
    e->value = with & WITH_RATINGS ? mem_new(EVENTS, sizeof *e->value, "", NULL) : NULL;
    uint32_t code;
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(dict_add(&d->types, i ? "buy" : "view", i ? 3 : 4, &code, NULL), ST_OK);
    d->type_weight = mem_new(2, sizeof *d->type_weight, "", NULL);
    d->type_weight[0] = 1;
    d->type_weight[1] = 5;
    for (uint32_t i = 0; i < ITEMS; i++) {
        char name[16];
        snprintf(name, sizeof name, "i%02u", i);
        assert_int_equal(dict_add(&d->items, name, strlen(name), &code, NULL), ST_OK);
    }
    for (size_t i = 0; i < EVENTS; i++) {
        char name[16];
        snprintf(name, sizeof name, "u%u", (unsigned)(rng_real(&r) * rng_real(&r) * USERS));
        assert_int_equal(dict_add(&d->users, name, strlen(name), &e->user[i], NULL), ST_OK);
        e->item[i] = (uint32_t)(rng_real(&r) * rng_real(&r) * ITEMS);
        e->time[i] = (int64_t)i;
        e->sequence[i] = i;
        e->type[i] = rng_below(&r, 4) == 0;
        if (e->value)
            e->value[i] = rng_below(&r, 10) ? (float)rng_below(&r, 6) : NAN;
    }
    e->n = EVENTS;
    if (with & WITH_GENRES) {
        assert_int_equal(fields_add(&d->item_fields, "genres", FIELD_LIST, &f, NULL), ST_OK);
        for (uint32_t i = 0; i < ITEMS; i++) {
            static const char *const names[GENRES] = {"a", "b", "c", "d", "e", "f", "g", "h", "i"};
            const char *texts[4];
            size_t n = rng_below(&r, 5), lengths[4] = {1, 1, 1, 1};
            for (size_t g = 0; g < n; g++) /* may name one twice */
                texts[g] = names[rng_below(&r, GENRES)];
            assert_int_equal(field_push_list(f, texts, lengths, n, NULL), ST_OK);
        }
    }
    if (with & WITH_PRICES) {
        assert_int_equal(fields_add(&d->item_fields, "Price", FIELD_REAL, &f, NULL), ST_OK);
        for (uint32_t i = 0; i < ITEMS; i++)
            assert_int_equal(field_push_real(f, rng_below(&r, 8) ? (double)rng_below(&r, 900) / 10 : NAN, NULL), ST_OK);
    }
    assert_int_equal(dataset_finish(d, NULL), ST_OK);
    return d;
}

struct setup {
    struct dataset *d;
    struct split *s;
    struct test_set *t;
    struct item_facts *facts;
    struct model *m;
    struct evaluation *e;
};

static struct setup setup_of(struct dataset *d, struct split_spec spec, struct protocol p, size_t depth)
{
    static int state;
    struct setup x = {.d = d};
    assert_int_equal(split_new(d, &spec, &x.s, NULL), ST_OK);
    assert_int_equal(test_set_new(d, x.s, &p, &x.t, NULL), ST_OK);
    assert_int_equal(item_facts_new(d, x.s, &p, &x.facts, NULL), ST_OK);
    x.m = model_new(&fake_class, "fake", NULL, d->users.n, d->items.n, NULL);
    x.m->state = &state;
    assert_int_equal(evaluation_run(x.m, x.t, 7, depth, NULL, &x.e, NULL), ST_OK);
    x.e->facts = x.facts;
    return x;
}

static void setup_clear(struct setup *x)
{
    evaluation_free(x->e);
    model_release(x->m);
    item_facts_free(x->facts);
    test_set_free(x->t);
    split_release(x->s);
    dataset_release(x->d);
}

/* ---- everything again, by plain counting ---- */

struct plain {
    bool had[USERS][ITEMS];   /* before what is judged */
    bool learnt[USERS][ITEMS];
    size_t learners, popularity[ITEMS];
    bool tail[ITEMS];
    bool genre[ITEMS][GENRES];
    size_t ngenres[ITEMS];
    double price[ITEMS];
};

static void count_plainly(const struct setup *x, struct plain *p)
{
    const struct dataset *d = x->d;
    memset(p, 0, sizeof *p);
    for (size_t e = 0; e < d->events.n; e++) {
        uint32_t u = d->events.user[e], i = d->events.item[e];
        if (x->s->part[e] & split_history(x->s, u, x->t->protocol.on))
            p->had[u][i] = true;
        if (x->s->part[e] == PART_TRAIN)
            p->learnt[u][i] = true;
    }
    size_t pairs = 0;
    for (size_t u = 0; u < d->users.n; u++) {
        bool any = false;
        for (size_t i = 0; i < ITEMS; i++) {
            p->popularity[i] += p->learnt[u][i];
            pairs += p->learnt[u][i];
            any |= p->learnt[u][i];
        }
        p->learners += any;
    }
    for (size_t i = 0; i < ITEMS; i++) { /* in the tail when what stands before it has the share of the head */
        size_t before = 0;
        for (size_t j = 0; j < ITEMS; j++)
            if (p->popularity[j] > p->popularity[i] || (p->popularity[j] == p->popularity[i] && j < i))
                before += p->popularity[j];
        p->tail[i] = (double)before >= .8 * (double)pairs;
    }
    const struct field *genres = fields_find(&d->item_fields, "genres"), *price = fields_find(&d->item_fields, "Price");
    for (size_t i = 0; i < ITEMS; i++) {
        for (size_t at = genres ? genres->list_begin[i] : 0; genres && at < genres->list_begin[i + 1]; at++)
            p->genre[i][genres->list_code[at]] = true;
        for (size_t g = 0; g < GENRES; g++)
            p->ngenres[i] += p->genre[i][g];
        p->price[i] = price && !isnan(price->real[i]) ? price->real[i] : 0;
    }
}

static bool is_right(const struct test_set *t, size_t q, uint32_t item, size_t *at)
{
    for (size_t i = t->right_begin[q]; i < t->right_begin[q + 1]; i++)
        if (t->right[i] == item) {
            *at = i;
            return true;
        }
    return false;
}

static bool hidden(const struct test_set *t, size_t q, uint32_t item)
{
    for (size_t i = 0; t->protocol.hide_seen && i < t->query[q].n; i++)
        if (t->query[q].events[i].item == item)
            return true;
    return false;
}

/* The k best, one after the other. */
static size_t plain_list(const struct test_set *t, size_t q, size_t k, uint32_t *list)
{
    bool out[ITEMS] = {false};
    size_t n = 0;
    for (uint32_t i = 0; i < ITEMS; i++)
        out[i] = hidden(t, q, i);
    for (; n < k; n++) {
        uint32_t best = UINT32_MAX;
        for (uint32_t i = 0; i < ITEMS; i++) {
            float s = guess(&t->query[q], i);
            if (!out[i] && s > -INFINITY && (best == UINT32_MAX || s > guess(&t->query[q], best)))
                best = i;
        }
        if (best == UINT32_MAX)
            break;
        out[best] = true;
        list[n] = best;
    }
    return n;
}

static double grade_of(const struct test_set *t, size_t at)
{
    double g = t->rating ? (double)t->rating[at] : (double)t->weight[at];
    return isnan(g) ? 1 : fmax(g, 0);
}

static int descending(const void *a, const void *b)
{
    const double *x = a, *y = b;
    return (*x < *y) - (*x > *y);
}

static double plain_graded(const struct setup *x, size_t q, const uint32_t *list, size_t n, size_t k, bool exponents)
{
    const struct test_set *t = x->t;
    double gain = 0, ideal = 0, all[ITEMS];
    size_t right = t->right_begin[q + 1] - t->right_begin[q], at;
    for (size_t i = 0; i < right; i++) {
        double g = grade_of(t, t->right_begin[q] + i);
        all[i] = exponents ? pow(2, g) - 1 : g;
    }
    for (size_t i = 0; i < n; i++)
        if (is_right(t, q, list[i], &at))
            gain += all[at - t->right_begin[q]] / (log((double)i + 2) / log(2));
    qsort(all, right, sizeof *all, descending);
    for (size_t i = 0; i < k && i < right; i++)
        ideal += all[i] / (log((double)i + 2) / log(2));
    return ideal > 0 ? gain / ideal : NAN;
}

static double plain_distance(const struct plain *p, const struct setup *x, uint32_t a, uint32_t b)
{
    double both = 0, any = 0, na = 0, nb = 0;
    if (x->facts->category) {
        for (size_t g = 0; g < GENRES; g++) {
            both += p->genre[a][g] && p->genre[b][g];
            any += p->genre[a][g] || p->genre[b][g];
        }
        return p->ngenres[a] && p->ngenres[b] ? 1 - both / any : NAN;
    }
    for (size_t u = 0; u < USERS; u++) {
        both += p->had[u][a] && p->had[u][b];
        na += p->had[u][a];
        nb += p->had[u][b];
    }
    return na > 0 && nb > 0 ? 1 - both / sqrt(na * nb) : 1;
}

/* The categories of some items: each spreads 1 over its own. Returns how many have any. */
static size_t mix(const struct plain *p, const bool *in, double *share)
{
    size_t n = 0;
    for (size_t g = 0; g < GENRES; g++)
        share[g] = 0;
    for (size_t i = 0; i < ITEMS; i++) {
        n += in[i] && p->ngenres[i];
        for (size_t g = 0; g < GENRES; g++)
            if (in[i] && p->genre[i][g])
                share[g] += 1 / (double)p->ngenres[i];
    }
    for (size_t g = 0; g < GENRES; g++)
        share[g] = n ? share[g] / (double)n : 0;
    return n;
}

static double plain_calibration(const struct plain *p, uint32_t user, const uint32_t *list, size_t n)
{
    double before[GENRES], now[GENRES], sum = 0;
    bool in[ITEMS] = {false};
    for (size_t i = 0; i < n; i++)
        in[list[i]] = true;
    if (!mix(p, p->had[user], before) || !mix(p, in, now))
        return NAN;
    for (size_t g = 0; g < GENRES; g++)
        if (before[g] > 0)
            sum += before[g] * log(before[g] / (.99 * now[g] + .01 * before[g]));
    return sum;
}

static double plain_auc(const struct test_set *t, size_t q)
{
    double won = 0, pairs = 0;
    size_t at;
    for (size_t r = t->right_begin[q]; r < t->right_begin[q + 1]; r++)
        for (uint32_t i = 0; i < ITEMS; i++) {
            if (is_right(t, q, i, &at) || hidden(t, q, i))
                continue;
            float a = guess(&t->query[q], t->right[r]), b = guess(&t->query[q], i);
            a = isnan(a) ? -INFINITY : a;
            b = isnan(b) ? -INFINITY : b;
            won += a > b ? 1 : a < b ? 0 : .5;
            pairs++;
        }
    return pairs > 0 ? won / pairs : NAN;
}

static bool would_show(const struct plain *p, const struct setup *x, uint32_t user, uint32_t item, size_t k)
{
    size_t above = 0;
    for (size_t j = 0; j < ITEMS; j++)
        if (!(x->t->protocol.hide_seen && p->had[user][j]))
            above += p->popularity[j] > p->popularity[item] || (p->popularity[j] == p->popularity[item] && j < item);
    return above < k;
}

static double plain_metric(const struct plain *p, const struct setup *x, const char *name, uint32_t user, size_t q, size_t k)
{
    const struct test_set *t = x->t;
    uint32_t list[ITEMS];
    size_t n = plain_list(t, q, k, list), at, pairs = 0, items = 0;
    double sum = 0, all = 0;
    if (!strcmp(name, "auc"))
        return plain_auc(t, q);
    if (!strcmp(name, "ndcg_linear") || !strcmp(name, "ndcg_exp"))
        return plain_graded(x, q, list, n, k, !strcmp(name, "ndcg_exp"));
    if (!strcmp(name, "calibration"))
        return plain_calibration(p, user, list, n);
    if (!strcmp(name, "revenue")) {
        for (at = t->right_begin[q]; at < t->right_begin[q + 1]; at++) {
            double price = x->facts->price ? p->price[t->right[at]] : isnan(t->rating[at]) ? 0 : (double)t->rating[at];
            all += price;
            for (size_t i = 0; i < n; i++)
                sum += list[i] == t->right[at] ? price : 0;
        }
        return all > 0 ? sum / all : NAN;
    }
    if (!strcmp(name, "serendipity")) {
        for (size_t i = 0; i < n; i++)
            sum += is_right(t, q, list[i], &at) && !would_show(p, x, user, list[i], k);
        return sum / (double)k;
    }
    if (!strcmp(name, "ild")) {
        for (size_t i = 0; i < n; i++)
            for (size_t j = 0; j < i; j++)
                if (!isnan(plain_distance(p, x, list[i], list[j]))) {
                    sum += plain_distance(p, x, list[i], list[j]);
                    pairs++;
                }
        return pairs ? sum / (double)pairs : NAN;
    }
    for (size_t i = 0; i < n; i++) {
        double share = (double)p->popularity[list[i]] / (double)p->learners;
        if (!strcmp(name, "novelty"))
            sum += -log2(share > 0 ? share : 1 / (double)p->learners);
        else if (!strcmp(name, "tail"))
            sum += p->tail[list[i]];
        else
            sum += share;
    }
    sum = n ? sum / (double)n : NAN;
    if (strcmp(name, "lift"))
        return sum;
    for (size_t i = 0; i < ITEMS; i++) {
        all += p->had[user][i] ? (double)p->popularity[i] / (double)p->learners : 0;
        items += p->had[user][i];
    }
    return all > 0 ? sum / (all / (double)items) - 1 : NAN;
}

static void near_or_none(double x, double y, const char *name)
{
    if (isnan(x) != isnan(y) || fabs(x - y) > 1e-9)
        fail_msg("%s: %.12g, by counting %.12g", name, x, y);
}

static void check_all(const struct setup *x)
{
    static struct plain p;
    double value[USERS];
    static const size_t ks[] = {1, 5, 20};
    size_t checked = 0, with_value = 0;
    count_plainly(x, &p);
    assert_int_equal(evaluation_add_pairs(x->e, x->m, x->t, NULL, NULL), ST_OK);
    for (size_t i = 0; metrics[i]; i++) {
        const struct metric *m = metrics[i];
        if (!m->of_list || metric_of_ranks(m) || m->needs & NEEDS_BEFORE)
            continue;
        for (size_t k = 0; k < 3; k++) {
            struct metric_at at = {.metric = m, .k = ks[k], .parameter = m->parameter};
            if (evaluation_lacks(x->e, &at))
                continue;
            evaluation_users(x->e, &at, value);
            for (size_t u = 0; u < x->t->nusers; u++) {
                double sum = 0, n = 0;
                for (size_t q = x->t->query_begin[u]; q < x->t->query_begin[u + 1]; q++) {
                    double one = plain_metric(&p, x, m->name, x->t->user[u], q, ks[k]);
                    sum += isnan(one) ? 0 : one;
                    n += !isnan(one);
                }
                near_or_none(value[u], n > 0 ? sum / n : NAN, m->name);
                with_value += isnan(value[u]) ? 0 : 1;
                checked++;
            }
        }
    }
    assert_true(with_value > checked / 2);
}

static void test_against_counting(void **state)
{
    (void)state;
    static const unsigned with[4] = {WITH_GENRES | WITH_PRICES | WITH_RATINGS, WITH_RATINGS, WITH_GENRES, 0};
    for (size_t i = 0; i < 4; i++)
        for (unsigned hide = 0; hide < 2; hide++) {
            struct setup x = setup_of(random_data(i, with[i]), (struct split_spec){.kind = SPLIT_TIME, .at = NO_TIME, .share = .2},
                                      (struct protocol){.on = PART_TEST, .hide_seen = hide != 0}, 50);
            check_all(&x);
            setup_clear(&x);
        }
    struct setup x = setup_of(random_data(9, WITH_GENRES), (struct split_spec){.kind = SPLIT_USERS, .share = .3, .holdout = .3},
                              (struct protocol){.on = PART_TEST, .hide_seen = true}, 50);
    check_all(&x);
    setup_clear(&x);
    x = setup_of(random_data(9, WITH_GENRES), (struct split_spec){.kind = SPLIT_LAST, .last = 3},
                 (struct protocol){.on = PART_TEST, .hide_seen = true, .rolling = ROLLING_IN_ORDER}, 50);
    check_all(&x);
    setup_clear(&x);
}

/* Popular items know their users as sets of bits, others as lists: many users, so that both kinds and all pairs of kinds are there. */
static void test_distances(void **state)
{
    (void)state;
    struct setup x = setup_of(random_data(3, 0), (struct split_spec){.kind = SPLIT_LAST, .last = 1},
                              (struct protocol){.on = PART_TEST, .hide_seen = true}, 10);
    static struct plain p;
    size_t sets = 0;
    count_plainly(&x, &p);
    for (uint32_t a = 0; a < ITEMS; a++) {
        sets += x.facts->sets[a] != NULL;
        for (uint32_t b = 0; b < ITEMS; b++)
            assert_near(item_distance(x.facts, a, b), plain_distance(&p, &x, a, b), 1e-12);
    }
    assert_in_range(sets, 5, ITEMS - 1);
    setup_clear(&x);
}

/* ---- by hand ---- */

static double of(const char *name, struct judged_list l)
{
    struct metric_at m;
    assert_int_equal(metric_parse(name, l.k ? l.k : 5, &m, NULL), ST_OK);
    l.k = m.k;
    l.parameter = m.parameter;
    return m.metric->of_list(&l);
}

/* Items 4 and 7 are right, graded 3 and 1; a third right item, 9, graded 2, is missed. */
static void test_grades_by_hand(void **state)
{
    (void)state;
    struct judged_list l = {.k = 5,
                            .rank = (uint32_t[]){0, 2},
                            .nhits = 2,
                            .relevant = 3,
                            .right = (uint32_t[]){4, 7, 9},
                            .grade = (float[]){1, 3, 2},
                            .ideal = (float[]){3, 2, 1},
                            .item = (uint32_t[]){7, 1, 4, 0, 2},
                            .n = 5,
                            .valued = true};
    double ideal = 3 + 2 / log2(3) + 1 / log2(4), steep = 7 + 3 / log2(3) + 1 / log2(4);
    assert_near(of("ndcg_linear", l), (3 + 1 / log2(4)) / ideal, 1e-12);
    assert_near(of("ndcg_exp", l), (7 + 1 / log2(4)) / steep, 1e-12);
    l.facts = &(struct item_facts){.price = NULL};
    assert_near(of("revenue", l), 4. / 6, 1e-12); /* values of events */
    l.facts = &(struct item_facts){.price = (double[]){0, 0, 0, 0, 10, 0, 0, 30, 0, 60}, .price_name = "price"};
    assert_near(of("revenue", l), .4, 1e-12);
    /* grades that nobody gave count 1; 2^2000 is no number, but the ratio is */
    l.grade = (float[]){NAN, NAN, NAN};
    l.ideal = (float[]){1, 1, 1};
    assert_near(of("ndcg_exp", l), (1 + .5) / (1 + 1 / log2(3) + .5), 1e-12);
    l.grade = (float[]){1000, 2000, 0};
    l.ideal = (float[]){2000, 1000, 0};
    assert_near(of("ndcg_exp", l), 1, 1e-12);
    l.grade = (float[]){0, -1, 0};
    l.ideal = (float[]){0, 0, 0};
    assert_true(isnan(of("ndcg_linear", l)));
    assert_true(isnan(of("ndcg_exp", l)));
}

static void test_counts_by_hand(void **state)
{
    (void)state;
    const struct metric *gini = metric_find("gini"), *entropy = metric_find("entropy");
    assert_near(gini->of_counts((uint32_t[]){3, 3, 3, 3}, 4), 0, 1e-12);
    assert_near(gini->of_counts((uint32_t[]){0, 12, 0, 0}, 4), .75, 1e-12); /* 1 - 1/n */
    /* of 0 1 1 2: (-3*0 - 1*1 + 1*1 + 3*2) / (4 * 4) */
    assert_near(gini->of_counts((uint32_t[]){1, 2, 0, 1}, 4), 6. / 16, 1e-12);
    assert_near(entropy->of_counts((uint32_t[]){2, 2, 2, 2}, 4), 2, 1e-12);
    assert_near(entropy->of_counts((uint32_t[]){1, 2, 0, 1}, 4), 1.5, 1e-12);
    assert_near(entropy->of_counts((uint32_t[]){0, 2, 0, 0}, 4), 0, 1e-12);
    assert_true(isnan(gini->of_counts((uint32_t[]){0, 0}, 2)));
    assert_true(isnan(entropy->of_counts((uint32_t[]){0, 0}, 2)));
}

/* Ten learners; items 0 to 3 are had by 8, 4, 2 and none of them. */
static void test_items_by_hand(void **state)
{
    (void)state;
    struct item_facts f = {.nitems = 4,
                           .nusers = 1,
                           .hide_seen = true,
                           .learners = 10,
                           .popularity = (uint32_t[]){8, 4, 2, 0},
                           .place = (uint32_t[]){0, 1, 2, 3},
                           .tail = (uint8_t[]){0, 0, 1, 1},
                           .history_begin = (size_t[]){0, 1},
                           .history = (uint32_t[]){0}};
    struct judged_list l = {.k = 2,
                            .rank = (uint32_t[]){1},
                            .nhits = 1,
                            .relevant = 1,
                            .right = (uint32_t[]){3},
                            .item = (uint32_t[]){1, 3},
                            .n = 2,
                            .facts = &f};
    assert_near(of("novelty", l), (-log2(.4) - log2(.1)) / 2, 1e-12);
    assert_near(of("popularity", l), .2, 1e-12);
    assert_near(of("lift", l), .2 / .8 - 1, 1e-12);
    assert_near(of("tail", l), .5, 1e-12);
    assert_near(of("serendipity", l), .5, 1e-12); /* 1 and 2 would be shown anyway, 3 not */
    f.hide_seen = false;
    l.right = l.item = (uint32_t[]){2, 0};
    l.rank = (uint32_t[]){0};
    assert_near(of("serendipity", l), .5, 1e-12);
    f.hide_seen = true; /* without 0, which is known, item 2 is the second most popular */
    assert_near(of("serendipity", l), 0, 1e-12);
    f.history_begin = (size_t[]){0, 0};
    assert_true(isnan(of("lift", l)));
    l.n = 0;
    assert_true(isnan(of("novelty", l)));
}

/* Steck's example: 70 % romance and 30 % action before, a list of romance alone. */
static void test_calibration_by_hand(void **state)
{
    (void)state;
    struct field category = {.name = (char[]){"genre"}};
    struct item_facts f = {.category = &category,
                           .category_begin = (size_t[]){0, 1, 2, 4},
                           .categories = (uint32_t[]){0, 1, 0, 1},
                           .taste_begin = (size_t[]){0, 2},
                           .taste = (uint32_t[]){0, 1},
                           .taste_share = (double[]){.7, .3}};
    struct judged_list l = {.k = 2, .relevant = 1, .item = (uint32_t[]){0, 0}, .n = 2, .facts = &f};
    assert_near(of("calibration", l), .7 * log(.7 / (.99 + .007)) + .3 * log(.3 / .003), 1e-12);
    l.item = (uint32_t[]){0, 2}; /* three quarters and one */
    assert_near(of("calibration", l), .7 * log(.7 / (.99 * .75 + .007)) + .3 * log(.3 / (.99 * .25 + .003)), 1e-12);
}

static void test_stability(void **state)
{
    (void)state;
    struct judged_list l = {.k = 3, .relevant = 1, .item = (uint32_t[]){1, 2, 3}, .n = 3, .before = (uint32_t[]){1, 2, 3}, .nbefore = 3};
    assert_near(of("stability", l), 1, 1e-12);
    l.before = (uint32_t[]){4, 5, 6};
    assert_near(of("stability", l), 0, 1e-12);
    /* agreement 0, 1 and 1 of the depths: (1 - p)/p (p^2 + p^3) + p^3 */
    l.before = (uint32_t[]){2, 1, 3};
    assert_near(of("stability:.5", l), .25 + .125 + .125, 1e-12);
    l.before = NULL;
    assert_true(isnan(of("stability", l)));
}

/* ---- the evaluation ---- */

static void test_lists_of_others(void **state)
{
    (void)state;
    struct setup x = setup_of(random_data(5, WITH_GENRES | WITH_RATINGS), (struct split_spec){.kind = SPLIT_LAST, .last = 3},
                              (struct protocol){.on = PART_TEST, .hide_seen = true}, 30);
    size_t *begin = mem_new(x.t->nqueries + 1, sizeof *begin, "", NULL);
    uint32_t *item = mem_new(x.t->nqueries * 30, sizeof *item, "", NULL);
    struct evaluation *e = NULL;
    for (size_t q = 0; q < x.t->nqueries; q++)
        begin[q + 1] = begin[q] + plain_list(x.t, q, 30, item + begin[q]);
    assert_int_equal(evaluation_of_lists(x.t, 7, 30, begin, item, &e, NULL), ST_OK);
    assert_memory_equal(e->list, x.e->list, x.t->nqueries * e->listed * sizeof *e->list);
    assert_memory_equal(e->hit_begin, x.e->hit_begin, (x.t->nqueries + 1) * sizeof *e->hit_begin);
    assert_memory_equal(e->hit_rank, x.e->hit_rank, e->hit_begin[x.t->nqueries] * sizeof *e->hit_rank);
    assert_memory_equal(e->first_rank, x.e->first_rank, ITEMS * sizeof *e->first_rank);
    assert_true(evaluation_alike(e, x.e));
    double value[USERS];
    evaluation_overlap(e, x.e, 10, .9, value);
    for (size_t u = 0; u < e->nusers; u++)
        assert_near(value[u], 1, 1e-12);
    /* the same as stability against it */
    struct metric_at m;
    assert_int_equal(metric_parse("stability@10", 10, &m, NULL), ST_OK);
    assert_string_equal(evaluation_lacks(x.e, &m), "there is no earlier training of this name");
    assert_true(isnan(evaluation_value(x.e, &m, true)));
    x.e->before = e;
    assert_near(evaluation_value(x.e, &m, true), 1, 1e-12);
    setup_clear(&x);
    mem_free(begin);
    mem_free(item);
}

/* Where there are very many questions lists are kept in part, and metrics say when they would need more. */
static void test_lists_are_bounded(void **state)
{
    (void)state;
    assert_int_equal(evaluation_listed(100, 6040), 100);
    assert_int_equal(evaluation_listed(100, 200000), EVALUATION_ENTRIES / 200000);
    assert_int_equal(evaluation_listed(100, 50000000), EVALUATION_LISTED_LEAST);
    assert_int_equal(evaluation_listed(5, 50000000), 5);
    struct setup x = setup_of(random_data(5, 0), (struct split_spec){.kind = SPLIT_LAST, .last = 3},
                              (struct protocol){.on = PART_TEST, .hide_seen = true}, 30);
    struct metric_at m;
    assert_int_equal(metric_parse("novelty@31", 10, &m, NULL), ST_OK);
    assert_non_null(evaluation_lacks(x.e, &m));
    assert_int_equal(metric_parse("calibration@10", 10, &m, NULL), ST_OK);
    assert_string_equal(evaluation_lacks(x.e, &m), "the items have no categories");
    assert_int_equal(metric_parse("revenue@10", 10, &m, NULL), ST_OK);
    assert_string_equal(evaluation_lacks(x.e, &m), "neither items nor events have a price");
    assert_int_equal(metric_parse("auc", 10, &m, NULL), ST_OK);
    assert_string_equal(evaluation_lacks(x.e, &m), "it was not asked for");
    setup_clear(&x);
}

/* Flipped bytes are noticed or harmless: what loads can be asked for every metric. */
static void test_damage(void **state)
{
    (void)state;
    struct setup x = setup_of(random_data(5, WITH_GENRES | WITH_RATINGS), (struct split_spec){.kind = SPLIT_LAST, .last = 2},
                              (struct protocol){.on = PART_TEST, .hide_seen = true}, 20);
    struct snapshot blob = {0};
    struct blob_writer w = snapshot_writer(&blob);
    struct rng r = rng_stream(1, "damage", 0);
    double value[USERS];
    assert_int_equal(evaluation_save(x.e, &w, NULL), ST_OK);
    for (size_t i = 0; i < 3000; i++) {
        size_t at = rng_below(&r, blob.n);
        char was = blob.bytes[at];
        struct blob_reader reader = snapshot_reader(&blob);
        struct evaluation *e = NULL;
        blob.bytes[at] = (char)(was ^ (1 << rng_below(&r, 8)));
        blob.at = 0;
        if (!evaluation_load(&reader, &e, NULL) && e->nusers <= USERS && e->nitems == ITEMS && evaluation_alike(e, x.e)) {
            e->facts = x.facts;
            for (size_t m = 0; metrics[m]; m++) {
                struct metric_at metric = {.metric = metrics[m], .k = 10, .parameter = .5};
                if (metric_of_users(metrics[m]))
                    evaluation_users(e, &metric, value);
                (void)evaluation_value(e, &metric, true);
            }
        }
        evaluation_free(e);
        blob.bytes[at] = was;
    }
    snapshot_clear(&blob);
    setup_clear(&x);
}

static void test_memory(void **state)
{
    (void)state;
    struct setup x = setup_of(random_data(5, WITH_GENRES | WITH_PRICES), (struct split_spec){.kind = SPLIT_LAST, .last = 2},
                              (struct protocol){.on = PART_TEST, .hide_seen = true}, 20);
    struct protocol p = x.t->protocol;
    enum status st = ST_NOMEM;
    for (long n = 0; n < 200 && st; n++) {
        struct item_facts *f = NULL;
        struct evaluation *e = NULL;
        atomic_long left = n;
        mem_set_hook(fail_from, &left);
        st = item_facts_new(x.d, x.s, &p, &f, NULL);
        if (!st)
            st = evaluation_run(x.m, x.t, 7, 20, NULL, &e, NULL);
        if (!st)
            st = evaluation_add_pairs(e, x.m, x.t, NULL, NULL);
        mem_set_hook(NULL, NULL);
        assert_true(st == ST_OK || st == ST_NOMEM);
        item_facts_free(f);
        evaluation_free(e);
    }
    assert_int_equal(st, ST_OK);
    setup_clear(&x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_against_counting), cmocka_unit_test(test_distances),       cmocka_unit_test(test_grades_by_hand),
        cmocka_unit_test(test_counts_by_hand),   cmocka_unit_test(test_items_by_hand),   cmocka_unit_test(test_calibration_by_hand),
        cmocka_unit_test(test_stability),        cmocka_unit_test(test_lists_of_others), cmocka_unit_test(test_lists_are_bounded),
        cmocka_unit_test(test_damage),           cmocka_unit_test(test_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
