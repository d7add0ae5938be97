/* SPDX-License-Identifier: MIT */
/*
 * Arithmetic on dimensions of which some are known only at run time.
 *
 * A dimension is an int64_t: a number, or a handle of an expression
 *	factor · (product of symbols) + offset,	factor and offset rational
 * in a table. Equal expressions get equal handles. What does not fit the form
 * (the floor of a fraction, the sum of two symbols) becomes a new symbol, the same
 * one each time. Every function returns DIMENSION_INVALID on overflow, on
 * division by zero, for lack of memory and when an operand is invalid. With numbers
 * alone no table is needed and NULL will do.
 */
#ifndef COMPRESS_DIMENSION_H
#define COMPRESS_DIMENSION_H

#include <stdbool.h>
#include <stdint.h>

struct dimension_table;

#define DIMENSION_INVALID INT64_MIN
#define DIMENSION_NUMBER_LIMIT (INT64_C(1) << 62)

struct dimension_table *dimension_table_create(void);
void dimension_table_destroy(struct dimension_table *table);

/* Is it a number, and not a handle? */
static inline bool dimension_is_number(int64_t dimension)
{
	return dimension > -DIMENSION_NUMBER_LIMIT;
}

/* The symbol of a name. */
int64_t dimension_symbol(struct dimension_table *table, const char *name);

/* The fraction nearest to value of those with small denominators. */
int64_t dimension_from_double(struct dimension_table *table, double value);

/* The number, perhaps a fraction, that a handle stands for; false if unknown. */
bool dimension_to_double(struct dimension_table *table, int64_t dimension,
			 double *value);

int64_t dimension_add(struct dimension_table *table, int64_t a, int64_t b);
int64_t dimension_subtract(struct dimension_table *table, int64_t a, int64_t b);
int64_t dimension_multiply(struct dimension_table *table, int64_t a, int64_t b);

/* The exact quotient, perhaps a fraction. */
int64_t dimension_divide(struct dimension_table *table, int64_t a, int64_t b);

/* The largest integer that is not above; symbols stand for integers. */
int64_t dimension_floor(struct dimension_table *table, int64_t a);
int64_t dimension_ceil(struct dimension_table *table, int64_t a);

/*
 * A multiple of a floor without the floor, for where it is known to change nothing;
 * anything else as it is.
 */
int64_t dimension_exact(struct dimension_table *table, int64_t a);

/*
 * Find numerator/denominator = a / b, both > 0. Return false if the quotient
 * is not such a number.
 */
bool dimension_ratio(struct dimension_table *table, int64_t a, int64_t b,
		     int64_t *numerator, int64_t *denominator);

#endif
