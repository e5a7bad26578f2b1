/* The world as a data set in memory: what loading its files would give. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "sim/generate.h"

/* Types are those that ingest gives the columns of the files (a session is an id, a quantity a real). */
enum context_column { SESSION, SLATE, POSITION, PROPENSITY, DEVICE, COUNTRY, PAGE, PRICE, QUANTITY, CONTEXT_COLUMNS };

static const struct {
    const char *name;
    enum field_type type;
} context_columns[CONTEXT_COLUMNS] = {
    [SESSION] = {"session", FIELD_TEXT},   [SLATE] = {"slate", FIELD_INT},
    [POSITION] = {"position", FIELD_INT},  [PROPENSITY] = {"propensity", FIELD_REAL},
    [DEVICE] = {"device", FIELD_TEXT},     [COUNTRY] = {"country", FIELD_TEXT},
    [PAGE] = {"page", FIELD_TEXT},         [PRICE] = {"price", FIELD_REAL},
    [QUANTITY] = {"quantity", FIELD_REAL},
};

struct builder {
    const struct world *w;
    struct dataset *data;
    size_t capacity[5];
    uint32_t *user_code, *item_code; /* world index -> code, NO_CODE until met */
    uint32_t type_code[LOG_TYPES];
};

static enum status code_of(struct dict *dict, uint32_t *code, const char *text, struct error *err)
{
    return *code == NO_CODE ? dict_add(dict, text, strlen(text), code, err) : ST_OK;
}

static enum status user_code(struct builder *b, uint32_t user, struct error *err)
{
    char id[32];
    world_user_id(b->w, user, id, sizeof id);
    return code_of(&b->data->users, &b->user_code[user], id, err);
}

static enum status item_code(struct builder *b, uint32_t item, struct error *err)
{
    char id[32];
    world_item_id(b->w, item, id, sizeof id);
    return code_of(&b->data->items, &b->item_code[item], id, err);
}

static enum status more_events(struct builder *b, size_t n, struct error *err)
{
    struct events *e = &b->data->events;
    enum status st = mem_grow(&e->user, &b->capacity[0], n, sizeof *e->user, err);
    if (!st)
        st = mem_grow(&e->item, &b->capacity[1], n, sizeof *e->item, err);
    if (!st)
        st = mem_grow(&e->time, &b->capacity[2], n, sizeof *e->time, err);
    if (!st)
        st = mem_grow(&e->sequence, &b->capacity[3], n, sizeof *e->sequence, err);
    if (!st)
        st = mem_grow(&e->type, &b->capacity[4], n, sizeof *e->type, err);
    return st;
}

static enum status push_text(struct field *f, const char *text, struct error *err)
{
    return field_push_text(f, text, strlen(text), err);
}

static enum status push_context(struct field *f, const struct log_row *row, struct error *err)
{
    char session[24];
    int n = snprintf(session, sizeof session, "%" PRIu64, row->session);
    enum status st = field_push_text(&f[SESSION], session, (size_t)n, err);
    if (!st)
        st = field_push_int(&f[SLATE], (int64_t)row->slate, err);
    if (!st)
        st = field_push_int(&f[POSITION], row->position, err);
    if (!st)
        st = field_push_real(&f[PROPENSITY], row->propensity, err);
    if (!st)
        st = push_text(&f[DEVICE], world_devices[row->device], err);
    if (!st)
        st = push_text(&f[COUNTRY], world_countries[row->country], err);
    if (!st)
        st = push_text(&f[PAGE], world_page(row->page), err);
    if (!st)
        st = field_push_real(&f[PRICE], round((double)row->price * 100) / 100, err);
    if (!st)
        st = field_push_real(&f[QUANTITY], row->quantity ? row->quantity : NAN, err);
    return st;
}

static enum status take_block(void *context, size_t slot, const struct log *block, struct error *err)
{
    struct builder *b = context;
    struct events *e = &b->data->events;
    (void)slot;
    enum status st = more_events(b, e->n + block->n, err);
    for (size_t i = 0; i < block->n && !st; i++) {
        const struct log_row *row = &block->row[i];
        st = user_code(b, row->user, err);
        if (!st)
            st = item_code(b, row->item, err);
        if (!st)
            st = code_of(&b->data->types, &b->type_code[row->type], log_type_names[row->type], err);
        if (!st)
            st = push_context(e->context.field, row, err);
        if (st)
            break;
        e->user[e->n] = b->user_code[row->user];
        e->item[e->n] = b->item_code[row->item];
        e->time[e->n] = row->time * US_PER_SECOND;
        e->sequence[e->n] = e->n;
        e->type[e->n] = (uint16_t)b->type_code[row->type];
        e->n++;
    }
    return st;
}

/* Columns were filled in the order of the world, as a file of attributes is read; puts their rows in the order of the
 * codes. */
static enum status reorder(struct fields *set, const uint32_t *code, uint32_t n, struct error *err)
{
    uint64_t *index = mem_new(n, sizeof *index, "index of the world", err);
    if (!index)
        return ST_NOMEM;
    for (uint32_t i = 0; i < n; i++)
        index[code[i]] = i;
    enum status st = ST_OK;
    for (size_t f = 0; f < set->n && !st; f++)
        st = field_permute(&set->field[f], index, n, err);
    mem_free(index);
    return st;
}

static enum status push_interests(struct field *f, const uint8_t *interest, size_t n, struct error *err)
{
    const char *text[SLOTS];
    size_t length[SLOTS], k = 0;
    for (size_t j = 0; j < n; j++)
        if (interest[j] < INTERESTS) {
            text[k] = catalogue_interests[interest[j]].name;
            length[k] = strlen(text[k]);
            k++;
        }
    return field_push_list(f, text, length, k, err);
}

