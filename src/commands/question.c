#include "commands/question.h"

#include <string.h>

#include "base/mem.h"
#include "commands/lex.h"
#include "commands/served_words.h"
#include "features/condition.h"

/* ---- names ---- */

static enum status no_current_user(const struct word *w, struct error *err)
{
    enum status st = error_set(err, ST_STATE, "there is no current user yet");
    error_hint(err, "`user ID` looks at one, `user new = \"Heat\" \"Toy Story\"` makes one up");
    return error_at_word(st, err, w);
}

/* With two items that there are, so that it can be typed as it stands. */
static void hint_new(const struct dataset *d, struct error *err)
{
    struct str line = {0};
    str_puts(&line, "user new =");
    for (uint32_t i = 0; i < d->items.n && i < 2; i++)
        put_item(&line, d, i);
    error_hint(err, "nobody is made up yet: `%s` does; then `recommend new` and `why new #1`", str_text(&line));
    str_free(&line);
}

/* USER: an id, `.` for the current one, `new` for the made-up one, which is no user of the data: NO_USER. */
static enum status name_user(struct workbench *wb, const struct dataset *d, const struct word *w, uint32_t *user,
                             struct error *err)
{
    bool current = !w->quoted && strcmp(w->text, ".") == 0;
    bool made_up = !w->quoted && strcmp(w->text, "new") == 0 && wb->nmade_up > 0;
    if (current && wb->user == NO_USER && wb->nmade_up == 0)
        return no_current_user(w, err);
    if (current || made_up) {
        *user = current ? wb->user : NO_USER;
        return ST_OK;
    }
    enum status st = dataset_find_user(d, w->text, user, err);
    if (st == ST_NOT_FOUND && strcmp(w->text, "new") == 0)
        hint_new(d, err);
    return st ? error_at_word(st, err, w) : ST_OK;
}

/* Who has no list yet: the current user, where there is one. */
static void hint_list(struct workbench *wb, struct error *err)
{
    struct str who = {0};
    if (wb->user != NO_USER && wb->data)
        lex_quote(&who, dict_text(&wb->data->users, wb->user));
    else
        str_puts(&who, wb->nmade_up ? "new" : "USER");
    error_hint(err, "`recommend %s` makes one", str_text(&who));
    str_free(&who);
}

static enum status item_of_list(struct workbench *wb, const struct word *w, int64_t rank, uint32_t *item,
                                struct error *err)
{
    enum status st;
    if (wb->nlast_list == 0) {
        st = error_set(err, ST_STATE, "%s is about the last list, and there is none yet", w->text);
        hint_list(wb, err);
        return error_at_word(st, err, w);
    }
    if (rank < 1 || (uint64_t)rank > wb->nlast_list) {
        st = error_set(err, ST_NOT_FOUND, "the last list has %zu item%s, no %s", wb->nlast_list,
                       wb->nlast_list == 1 ? "" : "s", w->text);
        return error_at_word(st, err, w);
    }
    *item = wb->last_list[rank - 1];
    return ST_OK;
}

enum status name_item(struct workbench *wb, const struct dataset *d, const struct word *w, uint32_t *item,
                      struct error *err)
{
    int64_t rank;
    if (!w->quoted && w->text[0] == '#' && text_parse_int(w->text + 1, &rank))
        return item_of_list(wb, w, rank, item, err);
    enum status st = dataset_find_item(d, w->text, item, err);
    return st ? error_at_word(st, err, w) : ST_OK;
}

enum status item_or_group(const struct call *call, size_t n, struct error *err)
{
    const char *verb = call->command->name;
    bool item = call->nargs > n, group = call->where.text;
    if (item != group)
        return ST_OK;
    if (item) {
        error_set(err, ST_USAGE, "%s is about one item, or about all of a group: not both", verb);
        error_hint(err, "leave out \"%s\", or the condition", call->args[n].text);
        return error_at_word(ST_USAGE, err, &call->where);
    }
    struct str usage = {0};
    command_usage(call->command, &usage);
    error_set(err, ST_USAGE, "%s needs ITEM, or where \"CONDITION\"", verb);
    error_hint(err, "usage: %s", str_text(&usage));
    error_span(err, strlen(call->text), 1);
    str_free(&usage);
    return ST_USAGE;
}

