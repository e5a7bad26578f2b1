/* The Compare view: what is asked, and what comes of it. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "commands/lex.h"
#include "screen/app.h"
#include "screen/view_compare.h"

/* ---- commands ---- */

void compare_put_option(struct str *s, const char *key, const char *value)
{
    if (*value) {
        str_printf(s, " %s=", key);
        lex_quote(s, value);
    }
}

void compare_put(const struct compare_view *v, struct str *s)
{
    str_puts(s, "compare");
    compare_put_option(s, "metric", v->metric);
    compare_put_option(s, "baseline", v->baseline);
    compare_put_option(s, "on", v->part);
}

void compare_put_pair(const struct compare_view *v, struct str *s)
{
    const struct comparison *c = &v->shown->comparison;
    str_puts(s, "compare with ");
    lex_quote(s, c->entries[v->pair.x].name);
    str_putc(s, ' ');
    lex_quote(s, c->entries[v->pair.y].name);
    compare_put_option(s, "baseline", c->entries[v->pair.y].name);
    compare_put_option(s, "metric", v->metric);
    compare_put_option(s, "on", v->part);
}

/* ---- asking ---- */

static void take_answer(struct app *app, void *context, enum status st);

static struct compare_asked *new_question(struct app *app, const struct compare_view *v)
{
    struct error err;
    struct compare_asked *a = mem_new(1, sizeof *a, "a comparison", &err);
    if (!a) {
        app_fail(app, &err, NULL);
        return NULL;
    }
    a->wb = app_workbench(app);
    snprintf(a->x, sizeof a->x, "%s", v->chosen);
    snprintf(a->segments.by, sizeof a->segments.by, "%s", v->by);
    return a;
}

static void hand_over(struct app *app, struct compare_asked *a, const struct str *command)
{
    snprintf(a->command, sizeof a->command, "%s", str_text(command));
    app_work(app, a->command, (struct app_work){compare_work, take_answer, a});
}

void compare_ask(struct app *app, struct compare_view *v)
{
    struct str command = {0};
    if (v->rewound) {
        app_say(app, "the clock is rewound: models are judged in the present, and rewind now goes back there");
        return;
    }
    struct compare_asked *a = new_question(app, v);
    if (!a)
        return;
    a->anew = true;
    compare_put(v, &command);
    hand_over(app, a, &command);
    v->coming = true;
    str_free(&command);
}

void compare_ask_segments(struct app *app, struct compare_view *v)
{
    struct str command = {0};
    if (v->coming || !v->shown || v->pair.x == v->pair.y || compare_segments_fit(v))
        return;
    struct compare_asked *a = new_question(app, v);
    if (!a)
        return;
    a->held = compare_hold(v->held);
    compare_put_pair(v, &command);
    compare_put_option(&command, "by", v->by);
    hand_over(app, a, &command);
    str_free(&command);
}

/* ---- what is on show ---- */

bool compare_segments_fit(const struct compare_view *v)
{
    return v->segments.differences && v->segments.x == v->pair.x && v->segments.y == v->pair.y &&
           strcmp(v->segments.by, v->by) == 0;
}

const struct cohort *compare_segment(const struct compare_view *v)
{
    size_t at = v->pane == PANE_SEGMENTS ? v->rows[PANE_SEGMENTS].cursor : v->segment;
    return compare_segments_fit(v) && at < v->segments.cohorts.n ? &v->segments.cohorts.list[at] : NULL;
}

void compare_list_users(struct app *app, struct compare_view *v)
{
    struct error err;
    const struct cohort *s = compare_segment(v);
    v->nlisted = 0;
    mem_free(v->listed);
    v->listed = NULL;
    if (!v->pair.n)
        return;
    bool *in = s ? mem_new(v->shown->comparison.nusers, sizeof *in, "users", &err) : NULL;
    v->listed = mem_new_raw(v->pair.n, sizeof *v->listed, "users", &err);
    if (!v->listed || (s && !in)) {
        app_fail(app, &err, NULL);
        mem_free(in);
        return;
    }
    for (size_t i = 0; s && i < s->n; i++)
        in[s->users[i]] = true;
    for (size_t i = 0; i < v->pair.n; i++)
        if (!in || in[v->pair.order[i]])
            v->listed[v->nlisted++] = v->pair.order[i];
    mem_free(in);
}

