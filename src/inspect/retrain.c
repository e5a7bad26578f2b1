#include "inspect/retrain.h"

#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "data/grow.h"
#include "models/update.h"

/* What differs between the two histories, and what the model learnt from. */
struct edit {
    const struct retrain *r;
    struct dataset *early;   /* as the data were in training; NULL: as they are */
    struct selection learnt;
    uint64_t *removed;       /* sequence numbers of events that training had, ascending; owned */
    size_t nremoved;
    struct query_event *added; /* owned */
    size_t nadded;
    const struct query_attribute *
        *said; /* attributes of the user that are another now, and that the model reads; owned */
    size_t nsaid;
};

static void edit_clear(struct edit *e)
{
    dataset_release(e->early);
    mem_free(e->removed);
    mem_free(e->added);
    mem_free(e->said);
}

/* ---- what is edited ---- */

static bool has_event(const struct query *q, uint64_t event)
{
    for (size_t i = 0; i < q->n; i++)
        if (q->events[i].event == event)
            return true;
    return false;
}

static bool sequence_in(const struct edit *e, uint64_t sequence)
{
    for (size_t i = 0; i < e->nremoved; i++)
        if (e->removed[i] == sequence)
            return true;
    return false;
}

/* Keeps those of the removed that training had. */
static void find_learnt(struct edit *e)
{
    const struct dataset *d = e->learnt.data;
    uint32_t user = e->r->before->user;
    size_t n = 0;
    for (size_t at = d->user_begin[user]; at < d->user_begin[user + 1]; at++) {
        for (size_t i = n; i < e->nremoved && selection_has(&e->learnt, at); i++) {
            if (e->removed[i] != d->events.sequence[at])
                continue;
            e->removed[i] = e->removed[n];
            e->removed[n++] = d->events.sequence[at];
            break;
        }
    }
    e->nremoved = n;
}

static bool is_so_already(const struct field *f, uint32_t user, const char *value)
{
    struct str cell = {0};
    field_format(f, user, &cell);
    bool same = strcmp(str_text(&cell), value) == 0;
    str_free(&cell);
    return same;
}

static enum status find_said(struct edit *e, struct error *err)
{
    const struct query *after = e->r->after;
    e->said = mem_new(after->nattributes, sizeof *e->said, "changed attributes", err);
    if (!e->said)
        return ST_NOMEM;
    for (size_t i = 0; i < after->nattributes; i++) {
        const struct query_attribute *a = &after->attributes[i];
        const struct field *f = fields_find(&e->learnt.data->user_fields, a->field);
        if (f && model_reads(e->r->m, a->field) && !is_so_already(f, e->r->before->user, a->value))
            e->said[e->nsaid++] = a;
    }
    return ST_OK;
}

static enum status edit_new(struct edit *e, const struct retrain *r, struct error *err)
{
    *e = (struct edit){.r = r};
    enum status st = model_learnt_from(model_trained(r->m), r->data, r->split, &e->early, &e->learnt, err);
    if (st)
        return st;
    e->removed = mem_new_raw(r->before->n, sizeof *e->removed, "edited events", err);
    e->added = mem_new_raw(r->after->n, sizeof *e->added, "edited events", err);
    if (!e->removed || !e->added)
        return ST_NOMEM;
    for (size_t i = 0; i < r->before->n; i++) {
        uint64_t event = r->before->events[i].event;
        if (event < r->data->events.n && !has_event(r->after, event))
            e->removed[e->nremoved++] = r->data->events.sequence[event];
    }
    for (size_t i = 0; i < r->after->n; i++)
        if (r->after->events[i].event >= r->data->events.n)
            e->added[e->nadded++] = r->after->events[i];
    find_learnt(e);
    return find_said(e, err);
}

/* ---- by the class itself ---- */

/* The user's events of training as a history, or as they would be when `edited`. */
static enum status gather(const struct edit *e, bool edited, struct history *h, struct error *err)
{
    enum status st = history_of_user(&e->learnt, e->r->before->user, h, err);
    if (st || !edited)
        return st;
    size_t n = 0;
    for (size_t i = 0; i < h->n; i++)
        if (!sequence_in(e, e->learnt.data->events.sequence[h->events[i].event]))
            h->events[n++] = h->events[i];
    h->n = n;
    st = mem_grow(&h->events, &h->capacity, n + e->nadded, sizeof *h->events, err);
    if (st)
        return st;
    if (e->nadded)
        memcpy(h->events + n, e->added, e->nadded * sizeof *e->added);
    h->n += e->nadded;
    return ST_OK;
}

