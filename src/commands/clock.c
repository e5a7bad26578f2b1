#include "commands/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"

/* ---- words ---- */

int clock_short(char *out, size_t size, int64_t now)
{
    if (now % US_PER_DAY == 0)
        return time_short(out, size, now);
    return time_iso(out, size, now);
}

int clock_words(char *out, size_t size, int64_t now)
{
    char moment[40];
    if (now == NO_TIME)
        return snprintf(out, size, "%s", "");
    if (now % (60 * US_PER_SECOND))
        clock_short(moment, sizeof moment, now);
    else
        time_short(moment, sizeof moment, now);
    return snprintf(out, size, "as of %s", moment);
}

static enum status not_past(const char *text, int64_t newest, struct error *err)
{
    char when[40];
    time_short(when, sizeof when, newest);
    error_set(err, ST_USAGE, "\"%s\" is not in the past: the newest event is of %s", text, when);
    error_hint(err, "`rewind now` is the present");
    return ST_USAGE;
}

/* "-30d": so far from where the clock stands. */
static bool parse_step(const char *text, int64_t from, int64_t *out)
{
    int64_t step;
    return (*text == '-' || *text == '+') && text_parse_duration(text + 1, &step) && step >= 0 &&
           !(*text == '-' ? __builtin_sub_overflow(from, step, out) : __builtin_add_overflow(from, step, out));
}

enum status clock_read(struct workbench *wb, const struct dataset *d, const char *text, int64_t *out, struct error *err)
{
    int64_t oldest, newest;
    *out = NO_TIME;
    if (text_same(text, "now"))
        return ST_OK;
    if (!dataset_time_range(d, &oldest, &newest)) {
        error_set(err, ST_STATE, "no event of %s has a time, so there is no past to go back to", d->name);
        error_hint(
            err,
            "load the data with time=COLUMN; where only the order is known, `whatif USER remove ITEM` leaves events out");
        return ST_STATE;
    }
    if (!parse_step(text, wb->now == NO_TIME ? newest : wb->now, out) && !time_parse(text, strlen(text), 0, out)) {
        error_set(err, ST_USAGE, "\"%s\" is not a moment", text);
        error_hint(
            err,
            "a day (2025-03-01), a moment (2025-03-01T12:00), a step from where the clock stands (-30d, +12h), or now");
        return ST_USAGE;
    }
    return *out > newest ? not_past(text, newest, err) : ST_OK;
}

char *clock_model_name(const struct model *m, int64_t now, struct error *err)
{
    char moment[40];
    struct str name = {0};
    clock_short(moment, sizeof moment, now);
    str_printf(&name, "%s@%s", m->name, moment);
    char *out = name.failed ? NULL : mem_strdup(str_text(&name), err);
    if (name.failed && error_nomem(err, name.length, "the name of a model"))
        out = NULL;
    str_free(&name);
    return out;
}

/* ---- moving it ---- */

/* The published models without those of an earlier `then`, and the new ones behind them. */
static struct model **arrange(const struct workbench *wb, struct model *const *models, size_t n, size_t *kept,
                              struct error *err)
{
    struct model **all = mem_new(wb->nmodels + n, sizeof(struct model *), "a list of models", err);
    *kept = 0;
    for (size_t i = 0; all && i < wb->nmodels; i++)
        if (!workbench_is_then(wb->models[i]))
            all[(*kept)++] = wb->models[i];
    for (size_t i = 0; all && i < n; i++)
        all[(*kept)++] = models[i];
    return all;
}

enum status clock_set(struct workbench *wb, int64_t now, struct model **models, size_t n, struct error *err)
{
    size_t kept;
    pthread_mutex_lock(&wb->lock);
    struct model **old = wb->models;
    size_t nold = wb->nmodels;
    struct model **all = arrange(wb, models, n, &kept, err);
    if (all) {
        wb->models = all;
        wb->models_capacity = nold + n;
        wb->nmodels = kept;
        wb->now = now;
        wb->generation++;
    }
    pthread_mutex_unlock(&wb->lock);
    if (!all)
        return ST_NOMEM;
    for (size_t i = 0; i < nold; i++)
        if (workbench_is_then(old[i]))
            model_release(old[i]);
    mem_free(old);
    mem_free(models);
    return ST_OK;
}
