#include "result/result.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"

/* Text and small arrays live in blocks that are freed with the result (or, for a cursor, with its block of rows).
 * The newest block is first; its rest is used before another is made. */
struct arena_block {
    struct arena_block *before;
    size_t used, size;
    _Alignas(16) char bytes[];
};

enum { FIRST_BLOCK = 4 << 10, LARGEST_BLOCK = 1 << 20, ARENA_ALIGN = 16 };

/* The table that swallows everything after a failure stands beside its result, so that it is always there. */
struct result_and_swallow {
    struct result result;
    struct table swallow;
};

static void *arena_room(struct arena_block **arena, size_t bytes, size_t align, struct error *err)
{
    struct arena_block *block = *arena;
    if (block) {
        size_t start = (block->used + align - 1) / align * align;
        if (start <= block->size && bytes <= block->size - start) {
            block->used = start + bytes;
            return block->bytes + start;
        }
    }
    size_t size = block ? block->size * 2 : FIRST_BLOCK;
    if (size > LARGEST_BLOCK)
        size = LARGEST_BLOCK;
    if (size < bytes)
        size = bytes;
    if (size > SIZE_MAX - sizeof *block) {
        error_nomem(err, size, "a result");
        return NULL;
    }
    struct arena_block *fresh = mem_new_raw(1, sizeof *fresh + size, "a result", err);
    if (!fresh)
        return NULL;
    fresh->before = block;
    fresh->used = bytes;
    fresh->size = size;
    *arena = fresh;
    return fresh->bytes;
}

static void arena_free(struct arena_block **arena)
{
    while (*arena) {
        struct arena_block *before = (*arena)->before;
        mem_free(*arena);
        *arena = before;
    }
}

/* Empties the arena but keeps its newest, largest block for the next rows. */
static void arena_empty(struct arena_block **arena)
{
    if (!*arena)
        return;
    arena_free(&(*arena)->before);
    (*arena)->used = 0;
}

static bool failed(const struct result *r)
{
    return r->failed.code != ST_OK;
}

/* ---- results ---- */

struct result *result_new(struct error *err)
{
    struct result_and_swallow *both = mem_new(1, sizeof *both, "a result", err);
    if (!both)
        return NULL;
    both->swallow.result = &both->result;
    both->swallow.name = both->swallow.title = "";
    return &both->result;
}

static struct table *swallow_of(struct result *r)
{
    return &((struct result_and_swallow *)r)->swallow;
}

static void table_free(struct table *t)
{
    if (t->close)
        t->close(t->context);
    arena_free(&t->block_text);
    mem_free(t->values);
    mem_free(t);
}

void result_free(struct result *r)
{
    if (!r || r->holds-- > 0)
        return;
    for (size_t i = 0; i < r->ntables; i++)
        table_free(r->tables[i]);
    mem_free(r->tables);
    mem_free(r->series);
    mem_free(r->messages);
    mem_free(r->command);
    arena_free(&r->arena);
    mem_free(r);
}

struct result *result_keep(struct result *r)
{
    r->holds++;
    return r;
}

enum status result_status(const struct result *r, struct error *err)
{
    if (failed(r)) {
        if (err)
            *err = r->failed;
        return r->failed.code;
    }
    for (size_t i = 0; i < r->ntables; i++) {
        const struct table *t = r->tables[i];
        if (t->filled != t->nrows * t->ncolumns)
            return error_set(err, ST_INTERNAL, "table %s ends in the middle of a row", t->name);
    }
    return ST_OK;
}

void *result_room(struct result *r, size_t count, size_t size)
{
    size_t bytes;
    if (failed(r))
        return NULL;
    if (__builtin_mul_overflow(count, size, &bytes)) {
        error_nomem(&r->failed, SIZE_MAX, "a result");
        return NULL;
    }
    void *p = arena_room(&r->arena, bytes, ARENA_ALIGN, &r->failed);
    return p ? memset(p, 0, bytes) : NULL;
}

static const char *put_text(struct result *r, struct arena_block **arena, const char *text, size_t n)
{
    char *copy = failed(r) ? NULL : arena_room(arena, n + 1, 1, &r->failed);
    if (!copy)
        return "";
    memcpy(copy, text, n);
    copy[n] = 0;
    return copy;
}

static const char *put_format(struct result *r, struct arena_block **arena, const char *format, va_list args)
{
    va_list again;
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, args);
    char *text = n < 0 || failed(r) ? NULL : arena_room(arena, (size_t)n + 1, 1, &r->failed);
    if (text)
        vsnprintf(text, (size_t)n + 1, format, again);
    va_end(again);
    return text ? text : "";
}

const char *result_text(struct result *r, const char *text)
{
    return put_text(r, &r->arena, text, strlen(text));
}

const char *result_textf(struct result *r, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    const char *text = put_format(r, &r->arena, format, args);
    va_end(args);
    return text;
}

