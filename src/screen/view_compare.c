/* Compare: which model is better, by how much and how surely; for whom; and the users who gain and lose. */
#include "screen/view_compare.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "screen/app.h"
#include "screen/views.h"

enum { SMALL = 50000000, WORDS = 4, LEAST_PANES = 9, LEAST_BOTH = 12 };

static const struct key_help help[] = {
    {"j k  ↑ ↓", "models: which one stands against the best, or against the baseline; segments and users: move"},
    {"Tab  h l", "next pane: models, segments, users"},
    {"b",
     "the model under the cursor is the baseline that all others are compared with; on the baseline: the best one again"},
    {"m", "what decides: another metric; type @20 for another length of lists"},
    {"s S", "tell users apart by something else: length of history, taste, attributes; then items"},
    {"p", "judge by the validation part, or by the test part"},
    {"Enter", "a model: to its users; a segment: its users alone; a user: their lists, those of the two models first"},
    {"c", "compare anew"},
    {"w", "all of it as tables, by the command `compare`"},
    {"├──●──┤",
     "where the difference lies with 95 % confidence; better and worse are said only where that holds after adjusting "
     "for the number of tests"},
    {"the dots", "a user each, shaken a little so that those with equal values do not hide each other"},
    {NULL, NULL},
};

/* ---- drawing ---- */

static void draw_nothing(struct app *app, const struct compare_view *v, struct area a)
{
    const char *text =
        !v->data      ? "No data yet: go to Data, or press : and type load shop"
        : v->rewound  ? "The clock is rewound: models are judged in the present.\n\n:rewind now   goes back"
        : !v->split   ? "There is nothing to judge by: models are compared on events that they have not seen.\n\n"
                        ":split last 1   then train, then compare"
        : !v->nmodels ? "No model is trained yet.\n\n:train pop itemknn ease ials   or t in Models"
        : v->coming || app_running(app)
            ? "Comparing ..."
            : "Nothing was compared yet.\n\nc  compare all models on the test part   or  :compare";
    area_wrap(a, a.height / 3, 4, a.width - 8, 6, INK_DEFAULT, text);
}

/* What is not in the numbers, each on a line of its own, or two where there is room. Returns the rows taken. */
static int draw_notes(const struct compare_view *v, struct area a)
{
    char line[512];
    int y = 0, after = 0;
    const char *note = v->notes.length ? str_text(&v->notes) : "";
    for (const char *p = note; (p = strchr(p, '\n')); p++)
        after++;
    for (; *note && y < a.height; after--) {
        size_t n = strcspn(note, "\n");
        snprintf(line, sizeof line, "%.*s", (int)n, note);
        y += area_wrap(a, y, 1, a.width - 2, a.height - y - after > 1 ? 2 : 1, LOOK_DIM, line);
        note += n + (note[n] == '\n');
    }
    return y;
}

/* What can be claimed; returns the rows taken. */
static int draw_words(const struct compare_view *v, struct area a)
{
    const struct comparison *c = &v->shown->comparison;
    int most = a.height < 14 ? 1 : a.height < 20 ? 2 : WORDS, taken;
    if (v->rewound)
        return area_wrap(a, 0, 1, a.width - 2, 1, INK_YELLOW,
                         "Judged in the present; the clock is rewound since: rewind now goes back.");
    if (v->stale)
        return area_wrap(a, 0, 1, a.width - 2, 1, INK_YELLOW, "Models or split have changed since: c compares anew.");
    if (v->words.length)
        taken = area_wrap(a, 0, 1, a.width - 2, most, LOOK_BOLD, str_text(&v->words));
    else
        taken = area_wrap(a, 0, 1, a.width - 2, most, LOOK_BOLD,
                          c->n < 2 ? "One model only: train another one to compare it with."
                                   : "This metric tells models apart, not better from worse.");
    return taken + (a.height >= 26 ? draw_notes(v, area_part(a, taken, 0, a.height / 6, -1)) : 0);
}

/* Segments above, users below; where there is no room for both the one that has the focus. */
static void draw_whom(struct compare_view *v, struct area a)
{
    int wanted = compare_segments_fit(v) ? (int)v->segments.cohorts.n + 1 : 4,
        upper = wanted < a.height / 2 ? wanted : a.height / 2;
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

static const char *lacking(const void *state)
{
    const struct compare_view *v = state;
    return v->shown                 ? NULL
           : !v->data               ? "1 Data   : load shop"
           : v->split && v->nmodels ? "c compare   m metric"
                                    : "2 Models";
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
    compare_forget(v);
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
        compare_forget(v);
    dataset_release(v->data);
    v->data = d;
    pthread_mutex_lock(&wb->lock);
    size_t before = v->nmodels;
    v->nmodels = wb->nmodels;
    v->split = wb->split != NULL;
    v->rewound = wb->now != NO_TIME;
    v->validation = v->split && wb->split->nvalid > 0;
    v->stale = v->shown && (before != v->nmodels || !still_true(v, wb));
    uint64_t generation = wb->generation;
    pthread_mutex_unlock(&wb->lock);
    /* Where judging takes a blink it is not asked for: after the models changed, once. */
    bool small = d && (double)d->users.n * (double)d->items.n < SMALL;
    if (small && !v->rewound && v->split && v->nmodels && (!v->shown || v->stale) && !v->coming &&
        v->asked != generation) {
        v->asked = generation;
        compare_ask(app, v);
    }
    return ST_OK;
}

const struct view view_compare = {
    .name = "compare",
    .title = "Compare",
    .keys = "Enter user   b baseline   m metric   s segments   Tab pane   p part   w tables",
    .lacking = lacking,
    .help = help,
    .open = open,
    .close = close,
    .refresh = refresh,
    .draw = draw,
    .key = compare_key,
    .place = place,
    .back = compare_back,
};
