/* SPDX-License-Identifier: MIT */
/*
 * Exact time on the link. Neither the time of a byte nor a picosecond is a whole
 * number of device cycles, so time is counted in a unit of which all three are
 * multiples.
 */
#ifndef SIM_ENGINE_LINK_RATE_H
#define SIM_ENGINE_LINK_RATE_H

#include <sim/config.h>

/* At most 2e28 units a second, for any configuration: years fit. */
typedef unsigned __int128 link_time;

/**
 * struct link_scale - lengths of time in units
 * @cycle: of the device
 * @byte: on the wire, all lanes together, its share of the line code included
 * @picosecond: as latencies are configured
 */
struct link_scale {
	link_time cycle;
	link_time byte;
	link_time picosecond;
};

void link_scale_init(struct link_scale *scale, const struct sim_config *config);

/* The first cycle that begins at @time or later. */
static inline uint64_t link_cycle(const struct link_scale *scale,
				  link_time time)
{
	return (uint64_t)((time + scale->cycle - 1) / scale->cycle);
}

#endif
