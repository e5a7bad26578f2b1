#include "inspect/why.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"

/* ---- the place in the list ---- */

/* Neighbours of the item in the order of lists. */
static void find_neighbours(struct why *w, const float *scores, size_t n)
{
    w->above = w->below = NO_ITEM;
    for (uint32_t i = 0; i < n; i++) {
        float s = scores[i];
        if (i == w->item || !(s > -INFINITY))
            continue;
        bool better = s > w->score || (s == w->score && i < w->item);
        if (better && (w->above == NO_ITEM || s < w->score_above || (s == w->score_above && i > w->above))) {
            w->above = i;
            w->score_above = s;
        } else if (!better && (w->below == NO_ITEM || s > w->score_below || (s == w->score_below && i < w->below))) {
            w->below = i;
            w->score_below = s;
        }
    }
}

static enum status find_place(const struct model *m, const struct query *q, struct why *w, struct error *err)
{
    uint32_t times;
    float *scores = mem_new_raw(m->nitems, sizeof *scores, "scores", err);
    if (!scores)
        return ST_NOMEM;
    w->seen = rank_seen(q, w->item, &w->seen_at, &times);
    w->shown = w->shown || w->seen;
    enum status st = rank_scores(m, q, w->shown ? SEEN_SHOW : SEEN_HIDE, scores, err);
    if (!st) {
        w->score = scores[w->item];
        w->rank = rank_of(scores, m->nitems, w->item);
        for (uint32_t i = 0; i < m->nitems; i++) {
            w->ranked += scores[i] > -INFINITY;
            w->tied += w->rank && i != w->item && scores[i] == w->score;
        }
        find_neighbours(w, scores, m->nitems);
    }
    mem_free(scores);
    return st;
}

/* ---- without one item of the history ---- */

struct tries {
    const struct why *w;
    const struct query *whole;
    struct why_part **part;
    size_t nitems;
};

/* What is hidden stays hidden: the item taken out of the history does not come back as a rival. */
static void take_rank(void *context, size_t i, const struct query *q, const float *scores)
{
    struct tries *t = context;
    int64_t at;
    uint32_t times;
    (void)q;
    uint32_t item = t->w->item, removed = t->part[i]->what.item;
    size_t rank = rank_of(scores, t->nitems, item);
    float s = scores[removed];
    if (rank && !t->w->shown && removed != item && rank_seen(t->whole, removed, &at, &times) &&
        (s > scores[item] || (s == scores[item] && removed < item)))
        rank--;
    t->part[i]->rank_without = rank;
    t->part[i]->tried = true;
}

static size_t copy_without(const struct query *q, uint32_t item, struct query_event *out)
{
    size_t n = 0;
    for (size_t i = 0; i < q->n; i++)
        if (q->events[i].item != item)
            out[n++] = q->events[i];
    return n;
}

static enum status try_without(const struct model *m, const struct query *q, size_t tries, struct why *w,
                               struct error *err)
{
    size_t n = 0;
    enum status st = ST_NOMEM;
    tries = tries < w->nparts ? tries : w->nparts;
    struct query *queries = mem_new(tries, sizeof *queries, "histories", err);
    struct query_event *events = mem_new_raw(tries * q->n, sizeof *events, "histories", err);
    struct why_part **part = mem_new(tries, sizeof(struct why_part *), "histories", err);
    if (!queries || !events || !part)
        goto out;
    for (size_t i = 0; i < tries; i++) {
        struct why_part *p = &w->parts[i];
        if (p->what.item == NO_ITEM || p->what.item == w->item || p->what.value == 0)
            continue;
        queries[n] = *q;
        queries[n].events = events + n * q->n;
        queries[n].n = copy_without(q, p->what.item, events + n * q->n);
        part[n++] = p;
    }
    struct tries t = {w, q, part, m->nitems};
    st = rank_each(m, queries, n, w->shown ? SEEN_SHOW : SEEN_HIDE, NULL, take_rank, &t, err);
out:
    mem_free(queries);
    mem_free(events);
    mem_free(part);
    return st;
}

/* ---- all of it ---- */

static enum status take_parts(const struct query *q, const struct explanation *x, struct why *w, struct error *err)
{
    struct query any = *q; /* what does not hide can still be a reason */
    uint32_t times;
    any.hides = 0;
    w->base = x->base;
    w->own = x->own;
    w->own_is = x->own_is;
    w->exact = x->exact;
    w->method = x->method;
    w->parts = mem_new(x->nparts, sizeof *w->parts, "an explanation", err);
    if (!w->parts)
        return ST_NOMEM;
    for (w->nparts = 0; w->nparts < x->nparts; w->nparts++) {
        struct why_part *p = &w->parts[w->nparts];
        p->what = x->parts[w->nparts];
        p->time = NO_TIME;
        if (p->what.item != NO_ITEM)
            rank_seen(&any, p->what.item, &p->time, &times);
    }
    return ST_OK;
}

