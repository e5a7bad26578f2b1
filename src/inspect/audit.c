#include "inspect/audit_parts.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

const char *const severity_names[SEVERITIES] = {"ok", "info", "warning", "serious"};

#define ENTRY(name) &audit_##name,
const struct audit_check *const audit_checks[] = {AUDIT_CHECKS(ENTRY) NULL};
#undef ENTRY

const char audit_grade_rule[] =
    "Each check counts once, by the worst it found: A no warning, B one or two warnings, C more, D something serious, "
    "E two serious checks, F three or more. Infos do not count: they are properties to know, not faults.";

/* ---- words ---- */

struct shown count_of(uint64_t n)
{
    struct shown s;
    text_count(s.text, sizeof s.text, (int64_t)n);
    return s;
}

/* As many digits as the size asks for, and never "0 %" or "100 %" of what is not quite that. */
struct shown share_of(double part, double whole)
{
    struct shown s;
    double percent = whole > 0 ? 100 * part / whole : 0;
    int digits = percent >= 99.95 && percent < 100  ? 3
                 : percent >= 99 && percent < 99.95 ? 1
                 : percent >= 10                    ? 0
                 : percent >= .095                  ? 1
                                                    : 3;
    if (percent > 0 && percent < .001)
        snprintf(s.text, sizeof s.text, "under .001 %%");
    else if (percent == 0)
        snprintf(s.text, sizeof s.text, "0 %%");
    else
        snprintf(s.text, sizeof s.text, "%.*f %%", digits, percent);
    return s;
}

struct shown day_of(int64_t us)
{
    struct shown s;
    char text[40];
    time_iso(text, sizeof text, us);
    snprintf(s.text, sizeof s.text, "%.*s", (int)strcspn(text, "T"), text);
    return s;
}

struct shown time_of(int64_t us)
{
    struct shown s;
    char text[40];
    time_iso(text, sizeof text, us);
    snprintf(s.text, sizeof s.text, "%.31s", text);
    return s;
}

static void put_quoted(struct str *out, const char *text, char quote)
{
    str_putc(out, quote);
    for (; *text; text++) {
        str_putc(out, *text);
        if (*text == quote)
            str_putc(out, quote);
    }
    str_putc(out, quote);
}

void put_sql_text(struct str *out, const char *text)
{
    put_quoted(out, text, '\'');
}

void put_sql_name(struct str *out, const char *name)
{
    put_quoted(out, name, '"');
}

void put_feedback_types(struct str *out, const struct dataset *d)
{
    size_t n = 0;
    str_putc(out, '(');
    for (uint32_t t = 0; t < d->types.n; t++) {
        if (!(d->type_weight[t] > 0))
            continue;
        str_puts(out, n++ ? ", " : "");
        put_sql_text(out, dict_text(&d->types, t));
    }
    str_putc(out, ')');
}

void name_list_add(struct name_list *l, const char *name)
{
    if (l->n < NAMES_SHOWN)
        str_printf(&l->words, "%s%s", l->n ? ", " : "", name);
    if (l->n < LITERALS_MOST) {
        str_puts(&l->literals, l->n ? ", " : "");
        put_sql_text(&l->literals, name);
    }
    l->n++;
}

const char *name_list_words(struct name_list *l)
{
    if (l->n > NAMES_SHOWN)
        str_printf(&l->words, " and %s more", COUNT(l->n - NAMES_SHOWN));
    return str_text(&l->words);
}

void name_list_clear(struct name_list *l)
{
    str_free(&l->words);
    str_free(&l->literals);
    *l = (struct name_list){0};
}

/* ---- findings ---- */

static void put_format(struct str *out, const char *format, va_list args)
{
    va_list again;
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, again);
    va_end(again);
    char *text = n < 0 ? NULL : mem_new_raw((size_t)n + 1, 1, "a finding", NULL);
    if (!text) {
        out->failed = true;
        return;
    }
    vsnprintf(text, (size_t)n + 1, format, args);
    str_puts(out, text);
    mem_free(text);
}

struct finding *audit_find(struct audit *a, enum severity severity, const char *format, ...)
{
    va_list args;
    if (a->nfindings == MOST_FINDINGS)
        return &a->findings[MOST_FINDINGS - 1];
    struct finding *f = &a->findings[a->nfindings++];
    *f = (struct finding){.check = a->check, .severity = severity};
    va_start(args, format);
    put_format(&f->text, format, args);
    va_end(args);
    return f;
}

