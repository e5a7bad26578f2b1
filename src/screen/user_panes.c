/* The User view's panes: the person, the history, a list, and why. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "models/served.h"
#include "screen/numbers.h"
#include "screen/view_user.h"

enum { TASTES = 4, BOX = 4, WIDE_HISTORY = 44, WIDE_LIST = 30, WHY_COLUMN = 34, WHY_BAR = 10, SCORE = 7 };

/* ---- titles ---- */

/* Bytes of the title without a year in brackets at its end. */
static size_t without_year(const char *title)
{
    size_t n = strlen(title);
    if (n < 8 || title[n - 1] != ')' || title[n - 6] != '(' || title[n - 7] != ' ' ||
        strspn(title + n - 5, "0123456789") != 4)
        return n;
    return n - 7;
}

static size_t title_width(const char *title)
{
    return text_width(title, without_year(title));
}

/* A title in `width` columns; where it does not fit whole, its year goes first. */
static void put_title(struct area row, int y, int x, int width, unsigned look, const char *title)
{
    char brief[256];
    size_t n = strlen(title), cut = without_year(title);
    if ((int)text_width(title, n) > width && cut < n && cut < sizeof brief) {
        memcpy(brief, title, cut);
        brief[cut] = 0;
        title = brief;
    }
    area_column(row, y, x, width, look, false, title);
}

/* ---- the person ---- */

/* "49 M writer" */
static int draw_attributes(const struct user_view *v, struct area row, int x)
{
    const struct fields *set = &v->bench.data->user_fields;
    struct str text = {0};
    for (size_t f = 0; v->bench.user != NO_USER && f < set->n && f < (row.width >= 110 ? 4 : 3); f++) {
        if (field_missing(&set->field[f], v->bench.user))
            continue;
        if (text.length)
            str_putc(&text, ' ');
        if (row.width >= 110)
            str_printf(&text, "%s ", set->field[f].name);
        field_format(&set->field[f], v->bench.user, &text);
    }
    x = text.length ? area_text(row, 0, x, INK_DEFAULT, str_text(&text)) + 2 : x;
    str_free(&text);
    return x;
}

static int draw_span(const struct user_view *v, struct area row, int x)
{
    const struct history *h = &v->bench.truth;
    char count[32];
    text_count(count, sizeof count, (int64_t)h->n);
    if (v->bench.at != NO_TIME) { /* the clock of this view stands in the past */
        char moment[40], all[32];
        time_short(moment, sizeof moment, v->bench.at);
        text_count(all, sizeof all, (int64_t)v->bench.whole.n);
        return area_printf(row, 0, x, INK_YELLOW | LOOK_BOLD, "%s of %s event%s, before %s", count, all,
                           v->bench.whole.n == 1 ? "" : "s", moment) + 2;
    }
    if (v->bench.back > 0) {
        char all[32];
        text_count(all, sizeof all, (int64_t)v->bench.whole.n);
        return area_printf(row, 0, x, INK_YELLOW | LOOK_BOLD, "the first %s of %s event%s", count, all,
                           v->bench.whole.n == 1 ? "" : "s") + 2;
    }
    x = area_printf(row, 0, x, INK_DEFAULT, "%s event%s", count, h->n == 1 ? "" : "s");
    if (h->n > 1 && h->events[0].time != NO_TIME && h->events[h->n - 1].time != NO_TIME) {
        int64_t days = (h->events[h->n - 1].time - h->events[0].time) / US_PER_DAY;
        x = days > 0 ? area_printf(row, 0, x, INK_DEFAULT, " over %lld day%s", (long long)days, days == 1 ? "" : "s")
                     : area_text(row, 0, x, INK_DEFAULT, " within a day");
    }
    return x + 2;
}

/* "taste  Comedy 58 %+  Drama 18 %": a category that is liked half as much again as usual has a mark. */
static void draw_tastes(const struct user_view *v, struct area row, int x)
{
    const struct profile *p = &v->bench.profile;
    struct str text = {0};
    for (size_t i = 0; i < p->ntastes && i < TASTES; i++) {
        char one[96];
        const struct taste *t = &p->tastes[i];
        snprintf(one, sizeof one, "%s%s %.0f %%%s", i ? "  " : "", t->category, t->share * 100,
                 t->share > 1.5 * t->usual ? area_glyph(row, "↑", "+") : "");
        if (x + 8 + (int)(text_width(str_text(&text), text.length) + text_width(one, strlen(one))) > row.width)
            break;
        str_puts(&text, one);
    }
    if (text.length) {
        int at = area_text_right(row, 0, row.width - 1, INK_MAGENTA, str_text(&text));
        area_text_right(row, 0, at - 2, LOOK_DIM, "taste");
    }
    str_free(&text);
}

