/* SPDX-License-Identifier: MIT */
/* IOMMU groups: VFIO hands out a group as a whole, or not at all. */
#ifndef TOOL_GROUP_H
#define TOOL_GROUP_H

#include "card.h"
#include "host.h"

/**
 * struct group_member - another device of a card's group
 * @address: of it
 * @driver: that is bound
 */
struct group_member {
	char address[HOST_NAME_MAX];
	char driver[HOST_NAME_MAX];
};

/*
 * The first device of the card's group, other than it, that a driver of the host has:
 * while it does, VFIO opens none of them. False if there is none.
 */
bool group_find_stranger(const struct card *card, struct group_member *member);

#endif
