/* The world as files: an event log, the catalogue and the shoppers. */
#ifndef TAILOR_SIM_WORLD_FILES_H
#define TAILOR_SIM_WORLD_FILES_H

#include "sim/generate.h"

enum log_columns {
    LOG_COLUMNS_ALL, /* user,item,type,timestamp,session,slate,position,propensity,device,country,page,price,quantity */
    LOG_COLUMNS_CORE, /* user,item,type,timestamp */
};

struct world_files {
    const char *path; /* a folder, or the file of the events: .csv or .jsonl, perhaps with .gz or .zst behind */
    bool impressions;
    bool epoch; /* times as seconds since 1970 instead of ISO 8601 */
    enum log_columns columns;
    int level;    /* compression; 0: the library's own choice */
    bool replace; /* overwrite files that are there */
};

struct world_files_made {
    uint64_t rows[LOG_TYPES];
    uint64_t bytes; /* of the event log before compression */
    char events[4096], items[4096], users[4096];
};

/* Writes events, items and users: into the folder as events.csv.zst, items.csv, users.csv, or beside the named file of
 * events. Each file is there whole or not at all. */
MUST_CHECK enum status world_write(const struct world *w, const struct world_files *how, struct job *job,
                                   struct world_files_made *made, struct error *err);

#endif
