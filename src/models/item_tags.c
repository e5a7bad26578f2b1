#include "models/item_tags.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum {
    NUMBER_TAGS = 10,
    WORDY = 4 /* words a value from which on they are tags */,
    SHORTEST_WORD = 2 /* characters */
};

/* One field as tags. */
struct reading {
    const struct field *f;
    bool words;
    struct dict found; /* TEXT, LIST: tags in the order in which they were met */
    size_t *begin;     /* those of level l: tag[begin[l] .. begin[l + 1]), a word as often as it occurs */
    uint32_t *tag;     /* first places in `found`, then tags of the matrix */
    size_t room;
    double *edge;      /* numbers: part p begins here */
    uint32_t *part;    /* its tag */
    size_t nparts;
};

static void reading_clear(struct reading *r)
{
    dict_clear(&r->found);
    mem_free(r->begin);
    mem_free(r->tag);
    mem_free(r->edge);
    mem_free(r->part);
}

void item_tags_clear(struct item_tags *t)
{
    csr_clear(&t->matrix);
    dict_clear(&t->names);
    mem_free(t->label);
    str_free(&t->fields);
    *t = (struct item_tags){0};
}

const char *item_tags_label(const struct item_tags *t, uint32_t tag)
{
    return dict_text(&t->names, tag) + t->label[tag];
}

/* ---- text ---- */

/* Small letters of Latin, Greek and Cyrillic where they stand a fixed way from the capitals; all else as it is. Not by
 * the locale: a model must not depend on it. */
static int32_t lower(int32_t c)
{
    if ((c >= 'A' && c <= 'Z') || (c >= 0xc0 && c <= 0xde && c != 0xd7) || (c >= 0x391 && c <= 0x3ab) ||
        (c >= 0x410 && c <= 0x42f))
        return c + 32;
    if (c >= 0x400 && c <= 0x40f)
        return c + 80;
    if ((c >= 0x100 && c <= 0x137 && c != 0x130) || (c >= 0x14a && c <= 0x177))
        return c | 1;
    return c;
}

static bool in_word(int32_t c)
{
    if (c < 0x80)
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    return c >= 0xaa && c != 0xd7 && c != 0xf7 && c != 0xab && c != 0xbb && c != 0xbf &&
           !(c >= 0x2000 && c <= 0x206f) && !(c >= 0x3000 && c <= 0x303f);
}

/* The next word of text[*at .. n) into `word`, in small letters; returns its characters, 0: there is none. */
static size_t next_word(const char *text, size_t n, size_t *at, struct str *word)
{
    size_t characters = 0;
    str_clear(word);
    while (*at < n) {
        int32_t c;
        size_t used = utf8_decode(text + *at, n - *at, &c);
        if (!in_word(c) && characters)
            break;
        *at += used;
        if (in_word(c)) {
            str_put_code(word, lower(c));
            characters++;
        }
    }
    return characters;
}

/* A value: all of it, without the blanks around it; what bars separate, each. */
static enum status read_tags(struct reading *r, const char *text, size_t n, size_t *count, struct error *err)
{
    for (size_t at = 0; at <= n; at++) {
        const char *bar = memchr(text + at, '|', n - at);
        size_t begin = at, end = bar ? (size_t)(bar - text) : n;
        at = end;
        while (begin < end && strchr(" \t", text[begin]))
            begin++;
        while (end > begin && strchr(" \t", text[end - 1]))
            end--;
        if (begin == end)
            continue;
        enum status st = mem_grow(&r->tag, &r->room, *count + 1, sizeof *r->tag, err);
        if (!st)
            st = dict_add(&r->found, text + begin, end - begin, &r->tag[(*count)++], err);
        if (st)
            return st;
    }
    return ST_OK;
}

static enum status read_words(struct reading *r, const char *text, size_t n, struct str *word, size_t *count,
                              struct error *err)
{
    enum status st = ST_OK;
    size_t at = 0, characters;
    while (!st && (characters = next_word(text, n, &at, word))) {
        if (characters < SHORTEST_WORD || (word->length && strspn(word->data, "0123456789") == word->length))
            continue;
        if (word->failed)
            return error_nomem(err, n, "a word");
        st = mem_grow(&r->tag, &r->room, *count + 1, sizeof *r->tag, err);
        if (!st)
            st = dict_add(&r->found, word->data, word->length, &r->tag[(*count)++], err);
    }
    return st;
}

