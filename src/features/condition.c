#include "features/condition.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "data/shape.h"
#include "features/condition_body.h"

enum { DEEPEST = 200, MOST_NODES = 2000 }; /* what recursion may cost */

void condition_free(struct condition *c)
{
    if (!c)
        return;
    for (size_t i = 0; i < c->n; i++) {
        mem_free(c->node[i].comparison.codes);
        mem_free(c->node[i].comparison.numbers);
    }
    mem_free(c->node);
    mem_free(c->user_events);
    mem_free(c->item_events);
    mem_free(c);
}

/* ---- reading: columns ---- */

/* In the order of their subjects. */
static const struct {
    const char *name;
    enum subject subject;
} own_columns[] = {{"type", OF_TYPE}, {"value", OF_VALUE}, {"user", OF_USER}, {"item", OF_ITEM}, {"time", OF_TIME},
                   {"events_per_user", OF_USER_EVENTS}, {"events_per_item", OF_ITEM_EVENTS}};

/* Counts know what comes later, so a feature cannot ask for them; an item has no type, value, user or time. */
static bool may_ask(const struct condition *c, enum subject subject)
{
    if (c->of_items)
        return subject == OF_ITEM || subject == OF_ITEM_EVENTS || subject == OF_ITEM_FIELD;
    return c->counted || (subject != OF_USER_EVENTS && subject != OF_ITEM_EVENTS);
}

enum { OWN_COLUMNS = sizeof own_columns / sizeof *own_columns, SETS = 3 };

/* The columns that data add, set by set; a bare name is looked for in this order. */
struct column_set {
    const struct fields *fields;
    const char *prefix;
    enum subject subject;
};

static void column_sets(const struct dataset *d, struct column_set out[SETS])
{
    out[0] = (struct column_set){&d->events.context, "", OF_CONTEXT};
    out[1] = (struct column_set){&d->item_fields, "item.", OF_ITEM_FIELD};
    out[2] = (struct column_set){&d->user_fields, "user.", OF_USER_FIELD};
}

static bool look_in(const struct column_set *set, const char *name, struct comparison *c)
{
    c->field = fields_find(set->fields, name);
    c->subject = set->subject;
    return c->field != NULL;
}

static bool find_column(const struct condition *whole, const char *name, struct comparison *c)
{
    struct column_set sets[SETS];
    column_sets(whole->data, sets);
    for (size_t i = 0; i < OWN_COLUMNS; i++) {
        if (may_ask(whole, own_columns[i].subject) && text_same(own_columns[i].name, name)) {
            c->subject = own_columns[i].subject;
            return true;
        }
    }
    for (size_t s = 0; s < SETS; s++) {
        size_t length = strlen(sets[s].prefix);
        if (length && may_ask(whole, sets[s].subject) && strncmp(name, sets[s].prefix, length) == 0 &&
            look_in(&sets[s], name + length, c))
            return true;
    }
    for (size_t s = 0; s < SETS; s++)
        if (may_ask(whole, sets[s].subject) && look_in(&sets[s], name, c))
            return true;
    return false;
}

/* The name nearest to `word` among all columns, in out, or "". */
static void nearest_column(const struct condition *c, const char *word, char *out, size_t size)
{
    struct column_set sets[SETS];
    size_t best = strlen(word) / 3 + 2;
    char name[256];
    column_sets(c->data, sets);
    *out = 0;
    for (size_t i = 0; i < OWN_COLUMNS; i++) {
        size_t distance = may_ask(c, own_columns[i].subject) ? text_distance(word, own_columns[i].name) : best;
        if (distance < best) {
            best = distance;
            snprintf(out, size, "%s", own_columns[i].name);
        }
    }
    for (size_t s = 0; s < SETS; s++) {
        const struct fields *set = sets[s].fields;
        for (size_t i = 0; i < set->n && may_ask(c, sets[s].subject); i++) {
            snprintf(name, sizeof name, "%s%s", sets[s].prefix, set->field[i].name);
            size_t whole = text_distance(word, name), bare = text_distance(word, set->field[i].name);
            size_t distance = whole < bare ? whole : bare;
            if (distance < best) {
                best = distance;
                snprintf(out, size, "%s", name);
            }
        }
    }
}

