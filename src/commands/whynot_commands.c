/* Why an item is not in a user's list, and what would bring it in. */
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "commands/families.h"
#include "commands/question.h"
#include "commands/served_words.h"
#include "inspect/whynot.h"
#include "inspect/why.h"

/* What all models say. */
struct answers {
    const struct question *q;
    struct whynot *of; /* each of q's models */
};

/* ---- sentences ---- */

static void put_count(struct str *s, size_t n, const char *what)
{
    char text[32];
    text_count(text, sizeof text, (int64_t)n);
    str_printf(s, "%s %s%s", text, what, n == 1 ? "" : "s");
}

static void put_gap(struct str *s)
{
    str_puts(s, s->length ? " " : "");
}

static void say_place(const struct question *q, const struct whynot *w, struct str *s)
{
    char date[40];
    bool hidden = w->seen && q->seen == SEEN_HIDE;
    if (w->seen) {
        str_printf(s, "%s has it already", q->who);
        if (w->seen_at != NO_TIME) {
            time_short(date, sizeof date, w->seen_at);
            str_printf(s, " (%s)", date);
        }
        str_puts(s, hidden ? ", so it is hidden" : ".");
    }
    if (!w->rank) {
        str_puts(s, hidden ? "." : "");
        return;
    }
    str_puts(s, hidden ? "; with seen=show it would be " : w->seen ? " It is " : "It is ");
    put_ordinal(s, w->rank);
    str_puts(s, " of ");
    put_count(s, w->ranked, "item");
    if (whynot_in(w)) {
        str_printf(s, ", among the first %zu.", w->k);
        return;
    }
    str_puts(s, ": ");
    put_count(s, w->rank - 1, "item");
    str_puts(s, w->rank == 2 ? " stands above it" : " stand above it");
    if (w->category)
        str_printf(s, ", %s of them %s", w->of_category == w->rank - 1 ? "all" : "most", w->category);
    str_putc(s, '.');
}

/* Of equal scores one stands before the other only by chance of the data. */
static void say_tie(const struct whynot *w, struct str *s)
{
    if (!whynot_tied(w))
        return;
    put_gap(s);
    str_printf(s, "It ties with place %zu: of equal scores the data's order decides.", whynot_in(w) ? w->k + 1 : w->k);
}

static void say_knowledge(const struct model *m, const struct whynot *w, struct str *s)
{
    if (w->knows == KNOWS)
        return;
    put_gap(s);
    if (w->knows == CAME_LATER) {
        str_printf(s, "%s was trained before it came and knows nothing of it.", m->name);
    } else if (w->knows == GIVES_NO_SCORE) {
        str_printf(s, "%s has no score for it.", m->name);
    } else if (w->events == 0) {
        str_printf(s, "Nobody has an event with it, so %s learnt nothing of it.", m->name);
    } else {
        str_printf(s, "%s learnt nothing of it: ", m->name);
        put_count(s, w->events, "event");
        str_puts(s,
                 w->events == 1 ? " of it is not among those of training." : " of it are not among those of training.");
    }
}

/* "Heat", "Fargo" and "Brazil"; of many the first few. */
static void put_titles(const struct dataset *d, const uint32_t *items, size_t n, struct str *s)
{
    enum { SAID_MOST = 6 };
    size_t said = n <= SAID_MOST ? n : SAID_MOST - 1;
    for (size_t i = 0; i < said; i++)
        str_printf(s, "%s\"%s\"", i == 0 ? "" : i + 1 == n ? " and " : ", ", dataset_item_title(d, items[i]));
    if (said < n)
        str_printf(s, " and %zu more", n - said);
}

/* What is proved of a set that was found, or of all that were looked for in vain. */
static void say_bound(const struct brought *b, struct str *s)
{
    if (brought_smallest(b))
        str_puts(s, b->n > 1 ? "; no smaller set does it." : ".");
    else if (b->at_least > 1)
        str_printf(s, "; at least %zu are needed.", b->at_least);
    else
        str_puts(s, b->found ? "; fewer may do." : ".");
}

