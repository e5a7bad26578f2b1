#include "commands/given.h"

#include <glob.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "commands/origin.h"

struct given {
    struct workbench *wb;
    const struct dataset *d;
    struct origin_mapping mapping;
    struct split_list *list;
    size_t rows, unknown; /* read; of users or items that the data set does not have */
};

/* Other users and items have the indices behind those of the data set, so that no row of theirs fits. */
static enum status add_rows(struct given *g, const struct dataset *rows, uint32_t fold, struct error *err)
{
    bool timed = g->d->events.time && rows->events.time;
    enum status st = ST_OK;
    for (uint32_t u = 0; u < rows->users.n; u++)
        for (size_t e = rows->user_begin[u]; e < rows->user_begin[u + 1] && !st; e++, g->rows++) {
            struct split_row row = {u, rows->events.item[e], fold, timed ? rows->events.time[e] : NO_TIME};
            if (u < g->d->users.n && row.item < g->d->items.n)
                st = split_list_add(g->list, &row, err);
            else
                g->unknown++;
        }
    return st;
}

static enum status read_file(struct given *g, const char *path, uint32_t fold, struct error *err)
{
    struct ingest_report report;
    struct dataset *rows = NULL;
    enum status st = ingest_more(g->d, &path, 1, g->mapping.pair, g->mapping.n, NULL, &g->wb->job, &rows, &report, err);
    if (!st)
        st = add_rows(g, rows, fold, err);
    if (!st && fold > g->list->folds)
        g->list->folds = fold; /* a file of strangers is a fold without events */
    dataset_release(rows);
    return st;
}

/* Files that the words name, in their order. A word that is no pattern stands for itself. */
static enum status expand(const struct word *words, size_t n, glob_t *found, struct error *err)
{
    for (size_t i = 0; i < n; i++) {
        int failed = glob(words[i].text, GLOB_NOCHECK | (i ? GLOB_APPEND : 0), NULL, found);
        if (failed == GLOB_NOSPACE)
            return error_nomem(err, 4096, "a pattern");
    }
    return ST_OK;
}

/* "u1.test", "u1.test ... u5.test" */
static void name_files(const glob_t *found, struct str *out)
{
    char part[64];
    file_last_part(found->gl_pathv[0], part, sizeof part);
    str_puts(out, part);
    if (found->gl_pathc < 2)
        return;
    file_last_part(found->gl_pathv[found->gl_pathc - 1], part, sizeof part);
    str_printf(out, "%s%s", found->gl_pathc > 2 ? " ... " : " and ", part);
}

static enum status read_all(struct given *g, const glob_t *found, const char *valid, struct error *err)
{
    struct str name = {0};
    name_files(found, &name);
    enum status st = found->gl_pathc > SPLIT_FOLDS_MAX
                         ? error_set(err, ST_USAGE, "more than %d folds", SPLIT_FOLDS_MAX)
                     : name.failed ? error_nomem(err, 128, "the names of files")
                                   : split_list_new(str_text(&name), &g->list, err);
    for (size_t i = 0; i < found->gl_pathc && !st; i++)
        st = read_file(g, found->gl_pathv[i], (uint32_t)i + 1, err);
    if (!st && valid)
        st = read_file(g, valid, 0, err);
    if (!st)
        split_list_sort(g->list);
    str_free(&name);
    return st;
}

static enum status check_rows(const struct given *g, struct result *report, struct error *err)
{
    size_t events, strangers;
    char count[32], all[32];
    split_list_match(g->list, g->d, &events, &strangers);
    text_count(count, sizeof count, (int64_t)(g->unknown + strangers));
    text_count(all, sizeof all, (int64_t)g->rows);
    if (!events) {
        error_set(err, ST_NOT_FOUND, "none of the %s row%s names an event of %s", all, g->rows == 1 ? "" : "s",
                  g->d->name);
        error_hint(err,
                   "events of all parts are loaded together first: load u1.base u1.test, then split given u1.test");
        return ST_NOT_FOUND;
    }
    if (g->unknown + strangers)
        result_message(report, MESSAGE_WARNING, "%s of the %s rows %s no event of %s", count, all,
                       g->unknown + strangers == 1 ? "names" : "name", g->d->name);
    return ST_OK;
}

enum status given_read(struct workbench *wb, const struct dataset *d, const struct word *files, size_t n,
                       const char *valid, struct split_list **out, struct result *report, struct error *err)
{
    struct given g = {.wb = wb, .d = d};
    glob_t found = {0};
    enum status st = origin_read_mapping(wb, d->name, &g.mapping, err);
    if (!st)
        st = expand(files, n, &found, err);
    if (!st)
        st = read_all(&g, &found, valid, err);
    if (!st)
        st = check_rows(&g, report, err);
    if (st)
        split_list_release(g.list);
    else
        *out = g.list;
    globfree(&found);
    origin_mapping_clear(&g.mapping);
    return st;
}
