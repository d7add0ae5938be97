/* SPDX-License-Identifier: MIT */
/* A workload on several devices: its batch is split into items, which are spread. */
#ifndef TOOL_POOLED_H
#define TOOL_POOLED_H

#include "options.h"
#include "outputs.h"
#include "workload.h"

#include <accel/device.h>
#include <accel/pool.h>

/**
 * struct pooled - zeroed, with the first three set, is one that is not open
 * @uris: of the devices
 * @workload: whose inputs are split
 * @item: batch of an item; that of the workload is a multiple
 * @devices: open
 * @device_count: of them
 * @pool: on all of them
 * @items: of the workload
 * @output_count: of the model
 * @ports: of all items together
 * @results: values of each output, in the workload's layout
 * @host_seconds: of one run of all items
 */
struct pooled {
	const struct option_list *uris;
	const struct workload *workload;
	uint32_t item;
	struct accel_device *devices[OPTION_LIST_MAX];
	uint32_t device_count;
	struct accel_pool *pool;
	uint32_t items;
	uint32_t output_count;
	struct accel_port_info *ports;
	float **results;
	double host_seconds;
};

/* 0 or −errno; pooled_close() is due also after an error. */
int pooled_open(struct pooled *pooled);
int pooled_run(struct pooled *pooled, double timeout_seconds);
int pooled_print(const struct pooled *pooled, bool json);
void pooled_close(struct pooled *pooled);

#endif