static void say_change(const struct question *q, const struct brought *b, bool adding, struct str *s)
{
    put_gap(s);
    if (b->found) {
        str_puts(s, adding ? "With " : "Without ");
        put_titles(q->data, b->items, b->n, s);
        str_puts(s, " it would be ");
        put_ordinal(s, b->rank);
        say_bound(b, s);
    } else if (b->none && adding && b->at_least == 2) {
        str_puts(s, "No item added brings it in, whichever it is.");
    } else if (b->none && adding) {
        str_printf(s, "Up to %zu items added do not bring it in, whichever they are.", b->at_least - 1);
    } else if (b->none) {
        str_puts(s, b->tried ? "Nothing that is taken out of the history brings it in."
                             : "There is nothing in the history to take out.");
    } else {
        str_puts(s, adding ? "No addition that brings it in was found in time"
                           : "No removal that brings it in was found in time");
        say_bound(b, s);
    }
}

static void put_sentence(const struct question *q, const struct model *m, const struct whynot *w, struct str *s)
{
    if (w->seen || w->rank)
        say_place(q, w, s);
    say_tie(w, s);
    say_knowledge(m, w, s);
    if (w->ignores && w->rank > w->k) {
        put_gap(s);
        str_printf(s, "%s does not look at the history%s", m->name,
                   w->searched ? ": nothing that is taken out of it brings it in." : ".");
    }
    if (w->searched) {
        if (!w->ignores)
            say_change(q, &w->removing, false, s);
        say_change(q, &w->adding, true, s);
    }
}

/* ---- tables ---- */

static void add_place(const struct question *q, const struct model *m, const struct whynot *w, const char *sentence,
                      struct table *t)
{
    static const char *const known[] = {"yes", "no event", "came later", "no score"};
    table_text(t, m->name);
    item_cells(q->data, w->item, t);
    if (w->rank)
        table_int(t, (int64_t)w->rank);
    else
        table_null(t);
    table_int(t, (int64_t)w->ranked);
    table_real(t, w->rank ? (double)w->score : (double)NAN);
    table_real(t, w->kth > -INFINITY ? (double)w->kth : (double)NAN);
    table_real(t, w->rank && w->kth > -INFINITY ? (double)w->kth - (double)w->score : (double)NAN);
    table_time(t, w->seen_at);
    table_bool(t, w->shown);
    table_int(t, (int64_t)w->events);
    if (w->learnt_known)
        table_int(t, (int64_t)w->learnt);
    else
        table_null(t);
    table_text(t, known[w->knows]);
    table_text(t, w->category);
    table_text(t, sentence);
}

/* And what people read first: a sentence a model. */
static void place_table(const struct answers *a, struct result *out)
{
    enum {
        MODEL,
        ITEM,
        RANK = ITEM + ITEM_COLUMNS,
        OF,
        SCORE,
        KTH,
        GAP,
        SEEN,
        SHOWN,
        EVENTS,
        LEARNT,
        KNOWN,
        CATEGORY,
        SENTENCE,
        COLUMNS
    };
    struct column columns[COLUMNS] = {
        [MODEL] = {.name = "model", .type = VALUE_TEXT, .flags = COLUMN_SCALE},
        [RANK] = {.name = "rank", .type = VALUE_INT, .flags = COLUMN_COUNT},
        [OF] = {.name = "of", .type = VALUE_INT, .flags = COLUMN_COUNT},
        [SCORE] = {.name = "score", .type = VALUE_REAL, .flags = COLUMN_SCORE},
        [KTH] = {.name = "kth_score", .type = VALUE_REAL, .flags = COLUMN_SCORE},
        [GAP] = {.name = "behind_by", .type = VALUE_REAL, .flags = COLUMN_SCORE},
        [SEEN] = {.name = "seen", .type = VALUE_TIME, .flags = COLUMN_HIDDEN},
        [SHOWN] = {.name = "seen_shown", .type = VALUE_BOOL, .flags = COLUMN_HIDDEN},
        [EVENTS] = {.name = "item_events", .type = VALUE_INT, .flags = COLUMN_COUNT},
        [LEARNT] = {.name = "learnt_from", .type = VALUE_INT, .flags = COLUMN_COUNT},
        [KNOWN] = {.name = "known", .type = VALUE_TEXT, .flags = COLUMN_HIDDEN},
        [CATEGORY] = {.name = "above_mostly", .type = VALUE_TEXT, .flags = COLUMN_HIDDEN},
        [SENTENCE] = {.name = "sentence", .type = VALUE_TEXT, .flags = COLUMN_HIDDEN},
    };
    const struct question *q = a->q;
    item_columns(q->data, columns + ITEM);
    for (size_t i = 0; i < ITEM_COLUMNS; i++)
        columns[ITEM + i].flags |= COLUMN_HIDDEN; /* people read it in the title */
    const char *title = result_textf(out, "%s for %s", dataset_item_title(q->data, a->of[0].item), q->who);
    struct table *t = result_table(out, "place", title, columns, COLUMNS);
    for (size_t i = 0; i < q->nmodels; i++) {
        struct str sentence = {0};
        const char *name = q->models[i]->name;
        put_sentence(q, q->models[i], &a->of[i], &sentence);
        add_place(q, q->models[i], &a->of[i], result_str(t->result, &sentence), t);
        result_message(out, MESSAGE_INFO, "%s%s%s", q->nmodels > 1 ? name : "", q->nmodels > 1 ? ": " : "",
                       result_str(out, &sentence));
        str_free(&sentence);
    }
}

