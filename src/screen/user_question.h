/* Questions about one item of a list that take longer than a frame, and their pane: why is it not among the first, and
 * what is the least that has to go for it to drop out? The worker answers them. */
#ifndef TAILOR_SCREEN_USER_QUESTION_H
#define TAILOR_SCREEN_USER_QUESTION_H

#include "inspect/minimal.h"
#include "inspect/whynot.h"
#include "screen/surface.h"
#include "screen/user_bench.h"

enum { USER_QUESTION_K = 10, USER_QUESTION_SECONDS = 1 /* as the commands */ };

enum user_asks { ASK_WHYNOT, ASK_MINIMAL };

struct user_question {
    enum user_asks kind;
    uint32_t item;          /* NO_ITEM: nothing was asked */
    struct model
        *model; /* counted, as data and split are; the history is a copy: the worker shares nothing with the screen */
    struct dataset *data;
    struct split *split;
    struct history history;
    struct job *job;
    struct whynot whynot;   /* the answer, by kind */
    struct minimal minimal;
};

/* Takes what the question needs: about `item` in list `list`, with the history as it is changed now. */
MUST_CHECK enum status user_question_ask(struct workbench *wb, const struct bench *b, size_t list, uint32_t item,
                                         enum user_asks kind, struct user_question *w, struct error *err);
/* On the worker. */
MUST_CHECK enum status user_question_work(struct user_question *w, struct error *err);
/* The items to take out, or to put in, that the answer names; NULL: none was found. */
const struct brought *user_question_set(const struct user_question *w, bool adding);
void user_question_clear(struct user_question *w);
void user_question_draw(const struct user_question *w, struct area a);

#endif
