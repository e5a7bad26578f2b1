/* Where users and items lie in the space of a model's vectors: maps, and users who are alike. */
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "commands/families.h"
#include "commands/vectors_of.h"
#include "linalg/pca.h"
#include "linalg/topk.h"

/* ---- similar users USER ---- */

static double product(const float *a, const float *b, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += (double)a[i] * b[i];
    return sum;
}

/* Items of the history that the user had too. */
static size_t items_shared(const struct selection *s, const struct query_item *items, size_t n, uint32_t user)
{
    size_t shared = 0;
    for (size_t i = 0; i < n; i++)
        for (size_t e = s->data->user_begin[user]; e < s->data->user_begin[user + 1]; e++)
            if (s->data->events.item[e] == items[i].item && selection_has(s, e)) {
                shared++;
                break;
            }
    return shared;
}

enum { ALIKE_RANK, ALIKE_USER, ALIKE_VALUE, ALIKE_SHARED, ALIKE_ITEMS, ALIKE_COLUMNS };

static enum status add_alike(const struct question *q, const struct selection *s, const struct model *m,
                             const struct scored *best, size_t n, const struct vectors *p, struct result *out,
                             struct error *err)
{
    static const struct column columns[ALIKE_COLUMNS] = {
        [ALIKE_RANK] = {.name = "rank", .type = VALUE_INT},
        [ALIKE_USER] = {.name = "user", .type = VALUE_TEXT},
        [ALIKE_VALUE] = {.name = "similarity", .type = VALUE_REAL, .precision = 4, .flags = COLUMN_BAR},
        [ALIKE_SHARED] = {.name = "shared_items", .type = VALUE_INT, .flags = COLUMN_COUNT},
        [ALIKE_ITEMS] = {.name = "events", .type = VALUE_INT, .flags = COLUMN_COUNT},
    };
    struct folded f;
    struct query query = history_query(&q->history);
    enum status st = folded_new(&f, &query, 1, err);
    if (st)
        return st;
    struct table *t = result_table(out, "similar", result_textf(out, "users like %s, by %s", q->who, m->name), columns,
                                   ALIKE_COLUMNS);
    for (size_t i = 0; i < n; i++) {
        uint32_t user = p->who[best[i].index];
        table_int(t, (int64_t)i + 1);
        table_text(t, dict_text(&q->data->users, user));
        table_real(t, best[i].score);
        table_int(t, (int64_t)items_shared(s, f.items, f.begin[1], user));
        table_int(t, (int64_t)(user_end_before(q->data, user, s->until) - q->data->user_begin[user]));
    }
    folded_clear(&f);
    return ST_OK;
}

static enum status rank_alike(struct workbench *wb, const struct call *call, const struct question *q,
                              const struct model *m, struct result *out, struct error *err)
{
    struct selection s = question_selection(wb, call, q->data);
    struct query query = history_query(&q->history);
    struct vectors p = {0};
    size_t all, found = 0, k = (size_t)call_int(call, "k");
    enum status st = vectors_of_users(m, &s, SIZE_MAX, &p, &all, &wb->job, err);
    k = k < p.n ? k : p.n;
    float *own = mem_new(p.width, sizeof *own, "the vector of a user", err);
    float *like = mem_new_raw(p.n, sizeof *like, "similarities", err);
    struct scored *best = mem_new_raw(k, sizeof *best, "a list", err);
    if (!st)
        st = own && like && best ? model_project(m, &query, 1, own, err) : ST_NOMEM;
    for (size_t f = 0; f < p.width && !st; f++) { /* dropped for everybody, and so here */
        bool any = false;
        for (size_t i = 0; i < p.n && !any; i++)
            any = fabsf(p.x[i * p.width + f]) > 0;
        own[f] = any ? own[f] : 0;
    }
    double length = st ? 0 : sqrt(product(own, own, p.width));
    for (size_t i = 0; i < p.n && !st; i++) {
        const float *x = p.x + i * p.width;
        double other = sqrt(product(x, x, p.width));
        like[i] =
            p.who[i] != q->user && length * other > 0 ? (float)(product(x, own, p.width) / length / other) : -INFINITY;
    }
    found = st ? 0 : topk(like, p.n, k, best);
    if (!st && !found)
        result_message(out, MESSAGE_INFO,
                       length > 0 ? "%s finds nobody like %s: there is no other user whose vector is not zero"
                                  : "%s finds nobody like %s, whose own vector is zero",
                       m->name, q->who);
    if (!st)
        st = add_alike(q, &s, m, best, found, &p, out, err);
    mem_free(own);
    mem_free(like);
    mem_free(best);
    vectors_clear(&p);
    return st;
}

