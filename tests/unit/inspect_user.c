/* All that `user` shows: tastes, times, sessions, neighbours and agreement, worked by hand or against plain counting. */
#include "tests/unit/memory.h"
#include "tests/unit/world.h"

#include "data/level_totals.h"
#include "inspect/activity.h"
#include "inspect/diff.h"
#include "inspect/neighbours.h"
#include "inspect/panel.h"
#include "inspect/profile.h"
#include "linalg/topk.h"
#include "models/classes.h"

static struct history history_at(const struct dataset *d, uint32_t user, int64_t until)
{
    struct selection s = {.data = d, .until = until};
    struct history h;
    assert_int_equal(history_of_user(&s, user, &h, NULL), ST_OK);
    return h;
}

/* ---- tastes ---- */

/* Weights: click 1, buy 3. a: i0 (group 0) click, i1 (group 1) buy; b: i0 buy, i5 (group 1) click, i2 (group 2) click. */
static void test_taste(void **state)
{
    (void)state;
    static const float values[] = {4, 2, 5, NAN, 1};
    struct dataset *d = world_empty(8);
    world_event(d, "a", "i0", "click", 10);
    world_event(d, "a", "i1", "buy", 20);
    world_event(d, "b", "i0", "buy", 30);
    world_event(d, "b", "i5", "click", 40);
    world_event(d, "b", "i2", "click", 50);
    d->events.value = mem_new(8, sizeof *d->events.value, "", NULL);
    memcpy(d->events.value, values, sizeof values);
    world_describe(d);
    assert_int_equal(dataset_finish(d, NULL), ST_OK);
    d->type_weight[1] = 3;

    struct profile p;
    struct history h = history_at(d, 0, NO_TIME);
    struct query q = history_query(&h);
    assert_int_equal(profile_make(d, &q, &p, NULL), ST_OK);
    assert_int_equal(p.ntastes, 2);
    const struct taste *one = &p.tastes[0], *zero = &p.tastes[1];
    assert_string_equal(one->category, "group 1");
    assert_true(one->weight == 3 && zero->weight == 1);
    assert_true(one->share == .75 && zero->share == .25);
    /* everybody: group 0 has 1 + 3, group 1 3 + 1, group 2 1, of 9 */
    assert_true(fabs(one->usual - 4. / 9) < 1e-12 && fabs(zero->usual - 4. / 9) < 1e-12);
    assert_true(fabs(one->lift - .75 * 9 / 4) < 1e-12 && fabs(zero->lift - .25 * 9 / 4) < 1e-12);
    assert_true(one->value == 2 && zero->value == 4);
    assert_true(one->usual_value == 2 && zero->usual_value == 4.5); /* what has no value counts for nothing */
    assert_int_equal(one->events, 1);
    profile_clear(&p);
    history_clear(&h);

    h = history_at(d, 0, 30 * US_PER_SECOND); /* before b did anything */
    q = history_query(&h);
    assert_int_equal(profile_make(d, &q, &p, NULL), ST_OK);
    assert_true(p.tastes[0].usual == .75 && p.tastes[0].lift == 1 && p.tastes[1].usual_value == 4);
    profile_clear(&p);
    history_clear(&h);
    dataset_release(d);
}

/* Many moments, more than are kept, in turn and again; and the same bits with one thread and two. */
static void test_totals(void **state)
{
    (void)state;
    struct dataset *d = world_new(40, 30, 3000, 5);
    const struct field *f = dataset_item_category(d);
    for (int round = 0; round < 3; round++)
        for (int64_t hour = 0; hour <= 3000; hour += 250) {
            int64_t until = hour == 3000 ? NO_TIME : (WORLD_START + hour * 3600) * US_PER_SECOND;
            const struct level_totals *t, *again;
            double sum[WORLD_GROUPS] = {0}, all = 0;
            omp_set_num_threads(1 + round % 2);
            for (size_t e = 0; e < d->events.n; e++)
                if (event_before(d, e, until)) {
                    sum[f->code[d->events.item[e]]]++;
                    all++;
                }
            assert_int_equal(dataset_level_totals(d, f, until, &t, NULL), ST_OK);
            assert_true(t->weight == all);
            for (size_t l = 0; l < f->levels.n; l++)
                assert_true(t->level[l].weight == sum[l]);
            assert_int_equal(dataset_level_totals(d, f, until, &again, NULL), ST_OK);
            assert_int_equal(again == t, t->kept);
            assert_true(t->kept || (until != NO_TIME && hour >= 8 * 250));
            level_totals_release(t);
            level_totals_release(again);
        }
    dataset_release(d);
}