static unsigned model_flags(const struct question *q)
{
    return q->nmodels == 1 ? COLUMN_HIDDEN : 0;
}

static void above_table(const struct answers *a, struct result *out)
{
    enum { MODEL, RANK, ITEM, SCORE = ITEM + ITEM_COLUMNS, AHEAD, COLUMNS };
    struct column columns[COLUMNS] = {
        [MODEL] = {.name = "model", .type = VALUE_TEXT, .flags = COLUMN_SCALE | model_flags(a->q)},
        [RANK] = {.name = "rank", .type = VALUE_INT, .flags = COLUMN_COUNT},
        [SCORE] = {.name = "score", .type = VALUE_REAL, .flags = COLUMN_SCORE},
        [AHEAD] = {.name = "ahead_by", .type = VALUE_REAL, .flags = COLUMN_SCORE},
    };
    item_columns(a->q->data, columns + ITEM);
    struct table *t = result_table(out, "above", "the best of what stands above it", columns, COLUMNS);
    for (size_t i = 0; i < a->q->nmodels; i++) {
        const struct whynot *w = &a->of[i];
        for (size_t j = 0; j < w->nabove; j++) {
            table_text(t, a->q->models[i]->name);
            table_int(t, (int64_t)j + 1);
            item_cells(a->q->data, w->above[j].item, t);
            table_real(t, w->above[j].score);
            table_real(t, (double)w->above[j].score - (double)w->score);
        }
    }
}

static void pulls_table(const struct answers *a, struct result *out)
{
    enum { MODEL, ITEM, TIME = ITEM + ITEM_COLUMNS, GAP, RANK, COLUMNS, SHOWN_MOST = 5 };
    struct column columns[COLUMNS] = {
        [MODEL] = {.name = "model", .type = VALUE_TEXT, .flags = COLUMN_SCALE | model_flags(a->q)},
        [TIME] = {.name = "time", .type = VALUE_TIME, .flags = a->q->data->events.time ? 0 : COLUMN_HIDDEN},
        [GAP] = {.name = "behind_without", .type = VALUE_REAL, .flags = COLUMN_SCORE},
        [RANK] = {.name = "rank_without", .type = VALUE_INT, .flags = COLUMN_COUNT},
    };
    item_columns(a->q->data, columns + ITEM);
    struct table *t = result_table(out, "pulls", "what in the history pulls it down", columns, COLUMNS);
    for (size_t i = 0; i < a->q->nmodels; i++) {
        const struct whynot *w = &a->of[i];
        for (size_t j = 0; j < w->npulls && j < SHOWN_MOST; j++) {
            table_text(t, a->q->models[i]->name);
            item_cells(a->q->data, w->pulls[j].item, t);
            table_time(t, w->pulls[j].time);
            table_real(t, w->pulls[j].gap_without);
            table_int(t, (int64_t)w->pulls[j].rank_without);
        }
    }
}

static const char *proof_of(const struct brought *b, bool adding, struct result *out)
{
    if (brought_smallest(b))
        return "provably smallest";
    if (b->found)
        return result_textf(out, "at least %zu needed", b->at_least);
    if (b->none && adding)
        return result_textf(out, "proved for up to %zu", b->at_least - 1);
    return b->none ? "proved" : result_textf(out, "out of time: at least %zu needed", b->at_least);
}

