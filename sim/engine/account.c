/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <inttypes.h>

#include <core/error.h>
#include <sim/engine/account.h>

static void account_add(struct lane_account *account, enum spmm_stall cause,
			uint64_t lane_cycles)
{
	account->lane_cycles[cause] += lane_cycles;
	if (account->charge.owner)
		account->charge.owner->lane_cycles[cause] += lane_cycles;
}

/* Of so many slots of a pass, those in its first cycles. */
static uint64_t slots_until(uint64_t slots, uint64_t cycles,
			    const struct engine_pass *pass)
{
	if (cycles == pass->compute_cycles)
		return slots;
	return (uint64_t)((unsigned __int128)slots * cycles /
			  pass->compute_cycles);
}

/*
 * Charges by what is due at the end of the interval less what was at its begin, so
 * that a pass gets its slots exactly however it is cut.
 */
static void pass_charge(struct lane_account *account, uint32_t lanes,
			uint64_t cycles)
{
	const struct engine_pass *pass = account->charge.pass;
	uint64_t begin = account->computed;
	uint64_t end = begin + cycles;
	uint64_t issue = slots_until(pass->issue_slots, end, pass) -
			 slots_until(pass->issue_slots, begin, pass);
	uint64_t bank = slots_until(pass->bank_slots, end, pass) -
			slots_until(pass->bank_slots, begin, pass);

	account_add(account, SPMM_STALL_ISSUE, issue);
	account_add(account, SPMM_STALL_BANK, bank);
	account_add(account, SPMM_STALL_TAIL, lanes * cycles - issue - bank);
	account->computed = end;
}

void account_settle(struct lane_account *account, uint32_t lanes, uint64_t now)
{
	uint64_t cycles = now - account->since;

	account->since = now;
	if (!cycles)
		return;
	if (account->charge.pass)
		pass_charge(account, lanes, cycles);
	else
		account_add(account, account->charge.cause, lanes * cycles);
}

bool account_set(struct lane_account *account, uint32_t lanes,
		 const struct lane_charge *charge, uint64_t now)
{
	if (account->charge.owner == charge->owner &&
	    account->charge.cause == charge->cause &&
	    account->charge.pass == charge->pass)
		return false;
	account_settle(account, lanes, now);
	account->charge = *charge;
	return true;
}

void account_begin_pass(struct lane_account *account, uint32_t lanes,
			uint64_t now)
{
	account_settle(account, lanes, now);
	account->computed = 0;
}

int account_check(const struct lane_account *account, uint32_t lanes,
		  uint64_t now)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < SPMM_STALL_COUNT; i++)
		sum += account->lane_cycles[i];
	if (sum == lanes * now)
		return 0;
	return accel_error(-EIO,
			   "%" PRIu64 " lane-cycles of a cluster have a cause, "
			   "and there were %" PRIu64,
			   sum, lanes * now);
}