/* Which levels any item has: a data set that was cut down still has those of the others. */
static bool *levels_used(const struct field *f, size_t nitems, struct error *err)
{
    bool *used = mem_new(f->levels.n, sizeof *used, "values of a field", err);
    for (size_t i = 0; used && i < nitems; i++) {
        if (f->type == FIELD_TEXT && f->code[i] != NO_CODE)
            used[f->code[i]] = true;
        for (size_t l = f->type == FIELD_LIST ? f->list_begin[i] : 1; f->type == FIELD_LIST && l < f->list_begin[i + 1];
             l++)
            used[f->list_code[l]] = true;
    }
    return used;
}

static enum status read_levels(struct reading *r, size_t nitems, struct error *err)
{
    const struct dict *levels = &r->f->levels;
    bool *used = levels_used(r->f, nitems, err);
    struct str word = {0};
    size_t count = 0;
    r->begin = mem_new(levels->n + 1, sizeof *r->begin, "tags of values", err);
    enum status st = used && r->begin ? ST_OK : ST_NOMEM;
    for (uint32_t l = 0; !st && l < levels->n; l++) {
        if (used[l])
            st = r->words ? read_words(r, dict_text(levels, l), dict_length(levels, l), &word, &count, err)
                          : read_tags(r, dict_text(levels, l), dict_length(levels, l), &count, err);
        r->begin[l + 1] = count;
    }
    str_free(&word);
    mem_free(used);
    return st;
}

/* ---- numbers ---- */

/* NaN: missing. */
static double number_of(const struct field *f, size_t row)
{
    return field_missing(f, row) ? NAN : f->type == FIELD_REAL ? f->real[row] : (double)f->integer[row];
}

static int by_number(const void *pa, const void *pb)
{
    double a = *(const double *)pa, b = *(const double *)pb;
    return (a > b) - (a < b);
}

/* Cuts the sorted values where a tenth of them has gone by, never between equal ones. */
static enum status read_numbers(struct reading *r, size_t nitems, struct error *err)
{
    size_t n = 0;
    double *sorted = mem_new_raw(nitems, sizeof *sorted, "values of a field", err);
    r->edge = mem_new(NUMBER_TAGS, sizeof *r->edge, "parts of a field", err);
    r->part = mem_new(NUMBER_TAGS, sizeof *r->part, "parts of a field", err);
    enum status st = sorted && r->edge && r->part ? ST_OK : ST_NOMEM;
    for (size_t i = 0; !st && i < nitems; i++)
        if (isfinite(number_of(r->f, i)))
            sorted[n++] = number_of(r->f, i);
    if (!st)
        qsort(sorted, n, sizeof *sorted, by_number);
    for (size_t p = 0; !st && n && p < NUMBER_TAGS; p++) {
        double edge = sorted[p * n / NUMBER_TAGS];
        if (!r->nparts || edge > r->edge[r->nparts - 1])
            r->edge[r->nparts++] = edge;
    }
    mem_free(sorted);
    return st;
}

static uint32_t tag_of_number(const struct reading *r, double value)
{
    size_t p = r->nparts;
    while (p > 0 && !(value >= r->edge[p - 1]))
        p--;
    return p && isfinite(value) ? r->part[p - 1] : NO_CODE;
}

/* ---- names ---- */

static enum status add_name(struct item_tags *t, const struct field *f, const char *text, uint32_t *tag, size_t *room,
                            struct error *err)
{
    struct str name = {0};
    str_printf(&name, "%s: %s", f->name, text);
    enum status st = name.failed ? error_nomem(err, strlen(text), "the name of a tag") : ST_OK;
    if (!st)
        st = dict_add(&t->names, name.data, name.length, tag, err);
    if (!st)
        st = mem_grow(&t->label, room, t->names.n, sizeof *t->label, err);
    if (!st)
        t->label[*tag] = (uint32_t)strlen(f->name) + 2;
    str_free(&name);
    return st;
}

static int by_text(const void *pa, const void *pb, void *found)
{
    return strcmp(dict_text(found, *(const uint32_t *)pa), dict_text(found, *(const uint32_t *)pb));
}

/* Tags of the matrix instead of places among those found. */
static enum status name_texts(struct item_tags *t, struct reading *r, size_t *room, struct error *err)
{
    size_t n = r->found.n, nlevels = r->f->levels.n;
    uint32_t *order = mem_new_raw(n, sizeof *order, "the order of tags", err),
             *tag = mem_new_raw(n, sizeof *tag, "tags", err);
    enum status st = order && tag ? ST_OK : ST_NOMEM;
    for (uint32_t i = 0; !st && i < n; i++)
        order[i] = i;
    if (!st)
        qsort_r(order, n, sizeof *order, by_text, &r->found);
    for (size_t i = 0; !st && i < n; i++)
        st = add_name(t, r->f, dict_text(&r->found, order[i]), &tag[order[i]], room, err);
    for (size_t c = 0; !st && c < r->begin[nlevels]; c++)
        r->tag[c] = tag[r->tag[c]];
    mem_free(order);
    mem_free(tag);
    return st;
}

