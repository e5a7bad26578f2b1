/* `export`: data for other programs. */
#include <string.h>

#include "base/mem.h"
#include "commands/export.h"
#include "commands/families.h"
#include "plot/plot.h"

/* ---- what is asked for ---- */

#define LISTED(name) &export_##name,
static const struct export_format *const formats[] = {EXPORT_FORMATS(LISTED)};
enum { NFORMATS = sizeof formats / sizeof *formats, FORMAT_NONE = -1 };

/* Choices of format=: the tables first, then those of EXPORT_FORMATS. */
#define TABLE_FORMATS "csv|tsv|json|jsonl|markdown"
#define WORD(name) "|" #name
static const enum output_form table_forms[] = {OUTPUT_CSV, OUTPUT_TSV, OUTPUT_JSON, OUTPUT_JSONL, OUTPUT_MARKDOWN};
enum { NTABLES = sizeof table_forms / sizeof *table_forms };

static bool ends_in(const char *path, const char *extension)
{
    size_t n = strlen(path), m = strlen(extension);
    return n > m && text_same(path + n - m, extension);
}

/* The index of the format: said, or by the extension; FORMAT_NONE when neither. */
static int find_format(const struct call *call, const char *path)
{
    enum output_form form;
    if (call_given(call, "format"))
        return (int)call_int(call, "format");
    for (int i = 0; i < NFORMATS; i++)
        if (formats[i]->extension && ends_in(path, formats[i]->extension))
            return NTABLES + i;
    if (output_form_of_path(path, &form))
        for (int i = 0; i < NTABLES; i++)
            if (table_forms[i] == form)
                return i;
    return FORMAT_NONE;
}

static enum status no_format(const struct call *call, const struct word *path, struct error *err)
{
    error_set(err, ST_USAGE, "what format %s is to have is not said", path->text);
    error_hint(err, "by its ending (.csv .tsv .json .jsonl .md) or format=%s",
               call->command->options[0].choices ? call->command->options[0].choices : TABLE_FORMATS);
    return error_at_word(ST_USAGE, err, path);
}

static enum status read_parts(struct export *x, const struct call *call, struct error *err)
{
    static const unsigned parts[] = {0, PART_TRAIN, PART_VALID, PART_TEST, PART_HISTORY};
    static const char *const names[] = {"all", "train", "valid", "test", "history"};
    x->split = workbench_split(x->wb);
    x->parts = parts[call_int(call, "part")];
    x->say_part = call_yes(call, "split");
    if ((x->parts || x->say_part) && !x->split) {
        enum status st = error_set(err, ST_STATE, "the data is not split, so there is no part to %s",
                                   x->parts ? "take" : "name");
        error_hint(err, "`split last 1` first, or leave %s out", x->parts ? "part=" : "split=");
        return error_at_option(st, err, call, x->parts ? "part" : "split");
    }
    if (x->say_part && fields_find(&x->data->events.context, "part")) {
        enum status st = error_set(err, ST_USAGE, "the data has a column part already");
        error_hint(err, "leave split=yes out");
        return error_at_option(st, err, call, "split");
    }
    if (x->parts && x->parts != PART_NONE) {
        size_t n = x->parts == PART_TRAIN   ? x->split->ntrain
                   : x->parts == PART_VALID ? x->split->nvalid
                   : x->parts == PART_TEST  ? x->split->ntest
                                            : x->split->nhistory;
        if (!n)
            return error_at_option(error_set(err, ST_STATE, "the split (%s) has no %s part", x->split->description,
                                             names[call_int(call, "part")]),
                                   err, call, "part");
    }
    return ST_OK;
}

/* ---- writing ---- */

static enum status write_stream(void *context, const char *bytes, size_t n, struct error *err)
{
    return fwrite(bytes, 1, n, context) == n ? ST_OK : error_errno(err, "write", "the export");
}

