/* Every view there is. A new one: its file, a line here and a line in views.c. */
#ifndef TAILOR_SCREEN_VIEWS_H
#define TAILOR_SCREEN_VIEWS_H

#include "screen/view.h"

extern const struct view view_data;
extern const struct view view_models;
extern const struct view view_user;

#endif
