#include "data/split.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "base/text.h"

/* Every kind carves the same way: all feedback starts as train, the test part is cut out of it, then the validation
 * part out of what is left by the same function. */
struct carver {
    const struct dataset *d;
    struct split *s;
    uint32_t target;   /* type that is judged, or NO_CODE: any */
    uint32_t *scratch; /* as long as the longest run of one user, at least users.n */
    struct error *err;
};

static bool is_feedback(const struct dataset *d, size_t e)
{
    return d->type_weight[d->events.type[e]] > 0;
}

static bool judged(const struct carver *c, size_t e)
{
    return c->target == NO_CODE || c->d->events.type[e] == c->target;
}

static bool in_train(const struct carver *c, size_t e)
{
    return c->s->part[e] == PART_TRAIN;
}

/* Rounds share * n, but leaves at least one behind. */
static size_t share_of(double share, size_t n)
{
    size_t want = (size_t)floor(share * (double)n + .5);
    return want < n ? want : n ? n - 1 : 0;
}

/* Where the last n judged train events of [begin, end) begin; `end` when there are fewer, or nothing before them. */
static size_t tail(const struct carver *c, size_t begin, size_t end, size_t n)
{
    size_t at = end;
    while (n && at > begin)
        n -= in_train(c, --at) && judged(c, at);
    if (n)
        return end;
    for (size_t e = begin; e < at; e++)
        if (in_train(c, e))
            return at;
    return end;
}

/* Train events of [begin, end): the judged ones go to `part`, the others to `rest`. */
static void move(struct carver *c, size_t begin, size_t end, enum part part, enum part rest)
{
    for (size_t e = begin; e < end; e++)
        if (in_train(c, e))
            c->s->part[e] = (uint8_t)(judged(c, e) ? part : rest);
}

/* What stands between the validation events without being judged is history when the test part is judged; what stands
 * between the test events is never known. */
static enum part between(enum part part)
{
    return part == PART_VALID ? PART_HISTORY : PART_NONE;
}

static void carve_last(struct carver *c, enum part part)
{
    const size_t *run = c->d->user_begin;
    for (size_t u = 0; u < c->d->users.n; u++)
        move(c, tail(c, run[u], run[u + 1], c->s->spec.last), run[u + 1], part, between(part));
}

static int compare_times(const void *a, const void *b)
{
    int64_t x, y;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    return (x > y) - (x < y);
}

/* The border between two instants that leaves nearest to `share` of the train events at or after it; NO_TIME when all
 * share one instant. */
static enum status border_of_share(const struct carver *c, double share, int64_t *cut)
{
    const struct events *ev = &c->d->events;
    int64_t *times = mem_new_raw(ev->n, sizeof *times, "event times", c->err);
    size_t n = 0;
    if (!times)
        return ST_NOMEM;
    for (size_t e = 0; e < ev->n; e++)
        if (in_train(c, e))
            times[n++] = ev->time[e];
    qsort(times, n, sizeof *times, compare_times);
    *cut = NO_TIME;
    if (n) {
        size_t want = n - share_of(share, n), low, high;
        want = want < n ? want : n - 1;
        for (low = want; low > 0 && times[low - 1] == times[want];)
            low--;
        for (high = want; high < n && times[high] == times[want];)
            high++;
        if (low > 0 && (want - low <= high - want || high == n))
            *cut = times[low];
        else if (high < n)
            *cut = times[high];
    }
    mem_free(times);
    return ST_OK;
}

static void carve_time(struct carver *c, enum part part, int64_t cut)
{
    const struct events *ev = &c->d->events;
    for (size_t e = 0; e < ev->n; e++)
        if (in_train(c, e) && ev->time[e] >= cut)
            c->s->part[e] = (uint8_t)(judged(c, e) ? part : between(part));
}

static enum status no_times(struct error *err)
{
    error_set(err, ST_USAGE, "this data has no times, so it cannot be split by time");
    error_hint(err, "try `split last 1` (by order), `split random 20%%` or `split users 20%%`");
    return ST_USAGE;
}