enum status name_group(struct workbench *wb, const struct call *call, const struct dataset *d, uint8_t **chosen,
                       struct error *err)
{
    size_t n;
    enum status st = condition_items(call->where.text, d, question_selection(wb, call, d).until, chosen, &n, err);
    if (st == ST_USAGE && err)
        err->offset += call->where.offset + call->where.quoted;
    if (st || n)
        return st;
    mem_free(*chosen);
    *chosen = NULL;
    st = error_set(err, ST_NOT_FOUND, "the condition holds for no item");
    error_hint(err, "`find WORDS` looks through what items are");
    return error_at_word(st, err, &call->where);
}

void put_group(const char *condition, struct str *out)
{
    struct str tidy = {0};
    condition_tidy(condition, &tidy);
    const char *text = str_text(&tidy), *value = strstr(text, " = '"), *end = value ? strchr(value + 4, '\'') : NULL;
    if (end && !end[1] && end > value + 4)
        str_append(out, value + 4, (size_t)(end - value - 4));
    else
        str_printf(out, "\"%s\"", text);
    out->failed |= tidy.failed;
    str_free(&tidy);
}

enum status remember_list(struct workbench *wb, const uint32_t *items, size_t n, struct error *err)
{
    uint32_t *copy = mem_new_raw(n, sizeof *copy, "a list", err);
    if (!copy)
        return ST_NOMEM;
    if (n)
        memcpy(copy, items, n * sizeof *copy);
    pthread_mutex_lock(&wb->lock);
    uint32_t *old = wb->last_list;
    wb->last_list = copy;
    wb->nlast_list = n;
    pthread_mutex_unlock(&wb->lock);
    mem_free(old);
    return ST_OK;
}

/* ---- the question ---- */

static const struct param_value *option(const struct call *call, const char *name)
{
    size_t i = param_index(call->command->options, call->command->noptions, name);
    return i < call->command->noptions && call->values[i].given ? &call->values[i] : NULL;
}

struct selection question_selection(struct workbench *wb, const struct call *call, const struct dataset *d)
{
    const struct param_value *at = option(call, "at");
    return (struct selection){.data = d, .until = at ? at->integer : wb->now, .hides = workbench_hides(wb)};
}

/* Without times no event is before or after a moment; and after the clock there is nothing yet. */
static enum status check_at(const struct workbench *wb, const struct call *call, const struct dataset *d,
                            struct error *err)
{
    const struct param_value *at = option(call, "at");
    char clock[40];
    if (at && d->events.time && wb->now != NO_TIME && at->integer > wb->now) {
        time_short(clock, sizeof clock, wb->now);
        error_set(err, ST_USAGE, "at= lies after the clock, which is rewound to %s", clock);
        error_hint(err, "`rewind now` goes back to the present");
        return error_at_option(ST_USAGE, err, call, "at");
    }
    if (d->events.time || !at)
        return ST_OK;
    error_set(err, ST_STATE, "at= needs to know when events happened, and no event of %s has a time", d->name);
    error_hint(err, "load the data with time=COLUMN");
    return error_at_option(ST_STATE, err, call, "at");
}

static enum status open_history(struct workbench *wb, const struct call *call, const struct word *user,
                                struct question *q, struct error *err)
{
    struct selection s = question_selection(wb, call, q->data);
    enum status st = name_user(wb, q->data, user, &q->user, err);
    if (st)
        return st;
    if (q->user == NO_USER) {
        q->who = "new";
        st = history_of_events(wb->made_up, wb->nmade_up, s.until, &q->history, err);
        q->history.hides = s.hides;
        return st;
    }
    q->who = dict_text(&q->data->users, q->user);
    return history_of_user(&s, q->user, &q->history, err);
}

