/* Compare: which model is better, by how much and how surely; for whom; and the users who gain and lose. */
#include "screen/view_compare.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "commands/lex.h"
#include "screen/app.h"
#include "screen/picker.h"
#include "screen/view_user.h"
#include "screen/views.h"

enum { SMALL = 50000000, WORDS = 4, PICKED = 80, LEAST_PANES = 9, LEAST_BOTH = 12 };

static const struct key_help help[] = {
    {"j k  ↑ ↓", "models: which one stands against the best, or against the baseline; segments and users: move"},
    {"Tab  h l", "next pane: models, segments, users"},
    {"b", "the model under the cursor is the baseline that all others are compared with; on the baseline: the best one again"},
    {"m", "what decides: another metric; type @20 for another length of lists"},
    {"s S", "tell users apart by something else: length of history, taste, attributes"},
    {"p", "judge by the validation part, or by the test part"},
    {"Enter", "a segment: its users alone; a user: their lists, those of the two models first"},
    {"c", "compare anew"},
    {"w", "all of it as tables, by the command `compare`"},
    {"├──●──┤", "where the difference lies with 95 % confidence; better and worse are said only where that holds after adjusting for "
                "the number of tests"},
    {"the dots", "a user each, shaken a little so that those with equal values do not hide each other"},
    {NULL, NULL},
};

/* ---- commands ---- */

static void put_option(struct str *s, const char *key, const char *value)
{
    if (*value) {
        str_printf(s, " %s=", key);
        lex_quote(s, value);
    }
}

/* "compare metric=ndcg@20 baseline=pop on=valid" */
static void put_compare(const struct compare_view *v, struct str *s)
{
    str_puts(s, "compare");
    put_option(s, "metric", v->metric);
    put_option(s, "baseline", v->baseline);
    put_option(s, "on", v->part);
}

/* "compare with itemknn ease metric=ndcg@20": the pair alone, by what is on show. */
static void put_pair(const struct compare_view *v, struct str *s)
{
    const struct comparison *c = &v->shown->comparison;
    str_puts(s, "compare with ");
    lex_quote(s, c->entries[v->pair.x].name);
    str_putc(s, ' ');
    lex_quote(s, c->entries[v->pair.y].name);
    put_option(s, "baseline", c->entries[v->pair.y].name);
    put_option(s, "metric", v->metric);
    put_option(s, "on", v->part);
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

static void compare(struct app *app, struct compare_view *v)
{
    struct str command = {0};
    struct compare_asked *a = new_question(app, v);
    if (!a)
        return;
    a->anew = true;
    put_compare(v, &command);
    hand_over(app, a, &command);
    v->coming = true;
    str_free(&command);
}

/* Segments of the pair on show, unless a comparison is on its way, which brings them along. */
static void ask_segments(struct app *app, struct compare_view *v)
{
    struct str command = {0};
    if (v->coming || !v->shown || v->pair.x == v->pair.y || compare_segments_fit(v))
        return;
    struct compare_asked *a = new_question(app, v);
    if (!a)
        return;
    a->held = compare_hold(v->held);
    put_pair(v, &command);
    put_option(&command, "by", v->by);
    hand_over(app, a, &command);
    str_free(&command);
}

/* ---- what is on show ---- */

bool compare_segments_fit(const struct compare_view *v)
{
    return v->segments.differences && v->segments.x == v->pair.x && v->segments.y == v->pair.y && strcmp(v->segments.by, v->by) == 0;
}

const struct cohort *compare_segment(const struct compare_view *v)
{
    size_t at = v->pane == PANE_SEGMENTS ? v->rows[PANE_SEGMENTS].cursor : v->segment;
    return compare_segments_fit(v) && at < v->segments.cohorts.n ? &v->segments.cohorts.list[at] : NULL;
}

/* Users of the pair, of the segment alone when there is one, in the order of who loses most. */
static void list_users(struct app *app, struct compare_view *v)
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

static void choose_pair(struct app *app, struct compare_view *v)
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
    list_users(app, v);
    ask_segments(app, v);
}

static void forget(struct compare_view *v)
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

static void take_messages(const struct result *r, struct str *out)
{
    str_clear(out);
    for (size_t i = 0; i < r->nmessages; i++)
        str_printf(out, "%s%s", i ? "  " : "", r->messages[i].text);
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

static void take_comparison(struct app *app, struct compare_view *v, struct compare_asked *a)
{
    forget(v);
    v->held = compare_hold(a->held);
    v->shown = &v->held->compare;
    v->stale = false;
    take_messages(a->words, &v->words);
    take_messages(a->notes, &v->notes);
    v->segments = a->segments;
    a->segments = (struct compare_segments){.x = 0};
    find_chosen(v);
    choose_pair(app, v);
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
        list_users(app, v);
    }
    compare_asked_free(a);
}

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
    compare(app, v);
}

