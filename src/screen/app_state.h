/* What the files of the app share: its state. */
#ifndef TAILOR_SCREEN_APP_STATE_H
#define TAILOR_SCREEN_APP_STATE_H

#include "commands/runner.h"
#include "screen/app.h"
#include "screen/frame.h"

enum { MOST_OVERLAYS = 4, MOST_TRAIL = 8 };

/* Where Escape leads. */
struct came_from {
    size_t view;
    char command[256];              /* "user 196": shows again what the view showed; "": it remembers itself */
    const struct overlay *overlay;  /* lay over it; NULL: none */
    void *state;                    /* the overlay's */
    struct result *result;          /* what it shows: as long as it waits here it is ours */
};

struct app {
    struct workbench *wb;
    struct surface surface;
    struct sink sink;
    struct runner *runner;
    char running[512];           /* the command that runs */
    char next[512];              /* run this after it, when not "" */
    struct app_work working;     /* runs instead of a command when .work is there */
    struct app_work waiting;     /* .work NULL: none waits */
    char waiting_for[512];       /* its command */
    double started;
    enum app_show show;          /* what is done with its result */
    struct result *incoming;     /* written by the worker while a command runs, ours after */
    struct result *held;         /* the last result; the overlay shows it */

    void *states[MOST_VIEWS];    /* NULL until the view was shown once */
    uint64_t seen[MOST_VIEWS];   /* generation that its state shows */
    size_t current;
    struct came_from trail[MOST_TRAIL]; /* the latest last */
    size_t ntrail;
    struct came_from returning;  /* its overlay comes back when the command that runs has ended; .overlay NULL: none */
    struct {
        const struct overlay *overlay;
        void *state;
        uint64_t id;
    } overlays[MOST_OVERLAYS];
    size_t noverlays;
    uint64_t overlay_ids;

    struct line_history history;
    struct frame_log log;        /* the command of the last key */
    struct frame_notice notice;
    uint64_t notes;              /* of the job, that were shown (job_say) */
    struct frame_newest newest;
    bool quit, repaint;
    int cursor_y, cursor_x;
};

/* Where results of commands go. */
struct sink app_sink(struct app *app);
/* What was worked on goes back to the view that asked. */
void app_hand_back(struct app *app, struct app_work *work, enum status st);
/* Opens the view's state when it has none yet, and brings it up to date. True: it was changed. */
bool app_freshen(struct app *app, size_t view);
void app_close_overlays(struct app *app);
/* Gives what is kept of a step of the trail up. */
void app_forget(struct came_from *from);
/* What lay over the view lies there again. */
void app_lay_again(struct app *app, struct came_from *from);

#endif