/* ---- times ---- */

enum { DAY = 86400 };

static struct query_event moment(uint32_t item, uint16_t type, int64_t seconds)
{
    return (struct query_event){.item = item, .type = type, .weight = 1, .value = NAN, .event = UINT64_MAX,
                                .time = seconds < 0 ? NO_TIME : seconds * US_PER_SECOND};
}

static void test_activity(void **state)
{
    (void)state;
    struct query_event e[] = {moment(0, 0, 5), moment(1, 0, DAY - 1), moment(0, 0, -1), moment(2, 0, 3 * DAY), moment(2, 0, 3 * DAY + 9)};
    struct query q = {.events = e, .n = 5, .user = NO_USER, .as_of = NO_TIME};
    struct activity a;
    assert_int_equal(activity_make(&q, &a, NULL), ST_OK);
    assert_int_equal(a.events, 4);
    assert_int_equal(a.active_days, 2);
    assert_true(a.by == TALLY_DAY && a.n == 4 && tally_moment(a.by, a.begin) == 0);
    assert_true(a.count[0] == 2 && !a.count[1] && !a.count[2] && a.count[3] == 2);
    assert_true(a.first == 5 * US_PER_SECOND && a.last == (3 * DAY + 9) * US_PER_SECOND);
    assert_true(a.gap_from == (DAY - 1) * US_PER_SECOND && a.gap_to == 3 * US_PER_DAY);
    activity_clear(&a);

    e[4] = moment(2, 0, 200 * DAY); /* 1970-07-20, a Monday: the weeks of 1969-12-29 to it */
    assert_int_equal(activity_make(&q, &a, NULL), ST_OK);
    assert_true(a.by == TALLY_WEEK && a.n == 30 && tally_moment(a.by, a.begin) == -3 * US_PER_DAY);
    assert_true(a.count[0] == 3 && a.count[29] == 1); /* day 3 is a Sunday */
    activity_clear(&a);
    e[4] = moment(2, 0, (int64_t)5 * 365 * DAY);
    assert_int_equal(activity_make(&q, &a, NULL), ST_OK);
    assert_true(a.by == TALLY_MONTH && a.n == 60 && a.count[0] == 3);
    activity_clear(&a);

    q.n = 1;
    e[0] = moment(0, 0, -1);
    assert_int_equal(activity_make(&q, &a, NULL), ST_OK);
    assert_true(a.events == 0 && a.n == 0 && a.first == NO_TIME);
    activity_clear(&a);
}

