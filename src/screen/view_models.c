/* Models: who leads and how surely, what is being learnt just now, and what the chosen model is made of. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "commands/command.h"
#include "screen/app.h"
#include "screen/form.h"
#include "screen/grid.h"
#include "screen/leaderboard.h"
#include "screen/picker.h"
#include "screen/plot_pane.h"
#include "screen/prompt.h"
#include "screen/views.h"

enum { CURVES = 4, POINTS = JOB_METRICS, MOST_CLASSES = 32, MOST_FIELDS = 40, SMALL = 50000000, FOREST = 40 };

static const struct key_help help[] = {
    {"t", "train a model: choose its kind, fill in what should not be the default"},
    {"c", "compare: judge every model on the test part, with intervals"},
    {"s", "split the data first, so that there is something to be judged on"},
    {"x", "drop the chosen model"},
    {"Enter", "one user's recommendations"},
    {"j k  ↑ ↓", "choose a model"},
    {"h l [ ] - +", "choose a column, sort by it, hide it"},
    {"/ &", "search, filter"},
    {"├──●──┤",
     "where the mean over users lies with 95 % confidence: overlapping whiskers are no proof either way, see p"},
    {NULL, NULL},
};

/* A curve that grows while a job runs. */
struct curve {
    char name[24];
    size_t n;
    double x[POINTS], y[POINTS];
};

struct models_view {
    struct leaderboard board;
    struct grid grid;
    struct curve curves[CURVES];
    size_t ncurves;
    char learnt[96];       /* the command whose curves these are */
    uint64_t asked;        /* generation that was compared of its own accord */
};

/* ---- what is being learnt ---- */

static struct curve *curve_named(struct models_view *v, const char *name)
{
    for (size_t i = 0; i < v->ncurves; i++)
        if (strcmp(v->curves[i].name, name) == 0)
            return &v->curves[i];
    if (v->ncurves == CURVES)
        return NULL;
    struct curve *c = &v->curves[v->ncurves++];
    snprintf(c->name, sizeof c->name, "%s", name);
    return c;
}

/* Takes over what the running job has reported so far. */
static void watch(struct app *app, struct models_view *v)
{
    struct job_view job;
    struct job *source = &app_workbench(app)->job;
    const char *command = app_running_command(app);
    if (!command)
        return;
    if (strncmp(v->learnt, command, sizeof v->learnt - 1) != 0) {
        snprintf(v->learnt, sizeof v->learnt, "%s", command);
        v->ncurves = 0;
    }
    app_look(app, &job);
    if (*job.last.name)
        curve_named(v, job.last.name);
    curve_named(v, "loss");
    for (size_t i = 0; i < v->ncurves; i++) {
        struct curve *c = &v->curves[i];
        struct job_metric points[POINTS];
        size_t n = job_metrics(source, c->name, points, POINTS);
        if (n == 0)
            continue;
        for (size_t p = 0; p < n; p++) {
            c->x[p] = points[p].x;
            c->y[p] = points[p].value;
        }
        c->n = n;
    }
}

/* Returns the rows taken. */
static int draw_progress(struct app *app, struct area a)
{
    struct job_view job;
    char elapsed[32], rate[64] = "", eta[32];
    app_look(app, &job);
    text_duration(elapsed, sizeof elapsed, job.elapsed);
    area_printf(a, 0, 0, LOOK_BOLD, "%s", *job.what ? job.what : app_running_command(app));
    if (job.share >= 0) {
        char done[32], total[32];
        double share = job.share;
        area_column(a, 1, 0, a.width, LOOK_DIM, false, "");
        area_bar(a, 1, 0, a.width - 6, share, INK_CYAN);
        area_printf(a, 1, a.width - 5, LOOK_BOLD, "%3.0f %%", floor(share * 100));
        text_count(done, sizeof done, (int64_t)job.done);
        text_count(total, sizeof total, (int64_t)job.total);
        int x = area_printf(a, 2, 0, INK_DEFAULT, "%s of %s %s", done, total, job.unit);
        if (job.rate > 0)
            snprintf(rate, sizeof rate, "%.3g a second", job.rate);
        x = area_text(a, 2, x + 2, LOOK_DIM, rate);
        if (job.eta >= 0) {
            text_duration(eta, sizeof eta, job.eta);
            x = area_printf(a, 2, x + 2, INK_DEFAULT, "ETA %s", eta);
        }
        area_text(a, 2, x + 2, LOOK_DIM, job.part);
    } else {
        area_printf(a, 1, 0, LOOK_DIM, "for %s", elapsed);
    }
    return job.noted ? 3 + area_wrap(a, 3, 0, a.width, 3, INK_DEFAULT, job.note) + 1 : 4;
}

