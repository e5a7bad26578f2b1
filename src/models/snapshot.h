/* A blob in memory: what the driver keeps of an epoch. */
#ifndef TAILOR_MODELS_SNAPSHOT_H
#define TAILOR_MODELS_SNAPSHOT_H

#include "store/blob.h"

/* Zero-initialise to start. Writing appends; reading begins at `at`. */
struct snapshot {
    char *bytes;
    size_t n, capacity;
    size_t at;
};

struct blob_writer snapshot_writer(struct snapshot *s);
struct blob_reader snapshot_reader(struct snapshot *s);
void snapshot_empty(struct snapshot *s); /* keeps the room */
void snapshot_cut(struct snapshot *s);   /* takes away what was read */
void snapshot_clear(struct snapshot *s);

#endif