static void test_sessions(void **state)
{
    (void)state;
    const uint8_t buys[] = {0, 1};
    struct query_event e[] = {moment(0, 0, 0), moment(1, 1, 60), moment(0, 0, 120), moment(3, 0, -1), moment(2, 0, 721), moment(2, 1, 1321)};
    struct query q = {.events = e, .n = 6, .user = NO_USER, .as_of = NO_TIME};
    struct visits v;
    assert_int_equal(visits_make(&q, NULL, 600 * US_PER_SECOND, buys, &v, NULL), ST_OK);
    assert_int_equal(v.n, 2); /* 601 s part them; exactly the gap does not */
    assert_int_equal(v.apart, 1);
    assert_true(v.list[0].from == 0 && v.list[0].to == 120 * US_PER_SECOND && v.list[0].first == 0);
    assert_true(v.list[0].events == 3 && v.list[0].items == 2 && v.list[0].purchases == 1);
    assert_true(v.list[1].events == 2 && v.list[1].items == 1 && v.list[1].purchases == 1 && v.list[1].first == 4);
    visits_clear(&v);

    /* By a column: session "x" is left and come back to; one event is in none, one was made up. */
    static const char *const names[] = {"x", "y", "x", NULL, "x"};
    struct fields set = {0};
    struct field *column = NULL;
    assert_int_equal(fields_add(&set, "session", FIELD_TEXT, &column, NULL), ST_OK);
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(field_push_text(column, names[i], names[i] ? strlen(names[i]) : 0, NULL), ST_OK);
        e[i].event = i;
    }
    assert_int_equal(visits_make(&q, column, 0, NULL, &v, NULL), ST_OK);
    assert_int_equal(v.n, 2);
    assert_int_equal(v.apart, 2);
    assert_true(v.list[0].events == 3 && v.list[0].items == 2 && v.list[0].to == 721 * US_PER_SECOND && !v.list[0].purchases);
    assert_true(v.list[1].events == 1 && v.list[1].from == 60 * US_PER_SECOND && v.list[1].to == v.list[1].from);
    visits_clear(&v);
    fields_clear(&set);
    assert_true(type_buys("Purchase") && type_buys("order") && !type_buys("click"));
}

/* ---- neighbours ---- */

static void check_neighbours(const struct neighbours *n, const double *similarity, size_t users, size_t k)
{
    double last = INFINITY;
    size_t positive = 0;
    for (size_t u = 0; u < users; u++)
        positive += similarity[u] > 0;
    assert_int_equal(n->n, positive < k ? positive : k);
    for (size_t i = 0; i < n->n; i++) {
        assert_true(fabs((double)n->list[i].similarity - similarity[n->list[i].user]) < 1e-6);
        assert_true((double)n->list[i].similarity <= last);
        last = (double)n->list[i].similarity;
    }
    size_t better = 0;
    for (size_t u = 0; u < users; u++)
        better += similarity[u] > last + 1e-6;
    assert_true(better < n->n || n->n == 0);
}

/* Against the dense matrix of weights. */
static void test_neighbours(void **state)
{
    (void)state;
    enum { USERS = 60, ITEMS = 40, K = 7 };
    struct dataset *d = world_new(USERS, ITEMS, 900, 11);
    d->type_weight[1] = 2.5f;
    for (int late = 0; late < 2; late++) {
        struct selection s = {.data = d, .until = late ? NO_TIME : (WORLD_START + 500 * 3600) * US_PER_SECOND};
        static double x[USERS][ITEMS];
        memset(x, 0, sizeof x);
        for (size_t e = 0; e < d->events.n; e++)
            if (event_before(d, e, s.until))
                x[d->events.user[e]][d->events.item[e]] += (double)d->type_weight[d->events.type[e]];
        for (uint32_t user = 0; user < d->users.n; user += 9) {
            double similarity[USERS];
            struct history h = history_at(d, user, s.until);
            struct query q = history_query(&h);
            struct neighbours n;
            for (size_t u = 0; u < d->users.n; u++) {
                double dot = 0, a = 0, b = 0;
                for (size_t i = 0; i < ITEMS; i++) {
                    dot += x[u][i] * x[user][i];
                    a += x[u][i] * x[u][i];
                    b += x[user][i] * x[user][i];
                }
                similarity[u] = u == user || dot == 0 ? 0 : dot / sqrt(a * b);
            }
            assert_int_equal(neighbours_by_items(&s, &q, K, NULL, &n, NULL), ST_OK);
            check_neighbours(&n, similarity, d->users.n, K);
            for (size_t i = 0; i < n.n; i++) {
                const struct neighbour *to = &n.list[i];
                size_t items = 0, shared = 0;
                double most = 0;
                for (size_t j = 0; j < ITEMS; j++) {
                    items += x[to->user][j] > 0;
                    shared += x[to->user][j] > 0 && x[user][j] > 0;
                    most = fmax(most, x[to->user][j] * x[user][j]);
                }
                assert_int_equal(to->items, items);
                assert_int_equal(to->shared, shared);
                assert_true(x[to->user][to->most[0]] * x[user][to->most[0]] == most);
            }
            neighbours_clear(&n);
            history_clear(&h);
        }
    }
    dataset_release(d);
}