static void set_baseline(struct app *app, struct compare_view *v)
{
    const struct comparison *c = &v->shown->comparison;
    size_t row = v->rows[PANE_MODELS].cursor;
    if (row >= c->n || c->n < 2)
        return;
    snprintf(v->baseline, sizeof v->baseline, "%s", row == c->reference && !c->best ? "" : c->entries[row].name);
    compare(app, v);
}

static void next_by(struct app *app, struct compare_view *v, int step)
{
    compare_next_by(v->shown, v->by, step);
    v->segment = SIZE_MAX;
    v->rows[PANE_SEGMENTS] = (struct scroll){0};
    ask_segments(app, v);
    list_users(app, v);
}

static void switch_part(struct app *app, struct compare_view *v)
{
    bool valid = v->shown->judge.protocol.on == PART_VALID;
    if (!valid && !v->validation) {
        app_say(app, "the split has no validation part: `split last 1 valid=1` makes one");
        return;
    }
    snprintf(v->part, sizeof v->part, "%s", valid ? "test" : "valid");
    compare(app, v);
}

static void show_tables(struct app *app, const struct compare_view *v)
{
    struct str command = {0};
    if (v->pane == PANE_MODELS || v->pair.x == v->pair.y)
        put_compare(v, &command);
    else
        put_pair(v, &command);
    if (v->pane == PANE_USERS)
        str_puts(&command, " worst=100");
    if (v->pane == PANE_SEGMENTS)
        put_option(&command, "by", v->by);
    app_run(app, str_text(&command), APP_SHOW);
    str_free(&command);
}

/* Their lists, those of the two models first. */
static void open_user(struct app *app, const struct compare_view *v)
{
    const struct comparison *c = &v->shown->comparison;
    struct str command = {0};
    size_t row = v->rows[PANE_USERS].cursor;
    if (row >= v->nlisted)
        return;
    if (app_running(app)) {
        app_say(app, "%s is still running: then Enter again", app_running_command(app));
        return;
    }
    str_puts(&command, "user ");
    lex_quote(&command, dict_text(&v->shown->d->users, c->user[v->listed[row]]));
    app_run(app, str_text(&command), APP_QUIET);
    str_free(&command);
    app_go(app, "user");
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
    list_users(app, v);
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
    list_users(app, v);
}

