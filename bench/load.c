/* Loading: a made-up log in every format into a data set, stored, opened again; beside a plain count of the line feeds of the
 * same file. bench/load [ROWS] (default 2 million; the published figures are of 20 million). */
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "base/mem.h"
#include "base/rng.h"
#include "bench/bench.h"
#include "ingest/ingest.h"
#include "store/workspace.h"

enum { USERS = 500000, ITEMS = 100000, PIECE = 1 << 20, LINE_MOST = 128, DEFAULT_ROWS = 2000000 };

enum format { CSV, TSV, JSONL, CSV_GZ, CSV_ZST, FORMATS };
static const char *const names[FORMATS] = {"events.csv", "events.tsv", "events.jsonl", "events.csv.gz", "events.csv.zst"};

struct bench {
    char folder[64], path[128], space[128];
    struct dataset *data;
    struct workspace *workspace;
    size_t rows, lines;
};

static void need(enum status st, const struct error *err)
{
    if (!st)
        return;
    fprintf(stderr, "failed: %s\n", err->message);
    exit(1);
}

static void fine(bool good, const char *what)
{
    if (good)
        return;
    perror(what);
    exit(1);
}

/* ---- the log ---- */

static size_t put_row(char *out, enum format f, struct rng *g, size_t row, size_t rows)
{
    static const char *const types[] = {"view", "view", "view", "view", "view", "view", "click", "click", "cart", "purchase"};
    uint64_t user = (uint64_t)(USERS * rng_real(g) * sqrt(rng_real(g))) * 387420489 % USERS;
    uint64_t item = (uint64_t)(ITEMS * pow(rng_real(g), 2.5)) * 48271 % ITEMS;
    long long time = 1700000000 + (long long)(2e7 * (double)row / (double)rows) + (long long)rng_below(g, 7200);
    const char *form = f == JSONL ? "{\"user\":\"u%06u\",\"item\":\"i%05u\",\"type\":\"%s\",\"timestamp\":%lld}\n"
                       : f == TSV ? "u%06u\ti%05u\t%s\t%lld\n"
                                  : "u%06u,i%05u,%s,%lld\n";
    return (size_t)sprintf(out, form, (unsigned)user, (unsigned)item, types[rng_below(g, 10)], time);
}

static void put_zst(FILE *to, ZSTD_CStream *z, const char *text, size_t n, bool last)
{
    static char packed[PIECE];
    ZSTD_inBuffer in = {text, n, 0};
    for (size_t left = 1; left || in.pos < n;) {
        ZSTD_outBuffer out = {packed, sizeof packed, 0};
        left = ZSTD_compressStream2(z, &out, &in, last ? ZSTD_e_end : ZSTD_e_continue);
        fine(!ZSTD_isError(left) && fwrite(packed, 1, out.pos, to) == out.pos, "writing");
        if (!last && in.pos == n)
            break;
    }
}

static void write_log(const struct bench *b, enum format f, size_t rows)
{
    static char text[PIECE + LINE_MOST];
    struct rng g = rng_stream(1, "load benchmark", 0);
    gzFile gz = f == CSV_GZ ? gzopen(b->path, "wb1") : NULL;
    FILE *file = gz ? NULL : fopen(b->path, "wb");
    ZSTD_CStream *z = ZSTD_createCStream();
    fine((gz || file) && z, b->path);
    size_t n = f == JSONL ? 0 : (size_t)sprintf(text, f == TSV ? "user\titem\ttype\ttimestamp\n" : "user,item,type,timestamp\n");
    for (size_t row = 0; row < rows; row++) {
        n += put_row(text + n, f, &g, row, rows);
        bool last = row + 1 == rows;
        if (n < PIECE && !last)
            continue;
        if (gz)
            fine(gzwrite(gz, text, (unsigned)n) == (int)n, b->path);
        else if (f == CSV_ZST)
            put_zst(file, z, text, n, last);
        else
            fine(fwrite(text, 1, n, file) == n, b->path);
        n = 0;
    }
    ZSTD_freeCStream(z);
    fine(gz ? gzclose(gz) == Z_OK : fclose(file) == 0, b->path);
}

