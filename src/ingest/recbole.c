/* The atomic files of RecBole: NAME.inter, NAME.item and NAME.user, tabs between columns, the type of each in the
 * header:
 *
 *   user_id:token   item_id:token   rating:float   timestamp:float
 *
 * token is a code and stays text, float is a number, token_seq is a list of words with blanks between them (titles are
 * that too, but people read them whole), float_seq a list of numbers. */
#include <glob.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "ingest/load.h"

enum atomic_type { ATOMIC_TOKEN, ATOMIC_TOKEN_SEQ, ATOMIC_FLOAT, ATOMIC_FLOAT_SEQ };

enum { TYPED_MOST = 256 };

struct typed_sheet {
    struct sheet t;
    enum atomic_type type[TYPED_MOST];
};

static bool split_name(const char *typed, char *name, size_t size, enum atomic_type *type)
{
    static const char *const types[] = {"token", "token_seq", "float", "float_seq"};
    const char *colon = strrchr(typed, ':');
    for (int i = 0; colon && i < 4; i++) {
        if (strcmp(colon + 1, types[i]) != 0)
            continue;
        snprintf(name, size, "%.*s", (int)(colon - typed), typed);
        *type = (enum atomic_type)i;
        return true;
    }
    return false;
}

/* Opens the file and takes the types out of the names of its columns. */
static enum status open_typed(struct ingest *in, const char *path, struct typed_sheet *out, struct error *err)
{
    struct sheet_form form = {
        .delimiter = "tab", .header = "yes", .encoding = in->form.encoding, .no_quotes = true};
    enum status st = ingest_open(in, path, &form, &out->t, err);
    if (st)
        return st;
    struct dict names = {0};
    for (uint32_t c = 0; c < out->t.names.n && !st; c++) {
        char name[256];
        uint32_t code;
        enum atomic_type type;
        if (c == TYPED_MOST || !split_name(dict_text(&out->t.names, c), name, sizeof name, &type)) {
            st = error_set(err, ST_FORMAT, "%s: the column \"%s\" has no type", path, dict_text(&out->t.names, c));
            error_hint(err, "atomic files say name:token, name:token_seq, name:float or name:float_seq");
            break;
        }
        out->type[c] = type;
        st = dict_add(&names, name, strlen(name), &code, err);
        if (!st && code != c)
            st = error_set(err, ST_FORMAT, "%s has two columns \"%s\"", path, name);
    }
    if (st) {
        dict_clear(&names);
        ingest_close(in, &out->t);
        return st;
    }
    dict_clear(&out->t.names);
    out->t.names = names;
    return ST_OK;
}

/* ---- items and users ---- */

static bool is_title(const char *name)
{
    char folded[64];
    name_fold(name, folded, sizeof folded);
    size_t n = strlen(folded);
    return (n >= 5 && strcmp(folded + n - 5, "title") == 0) || (n >= 4 && strcmp(folded + n - 4, "name") == 0);
}

/* The words of a sequence as one list. */
static enum status as_list(const struct cell *from, struct str *room, struct cell *to, struct error *err)
{
    str_clear(room);
    for (size_t i = 0; i < from->n; i++)
        str_putc(room, from->text[i] == ' ' ? LIST_MARK : from->text[i]);
    *to = (struct cell){.text = str_text(room), .n = room->length, .list = true};
    return room->failed ? error_nomem(err, from->n, "a list") : ST_OK;
}

static enum status read_row(struct typed_sheet *s, struct raw_columns *columns, const size_t *column, uint32_t key,
                            uint32_t id, struct str *room, struct error *err)
{
    enum status st = ST_OK;
    for (uint32_t c = 0; c < s->t.names.n && !st; c++) {
        struct cell cell = s->t.row.cells[c];
        if (c == key || cell.n == 0)
            continue;
        bool list = s->type[c] == ATOMIC_FLOAT_SEQ ||
                    (s->type[c] == ATOMIC_TOKEN_SEQ && !is_title(dict_text(&s->t.names, c)));
        if (list)
            st = as_list(&cell, room, &cell, err);
        if (!st)
            st = raw_column_set(&columns->column[column[c]], id, &cell, err);
    }
    return st;
}

/* Fields called as people expect: movie_title is the title. */
static enum status plan_fields(struct typed_sheet *s, struct raw_columns *columns, uint32_t key, size_t *column,
                               struct error *err)
{
    enum status st = ST_OK;
    bool titled = dict_find_text(&s->t.names, "title") != NO_CODE;
    for (uint32_t c = 0; c < s->t.names.n && !st; c++) {
        const char *name = dict_text(&s->t.names, c);
        if (c == key)
            continue;
        bool title = !titled && is_title(name) && s->type[c] == ATOMIC_TOKEN_SEQ;
        titled |= title;
        st = raw_columns_add(columns, title ? "title" : name, &column[c], err);
        if (!st)
            columns->column[column[c]].text = s->type[c] == ATOMIC_TOKEN;
    }
    return st;
}

