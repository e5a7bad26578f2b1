/* Runs and qrels: what is read and what is rejected; and metrics of runs as trec_eval defines them, by hand and by its own way of
 * reckoning: judged from the sorted run and the qrels alone. */
#include "tests/unit/rows.h"

#include <math.h>
#include <unistd.h>

#include "base/rng.h"
#include "eval/foreign.h"
#include "tests/unit/memory.h"

static const char *file_of(const char *text)
{
    static char path[] = "/tmp/tailor-trec-XXXXXX";
    memcpy(path + sizeof path - 7, "XXXXXX", 6);
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
    return path;
}

struct told {
    char text[2048];
};

static enum status tell(void *context, const char *file, uint64_t line, const char *reason, const char *text, size_t n,
                        struct error *err)
{
    struct told *t = context;
    size_t at = strlen(t->text);
    (void)file;
    (void)err;
    snprintf(t->text + at, sizeof t->text - at, "%d: %s: %.*s|", (int)line, reason, (int)n, text);
    return ST_OK;
}

static enum status read_run(const char *text, enum trec_order order, struct told *told, struct trec_run *out, char first[320])
{
    const char *path = file_of(text);
    struct reject_sink sink = {told, tell};
    struct error err;
    enum status st = trec_run_read(path, order, told ? &sink : NULL, NULL, out, first, &err);
    unlink(path);
    return st;
}

/* "q1: b a c | q2: ..." */
static const char *lists_of(const struct trec_run *r)
{
    static char text[1024];
    size_t n = 0;
    text[0] = 0;
    for (uint32_t q = 0; q < r->queries.n; q++) {
        n += (size_t)snprintf(text + n, sizeof text - n, "%s%s:", q ? " | " : "", dict_text(&r->queries, q));
        for (size_t i = r->begin[q]; i < r->begin[q + 1]; i++)
            n += (size_t)snprintf(text + n, sizeof text - n, " %s", dict_text(&r->items, r->entries[i].item));
    }
    return text;
}

static const char run_text[] = "q1 Q0 b 1 .9 mine\n"
                               "q1 Q0 a 2 .5 mine\n"
                               "q2\tQ0  nosuch 1 2 mine\r\n"
                               "q1 Q0 c 3 5e-1 mine\n"
                               "\n"
                               "q1 Q0 f 4 -1 mine\n"
                               "q9 Q0 a 1 1 mine\n"
                               "q2 Q0 a 2 1 mine"; /* without an end of line */

static void test_reading(void **state)
{
    (void)state;
    struct trec_run r;
    char first[320];
    assert_int_equal(read_run(run_text, TREC_BY_SCORE, NULL, &r, first), ST_OK);
    assert_string_equal(lists_of(&r), "q1: b c a f | q2: nosuch a | q9: a"); /* c before a: equal scores, last in the alphabet */
    assert_string_equal(r.tag, "mine");
    assert_true(r.read == 7 && r.rejected == 0 && !*first);
    trec_run_clear(&r);
    assert_int_equal(read_run(run_text, TREC_BY_RANK, NULL, &r, first), ST_OK);
    assert_string_equal(lists_of(&r), "q1: b a c f | q2: nosuch a | q9: a");
    trec_run_clear(&r);
}

static void test_rejects(void **state)
{
    (void)state;
    struct trec_run r;
    struct told told = {""};
    char first[320];
    static const char text[] = "u Q0 a 1 3 t\n"
                               "u Q0 b 2\n"
                               "u Q0 c 3 high t\n"
                               "u Q0 d third 2 t\n"
                               "u Q0 a 5 1 t\n"
                               "u Q0 e 6 nan t\n"
                               "u Q0 f 7 1 t more\n"
                               "u Q0 g 8 1 t\n";
    assert_int_equal(read_run(text, TREC_BY_SCORE, &told, &r, first), ST_OK);
    assert_string_equal(told.text, "2: a line of a run is: user Q0 item rank score tag: u Q0 b 2|"
                                   "3: the score (5th word) is not a number: u Q0 c 3 high t|"
                                   "4: the rank (4th word) is not a whole number: u Q0 d third 2 t|"
                                   "6: the score (5th word) is not a number: u Q0 e 6 nan t|"
                                   "7: a line of a run is: user Q0 item rank score tag: u Q0 f 7 1 t more|"
                                   "5: the item is in this user's list already: a|");
    assert_true(r.read == 8 && r.rejected == 6 && r.n == 2);
    assert_string_equal(lists_of(&r), "u: a g");
    assert_non_null(strstr(first, ":2: a line of a run is"));
    trec_run_clear(&r);
    assert_int_equal(read_run("user,item\n1,2\n", TREC_BY_SCORE, NULL, &r, first), ST_FORMAT);
    assert_int_equal(read_run("", TREC_BY_SCORE, NULL, &r, first), ST_FORMAT);
    assert_int_equal(read_run("\n\n \n", TREC_BY_SCORE, NULL, &r, first), ST_FORMAT);
    struct error err;
    assert_int_equal(trec_run_read("/nonexistent/run", TREC_BY_RANK, NULL, NULL, &r, first, &err), ST_NOT_FOUND);
}

