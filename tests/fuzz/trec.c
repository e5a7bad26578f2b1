/* Runs and qrels as trec_eval reads them: every line is read or rejected, and what was read is in order. */
#include <string.h>
#include <unistd.h>

#include "ingest/trec.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/load.h"

static enum status count_reject(void *context, const char *file, uint64_t line, const char *reason, const char *text, size_t n,
                                struct error *err)
{
    uint64_t *rejects = context;
    (void)file;
    (void)err;
    MUST(line > 0 && reason[0] && (n == 0 || text));
    ++*rejects;
    return ST_OK;
}

/* b stands behind a in the list of one query. */
static void check_neighbours(const struct trec_run *r, const struct trec_entry *a, const struct trec_entry *b, enum trec_order order)
{
    if (order == TREC_BY_RANK)
        MUST(a->rank < b->rank || (a->rank == b->rank && a->line < b->line));
    else
        MUST(a->score > b->score || (a->score == b->score && strcmp(dict_text(&r->items, a->item), dict_text(&r->items, b->item)) > 0));
}

static void check_run(const struct trec_run *r, enum trec_order order)
{
    MUST(r->n > 0 && r->begin[0] == 0 && r->begin[r->queries.n] == r->n);
    for (uint32_t q = 0; q < r->queries.n; q++)
        for (size_t i = r->begin[q]; i < r->begin[q + 1]; i++) {
            MUST(r->entries[i].query == q && r->entries[i].item < r->items.n && r->entries[i].score == r->entries[i].score);
            if (i > r->begin[q])
                check_neighbours(r, &r->entries[i - 1], &r->entries[i], order);
            for (size_t j = r->begin[q]; j < i; j++)
                MUST(r->entries[j].item != r->entries[i].item);
        }
}

static void read_run(const char *path, enum trec_order order)
{
    struct trec_run r;
    struct error err = {0};
    uint64_t rejects = 0;
    struct reject_sink sink = {&rejects, count_reject};
    char first[320];
    enum status st = trec_run_read(path, order, &sink, NULL, &r, first, &err);
    MUST(st == ST_OK || err.message[0]);
    if (!st) {
        MUST(r.rejected == rejects && r.read == r.n + rejects && !first[0] == !rejects);
        check_run(&r, order);
        trec_run_clear(&r);
    }
}

static void read_qrels(const char *path)
{
    struct trec_qrels q;
    struct error err = {0};
    uint64_t rejects = 0;
    struct reject_sink sink = {&rejects, count_reject};
    char first[320];
    enum status st = trec_qrels_read(path, &sink, NULL, &q, first, &err);
    MUST(st == ST_OK || err.message[0]);
    if (st)
        return;
    MUST(q.n > 0 && q.rejected == rejects && q.read == q.n + rejects && q.begin[0] == 0 && q.begin[q.queries.n] == q.n);
    for (uint32_t u = 0; u < q.queries.n; u++)
        for (size_t i = q.begin[u]; i < q.begin[u + 1]; i++)
            MUST(q.judgements[i].query == u && q.judgements[i].item < q.items.n &&
                 (i == q.begin[u] || q.judgements[i - 1].line < q.judgements[i].line));
    trec_qrels_clear(&q);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    char path[64];
    int fd = fuzz_file(data, n, path);
    read_run(path, TREC_BY_SCORE);
    read_run(path, TREC_BY_RANK);
    read_qrels(path);
    close(fd);
    return 0;
}
