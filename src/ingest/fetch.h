/* Fetching a file over https into a folder: with progress, resumable, whole or not at all. Only this room uses libcurl.
 */
#ifndef TAILOR_INGEST_FETCH_H
#define TAILOR_INGEST_FETCH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/job.h"

struct fetch {
    const char *url;
    const char *path;         /* appears when it is whole */
    const char *sha256, *md5; /* what it must have, in hexadecimal digits; NULL: not known */
    uint64_t bytes;           /* its size; 0: not known */
    uint64_t most;            /* more is refused */
};

struct fetched {
    uint64_t bytes, resumed_at; /* resumed_at: what was there from an earlier attempt */
    char sha256[65];
};

/* Is there a libcurl in this build? */
bool fetch_can(void);

/* Fetches url to path. Until the file is whole and has its checksum it is called path.part, with where it is from in
 * path.from: an attempt that was broken off, cancelled or killed is taken up again when the server still has the same
 * file (Range with If-Range), else begun anew. Only https, and http to this machine; redirections are followed a few
 * times and never leave https. ST_IO when it cannot be fetched, ST_CORRUPT for a wrong checksum (the part is removed),
 * ST_FORMAT when it is larger than it should be (likewise), ST_BUSY when another program is at it, ST_CANCELLED,
 * ST_UNSUPPORTED without libcurl. */
MUST_CHECK enum status fetch_file(const struct fetch *f, struct job *job, struct fetched *out, struct error *err);

/* Has the file the checksum (and size) it must have? Fills out. ST_CORRUPT when not. */
MUST_CHECK enum status fetch_verify(const struct fetch *f, const char *path, struct job *job, struct fetched *out,
                                    struct error *err);

#endif
