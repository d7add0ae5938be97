// SPDX-License-Identifier: MIT
#include <compress/dictionary.h>
#include <compress/low_rank_factor.h>

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define STEPS 10
/* Of a code's residual: less is rounding. */
#define TINY 1e-12

/**
 * struct learning - everything by rows, so that a column of W, D or X is one
 * @size: of a signal: rows of W
 * @signals: columns of W
 * @atoms: columns of D
 * @nonzeros: of a code
 * @w: [@signals][@size]
 * @d: [@atoms][@size], each of length 1
 * @x: [@signals][@atoms]
 * @gram: [@atoms][@atoms], D's products with itself
 * @residual: [@signals][@size], W − D·X
 * @products: [@atoms], of a signal's residual
 * @chosen: [@nonzeros]
 * @factor: [@nonzeros][@nonzeros], Cholesky's of the chosen atoms' products
 * @solution: [@nonzeros]
 */
struct learning {
	size_t size;
	size_t signals;
	size_t atoms;
	size_t nonzeros;
	double *w;
	double *d;
	double *x;
	double *gram;
	double *residual;
	double *products;
	size_t *chosen;
	double *factor;
	double *solution;
};

static double product(const double *a, const double *b, size_t count)
{
	double sum = 0;

	for (size_t i = 0; i < count; i++)
		sum += a[i] * b[i];
	return sum;
}

/* y += factor·x */
static void add(double factor, const double *x, double *y, size_t count)
{
	for (size_t i = 0; i < count; i++)
		y[i] += factor * x[i];
}

/* False for nothing but zeros. */
static bool normalize(double *values, size_t count)
{
	double length = sqrt(product(values, values, count));

	if (length <= TINY)
		return false;
	for (size_t i = 0; i < count; i++)
		values[i] /= length;
	return true;
}

/* ---- codes ---- */

/* One more row of the factor; false if the atom follows from those before. */
static bool extend(struct learning *learning, size_t count, size_t atom)
{
	double *row = learning->factor + count * learning->nonzeros;
	double rest = learning->gram[atom * learning->atoms + atom];

	for (size_t i = 0; i < count; i++) {
		const double *above = learning->factor + i * learning->nonzeros;

		row[i] = (learning->gram[learning->chosen[i] * learning->atoms +
					 atom] -
			  product(row, above, i)) /
			 above[i];
		rest -= row[i] * row[i];
	}
	if (rest <= TINY)
		return false;
	row[count] = sqrt(rest);
	learning->chosen[count] = atom;
	return true;
}

/* The best code of the chosen atoms. */
static void solve(struct learning *learning, size_t count, const double *signal)
{
	double *s = learning->solution;
	size_t stride = learning->nonzeros;

	for (size_t i = 0; i < count; i++) {
		const double *row = learning->factor + i * stride;

		s[i] = (product(learning->d +
					learning->chosen[i] * learning->size,
				signal, learning->size) -
			product(row, s, i)) /
		       row[i];
	}
	for (size_t i = count; i-- > 0;) {
		for (size_t j = i + 1; j < count; j++)
			s[i] -= learning->factor[j * stride + i] * s[j];
		s[i] /= learning->factor[i * stride + i];
	}
}

static size_t best_atom(struct learning *learning, const double *residual)
{
	size_t best = 0;

	for (size_t a = 0; a < learning->atoms; a++) {
		learning->products[a] =
			fabs(product(learning->d + a * learning->size, residual,
				     learning->size));
		if (learning->products[a] > learning->products[best])
			best = a;
	}
	return best;
}

/* Atom by atom, the one that what is left is most like. */
static void code_signal(struct learning *learning, size_t signal)
{
	size_t size = learning->size;
	const double *w = learning->w + signal * size;
	double *x = learning->x + signal * learning->atoms;
	double *residual = learning->residual + signal * size;

	memset(x, 0, learning->atoms * sizeof(*x));
	memcpy(residual, w, size * sizeof(*residual));
	for (size_t count = 0; count < learning->nonzeros;) {
		size_t atom = best_atom(learning, residual);

		if (learning->products[atom] <= TINY ||
		    !extend(learning, count, atom))
			break;
		count++;
		solve(learning, count, w);
		memcpy(residual, w, size * sizeof(*residual));
		for (size_t i = 0; i < count; i++) {
			x[learning->chosen[i]] = learning->solution[i];
			add(-learning->solution[i],
			    learning->d + learning->chosen[i] * size, residual,
			    size);
		}
	}
}

static void code_all(struct learning *learning)
{
	size_t size = learning->size;

	for (size_t a = 0; a < learning->atoms; a++)
		for (size_t b = 0; b < learning->atoms; b++)
			learning->gram[a * learning->atoms + b] =
				product(learning->d + a * size,
					learning->d + b * size, size);
	for (size_t i = 0; i < learning->signals; i++)
		code_signal(learning, i);
}

/* ---- atoms ---- */

