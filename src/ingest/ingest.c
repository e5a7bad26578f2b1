#include "ingest/ingest.h"

#include <dirent.h>
#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/mem.h"
#include "ingest/load.h"

/* ---- the mapping ---- */

static enum status unknown_key(const char *key, bool events, struct error *err)
{
    static const char *const event_keys[] = {"user",    "item",      "time",     "value",    "type",
                                             "session", "price",     "quantity", "item.",    "user.",
                                             "format",  "delimiter", "header",   "encoding", "tz",
                                             "dates",   "keep",      "skip",     "query",    "table",
                                             "time_format", "decimal"};
    const char *near = events ? text_nearest(key, event_keys, sizeof event_keys / sizeof *event_keys) : NULL;
    error_set(err, ST_USAGE, "load has no option \"%s\"", key);
    if (near)
        error_hint(err, "did you mean %s=?", near);
    else
        error_hint(err, "columns: user item time value type session price quantity item.X user.X; and keep skip format "
                        "delimiter header encoding tz dates time_format decimal query table "
                        "(columns that are not named are kept as they are)");
    return ST_USAGE;
}

static enum status parse_encoding(const char *text, enum encoding *out, struct error *err)
{
    static const struct {
        const char *name;
        enum encoding encoding;
    } names[] = {{"auto", ENCODING_AUTO},           {"utf-8", ENCODING_UTF8},     {"utf8", ENCODING_UTF8},
                 {"latin1", ENCODING_LATIN1},       {"latin-1", ENCODING_LATIN1}, {"iso-8859-1", ENCODING_LATIN1},
                 {"windows-1252", ENCODING_LATIN1}, {"cp1252", ENCODING_LATIN1}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (text_same(text, names[i].name)) {
            *out = names[i].encoding;
            return ST_OK;
        }
    error_set(err, ST_USAGE, "encoding=%s is not known", text);
    error_hint(err, "auto, utf-8 or latin1; others can be converted first: iconv -f %s -t UTF-8 IN > OUT", text);
    return ST_USAGE;
}

/* "+02:00", "-0530", "UTC", "Z": east of UTC. */
static enum status parse_tz(const char *text, int64_t *out, struct error *err)
{
    char probe[64];
    int64_t us;
    if (text_same(text, "utc") || text_same(text, "z")) {
        *out = 0;
        return ST_OK;
    }
    snprintf(probe, sizeof probe, "1970-01-02T00:00:00%s", text);
    if ((text[0] == '+' || text[0] == '-') && time_parse(probe, strlen(probe), 0, &us)) {
        *out = US_PER_DAY - us;
        return ST_OK;
    }
    error_set(err, ST_USAGE, "tz=%s is not an offset", text);
    error_hint(err, "an offset from UTC: tz=+02:00, tz=-05:30 or tz=utc");
    return ST_USAGE;
}

const char *ingest_time(const struct ingest *in, const struct cell *cell, int64_t *out)
{
    int64_t us;
    *out = NO_TIME;
    if (cell_untimed(cell))
        return NULL;
    if (in->time_form)
        return time_parse_as(in->time_form, cell->text, cell->n, in->tz, out) ? NULL : "is not a time as time_format= says";
    if (time_parse_dates(cell->text, cell->n, in->dates, in->tz, out) && *out != NO_TIME)
        return NULL;
    if (in->dates == DATES_UNSAID && (time_parse_dates(cell->text, cell->n, DATES_DMY, 0, &us) ||
                                      time_parse_dates(cell->text, cell->n, DATES_MDY, 0, &us)))
        return "may begin with the day or the month: dates=dmy or dates=mdy says which";
    return "is not a time (ISO 8601, day.month.year or epoch seconds expected)";
}

static enum status parse_choice(const char *key, const char *value, const char *const *choices, struct error *err)
{
    struct str all = {0};
    for (size_t i = 0; choices[i]; i++) {
        if (text_same(value, choices[i])) {
            str_free(&all);
            return ST_OK;
        }
        str_printf(&all, "%s%s", i ? ", " : "", choices[i]);
    }
    error_set(err, ST_USAGE, "%s=%s is not possible", key, value);
    error_hint(err, "one of %s", str_text(&all));
    str_free(&all);
    return ST_USAGE;
}

static enum status take_time_form(struct ingest *in, const char *value, struct error *err)
{
    in->time_form = in->context.time_form = in->item_columns.time_form = in->user_columns.time_form = value;
    if (time_form_ok(value))
        return ST_OK;
    error_set(err, ST_USAGE, "time_format=%s is no form of times", value);
    error_hint(err, "yymmddhh, yyyymmddhh, or a pattern: time_format='%%d %%b %%Y %%H:%%M'; dates=dmy and dates=mdy say the order");
    return ST_USAGE;
}

static enum status take_decimal(struct ingest *in, const char *value, struct error *err)
{
    static const char *const marks[] = {",", ".", NULL};
    enum status st = parse_choice("decimal", value, marks, err);
    in->comma = in->context.comma = in->item_columns.comma = in->user_columns.comma = strcmp(value, ",") == 0;
    return st;
}

/* What is typed becomes names of columns and constant cells. */
static enum status not_text(const char *key, struct error *err)
{
    error_set(err, ST_USAGE, "%.*s=... is not valid UTF-8", utf8_valid(key, strlen(key)) ? (int)strlen(key) : 0, key);
    error_hint(err, "the terminal or the script has another encoding");
    return ST_USAGE;
}

enum status ingest_options(struct ingest *in, bool events, struct error *err)
{
    static const char *const yes_no[] = {"yes", "no", NULL}, *const formats[] = {"csv", "tsv", "jsonl", NULL},
                             *const orders[] = {"dmy", "mdy", NULL};
    enum status st = ST_OK;
    for (size_t i = 0; i < in->nmapping && !st; i++) {
        const char *key = in->mapping[i].key, *value = in->mapping[i].value;
        if (!utf8_valid(key, strlen(key)) || !utf8_valid(value, strlen(value)))
            return not_text(key, err);
        bool column = ((text_starts(key, "item.") || text_starts(key, "user.")) && key[5]) || !events;
        for (int r = 0; r < ROLES; r++)
            column |= strcmp(key, role_names[r]) == 0;
        if (strcmp(key, "format") == 0) {
            st = parse_choice(key, value, formats, err);
            in->form.format = value;
        } else if (strcmp(key, "delimiter") == 0) {
            in->form.delimiter = value;
        } else if (strcmp(key, "header") == 0) {
            st = parse_choice(key, value, yes_no, err);
            in->form.header = value;
        } else if (strcmp(key, "encoding") == 0) {
            st = parse_encoding(value, &in->form.encoding, err);
        } else if (strcmp(key, "tz") == 0) {
            st = parse_tz(value, &in->tz, err);
        } else if (strcmp(key, "dates") == 0) {
            st = parse_choice(key, value, orders, err);
            in->dates = text_same(value, "mdy") ? DATES_MDY : DATES_DMY;
        } else if (strcmp(key, "time_format") == 0) {
            st = take_time_form(in, value, err);
        } else if (strcmp(key, "decimal") == 0) {
            st = take_decimal(in, value, err);
        } else if (strcmp(key, "keep") == 0 || strcmp(key, "skip") == 0 || strcmp(key, "query") == 0 ||
                   strcmp(key, "table") == 0) {
            continue; /* any text */
        } else if (!column) {
            st = unknown_key(key, events, err);
        }
    }
    return st;
}

/* ---- paths ---- */

struct paths {
    char **path;
    size_t n, capacity;
};

static void paths_clear(struct paths *p)
{
    for (size_t i = 0; i < p->n; i++)
        mem_free(p->path[i]);
    mem_free(p->path);
}

static enum status paths_add(struct paths *p, const char *path, struct error *err)
{
    enum status st = mem_grow(&p->path, &p->capacity, p->n + 1, sizeof *p->path, err);
    if (st)
        return st;
    p->path[p->n] = mem_strdup(path, err);
    if (!p->path[p->n])
        return ST_NOMEM;
    p->n++;
    return ST_OK;
}

/* No such file: names the nearest one in the same folder. */
static enum status no_such_file(const char *path, struct error *err)
{
    enum { LOOK = 256 };
    char folder[4096], names[LOOK][64];
    const char *candidates[LOOK], *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path;
    size_t n = 0;
    errno = ENOENT;
    enum status st = error_errno(err, "read", path);
    snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - path + 1) : 1, slash ? path : ".");
    DIR *d = opendir(folder);
    if (!d) {
        error_hint(err, "the folder %s is not there either", folder);
        return st;
    }
    for (struct dirent *e = readdir(d); e && n < LOOK; e = readdir(d)) {
        if (e->d_name[0] == '.' || strlen(e->d_name) >= sizeof names[0])
            continue;
        strcpy(names[n], e->d_name);
        candidates[n] = names[n];
        n++;
    }
    closedir(d);
    const char *near = text_nearest(base, candidates, n);
    if (near)
        error_hint(err, "did you mean %.*s%s?", slash ? (int)(slash - path + 1) : 0, path, near);
    else
        error_hint(
            err,
            "a file, a folder of a known layout, a pattern in quotes ('events-*.csv.gz'), or - for standard input");
    return st;
}