static enum status update(const struct edit *e, float *scores, struct error *err)
{
    struct history was = {0}, is = {0};
    struct folded before = {0}, after = {0};
    enum status st = gather(e, false, &was, err);
    if (!st)
        st = gather(e, true, &is, err);
    struct query x = history_query(&was), y = history_query(&is);
    if (!st)
        st = folded_new(&before, &x, 1, err);
    if (!st)
        st = folded_new(&after, &y, 1, err);
    if (!st) {
        struct row_edit row = {before.items, after.items, before.begin[1], after.begin[1]};
        st = model_retrained(e->r->m, &row, e->r->after, scores, err);
    }
    folded_clear(&before);
    folded_clear(&after);
    history_clear(&was);
    history_clear(&is);
    return st;
}

/* ---- by training anew ---- */

/* The added events as a data set of their own. */
static enum status make_batch(const struct edit *e, struct dataset **out, struct error *err)
{
    const struct dataset *d = e->learnt.data;
    const char *user = dict_text(&e->r->data->users, e->r->before->user);
    struct dataset *b = dataset_new(d->name, err);
    if (!b)
        return ST_NOMEM;
    int64_t oldest, newest = NO_TIME;
    struct events *to = &b->events;
    enum status st = ST_NOMEM;
    dataset_time_range(d, &oldest, &newest);
    to->user = mem_new(e->nadded, sizeof *to->user, "added events", err);
    to->item = mem_new(e->nadded, sizeof *to->item, "added events", err);
    to->type = mem_new(e->nadded, sizeof *to->type, "added events", err);
    to->sequence = mem_new(e->nadded, sizeof *to->sequence, "added events", err);
    to->time = d->events.time ? mem_new(e->nadded, sizeof *to->time, "added events", err) : NULL;
    to->value = d->events.value ? mem_new(e->nadded, sizeof *to->value, "added events", err) : NULL;
    if (!to->user || !to->item || !to->type || !to->sequence || (d->events.time && !to->time) ||
        (d->events.value && !to->value))
        goto out;
    st = ST_OK;
    for (size_t i = 0; i < e->nadded && !st; i++) {
        const char *item = dict_text(&e->r->data->items, e->added[i].item),
                   *type = dict_text(&d->types, e->added[i].type);
        uint32_t code = 0;
        st = dict_add(&b->users, user, strlen(user), &to->user[i], err);
        if (!st)
            st = dict_add(&b->items, item, strlen(item), &to->item[i], err);
        if (!st)
            st = dict_add(&b->types, type, strlen(type), &code, err);
        to->type[i] = (uint16_t)code;
        to->sequence[i] = i;
        if (to->time) /* asked now, so it happened last */
            to->time[i] = e->added[i].time != NO_TIME ? e->added[i].time : newest;
        if (to->time && e->learnt.until != NO_TIME && to->time[i] >= e->learnt.until)
            to->time[i] = e->learnt.until - 1;
        if (to->value)
            to->value[i] = e->added[i].value;
    }
    to->n = st ? 0 : e->nadded;
    if (!st)
        st = dataset_finish(b, err);
out:
    if (st)
        dataset_release(b);
    else
        *out = b;
    return st;
}

/* What training sees: a split whose train part is the edited events. */
static enum status make_split(const struct edit *e, const struct dataset *d, struct split **out, struct error *err)
{
    const struct dataset *from = e->learnt.data;
    uint32_t user = e->r->before->user;
    struct split *s = mem_new(1, sizeof *s, "edited events", err);
    if (!s)
        return ST_NOMEM;
    atomic_init(&s->references, 1);
    s->part = mem_new(d->events.n, sizeof *s->part, "edited events", err);
    enum status st = s->part ? ST_OK : ST_NOMEM;
    if (!st && e->learnt.split) {
        split_release(s);
        s = NULL;
        st = split_carry(e->learnt.split, from, d, &s, err);
    } else if (!st) {
        memset(s->part, PART_TRAIN, d->events.n);
    }
    if (st) {
        split_release(s);
        return st;
    }
    for (size_t i = d->user_begin[user]; i < d->user_begin[user + 1]; i++) {
        bool old = d->events.n == from->events.n;
        for (size_t j = from->user_begin[user]; j < from->user_begin[user + 1] && !old; j++)
            old = from->events.sequence[j] == d->events.sequence[i];
        if (!old)
            s->part[i] = PART_TRAIN;
        else if (sequence_in(e, d->events.sequence[i]))
            s->part[i] = PART_NONE;
    }
    *out = s;
    return ST_OK;
}

/* The data with what was added, and with the user as they are said to be. *own: NULL where they are what was learnt
 * from. */
