#include "screen/views.h"

#include <stddef.h>

#define LISTED(name) &view_##name,
const struct view *const views[] = {VIEWS(LISTED) NULL};
