/* SPDX-License-Identifier: MIT */
/* A whole model in as few bytes as it needs. Documentation/model-file.rst. */
#ifndef MODEL_COMPACT_H
#define MODEL_COMPACT_H

#include <stddef.h>
#include <stdint.h>

struct model;

/* The bytes of a valid model, for free(). Return: 0 or −ENOMEM with a text. */
int model_compact_encode(const struct model *model, uint8_t **bytes,
			 size_t *length);

/*
 * The model of bytes that may be anything; it is not validated yet. Memory and time are in
 * proportion to @length. Return: 0; −EBADMSG or −ENOMEM with a text.
 */
int model_compact_decode(const uint8_t *bytes, size_t length,
			 struct model **out);

#endif