/* A result as a file of its own; takes r over. */
static enum status write_table(struct export *x, struct result *r, enum output_form form, struct error *err)
{
    struct render_options options = {.form = form, .header = true, .draw = plot_series};
    FILE *f;
    enum status st = result_status(r, err);
    if (!st)
        st = export_file(x, NULL, &f, err);
    if (!st) {
        struct output out = {f, write_stream};
        st = result_render(r, &options, &out, &x->wb->job, err);
    }
    result_free(r);
    return st ? st : export_check(x, err);
}

static enum status write_rows(struct export *x, int format, struct error *err)
{
    if (format >= NTABLES)
        return formats[format - NTABLES]->write(x, err);
    struct result *r = result_new(err);
    if (!r)
        return ST_NOMEM;
    enum status st = x->pairs ? export_pairs_table(x, r, err) : export_events_table(x, r, err);
    if (!st)
        return write_table(x, r, table_forms[format], err);
    result_free(r);
    return st;
}

static const char *format_name(int format)
{
    return format >= NTABLES ? formats[format - NTABLES]->name : output_form_names[table_forms[format]];
}

static enum status export_rows(struct workbench *wb, const struct call *call, bool pairs, struct result *out,
                               struct error *err)
{
    struct export x = export_begin(wb, call);
    int format = find_format(call, x.path);
    x.pairs = pairs;
    enum status st = format == FORMAT_NONE ? no_format(call, &call->args[0], err) : read_parts(&x, call, err);
    if (!st && format < NTABLES && pairs && x.say_part) {
        st = error_set(err, ST_USAGE, "a pair may be in several parts");
        error_hint(err, "`export events` says the part of each event; part=train exports one part");
    }
    if (!st)
        st = write_rows(&x, format, err);
    st = export_close(&x, st, err);
    bool table = format >= 0 && format < NTABLES;
    bool of_pairs =
        !st && ((table && pairs) ||
                (!table && (formats[format - NTABLES] == &export_lists || formats[format - NTABLES] == &export_npy)));
    if (!st)
        export_say(&x, format_name(format), of_pairs ? "pairs" : "events", out);
    return st;
}

static enum status run_events(struct workbench *wb, const struct call *call, struct result *out, struct error *err)
{
    return export_rows(wb, call, false, out, err);
}

static enum status run_interactions(struct workbench *wb, const struct call *call, struct result *out,
                                    struct error *err)
{
    return export_rows(wb, call, true, out, err);
}

static enum status export_entities(struct workbench *wb, const struct call *call, bool items, struct result *out,
                                   struct error *err)
{
    struct export x = export_begin(wb, call);
    int format = find_format(call, x.path);
    struct result *r = NULL;
    enum status st = format == FORMAT_NONE ? no_format(call, &call->args[0], err) : ST_OK;
    if (!st)
        st = (r = result_new(err)) ? ST_OK : ST_NOMEM;
    if (!st) {
        export_entities_table(&x, items, r);
        st = write_table(&x, r, table_forms[format], err);
    }
    st = export_close(&x, st, err);
    if (!st)
        export_say(&x, format_name(format), items ? "items" : "users", out);
    return st;
}

static enum status run_items(struct workbench *wb, const struct call *call, struct result *out, struct error *err)
{
    return export_entities(wb, call, true, out, err);
}

static enum status run_users(struct workbench *wb, const struct call *call, struct result *out, struct error *err)
{
    return export_entities(wb, call, false, out, err);
}

/* ---- vectors of a model ---- */

static enum status vectors_as_array(struct export *x, const struct model *m, const float *vectors, size_t width,
                                    struct error *err)
{
    char header[256];
    size_t n = m->trained ? m->trained->nitems : m->nitems;
    size_t length = npy_header(header, sizeof header, "<f4", n, width);
    FILE *f;
    enum status st = export_file(x, NULL, &f, err);
    if (st)
        return st;
    fwrite(header, 1, length, f);
    fwrite(vectors, sizeof *vectors, n * width, f);
    x->rows = n;
    return export_check(x, err);
}

