/* What the renderers of this room share: buffered writing, one walk over the rows, the cells as people see them. */
#ifndef TAILOR_RESULT_WRITER_H
#define TAILOR_RESULT_WRITER_H

#include "result/render.h"

/* Bytes on their way out. Renderers append to `text`; writer_spill passes it on when it has grown. */
struct writer {
    struct output *out;
    struct str text;
    const struct render_options *options;
    struct job *job;
};

MUST_CHECK enum status writer_spill(struct writer *w, struct error *err);

/* The rows of a table, held or streamed, from the first to the last. */
struct walk {
    struct table *table;
    struct job *job;
    size_t row;     /* the next one in the present block */
    uint64_t rows;  /* given so far */
    bool ended;
    bool brief;     /* rows set aside are left out, */
    uint64_t left;  /* and counted */
};

MUST_CHECK enum status walk_begin(struct walk *walk, struct table *t, struct job *job, struct error *err);
/* The next row of ncolumns values (valid until the next call), or NULL after the last. */
MUST_CHECK enum status walk_next(struct walk *walk, const struct value **row, struct error *err);

/* value_format for a terminal that may have ASCII only. */
void cell_format(const struct column *c, const struct value *v, bool ascii, struct str *out);
/* The value for programs: full precision, ISO times, raw text, no unit; nothing for null. */
void cell_raw(const struct column *c, const struct value *v, struct str *out);
/* Appends safe text filled to `width` columns (0: as it is); the first line begins at `column`, the others with
 * `indent` spaces. */
void put_filled(struct str *out, const char *text, size_t width, size_t column, size_t indent);

/* One renderer each. They take the tables in their order of appearance; `index` counts from 0; `named`: JSON says the
 * names of the tables, as it must for more than one. */
MUST_CHECK enum status render_box_table(struct writer *w, struct table *t, size_t index, struct error *err);
MUST_CHECK enum status render_line_table(struct writer *w, struct table *t, size_t index, size_t limit,
                                         struct error *err);
MUST_CHECK enum status render_markdown_table(struct writer *w, struct table *t, size_t index, struct error *err);
MUST_CHECK enum status render_csv_table(struct writer *w, struct table *t, size_t index, struct error *err);
MUST_CHECK enum status render_tsv_table(struct writer *w, struct table *t, size_t index, struct error *err);
MUST_CHECK enum status render_html_table(struct writer *w, struct table *t, struct error *err);
void render_html_message(struct writer *w, const struct message *m);
void render_markdown_message(struct writer *w, const struct message *m);
MUST_CHECK enum status render_json_tables(struct writer *w, struct table *const *tables, size_t n, bool named,
                                          struct error *err);
MUST_CHECK enum status render_jsonl_tables(struct writer *w, struct table *const *tables, size_t n, bool named,
                                           struct error *err);

/* Terminal attributes of the renderers; "" without colour. */
enum attribute { PEN_OFF, PEN_BOLD, PEN_DIM, PEN_RED, PEN_GREEN, PEN_YELLOW, PEN_CYAN };
void pen(struct str *out, bool color, enum attribute a);

#endif
