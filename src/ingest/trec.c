#include "ingest/trec.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "ingest/source.h"

/* ---- lines ---- */

enum { LINE_MOST = 1 << 16, WORDS = 7 };

struct reading {
    const char *path;
    struct source *source;
    struct reject_sink *rejects;
    struct job *job;
    uint64_t number;       /* of the present line, from 1 */
    uint64_t read, rejected;
    char *first;           /* 320 bytes */
    size_t at, n;          /* of the buffer */
    size_t length;         /* of the line; more than LINE_MOST: it is too long, and its end is not there */
    char buffer[LINE_MOST], line[LINE_MOST + 1];
    const char *word[WORDS];
    size_t size[WORDS], nwords;
};

static enum status reject(struct reading *r, uint64_t line, const char *reason, const char *text, size_t n,
                          struct error *err)
{
    if (!r->rejected++)
        snprintf(r->first, 320, "%.100s:%llu: %.200s", r->path, (unsigned long long)line, reason);
    return r->rejects ? r->rejects->reject(r->rejects->context, r->path, line, reason, text, n, err) : ST_OK;
}

static enum status fill(struct reading *r, struct error *err)
{
    enum status st = job_check(r->job, err);
    r->at = r->n = 0;
    return st ? st : source_read(r->source, r->buffer, sizeof r->buffer, &r->n, err);
}

/* The next line without its end; *end when there is none. */
static enum status next_line(struct reading *r, bool *end, struct error *err)
{
    bool any = false, whole = false;
    r->length = 0;
    while (!whole) {
        if (r->at == r->n) {
            enum status st = fill(r, err);
            if (st)
                return st;
            if (!r->n)
                break;
        }
        any = true;
        const char *from = r->buffer + r->at, *stop = memchr(from, '\n', r->n - r->at);
        size_t n = stop ? (size_t)(stop - from) : r->n - r->at,
               room = r->length < LINE_MOST ? LINE_MOST - r->length : 0;
        memcpy(r->line + (r->length < LINE_MOST ? r->length : LINE_MOST), from, n < room ? n : room);
        r->length += n;
        r->at += n + (stop != NULL);
        whole = stop != NULL;
    }
    r->number += any;
    r->line[r->length < LINE_MOST ? r->length : LINE_MOST] = 0;
    *end = !any;
    return ST_OK;
}

/* Cuts the line into words; one more than expected is enough to see that there are too many. */
static void cut(struct reading *r)
{
    const char *at = r->line;
    for (r->nwords = 0; r->nwords < WORDS; r->nwords++) {
        at += strspn(at, " \t\r\v\f");
        r->size[r->nwords] = strcspn(at, " \t\r\v\f");
        if (!r->size[r->nwords])
            break;
        r->word[r->nwords] = at;
        at += r->size[r->nwords];
    }
}

/* A word as text of its own; false when it is too long to be a number. */
static bool number_text(const struct reading *r, size_t word, char out[64])
{
    if (r->size[word] >= 64)
        return false;
    memcpy(out, r->word[word], r->size[word]);
    out[r->size[word]] = 0;
    return true;
}

/* What is wrong with the line as such, or NULL. */
static const char *line_fault(const struct reading *r, size_t words, const char *expected)
{
    if (r->length > LINE_MOST)
        return "the line is longer than 64 KiB";
    if (memchr(r->line, 0, r->length))
        return "the line has a zero byte in it";
    return r->nwords == words ? NULL : expected;
}

/* ---- runs and qrels, line by line ---- */

