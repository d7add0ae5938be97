/* SPDX-License-Identifier: MIT */
#include <sim/dram/configured.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <core/error.h>
#include <core/integer.h>

#define PS_PER_SECOND 1000000000000ull

/* Of one pin: a clock need not be a whole number of hertz. */
static uint64_t transfers_hz(const struct sim_config *config)
{
	return (uint64_t)config->dram_megatransfers * 1000000;
}

struct clock_ratio dram_clock_ratio(const struct sim_config *config)
{
	return clock_ratio_make(transfers_hz(config),
				(uint64_t)config->clock_hz *
					config->dram_transfers_per_clock);
}

static uint32_t clocks(const struct sim_config *config, uint64_t ps)
{
	unsigned __int128 product =
		(unsigned __int128)ps * transfers_hz(config);

	return (uint32_t)divide_up_u128(
		product, PS_PER_SECOND * config->dram_transfers_per_clock);
}

static uint32_t clock_bits(const struct sim_config *config)
{
	return config->dram_width_bits / config->dram_channels *
	       config->dram_transfers_per_clock;
}

static uint32_t burst_clocks(const struct sim_config *config)
{
	return config->dram_burst_bytes * 8 / clock_bits(config);
}

static uint32_t bank_count(const struct sim_config *config)
{
	return config->dram_ranks * config->dram_bank_groups *
	       config->dram_banks;
}

static int burst_check(const struct sim_config *config)
{
	uint32_t bits;

	if (config->dram_width_bits % config->dram_channels)
		return accel_error(
			-EINVAL,
			"dram_width_bits = %u cannot be divided by dram_channels = %u",
			config->dram_width_bits, config->dram_channels);
	bits = clock_bits(config);
	if (config->dram_burst_bytes * 8 < bits ||
	    config->dram_burst_bytes * 8 % bits)
		return accel_error(
			-EINVAL,
			"dram_burst_bytes = %u is not a whole number of clocks: a channel of dram_width_bits ÷ dram_channels moves %u bits in each",
			config->dram_burst_bytes, bits);
	return 0;
}

static int geometry_check(const struct sim_config *config)
{
	uint64_t rows;

	if (bank_count(config) > DRAM_BANKS_MAX)
		return accel_error(
			-EINVAL,
			"dram_ranks · dram_bank_groups · dram_banks is %u, more than %d",
			bank_count(config), DRAM_BANKS_MAX);
	if (config->dram_row_bytes < config->dram_burst_bytes)
		return accel_error(-EINVAL, "dram_row_bytes is less than "
					    "dram_burst_bytes");
	if (config->dram_interleave_bytes < config->dram_burst_bytes)
		return accel_error(-EINVAL,
				   "dram_interleave_bytes is less than "
				   "dram_burst_bytes");
	rows = (uint64_t)config->dram_row_bytes * bank_count(config) *
	       config->dram_channels;
	if (config->memory_bytes < rows)
		return accel_error(
			-EINVAL,
			"memory_bytes is less than one row of dram_row_bytes in each of %u banks of %u channels",
			bank_count(config), config->dram_channels);
	return 0;
}

/* The first of each pair may not be more than the second. */
static int order_check(const struct sim_config *config)
{
	const struct {
		const char *small;
		uint64_t small_value;
		const char *large;
		uint64_t large_value;
	} pairs[] = {
		{ "dram_rcd_ps", config->dram_rcd_ps, "dram_ras_ps",
		  config->dram_ras_ps },
		{ "dram_rrd_short_ps", config->dram_rrd_short_ps,
		  "dram_rrd_long_ps", config->dram_rrd_long_ps },
		{ "dram_ccd_short_ps", config->dram_ccd_short_ps,
		  "dram_ccd_long_ps", config->dram_ccd_long_ps },
		{ "dram_wtr_short_ps", config->dram_wtr_short_ps,
		  "dram_wtr_long_ps", config->dram_wtr_long_ps },
		{ "dram_drain_low + 1", config->dram_drain_low + 1ull,
		  "dram_drain_high", config->dram_drain_high },
		{ "dram_drain_high", config->dram_drain_high,
		  "dram_write_queue", config->dram_write_queue },
	};

	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
		if (pairs[i].small_value > pairs[i].large_value)
			return accel_error(
				-EINVAL, "%s = %llu is more than %s = %llu",
				pairs[i].small,
				(unsigned long long)pairs[i].small_value,
				pairs[i].large,
				(unsigned long long)pairs[i].large_value);
	return 0;
}

static int refresh_check(const struct sim_config *config)
{
	uint64_t cycle = (uint64_t)config->dram_rfc_ps + config->dram_ras_ps +
			 config->dram_rp_ps;

	/* Each rank in its turn. */
	if (cycle * config->dram_ranks > config->dram_refi_ps)
		return accel_error(
			-EINVAL,
			"dram_rfc_ps with dram_ras_ps and dram_rp_ps leaves no time between refreshes of dram_refi_ps = %u",
			config->dram_refi_ps);
	return 0;
}

