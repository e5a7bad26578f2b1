/* The views: one a file, one a line here, in the order of their keys 1, 2, ... */
#ifndef TAILOR_SCREEN_VIEWS_H
#define TAILOR_SCREEN_VIEWS_H

#include "screen/view.h"

#define VIEWS(VIEW) \
    VIEW(data)      \
    VIEW(models)    \
    VIEW(compare)   \
    VIEW(user)

#define DECLARE(name) extern const struct view view_##name;
VIEWS(DECLARE)
#undef DECLARE

#endif
