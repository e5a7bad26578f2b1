/* `split check`: what could models know too early? */
#include <string.h>

#include "base/mem.h"
#include "commands/recipe.h"
#include "commands/split_report.h"

enum verdict { VERDICT_OK, VERDICT_NOTE, VERDICT_LEAK };

struct report {
    struct table *table;
    struct str leaks; /* what is wrong, in words */
    size_t nleaks;
};

static void add_check(struct report *r, const char *check, size_t found, size_t of, enum verdict verdict,
                      const char *meaning)
{
    static const char *const words[] = {"ok", "note", "LEAK"};
    char count[32];
    table_text(r->table, check);
    table_text(r->table, words[verdict]);
    table_int(r->table, (int64_t)found);
    table_int(r->table, (int64_t)of);
    table_real(r->table, of ? (double)found / (double)of : 0);
    table_text(r->table, meaning);
    if (verdict != VERDICT_LEAK)
        return;
    text_count(count, sizeof count, (int64_t)found);
    str_printf(&r->leaks, "%s%s %s", r->nleaks++ ? "; " : "", count, meaning);
}

static enum verdict note_when(size_t found)
{
    return found ? VERDICT_NOTE : VERDICT_OK;
}

static void check_times(const struct split *s, const struct split_leaks *l, struct report *r)
{
    bool cut = s->test_from != NO_TIME;
    if (!l->timed) {
        add_check(r, "times", 0, 0, VERDICT_NOTE, "events have no times: nothing can be said about the future");
        return;
    }
    add_check(r, "own future", l->late_events, s->ntrain + s->nvalid + s->nhistory,
              l->late_events ? VERDICT_LEAK : VERDICT_OK,
              "known events of users come after the first event they are tested by");
    add_check(r, "same instant", l->tied_events, s->ntrain + s->nvalid + s->nhistory, note_when(l->tied_events),
              "known events share the instant of the user's first test event");
    add_check(r, "others' future", l->later_train, s->ntrain,
              !l->later_train ? VERDICT_OK
              : cut           ? VERDICT_LEAK
                              : VERDICT_NOTE,
              "train events come after the first test event of all");
    add_check(r, "tested in the past", l->past_users, s->test_users, note_when(l->past_users),
              "test users are asked about a moment before the last train event");
}

static enum status check_fields(const struct dataset *d, const struct split *s, struct report *r, struct result *out,
                                struct error *err)
{
    for (int of_items = 0; of_items < 2; of_items++) {
        const struct fields *fields = of_items ? &d->item_fields : &d->user_fields;
        for (size_t i = 0; i < fields->n; i++) {
            struct split_derived x;
            enum status st = split_derived_find(d, s, &fields->field[i], of_items, &x, err);
            if (st)
                return st;
            if (x.what)
                add_check(r, result_textf(out, "%s.%s", of_items ? "item" : "user", fields->field[i].name), x.same, x.n,
                          VERDICT_LEAK,
                          result_textf(out, "values of %s.%s are the %s of all events, the test part's too",
                                       of_items ? "item" : "user", fields->field[i].name, x.what));
        }
    }
    return ST_OK;
}

/* Steps of the recipe that count over all events, or choose among them, before the split: what will be in the test part
 * decides what is trained on. */
static void check_recipe(const struct recipe *recipe, struct report *r)
{
    static const struct {
        const char *step, *meaning;
    } known[] = {
        {"kcore", "events went by counts over all events, the test part's too; `undo` judges by all users and items"},
        {"bots drop", "events went by habits over all events, the test part's too"},
        {"repeat last",
         "events gave way to later ones of the pair, the test part's too; `repeat first` looks back only"},
    };
    uint64_t before = recipe ? recipe->base_events : 0;
    for (size_t i = 0; recipe && i < recipe->n; i++) {
        const struct recipe_step *step = &recipe->step[i];
        for (size_t k = 0; k < sizeof known / sizeof *known; k++)
            if (strncmp(step->text, known[k].step, strlen(known[k].step)) == 0 && step->events < before)
                add_check(r, step->text, before - step->events, before, VERDICT_NOTE, known[k].meaning);
        before = step->events;
    }
}

static enum status check_split(const struct dataset *d, const struct split *s, struct report *r, struct result *out,
                               struct error *err)
{
    static const struct column columns[] = {
        {.name = "check", .type = VALUE_TEXT},
        {.name = "verdict", .type = VALUE_TEXT},
        {.name = "found", .type = VALUE_INT, .flags = COLUMN_COUNT},
        {.name = "of", .type = VALUE_INT, .flags = COLUMN_COUNT},
        {.name = "share", .type = VALUE_REAL, .unit = "%", .precision = 1, .flags = COLUMN_COMPACT},
        {.name = "meaning", .type = VALUE_TEXT, .flags = COLUMN_WRAP},
    };
    struct split_leaks l;
    enum status st = split_leaks_find(d, s, &l, err);
    if (!st)
        st = split_put(d, s, out, err);
    if (st)
        return st;
    r->table =
        result_table(out, "checks", "what models could know too early", columns, sizeof columns / sizeof *columns);
    check_times(s, &l, r);
    add_check(r, "known pairs", l.known_pairs, l.pairs, note_when(l.known_pairs),
              "pairs of user and item of the test part are in the history too; seen=hide does not ask for them");
    add_check(r, "cold users", s->cold_users, s->test_users, note_when(s->cold_users), "test users have no history");
    add_check(r, "cold items", s->cold_items, d->items.n, note_when(s->cold_items),
              "items are tested but not trained on");
    return check_fields(d, s, r, out, err);
}

enum status run_split_check(struct workbench *wb, const struct call *call, struct result *out, struct error *err)
{
    struct dataset *d = workbench_data(wb);
    struct split *s = workbench_split(wb);
    struct report r = {0};
    enum status st;
    if (s) {
        st = check_split(d, s, &r, out, err);
    } else {
        st = error_set(err, ST_STATE, "%s is not split: there is nothing to check", d->name);
        error_hint(err, "`split last 1` or `split time 20%%`, then `split check`");
    }
    if (!st)
        check_recipe(wb->recipe, &r);
    if (!st && r.nleaks && !call_int(call, "leak")) {
        st = error_set(err, ST_STATE, "the split (%s) leaks: %s", s->description, str_text(&r.leaks));
        error_hint(
            err,
            "`split check leak=allow` shows the whole report; `split time 20%%` and `split last 1` keep the order");
    }
    str_free(&r.leaks);
    split_release(s);
    dataset_release(d);
    return st;
}