static enum status expand(const char *path, struct paths *out, struct error *err)
{
    struct stat info;
    if (strcmp(path, "-") == 0 || stat(path, &info) == 0)
        return paths_add(out, path, err);
    if (!strpbrk(path, "*?["))
        return no_such_file(path, err);
    glob_t found = {0};
    int failed = glob(path, 0, NULL, &found);
    enum status st = ST_OK;
    if (failed) {
        st = failed == GLOB_NOSPACE ? error_nomem(err, 4096, "a pattern")
                                    : error_set(err, ST_NOT_FOUND, "no file is called %s", path);
        if (st == ST_NOT_FOUND)
            error_hint(err, "* stands for any letters, ? for one, [ab] for one of some");
    }
    for (size_t i = 0; !st && i < found.gl_pathc; i++)
        st = paths_add(out, found.gl_pathv[i], err);
    globfree(&found);
    return st;
}

static uint64_t total_size(const struct paths *p)
{
    uint64_t total = 0;
    for (size_t i = 0; i < p->n; i++) {
        struct stat info;
        if (stat(p->path[i], &info) || !S_ISREG(info.st_mode))
            return 0;
        total += (uint64_t)info.st_size;
    }
    return total;
}

/* What the name of a file says about a given split: train.csv, test.txt, u1.base, valid-2.jsonl. */
static const char *part_of(const char *path)
{
    static const struct {
        const char *word, *part;
    } words[] = {{"train", "train"}, {"base", "train"}, {"valid", "valid"},
                 {"val", "valid"},   {"dev", "valid"},  {"test", "test"}};
    char stem[256];
    path_stem(path, stem, sizeof stem);
    for (const char *p = stem; *p;) {
        size_t n = strcspn(p, "._-");
        for (size_t i = 0; i < sizeof words / sizeof *words; i++)
            if (n == strlen(words[i].word) && text_starts(p, words[i].word))
                return words[i].part;
        p += n + (p[n] != 0);
    }
    return NULL;
}

