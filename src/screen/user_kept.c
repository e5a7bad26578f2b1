#include "screen/user_kept.h"

#include <string.h>

#include "base/mem.h"

static bool is_switched(const struct bench_item *i)
{
    return i->added || (!i->on && !i->later);
}

static void forget(struct kept *k, size_t at)
{
    mem_free(k->users[at].switches);
    k->n--;
    memmove(&k->users[at], &k->users[at + 1], (k->n - at) * sizeof *k->users);
}

static const struct kept_user *find(const struct kept *k, const struct bench *b)
{
    for (size_t i = 0; i < k->n; i++)
        if (k->users[i].user == b->user && k->users[i].now == b->whole.as_of)
            return &k->users[i];
    return NULL;
}

void kept_put(struct kept *k, const struct bench *b)
{
    struct kept_user u = {.user = b->user, .now = b->whole.as_of, .at = b->at, .back = b->back};
    const struct kept_user *known = find(k, b);
    size_t n = 0;
    if (!b->data || b->user == NO_USER) /* what is made up may be another history each time */
        return;
    if (known)
        forget(k, (size_t)(known - k->users));
    for (size_t i = 0; i < b->nitems; i++)
        n += is_switched(&b->items[i]);
    u.switches = n || bench_is_earlier(b) ? mem_new_raw(n, sizeof *u.switches, "what was switched", NULL) : NULL;
    if (!u.switches)
        return;
    for (size_t i = b->nitems; i-- > 0;) /* what was added first stands last */
        if (is_switched(&b->items[i]))
            u.switches[u.n++] = (struct kept_switch){b->items[i].item, b->items[i].added, b->items[i].on};
    if (k->n == KEPT_USERS)
        forget(k, 0);
    k->users[k->n++] = u;
}

/* The item may have happened since, or be gone. */
static enum status make_switch(struct bench *b, const struct kept_switch *s, struct error *err)
{
    if (s->added && bench_add(b, s->item, err) != ST_OK)
        return ST_NOMEM;
    uint32_t row = b->row_of[s->item];
    if (row != NO_CODE && !b->items[row].later)
        b->items[row].on = s->on;
    return ST_OK;
}

enum status kept_take(const struct kept *k, struct bench *b, bool *any, struct error *err)
{
    enum status st = ST_OK;
    const struct kept_user *u = b->data && b->user != NO_USER ? find(k, b) : NULL;
    *any = u != NULL;
    if (!u)
        return ST_OK;
    if (u->at != NO_TIME)
        st = bench_look_at(b, u->at, err);
    else if (u->back)
        st = bench_look_back(b, u->back, err);
    for (size_t i = 0; i < u->n && st == ST_OK; i++)
        st = make_switch(b, &u->switches[i], err);
    return st == ST_OK && u->n ? bench_rank(b, err) : st;
}

void kept_clear(struct kept *k)
{
    while (k->n)
        forget(k, k->n - 1);
}
