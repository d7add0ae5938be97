/* SPDX-License-Identifier: MIT */
/* Each verdict follows from the figures that call for it. */
#include "unit.h"

#include <verdict.h>

#include <linux/types.h>
#include <spmm/queue.h>

#include <string.h>

/* A layer that is fast and busy: each test changes what it is about. */
static struct verdict_facts busy_layer(void)
{
	struct verdict_facts facts = {
		.rows = 64,
		.columns = 4096,
		.nonzeros = 4096,
		.density = 0.1,
		.device_seconds = 10e-6,
		.cpu_seconds = 1000e-6,
		.link_seconds = 20e-6,
		.weight_bytes = 5000,
		.activation_bytes = 500000,
	};

	facts.shares[SPMM_STALL_ISSUE] = STALL_WHOLE;
	return facts;
}

/* The same, of which a cause takes 40.0 %. */
static struct verdict_facts stalled_layer(int cause)
{
	struct verdict_facts facts = busy_layer();

	facts.shares[SPMM_STALL_ISSUE] = 600;
	facts.shares[cause] = 400;
	return facts;
}

static void assert_verdict(const struct verdict_facts *facts,
			   enum verdict_worth worth, enum verdict_reason reason,
			   const char *words)
{
	struct verdict verdict;

	verdict_judge(facts, &verdict);
	assert_string_equal(verdict_worth_key(verdict.worth),
			    verdict_worth_key(worth));
	assert_string_equal(verdict_reason_key(verdict.reason),
			    verdict_reason_key(reason));
	if (!strstr(verdict.text, words))
		fail_msg("\"%s\" does not say \"%s\"", verdict.text, words);
}

static void busy_multipliers_are_worth_it(void **state)
{
	struct verdict_facts facts = busy_layer();

	(void)state;
	assert_verdict(&facts, VERDICT_YES, REASON_COMPUTE,
		       "100 times as fast");
	assert_verdict(&facts, VERDICT_YES, REASON_COMPUTE, "100.0 %");
}

static void a_faster_processor_wins(void **state)
{
	struct verdict_facts facts = busy_layer();

	(void)state;
	facts.cpu_seconds = 9e-6;
	assert_verdict(&facts, VERDICT_NO, REASON_COMPUTE,
		       "10.0 us on the device, 9.0 us with the untuned golden");
	/* So does a dense layer that is faster than the sparse one. */
	facts.cpu_seconds = 1000e-6;
	facts.dense_seconds = 9e-6;
	assert_verdict(&facts, VERDICT_NO, REASON_COMPUTE,
		       "9.0 us with the dense float layer");
	/* One that is slower than the sparse one does not matter. */
	facts.dense_seconds = 2000e-6;
	assert_verdict(&facts, VERDICT_YES, REASON_COMPUTE,
		       "100 times as fast");
}

static void the_way_there_may_cost_more_than_it_saves(void **state)
{
	struct verdict_facts facts = busy_layer();

	(void)state;
	facts.link_seconds = 995e-6;
	assert_verdict(&facts, VERDICT_TOGETHER, REASON_COMPUTE,
		       "995.0 us over the link");
}

static void nothing_is_known_without_cycles_or_times(void **state)
{
	struct verdict_facts facts = busy_layer();

	(void)state;
	facts.cpu_seconds = 0;
	assert_verdict(&facts, VERDICT_UNKNOWN, REASON_COMPUTE, "Not known");
	facts = busy_layer();
	facts.device_seconds = 0;
	assert_verdict(&facts, VERDICT_UNKNOWN, REASON_NO_CYCLES,
		       "counts no cycles");
}

static void kept_weights_make_a_dense_layer(void **state)
{
	struct verdict_facts facts = busy_layer();

	(void)state;
	facts.density = 0.5;
	assert_verdict(&facts, VERDICT_YES, REASON_COMPUTE, "Worth it");
	facts.density = 0.63;
	assert_verdict(&facts, VERDICT_YES, REASON_DENSE,
		       "63 % of the weights are kept: a dense path would do");
}

static void few_rows_are_bound_by_the_epilogue(void **state)
{
	struct verdict_facts facts = stalled_layer(SPMM_STALL_EPILOGUE);

	(void)state;
	facts.rows = 4;
	facts.nonzeros = 10;
	assert_verdict(&facts, VERDICT_YES, REASON_EPILOGUE,
		       "4 rows with 2.5 weights");
}

static void small_n_is_bound_by_its_weights(void **state)
{
	struct verdict_facts facts = stalled_layer(SPMM_STALL_DRAM);

	(void)state;
	assert_verdict(&facts, VERDICT_YES, REASON_MEMORY, "activations pass");
	facts.columns = 1;
	facts.weight_bytes = 600000;
	assert_verdict(&facts, VERDICT_YES, REASON_WEIGHTS, "N = 1 ");
}

static void each_stall_has_its_reason(void **state)
{
	static const struct {
		int cause;
		enum verdict_reason reason;
		const char *words;
	} expected[] = {
		{ SPMM_STALL_BANK, REASON_BANKS, "same bank" },
		{ SPMM_STALL_WEIGHTS, REASON_DECODER, "decoder" },
		{ SPMM_STALL_ACTIVATIONS, REASON_ACTIVATIONS, "SRAM ports" },
		{ SPMM_STALL_TAIL, REASON_TAIL, "do not fill" },
		{ SPMM_STALL_DMA, REASON_TRANSFERS, "transfers dominate" },
		{ SPMM_STALL_PCIE, REASON_TRANSFERS, "transfers dominate" },
		{ SPMM_STALL_COMMAND, REASON_COMMAND, "too small" },
		{ SPMM_STALL_IDLE, REASON_IDLE, "waits" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(expected) / sizeof(*expected); i++) {
		struct verdict_facts facts = stalled_layer(expected[i].cause);

		assert_verdict(&facts, VERDICT_YES, expected[i].reason,
			       expected[i].words);
		assert_verdict(&facts, VERDICT_YES, expected[i].reason,
			       "(40.0 %)");
	}
}

static void transfers_and_sums_have_nothing_to_multiply(void **state)
{
	struct verdict_facts facts = busy_layer();

	(void)state;
	facts.nonzeros = 0;
	assert_verdict(&facts, VERDICT_YES, REASON_ELEMENTWISE,
		       "Nothing to multiply");
	facts.is_transfer = true;
	assert_verdict(&facts, VERDICT_COST, REASON_TRANSFER,
		       "What offloading costs");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(busy_multipliers_are_worth_it),
		cmocka_unit_test(a_faster_processor_wins),
		cmocka_unit_test(the_way_there_may_cost_more_than_it_saves),
		cmocka_unit_test(nothing_is_known_without_cycles_or_times),
		cmocka_unit_test(kept_weights_make_a_dense_layer),
		cmocka_unit_test(few_rows_are_bound_by_the_epilogue),
		cmocka_unit_test(small_n_is_bound_by_its_weights),
		cmocka_unit_test(each_stall_has_its_reason),
		cmocka_unit_test(transfers_and_sums_have_nothing_to_multiply),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
