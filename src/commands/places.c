#include "commands/places.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_folder(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

/* FOLDER/UNDER, when the bundled data sets are there. */
static bool holds_datasets(const char *folder, const char *under, char *out, size_t size)
{
    static const char one[] = "/tiny";
    int length = snprintf(out, size, "%s/%s%s", folder, under, one);
    if (length <= 0 || (size_t)length >= size || !is_folder(out))
        return false;
    out[(size_t)length - (sizeof one - 1)] = 0;
    return true;
}

/* Beside the program or some folders above: in the source tree it was built in, or where it was installed to. */
static bool near_program(char *out, size_t size)
{
    enum { LEVELS = 5 };
    char program[PLACE_MOST];
    ssize_t n = readlink("/proc/self/exe", program, sizeof program - 1);
    if (n <= 0)
        return false;
    program[n] = 0;
    for (int level = 0; level < LEVELS; level++) {
        char *slash = strrchr(program, '/');
        if (!slash || slash == program)
            return false;
        *slash = 0;
        if (holds_datasets(program, "datasets", out, size) ||
            holds_datasets(program, "share/tailor/datasets", out, size))
            return true;
    }
    return false;
}

enum { ROOTS = 3 };

/* The i-th folder that may hold data sets. */
static bool root(int i, char *out, size_t size)
{
    const char *said = getenv("TAILOR_DATASETS");
    if (i == 0)
        return said && *said && (size_t)snprintf(out, size, "%s", said) < size;
    if (i == 1)
        return near_program(out, size);
    return (size_t)snprintf(out, size, "%s/datasets", PKGDATADIR) < size;
}

bool place_of_data(const char *name, char *out, size_t size)
{
    struct stat info;
    if (!*name || name[0] == '.' || name[0] == '/' || strstr(name, "..") || stat(name, &info) == 0)
        return false;
    for (int i = 0; i < ROOTS; i++) {
        char folder[PLACE_MOST];
        if (root(i, folder, sizeof folder) && (size_t)snprintf(out, size, "%s/%s", folder, name) < size &&
            stat(out, &info) == 0)
            return true;
    }
    return false;
}

bool place_of_catalogue(char *out, size_t size)
{
    for (int i = 0; i < ROOTS; i++) {
        char folder[PLACE_MOST];
        if (root(i, folder, sizeof folder) &&
            (size_t)snprintf(out, size, "%s/catalogue.txt", folder) < size && access(out, R_OK) == 0)
            return true;
    }
    return false;
}

bool place_of_own_catalogue(char *out, size_t size)
{
    const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
    int n = config && *config == '/' ? snprintf(out, size, "%s/tailor/catalogue.txt", config)
                                     : snprintf(out, size, "%s/.config/tailor/catalogue.txt", home ? home : "");
    return n > 0 && (size_t)n < size && access(out, R_OK) == 0;
}

static int visible(const struct dirent *e)
{
    return e->d_name[0] != '.';
}

enum status place_each_bundled(enum status (*each)(void *context, const char *name, const char *path,
                                                   struct error *err),
                               void *context, struct error *err)
{
    char folder[PLACE_MOST], path[PLACE_MOST + 256];
    struct dirent **list = NULL;
    enum status st = ST_OK;
    int n = -1;
    for (int i = 0; i < ROOTS && n < 0; i++)
        if (root(i, folder, sizeof folder))
            n = scandir(folder, &list, visible, alphasort);
    for (int i = 0; i < n; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, list[i]->d_name);
        if (!st && is_folder(path))
            st = each(context, list[i]->d_name, path, err);
        free(list[i]);
    }
    free(list);
    return st;
}
