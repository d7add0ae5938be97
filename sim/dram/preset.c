/* SPDX-License-Identifier: MIT */
/*
 * DDR4-3200 is as JESD79-4 has it, speed bin AA, parts of 8 Gbit × 8. LPDDR5X and
 * HBM2E are estimates: JESD209-5 and JESD235 leave much to the vendors, whose
 * tables are not public; tRFC is short because real parts refresh bank by bank,
 * beside other traffic. So is dram_path_ps, and the depth of all queues.
 *
 * A request is of 64 bytes. Where a part's burst is of 32 (LPDDR5X: two of BL16;
 * pseudo channel of HBM2E: two of BL4), a command of the model stands for two to the
 * same row, tCCD_L apart, between which other groups' have their data.
 */
#include <sim/dram/configured.h>

/* The same controller for all. */
static void controller_set(struct sim_config *config)
{
	config->dram_read_queue = 64;
	config->dram_write_queue = 64;
	config->dram_bank_queue = 16;
	config->dram_drain_high = 56;
	config->dram_drain_low = 8;
	config->dram_row_hits = 16;
	config->dram_policy = DRAM_POLICY_DEVICE;
	config->dram_path_ps = 30000;
	config->tlb_walkers = 8;
	config->tlb_walk_ps = 0;
}

void dram_preset_ddr4(struct sim_config *config)
{
	controller_set(config);
	config->dram_megatransfers = 3200;
	config->dram_width_bits = 64;
	config->dram_channels = 1;
	config->dram_transfers_per_clock = 2;
	config->dram_ranks = 1;
	config->dram_bank_groups = 4;
	config->dram_banks = 4;
	config->dram_row_bytes = 8192;
	config->dram_burst_bytes = 64;
	config->dram_interleave_bytes = 256;
	config->dram_rcd_ps = 13750;
	config->dram_rp_ps = 13750;
	config->dram_ras_ps = 32000;
	config->dram_faw_ps = 21000;
	config->dram_rrd_short_ps = 2500;
	config->dram_rrd_long_ps = 4900;
	config->dram_ccd_short_ps = 2500;
	config->dram_ccd_long_ps = 5000;
	config->dram_wtr_short_ps = 2500;
	config->dram_wtr_long_ps = 7500;
	config->dram_rtw_ps = 1250; /* a preamble of two clocks */
	config->dram_rank_switch_ps = 1250;
	config->dram_cl_ps = 13750;
	config->dram_cwl_ps = 10000;
	config->dram_wr_ps = 15000;
	config->dram_rtp_ps = 7500;
	config->dram_rfc_ps = 350000;
	config->dram_refi_ps = 7800000;
	config->dram_dual_command = 0;
}

void dram_preset_lpddr5x(struct sim_config *config)
{
	controller_set(config);
	config->dram_megatransfers = 8533;
	config->dram_width_bits = 128;
	config->dram_channels = 8;
	config->dram_transfers_per_clock = 8; /* WCK runs at four times CK */
	config->dram_ranks = 1;
	config->dram_bank_groups = 4;
	config->dram_banks = 4;
	config->dram_row_bytes = 2048;
	config->dram_burst_bytes = 64;
	config->dram_interleave_bytes = 256;
	config->dram_rcd_ps = 18000;
	config->dram_rp_ps = 18000;
	config->dram_ras_ps = 42000;
	config->dram_faw_ps = 15000;
	config->dram_rrd_short_ps = 3750;
	config->dram_rrd_long_ps = 3750;
	config->dram_ccd_short_ps = 3750;
	config->dram_ccd_long_ps = 7500;
	config->dram_wtr_short_ps = 6250;
	config->dram_wtr_long_ps = 12000;
	config->dram_rtw_ps = 3750;
	config->dram_rank_switch_ps = 3750;
	config->dram_cl_ps = 23400;
	config->dram_cwl_ps = 13100;
	config->dram_wr_ps = 34000;
	config->dram_rtp_ps = 7500;
	config->dram_rfc_ps = 140000;
	config->dram_refi_ps = 3906000;
	config->dram_dual_command = 0;
}

void dram_preset_hbm2e(struct sim_config *config)
{
	controller_set(config);
	config->dram_megatransfers = 3600;
	config->dram_width_bits = 1024;
	config->dram_channels = 16; /* pseudo channels of 64 bits */
	config->dram_transfers_per_clock = 2;
	config->dram_ranks = 1;
	config->dram_bank_groups = 4;
	config->dram_banks = 4;
	config->dram_row_bytes = 1024;
	config->dram_burst_bytes = 64;
	config->dram_interleave_bytes = 512;
	config->dram_rcd_ps = 14000;
	config->dram_rp_ps = 14000;
	config->dram_ras_ps = 28000;
	config->dram_faw_ps = 16000;
	config->dram_rrd_short_ps = 2220;
	config->dram_rrd_long_ps = 3330;
	config->dram_ccd_short_ps = 2220;
	config->dram_ccd_long_ps = 4440;
	config->dram_wtr_short_ps = 2500;
	config->dram_wtr_long_ps = 6500;
	config->dram_rtw_ps = 1110;
	config->dram_rank_switch_ps = 1110;
	config->dram_cl_ps = 16000;
	config->dram_cwl_ps = 5000;
	config->dram_wr_ps = 16000;
	config->dram_rtp_ps = 5000;
	config->dram_rfc_ps = 260000;
	config->dram_refi_ps = 3900000;
	config->dram_dual_command = 1;
}
