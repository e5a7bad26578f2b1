#include "commands/lex.h"

#include <string.h>

#include "base/mem.h"
#include "base/text.h"

static bool blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool key_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.' ||
           c == '-';
}

void lexemes_clear(struct lexemes *l)
{
    for (size_t i = 0; i < l->n; i++)
        mem_free(l->at[i].word.text);
    mem_free(l->at);
    memset(l, 0, sizeof *l);
}

bool lexeme_is(const struct lexeme *l, const char *keyword)
{
    return !l->word.quoted && strcmp(l->word.text, keyword) == 0;
}

/* An apostrophe inside a bare word is a letter ("Schindler's"), not a quote; a quote opens at the start of a word,
 * behind "=" and behind ":" (title:"187"). */
static bool quotes_here(const char *text, size_t start, size_t i)
{
    return i == start || text[i - 1] == '=' || text[i - 1] == ':';
}

/* Reads one word that starts at text[i]; returns the offset after it. */
static size_t read_word(const char *text, size_t i, struct str *word, bool *open, size_t *open_at)
{
    char quote = 0;
    size_t start = i;
    for (; text[i]; i++) {
        char c = text[i];
        if (quote) {
            if (c == quote)
                quote = 0;
            else if (quote == '"' && c == '\\' && (text[i + 1] == '"' || text[i + 1] == '\\'))
                str_putc(word, text[++i]);
            else
                str_putc(word, c);
        } else if ((c == '"' || c == '\'') && quotes_here(text, start, i)) {
            quote = c;
            *open_at = i;
        } else if (blank(c)) {
            break;
        } else {
            str_putc(word, c);
        }
    }
    *open = quote != 0;
    return i;
}

/* Offset of "=" behind an unquoted key, in the raw text and so in the word (the key has no quotes). */
static size_t find_equals(const char *raw, size_t n)
{
    size_t i = 0;
    while (i < n && key_char(raw[i]))
        i++;
    return i > 0 && i < n && raw[i] == '=' ? i : SIZE_MAX;
}

enum status lex_line(const char *text, bool lenient, struct lexemes *out, struct error *err)
{
    memset(out, 0, sizeof *out);
    enum status st = ST_OK;
    size_t i = 0;
    for (;;) {
        while (blank(text[i]))
            i++;
        if (!text[i])
            return ST_OK;
        st = mem_grow(&out->at, &out->capacity, out->n + 1, sizeof *out->at, err);
        if (st)
            break;
        struct str word = {0};
        bool open;
        size_t open_at = i, end = read_word(text, i, &word, &open, &open_at);
        struct lexeme *l = &out->at[out->n];
        *l = (struct lexeme){.word = {.offset = i, .length = end - i, .quoted = text[i] == '"' || text[i] == '\''}};
        l->equals = find_equals(text + i, end - i);
        l->word.text = word.failed ? NULL : mem_strdup(str_text(&word), err);
        str_free(&word);
        if (!l->word.text) {
            st = error_nomem(err, end - i, "a command line");
            break;
        }
        out->n++;
        out->open_quote = open;
        if (open && !lenient) {
            st = error_set(err, ST_USAGE, "a quote is opened and never closed");
            error_span(err, open_at, end - open_at);
            break;
        }
        i = end;
    }
    lexemes_clear(out);
    return st;
}

void lex_quote(struct str *out, const char *text)
{
    static const char *const keywords[] = {"with", "where", "as", "new", "add", "remove", ">", "|", "."};
    bool plain = *text && *text != '#' && strncmp(text, "--", 2) != 0;
    for (const char *p = text; *p; p++)
        plain = plain && !blank(*p) && *p != '"' && *p != '\'' && *p != '=' && *p != '\\';
    for (size_t i = 0; i < sizeof keywords / sizeof *keywords; i++)
        plain = plain && strcmp(text, keywords[i]) != 0;
    if (plain) {
        str_puts(out, text);
        return;
    }
    str_putc(out, '"');
    for (const char *p = text; *p; p++) {
        if (*p == '"' || *p == '\\')
            str_putc(out, '\\');
        str_putc(out, *p);
    }
    str_putc(out, '"');
}

/* ---- SQL ---- */

bool lex_is_sql(const char *text)
{
    static const char *const words[] = {"select", "with", "values", "explain"};
    while (blank(*text))
        text++;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        size_t n = strlen(words[i]);
        if (text_starts(text, words[i]) && !key_char(text[n]))
            return true;
    }
    return false;
}

/* The end of a quoted name or text, or of a comment, that begins at text[i]; i when none does. */
static size_t skip_sql(const char *text, size_t i)
{
    const char *end = NULL;
    if (strchr("'\"`[", text[i]) && text[i]) {
        end = strchr(text + i + 1, text[i] == '[' ? ']' : text[i]);
        end = end ? end + 1 : NULL;
    } else if (strncmp(text + i, "--", 2) == 0) {
        end = strchr(text + i, '\n');
    } else if (strncmp(text + i, "/*", 2) == 0) {
        end = strstr(text + i + 2, "*/");
        end = end ? end + 2 : NULL;
    } else {
        return i;
    }
    return end ? (size_t)(end - text) : i + strlen(text + i);
}

size_t lex_sql(const char *text, bool *ended)
{
    size_t i = 0;
    while (text[i] && text[i] != ';') {
        size_t next = skip_sql(text, i);
        i = next > i ? next : i + 1;
    }
    *ended = text[i] == ';';
    return i;
}

size_t lex_command(const char *text, bool *open)
{
    bool ended = true;
    size_t n = lex_is_sql(text) ? lex_sql(text, &ended) : 0;
    *open = !ended;
    return n + strcspn(text + n, "\n");
}

void lex_one_line(struct str *out, const char *text)
{
    bool sql = lex_is_sql(text);
    for (size_t i = 0; text[i];) {
        size_t next = sql ? skip_sql(text, i) : i;
        bool comment = next > i && text[i] == '-';
        next = next > i ? next : i + 1;
        if (!comment)
            str_append(out, text + i, next - i);
        i = next;
    }
    for (size_t i = 0; i < out->length; i++)
        if (out->data[i] == '\n')
            out->data[i] = ' ';
}
