/* SPDX-License-Identifier: MIT */
/* What a model says of how it was made, with something more in it. */
#ifndef PROVENANCE_H
#define PROVENANCE_H

#include <jansson.h>
#include <model/model.h>

/* The value is taken, also after a failure. 0 or −ENOMEM with a text. */
int provenance_set(struct model *model, const char *key, json_t *value);

#endif
