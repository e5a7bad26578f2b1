/* audit: what is odd about the data, before any model sees it. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "commands/families.h"
#include "commands/grade.h"
#include "inspect/audit.h"

/* ---- what is shown ---- */

static void put_grade(const struct audit *a, struct result *out)
{
    static const struct column columns[] = {
        {.name = "dataset", .type = VALUE_TEXT},         {.name = "grade", .type = VALUE_TEXT},
        {.name = "serious", .type = VALUE_INT},          {.name = "warnings", .type = VALUE_INT},
        {.name = "infos", .type = VALUE_INT},            {.name = "passed", .type = VALUE_INT},
        {.name = "checks", .type = VALUE_INT},
    };
    struct table *t = result_table(out, "grade", "", columns, sizeof columns / sizeof *columns);
    char grade[2] = {a->grade, 0};
    table_text(t, a->data->name);
    table_text(t, grade);
    for (int s = SEVERITY_SERIOUS; s >= SEVERITY_OK; s--)
        table_int(t, (int64_t)a->worst[s]);
    table_int(t, (int64_t)a->checks);
}

static const char *or_null(const struct str *s)
{
    return s->length ? str_text(s) : NULL;
}

static void put_findings(const struct audit *a, bool all, struct result *out)
{
    static const struct column columns[] = {
        {.name = "severity", .type = VALUE_TEXT},
        {.name = "check", .type = VALUE_TEXT},
        {.name = "finding", .type = VALUE_TEXT, .flags = COLUMN_WRAP},
        {.name = "rows", .type = VALUE_INT, .flags = COLUMN_HIDDEN},
        {.name = "evidence", .type = VALUE_TEXT, .flags = COLUMN_HIDDEN},
        {.name = "advice", .type = VALUE_TEXT, .flags = COLUMN_WRAP},
    };
    struct table *t = result_table(out, "findings", "", columns, sizeof columns / sizeof *columns);
    for (size_t i = 0; i < a->nfindings; i++) {
        const struct finding *f = &a->findings[i];
        if (f->severity == SEVERITY_OK && !all)
            continue;
        table_text(t, severity_names[f->severity]);
        table_text(t, f->check->name);
        table_str(t, &f->text);
        if (f->evidence.length)
            table_int(t, (int64_t)f->rows);
        else
            table_null(t);
        table_text(t, or_null(&f->evidence));
        table_text(t, or_null(&f->advice));
    }
}

/* For people who look at one check: the queries, and why it judges so. The programs have the queries with the findings.
 */
static void put_words(const struct audit *a, struct result *out)
{
    char rows[32];
    for (size_t i = 0; i < a->nfindings; i++) {
        if (!a->findings[i].evidence.length)
            continue;
        text_count(rows, sizeof rows, (int64_t)a->findings[i].rows);
        result_message(out, MESSAGE_INFO, "%s row%s: %s", rows, a->findings[i].rows == 1 ? "" : "s",
                       result_str(out, &a->findings[i].evidence));
    }
    result_message(out, MESSAGE_INFO, "rule of %s: %s", a->findings[0].check->name, a->findings[0].check->rule);
}

/* ---- the command ---- */

static enum status run_audit(struct workbench *wb, const struct call *call, struct result *out, struct error *err)
{
    const char *only = call_text(call, "check");
    struct dataset *d = workbench_data(wb);
    struct split *split = workbench_split(wb);
    struct audit a;
    enum status st = audit_run(d, split, only, clock_now_us(), &wb->job, &a, err);
    if (st == ST_NOT_FOUND)
        error_at_option(st, err, call, "check");
    if (!st && !only)
        st = grade_keep(wb, &a, err);
    if (!st) {
        bool all = only || call_yes(call, "all");
        if (!only)
            put_grade(&a, out);
        put_findings(&a, all, out);
        if (only)
            put_words(&a, out);
        else
            result_message(out, MESSAGE_HINT, "`audit check=NAME` has the query that shows the rows, and the rule%s",
                           all ? "" : "; all=yes what passed");
        if (call_yes(call, "all") && !only)
            result_message(out, MESSAGE_INFO, "%s", audit_grade_rule);
    }
    audit_clear(&a);
    split_release(split);
    dataset_release(d);
    return st;
}

static void more_help(struct result *out)
{
    static const struct column columns[] = {{.name = "text", .type = VALUE_TEXT}};
    struct table *t = result_table(out, "checks", "Checks, and their rules", columns, 1);
    t->prose = true;
    for (size_t i = 0; audit_checks[i]; i++)
        table_textf(t, "%s: %s. Rule: %s.", audit_checks[i]->name, audit_checks[i]->looks, audit_checks[i]->rule);
}

#define WORD(name) "|" #name
static const struct param options[] = {
    {.name = "check",
     .type = PARAM_TEXT,
     .choices = &(AUDIT_CHECKS(WORD))[1],
     .doc = "this one only, with its queries and its rule"},
    {.name = "all", .type = PARAM_BOOL, .initial = "no", .doc = "also what passed"},
};

static const struct command rows[] = {
    {.name = "audit",
     .group = "explore",
     .summary = "grade the data before any model sees it",
     .options = options,
     .noptions = sizeof options / sizeof *options,
     .flags = COMMAND_NEEDS_DATA | COMMAND_TIMELESS,
     .help = "Looks for what misleads models: broken rows and columns, ids and clocks, copies and bots, holes and "
             "leaks. Each finding has a severity, numbers, a query that shows the rows (in json and csv, or with "
             "check=) and, where there is one, the command that mends it. Nothing is changed.\n"
             "The grade: each check counts once, by the worst it found. A no warning, B one or two warnings, C more, D "
             "something serious, E two serious checks, F three or more. Infos do not count: they are properties to "
             "know, not faults.",
     .examples = (const char *const[]){"audit", "audit check=clock", "audit all=yes", NULL},
     .more_help = more_help,
     .run = run_audit},
};

const struct command_family audit_commands = {rows, sizeof rows / sizeof *rows};
