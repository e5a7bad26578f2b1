#include "eval/facts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "data/interactions.h"

void item_facts_free(struct item_facts *f)
{
    if (!f)
        return;
    mem_free(f->popularity);
    mem_free(f->place);
    mem_free(f->tail);
    mem_free(f->history_begin);
    mem_free(f->history);
    mem_free(f->users_begin);
    mem_free(f->users);
    mem_free(f->sets);
    mem_free(f->set_words);
    mem_free(f->category_begin);
    mem_free(f->categories);
    mem_free(f->taste_begin);
    mem_free(f->taste);
    mem_free(f->taste_share);
    mem_free(f->price);
    dataset_release(f->data);
    mem_free(f);
}

/* ---- who had what ---- */

struct marks {
    uint32_t *known, *trained; /* nitems: user + 1 who was met with it last, in the history and in the train part */
};

/* Visits the distinct items of every history. With `write` their users are put in place, cursor[i] telling where;
 * without, they are counted. */
static void visit(struct item_facts *f, const struct split *s, enum part on, struct marks *m, size_t *cursor,
                  bool write)
{
    const struct dataset *d = f->data;
    memset(m->known, 0, f->nitems * sizeof *m->known);
    memset(m->trained, 0, f->nitems * sizeof *m->trained);
    for (uint32_t u = 0; u < f->nusers; u++) {
        unsigned parts = split_history(s, u, on);
        bool learns = false;
        for (size_t e = d->user_begin[u]; e < d->user_begin[u + 1]; e++) {
            uint32_t i = d->events.item[e];
            if (!write && s->part[e] == PART_TRAIN) {
                f->popularity[i] += m->trained[i] != u + 1;
                m->trained[i] = u + 1;
                learns = true;
            }
            if (!(s->part[e] & parts) || m->known[i] == u + 1)
                continue;
            m->known[i] = u + 1;
            if (write)
                f->users[cursor[i]++] = u;
            else
                f->users_begin[i + 1]++, f->history_begin[u + 1]++;
        }
        f->learners += learns;
    }
}

static void add_up(size_t *begin, size_t n)
{
    for (size_t i = 0; i < n; i++)
        begin[i + 1] += begin[i];
}

/* The items of each user, out of the users of each item: ascending without sorting. */
static enum status transpose(struct item_facts *f, struct error *err)
{
    size_t *cursor = mem_new_raw(f->nusers + 1, sizeof *cursor, "histories", err);
    f->history = mem_new_raw(f->users_begin[f->nitems], sizeof *f->history, "histories", err);
    enum status st = cursor && f->history ? ST_OK : ST_NOMEM;
    if (!st)
        memcpy(cursor, f->history_begin, (f->nusers + 1) * sizeof *cursor);
    for (uint32_t i = 0; i < f->nitems && !st; i++)
        for (size_t at = f->users_begin[i]; at < f->users_begin[i + 1]; at++)
            f->history[cursor[f->users[at]]++] = i;
    mem_free(cursor);
    return st;
}

static enum status find_histories(struct item_facts *f, const struct split *s, enum part on, struct error *err)
{
    struct marks m = {mem_new_raw(f->nitems, sizeof *m.known, "item marks", err),
                      mem_new_raw(f->nitems, sizeof *m.trained, "item marks", err)};
    size_t *cursor = mem_new_raw(f->nitems + 1, sizeof *cursor, "item marks", err);
    f->popularity = mem_new(f->nitems, sizeof *f->popularity, "popularity", err);
    f->history_begin = mem_new(f->nusers + 1, sizeof *f->history_begin, "histories", err);
    f->users_begin = mem_new(f->nitems + 1, sizeof *f->users_begin, "histories", err);
    enum status st =
        m.known && m.trained && cursor && f->popularity && f->history_begin && f->users_begin ? ST_OK : ST_NOMEM;
    if (st)
        goto out;
    visit(f, s, on, &m, NULL, false);
    add_up(f->users_begin, f->nitems);
    add_up(f->history_begin, f->nusers);
    f->users = mem_new_raw(f->users_begin[f->nitems], sizeof *f->users, "histories", err);
    st = f->users ? ST_OK : ST_NOMEM;
    if (st)
        goto out;
    memcpy(cursor, f->users_begin, (f->nitems + 1) * sizeof *cursor);
    visit(f, s, on, &m, cursor, true);
    st = transpose(f, err);
out:
    mem_free(m.known);
    mem_free(m.trained);
    mem_free(cursor);
    return st;
}

/* ---- head and tail ---- */

static int by_popularity(const void *pa, const void *pb, void *context)
{
    const uint32_t *popularity = context;
    uint32_t a, b;
    memcpy(&a, pa, sizeof a);
    memcpy(&b, pb, sizeof b);
    if (popularity[a] != popularity[b])
        return popularity[a] > popularity[b] ? -1 : 1;
    return (a > b) - (a < b);
}

