/* Atomic files of RecBole: PATH/NAME.inter, .item and .user, NAME being the last part of PATH; tabs between columns,
 * the type of each in the header (user_id:token, rating:float, timestamp:float, genres:token_seq). With split=yes the
 * events go to NAME.train.inter, NAME.valid.inter and NAME.test.inter, its benchmark files.
 *
 * Times are seconds. The format has no quotes: an id with a tab or a line end is refused, in other texts these become
 * blanks; words of a list have blanks between them, so blanks within one become "_". */
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "commands/export.h"

static const char breaks[] = "\t\n\r";

static void put_text(struct export *x, FILE *f, const char *text, const char *bad, char instead)
{
    size_t n = strcspn(text, bad);
    x->mended += text[n] != 0;
    for (const char *p = text; *p; p++)
        fputc(strchr(bad, *p) ? instead : *p, f);
}

static void put_real(FILE *f, double value)
{
    char number[32];
    if (!isfinite(value))
        return;
    text_real(number, sizeof number, value);
    fputs(number, f);
}

/* Seconds, exact to the microsecond. */
static void put_time(FILE *f, int64_t us)
{
    if (us == NO_TIME)
        return;
    int64_t seconds = us / US_PER_SECOND, rest = us % US_PER_SECOND;
    fprintf(f, "%s%lld", us < 0 && seconds == 0 ? "-" : "", (long long)seconds);
    if (rest)
        fprintf(f, ".%06lld", (long long)(rest < 0 ? -rest : rest));
}

static bool is_words(const struct field *f)
{
    return f->type == FIELD_TEXT && (strcmp(f->name, "title") == 0 || strcmp(f->name, "name") == 0);
}

static void put_head(struct export *x, FILE *f, const struct field *field)
{
    static const char *const types[] = {[FIELD_TEXT] = "token", [FIELD_LIST] = "token_seq", [FIELD_REAL] = "float",
                                        [FIELD_INT] = "float",  [FIELD_TIME] = "float"};
    fputc('\t', f);
    put_text(x, f, field->name, "\t\n\r:", '_');
    fprintf(f, ":%s", is_words(field) ? "token_seq" : types[field->type]);
}

static void put_field(struct export *x, FILE *f, const struct field *field, size_t row)
{
    fputc('\t', f);
    if (field_missing(field, row))
        return;
    switch (field->type) {
    case FIELD_TEXT:
        put_text(x, f, dict_text(&field->levels, field->code[row]), breaks, ' ');
        break;
    case FIELD_LIST:
        for (size_t i = field->list_begin[row]; i < field->list_begin[row + 1]; i++) {
            if (i > field->list_begin[row])
                fputc(' ', f);
            put_text(x, f, dict_text(&field->levels, field->list_code[i]), " \t\n\r", '_');
        }
        break;
    case FIELD_REAL:
        put_real(f, field->real[row]);
        break;
    case FIELD_INT:
        fprintf(f, "%lld", (long long)field->integer[row]);
        break;
    case FIELD_TIME:
        put_time(f, field->integer[row]);
        break;
    }
}

static void put_event(struct export *x, FILE *f, size_t e)
{
    const struct dataset *d = x->data;
    fprintf(f, "%s\t%s", dict_text(&d->users, d->events.user[e]), dict_text(&d->items, d->events.item[e]));
    if (d->events.value) {
        fputc('\t', f);
        put_real(f, real_of_single(d->events.value[e]));
    }
    if (d->events.time) {
        fputc('\t', f);
        put_time(f, d->events.time[e]);
    }
    fputc('\t', f);
    put_text(x, f, dict_text(&d->types, d->events.type[e]), breaks, ' ');
    for (size_t i = 0; i < d->events.context.n; i++)
        put_field(x, f, &d->events.context.field[i], e);
    fputc('\n', f);
    x->rows++;
}

/* part 0: whatever is exported. */
static enum status write_events(struct export *x, const char *name, const char *middle, unsigned part,
                                const uint64_t *order, size_t n, struct error *err)
{
    const struct dataset *d = x->data;
    char file[300];
    FILE *f;
    snprintf(file, sizeof file, "%s%s.inter", name, middle);
    enum status st = export_file(x, file, &f, err);
    if (st)
        return st;
    fputs("user_id:token\titem_id:token", f);
    if (d->events.value)
        fputs("\trating:float", f);
    if (d->events.time)
        fputs("\ttimestamp:float", f);
    fputs("\ttype:token", f);
    for (size_t i = 0; i < d->events.context.n; i++)
        put_head(x, f, &d->events.context.field[i]);
    fputc('\n', f);
    for (size_t i = 0; i < n && !st; i++) {
        if (!part || x->split->part[order[i]] & part)
            put_event(x, f, order[i]);
        if (i % 65536 == 0) {
            job_set(&x->wb->job, i);
            st = export_check(x, err);
        }
    }
    return st ? st : export_check(x, err);
}

static enum status write_entities(struct export *x, const char *name, const char *what, const struct dict *ids,
                                  const struct fields *fields, struct error *err)
{
    char file[300];
    FILE *f;
    if (!fields->n)
        return ST_OK;
    snprintf(file, sizeof file, "%s.%s", name, what);
    enum status st = export_file(x, file, &f, err);
    if (st)
        return st;
    fprintf(f, "%s_id:token", what);
    for (size_t i = 0; i < fields->n; i++)
        put_head(x, f, &fields->field[i]);
    fputc('\n', f);
    for (uint32_t id = 0; id < ids->n; id++) {
        fputs(dict_text(ids, id), f);
        for (size_t i = 0; i < fields->n; i++)
            put_field(x, f, &fields->field[i], id);
        fputc('\n', f);
    }
    return export_check(x, err);
}

static enum status write_recbole(struct export *x, struct error *err)
{
    const struct dataset *d = x->data;
    uint64_t *order = NULL;
    size_t n = 0;
    char name[256];
    file_last_part(x->path, name, sizeof name);
    enum status st = export_check_ids(&d->users, "user", "atomic files", breaks, err);
    if (!st)
        st = export_check_ids(&d->items, "item", "atomic files", breaks, err);
    if (!st)
        st = export_order(x, &order, &n, err);
    if (!st)
        job_begin(&x->wb->job, n, "events", "export %s", x->path);
    if (!st && !x->say_part)
        st = write_events(x, name, "", 0, order, n, err);
    if (!st && x->say_part)
        st = write_events(x, name, ".train", PART_TRAIN | PART_HISTORY, order, n, err);
    if (!st && x->say_part && x->split->nvalid)
        st = write_events(x, name, ".valid", PART_VALID, order, n, err);
    if (!st && x->say_part)
        st = write_events(x, name, ".test", PART_TEST, order, n, err);
    if (!st)
        st = write_entities(x, name, "item", &d->items, &d->item_fields, err);
    if (!st)
        st = write_entities(x, name, "user", &d->users, &d->user_fields, err);
    mem_free(order);
    return st;
}

const struct export_format export_recbole = {"recbole", NULL, write_recbole};
