/* The settings of a world as text. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "sim/world.h"

void world_spec_format(const struct world_spec *spec, struct str *out)
{
    char day[40], sessions[40];
    time_short(day, sizeof day, spec->start);
    text_real(sessions, sizeof sessions, spec->truth.sessions);
    str_printf(out, "users=%u items=%u days=%u slate=%u seed=%" PRIu64 " start=%s sessions=%s", spec->users,
               spec->items, spec->days, spec->slate, spec->seed, day, sessions);
}

static bool read_count(const char *text, uint32_t *out)
{
    int64_t v;
    if (!text_parse_int(text, &v) || v < 1 || v > UINT32_MAX)
        return false;
    *out = (uint32_t)v;
    return true;
}

static bool read_seed(const char *text, uint64_t *out)
{
    char *end;
    *out = strtoull(text, &end, 10);
    return end != text && !*end;
}

static bool read_setting(const char *key, const char *value, struct world_spec *spec)
{
    uint32_t slate;
    if (strcmp(key, "users") == 0)
        return read_count(value, &spec->users);
    if (strcmp(key, "items") == 0)
        return read_count(value, &spec->items);
    if (strcmp(key, "days") == 0)
        return read_count(value, &spec->days);
    if (strcmp(key, "slate") == 0 && read_count(value, &slate)) {
        spec->slate = slate;
        return true;
    }
    if (strcmp(key, "seed") == 0)
        return read_seed(value, &spec->seed);
    if (strcmp(key, "start") == 0)
        return time_parse(value, strlen(value), 0, &spec->start);
    return strcmp(key, "sessions") == 0 && text_parse_real(value, &spec->truth.sessions) && spec->truth.sessions > 0;
}

enum status world_spec_parse(const char *text, struct world_spec *spec, struct error *err)
{
    char copy[256], *rest = NULL;
    if (!text || strlen(text) >= sizeof copy)
        return error_set(err, ST_FORMAT, "not the settings of a world");
    strcpy(copy, text);
    char *word = strtok_r(copy, " ", &rest);
    if (!word || strcmp(word, "generate") != 0)
        return error_set(err, ST_FORMAT, "\"%s\" are not the settings of a world", text);
    while ((word = strtok_r(NULL, " ", &rest))) {
        char *value = strchr(word, '=');
        if (!value)
            return error_set(err, ST_FORMAT, "\"%s\" is not a setting of a world", word);
        *value++ = '\0';
        if (!read_setting(word, value, spec))
            return error_set(err, ST_FORMAT, "\"%s=%s\" is not a setting of a world", word, value);
    }
    return ST_OK;
}
