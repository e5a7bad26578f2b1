/* Checks of ids: one person under two names, or many under one. */
#include <ctype.h>
#include <string.h>

#include "base/mem.h"
#include "inspect/audit_parts.h"

/* The users or the items, as a table of SQL. */
struct who {
    const struct dict *ids;
    const char *table, *column, *one; /* "users", "user", "user" */
};

static const char *noun(const struct who *w, uint64_t n)
{
    return n == 1 ? w->one : w->table;
}

/* ---- 42.0 ---- */

/* Digits and points, beginning with a digit and ending in ".0": what SQL's two GLOBs say. */
static bool looks_float(const char *id, size_t n)
{
    return n > 2 && id[0] >= '0' && id[0] <= '9' && strcmp(id + n - 2, ".0") == 0 && strspn(id, "0123456789.") == n;
}

static void judge_floats(struct audit *a, const struct who *w)
{
    uint64_t floats = 0, twins = 0;
    for (uint32_t i = 0; i < w->ids->n; i++) {
        const char *id = dict_text(w->ids, i);
        size_t n = dict_length(w->ids, i);
        if (!looks_float(id, n))
            continue;
        floats++;
        twins += dict_find(w->ids, id, n - 2) != NO_CODE;
    }
    if (!floats)
        return;
    struct finding *f =
        twins ? audit_find(a, SEVERITY_SERIOUS,
                           "%s %s %s written as 42.0, %s of them also without the .0: these are two for the models",
                           COUNT(floats), noun(w, floats), floats == 1 ? "is" : "are", COUNT(twins))
              : audit_find(a, SEVERITY_WARNING,
                           "%s %s (%s) %s written as 42.0: attributes keyed by 42 will not find them", COUNT(floats),
                           noun(w, floats), SHARE(floats, w->ids->n), floats == 1 ? "is" : "are");
    finding_evidence(f, floats, "SELECT %s, events FROM %s WHERE %s GLOB '[0-9]*.0' AND NOT %s GLOB '*[^0-9.]*'",
                     w->column, w->table, w->column, w->column);
}

/* ---- 007 and 7 ---- */

static void judge_zeros(struct audit *a, const struct who *w)
{
    uint64_t twins = 0;
    const char *example = "";
    for (uint32_t i = 0; i < w->ids->n; i++) {
        const char *id = dict_text(w->ids, i), *rest = id + strspn(id, "0");
        if (rest == id || !*rest || dict_find_text(w->ids, rest) == NO_CODE)
            continue;
        example = twins++ ? example : id;
    }
    if (!twins)
        return;
    struct finding *f = audit_find(a, SEVERITY_WARNING, "%s %s %s with and without leading zeros (%s and %s)",
                                   COUNT(twins), noun(w, twins), twins == 1 ? "comes" : "come", example,
                                   example + strspn(example, "0"));
    finding_evidence(
        f, twins,
        "SELECT a.%s, b.%s AS other FROM %s a JOIN %s b ON b.%s = ltrim(a.%s, '0') WHERE a.%s GLOB '0*' AND "
        "ltrim(a.%s, '0') <> ''",
        w->column, w->column, w->table, w->table, w->column, w->column, w->column, w->column);
}

/* ---- spaces ---- */

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static void judge_spaces(struct audit *a, const struct who *w)
{
    uint64_t outer = 0, twins = 0;
    for (uint32_t i = 0; i < w->ids->n; i++) {
        const char *id = dict_text(w->ids, i);
        size_t n = dict_length(w->ids, i), begin = 0;
        if (!n || (!is_blank(id[0]) && !is_blank(id[n - 1])))
            continue;
        while (n > 0 && is_blank(id[n - 1]))
            n--;
        while (begin < n && is_blank(id[begin]))
            begin++;
        outer++;
        twins += dict_find(w->ids, id + begin, n - begin) != NO_CODE;
    }
    if (!outer)
        return;
    struct finding *f = audit_find(
        a, twins ? SEVERITY_SERIOUS : SEVERITY_WARNING, "%s %s %s spaces around their id%s%s%s", COUNT(outer),
        noun(w, outer), outer == 1 ? "has" : "have", twins ? ", " : "", twins ? COUNT(twins) : "",
        twins ? " of them also without" : "");
    finding_evidence(f, outer, "SELECT %s, events FROM %s WHERE %s <> trim(%s, ' ' || char(9))", w->column, w->table,
                     w->column, w->column);
}