void finding_evidence(struct finding *f, uint64_t rows, const char *format, ...)
{
    va_list args;
    f->rows = rows;
    va_start(args, format);
    put_format(&f->evidence, format, args);
    va_end(args);
}

void finding_advice(struct finding *f, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    put_format(&f->advice, format, args);
    va_end(args);
}

enum severity severity_of(double share, double warning, double serious)
{
    return share >= serious ? SEVERITY_SERIOUS : share >= warning ? SEVERITY_WARNING : SEVERITY_INFO;
}

/* ---- the run ---- */

static enum status find_check(const char *only, const struct audit_check **out, struct error *err)
{
    const char *names[64];
    size_t n = 0;
    *out = NULL;
    for (; only && audit_checks[n]; n++) {
        names[n] = audit_checks[n]->name;
        if (text_same(only, names[n]))
            *out = audit_checks[n];
    }
    if (!only || *out)
        return ST_OK;
    const char *near = text_nearest(only, names, n);
    error_set(err, ST_NOT_FOUND, "there is no check \"%s\"", only);
    error_hint(err, near ? "did you mean check=%s?" : "`help audit` lists the checks", near);
    return ST_NOT_FOUND;
}

static enum status run_check(struct audit *a, const struct audit_check *c, struct error *err)
{
    size_t before = a->nfindings;
    enum severity worst = SEVERITY_OK;
    a->check = c;
    enum status st = c->run(a, err);
    if (!st)
        st = job_check(a->job, err);
    if (st)
        return st;
    if (a->nfindings == before)
        audit_find(a, SEVERITY_OK, "%s", c->fine);
    for (size_t i = before; i < a->nfindings; i++) {
        const struct finding *f = &a->findings[i];
        a->failed |= f->text.failed || f->evidence.failed || f->advice.failed;
        worst = f->severity > worst ? f->severity : worst;
    }
    a->checks++;
    a->worst[worst]++;
    job_step(a->job, 1);
    return ST_OK;
}

static char grade_of(const struct audit *a)
{
    size_t serious = a->worst[SEVERITY_SERIOUS], warnings = a->worst[SEVERITY_WARNING];
    if (serious)
        return serious == 1 ? 'D' : serious == 2 ? 'E' : 'F';
    return warnings == 0 ? 'A' : warnings <= 2 ? 'B' : 'C';
}

/* Worst first; else in the order of the checks. Few, so the plain way, which is stable. */
static void sort_findings(struct audit *a)
{
    for (size_t i = 1; i < a->nfindings; i++) {
        struct finding f = a->findings[i];
        size_t j = i;
        for (; j > 0 && a->findings[j - 1].severity < f.severity; j--)
            a->findings[j] = a->findings[j - 1];
        a->findings[j] = f;
    }
}

enum status audit_run(const struct dataset *d, const struct split *split, const char *only, int64_t now,
                      struct job *job, struct audit *out, struct error *err)
{
    const struct audit_check *one;
    unsigned needs = 0;
    *out = (struct audit){.data = d, .split = split, .now = now, .job = job};
    enum status st = find_check(only, &one, err);
    if (st)
        return st;
    for (size_t i = 0; audit_checks[i]; i++)
        needs |= !one || one == audit_checks[i] ? audit_checks[i]->needs : 0;
    out->findings = mem_new(MOST_FINDINGS, sizeof *out->findings, "findings", err);
    st = out->findings ? audit_gather(out, needs, err) : ST_NOMEM;
    if (!st)
        job_begin(job, 0, "checks", "audit: checks");
    for (size_t i = 0; audit_checks[i] && !st; i++)
        if (!one || one == audit_checks[i])
            st = run_check(out, audit_checks[i], err);
    if (!st && out->failed)
        st = error_nomem(err, 4096, "the findings of the audit");
    out->grade = grade_of(out);
    sort_findings(out);
    return st;
}

void audit_clear(struct audit *a)
{
    for (size_t i = 0; i < a->nfindings; i++) {
        str_free(&a->findings[i].text);
        str_free(&a->findings[i].evidence);
        str_free(&a->findings[i].advice);
    }
    mem_free(a->findings);
    audit_facts_free(a->facts);
    *a = (struct audit){0};
}
