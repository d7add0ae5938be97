/* SPDX-License-Identifier: MIT */
#include <string.h>

#include <sim/kernel.h>

#ifdef __x86_64__
#include <immintrin.h>
#endif

#define NARROW 16

/* What any compiler makes of it; the processor's own versions are below. */
static void row_portable(const struct sim_taps *taps, size_t tap_count,
			 const uint8_t *x, uint32_t start, size_t count,
			 int32_t *out)
{
	for (size_t i = 0; i < count; i += NARROW) {
		uint32_t sums[NARROW];

		for (unsigned int j = 0; j < NARROW; j++)
			sums[j] = start;
		for (size_t t = 0; t < 4 * tap_count; t++) {
			const uint8_t *at = x + i + taps[t / 4].offset[t % 4];
			int16_t weight = taps[t / 4].weight[t % 4];

			for (unsigned int j = 0; j < NARROW; j++)
				sums[j] += (uint32_t)(weight * at[j]);
		}
		memcpy(out + i, sums, sizeof(sums));
	}
}

#ifdef __x86_64__

static inline int32_t weights_of(const struct sim_taps *taps)
{
	int32_t word;

	memcpy(&word, taps->weight, sizeof(word));
	return word;
}

#define TARGET_VNNI \
	__attribute__((target("avx512f,avx512bw,avx512vl,avx512vnni")))

/*
 * The operands of four weights are interleaved byte by byte, so that one
 * instruction multiplies and adds all four for 16 columns. Interleaving works
 * within 128 bits: accumulator q gets columns 4q … 4q + 3 of each 16.
 */
TARGET_VNNI static void block_vnni(const struct sim_taps *taps,
				   size_t tap_count, const uint8_t *x,
				   uint32_t start, int32_t *out)
{
	__m512i sums[4];

	for (unsigned int q = 0; q < 4; q++)
		sums[q] = _mm512_set1_epi32((int32_t)start);
	for (size_t t = 0; t < tap_count; t++) {
		const uint32_t *offset = taps[t].offset;
		__m512i a = _mm512_loadu_si512(x + offset[0]);
		__m512i b = _mm512_loadu_si512(x + offset[1]);
		__m512i c = _mm512_loadu_si512(x + offset[2]);
		__m512i d = _mm512_loadu_si512(x + offset[3]);
		__m512i w = _mm512_set1_epi32(weights_of(&taps[t]));
		__m512i ab_low = _mm512_unpacklo_epi8(a, b);
		__m512i ab_high = _mm512_unpackhi_epi8(a, b);
		__m512i cd_low = _mm512_unpacklo_epi8(c, d);
		__m512i cd_high = _mm512_unpackhi_epi8(c, d);

		sums[0] = _mm512_dpbusd_epi32(
			sums[0], _mm512_unpacklo_epi16(ab_low, cd_low), w);
		sums[1] = _mm512_dpbusd_epi32(
			sums[1], _mm512_unpackhi_epi16(ab_low, cd_low), w);
		sums[2] = _mm512_dpbusd_epi32(
			sums[2], _mm512_unpacklo_epi16(ab_high, cd_high), w);
		sums[3] = _mm512_dpbusd_epi32(
			sums[3], _mm512_unpackhi_epi16(ab_high, cd_high), w);
	}
	for (unsigned int q = 0; q < 4; q++) {
		__m128i *to = (__m128i *)(out + 4 * q);

		_mm_storeu_si128(to, _mm512_castsi512_si128(sums[q]));
		_mm_storeu_si128(to + 4, _mm512_extracti32x4_epi32(sums[q], 1));
		_mm_storeu_si128(to + 8, _mm512_extracti32x4_epi32(sums[q], 2));
		_mm_storeu_si128(to + 12,
				 _mm512_extracti32x4_epi32(sums[q], 3));
	}
}