static void plot_values(struct area a, const char *name, const double *x, const double *y, size_t n)
{
    double *px = mem_new_raw(n, sizeof *px, "a plot", NULL), *py = mem_new_raw(n, sizeof *py, "a plot", NULL);
    if (px && py) {
        memcpy(px, x, n * sizeof *px);
        memcpy(py, y, n * sizeof *py);
        struct series s = {.name = name,
                           .title = name,
                           .x_label = "epoch",
                           .x_type = VALUE_INT,
                           .style = "line",
                           .x = px,
                           .y = py,
                           .n = n};
        const struct series *one = &s;
        plot_pane(a, &one, 1);
    }
    mem_free(px);
    mem_free(py);
}

/* One plot beside the other, each with its own axis: a loss and a metric have nothing in common. */
static void plot_curves(const struct models_view *v, struct area a)
{
    size_t n = 0, drawn = 0;
    for (size_t i = 0; i < v->ncurves; i++)
        n += v->curves[i].n > 0;
    if (n > 2)
        n = 2;
    for (size_t i = 0; i < v->ncurves && drawn < n; i++) {
        const struct curve *c = &v->curves[i];
        if (c->n == 0)
            continue;
        struct area part = area_part(a, 0, (int)drawn * a.width / (int)n, -1, a.width / (int)n - (n > 1));
        area_printf(part, 0, 0, INK_CYAN, "%s %.6g", c->name, c->y[c->n - 1]);
        plot_values(area_part(part, 1, 0, -1, -1), c->name, c->x, c->y, c->n);
        drawn++;
    }
}

/* The losses in a model's record. */
static void plot_record(const struct model *m, struct area a)
{
    enum { MOST = 2000 };
    double x[MOST], y[MOST];
    size_t n = 0;
    for (size_t e = 0; m->record.curve && e < m->record.epochs && n < MOST; e++)
        if (isfinite(m->record.curve[e])) {
            x[n] = (double)(e + 1);
            y[n++] = m->record.curve[e];
        }
    if (n < 2) {
        area_wrap(a, 0, 0, a.width, 3, LOOK_DIM, "Solved in one step: it has no learning curve.");
        return;
    }
    area_printf(a, 0, 0, INK_CYAN, "loss %.6g after %zu epochs", y[n - 1], n);
    plot_values(area_part(a, 1, 0, -1, -1), "loss", x, y, n);
}

/* Every metric of the chosen model, as a share of the best model's; returns the rows taken. */
static int draw_metrics(const struct models_view *v, struct area a)
{
    enum { NAMES = 13, NUMBER = 7 };
    size_t row;
    int y = 0;
    if (!grid_row(&v->grid, &row))
        return 0;
    for (size_t i = 0; i < v->board.table->ncolumns && y < a.height; i++) {
        struct standing s;
        char text[32], place[48];
        if (!leaderboard_standing(&v->board, row, i, &s))
            continue;
        snprintf(text, sizeof text, "%.4f", s.value);
        area_column(a, y, 0, NAMES, LOOK_DIM, false, s.metric);
        area_column(a, y, NAMES, NUMBER, INK_DEFAULT, true, text);
        snprintf(place, sizeof place, "%zu of %zu", s.place, s.of);
        int x = NAMES + NUMBER + 1, end = a.width - 8;
        area_bar(a, y, x, end - x, s.best > 0 ? s.value / s.best : 0, s.place == 1 ? INK_GREEN : INK_CYAN);
        area_text_right(a, y++, a.width, s.place == 1 ? LOOK_BOLD : LOOK_DIM, place);
    }
    return y;
}

