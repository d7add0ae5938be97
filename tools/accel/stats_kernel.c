/* SPDX-License-Identifier: MIT */
#include "stats_kernel.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_SIZE 4096

/* Below the device that a node belongs to. */
static struct stats_value number_read(const char *name, const char *file)
{
	struct stats_value value;

	value.known = !host_read_number(
		&value.value, "/sys/class/accel/%s/device/%s", name, file);
	return value;
}

static struct stats_value sensor_read(const char *name, const char *sensor,
				      const char *file)
{
	char path[2 * HOST_NAME_MAX];

	if (!sensor[0])
		return (struct stats_value){ 0 };
	snprintf(path, sizeof(path), "hwmon/%s/%s", sensor, file);
	return number_read(name, path);
}

static void node_read(struct stats_node *node)
{
	char sensor[HOST_NAME_MAX];

	host_entry(sensor, sizeof(sensor), "hwmon",
		   "/sys/class/accel/%s/device/hwmon", node->name);
	host_link(node->address, sizeof(node->address),
		  "/sys/class/accel/%s/device", node->name);
	node->resets = number_read(node->name, "spmm/resets");
	node->millicelsius = sensor_read(node->name, sensor, "temp1_input");
	node->microwatts = sensor_read(node->name, sensor, "power1_input");
	node->hertz = sensor_read(node->name, sensor, "freq1_input");
}

uint32_t stats_kernel_nodes(struct stats_node *nodes)
{
	char path[PATH_MAX];
	struct dirent *entry;
	uint32_t count = 0;
	DIR *stream;

	host_path(path, "/sys/class/accel");
	stream = opendir(path);
	while (stream && count < STATS_NODES_MAX && (entry = readdir(stream))) {
		struct stats_node *node = &nodes[count];

		*node = (struct stats_node){ 0 };
		snprintf(node->name, sizeof(node->name), "%s", entry->d_name);
		/* Other makers' accelerators have no such folder. */
		if (host_read(node->state, sizeof(node->state),
			      "/sys/class/accel/%s/device/spmm/state",
			      node->name))
			continue;
		node_read(node);
		count++;
	}
	if (stream)
		closedir(stream);
	return count;
}

/* The number behind a key of an fdinfo file; false if it is not there. */
static bool field_find(const char *text, const char *key, uint64_t *value)
{
	const char *line = strstr(text, key);

	if (!line)
		return false;
	*value = strtoull(line + strlen(key), NULL, 10);
	return true;
}

/* Of one descriptor; several may be of one open file, which has one client's number. */
static void busy_add(struct stats_value *busy, const char *text,
		     uint64_t *clients, uint32_t *client_count)
{
	uint64_t client, engine;

	if (!strstr(text, "drm-driver:\tspmm\n") ||
	    !field_find(text, "drm-client-id:\t", &client) ||
	    !field_find(text, "drm-engine-compute:\t", &engine))
		return;
	for (uint32_t i = 0; i < *client_count; i++)
		if (clients[i] == client)
			return;
	if (*client_count == STATS_NODES_MAX)
		return;
	clients[(*client_count)++] = client;
	busy->known = true;
	busy->value += (int64_t)engine;
}

struct stats_value stats_kernel_busy(uint32_t pid)
{
	uint64_t clients[STATS_NODES_MAX];
	struct stats_value busy = { 0 };
	char path[PATH_MAX], text[TEXT_SIZE];
	uint32_t client_count = 0;
	struct dirent *entry;
	DIR *stream;

	host_path(path, "/proc/%u/fdinfo", pid);
	stream = opendir(path);
	while (stream && (entry = readdir(stream)))
		if (entry->d_name[0] != '.' &&
		    !host_read(text, sizeof(text), "/proc/%u/fdinfo/%s", pid,
			       entry->d_name))
			busy_add(&busy, text, clients, &client_count);
	if (stream)
		closedir(stream);
	return busy;
}
