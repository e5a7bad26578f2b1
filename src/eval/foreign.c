#include "eval/foreign.h"

#include "base/mem.h"

/* Codes of one dictionary in the other; NO_ITEM (which is NO_USER) where it is not there. */
static uint32_t *match(const struct dict *from, const struct dict *to, const char *what, struct error *err)
{
    uint32_t *code = mem_new_raw(from->n, sizeof *code, what, err);
    for (uint32_t i = 0; code && i < from->n; i++)
        code[i] = dict_find(to, dict_text(from, i), dict_length(from, i));
    return code;
}

/* The query of the run for each user of the data set, or NO_USER. */
static uint32_t *find_queries(const struct dataset *d, const struct trec_run *run, const uint32_t *user,
                              struct error *err)
{
    uint32_t *query = mem_new_raw(d->users.n, sizeof *query, "lists of users", err);
    for (uint32_t u = 0; query && u < d->users.n; u++)
        query[u] = NO_USER;
    for (uint32_t q = 0; query && q < run->queries.n; q++)
        if (user[q] != NO_USER)
            query[user[q]] = q;
    return query;
}

enum status evaluation_of_run(const struct dataset *d, const struct test_set *t, uint64_t split_fingerprint,
                              size_t depth, const struct trec_run *run, struct evaluation **out,
                              struct foreign_report *report, struct error *err)
{
    uint32_t *user = match(&run->queries, &d->users, "lists of users", err),
             *item = match(&run->items, &d->items, "items of lists", err);
    uint32_t *query = user ? find_queries(d, run, user, err) : NULL,
             *list = mem_new_raw(run->n, sizeof *list, "lists", err);
    size_t *begin = mem_new(t->nqueries + 1, sizeof *begin, "lists", err), n = 0;
    enum status st = user && item && query && list && begin ? ST_OK : ST_NOMEM;
    *report = (struct foreign_report){.lists = 0};
    if (!st && t->nqueries != t->nusers)
        st = error_set(err, ST_USAGE, "lists of others are judged with history=fixed: they have one list a user");
    for (size_t q = 0; q < t->nqueries && !st; q++, begin[q] = n) {
        uint32_t of = query[t->user[q]];
        report->missing += of == NO_USER;
        report->lists += of != NO_USER;
        for (size_t i = of == NO_USER ? 0 : run->begin[of]; of != NO_USER && i < run->begin[of + 1]; i++) {
            list[n] = item[run->entries[i].item];
            report->unknown += list[n++] == NO_ITEM;
        }
    }
    report->strangers = run->queries.n - report->lists;
    if (!st)
        st = evaluation_of_lists(t, split_fingerprint, depth, begin, list, out, err);
    mem_free(user);
    mem_free(item);
    mem_free(query);
    mem_free(list);
    mem_free(begin);
    return st;
}