/* Among several files whose names all say train, valid or test, the split is given. */
static bool parts_given(const struct paths *p)
{
    bool train = false, test = false;
    for (size_t i = 0; i < p->n; i++) {
        const char *part = part_of(p->path[i]);
        if (!part)
            return false;
        train |= strcmp(part, "train") == 0;
        test |= strcmp(part, "train") != 0;
    }
    return train && test;
}

/* ---- reading ---- */

static enum status unknown_folder(const char *path, struct error *err)
{
    error_set(err, ST_FORMAT, "%s is a folder of no layout that is known", path);
    static const char *const endings[] = {".csv", ".tsv", ".jsonl", ".csv.gz", ".txt", ".dat"};
    static const char known[] = "known: MovieLens, LightGCN, Last.fm, Book-Crossing, RetailRocket, Deskdrop, RecBole, Open Bandit, and "
                                "events.csv with items.csv";
    char found[4096];
    size_t i = 0, n = sizeof endings / sizeof *endings;
    while (i < n && !folder_find(path, endings[i], found, sizeof found))
        i++;
    if (i < n)
        error_hint(err, "%s; else name the file, such as `preview '%s'`", known, found);
    else
        error_hint(err, "%s", known);
    return ST_FORMAT;
}

const struct reader *ingest_pick(const struct ingest *in, const char *path, const char *head, size_t n)
{
    const struct reader *best = NULL;
    int most = 0;
    bool told = in->form.format || in->form.delimiter || in->form.header;
    if (told && n)
        return in->form.format && text_same(in->form.format, "jsonl") ? &reader_jsonl : &reader_csv;
    const char *user = ingest_mapped(in, "user"), *item = ingest_mapped(in, "item");
    bool mapped = item || (user && strcmp(user, "row") != 0);
    for (size_t i = 0; readers[i]; i++) {
        if (readers[i]->fixed && mapped)
            continue;
        int score = readers[i]->recognise(path, head, n);
        if (score > most) {
            most = score;
            best = readers[i];
        }
    }
    return best;
}

