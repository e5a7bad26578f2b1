/* `compare check=`: does what was found hold where evaluations are known to deceive? */
#include <string.h>

#include "base/mem.h"
#include "commands/compare.h"
#include "eval/model_checks.h"

static const double long_run = 20; /* seconds of training that are told before */

static const struct model_check *find_check(const char *name, size_t n)
{
    for (const struct model_check *c = model_checks; c->name; c++)
        if (strlen(c->name) == n && strncmp(c->name, name, n) == 0)
            return c;
    return NULL;
}

static bool wanted(const char *which, const char *check)
{
    if (strcmp(which, "all") == 0)
        return true;
    for (size_t n; *which; which += n + (which[n] == ',')) {
        n = strcspn(which, ",");
        if (strlen(check) == n && strncmp(which, check, n) == 0)
            return true;
    }
    return false;
}

static enum status no_such_check(const char *name, size_t n, const struct call *call, struct error *err)
{
    struct str all = {0};
    for (const struct model_check *c = model_checks; c->name; c++)
        str_printf(&all, "%s%s", all.length ? "," : "", c->name);
    error_set(err, ST_USAGE, "there is no check \"%.*s\"", (int)n, name);
    error_hint(err, "check=all, or those that are wanted: check=%s", str_text(&all));
    str_free(&all);
    return error_at_option(ST_USAGE, err, call, "check");
}

enum status compare_read_checks(const struct call *call, struct error *err)
{
    const char *which = call_text(call, "check");
    if (!which || strcmp(which, "all") == 0)
        return ST_OK;
    for (size_t n; *which; which += n + (which[n] == ',')) {
        n = strcspn(which, ",");
        if (find_check(which, n))
            continue;
        return no_such_check(which, n, call, err);
    }
    return ST_OK;
}

static void put_findings(const struct model_checks *k, struct result *out)
{
    static const char *const verdict[] = {
        [CHECK_HOLDS] = "holds", [CHECK_DOUBT] = "doubt", [CHECK_NOTHING] = "not checked"};
    static const struct column columns[] = {
        {.name = "check", .type = VALUE_TEXT},
        {.name = "model", .type = VALUE_TEXT},
        {.name = "verdict", .type = VALUE_TEXT},
        {.name = "evidence", .type = VALUE_TEXT, .flags = COLUMN_WRAP},
    };
    struct table *t = result_table(out, "checks", result_textf(out, "does it hold? by %s", k->c->measures[0].at.name),
                                   columns, sizeof columns / sizeof *columns);
    for (size_t i = 0; i < k->n; i++) {
        const struct check_finding *f = &k->findings[i];
        table_text(t, f->check);
        table_text(t, f->model);
        table_text(t, verdict[f->verdict]);
        table_text(t, f->evidence);
    }
}

enum status compare_put_checks(struct compare *c, const struct call *call, struct result *out, struct error *err)
{
    const char *which = call_text(call, "check");
    struct model_checks k = {.d = c->d,
                             .s = c->s,
                             .c = &c->comparison,
                             .models = c->models,
                             .seeds = (size_t)call_int(call, "seeds"),
                             .job = &c->wb->job};
    double seconds = 0;
    enum status st = ST_OK;
    if (!which)
        return ST_OK;
    if (!c->judge.set)
        st = test_set_new(c->d, c->s, &c->judge.protocol, &c->judge.set, err);
    k.set = c->judge.set;
    for (const struct model_check *check = model_checks; check->name; check++)
        seconds += wanted(which, check->name) ? model_checks_take(&k, check) : 0;
    if (seconds > long_run) {
        char about[32];
        text_duration(about, sizeof about, seconds);
        result_message(out, MESSAGE_HINT, "these checks trained for about %s: check=sampled trains nothing", about);
    }
    for (const struct model_check *check = model_checks; check->name && !st; check++)
        if (wanted(which, check->name))
            st = check->run(&k, err);
    if (!st)
        put_findings(&k, out);
    model_checks_clear(&k);
    return st;
}
