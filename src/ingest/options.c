/* What was said about a file besides its columns: form, encoding, times, decimal mark. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "ingest/load.h"

static enum status unknown_key(const char *key, bool events, struct error *err)
{
    static const char *const event_keys[] = {"user",    "item",      "time",     "value",    "type",
                                             "session", "price",     "quantity", "item.",    "user.",
                                             "format",  "delimiter", "header",   "encoding", "tz",
                                             "dates",   "keep",      "skip",     "query",    "table",
                                             "time_format", "decimal"};
    const char *near = events ? text_nearest(key, event_keys, sizeof event_keys / sizeof *event_keys) : NULL;
    error_set(err, ST_USAGE, "load has no option \"%s\"", key);
    if (near)
        error_hint(err, "did you mean %s=?", near);
    else
        error_hint(err, "columns: user item time value type session price quantity item.X user.X; and keep skip format "
                        "delimiter header encoding tz dates time_format decimal query table "
                        "(columns that are not named are kept as they are)");
    return ST_USAGE;
}

static enum status parse_encoding(const char *text, enum encoding *out, struct error *err)
{
    static const struct {
        const char *name;
        enum encoding encoding;
    } names[] = {{"auto", ENCODING_AUTO},           {"utf-8", ENCODING_UTF8},     {"utf8", ENCODING_UTF8},
                 {"latin1", ENCODING_LATIN1},       {"latin-1", ENCODING_LATIN1}, {"iso-8859-1", ENCODING_LATIN1},
                 {"windows-1252", ENCODING_LATIN1}, {"cp1252", ENCODING_LATIN1}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (text_same(text, names[i].name)) {
            *out = names[i].encoding;
            return ST_OK;
        }
    error_set(err, ST_USAGE, "encoding=%s is not known", text);
    error_hint(err, "auto, utf-8 or latin1; others can be converted first: iconv -f %s -t UTF-8 IN > OUT", text);
    return ST_USAGE;
}

/* "+02:00", "-0530", "UTC", "Z": east of UTC. */
static enum status parse_tz(const char *text, int64_t *out, struct error *err)
{
    char probe[64];
    int64_t us;
    if (text_same(text, "utc") || text_same(text, "z")) {
        *out = 0;
        return ST_OK;
    }
    snprintf(probe, sizeof probe, "1970-01-02T00:00:00%s", text);
    if ((text[0] == '+' || text[0] == '-') && time_parse(probe, strlen(probe), 0, &us)) {
        *out = US_PER_DAY - us;
        return ST_OK;
    }
    error_set(err, ST_USAGE, "tz=%s is not an offset", text);
    error_hint(err, "an offset from UTC: tz=+02:00, tz=-05:30 or tz=utc");
    return ST_USAGE;
}

static enum status parse_choice(const char *key, const char *value, const char *const *choices, struct error *err)
{
    struct str all = {0};
    for (size_t i = 0; choices[i]; i++) {
        if (text_same(value, choices[i])) {
            str_free(&all);
            return ST_OK;
        }
        str_printf(&all, "%s%s", i ? ", " : "", choices[i]);
    }
    error_set(err, ST_USAGE, "%s=%s is not possible", key, value);
    error_hint(err, "one of %s", str_text(&all));
    str_free(&all);
    return ST_USAGE;
}

static enum status take_time_form(struct ingest *in, const char *value, struct error *err)
{
    in->time_form = in->context.time_form = in->item_columns.time_form = in->user_columns.time_form = value;
    if (time_form_ok(value))
        return ST_OK;
    error_set(err, ST_USAGE, "time_format=%s is no form of times", value);
    error_hint(
        err,
        "yymmddhh, yyyymmddhh, or a pattern: time_format='%%d %%b %%Y %%H:%%M'; dates=dmy and dates=mdy say the order");
    return ST_USAGE;
}

static enum status take_decimal(struct ingest *in, const char *value, struct error *err)
{
    static const char *const marks[] = {",", ".", NULL};
    enum status st = parse_choice("decimal", value, marks, err);
    in->comma = in->context.comma = in->item_columns.comma = in->user_columns.comma = strcmp(value, ",") == 0;
    return st;
}

/* What is typed becomes names of columns and constant cells. */
static enum status not_text(const char *key, struct error *err)
{
    error_set(err, ST_USAGE, "%.*s=... is not valid UTF-8", utf8_valid(key, strlen(key)) ? (int)strlen(key) : 0, key);
    error_hint(err, "the terminal or the script has another encoding");
    return ST_USAGE;
}

enum status ingest_options(struct ingest *in, bool events, struct error *err)
{
    static const char *const yes_no[] = {"yes", "no", NULL}, *const formats[] = {"csv", "tsv", "jsonl", NULL},
                             *const orders[] = {"dmy", "mdy", NULL};
    enum status st = ST_OK;
    for (size_t i = 0; i < in->nmapping && !st; i++) {
        const char *key = in->mapping[i].key, *value = in->mapping[i].value;
        if (!utf8_valid(key, strlen(key)) || !utf8_valid(value, strlen(value)))
            return not_text(key, err);
        bool column = ((text_starts(key, "item.") || text_starts(key, "user.")) && key[5]) || !events;
        for (int r = 0; r < ROLES; r++)
            column |= strcmp(key, role_names[r]) == 0;
        if (strcmp(key, "format") == 0) {
            st = parse_choice(key, value, formats, err);
            in->form.format = value;
        } else if (strcmp(key, "delimiter") == 0) {
            in->form.delimiter = value;
        } else if (strcmp(key, "header") == 0) {
            st = parse_choice(key, value, yes_no, err);
            in->form.header = value;
        } else if (strcmp(key, "encoding") == 0) {
            st = parse_encoding(value, &in->form.encoding, err);
        } else if (strcmp(key, "tz") == 0) {
            st = parse_tz(value, &in->tz, err);
        } else if (strcmp(key, "dates") == 0) {
            st = parse_choice(key, value, orders, err);
            in->dates = text_same(value, "mdy") ? DATES_MDY : DATES_DMY;
        } else if (strcmp(key, "time_format") == 0) {
            st = take_time_form(in, value, err);
        } else if (strcmp(key, "decimal") == 0) {
            st = take_decimal(in, value, err);
        } else if (strcmp(key, "keep") == 0 || strcmp(key, "skip") == 0 || strcmp(key, "query") == 0 ||
                   strcmp(key, "table") == 0) {
            continue; /* any text */
        } else if (!column) {
            st = unknown_key(key, events, err);
        }
    }
    return st;
}

const char *ingest_time(const struct ingest *in, const struct cell *cell, int64_t *out)
{
    int64_t us;
    *out = NO_TIME;
    if (cell_untimed(cell))
        return NULL;
    if (in->time_form)
        return time_parse_as(in->time_form, cell->text, cell->n, in->tz, out) ? NULL
                                                                              : "is not a time as time_format= says";
    if (time_parse_dates(cell->text, cell->n, in->dates, in->tz, out) && *out != NO_TIME)
        return NULL;
    if (in->dates == DATES_UNSAID && (time_parse_dates(cell->text, cell->n, DATES_DMY, 0, &us) ||
                                      time_parse_dates(cell->text, cell->n, DATES_MDY, 0, &us)))
        return "may begin with the day or the month: dates=dmy or dates=mdy says which";
    return "is not a time (ISO 8601, day.month.year or epoch seconds expected)";
}
