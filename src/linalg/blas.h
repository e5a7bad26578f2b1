/* Within this room: how BLAS is called. */
#ifndef TAILOR_LINALG_BLAS_H
#define TAILOR_LINALG_BLAS_H

/* Sets OpenBLAS to one thread, once. Everything that calls BLAS says this first. */
void blas_single(void);

#endif