void user_draw_person(const struct user_view *v, struct area row)
{
    int x;
    if (v->bench.user == NO_USER)
        x = area_text(row, 0, 1, LOOK_BOLD, "a made-up user") + 2;
    else
        x = area_printf(row, 0, 1, LOOK_BOLD, "user %s", dict_text(&v->bench.data->users, v->bench.user)) + 2;
    x = draw_attributes(v, row, x);
    x = draw_span(v, row, x);
    draw_tastes(v, row, x);
}

/* ---- the history ---- */

static unsigned row_look(const struct user_view *v, size_t pane, size_t at)
{
    if (at != v->rows[pane].cursor)
        return 0;
    return v->pane == pane ? LOOK_REVERSE : LOOK_BOLD;
}

static void put_date(char *out, size_t size, int64_t time, int width)
{
    char text[40] = "";
    if (time != NO_TIME)
        time_short(text, sizeof text, time);
    if (width == 10)
        text[strlen(text) > 10 ? 10 : strlen(text)] = 0;
    snprintf(out, size, "%s", text);
}

/* "[x] Kolya (1996)      5  2d  +.34" from the right: contribution or date, value, title. */
static void draw_history_row(const struct user_view *v, struct area row, const struct bench_item *it, unsigned look)
{
    char text[48];
    int right = row.width;
    bool wide = row.width >= WIDE_HISTORY, asked = v->pane > 0;
    const char *box = it->later   ? area_glyph(row, " › ", " > ")
                      : it->added ? (it->on ? "[+]" : "[ ]")
                      : it->on    ? "[x]"
                                  : "[ ]";
    area_blank(row, look & LOOK_REVERSE);
    if (asked || v->order == ORDER_PART) {
        number_short(text, sizeof text, it->part, true);
        right -= 6;
        area_column(row, 0, right, 6, look | (it->part < 0 ? INK_RED : INK_GREEN), true, text);
    }
    if (!asked || wide) {
        int width = wide ? 10 : 4;
        if (wide)
            put_date(text, sizeof text, it->time, 10);
        else
            number_age(text, sizeof text, it->time,
                       v->bench.truth.n ? v->bench.truth.events[v->bench.truth.n - 1].time : NO_TIME);
        right -= width + 1;
        area_column(row, 0, right + 1, width, look | LOOK_DIM, true, it->added ? "" : text);
    }
    if (!isnan(it->value)) {
        number_short(text, sizeof text, it->value, false);
        if (it->value == floorf(it->value) && fabsf(it->value) < 1000)
            snprintf(text, sizeof text, "%.0f", (double)it->value);
        right -= 4;
        area_column(row, 0, right, 4, look, true, text);
    } else if (it->count > 1) {
        snprintf(text, sizeof text, area_glyph(row, "×%u", "x%u"), it->count);
        right -= 4;
        area_column(row, 0, right, 4, look | LOOK_DIM, true, text);
    }
    area_text(row, 0, 0, look | (it->added ? INK_YELLOW | LOOK_BOLD : it->on ? 0u : LOOK_DIM), box);
    put_title(row, 0, BOX, right - BOX, look | (it->on ? 0u : LOOK_DIM), dataset_item_title(v->bench.data, it->item));
}

void user_draw_history(struct user_view *v, struct area a)
{
    size_t on = 0;
    for (size_t i = 0; i < v->bench.nitems; i++)
        on += v->bench.items[i].on;
    static const char *const orders[ORDERS] = {"history", "history by title", "history by value", "history by part"};
    char count[48];
    snprintf(count, sizeof count, "%zu of %zu", on, v->bench.nitems);
    area_rule(a, 0, v->pane == 0 ? INK_CYAN : LOOK_DIM, orders[v->order], count);
    struct area in = area_part(a, 1, 1, -1, a.width - 2);
    scroll_fit(&v->rows[0], v->nshown, (size_t)in.height);
    if (v->bench.nitems == 0)
        area_wrap(in, 0, 0, in.width, in.height, LOOK_DIM, "nothing yet: a adds an item");
    for (int y = 0; y < in.height && v->rows[0].top + (size_t)y < v->nshown; y++) {
        size_t at = v->rows[0].top + (size_t)y;
        draw_history_row(v, area_part(in, y, 0, 1, -1), &v->bench.items[v->shown[at]], row_look(v, 0, at));
    }
}

/* ---- a list ---- */

