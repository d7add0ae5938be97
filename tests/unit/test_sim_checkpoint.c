/* SPDX-License-Identifier: MIT */
/* Pauses, and checkpoint files: whole, of another device, damaged, hostile. */
#include "unit.h"

#include "folder.h"
#include "random.h"
#include "seal.h"
#include "sim_host.h"

#include <accel/error.h>
#include <core/deadline.h>
#include <formats/file.h>
#include <sim/checkpoint.h>
#include <sim/checkpoint_read.h>

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>

#define SECOND 1000000000ull
#define FILE_BYTES_MAX (64u << 20)

/* A file, and a device of its own to refuse it. */
struct image {
	uint8_t *bytes;
	size_t size;
};

static struct sim_config small(void)
{
	struct sim_config config;

	assert_int_equal(sim_config_preset("small", &config), 0);
	return config;
}

static struct spmm_sqe nop(uint16_t id)
{
	return (struct spmm_sqe){ .opcode = SPMM_IO_NOP, .id = id };
}

static struct image image_read(const char *path)
{
	struct image image;
	void *bytes;

	assert_int_equal(file_read(path, FILE_BYTES_MAX, &bytes, &image.size),
			 0);
	image.bytes = bytes;
	return image;
}

static int image_restore(const struct image *image, size_t size,
			 struct test_host *host)
{
	struct sim_host calls = host_calls(host);
	FILE *in = fmemopen(image->bytes, size, "r");
	int ret;

	assert_non_null(in);
	ret = checkpoint_read(in, NULL, &calls, NULL, &host->device);
	fclose(in);
	return ret;
}

static struct test_host *started(void)
{
	struct sim_config config = small();
	struct test_host *host = host_start(&config);

	host_open_queue(host, 1);
	return host;
}

/* A device with something of everything, paused and saved. */
static struct test_host *saved(const char *path)
{
	struct test_host *host = started();
	struct spmm_sqe copy = { .opcode = SPMM_IO_COPY,
				 .id = 3,
				 .address = host_virtual(0),
				 .destination = host_virtual(1 << 20),
				 .length = 9000 };
	struct spmm_sqe fault = { .opcode = SPMM_IO_COPY,
				  .address = 0x1234,
				  .length = 64 };

	memset(host_device(host, 0), 0xa5, 9000);
	host_open_queue(host, 2);
	assert_int_equal(host_run(host, 1, copy, NULL), 0);
	assert_int_not_equal(host_run(host, 2, fault, NULL), 0);
	host_write64(host, SPMM_REG_INTERRUPT_MASK_SET, 0x12);
	assert_int_equal(host_run(host, 1, copy, NULL), 0);
	host_write32(host, SPMM_REG_COUNTER_LATCH, 1);
	assert_int_equal(sim_device_pause(host->device, SECOND), 0);
	assert_int_equal(sim_device_save(host->device, path), 0);
	return host;
}

static bool completes(struct test_host *host, uint16_t queue, uint64_t ns)
{
	uint64_t deadline = deadline_after(ns);
	struct spmm_cqe cqe;

	while (!deadline_expired(deadline))
		if (host_poll(host, queue, &cqe))
			return true;
	return false;
}

static void paused_device_executes_nothing(void **state)
{
	struct test_host *host = started();
	struct spmm_sqe entry = nop(1);
	uint64_t cycles;

	(void)state;
	assert_int_equal(sim_device_pause(host->device, SECOND), 0);
	assert_int_equal(sim_device_pause(host->device, SECOND), 0);
	cycles = host_read64(host, SPMM_REG_CYCLES);
	host_submit(host, 1, &entry, 1);
	sim_device_resume(host->device);
	assert_false(completes(host, 1, SECOND / 50));
	assert_int_equal(host_read64(host, SPMM_REG_CYCLES), cycles);
	sim_device_resume(host->device);
	assert_true(completes(host, 1, 20 * SECOND));
	host_stop(host);
}

static void paused_device_can_be_reset_and_destroyed(void **state)
{
	struct test_host *host = started();

	(void)state;
	assert_int_equal(sim_device_pause(host->device, SECOND), 0);
	sim_device_reset(host->device);
	host_enable(host);
	sim_device_resume(host->device);
	host_open_queue(host, 1);
	assert_int_equal(sim_device_pause(host->device, SECOND), 0);
	host_stop(host);
}

static void pause_has_a_deadline(void **state)
{
	struct test_host *host = started();
	struct spmm_sqe entry = nop(1);
	unsigned long before = host->accesses;

	(void)state;
	__atomic_store_n(&host->stall, 1, __ATOMIC_SEQ_CST);
	host_submit(host, 1, &entry, 1);
	while (__atomic_load_n(&host->accesses, __ATOMIC_SEQ_CST) == before)
		;
	assert_int_equal(sim_device_pause(host->device, SECOND / 100),
			 -ETIMEDOUT);
	__atomic_store_n(&host->stall, 0, __ATOMIC_SEQ_CST);
	assert_true(completes(host, 1, 20 * SECOND));
	host_stop(host);
}