enum status edit_history(struct workbench *wb, const struct question *q, const struct word *words, size_t n,
                         struct history *h, struct str *line, struct str *said, struct error *err)
{
    const char *how = NULL;
    char said_how = 0;
    for (size_t i = 0; i < n; i++) {
        const struct word *w = &words[i];
        if (!w->quoted && (strcmp(w->text, "remove") == 0 || strcmp(w->text, "add") == 0)) {
            how = w->text;
            str_printf(line, " %s", how);
            continue;
        }
        uint32_t item;
        if (!how) {
            error_set(err, ST_USAGE, "say `remove` or `add` before \"%s\"", w->text);
            error_hint(err, "for example: whatif %s remove ITEM add ITEM", q->who);
            return error_at_word(ST_USAGE, err, w);
        }
        enum status st = name_item(wb, q->data, w, &item, err);
        if (!st && *how == 'a') {
            st = history_add(h, q->data, item, err);
        } else if (!st && history_remove(h, item) == 0) {
            st = error_set(err, ST_NOT_FOUND, "\"%s\" is not in the history of %s", dataset_item_title(q->data, item),
                           q->who);
            error_hint(err, "`user %s` shows it", q->who);
            error_at_word(st, err, w);
        }
        if (st)
            return st;
        put_item(line, q->data, item);
        str_puts(said, said->length ? ", " : "");
        if (*how != said_how)
            str_puts(said, *how == 'a' ? "with " : "without ");
        str_printf(said, "\"%s\"", dataset_item_title(q->data, item));
        said_how = *how;
    }
    return ST_OK;
}

/* The call may ask about another history than the one that happened. */
static enum status open_edits(struct workbench *wb, const struct call *call, struct question *q, struct error *err)
{
    enum status st = edit_history(wb, q, call->edits, call->nedits, &q->history, &q->edits, &q->edited, err);
    return !st && (q->edits.failed || q->edited.failed) ? error_nomem(err, q->edits.capacity, "what was changed") : st;
}

static enum status open_models(struct workbench *wb, const struct call *call, struct question *q, struct error *err)
{
    const char **names = mem_new(call->nmodels, sizeof *names, "model names", err);
    if (!names)
        return ST_NOMEM;
    for (size_t i = 0; i < call->nmodels; i++)
        names[i] = call->models[i].text;
    enum status st = workbench_models(wb, names, call->nmodels, &q->models, &q->nmodels, err);
    for (size_t i = 0; st == ST_NOT_FOUND && i < call->nmodels; i++) {
        struct model *m = workbench_model(wb, call->models[i].text);
        if (!m) {
            error_at_word(st, err, &call->models[i]);
            break;
        }
        model_release(m);
    }
    mem_free(names);
    return st;
}

enum status question_open_data(struct workbench *wb, const struct call *call, const struct word *user,
                               struct question *out, struct error *err)
{
    const struct param_value *seen = option(call, "seen");
    *out = (struct question){.user = NO_USER, .who = "", .history = {.user = NO_USER, .as_of = NO_TIME}};
    out->data = workbench_data(wb);
    out->seen = (seen ? seen->integer == SEEN_HIDE : wb->hide_seen) ? SEEN_HIDE : SEEN_SHOW;
    out->history.as_of = question_selection(wb, call, out->data).until;
    enum status st = check_at(wb, call, out->data, err);
    if (!st && user)
        st = open_history(wb, call, user, out, err);
    return st || !user ? st : open_edits(wb, call, out, err);
}

enum status question_open(struct workbench *wb, const struct call *call, const struct word *user, struct question *out,
                          struct error *err)
{
    enum status st = question_open_data(wb, call, user, out, err);
    return st ? st : open_models(wb, call, out, err);
}

void question_close(struct question *q)
{
    for (size_t i = 0; i < q->nmodels; i++)
        model_release(q->models[i]);
    for (size_t i = 0; i < q->nserved; i++)
        model_release(q->served[i]);
    mem_free(q->models);
    mem_free(q->served);
    history_clear(&q->history);
    str_free(&q->edits);
    str_free(&q->edited);
    dataset_release(q->data);
    *q = (struct question){0};
}

/* One line for all of them. */
void warn_of_future(const struct question *q, struct result *out)
{
    struct str names = {0};
    int64_t last = NO_TIME;
    size_t n = 0;
    for (size_t i = 0; i < q->nmodels; i++) {
        const struct model *m = q->models[i];
        if (!model_sees_future(m, q->history.as_of))
            continue;
        str_printf(&names, "%s%s", n++ ? ", " : "", m->name);
        last = m->record.trained_until > last ? m->record.trained_until : last;
    }
    if (n) {
        char trained[40], asked[40];
        time_short(trained, sizeof trained, last);
        time_short(asked, sizeof asked, q->history.as_of);
        result_message(out, MESSAGE_WARNING, "%s %s trained on events up to %s: as of %s %s the future",
                       result_str(out, &names), n > 1 ? "were" : "was", trained, asked,
                       n > 1 ? "they know" : "it knows");
    }
    str_free(&names);
}

