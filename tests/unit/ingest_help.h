/* Loading from text in tests: a scratch folder, files written into it, and a sink that counts rejects. */
#ifndef TAILOR_TESTS_UNIT_INGEST_HELP_H
#define TAILOR_TESTS_UNIT_INGEST_HELP_H

#include "tests/unit/unit.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "ingest/ingest.h"

struct loaded {
    struct dataset *data;
    struct ingest_report report;
    struct error err;
    uint64_t rejects, last_line;
    char last_reason[200], last_text[200];
};

static char scratch[64];

static inline const char *scratch_path(const char *name)
{
    static char path[4][256];
    static unsigned turn;
    if (!scratch[0]) {
        snprintf(scratch, sizeof scratch, "/tmp/tailor-ingest-XXXXXX");
        assert_non_null(mkdtemp(scratch));
    }
    turn = (turn + 1) % 4;
    snprintf(path[turn], sizeof path[turn], "%s/%s", scratch, name);
    return path[turn];
}

static inline const char *write_file(const char *name, const void *bytes, size_t n)
{
    const char *path = scratch_path(name);
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, n, f), n);
    fclose(f);
    return path;
}

static inline const char *write_text(const char *name, const char *text)
{
    return write_file(name, text, strlen(text));
}

static inline int remove_scratch(void **state)
{
    (void)state;
    char command[128];
    if (!scratch[0])
        return 0;
    snprintf(command, sizeof command, "rm -rf %s", scratch);
    return system(command);
}

static inline enum status count_reject(void *context, const char *file, uint64_t line, const char *reason,
                                       const char *text, size_t n, struct error *err)
{
    struct loaded *l = context;
    (void)file;
    (void)err;
    l->rejects++;
    l->last_line = line;
    snprintf(l->last_reason, sizeof l->last_reason, "%s", reason);
    snprintf(l->last_text, sizeof l->last_text, "%.*s", (int)(n > 150 ? 150 : n), text);
    return ST_OK;
}

static inline enum status load_paths(struct loaded *l, const char *const *paths, size_t npaths,
                                     const struct mapping *mapping, size_t nmapping)
{
    memset(l, 0, sizeof *l);
    struct reject_sink sink = {l, count_reject};
    enum status st =
        ingest_events(paths, npaths, mapping, nmapping, "test", &sink, NULL, &l->data, &l->report, &l->err);
    if (!st) {
        assert_int_equal(l->data->rows_read, l->data->rows_kept + l->data->rows_rejected);
        assert_int_equal(l->data->rows_rejected, l->rejects);
    } else {
        assert_null(l->data);
        assert_true(l->err.message[0]);
    }
    return st;
}

static inline enum status load_path(struct loaded *l, const char *path)
{
    return load_paths(l, &path, 1, NULL, 0);
}

/* Writes the text into a file and loads it. */
static inline enum status load_bytes(struct loaded *l, const char *name, const void *bytes, size_t n)
{
    return load_path(l, write_file(name, bytes, n));
}

static inline enum status load_text(struct loaded *l, const char *name, const char *text)
{
    return load_bytes(l, name, text, strlen(text));
}

static inline void unload(struct loaded *l)
{
    dataset_release(l->data);
    l->data = NULL;
}

static inline bool noted(const struct loaded *l, const char *words)
{
    for (size_t i = 0; i < l->report.nnotes; i++)
        if (strstr(l->report.notes[i].text, words))
            return true;
    return false;
}

/* A cell of a field as text, in a static buffer. */
static inline const char *cell_text(const struct fields *set, const char *name, size_t row)
{
    static char out[512];
    struct str s = {0};
    const struct field *f = fields_find(set, name);
    assert_non_null(f);
    field_format(f, row, &s);
    snprintf(out, sizeof out, "%s", str_text(&s));
    str_free(&s);
    return out;
}

#endif
