/* SPDX-License-Identifier: MIT */
#include <compress/conv_kernel.h>
#include <compress/conv_planes.h>

/* Rows that share what is read of the shifts: 8 × 3 sums and 3 vectors in registers. */
#define BLOCK 8

int64_t conv_kernel_block(int64_t rows, int64_t first)
{
	int64_t left = rows - first;
	int64_t blocks = (left + BLOCK - 1) / BLOCK;

	return (left + blocks - 1) / blocks;
}

#ifdef __x86_64__

#include <immintrin.h>

#define VECTOR 16
#define VECTORS (CONV_TILE / VECTOR)
/* Sums of a weight's gradient in registers: rows × shifts. */
#define ROWS 4
#define SHIFTS 6

#define AVX512 __attribute__((target("avx512f")))
#define AVX512_INLINE static inline __attribute__((always_inline)) AVX512

bool conv_kernel_is_supported(void)
{
	return __builtin_cpu_supports("avx512f");
}

/* A block of rows times some vectors; how many are constants where this is inlined. */
AVX512_INLINE void multiply_block(const float *weight, const int rows,
				  const int vectors,
				  const struct conv_shifts *shifts,
				  int64_t first, float *result, int64_t stride)
{
	const float *values = shifts->values + first;
	__m512 sums[BLOCK][VECTORS];

	for (int row = 0; row < rows; row++)
		for (int v = 0; v < vectors; v++)
			sums[row][v] = _mm512_setzero_ps();
	for (int64_t k = 0; k < shifts->depth; k++) {
		const float *from = values + shifts->offsets[k];
		__m512 shift[VECTORS];

		for (int v = 0; v < vectors; v++)
			shift[v] = _mm512_loadu_ps(from + v * VECTOR);
		for (int row = 0; row < rows; row++) {
			__m512 factor = _mm512_set1_ps(weight[k * rows + row]);

			for (int v = 0; v < vectors; v++)
				sums[row][v] = _mm512_fmadd_ps(factor, shift[v],
							       sums[row][v]);
		}
	}
	for (int row = 0; row < rows; row++)
		for (int v = 0; v < vectors; v++)
			_mm512_storeu_ps(result + row * stride + first +
						 v * VECTOR,
					 sums[row][v]);
}

/* A whole tile, or the last one, which may be shorter. */
AVX512_INLINE void multiply_part(const float *weight, const int rows,
				 int64_t length,
				 const struct conv_shifts *shifts,
				 int64_t first, float *result, int64_t stride)
{
	if (length > 2 * VECTOR)
		multiply_block(weight, rows, 3, shifts, first, result, stride);
	else if (length > VECTOR)
		multiply_block(weight, rows, 2, shifts, first, result, stride);
	else
		multiply_block(weight, rows, 1, shifts, first, result, stride);
}

AVX512 static void multiply_tile(const float *weight, int64_t rows,
				 int64_t length,
				 const struct conv_shifts *shifts,
				 int64_t first, float *result, int64_t stride)
{
	switch (rows) {
	case 1:
		return multiply_part(weight, 1, length, shifts, first, result,
				     stride);
	case 2:
		return multiply_part(weight, 2, length, shifts, first, result,
				     stride);
	case 3:
		return multiply_part(weight, 3, length, shifts, first, result,
				     stride);
	case 4:
		return multiply_part(weight, 4, length, shifts, first, result,
				     stride);
	case 5:
		return multiply_part(weight, 5, length, shifts, first, result,
				     stride);
	case 6:
		return multiply_part(weight, 6, length, shifts, first, result,
				     stride);
	case 7:
		return multiply_part(weight, 7, length, shifts, first, result,
				     stride);
	default:
		return multiply_part(weight, 8, length, shifts, first, result,
				     stride);
	}
}

static void multiply_rows(const float *weight, int64_t rows, int64_t length,
			  const struct conv_shifts *shifts, int64_t first,
			  float *result, int64_t stride)
{
	for (int64_t row = 0, block; row < rows; row += block) {
		block = conv_kernel_block(rows, row);
		multiply_tile(weight + row * shifts->depth, block, length,
			      shifts, first, result + row * stride, stride);
	}
}

void conv_kernel_multiply(const float *weight, int64_t rows,
			  const struct conv_shifts *shifts,
			  const struct conv_range *range, float *result,
			  int64_t stride)
{
	for (int64_t piece = 0; piece < range->pieces; piece++)
		for (int64_t at = 0; at < range->length; at += CONV_TILE)
			multiply_rows(weight, rows, range->length - at, shifts,
				      piece * range->step + at, result, stride);
}

