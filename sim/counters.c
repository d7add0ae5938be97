/* SPDX-License-Identifier: MIT */
#include <string.h>

#include <sim/counters.h>

/* The lock is held. Context 0 has no commands of its own: it counts everybody's. */
static void add(struct sim_device *device, uint16_t context, unsigned int index,
		uint64_t amount)
{
	device->counters[context][index] += amount;
	device->counters[0][index] += amount;
}

void counters_add(struct sim_device *device, uint16_t context,
		  enum spmm_counter counter, uint64_t amount)
{
	pthread_mutex_lock(&device->lock);
	add(device, context, counter, amount);
	pthread_mutex_unlock(&device->lock);
}

void counters_add_command(struct sim_device *device, uint16_t context,
			  const struct spmm_command_stats *stats)
{
	const uint64_t amounts[] = {
		[SPMM_COUNTER_BUSY_CYCLES] =
			stats->end_cycle - stats->start_cycle,
		[SPMM_COUNTER_COMMANDS] = 1,
		[SPMM_COUNTER_MACS] = stats->macs,
		[SPMM_COUNTER_DRAM_READ_BYTES] = stats->dram_read_bytes,
		[SPMM_COUNTER_DRAM_WRITE_BYTES] = stats->dram_write_bytes,
		[SPMM_COUNTER_PCIE_READ_BYTES] = stats->pcie_read_bytes,
		[SPMM_COUNTER_PCIE_WRITE_BYTES] = stats->pcie_write_bytes,
		[SPMM_COUNTER_PADDING_MACS] = stats->padding_macs,
		[SPMM_COUNTER_SRAM_BYTES] = stats->sram_bytes,
	};

	pthread_mutex_lock(&device->lock);
	for (unsigned int i = 0; i < sizeof(amounts) / sizeof(amounts[0]); i++)
		add(device, context, i, amounts[i]);
	pthread_mutex_unlock(&device->lock);
}

void counters_add_lanes(struct sim_device *device, uint16_t context,
			const uint64_t *lane_cycles)
{
	_Static_assert(SPMM_COUNTER_LANE_CYCLES + SPMM_STALL_COUNT ==
			       SPMM_COUNTER_COUNT,
		       "a counter for each cause");
	pthread_mutex_lock(&device->lock);
	for (unsigned int i = 0; i < SPMM_STALL_COUNT; i++)
		add(device, context, SPMM_COUNTER_LANE_CYCLES + i,
		    lane_cycles[i]);
	pthread_mutex_unlock(&device->lock);
}

void counters_clear(struct sim_device *device, uint16_t context)
{
	pthread_mutex_lock(&device->lock);
	memset(device->counters[context], 0, sizeof(device->counters[context]));
	pthread_mutex_unlock(&device->lock);
}
