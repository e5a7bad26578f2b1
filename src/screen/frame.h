/* The rows around a view: head, tabs, the last command, keys, notices. */
#ifndef TAILOR_SCREEN_FRAME_H
#define TAILOR_SCREEN_FRAME_H

#include "base/error.h"
#include "screen/surface.h"

struct app;

enum { LEAST_HEIGHT = 6, LEAST_WIDTH_OF_SCREEN = 40 };

/* The command that the last key ran; seconds < 0: it runs still, or nothing ran yet (command ""). */
struct frame_log {
    char command[512];
    double seconds;
};

/* What has to be said until the next key. */
struct frame_notice {
    enum { NOTICE_NONE, NOTICE_SAY, NOTICE_ERROR } kind;
    char text[512]; /* the words, or the command that went wrong */
    struct error error;
};

/* The newest event of a data set: looked for once, not for every frame. */
struct frame_newest {
    uint64_t fingerprint; /* of the data set */
    int64_t time;         /* NO_TIME: none has one */
    bool known;
};

bool frame_too_small(struct area whole);
void frame_draw_too_small(struct area whole);
/* Where the view goes. */
struct area frame_body(struct area whole);
/* Two rows: data set and job; tabs and, behind `crumbs`, where one is. */
void frame_draw_head(struct app *app, struct frame_newest *newest, struct area whole, size_t view, const char *crumbs,
                     const char *place);
void frame_draw_foot(struct area whole, const struct frame_log *log, const struct frame_notice *notice,
                     const char *keys);
/* An error, over the last rows of the view; nothing for other notices. */
void frame_draw_error(struct area whole, const struct frame_notice *notice);
/* Writes the cells as text, frames left out. */
MUST_CHECK enum status frame_write(const struct surface *s, const char *path, struct error *err);

#endif
