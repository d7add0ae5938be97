/* SPDX-License-Identifier: MIT */
/*
 * Expressions are stored once each and found again by comparing them all: models
 * have tens of them. What does not fit the normal form is named after its operation
 * and operands, and thereby becomes a symbol that meets itself again.
 */
#include <compress/dimension.h>
#include <core/checked.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_FACTORS 6
/* Enough for any network; keeps the linear search short on a hostile one. */
#define MAX_SYMBOLS (1 << 14)
#define MAX_DENOMINATOR 4096

struct fraction {
	int64_t numerator;
	int64_t denominator; /* > 0, lowest terms */
};

/* factor · Π symbols[] + offset; unused symbols are 0, all are sorted. */
struct expression {
	struct fraction factor;
	struct fraction offset;
	int64_t symbols[MAX_FACTORS];
	int symbol_count;
};

struct dimension_table {
	struct expression *expressions;
	int expression_count;
	int expression_capacity;
	char **symbols; /* a symbol is its index here */
	int symbol_count;
	int symbol_capacity;
};

struct dimension_table *dimension_table_create(void)
{
	return calloc(1, sizeof(struct dimension_table));
}

void dimension_table_destroy(struct dimension_table *table)
{
	if (!table)
		return;
	for (int i = 0; i < table->symbol_count; i++)
		free(table->symbols[i]);
	free(table->symbols);
	free(table->expressions);
	free(table);
}

static int64_t greatest_common_divisor(int64_t a, int64_t b)
{
	while (b) {
		int64_t rest = a % b;

		a = b;
		b = rest;
	}
	return a < 0 ? -a : a;
}

static bool fraction_make(int64_t numerator, int64_t denominator,
			  struct fraction *result)
{
	int64_t divisor;

	if (!denominator || numerator == INT64_MIN || denominator == INT64_MIN)
		return false;
	divisor = greatest_common_divisor(numerator, denominator);
	if (denominator < 0)
		divisor = -divisor;
	result->numerator = numerator / divisor;
	result->denominator = denominator / divisor;
	return true;
}

static bool fraction_multiply(struct fraction a, struct fraction b,
			      struct fraction *result)
{
	int64_t numerator, denominator;

	return checked_multiply_i64(a.numerator, b.numerator, &numerator) &&
	       checked_multiply_i64(a.denominator, b.denominator,
				    &denominator) &&
	       fraction_make(numerator, denominator, result);
}

static bool fraction_add(struct fraction a, struct fraction b,
			 struct fraction *result)
{
	int64_t left, right, numerator, denominator;

	return checked_multiply_i64(a.numerator, b.denominator, &left) &&
	       checked_multiply_i64(b.numerator, a.denominator, &right) &&
	       checked_add_i64(left, right, &numerator) &&
	       checked_multiply_i64(a.denominator, b.denominator,
				    &denominator) &&
	       fraction_make(numerator, denominator, result);
}

static const struct fraction zero = { 0, 1 };
static const struct fraction one = { 1, 1 };

static bool expression_load(const struct dimension_table *table, int64_t handle,
			    struct expression *expression)
{
	int64_t index;

	memset(expression, 0, sizeof(*expression));
	if (dimension_is_number(handle)) {
		expression->factor = zero;
		return fraction_make(handle, 1, &expression->offset);
	}
	index = -DIMENSION_NUMBER_LIMIT - handle;
	if (handle == DIMENSION_INVALID || !table ||
	    index >= table->expression_count)
		return false;
	*expression = table->expressions[index];
	return true;
}

static bool expression_equal(const struct expression *a,
			     const struct expression *b)
{
	return a->factor.numerator == b->factor.numerator &&
	       a->factor.denominator == b->factor.denominator &&
	       a->offset.numerator == b->offset.numerator &&
	       a->offset.denominator == b->offset.denominator &&
	       a->symbol_count == b->symbol_count &&
	       !memcmp(a->symbols, b->symbols, sizeof(a->symbols));
}

