#include "commands/complete_sql.h"

#include <string.h>

#include "base/text.h"
#include "commands/pinned.h"

struct offering {
    const char *prefix;
    void (*offer)(void *context, const char *word);
    void *context;
};

static bool name_letter(char c)
{
    return c == '_' || (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z') || (unsigned char)c >= 0x80;
}

static void offer_word(const struct offering *o, const char *word, const char *behind)
{
    struct str text = {0};
    if (!text_starts(word, o->prefix))
        return;
    str_printf(&text, "%s%s", word, behind);
    if (!text.failed)
        o->offer(o->context, str_text(&text));
    str_free(&text);
}

/* Does the statement name the table? */
static bool names(const char *text, const char *table)
{
    size_t n = strlen(table);
    for (const char *p = text; (p = text_find(p, table)); p += n)
        if ((p == text || !name_letter(p[-1])) && !name_letter(p[n]))
            return true;
    return false;
}

static bool plain_name(const char *name)
{
    for (const char *p = name; *p; p++)
        if (!name_letter(*p))
            return false;
    return *name && !(*name >= '0' && *name <= '9');
}

static void offer_columns(const struct offering *o, struct pinned *p, const char *text)
{
    bool any = false;
    for (int all = 0; all < 2 && !any; all++) /* none is named yet: those of all */
        for (size_t i = 0; sql_table_at(i); i++) {
            const struct sql_table *t = sql_table_at(i);
            struct sql_columns set = {0};
            struct error ignored;
            bool wanted = all ? !t->function : names(text, t->name);
            bool there = wanted && t->columns(p, t, &set, &ignored) == ST_OK;
            for (size_t k = 0; k < set.n && there; k++)
                if (plain_name(set.column[k].name))
                    offer_word(o, set.column[k].name, "");
            any |= there;
            sql_columns_clear(&set);
        }
}

/* The word before the one that begins at `start`, in small letters. */
static void word_before(const char *text, size_t start, char *out, size_t size)
{
    size_t end = start;
    while (end > 0 && strchr(" \t\r\n", text[end - 1]))
        end--;
    size_t begin = end;
    while (begin > 0 && name_letter(text[begin - 1]))
        begin--;
    size_t n = end - begin < size - 1 ? end - begin : size - 1;
    for (size_t i = 0; i < n; i++)
        out[i] = (char)(text[begin + i] >= 'A' && text[begin + i] <= 'Z' ? text[begin + i] | 32 : text[begin + i]);
    out[n] = 0;
}

void complete_sql(struct workbench *wb, const char *text, size_t n, void (*offer)(void *context, const char *word),
                  void *context, size_t *start)
{
    static const char *const words[] = {
        "select",   "from",  "where", "group by", "order by", "having", "limit",   "join",        "left join", "on",
        "and",      "or",    "not",   "in",       "between",  "like",   "is null", "is not null", "as",        "with",
        "distinct", "union", "case",  "when",     "then",     "else",   "end",     "desc"};
    static const char *const functions[] = {"count",  "sum",    "avg",   "min",   "max",  "round",    "coalesce",
                                            "substr", "length", "lower", "upper", "date", "strftime", "julianday"};
    size_t at = n, quotes = 0;
    char before[16];
    while (at > 0 && name_letter(text[at - 1]))
        at--;
    *start = at;
    for (size_t i = 0; i < n; i++)
        quotes += text[i] == '\'';
    struct pinned *p = NULL;
    if (quotes % 2 || !wb || pinned_new(wb, &p, NULL))
        return;
    struct offering o = {text + at, offer, context};
    word_before(text, at, before, sizeof before);
    bool table = strcmp(before, "from") == 0 || strcmp(before, "join") == 0;
    for (size_t i = 0; table && sql_table_at(i); i++)
        offer_word(&o, sql_table_at(i)->name, sql_table_at(i)->function ? "(" : "");
    if (!table)
        offer_columns(&o, p, text);
    for (size_t i = 0; !table && sql_function_at(i); i++)
        offer_word(&o, sql_function_at(i)->name, "(");
    for (size_t i = 0; !table && *o.prefix && i < sizeof functions / sizeof *functions; i++)
        offer_word(&o, functions[i], "(");
    for (size_t i = 0; !table && *o.prefix && i < sizeof words / sizeof *words; i++)
        offer_word(&o, words[i], "");
    pinned_free(p);
}