static enum status split_time(struct carver *c)
{
    const struct split_spec *spec = &c->s->spec;
    int64_t oldest, newest, cut = spec->at;
    enum status st;
    if (!c->d->events.time || !dataset_time_range(c->d, &oldest, &newest))
        return no_times(c->err);
    for (size_t e = 0; e < c->d->events.n; e++)
        if (c->d->events.time[e] == NO_TIME)
            c->s->part[e] = PART_NONE;
    if (cut == NO_TIME && spec->duration > 0)
        cut = newest - spec->duration;
    else if (cut == NO_TIME && (st = border_of_share(c, spec->share, &cut)))
        return st;
    if (cut == NO_TIME || cut <= oldest || cut > newest) {
        char from[40], to[40];
        time_iso(from, sizeof from, oldest);
        time_iso(to, sizeof to, newest);
        error_set(c->err, ST_USAGE, "a split at that time leaves no events %s it", cut > newest ? "after" : "before");
        error_hint(c->err, "the events reach from %s to %s", from, to);
        return ST_USAGE;
    }
    c->s->test_from = cut;
    carve_time(c, PART_TEST, cut);
    if (spec->valid_share > 0) {
        if ((st = border_of_share(c, spec->valid_share, &cut)))
            return st;
        if (cut != NO_TIME)
            carve_time(c, PART_VALID, cut);
        c->s->valid_from = cut;
    }
    return ST_OK;
}

/* Holds one user out: the last share of the judged events to `part`, what came before is history. */
static void hold_out(struct carver *c, uint32_t u, enum part part)
{
    size_t begin = c->d->user_begin[u], end = c->d->user_begin[u + 1], n = 0;
    for (size_t e = begin; e < end; e++)
        n += in_train(c, e) && judged(c, e);
    size_t want = (size_t)floor(c->s->spec.holdout * (double)n + .5);
    size_t at = tail(c, begin, end, want ? want : 1);
    for (size_t e = begin; e < at; e++)
        if (in_train(c, e))
            c->s->part[e] = PART_HISTORY;
    move(c, at, end, part, PART_NONE);
    c->s->held_out[u] = 1;
}

static bool has_train(const struct carver *c, uint32_t u)
{
    for (size_t e = c->d->user_begin[u]; e < c->d->user_begin[u + 1]; e++)
        if (in_train(c, e))
            return true;
    return false;
}

static enum status carve_users(struct carver *c, enum part part, double share)
{
    uint32_t n = 0;
    for (uint32_t u = 0; u < c->d->users.n; u++)
        if (has_train(c, u))
            c->scratch[n++] = u;
    struct rng r = rng_stream(c->s->spec.seed, "split users", part);
    rng_shuffle(&r, c->scratch, n);
    size_t want = share_of(share, n);
    if (!c->s->held_out)
        c->s->held_out = mem_new(c->d->users.n, 1, "held-out users", c->err);
    if (!c->s->held_out)
        return ST_NOMEM;
    for (size_t i = 0; i < (want || n < 2 ? want : 1); i++)
        hold_out(c, c->scratch[i], part);
    return ST_OK;
}

static int compare_items(const void *a, const void *b)
{
    uint32_t x, y;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    return (x > y) - (x < y);
}

/* Distinct items of the train events of [begin, end) into c->scratch, ascending. */
static size_t distinct_items(struct carver *c, size_t begin, size_t end, bool only_judged)
{
    size_t n = 0, kept = 0;
    for (size_t e = begin; e < end; e++)
        if (in_train(c, e) && (!only_judged || judged(c, e)))
            c->scratch[n++] = c->d->events.item[e];
    qsort(c->scratch, n, sizeof *c->scratch, compare_items);
    for (size_t i = 0; i < n; i++)
        if (i == 0 || c->scratch[i] != c->scratch[kept - 1])
            c->scratch[kept++] = c->scratch[i];
    return kept;
}

