#include "commands/catalogue.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"
#include "commands/places.h"

enum status catalogue_read(struct known *out, struct error *err)
{
    char path[PLACE_MOST];
    enum status st = place_of_catalogue(path, sizeof path) ? known_read(path, false, out, err) : ST_OK;
    if (!st && place_of_own_catalogue(path, sizeof path))
        st = known_read(path, true, out, err);
    return st;
}

enum status catalogue_place(struct workbench *wb, const char *between, const char *name, char *out, size_t size,
                            struct error *err)
{
    const char *said = workbench_setting(wb, "cache"), *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    int n;
    if (said && *said)
        n = snprintf(out, size, "%s/%s%s", said, between, name);
    else if (cache && *cache == '/')
        n = snprintf(out, size, "%s/tailor/%s%s", cache, between, name);
    else if (home && *home == '/')
        n = snprintf(out, size, "%s/.cache/tailor/%s%s", home, between, name);
    else {
        error_set(err, ST_STATE, "there is no place for downloads: neither XDG_CACHE_HOME nor HOME is set");
        error_hint(err, "set cache FOLDER");
        return ST_STATE;
    }
    return n > 0 && (size_t)n < size ? ST_OK : error_set(err, ST_IO, "the path of the cache is too long");
}

enum status catalogue_find(const struct known *known, const struct word *w, const struct known_set **out,
                           struct error *err)
{
    enum { LOOK = 256 };
    const char *names[LOOK];
    size_t n = known->n < LOOK ? known->n : LOOK;
    *out = known_find(known, w->text);
    if (*out)
        return ST_OK;
    for (size_t i = 0; i < n; i++)
        names[i] = known->set[i].name;
    const char *near = text_nearest(w->text, names, n);
    error_set(err, ST_NOT_FOUND, "no well-known data set is called \"%s\"", w->text);
    error_hint(err, near ? "did you mean %s?" : "`datasets` lists them", near);
    return error_at_word(ST_NOT_FOUND, err, w);
}
