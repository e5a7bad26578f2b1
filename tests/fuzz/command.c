/* A line of the command language: parsing and completion. What an error marks lies within the line. */
#include <string.h>

#include "commands/command.h"
#include "commands/lex.h"
#include "tests/fuzz/fuzz.h"

static void parse(const char *text, size_t n, bool abbreviations)
{
    struct call *c = NULL;
    struct error err = {0};
    enum status st = call_parse(NULL, text, abbreviations, &c, &err);
    MUST(!st == (c != NULL));
    MUST(!st || err.message[0]);
    MUST(!st || err.length == 0 || err.offset + err.length <= n + 1); /* what is missing is marked behind the end */
    call_free(c);
}

/* What is quoted reads back as one word that is the text. */
static void quote(const char *text)
{
    struct str quoted = {0};
    struct lexemes words;
    lex_quote(&quoted, text);
    MUST(lex_line(str_text(&quoted), false, &words, NULL) == ST_OK);
    MUST(words.n == 1 && strcmp(words.at[0].word.text, text) == 0);
    lexemes_clear(&words);
    str_free(&quoted);
}

static struct workbench *bench;

static void close_bench(void)
{
    workbench_close(bench);
}

static void complete(const char *text, size_t cursor)
{
    struct completion c;
    struct error err;
    if (!bench) {
        MUST(workbench_open(NULL, false, &bench, &err) == ST_OK);
        atexit(close_bench);
    }
    if (command_complete(bench, text, cursor, &c, &err) == ST_OK)
        MUST(c.start <= cursor);
    completion_clear(&c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    char *text = malloc(n + 1);
    MUST(text);
    memcpy(text, data, n);
    text[n] = 0;
    size_t length = strlen(text);
    parse(text, length, false);
    parse(text, length, true);
    quote(text);
    complete(text, length);
    complete(text, length / 2);
    free(text);
    return 0;
}