static void carve_random(struct carver *c, enum part part, double share)
{
    const uint32_t *item = c->d->events.item;
    for (size_t u = 0; u < c->d->users.n; u++) {
        size_t begin = c->d->user_begin[u], end = c->d->user_begin[u + 1];
        size_t all = distinct_items(c, begin, end, false), n = distinct_items(c, begin, end, true);
        size_t want = share_of(share, n);
        if (want == 0 || want >= all)
            continue;
        struct rng r = rng_stream(c->s->spec.seed, part == PART_TEST ? "split random" : "split valid", u);
        rng_shuffle(&r, c->scratch, n);
        qsort(c->scratch, want, sizeof *c->scratch, compare_items);
        for (size_t e = begin; e < end; e++)
            if (in_train(c, e) && bsearch(&item[e], c->scratch, want, sizeof *c->scratch, compare_items))
                move(c, e, e + 1, part, PART_NONE);
    }
}

/* The part that a word of the "part" column names; PART_NONE for anything else. */
static enum part part_of_word(const char *word)
{
    static const struct {
        const char *word;
        enum part part;
    } words[] = {{"train", PART_TRAIN}, {"valid", PART_VALID}, {"validation", PART_VALID}, {"test", PART_TEST}};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (text_same(word, words[i].word))
            return words[i].part;
    return PART_NONE;
}

static enum status split_given(struct carver *c)
{
    const struct field *f = fields_find(&c->d->events.context, "part");
    bool valid = false;
    if (!f || f->type != FIELD_TEXT) {
        error_set(c->err, ST_USAGE, "this data says nowhere which events are for training and which for testing");
        error_hint(c->err, "a column named part with train, valid or test in each row does; or try `split last 1`");
        return ST_USAGE;
    }
    for (size_t e = 0; e < c->d->events.n; e++) {
        if (!in_train(c, e))
            continue;
        enum part part = f->code[e] == NO_CODE ? PART_NONE : part_of_word(dict_text(&f->levels, f->code[e]));
        if ((part == PART_TEST || part == PART_VALID) && !judged(c, e))
            part = PART_NONE;
        c->s->part[e] = (uint8_t)part;
        valid |= part == PART_VALID;
    }
    if (!valid && c->s->spec.valid_share > 0)
        carve_random(c, PART_VALID, c->s->spec.valid_share);
    return ST_OK;
}

static enum status carve(struct carver *c)
{
    const struct split_spec *spec = &c->s->spec;
    bool valid = spec->valid_share > 0;
    enum status st;
    switch (spec->kind) {
    case SPLIT_LAST:
        carve_last(c, PART_TEST);
        if (valid)
            carve_last(c, PART_VALID);
        return ST_OK;
    case SPLIT_TIME:
        return split_time(c);
    case SPLIT_USERS:
        st = carve_users(c, PART_TEST, spec->share);
        return st || !valid ? st : carve_users(c, PART_VALID, spec->valid_share);
    case SPLIT_RANDOM:
        carve_random(c, PART_TEST, spec->share);
        if (valid)
            carve_random(c, PART_VALID, spec->valid_share);
        return ST_OK;
    case SPLIT_GIVEN:
        return split_given(c);
    }
    return error_set(c->err, ST_INTERNAL, "an unknown kind of split");
}

static enum status check_spec(const struct split_spec *spec, struct error *err)
{
    bool shared = spec->kind == SPLIT_USERS || spec->kind == SPLIT_RANDOM ||
                  (spec->kind == SPLIT_TIME && spec->at == NO_TIME && spec->duration <= 0);
    if (spec->kind == SPLIT_LAST && spec->last == 0)
        return error_set(err, ST_USAGE, "a split of the last events needs at least 1 of them");
    if (shared && !(spec->share > 0 && spec->share < 1))
        return error_set(err, ST_USAGE, "the share of a split lies between 0 and 100 %%, both excluded");
    if (!(spec->valid_share >= 0 && spec->valid_share < 1))
        return error_set(err, ST_USAGE, "the share for validation lies between 0 and 100 %%");
    if (spec->kind == SPLIT_USERS && !(spec->holdout > 0 && spec->holdout < 1))
        return error_set(err, ST_USAGE, "the share of a held-out user's events that is test lies between 0 and 100 %%");
    return ST_OK;
}

