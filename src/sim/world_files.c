#include "sim/world_files.h"

#include <math.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/press.h"

/* ---- rows of the event log, as text; this is what 20 million rows go through, so no printf ---- */

enum { ROW_BYTES = 384 }; /* more than any row takes */

struct page_text {
    char *data;
    size_t n, capacity;
};

struct row_writer {
    const struct world *w;
    const struct world_files *how;
    bool json;
    struct page_text text[LOG_SLOTS];
    struct press *out;
    struct world_files_made *made;
};

static char *put_text(char *p, const char *text)
{
    size_t n = strlen(text);
    memcpy(p, text, n);
    return p + n;
}

static char *put_number(char *p, uint64_t v, unsigned width)
{
    char digit[20];
    unsigned n = 0;
    do
        digit[n++] = (char)('0' + v % 10);
    while ((v /= 10) || n < width);
    while (n)
        *p++ = digit[--n];
    return p;
}

static char *put_fraction(char *p, uint64_t v, unsigned digits)
{
    *p++ = '.';
    p = put_number(p, v, digits);
    while (p[-1] == '0')
        p--;
    return p[-1] == '.' ? p - 1 : p;
}

static char *put_cents(char *p, float price)
{
    uint64_t cents = (uint64_t)lround((double)price * 100);
    return put_fraction(put_number(p, cents / 100, 1), cents % 100, 2);
}

/* A probability with at most four significant digits (see generate.c). */
static char *put_propensity(char *p, double v)
{
    if (v >= 1)
        return put_text(p, "1");
    unsigned digits = 4;
    double scale = 1e4;
    while (v * scale < 999.95 && digits < 15) {
        scale *= 10;
        digits++;
    }
    *p++ = '0';
    return put_fraction(p, (uint64_t)llround(v * scale), digits);
}

static char *put_time(char *p, int64_t seconds, bool epoch)
{
    if (epoch)
        return put_number(p, (uint64_t)seconds, 1);
    int64_t year;
    int month, day;
    time_civil(seconds / 86400, &year, &month, &day);
    unsigned s = (unsigned)(seconds % 86400);
    p = put_number(p, (uint64_t)year, 4);
    *p++ = '-';
    p = put_number(p, (uint64_t)month, 2);
    *p++ = '-';
    p = put_number(p, (uint64_t)day, 2);
    *p++ = 'T';
    p = put_number(p, s / 3600, 2);
    *p++ = ':';
    p = put_number(p, s / 60 % 60, 2);
    *p++ = ':';
    p = put_number(p, s % 60, 2);
    *p++ = 'Z';
    return p;
}

static char *put_id(char *p, char letter, uint32_t index, int digits)
{
    *p++ = letter;
    return put_number(p, (uint64_t)index + 1, (unsigned)digits);
}

static char *csv_row(const struct row_writer *x, char *p, const struct log_row *r)
{
    p = put_id(p, 'u', r->user, x->w->id_digits_user);
    *p++ = ',';
    p = put_id(p, 'p', r->item, x->w->id_digits_item);
    *p++ = ',';
    p = put_text(p, log_type_names[r->type]);
    *p++ = ',';
    p = put_time(p, r->time, x->how->epoch);
    if (x->how->columns == LOG_COLUMNS_ALL) {
        *p++ = ',';
        p = put_number(p, r->session, 1);
        *p++ = ',';
        p = put_number(p, r->slate, 1);
        *p++ = ',';
        p = put_number(p, r->position, 1);
        *p++ = ',';
        if (!isnan(r->propensity))
            p = put_propensity(p, r->propensity);
        *p++ = ',';
        p = put_text(p, world_devices[r->device]);
        *p++ = ',';
        p = put_text(p, world_countries[r->country]);
        *p++ = ',';
        p = put_text(p, world_page(r->page));
        *p++ = ',';
        if (!isnan(r->price))
            p = put_cents(p, r->price);
        *p++ = ',';
        if (r->quantity)
            p = put_number(p, r->quantity, 1);
    }
    *p++ = '\n';
    return p;
}

static char *json_row(const struct row_writer *x, char *p, const struct log_row *r)
{
    p = put_id(put_text(p, "{\"user_id\":\""), 'u', r->user, x->w->id_digits_user);
    p = put_text(put_text(p, "\",\"event_type\":\""), log_type_names[r->type]);
    p = put_id(put_text(p, "\",\"product_id\":\""), 'p', r->item, x->w->id_digits_item);
    p = put_text(p, x->how->epoch ? "\",\"timestamp\":" : "\",\"timestamp\":\"");
    p = put_time(p, r->time, x->how->epoch);
    if (!x->how->epoch)
        *p++ = '"';
    if (x->how->columns == LOG_COLUMNS_ALL) {
        p = put_text(put_text(p, ",\"device\":\""), world_devices[r->device]);
        p = put_text(put_text(p, "\",\"location\":\""), world_countries[r->country]);
        p = put_number(put_text(p, "\",\"session\":"), r->session, 1);
        p = put_number(put_text(p, ",\"slate\":"), r->slate, 1);
        p = put_number(put_text(p, ",\"position\":"), r->position, 1);
        p = put_text(put_text(p, ",\"page\":\""), world_page(r->page));
        *p++ = '"';
        if (!isnan(r->propensity))
            p = put_propensity(put_text(p, ",\"propensity\":"), r->propensity);
        if (!isnan(r->price))
            p = put_cents(put_text(p, ",\"price\":"), r->price);
        if (r->quantity)
            p = put_number(put_text(p, ",\"quantity\":"), r->quantity, 1);
    }
    return put_text(p, "}\n");
}