static uint32_t longer(uint32_t a, uint32_t b)
{
	return a > b ? a : b;
}

/* The controller counts in 16 bits. */
static int gaps_check(const struct sim_config *config)
{
	struct dram_standard standard;
	uint32_t longest;

	dram_standard_configure(config, &standard);
	longest = standard.activate_window_clocks;
	for (uint32_t i = 0; i < standard.gap_count; i++)
		longest = longer(longest, standard.gaps[i].clocks);
	if (longest > DRAM_GAP_CLOCKS_MAX)
		return accel_error(
			-EINVAL,
			"a gap between two commands, or dram_faw_ps, is %u clocks of dram_megatransfers ÷ dram_transfers_per_clock, more than %d",
			longest, DRAM_GAP_CLOCKS_MAX);
	return 0;
}

int dram_config_check(const struct sim_config *config)
{
	int ret = burst_check(config);

	if (!ret)
		ret = geometry_check(config);
	if (!ret)
		ret = order_check(config);
	if (!ret)
		ret = refresh_check(config);
	return ret ? ret : gaps_check(config);
}

static void gap_add(struct dram_standard *standard, enum dram_command after,
		    enum dram_command before, enum dram_scope scope,
		    uint32_t gap_clocks)
{
	standard->gaps[standard->gap_count++] = (struct dram_gap){
		.after = after,
		.before = before,
		.scope = scope,
		.clocks = gap_clocks,
	};
}

/* Clocks from @first's to @second's command so that their data are @idle apart. */
static uint32_t turn(uint32_t first, uint32_t second, uint32_t idle)
{
	return first + idle > second ? first + idle - second : 1;
}

static void column_gaps(const struct sim_config *c, struct dram_standard *s)
{
	uint32_t cl = clocks(c, c->dram_cl_ps);
	uint32_t cwl = clocks(c, c->dram_cwl_ps);
	uint32_t same = longer(s->burst_clocks, clocks(c, c->dram_ccd_long_ps));
	uint32_t other =
		longer(s->burst_clocks, clocks(c, c->dram_ccd_short_ps));

	gap_add(s, DRAM_READ, DRAM_READ, DRAM_SAME_GROUP, same);
	gap_add(s, DRAM_READ, DRAM_READ, DRAM_OTHER_GROUP, other);
	gap_add(s, DRAM_WRITE, DRAM_WRITE, DRAM_SAME_GROUP, same);
	gap_add(s, DRAM_WRITE, DRAM_WRITE, DRAM_OTHER_GROUP, other);
	gap_add(s, DRAM_READ, DRAM_WRITE, DRAM_SAME_RANK,
		turn(cl + s->burst_clocks, cwl, clocks(c, c->dram_rtw_ps)));
	gap_add(s, DRAM_WRITE, DRAM_READ, DRAM_SAME_GROUP,
		cwl + s->burst_clocks + clocks(c, c->dram_wtr_long_ps));
	gap_add(s, DRAM_WRITE, DRAM_READ, DRAM_OTHER_GROUP,
		cwl + s->burst_clocks + clocks(c, c->dram_wtr_short_ps));
}

static void row_gaps(const struct sim_config *c, struct dram_standard *s)
{
	uint32_t rcd = clocks(c, c->dram_rcd_ps);
	uint32_t rp = clocks(c, c->dram_rp_ps);
	uint32_t ras = clocks(c, c->dram_ras_ps);
	uint32_t rfc = clocks(c, c->dram_rfc_ps);

	gap_add(s, DRAM_READ, DRAM_PRECHARGE, DRAM_SAME_BANK,
		longer(1, clocks(c, c->dram_rtp_ps)));
	gap_add(s, DRAM_WRITE, DRAM_PRECHARGE, DRAM_SAME_BANK,
		clocks(c, c->dram_cwl_ps) + s->burst_clocks +
			clocks(c, c->dram_wr_ps));
	gap_add(s, DRAM_ACTIVATE, DRAM_READ, DRAM_SAME_BANK, rcd);
	gap_add(s, DRAM_ACTIVATE, DRAM_WRITE, DRAM_SAME_BANK, rcd);
	gap_add(s, DRAM_ACTIVATE, DRAM_PRECHARGE, DRAM_SAME_BANK, ras);
	gap_add(s, DRAM_ACTIVATE, DRAM_ACTIVATE, DRAM_SAME_BANK, ras + rp);
	gap_add(s, DRAM_ACTIVATE, DRAM_ACTIVATE, DRAM_SAME_GROUP,
		clocks(c, c->dram_rrd_long_ps));
	gap_add(s, DRAM_ACTIVATE, DRAM_ACTIVATE, DRAM_OTHER_GROUP,
		clocks(c, c->dram_rrd_short_ps));
	gap_add(s, DRAM_PRECHARGE, DRAM_ACTIVATE, DRAM_SAME_BANK, rp);
	gap_add(s, DRAM_PRECHARGE, DRAM_REFRESH, DRAM_SAME_BANK, rp);
	gap_add(s, DRAM_REFRESH, DRAM_ACTIVATE, DRAM_SAME_RANK, rfc);
	gap_add(s, DRAM_REFRESH, DRAM_REFRESH, DRAM_SAME_RANK, rfc);
}

