/* The Compare view: what its keys do. */
#include <stdio.h>
#include <string.h>

#include "screen/app.h"
#include "screen/picker.h"
#include "screen/view_compare.h"
#include "screen/view_user.h"
#include "screen/views.h"

enum { PICKED = 80 };

/* ---- keys ---- */

static size_t fill_metrics(struct app *app, void *context, const char *typed, struct picker_row *rows, size_t most)
{
    struct compare_view *v = context;
    size_t n = 0, name = strcspn(typed, "@");
    char want[48];
    (void)app;
    snprintf(v->cut, sizeof v->cut, "%s", typed[name] ? typed + name : "@10");
    snprintf(want, sizeof want, "%.*s", (int)(name < 40 ? name : 40), typed);
    for (size_t i = 0; metrics[i] && n < most; i++) {
        const struct metric *m = metrics[i];
        if (!metric_of_users(m) || (!text_find(m->name, want) && !text_find(m->summary, want)))
            continue;
        snprintf(rows[n].text, sizeof rows[n].text, "%s%s", m->name, metric_uncut(m) ? "" : v->cut);
        snprintf(rows[n].note, sizeof rows[n].note, "%.60s", m->summary);
        rows[n++].id = i;
    }
    return n;
}

static void choose_metric(struct app *app, void *context, size_t id)
{
    struct compare_view *v = context;
    snprintf(v->metric, sizeof v->metric, "%s%s", metrics[id]->name, metric_uncut(metrics[id]) ? "" : v->cut);
    if (v->shown && cohorts_are_of_items(v->shown->d, v->by) &&
        strcmp(metrics[id]->name, "recall") != 0) /* items go by recall alone */
        snprintf(v->by, sizeof v->by, "%s", cohorts_built_in[0]);
    compare_ask(app, v);
}

static void set_baseline(struct app *app, struct compare_view *v)
{
    const struct comparison *c = &v->shown->comparison;
    size_t row = v->rows[PANE_MODELS].cursor;
    if (row >= c->n || c->n < 2)
        return;
    snprintf(v->baseline, sizeof v->baseline, "%s", row == c->reference && !c->best ? "" : c->entries[row].name);
    compare_ask(app, v);
}

static void next_by(struct app *app, struct compare_view *v, int step)
{
    compare_next_by(v->shown, v->by, step);
    v->segment = SIZE_MAX;
    v->rows[PANE_SEGMENTS] = (struct scroll){0};
    compare_ask_segments(app, v);
    compare_list_users(app, v);
}

static void switch_part(struct app *app, struct compare_view *v)
{
    bool valid = v->shown->judge.protocol.on == PART_VALID;
    if (!valid && !v->validation) {
        app_say(app, "the split has no validation part: `split last 1 valid=1` makes one");
        return;
    }
    snprintf(v->part, sizeof v->part, "%s", valid ? "test" : "valid");
    compare_ask(app, v);
}

static void show_tables(struct app *app, const struct compare_view *v)
{
    struct str command = {0};
    if (v->pane == PANE_MODELS || v->pair.x == v->pair.y)
        compare_put(v, &command);
    else
        compare_put_pair(v, &command);
    if (v->pane == PANE_USERS)
        str_puts(&command, " worst=100");
    if (v->pane == PANE_SEGMENTS)
        compare_put_option(&command, "by", v->by);
    app_run(app, str_text(&command), APP_SHOW);
    str_free(&command);
}

/* Their lists, those of the two models first. */
static void open_user(struct app *app, const struct compare_view *v)
{
    const struct comparison *c = &v->shown->comparison;
    size_t row = v->rows[PANE_USERS].cursor;
    if (row >= v->nlisted)
        return;
    app_open_user(app, dict_text(&v->shown->d->users, c->user[v->listed[row]]));
    if (app_view(app) == &view_user)
        user_view_put_first(app, c->entries[v->pair.x].name, c->entries[v->pair.y].name);
}

static void enter(struct app *app, struct compare_view *v)
{
    if (v->pane == PANE_USERS) {
        open_user(app, v);
        return;
    }
    v->segment = v->pane == PANE_SEGMENTS ? v->rows[PANE_SEGMENTS].cursor : SIZE_MAX;
    v->pane = PANE_USERS;
    v->rows[PANE_USERS] = (struct scroll){0};
    compare_list_users(app, v);
}

static size_t pane_rows(const struct compare_view *v)
{
    return v->pane == PANE_MODELS ? v->shown->comparison.n
           : v->pane == PANE_USERS  ? v->nlisted
           : compare_segments_fit(v) ? v->segments.cohorts.n
                                     : 0;
}

static void move_pane(struct app *app, struct compare_view *v, size_t step)
{
    v->pane = (enum compare_pane)((v->pane + step) % COMPARE_PANES);
    compare_list_users(app, v);
}

static bool scroll_pane(struct app *app, struct compare_view *v, int32_t k)
{
    if (!scroll_key(&v->rows[v->pane], pane_rows(v), k))
        return false;
    if (v->pane == PANE_MODELS)
        compare_choose_pair(app, v);
    else if (v->pane == PANE_SEGMENTS)
        compare_list_users(app, v);
    return true;
}

static bool key_of_comparison(struct app *app, struct compare_view *v, int32_t k)
{
    if (scroll_pane(app, v, k))
        return true;
    switch (k) {
    case K_TAB: case 'l': case K_RIGHT: move_pane(app, v, 1); return true;
    case K_BACKTAB: case 'h': case K_LEFT: move_pane(app, v, COMPARE_PANES - 1); return true;
    case 'b': set_baseline(app, v); return true;
    case 's': next_by(app, v, 1); return true;
    case 'S': next_by(app, v, -1); return true;
    case 'p': switch_part(app, v); return true;
    case 'w': show_tables(app, v); return true;
    case K_ENTER: enter(app, v); return true;
    default: return false;
    }
}

bool compare_key(struct app *app, void *state, int32_t k)
{
    struct compare_view *v = state;
    if (k == 'c' && v->split && v->nmodels) {
        compare_ask(app, v);
        return true;
    }
    if (k == 'm' && v->split && v->nmodels) {
        picker_open(app, &(struct picker){.title = "what decides?",
                                          .label = "metric",
                                          .most = PICKED,
                                          .fill = fill_metrics,
                                          .chosen = choose_metric,
                                          .context = v});
        return true;
    }
    return v->shown && key_of_comparison(app, v, k);
}

bool compare_back(struct app *app, void *state)
{
    struct compare_view *v = state;
    if (v->segment == SIZE_MAX)
        return false;
    v->segment = SIZE_MAX;
    v->pane = PANE_SEGMENTS;
    compare_list_users(app, v);
    return true;
}