/* Lines of any length and of any bytes end in the rejects. */
static void test_strange_bytes(void **state)
{
    (void)state;
    struct rng rng = rng_stream(3, "trec", 0);
    static char text[300000];
    for (size_t round = 0; round < 60; round++) {
        struct trec_run r;
        char first[320];
        size_t n = 0, size = round < 50 ? 2000 : 250000;
        while (n < size) {
            static const char some[] = "u Q0 a 1 2 t\n\t\r .-e9\xff\xc3";
            text[n++] = round % 3 ? some[rng_below(&rng, sizeof some - 1)] : (char)(1 + rng_below(&rng, 255));
        }
        text[n] = 0;
        if (!read_run(text, TREC_BY_SCORE, NULL, &r, first)) {
            assert_true(r.n + r.rejected == r.read);
            trec_run_clear(&r);
        }
    }
    memset(text, 'x', 200000); /* one line, then a good one */
    strcpy(text + 200000, "\nu Q0 a 1 2 t\n");
    struct trec_run r;
    char first[320];
    assert_int_equal(read_run(text, TREC_BY_SCORE, NULL, &r, first), ST_OK);
    assert_true(r.n == 1 && r.rejected == 1);
    assert_non_null(strstr(first, "longer than 64 KiB"));
    trec_run_clear(&r);
}

static void test_qrels(void **state)
{
    (void)state;
    struct trec_qrels q;
    struct error err;
    char first[320];
    const char *path = file_of("q1 0 a 1\nq2 0 b 2\nq1 0 c 0\nq1 0 d x\n");
    assert_int_equal(trec_qrels_read(path, NULL, NULL, &q, first, &err), ST_OK);
    unlink(path);
    assert_true(q.n == 3 && q.rejected == 1 && q.begin[1] == 2 && q.begin[2] == 3);
    assert_true(q.judgements[0].grade == 1 && q.judgements[1].grade == 0 && q.judgements[2].grade == 2);
    assert_string_equal(dict_text(&q.items, q.judgements[1].item), "c");
    trec_qrels_clear(&q);
}

/* ---- judged ---- */

static struct dataset *items_and_users(size_t nusers, size_t nitems)
{
    static char names[200][8];
    struct row rows[200];
    size_t n = nusers > nitems ? nusers : nitems;
    for (size_t i = 0; i < n; i++) {
        size_t u = i < nusers ? i : 0, j = i < nitems ? i : 0;
        snprintf(names[2 * i], sizeof *names, "q%zu", u + 1);
        if (nitems <= 26)
            snprintf(names[2 * i + 1], sizeof *names, "%c", (char)('a' + j));
        else
            snprintf(names[2 * i + 1], sizeof *names, "i%zu", j);
        rows[i] = (struct row){names[2 * i], names[2 * i + 1], NULL, (int64_t)i, NULL};
    }
    return rows_dataset(rows, n, true);
}

static double mean_of(const struct evaluation *e, const char *name, size_t k)
{
    struct metric_at m;
    assert_int_equal(metric_parse(name, k, &m, NULL), ST_OK);
    return evaluation_value(e, &m, true);
}

/* Three users are asked about. q1 has a, c and d right and is shown b c a f (c before a, whose score is the same); q2 has a right, which
 * stands second behind an item that nobody knows; q3 has b right and no list. */