static enum status read_path(struct ingest *in, const char *path, struct error *err)
{
    enum { HEAD = 64 << 10 };
    const struct reader *reader;
    if (path_is_folder(path)) {
        reader = ingest_pick(in, path, NULL, 0);
        if (!reader)
            return unknown_folder(path, err);
    } else {
        enum status st = ingest_feed(in, path, &in->opened, err);
        if (st)
            return st;
        const struct feed *f = in->opened;
        size_t n = f->end - f->at;
        reader = ingest_pick(in, path, f->data + f->at, n < HEAD ? n : HEAD);
    }
    in->report->reader = reader->name;
    enum status st = reader->read(in, path, err);
    feed_close(in->opened);
    in->opened = NULL;
    return st;
}

static enum status read_all(struct ingest *in, const struct paths *paths, struct error *err)
{
    bool parts = parts_given(paths);
    enum status st = ST_OK;
    if (parts)
        ingest_note(in, "the names of the files say train and test: `split given` uses that");
    for (size_t i = 0; i < paths->n && !st; i++) {
        st = ingest_set_part(in, parts ? part_of(paths->path[i]) : NULL, err);
        if (!st)
            st = read_path(in, paths->path[i], err);
    }
    return st;
}

static enum status nothing_kept(const struct ingest *in, const char *source, struct error *err)
{
    const struct dataset *d = in->data;
    if (d->rows_rejected) {
        error_set(err, ST_FORMAT, "%s: none of %llu rows could be used; the first: %s", source,
                  (unsigned long long)d->rows_read, in->first_reject);
        error_hint(err, "`preview FILE` shows what the columns are taken for and proposes the line to load it");
    } else {
        error_set(err, ST_FORMAT, "%s holds no rows", source);
        error_hint(err, "events are rows of at least a user and an item");
    }
    return ST_FORMAT;
}

static void note_rejects(struct ingest *in, uint64_t read, uint64_t rejected)
{
    if (in->untimed)
        ingest_note(in, "%llu row%s no time: kept, and taken for older than all others",
                    (unsigned long long)in->untimed, in->untimed == 1 ? " has" : "s have");
    if (rejected > in->staged && in->rejects)
        ingest_note(in, "only the first %llu rejected rows are kept for `rejects`", (unsigned long long)in->staged);
    if (rejected * 10 > read)
        ingest_note(in, "%.0f%% of the rows were rejected; the first: %.120s", 100. * (double)rejected / (double)read,
                    in->first_reject);
}