const char *result_str(struct result *r, const struct str *s)
{
    if (s->failed && !failed(r))
        error_nomem(&r->failed, s->length, "a text");
    return s->failed ? "" : str_text(s);
}

void result_message(struct result *r, enum message_level level, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    const char *text = put_format(r, &r->arena, format, args);
    va_end(args);
    if (failed(r) || mem_grow(&r->messages, &r->messages_capacity, r->nmessages + 1, sizeof *r->messages, &r->failed))
        return;
    r->messages[r->nmessages++] = (struct message){level, text};
}

static bool name_taken(const struct result *r, const char *name)
{
    for (size_t i = 0; i < r->nseries; i++)
        if (strcmp(r->series[i]->name, name) == 0)
            return true;
    return result_find_table(r, name) != NULL;
}

/* Names are the keys of a JSON object, so each is there once. */
static const char *own_name(struct result *r, const char *name)
{
    const char *own = name;
    for (int i = 2; !failed(r) && name_taken(r, own); i++)
        own = result_textf(r, "%s_%d", name, i);
    return own;
}

struct series *result_series(struct result *r, const char *name, const char *title, enum value_type x_type, size_t n,
                             bool with_interval)
{
    struct series *s = result_room(r, 1, sizeof *s);
    double *numbers = result_room(r, n * (with_interval ? 4 : 2), sizeof *numbers);
    const char **labels = x_type == VALUE_TEXT ? result_room(r, n, sizeof *labels) : NULL;
    if (failed(r) || mem_grow(&r->series, &r->series_capacity, r->nseries + 1, sizeof *r->series, &r->failed))
        return NULL;
    for (size_t i = 0; labels && i < n; i++)
        labels[i] = "";
    *s = (struct series){.name = own_name(r, name),
                         .title = title ? title : "",
                         .x_label = "",
                         .y_label = "",
                         .x_type = x_type,
                         .style = x_type == VALUE_TEXT ? "bar" : "line",
                         .x = numbers,
                         .y = numbers + n,
                         .labels = labels,
                         .n = n};
    if (with_interval) {
        s->low = numbers + 2 * n;
        s->high = numbers + 3 * n;
    }
    r->series[r->nseries++] = s;
    return s;
}

/* ---- tables ---- */

struct table *result_table(struct result *r, const char *name, const char *title, const struct column *columns,
                           size_t ncolumns)
{
    struct column *copy = result_room(r, ncolumns, sizeof *copy);
    if (failed(r) || mem_grow(&r->tables, &r->tables_capacity, r->ntables + 1, sizeof *r->tables, &r->failed))
        return swallow_of(r);
    struct table *t = mem_new(1, sizeof *t, "a table", &r->failed);
    if (!t)
        return swallow_of(r);
    memcpy(copy, columns, ncolumns * sizeof *copy);
    for (size_t i = 0; i < ncolumns; i++)
        copy[i].unit = copy[i].unit ? copy[i].unit : "";
    t->name = own_name(r, name);
    t->title = title ? title : "";
    t->columns = copy;
    t->ncolumns = ncolumns;
    t->result = r;
    r->tables[r->ntables++] = t;
    return t;
}

struct table *result_cursor(struct result *r, const char *name, const char *title, const struct column *columns,
                            size_t ncolumns, enum status (*next)(void *context, struct table *block, struct error *err),
                            enum status (*rewind)(void *context, struct error *err), void (*close)(void *context),
                            void *context)
{
    struct table *t = result_table(r, name, title, columns, ncolumns);
    if (t == swallow_of(r)) {
        close(context);
        return t;
    }
    t->next = next;
    t->rewind = rewind;
    t->close = close;
    t->context = context;
    return t;
}

static void table_empty(struct table *t)
{
    t->nrows = t->filled = t->scale_from = 0;
    arena_empty(&t->block_text);
}

enum status table_next(struct table *t, struct error *err)
{
    table_empty(t);
    enum status st = t->next(t->context, t, err);
    return st ? st : result_status(t->result, err);
}

enum status table_rewind(struct table *t, struct error *err)
{
    if (!t->next)
        return ST_OK;
    table_empty(t);
    return t->rewind(t->context, err);
}

/* Room for the next cell of the given type, null for a start; NULL after a failure. */
static struct value *next_cell(struct table *t, enum value_type type, bool any)
{
    static const char *const names[] = {"text", "int", "real", "time", "bool"};
    struct result *r = t->result;
    if (failed(r))
        return NULL;
    const struct column *c = &t->columns[t->filled % t->ncolumns];
    if (!any && c->type != type) {
        error_set(&r->failed, ST_INTERNAL, "column %s of table %s holds %s, not %s", c->name, t->name, names[c->type],
                  names[type]);
        return NULL;
    }
    if (mem_grow(&t->values, &t->capacity, t->filled + 1, sizeof *t->values, &r->failed))
        return NULL;
    struct value *v = &t->values[t->filled++];
    if (t->filled % t->ncolumns == 0)
        t->nrows++;
    *v = (struct value){.null = true};
    return v;
}

