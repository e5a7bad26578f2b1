#include <string.h>

#include "models/classes.h"

#define LISTED(name) &model_##name,
const struct model_class *const model_classes[] = {MODEL_CLASSES(LISTED) NULL};

const struct model_class *model_class_find(const char *name)
{
    for (const struct model_class *const *c = model_classes; *c; c++)
        if (strcmp((*c)->name, name) == 0)
            return *c;
    return NULL;
}