static enum status run_similar_users(struct workbench *wb, const struct call *call, struct result *out,
                                     struct error *err)
{
    struct question q;
    struct str line = {0};
    const struct model *m;
    enum status st = question_open(wb, call, &call->args[0], &q, err);
    if (!st)
        st = vectors_pick(call, &q, true, &m, err);
    if (!st && q.history.n == 0)
        st = error_at_word(error_set(err, ST_STATE, "%s has no history to compare", q.who), err, &call->args[0]);
    if (!st)
        st = rank_alike(wb, call, &q, m, out, err);
    if (!st) {
        warn_of_future(&q, out);
        str_puts(&line, "similar users");
        put_user(&line, &q);
        str_printf(&line, " with %s", m->name);
        put_options(&line, call);
        put_command(&line, out);
    }
    str_free(&line);
    question_close(&q);
    return st;
}

/* ---- map items|users ---- */

enum { GROUPS_MOST = 4, WIDEST = 4096, ENDS = 4 /* items that name an end of an axis */ };

struct map {
    const struct question *q;
    const struct model *m;
    bool users;
    struct vectors p;
    size_t shown, all;         /* the first so many of p are drawn */
    size_t *events;            /* of each item */
    int64_t until;             /* which later events do not count */
    double *at;                /* p.n x 2 */
    double axis[2 * WIDEST], share[2];
    const struct field *by;    /* NULL: one group */
    uint32_t group[GROUPS_MOST]; /* levels that have an ink of their own, commonest first */
    size_t ngroups;
};

static uint32_t level_of(const struct map *m, size_t i)
{
    uint32_t row = m->p.who[i];
    if (!m->by || row >= m->by->n || field_missing(m->by, row))
        return NO_CODE;
    return m->by->type == FIELD_LIST ? m->by->list_code[m->by->list_begin[row]] : m->by->code[row];
}

/* Which group point i belongs to; ngroups: the others. */
static size_t group_of(const struct map *m, size_t i)
{
    size_t g = 0;
    while (g < m->ngroups && m->group[g] != level_of(m, i))
        g++;
    return g;
}

static enum status find_groups(struct map *m, struct error *err)
{
    if (!m->by)
        return ST_OK;
    size_t *count = mem_new(m->by->levels.n, sizeof *count, "groups", err);
    if (!count)
        return ST_NOMEM;
    for (size_t i = 0; i < m->shown; i++)
        if (level_of(m, i) != NO_CODE)
            count[level_of(m, i)]++;
    while (m->ngroups < GROUPS_MOST) {
        uint32_t best = 0;
        for (uint32_t l = 1; l < m->by->levels.n; l++)
            best = count[l] > count[best] ? l : best;
        if (!m->by->levels.n || !count[best])
            break;
        m->group[m->ngroups++] = best;
        count[best] = 0;
    }
    mem_free(count);
    return ST_OK;
}

static void draw(const struct map *m, const char *title, struct result *out)
{
    for (size_t g = 0; g <= m->ngroups; g++) {
        size_t n = 0;
        for (size_t i = 0; i < m->shown; i++)
            n += group_of(m, i) == g;
        if (!n)
            continue;
        const char *name = g < m->ngroups ? dict_text(&m->by->levels, m->group[g]) : m->by ? "others" : title;
        struct series *s = result_series(out, "points", name, VALUE_REAL, n, false);
        if (!s)
            return;
        s->style = "points";
        s->group = m->by ? title : NULL;
        n = 0;
        for (size_t i = 0; i < m->shown; i++)
            if (group_of(m, i) == g) {
                s->x[n] = m->at[2 * i];
                s->y[n++] = m->at[2 * i + 1];
            }
    }
}

enum { MAP_ID, MAP_TITLE, MAP_GROUP, MAP_X, MAP_Y, MAP_EVENTS, MAP_COLUMNS };

static void add_points(const struct map *m, const char *title, struct result *out)
{
    const struct dataset *d = m->q->data;
    const struct column columns[MAP_COLUMNS] = {
        [MAP_ID] = {.name = m->users ? "user" : "item", .type = VALUE_TEXT},
        [MAP_TITLE] = {.name = "title",
                       .type = VALUE_TEXT,
                       .flags = m->users || !dataset_titles(d) ? COLUMN_HIDDEN : 0},
        [MAP_GROUP] = {.name = "group", .type = VALUE_TEXT, .flags = m->by ? 0 : COLUMN_HIDDEN},
        [MAP_X] = {.name = "x", .type = VALUE_REAL, .precision = 4},
        [MAP_Y] = {.name = "y", .type = VALUE_REAL, .precision = 4},
        [MAP_EVENTS] = {.name = "events", .type = VALUE_INT, .flags = COLUMN_COUNT},
    };
    struct table *t = result_table(out, "map", title, columns, MAP_COLUMNS);
    t->drawn = true;
    for (size_t i = 0; i < m->shown; i++) {
        uint32_t who = m->p.who[i], level = level_of(m, i);
        table_text(t, dict_text(m->users ? &d->users : &d->items, who));
        table_text(t, m->users || !dataset_titles(d) ? NULL : dataset_item_title(d, who));
        table_text(t, level == NO_CODE ? NULL : dict_text(&m->by->levels, level));
        table_real(t, m->at[2 * i]);
        table_real(t, m->at[2 * i + 1]);
        table_int(t, (int64_t)(m->users ? user_end_before(d, who, m->until) - d->user_begin[who] : m->events[who]));
    }
}

