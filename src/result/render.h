/* Renderers: a result as text. One function, all forms.
 *
 * JSON: one document a result, on one line: an array of row objects when it is one table, an object of such arrays by
 * table name when it is several (series are tables x, y there), [] when there is none. Ids are strings, numbers are in
 * full precision, NaN is null, times are ISO 8601 UTC. jsonl: an object a row; with several tables its first key is
 * "table". csv (quoted as in RFC 4180, lines end in \n, null is empty, empty text is "") and tsv (\t, \n, \r and
 * \\ escaped) put an empty line between tables. Series appear in csv, tsv, markdown and line only when there is no
 * table; box and html draw them. Messages are never part of csv, tsv, json and jsonl, and of the other forms only when
 * asked; else the face writes them to standard error. */
#ifndef TAILOR_RESULT_RENDER_H
#define TAILOR_RESULT_RENDER_H

#include "base/job.h"
#include "result/result.h"

enum output_form {
    OUTPUT_BOX,
    OUTPUT_CSV,
    OUTPUT_TSV,
    OUTPUT_JSON,
    OUTPUT_JSONL,
    OUTPUT_MARKDOWN,
    OUTPUT_LINE,
    OUTPUT_HTML,
    OUTPUT_FORMS
};
extern const char *const output_form_names[OUTPUT_FORMS]; /* "box", "csv", ... */
/* "box|csv|tsv|json|jsonl|markdown|line|html": choices for a parameter. */
#define OUTPUT_FORM_CHOICES "box|csv|tsv|json|jsonl|markdown|line|html"
bool output_form_of_path(const char *path,
                         enum output_form *form); /* by extension: .csv .tsv .json .jsonl .md .html .txt */

struct render_options {
    enum output_form form;
    size_t width;     /* columns of the terminal; 0: no limit (files, pipes): nothing is cut */
    size_t height;    /* rows of the terminal, 0: no matter: a plot leaves room for the table it belongs to */
    bool part;        /* html: what stands within a page; else a page of its own */
    size_t max_rows;  /* box, html: more are summed up as "... 214 more rows"; 0: all */
    bool brief;       /* box: rows set aside (table_aside) are left out and summed up too */
    bool color;       /* terminal's own 16 colours; never the only signal */
    bool ascii;       /* no UTF-8 drawing characters */
    bool plain;       /* columns set apart by spaces, no rules: for screen readers and dumb terminals */
    bool header;      /* csv, tsv */
    bool terminal;    /* the bytes go to a terminal: control characters are made visible in csv and tsv too */
    bool messages;    /* box, markdown, line and html end with the messages */
    /* box, html: draws n series of one group in one plot (the plots are below this room: plot_series); NULL: series are
     * tables when there is no other. */
    void (*draw)(const struct series *const *series, size_t n, const struct render_options *options, struct str *out);
};

/* Where rendered bytes go. */
struct output {
    void *context;
    enum status (*write)(void *context, const char *bytes, size_t n, struct error *err);
};

MUST_CHECK enum status result_render(struct result *r, const struct render_options *options, struct output *out,
                                     struct job *job, struct error *err);
/* Into a string: for tests and the screen. */
MUST_CHECK enum status result_render_text(struct result *r, const struct render_options *options, struct str *out,
                                          struct error *err);
/* Text as text of a page; the beginning and the end of one. */
void put_html(struct str *out, const char *text);
/* The same for Markdown: no emphasis, links, code, cell ends or HTML out of a title; control characters are made
 * visible. */
void put_markdown(struct str *out, const char *text);
void put_html_head(struct str *out, const char *title);
void put_html_tail(struct str *out);
/* One cell as people see it (precision, unit, safe text). */
void value_format(const struct column *c, const struct value *v, struct str *out);
/* One message as people see it, filled to `width` columns (0: one line), with its end of line. */
void message_format(const struct message *m, size_t width, bool color, struct str *out);
/* One error as people see it: message, source, the text with a caret, hint, filled to `width` columns (0: not); `text`
 * may be NULL. */
void error_format(const struct error *e, const char *text, size_t width, bool color, struct str *out);

#endif