static enum status prepare_rows(void *context, size_t slot, const struct log *block, struct error *err)
{
    struct row_writer *x = context;
    struct page_text *t = &x->text[slot];
    enum status st = mem_grow(&t->data, &t->capacity, block->n * ROW_BYTES + 1, 1, err);
    if (st)
        return st;
    char *p = t->data;
    for (size_t i = 0; i < block->n; i++)
        p = x->json ? json_row(x, p, &block->row[i]) : csv_row(x, p, &block->row[i]);
    t->n = (size_t)(p - t->data);
    return ST_OK;
}

static enum status take_rows(void *context, size_t slot, const struct log *block, struct error *err)
{
    struct row_writer *x = context;
    for (size_t i = 0; i < block->n; i++)
        x->made->rows[block->row[i].type]++;
    x->made->bytes += x->text[slot].n;
    return press_write(x->out, x->text[slot].data, x->text[slot].n, err);
}

/* ---- catalogue and shoppers ---- */

static void csv_text(struct str *s, const char *text)
{
    if (!strpbrk(text, ",\"\n")) {
        str_puts(s, text);
        return;
    }
    str_putc(s, '"');
    for (; *text; text++) {
        if (*text == '"')
            str_putc(s, '"');
        str_putc(s, *text);
    }
    str_putc(s, '"');
}

static void csv_interests(struct str *s, const uint8_t *interest, size_t n)
{
    bool first = true;
    for (size_t k = 0; k < n; k++) {
        if (interest[k] >= INTERESTS)
            continue;
        if (!first)
            str_putc(s, '|');
        str_puts(s, catalogue_interests[interest[k]].name);
        first = false;
    }
}

static void csv_date(struct str *s, int64_t us)
{
    char text[40];
    time_short(text, sizeof text, us);
    str_puts(s, text);
}

static void csv_item(const struct world *w, uint32_t item, struct str *s)
{
    char text[256];
    const struct kind *kind = world_item_kind(w, item);
    world_item_id(w, item, text, sizeof text);
    str_puts(s, text);
    str_putc(s, ',');
    world_item_title(w, item, text, sizeof text);
    csv_text(s, text);
    str_putc(s, ',');
    csv_text(s, catalogue_categories[kind->category].name);
    str_putc(s, ',');
    csv_interests(s, kind->interest, KIND_INTERESTS);
    str_putc(s, ',');
    csv_text(s, world_item_brand(w, item));
    *put_cents(text, w->item[item].price) = '\0';
    str_printf(s, ",%s,", text);
    csv_text(s, kind->blurb);
    str_putc(s, ',');
    csv_date(s, world_day(w, w->item[item].arrives));
    str_putc(s, '\n');
}

static void csv_user(const struct world *w, struct shopper *shopper, uint32_t user, struct str *s)
{
    char id[32];
    uint8_t interest[SLOTS];
    world_user_id(w, user, id, sizeof id);
    shopper_born(w, shopper, user);
    for (unsigned k = 0; k < shopper->nslots; k++)
        interest[k] = shopper->slot[k].interest;
    str_printf(s, "%s,%s,%s,%s,", id, world_countries[shopper->country], world_devices[shopper->device],
               world_ages[shopper->age]);
    csv_date(s, world_day(w, shopper->joins));
    str_putc(s, ',');
    csv_interests(s, interest, shopper->nslots);
    str_putc(s, '\n');
}

static enum status flush(struct str *s, struct press *out, size_t limit, struct error *err)
{
    if (s->failed)
        return error_nomem(err, s->length, "rows to write");
    if (s->length < limit)
        return ST_OK;
    enum status st = press_write(out, str_text(s), s->length, err);
    str_clear(s);
    return st;
}

enum { FLUSH_AT = 1 << 16 };

static enum status write_items(void *context, struct press *out, struct error *err)
{
    const struct row_writer *x = context;
    struct str s = {0};
    enum status st = ST_OK;
    str_puts(&s, "id,title,category,tags,brand,price,description,added\n");
    for (uint32_t i = 0; i < x->w->spec.items && !st; i++) {
        csv_item(x->w, i, &s);
        st = flush(&s, out, FLUSH_AT, err);
    }
    if (!st)
        st = flush(&s, out, 0, err);
    str_free(&s);
    return st;
}

