/* Checks of what the files say: rejected rows, columns, attributes. */
#include <string.h>

#include "base/mem.h"
#include "base/parallel.h"
#include "inspect/audit_parts.h"

/* ---- rejects ---- */

enum { REJECTS_KEPT = 100000 };

static enum status check_rejects(struct audit *a, struct error *err)
{
    const struct dataset *d = a->data;
    (void)err;
    if (!d->rows_rejected)
        return ST_OK;
    double share = (double)d->rows_rejected / (double)d->rows_read;
    struct finding *f = audit_find(a, severity_of(share, .01, .1), "%s of %s rows could not be read (%s)",
                                   COUNT(d->rows_rejected), COUNT(d->rows_read),
                                   SHARE(d->rows_rejected, d->rows_read));
    finding_evidence(f, d->rows_rejected < REJECTS_KEPT ? d->rows_rejected : REJECTS_KEPT,
                     "SELECT file, line, reason, text FROM rejects");
    finding_advice(f, "rejects by=reason");
    return ST_OK;
}

const struct audit_check audit_rejects = {
    .name = "rejects",
    .looks = "rows that could not be read",
    .rule = "info from one row, warning from 1 %, serious from 10 %: a few torn lines are usual, a share of them is a "
            "column or a time format taken wrongly, and then what was read is not a fair sample",
    .fine = "every row was read",
    .run = check_rejects,
};

/* ---- schema ---- */

/* A column of events, items or users, and where SQL finds it. */
struct place {
    const struct field *field;
    const char *table;     /* "events", "items", "users" */
    const char *key;       /* what to show beside it */
    const uint16_t *group; /* rows are judged by group (type of event); NULL: all are one */
    uint32_t groups;
};

/* Is it written with the letters of numbers only? SQL's GLOB '*[^-+.eE0-9]*' says the same, turned round. */
static bool numeric_letters(const char *text)
{
    return strspn(text, "-+.eE0123456789") == strlen(text);
}

/* Numbers: 3, -4.5, 1e6; but not 007, which is an id. */
static bool is_number(const char *text)
{
    double x;
    bool zeros = text[0] == '0' && text[1] >= '0' && text[1] <= '9';
    return !zeros && numeric_letters(text) && text_parse_real(text, &x);
}

/* Has it values like 02139? Then digits are a code there (a post code, a phone), not a number. */
static bool is_code(const struct field *f)
{
    for (uint32_t l = 0; l < f->levels.n; l++) {
        const char *text = dict_text(&f->levels, l);
        if (text[0] == '0' && text[1] && strspn(text, "0123456789") == strlen(text))
            return true;
    }
    return false;
}

/* What a pass over a column counts; a thread has its own. */
struct column_tally {
    uint64_t known, numeric, *known_of_group, *of_group;
    char apart[64];
};

struct column_walk {
    const struct place *place;
    const uint8_t *numeric; /* of a level: 1 number, 2 letters that no number has, 0 neither */
    struct column_tally *tallies;
};

static void walk_column(void *context, size_t block, size_t begin, size_t end)
{
    const struct column_walk *w = context;
    const struct place *p = w->place;
    struct column_tally *t = &w->tallies[parallel_thread()];
    (void)block;
    for (size_t r = begin; r < end; r++) {
        bool known = !field_missing(p->field, r);
        uint32_t group = p->group ? p->group[r] : 0;
        t->of_group[group]++;
        if (!known)
            continue;
        t->known++;
        t->known_of_group[group]++;
        t->numeric += p->field->type == FIELD_TEXT && w->numeric[p->field->code[r]] == 1;
    }
}

struct column_facts {
    uint64_t known, numeric;
    double fullest; /* known share in the group where it is highest */
    uint8_t *kinds; /* of a level, as in column_walk; NULL: no text */
};

static enum status tallies_new(const struct place *p, int n, struct column_tally **out, struct error *err)
{
    struct column_tally *t = mem_new((size_t)n, sizeof *t, "counts of a column", err);
    uint64_t *counts = t ? mem_new((size_t)n * p->groups * 2, sizeof *counts, "counts of a column", err) : NULL;
    if (!counts) {
        mem_free(t);
        return ST_NOMEM;
    }
    for (int i = 0; i < n; i++) {
        t[i].known_of_group = counts + (size_t)i * 2 * p->groups;
        t[i].of_group = t[i].known_of_group + p->groups;
    }
    *out = t;
    return ST_OK;
}

