/* SPDX-License-Identifier: MIT */
/*
 * A file that says what is done to which layer:
 *
 *	{ "method": "gn", "sparsity": 0.5,
 *	  "layers": [ { "match": "decoder.*", "method": "magnitude", "sparsity": 0.8 } ] }
 *
 * A match is a pattern as the shell's (*, ?, [...]) for the name of a node or of its
 * weights; of several the last one counts.
 */
#ifndef COMPRESS_CHOICE_RECIPE_H
#define COMPRESS_CHOICE_RECIPE_H

#include <compress/choice.h>

/**
 * choice_recipe_read() - the choices that a file makes for a graph
 * @choices: result, for choices_destroy()
 * @path: of the file
 * @graph: whose layers it names
 * @otherwise: where the file says nothing
 *
 * Return: 0; −EINVAL for a file that is no JSON, for unknown keys, methods, and
 * sparsities outside 0 … 1, for a pattern that matches no layer, and for two equal
 * patterns that contradict each other, with a text that says where; −errno of the file;
 * −ENOMEM.
 */
int choice_recipe_read(struct compress_choices **choices, const char *path,
		       const struct graph *graph,
		       const struct layer_choice *otherwise);

#endif
