/* SPDX-License-Identifier: MIT */
/* Faults are armed through configuration space, and seen as a bus shows them. */
#include "server_peer.h"
#include "unit.h"

#include <linux/pci_regs.h>
#include <linux/vfio.h>
#include <poll.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <spmm/error_injection.h>
#include <spmm/registers.h>

#define CONFIG VFIO_PCI_CONFIG_REGION_INDEX
#define AT(field) (SPMM_INJECTION_OFFSET + SPMM_INJECTION_##field)
#define DEVICE_CONTROL (0x70 + PCI_EXP_DEVCTL)

static const char script[] = "first: ignore on create_context\n"
			     "second: gone now\n"
			     "removed: gone now until plug\n"
			     "second: memory_error\n"
			     "storm: interrupt 3 now times 4\n";

static uint32_t config_read(struct peer *peer, uint32_t at)
{
	uint32_t value;

	assert_int_equal(peer_read(peer, CONFIG, at, &value, 4), 0);
	return value;
}

static void config_write(struct peer *peer, uint32_t at, uint32_t value)
{
	assert_int_equal(peer_write(peer, CONFIG, at, &value, 4), 0);
}

/* As a kernel walks the chain; 0: not there. */
static uint32_t capability_find(struct peer *peer, uint16_t id)
{
	uint32_t at = PCI_CFG_SPACE_SIZE;

	while (at) {
		uint32_t header = config_read(peer, at);

		if (PCI_EXT_CAP_ID(header) == id)
			return at;
		at = PCI_EXT_CAP_NEXT(header);
	}
	return 0;
}

static void start(struct peer *peer)
{
	peer_start_faults(peer, script);
	assert_int_equal(peer_hello(peer), 0);
	assert_int_equal(peer_map(peer, PEER_BUS_ADDRESS, PEER_MEMORY_BYTES, 0,
				  peer->file),
			 0);
}

static void stop(struct peer *peer)
{
	peer_leave(peer);
	peer_stop(peer);
}

static void reset_function(struct peer *peer)
{
	uint16_t control = PCI_EXP_DEVCTL_BCR_FLR;

	assert_int_equal(peer_write(peer, CONFIG, DEVICE_CONTROL, &control, 2),
			 0);
}

static void a_capability_names_the_faults(void **state)
{
	char name[SPMM_INJECTION_NAME_BYTES];
	struct peer peer;

	(void)state;
	start(&peer);
	assert_int_equal(capability_find(&peer, PCI_EXT_CAP_ID_VNDR),
			 SPMM_INJECTION_OFFSET);
	assert_int_equal(config_read(&peer, AT(HEADER)),
			 SPMM_INJECTION_ID | SPMM_INJECTION_REVISION << 16 |
				 SPMM_INJECTION_BYTES << 20);
	assert_int_equal(config_read(&peer, AT(COUNT)), 4);
	config_write(&peer, AT(SELECT), 3);
	assert_int_equal(peer_read(&peer, CONFIG, AT(NAME), name, sizeof(name)),
			 0);
	assert_string_equal(name, "removed");
	config_write(&peer, AT(SELECT), 5);
	assert_int_equal(config_read(&peer, AT(NAME)), 0);
	memset(name, 0, sizeof(name));
	strcpy(name, "second");
	for (uint32_t i = 0; i < sizeof(name); i += 4)
		assert_int_equal(peer_write(&peer, CONFIG, AT(NAME) + i,
					    name + i, 4),
				 0);
	assert_int_equal(config_read(&peer, AT(SELECT)), 2);
	assert_int_equal(peer_write(&peer, CONFIG, AT(NAME), "thi", 4), 0);
	assert_int_equal(config_read(&peer, AT(SELECT)), 0);
	/* What is read only stays. */
	config_write(&peer, AT(COUNT), 77);
	assert_int_equal(config_read(&peer, AT(COUNT)), 4);
	stop(&peer);

	peer_start(&peer, false);
	assert_int_equal(peer_hello(&peer), 0);
	assert_int_equal(capability_find(&peer, PCI_EXT_CAP_ID_VNDR), 0);
	stop(&peer);
}

