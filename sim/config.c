/* SPDX-License-Identifier: MIT */
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <core/error.h>
#include <sim/config.h>
#include <sim/dram/configured.h>
#include <spmm/registers.h>

struct field {
	const char *name;
	size_t offset;
	bool wide; /* uint64_t, else uint32_t */
	bool power_of_two;
	uint64_t minimum;
	uint64_t maximum;
};

#define FIELD32(name, minimum, maximum)                                 \
	{                                                               \
#name, offsetof(struct sim_config, name), false, false, \
			minimum, maximum                                \
	}
#define FIELD32_POWER(name, minimum, maximum)                          \
	{                                                              \
#name, offsetof(struct sim_config, name), false, true, \
			minimum, maximum                               \
	}
#define FIELD64(name, minimum, maximum)                                        \
	{                                                                      \
#name, offsetof(struct sim_config, name), true, true, minimum, \
			maximum                                                \
	}

static const struct field fields[] = {
	FIELD32(clusters, 1, 1024),
	FIELD32_POWER(lanes, 1, 64),
	FIELD32_POWER(vector_width, 2, 256),
	FIELD32_POWER(banks, 1, 64),
	FIELD32(accumulators, 1, 64),
	FIELD32(decoder_rate, 1, 64),
	FIELD32(activation_buffer, 4096, 1u << 30),
	FIELD32(line_buffer, 0, 1u << 30),
	FIELD32(buffer_fill_rows, 1, 1024),
	FIELD32(epilogue_rate, 1, 64),
	FIELD32(schedule_window, 1, 64),
	FIELD32(clock_hz, 1000000, 4000000000u),
	FIELD32(pipeline_cycles, 0, 1000000),
	FIELD32(command_cycles, 1, 1000000),
	FIELD32(command_window, 1, 64),
	FIELD32(tile_prefetch, 1, 1024),
	FIELD32(stop_cycles, 1, UINT32_MAX),
	FIELD32(command_prefetch, 0, 256),
	FIELD32(dma_engines, 1, 16),
	FIELD32(dma_bytes, 1, 65536),
	FIELD32(dma_buffer, 32768, 1u << 24),
	FIELD32(tlb_entries, 1, 1u << 20),
	FIELD32(tlb_ways, 1, 64),
	FIELD64(sram_bytes, 65536, 1ull << 32),
	FIELD32(sram_port_bytes, 1, 4096),
	FIELD32(sram_total_bytes, 1, 1u << 20),
	FIELD64(prefetch_bytes, 4096, 1ull << 32),
	FIELD64(memory_bytes, 1ull << 20, 1ull << 40),
	FIELD32(dram_megatransfers, 1, 100000),
	FIELD32(dram_width_bits, 8, 65536),
	FIELD32_POWER(dram_channels, 1, DRAM_CHANNELS_MAX),
	FIELD32_POWER(dram_transfers_per_clock, 1, 16),
	FIELD32_POWER(dram_ranks, 1, DRAM_RANKS_MAX),
	FIELD32_POWER(dram_bank_groups, 1, 8),
	FIELD32_POWER(dram_banks, 1, 16),
	FIELD32_POWER(dram_row_bytes, 256, 65536),
	FIELD32_POWER(dram_burst_bytes, 16, 256),
	FIELD32_POWER(dram_interleave_bytes, 16, 65536),
	FIELD32(dram_rcd_ps, 0, 1000000),
	FIELD32(dram_rp_ps, 0, 1000000),
	FIELD32(dram_ras_ps, 0, 1000000),
	FIELD32(dram_faw_ps, 0, 1000000),
	FIELD32(dram_rrd_short_ps, 0, 1000000),
	FIELD32(dram_rrd_long_ps, 0, 1000000),
	FIELD32(dram_ccd_short_ps, 0, 1000000),
	FIELD32(dram_ccd_long_ps, 0, 1000000),
	FIELD32(dram_wtr_short_ps, 0, 1000000),
	FIELD32(dram_wtr_long_ps, 0, 1000000),
	FIELD32(dram_rtw_ps, 0, 1000000),
	FIELD32(dram_rank_switch_ps, 0, 1000000),
	FIELD32(dram_cl_ps, 0, 1000000),
	FIELD32(dram_cwl_ps, 0, 1000000),
	FIELD32(dram_wr_ps, 0, 1000000),
	FIELD32(dram_rtp_ps, 0, 1000000),
	FIELD32(dram_rfc_ps, 0, 10000000),
	FIELD32(dram_refi_ps, 100000, 2000000000),
	FIELD32(dram_dual_command, 0, 1),
	FIELD32(dram_path_ps, 0, 1000000),
	FIELD32(dram_read_queue, 1, DRAM_QUEUE_MAX),
	FIELD32(dram_write_queue, 1, DRAM_QUEUE_MAX),
	FIELD32(dram_bank_queue, 1, DRAM_BANK_QUEUE_MAX),
	FIELD32(dram_drain_high, 1, DRAM_QUEUE_MAX),
	FIELD32(dram_drain_low, 0, DRAM_QUEUE_MAX),
	FIELD32(dram_row_hits, 1, 65536),
	FIELD32(dram_policy, 0, DRAM_POLICY_COUNT - 1),
	FIELD32(tlb_walkers, 1, TLB_WALKERS_MAX),
	FIELD32(tlb_walk_ps, 0, 1000000000),
	FIELD32(pcie_megatransfers, 2500, 128000),
	FIELD32_POWER(pcie_lanes, 1, 32),
	FIELD32_POWER(pcie_payload, 128, 4096),
	FIELD32_POWER(pcie_read_request, 128, 4096),
	FIELD32(pcie_tags, 1, 1024),
	FIELD32(pcie_overhead, 0, 256),
	FIELD32(pcie_read_latency_ps, 0, 1000000000),
	FIELD32(pcie_write_latency_ps, 0, 1000000000),
	FIELD32(pcie_doorbell_ps, 0, 1000000000),
	FIELD32(pcie_nonposted_credits, 1, 1024),
	FIELD32(pcie_posted_credits, 1, 1024),
	FIELD32(pcie_posted_data_credits, 1, 65536),
	FIELD32(pcie_completion_bytes, 128, 1u << 24),
	FIELD32(queues, 1, SPMM_IO_QUEUES_MAX),
	FIELD32(queue_entries, 2, 65536),
	FIELD32(contexts, 2, SPMM_CONTEXTS_MAX),
	FIELD32_POWER(doorbell_stride, 4096, 65536),
	FIELD32(ready_timeout_500ms, 1, 255),
	FIELD32(job_timeout_seconds, 1, 255),
	FIELD32(temperature_millidegrees, 0, 150000),
	FIELD32(idle_power_milliwatts, 0, 1000000),
	FIELD32(version_major, 0, 65535),
	FIELD32(version_minor, 0, 65535),
	FIELD32(future_capabilities, 0, 4095),
	FIELD32(omitted, 0, UINT32_MAX),
	FIELD32(memory_kind, 0, SPMM_MEMORY_KIND_COUNT - 1),
};