static enum status make_data(const struct edit *e, struct dataset **own, struct error *err)
{
    struct dataset *batch = NULL;
    enum status st = e->nadded ? make_batch(e, &batch, err) : ST_OK;
    if (!st && batch)
        st = dataset_grow(e->learnt.data, batch, own, err);
    else if (!st && e->nsaid)
        st = dataset_again(e->learnt.data, own, err);
    for (size_t i = 0; i < e->nsaid && !st; i++)
        st =
            field_put(fields_find(&(*own)->user_fields, e->said[i]->field), e->r->before->user, e->said[i]->value, err);
    dataset_release(batch);
    return st;
}

static enum status train_anew(const struct edit *e, float *scores, struct error *err)
{
    const struct model *m = e->r->m, *from = model_trained(m);
    struct dataset *own = NULL;
    struct split *s = NULL;
    struct model *anew = NULL, *wide = NULL;
    enum status st = make_data(e, &own, err);
    const struct dataset *d = own ? own : e->learnt.data;
    if (!st)
        st = make_split(e, d, &s, err);
    if (!st) {
        struct selection selection = {
            .data = d, .split = s, .parts = PART_TRAIN, .until = e->learnt.until, .hides = e->learnt.hides};
        st = model_train(from->class, from->name, from->values, &selection, from->record.seed, NULL, e->r->job, &anew,
                         err);
    }
    if (!st && anew->nitems < m->nitems) {
        wide = model_widen(anew, m->nusers, m->nitems, err);
        st = wide ? ST_OK : ST_NOMEM;
    }
    if (!st)
        st = model_score(wide ? wide : anew, e->r->after, 1, scores, err);
    model_release(wide);
    model_release(anew);
    split_release(s);
    dataset_release(own);
    return st;
}

/* ---- one model ---- */

static enum status check(const struct retrain *r, struct error *err)
{
    const struct model *m = r->m;
    if (r->before->user == NO_USER) {
        error_set(err, ST_UNSUPPORTED,
                  "no model has learnt from a made-up user, so none can be retrained without their events");
        error_hint(err, "ask about a user of the data, or leave retrain=yes out");
        return ST_UNSUPPORTED;
    }
    if (r->before->user >= model_trained(m)->nusers) {
        error_set(err, ST_UNSUPPORTED, "%s came after %s was trained", dict_text(&r->data->users, r->before->user),
                  m->name);
        error_hint(err, "`update %s`, or train it anew, and ask again", m->name);
        return ST_UNSUPPORTED;
    }
    for (size_t i = 0; i < r->after->n; i++) {
        if (r->after->events[i].item < model_trained(m)->nitems || r->after->events[i].event < r->data->events.n)
            continue;
        error_set(err, ST_UNSUPPORTED, "%s came after %s was trained",
                  dataset_item_title(r->data, r->after->events[i].item), m->name);
        error_hint(err, "`update %s`, or train it anew, and ask again", m->name);
        return ST_UNSUPPORTED;
    }
    return ST_OK;
}

/* Weights that fade change all at once when the newest event does. */
static bool has_slot(const struct model *m, const struct dataset *d)
{
    return m->class->retrained && !d->halflife;
}

/* A model that is none. */
static enum status retrain_alone(const struct retrain *r, struct retrained *out, struct error *err)
{
    struct edit e = {0};
    enum status st = edit_new(&e, r, err);
    if (!st) {
        unsigned can = r->m->class->capabilities;
        out->removed = e.nremoved;
        out->added = e.nadded;
        out->attributes = e.nsaid;
        if (!e.nremoved && !e.nadded && !e.nsaid) {
            st = model_score(r->m, r->after, 1, out->scores, err);
        } else if (has_slot(r->m, r->data) && !e.nsaid) {
            out->way = RETRAIN_UPDATE;
            st = update(&e, out->scores, err);
        } else {
            out->way = (can & CAN_EPOCHS) && !(can & CLOSED_FORM) ? RETRAIN_CHANCE : RETRAIN_ANEW;
            st = train_anew(&e, out->scores, err);
        }
    }
    edit_clear(&e);
    return st;
}

/* ---- ensembles ---- */

/* In the place of a part: the same model, which is retrained when the ensemble asks it for scores, and not before. So
 * the part of a switch that does not answer, or one of no weight, costs nothing. */
struct stand_in {
    const struct retrain *whole; /* the question to the ensemble */
    struct retrained *out;       /* what is told of all its parts */
    const char *name;            /* the ensemble's */
    struct model *part;          /* as wide as the ensemble that is asked; held */
};

static size_t largest(size_t a, size_t b)
{
    return a > b ? a : b;
}

