/* SPDX-License-Identifier: MIT */
#include <compress/blas.h>
#include <core/error.h>

#include <cblas.h>
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>

#pragma weak openblas_get_config
#pragma weak openblas_set_num_threads

/* The file that a function was loaded from; NULL if nobody knows. */
static const void *object_of(void *function)
{
	Dl_info info;

	return dladdr(function, &info) ? info.dli_fbase : NULL;
}

/*
 * That OpenBLAS is loaded does not mean that its sgemm is called: a libblas.so.3
 * loaded before it would come first.
 */
int blas_init(void)
{
	if (!openblas_get_config || !openblas_set_num_threads)
		return accel_error(
			-ENOSYS,
			"the BLAS in use is not OpenBLAS; install libopenblas0 and run ldconfig");
	if (object_of((void *)openblas_get_config) !=
	    object_of((void *)cblas_sgemm))
		return accel_error(
			-ENOSYS,
			"another BLAS takes the place of OpenBLAS; see LD_PRELOAD and LD_LIBRARY_PATH");
	openblas_set_num_threads(1);
	return 0;
}

int blas_multiply(int64_t rows, int64_t columns, int64_t depth,
		  struct blas_matrix a, struct blas_matrix b, float beta,
		  float *result, int64_t stride)
{
	if (rows > INT_MAX || columns > INT_MAX || depth > INT_MAX ||
	    a.stride > INT_MAX || b.stride > INT_MAX || stride > INT_MAX)
		return accel_error(
			-EOVERFLOW,
			"a matrix product of %lld × %lld × %lld is more than BLAS can count",
			(long long)rows, (long long)columns, (long long)depth);
	cblas_sgemm(CblasRowMajor, a.transposed ? CblasTrans : CblasNoTrans,
		    b.transposed ? CblasTrans : CblasNoTrans, (int)rows,
		    (int)columns, (int)depth, 1, a.values, (int)a.stride,
		    b.values, (int)b.stride, beta, result, (int)stride);
	return 0;
}
