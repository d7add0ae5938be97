/* SPDX-License-Identifier: MIT */
/* The device behind the vfio-user protocol, as a client meets it. */
#include "server_peer.h"
#include "unit.h"

#include <errno.h>
#include <linux/pci_regs.h>
#include <linux/vfio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <spmm/registers.h>

static int request(struct peer *peer, uint16_t command, void *payload,
		   size_t length, int *descriptor)
{
	struct peer_message message = { .command = command,
					.payload = payload,
					.length = length,
					.descriptor = -1 };
	int ret = peer_request(peer, &message);

	if (!ret)
		memcpy(payload, message.reply, length);
	if (descriptor)
		*descriptor = message.reply_descriptor;
	return ret;
}

static void test_regions(void **state)
{
	struct vfio_region_info info = { .argsz = sizeof(info) };
	struct peer peer;
	uint32_t word = 0;
	uint8_t *window;
	int file;

	(void)state;
	peer_start(&peer, false);
	assert_int_equal(peer_hello(&peer), 0);
	info.index = SPMM_BAR_REGISTERS;
	assert_int_equal(request(&peer, VFIO_USER_DEVICE_GET_REGION_INFO, &info,
				 sizeof(info), NULL),
			 0);
	assert_int_equal(info.size, SPMM_BAR_REGISTERS_SIZE);
	assert_int_equal(peer_read32(&peer, SPMM_REG_VERSION),
			 SPMM_VERSION_1_0);

	info = (struct vfio_region_info){ .index = SPMM_BAR_MEMORY };
	assert_int_equal(request(&peer, VFIO_USER_DEVICE_GET_REGION_INFO, &info,
				 sizeof(info), &file),
			 0);
	assert_int_equal(info.size, 1 << 20);
	assert_true(info.flags & VFIO_REGION_INFO_FLAG_MMAP);
	/* The window and its file are the same memory. */
	window = mmap(NULL, info.size, PROT_READ | PROT_WRITE, MAP_SHARED, file,
		      (off_t)info.offset);
	assert_ptr_not_equal(window, MAP_FAILED);
	memcpy(window + 64, "abcd", 4);
	assert_int_equal(peer_read(&peer, SPMM_BAR_MEMORY, 64, &word, 4), 0);
	assert_memory_equal(&word, "abcd", 4);
	assert_int_equal(peer_read(&peer, SPMM_BAR_MEMORY, 1 << 20, &word, 4),
			 -EINVAL);
	munmap(window, info.size);
	close(file);
	peer_leave(&peer);
	assert_int_equal(peer.served, 0);
	peer_stop(&peer);
}

/* Commands, completions and interrupts, with memory shared or by message. */
static void admin_works(bool by_message)
{
	struct peer peer;
	int interrupt;

	peer_start(&peer, by_message);
	assert_int_equal(peer_hello(&peer), 0);
	assert_int_equal(peer_map(&peer, PEER_BUS_ADDRESS, PEER_MEMORY_BYTES, 0,
				  peer.file),
			 0);
	interrupt = peer_interrupt(&peer, 0);
	peer_enable(&peer);
	assert_int_equal(peer_create_context(&peer, 1, interrupt), 0);
	if (by_message)
		assert_true(peer.asked > 0);
	else
		assert_int_equal(peer.asked, 0);
	close(interrupt);
	peer_leave(&peer);
	peer_stop(&peer);
}

static void test_shared_memory(void **state)
{
	(void)state;
	admin_works(false);
}

static void test_by_message(void **state)
{
	(void)state;
	admin_works(true);
}

/* Memory that came without a descriptor has to be asked for. */
static void test_without_descriptor(void **state)
{
	struct peer peer;
	int interrupt;

	(void)state;
	peer_start(&peer, false);
	assert_int_equal(peer_hello(&peer), 0);
	assert_int_equal(
		peer_map(&peer, PEER_BUS_ADDRESS, PEER_MEMORY_BYTES, 0, -1), 0);
	interrupt = peer_interrupt(&peer, 0);
	peer_enable(&peer);
	assert_int_equal(peer_create_context(&peer, 1, interrupt), 0);
	assert_true(peer.asked > 0);
	close(interrupt);
	peer_leave(&peer);
	peer_stop(&peer);
}

/* An admin ring that does not answer is fatal, and a reset heals it. */
static void bad_address_heals(bool by_message)
{
	uint16_t control = PCI_EXP_DEVCTL_BCR_FLR;
	struct peer peer;
	int interrupt;

	peer_start(&peer, by_message);
	assert_int_equal(peer_hello(&peer), 0);
	interrupt = peer_interrupt(&peer, 0);
	peer.refuse = true;
	peer_enable(&peer);
	peer_write32(&peer, SPMM_DOORBELL_BASE + SPMM_DOORBELL_SQ_TAIL, 1);
	while (!(peer_read32(&peer, SPMM_REG_STATUS) & SPMM_STATUS_FATAL))
		;
	/* Function-level reset, as QEMU hands it on: a configuration write. */
	assert_int_equal(peer_write(&peer, VFIO_PCI_CONFIG_REGION_INDEX,
				    0x70 + PCI_EXP_DEVCTL, &control,
				    sizeof(control)),
			 0);
	assert_int_equal(peer_read32(&peer, SPMM_REG_STATUS), 0);
	peer.refuse = false;
	assert_int_equal(peer_map(&peer, PEER_BUS_ADDRESS, PEER_MEMORY_BYTES, 0,
				  peer.file),
			 0);
	peer_enable(&peer);
	assert_int_equal(peer_create_context(&peer, 1, interrupt), 0);
	close(interrupt);
	peer_leave(&peer);
	peer_stop(&peer);
}