static enum status vectors_as_table(struct export *x, const struct model *m, const float *vectors, size_t width,
                                    int format, struct error *err)
{
    struct result *r = result_new(err);
    if (!r)
        return ST_NOMEM;
    export_vectors_table(x, m, vectors, width, r);
    return write_table(x, r, table_forms[format], err);
}

static enum status find_vectors(const struct call *call, struct model *m, const float **vectors, size_t *width,
                                struct error *err)
{
    if ((*vectors = model_vectors(m, width))) /* of grown data: what it was trained on */
        return ST_OK;
    enum status st = error_set(err, ST_UNSUPPORTED, "%s has no vectors of items", m->name);
    error_hint(err, "models that learn vectors have them: `train ials`");
    return call->nmodels ? error_at_word(st, err, &call->models[0]) : st;
}

static enum status run_vectors(struct workbench *wb, const struct call *call, struct result *out, struct error *err)
{
    struct export x = export_begin(wb, call);
    struct model **models = NULL;
    const float *vectors = NULL;
    size_t n = 0, width = 0;
    const char *name = call->nmodels ? call->models[0].text : NULL;
    bool array = ends_in(x.path, ".npy");
    int format = array ? 0 : find_format(call, x.path);
    enum status st = format == FORMAT_NONE ? no_format(call, &call->args[0], err) : ST_OK;
    if (!st && call->nmodels != 1) {
        st = error_set(err, ST_USAGE, "the vectors of which model?");
        error_hint(err, "one: export vectors items.npy with ials");
    }
    if (!st)
        st = workbench_models(wb, &name, 1, &models, &n, err);
    if (!st)
        st = find_vectors(call, models[0], &vectors, &width, err);
    if (!st)
        st = array ? vectors_as_array(&x, models[0], vectors, width, err)
                   : vectors_as_table(&x, models[0], vectors, width, format, err);
    for (size_t i = 0; i < n; i++)
        model_release(models[i]);
    mem_free(models);
    st = export_close(&x, st, err);
    if (!st)
        export_say(&x, array ? "npy" : format_name(format), "items", out);
    return st;
}

/* ---- the rows ---- */

static const struct argument path_args[] = {{.name = "PATH", .type = ARG_PATH, .doc = "the file or folder to be"}};
static const struct argument user_args[] = {
    {.name = "USER", .type = ARG_USER, .doc = "an id, or . for the current user"}};

#define OPTION_REPLACE {.name = "replace", .type = PARAM_BOOL, .initial = "no", .doc = "write over what is there"}

static const struct param row_options[] = {
    {.name = "format",
     .type = PARAM_ENUM,
     .choices = TABLE_FORMATS EXPORT_FORMATS(WORD),
     .doc = "by the ending of PATH when not said"},
    {.name = "part",
     .type = PARAM_ENUM,
     .initial = "all",
     .choices = "all|train|valid|test|history",
     .doc = "one part of the split, or everything"},
    {.name = "split",
     .type = PARAM_BOOL,
     .initial = "no",
     .doc = "say which part an event is in: a column part; recbole: a file a part"},
    OPTION_REPLACE,
};
static const struct param table_options[] = {
    {.name = "format", .type = PARAM_ENUM, .choices = TABLE_FORMATS, .doc = "by the ending of PATH when not said"},
    OPTION_REPLACE,
};
static const struct param user_options[] = {
    {.name = "k", .type = PARAM_INT, .initial = "10", .min = 1, .max = 1e9, .doc = "length of the lists"},
};

#define ROWS_HELP                                                                                                            \
    "csv, tsv, json, jsonl, markdown: a table. Ids are text and written as they are (csv quotes what needs quotes); a "      \
    "spreadsheet may take a leading = for a formula.\n"                                                                      \
    "lists: train.txt and test.txt by the split, as LightGCN reads; ids that are no whole numbers become numbers, "          \
    "named in user_list.txt and item_list.txt. recbole: NAME.inter, NAME.item, NAME.user. libsvm: a row an event, "          \
    "\"label index:value ...\", the label its value or else the weight of its type (`decay` and what repeats stand for are " \
    "not in it), the indices named in PATH.columns.tsv. npy: the matrix as arrays in a folder.\n"                            \
    "Files are written beside their names and renamed when they are whole. `load` reads events and lists back as they were."

