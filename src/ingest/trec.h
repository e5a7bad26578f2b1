/* Runs and relevance judgements as trec_eval reads them, a line each, words apart by blanks:
 *
 *   run     QUERY Q0 ITEM RANK SCORE TAG       a query is a user here
 *   qrels   QUERY 0  ITEM GRADE
 *
 * Lines that are none of these are told to the rejects and left out. Plain, gzip or zstd. */
#ifndef TAILOR_INGEST_TREC_H
#define TAILOR_INGEST_TREC_H

#include "base/dict.h"
#include "ingest/ingest.h"

/* One place of a list. */
struct trec_entry {
    uint32_t query, item; /* codes of the two dictionaries */
    int64_t rank;         /* as written */
    double score;
    uint64_t line;
};

struct trec_run {
    struct dict queries, items; /* in order of first appearance */
    struct trec_entry *entries; /* queries one after the other, their items best first */
    size_t n, capacity;
    size_t *begin;              /* queries.n + 1: where each query begins */
    char tag[64];               /* of the first line */
    uint64_t read, rejected;    /* lines with something in them */
};

/* What decides the order of a query's items. */
enum trec_order {
    TREC_BY_SCORE, /* as trec_eval: score, highest first; the same score: the id of the item, last in the alphabet first
                    */
    TREC_BY_RANK,  /* the rank that is written; the same one: as in the file */
};

/* Reads a run and orders it. An item that a query lists twice is rejected the second time. rejects may be NULL; the
 * first reject is in *first (not empty when rejected > 0): "run.trec:7: ...". ST_FORMAT when no line is one of a run.
 */
MUST_CHECK enum status trec_run_read(const char *path, enum trec_order order, struct reject_sink *rejects,
                                     struct job *job, struct trec_run *out, char first[320], struct error *err);
void trec_run_clear(struct trec_run *r);

struct trec_judgement {
    uint32_t query, item;
    int64_t grade; /* above 0: relevant */
    uint64_t line;
};

struct trec_qrels {
    struct dict queries, items;
    struct trec_judgement *judgements; /* as in the file, the queries one after the other */
    size_t n, capacity;
    size_t *begin; /* queries.n + 1 */
    uint64_t read, rejected;
};
MUST_CHECK enum status trec_qrels_read(const char *path, struct reject_sink *rejects, struct job *job,
                                       struct trec_qrels *out, char first[320], struct error *err);
void trec_qrels_clear(struct trec_qrels *q);

#endif