static void draw_move(struct area row, int x, int32_t moved, unsigned look)
{
    char text[32];
    if (moved == INT32_MAX) {
        area_column(row, 0, x, 4, look | INK_YELLOW | LOOK_BOLD, true, "new");
    } else if (moved != 0) {
        snprintf(text, sizeof text, "%s%d", moved > 0 ? area_glyph(row, "↑", "^") : area_glyph(row, "↓", "v"),
                 moved > 0 ? moved : -moved);
        if (moved > 999 || moved < -999)
            snprintf(text, sizeof text, "%s", moved > 0 ? area_glyph(row, "↑↑", "^^") : area_glyph(row, "↓↓", "vv"));
        area_column(row, 0, x, 4, look | (moved > 0 ? INK_GREEN : INK_RED), true, text);
    }
}

static void draw_list_row(const struct user_view *v, struct area row, size_t list, size_t at, unsigned look)
{
    const struct bench_list *l = &v->bench.lists[list];
    const struct scored *s = &l->top[at];
    char text[32];
    bool wide = row.width >= WIDE_LIST, touched = bench_touched(&v->bench);
    int right = row.width;
    if (v->why.item == s->index && !(look & LOOK_REVERSE)) /* the item in question, wherever it stands */
        look |= LOOK_BOLD | LOOK_UNDERLINE;
    area_blank(row, look & LOOK_REVERSE);
    if (touched) {
        right -= 4;
        draw_move(row, right, bench_moved(&v->bench, list, at), look & ~(unsigned)LOOK_UNDERLINE);
    }
    if (wide && !model_is_served(l->model)) { /* what was served has places, no scores */
        number_short(text, sizeof text, (double)s->score, false);
        right -= 5;
        area_column(row, 0, right, 5, look & ~(unsigned)LOOK_UNDERLINE, true, text);
    }
    snprintf(text, sizeof text, "%zu", at + 1);
    area_column(row, 0, 0, 2 + (at >= 99), (look & ~(unsigned)LOOK_UNDERLINE) | LOOK_DIM, true, text);
    bool back = v->bench.row_of[s->index] != NO_CODE; /* taken out of the history, so it may be recommended */
    if (back)
        area_text(row, 0, 3, look, area_glyph(row, "◇", "*"));
    put_title(row, 0, back ? 5 : 3, right - (back ? 5 : 3), look, dataset_item_title(v->bench.data, s->index));
}

void user_draw_list(struct user_view *v, struct area a, size_t list, size_t before, size_t behind)
{
    struct bench_list *l = &v->bench.lists[list];
    struct scroll *rows = &v->rows[list + 1];
    bool focused = v->pane == list + 1;
    struct str name = {0}, note = {0};
    if (before)
        str_printf(&name, "%s%zu ", area_glyph(a, "◂", "<"), before);
    str_printf(&name, "%s%s", l->model->name, model_is_served(l->model) ? ", as served" : "");
    if (v->why.item != NO_ITEM && v->pane > 0) {
        size_t rank = rank_of(l->scores, v->bench.data->items.n, v->why.item);
        if (rank)
            put_ordinal(&note, rank);
        else
            str_puts(&note, "seen");
    }
    if (behind)
        str_printf(&note, "%s%zu%s", note.length ? " " : "", behind, area_glyph(a, "▸", ">"));
    area_rule(a, 0, focused ? INK_CYAN : LOOK_DIM, str_text(&name), str_text(&note));
    str_free(&name);
    str_free(&note);
    struct area in = area_part(a, 1, 1, -1, a.width - 1);
    scroll_fit(rows, l->n, (size_t)in.height);
    if (l->n == 0)
        area_text(in, 0, 0, LOOK_DIM, "nothing to recommend");
    for (int y = 0; y < in.height && rows->top + (size_t)y < l->n; y++)
        draw_list_row(v, area_part(in, y, 0, 1, -1), list, rows->top + (size_t)y,
                      focused ? row_look(v, list + 1, rows->top + (size_t)y) : 0);
}

/* ---- why ---- */

static const char *part_name(const struct user_view *v, const struct contribution *c)
{
    if (c->item != NO_ITEM)
        return dataset_item_title(v->bench.data, c->item);
    return *c->label ? c->label : "the rest";
}

static void draw_part(const struct user_view *v, struct area cell, const struct contribution *c, double largest)
{
    char number[32];
    number_short(number, sizeof number, c->value, true);
    area_column(cell, 0, 0, 6, INK_DEFAULT, true, number);
    area_bar(cell, 0, 7, WHY_BAR, fabs(c->value) / largest, c->value < 0 ? INK_RED : INK_GREEN);
    put_title(cell, 0, 8 + WHY_BAR, cell.width - 9 - WHY_BAR, INK_DEFAULT, part_name(v, c));
}

