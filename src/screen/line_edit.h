/* One line of text under the keys that readline taught everyone. Knows no screen: a key goes in, the text changes. */
#ifndef TAILOR_SCREEN_LINE_EDIT_H
#define TAILOR_SCREEN_LINE_EDIT_H

#include "base/text.h"
#include "screen/surface.h"

/* Lines entered before, oldest first; shared by all editors of a kind. */
struct line_history {
    char **lines;
    size_t n, capacity;
};
/* Appends a copy unless empty or the same as the last. */
MUST_CHECK enum status line_history_add(struct line_history *h, const char *line, struct error *err);
void line_history_free(struct line_history *h);

struct line_edit {
    struct str text;
    size_t cursor;               /* byte in text, between characters */
    struct str killed;           /* what C-k, C-u, C-w took; C-y puts it back */
    struct line_history *history; /* may be NULL; not owned */
    size_t place;                /* line of the history that is shown; history->n: the user's own */
    struct str own;              /* the user's own line while an old one is shown */
    size_t scroll;               /* first column shown, kept by line_edit_draw */
};

void line_edit_set(struct line_edit *e, const char *text); /* cursor at the end */
void line_edit_free(struct line_edit *e);
/* Replaces text[begin, cursor) by `word`. */
void line_edit_replace(struct line_edit *e, size_t begin, const char *word);
/* False: not a key of the editor (Enter, Escape, Tab, C-c, other specials). */
bool line_edit_key(struct line_edit *e, int32_t key);
/* Draws it on row y from column x on, scrolled so that the cursor shows; `hint` dim behind the end. Returns the
 * cursor's column. */
int line_edit_draw(struct line_edit *e, struct area a, int y, int x, const char *hint);

#endif