/* ---- what is timed ---- */

static void forget(void *context)
{
    struct bench *b = context;
    dataset_release(b->data);
    b->data = NULL;
}

static void load(void *context)
{
    struct bench *b = context;
    struct ingest_report report;
    struct error err;
    const char *path = b->path;
    need(ingest_events(&path, 1, NULL, 0, "bench", NULL, NULL, &b->data, &report, &err), &err);
    fine(b->data->events.n == b->rows, "rows were lost");
}

static void scan(void *context)
{
    static char text[PIECE];
    struct bench *b = context;
    int fd = open(b->path, O_RDONLY);
    ssize_t n;
    fine(fd >= 0, b->path);
    b->lines = 0;
    while ((n = read(fd, text, sizeof text)) > 0)
        for (const char *p = text, *end = text + n; (p = memchr(p, '\n', (size_t)(end - p))); p++)
            b->lines++;
    close(fd);
}

static void put(void *context)
{
    struct bench *b = context;
    struct error err;
    need(workspace_put_dataset(b->workspace, b->data, true, NULL, &err), &err);
}

static void list(void *context)
{
    struct bench *b = context;
    struct dataset_info *info;
    struct error err;
    size_t n;
    struct workspace *w;
    need(workspace_open(b->space, true, &w, &err), &err);
    need(workspace_list_datasets(w, &info, &n, &err), &err);
    mem_free(info);
    workspace_close(w);
}

static void get(void *context)
{
    struct bench *b = context;
    struct error err;
    need(workspace_get_dataset(b->workspace, "bench", &b->data, NULL, &err), &err);
}

static double size_of(const char *path)
{
    struct stat info;
    fine(stat(path, &info) == 0, path);
    return (double)info.st_size;
}

/* What the columns of the events take in memory. */
static double column_bytes(const struct dataset *d)
{
    const struct events *e = &d->events;
    size_t row = sizeof *e->user + sizeof *e->item + sizeof *e->time + sizeof *e->sequence + sizeof *e->type;
    return (double)(e->n * row + d->users.nbytes + d->items.nbytes);
}

static void load_formats(struct bench *b)
{
    for (int f = 0; f < FORMATS; f++) {
        char what[64];
        snprintf(b->path, sizeof b->path, "%s/%s", b->folder, names[f]);
        write_log(b, (enum format)f, b->rows);
        struct timing t = bench_run(load, scan, forget, b, 1);
        snprintf(what, sizeof what, "load %s", names[f]);
        bench_print_bytes(what, "count of line feeds", t, size_of(b->path));
        if (f + 1 == FORMATS)
            load(b);
        unlink(b->path);
    }
}

static void keep_and_open(struct bench *b)
{
    struct error err;
    snprintf(b->space, sizeof b->space, "%s/bench.tailor", b->folder);
    need(workspace_open(b->space, false, &b->workspace, &err), &err);
    double bytes = column_bytes(b->data);
    struct timing kept = bench_run(put, NULL, NULL, b, 1);
    struct timing listed = bench_run(list, NULL, NULL, b, .2);
    struct timing opened = bench_run(get, NULL, forget, b, 1);
    bench_print_bytes("keep in a workspace", NULL, kept, bytes);
    bench_print_bytes("open the catalogue", NULL, listed, 0);
    bench_print_bytes("open the columns", NULL, opened, bytes);
    workspace_close(b->workspace);
}

int main(int argc, char **argv)
{
    static struct bench b;
    b.rows = argc > 1 && atol(argv[1]) > 0 ? (size_t)atol(argv[1]) : DEFAULT_ROWS;
    snprintf(b.folder, sizeof b.folder, "/tmp/tailor-bench-XXXXXX");
    fine(mkdtemp(b.folder) != NULL, b.folder);
    printf("\na log of %zu rows, %d users, %d items; rates are bytes of the file, or of the columns\n\n", b.rows, USERS, ITEMS);
    load_formats(&b);
    keep_and_open(&b);
    forget(&b);
    unlink(b.space);
    rmdir(b.folder);
    return 0;
}