static void draw_learning(struct app *app, struct models_view *v, const struct model *m, struct area a)
{
    bool running = app_running(app);
    area_rule(a, 0, running ? INK_CYAN : LOOK_DIM, running ? "learning now" : "how good, how learnt",
              running ? "Ctrl-C cancels"
              : m     ? m->name
                      : NULL);
    struct area in = area_part(a, 1, 1, -1, a.width - 2);
    if (running) {
        int rows = draw_progress(app, in);
        plot_curves(v, area_part(in, rows, 0, -1, -1));
    } else if (m) {
        int metrics = draw_metrics(v, in);
        plot_record(m, area_part(in, metrics + (metrics > 0), 0, -1, -1));
    }
}

/* ---- what a model is made of ---- */

static int put_fact(struct area a, int y, const char *name, const char *text)
{
    enum { NAMES = 12 };
    area_column(a, y, 0, NAMES, LOOK_DIM, false, name);
    int lines = area_wrap(a, y, NAMES + 1, a.width - NAMES - 1, a.height - y < 4 ? a.height - y : 4, INK_DEFAULT, text);
    return y + (lines > 0 ? lines : 1);
}

static void draw_model(const struct model *m, struct area a)
{
    char text[256], count[32], bytes[32], took[32];
    const struct model_record *r = &m->record;
    area_rule(a, 0, LOOK_DIM, m->name, m->class->name);
    struct area in = area_part(a, 1, 1, -1, a.width - 2);
    int y = 0;
    for (size_t i = 0; i < m->class->nparams && y < in.height; i++) {
        const struct param *p = &m->class->params[i];
        if (!param_matters(m->class->params, m->class->nparams, i, param_value_text, m->values))
            continue;
        const char *value = m->values[i].present ? m->values[i].text : "-";
        bool chosen = m->values[i].given && (!p->initial || strcmp(value, p->initial) != 0);
        area_column(in, y, 0, 12, chosen ? LOOK_BOLD : 0u, false, p->name);
        area_column(in, y, 13, 9, chosen ? LOOK_BOLD : 0u, false, value);
        area_column(in, y++, 23, in.width - 23, LOOK_DIM, false, p->doc);
    }
    text_count(count, sizeof count, (int64_t)r->events);
    text_duration(took, sizeof took, r->seconds);
    text_bytes(bytes, sizeof bytes, (double)r->bytes);
    snprintf(text, sizeof text, "on %s event%s%s in %s; %s when kept", count, r->events == 1 ? "" : "s",
             r->split_fingerprint ? " of the train part" : "", took, bytes);
    y = put_fact(in, y, "trained", text);
    y = put_fact(in, y, "what", m->class->summary);
    y = put_fact(in, y, "new users", m->class->fold_in);
    if (!isnan(r->fold_in)) {
        snprintf(text, sizeof text,
                 "%.3f rank-biased overlap at 20 of their lists with those of training's own vectors", r->fold_in);
        y = put_fact(in, y, "", text);
    }
    y = put_fact(in, y, "paper", m->class->reference);
    if (y < in.height && *r->kernel)
        put_fact(in, y, "kernel", r->kernel);
}

/* ---- drawing ---- */

static const struct model *chosen(const struct models_view *v)
{
    size_t row;
    return grid_row(&v->grid, &row) ? v->board.models[row] : NULL;
}