/* The ways of a nested ensemble are those of its parts. */
static enum status tell(const struct stand_in *s, const struct retrained *x, struct error *err)
{
    struct retrained *out = s->out;
    const struct retrained_part own = {s->name, x->way};
    const struct retrained_part *parts = x->nparts ? x->parts : &own;
    size_t n = x->nparts ? x->nparts : 1;
    enum status st = mem_grow(&out->parts, &out->capacity, out->nparts + n, sizeof *out->parts, err);
    if (st)
        return st;
    memcpy(out->parts + out->nparts, parts, n * sizeof *parts);
    out->nparts += n;
    if (x->way != RETRAIN_SAME && (out->way == RETRAIN_SAME || x->way > out->way))
        out->way = x->way;
    out->removed = largest(out->removed, x->removed);
    out->added = largest(out->added, x->added);
    out->attributes = largest(out->attributes, x->attributes);
    return ST_OK;
}

/* The one query is that of the whole, which has its own numbers of events and items. */
static enum status stand_in_score(const struct model *m, const struct query *queries, size_t n, float *scores,
                                  struct error *err)
{
    const struct stand_in *s = m->state;
    struct retrain r = *s->whole;
    struct retrained x;
    (void)queries;
    (void)n;
    r.m = s->part;
    enum status st = retrain_make(&r, &x, err);
    if (!st)
        st = tell(s, &x, err);
    if (!st)
        memcpy(scores, x.scores, m->nitems * sizeof *scores);
    retrained_clear(&x);
    return st;
}

static void stand_in_free(struct model *m)
{
    struct stand_in *s = m->state;
    model_release(s->part);
    mem_free(s);
}

static const struct model_class stand_in_class = {.name = "stand-in", .score = stand_in_score, .free = stand_in_free};

static enum status stand_in_new(const struct retrain *r, size_t p, struct retrained *out, struct model **to,
                                struct error *err)
{
    const struct model *from = model_trained(r->m);
    struct model *part = from->parts[p].model;
    struct model *m = model_new(&stand_in_class, part->name, NULL, from->nusers, from->nitems, err);
    struct stand_in *s = m ? mem_new(1, sizeof *s, "a model of an ensemble", err) : NULL;
    *to = m;
    if (!s)
        return ST_NOMEM;
    m->state = s;
    *s = (struct stand_in){r, out, from->parts[p].name, NULL};
    s->part = part->nitems < r->m->nitems ? model_widen(part, r->m->nusers, r->m->nitems, err) : model_hold(part);
    return s->part ? ST_OK : ST_NOMEM;
}

static enum status retrain_parts(const struct retrain *r, struct retrained *out, struct error *err)
{
    const struct model *from = model_trained(r->m);
    struct model *over = NULL, *wide = NULL;
    struct model **parts = mem_new(from->nparts, sizeof(struct model *), "the models of an ensemble", err);
    enum status st = parts ? ST_OK : ST_NOMEM;
    for (size_t p = 0; p < from->nparts && !st; p++)
        st = stand_in_new(r, p, out, &parts[p], err);
    if (!st)
        st = model_over(from, parts, from->nusers, from->nitems, &over, err);
    if (!st && from->nitems < r->m->nitems)
        st = (wide = model_widen(over, r->m->nusers, r->m->nitems, err)) ? ST_OK : ST_NOMEM;
    if (!st)
        st = model_score(wide ? wide : over, r->after, 1, out->scores, err);
    for (size_t p = 0; parts && p < from->nparts; p++)
        model_release(parts[p]);
    mem_free(parts);
    model_release(wide);
    model_release(over);
    return st;
}

enum status retrain_make(const struct retrain *r, struct retrained *out, struct error *err)
{
    double started = clock_seconds();
    *out = (struct retrained){.way = RETRAIN_SAME};
    enum status st = check(r, err);
    if (!st) {
        out->scores = mem_new_raw(r->m->nitems, sizeof *out->scores, "scores", err);
        st = out->scores ? ST_OK : ST_NOMEM;
    }
    if (!st)
        st = r->m->class->capabilities & OF_MODELS ? retrain_parts(r, out, err) : retrain_alone(r, out, err);
    for (size_t i = 0; i < r->m->nitems && r->m->later && !st; i++)
        if (r->m->later[i])
            out->scores[i] = -INFINITY;
    out->seconds = clock_seconds() - started;
    if (st)
        retrained_clear(out);
    return st;
}

void retrained_clear(struct retrained *r)
{
    mem_free(r->scores);
    mem_free(r->parts);
    *r = (struct retrained){0};
}
