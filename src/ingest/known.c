#include "ingest/known.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "ingest/unpack.h"

enum { CATALOGUE_MOST = 4 << 20, NAME_MOST = 63 };

/* A file of the catalogue while it is read. */
struct reading {
    const char *path;
    size_t line;
    bool mine;
    struct known *out;
    struct known_set *set; /* the entry that lines belong to; NULL before the first */
};

static enum status wrong(const struct reading *r, struct error *err, const char *what, const char *value)
{
    error_set(err, ST_FORMAT, "%s:%zu: %s%.80s", r->path, r->line, what, value);
    error_hint(err, "the head of datasets/catalogue.txt describes an entry");
    return ST_FORMAT;
}

static char *trimmed(char *text)
{
    while (isspace((unsigned char)*text))
        text++;
    size_t n = strlen(text);
    while (n && isspace((unsigned char)text[n - 1]))
        text[--n] = 0;
    return text;
}

/* ---- entries ---- */

/* Names become folders and words of commands. */
static bool good_name(const char *name)
{
    size_t n = strlen(name);
    return n > 0 && n <= NAME_MOST && isalnum((unsigned char)name[0]) &&
           strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") == n;
}

static enum status begin_entry(struct reading *r, char *line, struct error *err)
{
    char *end = strchr(line, ']');
    if (!end || end[1])
        return wrong(r, err, "an entry begins with its name in brackets: ", line);
    *end = 0;
    const char *name = trimmed(line + 1);
    if (!good_name(name))
        return wrong(r, err, "not a name (letters, digits, - _ .): ", name);
    struct known *k = r->out;
    struct known_set *old = (struct known_set *)known_find(k, name);
    if (old) {
        if (old->mine == r->mine)
            return wrong(r, err, "a second entry called ", name);
    } else {
        enum status st = mem_grow(&k->set, &k->capacity, k->n + 1, sizeof *k->set, err);
        if (st)
            return st;
        old = &k->set[k->n++];
    }
    *old = (struct known_set){.name = name, .mine = r->mine};
    r->set = old;
    return ST_OK;
}

static enum status take_count(const struct reading *r, const char *value, uint64_t *out, struct error *err)
{
    int64_t n;
    if (!text_parse_int(value, &n) || n < 0)
        return wrong(r, err, "not a whole number: ", value);
    *out = (uint64_t)n;
    return ST_OK;
}

/* The last part of a url or path, without what follows a question mark. A name with odd letters is refused. */
static enum status take_file(struct reading *r, char *value, bool fetched, struct error *err)
{
    struct known_set *s = r->set;
    if (s->nfiles == KNOWN_FILES)
        return wrong(r, err, "more than eight files: ", value);
    struct known_file *f = &s->file[s->nfiles++];
    const char *slash = strrchr(value, '/');
    const char *name = fetched && slash ? slash + 1 : value;
    if (!good_name(name))
        return wrong(r, err, "the name of the file (letters, digits, - _ .) cannot be told from ", value);
    *f = (struct known_file){.url = fetched ? value : NULL, .name = name};
    s->by_hand |= !fetched;
    return ST_OK;
}

static enum status take_digest(const struct reading *r, const char *value, size_t digits, const char **out,
                               struct error *err)
{
    if (strlen(value) != digits || strspn(value, "0123456789abcdef") != digits)
        return wrong(r, err, "not a checksum in small hexadecimal digits: ", value);
    *out = value;
    return ST_OK;
}