static enum status settle(struct ingest *in, struct error *err)
{
    struct dataset *d = in->data;
    job_begin(in->job, 0, "", "load: sorting %llu events", (unsigned long long)d->events.n);
    enum status st = raw_columns_settle(&in->context, d->events.n, &d->events.context, err);
    if (!st)
        st = raw_columns_settle(&in->item_columns, d->items.n, &d->item_fields, err);
    if (!st)
        st = raw_columns_settle(&in->user_columns, d->users.n, &d->user_fields, err);
    if (!st)
        st = job_check(in->job, err);
    return st ? st : dataset_finish_job(d, in->job, err);
}

static enum status finish(struct ingest *in, enum status st, struct dataset **out)
{
    feed_close(in->opened);
    raw_columns_clear(&in->context);
    raw_columns_clear(&in->item_columns);
    raw_columns_clear(&in->user_columns);
    if (st)
        dataset_release(in->data);
    else
        *out = in->data;
    return st;
}

/* The ids of base, if any, come first. */
static enum status start_data(struct ingest *in, const struct dataset *base, const char *name, struct error *err)
{
    in->data = dataset_new(base ? base->name : name, err);
    enum status st = in->data ? ST_OK : ST_NOMEM;
    if (!st && base)
        st = dict_copy(&in->data->users, &base->users, err);
    if (!st && base)
        st = dict_copy(&in->data->items, &base->items, err);
    if (!st && base)
        st = dict_copy(&in->data->types, &base->types, err);
    return st;
}

static enum status read_events(const struct dataset *base, bool head, const char *const *paths, size_t npaths,
                               const struct mapping *mapping, size_t nmapping, const char *name,
                               struct reject_sink *rejects, struct job *job, struct dataset **out,
                               struct ingest_report *report, struct error *err)
{
    struct ingest in = {.job = job,
                        .rejects = rejects,
                        .report = report,
                        .mapping = mapping,
                        .nmapping = nmapping,
                        .head = head};
    struct paths all = {0};
    struct str source = {0};
    memset(report, 0, sizeof *report);
    report->reader = "none";
    enum status st = ingest_options(&in, true, err);
    for (size_t i = 0; i < npaths && !st; i++) {
        st = expand(paths[i], &all, err);
        str_printf(&source, "%s%s", i ? " " : "", paths[i]);
    }
    if (!st)
        st = start_data(&in, base, name, err);
    if (!st) {
        in.bytes_total = total_size(&all);
        job_begin(job, in.bytes_total, "B", "load %s", str_text(&source));
        st = read_all(&in, &all, err);
    }
    if (!st && in.data->events.n == 0)
        st = nothing_kept(&in, str_text(&source), err);
    if (!st) {
        mem_free(in.data->source);
        in.data->source = mem_strdup(str_text(&source), err);
        st = in.data->source ? settle(&in, err) : ST_NOMEM;
    }
    if (!st)
        note_rejects(&in, in.data->rows_read, in.data->rows_rejected);
    str_free(&source);
    paths_clear(&all);
    return finish(&in, st, out);
}

enum status ingest_check_mapping(const struct mapping *mapping, size_t nmapping, struct error *err)
{
    struct ingest in = {.mapping = mapping, .nmapping = nmapping};
    return ingest_options(&in, true, err);
}

enum status ingest_head(const char *path, const struct mapping *mapping, size_t nmapping, struct job *job,
                        struct dataset **out, struct ingest_report *report, struct error *err)
{
    return read_events(NULL, true, &path, 1, mapping, nmapping, "head", NULL, job, out, report, err);
}

