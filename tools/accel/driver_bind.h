/* SPDX-License-Identifier: MIT */
#ifndef TOOL_DRIVER_BIND_H
#define TOOL_DRIVER_BIND_H

#include <stdint.h>

struct card;

/*
 * Bind a card to a driver instead of the one that it has, or to none if driver is "". Each
 * of taking it, giving it and, if that fails, giving it back ends by timeout_ns.
 *
 * 0, also if it is bound so already. −ENOENT if the driver is not loaded; −EBUSY if a
 * process holds the card, or a driver of the host another device of its group, −EACCES to
 * others than root, −ENODEV without an IOMMU where one is needed: nothing was changed then.
 * −EIO, −ETIMEDOUT or what else the kernel says. There is a text.
 */
int driver_bind(const struct card *card, const char *driver,
		uint64_t timeout_ns);

#endif