static void running_device_is_not_saved(void **state)
{
	const char *path = folder_path(*state, "a");
	struct test_host *host = started();

	assert_int_equal(sim_device_save(host->device, path), -EBUSY);
	assert_int_equal(folder_count(*state), 0);
	host_stop(host);
}

static void restored_device_saves_the_same_file(void **state)
{
	char first[FOLDER_PATH];
	struct test_host *host, *other;
	struct image a, b;

	strcpy(first, folder_path(*state, "a"));
	host = saved(first);
	other = host_restore(host, first, NULL);
	assert_int_equal(
		sim_device_save(other->device, folder_path(*state, "b")), 0);
	a = image_read(first);
	b = image_read(folder_path(*state, "b"));
	assert_int_equal(a.size, b.size);
	assert_memory_equal(a.bytes, b.bytes, a.size);
	/* 4 GiB of memory, a few pages of which were ever used. */
	assert_true(a.size < 1u << 20);
	host_stop(host);
	host_stop(other);
	free(a.bytes);
	free(b.bytes);
}

static void shared_memory_is_saved_alike(void **state)
{
	const struct sim_options options = { .share_memory = true };
	char first[FOLDER_PATH];
	struct test_host *host;
	struct sim_host calls;
	struct sim_device *other;
	struct image a, b;

	strcpy(first, folder_path(*state, "a"));
	host = saved(first);
	calls = host_calls(host);
	assert_int_equal(
		sim_device_restore(NULL, &calls, &options, first, &other), 0);
	assert_int_equal(sim_device_save(other, folder_path(*state, "b")), 0);
	a = image_read(first);
	b = image_read(folder_path(*state, "b"));
	assert_int_equal(a.size, b.size);
	assert_memory_equal(a.bytes, b.bytes, a.size);
	sim_device_destroy(other);
	host_stop(host);
	free(a.bytes);
	free(b.bytes);
}

static void restored_device_has_everything(void **state)
{
	const char *path = folder_path(*state, "a");
	struct test_host *host = saved(path);
	struct test_host *other = host_restore(host, path, NULL);
	struct spmm_admin_sqe log = { .opcode = SPMM_ADMIN_GET_LOG,
				      .address = HOST_BUS_ADDRESS +
						 HOST_MEMORY_BYTES - 4096,
				      .length = 4096 };
	unsigned int raised = other->interrupts[1];
	const struct spmm_fault_record *record;
	uint64_t records;

	assert_memory_equal(host_device(other, 1 << 20), host_device(host, 0),
			    9000);
	for (uint32_t at = 0; at < SPMM_DOORBELL_BASE; at += 8)
		assert_int_equal(host_read64(other, at), host_read64(host, at));
	sim_device_resume(other->device);
	/* The one that came while its vector was masked. */
	host_write64(other, SPMM_REG_INTERRUPT_MASK_CLEAR, 0x12);
	assert_int_equal(host_run(other, 1, nop(1), NULL), 0);
	assert_int_equal(other->interrupts[1], raised + 2);
	assert_int_equal(host_admin(other, log, &records), 0);
	assert_int_equal(records, 1);
	record = (const void *)(other->memory + HOST_MEMORY_BYTES - 4096);
	assert_int_equal(record->context, 2);
	assert_int_equal(record->address, 0x1234);
	host_stop(host);
	host_stop(other);
}

static void one_file_serves_many(void **state)
{
	const char *path = folder_path(*state, "a");
	struct test_host *host = saved(path);
	struct test_host *others[3];

	for (unsigned int i = 0; i < 3; i++) {
		others[i] = host_restore(host, path, NULL);
		sim_device_resume(others[i]->device);
	}
	for (unsigned int i = 0; i < 3; i++) {
		assert_int_equal(host_run(others[i], 1, nop(9), NULL), 0);
		/* A device is not at rest with its completion: its clock goes on. */
		assert_int_equal(sim_device_pause(others[i]->device, SECOND),
				 0);
		assert_int_equal(host_read64(others[i], SPMM_REG_CYCLES),
				 host_read64(others[0], SPMM_REG_CYCLES));
		assert_int_equal(host_read64(others[i], SPMM_REG_PROGRESS(1)),
				 host_read64(host, SPMM_REG_PROGRESS(1)) + 1);
	}
	for (unsigned int i = 0; i < 3; i++)
		host_stop(others[i]);
	host_stop(host);
}

