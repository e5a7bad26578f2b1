/* Sums of items within segments of users: those with the same value of an attribute, such as a country.
 *
 *   of_user[u]   the segment of user u, NO_CODE when nothing is known
 *   sums         segments x items: what the evidence of the segment's users sums to */
#ifndef TAILOR_MODELS_SEGMENTS_H
#define TAILOR_MODELS_SEGMENTS_H

#include "data/dataset.h"
#include "linalg/sparse.h"
#include "store/blob.h"

struct segments {
    struct dict names;
    uint32_t *of_user;
    size_t nusers;
    struct csr sums;
};

/* One piece of evidence for an item, by a user. */
struct evidence {
    uint32_t user, item, type;
    double value;
};

/* Is there an attribute `by` of users? The error names those that are there. */
MUST_CHECK enum status segments_check(const struct dataset *d, const char *by, struct error *err);
/* Cuts the users of d by their attribute `by` and sums the evidence. s is empty; clear it also after a failure. */
MUST_CHECK enum status segments_new(struct segments *s, const struct dataset *d, const char *by,
                                    const struct evidence *e, size_t n, struct error *err);
void segments_clear(struct segments *s);
/* NO_CODE for a user who came later, or for nobody. */
uint32_t segments_find(const struct segments *s, uint32_t user);
MUST_CHECK enum status segments_save(const struct segments *s, struct blob_writer *w, struct error *err);
MUST_CHECK enum status segments_load(struct segments *s, size_t nusers, size_t nitems, const char *model,
                                     struct blob_reader *r, struct error *err);

#endif