static void add_change(const struct question *q, const struct model *m, const struct brought *b, bool adding,
                       struct table *t, struct result *out)
{
    struct str ids = {0}, titles = {0};
    put_titles(q->data, b->items, b->n, &titles);
    for (size_t i = 0; i < b->n; i++)
        str_printf(&ids, "%s%s", i ? " " : "", dict_text(&q->data->items, b->items[i]));
    table_text(t, m->name);
    table_text(t, adding ? "add" : "remove");
    table_text(t, b->found ? result_str(out, &titles) : b->none ? "nothing does" : "nothing found");
    table_text(t, b->found ? result_str(out, &ids) : NULL);
    if (b->found) {
        table_int(t, (int64_t)b->n);
        table_int(t, (int64_t)b->rank);
    } else {
        table_null(t);
        table_null(t);
    }
    table_text(t, proof_of(b, adding, out));
    table_int(t, (int64_t)b->at_least);
    table_bool(t, b->found);
    table_text(t, b->additive ? "branch and bound over what each item adds" : "all sets of a size, small ones first");
    table_int(t, (int64_t)b->tried);
    table_int(t, (int64_t)b->asked);
    table_bool(t, b->late);
    str_free(&ids);
    str_free(&titles);
}

static void changes_table(const struct answers *a, size_t k, struct result *out)
{
    enum { MODEL, CHANGE, ITEMS, IDS, SIZE, RANK, PROOF, LEAST, FOUND, METHOD, TRIED, LISTS, LATE, COLUMNS };
    const struct column columns[COLUMNS] = {
        [MODEL] = {.name = "model", .type = VALUE_TEXT, .flags = COLUMN_SCALE | model_flags(a->q)},
        [CHANGE] = {.name = "change", .type = VALUE_TEXT},
        [ITEMS] = {.name = "items", .type = VALUE_TEXT, .flags = COLUMN_WRAP},
        [IDS] = {.name = "ids", .type = VALUE_TEXT, .flags = COLUMN_HIDDEN},
        [SIZE] = {.name = "size", .type = VALUE_INT},
        [RANK] = {.name = "rank", .type = VALUE_INT, .flags = COLUMN_COUNT},
        [PROOF] = {.name = "proof", .type = VALUE_TEXT},
        [LEAST] = {.name = "at_least", .type = VALUE_INT, .flags = COLUMN_HIDDEN},
        [FOUND] = {.name = "found", .type = VALUE_BOOL, .flags = COLUMN_HIDDEN},
        [METHOD] = {.name = "method", .type = VALUE_TEXT, .flags = COLUMN_HIDDEN},
        [TRIED] = {.name = "candidates", .type = VALUE_INT, .flags = COLUMN_HIDDEN},
        [LISTS] = {.name = "lists_made", .type = VALUE_INT, .flags = COLUMN_HIDDEN},
        [LATE] = {.name = "out_of_time", .type = VALUE_BOOL, .flags = COLUMN_HIDDEN},
    };
    struct table *t =
        result_table(out, "changes", result_textf(out, "the smallest changes that bring it into the first %zu", k),
                     columns, COLUMNS);
    for (size_t i = 0; i < a->q->nmodels; i++) {
        if (!a->of[i].searched)
            continue;
        add_change(a->q, a->q->models[i], &a->of[i].removing, false, t, out);
        add_change(a->q, a->q->models[i], &a->of[i].adding, true, t, out);
    }
}

/* ---- the command ---- */

/* The command that shows the list with the first change that was found. */
static void hint_whatif(const struct question *q, const struct model *m, const struct whynot *w, struct result *out)
{
    const struct brought *b = w->removing.found ? &w->removing : w->adding.found ? &w->adding : NULL;
    struct str line = {0};
    if (!b)
        return;
    str_puts(&line, "whatif");
    put_user(&line, q);
    str_puts(&line, str_text(&q->edits));
    str_puts(&line, b == &w->removing ? " remove" : " add");
    for (size_t i = 0; i < b->n; i++)
        put_item(&line, q->data, b->items[i]);
    result_message(out, MESSAGE_HINT, "`%s with %s%s` shows the list after it%s", result_str(out, &line), m->name,
                   w->shown ? " seen=show" : "",
                   b == &w->removing && !w->shown ? ", where what was taken out may be a rival again" : "");
    str_free(&line);
}

static enum status remember_above(struct workbench *wb, const struct whynot *w, struct error *err)
{
    uint32_t *items = mem_new_raw(w->nabove, sizeof *items, "a list", err);
    for (size_t i = 0; items && i < w->nabove; i++)
        items[i] = w->above[i].item;
    enum status st = items ? remember_list(wb, items, w->nabove, err) : ST_NOMEM;
    mem_free(items);
    return st;
}