static enum status add_entry(struct reading *r, void *to, struct error *err)
{
    struct trec_run *run = to;
    struct trec_entry e = {.line = r->number};
    char rank[64], score[64];
    const char *fault = line_fault(r, 6, "a line of a run is: user Q0 item rank score tag");
    if (!fault && !(number_text(r, 3, rank) && text_parse_int(rank, &e.rank)))
        fault = "the rank (4th word) is not a whole number";
    if (!fault && !(number_text(r, 4, score) && text_parse_real(score, &e.score) && !isnan(e.score)))
        fault = "the score (5th word) is not a number";
    if (fault)
        return reject(r, r->number, fault, r->line, strlen(r->line), err);
    if (!run->n)
        snprintf(run->tag, sizeof run->tag, "%.*s",
                 (int)(r->size[5] < sizeof run->tag ? r->size[5] : sizeof run->tag - 1), r->word[5]);
    enum status st = dict_add(&run->queries, r->word[0], r->size[0], &e.query, err);
    if (!st)
        st = dict_add(&run->items, r->word[2], r->size[2], &e.item, err);
    if (!st)
        st = mem_grow(&run->entries, &run->capacity, run->n + 1, sizeof e, err);
    if (!st)
        run->entries[run->n++] = e;
    return st;
}

static enum status add_judgement(struct reading *r, void *to, struct error *err)
{
    struct trec_qrels *qrels = to;
    struct trec_judgement j = {.line = r->number};
    char grade[64];
    const char *fault = line_fault(r, 4, "a line of qrels is: user 0 item grade");
    if (!fault && !(number_text(r, 3, grade) && text_parse_int(grade, &j.grade)))
        fault = "the grade (4th word) is not a whole number";
    if (fault)
        return reject(r, r->number, fault, r->line, strlen(r->line), err);
    enum status st = dict_add(&qrels->queries, r->word[0], r->size[0], &j.query, err);
    if (!st)
        st = dict_add(&qrels->items, r->word[2], r->size[2], &j.item, err);
    if (!st)
        st = mem_grow(&qrels->judgements, &qrels->capacity, qrels->n + 1, sizeof j, err);
    if (!st)
        qrels->judgements[qrels->n++] = j;
    return st;
}

static enum status read_lines(struct reading *r, enum status (*add)(struct reading *r, void *to, struct error *err),
                              void *to, struct error *err)
{
    enum status st = source_open(r->path, r->job, &r->source, err);
    bool end = false;
    while (!st && !end) {
        st = next_line(r, &end, err);
        if (st || end)
            continue;
        cut(r);
        if (!r->nwords && r->length <= LINE_MOST && !memchr(r->line, 0, r->length))
            continue;
        r->read++;
        st = add(r, to, err);
    }
    source_close(r->source);
    return st;
}

static enum status reading_new(const char *path, struct reject_sink *rejects, struct job *job, char *first,
                               struct reading **out, struct error *err)
{
    struct reading *r = mem_new(1, sizeof *r, "a reader of lines", err);
    *first = 0;
    if (!r)
        return ST_NOMEM;
    r->path = path;
    r->rejects = rejects;
    r->job = job;
    r->first = first;
    *out = r;
    return ST_OK;
}

static enum status nothing_read(const struct reading *r, const char *what, const char *form, struct error *err)
{
    if (*r->first)
        error_set(err, ST_FORMAT, "%s", r->first);
    else
        error_set(err, ST_FORMAT, "%s has no lines", r->path);
    error_hint(err, "%s has lines like: %s", what, form);
    return ST_FORMAT;
}

/* Where each query begins, of n elements in order of their queries; query_at tells that of the i-th. */
static enum status find_begins(size_t n, size_t nqueries, uint32_t (*query_at)(const void *of, size_t i),
                               const void *of, size_t **out, struct error *err)
{
    size_t *begin = mem_new(nqueries + 1, sizeof *begin, "lists of a run", err);
    if (!begin)
        return ST_NOMEM;
    for (size_t i = 0; i < n; i++)
        begin[query_at(of, i) + 1]++;
    for (size_t q = 0; q < nqueries; q++)
        begin[q + 1] += begin[q];
    *out = begin;
    return ST_OK;
}

/* ---- runs ---- */