/* ---- the command again ---- */

static void put_word(struct str *s, const char *text)
{
    if (s->length)
        str_putc(s, ' ');
    lex_quote(s, text);
}

void put_item(struct str *s, const struct dataset *d, uint32_t item)
{
    struct str id = {0};
    str_printf(&id, "id:%s", dict_text(&d->items, item));
    put_word(s, str_text(&id));
    s->failed |= id.failed;
    str_free(&id);
}

void put_user(struct str *s, const struct question *q)
{
    if (q->user == NO_USER)
        str_puts(s, " new"); /* a keyword: quotes would make it an id */
    else
        put_word(s, q->who);
}

void put_where(struct str *s, const struct call *call)
{
    str_puts(s, " where");
    put_word(s, call->where.text);
}

void put_end(struct str *s, const struct call *call, const struct question *q)
{
    for (size_t i = 0; i < q->nmodels; i++) {
        str_puts(s, i == 0 ? " with" : "");
        put_word(s, q->models[i]->name);
    }
    for (size_t i = 0; i < q->nserved; i++) {
        str_puts(s, i + q->nmodels == 0 ? " with" : "");
        put_word(s, q->served[i]->name);
    }
    put_options(s, call);
}

void put_options(struct str *s, const struct call *call)
{
    for (size_t i = 0; i < call->command->noptions; i++) {
        if (!call->values[i].given)
            continue;
        str_printf(s, " %s=", call->command->options[i].name);
        lex_quote(s, call->values[i].text);
    }
}

void put_command(struct str *s, struct result *out)
{
    if (!s->failed) {
        mem_free(out->command);
        out->command = mem_strdup(str_text(s), NULL); /* without memory the line as typed is kept */
    }
    str_free(s);
}

void question_end(struct workbench *wb, const struct call *call, const struct question *q, uint32_t item,
                  struct result *out)
{
    struct str line = {0};
    warn_of_future(q, out);
    wb->user = q->user;
    str_puts(&line, call->command->name);
    put_user(&line, q);
    if (item != NO_ITEM)
        put_item(&line, q->data, item);
    else if (call->where.text)
        put_where(&line, call);
    str_puts(&line, str_text(&q->edits));
    if (q->edited.length)
        result_message(out, MESSAGE_INFO, "of the history %s", str_text(&q->edited));
    put_end(&line, call, q);
    put_command(&line, out);
}

enum status ask_of_item(struct workbench *wb, const struct call *call, answer_of_item *answer, struct result *out,
                        struct error *err)
{
    struct question q;
    uint32_t item = 0;
    enum status st = question_open(wb, call, &call->args[0], &q, err);
    if (!st)
        st = name_item(wb, q.data, &call->args[1], &item, err);
    if (!st)
        st = served_aside(wb, &q, &item, 1, out, err);
    if (!st && q.nmodels)
        st = answer(wb, call, &q, item, out, err);
    if (!st)
        question_end(wb, call, &q, item, out);
    question_close(&q);
    return st;
}

/* ---- items in tables ---- */

void item_columns(const struct dataset *d, struct column out[ITEM_COLUMNS])
{
    bool titles = dataset_titles(d), categories = dataset_item_category(d);
    out[0] = (struct column){.name = "item", .type = VALUE_TEXT, .flags = titles ? COLUMN_HIDDEN : 0};
    out[1] = (struct column){.name = "title", .type = VALUE_TEXT, .flags = titles ? 0 : COLUMN_HIDDEN};
    out[2] =
        (struct column){.name = "category", .type = VALUE_TEXT, .flags = categories ? COLUMN_COMPACT : COLUMN_HIDDEN};
}

void item_cells(const struct dataset *d, uint32_t item, struct table *t)
{
    const struct field *category = dataset_item_category(d);
    table_text(t, dict_text(&d->items, item));
    table_text(t, dataset_titles(d) ? dataset_item_title(d, item) : NULL);
    if (!category || field_missing(category, item)) {
        table_null(t);
        return;
    }
    struct str text = {0};
    field_format(category, item, &text);
    table_str(t, &text);
    str_free(&text);
}
