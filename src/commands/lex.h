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
 * behind ":" (title:"187"); elsewhere they are letters (Schindler's). A backslash inside double quotes keeps the next quote
 * or backslash. With `lenient` (completion) an open quote is closed at the end. */
MUST_CHECK enum status lex_line(const char *text, bool lenient, struct lexemes *out, struct error *err);
void lexemes_clear(struct lexemes *l);
/* Is it this keyword, unquoted? */
bool lexeme_is(const struct lexeme *l, const char *keyword);
/* Appends `text` to out as one word: quoted when it must be. */
void lex_quote(struct str *out, const char *text);

#endif
