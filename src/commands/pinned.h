/* What one SQL statement looks at, held for as long as it runs: the published data set, its split and its models, and
 * the clock as they were when it began. Every table and function of SQL has this as its context.
 *
 * The tables: one a file, table_NAME.c, and a line here. */
#ifndef TAILOR_COMMANDS_PINNED_H
#define TAILOR_COMMANDS_PINNED_H

#include "commands/workbench.h"
#include "ranking/ranking.h"
#include "store/select.h"

struct pinned {
    struct workbench *wb;
    struct dataset *data; /* NULL: none is loaded */
    struct split *split;
    struct model **models;
    size_t nmodels;
    int64_t now;
    enum seen seen;
    const struct model *scored; /* what score() was asked about last, and its answer */
    char *scored_user;
    int64_t scored_at;
    float *scores;
    uint8_t *foresaw;    /* of each model: 1 when it was asked about a moment before the end of what it learnt from */
    uint64_t event_rows; /* that `events` has handed over one by one */
};

MUST_CHECK enum status pinned_new(struct workbench *wb, struct pinned **out, struct error *err);
void pinned_free(struct pinned *p);
/* Notes that m is asked about this moment. */
void pinned_foresaw(struct pinned *p, const struct model *m, int64_t moment);
/* ST_STATE when no data is loaded; `what` needs it. */
MUST_CHECK enum status pinned_need_data(const struct pinned *p, const char *what, struct error *err);
/* What a statement may ask, with p as the context. */
struct sql_scope pinned_scope(struct pinned *p);

#define SQL_TABLES(TABLE) \
    TABLE(events)         \
    TABLE(users)          \
    TABLE(items)          \
    TABLE(item_tags)      \
    TABLE(sessions)       \
    TABLE(interactions)   \
    TABLE(rejects)        \
    TABLE(features)       \
    TABLE(datasets)       \
    TABLE(models)         \
    TABLE(trials)         \
    TABLE(metrics)        \
    TABLE(user_metrics)   \
    TABLE(recommend)      \
    TABLE(score)          \
    TABLE(similar)        \
    TABLE(explain)

#define SQL_FUNCTIONS(FUNCTION) FUNCTION(score)

#define DECLARE(name) extern const struct sql_table table_##name;
SQL_TABLES(DECLARE)
#undef DECLARE
#define DECLARE(name) extern const struct sql_function function_##name;
SQL_FUNCTIONS(DECLARE)
#undef DECLARE

/* All tables and functions, in the order of `tables`; NULL past the last. */
const struct sql_table *sql_table_at(size_t i);
const struct sql_function *sql_function_at(size_t i);

/* For tables with attributes: adds a column a field, up to MOST_COLUMNS of the table; and puts a cell of one. SQLite
 * takes 2,000 columns a table. */
enum { MOST_COLUMNS = 1500 };
MUST_CHECK enum status add_fields(struct sql_columns *out, const struct fields *set, unsigned flags, const char *doc,
                                  struct error *err);
void put_field(struct sql_cell *cell, const struct field *f, size_t row);

#endif