static int compare_numbers(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

static int by_item(const void *pa, const void *pb)
{
    const struct trec_entry *a = pa, *b = pb;
    int x = compare_numbers(a->query, b->query);
    x = x ? x : compare_numbers(a->item, b->item);
    return x ? x : compare_numbers(a->line, b->line);
}

static int by_score(const void *pa, const void *pb, void *items)
{
    const struct trec_entry *a = pa, *b = pb;
    if (a->query != b->query)
        return compare_numbers(a->query, b->query);
    if (a->score < b->score || a->score > b->score)
        return a->score > b->score ? -1 : 1;
    return strcmp(dict_text(items, b->item), dict_text(items, a->item));
}

static int by_rank(const void *pa, const void *pb, void *items)
{
    const struct trec_entry *a = pa, *b = pb;
    (void)items;
    if (a->query != b->query)
        return compare_numbers(a->query, b->query);
    if (a->rank != b->rank)
        return a->rank < b->rank ? -1 : 1;
    return compare_numbers(a->line, b->line);
}

/* An item stands in a list once. */
static enum status drop_doubles(struct reading *r, struct trec_run *run, struct error *err)
{
    size_t kept = 0;
    enum status st = ST_OK;
    if (run->n)
        qsort(run->entries, run->n, sizeof *run->entries, by_item);
    for (size_t i = 0; i < run->n && !st; i++) {
        const struct trec_entry *e = &run->entries[i], *last = kept ? &run->entries[kept - 1] : NULL;
        const char *item = dict_text(&run->items, e->item);
        if (last && last->query == e->query && last->item == e->item)
            st = reject(r, e->line, "the item is in this user's list already", item, strlen(item), err);
        else
            run->entries[kept++] = *e;
    }
    run->n = kept;
    return st;
}

static uint32_t query_of_entry(const void *of, size_t i)
{
    const struct trec_run *r = of;
    return r->entries[i].query;
}

enum status trec_run_read(const char *path, enum trec_order order, struct reject_sink *rejects, struct job *job,
                          struct trec_run *out, char first[320], struct error *err)
{
    struct reading *r = NULL;
    *out = (struct trec_run){.n = 0};
    enum status st = reading_new(path, rejects, job, first, &r, err);
    if (!st)
        st = read_lines(r, add_entry, out, err);
    if (!st && !out->n)
        st = nothing_read(r, "a run", "user Q0 item rank score tag", err);
    if (!st)
        st = drop_doubles(r, out, err);
    if (!st) {
        qsort_r(out->entries, out->n, sizeof *out->entries, order == TREC_BY_SCORE ? by_score : by_rank, &out->items);
        st = find_begins(out->n, out->queries.n, query_of_entry, out, &out->begin, err);
    }
    if (r) {
        out->read = r->read;
        out->rejected = r->rejected;
    }
    mem_free(r);
    if (st)
        trec_run_clear(out);
    return st;
}

void trec_run_clear(struct trec_run *r)
{
    dict_clear(&r->queries);
    dict_clear(&r->items);
    mem_free(r->entries);
    mem_free(r->begin);
    *r = (struct trec_run){.n = 0};
}

/* ---- qrels ---- */

static int by_query(const void *pa, const void *pb)
{
    const struct trec_judgement *a = pa, *b = pb;
    int x = compare_numbers(a->query, b->query);
    return x ? x : compare_numbers(a->line, b->line);
}

static uint32_t query_of_judgement(const void *of, size_t i)
{
    const struct trec_qrels *q = of;
    return q->judgements[i].query;
}

enum status trec_qrels_read(const char *path, struct reject_sink *rejects, struct job *job, struct trec_qrels *out,
                            char first[320], struct error *err)
{
    struct reading *r = NULL;
    *out = (struct trec_qrels){.n = 0};
    enum status st = reading_new(path, rejects, job, first, &r, err);
    if (!st)
        st = read_lines(r, add_judgement, out, err);
    if (!st && !out->n)
        st = nothing_read(r, "a file of qrels", "user 0 item grade", err);
    if (!st) {
        qsort(out->judgements, out->n, sizeof *out->judgements, by_query);
        st = find_begins(out->n, out->queries.n, query_of_judgement, out, &out->begin, err);
    }
    if (r) {
        out->read = r->read;
        out->rejected = r->rejected;
    }
    mem_free(r);
    if (st)
        trec_qrels_clear(out);
    return st;
}

void trec_qrels_clear(struct trec_qrels *q)
{
    dict_clear(&q->queries);
    dict_clear(&q->items);
    mem_free(q->judgements);
    mem_free(q->begin);
    *q = (struct trec_qrels){.n = 0};
}
