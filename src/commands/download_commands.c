/* download: fetching what is well known, and loading it. */
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "commands/catalogue.h"
#include "commands/families.h"
#include "commands/lex.h"
#include "ingest/fetch.h"
#include "ingest/load.h"
#include "ingest/unpack.h"

struct download {
    struct workbench *wb;
    const struct call *call;
    const struct known_set *set;
    struct result *out;
    uint64_t most;
    char folder[PATH_MAX];   /* where the set lies when it is whole */
    char fetching[PATH_MAX]; /* where its files come in */
    struct str origin;       /* a line for each file: url, bytes, sha256 */
};

/* What a user can do when the network does not. */
static void hint_by_hand(const struct download *d, struct error *err)
{
    char said[sizeof err->hint];
    const struct known_set *s = d->set;
    if (!err)
        return;
    snprintf(said, sizeof said, "%s", err->hint);
    const struct known_file *f = &s->file[0];
    const char *from = s->page ? result_textf(d->out, " (%s)", s->page) : "";
    const char *what = s->nfiles > 1 ? result_textf(d->out, "the files of %s%s", s->name, from)
                       : f->url      ? f->url
                                     : result_textf(d->out, "%s%s", f->name, from);
    error_hint(err, "%s%sby hand: get %s, then `download %s from=PATH`", said, said[0] ? "; " : "", what, s->name);
}

/* A file as long as there is no room for it is not begun. */
static enum status check_room(const char *folder, uint64_t bytes, struct error *err)
{
    struct statvfs v;
    char need[32], have[32];
    if (!bytes || statvfs(folder, &v))
        return ST_OK;
    uint64_t free_bytes = (uint64_t)v.f_bavail * v.f_frsize;
    if (free_bytes >= bytes)
        return ST_OK;
    text_bytes(need, sizeof need, (double)bytes);
    text_bytes(have, sizeof have, (double)free_bytes);
    error_set(err, ST_IO, "%s is too full: %s are needed, %s are free", folder, need, have);
    error_hint(err, "set cache FOLDER chooses another place");
    return ST_IO;
}

static void say_fetched(struct download *d, const struct known_file *f, const struct fetched *got)
{
    char size[32], before[32];
    text_bytes(size, sizeof size, (double)got->bytes);
    text_bytes(before, sizeof before, (double)got->resumed_at);
    result_message(d->out, MESSAGE_INFO, "%s: %s%s%s%s; %s", f->name, size, got->resumed_at ? " (" : "",
                   got->resumed_at ? before : "", got->resumed_at ? " were here already)" : "",
                   f->sha256 || f->md5 ? "the checksum is right" : "no checksum is published, its own is recorded");
    str_printf(&d->origin, "%s %llu sha256 %s\n", f->url ? f->url : f->name, (unsigned long long)got->bytes,
               got->sha256);
}

static struct fetch fetch_of(const struct download *d, const struct known_file *f, const char *path)
{
    return (struct fetch){
        .url = f->url, .path = path, .sha256 = f->sha256, .md5 = f->md5, .bytes = f->bytes, .most = d->most};
}

static enum status fetch_one(struct download *d, const struct known_file *f, char *path, size_t size,
                             struct error *err)
{
    struct fetched got;
    if (snprintf(path, size, "%s/%s", d->fetching, f->name) >= (int)size)
        return error_set(err, ST_IO, "the path of the cache is too long");
    struct fetch fetch = fetch_of(d, f, path);
    enum status st = access(path, F_OK) == 0 ? fetch_verify(&fetch, path, &d->wb->job, &got, err) : ST_NOT_FOUND;
    if (st == ST_OK) {
        got.resumed_at = got.bytes;
    } else if (st == ST_NOT_FOUND || st == ST_CORRUPT) {
        st = fetch_file(&fetch, &d->wb->job, &got, err);
        if (st == ST_IO || st == ST_UNSUPPORTED || st == ST_CORRUPT)
            hint_by_hand(d, err);
    }
    if (!st)
        say_fetched(d, f, &got);
    return st;
}

/* The line of where it came from lies with the files. */
static enum status write_origin(struct download *d, const char *folder, struct error *err)
{
    char path[PATH_MAX];
    struct file_draft *draft = NULL;
    if (snprintf(path, sizeof path, "%s/.origin", folder) >= (int)sizeof path || d->origin.failed)
        return error_set(err, ST_IO, "the path of the cache is too long");
    enum status st = file_draft_open(path, &draft, err);
    if (st)
        return st;
    fputs(str_text(&d->origin), file_draft_stream(draft));
    return file_draft_commit(draft, err);
}

