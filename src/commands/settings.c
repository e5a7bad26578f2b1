/* What `set` knows, and variables. */
#include <string.h>

#include "base/mem.h"
#include "commands/workbench.h"
#include "result/render.h"

const struct param workbench_settings[] = {
    {.name = "seed",
     .type = PARAM_INT,
     .initial = "42",
     .min = 0,
     .max = 9e15,
     .doc = "master seed of everything random"},
    {.name = "seen",
     .type = PARAM_ENUM,
     .initial = "hide",
     .choices = "hide|show",
     .doc = "items of the history in lists and metrics"},
    {.name = "output",
     .type = PARAM_ENUM,
     .initial = NULL,
     .choices = OUTPUT_FORM_CHOICES,
     .doc = "form of results (box on a terminal, else tsv)"},
    {.name = "rows",
     .type = PARAM_INT,
     .initial = "40",
     .min = 0,
     .max = 1e9,
     .doc = "rows shown of a long table on a terminal; 0: all"},
    {.name = "pager",
     .type = PARAM_ENUM,
     .initial = "auto",
     .choices = "auto|on|off",
     .doc = "long results go through $TAILOR_PAGER, $PAGER or less"},
    {.name = "cache",
     .type = PARAM_PATH,
     .initial = NULL,
     .doc = "folder of downloads (else $XDG_CACHE_HOME/tailor or ~/.cache/tailor)"},
    {.name = "timer", .type = PARAM_BOOL, .initial = "no", .doc = "say how long each command took"},
};
const size_t workbench_nsettings = sizeof workbench_settings / sizeof *workbench_settings;

const char *workbench_setting(const struct workbench *wb, const char *name)
{
    for (size_t i = 0; i < wb->nsettings; i++)
        if (strcmp(wb->settings[i].name, name) == 0)
            return wb->settings[i].value;
    size_t i = param_index(workbench_settings, workbench_nsettings, name);
    return i < workbench_nsettings ? workbench_settings[i].initial : NULL;
}

static enum status check_setting(const char *name, const char *value, struct param_value *v, struct error *err)
{
    size_t i = param_index(workbench_settings, workbench_nsettings, name);
    return i < workbench_nsettings ? param_parse(&workbench_settings[i], value, v, err) : ST_OK;
}

static enum status keep(struct workbench *wb, const char *name, const char *value, struct error *err)
{
    char *copy = mem_strdup(value, err);
    if (!copy)
        return ST_NOMEM;
    for (size_t i = 0; i < wb->nsettings; i++) {
        if (strcmp(wb->settings[i].name, name) == 0) {
            mem_free(wb->settings[i].value);
            wb->settings[i].value = copy;
            return ST_OK;
        }
    }
    enum status st = mem_grow(&wb->settings, &wb->settings_capacity, wb->nsettings + 1, sizeof *wb->settings, err);
    char *key = st ? NULL : mem_strdup(name, err);
    if (!key) {
        mem_free(copy);
        return ST_NOMEM;
    }
    wb->settings[wb->nsettings++] = (struct setting){key, copy};
    return ST_OK;
}

enum status workbench_set(struct workbench *wb, const char *name, const char *value, struct error *err)
{
    struct param_value v = {0};
    enum status st = check_setting(name, value, &v, err);
    if (!st)
        st = keep(wb, name, value, err);
    if (!st && strcmp(name, "seed") == 0)
        wb->seed = (uint64_t)v.integer;
    if (!st && strcmp(name, "seen") == 0)
        wb->hide_seen = v.integer == 0;
    param_values_free(&v, 1);
    return st;
}
