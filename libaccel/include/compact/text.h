/* SPDX-License-Identifier: MIT */
/* Text: each byte after what followed the same bytes before. */
#ifndef COMPACT_TEXT_H
#define COMPACT_TEXT_H

#include <compact/coder.h>
#include <compact/mixer.h>

/*
 * A text that ends with a zero. An encoder is given it; a decoder makes it, for free(), and
 * may leave a part of it when it fails. Return: 0 or −errno.
 */
int text_code(const struct odds *odds, struct coder *coder, char **text);

#endif
