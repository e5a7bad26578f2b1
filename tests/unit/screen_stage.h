/* A stage for tests of the screen: `tiny`, models, an app without a terminal; keys in, cells out. */
#ifndef TAILOR_TESTS_UNIT_SCREEN_STAGE_H
#define TAILOR_TESTS_UNIT_SCREEN_STAGE_H

#include "tests/unit/unit.h"

#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "commands/command.h"
#include "ingest/ingest.h"
#include "screen/app.h"
#include "tests/unit/screen_keys.h"

struct stage {
    struct workbench *wb;
    struct app *app;
};

static inline enum status ignore(struct sink *sink, struct result *r, struct error *err)
{
    (void)sink;
    (void)r;
    (void)err;
    return ST_OK;
}

static inline void run(struct workbench *wb, const char *line)
{
    struct error err;
    struct sink sink = {.emit = ignore};
    if (command_run(wb, line, &sink, &err) != ST_OK)
        fail_msg("%s: %s", line, err.message);
}

static inline struct dataset *tiny(void)
{
    struct error err;
    struct ingest_report report;
    char path[3][512];
    static const char *const names[] = {"events", "items", "users"};
    for (int i = 0; i < 3; i++)
        snprintf(path[i], sizeof path[i], "%s/tiny/%s.csv", getenv("DATASETS_DIR"), names[i]);
    const char *events = path[0];
    struct dataset *d, *items, *users;
    const struct mapping id = {"id", "id"};
    if (ingest_events(&events, 1, NULL, 0, "tiny", NULL, NULL, &d, &report, &err) != ST_OK)
        fail_msg("%s", err.message);
    assert_int_equal(ingest_attributes(d, ATTRIBUTES_OF_ITEMS, path[1], &id, 1, NULL, NULL, &items, &report, &err), ST_OK);
    assert_int_equal(ingest_attributes(items, ATTRIBUTES_OF_USERS, path[2], &id, 1, NULL, NULL, &users, &report, &err), ST_OK);
    dataset_release(d);
    dataset_release(items);
    return users;
}

/* What depends on the machine is made the same everywhere. */
static inline void settle(struct workbench *wb)
{
    for (size_t i = 0; i < wb->nmodels; i++) {
        wb->models[i]->record.seconds = .012;
        snprintf(wb->models[i]->record.kernel, sizeof wb->models[i]->record.kernel, "of the test");
    }
}

static inline struct workbench *bench_with(const char *const *lines)
{
    struct error err;
    struct workbench *wb;
    if (workbench_open(NULL, false, &wb, &err) != ST_OK)
        fail_msg("%s", err.message);
    if (lines) {
        struct dataset *d = tiny();
        assert_int_equal(workspace_put_dataset(wb->space, d, false, NULL, NULL), ST_OK);
        workbench_set_data(wb, d);
        for (; *lines; lines++)
            run(wb, *lines);
        settle(wb);
    }
    return wb;
}

static inline struct stage stage_open(const char *const *lines, const char *view, bool ascii)
{
    struct error err;
    struct stage s = {.wb = bench_with(lines)};
    if (app_open(s.wb, ascii, view, &s.app, &err) != ST_OK)
        fail_msg("%s", err.message);
    return s;
}

/* With room to say how one came here, however many views there are. */
static inline void widen(struct stage *s)
{
    assert_int_equal(app_resize(s->app, 24, 120, NULL), ST_OK);
}

static inline void stage_close(struct stage *s)
{
    app_close(s->app);
    workbench_close(s->wb);
}

/* What was begun is finished before the next key. */
static inline void rest(struct app *app)
{
    do
        app_poll(app);
    while (app_running(app));
}

static inline void press(struct stage *s, const char *script)
{
    int y, x;
    rest(s->app);
    for (int32_t key; (key = next_key(&script)) != K_NONE;) {
        app_key(s->app, key);
        rest(s->app);
        app_draw(s->app, &y, &x); /* lists learn their height from being drawn */
    }
}

/* "113 us", "1.2 s" at the end of the line of the command: the one thing that differs from run to run. */
static inline void hide_times(struct str *text)
{
    static const char *const units[] = {" us ", " ms ", " s "};
    char *line = text->data;
    for (; line && *line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
        size_t n = strcspn(line, "\n");
        char *end = line + n;
        for (size_t u = 0; u < 3; u++) {
            char *unit = memmem(line, n, units[u], strlen(units[u]));
            if (!unit || (line[0] != '-' && memcmp(line, "─", 3) != 0) || unit + strlen(units[u]) + 3 < end)
                continue;
            char *p = unit;
            while (p > line && ((p[-1] >= '0' && p[-1] <= '9') || p[-1] == '.'))
                p--;
            /* the rule before it is as long as the number lets it be */
            while (p > line && (p[-1] == ' ' || p[-1] == '-'))
                p--;
            while (p - line >= 3 && memcmp(p - 3, "─", 3) == 0)
                p -= 3;
            memmove(p, end, strlen(end) + 1);
            text->length = strlen(text->data);
            break;
        }
    }
}

static inline void dump(struct stage *s, struct str *out)
{
    int y, x;
    rest(s->app);
    surface_dump(app_draw(s->app, &y, &x), out);
    hide_times(out);
}

static inline void assert_picture(struct stage *s, const char *name)
{
    struct str now = {0};
    struct error err;
    char path[512], *golden;
    size_t n;
    dump(s, &now);
    snprintf(path, sizeof path, "%s/screen/%s.txt", getenv("TESTS_DIR"), name);
    if (getenv("UPDATE")) {
        FILE *f = fopen(path, "w");
        assert_non_null(f);
        fputs(str_text(&now), f);
        fclose(f);
    }
    if (file_read(path, 1 << 20, &golden, &n, &err) != ST_OK)
        fail_msg("%s", err.message);
    golden = realloc(golden, n + 1);
    golden[n] = 0;
    assert_string_equal(str_text(&now), golden);
    mem_free(golden);
    str_free(&now);
}

static inline bool shows(struct stage *s, const char *words)
{
    struct str now = {0};
    dump(s, &now);
    bool found = strstr(str_text(&now), words) != NULL;
    if (!found)
        fprintf(stderr, "not shown: %s\n%s", words, str_text(&now));
    str_free(&now);
    return found;
}

static inline bool hides(struct stage *s, const char *words)
{
    struct str now = {0};
    dump(s, &now);
    bool found = strstr(str_text(&now), words) != NULL;
    str_free(&now);
    return !found;
}

static const char *const trained[] = {"split last 1", "train pop itemknn ease lambda=1", NULL};
static const char *const loaded[] = {NULL};

#endif