/* The known items that lie farthest along an axis: on a map of users, those that pull users that way. */
static enum status add_ends(const struct map *m, const struct vectors *items, size_t known, struct result *out,
                            struct error *err)
{
    static const char *const ends[] = {"right", "left", "top", "bottom"};
    float *along = mem_new_raw(known, sizeof *along, "ends of axes", err);
    if (!along)
        return ST_NOMEM;
    for (size_t end = 0; end < 4; end++) {
        const double *axis = m->axis + end / 2 * items->width;
        struct scored best[ENDS];
        struct str names = {0};
        for (size_t i = 0; i < known; i++) {
            double sum = 0;
            for (size_t f = 0; f < items->width; f++)
                sum += axis[f] * items->x[i * items->width + f];
            along[i] = (float)(end % 2 ? -sum : sum);
        }
        size_t n = topk(along, known, known / 2 < ENDS ? known / 2 : ENDS, best);
        for (size_t i = 0; i < n; i++)
            str_printf(&names, "%s%s", i ? "; " : "", dataset_item_title(m->q->data, items->who[best[i].index]));
        result_message(out, MESSAGE_INFO, "%s: %s", ends[end], result_str(out, &names));
        str_free(&names);
    }
    mem_free(along);
    return ST_OK;
}

static enum status count_events(struct map *m, const struct selection *s, struct error *err)
{
    m->events = mem_new(s->data->items.n, sizeof *m->events, "events of items", err);
    for (size_t e = 0; m->events && e < s->data->events.n; e++)
        m->events[s->data->events.item[e]] += selection_has(s, e);
    return m->events ? ST_OK : ST_NOMEM;
}

/* by=: a field of texts or lists; "category" is whatever field groups the items. */
static enum status find_by(const struct call *call, struct map *m, struct error *err)
{
    const char *name = call_text(call, "by");
    const struct fields *fields = m->users ? &m->q->data->user_fields : &m->q->data->item_fields;
    if (!name)
        return ST_OK;
    m->by = fields_find(fields, name);
    if (!m->by && !m->users && strcmp(name, "category") == 0)
        m->by = dataset_item_category(m->q->data);
    if (m->by && (m->by->type == FIELD_TEXT || m->by->type == FIELD_LIST))
        return ST_OK;
    struct str known = {0};
    for (size_t i = 0; i < fields->n; i++)
        if (fields->field[i].type == FIELD_TEXT || fields->field[i].type == FIELD_LIST)
            str_printf(&known, "%s%s", known.length ? ", " : "", fields->field[i].name);
    enum status st =
        error_set(err, ST_NOT_FOUND, "%s have no field of texts called '%s'", m->users ? "users" : "items", name);
    if (known.length)
        error_hint(err, "there is: %s", str_text(&known));
    str_free(&known);
    return error_at_option(st, err, call, "by");
}

static enum status make_map(struct workbench *wb, const struct call *call, struct map *m, struct result *out,
                            struct error *err)
{
    struct selection s = question_selection(wb, call, m->q->data);
    struct vectors items = {0};
    size_t n = (size_t)call_int(call, "n");
    m->until = s.until;
    enum status st = find_by(call, m, err);
    if (!st)
        st = count_events(m, &s, err);
    if (!st)
        st = vectors_of_items(m->m, m->events, &items, err);
    if (m->users) {
        st = st ? st : vectors_of_users(m->m, &s, n, &m->p, &m->all, &wb->job, err);
    } else {
        st = st ? st : vectors_scale(m->m, &items, err);
        m->p = items;
        m->all = items.n;
    }
    m->shown = m->p.n < n ? m->p.n : n;
    if (!st && (m->p.n < 3 || m->p.width < 2 || m->p.width > WIDEST))
        st = error_set(err, ST_STATE,
                       "a map needs three %s with events and two components at least: there are %zu and %zu",
                       m->users ? "users" : "items", m->p.n, m->p.width);
    if (!st && !(m->at = mem_new(m->p.n * 2, sizeof *m->at, "a map", err)))
        st = ST_NOMEM;
    if (!st)
        st = pca(m->p.x, m->p.n, m->p.width, 2, m->axis, m->at, m->share, err);
    if (!st)
        st = find_groups(m, err);
    if (!st) {
        const char *title =
            result_textf(out, "%s by %s: %.1f %% of the variance across, %.1f %% up", m->users ? "users" : "items",
                         m->m->name, 100 * m->share[0], 100 * m->share[1]);
        draw(m, title, out);
        add_points(m, title, out);
        st = add_ends(m, &items, items.n < n ? items.n : n, out, err);
    }
    char some[32], all[32];
    text_count(some, sizeof some, (int64_t)m->shown);
    text_count(all, sizeof all, (int64_t)m->all);
    if (!st && m->shown < m->all)
        result_message(out, MESSAGE_INFO,
                       m->users ? "%s of %s users, evenly over all; n=%zu shows all"
                                : "the %s of %s items with most events; n=%zu shows all",
                       some, all, m->all);
    if (m->users)
        vectors_clear(&items);
    return st;
}