static enum status fetch_all(struct download *d, struct error *err)
{
    const struct known_set *s = d->set;
    char path[PATH_MAX];
    enum status st = file_make_folder(d->fetching, err);
    if (!st)
        st = check_room(d->fetching, known_bytes(s), err);
    for (size_t i = 0; i < s->nfiles && !st; i++)
        st = fetch_one(d, &s->file[i], path, sizeof path, err);
    if (st)
        return st;
    if (s->nfiles == 1 && unpack_wanted(s->file[0].name)) {
        st = unpack(path, d->folder, d->most, &d->wb->job, err);
        if (!st)
            st = write_origin(d, d->folder, err);
        if (!st || st == ST_FORMAT) /* what is no good is not kept for the next attempt */
            (void)!remove_tree(d->fetching, st ? NULL : err);
        return st;
    }
    st = write_origin(d, d->fetching, err);
    if (!st && rename(d->fetching, d->folder))
        st = error_errno(err, "write", d->folder);
    return st;
}

/* ---- by hand ---- */

/* An archive is checked and unpacked into the cache; anything else is read where it lies. */
static enum status take_by_hand(struct download *d, const char *path, char *folder, size_t size, const char **file,
                                struct error *err)
{
    const struct known_file *f = &d->set->file[0];
    struct fetched got = {0};
    struct stat info;
    *file = NULL;
    if (stat(path, &info))
        return error_at_option(error_errno(err, "read", path), err, d->call, "from");
    if (S_ISDIR(info.st_mode)) {
        snprintf(folder, size, "%s", path);
        return ST_OK;
    }
    if (d->set->nfiles > 1) {
        error_set(err, ST_USAGE, "%s has %zu files: from= says the folder that holds them", d->set->name,
                  d->set->nfiles);
        return error_at_option(ST_USAGE, err, d->call, "from");
    }
    struct fetch fetch = fetch_of(d, f, path);
    job_begin(&d->wb->job, (uint64_t)info.st_size, "B", "checking %s", f->name);
    enum status st = fetch_verify(&fetch, path, &d->wb->job, &got, err);
    if (st == ST_CORRUPT)
        error_hint(err, "it is another version or broke on the way: get it again from %s",
                   f->url ? f->url : d->set->page ? d->set->page : "its page");
    if (st)
        return error_at_option(st, err, d->call, "from");
    say_fetched(d, f, &got);
    if (!unpack_wanted(path)) {
        const char *slash = strrchr(path, '/');
        snprintf(folder, size, "%.*s", slash ? (int)(slash - path) : 1, slash ? path : ".");
        *file = path;
        return ST_OK;
    }
    st = remove_tree(d->folder, err);
    if (!st)
        st = unpack(path, d->folder, d->most, &d->wb->job, err);
    if (!st)
        st = write_origin(d, d->folder, err);
    snprintf(folder, size, "%s", d->folder);
    return st;
}

/* ---- loading ---- */

/* "load ml-100k user=1" with the paths put into the folder; file: what was given for the only file there is. */
static void put_line(struct str *line, const char *verb, const char *words, const char *folder, const char *file)
{
    char word[PATH_MAX], path[PATH_MAX * 2];
    str_puts(line, verb);
    for (const char *p = words; *p;) {
        size_t n = strcspn(p, " ");
        snprintf(word, sizeof word, "%.*s", (int)n, p);
        p += n;
        p += strspn(p, " ");
        str_putc(line, ' ');
        if (strchr(word, '=')) {
            str_puts(line, word);
            continue;
        }
        if (file)
            snprintf(path, sizeof path, "%s", file);
        else if (strcmp(word, ".") == 0)
            snprintf(path, sizeof path, "%s", folder);
        else
            snprintf(path, sizeof path, "%s/%s", folder, word);
        lex_quote(line, path);
    }
}

/* Runs a command line within this one: its tables come to the same result. Errors say the line, not a place in it. */
static enum status run_line(struct download *d, const struct str *line, struct error *err)
{
    struct call *inner = NULL;
    enum status st = line->failed ? error_nomem(err, line->length, "a command line")
                                  : call_parse(d->wb, str_text(line), false, &inner, err);
    if (!st)
        st = inner->command->run(d->wb, inner, d->out, err);
    if (st && err) {
        err->offset = err->length = 0;
        if (!err->source[0])
            snprintf(err->source, sizeof err->source, "%.*s", (int)sizeof err->source - 1, str_text(line));
    }
    call_free(inner);
    return st;
}

/* The events are loaded already when a table beside them is missing: what is to do is to join it. */
static void hint_events_are_here(const char *name, const char *line, struct error *err)
{
    error_hint(err, "the events are loaded as %s; put the file there, then `%s` joins it", name, line);
}

static enum status load_all(struct download *d, const char *folder, const char *file, const char *name,
                            struct error *err)
{
    const struct known_set *s = d->set;
    const struct {
        const char *verb, *words;
    } more[] = {{"load items", s->items_from}, {"load users", s->users_from}};
    struct str line = {0};
    put_line(&line, "load", s->load, folder, file);
    str_puts(&line, " as ");
    lex_quote(&line, name);
    if (call_yes(d->call, "replace"))
        str_puts(&line, " replace=yes");
    enum status st = run_line(d, &line, err);
    for (size_t i = 0; i < sizeof more / sizeof *more && !st; i++) {
        if (!more[i].words)
            continue;
        str_clear(&line);
        put_line(&line, more[i].verb, more[i].words, folder, NULL);
        st = run_line(d, &line, err);
        if (st)
            hint_events_are_here(name, str_text(&line), err);
    }
    str_free(&line);
    return st;
}

