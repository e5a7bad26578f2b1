/* Words of the feature language. */
#ifndef TAILOR_FEATURES_LEXER_H
#define TAILOR_FEATURES_LEXER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

enum token_type { TOKEN_END, TOKEN_WORD, TOKEN_TEXT, TOKEN_SIGN };

/* A word (bare: name, number, duration), a quoted text, or a sign such as ">=". */
struct token {
    enum token_type type;
    size_t offset, length; /* in the source, quotes included */
    char text[256];        /* the word, the unquoted text, or the sign; ends in 0 */
    size_t text_length;
};

struct lexer {
    const char *source;
    size_t n, at;
    struct token token; /* the one to be read next */
};

/* Sets the source and reads the first token. */
MUST_CHECK enum status lexer_start(struct lexer *in, const char *source, size_t n, struct error *err);
MUST_CHECK enum status lexer_next(struct lexer *in, struct error *err);
/* Is the next token this sign, or this bare word without regard to case? */
bool lexer_sees(const struct lexer *in, const char *text);
/* Steps over it when it is. */
MUST_CHECK enum status lexer_take(struct lexer *in, const char *text, bool *taken, struct error *err);
/* It must be there. */
MUST_CHECK enum status lexer_need(struct lexer *in, const char *text, struct error *err);
/* ST_USAGE with the next token marked: "expected WHAT, found ...". */
enum status lexer_expected(const struct lexer *in, const char *what, struct error *err);

#endif
