/* The files that a path names: itself, those that a pattern fits, and the part of a split that a name says. */
#include "ingest/paths.h"

#include <dirent.h>
#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "ingest/load.h"

void paths_clear(struct paths *p)
{
    for (size_t i = 0; i < p->n; i++)
        mem_free(p->path[i]);
    mem_free(p->path);
}

static enum status paths_add(struct paths *p, const char *path, struct error *err)
{
    enum status st = mem_grow(&p->path, &p->capacity, p->n + 1, sizeof *p->path, err);
    if (st)
        return st;
    p->path[p->n] = mem_strdup(path, err);
    if (!p->path[p->n])
        return ST_NOMEM;
    p->n++;
    return ST_OK;
}

/* No such file: names the nearest one in the same folder. */
static enum status no_such_file(const char *path, struct error *err)
{
    enum { LOOK = 256 };
    char folder[4096], names[LOOK][64];
    const char *candidates[LOOK], *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path;
    size_t n = 0;
    errno = ENOENT;
    enum status st = error_errno(err, "read", path);
    snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - path + 1) : 1, slash ? path : ".");
    DIR *d = opendir(folder);
    if (!d) {
        error_hint(err, "the folder %s is not there either", folder);
        return st;
    }
    for (struct dirent *e = readdir(d); e && n < LOOK; e = readdir(d)) {
        if (e->d_name[0] == '.' || strlen(e->d_name) >= sizeof names[0])
            continue;
        strcpy(names[n], e->d_name);
        candidates[n] = names[n];
        n++;
    }
    closedir(d);
    const char *near = text_nearest(base, candidates, n);
    if (near)
        error_hint(err, "did you mean %.*s%s?", slash ? (int)(slash - path + 1) : 0, path, near);
    else
        error_hint(
            err,
            "a file, a folder of a known layout, a pattern in quotes ('events-*.csv.gz'), or - for standard input");
    return st;
}

enum status paths_expand(const char *path, struct paths *out, struct error *err)
{
    struct stat info;
    if (strcmp(path, "-") == 0 || stat(path, &info) == 0)
        return paths_add(out, path, err);
    if (!strpbrk(path, "*?["))
        return no_such_file(path, err);
    glob_t found = {0};
    int failed = glob(path, 0, NULL, &found);
    enum status st = ST_OK;
    if (failed) {
        st = failed == GLOB_NOSPACE ? error_nomem(err, 4096, "a pattern")
                                    : error_set(err, ST_NOT_FOUND, "no file is called %s", path);
        if (st == ST_NOT_FOUND)
            error_hint(err, "* stands for any letters, ? for one, [ab] for one of some");
    }
    for (size_t i = 0; !st && i < found.gl_pathc; i++)
        st = paths_add(out, found.gl_pathv[i], err);
    globfree(&found);
    return st;
}

uint64_t paths_size(const struct paths *p)
{
    uint64_t total = 0;
    for (size_t i = 0; i < p->n; i++) {
        struct stat info;
        if (stat(p->path[i], &info) || !S_ISREG(info.st_mode))
            return 0;
        total += (uint64_t)info.st_size;
    }
    return total;
}

const char *path_part(const char *path)
{
    static const struct {
        const char *word, *part;
    } words[] = {{"train", "train"}, {"base", "train"}, {"valid", "valid"},
                 {"val", "valid"},   {"dev", "valid"},  {"test", "test"}};
    char stem[256];
    path_stem(path, stem, sizeof stem);
    for (const char *p = stem; *p;) {
        size_t n = strcspn(p, "._-");
        for (size_t i = 0; i < sizeof words / sizeof *words; i++)
            if (n == strlen(words[i].word) && text_starts(p, words[i].word))
                return words[i].part;
        p += n + (p[n] != 0);
    }
    return NULL;
}

bool paths_say_parts(const struct paths *p)
{
    bool train = false, test = false;
    for (size_t i = 0; i < p->n; i++) {
        const char *part = path_part(p->path[i]);
        if (!part)
            return false;
        train |= strcmp(part, "train") == 0;
        test |= strcmp(part, "train") != 0;
    }
    return train && test;
}
