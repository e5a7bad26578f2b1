/* Lists: a user and then the user's items on every line, blanks between.
 *
 *   LightGCN   a folder of train.txt and test.txt (maybe valid.txt): the split is given; user_list.txt and
 * item_list.txt say what the ids were before S3-Rec     NAME.txt, the items in their order, NAME_item2attributes.json
 * {"4": [1, 2]}, NAME_sample.txt with items that the user did not touch gSASRec    a folder of train_input.txt and
 * test_output.txt: items only, line n is user n */
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "ingest/load.h"

/* A file of lists: nothing but whole numbers and blanks, and not the same number of them on every line, or more than
 * any table has. */
static bool looks_like_lists(const char *head, size_t n)
{
    enum { LINES = 50, WIDE = 20 };
    size_t lines = 0, first = 0;
    bool differ = false;
    for (size_t at = 0; at < n && lines < LINES;) {
        const char *end = memchr(head + at, '\n', n - at);
        if (!end && lines > 1)
            break;
        size_t stop = end ? (size_t)(end - head) : n, tokens = 0;
        for (size_t i = at; i < stop; i++) {
            bool digit = isdigit((unsigned char)head[i]);
            if (!digit && head[i] != ' ' && head[i] != '\r')
                return false;
            tokens += digit && (i == at || head[i - 1] == ' ');
        }
        if (lines++ == 0)
            first = tokens;
        differ |= tokens != first;
        at = stop + 1;
    }
    return lines > 1 && (differ || first > WIDE);
}

static bool holds(const char *path, const char *one, const char *other)
{
    return folder_holds(path, one) && folder_holds(path, other);
}

static const char attributes_ending[] = "_item2attributes.json";

static int recognise(const char *path, const char *head, size_t n)
{
    char file[4096];
    if (n)
        return looks_like_lists(head, n) ? 20 : 0;
    return holds(path, "train.txt", "test.txt") || holds(path, "train_input.txt", "test_output.txt") ||
                   folder_find(path, attributes_ending, file, sizeof file)
               ? 20
               : 0;
}

/* ---- lines ---- */

/* How lines are read: who the user is, and what they did. */
struct line_form {
    bool by_row; /* no user on the line: its number */
    const char *type;
};

static enum status read_line(struct ingest *in, const struct sheet *t, const struct line_form *form, struct error *err)
{
    char number[24];
    const struct cell row_user = {
        .text = number,
        .n = (size_t)snprintf(number, sizeof number, "%llu", (unsigned long long)in->row_number)};
    struct event_row row = {.user = form->by_row ? &row_user : &t->row.cells[0],
                            .time = NO_TIME,
                            .value = NAN,
                            .type = form->type,
                            .type_length = strlen(form->type)};
    for (size_t c = 0; c < t->row.n; c++) {
        const char *bad = ingest_id(in, &t->row.cells[c], c ? "item" : "user");
        if (bad)
            return ingest_reject(in, t, bad, err);
    }
    enum status st = ST_OK;
    for (size_t c = !form->by_row; c < t->row.n && !st; c++) {
        row.item = &t->row.cells[c];
        st = ingest_add_event(in, &row, err);
    }
    return st;
}

static enum status read_lines(struct ingest *in, const char *path, const struct line_form *lines, struct error *err)
{
    static const char *const any_width[] = {NULL};
    struct sheet_form form = {
        .delimiter = "space", .encoding = in->form.encoding, .no_quotes = true, .names = any_width};
    struct sheet t;
    size_t alone = 0;
    enum status st = ingest_open(in, path, &form, &t, err);
    if (st)
        return st;
    for (bool more = true; !st;) {
        st = ingest_next(in, &t, &more, err);
        if (st || !more)
            break;
        in->row_number++;
        alone += t.row.n == 1 && !lines->by_row;
        st = read_line(in, &t, lines, err);
        if (!st)
            st = job_check(in->job, err); /* lines are long: rows do not come in steps of one */
    }
    if (alone)
        ingest_note(in, "%s: %zu line%s a user and no items", path, alone, alone == 1 ? " has" : "s have");
    ingest_close(in, &t);
    return st;
}

/* ---- attributes of items in one JSON object ---- */

struct json_lists {
    struct ingest *in;
    size_t column;
    struct dict seen; /* of one item: a list may name a thing twice */
    struct str room;
};

static enum status take_list(void *context, const char *key, size_t key_length, const struct cell *cell,
                             struct error *err)
{
    struct json_lists *j = context;
    uint32_t item, code;
    enum status st = dict_add(&j->in->data->items, key, key_length, &item, err);
    dict_clear(&j->seen);
    str_clear(&j->room);
    for (const char *p = cell->text, *end = p + cell->n; p < end && !st;) {
        const char *mark = memchr(p, LIST_MARK, (size_t)(end - p)), *stop = mark ? mark : end;
        uint32_t before = j->seen.n;
        st = dict_add(&j->seen, p, (size_t)(stop - p), &code, err);
        if (j->seen.n > before) {
            if (j->room.length)
                str_putc(&j->room, LIST_MARK);
            str_append(&j->room, p, (size_t)(stop - p));
        }
        p = stop + 1;
    }
    if (!st && j->room.failed)
        st = error_nomem(err, cell->n, "a list");
    if (st)
        return st;
    return raw_column_set(&j->in->item_columns.column[j->column], item,
                          &(struct cell){.text = str_text(&j->room), .n = j->room.length, .list = true}, err);
}

