#include "features/lexer.h"

#include <string.h>

#include "base/text.h"

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Letters, digits, _ . - + and everything beyond ASCII: names, numbers, durations, dates. */
static bool is_word(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c && strchr("_.-+:", c)) ||
           (c & 0x80);
}

static enum status bad(struct lexer *in, size_t from, size_t length, const char *what, struct error *err)
{
    enum status st = error_set(err, ST_USAGE, "%s", what);
    error_span(err, from, length ? length : 1);
    in->token = (struct token){.type = TOKEN_END, .offset = from, .length = length};
    return st;
}

static enum status put(struct lexer *in, const char *bytes, size_t n, struct error *err)
{
    struct token *t = &in->token;
    if (n >= sizeof t->text - t->text_length)
        return bad(in, t->offset, in->at - t->offset, "a word is too long", err);
    memcpy(t->text + t->text_length, bytes, n);
    t->text_length += n;
    return ST_OK;
}

/* 'text' or "text"; a doubled quote stands for one. */
static enum status read_quoted(struct lexer *in, struct error *err)
{
    char quote = in->source[in->at++];
    enum status st = ST_OK;
    in->token.type = TOKEN_TEXT;
    for (; in->at < in->n && !st; in->at++) {
        if (in->source[in->at] == quote) {
            if (in->at + 1 == in->n || in->source[in->at + 1] != quote) {
                in->at++;
                return ST_OK;
            }
            in->at++;
        }
        st = put(in, &in->source[in->at], 1, err);
    }
    return st ? st : bad(in, in->token.offset, in->n - in->token.offset, "a quote is not closed", err);
}

enum status lexer_next(struct lexer *in, struct error *err)
{
    static const char *const signs[] = {"!=", "<>", "<=", ">=", "(", ")", ",", "=", "<", ">"};
    while (in->at < in->n && is_space(in->source[in->at]))
        in->at++;
    struct token *t = &in->token;
    memset(t, 0, sizeof *t);
    t->offset = in->at;
    if (in->at == in->n)
        return ST_OK;
    enum status st = ST_OK;
    char c = in->source[in->at];
    if (c == '\'' || c == '"') {
        st = read_quoted(in, err);
    } else if (is_word(c)) {
        t->type = TOKEN_WORD;
        for (; !st && in->at < in->n && is_word(in->source[in->at]); in->at++)
            st = put(in, &in->source[in->at], 1, err);
    } else {
        t->type = TOKEN_SIGN;
        size_t i = 0, count = sizeof signs / sizeof *signs, length = 0;
        for (; i < count; i++) {
            length = strlen(signs[i]);
            if (in->n - in->at >= length && memcmp(in->source + in->at, signs[i], length) == 0)
                break;
        }
        if (i == count)
            return bad(in, in->at, 1, "this character has no meaning here", err);
        in->at += length;
        st = put(in, signs[i], length, err);
    }
    if (!st)
        t->length = in->at - t->offset;
    return st;
}

enum status lexer_start(struct lexer *in, const char *source, size_t n, struct error *err)
{
    *in = (struct lexer){.source = source, .n = n};
    return lexer_next(in, err);
}

bool lexer_sees(const struct lexer *in, const char *text)
{
    enum token_type type = in->token.type;
    return (type == TOKEN_WORD || type == TOKEN_SIGN) && strlen(in->token.text) == in->token.text_length &&
           text_same(in->token.text, text);
}

enum status lexer_take(struct lexer *in, const char *text, bool *taken, struct error *err)
{
    *taken = lexer_sees(in, text);
    return *taken ? lexer_next(in, err) : ST_OK;
}

enum status lexer_need(struct lexer *in, const char *text, struct error *err)
{
    char what[32] = "\"";
    if (lexer_sees(in, text))
        return lexer_next(in, err);
    strncat(what, text, sizeof what - 3);
    strcat(what, "\"");
    return lexer_expected(in, what, err);
}

enum status lexer_expected(const struct lexer *in, const char *what, struct error *err)
{
    if (in->token.type == TOKEN_END)
        error_set(err, ST_USAGE, "expected %s, but the text ends here", what);
    else
        error_set(err, ST_USAGE, "expected %s, found \"%s\"", what, in->token.text);
    error_span(err, in->token.offset, in->token.length ? in->token.length : 1);
    return ST_USAGE;
}