/* The sums of four vectors each. */
AVX512_INLINE __m128 add_across(__m512 a, __m512 b, __m512 c, __m512 d)
{
	__m512 ab = _mm512_add_ps(_mm512_unpacklo_ps(a, b),
				  _mm512_unpackhi_ps(a, b));
	__m512 cd = _mm512_add_ps(_mm512_unpacklo_ps(c, d),
				  _mm512_unpackhi_ps(c, d));
	__m512 all = _mm512_add_ps(_mm512_shuffle_ps(ab, cd, 0x44),
				   _mm512_shuffle_ps(ab, cd, 0xee));

	return _mm_add_ps(_mm_add_ps(_mm512_extractf32x4_ps(all, 0),
				     _mm512_extractf32x4_ps(all, 1)),
			  _mm_add_ps(_mm512_extractf32x4_ps(all, 2),
				     _mm512_extractf32x4_ps(all, 3)));
}

/* A vector of each row with one of each shift. */
AVX512_INLINE void correlate_vector(const float *grid, const int rows,
				    int64_t stride, const float *const *from,
				    const int count, int64_t at,
				    __m512 sums[SHIFTS][ROWS])
{
	__m512 values[ROWS];

	for (int row = 0; row < rows; row++)
		values[row] = _mm512_loadu_ps(grid + row * stride + at);
	for (int i = 0; i < count; i++) {
		__m512 shift = _mm512_loadu_ps(from[i] + at);

		for (int row = 0; row < rows; row++)
			sums[i][row] = _mm512_fmadd_ps(values[row], shift,
						       sums[i][row]);
	}
}

/* Up to ROWS rows with some shifts from k on; count is constant where this is
 * inlined, and so is rows. */
AVX512_INLINE void
correlate_block(const float *grid, const int rows, int64_t stride,
		const struct conv_shifts *shifts, int64_t k, const int count,
		const struct conv_range *range, float *weight)
{
	const float *from[SHIFTS];
	__m512 sums[SHIFTS][ROWS];

	for (int i = 0; i < count; i++) {
		from[i] = shifts->values + shifts->offsets[k + i];
		for (int row = 0; row < ROWS; row++)
			sums[i][row] = _mm512_setzero_ps();
	}
	for (int64_t piece = 0; piece < range->pieces; piece++)
		for (int64_t at = 0; at < range->length; at += VECTOR)
			correlate_vector(grid, rows, stride, from, count,
					 piece * range->step + at, sums);
	for (int i = 0; i < count; i++) {
		float totals[ROWS];

		_mm_storeu_ps(totals, add_across(sums[i][0], sums[i][1],
						 sums[i][2], sums[i][3]));
		for (int row = 0; row < rows; row++)
			weight[row * shifts->depth + k + i] += totals[row];
	}
}

AVX512_INLINE void correlate_rows(const float *grid, const int rows,
				  int64_t stride,
				  const struct conv_shifts *shifts,
				  const struct conv_range *range, float *weight)
{
	int64_t k = 0;

	for (; k + SHIFTS <= shifts->depth; k += SHIFTS)
		correlate_block(grid, rows, stride, shifts, k, SHIFTS, range,
				weight);
	for (; k + 2 <= shifts->depth; k += 2)
		correlate_block(grid, rows, stride, shifts, k, 2, range,
				weight);
	for (; k < shifts->depth; k++)
		correlate_block(grid, rows, stride, shifts, k, 1, range,
				weight);
}

AVX512 void conv_kernel_correlate(const float *grid, int64_t rows,
				  int64_t stride,
				  const struct conv_shifts *shifts,
				  const struct conv_range *range, float *weight)
{
	for (; rows >= ROWS; rows -= ROWS) {
		correlate_rows(grid, ROWS, stride, shifts, range, weight);
		grid += ROWS * stride;
		weight += ROWS * shifts->depth;
	}
	if (rows == 3)
		correlate_rows(grid, 3, stride, shifts, range, weight);
	else if (rows == 2)
		correlate_rows(grid, 2, stride, shifts, range, weight);
	else if (rows == 1)
		correlate_rows(grid, 1, stride, shifts, range, weight);
}

#else

bool conv_kernel_is_supported(void)
{
	return false;
}

void conv_kernel_multiply(const float *weight, int64_t rows,
			  const struct conv_shifts *shifts,
			  const struct conv_range *range, float *result,
			  int64_t stride)
{
	(void)weight;
	(void)rows;
	(void)shifts;
	(void)range;
	(void)result;
	(void)stride;
}

void conv_kernel_correlate(const float *grid, int64_t rows, int64_t stride,
			   const struct conv_shifts *shifts,
			   const struct conv_range *range, float *weight)
{
	(void)grid;
	(void)rows;
	(void)stride;
	(void)shifts;
	(void)range;
	(void)weight;
}

#endif
