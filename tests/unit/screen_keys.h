/* Scripts of keys for the tests of the screen: "jj<Tab>:status<Enter><C-c><A-x>" ("<lt>" is '<'). */
#ifndef TAILOR_TESTS_UNIT_SCREEN_KEYS_H
#define TAILOR_TESTS_UNIT_SCREEN_KEYS_H

#include <string.h>

#include "base/text.h"
#include "screen/keys.h"

/* The key at *script, which moves on; K_NONE at the end. */
static inline int32_t next_key(const char **script)
{
    static const struct {
        const char *name;
        int32_t key;
    } names[] = {{"<Enter>", K_ENTER}, {"<Esc>", K_ESCAPE}, {"<Tab>", K_TAB},   {"<S-Tab>", K_BACKTAB}, {"<BS>", K_BACKSPACE},
                 {"<Del>", K_DELETE},  {"<Up>", K_UP},      {"<Down>", K_DOWN}, {"<Left>", K_LEFT},     {"<Right>", K_RIGHT},
                 {"<Home>", K_HOME},   {"<End>", K_END},    {"<PgDn>", K_PAGE_DOWN}, {"<PgUp>", K_PAGE_UP}, {"<Space>", K_SPACE},
                 {"<lt>", '<'}};
    const char *s = *script;
    if (!*s)
        return K_NONE;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strncmp(s, names[i].name, strlen(names[i].name)) == 0) {
            *script += strlen(names[i].name);
            return names[i].key;
        }
    if (strncmp(s, "<C-", 3) == 0 && s[4] == '>') {
        *script += 5;
        return K_CTRL(s[3]);
    }
    if (strncmp(s, "<A-", 3) == 0 && s[4] == '>') {
        *script += 5;
        return K_ALT | s[3];
    }
    int32_t code;
    *script += utf8_decode(s, strlen(s), &code);
    return code;
}

#endif