static enum status find_target(struct carver *c)
{
    const char *name = c->s->spec.target;
    struct str have = {0};
    c->target = NO_CODE;
    if (!*name)
        return ST_OK;
    c->target = dict_find_text(&c->d->types, name);
    if (c->target != NO_CODE && c->d->type_weight[c->target] > 0)
        return ST_OK;
    if (c->target != NO_CODE) {
        error_set(c->err, ST_USAGE, "events of type %s have no weight, so they cannot be the target", name);
        error_hint(c->err, "give them one: weight %s=1", name);
        return ST_USAGE;
    }
    for (uint32_t t = 0; t < c->d->types.n; t++)
        str_printf(&have, "%s%s", t ? ", " : "", dict_text(&c->d->types, t));
    error_set(c->err, ST_USAGE, "there are no events of type %s", name);
    error_hint(c->err, "the types here are %s", str_text(&have));
    str_free(&have);
    return ST_USAGE;
}

/* Sizes of the parts and who is cold. */
static enum status count_parts(struct carver *c)
{
    const struct dataset *d = c->d;
    struct split *s = c->s;
    enum { TRAINED = 1, TESTED = 2 };
    uint8_t *item = mem_new(d->items.n, 1, "item marks", c->err);
    if (!item)
        return ST_NOMEM;
    for (uint32_t u = 0; u < d->users.n; u++) {
        bool known = false, tested = false;
        unsigned history = split_history(s, u, PART_TEST);
        for (size_t e = d->user_begin[u]; e < d->user_begin[u + 1]; e++) {
            unsigned part = s->part[e];
            if (!is_feedback(d, e))
                continue;
            s->ntrain += part == PART_TRAIN;
            s->nvalid += part == PART_VALID;
            s->ntest += part == PART_TEST;
            s->nhistory += part == PART_HISTORY;
            s->nnone += part == PART_NONE;
            known |= (part & history) != 0;
            tested |= part == PART_TEST;
            item[d->events.item[e]] |= (uint8_t)(part == PART_TRAIN ? TRAINED : part == PART_TEST ? TESTED : 0);
        }
        s->test_users += tested;
        s->cold_users += tested && !known;
    }
    for (uint32_t i = 0; i < d->items.n; i++)
        s->cold_items += item[i] == TESTED;
    mem_free(item);
    return ST_OK;
}

static enum status check_parts(const struct carver *c)
{
    const struct split *s = c->s;
    if (s->ntrain && s->ntest)
        return ST_OK;
    error_set(c->err, ST_USAGE, "the split \"%s\" leaves no events for %s", s->description,
              s->ntest ? "training" : "testing");
    if (!s->ntest && s->spec.kind == SPLIT_LAST)
        error_hint(c->err, "no user has more than %zu events that count: take a smaller number", s->spec.last);
    else
        error_hint(c->err, "take another share or another kind: `split last 1`");
    return ST_USAGE;
}

static void put_percent(struct str *out, double share)
{
    char number[32];
    text_real(number, sizeof number, round(share * 1e6) / 1e4);
    str_printf(out, "%s %%", number);
}

static void describe_time(const struct split *s, struct str *out)
{
    char moment[40];
    time_short(moment, sizeof moment, s->test_from);
    str_printf(out, "from %s on", moment);
    if (s->valid_from != NO_TIME) {
        time_short(moment, sizeof moment, s->valid_from);
        str_printf(out, ", validation from %s on", moment);
    }
}