static void add_name(struct str *all, const char *prefix, const char *name)
{
    str_printf(all, "%s%s%s", all->length ? ", " : "", prefix, name);
}

static enum status unknown_column(const struct lexer *in, const struct condition *c, struct error *err)
{
    struct column_set sets[SETS];
    struct str all = {0};
    char near[256];
    error_set(err, ST_USAGE, c->of_items ? "items have no column \"%s\"" : "there is no column \"%s\"", in->token.text);
    error_span(err, in->token.offset, in->token.length);
    nearest_column(c, in->token.text, near, sizeof near);
    column_sets(c->data, sets);
    for (size_t i = 0; i < OWN_COLUMNS; i++)
        if (may_ask(c, own_columns[i].subject))
            add_name(&all, "", own_columns[i].name);
    for (size_t s = 0; s < SETS; s++)
        for (size_t i = 0; i < sets[s].fields->n && may_ask(c, sets[s].subject); i++)
            add_name(&all, sets[s].prefix, sets[s].fields->field[i].name);
    if (*near)
        error_hint(err, "did you mean %s? There are: %s", near, str_text(&all));
    else
        error_hint(err, "there are: %s", str_text(&all));
    str_free(&all);
    return ST_USAGE;
}

/* ---- reading: values ---- */

static const struct dict *words_of(const struct comparison *c, const struct dataset *d)
{
    switch (c->subject) {
    case OF_TYPE:
        return &d->types;
    case OF_USER:
        return &d->users;
    case OF_ITEM:
        return &d->items;
    default:
        return &c->field->levels;
    }
}

enum { NEAR_ENOUGH_TO_LOOK = 5000 };

/* A text that no cell has is most often a slip, so it is said at once. */
static enum status unknown_text(const struct lexer *in, const struct comparison *c, const struct dict *words,
                                struct error *err)
{
    const char *near = NULL;
    size_t best = in->token.text_length / 3 + 2;
    error_set(err, ST_USAGE, "\"%s\" does not occur in %s", in->token.text,
              c->field ? c->field->name : own_columns[c->subject].name);
    error_span(err, in->token.offset, in->token.length);
    for (uint32_t i = 0; i < words->n && i < NEAR_ENOUGH_TO_LOOK; i++) {
        size_t distance = dict_length(words, i) < 200 ? text_distance(in->token.text, dict_text(words, i)) : best;
        if (distance < best) {
            best = distance;
            near = dict_text(words, i);
        }
    }
    if (near)
        error_hint(err, "did you mean '%s'?", near);
    else if (words->n)
        error_hint(err, "for example '%s'", dict_text(words, 0));
    return ST_USAGE;
}

static bool is_moment(const struct comparison *c)
{
    return c->subject == OF_TIME || (c->subject >= OF_CONTEXT && c->field->type == FIELD_TIME);
}

/* The next token as a value of the column. */
static enum status read_value(struct lexer *in, const struct dataset *d, struct comparison *c, size_t *capacity,
                              struct error *err)
{
    const struct token *t = &in->token;
    enum status st;
    if (t->type != TOKEN_WORD && t->type != TOKEN_TEXT)
        return lexer_expected(in, "a value", err);
    if (condition_compares_text(c)) {
        st = mem_grow(&c->codes, capacity, c->n + 1, sizeof *c->codes, err);
        if (st)
            return st;
        c->codes[c->n] = dict_find(words_of(c, d), t->text, t->text_length);
        if (c->codes[c->n++] == NO_CODE)
            return unknown_text(in, c, words_of(c, d), err);
        return lexer_next(in, err);
    }
    double number = 0;
    int64_t moment = 0;
    bool whole = strlen(t->text) == t->text_length;
    if (is_moment(c) ? !whole || !time_parse(t->text, t->text_length, 0, &moment)
                     : !whole || !text_parse_real(t->text, &number))
        return lexer_expected(in, is_moment(c) ? "a time" : "a number", err);
    st = mem_grow(&c->numbers, capacity, c->n + 1, sizeof *c->numbers, err);
    if (st)
        return st;
    c->numbers[c->n++] = is_moment(c) ? (double)moment : number;
    return lexer_next(in, err);
}

