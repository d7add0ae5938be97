/* SPDX-License-Identifier: MIT */
/* Who has a card open through VFIO. */
#ifndef TOOL_HOLDER_H
#define TOOL_HOLDER_H

#include "card.h"

/**
 * struct holder - a process
 * @pid: of it
 * @command: its name
 */
struct holder {
	int pid;
	char command[HOST_NAME_MAX];
};

/* The first process found that does; false if none can be seen. */
bool holder_find(const struct card *card, struct holder *holder);

/* Its group's file of VFIO; "" without a group. */
void holder_group_node(const struct card *card, char path[HOST_NAME_MAX]);

#endif