/* In words: with the seed and the exact cuts, everything that decides the outcome. */
static void describe(const struct split *s, struct str *out)
{
    const struct split_spec *spec = &s->spec;
    switch (spec->kind) {
    case SPLIT_LAST:
        str_printf(out, "last %zu per user", spec->last);
        break;
    case SPLIT_TIME:
        describe_time(s, out);
        break;
    case SPLIT_USERS:
        put_percent(out, spec->share);
        str_puts(out, " of the users held out, the last ");
        put_percent(out, spec->holdout);
        str_puts(out, " of theirs are test");
        break;
    case SPLIT_RANDOM:
        str_puts(out, "random ");
        put_percent(out, spec->share);
        str_puts(out, " of each user's items");
        break;
    case SPLIT_GIVEN:
        str_puts(out, "as given");
        break;
    }
    if (spec->valid_share > 0 && spec->kind == SPLIT_LAST) {
        str_printf(out, ", the %zu before for validation", spec->last);
    } else if (spec->valid_share > 0 && spec->kind != SPLIT_TIME) {
        str_puts(out, ", ");
        put_percent(out, spec->valid_share);
        str_puts(out, " of train for validation");
    }
    if (*spec->target)
        str_printf(out, ", target %s", spec->target);
}

static enum status name_split(const struct dataset *d, struct split *s, struct error *err)
{
    const struct split_spec *spec = &s->spec;
    bool drawn =
        spec->kind == SPLIT_USERS || spec->kind == SPLIT_RANDOM || (spec->kind == SPLIT_GIVEN && spec->valid_share > 0);
    struct str text = {0};
    describe(s, &text);
    bool failed = text.failed;
    s->fingerprint = hash_bytes(str_text(&text), text.length, d->fingerprint);
    s->fingerprint = hash_bytes(&s->test_from, sizeof s->test_from, s->fingerprint);
    s->fingerprint = hash_bytes(&s->valid_from, sizeof s->valid_from, s->fingerprint);
    if (drawn)
        s->fingerprint = hash_bytes(&spec->seed, sizeof spec->seed, s->fingerprint);
    s->fingerprint += !s->fingerprint; /* 0 says: no split */
    snprintf(s->description, sizeof s->description, "%s", str_text(&text));
    str_free(&text);
    return failed ? error_nomem(err, sizeof s->description, "the description of a split") : ST_OK;
}

enum status split_new(const struct dataset *d, const struct split_spec *spec, struct split **out, struct error *err)
{
    struct carver c = {.d = d, .err = err};
    size_t longest = d->users.n;
    enum status st = check_spec(spec, err);
    if (st)
        return st;
    for (size_t u = 0; u < d->users.n; u++)
        if (d->user_begin[u + 1] - d->user_begin[u] > longest)
            longest = d->user_begin[u + 1] - d->user_begin[u];
    c.s = mem_new(1, sizeof *c.s, "a split", err);
    if (!c.s)
        return ST_NOMEM;
    atomic_init(&c.s->references, 1);
    c.s->spec = *spec;
    c.s->test_from = c.s->valid_from = NO_TIME;
    c.s->part = mem_new(d->events.n, 1, "the parts of events", err);
    c.scratch = mem_new_raw(longest, sizeof *c.scratch, "items of one user", err);
    if (!c.s->part || !c.scratch) {
        st = ST_NOMEM;
        goto out;
    }
    for (size_t e = 0; e < d->events.n; e++)
        c.s->part[e] = is_feedback(d, e) ? PART_TRAIN : PART_NONE;
    st = find_target(&c);
    if (!st)
        st = carve(&c);
    if (!st)
        st = name_split(d, c.s, err);
    if (!st)
        st = count_parts(&c);
    if (!st)
        st = check_parts(&c);
out:
    mem_free(c.scratch);
    if (st)
        split_release(c.s);
    else
        *out = c.s;
    return st;
}

unsigned split_history(const struct split *s, uint32_t user, enum part on)
{
    if (on == PART_TEST)
        return PART_TRAIN | PART_VALID | PART_HISTORY;
    /* The history of those who are held out for testing lies in the same time as what validation judges, but it is
     * theirs alone; what else is history came after the validation events. */
    return PART_TRAIN | (s->held_out && s->held_out[user] ? PART_HISTORY : 0U);
}

struct split *split_hold(struct split *s)
{
    if (s)
        atomic_fetch_add(&s->references, 1);
    return s;
}

void split_release(struct split *s)
{
    if (!s || atomic_fetch_sub(&s->references, 1) > 1)
        return;
    mem_free(s->part);
    mem_free(s->held_out);
    mem_free(s);
}