static void test_bad_address(void **state)
{
	(void)state;
	bad_address_heals(false);
	bad_address_heals(true);
}

/* Without bus mastering the device reaches nothing. */
static void test_bus_mastering(void **state)
{
	uint16_t none = 0;
	struct peer peer;

	(void)state;
	peer_start(&peer, false);
	assert_int_equal(peer_hello(&peer), 0);
	assert_int_equal(peer_map(&peer, PEER_BUS_ADDRESS, PEER_MEMORY_BYTES, 0,
				  peer.file),
			 0);
	peer_enable(&peer);
	assert_int_equal(peer_write(&peer, VFIO_PCI_CONFIG_REGION_INDEX,
				    PCI_COMMAND, &none, sizeof(none)),
			 0);
	peer_write32(&peer, SPMM_DOORBELL_BASE + SPMM_DOORBELL_SQ_TAIL, 1);
	while (!(peer_read32(&peer, SPMM_REG_STATUS) & SPMM_STATUS_FATAL))
		;
	peer_leave(&peer);
	peer_stop(&peer);
}

/* In D3hot nobody answers, and what comes back has lost all state. */
static void test_power_states(void **state)
{
	uint16_t d3hot = 3, d0 = 0;
	struct peer peer;
	uint32_t word;
	int interrupt;

	(void)state;
	peer_start(&peer, false);
	assert_int_equal(peer_hello(&peer), 0);
	assert_int_equal(peer_map(&peer, PEER_BUS_ADDRESS, PEER_MEMORY_BYTES, 0,
				  peer.file),
			 0);
	interrupt = peer_interrupt(&peer, 0);
	peer_enable(&peer);
	word = 0x55aa55aa;
	assert_int_equal(peer_write(&peer, SPMM_BAR_MEMORY, 0, &word, 4), 0);
	assert_int_equal(peer_write(&peer, VFIO_PCI_CONFIG_REGION_INDEX,
				    0x40 + PCI_PM_CTRL, &d3hot, 2),
			 0);
	assert_int_equal(peer_read32(&peer, SPMM_REG_STATUS), UINT32_MAX);
	peer_write32(&peer, SPMM_REG_CONTROL, SPMM_CONTROL_ENABLE);
	assert_int_equal(peer_write(&peer, VFIO_PCI_CONFIG_REGION_INDEX,
				    0x40 + PCI_PM_CTRL, &d0, 2),
			 0);
	assert_int_equal(peer_read32(&peer, SPMM_REG_STATUS), 0);
	assert_int_equal(peer_read32(&peer, SPMM_REG_CONTROL), 0);
	assert_int_equal(peer_read(&peer, SPMM_BAR_MEMORY, 0, &word, 4), 0);
	assert_int_equal(word, 0);
	peer_enable(&peer);
	assert_int_equal(peer_create_context(&peer, 1, interrupt), 0);
	close(interrupt);
	peer_leave(&peer);
	peer_stop(&peer);
}

/* The next client finds a device after power-on, and none of the maps. */
static void test_clients_in_turn(void **state)
{
	uint32_t word = 0x55aa55aa;
	struct peer peer;
	int interrupt;

	(void)state;
	peer_start(&peer, false);
	for (int i = 0; i < 5; i++) {
		assert_int_equal(peer_hello(&peer), 0);
		assert_int_equal(peer_read32(&peer, SPMM_REG_STATUS), 0);
		assert_int_equal(peer_read(&peer, SPMM_BAR_MEMORY, 0, &word, 4),
				 0);
		assert_int_equal(word, 0);
		word = 0x55aa55aa;
		assert_int_equal(
			peer_write(&peer, SPMM_BAR_MEMORY, 0, &word, 4), 0);
		assert_int_equal(peer_map(&peer, PEER_BUS_ADDRESS,
					  PEER_MEMORY_BYTES, 0, peer.file),
				 0);
		interrupt = peer_interrupt(&peer, 0);
		peer_enable(&peer);
		assert_int_equal(peer_create_context(&peer, 1, interrupt), 0);
		close(interrupt);
		peer_leave(&peer);
		assert_int_equal(peer.served, 0);
		peer_come(&peer);
	}
	peer_leave(&peer);
	peer_stop(&peer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_regions),
		cmocka_unit_test(test_shared_memory),
		cmocka_unit_test(test_by_message),
		cmocka_unit_test(test_without_descriptor),
		cmocka_unit_test(test_bad_address),
		cmocka_unit_test(test_bus_mastering),
		cmocka_unit_test(test_power_states),
		cmocka_unit_test(test_clients_in_turn),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
