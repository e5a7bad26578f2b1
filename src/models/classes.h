/* The model classes, one a file. */
#ifndef TAILOR_MODELS_CLASSES_H
#define TAILOR_MODELS_CLASSES_H

#include "models/model.h"

extern const struct model_class model_ease;
extern const struct model_class model_ials;
extern const struct model_class model_itemknn;
extern const struct model_class model_pop;

#endif