static enum status measure_column(const struct place *p, struct column_facts *out, struct error *err)
{
    enum { ROWS = 1 << 16 };
    int threads = parallel_threads();
    struct column_walk w = {.place = p};
    *out = (struct column_facts){0};
    enum status st = tallies_new(p, threads, &w.tallies, err);
    if (st)
        return st;
    if (p->field->type == FIELD_TEXT) {
        out->kinds = mem_new(p->field->levels.n, 1, "levels of a column", err);
        st = out->kinds ? ST_OK : ST_NOMEM;
        for (uint32_t l = 0; !st && l < p->field->levels.n; l++) {
            const char *text = dict_text(&p->field->levels, l);
            out->kinds[l] = is_number(text) ? 1 : numeric_letters(text) ? 0 : 2;
        }
    }
    w.numeric = out->kinds;
    if (!st)
        parallel_blocks(p->field->n, ROWS, walk_column, &w);
    for (int i = 1; i < threads && !st; i++) {
        w.tallies[0].known += w.tallies[i].known;
        w.tallies[0].numeric += w.tallies[i].numeric;
        for (uint32_t g = 0; g < p->groups; g++) {
            w.tallies[0].known_of_group[g] += w.tallies[i].known_of_group[g];
            w.tallies[0].of_group[g] += w.tallies[i].of_group[g];
        }
    }
    out->known = w.tallies[0].known;
    out->numeric = w.tallies[0].numeric;
    for (uint32_t g = 0; g < p->groups; g++) {
        double share =
            w.tallies[0].of_group[g] ? (double)w.tallies[0].known_of_group[g] / (double)w.tallies[0].of_group[g] : 0;
        out->fullest = share > out->fullest ? share : out->fullest;
    }
    mem_free(w.tallies[0].known_of_group);
    mem_free(w.tallies);
    return st;
}

/* All known cells are the same? */
static bool is_constant(const struct field *f)
{
    size_t first = 0;
    if (f->type == FIELD_LIST)
        return false;
    while (first < f->n && field_missing(f, first))
        first++;
    for (size_t r = first + 1; r < f->n; r++) {
        if (field_missing(f, r))
            continue;
        if (f->type == FIELD_TEXT ? f->code[r] != f->code[first]
            : f->type == FIELD_REAL ? f->real[r] != f->real[first]
                                    : f->integer[r] != f->integer[first])
            return false;
    }
    return first < f->n;
}

/* What is told of all columns together. */
struct schema_lists {
    struct name_list empty, hollow, constant;
};

static void put_mixed(struct audit *a, const struct place *p, const struct column_facts *c)
{
    struct str name = {0};
    struct name_list odd = {0};
    uint64_t rows = 0;
    put_sql_name(&name, p->field->name);
    for (size_t r = 0; r < p->field->n; r++)
        rows += !field_missing(p->field, r) && c->kinds[p->field->code[r]] == 2;
    for (uint32_t l = 0; l < p->field->levels.n; l++)
        if (c->kinds[l] == 2)
            name_list_add(&odd, dict_text(&p->field->levels, l));
    if (rows) {
        struct finding *f = audit_find(a, severity_of((double)rows / (double)c->known, 0, 2),
                                       "column %s of %s is text, but %s of its values are numbers; the others are like "
                                       "%s",
                                       p->field->name, p->table, SHARE(c->numeric, c->known), name_list_words(&odd));
        finding_evidence(f, rows, "SELECT %s, %s FROM %s WHERE %s GLOB '*[^-+.eE0-9]*'", p->key, str_text(&name),
                         p->table, str_text(&name));
    }
    name_list_clear(&odd);
    str_free(&name);
}

static enum status judge_column(struct audit *a, const struct place *p, struct schema_lists *lists, struct error *err)
{
    struct column_facts c;
    enum status st = measure_column(p, &c, err);
    const char *name = p->field->name;
    if (!st && p->field->n >= LEAST_ROWS) {
        if (!c.known)
            name_list_add(&lists->empty, name);
        else if (c.fullest < .05)
            name_list_add(&lists->hollow, name);
        else if (c.fullest == 1 && is_constant(p->field))
            name_list_add(&lists->constant, name);
        if (c.known >= LEAST_ROWS && c.numeric < c.known && (double)c.numeric >= .8 * (double)c.known &&
            !is_code(p->field))
            put_mixed(a, p, &c);
    }
    mem_free(c.kinds);
    return st;
}

static void say_columns(struct audit *a, struct name_list *l, const char *one, const char *many)
{
    bool several = l->n > 1;
    if (l->n)
        audit_find(a, SEVERITY_INFO, "%s %s %s", several ? "columns" : "column", name_list_words(l),
                   several ? many : one);
}

