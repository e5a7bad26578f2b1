/* Sparse matrices in the blobs of models. */
#ifndef TAILOR_MODELS_SPARSE_BLOB_H
#define TAILOR_MODELS_SPARSE_BLOB_H

#include "linalg/sparse.h"
#include "store/blob.h"

/* As "begin", "index" and, where there are values, "value". */
MUST_CHECK enum status sparse_save(const struct csr *m, struct blob_writer *w, struct error *err);
/* m (empty) becomes rows x cols. Whatever the bytes: indices ascend within cols. `model` is named in the error. Clear
 * m, also after a failure. */
MUST_CHECK enum status sparse_load(struct csr *m, size_t rows, size_t cols, bool with_value, const char *model,
                                   struct blob_reader *r, struct error *err);

#endif