/* Make room for one more element. */
static bool reserve(void *array, int *capacity, int count, size_t size)
{
	void **memory = array;
	void *grown;
	int wanted = *capacity ? *capacity * 2 : 16;

	if (count < *capacity)
		return true;
	if (count >= MAX_SYMBOLS)
		return false;
	grown = realloc(*memory, (size_t)wanted * size);
	if (!grown)
		return false;
	*memory = grown;
	*capacity = wanted;
	return true;
}

static int64_t expression_store(struct dimension_table *table,
				struct expression *expression)
{
	int i;

	if (!expression->factor.numerator)
		expression->symbol_count = 0;
	if (!expression->symbol_count) {
		memset(expression->symbols, 0, sizeof(expression->symbols));
		expression->factor = zero;
		if (expression->offset.denominator == 1 &&
		    llabs(expression->offset.numerator) <
			    DIMENSION_NUMBER_LIMIT)
			return expression->offset.numerator;
	}
	if (!table)
		return DIMENSION_INVALID;
	for (i = 0; i < table->expression_count; i++)
		if (expression_equal(&table->expressions[i], expression))
			return -DIMENSION_NUMBER_LIMIT - i;
	if (!reserve(&table->expressions, &table->expression_capacity, i,
		     sizeof(*expression)))
		return DIMENSION_INVALID;
	table->expressions[table->expression_count++] = *expression;
	return -DIMENSION_NUMBER_LIMIT - i;
}

static int64_t symbol_intern(struct dimension_table *table, const char *name)
{
	struct expression expression = { one, zero, { 0 }, 1 };
	int i;

	if (!table)
		return DIMENSION_INVALID;
	for (i = 0; i < table->symbol_count; i++)
		if (!strcmp(table->symbols[i], name))
			break;
	if (i == table->symbol_count) {
		if (!reserve(&table->symbols, &table->symbol_capacity, i,
			     sizeof(*table->symbols)))
			return DIMENSION_INVALID;
		table->symbols[i] = strdup(name);
		if (!table->symbols[i])
			return DIMENSION_INVALID;
		table->symbol_count++;
	}
	expression.symbols[0] = i;
	return expression_store(table, &expression);
}

int64_t dimension_symbol(struct dimension_table *table, const char *name)
{
	int64_t symbol;
	char *text;

	/* told apart from the names that symbol_of() makes */
	if (asprintf(&text, ":%s", name) < 0)
		return DIMENSION_INVALID;
	symbol = symbol_intern(table, text);
	free(text);
	return symbol;
}

/* A symbol that stands for "a operator b". */
static int64_t symbol_of(struct dimension_table *table, int64_t a,
			 const char *operator, int64_t b)
{
	char name[64];

	snprintf(name, sizeof(name), "%lld %s %lld",
		 (long long)a, operator,(long long) b);
	return symbol_intern(table, name);
}

int64_t dimension_from_double(struct dimension_table *table, double value)
{
	struct expression expression = { zero, zero, { 0 }, 0 };

	if (!(fabs(value) < 1e15))
		return DIMENSION_INVALID;
	for (int64_t denominator = 1; denominator <= MAX_DENOMINATOR;
	     denominator++) {
		double numerator = nearbyint(value * (double)denominator);

		/* a binary32 carries seven digits */
		if (fabs(numerator - value * (double)denominator) >
		    1e-7 * fabs(numerator) + 1e-12)
			continue;
		if (!fraction_make((int64_t)numerator, denominator,
				   &expression.offset))
			return DIMENSION_INVALID;
		return expression_store(table, &expression);
	}
	return DIMENSION_INVALID;
}

bool dimension_to_double(struct dimension_table *table, int64_t dimension,
			 double *value)
{
	struct expression expression;

	if (!expression_load(table, dimension, &expression) ||
	    expression.symbol_count)
		return false;
	*value = (double)expression.offset.numerator /
		 (double)expression.offset.denominator;
	return true;
}