static enum status read_values(struct lexer *in, const struct dataset *d, struct comparison *c, struct error *err)
{
    size_t capacity = 0;
    bool more = true;
    enum status st = lexer_need(in, "(", err);
    while (!st && more) {
        st = read_value(in, d, c, &capacity, err);
        if (!st)
            st = lexer_take(in, ",", &more, err);
    }
    return st ? st : lexer_need(in, ")", err);
}

/* ---- reading: the tree ---- */

static enum status add_node(struct condition *c, struct node n, struct error *err)
{
    if (c->n == MOST_NODES) {
        error_set(err, ST_USAGE, "the condition is too long");
        error_hint(err, "many values of one column: column in ('a', 'b', ...)");
        return ST_USAGE;
    }
    enum status st = mem_grow(&c->node, &c->capacity, c->n + 1, sizeof *c->node, err);
    if (!st)
        c->node[c->n++] = n;
    return st;
}

static enum status read_operator(struct lexer *in, struct comparison *c, bool *list, struct error *err)
{
    static const struct {
        const char *sign;
        enum operator operator;
    } signs[] = {{"=", IN},          {"!=", NOT_IN}, {"<>", NOT_IN},       {"<", LESS},
                 {"<=", LESS_EQUAL}, {">", GREATER}, {">=", GREATER_EQUAL}};
    bool negated = false;
    enum status st = lexer_take(in, "not", &negated, err);
    *list = negated || lexer_sees(in, "in");
    if (st)
        return st;
    c->operator = negated ? NOT_IN : IN;
    if (*list)
        return lexer_need(in, "in", err);
    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++) {
        if (!lexer_sees(in, signs[i].sign))
            continue;
        c->operator = signs[i].operator;
        if (c->operator <= NOT_IN || !condition_compares_text(c))
            return lexer_next(in, err);
        error_set(err, ST_USAGE, "text cannot be compared with %s", signs[i].sign);
        error_span(err, in->token.offset, in->token.length);
        error_hint(err, "text knows =, != and in");
        return ST_USAGE;
    }
    return lexer_expected(in, "a comparison (=, !=, <, <=, >, >=, in)", err);
}

/* Counts are made when somebody asks for them. */
static enum status make_counts(struct condition *c, enum subject subject, struct error *err)
{
    uint32_t **counts = subject == OF_USER_EVENTS ? &c->user_events : &c->item_events;
    size_t n = subject == OF_USER_EVENTS ? c->data->users.n : c->data->items.n;
    if ((subject != OF_USER_EVENTS && subject != OF_ITEM_EVENTS) || *counts)
        return ST_OK;
    *counts = mem_new(n, sizeof **counts, "counts of events", err);
    if (!*counts)
        return ST_NOMEM;
    count_feedback(c->data, c->until, subject == OF_USER_EVENTS ? *counts : NULL,
                   subject == OF_ITEM_EVENTS ? *counts : NULL);
    return ST_OK;
}

static enum status read_comparison(struct lexer *in, struct condition *c, struct error *err)
{
    bool list = false;
    size_t capacity = 0;
    if (in->token.type != TOKEN_WORD && in->token.type != TOKEN_TEXT)
        return lexer_expected(in, "a column", err);
    struct comparison x = {0};
    if (!find_column(c, in->token.text, &x))
        return unknown_column(in, c, err);
    enum status st = make_counts(c, x.subject, err);
    if (!st)
        st = lexer_next(in, err);
    if (!st)
        st = read_operator(in, &x, &list, err);
    if (!st)
        st = list ? read_values(in, c->data, &x, err) : read_value(in, c->data, &x, &capacity, err);
    if (!st)
        st = add_node(c, (struct node){.type = NODE_COMPARISON, .comparison = x}, err);
    if (st) {
        mem_free(x.codes);
        mem_free(x.numbers);
    }
    return st;
}

static enum status read_or(struct lexer *in, struct condition *c, int depth, struct error *err);

static enum status read_not(struct lexer *in, struct condition *c, int depth, struct error *err)
{
    bool found;
    if (depth > DEEPEST) {
        error_set(err, ST_USAGE, "the condition is nested too deeply");
        error_span(err, in->token.offset, in->token.length ? in->token.length : 1);
        return ST_USAGE;
    }
    enum status st = lexer_take(in, "not", &found, err);
    if (!st && found) {
        st = read_not(in, c, depth + 1, err);
        return st ? st : add_node(c, (struct node){.type = NODE_NOT, .left = c->n - 1}, err);
    }
    if (!st)
        st = lexer_take(in, "(", &found, err);
    if (!st && found) {
        st = read_or(in, c, depth + 1, err);
        return st ? st : lexer_need(in, ")", err);
    }
    return st ? st : read_comparison(in, c, err);
}

