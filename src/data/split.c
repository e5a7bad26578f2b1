#include "data/split.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "data/split_rule.h"

const char *split_part_name(enum part part)
{
    switch (part) {
    case PART_TRAIN:
        return "train";
    case PART_VALID:
        return "valid";
    case PART_TEST:
        return "test";
    case PART_HISTORY:
        return "history";
    default:
        return "none";
    }
}

#define LISTED(kind, name) [kind] = &split_rule_##name,
static const struct split_rule *const rules[] = {SPLIT_RULES(LISTED)};

static enum status check_spec(const struct split_spec *spec, struct error *err)
{
    if ((unsigned)spec->kind >= SPLIT_KINDS)
        return error_set(err, ST_INTERNAL, "an unknown kind of split");
    const struct split_rule *rule = rules[spec->kind];
    enum status st = rule->check ? rule->check(spec, err) : ST_OK;
    if (!st && !(spec->valid_share >= 0 && spec->valid_share < 1))
        st = error_set(err, ST_USAGE, "the share for validation lies between 0 and 100 %%");
    return st;
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
            if (!carve_counts(d, e))
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
        error_hint(c->err,
                   s->spec.last == 1 ? "no user has more than %zu event that counts: `split time 20%%` cuts at a moment"
                                     : "no user has more than %zu events that count: take a smaller number",
                   s->spec.last);
    else
        error_hint(c->err, "take another share or another kind: `split last 1`");
    return ST_USAGE;
}

/* In words: with the seed and the exact cuts, everything that decides the outcome. */
static void describe(const struct split *s, struct str *out)
{
    const struct split_spec *spec = &s->spec;
    rules[spec->kind]->describe(s, out);
    if (s->valid_from != NO_TIME) {
        char moment[40];
        time_short(moment, sizeof moment, s->valid_from);
        str_printf(out, ", validation from %s on", moment);
    } else if (spec->valid_share > 0 && s->test_from == NO_TIME && spec->last) {
        str_printf(out, ", %s%zu%s for validation", spec->kind == SPLIT_RANDOM ? "" : "the ", spec->last,
                   spec->kind == SPLIT_RANDOM ? " more" : " before");
    } else if (spec->valid_share > 0 && s->test_from == NO_TIME) {
        str_puts(out, ", ");
        carve_put_percent(out, spec->valid_share);
        str_puts(out, " of train for validation");
    }
    if (*spec->target)
        str_printf(out, ", target %s", spec->target);
}

static enum status name_split(const struct dataset *d, struct split *s, struct error *err)
{
    const struct split_spec *spec = &s->spec;
    const struct split_rule *rule = rules[spec->kind];
    struct str text = {0};
    describe(s, &text);
    bool failed = text.failed;
    s->fingerprint = hash_bytes(str_text(&text), text.length, d->fingerprint);
    s->fingerprint = hash_bytes(&s->test_from, sizeof s->test_from, s->fingerprint);
    s->fingerprint = hash_bytes(&s->valid_from, sizeof s->valid_from, s->fingerprint);
    /* Words round: two spans that differ by less than is said are two splits. */
    if (spec->kind == SPLIT_ROLLING) {
        s->fingerprint = hash_bytes(&spec->duration, sizeof spec->duration, s->fingerprint);
        s->fingerprint = hash_bytes(&spec->window, sizeof spec->window, s->fingerprint);
    }
    if (spec->list)
        s->fingerprint = hash_bytes(&spec->list->fingerprint, sizeof spec->list->fingerprint, s->fingerprint);
    if (rule->drawn || (rule->drawn_valid && spec->valid_share > 0))
        s->fingerprint = hash_bytes(&spec->seed, sizeof spec->seed, s->fingerprint);
    s->fingerprint += !s->fingerprint; /* 0 says: no split */
    snprintf(s->description, sizeof s->description, "%s", str_text(&text));
    str_free(&text);
    return failed ? error_nomem(err, sizeof s->description, "the description of a split") : ST_OK;
}

enum status split_new(const struct dataset *d, const struct split_spec *spec, struct split **out, struct error *err)
{
    struct carver c = {.d = d, .err = err};
    enum status st = check_spec(spec, err);
    if (st)
        return st;
    for (size_t u = 0; u < d->users.n; u++)
        if (d->user_begin[u + 1] - d->user_begin[u] > c.longest)
            c.longest = d->user_begin[u + 1] - d->user_begin[u];
    c.s = mem_new(1, sizeof *c.s, "a split", err);
    if (!c.s)
        return ST_NOMEM;
    atomic_init(&c.s->references, 1);
    c.s->spec = *spec;
    split_list_hold(spec->list);
    c.s->test_from = c.s->valid_from = NO_TIME;
    c.s->part = mem_new(d->events.n, 1, "the parts of events", err);
    c.scratch =
        mem_new_raw(c.longest > d->users.n ? c.longest : d->users.n, sizeof *c.scratch, "items of one user", err);
    if (!c.s->part || !c.scratch) {
        st = ST_NOMEM;
        goto out;
    }
    for (size_t e = 0; e < d->events.n; e++)
        c.s->part[e] = carve_counts(d, e) ? PART_TRAIN : PART_NONE;
    st = find_target(&c);
    if (!st)
        st = rules[spec->kind]->carve(&c);
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

/* Takes the user's validation events out of play. Returns how many those were. */
static size_t hide_valid(const struct dataset *d, struct split *s, uint32_t user, bool keep)
{
    size_t n = 0;
    for (size_t e = d->user_begin[user]; e < d->user_begin[user + 1]; e++) {
        if (s->part[e] != PART_VALID)
            continue;
        n++;
        if (!keep)
            s->part[e] = PART_NONE;
    }
    s->nvalid -= keep ? 0 : n;
    s->nnone += keep ? 0 : n;
    return n;
}

enum status split_valid_half(const struct dataset *d, const struct split *s, unsigned half, struct split **out,
                             struct error *err)
{
    struct split *h = mem_new(1, sizeof *h, "a split", err);
    size_t with = 0;
    if (!h)
        return ST_NOMEM;
    *h = *s;
    atomic_init(&h->references, 1);
    split_list_hold(h->spec.list);
    h->part = mem_new_raw(d->events.n, 1, "the parts of events", err);
    h->held_out = s->held_out ? mem_new_raw(d->users.n, 1, "held-out users", err) : NULL;
    enum status st = h->part && (h->held_out || !s->held_out) ? ST_OK : ST_NOMEM;
    if (!st) {
        memcpy(h->part, s->part, d->events.n);
        if (s->held_out)
            memcpy(h->held_out, s->held_out, d->users.n);
        for (uint32_t u = 0; u < d->users.n; u++)
            with += hide_valid(d, h, u, with % 2 == half) > 0;
        if (!h->nvalid)
            st = error_set(err, ST_STATE, "the validation part has events of %zu user%s: too few to be cut in two",
                           with, with == 1 ? "" : "s");
    }
    if (st)
        split_release(h);
    else
        *out = h;
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

bool split_in_order(const struct split *s)
{
    return rules[s->spec.kind]->in_order || s->spec.by_users;
}

uint32_t split_hides(const struct split *s, const struct dataset *d)
{
    uint32_t target = s && *s->spec.target ? dict_find_text(&d->types, s->spec.target) : NO_CODE;
    return target == NO_CODE ? 0 : target + 1;
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
    split_list_release(s->spec.list);
    mem_free(s->part);
    mem_free(s->held_out);
    mem_free(s);
}
