/* SPDX-License-Identifier: MIT */
/* A client that lies, stops, or breaks its promises harms nobody but itself. */
#include "server_peer.h"
#include "unit.h"

#include "random.h"

#include <errno.h>
#include <linux/vfio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <spmm/registers.h>

/* The server dropped the client, and the next one is served. */
static void dropped(struct peer *peer)
{
	peer_leave(peer);
	assert_int_equal(peer->served, -EPROTO);
	peer_come(peer);
	assert_int_equal(peer_hello(peer), 0);
	peer_leave(peer);
	assert_int_equal(peer->served, 0);
	peer_stop(peer);
}

static void wait_for_end(struct peer *peer)
{
	char byte;

	while (recv(peer->socket, &byte, 1, 0) > 0)
		;
}

static void test_no_version(void **state)
{
	struct peer_message message = { .command = VFIO_USER_DEVICE_RESET,
					.descriptor = -1 };
	struct peer peer;

	(void)state;
	peer_start(&peer, false);
	assert_int_equal(peer_request(&peer, &message), -ENOTCONN);
	dropped(&peer);
}

static void test_wrong_version(void **state)
{
	struct peer_message message = { .command = VFIO_USER_VERSION,
					.payload = "\7\0\0\0",
					.length = 4,
					.descriptor = -1 };
	struct peer peer;

	(void)state;
	peer_start(&peer, false);
	assert_int_equal(peer_request(&peer, &message), -ENOTCONN);
	dropped(&peer);
}

static void test_impossible_size(void **state)
{
	static const uint32_t sizes[] = { 0, 15, 0x7fffffff, UINT32_MAX };

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		const struct vfio_user_header header = {
			.command = VFIO_USER_REGION_READ, .size = sizes[i]
		};
		struct peer peer;

		peer_start(&peer, false);
		assert_int_equal(peer_hello(&peer), 0);
		peer_send_raw(&peer, &header, sizeof(header));
		wait_for_end(&peer);
		dropped(&peer);
	}
}

/* Half a message, and then nothing: a second later the client is given up. */
static void test_half_message(void **state)
{
	const struct vfio_user_header header = {
		.command = VFIO_USER_REGION_READ, .size = sizeof(header) + 16
	};
	struct peer peer;

	(void)state;
	peer_start(&peer, false);
	assert_int_equal(peer_hello(&peer), 0);
	peer_send_raw(&peer, &header, sizeof(header) - 3);
	wait_for_end(&peer);
	dropped(&peer);
}

static int raw_request(struct peer *peer, uint16_t command, const void *payload,
		       size_t length)
{
	struct peer_message message = { .command = command,
					.payload = payload,
					.length = length,
					.descriptor = -1 };

	return peer_request(peer, &message);
}

/* Every command with too little behind it, and unknown ones: an error reply. */
static void test_short_payloads(void **state)
{
	static const uint8_t zeros[16];
	struct peer peer;

	(void)state;
	peer_start(&peer, false);
	assert_int_equal(peer_hello(&peer), 0);
	for (uint16_t command = 2; command < 40; command++) {
		int ret = raw_request(&peer, command, zeros, 3);

		if (command != VFIO_USER_DEVICE_GET_INFO &&
		    command != VFIO_USER_DEVICE_RESET)
			assert_true(ret == -EINVAL || ret == -ENOTSUP);
	}
	peer_leave(&peer);
	assert_int_equal(peer.served, 0);
	peer_stop(&peer);
}

static void test_bad_accesses(void **state)
{
	static const struct vfio_user_region_access bad[] = {
		{ 0, 1, 4 },	      { 0, 77, 4 },
		{ UINT64_MAX, 0, 8 }, { SPMM_BAR_REGISTERS_SIZE - 4, 0, 8 },
		{ 0, 0, UINT32_MAX }, { 4094, VFIO_PCI_CONFIG_REGION_INDEX, 4 },
		{ 0, 2, 0 },
	};
	struct peer peer;

	(void)state;
	peer_start(&peer, false);
	assert_int_equal(peer_hello(&peer), 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(raw_request(&peer, VFIO_USER_REGION_READ,
					     &bad[i], sizeof(bad[i])),
				 -EINVAL);
		assert_int_equal(raw_request(&peer, VFIO_USER_REGION_WRITE,
					     &bad[i], sizeof(bad[i])),
				 -EINVAL);
	}
	peer_leave(&peer);
	peer_stop(&peer);
}

