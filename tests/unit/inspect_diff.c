/* Two models side by side, against lists made one by one and against overlaps worked by hand. */
#include "tests/unit/world.h"

#include "eval/cohorts.h"
#include "inspect/diff.h"
#include "models/classes.h"
#include "models/served.h"

static struct scored at(uint32_t item)
{
    return (struct scored){item, 1};
}

/* Lists of three: agreement by depth of {1 2 3} and {1 3 4} is 1, 1/2, 2/3. */
static void test_hand(void **state)
{
    (void)state;
    const struct scored a[] = {at(1), at(2), at(3)}, b[] = {at(1), at(3), at(4)}, c[] = {at(7), at(8), at(9)};
    struct diff_user u = diff_lists(a, 3, b, 3);
    double p = .9, sum = p * 1 + p * p / 2 + p * p * p * 2 / 3;
    assert_int_equal(u.shared, 2);
    assert_int_equal(u.length, 3);
    assert_false(u.same);
    /* extrapolated at the agreement of the last depth */
    assert_true(fabs((double)u.rbo - ((1 - p) / p * sum + 2. / 3 * p * p * p)) < 1e-6);
    u = diff_lists(a, 3, a, 3);
    assert_true(u.same && u.shared == 3 && fabsf(u.rbo - 1) < 1e-6f);
    u = diff_lists(a, 3, c, 3);
    assert_true(!u.same && u.shared == 0 && fabsf(u.rbo) < 1e-6f);
    u = diff_lists(a, 3, a, 2);
    assert_true(!u.same && u.shared == 2 && u.length == 3);
    const struct scored turned[] = {at(3), at(2), at(1)};
    u = diff_lists(a, 3, turned, 3);
    assert_true(!u.same && u.shared == 3 && u.rbo < 1);
    u = diff_lists(a, 0, a, 0);
    assert_true(u.same && u.length == 0);
}

static struct diff_user alone(const struct model *a, const struct model *b, const struct selection *s, uint32_t user, size_t k, enum seen seen,
                              struct ranked_list lists[2])
{
    const struct model *models[] = {a, b};
    struct scored list[2][64];
    struct history h;
    assert_int_equal(history_of_user(s, user, &h, NULL), ST_OK);
    struct query q = history_query(&h);
    for (int m = 0; m < 2; m++) {
        assert_int_equal(rank_list(models[m], &q, k, seen, &lists[m], NULL), ST_OK);
        for (size_t i = 0; i < lists[m].n; i++)
            list[m][i] = (struct scored){lists[m].entries[i].item, lists[m].entries[i].score};
    }
    history_clear(&h);
    struct diff_user u = diff_lists(list[0], lists[0].n, list[1], lists[1].n);
    u.user = user;
    return u;
}

