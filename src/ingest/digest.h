/* Checksums of files, by libraries. */
#ifndef TAILOR_INGEST_DIGEST_H
#define TAILOR_INGEST_DIGEST_H

#include <stdint.h>

#include "base/error.h"
#include "base/job.h"

enum { SHA256_TEXT = 65, MD5_TEXT = 33 };

/* SHA-256 of a whole file in small hexadecimal digits, by libsodium; its size into *bytes. */
MUST_CHECK enum status digest_sha256(const char *path, struct job *job, char out[SHA256_TEXT], uint64_t *bytes,
                                     struct error *err);
/* MD5, where nothing better is published. libarchive writes it: an "mtree" listing names the digests of its entries.
 * ST_UNSUPPORTED without libarchive. */
MUST_CHECK enum status digest_md5(const char *path, struct job *job, char out[MD5_TEXT], struct error *err);

#endif
