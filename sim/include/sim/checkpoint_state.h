/* SPDX-License-Identifier: MIT */
/* What of a device's state stands in which section of a checkpoint. */
#ifndef SIM_CHECKPOINT_STATE_H
#define SIM_CHECKPOINT_STATE_H

#include <sim/section.h>
#include <sim/state.h>

/**
 * struct checkpoint_part - one section
 * @tag: its name
 * @visit: stores the state in the section or fetches it from there
 * @check: after a fetch: −EINVAL with a text if no device can have this state; NULL
 *	if every value is possible
 */
struct checkpoint_part {
	uint32_t tag;
	void (*visit)(struct sim_device *device, struct section *section);
	int (*check)(const struct sim_device *device);
};

/* In the order of the file; a check may rely on the parts before. */
extern const struct checkpoint_part checkpoint_parts[];
extern const unsigned int checkpoint_part_count;

#endif
