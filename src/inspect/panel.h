/* A panel: what several models say to one history, side by side, and how far they agree. */
#ifndef TAILOR_INSPECT_PANEL_H
#define TAILOR_INSPECT_PANEL_H

#include "ranking/ranking.h"

struct panel {
    size_t n, k;
    struct ranked_list *lists; /* n, of at most k items */
    float *rbo; /* n x n: rank-biased overlap as of diff_lists; 1 on the diagonal; NaN beside an empty list */
    uint32_t *shared;          /* n x n: items in both lists */
};

/* Lists of k by models[0..n). */
MUST_CHECK enum status panel_make(struct model *const *models, size_t n, const struct query *q, size_t k,
                                  enum seen seen, struct panel *out, struct error *err);
void panel_clear(struct panel *p);

/* In how many of the lists an item is. */
size_t panel_lists_with(const struct panel *p, uint32_t item);
/* Mean overlap of a list with the others that have items; NaN when there is none. */
double panel_agreement(const struct panel *p, size_t list);
/* The pair of lists that agree most (a < b); false when fewer than two have items. */
bool panel_closest(const struct panel *p, size_t *a, size_t *b);
/* The list that agrees least with the others; ties to the first. Two of them have items. */
size_t panel_farthest(const struct panel *p);
/* How many lists have items. */
size_t panel_filled(const struct panel *p);

#endif
