#include "models/served.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"

/* user -> lists -> places, in compressed rows:
 *
 *   first[u] .. first[u + 1]   the lists of user u, oldest first
 *   time[l]                    when list l was served, ascending within a user
 *   begin[l] .. begin[l + 1]   its places
 *   item[], place[], score[]   best first; score NULL when none are kept
 */
struct served {
    size_t nusers, nitems, nlists, nplaces;
    size_t *first; /* nusers + 1 */
    int64_t *time;
    size_t *begin; /* nlists + 1 */
    uint32_t *item, *place;
    float *score;
};

bool model_is_served(const struct model *m)
{
    return m->class == &model_served;
}

static void served_free(struct model *m)
{
    struct served *s = m->state;
    if (!s)
        return;
    mem_free(s->first);
    mem_free(s->time);
    mem_free(s->begin);
    mem_free(s->item);
    mem_free(s->place);
    mem_free(s->score);
    mem_free(s);
    m->state = NULL;
}

/* ---- out of rows ---- */

/* A row with its place in the file. */
struct sorted {
    struct served_row *row;
    size_t at;
};

static int compare_u64(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

/* Smaller first, what is not told last. */
static int compare_told(double a, double b)
{
    if (isnan(a) || isnan(b))
        return (isnan(a) ? 1 : 0) - (isnan(b) ? 1 : 0);
    return (a > b) - (a < b);
}

static int compare_rows(const void *pa, const void *pb, void *ranked)
{
    const struct sorted *a = pa, *b = pb;
    int x = compare_u64(a->row->user, b->row->user);
    if (!x)
        x = (a->row->time > b->row->time) - (a->row->time < b->row->time);
    if (!x)
        x = *(const bool *)ranked ? compare_told(a->row->rank, b->row->rank)
                                  : compare_told(-a->row->score, -b->row->score);
    return x ? x : compare_u64(a->at, b->at);
}

struct building {
    struct served *s;
    struct sorted *sorted;
    size_t n;
    uint32_t *mark; /* by key: 1 + the run of rows that had the item last */
    struct served_report *report;
};

static bool same_list(const struct served_row *a, const struct served_row *b)
{
    return a->user == b->user && a->time == b->time;
}

/* Rows [from, to) of one user and moment, ordered, become a list. */
static void take_list(struct building *b, size_t from, size_t to, uint32_t mark)
{
    struct served *s = b->s;
    size_t before = s->nplaces;
    uint32_t place = 0;
    for (size_t i = from; i < to; i++) {
        const struct served_row *r = b->sorted[i].row;
        bool twice = b->mark[r->key] == mark;
        b->mark[r->key] = mark;
        b->report->doubles += twice;
        if (twice)
            continue;
        place++;
        b->report->unknown_items += r->item == NO_ITEM;
        if (r->item == NO_ITEM)
            continue;
        s->item[s->nplaces] = r->item;
        s->place[s->nplaces] = place;
        s->score[s->nplaces++] = (float)r->score;
    }
    b->report->empty += s->nplaces == before;
    s->time[s->nlists++] = b->sorted[from].row->time;
    s->begin[s->nlists] = s->nplaces;
    s->first[b->sorted[from].row->user + 1]++;
}

static void take_lists(struct building *b)
{
    uint32_t mark = 0;
    for (size_t from = 0, to; from < b->n && b->sorted[from].row->user != NO_USER; from = to) {
        for (to = from + 1; to < b->n && same_list(b->sorted[from].row, b->sorted[to].row);)
            to++;
        take_list(b, from, to, ++mark);
    }
    for (size_t u = 0; u < b->s->nusers; u++)
        b->s->first[u + 1] += b->s->first[u];
}

/* Do the scores give the same order as the places, without ties? */
static bool scores_fall(const struct served *s)
{
    for (size_t l = 0; l < s->nlists; l++)
        for (size_t i = s->begin[l]; i < s->begin[l + 1]; i++)
            if (!isfinite(s->score[i]) || (i > s->begin[l] && !(s->score[i] < s->score[i - 1])))
                return false;
    return true;
}

static enum status make_room(struct building *b, const struct dataset *d, size_t nkeys, struct error *err)
{
    struct served *s = b->s;
    s->nusers = d->users.n;
    s->nitems = d->items.n;
    s->first = mem_new(s->nusers + 1, sizeof *s->first, "served lists", err);
    s->time = mem_new_raw(b->n, sizeof *s->time, "served lists", err);
    s->begin = mem_new(b->n + 1, sizeof *s->begin, "served lists", err);
    s->item = mem_new_raw(b->n, sizeof *s->item, "served lists", err);
    s->place = mem_new_raw(b->n, sizeof *s->place, "served lists", err);
    s->score = mem_new_raw(b->n, sizeof *s->score, "served lists", err);
    b->sorted = mem_new_raw(b->n, sizeof *b->sorted, "rows of served lists", err);
    b->mark = mem_new(nkeys, sizeof *b->mark, "items of served lists", err);
    return s->first && s->time && s->begin && s->item && s->place && s->score && b->sorted && b->mark ? ST_OK
                                                                                                      : ST_NOMEM;
}

static void sort_rows(struct building *b, struct served_row *rows)
{
    struct served_report *r = b->report;
    size_t scored = 0;
    for (size_t i = 0; i < b->n; i++) {
        b->sorted[i] = (struct sorted){&rows[i], i};
        r->ranked |= !isnan(rows[i].rank);
        r->unknown_users += rows[i].user == NO_USER ? 1 : 0;
        r->unranked += isnan(rows[i].rank) ? 1 : 0;
        scored += isnan(rows[i].score) ? 0 : 1;
    }
    r->scored = scored > 0;
    r->unranked = r->ranked ? r->unranked : r->scored ? b->n - scored : 0;
    if (b->n)
        qsort_r(b->sorted, b->n, sizeof *b->sorted, compare_rows, &r->ranked);
}

static void count_lists(struct building *b, bool *seen, struct model *m)
{
    const struct served *s = b->s;
    b->report->rows = b->n;
    b->report->lists = s->nlists;
    b->report->places = m->record.events = s->nplaces;
    for (size_t u = 0; u < s->nusers; u++)
        m->record.users += s->first[u + 1] > s->first[u];
    for (size_t i = 0; i < s->nplaces; i++) {
        m->record.items += !seen[s->item[i]];
        seen[s->item[i]] = true;
    }
    m->record.bytes = (s->nusers + 1 + s->nlists + 1) * sizeof(size_t) + s->nlists * sizeof *s->time +
                      s->nplaces * (sizeof *s->item + sizeof *s->place + (s->score ? sizeof *s->score : 0));
}

/* A file that fits the data in nothing is most likely the wrong one, or its columns are. */
static enum status nothing_known(const struct served_report *r, struct error *err)
{
    if (r->unknown_users == r->rows)
        error_set(err, ST_STATE, "the data has none of the users that lists were served to");
    else
        error_set(err, ST_STATE, "the data has none of the items in the lists");
    error_hint(err, "ids are compared as text, to the letter: user=COLUMN and item=COLUMN say where they stand");
    return ST_STATE;
}

enum status served_new(const struct dataset *d, const char *name, struct served_row *rows, size_t n, size_t nkeys,
                       struct model **out, struct served_report *report, struct error *err)
{
    struct building b = {.n = n, .report = report};
    bool *seen = NULL;
    *report = (struct served_report){.rows = n};
    struct model *m = model_new(&model_served, name, NULL, d->users.n, d->items.n, err);
    enum status st = m && (m->state = b.s = mem_new(1, sizeof *b.s, "served lists", err)) ? ST_OK : ST_NOMEM;
    if (!st)
        st = make_room(&b, d, nkeys, err);
    if (!st && !(seen = mem_new(d->items.n, sizeof *seen, "items of served lists", err)))
        st = ST_NOMEM;
    if (!st) {
        sort_rows(&b, rows);
        take_lists(&b);
        report->crossed = report->scored && !scores_fall(b.s);
        if (!report->scored || report->crossed) {
            mem_free(b.s->score);
            b.s->score = NULL;
        }
        report->scored = b.s->score != NULL;
        count_lists(&b, seen, m);
        if (!b.s->nplaces)
            st = nothing_known(report, err);
    }
    mem_free(seen);
    mem_free(b.sorted);
    mem_free(b.mark);
    if (st) {
        model_release(m);
        return st;
    }
    m->record.data_fingerprint = d->fingerprint;
    m->record.created = clock_now_us();
    *out = m;
    return ST_OK;
}

/* ---- looking ---- */

static void list_of(const struct served *s, size_t l, struct served_list *out)
{
    size_t begin = s->begin[l];
    *out = (struct served_list){s->time[l], s->item + begin, s->place + begin, s->score ? s->score + begin : NULL,
                                s->begin[l + 1] - begin};
}

double model_shown_score(const struct model *m, double score)
{
    const struct served *s = model_is_served(m) ? model_trained(m)->state : NULL;
    return s && !s->score ? (double)NAN : score;
}

bool served_at(const struct model *m, uint32_t user, size_t i, struct served_list *out)
{
    const struct served *s = model_trained(m)->state;
    if (user >= s->nusers || i >= s->first[user + 1] - s->first[user])
        return false;
    list_of(s, s->first[user] + i, out);
    return true;
}

bool served_find(const struct model *m, uint32_t user, int64_t as_of, struct served_list *out)
{
    const struct served *s = model_trained(m)->state;
    if (user >= s->nusers) /* nobody, or who came later */
        return false;
    size_t low = s->first[user], high = s->first[user + 1];
    while (low < high && as_of != NO_TIME) { /* the first that was served later */
        size_t middle = low + (high - low) / 2;
        if (s->time[middle] <= as_of)
            low = middle + 1;
        else
            high = middle;
    }
    if (high == s->first[user])
        return false;
    list_of(s, high - 1, out);
    return true;
}

void served_span(const struct model *m, int64_t *oldest, int64_t *newest)
{
    const struct served *s = model_trained(m)->state;
    *oldest = *newest = NO_TIME;
    for (size_t l = 0; l < s->nlists; l++) {
        if (s->time[l] == NO_TIME)
            continue;
        if (*oldest == NO_TIME || s->time[l] < *oldest)
            *oldest = s->time[l];
        if (s->time[l] > *newest) /* NO_TIME is the smallest */
            *newest = s->time[l];
    }
}

size_t served_count(const struct model *m)
{
    const struct served *s = model_trained(m)->state;
    return s->nlists;
}

/* ---- the model ---- */

static enum status served_score(const struct model *m, const struct query *queries, size_t n, float *scores,
                                struct error *err)
{
    (void)err;
    for (size_t q = 0; q < n; q++) {
        float *out = scores + q * m->nitems;
        struct served_list l;
        for (size_t i = 0; i < m->nitems; i++)
            out[i] = -INFINITY;
        if (!served_find(m, queries[q].user, queries[q].as_of, &l))
            continue;
        for (size_t i = 0; i < l.n; i++)
            out[l.item[i]] = l.score ? l.score[i] : -(float)l.place[i];
    }
    return ST_OK;
}

static enum status served_explain(const struct model *m, const struct query *q, uint32_t item, struct explanation *out,
                                  struct error *err)
{
    (void)q;
    (void)item;
    (void)out;
    error_set(err, ST_UNSUPPORTED, "%s is a list that was served; it cannot be opened", m->name);
    error_hint(err, "`recommend USER with %s` shows it; ask models that were trained here why", m->name);
    return ST_UNSUPPORTED;
}

static enum status served_similar(const struct model *m, uint32_t item, float *similarity, struct error *err)
{
    (void)item;
    (void)similarity;
    error_set(err, ST_UNSUPPORTED, "%s is lists that were served and knows nothing of likeness between items", m->name);
    error_hint(err, "ask another model, such as: similar ITEM with itemknn");
    return ST_UNSUPPORTED;
}

static enum status served_save(const struct model *m, struct blob_writer *w, struct error *err)
{
    const struct served *s = m->state;
    uint64_t sizes[3] = {s->nlists, s->nplaces, s->score != NULL};
    enum status st = blob_put(w, "sizes", BLOB_U64, sizes, 3, err);
    if (!st)
        st = blob_put(w, "first", BLOB_U64, s->first, s->nusers + 1, err);
    if (!st)
        st = blob_put(w, "time", BLOB_I64, s->time, s->nlists, err);
    if (!st)
        st = blob_put(w, "begin", BLOB_U64, s->begin, s->nlists + 1, err);
    if (!st)
        st = blob_put(w, "item", BLOB_U32, s->item, s->nplaces, err);
    if (!st)
        st = blob_put(w, "place", BLOB_U32, s->place, s->nplaces, err);
    return st || !s->score ? st : blob_put(w, "score", BLOB_F32, s->score, s->nplaces, err);
}

/* Exactly n elements of a section, however many the blob claims. */
static enum status get(struct blob_reader *r, const char *name, enum blob_type type, size_t n, void **out,
                       struct error *err)
{
    size_t got;
    enum status st = blob_get_new(r, name, type, n, out, &got, err);
    return st || got == n ? st : error_set(err, ST_CORRUPT, "the served lists are damaged");
}

static bool starts_good(const size_t *start, size_t n, size_t end)
{
    bool good = start[0] == 0 && start[n] == end;
    for (size_t i = 0; i < n; i++)
        good = good && start[i] <= start[i + 1];
    return good;
}

/* Also that no item stands in a list twice: later ones would overwrite its score. */
static bool lists_good(const struct served *s, size_t *mark)
{
    for (size_t l = 0; l < s->nlists; l++)
        for (size_t i = s->begin[l]; i < s->begin[l + 1]; i++) {
            if (s->item[i] >= s->nitems || mark[s->item[i]] == l + 1 || s->place[i] == 0 ||
                (i > s->begin[l] && s->place[i] <= s->place[i - 1]))
                return false;
            mark[s->item[i]] = l + 1;
        }
    for (size_t u = 0; u < s->nusers; u++)
        for (size_t l = s->first[u] + 1; l < s->first[u + 1]; l++)
            if (s->time[l] <= s->time[l - 1])
                return false;
    return !s->score || scores_fall(s);
}

static enum status check_lists(const struct served *s, struct error *err)
{
    bool good = starts_good(s->first, s->nusers, s->nlists) && starts_good(s->begin, s->nlists, s->nplaces);
    size_t *mark = mem_new(s->nitems, sizeof *mark, "items of served lists", err);
    if (!mark)
        return ST_NOMEM;
    good = good && lists_good(s, mark);
    mem_free(mark);
    return good ? ST_OK : error_set(err, ST_CORRUPT, "the served lists are damaged");
}

static enum status served_load(struct model *m, struct blob_reader *r, struct error *err)
{
    uint64_t sizes[3];
    struct served *s = mem_new(1, sizeof *s, "served lists", err);
    if (!s)
        return ST_NOMEM;
    m->state = s;
    s->nusers = m->nusers;
    s->nitems = m->nitems;
    enum status st = blob_get(r, "sizes", BLOB_U64, sizes, 3, err);
    if (!st && (sizes[0] > SIZE_MAX / 16 || sizes[1] > SIZE_MAX / 16))
        st = error_set(err, ST_CORRUPT, "the served lists are damaged");
    if (st)
        return st;
    s->nlists = sizes[0];
    s->nplaces = sizes[1];
    void *first = NULL, *time = NULL, *begin = NULL, *item = NULL, *place = NULL, *score = NULL;
    st = get(r, "first", BLOB_U64, s->nusers + 1, &first, err);
    if (!st)
        st = get(r, "time", BLOB_I64, s->nlists, &time, err);
    if (!st)
        st = get(r, "begin", BLOB_U64, s->nlists + 1, &begin, err);
    if (!st)
        st = get(r, "item", BLOB_U32, s->nplaces, &item, err);
    if (!st)
        st = get(r, "place", BLOB_U32, s->nplaces, &place, err);
    if (!st && sizes[2])
        st = get(r, "score", BLOB_F32, s->nplaces, &score, err);
    s->first = first;
    s->time = time;
    s->begin = begin;
    s->item = item;
    s->place = place;
    s->score = score;
    return st ? st : check_lists(s, err);
}

const struct model_class model_served = {
    .name = "served",
    .summary = "lists that were really served, from a file: `import` makes it, `train` does not",
    .reference = "no algorithm: what production showed, as logged",
    .fold_in = "does not look at the history: a user's list is the latest that was served at the moment of asking; "
               "without one, no list",
    .capabilities = SERVED | SCORES_APART,
    .score = served_score,
    .explain = served_explain,
    .similar = served_similar,
    .save = served_save,
    .load = served_load,
    .free = served_free,
};