enum status recbole_attributes(struct ingest *in, const char *path, enum attribute_target target, struct error *err)
{
    bool items = target == ATTRIBUTES_OF_ITEMS, more = true;
    struct raw_columns *columns = items ? &in->item_columns : &in->user_columns;
    struct dict *ids = items ? &in->data->items : &in->data->users;
    struct typed_sheet s;
    size_t column[TYPED_MOST] = {0};
    struct str room = {0};
    uint32_t key = 0, id;
    enum status st = open_typed(in, path, &s, err);
    if (st)
        return st;
    st = roles_find_key(in, &s.t, target, &key, err);
    if (!st)
        st = plan_fields(&s, columns, key, column, err);
    while (!st) {
        st = ingest_next(in, &s.t, &more, err);
        if (st || !more)
            break;
        const struct cell *cell = &s.t.row.cells[key];
        const char *bad = ingest_id(in, cell, items ? "item" : "user");
        if (bad) {
            st = ingest_reject(in, &s.t, bad, err);
            continue;
        }
        st = dict_add(ids, cell->text, cell->n, &id, err);
        if (!st)
            st = read_row(&s, columns, column, key, id, &room, err);
        in->data->rows_read += !st;
        in->data->rows_kept += !st;
    }
    str_free(&room);
    ingest_close(in, &s.t);
    return st;
}

/* ---- interactions ---- */

bool recbole_mine(const char *path, enum attribute_target target)
{
    char stem[256];
    path_stem(path, stem, sizeof stem);
    return text_ends(stem, target == ATTRIBUTES_OF_ITEMS ? ".item" : ".user");
}

/* The name of the data set: "ml-100k" of ".../ml-100k.inter" and of ".../ml-100k.train.inter". */
static void name_of(const char *path, char *out, size_t size)
{
    static const char *const endings[] = {".inter", ".train", ".valid", ".test"};
    path_stem(path, out, size);
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++)
        if (text_ends(out, endings[i]))
            out[strlen(out) - strlen(endings[i])] = 0;
}

static enum status read_inter(struct ingest *in, const char *path, struct error *err)
{
    struct typed_sheet s;
    char tokens[TYPED_MOST][64];
    size_t ntokens = 0;
    enum status st = open_typed(in, path, &s, err);
    if (st)
        return st;
    for (uint32_t c = 0; c < s.t.names.n; c++)
        if (s.type[c] == ATOMIC_TOKEN)
            snprintf(tokens[ntokens++], sizeof *tokens, "%s", dict_text(&s.t.names, c));
    st = events_read(in, &s.t, err);
    for (size_t i = 0; i < in->context.n; i++)
        for (size_t k = 0; k < ntokens; k++)
            in->context.column[i].text |= strcmp(in->context.column[i].name, tokens[k]) == 0;
    return st;
}

static enum status read_beside(struct ingest *in, const char *path, enum attribute_target target, struct error *err)
{
    char name[256], file[300], beside[4096];
    name_of(path, name, sizeof name);
    snprintf(file, sizeof file, "%s.%s", name, target == ATTRIBUTES_OF_ITEMS ? "item" : "user");
    return path_beside(path, file, beside, sizeof beside) ? recbole_attributes(in, beside, target, err) : ST_OK;
}

/* The .inter files of a folder, or the file itself. */
static int find_inter(const char *path, glob_t *found)
{
    struct str pattern = {0};
    str_printf(&pattern, "%s/*.inter", path);
    int failed = pattern.failed ? GLOB_NOSPACE : glob(str_text(&pattern), 0, NULL, found);
    str_free(&pattern);
    return failed;
}

static int recognise(const char *path, const char *head, size_t n)
{
    if (n == 0) {
        char file[4096];
        return folder_find(path, ".inter", file, sizeof file) ? 30 : 0;
    }
    const char *end = memchr(head, '\n', n);
    size_t line = end ? (size_t)(end - head) : n;
    return memmem(head, line, ":token", 6) && memchr(head, '\t', line) ? 30 : 0;
}

static enum status read_folder(struct ingest *in, const char *path, struct error *err)
{
    static const char *const parts[] = {"train", "valid", "test"};
    glob_t found = {0};
    enum status st = ST_OK;
    if (find_inter(path, &found))
        st = error_set(err, ST_NOT_FOUND, "%s: the .inter file is gone", path);
    bool several = !st && found.gl_pathc > 1;
    for (size_t i = 0; !st && i < found.gl_pathc; i++) {
        const char *part = NULL;
        for (size_t k = 0; k < sizeof parts / sizeof *parts && several; k++) {
            char ending[32];
            snprintf(ending, sizeof ending, ".%s.inter", parts[k]);
            part = text_ends(found.gl_pathv[i], ending) ? parts[k] : part;
        }
        st = ingest_set_part(in, part, err);
        if (!st)
            st = read_inter(in, found.gl_pathv[i], err);
    }
    if (!st)
        st = read_beside(in, found.gl_pathv[0], ATTRIBUTES_OF_ITEMS, err);
    if (!st)
        st = read_beside(in, found.gl_pathv[0], ATTRIBUTES_OF_USERS, err);
    globfree(&found);
    return st;
}

static enum status read_atomic(struct ingest *in, const char *path, struct error *err)
{
    if (path_is_folder(path))
        return read_folder(in, path, err);
    enum status st = read_inter(in, path, err);
    if (!st && in->item_columns.n == 0)
        st = read_beside(in, path, ATTRIBUTES_OF_ITEMS, err);
    if (!st && in->user_columns.n == 0)
        st = read_beside(in, path, ATTRIBUTES_OF_USERS, err);
    return st;
}

const struct reader reader_recbole = {"recbole", "atomic files: .inter with .item and .user", recognise, read_atomic,
                                      false};
