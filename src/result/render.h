/* Renderers: a result as text. One function, all forms.
 *
 * JSON: one document a result: an array of row objects when it is one table, an object of such arrays by table name when
 * it is several (series are tables x, y there). Ids are strings, numbers are in full precision, NaN is null, times are ISO 8601 UTC.
 * Messages are not part of csv, tsv, json and jsonl; the face writes them to standard error. */
#ifndef TAILOR_RESULT_RENDER_H
#define TAILOR_RESULT_RENDER_H

#include "base/job.h"
#include "result/result.h"

enum output_form {
    OUTPUT_BOX, OUTPUT_CSV, OUTPUT_TSV, OUTPUT_JSON, OUTPUT_JSONL, OUTPUT_MARKDOWN, OUTPUT_LINE, OUTPUT_FORMS
};
extern const char *const output_form_names[OUTPUT_FORMS]; /* "box", "csv", ... */
/* "box|csv|tsv|json|jsonl|markdown|line": choices for a parameter. */
#define OUTPUT_FORM_CHOICES "box|csv|tsv|json|jsonl|markdown|line"
bool output_form_of_path(const char *path, enum output_form *form); /* by extension: .csv .tsv .json .jsonl .md .txt */

struct render_options {
    enum output_form form;
    size_t width;     /* columns of the terminal; 0: no limit (files, pipes): nothing is cut */
    size_t max_rows;  /* box: more are summed up as "... 214 more rows"; 0: all */
    bool color;       /* terminal's own 16 colours; never the only signal */
    bool ascii;       /* no UTF-8 drawing characters */
    bool header;      /* csv, tsv */
};

/* Where rendered bytes go. */
struct output {
    void *context;
    enum status (*write)(void *context, const char *bytes, size_t n, struct error *err);
};

MUST_CHECK enum status result_render(struct result *r, const struct render_options *options, struct output *out, struct job *job, struct error *err);
/* Into a string: for tests and the screen. */
MUST_CHECK enum status result_render_text(struct result *r, const struct render_options *options, struct str *out, struct error *err);
/* One cell as people see it (precision, unit, safe text). */
void value_format(const struct column *c, const struct value *v, struct str *out);
/* One error as people see it: message, source, the text with a caret, hint; `text` may be NULL. */
void error_format(const struct error *e, const char *text, bool color, struct str *out);

#endif
