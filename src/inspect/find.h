/* Finding items by words, and by likeness. */
#ifndef TAILOR_INSPECT_FIND_H
#define TAILOR_INSPECT_FIND_H

#include "models/model.h"

struct found {
    uint32_t item;
    size_t events;     /* feedback of all users up to the moment */
    const char *field; /* where the last word was found: "title", "id", or the name of an attribute; static or in the
                          data set */
};

struct found_list {
    struct found *items; /* titles that begin with the first word first, then by events; owned */
    size_t n;
    size_t all;          /* how many fit; n of them are kept */
};

/* Items that have each of words[0..nwords) somewhere in their id, title or text attributes, without regard to ASCII
 * case. Events count up to as_of; NO_TIME: all. */
MUST_CHECK enum status find_items(const struct dataset *d, int64_t as_of, const char *const *words, size_t nwords,
                                  size_t most, struct found_list *out, struct error *err);
void found_list_clear(struct found_list *l);

#endif
