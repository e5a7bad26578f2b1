/* Runs a fuzz target over files, or over the files of folders: the engine of the normal build. */
#include <dirent.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/mem.h"
#include "tests/fuzz/fuzz.h"

static int replay_file(const char *path)
{
    enum { MOST = 64 << 20 };
    struct error err;
    char *data = NULL;
    size_t n = 0;
    if (file_read(path, MOST, &data, &n, &err)) {
        fprintf(stderr, "%s\n", err.message);
        return 1;
    }
    fprintf(stderr, "%s\n", path); /* the last one named is the one that crashed */
    uint8_t *exact = malloc(n ? n : 1); /* so that a sanitizer sees a read past the end */
    MUST(exact);
    memcpy(exact, data, n);
    mem_free(data);
    LLVMFuzzerTestOneInput(exact, n);
    free(exact);
    return 0;
}

static int visible(const struct dirent *e)
{
    return e->d_name[0] != '.';
}

int main(int argc, char **argv)
{
    int failed = argc < 2;
    size_t done = 0;
    for (int i = 1; i < argc; i++) {
        struct dirent **list = NULL;
        struct stat info;
        int n = stat(argv[i], &info) == 0 && S_ISDIR(info.st_mode) ? scandir(argv[i], &list, visible, alphasort) : -1;
        if (n < 0) {
            failed |= replay_file(argv[i]);
            done++;
        }
        for (int k = 0; k < n; k++) {
            char path[4096];
            snprintf(path, sizeof path, "%s/%s", argv[i], list[k]->d_name);
            failed |= replay_file(path);
            done++;
            free(list[k]);
        }
        free(list);
    }
    printf("%zu inputs\n", done);
    return failed || !done;
}
