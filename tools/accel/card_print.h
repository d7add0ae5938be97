/* SPDX-License-Identifier: MIT */
/* What is said of a card, for people and for programs. */
#ifndef TOOL_CARD_PRINT_H
#define TOOL_CARD_PRINT_H

#include <jansson.h>

struct card;
struct card_link;

/* "16GT/s x8", or "-" if it is not known. */
#define CARD_LINK_SIZE 32
void card_link_text(const struct card_link *link, char text[CARD_LINK_SIZE]);

/* The table of `accel list`: its head, and a row of it. */
void card_print_head(void);
void card_print_row(const struct card *card);

/* In sentences. */
void card_print(const struct card *card);

/* A new object, or NULL without memory. */
json_t *card_json(const struct card *card);

#endif
