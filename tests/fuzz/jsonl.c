/* JSON lines: the reader of one line, and the loader in each way it can read. */
#include <string.h>

#include "ingest/feed.h"
#include "ingest/jsonl.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/load.h"

/* Every byte of a key and of a cell must be readable. */
static enum status take(void *context, const char *key, size_t key_length, const struct cell *cell, struct error *err)
{
    uint64_t *sum = context;
    (void)err;
    for (size_t i = 0; i < key_length; i++)
        *sum += (uint8_t)key[i];
    for (size_t i = 0; i < cell->n; i++)
        *sum += (uint8_t)cell->text[i];
    return ST_OK;
}

static void read_line(const uint8_t *data, size_t n)
{
    struct jsonl *j = jsonl_new(NULL);
    char *line = malloc(n + FEED_PADDING);
    const char *reason = NULL;
    uint64_t sum = 0;
    MUST(j && line);
    memcpy(line, data, n);
    memset(line + n, '\n', FEED_PADDING);
    MUST(jsonl_read(j, line, n, take, &sum, &reason, NULL) == ST_OK);
    MUST(!reason || reason[0]);
    free(line);
    jsonl_free(j);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    read_line(data, n);
    fuzz_each_way(data, n, "jsonl");
    return 0;
}