/* What the bars leave out: "+.12 from 9 more", "+.30 for everybody". */
static void say_rest(const struct why *w, size_t drawn, struct str *out)
{
    double sum = w->base;
    char number[32];
    for (size_t i = drawn; i < w->nparts; i++)
        sum += w->parts[i].what.value;
    number_short(number, sizeof number, sum, true);
    bool based = fabs(w->base) > 0;
    const char *base = w->made_of.n ? "by the scale"
                                    : "for everybody"; /* ensembles have no base but where their models' scales begin */
    if (drawn < w->nparts)
        str_printf(out, "%s from %zu more%s%s", number, w->nparts - drawn, based ? " and " : "", based ? base : "");
    else if (based)
        str_printf(out, "%s %s", number, base);
}

static size_t draw_parts(const struct user_view *v, struct area a, int columns)
{
    const struct why *w = &v->why;
    double largest = fabs(w->base);
    int width = a.width / columns;
    size_t room = (size_t)(a.height * columns), drawn = 0;
    for (size_t i = 0; i < w->nparts; i++)
        largest = fmax(largest, fabs(w->parts[i].what.value));
    for (; drawn < w->nparts && drawn < room; drawn++)
        draw_part(v, area_part(a, (int)drawn % a.height, (int)drawn / a.height * width, 1, width),
                  &w->parts[drawn].what, largest);
    return drawn;
}

/* "ease 2nd +.92, pop 9th -.06", or which model a switch chose; nothing where the bars are of models already. */
static void put_models(const struct user_view *v, struct str *out)
{
    const struct made_of *x = &v->why.made_of;
    char who[128] = "the made-up user", number[32];
    if (v->bench.user != NO_USER)
        snprintf(who, sizeof who, "%s", dict_text(&v->bench.data->users, v->bench.user));
    made_of_choice(x, who, out);
    for (size_t p = 0; p < x->n && x->alone == x->n && !why_only_models(&v->why); p++) {
        str_printf(out, "%s%s ", p ? ", " : "by its models: ", x->parts[p].model->name);
        if (x->parts[p].rank) {
            put_ordinal(out, x->parts[p].rank);
            str_putc(out, ' ');
        }
        number_short(number, sizeof number, x->parts[p].share.adds, true);
        str_puts(out, number);
    }
}

static void draw_explanation(const struct user_view *v, struct area a, size_t list)
{
    const struct why *w = &v->why;
    struct str title = {0}, words = {0}, rest = {0}, models = {0};
    char score[32];
    str_printf(&title, "why %s is ", dataset_item_title(v->bench.data, w->item));
    put_ordinal(&title, w->rank);
    str_printf(&title, " by %s", v->bench.lists[list].model->name);
    area_rule(a, 0, LOOK_DIM, str_text(&title), w->exact ? w->method : "an approximation");
    struct area in = area_part(a, 1, 1, -1, a.width - 2);
    why_sentence(w, v->bench.data, &words);
    if (in.height >= 4)
        put_models(v, &models);
    int lines = (in.height >= 4 ? 2 : 1) + (models.length > 0), rows = in.height - lines > 0 ? in.height - lines : 0,
        columns = (in.width - SCORE) / WHY_COLUMN;
    columns = columns < 1 ? 1 : columns > 3 ? 3 : columns;
    if ((size_t)rows > (w->nparts + (size_t)columns - 1) / (size_t)columns)
        rows = (int)((w->nparts + (size_t)columns - 1) / (size_t)columns);
    number_short(score, sizeof score, (double)w->score, false);
    area_printf(in, 0, 0, LOOK_BOLD, "%s =", score);
    say_rest(w, draw_parts(v, area_part(in, 0, SCORE, rows, -1), columns), &rest);
    int right = rest.length ? area_text_right(in, rows, in.width, LOOK_DIM, str_text(&rest)) - 2 : in.width;
    if (models.length)
        area_column(in, rows++, 0, right, LOOK_DIM, false, str_text(&models));
    area_wrap(in, rows, 0, models.length ? in.width : right, in.height - rows, INK_DEFAULT, str_text(&words));
    str_free(&models);
    str_free(&title);
    str_free(&words);
    str_free(&rest);
}