/* An atom that nobody uses becomes the signal that is coded worst. */
static void replace_atom(struct learning *learning, size_t atom)
{
	double *d = learning->d + atom * learning->size, most = 0;
	size_t worst = 0;

	for (size_t i = 0; i < learning->signals; i++) {
		const double *residual =
			learning->residual + i * learning->size;
		double left = product(residual, residual, learning->size);

		if (left <= most)
			continue;
		most = left;
		worst = i;
	}
	if (most <= TINY)
		return;
	memcpy(d, learning->w + worst * learning->size,
	       learning->size * sizeof(*d));
	normalize(d, learning->size);
	/* the next such atom is to be another */
	memset(learning->residual + worst * learning->size, 0,
	       learning->size * sizeof(*d));
}

/* The signals that use it, without what the others say: d and x anew, one by one. */
static void update_atom(struct learning *learning, size_t atom)
{
	size_t size = learning->size;
	double *d = learning->d + atom * size;
	bool used = false;

	for (size_t i = 0; i < learning->signals; i++) {
		double x = learning->x[i * learning->atoms + atom];

		used |= x != 0;
		if (x != 0)
			add(x, d, learning->residual + i * size, size);
	}
	if (!used) {
		replace_atom(learning, atom);
		return;
	}
	memset(d, 0, size * sizeof(*d));
	for (size_t i = 0; i < learning->signals; i++)
		add(learning->x[i * learning->atoms + atom],
		    learning->residual + i * size, d, size);
	if (!normalize(d, size))
		d[0] = 1;
	for (size_t i = 0; i < learning->signals; i++) {
		double *x = &learning->x[i * learning->atoms + atom];

		if (*x == 0)
			continue;
		*x = product(d, learning->residual + i * size, size);
		add(-*x, d, learning->residual + i * size, size);
	}
}

/* Signals from first to last, evenly. */
static void first_atoms(struct learning *learning)
{
	for (size_t a = 0; a < learning->atoms; a++) {
		double *d = learning->d + a * learning->size;
		size_t from = a * learning->signals / learning->atoms;

		memcpy(d, learning->w + from * learning->size,
		       learning->size * sizeof(*d));
		if (!normalize(d, learning->size))
			d[a % learning->size] = 1;
	}
}

static void learn(struct learning *learning)
{
	first_atoms(learning);
	code_all(learning);
	for (int step = 0; step < STEPS; step++) {
		for (size_t a = 0; a < learning->atoms; a++)
			update_atom(learning, a);
		code_all(learning);
	}
}

/* ---- the factors ---- */

static void release(struct learning *learning)
{
	free(learning->w);
	free(learning->d);
	free(learning->x);
	free(learning->gram);
	free(learning->residual);
	free(learning->products);
	free(learning->chosen);
	free(learning->factor);
	free(learning->solution);
}

static int prepare(struct learning *learning,
		   const struct low_rank_matrix *matrix)
{
	size_t size = learning->size, signals = learning->signals;
	size_t atoms = learning->atoms, nonzeros = learning->nonzeros;

	learning->w = calloc(signals * size, sizeof(double));
	learning->d = calloc(atoms * size, sizeof(double));
	learning->x = calloc(signals * atoms, sizeof(double));
	learning->gram = calloc(atoms * atoms, sizeof(double));
	learning->residual = calloc(signals * size, sizeof(double));
	learning->products = calloc(atoms, sizeof(double));
	learning->chosen = calloc(nonzeros, sizeof(*learning->chosen));
	learning->factor = calloc(nonzeros * nonzeros, sizeof(double));
	learning->solution = calloc(nonzeros, sizeof(double));
	if (!learning->w || !learning->d || !learning->x || !learning->gram ||
	    !learning->residual || !learning->products || !learning->chosen ||
	    !learning->factor || !learning->solution)
		return -ENOMEM;
	for (size_t r = 0; r < size; r++)
		for (size_t c = 0; c < signals; c++)
			learning->w[c * size + r] =
				matrix->weights[r * signals + c];
	return 0;
}

static int store(const struct learning *learning,
		 struct low_rank_factors *factors)
{
	size_t size = learning->size, signals = learning->signals;
	size_t atoms = learning->atoms;

	factors->left = calloc(size * atoms, sizeof(float));
	factors->right = calloc(atoms * signals, sizeof(float));
	if (!factors->left || !factors->right)
		return -ENOMEM;
	for (size_t a = 0; a < atoms; a++) {
		for (size_t r = 0; r < size; r++)
			factors->left[r * atoms + a] =
				(float)learning->d[a * size + r];
		for (size_t c = 0; c < signals; c++)
			factors->right[a * signals + c] =
				(float)learning->x[c * atoms + a];
	}
	return 0;
}

int dictionary_factor(struct low_rank_factors *factors,
		      const struct low_rank_matrix *matrix, int nonzeros)
{
	struct learning learning = {
		.size = (size_t)matrix->rows,
		.signals = (size_t)matrix->columns,
		.atoms = (size_t)factors->rank,
		.nonzeros = (size_t)nonzeros,
	};
	int ret = prepare(&learning, matrix);

	factors->rows = matrix->rows;
	factors->columns = matrix->columns;
	if (!ret) {
		learn(&learning);
		ret = store(&learning, factors);
	}
	release(&learning);
	return ret;
}
