/* As given: by a list of the test and validation events of each fold; or a column "part" (train, valid, test); or, when
 * a fold is asked for, a column "fold" whose values are dealt out in their order. The fold asked for is test, the
 * others are train. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "data/split_rule.h"

/* The part that a word of the "part" column names; PART_NONE for anything else. */
static enum part part_of_word(const char *word)
{
    static const struct {
        const char *word;
        enum part part;
    } words[] = {{"train", PART_TRAIN}, {"valid", PART_VALID}, {"validation", PART_VALID}, {"test", PART_TEST}};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (text_same(word, words[i].word))
            return words[i].part;
    return PART_NONE;
}

static enum status by_part(struct carver *c)
{
    const struct field *f = fields_find(&c->d->events.context, "part");
    bool valid = false;
    if (!f || f->type != FIELD_TEXT) {
        error_set(c->err, ST_USAGE, "this data says nowhere which events are for training and which for testing");
        error_hint(c->err, "a column named part with train, valid or test in each row does; or try `split last 1`");
        return ST_USAGE;
    }
    for (size_t e = 0; e < c->d->events.n; e++) {
        if (!carve_train(c, e))
            continue;
        enum part part = f->code[e] == NO_CODE ? PART_NONE : part_of_word(dict_text(&f->levels, f->code[e]));
        if ((part == PART_TEST || part == PART_VALID) && !carve_judged(c, e))
            part = PART_NONE;
        c->s->part[e] = (uint8_t)part;
        valid |= part == PART_VALID;
    }
    if (!valid && c->s->spec.valid_share > 0)
        carve_random(c, PART_VALID, c->s->spec.valid_share);
    return ST_OK;
}

/* The values of the column, those that are numbers by size, before other text in its order. */
struct value {
    int64_t number;
    const char *text; /* NULL: a number */
    uint32_t code;    /* TEXT */
};

static int by_value(const void *a, const void *b)
{
    const struct value *x = a, *y = b;
    if (!x->text != !y->text)
        return x->text ? 1 : -1;
    if (x->text)
        return strcmp(x->text, y->text);
    return x->number < y->number ? -1 : x->number > y->number;
}

static enum status too_many(struct error *err)
{
    return error_set(err, ST_USAGE, "the column fold has more than %d values", SPLIT_FOLDS_MAX);
}

static enum status find_values(const struct carver *c, const struct field *f, struct value *list, size_t *n)
{
    size_t found = 0;
    if (f->type == FIELD_TEXT) {
        if (f->levels.n > SPLIT_FOLDS_MAX)
            return too_many(c->err);
        for (uint32_t i = 0; i < f->levels.n; i++, found++) {
            list[found] = (struct value){.text = dict_text(&f->levels, i), .code = i};
            if (text_parse_int(list[found].text, &list[found].number))
                list[found].text = NULL;
        }
    }
    for (size_t e = 0; f->type == FIELD_INT && e < c->d->events.n; e++) {
        size_t i = 0;
        while (f->integer[e] != NO_INT && i < found && list[i].number != f->integer[e])
            i++;
        if (f->integer[e] == NO_INT || i < found)
            continue;
        if (found == SPLIT_FOLDS_MAX)
            return too_many(c->err);
        list[found++] = (struct value){.number = f->integer[e]};
    }
    qsort(list, found, sizeof *list, by_value);
    *n = found;
    return ST_OK;
}

static enum status by_fold(struct carver *c)
{
    const struct field *f = fields_find(&c->d->events.context, "fold");
    struct split_spec *spec = &c->s->spec;
    if (!f || (f->type != FIELD_TEXT && f->type != FIELD_INT)) {
        error_set(c->err, ST_USAGE, "this data has no column fold");
        error_hint(c->err, "`split folds 5` deals the events out");
        return ST_USAGE;
    }
    struct value *list = mem_new(SPLIT_FOLDS_MAX, sizeof *list, "the folds", c->err);
    enum status st = list ? find_values(c, f, list, &spec->folds) : ST_NOMEM;
    if (!st && spec->fold > spec->folds)
        st = error_set(c->err, ST_USAGE, "there is no fold %zu: the column fold has %zu value%s", spec->fold,
                       spec->folds, spec->folds == 1 ? "" : "s");
    for (size_t e = 0; !st && e < c->d->events.n; e++) {
        const struct value *mine = &list[spec->fold - 1];
        bool text = f->type == FIELD_TEXT;
        if (!carve_train(c, e))
            continue;
        if (text ? f->code[e] == NO_CODE : f->integer[e] == NO_INT)
            c->s->part[e] = PART_NONE;
        else if (text ? f->code[e] == mine->code : f->integer[e] == mine->number)
            carve_move(c, e, e + 1, PART_TEST, PART_NONE);
    }
    mem_free(list);
    if (!st && spec->valid_share > 0)
        carve_random(c, PART_VALID, spec->valid_share);
    return st;
}

static enum status by_list(struct carver *c)
{
    const struct split_spec *spec = &c->s->spec;
    const struct dataset *d = c->d;
    size_t fold = spec->fold ? spec->fold : 1;
    bool valid = false;
    if (fold > spec->list->folds)
        return error_set(c->err, ST_USAGE, "there is no fold %zu: they are 1 to %zu", fold, spec->list->folds);
    for (uint32_t u = 0; u < d->users.n; u++)
        for (size_t e = d->user_begin[u]; e < d->user_begin[u + 1]; e++) {
            unsigned found = carve_train(c, e) ? split_list_find(spec->list, u, d->events.item[e],
                                                                 d->events.time ? d->events.time[e] : NO_TIME, fold)
                                               : 0;
            if (found)
                carve_move(c, e, e + 1, found & LIST_TESTED ? PART_TEST : PART_VALID, PART_NONE);
            valid |= found == LIST_VALID;
        }
    if (!valid && spec->valid_share > 0)
        carve_random(c, PART_VALID, spec->valid_share);
    return ST_OK;
}

static enum status carve(struct carver *c)
{
    if (c->s->spec.list)
        return by_list(c);
    return c->s->spec.fold ? by_fold(c) : by_part(c);
}

static void describe(const struct split *s, struct str *out)
{
    if (s->spec.fold)
        str_printf(out, "fold %zu of %zu, ", s->spec.fold, s->spec.folds);
    str_puts(out, "as given");
    if (s->spec.list)
        str_printf(out, " by %s", s->spec.list->name);
}

const struct split_rule split_rule_given = {
    .name = "given",
    .drawn_valid = true,
    .carve = carve,
    .describe = describe,
};
