/* The line being typed: readline's callbacks, completion by Tab, and dim hints behind the cursor.
 *
 * readline calls back without a context, so this file has the one global of the shell: whose line it is. */
#include "shell/session.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <readline/readline.h>

#include "base/mem.h"

struct typing {
    struct session *session;
    size_t prompt_width;
    bool hint_shown;
    bool complete;   /* a line has been entered */
    char *line;      /* the line, or NULL for the end of input */
};

static struct typing *typing;

/* ---- hints ---- */

static void erase_hint(void)
{
    if (!typing->hint_shown)
        return;
    fputs("\033[K", rl_outstream);
    typing->hint_shown = false;
}

static bool hints_welcome(void)
{
    return typing->session->terminal.color && rl_end > 0 && rl_point == rl_end &&
           !RL_ISSTATE(RL_STATE_ISEARCH | RL_STATE_NSEARCH | RL_STATE_NUMERICARG);
}

/* command_complete of the line up to `cursor`, with the lines of the statement before it. */
static enum status complete_line(size_t cursor, struct completion *out)
{
    struct str text = {0};
    const char *begun = typing->session->begun;
    if (begun)
        str_printf(&text, "%s\n", begun);
    size_t before = text.length;
    str_append(&text, rl_line_buffer, cursor);
    enum status st =
        text.failed ? ST_NOMEM : command_complete(typing->session->wb, str_text(&text), text.length, out, NULL);
    if (!st)
        out->start = out->start > before ? out->start - before : 0;
    str_free(&text);
    return st;
}

/* What could follow, dim, where it fits on the row; the cursor goes back to where it was. */
static void show_hint(void)
{
    struct completion c;
    size_t rows, columns;
    if (!hints_welcome() || complete_line((size_t)rl_end, &c))
        return;
    size_t width = text_width(c.hint, strlen(c.hint)), blank = rl_line_buffer[rl_end - 1] != ' ';
    size_t used = typing->prompt_width + text_width(rl_line_buffer, (size_t)rl_end);
    terminal_size(&rows, &columns);
    if (width && used + blank + width < columns) {
        fprintf(rl_outstream, "\033[2m%s%s\033[0m\033[%zuD", blank ? " " : "", c.hint, width + blank);
        typing->hint_shown = true;
    }
    completion_clear(&c);
}

static void redisplay(void)
{
    erase_hint();
    rl_redisplay();
    show_hint();
    fflush(rl_outstream);
}

/* ---- Tab ---- */

enum { CANDIDATE_BYTES = 512 };

/* A candidate that would bring control or invisible characters into the line, or a page of text, stays out; its id is
 * another way. */
static bool harmless(const char *text)
{
    size_t n = strlen(text);
    if (n > CANDIDATE_BYTES)
        return false;
    for (size_t i = 0, used; i < n; i += used) {
        int32_t c;
        used = utf8_decode(text + i, n - i, &c);
        if (c < 0x20 || (c >= 0x7f && c < 0xa0) || text_deceptive(c))
            return false;
    }
    return true;
}

static void keep_harmless(struct completion *c)
{
    size_t kept = 0;
    for (size_t i = 0; i < c->n; i++) {
        if (harmless(c->candidates[i]))
            c->candidates[kept++] = c->candidates[i];
        else
            mem_free(c->candidates[i]);
    }
    c->n = kept;
}

/* Bytes that all candidates begin with, whole characters only. */
static size_t common_prefix(const struct completion *c)
{
    size_t n = strlen(c->candidates[0]);
    for (size_t i = 1; i < c->n; i++) {
        size_t same = 0;
        while (same < n && c->candidates[0][same] == c->candidates[i][same])
            same++;
        n = same;
    }
    while (n > 0 && ((unsigned char)c->candidates[0][n] & 0xc0) == 0x80)
        n--;
    return n;
}

static void replace_word(size_t start, const char *text, size_t n)
{
    char *copy = mem_strndup(text, n, NULL);
    if (!copy)
        return;
    rl_begin_undo_group();
    rl_delete_text((int)start, rl_point);
    rl_point = (int)start;
    rl_insert_text(copy);
    rl_end_undo_group();
    mem_free(copy);
}

