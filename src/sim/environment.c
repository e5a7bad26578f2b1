#include "sim/environment.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/mem.h"

/* Column `name` of numbers among the items, else NULL. */
static const struct field *number_field(const struct fields *set, const char *name)
{
    const struct field *f = fields_find(set, name);
    return f && (f->type == FIELD_REAL || f->type == FIELD_INT) ? f : NULL;
}

static double number_at(const struct field *f, size_t row)
{
    if (field_missing(f, row))
        return NAN;
    return f->type == FIELD_REAL ? f->real[row] : (double)f->integer[row];
}

/* What an item costs: as the catalogue says, else as it cost last in the log. */
static enum status find_prices(struct environment *e, struct error *err)
{
    const struct dataset *d = e->data;
    const struct field *catalogue = number_field(&d->item_fields, "price");
    const struct field *log = number_field(&d->events.context, "price");
    if (!catalogue && !log)
        return ST_OK;
    e->price = mem_new(d->items.n, sizeof *e->price, "prices", err);
    if (!e->price)
        return ST_NOMEM;
    for (uint32_t i = 0; i < d->items.n; i++)
        e->price[i] = catalogue ? (float)number_at(catalogue, i) : NAN;
    for (size_t k = 0; log && k < d->events.n; k++) {
        double p = number_at(log, k);
        if (!isnan(p) && (!catalogue || isnan(number_at(catalogue, d->events.item[k]))))
            e->price[d->events.item[k]] = (float)p;
    }
    return ST_OK;
}

/* The first of these types that the data has, by the names that shops give them. */
static uint16_t type_or(const struct dataset *d, const char *const *names, uint16_t otherwise)
{
    for (; *names; names++)
        for (uint32_t t = 0; t < d->types.n; t++)
            if (text_same(dict_text(&d->types, t), *names) && d->type_weight[t] > 0)
                return (uint16_t)t;
    return otherwise;
}

/* The commonest type of feedback: what a click is when the log has none by that name. */
static uint16_t common_type(const struct dataset *d)
{
    uint16_t best = 0;
    size_t most = 0;
    for (uint32_t t = 0; t < d->types.n; t++) {
        size_t n = 0;
        for (size_t e = 0; e < d->events.n && d->type_weight[t] > 0; e++)
            n += d->events.type[e] == t;
        if (n > most) {
            most = n;
            best = (uint16_t)t;
        }
    }
    return best;
}

enum status environment_new(const struct environment_class *class, struct dataset *d, struct environment **out,
                            struct error *err)
{
    int64_t oldest, newest;
    struct environment *e = mem_new(1, sizeof *e, "environment", err);
    if (!e)
        return ST_NOMEM;
    e->class = class;
    e->data = dataset_hold(d);
    e->start = dataset_time_range(d, &oldest, &newest) ? (newest / US_PER_DAY + 1) * US_PER_DAY : NO_TIME;
    uint16_t common = common_type(d);
    e->click = type_or(d, (const char *const[]){"click", "product_click", "view", NULL}, common);
    e->cart = type_or(d, (const char *const[]){"cart", "addtocart", "add_to_cart", NULL}, e->click);
    e->purchase = type_or(d, (const char *const[]){"purchase", "transaction", "order", "buy", NULL}, e->click);
    enum status st = find_prices(e, err);
    if (st)
        environment_free(e);
    else
        *out = e;
    return st;
}

void environment_free(struct environment *e)
{
    if (!e)
        return;
    if (e->state)
        e->class->free(e);
    mem_free(e->price);
    dataset_release(e->data);
    mem_free(e);
}

void environment_note(struct environment *e, const char *format, ...)
{
    if (e->nnotes == ENVIRONMENT_NOTES)
        return;
    va_list args;
    va_start(args, format);
    vsnprintf(e->note[e->nnotes], sizeof *e->note, format, args);
    va_end(args);
    e->nnotes++;
}
