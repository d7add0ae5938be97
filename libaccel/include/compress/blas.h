/* SPDX-License-Identifier: MIT */
/*
 * OpenBLAS, single-threaded: the compressor runs one worker per core instead, so
 * that sums have one order whatever the number of threads.
 */
#ifndef COMPRESS_BLAS_H
#define COMPRESS_BLAS_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Make sure that sgemm comes from OpenBLAS (the reference BLAS, which a system may
 * put in its place, is 25 times slower), and set it to one thread. Cheap to call
 * again. Return 0, or -ENOSYS with a text that says what to install.
 */
int blas_init(void);

/** struct blas_matrix - row-major; @stride elements from one row to the next */
struct blas_matrix {
	const float *values;
	int64_t stride;
	bool transposed;
};

/*
 * result = a·b + beta·result, result being rows × columns with the given stride
 * and a, after its transposition if any, rows × depth. Return 0, or -EOVERFLOW for
 * sizes beyond BLAS's 32-bit integers.
 */
int blas_multiply(int64_t rows, int64_t columns, int64_t depth,
		  struct blas_matrix a, struct blas_matrix b, float beta,
		  float *result, int64_t stride);

#endif