static void compare(const struct model *a, const struct model *b, const struct selection *s, size_t k, enum seen seen)
{
    const struct dataset *d = s->data;
    size_t n = 0, *gain = calloc(2 * d->items.n, sizeof *gain), shared[65] = {0}, count[65];
    uint32_t *users = calloc(d->users.n, sizeof *users);
    struct job job;
    struct diff diff;
    double rbo = 0, overlap = 0;
    for (uint32_t u = 0; u < d->users.n; u++)
        users[n++] = u;
    job_init(&job);
    assert_int_equal(diff_make(a, b, s, users, n, k, seen, &job, &diff, NULL), ST_OK);
    assert_int_equal(diff.nusers, n);
    for (size_t i = 0; i < n; i++) {
        struct ranked_list lists[2];
        const struct diff_user *got = &diff.users[i];
        struct diff_user want = alone(a, b, s, got->user, k, seen, lists);
        assert_true(want.shared == got->shared && want.length == got->length && want.same == got->same);
        assert_true(want.rbo >= got->rbo && want.rbo <= got->rbo);
        assert_true(i == 0 || diff.users[i - 1].rbo < got->rbo || (diff.users[i - 1].rbo <= got->rbo && diff.users[i - 1].shared <= got->shared));
        shared[want.shared]++;
        rbo += (double)want.rbo;
        overlap += (double)want.shared / want.length;
        for (int m = 0; m < 2; m++) {
            for (size_t r = 0; r < lists[m].n; r++)
                gain[2 * lists[m].entries[r].item + (size_t)m]++;
            ranked_list_clear(&lists[m]);
        }
    }
    struct diff_summary all = diff_summarize(&diff, NULL);
    assert_int_equal(all.users, n);
    assert_true(fabs(all.rbo - rbo / (double)n) < 1e-9 && fabs(all.overlap - overlap / (double)n) < 1e-9);
    diff_shared(&diff, count);
    for (size_t i = 0; i <= diff.k; i++)
        assert_int_equal(count[i], shared[i]);
    size_t seen_items = 0;
    for (size_t i = 0; i < d->items.n; i++)
        seen_items += gain[2 * i] || gain[2 * i + 1];
    assert_int_equal(seen_items, diff.nitems);
    for (size_t i = 0; i < diff.nitems; i++) {
        const struct diff_item *x = &diff.items[i], *before = i ? &diff.items[i - 1] : x;
        assert_int_equal(x->lists_a, gain[2 * x->item]);
        assert_int_equal(x->lists_b, gain[2 * x->item + 1]);
        assert_true((int)before->lists_b - (int)before->lists_a >= (int)x->lists_b - (int)x->lists_a);
    }
    /* the parts make the whole */
    uint8_t *odd = calloc(d->users.n, 1), *even = calloc(d->users.n, 1);
    for (uint32_t u = 0; u < d->users.n; u++)
        (u % 2 ? odd : even)[u] = 1;
    struct diff_summary x = diff_summarize(&diff, odd), y = diff_summarize(&diff, even);
    assert_int_equal(x.users + y.users, all.users);
    assert_int_equal(x.same + y.same, all.same);
    assert_int_equal(x.apart + y.apart, all.apart);
    assert_true(fabs((x.rbo * (double)x.users + y.rbo * (double)y.users) / (double)n - all.rbo) < 1e-9);
    free(odd);
    free(even);
    diff_clear(&diff);
    job_destroy(&job);
    free(gain);
    free(users);
}

static void test_all_users(void **state)
{
    (void)state;
    struct dataset *d = world_new(300, 120, 6000, 5);
    const struct model_class *const classes[] = {&model_pop, &model_itemknn, &model_ials, &model_ease};
    struct model *models[4];
    for (size_t i = 0; i < 4; i++)
        models[i] = world_train(d, classes[i], NULL);
    struct selection all = {.data = d, .until = NO_TIME};
    struct selection early = {.data = d, .until = (WORLD_START + (int64_t)1500 * 3600) * US_PER_SECOND};
    for (size_t i = 0; i < 4; i++)
        for (size_t j = 0; j < 4; j++)
            compare(models[i], models[j], &all, 10, SEEN_HIDE);
    compare(models[0], models[3], &all, 50, SEEN_SHOW);
    compare(models[2], models[1], &early, 7, SEEN_HIDE);
    struct job job;
    struct diff diff;
    uint32_t users[] = {0, 1, 2};
    job_init(&job);
    job_cancel(&job);
    assert_int_equal(diff_make(models[0], models[1], &all, users, 3, 5, SEEN_HIDE, &job, &diff, NULL), ST_CANCELLED);
    assert_null(diff.users);
    job_reset(&job);
    assert_int_equal(diff_make(models[2], models[2], &all, users, 3, 500, SEEN_HIDE, &job, &diff, NULL), ST_OK); /* longer than the catalogue */
    assert_int_equal(diff.k, d->items.n);
    assert_int_equal(diff_summarize(&diff, NULL).same, 3);
    diff_clear(&diff);
    job_destroy(&job);
    for (size_t i = 0; i < 4; i++)
        model_release(models[i]);
    dataset_release(d);
}

