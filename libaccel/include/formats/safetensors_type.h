/* SPDX-License-Identifier: MIT */
/* What the reader and the writer of safetensors files share. */
#ifndef FORMATS_SAFETENSORS_TYPE_H
#define FORMATS_SAFETENSORS_TYPE_H

#include <formats/safetensors.h>

#include <stdbool.h>

/* The limit of the official library. */
#define SAFETENSORS_MAX_HEADER 100000000u

/* The header's one entry that is no tensor. */
#define SAFETENSORS_METADATA "__metadata__"

/* The bytes that the shape needs; false on overflow. */
bool safetensors_bytes(const struct safetensors_tensor *tensor, size_t *bytes);

#endif