static void test_by_hand(void **state)
{
    (void)state;
    struct dataset *d = items_and_users(3, 6);
    struct test_set t = {.protocol = {PART_TEST, true, ROLLING_NOT},
                         .nitems = 6,
                         .nusers = 3,
                         .nqueries = 3,
                         .user = (uint32_t[]){0, 1, 2},
                         .warm = (uint8_t[]){1, 1, 1},
                         .query_begin = (size_t[]){0, 1, 2, 3},
                         .right_begin = (size_t[]){0, 3, 4, 5},
                         .right = (uint32_t[]){0, 2, 3, 0, 1},
                         .weight = (float[]){1, 3, 1, 1, 1}};
    struct trec_run r;
    struct evaluation *e = NULL;
    struct foreign_report report;
    char first[320];
    assert_int_equal(read_run(run_text, TREC_BY_SCORE, NULL, &r, first), ST_OK);
    assert_int_equal(evaluation_of_run(d, &t, 1, 6, &r, &e, &report, NULL), ST_OK);
    assert_true(report.lists == 2 && report.missing == 1 && report.strangers == 1 && report.unknown == 1);
    double ideal3 = 1 + 1 / log2(3) + .5;
    assert_near(mean_of(e, "map", 6), ((1. / 2 + 2. / 3) / 3 + 1. / 2 + 0) / 3, 1e-9);
    assert_near(mean_of(e, "mrr", 6), (1. / 2 + 1. / 2 + 0) / 3, 1e-9);
    assert_near(mean_of(e, "precision", 5), (2. / 5 + 1. / 5 + 0) / 3, 1e-9); /* lists of 4 and 2: divided by 5 all the same */
    assert_near(mean_of(e, "recall", 2), (1. / 3 + 1 + 0) / 3, 1e-9);
    assert_near(mean_of(e, "ndcg", 6), ((1 / log2(3) + .5) / ideal3 + 1 / log2(3) + 0) / 3, 1e-9);
    assert_near(mean_of(e, "ndcg", 2), ((1 / log2(3)) / (1 + 1 / log2(3)) + 1 / log2(3) + 0) / 3, 1e-9);
    assert_near(mean_of(e, "ndcg_linear", 6), ((3 / log2(3) + .5) / (3 + 1 / log2(3) + .5) + 1 / log2(3) + 0) / 3, 1e-9);
    assert_near(mean_of(e, "rprec", 6), (2. / 3 + 0 + 0) / 3, 1e-9);
    assert_near(mean_of(e, "hit", 6), 2. / 3, 1e-9);
    evaluation_free(e);
    trec_run_clear(&r);
    /* by the ranks that are written a stands before c */
    assert_int_equal(read_run(run_text, TREC_BY_RANK, NULL, &r, first), ST_OK);
    assert_int_equal(evaluation_of_run(d, &t, 1, 6, &r, &e, &report, NULL), ST_OK);
    assert_near(mean_of(e, "ndcg_linear", 6), ((1 / log2(3) + 1.5) / (3 + 1 / log2(3) + .5) + 1 / log2(3) + 0) / 3, 1e-9);
    evaluation_free(e);
    trec_run_clear(&r);
    dataset_release(d);
}

/* ---- against trec_eval's way of reckoning ---- */

enum { QUERIES = 40, ITEMS = 60, LIST = 30 };

struct document {
    char id[8];
    float score;
    bool relevant;
};

static int as_trec_eval(const void *pa, const void *pb)
{
    const struct document *a = pa, *b = pb;
    if (a->score < b->score || a->score > b->score)
        return a->score > b->score ? -1 : 1;
    return strcmp(b->id, a->id);
}

static double slow(const char *name, const struct document *doc, size_t n, size_t k, size_t num_rel)
{
    double rel_so_far = 0, sum = 0, dcg = 0, ideal = 0;
    for (size_t i = 0; i < n && i < k; i++) {
        if (!doc[i].relevant)
            continue;
        rel_so_far++;
        sum += rel_so_far / (double)(i + 1);
        dcg += 1 / log2((double)i + 2);
        if (rel_so_far < 2 && !strcmp(name, "mrr"))
            return 1 / (double)(i + 1);
    }
    for (size_t i = 0; i < num_rel && i < k; i++)
        ideal += 1 / log2((double)i + 2);
    return !strcmp(name, "map")         ? sum / (double)num_rel
           : !strcmp(name, "ndcg")      ? dcg / ideal
           : !strcmp(name, "recall")    ? rel_so_far / (double)num_rel
           : !strcmp(name, "precision") ? rel_so_far / (double)k
           : !strcmp(name, "hit")       ? rel_so_far > 0
                                        : 0;
}

