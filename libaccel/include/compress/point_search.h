/* SPDX-License-Identifier: MIT */
/*
 * Search for the maximum of a function that is dear to evaluate, in the cube
 * [−1, 1]^dimensions. Who searches asks for the next point and tells what was seen there.
 * The same seed and the same values give the same points.
 */
#ifndef COMPRESS_POINT_SEARCH_H
#define COMPRESS_POINT_SEARCH_H

#include <stddef.h>
#include <stdint.h>

#define POINT_SEARCH_DIMENSIONS_MAX 4

struct point_search;

/**
 * struct point_search_kind - one way to search
 * @name: as in the literature
 * @create: 1 ≤ dimensions ≤ POINT_SEARCH_DIMENSIONS_MAX; NULL without memory
 * @propose: where to look next; 0 or −ENOMEM
 * @observe: what was seen there, finite; 0 or −ENOMEM
 * @destroy: free it
 */
struct point_search_kind {
	const char *name;
	struct point_search *(*create)(int dimensions, uint64_t seed);
	int (*propose)(struct point_search *search, double *point);
	int (*observe)(struct point_search *search, const double *point,
		       double value);
	void (*destroy)(struct point_search *search);
};

/** struct point_search - what all kinds begin with */
struct point_search {
	const struct point_search_kind *kind;
	int dimensions;
};

/* NULL for a name that there is not. */
const struct point_search_kind *point_search_find(const char *name);

/* The i-th one, the default first, or NULL behind the last. */
const struct point_search_kind *point_search_get(size_t index);

/* All names, for a message: "bayesian, grid or random". */
const char *point_search_names(void);

/* NULL for dimensions that are too many, or without memory. */
struct point_search *point_search_create(const struct point_search_kind *kind,
					 int dimensions, uint64_t seed);

/* Where to look next. 0 or −ENOMEM. */
int point_search_propose(struct point_search *search, double *point);

/* What was seen there; any point may be told. 0, −EINVAL if not finite, or −ENOMEM. */
int point_search_observe(struct point_search *search, const double *point,
			 double value);

/* NULL is allowed. */
void point_search_destroy(struct point_search *search);

#endif
