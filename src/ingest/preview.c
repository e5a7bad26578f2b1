#include "ingest/preview.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "ingest/sample.h"
#include "store/foreign.h"

void preview_doubt(struct preview *p, const char *format, ...)
{
    va_list args;
    if (p->ndoubts == PREVIEW_DOUBTS)
        return;
    va_start(args, format);
    vsnprintf(p->doubt[p->ndoubts++].text, sizeof p->doubt[0].text, format, args);
    va_end(args);
}

static const char *type_of(const struct look *l)
{
    if (sample_mostly(l->times, l->texts))
        return "time";
    if (l->texts && l->whole == l->texts)
        return "int";
    return l->texts && l->reals == l->texts ? "real" : "text";
}

/* Is the column a function of the role's ids, by rows that have the same id? Constants prove nothing. */
static bool depends(const struct sample *s, uint32_t c, enum role role)
{
    const struct look *key = &s->look[s->roles.column[role]], *l = &s->look[c];
    if (l->levels.n < 2 || key->levels.n < 2 || l->levels.n > key->levels.n)
        return false;
    uint32_t *first = mem_new_raw(key->levels.n, sizeof *first, "a look at columns", NULL);
    enum { ENOUGH = 5 };
    size_t repeats = 0;
    bool holds = first != NULL;
    for (uint32_t k = 0; first && k < key->levels.n; k++)
        first[k] = NO_CODE;
    for (size_t r = 0; r < s->rows && holds; r++) {
        uint32_t k = key->code[r];
        if (k == NO_CODE || l->code[r] == NO_CODE)
            continue;
        repeats += first[k] != NO_CODE;
        holds = first[k] == NO_CODE || first[k] == l->code[r];
        first[k] = l->code[r];
    }
    mem_free(first);
    return holds && repeats >= ENOUGH;
}

/* ---- what is told ---- */

static void put_pair(struct str *out, const char *key, const char *value, void (*quote)(struct str *, const char *))
{
    if (out->length)
        str_putc(out, ' ');
    str_printf(out, "%s=", key);
    quote(out, value);
}

static void tell_column(struct sample *s, uint32_t c, struct str *mapping, void (*quote)(struct str *, const char *))
{
    struct preview_column *p = &s->out->column[c];
    const struct look *l = &s->look[c];
    snprintf(p->name, sizeof p->name, "%s", sample_name(s, c));
    p->type = type_of(l);
    p->by = "";
    p->seen = s->rows;
    p->missing = s->rows - l->texts;
    p->distinct = l->levels.n;
    for (uint32_t k = 0; k < PREVIEW_EXAMPLES && k < l->levels.n; k++)
        snprintf(p->example[k], sizeof p->example[k], "%.*s",
                 (int)text_fit(dict_text(&l->levels, k), dict_length(&l->levels, k), 40), dict_text(&l->levels, k));
    char number[24];
    snprintf(number, sizeof number, "%u", c + 1);
    const char *called = s->t.header ? p->name : number;
    for (int i = 0; i < ROLES; i++) {
        if (s->roles.column[i] != c || (s->out->table && i != ROLE_USER))
            continue;
        snprintf(p->role, sizeof p->role, "%s", s->out->table ? "id" : role_names[i]);
        p->by = s->guessed[i]                         ? "content"
                : ingest_mapped(s->in, role_names[i]) ? "said"
                : s->t.header                         ? "name"
                                                      : "place";
        if (s->guessed[i])
            put_pair(mapping, p->role, called, quote);
    }
    if (p->role[0] || s->out->table || !s->t.header)
        return;
    for (int role = ROLE_USER; role <= ROLE_ITEM; role++)
        if (!text_starts(p->name, role == ROLE_USER ? "item." : "user.") && s->roles.column[role] != NO_CODE &&
            depends(s, c, (enum role)role)) {
            const char *name = sample_name(s, c);
            bool prefixed = text_starts(name, role == ROLE_USER ? "user." : "item.");
            snprintf(p->role, sizeof p->role, "%s.%s", role_names[role], prefixed ? name + 5 : name);
            p->by = "content";
            put_pair(mapping, p->role, called, quote);
            return;
        }
}

static void tell_form(struct sample *s)
{
    const struct dialect *d = &s->t.dialect;
    const char *between = d->delimiter == '\t'  ? "tabs"
                          : d->delimiter == ' ' ? "blanks"
                          : d->delimiter == ',' ? "commas"
                                                : NULL;
    char own[4] = {d->delimiter, d->twice ? d->delimiter : 0, 0, 0};
    const char *encoding = s->converted ? "Latin-1" : s->t.feed->plain ? "ASCII" : "UTF-8";
    if (s->t.json)
        snprintf(s->out->form, sizeof s->out->form, "one JSON object a line, %s", encoding);
    else
        snprintf(s->out->form, sizeof s->out->form, "%s between columns, %s, %s", between ? between : own,
                 s->t.header ? "a header" : "no header", encoding);
}

static void find_doubts(struct sample *s)
{
    struct preview *p = s->out;
    for (uint32_t c = 0; c < s->n && !roles_has(&s->roles, ROLE_TYPE) && !p->table; c++)
        if (!p->column[c].role[0] && s->look[c].reals == 0 && s->look[c].levels.n > 1 &&
            s->look[c].levels.n <= SAMPLE_TYPES && s->rows >= 50) {
            preview_doubt(p, "%s has %u values: type=%s where it says what the user did", sample_name(s, c),
                          s->look[c].levels.n, sample_name(s, c));
            return;
        }
}

