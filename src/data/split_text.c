/* A split as it is kept: one line "kind=last n=1 valid=0.1 ... target=purchase", with what is not said at its default.
 * `target` stands last, since the name of a type may hold anything. Lines of older workspaces begin with a digit: the
 * number of the kind, n, at, duration, share, holdout, valid, seed, target. */
#include <stdio.h>
#include <string.h>

#include "data/split_rule.h"

static const char target_key[] = " target=";

void split_spec_write(const struct split_spec *s, struct str *out)
{
    char number[32];
    const struct {
        const char *key;
        double value;
    } reals[] = {{"share", s->share}, {"holdout", s->holdout}, {"valid", s->valid_share}};
    str_printf(out, "kind=%d n=%zu at=%lld duration=%lld window=%lld folds=%zu fold=%zu users=%d seed=%llu",
               (int)s->kind, s->last, (long long)s->at, (long long)s->duration, (long long)s->window, s->folds, s->fold,
               (int)s->by_users, (unsigned long long)s->seed);
    for (size_t i = 0; i < sizeof reals / sizeof *reals; i++) {
        text_real(number, sizeof number, reals[i].value);
        str_printf(out, " %s=%s", reals[i].key, number);
    }
    str_printf(out, "%s%s", target_key, s->target);
}

static bool read_old(const char *text, struct split_spec *s)
{
    int kind;
    long long at, duration;
    unsigned long long seed;
    if (sscanf(text, "%d %zu %lld %lld %lg %lg %lg %llu %63s", &kind, &s->last, &at, &duration, &s->share, &s->holdout,
               &s->valid_share, &seed, s->target) < 8)
        return false;
    s->kind = (enum split_kind)kind;
    s->at = at;
    s->duration = duration;
    s->seed = seed;
    if (s->kind != SPLIT_LAST)
        s->last = 0;
    return kind >= 0 && kind < SPLIT_KINDS;
}

static bool read_new(const char *text, struct split_spec *s)
{
    int kind, users;
    long long at, duration, window;
    unsigned long long seed;
    if (sscanf(text,
               "kind=%d n=%zu at=%lld duration=%lld window=%lld folds=%zu fold=%zu users=%d seed=%llu share=%lg "
               "holdout=%lg valid=%lg",
               &kind, &s->last, &at, &duration, &window, &s->folds, &s->fold, &users, &seed, &s->share, &s->holdout,
               &s->valid_share) < 12)
        return false;
    const char *target = strstr(text, target_key);
    target = target ? target + strlen(target_key) : "";
    if (strlen(target) >= sizeof s->target)
        return false;
    memcpy(s->target, target, strlen(target) + 1);
    s->kind = (enum split_kind)kind;
    s->at = at;
    s->duration = duration;
    s->window = window;
    s->by_users = users != 0;
    s->seed = seed;
    return kind >= 0 && kind < SPLIT_KINDS;
}

enum status split_spec_read(const char *text, struct split_spec *out, struct error *err)
{
    *out = (struct split_spec){.at = NO_TIME};
    if (*text >= '0' && *text <= '9' ? read_old(text, out) : read_new(text, out))
        return ST_OK;
    return error_set(err, ST_CORRUPT, "a kept split cannot be read");
}