static enum status check_schema(struct audit *a, struct error *err)
{
    const struct dataset *d = a->data;
    struct schema_lists lists = {0};
    enum status st = ST_OK;
    struct {
        const struct fields *set;
        struct place place;
    } sets[] = {{&d->events.context, {NULL, "events", "event", d->events.type, d->types.n}},
                {&d->item_fields, {NULL, "items", "item", NULL, 1}},
                {&d->user_fields, {NULL, "users", "user", NULL, 1}}};
    for (size_t s = 0; s < sizeof sets / sizeof *sets; s++) {
        for (size_t i = 0; i < sets[s].set->n && !st; i++) {
            sets[s].place.field = &sets[s].set->field[i];
            st = judge_column(a, &sets[s].place, &lists, err);
            if (!st)
                st = job_check(a->job, err);
        }
    }
    say_columns(a, &lists.empty, "is empty", "are empty");
    say_columns(a, &lists.hollow, "is known in less than 5 % of its rows", "are known in less than 5 % of their rows");
    say_columns(a, &lists.constant, "has one value only", "have one value only");
    name_list_clear(&lists.empty);
    name_list_clear(&lists.hollow);
    name_list_clear(&lists.constant);
    return st;
}

const struct audit_check audit_schema = {
    .name = "schema",
    .looks = "columns that are empty, have one value only, or mix numbers with text",
    .rule = "warning where 80 % or more of a text column are numbers and the rest has letters no number has: the "
            "column cannot be compared or averaged (not where some begin with 0: those are codes). Info where a column "
            "is known in under 5 % of its rows (of events: in no type more often; a price that only purchases have is "
            "none such) or never changes. Columns of under 20 rows are not judged",
    .fine = "columns are filled, and of one kind each",
    .run = check_schema,
};

/* ---- attributes ---- */

static uint64_t bare_rows(const struct fields *set, size_t row_count, const uint32_t *events, const size_t *begin,
                          uint64_t *idle)
{
    uint64_t bare = 0;
    *idle = 0;
    for (size_t r = 0; r < row_count; r++) {
        bool known = false, active = events ? events[r] > 0 : begin[r + 1] > begin[r];
        for (size_t i = 0; i < set->n && !known; i++)
            known = !field_missing(&set->field[i], r);
        bare += active && !known;
        *idle += known && !active;
    }
    return bare;
}

static void judge_attributes(struct audit *a, bool items)
{
    const struct dataset *d = a->data;
    const struct fields *set = items ? &d->item_fields : &d->user_fields;
    const char *what = items ? "items" : "users", *one = items ? "item" : "user";
    uint64_t active = items ? a->facts->items : a->facts->users, idle;
    uint64_t bare =
        bare_rows(set, items ? d->items.n : d->users.n, items ? a->facts->item_events : NULL, d->user_begin, &idle);
    struct str none = {0};
    for (size_t i = 0; i < set->n; i++) {
        struct str name = {0};
        put_sql_name(&name, set->field[i].name);
        if (items && strcmp(set->field[i].name, "title") == 0)
            str_puts(&none, " AND title = item"); /* the table shows the id where there is no title */
        else
            str_printf(&none, " AND %s IS NULL", str_text(&name));
        str_free(&name);
    }
    if (bare) {
        struct finding *f =
            audit_find(a, severity_of((double)bare / (double)active, .05, .5),
                       "%s %s%s with events %s no attributes (%s)", COUNT(bare), one, bare == 1 ? "" : "s",
                       bare == 1 ? "has" : "have", SHARE(bare, active));
        finding_evidence(f, bare, "SELECT * FROM %s WHERE events > 0%s", what, str_text(&none));
    }
    if (idle) {
        struct finding *f = audit_find(a, SEVERITY_INFO, "%s %s%s %s attributes but no event: %s", COUNT(idle), one,
                                       idle == 1 ? "" : "s", idle == 1 ? "has" : "have",
                                       !items      ? "they are cold"
                                       : idle == 1 ? "only models that know attributes can recommend it"
                                                   : "only models that know attributes can recommend them");
        finding_evidence(f, idle, "SELECT * FROM %s WHERE events = 0", what);
    }
    str_free(&none);
}

static enum status check_attributes(struct audit *a, struct error *err)
{
    const struct dataset *d = a->data;
    (void)err;
    if (d->item_fields.n)
        judge_attributes(a, true);
    if (d->user_fields.n)
        judge_attributes(a, false);
    if (!d->item_fields.n && !d->user_fields.n) {
        struct finding *f = audit_find(a, SEVERITY_OK, "there are no attributes of items or users: lists show ids");
        finding_advice(f, "load items FILE");
    }
    return ST_OK;
}

const struct audit_check audit_attributes = {
    .name = "attributes",
    .looks = "items and users with events but no attributes, and the reverse",
    .rule = "info from one, warning from 5 % of those with events, serious from half: then the keys of the two files "
            "do not match (42 and 42.0, 007 and 7). Attributes without events are info: a catalogue is larger than "
            "what sells",
    .fine = "every item and user with events has its attributes",
    .needs = NEED_COUNTS,
    .run = check_attributes,
};
