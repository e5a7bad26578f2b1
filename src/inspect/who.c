#include "inspect/who.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"

/* Users taken together: between two pieces what was found is kept and the lists are forgotten. */
enum { PIECE = 2048, PIECE_ENTRIES = 1 << 18 };

static int by_rank(const void *pa, const void *pb)
{
    const struct who_user *a = pa, *b = pb;
    if (a->rank != b->rank)
        return a->rank < b->rank ? -1 : 1;
    if (a->score > b->score || a->score < b->score)
        return a->score > b->score ? -1 : 1;
    return a->user < b->user ? -1 : a->user > b->user;
}

/* Users with a history; had: whose history hides one of the items. */
static size_t find_users(const struct selection *s, const uint8_t *chosen, uint32_t *users, size_t *had)
{
    const struct dataset *d = s->data;
    size_t n = 0;
    for (uint32_t u = 0; u < d->users.n; u++) {
        bool any = false, has = false;
        for (size_t e = d->user_begin[u]; e < d->user_begin[u + 1]; e++) {
            if (!selection_has(s, e))
                continue;
            any = true;
            has |= chosen[d->events.item[e]] && (!s->hides || d->events.type[e] == s->hides - 1);
        }
        if (any)
            users[n++] = u;
        *had += has;
    }
    return n;
}

static void look_through(struct who *w, const uint8_t *chosen, uint32_t user, const struct scored *list, size_t n)
{
    struct who_user found = {.user = user};
    for (size_t r = 0; r < n; r++) {
        if (!chosen[list[r].index])
            continue;
        if (!found.count++) {
            found.item = list[r].index;
            found.rank = (uint32_t)r + 1;
            found.score = list[r].score;
        }
    }
    if (found.count)
        w->users[w->n++] = found;
}

static enum status look_at_all(struct who *w, const struct ranker *ranker, const struct selection *s,
                               const uint8_t *chosen, const uint32_t *users, struct job *job, struct error *err)
{
    size_t k = ranker->k, piece = k && PIECE_ENTRIES / k < PIECE ? PIECE_ENTRIES / k + 1 : PIECE;
    struct scored *list = mem_new_raw(piece * k, sizeof *list, "lists", err);
    size_t *counts = mem_new(piece, sizeof *counts, "lists", err);
    enum status st = list && counts ? ST_OK : ST_NOMEM;
    for (size_t at = 0; at < w->asked && !st; at += piece) {
        size_t n = w->asked - at < piece ? w->asked - at : piece;
        st = ranker_users(ranker, s, users + at, n, job, list, counts, err);
        for (size_t i = 0; i < n && !st; i++)
            look_through(w, chosen, users[at + i], list + i * k, counts[i]);
    }
    mem_free(list);
    mem_free(counts);
    return st;
}

enum status who_make(const struct model *m, const struct selection *s, const uint8_t *chosen, size_t k, enum seen seen,
                     struct job *job, struct who *out, struct error *err)
{
    struct ranker ranker = {0};
    uint32_t *users = mem_new_raw(s->data->users.n, sizeof *users, "users", err);
    *out = (struct who){.k = k < m->nitems ? k : m->nitems, .mean_rank = NAN};
    out->users = mem_new_raw(s->data->users.n, sizeof *out->users, "users", err);
    enum status st = users && out->users ? ST_OK : ST_NOMEM;
    if (!st) {
        out->asked = find_users(s, chosen, users, &out->had);
        st = ranker_new(&ranker, m, k, seen, out->asked, err);
    }
    if (!st)
        st = look_at_all(out, &ranker, s, chosen, users, job, err);
    ranker_clear(&ranker);
    mem_free(users);
    if (st)
        return st;
    double sum = 0;
    for (size_t i = 0; i < out->n; i++)
        sum += out->users[i].rank;
    out->mean_rank = out->n ? sum / (double)out->n : NAN;
    qsort(out->users, out->n, sizeof *out->users, by_rank);
    return ST_OK;
}

void who_clear(struct who *w)
{
    mem_free(w->users);
    *w = (struct who){0};
}

enum status who_segments(const struct who *w, const struct dataset *d, const struct cohorts *c, const uint32_t *users,
                         size_t *got, struct error *err)
{
    uint8_t *gets = mem_new(d->users.n, sizeof *gets, "users", err);
    if (!gets)
        return ST_NOMEM;
    for (size_t i = 0; i < w->n; i++)
        gets[w->users[i].user] = 1;
    for (size_t g = 0; g < c->n; g++) {
        got[g] = 0;
        for (size_t i = 0; i < c->list[g].n; i++)
            got[g] += gets[users[c->list[g].users[i]]];
    }
    mem_free(gets);
    return ST_OK;
}