static void test_like_trec_eval(void **state)
{
    (void)state;
    static struct document docs[QUERIES][LIST];
    static char text[QUERIES * LIST * 40];
    struct rng rng = rng_stream(11, "trec", 0);
    struct dataset *d = items_and_users(QUERIES, ITEMS);
    uint32_t user[QUERIES], right[QUERIES * ITEMS];
    uint8_t warm[QUERIES];
    size_t queries[QUERIES + 1], begin[QUERIES + 1] = {0}, length[QUERIES], at = 0;
    float weight[QUERIES * ITEMS];
    for (size_t q = 0; q < QUERIES; q++) {
        bool relevant[ITEMS] = {false}, used[ITEMS] = {false};
        user[q] = (uint32_t)q;
        warm[q] = 1;
        queries[q] = q;
        length[q] = rng_below(&rng, 5) ? rng_below(&rng, LIST) + 1 : 0; /* some have none */
        begin[q + 1] = begin[q];
        for (uint32_t i = 0; i < ITEMS; i++)
            if ((relevant[i] = rng_below(&rng, 10) == 0 || (i == ITEMS - 1 && begin[q + 1] == begin[q]))) {
                weight[begin[q + 1]] = 1;
                right[begin[q + 1]++] = i;
            }
        for (size_t i = 0; i < length[q]; i++) {
            size_t item = rng_below(&rng, ITEMS);
            for (; used[item]; item = (item + 1) % ITEMS)
                ;
            used[item] = true;
            docs[q][i].score = (float)rng_below(&rng, 8) / 4; /* many are equal */
            docs[q][i].relevant = relevant[item];
            snprintf(docs[q][i].id, sizeof docs[q][i].id, "i%zu", item);
            at += (size_t)snprintf(text + at, sizeof text - at, "q%zu Q0 %s %zu %g t\n", q + 1, docs[q][i].id, i + 1,
                                   (double)docs[q][i].score);
        }
        qsort(docs[q], length[q], sizeof docs[q][0], as_trec_eval);
    }
    queries[QUERIES] = QUERIES;
    struct test_set t = {.protocol = {PART_TEST, true, ROLLING_NOT}, .nitems = ITEMS, .nusers = QUERIES, .nqueries = QUERIES,
                         .user = user, .warm = warm, .query_begin = queries, .right_begin = begin, .right = right, .weight = weight};
    struct trec_run r;
    struct evaluation *e = NULL;
    struct foreign_report report;
    char first[320];
    assert_int_equal(read_run(text, TREC_BY_SCORE, NULL, &r, first), ST_OK);
    assert_int_equal(evaluation_of_run(d, &t, 1, ITEMS, &r, &e, &report, NULL), ST_OK);
    assert_true(report.missing > 0 && report.lists > 20);
    static const char *const names[] = {"map", "ndcg", "recall", "precision", "mrr", "hit"};
    static const size_t ks[] = {1, 3, 10, 50};
    for (size_t m = 0; m < 6; m++)
        for (size_t k = 0; k < 4; k++) {
            double value[QUERIES];
            struct metric_at metric;
            assert_int_equal(metric_parse(names[m], ks[k], &metric, NULL), ST_OK);
            evaluation_users(e, &metric, value);
            for (size_t q = 0; q < QUERIES; q++)
                assert_near(value[q], slow(names[m], docs[q], length[q], ks[k], begin[q + 1] - begin[q]), 1e-9);
        }
    evaluation_free(e);
    trec_run_clear(&r);
    dataset_release(d);
}

static void test_memory(void **state)
{
    (void)state;
    const char *path = file_of(run_text);
    enum status st = ST_NOMEM;
    for (long i = 0; i < 100 && st; i++) {
        atomic_long left = i;
        struct trec_run r;
        struct error err;
        char first[320];
        mem_set_hook(fail_from, &left);
        st = trec_run_read(path, TREC_BY_SCORE, NULL, NULL, &r, first, &err);
        mem_set_hook(NULL, NULL);
        assert_true(st == ST_OK || st == ST_NOMEM);
        if (!st)
            trec_run_clear(&r);
    }
    assert_int_equal(st, ST_OK);
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reading), cmocka_unit_test(test_rejects), cmocka_unit_test(test_strange_bytes),
        cmocka_unit_test(test_qrels),   cmocka_unit_test(test_by_hand), cmocka_unit_test(test_like_trec_eval),
        cmocka_unit_test(test_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
