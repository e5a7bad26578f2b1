/* The list of readers, and the plain folder: events.csv (or .tsv, .jsonl) with items.* and users.*
 * beside it. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "ingest/load.h"

bool path_is_folder(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

static size_t packed_length(const char *name, size_t n)
{
    if (n > 3 && strcmp(name + n - 3, ".gz") == 0)
        return n - 3;
    if (n > 4 && strcmp(name + n - 4, ".zst") == 0)
        return n - 4;
    return n;
}

void path_stem(const char *path, char *out, size_t size)
{
    file_last_part(path, out, size);
    out[packed_length(out, strlen(out))] = 0;
}

bool path_beside(const char *path, const char *file, char *out, size_t size)
{
    static const char *const endings[] = {"", ".gz", ".zst"};
    const char *slash = strrchr(path, '/');
    size_t folder = path_is_folder(path) ? strlen(path) : slash ? (size_t)(slash - path) : 0;
    const char *between = folder || (slash == path) ? "/" : "";
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        struct stat info;
        int n = snprintf(out, size, "%.*s%s%s%s", (int)folder, path, between, file, endings[i]);
        if (n > 0 && (size_t)n < size && stat(out, &info) == 0 && !S_ISDIR(info.st_mode))
            return true;
    }
    return false;
}

static const char *const formats[] = {"csv", "tsv", "jsonl"};
enum { FORMATS = sizeof formats / sizeof *formats };

static bool find_file(const char *folder, const char *name, char *out, size_t size)
{
    for (size_t i = 0; i < FORMATS; i++) {
        char file[64];
        snprintf(file, sizeof file, "%s.%s", name, formats[i]);
        if (path_beside(folder, file, out, size))
            return true;
    }
    return false;
}

static int recognise_folder(const char *path, const char *head, size_t n)
{
    (void)head;
    char file[4096];
    return n == 0 && path_is_folder(path) && find_file(path, "events", file, sizeof file) ? 20 : 0;
}

static enum status read_folder(struct ingest *in, const char *path, struct error *err)
{
    char file[4096], name[64];
    struct sheet t;
    if (!find_file(path, "events", file, sizeof file))
        return error_set(err, ST_NOT_FOUND, "%s: the events are gone", path);
    enum status st = ingest_open(in, file, NULL, &t, err);
    if (!st)
        st = events_read(in, &t, err);
    for (size_t i = 0; i < FORMATS && !st; i++) {
        snprintf(name, sizeof name, "items.%s", formats[i]);
        st = attributes_beside(in, path, name, ATTRIBUTES_OF_ITEMS, err);
        snprintf(name, sizeof name, "users.%s", formats[i]);
        if (!st)
            st = attributes_beside(in, path, name, ATTRIBUTES_OF_USERS, err);
    }
    return st;
}

const struct reader reader_folder = {"folder", "a folder of events, items and users", recognise_folder, read_folder,
                                     false};

#define LISTED(name) &reader_##name,
const struct reader *const readers[] = {READERS(LISTED) NULL};