/* The object is one line of any length; files of up to 16 MiB are read. */
static enum status read_attributes(struct ingest *in, const char *path, struct error *err)
{
    struct json_lists j = {.in = in};
    struct feed *feed = NULL;
    struct jsonl *json = jsonl_new(err);
    const char *reason = NULL;
    enum status st = json ? feed_open(path, in->job, &feed, err) : ST_NOMEM;
    while (!st && !feed->ended && feed->end - feed->at < ROW_CAP)
        st = feed_more(feed, err);
    if (!st)
        st = raw_columns_add(&in->item_columns, "attributes", &j.column, err);
    if (!st)
        st = jsonl_read(json, feed->data + feed->at, feed->end - feed->at, take_list, &j, &reason, err);
    if (!st && reason)
        ingest_note(in, "%s is not read to its end: %s", path, reason);
    feed_close(feed);
    jsonl_free(json);
    dict_clear(&j.seen);
    str_free(&j.room);
    return st;
}

/* NAME_item2attributes.json beside NAME.txt. */
static enum status attributes_of(struct ingest *in, const char *path, struct error *err)
{
    char name[256], file[300], beside[4096];
    path_stem(path, name, sizeof name);
    char *dot = strrchr(name, '.');
    if (dot)
        *dot = 0;
    snprintf(file, sizeof file, "%s%s", name, attributes_ending);
    return path_beside(path, file, beside, sizeof beside) ? read_attributes(in, beside, err) : ST_OK;
}

/* ---- the layouts ---- */

static enum status read_parts(struct ingest *in, const char *path, const char *const *files, size_t n, bool by_row,
                              struct error *err)
{
    static const char *const parts[] = {"train", "test", "valid"};
    const struct line_form form = {.by_row = by_row, .type = "event"};
    enum status st = ST_OK;
    for (size_t i = 0; i < n && !st; i++) {
        char file[4096];
        if (!path_beside(path, files[i], file, sizeof file))
            continue;
        in->row_number = 0;
        st = ingest_set_part(in, parts[i], err);
        if (!st)
            st = read_lines(in, file, &form, err);
    }
    return st;
}

static enum status read_lightgcn(struct ingest *in, const char *path, struct error *err)
{
    static const char *const files[] = {"train.txt", "test.txt", "valid.txt"};
    static const struct mapping mapping[] = {{"id", "remap_id"}};
    enum status st = read_parts(in, path, files, 3, false, err);
    if (!st)
        st = attributes_as(in, path, "item_list.txt", ATTRIBUTES_OF_ITEMS, NULL, mapping, 1, err);
    if (!st)
        st = attributes_as(in, path, "user_list.txt", ATTRIBUTES_OF_USERS, NULL, mapping, 1, err);
    return st;
}

static enum status read_gsasrec(struct ingest *in, const char *path, struct error *err)
{
    static const char *const files[] = {"train_input.txt", "test_output.txt"};
    enum status st = read_parts(in, path, files, 2, true, err);
    if (!st)
        ingest_note(
            in,
            "line n is user n; the item between the two files, and those of val_*.txt, are in none that says whose");
    return st;
}

static enum status read_file(struct ingest *in, const char *path, struct error *err)
{
    char stem[256];
    path_stem(path, stem, sizeof stem);
    const char *user = ingest_mapped(in, "user");
    bool negative = text_ends(stem, "_sample.txt");
    const struct line_form form = {.by_row = (user && strcmp(user, "row") == 0) || text_ends(stem, "_input.txt"),
                                   .type = negative ? "negative" : "event"};
    if (form.by_row)
        ingest_note(in, "%s: line n holds the items of user n", path);
    if (negative)
        ingest_note(in, "%s: items that users did not touch, kept as events of the type negative", path);
    enum status st = read_lines(in, path, &form, err);
    return st ? st : attributes_of(in, path, err);
}

static enum status read_lists(struct ingest *in, const char *path, struct error *err)
{
    char file[4096];
    if (!path_is_folder(path))
        return read_file(in, path, err);
    if (holds(path, "train.txt", "test.txt"))
        return read_lightgcn(in, path, err);
    if (holds(path, "train_input.txt", "test_output.txt"))
        return read_gsasrec(in, path, err);
    if (!folder_find(path, attributes_ending, file, sizeof file - 8))
        return error_set(err, ST_NOT_FOUND, "%s: the lists are gone", path);
    snprintf(file + strlen(file) - strlen(attributes_ending), 8, ".txt");
    return read_file(in, file, err);
}

const struct reader reader_lists = {"lists", "a user and the user's items on every line", recognise, read_lists, true};