/* Asked for, and not yet carried out, when the device is saved. */
static void restored_device_does_what_was_asked_for(void **state)
{
	const char *path = folder_path(*state, "a");
	struct test_host *host = saved(path);
	struct test_host *other;

	host_write32(host, SPMM_REG_RESET, SPMM_RESET_MAGIC);
	assert_int_equal(sim_device_save(host->device, path), 0);
	other = host_restore(host, path, NULL);
	host_enable(other);
	sim_device_resume(other->device);
	host_open_queue(other, 1);
	assert_int_equal(host_run(other, 1, nop(9), NULL), 0);
	host_stop(host);
	host_stop(other);
}

static void other_configuration_is_refused_by_name(void **state)
{
	const char *path = folder_path(*state, "a");
	struct sim_config config = small();
	struct test_host *host = saved(path);
	struct sim_host calls = host_calls(host);
	struct sim_device *device;

	assert_int_equal(
		sim_device_restore(&config, &calls, NULL, path, &device), 0);
	sim_device_destroy(device);
	config.pcie_lanes = 4;
	assert_int_equal(sim_device_restore(&config, &calls, NULL, path,
					    &device),
			 -EINVAL);
	assert_null(device);
	assert_non_null(strstr(accel_last_error(), "pcie_lanes = 8"));
	assert_non_null(strstr(accel_last_error(), path));
	assert_int_equal(sim_device_restore(NULL, &calls, NULL, "/nowhere/a",
					    &device),
			 -ENOENT);
	host_stop(host);
}

static void failed_save_leaves_the_old_file(void **state)
{
	const char *path = folder_path(*state, "a");
	struct test_host *host = saved(path);

	assert_int_equal(sim_device_save(host->device, "/dev/full"), -ENOSPC);
	assert_int_equal(sim_device_save(host->device, "/nowhere/a"), -ENOENT);
	assert_int_equal(folder_count(*state), 1);
	host_stop(host);
}

static void every_truncation_is_refused(void **state)
{
	const char *path = folder_path(*state, "a");
	struct test_host *host = saved(path);
	struct image image = image_read(path);
	struct test_host victim = { 0 };

	for (size_t size = 1; size < image.size; size += 1 + size / 16) {
		assert_int_equal(image_restore(&image, size, &victim), -EINVAL);
		assert_null(victim.device);
	}
	assert_int_equal(image_restore(&image, image.size - 1, &victim),
			 -EINVAL);
	host_stop(host);
	free(image.bytes);
}

static void every_damage_is_refused(void **state)
{
	const char *path = folder_path(*state, "a");
	struct test_host *host = saved(path);
	struct image image = image_read(path);
	struct test_host victim = { 0 };
	uint64_t random = 5;

	for (unsigned int i = 0; i < 300; i++) {
		size_t at = i < 40 ?
				    i :
				    random_below(&random, (uint32_t)image.size);
		uint8_t bit = (uint8_t)(1u << random_below(&random, 8));

		image.bytes[at] ^= bit;
		assert_int_equal(image_restore(&image, image.size, &victim),
				 -EINVAL);
		image.bytes[at] ^= bit;
	}
	host_stop(host);
	free(image.bytes);
}

/* Sections that lie, under right checksums: refused, or a device like any other. */
static void hostile_files_do_no_harm(void **state)
{
	const char *path = folder_path(*state, "a");
	struct test_host *host = saved(path);
	struct image good = image_read(path), image = good;
	struct test_host victim = { .memory = host->memory };
	unsigned int refused = 0;
	uint64_t random = 77;

	image.bytes = malloc(good.size);
	assert_non_null(image.bytes);
	for (unsigned int i = 0; i < 400; i++) {
		memcpy(image.bytes, good.bytes, good.size);
		for (uint32_t n = random_below(&random, 3); n < 3; n++)
			image.bytes[random_below(&random, (uint32_t)good.size)] =
				(uint8_t)random_next(&random);
		checkpoint_seal(image.bytes, image.size);
		if (image_restore(&image, image.size, &victim)) {
			refused++;
			continue;
		}
		sim_device_resume(victim.device);
		host_ring(&victim, 1);
		sim_device_destroy(victim.device);
	}
	assert_true(refused > 20 && refused < 400);
	free(image.bytes);
	free(good.bytes);
	host_stop(host);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(paused_device_executes_nothing),
		cmocka_unit_test(paused_device_can_be_reset_and_destroyed),
		cmocka_unit_test(pause_has_a_deadline),
		folder_test(running_device_is_not_saved),
		folder_test(restored_device_saves_the_same_file),
		folder_test(shared_memory_is_saved_alike),
		folder_test(restored_device_has_everything),
		folder_test(one_file_serves_many),
		folder_test(restored_device_does_what_was_asked_for),
		folder_test(other_configuration_is_refused_by_name),
		folder_test(failed_save_leaves_the_old_file),
		folder_test(every_truncation_is_refused),
		folder_test(every_damage_is_refused),
		folder_test(hostile_files_do_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