static enum status take_pair(struct reading *r, const char *key, char *value, struct error *err)
{
    struct known_set *s = r->set;
    struct {
        const char *key;
        const char **text;
    } texts[] = {{"title", &s->title}, {"about", &s->about}, {"licence", &s->licence},
                 {"cite", &s->cite},   {"page", &s->page},   {"load", &s->load},
                 {"items_from", &s->items_from}, {"users_from", &s->users_from}};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        if (strcmp(key, texts[i].key) == 0) {
            *texts[i].text = value;
            return ST_OK;
        }
    }
    if (strcmp(key, "users") == 0)
        return take_count(r, value, &s->users, err);
    if (strcmp(key, "items") == 0)
        return take_count(r, value, &s->items, err);
    if (strcmp(key, "events") == 0)
        return take_count(r, value, &s->events, err);
    if (strcmp(key, "url") == 0 || strcmp(key, "file") == 0)
        return take_file(r, value, key[0] == 'u', err);
    if (s->nfiles == 0)
        return wrong(r, err, "stands before a url, or is no word of an entry: ", key);
    struct known_file *f = &s->file[s->nfiles - 1];
    if (strcmp(key, "bytes") == 0)
        return take_count(r, value, &f->bytes, err);
    if (strcmp(key, "sha256") == 0)
        return take_digest(r, value, 64, &f->sha256, err);
    if (strcmp(key, "md5") == 0)
        return take_digest(r, value, 32, &f->md5, err);
    return wrong(r, err, "no word of an entry: ", key);
}

static enum status check_entry(const struct reading *r, struct error *err)
{
    const struct known_set *s = r->set;
    if (s && !s->load)
        return wrong(r, err, "no load= in the entry ", s->name);
    if (s && !s->nfiles)
        return wrong(r, err, "neither url= nor file= in the entry ", s->name);
    for (size_t i = 0; s && s->nfiles > 1 && i < s->nfiles; i++)
        if (unpack_wanted(s->file[i].name))
            return wrong(r, err, "an archive is the only file of an entry: ", s->name);
    return ST_OK;
}

/* One line with those that go on with it. */
static enum status take_line(struct reading *r, char *line, struct error *err)
{
    line = trimmed(line);
    if (!*line || *line == '#')
        return ST_OK;
    if (*line == '[') {
        enum status st = check_entry(r, err);
        return st ? st : begin_entry(r, line, err);
    }
    char *equals = strchr(line, '=');
    if (!equals || !r->set)
        return wrong(r, err, "neither [name] nor key = value: ", line);
    *equals = 0;
    return take_pair(r, trimmed(line), trimmed(equals + 1), err);
}

/* Joins the lines that begin with blanks to the one before, in place, with one blank between. */
static char *join_lines(char *end, size_t *lines)
{
    *lines = 1;
    while (*end && (end[1] == ' ' || end[1] == '\t')) {
        char *from = end + 1;
        from += strspn(from, " \t");
        if (*from == '\n' || *from == 0)
            break;
        *end = ' ';
        memmove(end + 1, from, strlen(from) + 1);
        end += strcspn(end, "\n");
        ++*lines;
    }
    return end;
}

enum status known_read(const char *path, bool mine, struct known *out, struct error *err)
{
    struct reading r = {.path = path, .mine = mine, .out = out, .line = 1};
    char *text;
    size_t n;
    enum status st = mem_grow(&out->text, &out->texts_capacity, out->ntexts + 1, sizeof *out->text, err);
    if (!st)
        st = file_read(path, CATALOGUE_MOST, &text, &n, err);
    if (st)
        return st;
    out->text[out->ntexts++] = text;
    if (strlen(text) != n || !utf8_valid(text, n))
        return wrong(&r, err, "not UTF-8 text", "");
    for (char *line = text; *line && !st;) {
        size_t lines;
        char *end = join_lines(line + strcspn(line, "\n"), &lines);
        char *next = *end ? end + 1 : end;
        *end = 0;
        st = take_line(&r, line, err);
        r.line += lines;
        line = next;
    }
    return st ? st : check_entry(&r, err);
}

void known_clear(struct known *k)
{
    for (size_t i = 0; i < k->ntexts; i++)
        mem_free(k->text[i]);
    mem_free(k->text);
    mem_free(k->set);
    *k = (struct known){0};
}

const struct known_set *known_find(const struct known *k, const char *name)
{
    for (size_t i = 0; i < k->n; i++)
        if (text_same(k->set[i].name, name))
            return &k->set[i];
    return NULL;
}

uint64_t known_bytes(const struct known_set *s)
{
    uint64_t total = 0;
    for (size_t i = 0; i < s->nfiles; i++) {
        if (!s->file[i].bytes)
            return 0;
        total += s->file[i].bytes;
    }
    return total;
}