/* ---- Ana and ana ---- */

/* The id with A-Z made small, as SQL's lower does it; false when that changes nothing or is too long. */
static bool lower_id(const char *id, size_t n, char *out, size_t size)
{
    bool changed = false;
    if (n >= size)
        return false;
    for (size_t i = 0; i <= n; i++) {
        bool capital = id[i] >= 'A' && id[i] <= 'Z';
        out[i] = (char)(capital ? id[i] + 32 : id[i]);
        changed |= capital;
    }
    return changed;
}

static void judge_case(struct audit *a, const struct who *w)
{
    uint64_t twins = 0;
    const char *example = "";
    char lower[256];
    for (uint32_t i = 0; i < w->ids->n; i++) {
        const char *id = dict_text(w->ids, i);
        size_t n = dict_length(w->ids, i);
        if (!lower_id(id, n, lower, sizeof lower) || dict_find(w->ids, lower, n) == NO_CODE)
            continue;
        example = twins++ ? example : id;
    }
    if (!twins)
        return;
    struct finding *f =
        audit_find(a, severity_of((double)twins / w->ids->n, .001, 2),
                   "%s %s %s from another only in upper and lower case (%s)", COUNT(twins), noun(w, twins),
                   twins == 1 ? "differs" : "differ", example);
    finding_evidence(f, twins,
                     "SELECT a.%s, b.%s AS other FROM %s a JOIN %s b ON b.%s = lower(a.%s) WHERE a.%s <> lower(a.%s)",
                     w->column, w->column, w->table, w->table, w->column, w->column, w->column, w->column);
}

/* ---- letters that are not what they seem ---- */

/* Invisible or direction-changing characters, an accent of its own behind a letter, or Latin letters among Greek or
 * Cyrillic ones: two ids that look the same and are not. */
static bool looks_alike(const char *id, size_t n)
{
    bool latin = false, greek = false, cyrillic = false;
    for (size_t i = 0; i < n;) {
        int32_t code;
        i += utf8_decode(id + i, n - i, &code);
        if (text_deceptive(code) || code == 0xa0 || (code >= 0x300 && code <= 0x36f) ||
            (code >= 0xff01 && code <= 0xff5e))
            return true;
        latin |= (code >= 'a' && code <= 'z') || (code >= 'A' && code <= 'Z');
        greek |= code >= 0x370 && code <= 0x3ff;
        cyrillic |= code >= 0x400 && code <= 0x4ff;
    }
    return (latin && (greek || cyrillic)) || (greek && cyrillic);
}

/* Is every byte ASCII? Most ids are, and these cannot deceive. */
static bool is_plain(const char *id, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)id[i] >= 0x80 || id[i] < 0x20)
            return false;
    return true;
}

/* Names single ids in the finding and in its query. */
static void judge_list(struct audit *a, const struct who *w, enum severity severity, struct name_list *l,
                       const char *problem)
{
    uint64_t shown = l->n < LITERALS_MOST ? l->n : LITERALS_MOST;
    if (l->n) {
        struct finding *f = audit_find(a, severity, "%s %s %s: %s", COUNT(l->n), noun(w, l->n), problem,
                                       name_list_words(l));
        finding_evidence(f, shown, "SELECT %s, events FROM %s WHERE %s IN (%s)", w->column, w->table, w->column,
                         str_text(&l->literals));
    }
    name_list_clear(l);
}

static void judge_letters(struct audit *a, const struct who *w)
{
    struct name_list l = {0};
    for (uint32_t i = 0; i < w->ids->n; i++) {
        const char *id = dict_text(w->ids, i);
        size_t n = dict_length(w->ids, i);
        if (!is_plain(id, n) && looks_alike(id, n))
            name_list_add(&l, id);
    }
    judge_list(a, w, (double)l.n > .01 * w->ids->n ? SEVERITY_WARNING : SEVERITY_INFO, &l,
               "with letters that look like others (invisible, full-width, mixed alphabets, loose accents)");
}