enum status why_make(const struct model *m, const struct query *q, uint32_t item, enum seen seen, size_t tries,
                     struct why *out, struct error *err)
{
    struct explanation x;
    *out = (struct why){.item = item,
                        .blank = q->n == 0,
                        .shown = seen == SEEN_SHOW,
                        .seen_at = NO_TIME,
                        .above = NO_ITEM,
                        .below = NO_ITEM};
    enum status st = model_explain(m, q, item, &x, err);
    if (!st)
        st = find_place(m, q, out, err);
    if (!st)
        st = take_parts(q, &x, out, err);
    if (!st)
        st = made_of_make(m, q, item, seen, &out->made_of, err);
    if (!st)
        st = try_without(m, q, tries, out, err);
    explanation_clear(&x);
    if (st)
        why_clear(out);
    return st;
}

void why_clear(struct why *w)
{
    mem_free(w->parts);
    made_of_clear(&w->made_of);
    *w = (struct why){.item = NO_ITEM};
}

bool why_only_models(const struct why *w)
{
    bool only = w->made_of.n > 0 && w->made_of.alone == w->made_of.n;
    for (size_t p = 0; p < w->nparts && only; p++)
        only = w->parts[p].what.item == NO_ITEM;
    return only && w->nparts > 0;
}

/* ---- the sentence ---- */

void put_ordinal(struct str *out, size_t n)
{
    char text[32];
    size_t ten = n % 100;
    const char *end = ten >= 11 && ten <= 13 ? "th"
                      : n % 10 == 1          ? "st"
                      : n % 10 == 2          ? "nd"
                      : n % 10 == 3          ? "rd"
                                             : "th";
    text_count(text, sizeof text, (int64_t)n);
    str_printf(out, "%s%s", text, end);
}

void put_spoken_title(const struct dataset *d, uint32_t item, struct str *out)
{
    static const char *const articles[] = {", The", ", A", ", An"};
    const char *title = dataset_item_title(d, item);
    size_t n = strlen(title);
    if (n > 7 && title[n - 1] == ')' && title[n - 6] == '(' && title[n - 7] == ' ' &&
        strspn(title + n - 5, "0123456789") == 4)
        n -= 7;
    for (size_t i = 0; i < 3; i++) {
        size_t length = strlen(articles[i]);
        if (n > length && strncmp(title + n - length, articles[i], length) == 0) {
            n -= length;
            str_printf(out, "%s ", articles[i] + 2);
            break;
        }
    }
    bool quoted = memchr(title, ',', n);
    str_puts(out, quoted ? "\"" : "");
    str_append(out, title, n);
    str_puts(out, quoted ? "\"" : "");
}

size_t why_main_reasons(const struct why_part *parts, size_t nparts, const struct why_part *reason[3])
{
    double positive = 0, sum = 0;
    size_t n = 0;
    for (size_t i = 0; i < nparts; i++)
        positive += parts[i].what.item != NO_ITEM && parts[i].what.value > 0 ? parts[i].what.value : 0;
    for (size_t i = 0; i < nparts && n < 3 && sum < positive / 2; i++) {
        if (parts[i].what.item == NO_ITEM || !(parts[i].what.value > 0))
            continue;
        sum += parts[i].what.value;
        reason[n++] = &parts[i];
    }
    return n;
}

static void put_day(int64_t time, struct str *out)
{
    char text[40];
    time_short(text, sizeof text, time);
    str_printf(out, " (%.10s)", text);
}

void put_reasons(const struct why_part *const *reason, size_t n, bool dated, const struct dataset *d, struct str *out)
{
    for (size_t i = 0; i < n; i++) {
        str_puts(out, i == 0 ? "" : i + 1 == n ? " and " : ", ");
        put_spoken_title(d, reason[i]->what.item, out);
        if (reason[i]->what.label[0])
            str_printf(out, " (%s)", reason[i]->what.label);
        else if (dated && i == 0 && reason[i]->time != NO_TIME)
            put_day(reason[i]->time, out);
    }
}

static void put_without(const struct why *w, const struct why_part *first, const struct dataset *d, struct str *out)
{
    if (!first->tried || first->rank_without == 0)
        return;
    str_puts(out, " Without ");
    put_spoken_title(d, first->what.item, out);
    str_puts(out, first->rank_without == w->rank ? " it would still be " : " it would be ");
    put_ordinal(out, first->rank_without);
    str_putc(out, '.');
}

/* ---- what does not come from the history ---- */

