/* What type a column of texts is: by its name, then by what all of its values could be. */
#include "ingest/column_type.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "ingest/number.h"

void name_fold(const char *name, char *out, size_t size)
{
    size_t n = 0;
    for (; *name && n + 1 < size; name++)
        if (isalnum((unsigned char)*name))
            out[n++] = (char)tolower((unsigned char)*name);
    out[n] = 0;
}

static bool ends_with(const char *text, const char *end)
{
    size_t n = strlen(text), m = strlen(end);
    return n >= m && strcmp(text + n - m, end) == 0;
}

bool cell_says(const char *text, size_t n, const char *word)
{
    return n == strlen(word) && text_starts(text, word);
}

bool cell_is_missing(const char *text, size_t n)
{
    static const char *const marks[] = {"na", "n/a", "nan", "null", "none", "\\n", "-", "?", "inf", "-inf"};
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
        if (cell_says(text, n, marks[i]))
            return true;
    return false;
}

bool cell_untimed(const struct cell *cell)
{
    return !cell->text || cell->n == 0 || cell_is_missing(cell->text, cell->n);
}

/* "1-Jan-1995", "01 Jan 1995". */
static bool month_name_time(const char *text, size_t n, int64_t *us)
{
    static const char *const months[] = {"jan", "feb", "mar", "apr", "may", "jun",
                                         "jul", "aug", "sep", "oct", "nov", "dec"};
    if (n < 10 || n > 11)
        return false;
    size_t day = n - 9; /* digits of the day */
    const char *rest = text + day;
    if ((rest[0] != '-' && rest[0] != ' ') || rest[4] != rest[0])
        return false;
    char month[4] = {rest[1], rest[2], rest[3]};
    for (int m = 0; m < 12; m++) {
        if (!text_same(month, months[m]))
            continue;
        char iso[16];
        snprintf(iso, sizeof iso, "%.4s-%02d-%s%.*s", rest + 5, m + 1, day == 1 ? "0" : "", (int)day, text);
        return time_parse(iso, strlen(iso), 0, us);
    }
    return false;
}

bool column_date(const struct raw_column *c, const char *text, size_t n, int64_t *us)
{
    return (c->time_form && time_parse_as(c->time_form, text, n, 0, us)) || month_name_time(text, n, us) ||
           time_parse(text, n, 0, us);
}

bool column_real(const struct raw_column *c, const char *text, size_t n, double *out)
{
    return c->comma ? number_real_comma(text, n, out) : number_real(text, n, out);
}

static bool all_digits(const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (text[i] < '0' || text[i] > '9')
            return false;
    return true;
}

/* Is "007" or "00.5": a code, not a number. */
static bool has_leading_zero(const char *text, size_t n)
{
    size_t i = text[0] == '-';
    return n > i + 1 && text[i] == '0' && text[i + 1] >= '0' && text[i + 1] <= '9';
}

enum { MAY_INT = 1, MAY_REAL = 2, MAY_TIME = 4, MAY_BOOL = 8 };

static unsigned possible(const struct raw_column *c, const char *text, size_t n, bool time_name)
{
    int64_t integer, us;
    double real;
    unsigned may = 0;
    bool digits = all_digits(text, n);
    if (cell_says(text, n, "true") || cell_says(text, n, "false"))
        may |= MAY_BOOL;
    if (number_int(text, n, &integer))
        may |= MAY_INT;
    if (!has_leading_zero(text, n) && column_real(c, text, n, &real) && (!digits || (may & MAY_INT)))
        may |= MAY_REAL;
    if ((digits ? time_name && n >= 8 : !(may & MAY_REAL)) && column_date(c, text, n, &us))
        may |= MAY_TIME;
    return may;
}

static bool names_text(const char *folded)
{
    static const char *const words[] = {"title", "name", "description", "url", "text", "summary", "useragent"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (ends_with(folded, words[i]))
            return true;
    return false;
}

static bool names_list(const char *folded)
{
    return strcmp(folded, "genres") == 0 || strcmp(folded, "genre") == 0 || strcmp(folded, "tags") == 0 ||
           strcmp(folded, "categories") == 0;
}

static bool any_bar(const struct dict *levels)
{
    for (uint32_t i = 0; i < levels->n; i++)
        if (memchr(dict_text(levels, i), '|', dict_length(levels, i)))
            return true;
    return false;
}

/* Does the name alone make it text? */
static bool always_text(const struct raw_column *c, const char *folded)
{
    return c->text || ends_with(folded, "id") || names_text(folded);
}

static bool names_time(const struct raw_column *c, const char *folded)
{
    return strstr(folded, "time") || strstr(folded, "date") || ends_with(folded, "ts") || ends_with(c->name, "_at");
}

bool raw_column_packs(const struct raw_column *c)
{
    char folded[64];
    name_fold(c->name, folded, sizeof folded);
    return !c->numeric && !c->comma && !c->bars && !c->quoted && !c->lists && c->levels.n == 0 && !c->code &&
           !always_text(c, folded);
}

enum field_type column_infer_packed(const struct raw_column *c)
{
    char folded[64], text[PACKED_TEXT];
    name_fold(c->name, folded, sizeof folded);
    bool times = names_time(c, folded), whole = true;
    for (size_t r = 0; r < c->n; r++) {
        int64_t v;
        if (c->packed[r] == PACKED_MISSING)
            continue;
        whole &= packed_int(c->packed[r], &v);
        if (!times)
            continue;
        size_t n = packed_text(c->packed[r], text);
        times = whole && v >= 0 && n >= 8 && column_date(c, text, n, &v);
    }
    return times ? FIELD_TIME : whole ? FIELD_INT : FIELD_REAL;
}

enum field_type column_infer(const struct raw_column *c, bool *boolean)
{
    char folded[64];
    *boolean = false;
    name_fold(c->name, folded, sizeof folded);
    if (c->lists || (c->bars && (names_list(folded) || (!names_text(folded) && any_bar(&c->levels)))))
        return FIELD_LIST;
    if (always_text(c, folded))
        return FIELD_TEXT;
    bool time_name = names_time(c, folded);
    unsigned may = MAY_INT | MAY_REAL | MAY_TIME | MAY_BOOL;
    bool any = false;
    for (uint32_t i = 0; may && i < c->levels.n; i++) {
        const char *text = dict_text(&c->levels, i);
        size_t n = dict_length(&c->levels, i);
        if (cell_is_missing(text, n))
            continue;
        may &= possible(c, text, n, time_name);
        any = true;
    }
    if (c->quoted)
        may &= MAY_TIME;
    if (!any || !may)
        return FIELD_TEXT;
    *boolean = may & MAY_BOOL;
    return may & MAY_TIME ? FIELD_TIME : may & (MAY_INT | MAY_BOOL) ? FIELD_INT : FIELD_REAL;
}
