#include "screen/palette.h"

#include <stdio.h>
#include <string.h>

#include "commands/command.h"
#include "screen/app.h"
#include "screen/picker.h"
#include "screen/prompt.h"

enum { MOST_COMMANDS = 64 };

/* 0: a word is nowhere; else the better the larger: names before summaries before help. */
static int fits(const struct command *c, const char *typed)
{
    int total = 1;
    for (const char *p = typed; *p;) {
        p += strspn(p, " ");
        char word[64];
        size_t n = strcspn(p, " "), keep = n < sizeof word - 1 ? n : sizeof word - 1;
        if (n == 0)
            break;
        memcpy(word, p, keep);
        word[keep] = 0;
        p += n;
        int here = text_starts(c->name, word)                ? 100
                   : text_find(c->name, word)                ? 50
                   : text_find(c->summary, word)             ? 20
                   : text_same(c->group, word)               ? 10
                   : c->help && text_find(c->help, word)     ? 1
                                                             : 0;
        if (here == 0)
            return 0;
        total += here;
    }
    return total;
}

static size_t fill(struct app *app, void *context, const char *typed, struct picker_row *rows, size_t most)
{
    (void)app;
    (void)context;
    int score[MOST_COMMANDS];
    size_t n = 0;
    for (size_t i = 0; command_at(i); i++) {
        const struct command *c = command_at(i);
        int fit = fits(c, typed);
        if (fit == 0)
            continue;
        size_t at = n < most ? n : most;
        while (at > 0 && score[at - 1] < fit)
            at--;
        if (at == most)
            continue;
        size_t moved = (n < most ? n : most - 1) - at;
        memmove(&rows[at + 1], &rows[at], moved * sizeof *rows);
        memmove(&score[at + 1], &score[at], moved * sizeof *score);
        score[at] = fit;
        rows[at].id = i;
        snprintf(rows[at].text, sizeof rows[at].text, "%-16s %s", c->name, c->summary);
        snprintf(rows[at].note, sizeof rows[at].note, "%s", c->group);
        if (n < most)
            n++;
    }
    return n;
}

static void detail(struct app *app, void *context, size_t id, struct str *out)
{
    (void)app;
    (void)context;
    const struct command *c = command_at(id);
    command_usage(c, out);
    if (c->examples && c->examples[0])
        str_printf(out, "\nfor example: %s", c->examples[0]);
    if (c->help)
        str_printf(out, "\n%s", c->help);
}

static void chosen(struct app *app, void *context, size_t id)
{
    (void)context;
    char line[128];
    snprintf(line, sizeof line, "%s ", command_at(id)->name);
    prompt_command(app, line);
}

void palette_open(struct app *app)
{
    picker_open(app, &(struct picker){.title = "commands",
                                      .label = ":",
                                      .most = MOST_COMMANDS,
                                      .fill = fill,
                                      .detail = detail,
                                      .chosen = chosen});
}