static void draw_forest(void *context, size_t row, struct area cell, unsigned look)
{
    leaderboard_draw_interval(context, row, cell, look);
}

static void draw_nothing(struct app *app, const struct models_view *v, struct area a)
{
    struct area in = area_part(a, 1, 2, -1, a.width - 4);
    if (!v->board.data)
        area_wrap(in, 0, 0, in.width, 4, INK_DEFAULT, "No data yet: go to Data, or press : and type load shop");
    else if (!app_running(app))
        area_wrap(
            in, 0, 0, in.width, 6, INK_DEFAULT,
            v->board.split
                ? "No model is trained yet.\n\nt  train one from a menu,  or  :train pop itemknn ease ials"
                : "No model is trained yet, and all events would be trained on.\n\ns  split the data first, so that models can be "
                  "compared on what they have not seen\n"
                  "t  train a model from a menu,  or  :train pop itemknn ease ials");
}

static void draw(struct app *app, void *state, struct area a)
{
    struct models_view *v = state;
    const struct model *m = chosen(v);
    watch(app, v);
    int rows = (int)v->board.nmodels + 2, upper = rows < a.height / 2 ? rows : a.height / 2;
    if (upper < 6 && a.height >= 14)
        upper = 6;
    struct area top = area_part(a, 0, 0, upper, -1);
    area_rule(top, 0, INK_CYAN, "leaderboard", v->board.note);
    struct grid_extra forest = {FOREST < a.width / 2 ? FOREST : a.width / 2 - 4, v->board.metric, draw_forest,
                                &v->board};
    if (v->board.nmodels == 0)
        draw_nothing(app, v, top);
    else
        grid_draw(&v->grid, area_part(top, 1, 1, -1, top.width - 2), true, v->board.judged ? &forest : NULL);
    if (a.height - upper < 4)
        return;
    int left = m ? a.width / 2 : a.width;
    struct area lower = area_part(a, upper, 0, -1, -1);
    draw_learning(app, v, m, area_part(lower, 0, 0, -1, left));
    if (m) {
        draw_model(m, area_part(lower, 0, left + 1, -1, -1));
        area_hline(lower, 0, left, 1, LOOK_DIM);
        area_vline(lower, 0, left, lower.height, LOOK_DIM);
    }
}

/* ---- keys ---- */

static size_t fill_classes(struct app *app, void *context, const char *typed, struct picker_row *rows, size_t most)
{
    size_t n = 0;
    (void)app;
    (void)context;
    for (size_t i = 0; model_classes[i] && n < most; i++) {
        const struct model_class *c = model_classes[i];
        if (!text_find(c->name, typed) && !text_find(c->summary, typed))
            continue;
        snprintf(rows[n].text, sizeof rows[n].text, "%-10s %s", c->name, c->summary);
        snprintf(rows[n].note, sizeof rows[n].note, "%s",
                 c->capabilities & CAN_EPOCHS ? "learns in epochs" : "one step");
        rows[n++].id = i;
    }
    return n;
}

static void class_detail(struct app *app, void *context, size_t id, struct str *out)
{
    (void)app;
    (void)context;
    str_printf(out, "%s\nnew users: %s", model_classes[id]->reference, model_classes[id]->fold_in);
}

/* The class's parameters, then the options of `train`. */
static void train_form(struct app *app, void *context, size_t id)
{
    const struct param *params[MOST_FIELDS];
    const struct command *train = command_find("train");
    const struct model_class *c = model_classes[id];
    char title[64], command[64];
    size_t n = 0;
    (void)context;
    for (size_t i = 0; i < c->nparams && n < MOST_FIELDS; i++)
        params[n++] = &c->params[i];
    for (size_t i = 0; train && i < train->noptions && n < MOST_FIELDS; i++)
        params[n++] = &train->options[i];
    snprintf(title, sizeof title, "train %s", c->name);
    snprintf(command, sizeof command, "train %s", c->name);
    form_open(app, &(struct form){.title = title, .command = command, .params = params, .n = n});
}

