#include "screen/data_facts.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { WHEN_BINS = 120, TAIL_POINTS = 200, MOST_VALUES = 11 };

static int descending(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x > y ? -1 : x < y;
}


/* ---- when ---- */

/* Bins of whole hours, days or weeks: as few as suffice. */
static int64_t bin_width(int64_t range)
{
    static const int64_t hours[] = {1, 6, 24, 7 * 24, 28 * 24};
    for (size_t i = 0; i < sizeof hours / sizeof *hours; i++)
        if (range / (hours[i] * 3600 * US_PER_SECOND) < WHEN_BINS * 2)
            return hours[i] * 3600 * US_PER_SECOND;
    return (range / WHEN_BINS / US_PER_DAY + 1) * US_PER_DAY;
}

static void count_when(struct data_facts *f)
{
    const struct events *e = &f->data->events;
    if (!dataset_time_range(f->data, &f->oldest, &f->newest)) {
        f->oldest = f->newest = NO_TIME;
        return;
    }
    int64_t width = bin_width(f->newest - f->oldest), begin = f->oldest - ((f->oldest % width) + width) % width;
    size_t n = (size_t)((f->newest - begin) / width) + 1;
    const char *unit = width < US_PER_DAY        ? "hours"
                       : width == US_PER_DAY     ? "day"
                       : width == 7 * US_PER_DAY ? "week"
                                                 : "days";
    const char *title =
        width == US_PER_DAY || width == 7 * US_PER_DAY
            ? result_textf(f->result, "events a %s", unit)
            : result_textf(f->result, "events in %lld %s",
                           (long long)(width / (width < US_PER_DAY ? 3600 * US_PER_SECOND : US_PER_DAY)), unit);
    f->when = result_series(f->result, "when", title, VALUE_TIME, n, false);
    if (!f->when)
        return;
    f->when->style = "line";
    for (size_t i = 0; i < n; i++)
        f->when->x[i] = (double)(begin + (int64_t)i * width);
    for (size_t i = 0; i < e->n; i++)
        if (e->time[i] != NO_TIME)
            f->when->y[(e->time[i] - begin) / width]++;
}

/* ---- who gets the attention ---- */

static enum status count_items(struct data_facts *f, struct error *err)
{
    const struct dataset *d = f->data;
    uint32_t *count = mem_new(d->items.n + (size_t)d->users.n + 1, sizeof *count, "counts", err);
    if (!count)
        return ST_NOMEM;
    for (size_t i = 0; i < d->events.n; i++)
        count[d->events.item[i]]++;
    qsort(count, d->items.n, sizeof *count, descending);
    f->median_item = d->items.n ? count[d->items.n / 2] : 0;
    uint64_t sum = 0;
    while (f->half_items < d->items.n && sum * 2 < d->events.n)
        sum += count[f->half_items++];
    size_t points = d->items.n < TAIL_POINTS ? d->items.n : TAIL_POINTS;
    f->tail = result_series(f->result, "tail", "", VALUE_INT, points, false);
    for (size_t i = 0; f->tail && i < points; i++) {
        size_t at = points > 1 ? i * (d->items.n - 1) / (points - 1) : 0;
        f->tail->x[i] = (double)(at + 1);
        f->tail->y[i] = count[at];
    }
    if (f->tail)
        f->tail->style = "line";
    uint32_t *users = count + d->items.n;
    for (uint32_t u = 0; u < d->users.n; u++)
        users[u] = (uint32_t)(d->user_begin[u + 1] - d->user_begin[u]);
    qsort(users, d->users.n, sizeof *users, descending);
    f->median_user = d->users.n ? users[d->users.n / 2] : 0;
    mem_free(count);
    return ST_OK;
}

/* Distinct pairs: an item was met before by this user when its mark is this user's. */
static enum status count_pairs(struct data_facts *f, struct error *err)
{
    const struct events *e = &f->data->events;
    uint32_t *mark = mem_new(f->data->items.n, sizeof *mark, "counts", err);
    if (!mark)
        return ST_NOMEM;
    for (size_t i = 0; i < e->n; i++)
        if (mark[e->item[i]] != e->user[i] + 1) {
            mark[e->item[i]] = e->user[i] + 1;
            f->pairs++;
        }
    mem_free(mark);
    return ST_OK;
}

/* ---- kinds ---- */

static int by_count(const void *a, const void *b)
{
    const struct data_bar *x = a, *y = b;
    return x->n > y->n ? -1 : x->n < y->n;
}

static enum status count_types(struct data_facts *f, struct error *err)
{
    const struct dataset *d = f->data;
    struct data_bar *all = mem_new(d->types.n, sizeof *all, "counts", err);
    if (!all)
        return ST_NOMEM;
    for (size_t i = 0; i < d->events.n; i++)
        all[d->events.type[i]].n++;
    for (uint32_t t = 0; t < d->types.n; t++)
        snprintf(all[t].label, sizeof all[t].label, "%s", dict_text(&d->types, t));
    qsort(all, d->types.n, sizeof *all, by_count);
    f->nbars = d->types.n < MOST_BARS ? d->types.n : MOST_BARS;
    memcpy(f->bars, all, f->nbars * sizeof *all);
    mem_free(all);
    for (size_t i = 0; i < f->nbars; i++)
        f->bars[i].share = f->bars[i].n / f->bars[0].n;
    f->bars_title = "funnel of event types";
    f->bars_note = "of the first";
    return ST_OK;
}

static int by_label(const void *a, const void *b)
{
    double x = strtod(((const struct data_bar *)a)->label, NULL), y = strtod(((const struct data_bar *)b)->label, NULL);
    return x > y ? -1 : x < y;
}