static void test_neighbours_by_vectors(void **state)
{
    (void)state;
    enum { USERS = 50, K = 5, MOST_WIDTH = 256 };
    struct dataset *d = world_new(USERS, 30, 800, 12);
    struct model *m = world_train(d, &model_ials, (const char *const[]){"factors=8", "epochs=4", NULL});
    struct selection s = world_all(d);
    static float x[USERS][MOST_WIDTH];
    size_t width;
    double similarity[USERS];
    m->class->vectors(m, &width);
    assert_true(width <= MOST_WIDTH);
    for (uint32_t u = 0; u < d->users.n; u++) {
        struct history h = history_at(d, u, NO_TIME);
        struct query q = history_query(&h);
        assert_int_equal(model_fold(m, &q, 1, x[u], NULL), ST_OK);
        history_clear(&h);
    }
    for (uint32_t u = 0; u < d->users.n; u++) {
        double dot = 0, a = 0, b = 0;
        for (size_t i = 0; i < width; i++) {
            dot += (double)x[u][i] * (double)x[3][i];
            a += (double)x[u][i] * (double)x[u][i];
            b += (double)x[3][i] * (double)x[3][i];
        }
        similarity[u] = u == 3 || dot <= 0 ? 0 : dot / sqrt(a * b);
    }
    struct history h = history_at(d, 3, NO_TIME);
    struct query q = history_query(&h);
    struct neighbours n;
    assert_int_equal(neighbours_by_vectors(m, &s, &q, K, NULL, &n, NULL), ST_OK);
    check_neighbours(&n, similarity, d->users.n, K);
    neighbours_clear(&n);
    history_clear(&h);
    model_release(m);
    dataset_release(d);
}

/* ---- agreement ---- */

/* Lists as given, without models. */
static struct panel panel_of(size_t n, size_t k, const uint32_t *items)
{
    struct panel p = {.n = n, .k = k};
    p.lists = mem_new(n, sizeof *p.lists, "", NULL);
    p.rbo = mem_new(n * n, sizeof *p.rbo, "", NULL);
    p.shared = mem_new(n * n, sizeof *p.shared, "", NULL);
    for (size_t m = 0; m < n; m++) {
        p.lists[m] = (struct ranked_list){mem_new(k, sizeof *p.lists[m].entries, "", NULL), k};
        for (size_t i = 0; i < k; i++)
            p.lists[m].entries[i].item = items[m * k + i];
    }
    return p;
}

static void test_agreement(void **state)
{
    (void)state;
    const uint32_t items[] = {1, 2, 3, 2, 1, 4, 7, 8, 1};
    const float rbo[] = {1, .8f, .1f, .8f, 1, .3f, .1f, .3f, 1};
    struct panel p = panel_of(3, 3, items);
    size_t a, b;
    memcpy(p.rbo, rbo, sizeof rbo);
    assert_int_equal(panel_lists_with(&p, 1), 3);
    assert_int_equal(panel_lists_with(&p, 2), 2);
    assert_int_equal(panel_lists_with(&p, 8), 1);
    assert_int_equal(panel_lists_with(&p, 5), 0);
    assert_true(fabs(panel_agreement(&p, 0) - .45) < 1e-6 && fabs(panel_agreement(&p, 2) - .2) < 1e-6);
    assert_true(panel_closest(&p, &a, &b) && a == 0 && b == 1);
    assert_int_equal(panel_farthest(&p), 2);
    assert_int_equal(panel_filled(&p), 3);
    /* the first is empty now: it agrees with nobody, nor does it stand apart */
    const float without[] = {NAN, NAN, NAN, NAN, 1, .3f, NAN, .3f, 1};
    memcpy(p.rbo, without, sizeof without);
    p.lists[0].n = 0;
    assert_true(isnan(panel_agreement(&p, 0)) && fabs(panel_agreement(&p, 2) - .3) < 1e-6);
    assert_true(panel_closest(&p, &a, &b) && a == 1 && b == 2);
    assert_int_equal(panel_farthest(&p), 1);
    assert_int_equal(panel_filled(&p), 2);
    p.lists[1].n = 0;
    p.rbo[5] = p.rbo[7] = NAN;
    assert_false(panel_closest(&p, &a, &b));
    panel_clear(&p);
}

