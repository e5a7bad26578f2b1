/* Open Bandit: rounds of a recommender that knew how likely each of its choices was. NAME.csv (all, men, women) with
 *
 *   timestamp,item_id,position,click,propensity_score,user_feature_0..3,user-item_affinity_0..
 *
 * and item_context.csv beside it. A round is one event: a click, or an impression that was not clicked (weight 0); its
 * value is the reward, 0 or 1, and position and propensity_score stay with it. Nobody has an id there: users who look
 * alike in all features are one user (user=row makes every round its own). Of the affinities the one with the item that
 * was shown is kept. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "ingest/load.h"
#include "ingest/number.h"

enum { FEATURES_MOST = 16 };

enum kept { KEPT_POSITION, KEPT_PROPENSITY, KEPT_AFFINITY, KEPT };

struct bandit {
    struct ingest *in;
    struct sheet t;
    uint32_t time, item, click, kept[KEPT]; /* columns of the file; kept[KEPT_AFFINITY] is that of item 0 */
    uint32_t feature[FEATURES_MOST];
    size_t nfeatures;
    size_t context[KEPT], field[FEATURES_MOST]; /* and where they go */
    bool by_row;
    struct str user;
};

static enum status find_columns(struct bandit *b, struct error *err)
{
    static const char *const names[] = {"position", "propensity_score", "affinity"};
    const struct sheet *t = &b->t;
    b->time = dict_find_text(&t->names, "timestamp");
    b->item = dict_find_text(&t->names, "item_id");
    b->click = dict_find_text(&t->names, "click");
    b->kept[KEPT_POSITION] = dict_find_text(&t->names, "position");
    b->kept[KEPT_PROPENSITY] = dict_find_text(&t->names, "propensity_score");
    b->kept[KEPT_AFFINITY] = dict_find_text(&t->names, "user-item_affinity_0");
    if (b->item == NO_CODE || b->click == NO_CODE || b->kept[KEPT_PROPENSITY] == NO_CODE)
        return roles_missing(t, "item", "item_id", err);
    enum status st = ST_OK;
    for (int k = 0; k < KEPT && !st; k++)
        if (b->kept[k] != NO_CODE)
            st = raw_columns_add(&b->in->context, names[k], &b->context[k], err);
    for (uint32_t c = 0; c < t->names.n && b->nfeatures < FEATURES_MOST && !st; c++) {
        if (!text_starts(dict_text(&t->names, c), "user_feature_"))
            continue;
        st = raw_columns_add(&b->in->user_columns, dict_text(&t->names, c), &b->field[b->nfeatures], err);
        b->feature[b->nfeatures++] = c;
    }
    return st;
}

/* Who it was: the features, short enough to be typed, or the number of the round. */
static void name_user(struct bandit *b)
{
    enum { SHOWN = 6 };
    str_clear(&b->user);
    if (b->by_row) {
        str_printf(&b->user, "%llu", (unsigned long long)b->in->row_number);
        return;
    }
    for (size_t i = 0; i < b->nfeatures; i++) {
        const struct cell *c = &b->t.row.cells[b->feature[i]];
        if (i)
            str_putc(&b->user, '-');
        str_append(&b->user, c->text ? c->text : "", c->n < SHOWN ? c->n : SHOWN);
    }
}

static const char *check(struct bandit *b, struct event_row *row)
{
    struct ingest *in = b->in;
    const struct cell *cells = b->t.row.cells, *click = &cells[b->click], *time = &cells[b->time];
    const char *bad = ingest_id(in, &cells[b->item], "item");
    if (bad)
        return bad;
    if (!number_real(click->text ? click->text : "", click->n, &row->value) || (row->value != 0 && row->value != 1))
        return "click is neither 0 nor 1";
    if (b->time != NO_CODE && !time_parse(time->text ? time->text : "", time->n, in->tz, &row->time))
        return "the timestamp is not a time";
    row->item = &cells[b->item];
    row->type = row->value > 0 ? "click" : "impression";
    row->type_length = strlen(row->type);
    return NULL;
}