/* A list that was served cannot be opened; what can be said is where the models have the same item. */
static void draw_served(const struct user_view *v, struct area a, size_t list)
{
    struct str title = {0}, words = {0};
    const char *name = dataset_item_title(v->bench.data, v->why.item);
    str_printf(&title, "%s was served ", name);
    put_ordinal(&title, v->rows[list + 1].cursor + 1);
    area_rule(a, 0, LOOK_DIM, str_text(&title), "cannot be opened");
    for (size_t l = 0, n = 0; l < user_lists(v); l++) {
        const struct bench_list *other = &v->bench.lists[l];
        if (model_is_served(other->model))
            continue;
        size_t rank = rank_of(other->scores, v->bench.data->items.n, v->why.item);
        str_printf(&words, "%s%s ",
                   n++ ? ", " : "Why production served it is not known here. The models have it: ", other->model->name);
        if (rank)
            put_ordinal(&words, rank);
        else
            str_puts(&words, "in the history");
    }
    if (!words.length)
        str_puts(&words,
                 "Why production served it is not known here, and no model is trained that could be asked instead.");
    area_wrap(area_part(a, 1, 1, -1, a.width - 2), 0, 0, a.width - 2, a.height - 1, INK_DEFAULT, str_text(&words));
    str_free(&title);
    str_free(&words);
}

/* "Titanic 5th→2nd" at column x; returns the column behind it, or -1 when it has no room. */
static int draw_change(const struct user_view *v, struct area row, int x, const struct move *m)
{
    bool up = m->before == 0 || (m->after && m->after < m->before);
    struct str places = {0};
    if (m->before)
        put_ordinal(&places, m->before);
    str_puts(&places, area_glyph(row, "→", "->"));
    if (m->after)
        put_ordinal(&places, m->after);
    else
        str_puts(&places, "out");
    const char *title = dataset_item_title(v->bench.data, m->item);
    int width = (int)text_width(str_text(&places), places.length), name = (int)title_width(title),
        most = row.width / 3 - width;
    if (name > most)
        name = most;
    int end = x + name + 1 + width;
    if (end <= row.width) {
        put_title(row, 0, x, name, INK_DEFAULT, title);
        area_text(row, 0, x + name + 1, up ? INK_GREEN : INK_RED, str_text(&places));
    }
    str_free(&places);
    return end <= row.width ? end + 2 : -1;
}

/* What Space would do, before it is done: one line a model. */
static void draw_preview(const struct user_view *v, struct area a, const struct bench_item *it)
{
    char title[256];
    if (it->later) {
        snprintf(title, sizeof title, "%s comes later", dataset_item_title(v->bench.data, it->item));
        area_rule(a, 0, LOOK_DIM, title, "> moves on in time");
        return;
    }
    snprintf(title, sizeof title, "%s %s", it->on ? "without" : "with", dataset_item_title(v->bench.data, it->item));
    area_rule(a, 0, LOOK_DIM, title, "Space does it");
    struct area in = area_part(a, 1, 1, -1, a.width - 2);
    int names = 4;
    for (size_t l = 0; l < user_lists(v); l++) {
        int w = (int)text_width(v->bench.lists[l].model->name, strlen(v->bench.lists[l].model->name));
        names = w > names ? w : names;
    }
    for (size_t l = 0; l < user_lists(v) && (int)l < in.height; l++) {
        struct area row = area_part(in, (int)l, 0, 1, -1);
        area_column(row, 0, 0, names, LOOK_BOLD, false, v->bench.lists[l].model->name);
        if (model_is_served(v->bench.lists[l].model))
            area_text(row, 0, names + 2, LOOK_DIM, "stands as it was served: switches change nothing");
        else if (v->nmoves[l] == 0)
            area_printf(row, 0, names + 2, LOOK_DIM, "nothing moves in the first %d", PREVIEW_TOP);
        int x = names + 2;
        for (size_t m = 0; m < v->nmoves[l] && x > 0; m++)
            x = draw_change(v, row, x, &v->moves[l][m]);
    }
}

void user_draw_why(struct user_view *v, struct area a)
{
    size_t list;
    uint32_t item;
    const struct bench_item *it = user_history_row(v);
    if (a.height == 0)
        return;
    if (v->question.item != NO_ITEM)
        user_question_draw(&v->question, a);
    else if (user_list_row(v, &list, &item) && model_is_served(v->bench.lists[list].model))
        draw_served(v, a, list);
    else if (user_list_row(v, &list, &item) && v->why.item == item)
        draw_explanation(v, a, list);
    else if (v->pane == 0 && it && user_lists(v) > 0)
        draw_preview(v, a, it);
    else
        area_rule(a, 0, LOOK_DIM, NULL, NULL);
}
