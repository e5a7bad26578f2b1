/* Sessions, by a gap in time or by a column of the events. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/parallel.h"
#include "data/shape.h"

enum { USER_BLOCK = 512 };

/* An event of a user while sessions are looked for by a column. */
struct visit {
    uint64_t key;
    uint32_t place; /* in the user's run */
    uint32_t first; /* place of the first event of its session */
};

struct cutting {
    const struct dataset *d;
    int64_t gap;
    const struct field *by;
    struct visit **scratch; /* one a thread */
    int64_t *session;       /* per event: number within the user, then over all; NO_INT: in none */
    uint64_t *first;        /* users.n + 1: sessions of each user, then of all before */
};

static size_t cut_by_gap(const struct cutting *c, size_t begin, size_t end)
{
    const int64_t *time = c->d->events.time;
    int64_t n = 0, last = NO_TIME;
    for (size_t e = begin; e < end; e++) {
        if (time[e] == NO_TIME) {
            c->session[e] = NO_INT;
            continue;
        }
        n += last == NO_TIME || time[e] - last > c->gap;
        last = time[e];
        c->session[e] = n;
    }
    return (size_t)n;
}

static int by_key(const void *a, const void *b)
{
    const struct visit *x = a, *y = b;
    if (x->key != y->key)
        return x->key < y->key ? -1 : 1;
    return x->place < y->place ? -1 : x->place > y->place;
}

static int by_first(const void *a, const void *b)
{
    const struct visit *x = a, *y = b;
    if (x->first != y->first)
        return x->first < y->first ? -1 : 1;
    return x->place < y->place ? -1 : x->place > y->place;
}

static uint64_t key_of(const struct field *f, size_t row)
{
    return f->type == FIELD_TEXT ? f->code[row] : (uint64_t)f->integer[row];
}

/* Numbers the values of the column in the order of their first event. Most runs have the values of a session side by
 * side and no value twice, but a session may be left and come back. */
static size_t cut_by_column(const struct cutting *c, struct visit *visit, size_t begin, size_t end)
{
    size_t n = 0, sessions = 0;
    for (size_t e = begin; e < end; e++) {
        if (field_missing(c->by, e))
            c->session[e] = NO_INT;
        else
            visit[n++] = (struct visit){key_of(c->by, e), (uint32_t)(e - begin), 0};
    }
    qsort(visit, n, sizeof *visit, by_key);
    for (size_t i = 0; i < n; i++)
        visit[i].first = i && visit[i].key == visit[i - 1].key ? visit[i - 1].first : visit[i].place;
    qsort(visit, n, sizeof *visit, by_first);
    for (size_t i = 0; i < n; i++) {
        sessions += !i || visit[i].first != visit[i - 1].first;
        c->session[begin + visit[i].place] = (int64_t)sessions;
    }
    return sessions;
}

static void cut_users(void *context, size_t block, size_t begin, size_t end)
{
    const struct cutting *c = context;
    struct visit *visit = c->by ? c->scratch[parallel_thread()] : NULL;
    (void)block;
    for (size_t u = begin; u < end; u++) {
        size_t from = c->d->user_begin[u], to = c->d->user_begin[u + 1];
        c->first[u + 1] = c->by ? cut_by_column(c, visit, from, to) : cut_by_gap(c, from, to);
    }
}

static void number_users(void *context, size_t block, size_t begin, size_t end)
{
    const struct cutting *c = context;
    (void)block;
    for (size_t u = begin; u < end; u++)
        for (size_t e = c->d->user_begin[u]; e < c->d->user_begin[u + 1]; e++)
            if (c->session[e] != NO_INT)
                c->session[e] += (int64_t)c->first[u];
}

static enum status check(const struct dataset *d, const struct field *by, struct error *err)
{
    if (!by && !d->events.time) {
        error_set(err, ST_STATE, "no event of %s has a time, so there are no gaps between them", d->name);
        error_hint(err, "`sessions by=COLUMN` goes by a column of the events");
        return ST_STATE;
    }
    if (by && by->type != FIELD_TEXT && by->type != FIELD_INT && by->type != FIELD_TIME)
        return error_set(err, ST_USAGE, "sessions go by a column of names or whole numbers, and %s is neither",
                         by->name);
    if (d->repeats && strcmp(d->events.context.field[d->repeats - 1].name, "session") == 0)
        return error_set(err, ST_STATE, "the column session counts repeats");
    return ST_OK;
}

/* The numbers become the column "session". */
static enum status put_sessions(struct dataset *d, int64_t *session, struct error *err)
{
    struct field *f = fields_find(&d->events.context, "session");
    if (!f) {
        enum status st = fields_add(&d->events.context, "session", FIELD_INT, &f, err);
        if (st)
            return st;
    } else {
        char *name = f->name;
        f->name = NULL;
        field_clear(f);
        f->name = name;
    }
    f->type = FIELD_INT;
    f->integer = session;
    f->n = f->capacity = d->events.n;
    return ST_OK;
}

static enum status room_for_visits(struct cutting *c, struct error *err)
{
    size_t longest = 0;
    int threads = parallel_threads();
    for (uint32_t u = 0; u < c->d->users.n; u++)
        if (c->d->user_begin[u + 1] - c->d->user_begin[u] > longest)
            longest = c->d->user_begin[u + 1] - c->d->user_begin[u];
    c->scratch = mem_new((size_t)threads, sizeof *c->scratch, "scratch", err);
    for (int t = 0; c->scratch && t < threads; t++)
        if (!(c->scratch[t] = mem_new_raw(longest, sizeof **c->scratch, "the events of a user", err)))
            return ST_NOMEM;
    return c->scratch ? ST_OK : ST_NOMEM;
}

enum status shape_sessions(const struct dataset *d, int64_t gap, const struct field *by, struct job *job,
                           uint64_t *sessions, uint64_t *unplaced, struct dataset **out, struct error *err)
{
    struct cutting c = {.d = d, .gap = gap, .by = by};
    struct dataset *next = NULL;
    enum status st = check(d, by, err);
    if (st)
        return st;
    c.first = mem_new((size_t)d->users.n + 1, sizeof *c.first, "sessions", err);
    c.session = mem_new_raw(d->events.n, sizeof *c.session, "sessions", err);
    st = c.first && c.session ? ST_OK : ST_NOMEM;
    if (!st && by)
        st = room_for_visits(&c, err);
    if (st)
        goto out;
    parallel_blocks(d->users.n, USER_BLOCK, cut_users, &c);
    for (uint32_t u = 0; u < d->users.n; u++)
        c.first[u + 1] += c.first[u];
    parallel_blocks(d->users.n, USER_BLOCK, number_users, &c);
    *sessions = c.first[d->users.n];
    *unplaced = 0;
    for (size_t e = 0; e < d->events.n; e++)
        *unplaced += c.session[e] == NO_INT;
    st = job_check(job, err);
    if (!st)
        st = dataset_again(d, &next, err);
    if (!st && !(st = put_sessions(next, c.session, err))) {
        c.session = NULL;
        *out = next;
        next = NULL;
    }
out:
    for (int t = 0; c.scratch && t < parallel_threads(); t++)
        mem_free(c.scratch[t]);
    mem_free(c.scratch);
    mem_free(c.first);
    mem_free(c.session);
    dataset_release(next);
    return st;
}
