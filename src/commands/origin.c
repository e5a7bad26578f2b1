#include "commands/origin.h"

#include <glob.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "base/text.h"

static const char kind[] = "origin", mapping_name[] = "mapping";

/* ---- places ---- */

enum status origin_add(struct origin_places *p, const char *path, const struct tail_place *place, struct error *err)
{
    char real[PATH_MAX];
    enum status st = mem_grow(&p->at, &p->capacity, p->n + 1, sizeof *p->at, err);
    if (st)
        return st;
    p->at[p->n].place = *place;
    p->at[p->n].path = mem_strdup(realpath(path, real) ? real : path, err);
    if (!p->at[p->n].path)
        return ST_NOMEM;
    p->n++;
    return ST_OK;
}

static enum status look_at(struct origin_places *p, const char *path, struct error *err)
{
    struct stat s;
    struct tail_place place;
    if (stat(path, &s) || !S_ISREG(s.st_mode) || !tail_place_of(path, (uint64_t)s.st_size, &place))
        return ST_OK;
    return origin_add(p, path, &place, err);
}

static enum status look_at_all(struct origin_places *p, const char *pattern, struct error *err)
{
    enum status st = ST_OK;
    glob_t found = {0};
    if (glob(pattern, 0, NULL, &found) == 0)
        for (size_t i = 0; i < found.gl_pathc && !st; i++)
            st = look_at(p, found.gl_pathv[i], err);
    globfree(&found);
    return st;
}

enum status origin_look(const char *const *paths, size_t n, struct origin_places *out, struct error *err)
{
    enum status st = ST_OK;
    struct stat s;
    char inside[PATH_MAX + 4];
    *out = (struct origin_places){0};
    for (size_t i = 0; i < n && !st; i++) {
        bool there = stat(paths[i], &s) == 0;
        snprintf(inside, sizeof inside, "%.*s/*", PATH_MAX, paths[i]);
        if (there && !S_ISDIR(s.st_mode))
            st = look_at(out, paths[i], err);
        else
            st = look_at_all(out, there ? inside : paths[i], err);
    }
    return st;
}

void origin_places_clear(struct origin_places *p)
{
    for (size_t i = 0; i < p->n; i++)
        mem_free(p->at[i].path);
    mem_free(p->at);
    *p = (struct origin_places){0};
}

static void place_name(const char *real, char *out, size_t size)
{
    snprintf(out, size, "place %016" PRIx64, hash_bytes(real, strlen(real), 0));
}

enum status origin_find(struct workbench *wb, const char *dataset, const char *path, struct tail_place *out,
                        bool *found, struct error *err)
{
    char real[PATH_MAX], name[32], text[128] = "";
    void *bytes = NULL;
    size_t n = 0;
    *found = false;
    if (strcmp(path, "-") == 0 || !realpath(path, real))
        return ST_OK;
    place_name(real, name, sizeof name);
    enum status st = workspace_get_note(wb->space, dataset, kind, name, &bytes, &n, err);
    if (st)
        return st == ST_NOT_FOUND ? ST_OK : st;
    memcpy(text, bytes, n < sizeof text ? n : sizeof text - 1);
    mem_free(bytes);
    if (sscanf(text, "%" SCNu64 " %" SCNu64 " %" SCNu64, &out->offset, &out->line, &out->head) != 3)
        return error_set(err, ST_CORRUPT, "the place kept for %s cannot be read", path);
    *found = tail_place_fits(real, out);
    return ST_OK;
}

enum status origin_keep_places(struct workbench *wb, const char *dataset, const struct origin_places *p,
                               struct error *err)
{
    enum status st = ST_OK;
    for (size_t i = 0; i < p->n && !st; i++) {
        const struct tail_place *x = &p->at[i].place;
        char name[32], text[128];
        place_name(p->at[i].path, name, sizeof name);
        int n = snprintf(text, sizeof text, "%" PRIu64 " %" PRIu64 " %" PRIu64, x->offset, x->line, x->head);
        st = workspace_put_note(wb->space, dataset, kind, name, text, (size_t)n, err);
    }
    return st;
}

/* ---- the mapping: key and value after each other, each with its end mark ---- */

static void join_pairs(const struct mapping *pair, size_t n, struct str *text)
{
    for (size_t i = 0; i < n; i++) {
        str_append(text, pair[i].key, strlen(pair[i].key) + 1);
        str_append(text, pair[i].value, strlen(pair[i].value) + 1);
    }
}

/* Takes over the text. */
static enum status cut_pairs(char *text, size_t n, struct origin_mapping *out, struct error *err)
{
    size_t ends = 0;
    *out = (struct origin_mapping){.text = text};
    for (size_t i = 0; i < n; i++)
        ends += text[i] == 0;
    if (ends % 2 || (n && text[n - 1]))
        return error_set(err, ST_CORRUPT, "a mapping that was kept cannot be read");
    out->pair = mem_new(ends / 2, sizeof *out->pair, "a mapping", err);
    if (!out->pair)
        return ST_NOMEM;
    for (const char *at = text; out->n < ends / 2; out->n++) {
        out->pair[out->n].key = at;
        at += strlen(at) + 1;
        out->pair[out->n].value = at;
        at += strlen(at) + 1;
    }
    return ST_OK;
}

static enum status keep_mapping(struct workbench *wb, const char *dataset, const struct mapping *pair, size_t n,
                                struct error *err)
{
    struct str text = {0};
    join_pairs(pair, n, &text);
    enum status st =
        text.failed ? error_nomem(err, text.length, "a mapping")
                    : workspace_put_note(wb->space, dataset, kind, mapping_name, str_text(&text), text.length, err);
    str_free(&text);
    return st;
}

enum status origin_keep(struct workbench *wb, const char *dataset, const struct origin *from, struct error *err)
{
    enum status st = workspace_begin(wb->space, err);
    if (st)
        return st;
    st = workspace_drop_notes(wb->space, dataset, kind, err); /* what is known of the files of an earlier load */
    if (!st)
        st = keep_mapping(wb, dataset, from->pair, from->n, err);
    if (!st)
        st = origin_keep_places(wb, dataset, from->places, err);
    return workspace_end(wb->space, st, err);
}

enum status origin_read_mapping(struct workbench *wb, const char *dataset, struct origin_mapping *out,
                                struct error *err)
{
    void *bytes = NULL;
    size_t n = 0;
    *out = (struct origin_mapping){0};
    enum status st = workspace_get_note(wb->space, dataset, kind, mapping_name, &bytes, &n, err);
    if (st)
        return st == ST_NOT_FOUND ? ST_OK : st;
    return cut_pairs(bytes, n, out, err);
}

enum status origin_copy_mapping(const struct mapping *pair, size_t n, struct origin_mapping *out, struct error *err)
{
    struct str text = {0};
    *out = (struct origin_mapping){0};
    join_pairs(pair, n, &text);
    if (!text.failed)
        return cut_pairs(text.data, text.length, out, err);
    str_free(&text);
    return error_nomem(err, 256, "a mapping");
}

void origin_mapping_clear(struct origin_mapping *m)
{
    mem_free(m->pair);
    mem_free(m->text);
    *m = (struct origin_mapping){0};
}
