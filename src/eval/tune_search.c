#include "eval/tune_search.h"

#include <math.h>
#include <string.h>

#include "base/rng.h"

enum {
    BETTER_MOST = 25,   /* points of the better side */
    OTHERS_MOST = 1024, /* points of the other side: the latest */
    CANDIDATES = 32,    /* drawn from the better side */
    NEW_DRAWS = 64,     /* until a setting comes up that was not tried */
    HALVING = 3,
};
static const double better_share = .15, narrowest = .02;

/* ---- the uniform draw, the grid ---- */

static double draw_uniform(const struct tune_axis *a, struct rng *r)
{
    return a->values ? (double)rng_below(r, a->nvalues) : rng_real(r);
}

static void draw_random(const struct tune_space *s, struct rng *r, double *point)
{
    for (size_t i = 0; i < s->n; i++) {
        double at = draw_uniform(&s->axes[i], r); /* also where it sleeps, so that the axes behind it do not move */
        point[i] = tune_awake(s, point, i) ? at : NAN;
    }
}

static size_t levels_of(const struct tune_axis *a, size_t most)
{
    size_t whole = a->param->type == PARAM_INT ? (size_t)(a->high - a->low) + 1 : SIZE_MAX;
    return a->values ? a->nvalues : most < whole ? most : whole;
}

static size_t grid_size(const struct tune_space *s, size_t levels)
{
    size_t size = 1;
    for (size_t i = 0; i < s->n; i++)
        if (__builtin_mul_overflow(size, levels_of(&s->axes[i], levels), &size))
            return SIZE_MAX;
    return size;
}

/* As many levels a range as fit into `trials` points, at least two. */
static size_t grid_levels(const struct tune_space *s, size_t trials)
{
    size_t levels = 2;
    while (levels < trials && grid_size(s, levels + 1) <= trials)
        levels++;
    return levels;
}

static double level_at(const struct tune_axis *a, size_t n, size_t at)
{
    return a->values || n == 1 ? (double)at : (double)at / (double)(n - 1);
}

static bool on_grid(const struct tune_space *s, size_t levels, const double *point)
{
    char x[64], y[64];
    for (size_t i = 0; i < s->n; i++) {
        size_t n = levels_of(&s->axes[i], levels);
        bool found = isnan(point[i]);
        for (size_t at = 0; at < n && !found; at++) {
            tune_text(&s->axes[i], point[i], x, sizeof x);
            tune_text(&s->axes[i], level_at(&s->axes[i], n, at), y, sizeof y);
            found = strcmp(x, y) == 0;
        }
        if (!found)
            return false;
    }
    return true;
}

/* The points there are trials for: the first trial, of the defaults, is one of them or takes the place of one. */
static size_t grid_room(const struct tune_space *s, size_t trials, const double *first)
{
    return !first || trials < 2 || on_grid(s, grid_levels(s, trials), first) ? trials : trials - 1;
}

size_t tune_grid(const struct tune_space *s, size_t trials, const double *first, size_t *room)
{
    *room = grid_room(s, trials, first);
    return grid_size(s, grid_levels(s, *room));
}