static bool same_symbols(const struct expression *a, const struct expression *b)
{
	return a->symbol_count == b->symbol_count &&
	       !memcmp(a->symbols, b->symbols, sizeof(a->symbols));
}

/* Like terms are added; unlike ones make a new symbol, the same either way round. */
int64_t dimension_add(struct dimension_table *table, int64_t a, int64_t b)
{
	struct expression x, y, *both = &x;
	int64_t low = a < b ? a : b;

	if (!expression_load(table, a, &x) || !expression_load(table, b, &y))
		return DIMENSION_INVALID;
	if (!x.symbol_count)
		both = &y;
	else if (y.symbol_count && !same_symbols(&x, &y))
		return symbol_of(table, low, "+", a < b ? b : a);
	if (!fraction_add(x.factor, y.factor, &both->factor) ||
	    !fraction_add(x.offset, y.offset, &both->offset))
		return DIMENSION_INVALID;
	return expression_store(table, both);
}

static int64_t scaled(struct dimension_table *table,
		      const struct expression *expression,
		      struct fraction factor)
{
	struct expression result = *expression;

	if (!fraction_multiply(expression->factor, factor, &result.factor) ||
	    !fraction_multiply(expression->offset, factor, &result.offset))
		return DIMENSION_INVALID;
	return expression_store(table, &result);
}

int64_t dimension_subtract(struct dimension_table *table, int64_t a, int64_t b)
{
	struct expression y;

	if (!expression_load(table, b, &y))
		return DIMENSION_INVALID;
	return dimension_add(table, a,
			     scaled(table, &y, (struct fraction){ -1, 1 }));
}

