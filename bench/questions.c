/* Questions to a large log: SQL, `events by=` and `user`, beside a plain pass over one column of the same events by one thread.
 * bench/questions [ROWS] (default 2 million; the published figures are of 20 million). */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/rng.h"
#include "bench/bench.h"
#include "commands/command.h"

enum { USERS = 500000, ITEMS = 100000, CATEGORIES = 40, DEFAULT_ROWS = 2000000 };

struct bench {
    struct workbench *wb;
    struct dataset *data;
    struct sink sink;
    const char *line;
    volatile uint64_t sum; /* keeps the plain pass */
};

static void need(enum status st, const struct error *err)
{
    if (!st)
        return;
    fprintf(stderr, "failed: %s\n", err->message);
    exit(1);
}

static void write_log(const char *path, size_t rows)
{
    static const char *const types[] = {"view", "view", "view", "view", "view", "view", "click", "click", "cart", "purchase"};
    struct rng g = rng_stream(1, "question benchmark", 0);
    FILE *f = fopen(path, "wb");
    if (!f) {
        perror(path);
        exit(1);
    }
    fputs("user,item,type,timestamp,value,category\n", f);
    for (size_t row = 0; row < rows; row++) {
        uint64_t user = (uint64_t)(USERS * rng_real(&g) * sqrt(rng_real(&g))) * 387420489 % USERS;
        uint64_t item = (uint64_t)(ITEMS * pow(rng_real(&g), 2.5)) * 48271 % ITEMS;
        fprintf(f, "u%06u,i%05u,%s,%llu,%u,c%02u\n", (unsigned)user, (unsigned)item, types[rng_below(&g, 10)],
                (unsigned long long)(1700000000 + 20000000 * row / rows + rng_below(&g, 7200)), 1 + (unsigned)rng_below(&g, 5), (unsigned)(item % CATEGORIES));
    }
    if (fclose(f)) {
        perror(path);
        exit(1);
    }
}

static enum status swallow(struct sink *sink, struct result *r, struct error *err)
{
    struct str text = {0};
    struct render_options options = {.form = OUTPUT_TSV, .header = true};
    (void)sink;
    enum status st = result_render_text(r, &options, &text, err);
    str_free(&text);
    return st;
}

static void run(struct bench *b, const char *line)
{
    struct error err = {0};
    need(command_run(b->wb, line, &b->sink, &err), &err);
}

static void ask(void *context)
{
    struct bench *b = context;
    run(b, b->line);
}

static void pass(void *context)
{
    struct bench *b = context;
    const uint32_t *item = b->data->events.item;
    uint64_t sum = 0;
    for (size_t e = 0; e < b->data->events.n; e++)
        sum += item[e];
    b->sum = sum;
}

int main(int argc, char **argv)
{
    static const char *const lines[] = {
        "select * from events where user = '%s'",
        "select * from events where item = '%s'",
        "select e.type, count(*) n from (select item from items limit 100) i join events e on e.item = i.item group by 1",
        "select count(*) from events where value >= 4",
        "select count(*) from events where type = 'purchase' and value >= 4",
        "select count(*) from events where time >= '2024-01-01' and type in ('cart', 'purchase')",
        "events by=type",
        "events by=day",
        "events by=item",
        "select type, count(*) n from events group by type",
        "user %s",
        "user %s show=timeline,sessions",
        "user %s show=neighbours",
        "user %s at=2024-03-01",
    };
    static struct bench b;
    struct error err = {0};
    char folder[] = "/tmp/tailor-bench-XXXXXX", path[64], text[256];
    size_t rows = argc > 1 && atol(argv[1]) > 0 ? (size_t)atol(argv[1]) : DEFAULT_ROWS;
    if (!mkdtemp(folder)) {
        perror(folder);
        return 1;
    }
    snprintf(path, sizeof path, "%s/log.csv", folder);
    write_log(path, rows);
    need(workbench_open(NULL, false, &b.wb, &err), &err);
    b.sink = (struct sink){.face = &b, .emit = swallow};
    snprintf(text, sizeof text, "load %s item.category=category as log", path);
    run(&b, text);
    unlink(path);
    rmdir(folder);
    b.data = workbench_data(b.wb);
    printf("\nquestions to %zu events\n\n", b.data->events.n);
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        bool item = strstr(lines[i], "item = '%s'") != NULL;
        char id[32], line[256];
        snprintf(id, sizeof id, "%s", item ? dict_text(&b.data->items, ITEMS / 2) : dict_text(&b.data->users, USERS / 8));
        char *at = strstr(lines[i], "%s");
        snprintf(line, sizeof line, "%.*s%s%s", at ? (int)(at - lines[i]) : 250, lines[i], at ? id : "", at ? at + 2 : "");
        b.line = line;
        for (int k = 0; k < (item ? 8 : 0); k++) /* until the list of the events of each item is made */
            ask(&b);
        bench_print(line, "a pass over a column", bench_run(ask, pass, NULL, &b, .5), 0);
    }
    dataset_release(b.data);
    workbench_close(b.wb);
    return 0;
}
