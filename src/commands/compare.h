/* A comparison of the workbench's models: which are meant, on what they are judged, and what came of it; for the
 * command `compare` and for the screen, which parses the same words (call_parse). */
#ifndef TAILOR_COMMANDS_COMPARE_H
#define TAILOR_COMMANDS_COMPARE_H

#include "commands/command.h"
#include "commands/judge.h"
#include "eval/comparison.h"
#include "eval/cohorts.h"
#include "eval/item_segments.h"

struct compare {
    struct workbench *wb;
    struct dataset *d;
    struct split *s;
    struct judge judge;
    struct model *among;   /* whose lists hold the candidates; NULL: nobody's */
    struct model **models; /* in the order asked for; comparison.entries[i].given is a place among them */
    struct evaluation **evaluations;
    size_t nmodels;
    struct comparison comparison;
    size_t x, y; /* the two entries that words, segments and lists of users are about: x is the better one; x == y:
                    there is one model only, or none has values of users */
    struct difference pair;      /* x less y over all warm users, adjusted like all others */
    struct cohorts *segments;   /* by=; all are adjusted together */
    size_t nsegments;
    struct difference *in_segment; /* x less y in each segment of each of them, one after the other */
    struct item_segments *goods;   /* by= an attribute of items */
    size_t ngoods;
};

/* Reads the words of a call of `compare`, judges the models that have not been judged yet, and compares them. Close it
 * in every case. What the user should know of models left out goes to `notes`. */
MUST_CHECK enum status compare_open(struct workbench *wb, const struct call *call, struct compare *out,
                                    struct result *notes, struct error *err);
void compare_close(struct compare *c);

/* ---- among= (compare_among.c) ---- */

/* Sets the candidates of the judge, before it judges. */
MUST_CHECK enum status compare_read_among(struct compare *c, const struct call *call, struct error *err);
/* "all 1,200 items ranked": what the lists are made of; lives as long as the result. */
const char *compare_ranked(const struct compare *c, struct result *out);
/* What such lists do not tell. */
MUST_CHECK enum status compare_say_among(struct compare *c, struct result *out, struct error *err);

/* ---- as tables (compare_tables.c, compare_checks.c) and words (compare_words.c) ---- */

void compare_put_leaderboard(const struct compare *c, struct result *out);
void compare_put_cold(const struct compare *c, struct result *out);
void compare_put_segments(const struct compare *c, struct result *out);
void compare_put_goods(const struct compare *c, struct result *out);
/* The users who lose most by x instead of y, and those who win most: `most` of each. */
MUST_CHECK enum status compare_put_users(const struct compare *c, size_t most, struct result *out, struct error *err);

/* check=: what must hold for all this to be true. Reading is all before any work. */
MUST_CHECK enum status compare_read_checks(const struct call *call, struct error *err);
MUST_CHECK enum status compare_put_checks(struct compare *c, const struct call *call, struct result *out,
                                          struct error *err);

/* What can be claimed: of x and y, of the other models, and of segments where it is the other way round. */
MUST_CHECK enum status compare_say_claims(const struct compare *c, struct result *out, struct error *err);
/* How it was judged, where that is not as usual: by lists that were served, among drawn items. Behind the claims: what
 * a reader looks for comes first. */
MUST_CHECK enum status compare_say_how(struct compare *c, struct result *out, struct error *err);
/* What is not in the numbers: ratings that nobody predicts, events that were not asked for. */
void compare_say_limits(const struct compare *c, struct result *out);

#endif