/* Whom one of the two lists nothing is left out of every number, and counted apart. */
static void test_empty_lists(void **state)
{
    (void)state;
    struct dataset *d = world_tiny();
    struct model *pop = world_train(d, &model_pop, NULL), *prod = NULL;
    struct selection all = {.data = d, .until = NO_TIME};
    struct served_row rows[] = {{0, 7, 7, 1, 1, NAN}, {0, 6, 6, 1, 2, NAN}, {2, 5, 5, 1, 1, NAN}};
    struct served_report report;
    const uint32_t users[] = {0, 1, 2, 3};
    size_t count[3], lists = 0;
    struct job job;
    struct diff diff;
    assert_int_equal(served_new(d, "prod", rows, 3, 8, &prod, &report, NULL), ST_OK);
    job_init(&job);
    assert_int_equal(diff_make(prod, pop, &all, users, 4, 2, SEEN_SHOW, &job, &diff, NULL), ST_OK);
    assert_int_equal(diff.nusers, 2);
    assert_true(diff.without[0] == 2 && diff.without[1] == 0);
    assert_true(diff.users[0].user % 2 == 0 && diff.users[1].user % 2 == 0);
    for (size_t i = 0; i < diff.nitems; i++)
        lists += diff.items[i].lists_b;
    assert_int_equal(lists, 4); /* two lists of two */
    diff_shared(&diff, count);
    assert_int_equal(count[0] + count[1] + count[2], 2);
    assert_int_equal(diff_summarize(&diff, NULL).users, 2);
    diff_clear(&diff);
    job_destroy(&job);
    model_release(prod);
    model_release(pop);
    dataset_release(d);
}

/* Segments of users by their histories up to a moment, each user in one; counted by hand. */
static void test_segments(void **state)
{
    (void)state;
    enum { USERS = 60 };
    struct dataset *d = world_new(USERS, 40, 900, 5);
    struct selection s = {.data = d, .until = (WORLD_START + (int64_t)500 * 3600) * US_PER_SECOND};
    struct cohorts c;
    uint32_t users[USERS];
    size_t n = 0, members = 0, lengths[USERS] = {0};
    int64_t last[USERS];
    for (uint32_t u = 0; u < d->users.n; u++) {
        size_t length = 0;
        int64_t newest = NO_TIME;
        for (size_t e = d->user_begin[u]; e < d->user_begin[u + 1]; e++)
            if (d->events.time[e] < s.until) {
                length++;
                newest = d->events.time[e];
            }
        if (length) {
            lengths[n] = length;
            last[n] = newest;
            users[n++] = u;
        }
    }
    assert_int_equal(cohorts_of_users(&s, users, n, "history_length", &c, NULL), ST_OK);
    assert_true(c.n > 1);
    for (size_t i = 0; i < c.n; i++) {
        unsigned low = 0, high = 0;
        assert_int_equal(sscanf(c.list[i].name, "%u-%u", &low, &high), 2);
        for (size_t u = 0; u < c.list[i].n; u++)
            assert_true(lengths[c.list[i].users[u]] >= low && lengths[c.list[i].users[u]] <= high);
        members += c.list[i].n;
    }
    assert_int_equal(members, n);
    cohorts_clear(&c);
    assert_int_equal(cohorts_of_users(&s, users, n, "recency", &c, NULL), ST_OK); /* to the moment of the selection */
    for (size_t i = 0; i < c.n; i++)
        for (size_t u = 0; u < c.list[i].n; u++)
            assert_int_equal(strcmp(c.list[i].name, "1h to 1d") == 0,
                             s.until - last[c.list[i].users[u]] >= 3600 * US_PER_SECOND && s.until - last[c.list[i].users[u]] < US_PER_DAY);
    cohorts_clear(&c);
    assert_int_equal(cohorts_of_users(&s, users, n, "taste", &c, NULL), ST_OK);
    cohorts_clear(&c);
    struct error err;
    assert_int_equal(cohorts_of_users(&s, users, n, "shoe_size", &c, &err), ST_USAGE);
    dataset_release(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_hand), cmocka_unit_test(test_all_users), cmocka_unit_test(test_empty_lists), cmocka_unit_test(test_segments)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
