/* How a trial is kept: lines "key=value", those of the parameters behind "set ", and the message, which may hold
 * anything, last. */
#include "commands/trials.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static const char kind[] = "trial", set_key[] = "set ", message_key[] = "message=";

const char *trial_status_name(enum trial_status status)
{
    static const char *const names[TRIAL_STATUSES] = {"complete", "stopped", "failed"};
    return names[status];
}

void trial_clear(struct trial *t)
{
    mem_free(t->parameters);
    mem_free(t->message);
    *t = (struct trial){0};
}

void trials_clear(struct trials *list)
{
    for (size_t i = 0; i < list->n; i++)
        trial_clear(&list->list[i]);
    mem_free(list->list);
    *list = (struct trials){0};
}

enum status trials_add(struct trials *list, struct trial *t, struct error *err)
{
    enum status st = mem_grow(&list->list, &list->capacity, list->n + 1, sizeof *t, err);
    if (st) {
        trial_clear(t);
        return st;
    }
    list->list[list->n++] = *t;
    *t = (struct trial){0};
    return ST_OK;
}

void trial_describe(const struct trial *t, struct str *out)
{
    for (const char *at = t->parameters; *at; at++)
        str_putc(out, *at == '\n' ? ' ' : *at);
}

bool trial_value(const struct trial *t, const char *parameter, char *out, size_t size)
{
    size_t n = strlen(parameter);
    for (const char *at = t->parameters; *at; at += strcspn(at, "\n"), at += *at == '\n')
        if (strncmp(at, parameter, n) == 0 && at[n] == '=') {
            snprintf(out, size, "%.*s", (int)strcspn(at + n + 1, "\n"), at + n + 1);
            return true;
        }
    return false;
}

/* ---- as text ---- */

static void put_real(struct str *out, const char *key, double x)
{
    char text[32] = "-";
    if (!isnan(x))
        text_real(text, sizeof text, x);
    str_printf(out, "%s=%s\n", key, text);
}

static void write_trial(const struct trial *t, struct str *out)
{
    str_printf(out, "class=%s\nmetric=%s\nsplit=%" PRIx64 "\nset_aside=%d\nstatus=%d\n", t->class, t->metric, t->split,
               t->set_aside, (int)t->status);
    put_real(out, "value", t->value);
    for (size_t r = 0; r < TUNE_RUNGS; r++)
        put_real(out, "rung", t->rung[r]);
    str_printf(out, "epoch=%zu\nepochs=%zu\nplanned=%zu\n", t->epoch, t->epochs, t->planned);
    put_real(out, "seconds", t->seconds);
    str_printf(out, "created=%" PRId64 "\n", t->created);
    for (const char *at = t->parameters; *at; at += strcspn(at, "\n"), at += *at == '\n')
        str_printf(out, "%s%.*s\n", set_key, (int)strcspn(at, "\n"), at);
    str_printf(out, "%s%s", message_key, t->message);
}

static double real_of(const char *text)
{
    double x;
    return text_parse_real(text, &x) ? x : NAN;
}

static void read_field(struct trial *t, const char *key, const char *value, size_t *rungs)
{
    if (strcmp(key, "class") == 0)
        snprintf(t->class, sizeof t->class, "%s", value);
    else if (strcmp(key, "metric") == 0)
        snprintf(t->metric, sizeof t->metric, "%s", value);
    else if (strcmp(key, "split") == 0)
        t->split = strtoull(value, NULL, 16);
    else if (strcmp(key, "set_aside") == 0)
        t->set_aside = *value == '1';
    else if (strcmp(key, "status") == 0)
        t->status = (enum trial_status)strtoul(value, NULL, 10);
    else if (strcmp(key, "value") == 0)
        t->value = real_of(value);
    else if (strcmp(key, "rung") == 0 && *rungs < TUNE_RUNGS)
        t->rung[(*rungs)++] = real_of(value);
    else if (strcmp(key, "epoch") == 0)
        t->epoch = strtoul(value, NULL, 10);
    else if (strcmp(key, "epochs") == 0)
        t->epochs = strtoul(value, NULL, 10);
    else if (strcmp(key, "planned") == 0)
        t->planned = strtoul(value, NULL, 10);
    else if (strcmp(key, "seconds") == 0)
        t->seconds = real_of(value);
    else if (strcmp(key, "created") == 0)
        t->created = strtoll(value, NULL, 10);
}

/* `text` is changed. */
static enum status read_trial(char *text, struct trial *t, struct error *err)
{
    struct str parameters = {0};
    const char *message = "";
    size_t rungs = 0;
    for (char *at = text, *end; *at; at = end) {
        if (strncmp(at, message_key, strlen(message_key)) == 0) {
            message = at + strlen(message_key);
            break;
        }
        end = at + strcspn(at, "\n");
        if (*end)
            *end++ = 0;
        char *equals = strchr(at, '=');
        if (strncmp(at, set_key, strlen(set_key)) == 0) {
            str_printf(&parameters, "%s%s", parameters.length ? "\n" : "", at + strlen(set_key));
        } else if (equals) {
            *equals = 0;
            read_field(t, at, equals + 1, &rungs);
        }
    }
    enum status st = parameters.failed ? error_nomem(err, parameters.length, "the parameters of a trial") : ST_OK;
    if (!st && (!(t->parameters = mem_strdup(str_text(&parameters), err)) || !(t->message = mem_strdup(message, err))))
        st = ST_NOMEM;
    str_free(&parameters);
    if (!st && (!*t->class || !*t->metric || t->status >= TRIAL_STATUSES))
        st = error_set(err, ST_CORRUPT, "trial %zu of the workspace cannot be read", t->number + 1);
    return st;
}

/* ---- in the workspace ---- */

enum status trial_keep(struct workbench *wb, const char *dataset, const struct trial *t, struct error *err)
{
    char name[48];
    struct str text = {0};
    snprintf(name, sizeof name, "%016" PRIx64 " %zu", t->study, t->number);
    write_trial(t, &text);
    enum status st = text.failed
                         ? error_nomem(err, 512, "a trial")
                         : workspace_put_note(wb->space, dataset, kind, name, str_text(&text), text.length, err);
    str_free(&text);
    return st;
}

struct wanted {
    const char *class;
    uint64_t study;
    struct trials *out;
};

static enum status take(void *context, const char *name, const void *value, size_t n, struct error *err)
{
    struct wanted *w = context;
    struct trial t = {.value = NAN, .rung = {NAN, NAN}};
    if (sscanf(name, "%" SCNx64 " %zu", &t.study, &t.number) != 2 || (w->study && t.study != w->study))
        return ST_OK;
    char *text = mem_strndup(value, n, err);
    enum status st = text ? read_trial(text, &t, err) : ST_NOMEM;
    mem_free(text);
    if (!st && (!w->class || strcmp(w->class, t.class) == 0))
        return trials_add(w->out, &t, err);
    trial_clear(&t);
    return st;
}

static int in_order(const void *pa, const void *pb)
{
    const struct trial *a = pa, *b = pb;
    int class = strcmp(a->class, b->class);
    if (class)
        return class;
    if (a->study != b->study)
        return a->study < b->study ? -1 : 1;
    return (a->number > b->number) - (a->number < b->number);
}

enum status trials_recall(struct workbench *wb, const char *dataset, const char *class, uint64_t study,
                          struct trials *out, struct error *err)
{
    struct wanted w = {class, study, out};
    enum status st = workspace_list_notes(wb->space, dataset, kind, take, &w, err);
    if (st)
        trials_clear(out);
    else if (out->n)
        qsort(out->list, out->n, sizeof *out->list, in_order);
    return st;
}
