/* An SQLite database as a file of CSV: the rows of a query, pulled as the reader asks for text. */
#include <string.h>

#include "base/mem.h"
#include "ingest/load.h"
#include "store/foreign.h"

enum { PIECE = 256 << 10 };

struct pulled {
    struct foreign *foreign;
    struct str text;
    size_t at;
};

static enum status pull(void *context, char *out, size_t room, size_t *got, struct error *err)
{
    struct pulled *p = context;
    if (p->at == p->text.length) {
        p->at = 0;
        str_clear(&p->text);
        enum status st = foreign_read(p->foreign, &p->text, PIECE, err);
        if (st)
            return st;
    }
    size_t n = p->text.length - p->at;
    *got = n < room ? n : room;
    if (*got)
        memcpy(out, p->text.data + p->at, *got);
    p->at += *got;
    return ST_OK;
}

static void close_pulled(void *context)
{
    struct pulled *p = context;
    foreign_close(p->foreign);
    str_free(&p->text);
    mem_free(p);
}

static enum status open_database(struct ingest *in, const char *path, struct feed **out, struct error *err)
{
    struct pulled *p = mem_new(1, sizeof *p, "a database", err);
    struct source *source = NULL;
    if (!p)
        return ST_NOMEM;
    enum status st =
        foreign_open(path, ingest_mapped(in, "query"), ingest_mapped(in, "table"), in->job, &p->foreign, err);
    if (!st)
        st = source_pulled(pull, close_pulled, p, &source, err);
    if (st) {
        close_pulled(p);
        return st;
    }
    st = feed_from(source, path, out, err);
    if (!st) {
        (*out)->line = 0; /* of the header: row n is line n */
        (*out)->by_rows = true;
        in->form.delimiter = ",";
        in->form.header = "yes";
    }
    return st;
}

enum status ingest_feed(struct ingest *in, const char *path, struct feed **out, struct error *err)
{
    bool database = !path_is_folder(path) && foreign_mine(path);
    if (!database && (ingest_mapped(in, "query") || ingest_mapped(in, "table")))
        return error_set(err, ST_USAGE, "query= and table= are for SQLite databases, and %s is none", path);
    enum status st = database ? open_database(in, path, out, err) : feed_open(path, in->job, out, err);
    if (!st && in->head)
        feed_cut(*out);
    return st;
}