#define FIELD_COUNT (sizeof(fields) / sizeof(fields[0]))

static const struct sim_config preset_default = {
	.clusters = 16,
	.lanes = 8,
	.vector_width = 32,
	.banks = 16,
	.accumulators = 4,
	.decoder_rate = 8,
	.activation_buffer = 256 << 10,
	.line_buffer = 64 << 10,
	.buffer_fill_rows = 16,
	.epilogue_rate = 1,
	.schedule_window = 16,
	.clock_hz = 1000000000,
	.pipeline_cycles = 24,
	.command_cycles = 64,
	.command_window = 4,
	.tile_prefetch = 4,
	.stop_cycles = 1 << 20,
	.command_prefetch = 8,
	.dma_engines = 2,
	.dma_bytes = 256,
	.dma_buffer = 128 << 10,
	.tlb_entries = 1024,
	.tlb_ways = 8,
	.sram_bytes = 8 << 20,
	.sram_port_bytes = 256,
	.sram_total_bytes = 4096,
	.prefetch_bytes = 2 << 20,
	.memory_bytes = 16ull << 30,
	.pcie_megatransfers = 16000,
	.pcie_lanes = 8,
	.pcie_payload = 256,
	.pcie_read_request = 512,
	.pcie_tags = 64,
	.pcie_overhead = 24,
	.pcie_read_latency_ps = 800000,
	.pcie_write_latency_ps = 300000,
	.pcie_doorbell_ps = 200000,
	.pcie_nonposted_credits = 64,
	.pcie_posted_credits = 64,
	.pcie_posted_data_credits = 1024,
	.pcie_completion_bytes = 32 << 10,
	.queues = 64,
	.queue_entries = 4096,
	.contexts = 64,
	.doorbell_stride = 65536,
	.ready_timeout_500ms = 10,
	.job_timeout_seconds = 60,
	.temperature_millidegrees = 45000,
	.idle_power_milliwatts = 3000,
	.version_major = SPMM_VERSION_MAJOR(SPMM_VERSION_1_0),
	.version_minor = SPMM_VERSION_MINOR(SPMM_VERSION_1_0),
	.memory_kind = SPMM_MEMORY_LPDDR5X,
};

