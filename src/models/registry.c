#include <string.h>

#include "models/classes.h"
#include "models/served.h"

#define LISTED(name) &model_##name,
const struct model_class *const model_classes[] = {MODEL_CLASSES(LISTED) NULL};

const struct model_class *model_class_find(const char *name)
{
    for (const struct model_class *const *c = model_classes; *c; c++)
        if (strcmp((*c)->name, name) == 0)
            return *c;
    return strcmp(model_served.name, name) == 0 ? &model_served : NULL;
}