/* The lists are those of the models, the overlaps those of the lists. */
static void test_panel(void **state)
{
    (void)state;
    enum { K = 6 };
    struct dataset *d = world_new(30, 40, 700, 13);
    struct model *models[] = {world_train(d, &model_pop, NULL), world_train(d, &model_itemknn, NULL), world_train(d, &model_ease, NULL)};
    struct history h = history_at(d, 4, NO_TIME);
    struct query q = history_query(&h);
    struct panel p;
    struct scored list[3][K];
    assert_int_equal(panel_make(models, 3, &q, K, SEEN_HIDE, &p, NULL), ST_OK);
    for (size_t m = 0; m < 3; m++) {
        struct ranked_list l;
        assert_int_equal(rank_list(models[m], &q, K, SEEN_HIDE, &l, NULL), ST_OK);
        assert_int_equal(p.lists[m].n, l.n);
        for (size_t i = 0; i < l.n; i++) {
            assert_int_equal(p.lists[m].entries[i].item, l.entries[i].item);
            list[m][i] = (struct scored){l.entries[i].item, l.entries[i].score};
        }
        ranked_list_clear(&l);
    }
    for (size_t a = 0; a < 3; a++)
        for (size_t b = 0; b < 3; b++)
            assert_true(fabs((double)p.rbo[a * 3 + b] - topk_overlap(list[a], p.lists[a].n, list[b], p.lists[b].n, DIFF_PERSISTENCE)) < 1e-6);
    assert_true(p.rbo[0] == 1 && p.shared[4] == p.lists[1].n);
    panel_clear(&p);
    history_clear(&h);
    for (size_t m = 0; m < 3; m++)
        model_release(models[m]);
    dataset_release(d);
}

/* ---- without memory ---- */

static void test_no_memory(void **state)
{
    (void)state;
    struct dataset *d = world_new(20, 20, 300, 14);
    struct model *models[] = {world_train(d, &model_pop, NULL), world_train(d, &model_ials, (const char *const[]){"factors=4", "epochs=1", NULL})};
    struct selection s = world_all(d);
    struct history h = history_at(d, 1, NO_TIME);
    struct query q = history_query(&h);
    for (int part = 0; part < 5; part++) {
        enum status st = ST_NOMEM;
        for (long n = 0; st; n++) {
            atomic_long left = n;
            struct neighbours people;
            struct panel p;
            struct activity a;
            struct visits v;
            mem_set_hook(fail_from, &left);
            st = part == 0   ? neighbours_by_items(&s, &q, 3, NULL, &people, NULL)
                 : part == 1 ? neighbours_by_vectors(models[1], &s, &q, 3, NULL, &people, NULL)
                 : part == 2 ? panel_make(models, 2, &q, 5, SEEN_HIDE, &p, NULL)
                 : part == 3 ? activity_make(&q, &a, NULL)
                             : visits_make(&q, NULL, US_PER_DAY, NULL, &v, NULL);
            mem_set_hook(NULL, NULL);
            assert_true(st == ST_OK || st == ST_NOMEM);
            assert_true(n < 1000);
            if (st)
                continue;
            if (part < 2)
                neighbours_clear(&people);
            else if (part == 2)
                panel_clear(&p);
            else if (part == 3)
                activity_clear(&a);
            else
                visits_clear(&v);
        }
    }
    history_clear(&h);
    model_release(models[0]);
    model_release(models[1]);
    dataset_release(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_taste),      cmocka_unit_test(test_totals),     cmocka_unit_test(test_activity),
        cmocka_unit_test(test_sessions),   cmocka_unit_test(test_neighbours), cmocka_unit_test(test_neighbours_by_vectors),
        cmocka_unit_test(test_agreement),  cmocka_unit_test(test_panel),      cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
