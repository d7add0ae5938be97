/* SPDX-License-Identifier: MIT */
/*
 * The configuration of a simulated device. A file has one "name = value" per
 * line; "#" starts a comment, numbers may end in K, M or G (powers of 1024).
 * "preset = small|default|hbm2e" may stand first; what follows changes it. The
 * fields are listed in Documentation/device.rst.
 */
#ifndef SIM_CONFIG_H
#define SIM_CONFIG_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct sim_config {
	/* The multiplier array. */
	uint32_t clusters;
	uint32_t lanes; /* per cluster */
	uint32_t vector_width; /* int8 values */
	uint32_t banks; /* of a cluster's activation buffer */
	uint32_t accumulators; /* live rows per lane */
	uint32_t decoder_rate; /* non-zeros per cycle per cluster */
	uint32_t activation_buffer; /* bytes per cluster, both halves */
	uint32_t line_buffer; /* bytes per cluster, of lines for the next row */
	uint32_t buffer_fill_rows; /* rows of X that are written a cycle */
	uint32_t epilogue_rate; /* vectors per cycle per cluster */
	uint32_t schedule_window; /* issues the packer may reorder */
	uint32_t clock_hz;
	uint32_t pipeline_cycles; /* from the first read to the first store */
	uint32_t command_cycles; /* to fetch and check one descriptor */
	uint32_t command_window; /* commands in work at a time */
	uint32_t tile_prefetch; /* tiles whose input is read ahead */
	uint32_t stop_cycles; /* bound on stopping a queue */
	uint32_t command_prefetch; /* commands fetched ahead of the next */
	uint32_t dma_engines;
	uint32_t dma_bytes; /* per cycle and engine */
	uint32_t dma_buffer; /* bytes per engine: read and not yet written */
	uint32_t tlb_entries;
	uint32_t tlb_ways; /* entries of a set */

	/* Shared SRAM. */
	uint64_t sram_bytes;
	uint32_t sram_port_bytes; /* per cycle and cluster, each way */
	uint32_t sram_total_bytes; /* per cycle, all clusters, each way */
	uint64_t prefetch_bytes; /* of the next command's weights */

	/* Device DRAM. */
	uint64_t memory_bytes;
	uint32_t dram_megatransfers; /* per second and pin */
	uint32_t dram_width_bits; /* of all channels */
	uint32_t dram_channels;
	uint32_t dram_transfers_per_clock; /* per pin and command clock */
	uint32_t dram_ranks;
	uint32_t dram_bank_groups; /* of a rank */
	uint32_t dram_banks; /* of a group */
	uint32_t dram_row_bytes; /* of a bank */
	uint32_t dram_burst_bytes; /* one request */
	uint32_t dram_interleave_bytes; /* in one channel before the next */
	uint32_t dram_rcd_ps; /* ACT to READ or WRITE */
	uint32_t dram_rp_ps; /* PRE to ACT */
	uint32_t dram_ras_ps; /* ACT to PRE */
	uint32_t dram_faw_ps; /* window of four ACT */
	uint32_t dram_rrd_short_ps; /* ACT to ACT, other group */
	uint32_t dram_rrd_long_ps; /* same group */
	uint32_t dram_ccd_short_ps; /* column to column command, other group */
	uint32_t dram_ccd_long_ps; /* same group */
	uint32_t dram_wtr_short_ps; /* end of written data to READ, other group */
	uint32_t dram_wtr_long_ps; /* same group */
	uint32_t dram_rtw_ps; /* idle bus between read and written data */
	uint32_t dram_rank_switch_ps; /* idle bus between ranks */
	uint32_t dram_cl_ps; /* READ to data */
	uint32_t dram_cwl_ps; /* WRITE to data */
	uint32_t dram_wr_ps; /* end of written data to PRE */
	uint32_t dram_rtp_ps; /* READ to PRE */
	uint32_t dram_rfc_ps; /* REF to ACT */
	uint32_t dram_refi_ps; /* REF to REF of a rank */
	uint32_t dram_dual_command; /* row and column command in one clock */
	uint32_t dram_path_ps; /* of read data from the pins to who asked */
	uint32_t dram_read_queue;
	uint32_t dram_write_queue;
	uint32_t dram_bank_queue;
	uint32_t dram_drain_high; /* waiting writes that start a drain */
	uint32_t dram_drain_low; /* and end it */
	uint32_t dram_row_hits; /* before a miss closes the row: the reference */
	uint32_t dram_policy; /* enum dram_policy */

	/* Translation. */
	uint32_t tlb_walkers;
	uint32_t tlb_walk_ps; /* of one level; 0: as an idle memory's latency */

	/* PCIe. */
	uint32_t pcie_megatransfers; /* per second and lane */
	uint32_t pcie_lanes;
	uint32_t pcie_payload; /* MPS, bytes */
	uint32_t pcie_read_request; /* MRRS, bytes */
	uint32_t pcie_tags;
	uint32_t pcie_overhead; /* header, framing and CRC of one TLP, bytes */
	uint32_t pcie_read_latency_ps;
	uint32_t pcie_write_latency_ps;
	uint32_t pcie_doorbell_ps; /* of a host's store, before it is a TLP */
	uint32_t pcie_nonposted_credits; /* the host's, of headers */
	uint32_t pcie_posted_credits; /* the host's */
	uint32_t pcie_posted_data_credits; /* the host's, of 16 bytes each */
	uint32_t pcie_completion_bytes; /* the device's buffer for completions */

	/* The host's view. */
	uint32_t queues;
	uint32_t queue_entries;
	uint32_t contexts;
	uint32_t doorbell_stride;
	uint32_t ready_timeout_500ms;
	uint32_t job_timeout_seconds;
	uint32_t temperature_millidegrees;
	uint32_t idle_power_milliwatts;
	uint32_t version_major;
	uint32_t version_minor;
	uint32_t future_capabilities; /* bits 63–52 of CAP, which no host knows */
	uint32_t omitted; /* SPMM_OMITTED_* */
	uint32_t memory_kind; /* enum spmm_memory_kind: a name, it sets no timing */
};

/* Names of the fields, in order; NULL after the last one. */
const char *sim_config_field(unsigned int index);

/* The value of a field by its index. */
uint64_t sim_config_value(const struct sim_config *config, unsigned int index);

/* A preset by name; −ENOENT when there is none of that name. */
int sim_config_preset(const char *name, struct sim_config *out);

/* A number as files have it: decimal, 0x…, with K, M or G; false if it is none. */
bool sim_config_number(const char *text, uint64_t *out);

/*
 * Sets one field; −ENOENT when there is none of that name, −EINVAL when the value is
 * impossible. What only several fields together show, sim_config_check() finds.
 */
int sim_config_set(struct sim_config *config, const char *name,
		   const char *value);
int sim_config_check(const struct sim_config *config);

/*
 * Reads a file, the default preset where it says nothing. An unknown name or an
 * impossible value is −EINVAL, with a text that names file and line.
 */
int sim_config_load(const char *path, struct sim_config *out);
int sim_config_read(FILE *file, const char *name, struct sim_config *out);

/* Attainable, in bytes per second: the peak less refresh. */
uint64_t sim_config_dram_bandwidth(const struct sim_config *config);

/* Of the first bytes of an idle memory with closed rows. */
uint64_t sim_config_dram_latency_ps(const struct sim_config *config);

/* Picoseconds in device cycles, rounded up. */
uint64_t sim_config_cycles(const struct sim_config *config, uint64_t ps);

#endif