/* Between ranks only the data bus matters. */
static void rank_gaps(const struct sim_config *c, struct dram_standard *s)
{
	uint32_t cl = clocks(c, c->dram_cl_ps) + s->burst_clocks;
	uint32_t cwl = clocks(c, c->dram_cwl_ps) + s->burst_clocks;
	uint32_t idle = clocks(c, c->dram_rank_switch_ps);
	uint32_t burst = s->burst_clocks;

	gap_add(s, DRAM_READ, DRAM_READ, DRAM_OTHER_RANK, burst + idle);
	gap_add(s, DRAM_WRITE, DRAM_WRITE, DRAM_OTHER_RANK, burst + idle);
	gap_add(s, DRAM_READ, DRAM_WRITE, DRAM_OTHER_RANK,
		turn(cl, cwl - burst, longer(idle, clocks(c, c->dram_rtw_ps))));
	gap_add(s, DRAM_WRITE, DRAM_READ, DRAM_OTHER_RANK,
		turn(cwl, cl - burst, idle));
}

void dram_standard_configure(const struct sim_config *config,
			     struct dram_standard *standard)
{
	uint64_t row_bytes = (uint64_t)config->dram_row_bytes *
			     bank_count(config) * config->dram_channels;

	*standard = (struct dram_standard){
		.channels = config->dram_channels,
		.ranks = config->dram_ranks,
		.groups_per_rank = config->dram_bank_groups,
		.banks_per_group = config->dram_banks,
		.rows_per_bank = (uint32_t)(config->memory_bytes / row_bytes),
		.bursts_per_row =
			config->dram_row_bytes / config->dram_burst_bytes,
		.request_bytes = config->dram_burst_bytes,
		.burst_clocks = burst_clocks(config),
		.activate_window_clocks = clocks(config, config->dram_faw_ps),
		.refresh_interval_clocks =
			clocks(config, config->dram_refi_ps) /
			config->dram_ranks,
		.second_command = config->dram_dual_command,
		.policy = (enum dram_policy)config->dram_policy,
		.read_queue_entries = config->dram_read_queue,
		.write_queue_entries = config->dram_write_queue,
		.bank_queue_entries = config->dram_bank_queue,
		.drain_full = config->dram_drain_high,
		.drain_idle = config->dram_drain_low,
		.row_hit_cap = config->dram_row_hits,
	};
	snprintf(standard->name, sizeof(standard->name), "configured");
	standard->read_done_clocks =
		clocks(config, config->dram_cl_ps) + standard->burst_clocks;
	standard->write_done_clocks =
		clocks(config, config->dram_cwl_ps) + standard->burst_clocks;
	column_gaps(config, standard);
	row_gaps(config, standard);
	if (config->dram_ranks > 1)
		rank_gaps(config, standard);
}

/* So many requests in so many clocks. */
struct request_rate {
	uint64_t requests;
	uint64_t clocks;
};

/*
 * Requests in turn to all bank groups of a rank; or, where these are too few to hide
 * tCCD_L, to those of all ranks, with a switch between each two.
 */
static struct request_rate request_rate(const struct sim_config *config)
{
	uint64_t groups = config->dram_bank_groups;
	uint64_t ranks = config->dram_ranks;
	uint64_t same = clocks(config, config->dram_ccd_long_ps);
	uint64_t visit =
		groups * longer(burst_clocks(config),
				clocks(config, config->dram_ccd_short_ps));
	uint64_t idle = clocks(config, config->dram_rank_switch_ps);
	const struct request_rate one = { groups, max_u64(visit, same) };
	const struct request_rate all = {
		groups * ranks, max_u64(ranks * (visit + idle), same)
	};

	if (ranks > 1 && all.requests * one.clocks > one.requests * all.clocks)
		return all;
	return one;
}

/* Refresh takes its part of one rank's time, while others go on. */
uint64_t sim_config_dram_bandwidth(const struct sim_config *config)
{
	struct request_rate rate = request_rate(config);
	unsigned __int128 bytes = (unsigned __int128)transfers_hz(config) *
				  config->dram_burst_bytes *
				  config->dram_channels * rate.requests;
	uint64_t peak = (uint64_t)(bytes / (rate.clocks *
					    config->dram_transfers_per_clock));
	uint64_t interval = config->dram_refi_ps;

	if (config->dram_ranks > 1)
		return peak;
	return (uint64_t)((unsigned __int128)peak *
			  (interval - config->dram_rfc_ps) / interval);
}

uint64_t sim_config_dram_latency_ps(const struct sim_config *config)
{
	uint64_t burst = burst_clocks(config) * PS_PER_SECOND *
			 config->dram_transfers_per_clock /
			 transfers_hz(config);

	return (uint64_t)config->dram_rcd_ps + config->dram_cl_ps + burst +
	       config->dram_path_ps;
}