enum { ITEM_COLUMNS = 7, USER_COLUMNS = 5 };

static enum status push_item(const struct world *w, uint32_t item, struct field *f, struct error *err)
{
    char title[256];
    const struct kind *kind = world_item_kind(w, item);
    world_item_title(w, item, title, sizeof title);
    enum status st = push_text(&f[0], title, err);
    if (!st)
        st = push_text(&f[1], catalogue_categories[kind->category].name, err);
    if (!st)
        st = push_interests(&f[2], kind->interest, KIND_INTERESTS, err);
    if (!st)
        st = push_text(&f[3], world_item_brand(w, item), err);
    if (!st)
        st = field_push_real(&f[4], round((double)w->item[item].price * 100) / 100, err);
    if (!st)
        st = push_text(&f[5], kind->blurb, err);
    if (!st)
        st = field_push_int(&f[6], world_day(w, w->item[item].arrives), err);
    return st;
}

static enum status push_user(const struct world *w, struct shopper *s, uint32_t user, struct field *f,
                             struct error *err)
{
    uint8_t interest[SLOTS];
    shopper_born(w, s, user);
    for (unsigned k = 0; k < s->nslots; k++)
        interest[k] = s->slot[k].interest;
    enum status st = push_text(&f[0], world_countries[s->country], err);
    if (!st)
        st = push_text(&f[1], world_devices[s->device], err);
    if (!st)
        st = push_text(&f[2], world_ages[s->age], err);
    if (!st)
        st = field_push_int(&f[3], world_day(w, s->joins), err);
    if (!st)
        st = push_interests(&f[4], interest, s->nslots, err);
    return st;
}

static enum status add_columns(struct fields *set, const char *const *names, const enum field_type *types, size_t n,
                               struct error *err)
{
    struct field *f;
    enum status st = ST_OK;
    for (size_t i = 0; i < n && !st; i++)
        st = fields_add(set, names[i], types[i], &f, err);
    return st;
}

static enum status attributes(struct builder *b, struct error *err)
{
    static const char *const item_names[] = {"title", "category", "tags", "brand", "price", "description", "added"};
    static const enum field_type item_types[] = {FIELD_TEXT, FIELD_TEXT, FIELD_LIST, FIELD_TEXT,
                                                 FIELD_REAL, FIELD_TEXT, FIELD_TIME};
    static const char *const user_names[] = {"country", "device", "age", "joined", "interests"};
    static const enum field_type user_types[] = {FIELD_TEXT, FIELD_TEXT, FIELD_TEXT, FIELD_TIME, FIELD_LIST};
    const struct world *w = b->w;
    struct dataset *d = b->data;
    struct shopper s = {0};
    enum status st = ST_OK;
    for (uint32_t i = 0; i < w->spec.items && !st; i++)
        st = item_code(b, i, err);
    for (uint32_t u = 0; u < w->spec.users && !st; u++)
        st = user_code(b, u, err);
    if (!st)
        st = add_columns(&d->item_fields, item_names, item_types, ITEM_COLUMNS, err);
    if (!st)
        st = add_columns(&d->user_fields, user_names, user_types, USER_COLUMNS, err);
    if (!st)
        st = shopper_new(w, &s, err);
    for (uint32_t i = 0; i < w->spec.items && !st; i++)
        st = push_item(w, i, d->item_fields.field, err);
    for (uint32_t u = 0; u < w->spec.users && !st; u++)
        st = push_user(w, &s, u, d->user_fields.field, err);
    if (!st)
        st = reorder(&d->item_fields, b->item_code, w->spec.items, err);
    if (!st)
        st = reorder(&d->user_fields, b->user_code, w->spec.users, err);
    shopper_clear(&s);
    return st;
}

static enum status builder_start(struct builder *b, struct error *err)
{
    const struct world_spec *spec = &b->w->spec;
    b->user_code = mem_new_raw(spec->users, sizeof *b->user_code, "codes of users", err);
    b->item_code = mem_new_raw(spec->items, sizeof *b->item_code, "codes of items", err);
    if (!b->user_code || !b->item_code)
        return ST_NOMEM;
    memset(b->user_code, 0xff, spec->users * sizeof *b->user_code);
    memset(b->item_code, 0xff, spec->items * sizeof *b->item_code);
    memset(b->type_code, 0xff, sizeof b->type_code);
    enum status st = ST_OK;
    struct field *f;
    for (size_t c = 0; c < CONTEXT_COLUMNS && !st; c++)
        st = fields_add(&b->data->events.context, context_columns[c].name, context_columns[c].type, &f, err);
    return st;
}

enum status world_dataset(const struct world *w, bool impressions, const char *name, struct job *job,
                          struct dataset **out, struct error *err)
{
    struct builder b = {.w = w, .data = dataset_new(name, err)};
    struct log_sink sink = {&b, NULL, take_block};
    if (!b.data)
        return ST_NOMEM;
    enum status st = builder_start(&b, err);
    if (!st)
        st = log_generate(w, impressions, &sink, job, err);
    if (!st)
        st = attributes(&b, err);
    b.data->rows_read = b.data->rows_kept = b.data->events.n;
    if (!st)
        st = dataset_finish(b.data, err);
    mem_free(b.user_code);
    mem_free(b.item_code);
    if (st)
        dataset_release(b.data);
    else
        *out = b.data;
    return st;
}