static const struct command rows[] = {
    {.name = "export events",
     .group = "files",
     .summary = "write the events to files of other programs",
     .arguments = path_args,
     .narguments = 1,
     .options = row_options,
     .noptions = sizeof row_options / sizeof *row_options,
     .flags = COMMAND_NEEDS_DATA | COMMAND_TIMELESS,
     .help = "One row an event, in the order of the input, with all columns.\n" ROWS_HELP,
     .examples = (const char *const[]){"export events tiny-events.csv replace=yes",
                                       "export events tiny-atomic format=recbole replace=yes", NULL},
     .run = run_events},
    {.name = "export interactions",
     .group = "files",
     .summary = "write who had what to files of other programs",
     .arguments = path_args,
     .narguments = 1,
     .options = row_options,
     .noptions = sizeof row_options / sizeof *row_options,
     .flags = COMMAND_NEEDS_DATA | COMMAND_TIMELESS,
     .help = "One row a user and item: the sum of the weights, the number of events, the time of the newest. Only "
             "events that count as feedback.\n" ROWS_HELP,
     .examples = (const char *const[]){"export interactions tiny-pairs.csv replace=yes",
                                       "export interactions tiny.libsvm replace=yes",
                                       "export interactions tiny-arrays format=npy replace=yes", NULL},
     .run = run_interactions},
    {.name = "export items",
     .group = "files",
     .summary = "write the items and their attributes",
     .arguments = path_args,
     .narguments = 1,
     .options = table_options,
     .noptions = sizeof table_options / sizeof *table_options,
     .flags = COMMAND_NEEDS_DATA | COMMAND_TIMELESS,
     .help = "One row an item, in the order of their numbers; `load items PATH` reads it back.",
     .examples = (const char *const[]){"export items tiny-items.csv replace=yes", NULL},
     .run = run_items},
    {.name = "export users",
     .group = "files",
     .summary = "write the users and their attributes",
     .arguments = path_args,
     .narguments = 1,
     .options = table_options,
     .noptions = sizeof table_options / sizeof *table_options,
     .flags = COMMAND_NEEDS_DATA | COMMAND_TIMELESS,
     .help = "One row a user, in the order of their numbers; `load users PATH` reads it back.",
     .examples = (const char *const[]){"export users tiny-users.jsonl replace=yes", NULL},
     .run = run_users},
    {.name = "export vectors",
     .group = "files",
     .summary = "write what a model has learnt of each item, as vectors",
     .arguments = path_args,
     .narguments = 1,
     .options = table_options,
     .noptions = sizeof table_options / sizeof *table_options,
     .flags = COMMAND_NEEDS_DATA | COMMAND_WITH | COMMAND_TIMELESS,
     .help = "PATH.npy is an array of items x length for NumPy, its rows in the order of `export items`; any other "
             "ending is a table with the id and v1, v2, ... User vectors are not kept: users are folded in when they "
             "are asked about.",
     .examples = (const char *const[]){"export vectors tiny-vectors.npy with ials replace=yes", NULL},
     .run = run_vectors},
    {.name = "export user",
     .group = "files",
     .summary = "all that is known of one user",
     .arguments = user_args,
     .narguments = 1,
     .options = user_options,
     .noptions = sizeof user_options / sizeof *user_options,
     .flags = COMMAND_NEEDS_DATA | COMMAND_SEVERAL,
     .help = "Attributes, every event, and what each model would show them, for people who ask for their data: "
             "`export user 42 > u42.json`. While the clock is rewound, events since then are left out, and it says so.",
     .examples = (const char *const[]){"export user ana", "export user ana k=3 > ana.json", NULL},
     .run = export_user},
};

const struct command_family export_commands = {rows, sizeof rows / sizeof *rows};