static void drop(struct app *app, const struct models_view *v)
{
    const struct model *m = chosen(v);
    char command[128];
    if (!m)
        return;
    snprintf(command, sizeof command, "drop %s", m->name);
    prompt_command(app, command); /* shown before it is done: there is no undo for it */
}

static bool key(struct app *app, void *state, int32_t k)
{
    struct models_view *v = state;
    switch (k) {
    case 't':
        if (!v->board.data) {
            app_say(app, "there is nothing to train on: load data first");
            return true;
        }
        picker_open(app, &(struct picker){.title = "train: what kind of model?",
                                          .label = "kind",
                                          .most = MOST_CLASSES,
                                          .fill = fill_classes,
                                          .detail = class_detail,
                                          .chosen = train_form,
                                          .context = v});
        return true;
    case 'c': app_run(app, "compare", APP_QUIET); return true;
    case 's': prompt_command(app, v->board.split ? "split " : "split last 1"); return true;
    case 'x': drop(app, v); return true;
    case K_ENTER: app_go(app, "user"); return true;
    case '/': case '&': grid_ask(app, &v->grid, k); return true;
    default: return grid_key(&v->grid, k);
    }
}

static const char *lacking(const void *state)
{
    const struct models_view *v = state;
    return !v->board.data ? "1 Data   : load shop" : v->board.nmodels == 0 ? "t train   s split" : NULL;
}

static void place(struct app *app, void *state, struct str *out)
{
    const struct model *m = chosen(state);
    (void)app;
    if (m)
        str_puts(out, m->name);
}

/* ---- beginning and end ---- */

static enum status open(struct app *app, void **state, struct error *err)
{
    (void)app;
    *state = mem_new(1, sizeof(struct models_view), "the Models view", err);
    return *state ? ST_OK : ST_NOMEM;
}

static void close(void *state)
{
    struct models_view *v = state;
    grid_free(&v->grid);
    leaderboard_clear(&v->board);
    mem_free(v);
}

static enum status show(struct models_view *v, struct workbench *wb, struct error *err)
{
    grid_forget(&v->grid);
    enum status st = leaderboard_fill(&v->board, wb, err);
    return st == ST_OK ? grid_set(&v->grid, v->board.table, err) : st;
}

/* Where judging takes a blink it is not asked for: after the models changed, once. */
static bool wants_compare(struct models_view *v, struct workbench *wb)
{
    const struct leaderboard *b = &v->board;
    if (!b->split || b->unjudged == 0 || v->asked == wb->generation || wb->now != NO_TIME)
        return false;
    return (double)b->data->users.n * (double)b->data->items.n < SMALL;
}

static enum status refresh(struct app *app, void *state, struct error *err)
{
    struct models_view *v = state;
    struct workbench *wb = app_workbench(app);
    enum status st = show(v, wb, err);
    if (st == ST_OK && !app_running(app) && wants_compare(v, wb)) {
        v->asked = wb->generation;
        app_then(app, "compare");
    }
    return st;
}

static bool finished(struct app *app, void *state, const char *command, struct result *r)
{
    struct models_view *v = state;
    struct error err;
    if (!result_find_table(r, "leaderboard"))
        return false;
    if (leaderboard_keep(&v->board, r, &err) != ST_OK || show(v, app_workbench(app), &err) != ST_OK)
        app_fail(app, &err, NULL);
    return app_plain(app, command);
}

const struct view view_models = {
    .name = "models",
    .title = "Models",
    .keys = "t train   c compare   s split   x drop   Enter a user   / search",
    .lacking = lacking,
    .help = help,
    .open = open,
    .close = close,
    .refresh = refresh,
    .draw = draw,
    .key = key,
    .place = place,
    .finished = finished,
};