int sim_config_preset(const char *name, struct sim_config *out)
{
	*out = preset_default;
	dram_preset_lpddr5x(out);
	if (!strcmp(name, "default"))
		return 0;
	if (!strcmp(name, "small")) {
		out->clusters = 2;
		out->sram_bytes = 1 << 20;
		out->sram_total_bytes = 512;
		out->prefetch_bytes = 256 << 10;
		out->memory_bytes = 4ull << 30;
		out->memory_kind = SPMM_MEMORY_DDR4;
		dram_preset_ddr4(out);
		return 0;
	}
	if (!strcmp(name, "hbm2e")) {
		out->clusters = 64;
		out->sram_bytes = 32 << 20;
		out->sram_total_bytes = 16384;
		out->prefetch_bytes = 8 << 20;
		out->memory_kind = SPMM_MEMORY_HBM2E;
		dram_preset_hbm2e(out);
		return 0;
	}
	return accel_error(
		-ENOENT,
		"no preset '%s'; the presets are small, default and hbm2e",
		name);
}

const char *sim_config_field(unsigned int index)
{
	return index < FIELD_COUNT ? fields[index].name : NULL;
}

uint64_t sim_config_value(const struct sim_config *config, unsigned int index)
{
	const char *at = (const char *)config + fields[index].offset;

	return fields[index].wide ? *(const uint64_t *)at :
				    *(const uint32_t *)at;
}

static const struct field *field_find(const char *name)
{
	for (size_t i = 0; i < FIELD_COUNT; i++)
		if (!strcmp(fields[i].name, name))
			return &fields[i];
	return NULL;
}

bool sim_config_number(const char *text, uint64_t *out)
{
	unsigned long long value;
	unsigned int shift = 0;
	bool hexadecimal;
	char *end;

	if (!isdigit((unsigned char)*text))
		return false;
	/* A leading zero is no octal number: 010 is ten. */
	hexadecimal = text[0] == '0' && tolower((unsigned char)text[1]) == 'x';
	errno = 0;
	value = strtoull(text, &end, hexadecimal ? 16 : 10);
	if (errno)
		return false;
	if (*end == 'K')
		shift = 10;
	else if (*end == 'M')
		shift = 20;
	else if (*end == 'G')
		shift = 30;
	if (shift)
		end++;
	if (*end || value > UINT64_MAX >> shift)
		return false;
	*out = (uint64_t)value << shift;
	return true;
}

static int field_set(struct sim_config *config, const struct field *field,
		     const char *text)
{
	char *at = (char *)config + field->offset;
	uint64_t value;

	if (!sim_config_number(text, &value))
		return accel_error(-EINVAL, "'%s' is not a number", text);
	if (value < field->minimum || value > field->maximum)
		return accel_error(-EINVAL, "%s = %s is outside %llu … %llu",
				   field->name, text,
				   (unsigned long long)field->minimum,
				   (unsigned long long)field->maximum);
	if (field->power_of_two && (value & (value - 1)))
		return accel_error(-EINVAL, "%s = %s is not a power of two",
				   field->name, text);
	if (field->wide)
		*(uint64_t *)at = value;
	else
		*(uint32_t *)at = (uint32_t)value;
	return 0;
}

int sim_config_set(struct sim_config *config, const char *name,
		   const char *value)
{
	const struct field *field = field_find(name);

	if (!field)
		return accel_error(-ENOENT,
				   "'%s' is not a field of a configuration",
				   name);
	return field_set(config, field, value);
}

