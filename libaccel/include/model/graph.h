/* SPDX-License-Identifier: MIT */
/* The graph of a model as JSON: all but the arrays. Documentation/model-file.rst. */
#ifndef MODEL_GRAPH_H
#define MODEL_GRAPH_H

#include <model/model.h>

/* The text, for free(); NULL, with an error text, without memory or UTF-8. */
char *model_graph_write(const struct model *model);

/* A model whose matrices have sizes but no arrays yet; it is not validated. */
int model_graph_read(const char *text, struct model **out);

#endif
