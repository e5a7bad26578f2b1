/* A question about one history: who is asked about, which models answer, as of when. Shared by the commands that
 * inspect. */
#ifndef TAILOR_COMMANDS_QUESTION_H
#define TAILOR_COMMANDS_QUESTION_H

#include "commands/command.h"
#include "ranking/ranking.h"

/* Options that such commands have: seen= and at=. */
#define OPTION_SEEN                                                                                                    \
    {                                                                                                                  \
        .name = "seen", .type = PARAM_ENUM, .choices = "hide|show",                                                    \
        .doc = "items of the history in the lists; as `set seen` when not given"                                       \
    }
#define OPTION_AT                                                                                                      \
    {                                                                                                                  \
        .name = "at", .type = PARAM_TIME, .doc = "only the history before this moment, with the same models"           \
    }
/* How long a list is, or how many rows there are. */
#define OPTION_K(text)                                                                                                 \
    {                                                                                                                  \
        .name = "k", .type = PARAM_INT, .initial = "10", .min = 1, .max = 1e9, .doc = text                             \
    }
/* The argument that question_open takes. */
#define USER_ARGUMENT                                                                                                  \
    {                                                                                                                  \
        .name = "USER", .type = ARG_USER, .doc = "an id, . for the current user, new for the made-up one"              \
    }

struct question {
    struct dataset *data;
    uint32_t user;        /* NO_USER: the made-up history */
    const char *who;      /* their id, or "your made-up user"; lives as long as `data` */
    struct history history; /* as the call edits it */
    struct str edits, edited; /* how: " remove id:7 add id:9"; without "Heat", with "Fargo" */
    struct model **models;
    size_t nmodels;
    struct model **served; /* those that served_aside took out of `models` */
    size_t nserved;
    enum seen seen;
};

/* Takes hold of the data and the models of `with` (else those in use, else all). `user` NULL: about nobody. Close it in
 * every case. */
MUST_CHECK enum status question_open(struct workbench *wb, const struct call *call, const struct word *user,
                                     struct question *out, struct error *err);
/* The same without models. */
MUST_CHECK enum status question_open_data(struct workbench *wb, const struct call *call, const struct word *user,
                                          struct question *out, struct error *err);
void question_close(struct question *q);

/* Applies remove ITEM ... add ITEM ... to a history of the one who is asked about. Appends it with ids to `line`, in
 * words to `said`. */
MUST_CHECK enum status edit_history(struct workbench *wb, const struct question *q, const struct word *words, size_t n,
                                    struct history *h, struct str *line, struct str *said, struct error *err);

/* ITEM: an id, a title, a part of one, #3 of the last list. */
MUST_CHECK enum status name_item(struct workbench *wb, const struct dataset *d, const struct word *w, uint32_t *item,
                                 struct error *err);

/* where "CONDITION": the items it holds for at the moment of the question. chosen[0..items): 1 or 0; mem_free it.
 * ST_NOT_FOUND when there are none. */
MUST_CHECK enum status name_group(struct workbench *wb, const struct call *call, const struct dataset *d,
                                  uint8_t **chosen, struct error *err);
/* What the items of a group are, as one says it: "baby food" for category = 'baby food', else the condition. Appends.
 */
void put_group(const char *condition, struct str *out);
/* ST_USAGE unless the call has either the argument ITEM, which is its n-th, or where. */
MUST_CHECK enum status item_or_group(const struct call *call, size_t n, struct error *err);

/* The events that count at the moment of the question: all before at=, else before the workbench's clock. */
struct selection question_selection(struct workbench *wb, const struct call *call, const struct dataset *d);
/* Makes a list the one that #3 is about. */
MUST_CHECK enum status remember_list(struct workbench *wb, const uint32_t *items, size_t n, struct error *err);
/* Says which models were trained on something later than the moment asked about. */
void warn_of_future(const struct question *q, struct result *out);

/* The command that asks the same again, with ids: put_item and put_user append " WORD"; put_end the models and the
 * given options. */
void put_item(struct str *s, const struct dataset *d, uint32_t item);
void put_user(struct str *s, const struct question *q);
/* Appends " where CONDITION". */
void put_where(struct str *s, const struct call *call);
void put_end(struct str *s, const struct call *call, const struct question *q);
void put_options(struct str *s, const struct call *call);
/* What ends an answer about a user: who knows the future, whose turn it is, and the command that asks the same again.
 * `item` stands behind the user; with NO_ITEM the condition of the call, where it has one. */
void question_end(struct workbench *wb, const struct call *call, const struct question *q, uint32_t item,
                  struct result *out);
/* A whole command about USER ITEM: opens the question, sets served lists aside, lets `answer` say what the other models
 * answer (one at least), and ends it. */
typedef enum status answer_of_item(struct workbench *wb, const struct call *call, const struct question *q,
                                   uint32_t item, struct result *out, struct error *err);
MUST_CHECK enum status ask_of_item(struct workbench *wb, const struct call *call, answer_of_item *answer,
                                   struct result *out, struct error *err);
/* Hands the finished line to the result. */
void put_command(struct str *s, struct result *out);

/* Columns that show an item: its id (for programs when there are titles), its title, its category. */
enum { ITEM_COLUMNS = 3 };
void item_columns(const struct dataset *d, struct column out[ITEM_COLUMNS]);
void item_cells(const struct dataset *d, uint32_t item, struct table *t);

#endif
