/* What items are, as a matrix: items x tags, made of the fields that a data set has of its items.
 *
 *   a list, a text with bars ("Drama|Comedy")   a tag for each value
 *   a short text (a category, a brand)          one tag
 *   titles, and texts of four words or more     a tag for each word of two characters or more, in small letters; not
 * for numbers numbers and times                           one of at most ten tags: ten parts with about as many items
 * each
 *
 * Tags stand in the order of the fields, and within a field in that of their bytes (numbers: of their size): they do
 * not depend on the order of the items. */
#ifndef TAILOR_MODELS_ITEM_TAGS_H
#define TAILOR_MODELS_ITEM_TAGS_H

#include "data/dataset.h"
#include "linalg/sparse.h"

enum tag_weights {
    TAGS_COUNTED, /* how often the item has the tag: 1, but for words that a title has twice */
    TAGS_TFIDF,   /* (1 + ln count) * (1 + ln((1 + N) / (1 + n))): N items have tags, n of them this one */
};

struct item_tags {
    struct csr matrix;   /* items x tags, always with values, none of them 0 */
    struct dict names;   /* of the tags: "genres: Comedy" */
    uint32_t *label;     /* of each tag: where in its name "Comedy" begins */
    size_t tagged;       /* items with any tag */
    struct str fields;   /* those used: "genres, title" */
};

/* `fields`: names with commas between, or "auto": every list and every short text that at least two items share on
 * average; when there is none, the titles. Numbers and times are left out of "auto". ST_STATE when the items have no
 * such fields or none of their values is known, ST_NOT_FOUND for a name that no field has, both with a hint. `out` is
 * overwritten; clear it also after a failure. */
MUST_CHECK enum status item_tags_build(const struct dataset *d, const char *fields, enum tag_weights weights,
                                       struct item_tags *out, struct error *err);
void item_tags_clear(struct item_tags *t);
/* "Comedy" */
const char *item_tags_label(const struct item_tags *t, uint32_t tag);

#endif