/* Before anything is fetched: the name must be free, or the set may be replaced. */
static enum status check_name(struct download *d, const char *name, struct error *err)
{
    struct dataset_info *list = NULL;
    size_t n = 0;
    enum status st = workspace_list_datasets(d->wb->space, &list, &n, err);
    for (size_t i = 0; i < n && !st && !call_yes(d->call, "replace"); i++) {
        if (strcmp(list[i].name, name) != 0)
            continue;
        st = error_set(err, ST_USAGE, "there is a data set %s already", name);
        error_hint(err, "`load %s` opens it; as NAME keeps both; replace=yes reads the files again", name);
        (void)error_at_word(st, err, d->call->as.text ? &d->call->as : &d->call->args[0]);
    }
    mem_free(list);
    return st;
}

static enum status get_files(struct download *d, char *folder, size_t size, const char **file, struct error *err)
{
    const char *from = call_text(d->call, "from");
    enum status st = ST_OK;
    *file = NULL;
    if (from)
        return take_by_hand(d, from, folder, size, file, err);
    if (call_yes(d->call, "again"))
        st = remove_tree(d->folder, err);
    snprintf(folder, size, "%s", d->folder);
    if (st || path_is_folder(d->folder))
        return st;
    if (d->set->by_hand) {
        error_set(err, ST_UNSUPPORTED, "%s cannot be fetched: its publisher wants people to come", d->set->name);
        hint_by_hand(d, err);
        return error_at_word(ST_UNSUPPORTED, err, &d->call->args[0]);
    }
    return fetch_all(d, err);
}

static enum status run_download(struct workbench *wb, const struct call *call, struct result *out, struct error *err)
{
    struct known known = {0};
    struct download d = {.wb = wb, .call = call, .out = out};
    char folder[PATH_MAX];
    const char *file;
    enum status st = catalogue_read(&known, err);
    if (!st)
        st = catalogue_find(&known, &call->args[0], &d.set, err);
    const char *name = st ? NULL : call->as.text ? call->as.text : d.set->name;
    d.most = (uint64_t)(call_real(call, "limit") * 1073741824.);
    if (!st)
        st = check_name(&d, name, err);
    if (!st)
        st = catalogue_place(wb, "", d.set->name, d.folder, sizeof d.folder, err);
    if (!st)
        st = catalogue_place(wb, ".fetching/", d.set->name, d.fetching, sizeof d.fetching, err);
    if (!st)
        st = get_files(&d, folder, sizeof folder, &file, err);
    if (!st)
        st = load_all(&d, folder, file, name, err);
    if (!st && d.set->licence)
        result_message(out, MESSAGE_INFO, "licence: %s. `datasets %s` says how to cite it", d.set->licence,
                       d.set->name);
    str_free(&d.origin);
    known_clear(&known);
    return st;
}

/* ---- the table ---- */

static const struct argument download_args[] = {
    {.name = "NAME", .type = ARG_KNOWN, .doc = "a well-known data set: `datasets` lists them"},
};
static const struct param download_options[] = {
    {.name = "from", .type = PARAM_PATH, .doc = "the file, or the folder of files, that was fetched by hand"},
    {.name = "again", .type = PARAM_BOOL, .initial = "no", .doc = "fetch it though it is in the cache"},
    {.name = "replace", .type = PARAM_BOOL, .initial = "no", .doc = "overwrite a data set of that name"},
    {.name = "limit", .type = PARAM_REAL, .initial = "16", .min = 0.001, .max = 1e6,
     .doc = "GiB that a file may have, packed and unpacked"},
};

static const struct command rows[] = {
    {.name = "download",
     .group = "files",
     .summary = "fetch a well-known data set and load it",
     .arguments = download_args,
     .narguments = 1,
     .options = download_options,
     .noptions = sizeof download_options / sizeof *download_options,
     .flags = COMMAND_AS | COMMAND_CHANGES | COMMAND_SEVERAL,
     .help = "Over https into the cache ($XDG_CACHE_HOME/tailor, else ~/.cache/tailor, or `set cache FOLDER`), checked "
             "against the published checksum, unpacked, loaded. What is in the cache is not fetched again. What is "
             "broken off, cancelled or killed goes on where it was.\n"
             "Without a network, or where a publisher wants people to come: get the file by hand, and from= says where "
             "it is.\n"
             "Each set stays under its publisher's licence: `datasets NAME` shows it.",
     .examples = (const char *const[]){"download ml-100k", "download ml-100k as movies replace=yes", NULL},
     .run = run_download},
};

const struct command_family download_commands = {rows, sizeof rows / sizeof *rows};