static enum status find_tail(struct item_facts *f, struct error *err)
{
    double all = 0, head = 0;
    uint32_t *popular = mem_new_raw(f->nitems, sizeof *popular, "popularity", err);
    f->place = mem_new_raw(f->nitems, sizeof *f->place, "popularity", err);
    f->tail = mem_new(f->nitems, sizeof *f->tail, "popularity", err);
    enum status st = popular && f->place && f->tail ? ST_OK : ST_NOMEM;
    for (uint32_t i = 0; i < f->nitems && !st; i++) {
        popular[i] = i;
        all += f->popularity[i];
    }
    if (!st)
        qsort_r(popular, f->nitems, sizeof *popular, by_popularity, f->popularity);
    for (uint32_t r = 0; r < f->nitems && !st; r++) {
        f->place[popular[r]] = r;
        f->tail[popular[r]] = head >= FACTS_HEAD_SHARE * all;
        head += f->popularity[popular[r]];
    }
    mem_free(popular);
    return st;
}

/* Items that many have also know their users as a set: common users are counted by words then. */
static enum status find_sets(struct item_facts *f, struct error *err)
{
    size_t many = 0, next = 0;
    f->words = (f->nusers + 63) / 64;
    for (size_t i = 0; i < f->nitems; i++)
        many += f->users_begin[i + 1] - f->users_begin[i] > f->words;
    f->sets = mem_new(f->nitems, sizeof *f->sets, "users of items", err);
    f->set_words = mem_new(many * f->words, sizeof *f->set_words, "users of items", err);
    if (!f->sets || !f->set_words)
        return ST_NOMEM;
    for (size_t i = 0; i < f->nitems; i++) {
        if (f->users_begin[i + 1] - f->users_begin[i] <= f->words)
            continue;
        uint64_t *set = f->sets[i] = f->set_words + next++ * f->words;
        for (size_t at = f->users_begin[i]; at < f->users_begin[i + 1]; at++)
            set[f->users[at] / 64] |= UINT64_C(1) << f->users[at] % 64;
    }
    return ST_OK;
}

/* ---- categories ---- */

static int by_number(const void *a, const void *b)
{
    uint32_t x, y;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    return (x > y) - (x < y);
}

static enum status find_categories(struct item_facts *f, struct error *err)
{
    const struct field *c = f->category;
    bool list = c->type == FIELD_LIST;
    f->ncategories = c->levels.n;
    f->category_begin = mem_new(f->nitems + 1, sizeof *f->category_begin, "categories", err);
    f->categories = mem_new_raw(list ? c->list_begin[f->nitems] : f->nitems, sizeof *f->categories, "categories", err);
    if (!f->category_begin || !f->categories)
        return ST_NOMEM;
    for (size_t i = 0, end = 0; i < f->nitems; i++, f->category_begin[i] = end) {
        size_t begin = end, n = list ? c->list_begin[i + 1] - c->list_begin[i] : c->code[i] != NO_CODE;
        uint32_t *to = f->categories + begin;
        if (n)
            memcpy(to, list ? c->list_code + c->list_begin[i] : c->code + i, n * sizeof *to);
        qsort(to, n, sizeof *to, by_number);
        for (size_t j = 0; j < n; j++)
            if (end == begin || to[j] != f->categories[end - 1])
                f->categories[end++] = to[j];
    }
    return ST_OK;
}

/* Adds the mix of one history to sum; met lists the categories that are in it. Returns how many. */
static size_t mix_of(const struct item_facts *f, size_t u, double *sum, uint32_t *met)
{
    size_t n = 0;
    for (size_t at = f->history_begin[u]; at < f->history_begin[u + 1]; at++) {
        size_t begin = f->category_begin[f->history[at]], end = f->category_begin[f->history[at] + 1];
        for (size_t c = begin; c < end; c++) {
            if (sum[f->categories[c]] == 0)
                met[n++] = f->categories[c];
            sum[f->categories[c]] += 1 / (double)(end - begin);
        }
    }
    qsort(met, n, sizeof *met, by_number);
    return n;
}

static enum status find_tastes(struct item_facts *f, struct error *err)
{
    size_t capacity = 0, share_capacity = 0, total = 0;
    double *sum = mem_new(f->ncategories, sizeof *sum, "tastes", err);
    uint32_t *met = mem_new_raw(f->ncategories, sizeof *met, "tastes", err);
    f->taste_begin = mem_new(f->nusers + 1, sizeof *f->taste_begin, "tastes", err);
    enum status st = sum && met && f->taste_begin ? ST_OK : ST_NOMEM;
    for (size_t u = 0; u < f->nusers && !st; u++) {
        size_t n = mix_of(f, u, sum, met);
        double all = 0;
        st = mem_grow(&f->taste, &capacity, total + n + 1, sizeof *f->taste, err);
        if (!st)
            st = mem_grow(&f->taste_share, &share_capacity, total + n + 1, sizeof *f->taste_share, err);
        for (size_t i = 0; i < n; i++)
            all += sum[met[i]];
        for (size_t i = 0; i < n && !st; i++) {
            f->taste[total] = met[i];
            f->taste_share[total++] = sum[met[i]] / all;
        }
        for (size_t i = 0; i < n; i++)
            sum[met[i]] = 0;
        f->taste_begin[u + 1] = total;
    }
    mem_free(sum);
    mem_free(met);
    return st;
}

