#include "commands/shaping.h"

/* "940 of 943 users" when some are gone. */
static bool say_gone(struct str *said, const char *before, const char *what, size_t had, size_t left)
{
    char a[32], b[32];
    if (had == left)
        return false;
    text_count(a, sizeof a, (int64_t)left);
    text_count(b, sizeof b, (int64_t)had);
    str_printf(said, "%s%s of %s %s", before, a, b, what);
    return true;
}

void shaping_say_kept(const struct shaping *s, const struct dataset *next)
{
    const struct dataset *d = s->data;
    if (!say_gone(s->said, "kept ", "events", d->events.n, next->events.n))
        str_puts(s->said, "kept all events");
    bool users = say_gone(s->said, "; ", "users", d->users.n, next->users.n);
    bool items = say_gone(s->said, users ? " and " : "; ", "items", d->items.n, next->items.n);
    if (users || items)
        str_puts(s->said, " are left");
}

enum status shaping_left(const struct shaping *s, enum status st, struct dataset **out, struct error *err)
{
    if (st)
        return st;
    if ((*out)->events.n || !s->data->events.n) {
        shaping_say_kept(s, *out);
        return ST_OK;
    }
    dataset_release(*out);
    *out = NULL;
    char from[40], to[40];
    int64_t oldest, newest;
    error_set(err, ST_STATE, "no event of %s would be left", s->data->name);
    if (dataset_time_range(s->data, &oldest, &newest)) {
        time_short(from, sizeof from, oldest);
        time_short(to, sizeof to, newest);
        error_hint(err, "they are from %s to %s; `events` lists them", from, to);
    } else {
        error_hint(err, "`events` lists them");
    }
    return ST_STATE;
}