/* ---- nobody ---- */

static bool means_nobody(const char *id)
{
    static const char *const words[] = {"null",      "(null)", "nan",     "none",      "nil",     "undefined",
                                        "unknown",   "n/a",    "na",      "\\n",       "-",       "?",
                                        "anonymous", "guest",  "not set", "(not set)", "missing", "empty"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (text_same(id, words[i]))
            return true;
    return id[strspn(id, " \t")] == 0;
}

static void judge_nobody(struct audit *a, const struct who *w, bool users)
{
    struct name_list l = {0};
    uint64_t events = 0;
    for (uint32_t i = 0; i < w->ids->n; i++) {
        if (!means_nobody(dict_text(w->ids, i)))
            continue;
        name_list_add(&l, dict_text(w->ids, i));
        events += users ? user_events(a->data, i) : a->facts->item_events[i];
    }
    if (!l.n)
        return;
    struct finding *f = audit_find(a, severity_of((double)events / (double)a->data->events.n, .001, .1),
                                   "%s (%s of all events) is no %s but a missing id", name_list_words(&l),
                                   SHARE(events, a->data->events.n), w->one);
    finding_evidence(f, l.n < LITERALS_MOST ? l.n : LITERALS_MOST, "SELECT %s, events FROM %s WHERE %s IN (%s)",
                     w->column, w->table, w->column, str_text(&l.literals));
    finding_advice(f, "filter \"%s not in (%s)\"", w->column, str_text(&l.literals));
    name_list_clear(&l);
}

static void judge_guest(struct audit *a)
{
    const struct dataset *d = a->data;
    uint32_t u = a->facts->largest_user;
    if (u == NO_USER || a->facts->users < 50 || means_nobody(dict_text(&d->users, u)))
        return;
    double share = (double)user_events(d, u) / (double)d->events.n;
    if (share < .05 || (double)user_events(d, u) < 100. * a->facts->median_user)
        return;
    struct str id = {0};
    put_sql_text(&id, dict_text(&d->users, u));
    struct finding *f = audit_find(a, severity_of(share, .05, .2),
                                   "user %s alone has %s of all events: a guest account, or a key that many share",
                                   dict_text(&d->users, u), SHARE(user_events(d, u), d->events.n));
    finding_evidence(f, 1, "SELECT user, events FROM users WHERE user = %s", str_text(&id));
    finding_advice(f, "filter \"user != %s\"", str_text(&id));
    str_free(&id);
}

static enum status check_ids(struct audit *a, struct error *err)
{
    const struct who both[] = {{&a->data->users, "users", "user", "user"}, {&a->data->items, "items", "item", "item"}};
    enum status st = ST_OK;
    for (int i = 0; i < 2 && !st; i++) {
        judge_floats(a, &both[i]);
        judge_zeros(a, &both[i]);
        judge_spaces(a, &both[i]);
        judge_case(a, &both[i]);
        judge_letters(a, &both[i]);
        judge_nobody(a, &both[i], i == 0);
        st = job_check(a->job, err);
    }
    judge_guest(a);
    return st;
}

const struct audit_check audit_ids = {
    .name = "ids",
    .looks = "ids that were turned into numbers (42.0), 007 beside 7, spaces, case, look-alike letters, \"null\", a "
             "guest account",
    .rule = "serious where the same id is there in both forms, since one person is then two; a warning where only the "
            "form is suspicious. Case alone is a warning from 0.1 % of the ids (codes of mixed case may collide by "
            "chance). A missing id such as null is a warning from 0.1 % of the events, serious from 10 %. One user "
            "with 5 % of all events, and a hundred times the median, is a warning, with 20 % serious: nobody is like "
            "them, and every model learns them",
    .fine = "ids are written in one way each",
    .needs = NEED_COUNTS,
    .run = check_ids,
};