/* ---- prices ---- */

static const struct field *price_field(const struct dataset *d)
{
    static const char *const names[] = {"price", "unit_price", "sale_price", "list_price", "amount", "revenue"};
    for (size_t n = 0; n < sizeof names / sizeof *names; n++)
        for (size_t i = 0; i < d->item_fields.n; i++) {
            const struct field *f = &d->item_fields.field[i];
            if (text_same(f->name, names[n]) && (f->type == FIELD_REAL || f->type == FIELD_INT))
                return f;
        }
    return NULL;
}

static enum status find_prices(struct item_facts *f, struct error *err)
{
    const struct field *p = price_field(f->data);
    if (!p)
        return ST_OK;
    f->price_name = p->name;
    f->price = mem_new_raw(f->nitems, sizeof *f->price, "prices", err);
    for (size_t i = 0; f->price && i < f->nitems; i++)
        f->price[i] = field_missing(p, i) ? NAN : p->type == FIELD_REAL ? p->real[i] : (double)p->integer[i];
    return f->price ? ST_OK : ST_NOMEM;
}

/* ---- all of it ---- */

enum status item_facts_new(struct dataset *d, const struct split *s, const struct protocol *p, struct item_facts **out,
                           struct error *err)
{
    struct item_facts *f = mem_new(1, sizeof *f, "facts about items", err);
    if (!f)
        return ST_NOMEM;
    const struct field *category = dataset_item_category(d);
    f->data = dataset_hold(d);
    f->nitems = d->items.n;
    f->nusers = d->users.n;
    f->hide_seen = p->hide_seen;
    f->category = category && (category->type == FIELD_TEXT || category->type == FIELD_LIST) ? category : NULL;
    enum status st = find_histories(f, s, p->on, err);
    if (!st)
        st = find_tail(f, err);
    if (!st)
        st = find_prices(f, err);
    if (!st && f->category)
        st = find_categories(f, err);
    if (!st && f->category)
        st = find_tastes(f, err);
    if (!st && !f->category)
        st = find_sets(f, err);
    if (st)
        item_facts_free(f);
    else
        *out = f;
    return st;
}

double item_share(const struct item_facts *f, uint32_t item)
{
    double who = f->popularity[item] ? f->popularity[item] : 1;
    return f->learners ? who / (double)f->learners : NAN;
}

bool item_known(const struct item_facts *f, uint32_t user, uint32_t item)
{
    const uint32_t *from = f->history + f->history_begin[user];
    return bsearch(&item, from, f->history_begin[user + 1] - f->history_begin[user], sizeof item, by_number) != NULL;
}

bool item_expected(const struct item_facts *f, uint32_t user, uint32_t item, size_t k)
{
    size_t above = f->place[item];
    for (size_t at = f->history_begin[user]; at < f->history_begin[user + 1] && f->hide_seen; at++)
        above -= f->place[f->history[at]] < f->place[item];
    return above < k;
}

/* Common elements of two ascending runs. */
static size_t common_of(const uint32_t *a, size_t na, const uint32_t *b, size_t nb)
{
    size_t n = 0;
    for (size_t i = 0, j = 0; i < na && j < nb;) {
        n += a[i] == b[j];
        size_t step = a[i] <= b[j];
        j += b[j] <= a[i];
        i += step;
    }
    return n;
}

static size_t common_users(const struct item_facts *f, uint32_t a, uint32_t b)
{
    const uint32_t *of_a = f->users + f->users_begin[a], *of_b = f->users + f->users_begin[b];
    size_t na = f->users_begin[a + 1] - f->users_begin[a], nb = f->users_begin[b + 1] - f->users_begin[b], n = 0;
    const uint64_t *x = f->sets[a], *y = f->sets[b];
    if (x && y)
        for (size_t w = 0; w < f->words; w++)
            n += (size_t)__builtin_popcountll(x[w] & y[w]);
    else if (x)
        for (size_t i = 0; i < nb; i++)
            n += x[of_b[i] / 64] >> of_b[i] % 64 & 1;
    else if (y)
        for (size_t i = 0; i < na; i++)
            n += y[of_a[i] / 64] >> of_a[i] % 64 & 1;
    else
        n = common_of(of_a, na, of_b, nb);
    return n;
}

double item_distance(const struct item_facts *f, uint32_t a, uint32_t b)
{
    if (f->category) {
        size_t na = f->category_begin[a + 1] - f->category_begin[a],
               nb = f->category_begin[b + 1] - f->category_begin[b];
        if (!na || !nb)
            return NAN;
        size_t common = common_of(f->categories + f->category_begin[a], na, f->categories + f->category_begin[b], nb);
        return 1 - (double)common / (double)(na + nb - common);
    }
    double na = (double)(f->users_begin[a + 1] - f->users_begin[a]),
           nb = (double)(f->users_begin[b + 1] - f->users_begin[b]);
    return na > 0 && nb > 0 ? 1 - (double)common_users(f, a, b) / sqrt(na * nb) : 1;
}
