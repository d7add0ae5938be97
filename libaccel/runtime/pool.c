/* SPDX-License-Identifier: MIT */
#include "runtime/pool.h"

#include <accel/pool.h>

#include <errno.h>
#include <poll.h>
#include <stdlib.h>

#include "core/error.h"
#include "runtime/sized.h"

static int member_create(struct pool_member *member,
			 struct accel_device *device, struct accel_model *model,
			 const struct accel_plan_options *options)
{
	int ret;

	member->item = POOL_NO_ITEM;
	if (!device)
		return accel_error(-EINVAL,
				   "accel_pool_create: a device is NULL");
	ret = accel_plan_create(device, model, options, &member->plan);
	if (!ret)
		ret = accel_queue_create(device, NULL, &member->queue);
	if (!ret)
		member->file = accel_queue_fd(member->queue);
	if (!ret && member->file < 0)
		ret = member->file;
	return ret ? accel_error_prefix(ret, "%s", device->uri) : 0;
}

int accel_pool_create(struct accel_device *const *devices, uint32_t count,
		      struct accel_model *model,
		      const struct accel_pool_options *options,
		      struct accel_pool **out)
{
	struct accel_pool_options known;
	struct accel_pool *pool;
	int ret;

	if (!devices || !count || !model || !out)
		return accel_error(-EINVAL,
				   "accel_pool_create: NULL, or no devices");
	*out = NULL;
	ret = sized_read(&known, sizeof(known), options, "accel_pool_options");
	if (ret)
		return ret;
	pool = calloc(1, sizeof(*pool) + count * sizeof(pool->members[0]));
	if (!pool)
		return accel_error(-ENOMEM, "out of memory");
	pool->count = count;
	pool->pollers = calloc(count, sizeof(*pool->pollers));
	if (!pool->pollers)
		ret = accel_error(-ENOMEM, "out of memory");
	for (uint32_t i = 0; i < count && !ret; i++)
		ret = member_create(&pool->members[i], devices[i], model,
				    known.plan);
	if (ret) {
		accel_pool_destroy(pool);
		return ret;
	}
	*out = pool;
	return 0;
}

/* The queues first: they let go of the plans. */
void accel_pool_destroy(struct accel_pool *pool)
{
	if (!pool)
		return;
	for (uint32_t i = 0; i < pool->count; i++) {
		accel_queue_destroy(pool->members[i].queue);
		accel_plan_destroy(pool->members[i].plan);
	}
	free(pool->pollers);
	free(pool);
}

int accel_pool_get_info(const struct accel_pool *pool, uint32_t index,
			struct accel_pool_info *info)
{
	struct accel_pool_info full = { 0 };
	const struct pool_member *member;

	if (!pool || index >= pool->count)
		return accel_error(-EINVAL, "pool: no device %u of %u", index,
				   pool ? pool->count : 0);
	member = &pool->members[index];
	full.uri = member->plan->device->uri;
	full.items = member->items;
	full.item_ns = member->item_ns;
	full.failures = member->failures;
	full.error = member->error;
	return sized_write(info, &full, sizeof(full), "accel_pool_info");
}
