/* SPDX-License-Identifier: MIT */
/* Items are alike, so it is enough to know how long each device takes for one. */
#include "runtime/pool.h"

/* A new duration counts for so much of what is known: 1/4. */
#define WEIGHT 4

/* When a member can begin an item; never, if it is so late that nobody can say. */
static uint64_t free_at(const struct pool_member *member, uint64_t now)
{
	uint64_t expected = member->start + member->item_ns;

	if (member->item == POOL_NO_ITEM)
		return now;
	if (now > expected + member->item_ns)
		return UINT64_MAX;
	return now > expected ? now : expected;
}

/*
 * Items that another will have done before that moment, what it runs now not counted. Not
 * at the same moment: of two that are alike, neither would leave the item to the other.
 */
static uint64_t items_before(const struct pool_member *other, uint64_t now,
			     uint64_t moment)
{
	uint64_t start;

	if (other->error || !other->item_ns)
		return 0;
	start = free_at(other, now);
	return moment > start ? (moment - start - 1) / other->item_ns : 0;
}

bool pool_member_should_run(const struct accel_pool *pool, uint32_t member,
			    uint32_t waiting, uint64_t now)
{
	const struct pool_member *self = &pool->members[member];
	uint64_t done = 0;

	if (!self->item_ns)
		return true;
	for (uint32_t i = 0; i < pool->count; i++)
		if (i != member)
			done += items_before(&pool->members[i], now,
					     now + self->item_ns);
	return done < waiting;
}

void pool_member_learn(struct pool_member *member, uint64_t ns)
{
	/* 0 stands for what is not known. */
	if (!ns)
		ns = 1;
	if (!member->item_ns)
		member->item_ns = ns;
	else
		member->item_ns +=
			(uint64_t)((int64_t)(ns - member->item_ns) / WEIGHT);
}
