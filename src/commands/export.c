#include "commands/export.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "data/interactions.h"

enum status export_check_free(const char *path, bool replace, struct error *err)
{
    struct stat info;
    if (replace || stat(path, &info) || !S_ISREG(info.st_mode))
        return ST_OK;
    error_set(err, ST_USAGE, "%s is there already", path);
    error_hint(err, "replace=yes writes over it");
    return ST_USAGE;
}

enum status export_file(struct export *x, const char *name, FILE **out, struct error *err)
{
    struct str path = {0};
    if (x->ndrafts == EXPORT_FILES)
        return error_set(err, ST_INTERNAL, "an export of more than %d files", EXPORT_FILES);
    enum status st = name ? file_make_folder(x->path, err) : ST_OK;
    str_puts(&path, x->path);
    if (name)
        str_printf(&path, "%s%s", path.length && path.data[path.length - 1] == '/' ? "" : "/", name);
    if (!st && path.failed)
        st = error_nomem(err, path.length, "a file name");
    if (!st)
        st = export_check_free(str_text(&path), x->replace, err);
    if (!st)
        st = file_draft_open(str_text(&path), &x->draft[x->ndrafts], err);
    if (!st)
        *out = file_draft_stream(x->draft[x->ndrafts++]);
    str_free(&path);
    return st;
}

enum status export_check(struct export *x, struct error *err)
{
    for (size_t i = 0; i < x->ndrafts; i++)
        if (ferror(file_draft_stream(x->draft[i])))
            return error_errno(err, "write", x->path);
    return job_check(&x->wb->job, err);
}

enum status export_close(struct export *x, enum status st, struct error *err)
{
    for (size_t i = 0; i < x->ndrafts; i++) {
        if (st)
            file_draft_abandon(x->draft[i]);
        else
            st = file_draft_commit(x->draft[i], err);
    }
    x->ndrafts = 0;
    split_release(x->split);
    dataset_release(x->data);
    x->split = NULL;
    x->data = NULL;
    return st;
}

bool export_has(const struct export *x, size_t e)
{
    if (x->parts)
        return x->split->part[e] & x->parts;
    return !x->pairs || x->data->type_weight[x->data->events.type[e]] > 0;
}

/* One event on the way to its place. */
struct place {
    uint64_t sequence, event;
};

static int by_sequence(const void *a, const void *b)
{
    const struct place *x = a, *y = b;
    if (x->sequence != y->sequence)
        return x->sequence < y->sequence ? -1 : 1;
    return x->event < y->event ? -1 : x->event > y->event;
}

static enum status order_by_sorting(struct export *x, uint64_t *order, size_t n, struct error *err)
{
    struct place *list = mem_new_raw(n, sizeof *list, "the order of events", err);
    if (!list)
        return ST_NOMEM;
    for (size_t i = 0; i < n; i++)
        list[i] = (struct place){x->data->events.sequence[order[i]], order[i]};
    qsort(list, n, sizeof *list, by_sequence);
    for (size_t i = 0; i < n; i++)
        order[i] = list[i].event;
    mem_free(list);
    return ST_OK;
}

/* Sequence numbers without many gaps and without doubles are places themselves. False: not so. */
static bool order_by_place(struct export *x, uint64_t *order, size_t n, uint64_t most, uint64_t *room)
{
    const uint64_t *sequence = x->data->events.sequence;
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        if (room[sequence[order[i]]])
            return false;
        room[sequence[order[i]]] = order[i] + 1;
    }
    for (uint64_t s = 0; s <= most; s++)
        if (room[s])
            order[kept++] = room[s] - 1;
    return true;
}

enum status export_order(struct export *x, uint64_t **out, size_t *count, struct error *err)
{
    const struct events *ev = &x->data->events;
    uint64_t *order = mem_new_raw(ev->n, sizeof *order, "the order of events", err), most = 0;
    size_t n = 0;
    if (!order)
        return ST_NOMEM;
    for (size_t e = 0; e < ev->n; e++) {
        if (!export_has(x, e))
            continue;
        order[n++] = e;
        most = ev->sequence[e] > most ? ev->sequence[e] : most;
    }
    uint64_t *room = most / 4 < n ? mem_new((size_t)most + 1, sizeof *room, "the order of events", err) : NULL;
    enum status st = ST_OK;
    if (!room || !order_by_place(x, order, n, most, room))
        st = order_by_sorting(x, order, n, err);
    mem_free(room);
    if (st)
        mem_free(order);
    *out = st ? NULL : order;
    *count = n;
    return st;
}

enum status export_matrix(struct export *x, struct interactions *out, struct error *err)
{
    struct selection s = {.data = x->data, .split = x->parts ? x->split : NULL, .parts = x->parts, .until = NO_TIME};
    return interactions_build(&s, out, err);
}

enum status export_check_ids(const struct dict *ids, const char *what, const char *format, const char *forbidden,
                             struct error *err)
{
    for (uint32_t i = 0; i < ids->n; i++) {
        const char *id = dict_text(ids, i);
        if (*id && !id[strcspn(id, forbidden)])
            continue;
        error_set(err, ST_USAGE, "the id \"%s\" of a%s %s cannot be written as %s: it would break its line", id,
                  strchr("aeio", *what) ? "n" : "", what, format);
        error_hint(err, "csv and jsonl hold any id");
        return ST_USAGE;
    }
    return ST_OK;
}

struct export export_begin(struct workbench *wb, const struct call *call)
{
    return (struct export){
        .wb = wb, .data = workbench_data(wb), .path = call->args[0].text, .replace = call_yes(call, "replace")};
}

void export_say(const struct export *x, const char *format, const char *unit, struct result *out)
{
    static const struct column columns[] = {
        {.name = "path", .type = VALUE_TEXT},
        {.name = "format", .type = VALUE_TEXT},
        {.name = "rows", .type = VALUE_INT, .flags = COLUMN_COUNT},
        {.name = "of", .type = VALUE_TEXT},
    };
    char count[32];
    struct table *t = result_table(out, "export", "", columns, sizeof columns / sizeof *columns);
    table_text(t, x->path);
    table_text(t, format);
    table_int(t, (int64_t)x->rows);
    table_text(t, unit);
    text_count(count, sizeof count, (int64_t)x->mended);
    if (x->mended)
        result_message(out, MESSAGE_WARNING,
                       "%s text%s had characters that the format keeps for itself: written as blanks or _", count,
                       x->mended == 1 ? "" : "s");
    if (*x->note)
        result_message(out, MESSAGE_INFO, "%s", x->note);
}