static struct arena_block **text_arena(struct table *t)
{
    return t->next ? &t->block_text : &t->result->arena;
}

/* The scores of the present row may be on another scale than those above. */
static void begin_scale(struct table *t, const char *text)
{
    if (strncmp(t->scale, text, sizeof t->scale - 1) == 0)
        return;
    snprintf(t->scale, sizeof t->scale, "%s", text);
    t->scale_from = (t->filled - 1) / t->ncolumns;
    for (size_t c = 0; c < t->ncolumns; c++)
        if (t->columns[c].flags & COLUMN_SCORE)
            t->columns[c].precision = 0;
}

/* The last cell. */
static void set_text(struct table *t, struct value *v, const char *text)
{
    v->null = false;
    v->text = text;
    if (t->columns[(t->filled - 1) % t->ncolumns].flags & COLUMN_SCALE)
        begin_scale(t, text);
}

void table_text(struct table *t, const char *text)
{
    if (text)
        table_textn(t, text, strlen(text));
    else
        table_null(t);
}

void table_str(struct table *t, const struct str *s)
{
    table_text(t, result_str(t->result, s));
}

void table_textn(struct table *t, const char *text, size_t n)
{
    struct value *v = next_cell(t, VALUE_TEXT, false);
    if (v)
        set_text(t, v, put_text(t->result, text_arena(t), text, n));
}

void table_textf(struct table *t, const char *format, ...)
{
    struct value *v = next_cell(t, VALUE_TEXT, false);
    va_list args;
    va_start(args, format);
    if (v)
        set_text(t, v, put_format(t->result, text_arena(t), format, args));
    va_end(args);
}

void table_int(struct table *t, int64_t i)
{
    struct value *v = next_cell(t, VALUE_INT, false);
    if (v)
        *v = (struct value){.integer = i};
}

/* Digits after the point that show the first three of a score, four at least. */
static int digits_of(double score)
{
    enum { LEAST = 4, MOST = 9 };
    double zeros = -floor(log10(fabs(score))) - 1; /* behind the point */
    return !(zeros > 1) ? LEAST : zeros + 3 < MOST ? (int)zeros + 3 : MOST;
}

/* The last cell is a score. As long as all of its scale in its column are whole it needs no digits; then as many as the
 * largest. */
static void fit_scores(struct table *t, double last)
{
    size_t at = (t->filled - 1) % t->ncolumns, first = t->scale_from * t->ncolumns + at, from = t->filled - 1;
    struct column *c = &t->columns[at];
    int before = c->precision;
    t->values[from].digits = (int8_t)before;
    if (!isfinite(last) || (before == 0 && !(floor(last) < last)))
        return;
    if (before == 0) { /* the first that is not whole */
        from = first;
        c->precision = digits_of(0);
    }
    for (; from < t->filled; from += t->ncolumns) {
        int digits = t->values[from].null ? c->precision : digits_of(t->values[from].real);
        c->precision = digits < c->precision ? digits : c->precision;
    }
    for (from = first; c->precision != before && from < t->filled; from += t->ncolumns)
        t->values[from].digits = (int8_t)c->precision;
}

void table_real(struct table *t, double real)
{
    struct value *v = next_cell(t, VALUE_REAL, false);
    if (!v || isnan(real))
        return;
    *v = (struct value){.real = real};
    if (t->columns[(t->filled - 1) % t->ncolumns].flags & COLUMN_SCORE)
        fit_scores(t, real);
}

void table_time(struct table *t, int64_t us)
{
    struct value *v = next_cell(t, VALUE_TIME, false);
    if (v && us != NO_TIME)
        *v = (struct value){.integer = us};
}

void table_bool(struct table *t, bool yes)
{
    struct value *v = next_cell(t, VALUE_BOOL, false);
    if (v)
        *v = (struct value){.integer = yes};
}

void table_aside(struct table *t)
{
    if (t->values && t->nrows && t->filled % t->ncolumns == 0)
        t->values[(t->nrows - 1) * t->ncolumns].aside = true;
}

void table_null(struct table *t)
{
    (void)next_cell(t, VALUE_TEXT, true);
}

const struct value *table_value(const struct table *t, size_t row, size_t column)
{
    return &t->values[row * t->ncolumns + column];
}

size_t table_column(const struct table *t, const char *name)
{
    size_t i = 0;
    while (i < t->ncolumns && strcmp(t->columns[i].name, name) != 0)
        i++;
    return i;
}

struct table *result_find_table(const struct result *r, const char *name)
{
    for (size_t i = 0; i < r->ntables; i++)
        if (strcmp(r->tables[i]->name, name) == 0)
            return r->tables[i];
    return NULL;
}