static void put_number(struct str *out, const struct field *f, double value)
{
    char text[48];
    if (f->type == FIELD_TIME) {
        time_iso(text, sizeof text, (int64_t)value);
        text[strcspn(text, "T")] = 0;
    } else {
        text_real(text, sizeof text, value);
    }
    str_puts(out, text);
}

/* "price: from 12.5" */
static enum status name_numbers(struct item_tags *t, struct reading *r, size_t *room, struct error *err)
{
    struct str text = {0};
    enum status st = ST_OK;
    for (size_t p = 0; !st && p < r->nparts; p++) {
        str_clear(&text);
        str_puts(&text, "from ");
        put_number(&text, r->f, r->edge[p]);
        st = text.failed ? error_nomem(err, 64, "the name of a tag")
                         : add_name(t, r->f, text.data, &r->part[p], room, err);
    }
    str_free(&text);
    return st;
}

/* ---- which fields ---- */

static bool is_text(const struct field *f)
{
    return f->type == FIELD_TEXT || f->type == FIELD_LIST;
}

/* Titles, and texts with many words a value. */
static bool has_words(const struct dataset *d, const struct field *f)
{
    size_t words = 0;
    if (f->type != FIELD_TEXT || f == dataset_titles(d))
        return f->type == FIELD_TEXT;
    for (uint32_t l = 0; l < f->levels.n; l++) {
        const char *text = dict_text(&f->levels, l);
        words += text[0] && text[0] != ' ';
        for (; *text; text++)
            words += text[0] == ' ' && text[1] && text[1] != ' ';
    }
    return words >= (size_t)WORDY * f->levels.n;
}

/* Does it say of an item what it shares with others? */
static bool groups_items(const struct dataset *d, const struct field *f)
{
    size_t known = 0;
    if (f->type == FIELD_LIST)
        return f->levels.n > 0;
    if (f->type != FIELD_TEXT || has_words(d, f))
        return false;
    for (size_t i = 0; i < f->n; i++)
        known += f->code[i] != NO_CODE;
    return known && (f == dataset_item_category(d) || known >= 2 * (size_t)f->levels.n);
}

static enum status add_reading(const struct dataset *d, const struct field *f, struct reading *r, size_t *n,
                               struct error *err)
{
    for (size_t i = 0; i < *n; i++)
        if (r[i].f == f)
            return ST_OK;
    r[*n] = (struct reading){.f = f, .words = has_words(d, f)};
    enum status st = is_text(f) ? read_levels(&r[*n], d->items.n, err) : read_numbers(&r[*n], d->items.n, err);
    ++*n;
    return st;
}

static enum status pick_auto(const struct dataset *d, struct reading *r, size_t *n, struct error *err)
{
    enum status st = ST_OK;
    for (size_t i = 0; i < d->item_fields.n && !st; i++)
        if (groups_items(d, &d->item_fields.field[i]))
            st = add_reading(d, &d->item_fields.field[i], r, n, err);
    if (!st && !*n && dataset_titles(d))
        st = add_reading(d, dataset_titles(d), r, n, err);
    return st;
}

static enum status no_such_field(const struct dataset *d, const char *name, struct error *err)
{
    struct str known = {0};
    for (size_t i = 0; i < d->item_fields.n; i++)
        str_printf(&known, "%s%s", i ? ", " : "", d->item_fields.field[i].name);
    error_set(err, ST_NOT_FOUND, "the items of %s have no field '%s'", d->name, name);
    if (known.length)
        error_hint(err, "they have: %s", str_text(&known));
    str_free(&known);
    return ST_NOT_FOUND;
}

static enum status pick_named(const struct dataset *d, const char *fields, struct reading *r, size_t *n,
                              struct error *err)
{
    enum status st = ST_OK;
    while (*fields && !st) {
        fields += strspn(fields, ", ");
        size_t length = strcspn(fields, ",");
        if (!length)
            break;
        char *name = mem_strndup(fields, length, err);
        const struct field *f = name ? fields_find(&d->item_fields, name) : NULL;
        st = !name ? ST_NOMEM : !f ? no_such_field(d, name, err) : add_reading(d, f, r, n, err);
        mem_free(name);
        fields += length;
    }
    return st;
}

/* ---- rows ---- */

