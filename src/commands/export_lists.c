/* Lists as LightGCN publishes them: a user and then the user's items on every line, as numbers.
 *
 *   train.txt, valid.txt, test.txt   by the split; without a split, or with part=, one file
 *   user_list.txt, item_list.txt     "org_id remap_id" and a line for each, where ids are no numbers already
 *
 * Items are distinct, in the order of the first event; users without an event in a part have no line there. */
#include <string.h>

#include "base/mem.h"
#include "commands/export.h"

/* Whole numbers as everybody writes them can stay. */
static bool are_numbers(const struct dict *ids)
{
    for (uint32_t i = 0; i < ids->n; i++) {
        const char *id = dict_text(ids, i);
        size_t n = strlen(id);
        if (!n || n > 9 || strspn(id, "0123456789") != n || (*id == '0' && n > 1))
            return false;
    }
    return true;
}

static void put_id(FILE *f, const struct dict *ids, uint32_t i, bool numbers)
{
    if (numbers)
        fputs(dict_text(ids, i), f);
    else
        fprintf(f, "%u", i);
}

/* seen: per item, user + 1 who has it on the line. */
static enum status write_part(struct export *x, FILE *f, unsigned parts, bool numbers, uint32_t *seen,
                              struct error *err)
{
    const struct dataset *d = x->data;
    memset(seen, 0, d->items.n * sizeof *seen);
    for (uint32_t u = 0; u < d->users.n; u++) {
        bool any = false;
        for (size_t e = d->user_begin[u]; e < d->user_begin[u + 1]; e++) {
            uint32_t i = d->events.item[e];
            if ((parts ? !(x->split->part[e] & parts) : !(d->type_weight[d->events.type[e]] > 0)) || seen[i] == u + 1)
                continue;
            seen[i] = u + 1;
            if (!any)
                put_id(f, &d->users, u, numbers);
            fputc(' ', f);
            put_id(f, &d->items, i, numbers);
            any = true;
            x->rows++;
        }
        if (any)
            fputc('\n', f);
        if (u % 4096 == 0 && export_check(x, err))
            return err ? err->code : ST_IO;
    }
    return export_check(x, err);
}

static enum status write_names(struct export *x, const char *name, const struct dict *ids, struct error *err)
{
    FILE *f;
    enum status st = export_file(x, name, &f, err);
    if (st)
        return st;
    fputs("org_id remap_id\n", f);
    for (uint32_t i = 0; i < ids->n; i++)
        fprintf(f, "%s %u\n", dict_text(ids, i), i);
    return export_check(x, err);
}

static enum status write_lists(struct export *x, struct error *err)
{
    static const struct {
        unsigned part;
        const char *file;
    } files[] = {{PART_TRAIN | PART_HISTORY, "train.txt"}, {PART_VALID, "valid.txt"}, {PART_TEST, "test.txt"}};
    const struct dataset *d = x->data;
    bool numbers = are_numbers(&d->users) && are_numbers(&d->items);
    uint32_t *seen = mem_new(d->items.n, sizeof *seen, "item marks", err);
    enum status st = seen ? ST_OK : ST_NOMEM;
    FILE *f;
    if (!st && !numbers)
        st = export_check_ids(&d->users, "user", "lists", "\n\r", err);
    if (!st && !numbers)
        st = export_check_ids(&d->items, "item", "lists", "\n\r", err);
    bool several = x->split && !x->parts;
    if (!several && !numbers && !st) {
        st = error_set(err, ST_USAGE, "one file of lists has no room for the names behind the numbers");
        error_hint(err,
                   "split first (`split last 1`) and leave part= out: a folder with user_list.txt and item_list.txt");
    }
    for (size_t i = 0; several && i < 3 && !st; i++) {
        if (files[i].part == PART_VALID && !x->split->nvalid)
            continue;
        st = export_file(x, files[i].file, &f, err);
        if (!st)
            st = write_part(x, f, files[i].part, numbers, seen, err);
    }
    if (!several && !st) {
        st = export_file(x, NULL, &f, err);
        if (!st)
            st = write_part(x, f, x->parts, numbers, seen, err);
    }
    if (!st && !numbers) {
        st = write_names(x, "user_list.txt", &d->users, err);
        if (!st)
            st = write_names(x, "item_list.txt", &d->items, err);
    }
    mem_free(seen);
    return st;
}

const struct export_format export_lists = {"lists", NULL, write_lists};
