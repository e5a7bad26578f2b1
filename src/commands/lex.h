/* Words of a command line. */
#ifndef TAILOR_COMMANDS_LEX_H
#define TAILOR_COMMANDS_LEX_H

#include "commands/command.h"

/* A lexed word: its text without quotes, and where a key=value would be cut. */
struct lexeme {
    struct word word;
    size_t equals; /* offset in word.text of the "=" of a key=value with an unquoted key, or SIZE_MAX */
};

struct lexemes {
    struct lexeme *at;
    size_t n, capacity;
    bool open_quote; /* the text ends inside quotes */
};

/* Cuts text into words at unquoted blanks. '...' and "..." quote at the start of a word, behind "=" (key="a b") and
 * behind ":" (title:"187"); elsewhere they are letters (Schindler's). A backslash inside double quotes keeps the next
 * quote or backslash. With `lenient` (completion) an open quote is closed at the end. */
MUST_CHECK enum status lex_line(const char *text, bool lenient, struct lexemes *out, struct error *err);
void lexemes_clear(struct lexemes *l);
/* Is it this keyword, unquoted? */
bool lexeme_is(const struct lexeme *l, const char *keyword);
/* The command whose name the words begin with, the longest name first: "load items" before "load". *used says how many
 * words it took. With `abbreviations` the first letters do, where they are of one command only. verb.c */
MUST_CHECK enum status lex_verb(const struct lexemes *words, bool abbreviations, const struct command **out,
                                size_t *used, struct error *err);
/* SQL begins with SELECT, WITH, VALUES or EXPLAIN. */
bool lex_is_sql(const char *text);
/* Bytes of the statement that text begins with: up to its `;`, which stands at text[n], or to the end of the text,
 * where *ended is false. Quotes and comments are minded. */
size_t lex_sql(const char *text, bool *ended);
/* Bytes of the first command of a text of several lines: its first line, or a statement with what stands behind its `;`
 * in that line. *open: a statement that has not ended. */
size_t lex_command(const char *text, bool *open);
/* Appends the text on one line, as a history keeps it: ends of lines become blanks, and -- comments of SQL go. */
void lex_one_line(struct str *out, const char *text);
/* Appends `text` to out as one word: quoted when it must be. */
void lex_quote(struct str *out, const char *text);

#endif