/* A chain of one kind of link, grouped from the left. */
static enum status read_chain(struct lexer *in, struct condition *c, enum node_type type, int depth, struct error *err)
{
    bool more = true;
    enum status st = type == NODE_OR ? read_chain(in, c, NODE_AND, depth, err) : read_not(in, c, depth, err);
    for (;;) {
        size_t left = c->n - 1;
        if (!st)
            st = lexer_take(in, type == NODE_OR ? "or" : "and", &more, err);
        if (st || !more)
            return st;
        st = type == NODE_OR ? read_chain(in, c, NODE_AND, depth, err) : read_not(in, c, depth, err);
        if (!st)
            st = add_node(c, (struct node){.type = type, .left = left, .right = c->n - 1}, err);
    }
}

static enum status read_or(struct lexer *in, struct condition *c, int depth, struct error *err)
{
    return read_chain(in, c, NODE_OR, depth, err);
}

static enum status parse(struct lexer *in, struct condition like, struct condition **out, struct error *err)
{
    struct condition *c = mem_new(1, sizeof *c, "a condition", err);
    if (!c)
        return ST_NOMEM;
    *c = like;
    enum status st = read_or(in, c, 0, err);
    if (st) {
        condition_free(c);
        return st;
    }
    *out = c;
    return ST_OK;
}

enum status condition_parse(struct lexer *in, const struct dataset *d, struct condition **out, struct error *err)
{
    return parse(in, (struct condition){.data = d}, out, err);
}

static enum status read_whole(const char *text, struct condition like, struct condition **out, struct error *err)
{
    struct lexer in;
    struct condition *c = NULL;
    enum status st = lexer_start(&in, text, strlen(text), err);
    if (!st)
        st = parse(&in, like, &c, err);
    if (!st && in.token.type != TOKEN_END)
        st = lexer_expected(&in, "`and`, `or` or the end", err);
    if (st)
        condition_free(c);
    else
        *out = c;
    return st;
}

enum status condition_read(const char *text, const struct dataset *d, struct condition **out, struct error *err)
{
    return read_whole(text, (struct condition){.data = d, .counted = true, .until = NO_TIME}, out, err);
}

enum status condition_items(const char *text, const struct dataset *d, int64_t until, uint8_t **chosen, size_t *n,
                            struct error *err)
{
    struct condition *c = NULL;
    uint8_t *out = mem_new(d->items.n, sizeof *out, "a choice of items", err);
    enum status st =
        out ? read_whole(text, (struct condition){.data = d, .counted = true, .of_items = true, .until = until}, &c,
                         err)
            : ST_NOMEM;
    *n = 0;
    for (size_t i = 0; i < d->items.n && !st; i++)
        *n += out[i] = condition_holds(c, i);
    condition_free(c);
    if (st)
        mem_free(out);
    else
        *chosen = out;
    return st;
}

void condition_tidy(const char *text, struct str *out)
{
    struct lexer in;
    size_t begin = out->length;
    bool open = true; /* no blank is wanted before the next token */
    enum status st = lexer_start(&in, text, strlen(text), NULL);
    for (; !st && in.token.type != TOKEN_END; st = lexer_next(&in, NULL)) {
        const struct token *t = &in.token;
        bool sign = t->type == TOKEN_SIGN;
        if (!open && !(sign && (*t->text == ')' || *t->text == ',')))
            str_putc(out, ' ');
        if (t->type == TOKEN_TEXT)
            str_putc(out, '\'');
        for (size_t i = 0; i < t->text_length; i++)
            str_append(out, t->type == TOKEN_TEXT && t->text[i] == '\'' ? "''" : &t->text[i],
                       t->type == TOKEN_TEXT && t->text[i] == '\'' ? 2 : 1);
        if (t->type == TOKEN_TEXT)
            str_putc(out, '\'');
        open = sign && *t->text == '(';
    }
    if (st && !out->failed) {
        out->length = begin;
        str_puts(out, text);
    }
}