void compare_choose_pair(struct app *app, struct compare_view *v)
{
    struct error err;
    const struct comparison *c = &v->shown->comparison;
    size_t row = v->rows[PANE_MODELS].cursor, x = compare_rival(c, row < c->n ? c->entries[row].name : "");
    snprintf(v->chosen, sizeof v->chosen, "%s", row < c->n ? c->entries[row].name : "");
    if (v->pair.order && v->pair.x == x && v->pair.y == c->reference)
        return;
    compare_pair_clear(&v->pair);
    v->segment = SIZE_MAX;
    v->rows[PANE_USERS] = v->rows[PANE_SEGMENTS] = (struct scroll){0};
    if (compare_pair_make(c, x, c->reference, &v->pair, &err) != ST_OK)
        app_fail(app, &err, NULL);
    compare_list_users(app, v);
    compare_ask_segments(app, v);
}

void compare_forget(struct compare_view *v)
{
    compare_pair_clear(&v->pair);
    compare_segments_clear(&v->segments);
    mem_free(v->listed);
    v->listed = NULL;
    v->nlisted = 0;
    compare_release(v->held);
    v->held = NULL;
    v->shown = NULL;
    str_clear(&v->words);
    str_clear(&v->notes);
}

static void take_messages(const struct result *r, const char *between, struct str *out)
{
    str_clear(out);
    for (size_t i = 0; i < r->nmessages; i++)
        str_printf(out, "%s%s", i ? between : "", r->messages[i].text);
}

/* Follows the chosen model to its new row. */
static void find_chosen(struct compare_view *v)
{
    const struct comparison *c = &v->shown->comparison;
    v->rows[PANE_MODELS].cursor = compare_rival(c, v->chosen);
    for (size_t i = 0; i < c->n; i++)
        if (strcmp(c->entries[i].name, v->chosen) == 0)
            v->rows[PANE_MODELS].cursor = i;
}

/* ---- a segment by its name ---- */

static void open_wanted(struct app *app, struct compare_view *v)
{
    if (!*v->wanted || !compare_segments_fit(v))
        return;
    v->pane = PANE_SEGMENTS;
    for (size_t i = 0; i < v->segments.cohorts.n; i++)
        if (strncmp(v->segments.cohorts.list[i].name, v->wanted, sizeof v->wanted - 1) == 0) {
            v->rows[PANE_SEGMENTS].cursor = v->segment = i;
            v->rows[PANE_USERS] = (struct scroll){0};
            v->pane = PANE_USERS;
        }
    v->wanted[0] = 0;
    compare_list_users(app, v);
}

void compare_open_segment(struct app *app, const char *by, const char *name)
{
    if (!app_open_view(app, "compare"))
        return;
    struct compare_view *v = app_view_state(app, "compare");
    if (!v)
        return;
    snprintf(v->by, sizeof v->by, "%s", by);
    snprintf(v->wanted, sizeof v->wanted, "%s", name);
    v->segment = SIZE_MAX;
    v->rows[PANE_SEGMENTS] = (struct scroll){0};
    if (!v->shown && !v->coming)
        compare_ask(app, v);
    compare_ask_segments(app, v);
    open_wanted(app, v);
}

static void take_comparison(struct app *app, struct compare_view *v, struct compare_asked *a)
{
    compare_forget(v);
    v->held = compare_hold(a->held);
    v->shown = &v->held->compare;
    v->stale = false;
    take_messages(a->words, "  ", &v->words);
    take_messages(a->notes, "\n", &v->notes);
    v->segments = a->segments;
    a->segments = (struct compare_segments){.x = 0};
    find_chosen(v);
    compare_choose_pair(app, v);
}

static void take_answer(struct app *app, void *context, enum status st)
{
    struct compare_asked *a = context;
    struct compare_view *v = app_view_state(app, "compare");
    if (v && a->anew)
        v->coming = false;
    if (v && a->anew && st != ST_OK && st != ST_CANCELLED)
        v->baseline[0] = 0; /* of a model that is gone, perhaps: the next try is a plain one */
    if (v && st == ST_OK && a->anew) {
        take_comparison(app, v, a);
    } else if (v && st == ST_OK && a->held == v->held) {
        compare_segments_clear(&v->segments);
        v->segments = a->segments;
        a->segments = (struct compare_segments){.x = 0};
        compare_list_users(app, v);
    }
    if (v && st == ST_OK)
        open_wanted(app, v);
    compare_asked_free(a);
}