/* All candidates in columns below the line, as many as the screen has room for. */
static void list_candidates(const struct completion *c)
{
    size_t rows, columns, widest = 1;
    terminal_size(&rows, &columns);
    for (size_t i = 0; i < c->n; i++) {
        size_t width = text_width(c->candidates[i], strlen(c->candidates[i]));
        widest = width > widest ? width : widest;
    }
    size_t across = columns / (widest + 2), room = (across ? across : 1) * (rows > 6 ? rows - 5 : 1);
    size_t n = c->n < room ? c->n : room;
    char **matches =
        calloc(n + 2, sizeof *matches); /* readline's own kind of array: a prefix first, then the matches */
    if (!matches)
        return;
    matches[0] = (char[]){""};
    memcpy(matches + 1, c->candidates, n * sizeof *matches);
    rl_display_match_list(matches, (int)n, (int)widest);
    if (c->n > n)
        fprintf(rl_outstream, "... %zu more\n", c->n - n);
    free(matches);
    rl_forced_update_display();
}

static bool ends_open(const char *candidate)
{
    size_t n = strlen(candidate);
    return n && (candidate[n - 1] == '=' || candidate[n - 1] == '/' || candidate[n - 1] == '(');
}

static int complete(int count, int key)
{
    (void)count;
    (void)key;
    struct completion c;
    erase_hint();
    if (complete_line((size_t)rl_point, &c))
        return rl_ding();
    keep_harmless(&c);
    size_t typed = (size_t)rl_point - c.start, common = c.n ? common_prefix(&c) : 0;
    if (c.n == 0) {
        rl_ding();
    } else if (c.n == 1) {
        replace_word(c.start, c.candidates[0], common);
        if (!ends_open(c.candidates[0]) && rl_line_buffer[rl_point] != ' ')
            rl_insert_text(" ");
    } else if (common > typed || (common == typed && strncmp(rl_line_buffer + c.start, c.candidates[0], common) != 0)) {
        replace_word(c.start, c.candidates[0], common);
    } else {
        list_candidates(&c);
    }
    completion_clear(&c);
    return 0;
}

/* ---- the line ---- */

static int enter(int count, int key)
{
    erase_hint();
    return rl_newline(count, key);
}

static void line_entered(char *line)
{
    typing->complete = true;
    typing->line = line;
    rl_callback_handler_remove(); /* the terminal is its old self while a command runs */
}

void typing_begin(struct session *s)
{
    static struct typing ours;
    ours = (struct typing){.session = s};
    typing = &ours;
    rl_readline_name = "tailor";
    rl_instream = stdin;
    rl_outstream = stdout;
    rl_catch_signals = 0;
    rl_catch_sigwinch = 0;
    rl_redisplay_function = redisplay;
    rl_initialize();
    if (s->terminal.dumb)
        rl_variable_bind("enable-bracketed-paste", "off");
    rl_bind_key('\t', complete);
    rl_bind_key('\r', enter);
    rl_bind_key('\n', enter);
}

void typing_open(const char *prompt, size_t width)
{
    typing->prompt_width = width;
    typing->hint_shown = typing->complete = false;
    rl_callback_handler_install(prompt, line_entered);
}

void typing_prompt(const char *prompt, size_t width)
{
    typing->prompt_width = width;
    erase_hint();
    rl_set_prompt(prompt);
    rl_redisplay();
    fflush(rl_outstream);
}

void typing_close(void)
{
    erase_hint();
    rl_callback_handler_remove();
}

bool typing_key(char **line)
{
    rl_callback_read_char();
    *line = typing->line;
    bool complete_line = typing->complete;
    typing->complete = false;
    typing->line = NULL;
    return complete_line;
}

void typing_abandon(void)
{
    erase_hint();
    rl_echo_signal_char(SIGINT);
    rl_crlf();
    rl_on_new_line();
    rl_replace_line("", 0); /* before the next one, which draws the line */
    rl_free_line_state();
    rl_callback_sigcleanup();
    rl_redisplay();
    fflush(rl_outstream);
}

void typing_resized(void)
{
    rl_resize_terminal();
}

void typing_stop(void)
{
    erase_hint();
    fflush(rl_outstream);
    rl_deprep_term_function();
    raise(SIGSTOP);
    rl_prep_term_function(1);
    rl_forced_update_display();
}
