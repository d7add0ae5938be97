/* SPDX-License-Identifier: MIT */
#include <stddef.h>

#include <sim/engine/clusters.h>
#include <sim/trace/tracks.h>

const char *const trace_process_names[PROCESS_END] = {
	[PROCESS_HOST] = "host",
	[PROCESS_COMMANDS] = "command processor",
	[PROCESS_LINK] = "PCIe link",
	[PROCESS_DMA] = "DMA",
	[PROCESS_CLUSTERS] = "clusters",
	[PROCESS_DRAM] = "DRAM",
};

/*
 * Hosts and doorbells are not called like a layer: what they announce or have seen is a
 * whole submission.
 */
const struct trace_track trace_tracks[TRACE_TRACK_COUNT] = {
	[ENGINE_TRACK_HOST] = { "host", PROCESS_HOST, 0, false, NULL, false },
	[ENGINE_TRACK_INTERRUPT] = { "interrupts", PROCESS_HOST, 1, false, NULL,
				     false },
	[ENGINE_TRACK_DOORBELL] = { "doorbells", PROCESS_COMMANDS, 0, false,
				    NULL, false },
	[ENGINE_TRACK_FETCH] = { "fetch", PROCESS_COMMANDS, 1, false, "bytes",
				 true },
	[ENGINE_TRACK_COMMAND] = { "commands", PROCESS_COMMANDS, 2, false, NULL,
				   true },
	[ENGINE_TRACK_LINK_DOWN] = { "to the device", PROCESS_LINK, 0, false,
				     "bytes", true },
	[ENGINE_TRACK_LINK_UP] = { "to the host", PROCESS_LINK, 1, false,
				   "bytes", true },
	[ENGINE_TRACK_DMA] = { "DMA", PROCESS_DMA, 0, true, "bytes", true },
	[ENGINE_TRACK_CLUSTER_LOAD] = { "load", PROCESS_CLUSTERS, 0, true,
					"tile", true },
	[ENGINE_TRACK_CLUSTER] = { "lanes", PROCESS_CLUSTERS, 1, true, "tile",
				   true },
	[ENGINE_TRACK_CLUSTER_STORE] = { "store", PROCESS_CLUSTERS, 2, true,
					 "tile", true },
	[TRACE_TRACK_WAIT] = { "waits", PROCESS_CLUSTERS, 3, true, NULL,
			       false },
	[ENGINE_TRACK_DRAM] = { "channel", PROCESS_DRAM, 0, true, "bytes",
				true },
};

/* States without a name are shown by what they do: lanes, or nothing. */
const char *trace_wait_name(uint64_t state)
{
	static const char *const names[] = {
		[CLUSTER_WAITS_WEIGHTS] = "waits for weights",
		[CLUSTER_WAITS_ACTIVATIONS] = "waits for activations",
		[CLUSTER_WAITS_EPILOGUE] = "waits for the epilogue",
		[CLUSTER_WAITS_DRAM] = "waits for DRAM",
		[CLUSTER_WAITS_PCIE] = "waits for PCIe",
		[CLUSTER_WAITS_TILE] = "waits for a tile",
	};

	return state < sizeof(names) / sizeof(*names) ? names[state] : NULL;
}
