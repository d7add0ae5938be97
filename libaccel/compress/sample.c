/* SPDX-License-Identifier: MIT */
#include <compress/sample.h>

#include <math.h>
#include <string.h>

static uint64_t rotate(uint64_t value, int bits)
{
	return value << bits | value >> (64 - bits);
}

/* SplitMix64 (Steele, Lea and Flood, 2014): seeds that are close give far states. */
static uint64_t split_mix(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

void sample_seed(struct sample_generator *generator, uint64_t seed)
{
	for (int i = 0; i < 4; i++)
		generator->state[i] = split_mix(&seed);
	generator->has_spare = false;
}

uint64_t sample_bits(struct sample_generator *generator)
{
	uint64_t *s = generator->state;
	uint64_t result = rotate(s[1] * 5, 7) * 9;
	uint64_t shifted = s[1] << 17;

	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= shifted;
	s[3] = rotate(s[3], 45);
	return result;
}

double sample_uniform(struct sample_generator *generator)
{
	return (double)(sample_bits(generator) >> 11) * 0x1p-53;
}

uint64_t sample_below(struct sample_generator *generator, uint64_t bound)
{
	/* Below 2⁶⁴ modulo bound, some results would come once too often. */
	uint64_t unfair = -bound % bound;
	uint64_t bits;

	do {
		bits = sample_bits(generator);
	} while (bits < unfair);
	return bits % bound;
}

/*
 * Natural logarithm of a normal number > 0, good to about 2⁻⁵¹: with x = m·2ᵉ and m
 * near 1, ln m = 2·artanh(z), z = (m − 1)/(m + 1), |z| ≤ 0.172, as a series.
 */
static double logarithm(double x)
{
	const int terms = 11;
	uint64_t bits;
	double mantissa, z, square, sum;
	int exponent;

	memcpy(&bits, &x, sizeof(bits));
	exponent = (int)(bits >> 52) - 1023;
	bits = (bits & 0xfffffffffffff) | 0x3ff0000000000000;
	memcpy(&mantissa, &bits, sizeof(mantissa));
	if (mantissa > 0x1.6a09e667f3bcdp+0) { /* √2 */
		mantissa /= 2;
		exponent++;
	}
	z = (mantissa - 1) / (mantissa + 1);
	square = z * z;
	sum = 1.0 / (2 * terms + 1);
	for (int i = terms - 1; i >= 0; i--)
		sum = sum * square + 1.0 / (2 * i + 1);
	return 2 * z * sum + exponent * 0x1.62e42fefa39efp-1; /* ln 2 */
}

/* Marsaglia's polar method: a point in the unit disc gives two normals. */
double sample_normal(struct sample_generator *generator)
{
	double x, y, square, factor;

	if (generator->has_spare) {
		generator->has_spare = false;
		return generator->spare;
	}
	do {
		x = 2 * sample_uniform(generator) - 1;
		y = 2 * sample_uniform(generator) - 1;
		square = x * x + y * y;
	} while (square >= 1 || square == 0);
	factor = sqrt(-2 * logarithm(square) / square);
	generator->spare = y * factor;
	generator->has_spare = true;
	return x * factor;
}

void sample_normals(struct sample_generator *generator, float *values,
		    size_t count)
{
	for (size_t i = 0; i < count; i++)
		values[i] = (float)sample_normal(generator);
}