/* Few distinct values (stars): a bar each. False when there are many, or none. */
static bool count_values(struct data_facts *f)
{
    const struct events *e = &f->data->events;
    float value[MOST_VALUES];
    size_t n = 0, known = 0;
    if (!e->value)
        return false;
    for (size_t i = 0; i < e->n; i++) {
        size_t at = 0;
        if (isnan(e->value[i]))
            continue;
        while (at < n && (value[at] < e->value[i] || value[at] > e->value[i]))
            at++;
        if (at == MOST_VALUES)
            return false;
        if (at == n) {
            f->bars[n].n = 0;
            value[n++] = e->value[i];
        }
        f->bars[at].n++;
        known++;
    }
    for (size_t i = 0; i < n; i++) {
        snprintf(f->bars[i].label, sizeof f->bars[i].label, "%g", (double)value[i]);
        f->bars[i].share = f->bars[i].n / (double)known;
    }
    qsort(f->bars, n, sizeof *f->bars, by_label);
    f->nbars = n;
    f->bars_title = "values";
    f->bars_note = "of all";
    return n > 1;
}

/* ---- the newest ---- */

static int64_t moment(const struct events *e, size_t i)
{
    return e->time ? e->time[i] : 0;
}

static bool older(const struct events *e, size_t a, size_t b)
{
    return moment(e, a) != moment(e, b) ? moment(e, a) < moment(e, b) : e->sequence[a] < e->sequence[b];
}

/* heap[0] is the oldest that is kept. */
static void sift(const struct events *e, size_t *heap, size_t n, size_t at)
{
    for (;;) {
        size_t least = at;
        for (size_t child = 2 * at + 1; child <= 2 * at + 2 && child < n; child++)
            if (older(e, heap[child], heap[least]))
                least = child;
        if (least == at)
            return;
        size_t swap = heap[at];
        heap[at] = heap[least];
        heap[least] = swap;
        at = least;
    }
}

static size_t find_newest(const struct events *e, size_t *heap)
{
    size_t n = e->n < NEWEST_EVENTS ? e->n : NEWEST_EVENTS;
    for (size_t i = 0; i < n; i++)
        heap[i] = i;
    for (size_t i = n / 2; i-- > 0;)
        sift(e, heap, n, i);
    for (size_t i = n; i < e->n; i++)
        if (older(e, heap[0], i)) {
            heap[0] = i;
            sift(e, heap, n, 0);
        }
    for (size_t left = n; left > 1;) { /* the oldest to the end, again and again */
        size_t swap = heap[0];
        heap[0] = heap[--left];
        heap[left] = swap;
        sift(e, heap, left, 0);
    }
    return n;
}

static enum status list_newest(struct data_facts *f, struct error *err)
{
    static const struct column columns[] = {
        {"time", VALUE_TIME, "", 0, 0}, {"user", VALUE_TEXT, "", 0, 0}, {"type", VALUE_TEXT, "", 0, 0},
        {"item", VALUE_TEXT, "", 0, 0}, {"value", VALUE_REAL, "", -1, 0},
    };
    enum { TIME, USER, TYPE, ITEM, VALUE };
    const struct dataset *d = f->data;
    const struct events *e = &d->events;
    struct column shown[sizeof columns / sizeof *columns];
    memcpy(shown, columns, sizeof columns);
    if (!e->time)
        shown[TIME].flags |= COLUMN_HIDDEN;
    if (d->types.n < 2)
        shown[TYPE].flags |= COLUMN_HIDDEN;
    if (!e->value)
        shown[VALUE].flags |= COLUMN_HIDDEN;
    size_t *heap = mem_new_raw(NEWEST_EVENTS, sizeof *heap, "the newest events", err);
    f->newest_users = mem_new(NEWEST_EVENTS, sizeof *f->newest_users, "the newest events", err);
    if (!heap || !f->newest_users) {
        mem_free(heap);
        return ST_NOMEM;
    }
    f->newest_events = result_table(f->result, "events", "", shown, sizeof columns / sizeof *columns);
    size_t n = find_newest(e, heap);
    for (size_t i = 0; i < n; i++) {
        size_t at = heap[i];
        f->newest_users[i] = e->user[at];
        table_time(f->newest_events, e->time ? e->time[at] : NO_TIME);
        table_text(f->newest_events, dict_text(&d->users, e->user[at]));
        table_text(f->newest_events, dict_text(&d->types, e->type[at]));
        table_text(f->newest_events, dataset_item_title(d, e->item[at]));
        table_real(f->newest_events, e->value ? (double)e->value[at] : (double)NAN);
    }
    mem_free(heap);
    return ST_OK;
}

/* ---- all of it ---- */

void data_facts_free(struct data_facts *f)
{
    if (!f)
        return;
    if (f->result)
        result_free(f->result);
    mem_free(f->newest_users);
    mem_free(f);
}

const char *data_facts_user(const struct data_facts *f, size_t row)
{
    return dict_text(&f->data->users, f->newest_users[row]);
}

enum status data_facts_new(const struct dataset *d, struct data_facts **out, struct error *err)
{
    struct data_facts *f = mem_new(1, sizeof *f, "facts of the data", err);
    if (!f)
        return ST_NOMEM;
    f->data = d;
    f->result = result_new(err);
    enum status st = f->result ? ST_OK : ST_NOMEM;
    if (st == ST_OK)
        count_when(f);
    if (st == ST_OK)
        st = count_items(f, err);
    if (st == ST_OK)
        st = count_pairs(f, err);
    if (st == ST_OK && (d->types.n > 1 || !count_values(f)))
        st = count_types(f, err);
    if (st == ST_OK)
        st = list_newest(f, err);
    if (st == ST_OK)
        st = result_status(f->result, err);
    if (st != ST_OK) {
        data_facts_free(f);
        return st;
    }
    *out = f;
    return ST_OK;
}
