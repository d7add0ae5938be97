/* SPDX-License-Identifier: MIT */
/* The configuration space, walked as an operating system does it. */
#include "unit.h"

#include <linux/pci_regs.h>
#include <string.h>

#include <sim/server/config_space.h>
#include <spmm/registers.h>

#define WINDOW (256ull << 20)

static struct config_space space;

static uint32_t get(uint32_t at, uint32_t length)
{
	uint32_t value = 0;

	config_space_read(&space, at, &value, length);
	return value;
}

static enum config_space_event put(uint32_t at, uint32_t value, uint32_t length)
{
	return config_space_write(&space, at, &value, length);
}

static uint32_t capability(uint8_t id)
{
	uint32_t at = get(PCI_CAPABILITY_LIST, 1);
	int left = 48;

	while (at && get(at, 1) != id && left--)
		at = get(at + 1, 1);
	assert_true(at && left > 0);
	return at;
}

static int setup(void **state)
{
	(void)state;
	config_space_reset(&space, WINDOW);
	return 0;
}

static void test_identity(void **state)
{
	(void)state;
	assert_int_equal(get(PCI_VENDOR_ID, 2), SPMM_PCI_VENDOR_ID);
	assert_int_equal(get(PCI_DEVICE_ID, 2), SPMM_PCI_DEVICE_ID);
	assert_int_equal(get(PCI_CLASS_REVISION, 4) >> 8, SPMM_PCI_CLASS);
	put(PCI_VENDOR_ID, UINT32_MAX, 4);
	assert_int_equal(get(PCI_VENDOR_ID, 2), SPMM_PCI_VENDOR_ID);
}

/* All ones are written; what stays zero says how large the BAR is. */
static void test_bar_sizes(void **state)
{
	static const uint64_t sizes[] = { SPMM_BAR_REGISTERS_SIZE, WINDOW,
					  MSIX_BAR_BYTES };

	(void)state;
	for (unsigned int i = 0; i < 3; i++) {
		uint32_t at = PCI_BASE_ADDRESS_0 + 8 * i;
		uint64_t mask;

		put(at, UINT32_MAX, 4);
		put(at + 4, UINT32_MAX, 4);
		mask = (uint64_t)get(at + 4, 4) << 32 | get(at, 4);
		assert_int_equal(mask & PCI_BASE_ADDRESS_MEM_TYPE_MASK,
				 PCI_BASE_ADDRESS_MEM_TYPE_64);
		assert_true(~(mask & ~0xfull) + 1 == sizes[i]);
		assert_true(space.bar_bytes[2 * i] == sizes[i]);
	}
}

static void test_msix(void **state)
{
	uint32_t at = capability(PCI_CAP_ID_MSIX);

	(void)state;
	assert_int_equal(get(at + PCI_MSIX_FLAGS, 2) & PCI_MSIX_FLAGS_QSIZE,
			 SPMM_MSIX_VECTORS - 1);
	assert_int_equal(get(at + PCI_MSIX_TABLE, 4) & PCI_MSIX_TABLE_BIR,
			 SPMM_BAR_MSIX);
	/* Table and pending bits do not meet. */
	assert_true((get(at + PCI_MSIX_PBA, 4) & ~7u) >=
		    (get(at + PCI_MSIX_TABLE, 4) & ~7u) +
			    16 * SPMM_MSIX_VECTORS);
	put(at + PCI_MSIX_FLAGS, 0xffff, 2);
	assert_int_equal(get(at + PCI_MSIX_FLAGS, 2),
			 PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL |
				 (SPMM_MSIX_VECTORS - 1));
}

static void test_function_level_reset(void **state)
{
	uint32_t at = capability(PCI_CAP_ID_EXP);

	(void)state;
	assert_true(get(at + PCI_EXP_DEVCAP, 4) & PCI_EXP_DEVCAP_FLR);
	assert_int_equal(put(at + PCI_EXP_DEVCTL, 0x10, 2),
			 CONFIG_SPACE_NOTHING);
	assert_int_equal(put(at + PCI_EXP_DEVCTL, PCI_EXP_DEVCTL_BCR_FLR, 2),
			 CONFIG_SPACE_RESET);
	assert_false(get(at + PCI_EXP_DEVCTL, 2) & PCI_EXP_DEVCTL_BCR_FLR);
	/* The upper byte alone does it, too. */
	assert_int_equal(put(at + PCI_EXP_DEVCTL + 1, 0x80, 1),
			 CONFIG_SPACE_RESET);
}

static void test_power(void **state)
{
	uint32_t at = capability(PCI_CAP_ID_PM) + PCI_PM_CTRL;

	(void)state;
	assert_int_equal(put(at, 3, 2), CONFIG_SPACE_RESET);
	assert_int_equal(get(at, 2) & PCI_PM_CTRL_STATE_MASK, 3);
	assert_int_equal(put(at, 3, 2), CONFIG_SPACE_NOTHING);
	assert_false(config_space_powered(&space));
	assert_int_equal(put(at, 0, 2), CONFIG_SPACE_RESET);
	assert_true(config_space_powered(&space));
}

static void test_bus_master(void **state)
{
	(void)state;
	assert_false(config_space_bus_master(&space));
	put(PCI_COMMAND, PCI_COMMAND_MASTER, 2);
	assert_true(config_space_bus_master(&space));
	/* Resets take it away. */
	put(capability(PCI_CAP_ID_EXP) + PCI_EXP_DEVCTL, PCI_EXP_DEVCTL_BCR_FLR,
	    2);
	assert_false(config_space_bus_master(&space));
	put(PCI_COMMAND, PCI_COMMAND_MASTER, 2);
	put(capability(PCI_CAP_ID_PM) + PCI_PM_CTRL, 3, 2);
	assert_false(config_space_bus_master(&space));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_identity, setup),
		cmocka_unit_test_setup(test_bar_sizes, setup),
		cmocka_unit_test_setup(test_msix, setup),
		cmocka_unit_test_setup(test_function_level_reset, setup),
		cmocka_unit_test_setup(test_power, setup),
		cmocka_unit_test_setup(test_bus_master, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