static enum status write_users(void *context, struct press *out, struct error *err)
{
    const struct row_writer *x = context;
    struct str s = {0};
    struct shopper shopper;
    enum status st = shopper_new(x->w, &shopper, err);
    if (st)
        return st;
    str_puts(&s, "id,country,device,age,joined,interests\n");
    for (uint32_t u = 0; u < x->w->spec.users && !st; u++) {
        csv_user(x->w, &shopper, u, &s);
        st = flush(&s, out, FLUSH_AT, err);
    }
    if (!st)
        st = flush(&s, out, 0, err);
    str_free(&s);
    shopper_clear(&shopper);
    return st;
}

struct events_job {
    struct row_writer *x;
    struct job *job;
};

static enum status write_events(void *context, struct press *out, struct error *err)
{
    struct events_job *e = context;
    struct row_writer *x = e->x;
    struct log_sink sink = {x, prepare_rows, take_rows};
    x->out = out;
    enum status st = ST_OK;
    if (!x->json) {
        const char *head =
            x->how->columns == LOG_COLUMNS_CORE
                ? "user,item,type,timestamp\n"
                : "user,item,type,timestamp,session,slate,position,propensity,device,country,page,price,quantity\n";
        st = press_write(out, head, strlen(head), err);
    }
    if (!st)
        st = log_generate(x->w, x->how->impressions, &sink, e->job, err);
    for (size_t k = 0; k < LOG_SLOTS; k++)
        mem_free(x->text[k].data);
    return st;
}

/* ---- the files ---- */

static enum status write_file(const char *path, int level, enum status (*body)(void *, struct press *, struct error *),
                              void *context, struct error *err)
{
    struct file_draft *draft = NULL;
    struct press *out = NULL;
    enum status st = file_draft_open(path, &draft, err);
    if (st)
        return st;
    st = press_open(file_draft_stream(draft), press_form_of(path), level, &out, err);
    if (!st) {
        st = body(context, out, err);
        if (st)
            press_abandon(out);
        else
            st = press_close(out, err);
    }
    if (!st)
        return file_draft_commit(draft, err);
    file_draft_abandon(draft);
    if (st == ST_IO)
        error_source(err, "%s", path);
    return st;
}

/* "shop.csv.zst" -> "shop"; false for a name that is not one of an event log. */
static bool split_name(const char *path, size_t *stem, bool *json)
{
    static const char *const ends[] = {".csv", ".csv.gz", ".csv.zst", ".jsonl", ".jsonl.gz", ".jsonl.zst"};
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        size_t n = strlen(path), k = strlen(ends[i]);
        if (n > k && strcmp(path + n - k, ends[i]) == 0) {
            *stem = n - k;
            *json = i >= 3;
            return true;
        }
    }
    return false;
}

static enum status name_files(const char *path, struct world_files_made *made, bool *json, struct error *err)
{
    size_t stem, size = sizeof made->events;
    if (strlen(path) > size - 32)
        return error_set(err, ST_USAGE, "the path is too long");
    if (split_name(path, &stem, json)) {
        snprintf(made->events, size, "%s", path);
        snprintf(made->items, size, "%.*s.items.csv", (int)stem, path);
        snprintf(made->users, size, "%.*s.users.csv", (int)stem, path);
        return ST_OK;
    }
    const char *dot = strrchr(path, '.'), *slash = strrchr(path, '/');
    if (dot && dot[1] && dot[1] != '.' && (!slash || slash < dot)) {
        error_set(err, ST_USAGE, "\"%s\" is neither a folder nor a kind of event log that can be written", path);
        error_hint(err, "name a folder, or a file that ends in .csv or .jsonl, perhaps with .gz or .zst behind");
        return ST_USAGE;
    }
    enum status st = file_make_folder(path, err);
    *json = false;
    snprintf(made->events, size, "%s/events.csv.zst", path);
    snprintf(made->items, size, "%s/items.csv", path);
    snprintf(made->users, size, "%s/users.csv", path);
    return st;
}

static enum status check_free(const char *path, bool replace, struct error *err)
{
    struct stat about;
    if (replace || stat(path, &about))
        return ST_OK;
    error_set(err, ST_USAGE, "%s is there already", path);
    error_hint(err, "say replace=yes to write it anew");
    return ST_USAGE;
}

enum status world_write(const struct world *w, const struct world_files *how, struct job *job,
                        struct world_files_made *made, struct error *err)
{
    struct row_writer *x = mem_new(1, sizeof *x, "event writer", err);
    if (!x)
        return ST_NOMEM;
    memset(made, 0, sizeof *made);
    *x = (struct row_writer){.w = w, .how = how, .made = made};
    struct events_job events = {x, job};
    enum status st = name_files(how->path, made, &x->json, err);
    if (!st)
        st = check_free(made->events, how->replace, err);
    if (!st)
        st = check_free(made->items, how->replace, err);
    if (!st)
        st = check_free(made->users, how->replace, err);
    /* The long one first: when it is cancelled nothing is there. */
    if (!st)
        st = write_file(made->events, how->level, write_events, &events, err);
    if (!st)
        st = write_file(made->items, how->level, write_items, x, err);
    if (!st)
        st = write_file(made->users, how->level, write_users, x, err);
    mem_free(x);
    return st;
}