/* Tables that would be empty are left out. */
static enum status show(struct workbench *wb, const struct answers *a, size_t k, struct result *out, struct error *err)
{
    bool above = false, pulls = false, changes = false;
    enum status st = ST_OK;
    for (size_t i = 0; i < a->q->nmodels; i++) {
        above |= a->of[i].nabove;
        pulls |= a->of[i].npulls;
        changes |= a->of[i].searched;
        if (a->of[i].nabove && !st)
            st = remember_above(wb, &a->of[i], err);
    }
    place_table(a, out);
    if (above)
        above_table(a, out);
    if (pulls)
        pulls_table(a, out);
    if (changes)
        changes_table(a, k, out);
    if (a->q->nmodels == 1)
        hint_whatif(a->q, a->q->models[0], &a->of[0], out);
    return st;
}

static enum status answer(struct workbench *wb, const struct call *call, const struct question *q, uint32_t item,
                          struct result *out, struct error *err)
{
    size_t k = (size_t)call_int(call, "k"), asked = 0;
    struct split *s = workbench_split(wb);
    struct query query = history_query(&q->history);
    struct whynot_asked how = {.data = q->data,
                               .split = s,
                               .k = k,
                               .seen = q->seen,
                               .seconds = (double)call_int(call, "time") / 1e6,
                               .job = &wb->job};
    struct answers a = {q, mem_new(q->nmodels, sizeof *a.of, "answers", err)};
    enum status st = a.of ? ST_OK : ST_NOMEM;
    for (; asked < q->nmodels && !st; asked++) {
        job_begin(&wb->job, 0, "", "whynot: what would bring it in, by %s", q->models[asked]->name);
        st = whynot_make(q->models[asked], &query, item, &how, &a.of[asked], err);
        if (how.seconds == 0 && (a.of[asked].removing.late || a.of[asked].adding.late))
            how.seconds = BRING_AFTER_STOP;
    }
    if (!st)
        st = show(wb, &a, k, out, err);
    for (size_t i = 0; i < asked; i++)
        whynot_clear(&a.of[i]);
    mem_free(a.of);
    split_release(s);
    return st;
}

static enum status run_whynot(struct workbench *wb, const struct call *call, struct result *out, struct error *err)
{
    return ask_of_item(wb, call, answer, out, err);
}

static const struct argument whynot_args[] = {
    USER_ARGUMENT,
    {.name = "ITEM", .type = ARG_ITEM, .doc = "an id, a title, or #3 of the last list"},
};
static const struct param whynot_options[] = {
    OPTION_K("length of the list it should be in"),
    {.name = "time", .type = PARAM_DURATION, .initial = "1s", .min = 0, .max = 86400e6,
     .doc = "for each of the two searches of a model; then the best so far and what is proved of it; 0: as long as it "
            "takes"},
    OPTION_SEEN,
    OPTION_AT,
};

static const struct command rows[] = {
    {.name = "whynot",
     .group = "inspect",
     .summary = "what keeps an item out of a user's list, and what would bring it in",
     .arguments = whynot_args,
     .narguments = 2,
     .options = whynot_options,
     .noptions = sizeof whynot_options / sizeof *whynot_options,
     .flags = COMMAND_WITH | COMMAND_EDITS | COMMAND_NEEDS_DATA | COMMAND_SEVERAL,
     .help = "Tells the place of the item, what stands above it, whether it is hidden as seen, what the model knows of "
             "it, and which items of the history keep it down: behind_without is the gap to the k-th were they not "
             "there. Of equal scores at place k the order of the data decides, which it says; where a model does not "
             "look at the history (`pop`, `random`) nothing is looked for in it.\n"
             "Then it looks for the smallest set of items whose removal from the history, and the smallest whose "
             "addition to it, brings the item into the first k. What is hidden stays hidden: an item taken out does "
             "not come back as a rival, and one that is added leaves the list, as seen. Where the scores of a model "
             "add up over the history (neighbours, EASE, SLIM, filters ...) branch and bound over what each item adds "
             "proves that no smaller set does it; elsewhere the model is asked about every smaller set. When time= is "
             "over the best set found stands there, and how many are needed at least; so it is when a search with "
             "time=0 is cancelled. Up to 8 items are added. With remove and add it is asked of another history, as in "
             "`whatif`.",
     .examples = (const char *const[]){"whynot ana spices with ease k=1", "whynot ana knife with itemknn ials k=2",
                                       "whynot ana spices add pan with ease k=1", NULL},
     .run = run_whynot},
};

const struct command_family whynot_commands = {rows, sizeof rows / sizeof *rows};