/* Cuts white space off both ends, in place. */
static char *text_trim(char *text)
{
	size_t length;

	while (isspace((unsigned char)*text))
		text++;
	length = strlen(text);
	while (length && isspace((unsigned char)text[length - 1]))
		text[--length] = '\0';
	return text;
}

/**
 * struct reader - a configuration file
 * @number: of the line
 * @set: in which line each field was set, or 0
 * @first: is there no entry before?
 */
struct reader {
	struct sim_config *config;
	unsigned int number;
	unsigned int set[FIELD_COUNT];
	bool first;
};

static int entry_apply(struct reader *reader, const char *name,
		       const char *value)
{
	const struct field *field = field_find(name);
	unsigned int *set;

	if (!field)
		return sim_config_set(reader->config, name, value);
	set = &reader->set[field - fields];
	if (*set)
		return accel_error(-EINVAL, "%s was set in line %u, too", name,
				   *set);
	*set = reader->number;
	return field_set(reader->config, field, value);
}

static int line_apply(struct reader *reader, char *line)
{
	char *name, *value;

	value = strchr(line, '=');
	if (!value)
		return accel_error(-EINVAL, "'%s' is not 'name = value'", line);
	*value++ = '\0';
	name = text_trim(line);
	value = text_trim(value);
	if (!strcmp(name, "preset")) {
		if (!reader->first)
			return accel_error(-EINVAL,
					   "preset must be the first entry");
		return sim_config_preset(value, reader->config) ? -EINVAL : 0;
	}
	return entry_apply(reader, name, value) ? -EINVAL : 0;
}

int sim_config_check(const struct sim_config *config)
{
	int ret = dram_config_check(config);

	if (ret)
		return ret;
	if (config->pcie_completion_bytes < config->pcie_read_request)
		return accel_error(-EINVAL,
				   "pcie_completion_bytes has no room for the "
				   "answer to a request of pcie_read_request");
	if (config->pcie_posted_data_credits < config->pcie_payload / 16)
		return accel_error(
			-EINVAL, "pcie_posted_data_credits, of 16 bytes each, "
				 "do not cover a write of pcie_payload");
	if (config->prefetch_bytes > config->sram_bytes)
		return accel_error(-EINVAL,
				   "prefetch_bytes is more than sram_bytes");
	if (config->tlb_entries % config->tlb_ways)
		return accel_error(-EINVAL,
				   "tlb_entries is no multiple of tlb_ways");
	if ((uint64_t)config->doorbell_stride * (config->queues + 1) +
		    SPMM_DOORBELL_BASE >
	    SPMM_BAR_REGISTERS_SIZE)
		return accel_error(-EINVAL,
				   "the doorbells of %u queues do "
				   "not fit into BAR0",
				   config->queues);
	return 0;
}

int sim_config_read(FILE *file, const char *name, struct sim_config *out)
{
	struct reader reader = { .config = out, .first = true };
	char line[512];
	char *text;
	int ret;

	sim_config_preset("default", out);
	while (fgets(line, sizeof(line), file)) {
		reader.number++;
		if (strlen(line) == sizeof(line) - 1)
			return accel_error(-EINVAL,
					   "%s:%u: the line is too long", name,
					   reader.number);
		line[strcspn(line, "#")] = '\0';
		text = text_trim(line);
		if (!*text)
			continue;
		ret = line_apply(&reader, text);
		if (ret)
			return accel_error_prefix(ret, "%s:%u", name,
						  reader.number);
		reader.first = false;
	}
	if (ferror(file))
		return accel_error(-EIO, "%s: cannot be read", name);
	ret = sim_config_check(out);
	/* The entries contradict each other by the last line at the latest. */
	return ret ? accel_error_prefix(ret, "%s:%u", name, reader.number) : 0;
}

int sim_config_load(const char *path, struct sim_config *out)
{
	FILE *file = fopen(path, "re");
	int ret;

	if (!file)
		return accel_error(-errno, "%s: %s", path, strerror(errno));
	ret = sim_config_read(file, path, out);
	fclose(file);
	return ret;
}

uint64_t sim_config_cycles(const struct sim_config *config, uint64_t ps)
{
	unsigned __int128 product = (unsigned __int128)ps * config->clock_hz;

	return (uint64_t)((product + 999999999999ull) / 1000000000000ull);
}
