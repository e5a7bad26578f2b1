/* Keeping a result. The caller of command_run frees its result after handing it on, and a streamed table is read once;
 * the screen wants to scroll in it. */
#ifndef TAILOR_SCREEN_CAPTURE_H
#define TAILOR_SCREEN_CAPTURE_H

#include "result/result.h"

/* A copy that holds its rows: at most `most` of each table, with a message where there were more. */
MUST_CHECK enum status result_capture(struct result *r, size_t most, struct result **out, struct error *err);

#endif
