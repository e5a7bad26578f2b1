/* Counting without going through rows.
 *
 * `select count(*) from TABLE where ...` is also prepared over a table that says how many rows pass the tests handed to
 * it. That works out when SQLite hands all of them over; where it has to look at a row, the table refuses, and the
 * statement runs as it was written. So nothing here has to understand a condition. */
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "store/virtual.h"

/* A word of a statement; what is quoted or a comment is one piece. */
struct piece {
    size_t begin, end;
};

size_t virtual_token(const char *text, size_t n, size_t at)
{
    size_t end = at;
    if (at < n && text[at] && strchr("\"'`[", text[at])) {
        const char *close = memchr(text + at + 1, text[at] == '[' ? ']' : text[at], n - at - 1);
        return close ? (size_t)(close - text) + 1 - at : n - at;
    }
    while (end < n && (text[end] == '_' || (text[end] >= '0' && text[end] <= '9') ||
                       ((text[end] | 32) >= 'a' && (text[end] | 32) <= 'z') || (unsigned char)text[end] >= 0x80))
        end++;
    return end > at ? end - at : 1;
}

static struct piece next_piece(const char *text, size_t n, size_t at)
{
    while (at < n && strchr(" \t\r\n", text[at]))
        at++;
    struct piece p = {at, at < n ? at + virtual_token(text, n, at) : at};
    return p;
}

static bool is(const char *text, struct piece p, const char *word)
{
    return p.end - p.begin == strlen(word) && strncasecmp(text + p.begin, word, p.end - p.begin) == 0;
}

/* Goes over the words of `words`, which must stand there. */
static bool expect(const char *text, size_t n, size_t *at, const char *const *words)
{
    for (; *words; words++) {
        struct piece p = next_piece(text, n, *at);
        if (!is(text, p, *words))
            return false;
        *at = p.end;
    }
    return true;
}

static bool is_name(const char *text, struct piece p)
{
    char c = p.begin < p.end ? text[p.begin] : 0;
    return c == '_' || c == '"' || ((c | 32) >= 'a' && (c | 32) <= 'z');
}

/* "[as] NAME" before one of the words that may follow; its text, or nothing. */
static struct piece alias(const char *text, size_t n, size_t *at, const char *follows)
{
    struct piece none = {0}, p = next_piece(text, n, *at);
    if (is(text, p, follows))
        return none;
    if (is(text, p, "as"))
        p = next_piece(text, n, p.end);
    if (!is_name(text, p))
        return none;
    *at = p.end;
    return p;
}

/* What makes more of it than one count, or has a value of its own for every row. */
static bool plain_condition(const char *text, size_t n, size_t at)
{
    static const char *const refused[] = {"group", "having", "order",  "limit",      "union", "intersect", "except",
                                          "join",  "window", "random", "randomblob", "--",    "/"};
    while (at < n) {
        struct piece p = next_piece(text, n, at);
        for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
            if (is(text, p, refused[i]))
                return false;
        at = p.end;
    }
    return !memmem(text, n, "--", 2) && !memmem(text, n, "/*", 2);
}

bool virtual_quick_count(const struct sql_scope *scope, const char *text, size_t n, struct str *out)
{
    static const char *const head[] = {"select", "count", "(", "*", ")", NULL}, *const from[] = {"from", NULL},
                             *const where[] = {"where", NULL};
    size_t at = 0;
    if (!expect(text, n, &at, head))
        return false;
    alias(text, n, &at, "from");
    if (!expect(text, n, &at, from))
        return false;
    struct piece name = next_piece(text, n, at);
    at = name.end;
    for (size_t i = 0; i < scope->ntables; i++) {
        const struct sql_table *t = scope->tables[i];
        if (!t->count || !is(text, name, t->name))
            continue;
        struct piece other = alias(text, n, &at, "where");
        struct piece as = other.end ? other : name, rest = next_piece(text, n, at);
        if (rest.begin < n && (!expect(text, n, &at, where) || !plain_condition(text, n, at)))
            return false;
        str_printf(out, "select coalesce(sum(\"" COUNT_COLUMN "\"), 0) from \"" COUNT_PREFIX "%s\" as %.*s %.*s",
                   t->name, (int)(as.end - as.begin), text + as.begin, (int)(n - rest.begin), text + rest.begin);
        return !out->failed;
    }
    return false;
}