static enum status tell_all(struct sample *s, void (*quote)(struct str *, const char *), struct error *err)
{
    struct str mapping = {0};
    struct preview *p = s->out;
    for (size_t i = 0; i < s->in->nmapping; i++)
        put_pair(&mapping, s->in->mapping[i].key, s->in->mapping[i].value, quote);
    tell_form(s);
    p->ncolumns = s->n;
    p->rows = s->rows;
    for (uint32_t c = 0; c < s->n; c++)
        tell_column(s, c, &mapping, quote);
    if (p->table && s->roles.column[ROLE_USER] == NO_CODE)
        put_pair(&mapping, "id", "row", quote);
    if (s->dates)
        put_pair(&mapping, "dates", s->dates, quote);
    s->no_item = !p->table && roles_has(&s->roles, ROLE_USER) && !roles_has(&s->roles, ROLE_ITEM);
    if (s->no_item) {
        put_pair(&mapping, "item", "=item", quote);
        preview_doubt(p, "no column looks like the item: all rows are of one item, \"item\"");
    }
    find_doubts(s);
    snprintf(p->mapping, sizeof p->mapping, "%s", str_text(&mapping));
    enum status st = mapping.failed ? error_nomem(err, mapping.length, "a mapping") : ST_OK;
    str_free(&mapping);
    return st;
}

static uint64_t size_of(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && S_ISREG(info.st_mode) ? (uint64_t)info.st_size : 0;
}

static enum status look_at_file(struct sample *s, const char *path, void (*quote)(struct str *, const char *),
                                struct error *err)
{
    s->out->whole = !s->in->opened->cut;
    size_t window = foreign_mine(path) ? 0 : s->in->opened->end - s->in->opened->at;
    enum status st = ingest_open(s->in, path, NULL, &s->t, err);
    if (st)
        return st;
    st = sample_take(s, err);
    if (!st)
        st = sample_guess(s, path, err);
    if (!st)
        st = tell_all(s, quote, err);
    if (!s->out->whole && s->rows && s->rows < SAMPLE_ROWS && window)
        s->out->rows_guessed = (uint64_t)((double)size_of(path) / (double)window * (double)s->rows);
    for (size_t c = 0; s->look && c < s->n; c++) {
        dict_clear(&s->look[c].levels);
        mem_free(s->look[c].code);
    }
    mem_free(s->look);
    roles_clear(&s->roles);
    ingest_close(s->in, &s->t);
    return st;
}

/* The mapping that is proposed, as keys and values, from what was said and what was guessed. */
static enum status read_head(const struct sample *s, const char *path, struct job *job, struct error *err)
{
    struct preview *p = s->out;
    struct mapping *all = mem_new(s->in->nmapping + p->ncolumns + 2, sizeof *all, "a mapping", err);
    struct error trouble = {0};
    size_t n = 0;
    char (*number)[8] = mem_new(p->ncolumns + 1, sizeof *number, "a mapping", err);
    if (!all || !number) {
        mem_free(all);
        mem_free(number);
        return ST_NOMEM;
    }
    for (size_t i = 0; i < s->in->nmapping; i++)
        all[n++] = s->in->mapping[i];
    for (size_t c = 0; c < p->ncolumns; c++) {
        if (strcmp(p->column[c].by, "content") != 0)
            continue;
        snprintf(number[c], sizeof *number, "%u", (unsigned)(c + 1) % 1000000);
        all[n++] = (struct mapping){p->column[c].role, strstr(p->form, "no header") ? number[c] : p->column[c].name};
    }
    if (s->dates)
        all[n++] = (struct mapping){"dates", s->dates};
    if (s->no_item)
        all[n++] = (struct mapping){"item", "=item"};
    enum status st = ingest_head(path, all, n, job, &p->head, &p->report, &trouble);
    if (st == ST_NOMEM || st == ST_CANCELLED) {
        if (err)
            *err = trouble;
    } else if (st) {
        snprintf(p->trouble, sizeof p->trouble, "%s", trouble.message);
        st = ST_OK;
    }
    mem_free(all);
    mem_free(number);
    return st;
}

enum status ingest_preview(const char *path, const struct mapping *mapping, size_t nmapping,
                           void (*quote)(struct str *out, const char *text), struct job *job, struct preview *out,
                           struct error *err)
{
    enum { HEAD = 64 << 10 };
    memset(out, 0, sizeof *out);
    struct ingest_report scratch = {0};
    struct ingest in = {
        .job = job, .report = &scratch, .mapping = mapping, .nmapping = nmapping, .head = true};
    struct sample s = {.in = &in, .out = out};
    const struct reader *reader = NULL;
    in.data = dataset_new("head", err);
    enum status st = in.data ? ingest_options(&in, true, err) : ST_NOMEM;
    if (!st && !path_is_folder(path)) {
        st = ingest_feed(&in, path, &in.opened, err);
        if (!st) {
            size_t n = in.opened->end - in.opened->at;
            reader = ingest_pick(&in, path, in.opened->data + in.opened->at, n < HEAD ? n : HEAD);
        }
        if (!st && (reader == &reader_csv || reader == &reader_jsonl))
            st = look_at_file(&s, path, quote, err);
    }
    feed_close(in.opened);
    dataset_release(in.data);
    in.opened = NULL;
    if (!st && !out->table)
        st = read_head(&s, path, job, err);
    out->reader = out->head ? out->report.reader : reader ? reader->name : "folder";
    return st;
}
