#include "commands/loading.h"

#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "commands/places.h"

enum status loading_reject(void *context, const char *file, uint64_t line, const char *reason, const char *text,
                           size_t n, struct error *err)
{
    struct workbench *wb = context;
    const struct reject r = {.file = file, .line = line, .reason = reason, .text = text, .text_length = n};
    return workspace_stage_reject(wb->space, &r, err);
}

void loading_say_rows(uint64_t read, uint64_t kept, uint64_t rejected, struct result *out)
{
    char r[32], k[32], j[32];
    text_count(r, sizeof r, (int64_t)read);
    text_count(k, sizeof k, (int64_t)kept);
    text_count(j, sizeof j, (int64_t)rejected);
    if (rejected)
        result_message(out, MESSAGE_WARNING, "%s row%s read: %s kept, %s rejected (`rejects` shows which and why)", r,
                       read == 1 ? "" : "s", k, j);
    else
        result_message(out, MESSAGE_INFO, "%s row%s read: %s kept, %s rejected", r, read == 1 ? "" : "s", k, j);
}

void loading_say_notes(const struct ingest_report *report, struct result *out)
{
    for (size_t i = 0; i < report->nnotes; i++)
        result_message(out, MESSAGE_INFO, "%s", report->notes[i].text);
}

void loading_name(const char *path, char *out, size_t size)
{
    static const char *const endings[] = {".gz", ".zst", ".csv", ".tsv", ".jsonl", ".json", ".txt", ".dat", ".log",
                                          ".ascii", ".inter", ".sqlite", ".sqlite3", ".db"};
    file_last_part(path, out, size);
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        size_t length = strlen(out), end = strlen(endings[i]);
        if (length > end && text_same(out + length - end, endings[i]))
            out[length - end] = 0;
    }
    for (char *p = out; *p; p++)
        if (!((*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') || (*p >= '0' && *p <= '9') || strchr("-_.", *p)))
            *p = '_';
    if (strpbrk(path, "*?["))
        while (*out && strchr("-_.", out[strlen(out) - 1]))
            out[strlen(out) - 1] = 0; /* events-* is called events */
    if (strcmp(path, "-") == 0 || !out[0] || out[0] == '.')
        snprintf(out, size, "%s", strcmp(path, "-") == 0 ? "stdin" : "data");
}

enum status loading_found(struct workbench *wb, const char *name, bool *found, struct error *err)
{
    struct dataset_info *list = NULL;
    size_t n = 0;
    enum status st = workspace_list_datasets(wb->space, &list, &n, err);
    *found = false;
    for (size_t i = 0; i < n && !st; i++)
        *found |= strcmp(list[i].name, name) == 0;
    mem_free(list);
    return st;
}

enum status loading_refuse_name(const struct call *call, const char *name, struct error *err)
{
    error_set(err, ST_USAGE, "there is a data set %s already", name);
    error_hint(err, "`load %s` opens it; as NAME keeps both; replace=yes reads the files again", name);
    return error_at_word(ST_USAGE, err, call->as.text ? &call->as : &call->args[0]);
}

/* Does the message speak of key=...? As the ingest room quotes it. */
static bool speaks_of(const struct error *err, const char *key, const char *form)
{
    char quoted[80];
    snprintf(quoted, sizeof quoted, form, key);
    return strstr(err->message, quoted) != NULL;
}

enum status loading_point_at(const struct call *call, enum status st, struct error *err)
{
    if (!st || !err)
        return st;
    for (size_t i = 0; i < call->command->noptions; i++)
        if (call_given(call, call->command->options[i].name) && speaks_of(err, call->command->options[i].name, "%s="))
            return error_at_option(st, err, call, call->command->options[i].name);
    for (size_t i = 0; i < call->nopen; i++) {
        if (speaks_of(err, call->open[i].key.text, "option \"%s\""))
            return error_at_word(st, err, &call->open[i].key);
        if (speaks_of(err, call->open[i].key.text, "(%s="))
            return error_at_word(st, err, &call->open[i].value);
    }
    for (size_t i = 0; i < call->nargs; i++)
        if (strstr(err->message, call->args[i].text))
            return error_at_word(st, err, &call->args[i]);
    return st;
}

enum status loading_name_source(struct dataset *d, const struct call *call, struct error *err)
{
    struct str text = {0};
    for (size_t i = 0; i < call->nargs; i++)
        str_printf(&text, "%s%s", i ? " " : "", call->args[i].text);
    char *source = text.failed ? NULL : mem_strdup(str_text(&text), err);
    str_free(&text);
    if (!source)
        return error_nomem(err, 256, "the name of the source");
    mem_free(d->source);
    d->source = source;
    return ST_OK;
}

void loading_paths_free(char **paths, size_t n)
{
    for (size_t i = 0; paths && i < n; i++)
        mem_free(paths[i]);
    mem_free(paths);
}

enum status loading_paths(const struct call *call, char ***out, struct error *err)
{
    char bundled[PLACE_MOST];
    char **paths = mem_new(call->nargs, sizeof *paths, "paths", err);
    bool good = paths != NULL;
    for (size_t i = 0; i < call->nargs && good; i++) {
        const char *typed = call->args[i].text;
        good = (paths[i] = mem_strdup(place_of_data(typed, bundled, sizeof bundled) ? bundled : typed, err)) != NULL;
    }
    if (!good) {
        loading_paths_free(paths, call->nargs);
        return ST_NOMEM;
    }
    *out = paths;
    return ST_OK;
}

enum status loading_publish(struct workbench *wb, struct dataset *d, struct recipe *r, bool replace,
                            const struct origin *from, struct error *err)
{
    job_begin(&wb->job, 0, "", "load %s: storing", d->name);
    return workbench_keep_shaped(wb, d, r, replace, from, err);
}