static enum status keep_rest(struct bandit *b, struct error *err)
{
    const struct events *e = &b->in->data->events;
    const struct cell *cells = b->t.row.cells;
    size_t event = e->n - 1;
    enum status st = ST_OK;
    for (int k = 0; k < KEPT && !st; k++) {
        uint32_t c = b->kept[k];
        int64_t shown;
        if (c == NO_CODE)
            continue;
        if (k == KEPT_AFFINITY) {
            const struct cell *item = &cells[b->item];
            if (!number_int(item->text, item->n, &shown) || shown < 0 || shown >= b->t.names.n - c)
                continue;
            c += (uint32_t)shown;
        }
        st = raw_column_set(&b->in->context.column[b->context[k]], event, &cells[c], err);
    }
    for (size_t i = 0; i < b->nfeatures && !st; i++)
        st = raw_column_set(&b->in->user_columns.column[b->field[i]], e->user[event], &cells[b->feature[i]], err);
    return st;
}

static enum status read_rounds(struct bandit *b, struct error *err)
{
    for (;;) {
        bool more;
        struct event_row row = {.time = NO_TIME};
        enum status st = ingest_next(b->in, &b->t, &more, err);
        if (st || !more)
            return st;
        b->in->row_number++;
        const char *bad = check(b, &row);
        name_user(b);
        const struct cell user = {.text = str_text(&b->user), .n = b->user.length};
        row.user = &user;
        if (!bad)
            bad = ingest_id(b->in, &user, "user");
        if (b->user.failed)
            return error_nomem(err, 64, "a user");
        st = bad ? ingest_reject(b->in, &b->t, bad, err) : ingest_add_event(b->in, &row, err);
        if (!st && !bad)
            st = keep_rest(b, err);
        if (st)
            return st;
    }
}

static int recognise(const char *path, const char *head, size_t n)
{
    if (n == 0)
        return folder_holds(path, "item_context.csv") &&
                       (folder_holds(path, "all.csv") || folder_holds(path, "men.csv") ||
                        folder_holds(path, "women.csv"))
                   ? 30
                   : 0;
    const char *end = memchr(head, '\n', n);
    size_t line = end ? (size_t)(end - head) : n;
    return memmem(head, line, "item_id,position,click,propensity_score,", 40) ? 30 : 0;
}

static enum status read_bandit(struct ingest *in, const char *path, struct error *err)
{
    static const char *const files[] = {"all.csv", "men.csv", "women.csv"};
    static const struct mapping mapping[] = {{"id", "item_id"}, {"keep", "item_*"}};
    struct sheet_form form = {.delimiter = ",", .header = "yes", .encoding = in->form.encoding};
    struct bandit b = {.in = in};
    char file[4096];
    for (size_t i = sizeof files / sizeof *files; i--;)
        if (!path_is_folder(path) || folder_holds(path, files[i]))
            path_in(path, files[i], file, sizeof file);
    const char *user = ingest_mapped(in, "user");
    b.by_row = user && strcmp(user, "row") == 0;
    enum status st = ingest_open(in, file, &form, &b.t, err);
    if (st)
        return st;
    st = find_columns(&b, err);
    if (!st)
        st = read_rounds(&b, err);
    ingest_close(in, &b.t);
    str_free(&b.user);
    if (!st)
        st = attributes_as(in, file, "item_context.csv", ATTRIBUTES_OF_ITEMS, NULL, mapping, 2, err);
    if (!st && !b.by_row)
        ingest_note(in,
                    "rounds have no user ids: users of the same features are one user (user=row: every round its own)");
    if (!st)
        ingest_note(in, "a round is a click or an impression, its value the reward; kept: position, propensity_score%s",
                    b.kept[KEPT_AFFINITY] == NO_CODE ? "" : ", affinity with the item shown");
    return st;
}

const struct reader reader_openbandit = {"open-bandit", "rounds with propensities, and item_context.csv", recognise,
                                         read_bandit, true};
