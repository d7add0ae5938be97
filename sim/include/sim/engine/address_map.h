/* SPDX-License-Identifier: MIT */
/*
 * Where an address of device DRAM lies. From its low end an address has
 *
 *	the byte in a request, the part of the request number within the interleave,
 *	channel,
 *	the rest of the request number in its channel.
 *
 * A channel's request number (both parts of it together) has, from its low end, so many
 * bits of the bank group as hide tCCD_L, column, the rest of the group, bank, rank, row.
 * So neighbouring requests take turns over groups, but over no more than they must:
 * pieces of a few requests, which a tile takes of each channel of a tensor, find more
 * than one in a row. A stream opens the next rows while it still reads the former.
 *
 * Channel and bank are then XORed with higher bits (the channel with all above it,
 * group and bank with the row's low ones), so that streams whose distance is a power
 * of two do not meet in one bank. That keeps the map one to one.
 */
#ifndef SIM_ENGINE_ADDRESS_MAP_H
#define SIM_ENGINE_ADDRESS_MAP_H

#include <sim/config.h>
#include <sim/dram/controller.h>

/* Widths of the fields in bits. */
struct address_map {
	uint8_t request;
	uint8_t interleave; /* of request numbers */
	uint8_t channel;
	uint8_t turn; /* of the group: neighbouring requests' */
	uint8_t column;
	uint8_t group; /* the rest of it */
	uint8_t bank;
	uint8_t rank;
};

void address_map_init(struct address_map *map, const struct sim_config *config);

/* The channel of a byte address. */
uint32_t address_map_channel(const struct address_map *map, uint64_t address);

/* Where in its channel. */
struct dram_address address_map_locate(const struct address_map *map,
				       uint64_t address);

#endif
