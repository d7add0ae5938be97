/* SPDX-License-Identifier: MIT */
/*
 * Random search: points that are uniform in the cube, by seed, whatever was seen; where few
 * dimensions matter it looks at more values of each than a grid (Bergstra and Bengio 2012).
 */
#ifndef COMPRESS_RANDOM_SEARCH_H
#define COMPRESS_RANDOM_SEARCH_H

#include <compress/point_search.h>

extern const struct point_search_kind random_search;

#endif
