/* What xBestIndex says: which constraints a table takes over and what that costs. Functions need their arguments: a
 * plan without them is refused. */
#include <math.h>

#include "base/mem.h"
#include "base/text.h"
#include "store/virtual_parts.h"

/* A plan being made. */
struct choice {
    sqlite3_index_info *info;
    struct vtab *tab;
    struct plan *plan;
    double rows, touched;
    uint64_t arguments; /* given */
    struct error *err;
};

static char operator_of(unsigned char op)
{
    switch (op) {
    case SQLITE_INDEX_CONSTRAINT_EQ:
        return '=';
    case SQLITE_INDEX_CONSTRAINT_LT:
        return '<';
    case SQLITE_INDEX_CONSTRAINT_LE:
        return 'l';
    case SQLITE_INDEX_CONSTRAINT_GT:
        return '>';
    case SQLITE_INDEX_CONSTRAINT_GE:
        return 'g';
    default:
        return 0;
    }
}

/* Is the comparison the one that the column makes by itself? */
static bool plain_collation(const struct choice *p, int i, enum sql_type type)
{
    const char *name = sqlite3_vtab_collation(p->info, i);
    if (type == SQL_INT || type == SQL_REAL)
        return true;
    return sqlite3_stricmp(name, type == SQL_TIME ? MOMENT_COLLATION : "BINARY") == 0;
}

static void estimate(struct choice *p, const struct sql_column *c, char op, bool in)
{
    double all = p->tab->module->table->rows(p->tab->module->space->scope->context, p->tab->module->table),
           share = op == '=' ? c->share : 1.0 / 4;
    if (share <= 0)
        share = op == '=' ? .1 : 1.0 / 4;
    if (in)
        share = fmin(share * 8, .5);
    p->rows *= share;
    if (c->flags & SQL_SEEK && p->touched > all * share)
        p->touched = all * share;
}

static enum status add_test(struct plan *plan, const char *name, struct planned t, struct error *err)
{
    enum status st = mem_grow(&plan->tests, &plan->capacity, plan->n + 1, sizeof *plan->tests, err);
    if (st)
        return st;
    str_printf(&plan->text, "%s%s", plan->n ? ", " : "", name);
    str_printf(&plan->text, t.in ? " in" : " %c%s",
               t.op == 'l'   ? '<'
               : t.op == 'g' ? '>'
                             : t.op,
               t.op == 'l' || t.op == 'g' ? "=" : "");
    plan->tests[plan->n++] = t;
    return plan->text.failed ? error_nomem(err, plan->text.length, "a plan") : ST_OK;
}

/* Takes over constraint i if its column can. */
static enum status take(struct choice *p, int i)
{
    const struct sqlite3_index_constraint *k = &p->info->aConstraint[i];
    char op = operator_of(k->op);
    if (!k->usable || !op || k->iColumn < 0 || (size_t)k->iColumn >= p->tab->columns.n)
        return ST_OK;
    const struct sql_column *c = &p->tab->columns.column[k->iColumn];
    bool argument = c->flags & SQL_ARGUMENT;
    if (!(c->flags & (SQL_PUSH | SQL_ARGUMENT)) || (c->type == SQL_TEXT && op != '=') || (argument && op != '='))
        return ST_OK;
    if (argument && (p->arguments >> k->iColumn & 1))
        return ST_OK;
    if (!argument && !plain_collation(p, i, c->type))
        return ST_OK;
    sqlite3_value *literal = NULL;
    bool in = !argument && c->type == SQL_TEXT && sqlite3_vtab_in(p->info, i, 1);
    bool known = sqlite3_vtab_rhs_value(p->info, i, &literal) == SQLITE_OK && literal;
    enum status st =
        add_test(p->plan, c->name, (struct planned){(size_t)k->iColumn, op, in, known || argument}, p->err);
    if (st)
        return st;
    p->info->aConstraintUsage[i].argvIndex = (int)p->plan->n;
    p->info->aConstraintUsage[i].omit = argument || c->type != SQL_TEXT || known || in || p->tab->module->counting;
    if (argument)
        p->arguments |= UINT64_C(1) << k->iColumn;
    else
        estimate(p, c, op, in);
    return ST_OK;
}

/* A function without an argument that it needs: SQLITE_CONSTRAINT when another plan may have it, else an error. */
static int check_arguments(const struct choice *p)
{
    for (size_t i = 0; i < p->tab->columns.n; i++) {
        const struct sql_column *c = &p->tab->columns.column[i];
        bool later = false;
        if (!(c->flags & SQL_ARGUMENT) || (p->arguments >> i & 1))
            continue;
        for (int j = 0; j < p->info->nConstraint; j++)
            later |=
                p->info->aConstraint[j].iColumn == (int)i && p->info->aConstraint[j].op == SQLITE_INDEX_CONSTRAINT_EQ;
        if (later)
            return SQLITE_CONSTRAINT;
        if (!(c->flags & SQL_OPTIONAL)) {
            struct error err = {0};
            const struct sql_table *t = p->tab->module->table;
            error_set(&err, ST_USAGE, "%s() needs %s", t->name, c->name);
            error_hint(&err, "`describe %s` shows how it is called", t->name);
            return virtual_fail(p->tab->module->space, &p->tab->base, ST_USAGE, &err);
        }
    }
    return SQLITE_OK;
}

static struct plan *new_plan(struct vtab *tab, struct error *err)
{
    if (mem_grow(&tab->plans, &tab->capacity, tab->nplans + 1, sizeof *tab->plans, err))
        return NULL;
    tab->plans[tab->nplans] = (struct plan){0};
    return &tab->plans[tab->nplans++];
}

int virtual_best_index(sqlite3_vtab *base, sqlite3_index_info *info)
{
    struct vtab *tab = (struct vtab *)base;
    struct virtual_space *space = tab->module->space;
    const struct sql_table *t = tab->module->table;
    struct error err = {0};
    struct choice p = {
        .info = info, .tab = tab, .rows = t->rows(space->scope->context, t), .plan = new_plan(tab, &err), .err = &err};
    enum status st = p.plan ? ST_OK : ST_NOMEM;
    p.touched = p.rows;
    for (int i = 0; i < info->nConstraint && !st; i++)
        st = take(&p, i);
    if (st)
        return virtual_fail(space, base, st, &err);
    p.plan->used = info->colUsed;
    info->idxNum = (int)tab->nplans - 1;
    info->idxStr = p.plan->text.data; /* stays the plan's, which lives as long as the table */
    /* A row that is tested costs a nanosecond or two, one that is handed over a hundred; a call of a function much
     * more. */
    double rows = fmax(p.rows, 1);
    info->estimatedRows = (sqlite3_int64)fmin(rows, 1e15);
    info->estimatedCost = (t->function ? 1e5 : 10) + rows + p.touched / 64;
    return check_arguments(&p);
}

void virtual_forget_plans(struct vtab *tab)
{
    for (size_t i = 0; i < tab->nplans; i++) {
        mem_free(tab->plans[i].tests);
        str_free(&tab->plans[i].text);
    }
    mem_free(tab->plans);
}