static int compare_symbols(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static int64_t multiply_monomials(struct dimension_table *table,
				  const struct expression *a,
				  const struct expression *b)
{
	struct expression product = *a;

	if (!fraction_multiply(a->factor, b->factor, &product.factor))
		return DIMENSION_INVALID;
	memcpy(product.symbols + a->symbol_count, b->symbols,
	       sizeof(*b->symbols) * (size_t)b->symbol_count);
	product.symbol_count += b->symbol_count;
	qsort(product.symbols, (size_t)product.symbol_count,
	      sizeof(*product.symbols), compare_symbols);
	return expression_store(table, &product);
}

int64_t dimension_multiply(struct dimension_table *table, int64_t a, int64_t b)
{
	struct expression x, y;
	int64_t low = a < b ? a : b;

	if (!expression_load(table, a, &x) || !expression_load(table, b, &y))
		return DIMENSION_INVALID;
	if (!x.symbol_count)
		return scaled(table, &y, x.offset);
	if (!y.symbol_count)
		return scaled(table, &x, y.offset);
	if (x.offset.numerator || y.offset.numerator ||
	    x.symbol_count + y.symbol_count > MAX_FACTORS)
		return symbol_of(table, low, "*", a < b ? b : a);
	return multiply_monomials(table, &x, &y);
}

/* Drop from a the symbols of b; false if a lacks one. */
static bool symbols_cancel(struct expression *a, const struct expression *b)
{
	for (int i = 0; i < b->symbol_count; i++) {
		int j = 0;

		while (j < a->symbol_count && a->symbols[j] != b->symbols[i])
			j++;
		if (j == a->symbol_count)
			return false;
		a->symbol_count--;
		memmove(a->symbols + j, a->symbols + j + 1,
			sizeof(*a->symbols) * (size_t)(a->symbol_count - j));
		a->symbols[a->symbol_count] = 0;
	}
	return true;
}

/* Is x a multiple of y although both have an offset? */
static bool proportional(const struct expression *x, const struct expression *y,
			 struct fraction *quotient)
{
	struct fraction inverse, offsets;

	return same_symbols(x, y) && y->offset.numerator &&
	       fraction_make(y->offset.denominator, y->offset.numerator,
			     &inverse) &&
	       fraction_multiply(x->offset, inverse, &offsets) &&
	       fraction_make(y->factor.denominator, y->factor.numerator,
			     &inverse) &&
	       fraction_multiply(x->factor, inverse, quotient) &&
	       quotient->numerator == offsets.numerator &&
	       quotient->denominator == offsets.denominator;
}

static int64_t divide_monomials(struct dimension_table *table,
				struct expression *x,
				const struct expression *y)
{
	struct fraction inverse;

	if (!fraction_make(y->factor.denominator, y->factor.numerator,
			   &inverse) ||
	    !fraction_multiply(x->factor, inverse, &x->factor))
		return DIMENSION_INVALID;
	if (!x->symbol_count) {
		x->offset = x->factor;
		x->factor = zero;
	}
	return expression_store(table, x);
}

/* Symbols cancel, as the batch does when a view leaves one length open. */
int64_t dimension_divide(struct dimension_table *table, int64_t a, int64_t b)
{
	struct expression x, y;
	struct fraction inverse;

	if (!expression_load(table, a, &x) || !expression_load(table, b, &y))
		return DIMENSION_INVALID;
	if (!y.symbol_count)
		return fraction_make(y.offset.denominator, y.offset.numerator,
				     &inverse) ?
			       scaled(table, &x, inverse) :
			       DIMENSION_INVALID;
	if (proportional(&x, &y, &x.offset)) {
		x.symbol_count = 0;
		return expression_store(table, &x);
	}
	if (x.offset.numerator || y.offset.numerator || !symbols_cancel(&x, &y))
		return symbol_of(table, a, "/", b);
	return divide_monomials(table, &x, &y);
}

static int64_t floor_fraction(struct fraction fraction)
{
	int64_t quotient = fraction.numerator / fraction.denominator;

	return quotient - (fraction.numerator % fraction.denominator < 0);
}

int64_t dimension_floor(struct dimension_table *table, int64_t a)
{
	struct expression x;
	int64_t whole, rest;

	if (!expression_load(table, a, &x))
		return DIMENSION_INVALID;
	/* integers move out of the floor, so that equals look equal */
	whole = floor_fraction(x.offset);
	x.offset.numerator -= whole * x.offset.denominator;
	if (!x.symbol_count)
		return whole;
	if (x.factor.denominator == 1) {
		x.offset = zero;
		rest = expression_store(table, &x);
	} else {
		rest = symbol_of(table, expression_store(table, &x), "floor",
				 0);
	}
	return dimension_add(table, rest, whole);
}

int64_t dimension_ceil(struct dimension_table *table, int64_t a)
{
	return dimension_subtract(
		table, 0,
		dimension_floor(table, dimension_subtract(table, 0, a)));
}

int64_t dimension_exact(struct dimension_table *table, int64_t a)
{
	struct expression x;
	long long inside;
	int end = 0;

	if (dimension_is_number(a) || !expression_load(table, a, &x) ||
	    x.symbol_count != 1 || x.offset.numerator)
		return a;
	/* the name that symbol_of() gave it */
	sscanf(table->symbols[x.symbols[0]], "%lld floor%n", &inside, &end);
	if (!end || !expression_load(table, inside, &x))
		return a;
	return dimension_multiply(
		table, inside,
		dimension_divide(table, a, dimension_floor(table, inside)));
}

bool dimension_ratio(struct dimension_table *table, int64_t a, int64_t b,
		     int64_t *numerator, int64_t *denominator)
{
	int64_t quotient = dimension_divide(table, a, b);
	struct expression x;

	if (!expression_load(table, quotient, &x) || x.symbol_count ||
	    x.offset.numerator <= 0)
		return false;
	*numerator = x.offset.numerator;
	*denominator = x.offset.denominator;
	return true;
}