static bool scroll_pane(struct app *app, struct compare_view *v, int32_t k)
{
    if (!scroll_key(&v->rows[v->pane], pane_rows(v), k))
        return false;
    if (v->pane == PANE_MODELS)
        choose_pair(app, v);
    else if (v->pane == PANE_SEGMENTS)
        list_users(app, v);
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

static bool key(struct app *app, void *state, int32_t k)
{
    struct compare_view *v = state;
    if (k == 'c' && v->split && v->nmodels) {
        compare(app, v);
        return true;
    }
    if (k == 'm' && v->split && v->nmodels) {
        picker_open(app, &(struct picker){.title = "what decides?", .label = "metric", .most = PICKED, .fill = fill_metrics,
                                          .chosen = choose_metric, .context = v});
        return true;
    }
    return v->shown && key_of_comparison(app, v, k);
}

static bool back(struct app *app, void *state)
{
    struct compare_view *v = state;
    if (v->segment == SIZE_MAX)
        return false;
    v->segment = SIZE_MAX;
    v->pane = PANE_SEGMENTS;
    list_users(app, v);
    return true;
}

/* ---- drawing ---- */

static void draw_nothing(struct app *app, const struct compare_view *v, struct area a)
{
    const char *text = !v->data     ? "No data yet: go to Data, or press : and type load shop"
                       : !v->split  ? "There is nothing to judge by: models are compared on events that they have not seen.\n\n"
                                      ":split last 1   then train, then compare"
                       : !v->nmodels ? "No model is trained yet.\n\n:train pop itemknn ease ials   or t in Models"
                       : v->coming || app_running(app) ? "Comparing ..."
                                                       : "Nothing was compared yet.\n\nc  compare all models on the test part   or  :compare";
    area_wrap(a, a.height / 3, 4, a.width - 8, 6, INK_DEFAULT, text);
}

/* What can be claimed; returns the rows taken. */
static int draw_words(const struct compare_view *v, struct area a)
{
    const struct comparison *c = &v->shown->comparison;
    int most = a.height < 14 ? 1 : a.height < 20 ? 2 : WORDS, taken;
    if (v->stale)
        return area_wrap(a, 0, 1, a.width - 2, 1, INK_YELLOW, "Models or split have changed since: c compares anew.");
    if (v->words.length)
        taken = area_wrap(a, 0, 1, a.width - 2, most, LOOK_BOLD, str_text(&v->words));
    else
        taken = area_wrap(a, 0, 1, a.width - 2, most, LOOK_BOLD,
                          c->n < 2 ? "One model only: train another one to compare it with."
                                   : "This metric tells models apart, not better from worse.");
    if (v->notes.length && a.height >= 26)
        taken += area_wrap(a, taken, 1, a.width - 2, 2, LOOK_DIM, str_text(&v->notes));
    return taken;
}

/* Segments above, users below; where there is no room for both the one that has the focus. */
static void draw_whom(struct compare_view *v, struct area a)
{
    int wanted = compare_segments_fit(v) ? (int)v->segments.cohorts.n + 1 : 4, upper = wanted < a.height / 2 ? wanted : a.height / 2;
    if (a.height < LEAST_BOTH && wanted + 4 > a.height)
        upper = v->pane == PANE_USERS ? 0 : a.height;
    compare_draw_segments(v, area_part(a, 0, 0, upper, -1));
    compare_draw_users(v, area_part(a, upper, 0, -1, -1));
}

static void draw(struct app *app, void *state, struct area a)
{
    struct compare_view *v = state;
    if (!v->shown) {
        draw_nothing(app, v, a);
        return;
    }
    int words = draw_words(v, a), rest = a.height - words, rows = (int)v->shown->comparison.n + 2;
    if (rest < LEAST_PANES && v->pane != PANE_MODELS) { /* one at a time */
        draw_whom(v, area_part(a, words, 0, -1, -1));
        return;
    }
    int upper = v->pair.n == 0 || rest < LEAST_PANES ? rest : rows < rest / 2 ? rows : rest / 2;
    compare_draw_models(v, area_part(a, words, 0, upper, -1));
    if (upper == rest)
        return;
    struct area lower = area_part(a, words + upper, 0, -1, -1);
    int left = lower.width >= 70 ? lower.width * 2 / 5 : 0;
    draw_whom(v, area_part(lower, 0, left ? left + 1 : 0, -1, -1));
    if (!left)
        return;
    compare_draw_scatter(v, area_part(lower, 0, 0, -1, left));
    area_hline(lower, 0, left, 1, LOOK_DIM);
    area_vline(lower, 0, left, lower.height, LOOK_DIM);
}

static void place(struct app *app, void *state, struct str *out)
{
    struct compare_view *v = state;
    (void)app;
    if (!v->shown)
        return;
    const struct comparison *c = &v->shown->comparison;
    if (v->pair.x != v->pair.y)
        str_printf(out, "%s : %s", c->entries[v->pair.x].name, c->entries[v->pair.y].name);
    if (v->segment != SIZE_MAX && compare_segment(v))
        str_printf(out, "%s%s %s", app_ascii(app) ? " > " : " › ", v->by, compare_segment(v)->name);
}

/* ---- beginning and end ---- */

static enum status open(struct app *app, void **state, struct error *err)
{
    (void)app;
    struct compare_view *v = mem_new(1, sizeof *v, "the Compare view", err);
    if (!v)
        return ST_NOMEM;
    v->segment = SIZE_MAX;
    snprintf(v->by, sizeof v->by, "%s", cohorts_built_in[0]);
    *state = v;
    return ST_OK;
}

static void close(void *state)
{
    struct compare_view *v = state;
    forget(v);
    str_free(&v->words);
    str_free(&v->notes);
    dataset_release(v->data);
    mem_free(v);
}

/* Is what is on show about the models and the split that are there now? */
static bool still_true(const struct compare_view *v, const struct workbench *wb)
{
    if (!wb->split || wb->split->fingerprint != v->shown->s->fingerprint || wb->data != v->shown->d)
        return false;
    for (size_t i = 0; i < v->shown->nmodels; i++) {
        bool there = false;
        for (size_t m = 0; m < wb->nmodels; m++)
            there |= wb->models[m] == v->shown->models[i];
        if (!there)
            return false;
    }
    return true;
}

static enum status refresh(struct app *app, void *state, struct error *err)
{
    struct compare_view *v = state;
    struct workbench *wb = app_workbench(app);
    struct dataset *d = workbench_data(wb);
    (void)err;
    if (d != v->data && !v->coming)
        forget(v);
    dataset_release(v->data);
    v->data = d;
    pthread_mutex_lock(&wb->lock);
    size_t before = v->nmodels;
    v->nmodels = wb->nmodels;
    v->split = wb->split != NULL;
    v->validation = v->split && wb->split->nvalid > 0;
    v->stale = v->shown && (before != v->nmodels || !still_true(v, wb));
    uint64_t generation = wb->generation;
    pthread_mutex_unlock(&wb->lock);
    /* Where judging takes a blink it is not asked for: after the models changed, once. */
    bool small = d && (double)d->users.n * (double)d->items.n < SMALL;
    if (small && v->split && v->nmodels && (!v->shown || v->stale) && !v->coming && v->asked != generation) {
        v->asked = generation;
        compare(app, v);
    }
    return ST_OK;
}

const struct view view_compare = {
    .name = "compare",
    .title = "Compare",
    .keys = "b baseline   m metric   s segments   Tab pane   Enter a user",
    .help = help,
    .open = open,
    .close = close,
    .refresh = refresh,
    .draw = draw,
    .key = key,
    .place = place,
    .back = back,
};
