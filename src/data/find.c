/* Finding items and users by what people type.
 *
 * Readings of an ITEM, tried in this order; the first that fits anything decides:
 *   1. its id                      2. its title, exactly
 *   3. its title folded: case, year in brackets and outer spaces put aside, an article moved to the front
 *   4. the same without the article: "Heat" is "Heat (1995)" before it is "Heat, The (2013)"
 *   5. a part of a folded title that only one item has */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "data/dataset.h"

static const char *const articles[] = {"the", "a", "an", "la", "le", "les", "il", "el", "der", "die", "das"};
enum { NARTICLES = sizeof articles / sizeof *articles, FOLDED = 512 };

static bool is_year(const char *p, size_t n)
{
    if (n != 6 || p[0] != '(' || p[5] != ')')
        return false;
    for (int i = 1; i < 5; i++)
        if (p[i] < '0' || p[i] > '9')
            return false;
    return true;
}

static size_t put_lower(char out[FOLDED], size_t o, const char *text, size_t n)
{
    for (size_t i = 0; i < n && o + 1 < FOLDED; i++)
        out[o++] = text[i] >= 'A' && text[i] <= 'Z' ? (char)(text[i] + 32) : text[i];
    return o;
}

/* "Matrix, The (1999)" and "the matrix" both become "matrix", or "the matrix" when articles count. Titles longer than
 * the buffer are cut. */
static void fold(const char *title, bool articles_count, char out[FOLDED])
{
    const char *article = "";
    size_t n = strlen(title), o = 0;
    while (n && (title[n - 1] == ' ' || title[n - 1] == '\t'))
        n--;
    if (n > 7 && is_year(title + n - 6, 6))
        n -= 6;
    while (n && title[n - 1] == ' ')
        n--;
    size_t begin = strspn(title, " \t");
    for (size_t a = 0; a < NARTICLES; a++) {
        size_t len = strlen(articles[a]);
        if (n > begin + len + 1 && text_starts(title + begin, articles[a]) && title[begin + len] == ' ') {
            begin += len + 1;
            article = articles[a];
            break;
        }
    }
    for (size_t a = 0; a < NARTICLES; a++) {
        size_t len = strlen(articles[a]);
        if (n > begin + len + 2 && title[n - len - 2] == ',' && title[n - len - 1] == ' ' &&
            text_starts(title + n - len, articles[a])) {
            n -= len + 2;
            article = articles[a];
            break;
        }
    }
    if (articles_count && *article) {
        o = put_lower(out, o, article, strlen(article));
        o = put_lower(out, o, " ", 1);
    }
    o = put_lower(out, o, title + begin, n - begin);
    out[o] = 0;
}

enum { SHOWN = 6 };

/* What a pass over all items found. */
struct matches {
    uint32_t first[SHOWN];
    size_t n;
};

static void add_match(struct matches *m, uint32_t item)
{
    if (m->n < SHOWN)
        m->first[m->n] = item;
    m->n++;
}

static enum status ambiguous(const struct dataset *d, const char *text, const struct matches *m, struct error *err)
{
    struct str list = {0};
    for (size_t i = 0; i < m->n && i < SHOWN; i++)
        str_printf(&list, "%s\"%s\" id:%s", i ? ", " : "", dataset_item_title(d, m->first[i]),
                   dict_text(&d->items, m->first[i]));
    if (m->n > SHOWN)
        str_printf(&list, ", and %zu more", m->n - SHOWN);
    enum status st = error_set(err, ST_AMBIGUOUS, "\"%s\" fits %zu items", text, m->n);
    error_hint(err, "say which: %s", str_text(&list));
    str_free(&list);
    return st;
}

static enum status no_item(const struct dataset *d, const char *text, struct error *err)
{
    enum status st = error_set(err, ST_NOT_FOUND, "no item \"%s\"", text);
    const struct field *titles = dataset_titles(d);
    char want[FOLDED], have[FOLDED];
    uint32_t nearest = NO_ITEM;
    fold(text, false, want);
    size_t best = strlen(want) / 3 + 1;
    for (uint32_t i = 0; i < d->items.n; i++) {
        if (titles)
            fold(dataset_item_title(d, i), false, have);
        size_t distance = text_distance(want, titles ? have : dict_text(&d->items, i));
        if (distance < best) {
            best = distance;
            nearest = i;
        }
    }
    if (nearest != NO_ITEM)
        error_hint(err, "did you mean \"%s\" (id:%s)?", dataset_item_title(d, nearest), dict_text(&d->items, nearest));
    else
        error_hint(err, "`find WORDS` looks through the %s", titles ? "titles" : "ids");
    return st;
}

/* How a text is held against a title; see the head of this file. */
enum reading { EXACT, WITH_ARTICLE, WITHOUT_ARTICLE, PART, NREADINGS };

static void match_titles(const struct dataset *d, const char *text, enum reading reading, struct matches *out)
{
    char want[FOLDED], have[FOLDED];
    fold(text, reading == WITH_ARTICLE, want);
    memset(out, 0, sizeof *out);
    if (!*want)
        return;
    for (uint32_t i = 0; i < d->items.n; i++) {
        const char *title = dataset_item_title(d, i);
        bool fits;
        if (reading == EXACT) {
            fits = strcmp(title, text) == 0;
        } else {
            fold(title, reading == WITH_ARTICLE, have);
            fits = reading == PART ? strstr(have, want) != NULL : strcmp(have, want) == 0;
        }
        if (fits)
            add_match(out, i);
    }
}

static enum status find_by_id(const struct dataset *d, const char *id, uint32_t *item, struct error *err)
{
    uint32_t code = dict_find_text(&d->items, id);
    if (code == NO_CODE)
        return no_item(d, id, err);
    *item = code;
    return ST_OK;
}

enum status dataset_find_item(const struct dataset *d, const char *text, uint32_t *item, struct error *err)
{
    if (strncmp(text, "id:", 3) == 0)
        return find_by_id(d, text + 3, item, err);
    bool only_title = strncmp(text, "title:", 6) == 0;
    if (only_title)
        text += 6;
    uint32_t code = only_title ? NO_CODE : dict_find_text(&d->items, text);
    if (code != NO_CODE) {
        *item = code;
        return ST_OK;
    }
    for (enum reading reading = EXACT; dataset_titles(d) && reading < NREADINGS; reading++) {
        struct matches m;
        match_titles(d, text, reading, &m);
        if (m.n > 1)
            return ambiguous(d, text, &m, err);
        if (m.n == 1) {
            *item = m.first[0];
            return ST_OK;
        }
    }
    return no_item(d, text, err);
}

enum status dataset_find_user(const struct dataset *d, const char *text, uint32_t *user, struct error *err)
{
    const char *id = strncmp(text, "id:", 3) == 0 ? text + 3 : text;
    uint32_t code = dict_find_text(&d->users, id);
    if (code != NO_CODE) {
        *user = code;
        return ST_OK;
    }
    enum status st = error_set(err, ST_NOT_FOUND, "no user \"%s\"", id);
    size_t best = strlen(id) / 3 + 1;
    for (uint32_t u = 0; u < d->users.n; u++) {
        size_t distance = text_distance(id, dict_text(&d->users, u));
        if (distance < best) {
            best = distance;
            code = u;
        }
    }
    if (code != NO_CODE)
        error_hint(err, "did you mean %s?", dict_text(&d->users, code));
    else if (d->users.n)
        error_hint(err, "user ids look like %s", dict_text(&d->users, 0));
    return st;
}