static void test_bad_interrupts(void **state)
{
	static const struct vfio_irq_set bad[] = {
		{ 20, VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_TRIGGER,
		  VFIO_PCI_MSIX_IRQ_INDEX, 60, 6 },
		{ 20, VFIO_IRQ_SET_DATA_BOOL | VFIO_IRQ_SET_ACTION_TRIGGER,
		  VFIO_PCI_MSIX_IRQ_INDEX, 0, 5 },
		{ 20, VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_TRIGGER,
		  VFIO_PCI_MSIX_IRQ_INDEX, UINT32_MAX, 2 },
		{ 20, VFIO_IRQ_SET_DATA_NONE, 99, 0, 1 },
	};
	struct peer peer;

	(void)state;
	peer_start(&peer, false);
	assert_int_equal(peer_hello(&peer), 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(raw_request(&peer, VFIO_USER_DEVICE_SET_IRQS,
					     &bad[i], sizeof(bad[i])),
				 -EINVAL);
	peer_leave(&peer);
	peer_stop(&peer);
}

static void test_bad_maps(void **state)
{
	struct peer peer;

	(void)state;
	peer_start(&peer, false);
	assert_int_equal(peer_hello(&peer), 0);
	assert_int_equal(peer_map(&peer, 0, 0, 0, peer.file), -EINVAL);
	assert_int_equal(peer_map(&peer, UINT64_MAX, 2, 0, peer.file), -EINVAL);
	assert_int_equal(peer_map(&peer, 0, PEER_MEMORY_BYTES + 1, 0,
				  peer.file),
			 -EINVAL);
	assert_int_equal(peer_map(&peer, 0, 4096, UINT64_MAX - 4095, peer.file),
			 -EINVAL);
	assert_int_equal(peer_map(&peer, 0, 8192, 0, peer.file), 0);
	assert_int_equal(peer_map(&peer, 4096, 4096, 0, peer.file), -EEXIST);
	assert_int_equal(peer_unmap(&peer, 0, 4096), -EINVAL);
	assert_int_equal(peer_unmap(&peer, 1ull << 40, 1ull << 40), 0);
	assert_int_equal(peer_unmap(&peer, 0, 1ull << 60), 0);
	assert_int_equal(peer_map(&peer, 4096, 4096, 0, peer.file), 0);
	peer_leave(&peer);
	peer_stop(&peer);
}

/* The file of a map is cut short under the device's hands. */
static void test_file_cut(void **state)
{
	struct peer peer;
	int interrupt;

	(void)state;
	peer_start(&peer, false);
	assert_int_equal(peer_hello(&peer), 0);
	assert_int_equal(peer_map(&peer, PEER_BUS_ADDRESS, PEER_MEMORY_BYTES, 0,
				  peer.file),
			 0);
	interrupt = peer_interrupt(&peer, 0);
	peer_enable(&peer);
	assert_int_equal(ftruncate(peer.file, 0), 0);
	peer_write32(&peer, SPMM_DOORBELL_BASE + SPMM_DOORBELL_SQ_TAIL, 1);
	while (!(peer_read32(&peer, SPMM_REG_STATUS) & SPMM_STATUS_FATAL))
		;
	close(interrupt);
	peer_leave(&peer);
	peer_stop(&peer);
}

/* Leaves while the device waits for an answer. */
static void test_leave_unanswered(void **state)
{
	struct peer peer;

	(void)state;
	peer_start(&peer, true);
	assert_int_equal(peer_hello(&peer), 0);
	peer_enable(&peer);
	peer_write32(&peer, SPMM_DOORBELL_BASE + SPMM_DOORBELL_SQ_TAIL, 1);
	peer_leave(&peer);
	assert_int_equal(peer.served, 0);
	peer_stop(&peer);
}

/* Any bytes at all, after a proper beginning. */
static void test_noise(void **state)
{
	uint64_t seed = 99;
	struct peer peer;

	(void)state;
	peer_start(&peer, false);
	for (int i = 0; i < 300; i++) {
		uint8_t bytes[256];
		struct vfio_user_header header = {
			.command = (uint16_t)random_below(&seed, 16),
			.flags = random_below(&seed, 4) ? 0 :
							  random_next(&seed),
		};
		uint32_t length = random_below(&seed, sizeof(bytes));

		for (size_t b = 0; b < sizeof(bytes); b++)
			bytes[b] = (uint8_t)(random_next(&seed) >> 40) &
				   (random_below(&seed, 3) ? 0x7 : 0xff);
		assert_int_equal(peer_hello(&peer), 0);
		header.size = (uint32_t)sizeof(header) + length;
		peer_send_raw(&peer, &header, sizeof(header));
		peer_send_raw(&peer, bytes, length);
		peer_leave(&peer);
		peer_come(&peer);
	}
	peer_leave(&peer);
	peer_stop(&peer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_version),
		cmocka_unit_test(test_wrong_version),
		cmocka_unit_test(test_impossible_size),
		cmocka_unit_test(test_half_message),
		cmocka_unit_test(test_short_payloads),
		cmocka_unit_test(test_bad_accesses),
		cmocka_unit_test(test_bad_interrupts),
		cmocka_unit_test(test_bad_maps),
		cmocka_unit_test(test_file_cut),
		cmocka_unit_test(test_leave_unanswered),
		cmocka_unit_test(test_noise),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
