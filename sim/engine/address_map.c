/* SPDX-License-Identifier: MIT */
#include <sim/engine/address_map.h>

#include <core/integer.h>

static uint8_t width(uint32_t count)
{
	return (uint8_t)__builtin_ctz(count);
}

static uint32_t low_bits(uint64_t value, uint8_t bits)
{
	return (uint32_t)(value & ((1ull << bits) - 1));
}

/* Requests to so many groups in turn are not held back by tCCD_L. */
static uint8_t turn_bits(const struct sim_config *config)
{
	uint64_t transfers = (uint64_t)config->dram_burst_bytes * 8 *
			     config->dram_channels / config->dram_width_bits;
	uint64_t apart =
		max_u64(config->dram_ccd_short_ps,
			transfers * 1000000 / config->dram_megatransfers);
	uint8_t bits = 0;

	while (apart << bits < config->dram_ccd_long_ps &&
	       bits < width(config->dram_bank_groups))
		bits++;
	return bits;
}

void address_map_init(struct address_map *map, const struct sim_config *config)
{
	map->request = width(config->dram_burst_bytes);
	map->interleave = width(config->dram_interleave_bytes) - map->request;
	map->channel = width(config->dram_channels);
	map->turn = turn_bits(config);
	map->group = width(config->dram_bank_groups) - map->turn;
	map->column = width(config->dram_row_bytes) - map->request;
	map->bank = width(config->dram_banks);
	map->rank = width(config->dram_ranks);
}

/* XOR of all its parts of so many bits. */
static uint32_t fold(uint64_t value, uint8_t bits)
{
	uint64_t sum = 0;

	if (!bits)
		return 0;
	for (; value; value >>= bits)
		sum ^= value;
	return low_bits(sum, bits);
}

uint32_t address_map_channel(const struct address_map *map, uint64_t address)
{
	return fold(address >> (map->request + map->interleave), map->channel);
}

struct dram_address address_map_locate(const struct address_map *map,
				       uint64_t address)
{
	uint64_t request = address >> map->request;
	uint64_t above = request >> (map->interleave + map->channel);
	uint64_t local = above << map->interleave |
			 low_bits(request, map->interleave);
	uint32_t turn = low_bits(local, map->turn);
	uint32_t column = low_bits(local >>= map->turn, map->column);
	uint32_t group = low_bits(local >>= map->column, map->group);
	uint32_t bank = low_bits(local >>= map->group, map->bank);
	uint32_t rank = low_bits(local >>= map->bank, map->rank);
	uint32_t row = (uint32_t)(local >> map->rank);

	group = group << map->turn | turn;
	bank ^= low_bits(row, map->bank);
	group ^= low_bits(row >> map->bank, map->turn + map->group);
	return (struct dram_address){
		.bank = (rank << (map->turn + map->group) | group)
				<< map->bank |
			bank,
		.row = row,
		.column = column,
	};
}