enum status ingest_events(const char *const *paths, size_t npaths, const struct mapping *mapping, size_t nmapping,
                          const char *name, struct reject_sink *rejects, struct job *job, struct dataset **out,
                          struct ingest_report *report, struct error *err)
{
    return read_events(NULL, false, paths, npaths, mapping, nmapping, name, rejects, job, out, report, err);
}

enum status ingest_more(const struct dataset *base, const char *const *paths, size_t npaths,
                        const struct mapping *mapping, size_t nmapping, struct reject_sink *rejects, struct job *job,
                        struct dataset **out, struct ingest_report *report, struct error *err)
{
    return read_events(base, false, paths, npaths, mapping, nmapping, NULL, rejects, job, out, report, err);
}

/* ---- attributes of a data set that is there already ---- */

/* Rows of which the file says nothing keep what they had; then the old field goes. */
static enum status keep_old(struct fields *set, struct raw_columns *columns, struct error *err)
{
    enum status st = ST_OK;
    struct str text = {0};
    for (size_t i = 0; i < columns->n && !st; i++) {
        struct raw_column *c = &columns->column[i];
        struct field *f = fields_find(set, c->name);
        if (!f)
            continue;
        c->lists |= f->type == FIELD_LIST;
        c->quoted |= f->type == FIELD_TEXT;
        for (size_t r = 0; r < f->n && !st; r++) {
            if ((r < c->n && c->code[r] != NO_CODE) || field_missing(f, r))
                continue;
            str_clear(&text);
            field_format(f, r, &text);
            st = text.failed ? error_nomem(err, text.length, "an attribute")
                             : raw_column_set(c, r, &(struct cell){.text = str_text(&text), .n = text.length}, err);
        }
        field_clear(f);
        size_t at = (size_t)(f - set->field);
        memmove(f, f + 1, (set->n - at - 1) * sizeof *f);
        set->n--;
    }
    str_free(&text);
    return st;
}

enum status ingest_attributes(const struct dataset *base, enum attribute_target target, const char *path,
                              const struct mapping *mapping, size_t nmapping, struct reject_sink *rejects,
                              struct job *job, struct dataset **out, struct ingest_report *report, struct error *err)
{
    struct ingest in = {.job = job, .rejects = rejects, .report = report, .mapping = mapping, .nmapping = nmapping};
    struct paths all = {0};
    bool items = target == ATTRIBUTES_OF_ITEMS;
    memset(report, 0, sizeof *report);
    report->reader = "attributes";
    enum status st = ingest_options(&in, false, err);
    if (!st)
        st = expand(path, &all, err);
    if (!st)
        st = dataset_copy(base, base->name, &in.data, err);
    uint64_t kept = st ? 0 : in.data->rows_kept, rejected = st ? 0 : in.data->rows_rejected;
    if (!st)
        job_begin(job, total_size(&all), "B", "load %s %s", items ? "items" : "users", path);
    for (size_t i = 0; i < all.n && !st; i++) {
        bool mine;
        struct sheet t;
        st = known_attributes(&in, all.path[i], target, &mine, err);
        if (st || mine)
            continue;
        st = ingest_open(&in, all.path[i], NULL, &t, err);
        if (!st)
            st = attributes_read(&in, &t, target, err);
    }
    if (!st) {
        kept = in.data->rows_kept - kept;
        rejected = in.data->rows_rejected - rejected;
        if (kept == 0) {
            st = error_set(err, ST_FORMAT, "%s: no row could be used%s%s", path, rejected ? "; the first: " : "",
                           in.first_reject);
            error_hint(err, "id=COLUMN says which column holds the %s", items ? "item" : "user");
        }
    }
    if (!st)
        st = keep_old(items ? &in.data->item_fields : &in.data->user_fields,
                      items ? &in.item_columns : &in.user_columns, err);
    if (!st)
        st = settle(&in, err);
    if (!st)
        note_rejects(&in, kept + rejected, rejected);
    paths_clear(&all);
    return finish(&in, st, out);
}