static void a_fault_is_armed_and_counted(void **state)
{
	struct pollfd polled = { .events = POLLIN };
	uint8_t lowest = 1;
	struct peer peer;
	int interrupt;

	(void)state;
	start(&peer);
	interrupt = peer_interrupt(&peer, 0);
	peer_enable(&peer);
	assert_int_equal(peer_write(&peer, CONFIG, AT(ARM), &lowest, 1), 0);
	config_write(&peer, AT(SELECT), 1);
	assert_int_equal(config_read(&peer, AT(ARM)), 1);
	assert_int_equal(config_read(&peer, AT(ARMED)), 1);
	assert_int_equal(config_read(&peer, AT(FIRED)), 0);
	/* Nobody answers, and the next is answered. */
	peer_write32(&peer, SPMM_DOORBELL_BASE + SPMM_DOORBELL_SQ_TAIL, 0);
	peer.memory[0] = 0x05;
	peer_write32(&peer, SPMM_DOORBELL_BASE + SPMM_DOORBELL_SQ_TAIL, 1);
	polled.fd = interrupt;
	assert_int_equal(poll(&polled, 1, 200), 0);
	assert_int_equal(config_read(&peer, AT(FIRED)), 1);
	assert_int_equal(config_read(&peer, AT(ARMED)), 0);
	/* The count outlives a reset, and the next client finds none. */
	reset_function(&peer);
	config_write(&peer, AT(SELECT), 1);
	assert_int_equal(config_read(&peer, AT(FIRED)), 1);
	close(interrupt);
	peer_leave(&peer);
	peer_come(&peer);
	assert_int_equal(peer_hello(&peer), 0);
	config_write(&peer, AT(SELECT), 1);
	assert_int_equal(config_read(&peer, AT(FIRED)), 0);
	stop(&peer);
}

static void a_device_that_is_gone_answers_with_ones(void **state)
{
	struct peer peer;
	int interrupt;

	(void)state;
	start(&peer);
	interrupt = peer_interrupt(&peer, 0);
	peer_enable(&peer);
	config_write(&peer, AT(ARM), 2);
	assert_int_equal(config_read(&peer, PCI_VENDOR_ID), UINT32_MAX);
	assert_int_equal(peer_read32(&peer, SPMM_REG_STATUS), UINT32_MAX);
	config_write(&peer, PCI_COMMAND, 0);
	/* Only a reset brings it back. */
	config_write(&peer, AT(ARM), 0);
	assert_int_equal(config_read(&peer, PCI_VENDOR_ID), UINT32_MAX);
	reset_function(&peer);
	assert_int_equal(config_read(&peer, PCI_VENDOR_ID),
			 SPMM_PCI_DEVICE_ID << 16 | SPMM_PCI_VENDOR_ID);
	/* Of both rules of the name one is left, which was disarmed. */
	config_write(&peer, AT(SELECT), 2);
	assert_int_equal(config_read(&peer, AT(FIRED)), 1);
	assert_int_equal(config_read(&peer, AT(ARMED)), 0);
	peer_enable(&peer);
	assert_int_equal(peer_create_context(&peer, 1, interrupt), 0);
	close(interrupt);
	stop(&peer);
}

static void a_removed_device_comes_with_the_next_client(void **state)
{
	struct peer peer;

	(void)state;
	start(&peer);
	config_write(&peer, AT(ARM), 3);
	reset_function(&peer);
	assert_int_equal(config_read(&peer, PCI_VENDOR_ID), UINT32_MAX);
	peer_leave(&peer);
	peer_come(&peer);
	assert_int_equal(peer_hello(&peer), 0);
	assert_int_equal(config_read(&peer, PCI_VENDOR_ID),
			 SPMM_PCI_DEVICE_ID << 16 | SPMM_PCI_VENDOR_ID);
	stop(&peer);
}

/* An interrupt is a write to memory: none without bus mastering. */
static void no_interrupt_without_bus_mastering(void **state)
{
	struct pollfd polled = { .events = POLLIN };
	struct peer peer;

	(void)state;
	start(&peer);
	polled.fd = peer_interrupt(&peer, 3);
	config_write(&peer, AT(ARM), 4);
	assert_int_equal(poll(&polled, 1, 200), 0);
	peer_enable(&peer);
	config_write(&peer, AT(ARM), 4);
	assert_int_equal(poll(&polled, 1, 5000), 1);
	/* A function-level reset takes bus mastering away. */
	reset_function(&peer);
	assert_int_equal(config_read(&peer, PCI_COMMAND) & PCI_COMMAND_MASTER,
			 0);
	close(polled.fd);
	stop(&peer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_capability_names_the_faults),
		cmocka_unit_test(a_fault_is_armed_and_counted),
		cmocka_unit_test(a_device_that_is_gone_answers_with_ones),
		cmocka_unit_test(a_removed_device_comes_with_the_next_client),
		cmocka_unit_test(no_interrupt_without_bus_mastering),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