static enum status run_map(struct workbench *wb, const struct call *call, bool users, struct result *out,
                           struct error *err)
{
    struct question q;
    struct map *m = mem_new(1, sizeof *m, "a map", err);
    enum status st = question_open(wb, call, NULL, &q, err);
    st = st ? st : m ? ST_OK : ST_NOMEM;
    if (!st) {
        m->q = &q;
        m->users = users;
        st = vectors_pick(call, &q, users, &m->m, err);
    }
    if (!st)
        st = make_map(wb, call, m, out, err);
    if (m) {
        vectors_clear(&m->p);
        mem_free(m->events);
        mem_free(m->at);
    }
    mem_free(m);
    question_close(&q);
    return st;
}

static enum status run_map_items(struct workbench *wb, const struct call *call, struct result *out, struct error *err)
{
    return run_map(wb, call, false, out, err);
}

static enum status run_map_users(struct workbench *wb, const struct call *call, struct result *out, struct error *err)
{
    return run_map(wb, call, true, out, err);
}

/* ---- the rows ---- */

static const struct argument user_args[] = {
    {.name = "USER", .type = ARG_USER, .doc = "an id, . for the current user, new for the made-up one"}};
static const struct param alike_options[] = {
    {.name = "k", .type = PARAM_INT, .initial = "10", .min = 1, .max = 1e9, .doc = "length of the list"},
    OPTION_AT,
};
static const struct param map_options[] = {
    {.name = "n",
     .type = PARAM_INT,
     .initial = "500",
     .min = 3,
     .max = 1e7,
     .doc = "points: the items with most events, or users evenly over all"},
    {.name = "by",
     .type = PARAM_COLUMN,
     .doc = "colours: a field of texts or lists, whose four commonest values (of a list: first ones) are told apart"},
};

static const struct command rows[] = {
    {.name = "similar users",
     .group = "inspect",
     .summary = "users whom a model takes for alike",
     .arguments = user_args,
     .narguments = 1,
     .options = alike_options,
     .noptions = 2,
     .flags = COMMAND_WITH | COMMAND_NEEDS_DATA,
     .help = "The cosine of the vectors that the histories fold in to, for models of factors (ials, puresvd, gfcf, "
             "bpr, ...). Components that are the same for everybody count for nothing. shared_items are those that "
             "both have had.",
     .examples = (const char *const[]){"similar users ana with ials k=3", NULL},
     .run = run_similar_users},
    {.name = "map items",
     .group = "inspect",
     .summary = "items where a model's vectors put them, on two axes",
     .options = map_options,
     .noptions = 2,
     .flags = COMMAND_WITH | COMMAND_NEEDS_DATA,
     .help =
         "Principal components: the two directions in which the vectors of the items differ most, of all items "
         "with events. The share of the variance says how much of the difference the picture shows. Singular "
         "vectors (puresvd, gfcf, bspm) count by their singular values. Items near each other are alike to the "
         "model, as far as that goes. Below stand the items at the ends of the axes; > FILE writes the coordinates.",
     .examples = (const char *const[]){"map items with ials", "map items with ials by=category n=5", NULL},
     .run = run_map_items},
    {.name = "map users",
     .group = "inspect",
     .summary = "users where a model's vectors put them, on two axes",
     .options = map_options,
     .noptions = 2,
     .flags = COMMAND_WITH | COMMAND_NEEDS_DATA,
     .help = "As `map items`, of the vectors that the histories of the users fold in to. The items below it are those "
             "that pull users that way.",
     .examples = (const char *const[]){"map users with ials", NULL},
     .run = run_map_users},
};

const struct command_family map_commands = {rows, sizeof rows / sizeof *rows};
