#include "screen/views.h"

#include <stddef.h>

const struct view *const views[] = {
    &view_data,
    &view_models,
    &view_user,
    NULL,
};
