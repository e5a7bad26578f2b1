#include "models/history.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"

struct query_event history_event(const struct dataset *d, size_t e, int64_t moment)
{
    return (struct query_event){
        .item = d->events.item[e],
        .type = d->events.type[e],
        .value = d->events.value ? d->events.value[e] : NAN,
        .weight = event_weight(d, e, moment),
        .time = d->events.time ? d->events.time[e] : NO_TIME,
        .event = e,
    };
}

/* Writes what the selection has of a user; out NULL only counts. */
static size_t gather(const struct selection *s, int64_t moment, uint32_t user, struct query_event *out)
{
    size_t n = 0;
    for (size_t e = s->data->user_begin[user]; e < s->data->user_begin[user + 1]; e++) {
        if (!selection_has(s, e))
            continue;
        if (out)
            out[n] = history_event(s->data, e, moment);
        n++;
    }
    return n;
}

enum status history_of_user(const struct selection *s, uint32_t user, struct history *out, struct error *err)
{
    *out = (struct history){.user = user, .as_of = s->until, .hides = s->hides};
    enum status st = mem_grow(&out->events, &out->capacity, gather(s, NO_TIME, user, NULL), sizeof *out->events, err);
    if (!st)
        out->n = gather(s, selection_moment(s), user, out->events);
    return st;
}

enum status history_of_events(const struct query_event *events, size_t n, int64_t as_of, struct history *out,
                              struct error *err)
{
    *out = (struct history){.user = NO_USER, .as_of = as_of};
    enum status st = mem_grow(&out->events, &out->capacity, n, sizeof *out->events, err);
    if (st || !n)
        return st;
    memcpy(out->events, events, n * sizeof *events);
    out->n = n;
    return ST_OK;
}

/* The commonest type that counts as feedback, as of a moment; ties go to the one seen first. */
static enum status common_type(const struct dataset *d, int64_t as_of, uint16_t *type, struct error *err)
{
    size_t *count = mem_new(d->types.n, sizeof *count, "event types", err);
    if (!count)
        return ST_NOMEM;
    for (size_t e = 0; e < d->events.n; e++)
        count[d->events.type[e]] += event_before(d, e, as_of);
    uint32_t best = NO_CODE;
    for (uint32_t t = 0; t < d->types.n; t++)
        if (d->type_weight[t] > 0 && (best == NO_CODE || count[t] > count[best]))
            best = t;
    mem_free(count);
    if (best == NO_CODE) {
        error_set(err, ST_STATE, "no type of event counts as feedback: all weights are 0");
        error_hint(err, "give one a weight, such as: weight %s=1", d->types.n ? dict_text(&d->types, 0) : "click");
        return ST_STATE;
    }
    *type = (uint16_t)best;
    return ST_OK;
}

enum status history_add(struct history *h, const struct dataset *d, uint32_t item, struct error *err)
{
    uint16_t type;
    enum status st = common_type(d, h->as_of, &type, err);
    if (!st)
        st = mem_grow(&h->events, &h->capacity, h->n + 1, sizeof *h->events, err);
    if (st)
        return st;
    h->events[h->n++] = (struct query_event){.item = item,
                                             .type = type,
                                             .value = NAN,
                                             .weight = d->type_weight[type],
                                             .time = h->as_of,
                                             .event = UINT64_MAX};
    return ST_OK;
}

size_t history_remove(struct history *h, uint32_t item)
{
    size_t kept = 0, before = h->n;
    for (size_t i = 0; i < h->n; i++)
        if (h->events[i].item != item)
            h->events[kept++] = h->events[i];
    h->n = kept;
    return before - kept;
}

void history_age(struct history *h, const struct dataset *d, int64_t moment)
{
    for (size_t i = 0; i < h->n && d->halflife; i++) {
        struct query_event *q = &h->events[i];
        q->weight = q->event < d->events.n ? event_weight(d, q->event, moment)
                                           : decayed_weight(d, (double)d->type_weight[q->type], q->time, moment);
    }
}

void history_clear(struct history *h)
{
    mem_free(h->events);
    *h = (struct history){.user = NO_USER, .as_of = NO_TIME};
}

enum status histories_of_users(const struct selection *s, const uint32_t *users, size_t n, struct histories *out,
                               struct error *err)
{
    size_t total = 0;
    *out = (struct histories){.n = n};
    for (size_t i = 0; i < n; i++)
        total += gather(s, NO_TIME, users[i], NULL);
    out->queries = mem_new(n, sizeof *out->queries, "histories", err);
    out->events = mem_new_raw(total, sizeof *out->events, "events of histories", err);
    if (!out->queries || !out->events) {
        histories_clear(out);
        return ST_NOMEM;
    }
    struct query_event *at = out->events;
    int64_t moment = selection_moment(s);
    for (size_t i = 0; i < n; i++) {
        size_t got = gather(s, moment, users[i], at);
        out->queries[i] =
            (struct query){.events = at, .n = got, .user = users[i], .as_of = s->until, .hides = s->hides};
        at += got;
    }
    return ST_OK;
}

void histories_clear(struct histories *h)
{
    mem_free(h->queries);
    mem_free(h->events);
    *h = (struct histories){0};
}
