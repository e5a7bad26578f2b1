/* Reading the files of a known layout: what the layout knows of its columns is a mapping behind the user's. */
#include <ctype.h>
#include <glob.h>
#include <stdio.h>
#include <string.h>

#include "ingest/load.h"

enum { MAPPING_MOST = 96 };

void path_in(const char *path, const char *file, char *out, size_t size)
{
    if (!path_is_folder(path) || !path_beside(path, file, out, size))
        snprintf(out, size, "%s", path);
}

bool path_named(const char *path, const char *name)
{
    char stem[256];
    path_stem(path, stem, sizeof stem);
    return strcmp(stem, name) == 0;
}

bool folder_holds(const char *path, const char *file)
{
    char beside[4096];
    return path_is_folder(path) && path_beside(path, file, beside, sizeof beside);
}

bool folder_find(const char *path, const char *ending, char *out, size_t size)
{
    glob_t found = {0};
    struct str pattern = {0};
    str_printf(&pattern, "%s/*%s", path, ending);
    bool any = !pattern.failed && path_is_folder(path) && glob(str_text(&pattern), 0, NULL, &found) == 0 &&
               found.gl_pathc > 0;
    if (any)
        snprintf(out, size, "%s", found.gl_pathv[0]);
    globfree(&found);
    str_free(&pattern);
    return any;
}

bool head_starts(const char *head, size_t n, const char *text)
{
    size_t i = 0;
    for (; *text; text++) {
        while (i < n && (head[i] == '"' || head[i] == ' '))
            i++;
        if (i == n || tolower((unsigned char)head[i]) != tolower((unsigned char)*text))
            return false;
        i++;
    }
    return true;
}

/* Adds what the layout says, where the user says nothing of it and the file has the column. */
static size_t add_known(const struct sheet *t, struct mapping *all, size_t n, const struct mapping *known,
                        size_t nknown)
{
    for (size_t i = 0; i < nknown && n < MAPPING_MOST; i++) {
        bool said = false;
        for (size_t k = 0; k < n; k++)
            said |= strcmp(all[k].key, known[i].key) == 0;
        const char *value = known[i].value;
        bool computed = value[0] == '=' || strcmp(value, "row") == 0 || strpbrk(value, "+|");
        if (!said && (computed || ingest_is_option(known[i].key) || sheet_column(t, value) != NO_CODE))
            all[n++] = known[i];
    }
    return n;
}

enum status events_as(struct ingest *in, const char *path, const struct sheet_form *form,
                      const struct mapping *mapping, size_t nmapping, struct error *err)
{
    struct mapping all[MAPPING_MOST];
    const struct mapping *said = in->mapping;
    const size_t nsaid = in->nmapping;
    struct sheet t;
    enum status st = ingest_open(in, path, form, &t, err);
    if (st)
        return st;
    size_t n = nsaid < MAPPING_MOST ? nsaid : MAPPING_MOST;
    if (n)
        memcpy(all, said, n * sizeof *all);
    in->mapping = all;
    in->nmapping = add_known(&t, all, n, mapping, nmapping);
    st = events_read(in, &t, err);
    in->mapping = said;
    in->nmapping = nsaid;
    return st;
}

enum status attributes_as(struct ingest *in, const char *path, const char *file, enum attribute_target target,
                          const struct sheet_form *form, const struct mapping *mapping, size_t nmapping,
                          struct error *err)
{
    struct mapping all[MAPPING_MOST];
    const struct mapping *said = in->mapping;
    const size_t nsaid = in->nmapping;
    const struct sheet_form plain = {.encoding = in->form.encoding};
    struct sheet t;
    char beside[4096];
    if (!path_beside(path, file, beside, sizeof beside))
        return ST_OK;
    enum status st = ingest_open(in, beside, form ? form : &plain, &t, err);
    if (st)
        return st;
    in->mapping = all;
    in->nmapping = add_known(&t, all, 0, mapping, nmapping);
    st = attributes_read(in, &t, target, err);
    in->mapping = said;
    in->nmapping = nsaid;
    return st;
}
