/* Conditions over the columns of an event, bound to a data set: `type = 'click' and item.price > 10`.
 *
 *   condition   = conjunction { "or" conjunction }
 *   conjunction = negation { "and" negation }
 *   negation    = "not" negation | "(" condition ")" | comparison
 *   comparison  = column ( "=" | "!=" | "<>" | "<" | "<=" | ">" | ">=" ) value
 *               | column [ "not" ] "in" "(" value { "," value } ")"
 *   column      = type | value | user | item | time | NAME of a context column | item.NAME | user.NAME
 *
 *               | events_per_user | events_per_item (feedback events in all of the data; not in features)
 *
 * A bare NAME that is no context column is looked for among the attributes of items, then of users. Values are 'text',
 * "text", bare words or numbers; times are ISO 8601 or epoch. A comparison with a missing cell is false, != too. With
 * a list, = and in ask whether any entry is equal, != and not in whether none is. */
#ifndef TAILOR_FEATURES_CONDITION_H
#define TAILOR_FEATURES_CONDITION_H

#include "base/text.h"
#include "data/dataset.h"
#include "features/lexer.h"

struct condition;

/* Reads a condition from the tokens up to what cannot continue it. Errors mark their place in the text. */
MUST_CHECK enum status condition_parse(struct lexer *in, const struct dataset *d, struct condition **out,
                                       struct error *err);
/* Reads a whole text, which may ask for events_per_user and events_per_item: for choosing events from finished data. */
MUST_CHECK enum status condition_read(const char *text, const struct dataset *d, struct condition **out,
                                      struct error *err);
/* Which items a condition holds for, by what they are: chosen[i] is 1 or 0, *n of them 1; mem_free it. Columns: item,
 * events_per_item (of the events before `until`; NO_TIME: all) and the attributes of items. */
MUST_CHECK enum status condition_items(const char *text, const struct dataset *d, int64_t until, uint8_t **chosen,
                                       size_t *n, struct error *err);
/* Appends the text as all would write it: words, signs and texts in '...', one blank between them. One that cannot be
 * read stays as it is. */
void condition_tidy(const char *text, struct str *out);
void condition_free(struct condition *c);
/* Does it hold for event e? */
bool condition_holds(const struct condition *c, size_t e);

#endif
