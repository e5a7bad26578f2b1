/* Delimited text. The scanner must cut the same rows whether it sees the text at once or in two windows; the loader must
 * make the same data set in each way it can read. */
#include <string.h>

#include "ingest/csv.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/load.h"

/* Both cut the same row at text: cells, ends and lines. */
static void same_row(const struct row *a, const struct row *b)
{
    MUST(a->n == b->n && a->length == b->length && a->text_length == b->text_length && a->lines == b->lines);
    for (size_t i = 0; i < a->n; i++)
        MUST(a->cells[i].text == b->cells[i].text && a->cells[i].n == b->cells[i].n);
}

/* A window that ends at `cut` must give the row of the whole text, or ask for more. text[n] is a line feed; so is the byte
 * behind a window, which the feed guarantees by copying. */
static void scan_cut(const struct dialect *d, char *text, size_t at, size_t n, size_t cut, const struct row *whole,
                     enum scan want)
{
    struct row row = {0};
    char behind = text[cut];
    text[cut] = '\n';
    enum scan scan = csv_scan(d, text + at, cut - at, false, &row, NULL);
    text[cut] = behind;
    MUST(scan != SCAN_NOMEM);
    if (scan == SCAN_ROW && cut < n) {
        MUST(want == SCAN_ROW);
        same_row(&row, whole);
    }
    row_clear(&row);
}

static void scan(const uint8_t *data, size_t n)
{
    enum { SMALL = 256 };
    struct dialect d;
    struct row row = {0};
    bool found;
    char *text = malloc(n + 2);
    MUST(text);
    memcpy(text, data, n);
    text[n] = text[n + 1] = '\n';
    MUST(csv_sniff(&d, text, n, true, &row, &found, NULL) == ST_OK);
    for (size_t at = 0; found && at < n;) {
        enum scan st = csv_scan(&d, text + at, n - at, true, &row, NULL);
        MUST(st == SCAN_ROW || st == SCAN_BAD);
        MUST(row.length > 0 && row.length <= n - at && row.text_length <= row.length);
        MUST(st != SCAN_BAD || row.reason);
        for (size_t i = 0; st == SCAN_ROW && i < row.n; i++)
            MUST(row.cells[i].text >= text + at && row.cells[i].text + row.cells[i].n <= text + at + row.length);
        for (size_t cut = at + 1; n < SMALL && cut < n; cut++)
            scan_cut(&d, text, at, n, cut, &row, st);
        at += row.length;
        MUST(csv_unescape(&row, NULL) == ST_OK);
    }
    row_clear(&row);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    scan(data, n);
    fuzz_each_way(data, n, "csv");
    return 0;
}