static size_t add_level(const struct reading *r, uint32_t level, uint32_t *out)
{
    size_t n = r->begin[level + 1] - r->begin[level];
    if (out && n)
        memcpy(out, r->tag + r->begin[level], n * sizeof *out);
    return n;
}

/* The tags that a field gives an item, with repeats, into out (NULL: counted only). */
static size_t tags_of(const struct reading *r, size_t item, uint32_t *out)
{
    const struct field *f = r->f;
    size_t n = 0;
    switch (f->type) {
    case FIELD_TEXT:
        return f->code[item] == NO_CODE ? 0 : add_level(r, f->code[item], out);
    case FIELD_LIST:
        for (size_t l = f->list_begin[item]; l < f->list_begin[item + 1]; l++)
            n += add_level(r, f->list_code[l], out ? out + n : NULL);
        return n;
    default: {
        uint32_t tag = tag_of_number(r, number_of(f, item));
        if (out && tag != NO_CODE)
            *out = tag;
        return tag != NO_CODE;
    }
    }
}

static int by_tag(const void *pa, const void *pb)
{
    uint32_t a = *(const uint32_t *)pa, b = *(const uint32_t *)pb;
    return (a > b) - (a < b);
}

/* n tags with repeats become distinct ascending ones and their counts; returns how many. */
static size_t count_tags(uint32_t *tag, float *count, size_t n)
{
    size_t distinct = 0;
    qsort(tag, n, sizeof *tag, by_tag);
    for (size_t i = 0; i < n; i++) {
        if (distinct && tag[distinct - 1] == tag[i]) {
            count[distinct - 1]++;
            continue;
        }
        tag[distinct] = tag[i];
        count[distinct++] = 1;
    }
    return distinct;
}

static enum status fill_rows(const struct reading *r, size_t nreadings, size_t nitems, struct item_tags *t,
                             struct error *err)
{
    struct csr *x = &t->matrix;
    size_t most = 0, at = 0;
    for (size_t i = 0; i < nitems; i++)
        for (size_t f = 0; f < nreadings; f++)
            most += tags_of(&r[f], i, NULL);
    enum status st = csr_new(x, nitems, t->names.n, most, 1, err);
    for (size_t i = 0; i < nitems && !st; i++) {
        size_t n = 0;
        for (size_t f = 0; f < nreadings; f++)
            n += tags_of(&r[f], i, x->index + at + n);
        at += n ? count_tags(x->index + at, x->value + at, n) : 0;
        t->tagged += n > 0;
        x->begin[i + 1] = at;
    }
    return st;
}

static enum status weigh(struct item_tags *t, struct error *err)
{
    struct csr *x = &t->matrix;
    size_t *items = mem_new(x->cols, sizeof *items, "items of each tag", err);
    if (!items)
        return ST_NOMEM;
    for (size_t e = 0; e < csr_count(x); e++)
        items[x->index[e]]++;
    for (size_t e = 0; e < csr_count(x); e++)
        x->value[e] = (float)((1 + log((double)x->value[e])) *
                              (1 + log((1 + (double)t->tagged) / (1 + (double)items[x->index[e]]))));
    mem_free(items);
    return ST_OK;
}

static enum status nothing_known(const struct dataset *d, struct error *err)
{
    error_set(err, ST_STATE,
              "nothing is known of the items of %s but who they had to do with: no list, category or title", d->name);
    error_hint(err, "`load items FILE` adds what a table knows of items; `describe items` shows what there is");
    return ST_STATE;
}

enum status item_tags_build(const struct dataset *d, const char *fields, enum tag_weights weights,
                            struct item_tags *out, struct error *err)
{
    *out = (struct item_tags){0};
    size_t n = 0, room = 0;
    struct reading *r = mem_new(d->item_fields.n, sizeof *r, "fields of items", err);
    if (!r)
        return ST_NOMEM;
    enum status st = strcmp(fields, "auto") == 0 ? pick_auto(d, r, &n, err) : pick_named(d, fields, r, &n, err);
    for (size_t f = 0; f < n && !st; f++) {
        st = is_text(r[f].f) ? name_texts(out, &r[f], &room, err) : name_numbers(out, &r[f], &room, err);
        str_printf(&out->fields, "%s%s", f ? ", " : "", r[f].f->name);
    }
    if (!st && out->fields.failed)
        st = error_nomem(err, 64, "names of fields");
    if (!st && !out->names.n)
        st = nothing_known(d, err);
    if (!st)
        st = fill_rows(r, n, d->items.n, out, err);
    if (!st && weights == TAGS_TFIDF)
        st = weigh(out, err);
    for (size_t f = 0; f < n; f++)
        reading_clear(&r[f]);
    mem_free(r);
    return st;
}