/* The same for 16 columns. */
TARGET_VNNI static void narrow_vnni(const struct sim_taps *taps,
				    size_t tap_count, const uint8_t *x,
				    uint32_t start, int32_t *out)
{
	__m128i sums[4];

	for (unsigned int q = 0; q < 4; q++)
		sums[q] = _mm_set1_epi32((int32_t)start);
	for (size_t t = 0; t < tap_count; t++) {
		const uint32_t *offset = taps[t].offset;
		__m128i a = _mm_loadu_si128((const __m128i *)(x + offset[0]));
		__m128i b = _mm_loadu_si128((const __m128i *)(x + offset[1]));
		__m128i c = _mm_loadu_si128((const __m128i *)(x + offset[2]));
		__m128i d = _mm_loadu_si128((const __m128i *)(x + offset[3]));
		__m128i w = _mm_set1_epi32(weights_of(&taps[t]));
		__m128i ab_low = _mm_unpacklo_epi8(a, b);
		__m128i ab_high = _mm_unpackhi_epi8(a, b);
		__m128i cd_low = _mm_unpacklo_epi8(c, d);
		__m128i cd_high = _mm_unpackhi_epi8(c, d);

		sums[0] = _mm_dpbusd_epi32(
			sums[0], _mm_unpacklo_epi16(ab_low, cd_low), w);
		sums[1] = _mm_dpbusd_epi32(
			sums[1], _mm_unpackhi_epi16(ab_low, cd_low), w);
		sums[2] = _mm_dpbusd_epi32(
			sums[2], _mm_unpacklo_epi16(ab_high, cd_high), w);
		sums[3] = _mm_dpbusd_epi32(
			sums[3], _mm_unpackhi_epi16(ab_high, cd_high), w);
	}
	for (unsigned int q = 0; q < 4; q++)
		_mm_storeu_si128((__m128i *)(out + 4 * q), sums[q]);
}

static void row_vnni(const struct sim_taps *taps, size_t tap_count,
		     const uint8_t *x, uint32_t start, size_t count,
		     int32_t *out)
{
	size_t i = 0;

	for (; i + 2 * NARROW < count; i += KERNEL_SLACK)
		block_vnni(taps, tap_count, x + i, start, out + i);
	for (; i < count; i += NARROW)
		narrow_vnni(taps, tap_count, x + i, start, out + i);
}

/*
 * Without that instruction, pairs: products of bytes fit 16 bits, and one
 * instruction adds two products to 32 bits.
 */
__attribute__((target("avx2"))) static void
row_avx2(const struct sim_taps *taps, size_t tap_count, const uint8_t *x,
	 uint32_t start, size_t count, int32_t *out)
{
	for (size_t i = 0; i < count; i += NARROW) {
		__m256i low = _mm256_set1_epi32((int32_t)start);
		__m256i high = low;

		for (size_t t = 0; t < 2 * tap_count; t++) {
			const uint32_t *offset = taps[t / 2].offset + t % 2 * 2;
			const int8_t *weight = taps[t / 2].weight + t % 2 * 2;
			const uint8_t *at = x + i;
			__m256i a = _mm256_cvtepu8_epi16(_mm_loadu_si128(
				(const __m128i *)(at + offset[0])));
			__m256i b = _mm256_cvtepu8_epi16(_mm_loadu_si128(
				(const __m128i *)(at + offset[1])));
			__m256i w = _mm256_set1_epi32(
				(int32_t)((uint32_t)weight[1] << 16 |
					  (uint16_t)weight[0]));

			low = _mm256_add_epi32(
				low, _mm256_madd_epi16(
					     _mm256_unpacklo_epi16(a, b), w));
			high = _mm256_add_epi32(
				high, _mm256_madd_epi16(
					      _mm256_unpackhi_epi16(a, b), w));
		}
		/* Interleaving worked within 128 bits. */
		_mm256_storeu_si256((__m256i *)(out + i),
				    _mm256_permute2x128_si256(low, high, 0x20));
		_mm256_storeu_si256((__m256i *)(out + i + 8),
				    _mm256_permute2x128_si256(low, high, 0x31));
	}
}

static bool vnni_available(void)
{
	return __builtin_cpu_supports("avx512vnni") &&
	       __builtin_cpu_supports("avx512bw") &&
	       __builtin_cpu_supports("avx512vl");
}

static bool avx2_available(void)
{
	return __builtin_cpu_supports("avx2");
}

#endif

static bool always_available(void)
{
	return true;
}

const struct kernel_version kernel_versions[] = {
#ifdef __x86_64__
	{ "avx512-vnni", vnni_available, row_vnni },
	{ "avx2", avx2_available, row_avx2 },
#endif
	{ "portable", always_available, row_portable },
};

const unsigned int kernel_version_count =
	sizeof(kernel_versions) / sizeof(kernel_versions[0]);

kernel_function kernel_choose(void)
{
	unsigned int i = 0;

	while (!kernel_versions[i].available())
		i++;
	return kernel_versions[i].row;
}

void kernel_stage(void *codes, size_t count)
{
	uint8_t *at = codes;

	for (size_t i = 0; i < count; i++)
		at[i] ^= KERNEL_BIAS;
}
