/* SPDX-License-Identifier: MIT */
/*
 * The account of a cluster's lane-cycles. What holds is kept with the cycle since when
 * it holds, and is charged when it changes: so no cycle is charged twice or never.
 */
#ifndef SIM_ENGINE_ACCOUNT_H
#define SIM_ENGINE_ACCOUNT_H

#include <sim/engine/command.h>

/**
 * struct lane_charge - to whom lane-cycles go
 * @owner: the command, or NULL
 * @cause: of all of them, unless @pass is computed
 * @pass: that is computed: its cycles are ISSUE, BANK and TAIL in proportion
 */
struct lane_charge {
	struct engine_command *owner;
	enum spmm_stall cause;
	const struct engine_pass *pass;
};

/**
 * struct lane_account - of one cluster
 * @charge: what holds since @since
 * @computed: cycles of the present pass that have been charged
 */
struct lane_account {
	struct lane_charge charge;
	uint64_t since;
	uint64_t computed;
	uint64_t lane_cycles[SPMM_STALL_COUNT];
};

/* Charges what has held, up to cycle @now. */
void account_settle(struct lane_account *account, uint32_t lanes, uint64_t now);

/* From @now on another charge holds; true if it is another. */
bool account_set(struct lane_account *account, uint32_t lanes,
		 const struct lane_charge *charge, uint64_t now);

/* The lanes begin with another pass. */
void account_begin_pass(struct lane_account *account, uint32_t lanes,
			uint64_t now);

/* Every lane has a cause in every cycle: −EIO otherwise. */
int account_check(const struct lane_account *account, uint32_t lanes,
		  uint64_t now);

#endif
