/* The help overlay, and the rows that it shows. */
#ifndef TAILOR_SCREEN_HELP_H
#define TAILOR_SCREEN_HELP_H

struct app;

/* What a key does. Lists end with NULL, NULL. */
struct key_help {
    const char *keys, *what;
};

/* Opens the overlay for the view that is shown. */
void help_open(struct app *app);

#endif