/* The reason that is no item of the history, where it weighs more than any that is one: what the item is to everybody,
 * or a model that has no eye for the history. */
static void put_apart(const struct why *w, const struct why_part *first, struct str *out)
{
    const struct made_part *by = NULL;
    double most = first ? first->what.value : 0;
    if (w->own_is && w->own > most) {
        str_puts(out, w->own_is);
        return;
    }
    for (size_t i = 0; i < w->nparts; i++) {
        if (w->parts[i].what.item != NO_ITEM || !(w->parts[i].what.value > most))
            continue;
        for (size_t p = 0; p < w->made_of.n; p++)
            if (w->made_of.parts[p].rank && strcmp(w->made_of.parts[p].model->name, w->parts[i].what.label) == 0)
                by = &w->made_of.parts[p];
        break;
    }
    if (!by)
        return;
    str_printf(out, "%s has it ", by->model->name);
    put_ordinal(out, by->rank);
}

static bool is_listed(const struct why *w)
{
    enum { LIST_LONG = 20 }; /* what one would still call recommended */
    return w->rank && w->rank <= LIST_LONG;
}

/* "Recommended", "It is 48th", "In the history already (1996-03-02); among all items it would be 3rd". Without a reason
 * nothing is called recommended. */
static void put_place(const struct why *w, bool reasons, struct str *out)
{
    if (w->seen) {
        char date[40];
        str_puts(out, "In the history already");
        if (w->seen_at != NO_TIME) {
            time_short(date, sizeof date, w->seen_at);
            str_printf(out, " (%s)", date);
        }
        str_puts(out, w->rank ? "; among all items it would be " : "");
    } else {
        str_puts(out, reasons && is_listed(w) ? "Recommended" : w->rank ? "It is " : "It has no place");
    }
    if (w->rank && (w->seen || !reasons || !is_listed(w)))
        put_ordinal(out, w->rank);
}

static void put_nothing(const struct why *w, bool models, struct str *out)
{
    char count[32];
    put_place(w, false, out);
    str_puts(out, models     ? ": none of the models it is made of speaks for it."
                  : w->blank ? ": there is no history to go by."
                             : ": nothing in the history speaks for it.");
    if (models || !w->tied)
        return;
    text_count(count, sizeof count, (int64_t)w->tied);
    str_printf(out, " %s other%s the same score: the data's order decides.", count, w->tied == 1 ? " has" : "s have");
}

/* Where no item of the history is a reason: other models are, or everybody. */
static void put_no_items(const struct why *w, struct str *out)
{
    const struct made_of *x = &w->made_of;
    bool models = x->n && (x->alone == x->n || x->parts[x->alone].model->class->capabilities & OF_MODELS);
    bool counted = w->nparts && w->parts[0].what.item == NO_ITEM && !models, joined = is_listed(w) && !w->seen;
    struct str reason = {0};
    if (models)
        made_of_places(x, &reason);
    else
        put_apart(w, NULL, &reason);
    if (reason.length || counted)
        put_place(w, true, out);
    else
        put_nothing(w, models, out);
    if (reason.length) {
        str_printf(out, "%sbecause %s.", joined ? " " : ", ", str_text(&reason));
    } else if (counted) {
        str_puts(out, joined ? " because it is popular: " : ", by how popular it is: ");
        for (size_t i = 0; i < w->nparts; i++)
            str_printf(out, "%s%s", i == 0 ? "" : i + 1 == w->nparts ? " and " : ", ", w->parts[i].what.label);
        str_putc(out, '.');
    }
    str_free(&reason);
}

static void put_because(const struct why *w, const struct why_part *const *reason, size_t n, const struct dataset *d,
                        struct str *out)
{
    bool joined = is_listed(w) || w->seen;
    struct str apart = {0};
    put_place(w, true, out);
    put_apart(w, reason[0], &apart);
    str_puts(out, !joined ? ". What speaks for it most" : w->seen ? ", mostly because" : " mostly because");
    if (apart.length)
        str_printf(out, "%s %s; of the history ", joined ? "" : " is that", str_text(&apart));
    else
        str_puts(out, joined ? " of " : ": ");
    put_reasons(reason, n, false, d, out);
    str_puts(out, apart.length && joined ? n == 1 ? " speaks for it most." : " speak for it most." : ".");
    str_free(&apart);
}

void why_sentence(const struct why *w, const struct dataset *d, struct str *out)
{
    const struct why_part *reason[3];
    size_t n = why_main_reasons(w->parts, w->nparts, reason);
    if (n) {
        put_because(w, reason, n, d, out);
        put_without(w, reason[0], d, out);
    } else {
        put_no_items(w, out);
    }
}
