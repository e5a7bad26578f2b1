/* Files of served lists: every row that was read is a place, or counted for what it is; lists are what lists must be. */
#include <math.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "models/served_file.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/load.h"

enum { USERS = 4, ITEMS = 8 };

/* Users u0 .. u3, items i0 .. i7. */
static struct dataset *known(void)
{
    struct dataset *d = dataset_new("fuzz", NULL);
    char id[8];
    uint32_t code;
    MUST(d);
    for (int i = 0; i < ITEMS; i++) {
        snprintf(id, sizeof id, "u%d", i);
        MUST(i >= USERS || dict_add(&d->users, id, 2, &code, NULL) == ST_OK);
        id[0] = 'i';
        MUST(dict_add(&d->items, id, 2, &code, NULL) == ST_OK);
    }
    return d;
}

static void check_list(const struct served_list *l)
{
    bool there[ITEMS] = {false};
    for (size_t i = 0; i < l->n; i++) {
        MUST(l->item[i] < ITEMS && !there[l->item[i]] && l->place[i] > 0);
        MUST(i == 0 || (l->place[i] > l->place[i - 1] && (!l->score || l->score[i] < l->score[i - 1])));
        there[l->item[i]] = true;
    }
}

static void check_lists(const struct model *m, const struct served_report *r)
{
    size_t lists = 0, places = 0, empty = 0;
    for (uint32_t u = 0; u < USERS; u++) {
        struct served_list l, last = {.n = 0};
        for (size_t i = 0; served_at(m, u, i, &l); i++) {
            check_list(&l);
            MUST(i == 0 || l.time > last.time);
            lists++;
            places += l.n;
            empty += l.n == 0;
            last = l;
        }
        MUST(!served_find(m, u, INT64_MAX, &l) || (l.item == last.item && l.n == last.n));
    }
    MUST(lists == r->lists && places == r->places && empty == r->empty && lists == served_count(m));
}

static void take(const struct dataset *d, struct served_rows *rows)
{
    struct served_report r;
    struct error err = {0};
    struct model *m = NULL;
    for (size_t i = 0; i < rows->n; i++)
        MUST(rows->rows[i].key < rows->nkeys);
    enum status st = served_new(d, "prod", rows->rows, rows->n, rows->nkeys, &m, &r, &err);
    MUST(r.rows == rows->n && r.rows == r.places + r.doubles + r.unknown_users + r.unknown_items);
    if (st)
        MUST(!m && err.message[0] && r.places == 0);
    else
        check_lists(m, &r);
    model_release(m);
    served_rows_clear(rows);
}

static void read_table(const struct dataset *d, const char *path, const struct mapping *mapping, size_t n)
{
    struct served_rows rows;
    struct ingest_report report;
    struct error err = {0};
    if (served_read_table(d, path, mapping, n, NULL, NULL, &rows, &report, &err) != ST_OK) {
        MUST(err.message[0] && !rows.rows);
        return;
    }
    MUST(rows.read == rows.n + rows.rejected);
    take(d, &rows);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static const struct mapping told[] = {{"rank", "rank"}, {"score", "score"}};
    struct dataset *d = known();
    struct served_rows rows;
    struct error err = {0};
    char path[64];
    int fd = fuzz_file(data, n, path);
    for (size_t from = 0; from < 2; from++)
        for (size_t to = from; to <= 2; to++)
            read_table(d, path, told + from, to - from);
    bool is;
    MUST(served_is_run(path, NULL, &is, &err) == ST_OK);
    if (served_read_run(d, path, NULL, NULL, &rows, &err) == ST_OK)
        take(d, &rows);
    else
        MUST(err.message[0]);
    close(fd);
    dataset_release(d);
    return 0;
}
