#include "commands/pinned.h"

#include <string.h>

#include "base/mem.h"
#include "base/text.h"

#define LISTED(name) &table_##name,
static const struct sql_table *const tables[] = {SQL_TABLES(LISTED)};
#undef LISTED
#define LISTED(name) &function_##name,
static const struct sql_function *const functions[] = {SQL_FUNCTIONS(LISTED)};

const struct sql_table *sql_table_at(size_t i)
{
    return i < sizeof tables / sizeof *tables ? tables[i] : NULL;
}

const struct sql_function *sql_function_at(size_t i)
{
    return i < sizeof functions / sizeof *functions ? functions[i] : NULL;
}

static enum status pin_models(struct workbench *wb, struct pinned *p, struct error *err)
{
    enum status st = ST_OK;
    pthread_mutex_lock(&wb->lock);
    p->models = mem_new(wb->nmodels, sizeof(struct model *), "a list of models", err);
    p->foresaw = mem_new(wb->nmodels, sizeof *p->foresaw, "a list of models", err);
    if (!p->models || !p->foresaw)
        st = ST_NOMEM;
    for (size_t i = 0; !st && i < wb->nmodels; i++)
        p->models[p->nmodels++] = model_hold(wb->models[i]);
    pthread_mutex_unlock(&wb->lock);
    return st;
}

enum status pinned_new(struct workbench *wb, struct pinned **out, struct error *err)
{
    struct pinned *p = mem_new(1, sizeof *p, "a statement", err);
    if (!p)
        return ST_NOMEM;
    p->wb = wb;
    p->now = wb->now;
    p->seen = wb->hide_seen ? SEEN_HIDE : SEEN_SHOW;
    p->data = workbench_data(wb);
    p->split = workbench_split(wb);
    enum status st = pin_models(wb, p, err);
    if (st)
        pinned_free(p);
    else
        *out = p;
    return st;
}

void pinned_free(struct pinned *p)
{
    if (!p)
        return;
    for (size_t i = 0; i < p->nmodels; i++)
        model_release(p->models[i]);
    mem_free(p->models);
    mem_free(p->foresaw);
    mem_free(p->scores);
    mem_free(p->scored_user);
    split_release(p->split);
    dataset_release(p->data);
    mem_free(p);
}

void pinned_foresaw(struct pinned *p, const struct model *m, int64_t moment)
{
    for (size_t i = 0; i < p->nmodels; i++)
        if (p->models[i] == m && model_sees_future(m, moment))
            p->foresaw[i] = 1;
}

enum status pinned_need_data(const struct pinned *p, const char *what, struct error *err)
{
    if (p->data)
        return ST_OK;
    error_set(err, ST_STATE, "%s needs data, and none is loaded", what);
    error_hint(err, "`load FILE`, or `load shop` for the bundled shop");
    return ST_STATE;
}

static const char *variable(void *context, const char *name)
{
    return workbench_setting(((struct pinned *)context)->wb, name);
}

struct sql_scope pinned_scope(struct pinned *p)
{
    return (struct sql_scope){.tables = tables,
                              .ntables = sizeof tables / sizeof *tables,
                              .functions = functions,
                              .nfunctions = sizeof functions / sizeof *functions,
                              .context = p,
                              .variable = variable,
                              .job = &p->wb->job};
}

/* ---- attributes ---- */

enum status add_fields(struct sql_columns *out, const struct fields *set, unsigned flags, const char *doc,
                       struct error *err)
{
    static const enum sql_type types[] = {[FIELD_TEXT] = SQL_TEXT,
                                          [FIELD_LIST] = SQL_TEXT,
                                          [FIELD_REAL] = SQL_REAL,
                                          [FIELD_INT] = SQL_INT,
                                          [FIELD_TIME] = SQL_TIME};
    enum status st = ST_OK;
    for (size_t i = 0; i < set->n && out->n < MOST_COLUMNS && !st; i++) {
        const struct field *f = &set->field[i];
        double share = f->type == FIELD_TEXT ? 1 / ((double)f->levels.n + 1) : 0;
        st = sql_columns_add(out, f->name, types[f->type], f->type == FIELD_LIST ? 0 : flags, share, doc, err);
    }
    return st;
}

void put_field(struct sql_cell *cell, const struct field *f, size_t row)
{
    if (field_missing(f, row))
        return;
    switch (f->type) {
    case FIELD_TEXT:
        sql_put_fixed(cell, dict_text(&f->levels, f->code[row]), dict_length(&f->levels, f->code[row]));
        break;
    case FIELD_LIST: {
        struct str text = {0};
        field_format(f, row, &text);
        sql_put_text(cell, str_text(&text), text.length);
        str_free(&text);
        break;
    }
    case FIELD_REAL:
        sql_put_real(cell, f->real[row]);
        break;
    case FIELD_INT:
        sql_put_int(cell, f->integer[row]);
        break;
    case FIELD_TIME:
        sql_put_time(cell, f->integer[row]);
        break;
    }
}