static size_t common_divisor(size_t a, size_t b)
{
    while (b) {
        size_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

/* A step through `size` cells that comes to each: that near the golden section spreads the first few over all. */
static size_t grid_step(size_t size)
{
    size_t step = (size_t)((double)size * .6180339887498949);
    for (step = step ? step : 1; common_divisor(size, step) > 1;)
        step++;
    return step;
}

/* The first axis moves slowest; where not all cells can be tried, those that are lie all over the grid. */
static bool grid_point(const struct tune_space *s, size_t cell, size_t trials, double *point)
{
    size_t levels = grid_levels(s, trials), size = grid_size(s, levels);
    if (cell >= size)
        return false;
    if (size > trials && size < UINT32_MAX)
        cell = cell * grid_step(size) % size;
    for (size_t i = s->n; i-- > 0;) {
        size_t n = levels_of(&s->axes[i], levels), at = cell % n;
        cell /= n;
        point[i] = level_at(&s->axes[i], n, at);
    }
    for (size_t i = 0; i < s->n; i++)
        if (!tune_awake(s, point, i))
            point[i] = NAN;
    return true;
}

/* ---- tree-structured Parzen estimator ---- */

/* One side: kernels around points, and a uniform one with the weight of a point. */
struct side {
    const struct tune_seen *at[OTHERS_MOST];
    size_t n;
    double width[TUNE_AXES_MAX]; /* ranges: standard deviation; lists: share that goes to the other values */
};

static double normal_share(double x)
{
    return .5 * erfc(-x * M_SQRT1_2);
}

/* Density of x under the kernel around c, a normal cut off at 0 and 1; or the probability of a value of a list. */
static double kernel(const struct tune_axis *a, double width, double c, double x)
{
    if (a->values) {
        double n = (double)a->nvalues;
        return (size_t)x == (size_t)c ? 1 - width * (n - 1) / n : width / n;
    }
    double z = (x - c) / width, inside = normal_share((1 - c) / width) - normal_share(-c / width);
    return exp(-.5 * z * z) / (sqrt(2 * M_PI) * width * inside);
}

static double uniform_density(const struct tune_axis *a)
{
    return a->values ? 1 / (double)a->nvalues : 1;
}

static double log_density(const struct tune_space *s, const struct side *side, const double *x)
{
    double sum = 0;
    for (size_t p = 0; p <= side->n; p++) { /* the last one is the uniform kernel */
        double product = 1;
        for (size_t i = 0; i < s->n; i++) {
            if (isnan(x[i]))
                continue;
            double c = p < side->n ? side->at[p]->point[i] : NAN;
            product *= isnan(c) ? uniform_density(&s->axes[i]) : kernel(&s->axes[i], side->width[i], c, x[i]);
        }
        sum += product;
    }
    return log(sum / (double)(side->n + 1));
}

static double draw_kernel(const struct tune_axis *a, double width, double c, struct rng *r)
{
    if (a->values)
        return rng_real(r) < width ? (double)rng_below(r, a->nvalues) : c;
    for (int tries = 0; tries < 100; tries++) {
        double x = c + width * rng_normal(r);
        if (x >= 0 && x <= 1)
            return x;
    }
    return c;
}

static void draw_side(const struct tune_space *s, const struct side *side, struct rng *r, double *x)
{
    size_t p = (size_t)rng_below(r, side->n + 1);
    for (size_t i = 0; i < s->n; i++) {
        double c = p < side->n ? side->at[p]->point[i] : NAN;
        x[i] = !tune_awake(s, x, i) ? NAN
               : isnan(c)           ? draw_uniform(&s->axes[i], r)
                                    : draw_kernel(&s->axes[i], side->width[i], c, r);
    }
}

/* Scott's rule on axes of length 1. */
static void set_widths(const struct tune_space *s, struct side *side)
{
    double width = .3 * pow((double)(side->n ? side->n : 1), -1 / ((double)s->n + 4));
    for (size_t i = 0; i < s->n; i++)
        side->width[i] = width < narrowest ? narrowest : width;
}

/* Is a before b, the better first? NaN last, and what was stopped behind what was not. */
static bool better(const struct tune_seen *a, const struct tune_seen *b)
{
    if (isnan(a->value) || isnan(b->value))
        return !isnan(a->value) && isnan(b->value);
    if (a->share < b->share || a->share > b->share)
        return a->share > b->share;
    return a->value > b->value;
}

/* The better few, best first, and the others in the order of the trials. */
static void take_sides(const struct tune_seen *seen, size_t n, struct side *few, struct side *others)
{
    size_t want = (size_t)ceil(better_share * (double)n);
    want = want < 2 ? 2 : want > BETTER_MOST ? BETTER_MOST : want;
    few->n = others->n = 0;
    for (size_t i = 0; i < n; i++) {
        size_t at = few->n;
        while (at && better(&seen[i], few->at[at - 1]))
            at--;
        if (at >= want || isnan(seen[i].value))
            continue;
        few->n += few->n < want;
        memmove(&few->at[at + 1], &few->at[at], (few->n - 1 - at) * sizeof *few->at);
        few->at[at] = &seen[i];
    }
    for (size_t i = n; i-- > 0 && others->n < OTHERS_MOST;) {
        bool among = false;
        for (size_t k = 0; k < few->n; k++)
            among |= few->at[k] == &seen[i];
        if (!among)
            others->at[others->n++] = &seen[i];
    }
}

static void parzen_point(const struct tune_space *s, const struct tune_seen *seen, size_t n, struct rng *r,
                         double *point)
{
    struct side few, others;
    double x[TUNE_AXES_MAX], best = -INFINITY;
    take_sides(seen, n, &few, &others);
    set_widths(s, &few);
    set_widths(s, &others);
    for (size_t i = 0; i < CANDIDATES; i++) {
        draw_side(s, &few, r, x);
        double gain = log_density(s, &few, x) - log_density(s, &others, x);
        if (i && !(gain > best))
            continue;
        best = gain;
        memcpy(point, x, s->n * sizeof *x);
    }
}

/* ---- the next point ---- */

bool tune_same(const struct tune_space *s, const double *a, const double *b)
{
    char x[64], y[64];
    for (size_t i = 0; i < s->n; i++) {
        if (isnan(a[i]) != isnan(b[i]))
            return false;
        if (isnan(a[i]))
            continue;
        tune_text(&s->axes[i], a[i], x, sizeof x);
        tune_text(&s->axes[i], b[i], y, sizeof y);
        if (strcmp(x, y) != 0)
            return false;
    }
    return true;
}

static bool is_new(const struct tune_space *s, const struct tune_seen *seen, size_t n, const double *point)
{
    for (size_t i = 0; i < n; i++)
        if (tune_same(s, seen[i].point, point))
            return false;
    return true;
}

void tune_next(const struct tune_space *s, enum tune_search search, uint64_t seed, size_t number, size_t trials,
               const struct tune_seen *seen, size_t n, double *point, bool *done)
{
    struct rng r = rng_stream(seed, "tune", number);
    *done = false;
    if (search == TUNE_GRID) { /* cells whose sleeping axes differ are one setting */
        size_t room = grid_room(s, trials, n ? seen[0].point : NULL);
        for (size_t cell = 0; grid_point(s, cell, room, point); cell++)
            if (is_new(s, seen, n, point))
                return;
        *done = true;
        return;
    }
    for (size_t draw = 0; draw < NEW_DRAWS; draw++) {
        if (search == TUNE_TPE && n >= TUNE_STARTUP && draw < NEW_DRAWS / 2)
            parzen_point(s, seen, n, &r, point);
        else
            draw_random(s, &r, point);
        if (is_new(s, seen, n, point))
            return;
    }
    *done = true;
}

/* ---- stopping ---- */

size_t tune_every(size_t epochs)
{
    return (epochs + HALVING * HALVING - 1) / (HALVING * HALVING);
}

size_t tune_rung(size_t epoch, size_t epochs)
{
    size_t step = tune_every(epochs);
    return epoch >= epochs ? TUNE_RUNGS : epoch == step ? 0 : epoch == HALVING * step ? 1 : TUNE_RUNGS;
}

bool tune_hopeless(double value, const double *before, size_t n)
{
    size_t above = 0, places = (n + HALVING) / HALVING; /* a third of n + 1, rounded up */
    for (size_t i = 0; i < n; i++)
        above += before[i] > value;
    return n + 1 >= HALVING && above >= places;
}
