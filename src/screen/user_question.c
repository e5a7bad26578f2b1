#include "screen/user_question.h"

#include <math.h>
#include <stdio.h>

#include "base/mem.h"
#include "base/text.h"
#include "inspect/why.h"
#include "screen/numbers.h"

enum { SHOWN_ABOVE = 8, NAMES = 8 };

void user_question_clear(struct user_question *w)
{
    whynot_clear(&w->whynot);
    minimal_clear(&w->minimal);
    history_clear(&w->history);
    model_release(w->model);
    dataset_release(w->data);
    split_release(w->split);
    *w = (struct user_question){.item = NO_ITEM};
}

enum status user_question_ask(struct workbench *wb, const struct bench *b, size_t list, uint32_t item,
                              enum user_asks kind, struct user_question *w, struct error *err)
{
    *w = (struct user_question){.kind = kind,
                                .item = item,
                                .job = &wb->job,
                                .model = model_hold(b->lists[list].model),
                                .data = dataset_hold(b->data),
                                .split = workbench_split(wb)};
    enum status st = history_of_events(b->changed.events, b->changed.n, b->changed.as_of, &w->history, err);
    w->history.user = b->changed.user;
    w->history.hides = b->changed.hides;
    if (st)
        user_question_clear(w);
    return st;
}

enum status user_question_work(struct user_question *w, struct error *err)
{
    struct query q = history_query(&w->history);
    struct whynot_asked how = {.data = w->data,
                               .split = w->split,
                               .k = USER_QUESTION_K < w->data->items.n ? USER_QUESTION_K : w->data->items.n,
                               .seen = SEEN_HIDE,
                               .seconds = USER_QUESTION_SECONDS,
                               .job = w->job};
    if (w->kind == ASK_MINIMAL) {
        job_begin(w->job, 0, "", "why: the smallest set, by %s", w->model->name);
        return minimal_make(w->model, &q, w->item, SEEN_HIDE, USER_QUESTION_K, USER_QUESTION_SECONDS, w->job,
                            &w->minimal, err);
    }
    job_begin(w->job, 0, "", "whynot: what would bring it in, by %s", w->model->name);
    return whynot_make(w->model, &q, w->item, &how, &w->whynot, err);
}

const struct brought *user_question_set(const struct user_question *w, bool adding)
{
    const struct brought *b = w->kind == ASK_MINIMAL ? (adding ? NULL : &w->minimal.removed)
                              : adding               ? &w->whynot.adding
                                                     : &w->whynot.removing;
    return w->item != NO_ITEM && b && b->found && b->n ? b : NULL;
}

/* ---- the pane ---- */

static void put_place(const struct user_question *w, struct str *s)
{
    char count[32];
    const struct whynot *a = &w->whynot;
    if (a->seen)
        str_puts(s, "It is in the history, so it is hidden. ");
    if (a->knows == CAME_LATER)
        str_printf(s, "It came after %s was trained. ", w->model->name);
    else if (a->knows == KNOWS_NO_EVENT)
        str_printf(s, "%s learnt from no event of it. ", w->model->name);
    if (!a->rank) {
        str_printf(s, "%s has no place for it.", w->model->name);
        return;
    }
    str_puts(s, a->seen ? "With everything shown it would be " : "It is ");
    put_ordinal(s, a->rank);
    text_count(count, sizeof count, (int64_t)a->ranked);
    str_printf(s, " of %s", count);
    if (whynot_in(a))
        str_printf(s, ", among the first %zu.", a->k);
    else if (a->category)
        str_printf(s, "; of the %zu above it %zu are %s.", a->rank - 1, a->of_category, a->category);
    else
        str_puts(s, ".");
}

static void put_above(const struct user_question *w, struct str *s)
{
    char score[32];
    for (size_t i = 0; i < w->whynot.nabove && i < SHOWN_ABOVE; i++) {
        number_short(score, sizeof score, (double)w->whynot.above[i].score, false);
        str_printf(s, "%s\"%s\" %s", i ? ", " : "", dataset_item_title(w->data, w->whynot.above[i].item), score);
    }
}

static void put_titles(const struct user_question *w, const struct brought *b, struct str *s)
{
    for (size_t i = 0; i < b->n; i++)
        str_printf(s, "%s\"%s\"", i ? ", " : "", dataset_item_title(w->data, b->items[i]));
}

/* "Without Kolya, Fargo it would be 9th: no smaller set does" */
static void put_change(const struct user_question *w, const struct brought *b, bool adding, struct str *s)
{
    if (!b->found) {
        str_puts(s, b->none ? adding ? "nothing that is added brings it in" : "nothing that is taken out brings it in"
                            : "nothing was found in time");
        return;
    }
    put_titles(w, b, s);
    str_puts(s, ": then it is ");
    put_ordinal(s, b->rank);
    if (brought_smallest(b))
        str_puts(s, "; no smaller set does");
    else
        str_printf(s, "; at least %zu are needed", b->at_least);
}

static int draw_line(struct area in, int y, const char *name, const char *key, const struct str *text)
{
    area_column(in, y, 0, NAMES, LOOK_DIM, false, name);
    int right = *key ? area_text_right(in, y, in.width, LOOK_BOLD, key) - 1 : in.width;
    int lines = area_wrap(in, y, NAMES + 1, right - NAMES - 1, in.height - y < 2 ? in.height - y : 2, INK_DEFAULT,
                          str_text(text));
    return y + (lines > 0 ? lines : 1);
}

static void draw_whynot(const struct user_question *w, struct area in)
{
    struct str text = {0};
    put_place(w, &text);
    int y = draw_line(in, 0, "place", "", &text);
    for (int adding = 0; adding < 2 && w->whynot.searched && y < in.height; adding++) {
        const struct brought *b = adding ? &w->whynot.adding : &w->whynot.removing;
        str_clear(&text);
        put_change(w, b, adding == 1, &text);
        y = draw_line(in, y, adding ? "with" : "without", !b->found ? "" : adding ? "i does it" : "o does it", &text);
    }
    str_clear(&text);
    put_above(w, &text);
    if (y < in.height && text.length)
        draw_line(in, y, "above", "", &text);
    str_free(&text);
}

void user_question_draw(const struct user_question *w, struct area a)
{
    struct str title = {0}, text = {0};
    const char *item = dataset_item_title(w->data, w->item);
    if (w->kind == ASK_MINIMAL)
        str_printf(&title, "the least without which %s is not among the first %d by %s", item, USER_QUESTION_K,
                   w->model->name);
    else
        str_printf(&title,
                   whynot_in(&w->whynot) ? "%s is among the first %d by %s" : "why %s is not among the first %d by %s",
                   item, USER_QUESTION_K, w->model->name);
    area_rule(a, 0, INK_CYAN, str_text(&title), "Esc back");
    struct area in = area_part(a, 1, 1, -1, a.width - 2);
    if (w->kind == ASK_WHYNOT) {
        draw_whynot(w, in);
    } else {
        minimal_sentence(&w->minimal, w->data, &text);
        draw_line(in, 0, "without", user_question_set(w, false) ? "o does it" : "", &text);
    }
    str_free(&title);
    str_free(&text);
}
