/* SPDX-License-Identifier: MIT */
/*
 * A cluster is a pipeline of three: the load of a pass, its lanes, its store. The lines
 * of its input are loaded before the lanes begin; its weights, which are more than any
 * buffer holds, stream through port and decoder meanwhile, and the lanes end with them
 * at the earliest. A cluster looks at itself when one of its own ends is due, or when the
 * window has changed.
 */
#include <errno.h>
#include <stdlib.h>

#include <core/error.h>
#include <core/integer.h>
#include <sim/engine/clusters.h>
#include <sim/engine/network.h>

/**
 * struct cluster_pass - a pass in one of the stages; none when @entry is NULL
 * @first: of its command on this cluster: it follows the arrival of the weights
 * @head: first of its tile on this cluster
 * @last: last of its tile on this cluster
 * @weights_end: the cycle after its last weight was decoded; ENGINE_NEVER before all
 *	have come
 * @lanes_end: the cycle after its lanes' last; ENGINE_NEVER before
 */
struct cluster_pass {
	struct dispatch_entry *entry;
	const struct engine_pass *pass;
	uint32_t tile;
	bool first;
	bool head;
	bool last;
	uint64_t weights_end;
	uint64_t lanes_end;
};

/**
 * struct cluster_cursor - the next pass to be loaded
 * @entry: NULL: no command of the window has any more
 * @left: passes of @tile from the next one on
 * @first: it is the cluster's first of the command
 * @head: likewise of the tile
 */
struct cluster_cursor {
	struct dispatch_entry *entry;
	uint32_t tile;
	uint64_t left;
	bool first;
	bool head;
};

/* What passes the port in; the weights of a pass come behind its lines. */
enum port_content {
	PORT_NOTHING,
	PORT_LINES,
	PORT_WEIGHTS,
};

enum stage {
	STAGE_LOAD,
	STAGE_LANES,
	STAGE_STORE,
	STAGE_COUNT,
};

/**
 * struct engine_cluster - one cluster
 * @load: the pass in the half of the buffer that the lanes do not use
 * @lanes: the pass that is computed
 * @store: the pass whose results are stored; it may still be computed
 * @waiting: the pass whose results wait for that
 * @content: of @in
 * @fill_end: of @load
 * @decoder_end: when the decoder has done all that it has been given
 * @computed: cycles of the lanes' pass that were done at @lanes_since
 * @limit: that the arrived weights allow
 * @epilogue_end: of @store
 * @due: the earliest of these that is to come; ENGINE_NEVER: none
 * @watch: waits for what may change without notice
 * @begin: of the present tile, for the observer, by stage
 */
struct engine_cluster {
	struct cluster_cursor cursor;
	struct cluster_pass load;
	struct cluster_pass lanes;
	struct cluster_pass store;
	struct cluster_pass waiting;
	struct network_port in;
	struct network_port out;
	enum port_content content;
	uint64_t fill_end;
	uint64_t decoder_end;
	uint64_t lanes_since;
	uint64_t computed;
	uint64_t limit;
	uint64_t epilogue_end;
	uint64_t due;
	bool watch;
	bool idle;
	struct lane_account account;
	uint64_t begin[STAGE_COUNT];
};

struct engine_clusters {
	uint32_t count;
	uint32_t lanes;
	uint32_t pipeline_cycles;
	bool every;
	struct dispatch *dispatch;
	const struct engine_observer *observer;
	struct network in;
	struct network out;
	struct lane_charge idle;
	uint64_t port_bytes;
	struct engine_cluster cluster[];
};

static uint32_t cluster_index(const struct engine_clusters *clusters,
			      const struct engine_cluster *cluster)
{
	return (uint32_t)(cluster - clusters->cluster);
}

/* Vectors of the tile that belong to a column group. */
static uint64_t column_vectors(const struct dispatch_entry *entry,
			       uint32_t tile, uint32_t column)
{
	uint64_t columns = entry->command->column_groups;
	uint64_t first = entry->tiles[tile].first_vector;
	uint64_t end = first + entry->command->tiles[tile].vectors;

	return (end + columns - 1 - column) / columns -
	       (first + columns - 1 - column) / columns;
}

/* The cluster's first vector from the tile on. */
static bool cursor_seek(struct cluster_cursor *cursor,
			struct dispatch_entry *entry, uint32_t tile,
			uint32_t index)
{
	const struct engine_command *command = entry->command;

	if (command->unit != ENGINE_ARRAY ||
	    index >= command->row_groups * command->column_groups)
		return false;
	for (; tile < command->tile_count; tile++) {
		cursor->left = column_vectors(entry, tile,
					      index % command->column_groups);
		if (!cursor->left)
			continue;
		cursor->entry = entry;
		cursor->tile = tile;
		cursor->head = true;
		return true;
	}
	return false;
}

/* The cluster's first vector of a command, or of one after it. */
static void cursor_enter(struct cluster_cursor *cursor,
			 struct dispatch_entry *entry, uint32_t index)
{
	cursor->first = true;
	cursor->entry = NULL;
	for (; entry; entry = entry->next)
		if (cursor_seek(cursor, entry, 0, index))
			return;
}

static void cursor_advance(struct cluster_cursor *cursor, uint32_t index)
{
	struct dispatch_entry *entry = cursor->entry;

	cursor->first = false;
	cursor->head = false;
	if (--cursor->left)
		return;
	if (!cursor_seek(cursor, entry, cursor->tile + 1, index))
		cursor_enter(cursor, entry->next, index);
}

void clusters_offer(struct engine_clusters *clusters,
		    struct dispatch_entry *entry)
{
	for (uint32_t i = 0; i < clusters->count; i++)
		if (!clusters->cluster[i].cursor.entry)
			cursor_enter(&clusters->cluster[i].cursor, entry, i);
}

/* Shows a stage's part of a tile, when its last pass leaves the stage. */
static void stage_end(const struct engine_clusters *clusters,
		      const struct engine_cluster *cluster, enum stage stage,
		      const struct cluster_pass *pass, uint64_t end)
{
	static const char *const names[] = { "load", "lanes", "store" };
	static const enum engine_track tracks[] = {
		ENGINE_TRACK_CLUSTER_LOAD,
		ENGINE_TRACK_CLUSTER,
		ENGINE_TRACK_CLUSTER_STORE,
	};
	struct engine_span span;

	if (!pass->last || !clusters->observer || !clusters->observer->span)
		return;
	span = (struct engine_span){
		.track = tracks[stage],
		.unit = cluster_index(clusters, cluster),
		.begin = cluster->begin[stage],
		.end = end,
		.name = names[stage],
		.sequence = pass->entry->command->sequence,
		.detail = pass->tile,
	};
	clusters->observer->span(clusters->observer->owner, &span);
}

static void stage_begin(struct engine_cluster *cluster, enum stage stage,
			const struct cluster_pass *pass, uint64_t now)
{
	if (pass->head)
		cluster->begin[stage] = now;
}

/* One pass needs both halves of the buffer. */
static bool buffer_is_taken(const struct engine_cluster *cluster)
{
	return cluster->lanes.entry &&
	       (cluster->lanes.entry->command->single_buffer ||
		cluster->cursor.entry->command->single_buffer);
}

static void load_take(struct engine_cluster *cluster, uint32_t index)
{
	const struct cluster_cursor *cursor = &cluster->cursor;
	const struct engine_command *command = cursor->entry->command;
	uint32_t row = index / command->column_groups;

	cluster->load = (struct cluster_pass){
		.entry = cursor->entry,
		.pass = &command->passes[command->tiles[cursor->tile].passes +
					 row],
		.tile = cursor->tile,
		.first = cursor->first,
		.head = cursor->head,
		.last = cursor->left == 1,
		.weights_end = ENGINE_NEVER,
		.lanes_end = ENGINE_NEVER,
	};
}

static bool load_start(struct engine_clusters *clusters,
		       struct engine_cluster *cluster, uint64_t now)
{
	uint32_t index = cluster_index(clusters, cluster);
	const struct engine_pass *pass;

	if (!cluster->cursor.entry || cluster->load.entry ||
	    cluster->content != PORT_NOTHING ||
	    cluster->cursor.tile >= cluster->cursor.entry->ready ||
	    buffer_is_taken(cluster))
		return false;
	load_take(cluster, index);
	pass = cluster->load.pass;
	clusters->port_bytes += pass->weight_bytes + pass->line_bytes;
	network_join(&clusters->in, &cluster->in, pass->line_bytes, now);
	cluster->content = PORT_LINES;
	cluster->fill_end = now + pass->fill_cycles;
	dispatch_tile_begin(cluster->load.entry, cluster->load.tile);
	stage_begin(cluster, STAGE_LOAD, &cluster->load, now);
	cursor_advance(&cluster->cursor, index);
	return true;
}

static bool port_leave(struct network *network, struct network_port *port,
		       uint64_t now)
{
	if (!network_passed(port, now))
		return false;
	network_leave(network, port, now);
	return true;
}

/* The pass whose weights pass the port: its lanes may have begun. */
static struct cluster_pass *weights_owner(struct engine_cluster *cluster)
{
	return cluster->load.entry ? &cluster->load : &cluster->lanes;
}

static bool port_in_pass(struct engine_clusters *clusters,
			 struct engine_cluster *cluster, uint64_t now)
{
	struct cluster_pass *owner = weights_owner(cluster);

	if (!port_leave(&clusters->in, &cluster->in, now))
		return false;
	if (cluster->content == PORT_WEIGHTS) {
		owner->weights_end = max_u64(now, cluster->decoder_end);
		cluster->content = PORT_NOTHING;
		return true;
	}
	cluster->decoder_end = max_u64(now, cluster->decoder_end) +
			       owner->pass->decoder_cycles;
	network_join(&clusters->in, &cluster->in, owner->pass->weight_bytes,
		     now);
	cluster->content = PORT_WEIGHTS;
	return true;
}

static bool load_done(const struct engine_cluster *cluster, uint64_t now)
{
	return cluster->content != PORT_LINES && now >= cluster->fill_end;
}

static bool weights_missing(const struct cluster_pass *pass)
{
	return pass->first && !pass->entry->slices &&
	       pass->pass->compute_cycles;
}

static uint64_t lanes_limit(const struct cluster_pass *pass)
{
	if (!pass->first)
		return pass->pass->compute_cycles;
	return pass->pass->compute_cycles * pass->entry->slices /
	       DISPATCH_SLICES;
}

static uint64_t lanes_computed(const struct engine_cluster *cluster,
			       uint64_t now)
{
	return min_u64(cluster->limit,
		       cluster->computed + now - cluster->lanes_since);
}

/* More weights have arrived. */
static bool lanes_extend(struct engine_cluster *cluster, uint64_t now)
{
	uint64_t limit;

	if (!cluster->lanes.entry || !cluster->lanes.first)
		return false;
	limit = lanes_limit(&cluster->lanes);
	if (limit == cluster->limit)
		return false;
	cluster->computed = lanes_computed(cluster, now);
	cluster->lanes_since = now;
	cluster->limit = limit;
	return true;
}

static void store_start(struct engine_clusters *clusters,
			struct engine_cluster *cluster,
			const struct cluster_pass *pass, uint64_t now)
{
	cluster->store = *pass;
	cluster->epilogue_end = now + pass->pass->epilogue_cycles;
	clusters->port_bytes += pass->pass->store_bytes;
	network_join(&clusters->out, &cluster->out, pass->pass->store_bytes,
		     now);
	stage_begin(cluster, STAGE_STORE, pass, now);
}

static void work_begin(struct dispatch_entry *entry, uint64_t now)
{
	if (entry->command->work_cycle != ENGINE_NEVER)
		return;
	entry->command->work_cycle = now;
	entry->command->early_bytes = dispatch_read_bytes(entry);
}

static bool lanes_start(struct engine_clusters *clusters,
			struct engine_cluster *cluster, uint64_t now)
{
	struct cluster_pass *load = &cluster->load;

	if (!load->entry || cluster->lanes.entry || cluster->waiting.entry ||
	    !load_done(cluster, now) || weights_missing(load))
		return false;
	account_begin_pass(&cluster->account, clusters->lanes, now);
	cluster->lanes = *load;
	cluster->lanes_since = now;
	cluster->computed = 0;
	cluster->limit = lanes_limit(load);
	work_begin(load->entry, now);
	stage_end(clusters, cluster, STAGE_LOAD, load, now);
	stage_begin(cluster, STAGE_LANES, load, now);
	if (cluster->store.entry)
		cluster->waiting = *load;
	else
		store_start(clusters, cluster, load, now);
	load->entry = NULL;
	return true;
}

static bool lanes_finish(struct engine_clusters *clusters,
			 struct engine_cluster *cluster, uint64_t now)
{
	struct cluster_pass *lanes = &cluster->lanes;

	if (!lanes->entry || lanes->weights_end > now ||
	    lanes_computed(cluster, now) < lanes->pass->compute_cycles)
		return false;
	if (cluster->waiting.entry)
		cluster->waiting.lanes_end = now;
	else
		cluster->store.lanes_end = now;
	stage_end(clusters, cluster, STAGE_LANES, lanes, now);
	lanes->entry = NULL;
	return true;
}

/*
 * The store is free for the next pass when its work is done; the last results are
 * still in the pipeline for some cycles.
 */
static bool store_finish(struct engine_clusters *clusters,
			 struct engine_cluster *cluster, uint64_t now)
{
	struct cluster_pass *store = &cluster->store;
	uint64_t stored_at;

	if (!store->entry || store->lanes_end == ENGINE_NEVER ||
	    cluster->out.end != ENGINE_NEVER || now < cluster->epilogue_end)
		return false;
	/* Others see it in the next cycle at the earliest. */
	stored_at =
		max_u64(now + 1, store->lanes_end + clusters->pipeline_cycles);
	if (store->last)
		dispatch_tile_store(store->entry, store->tile, stored_at);
	stage_end(clusters, cluster, STAGE_STORE, store, stored_at);
	store->entry = NULL;
	if (cluster->waiting.entry) {
		store_start(clusters, cluster, &cluster->waiting, now);
		cluster->waiting.entry = NULL;
	}
	return true;
}

/* Of a pass whose lanes have begun: memory has to bring the weights, or the port. */
static enum spmm_stall lanes_cause(struct engine_clusters *clusters,
				   const struct engine_cluster *cluster)
{
	const struct cluster_pass *lanes = &cluster->lanes;

	if (cluster->limit < lanes->pass->compute_cycles)
		return dispatch_wait_weights(clusters->dispatch, lanes->entry);
	return SPMM_STALL_WEIGHTS;
}

/* Of one whose lanes have not: lines are missing, weights, or room for results. */
static enum spmm_stall load_cause(struct engine_clusters *clusters,
				  const struct engine_cluster *cluster,
				  uint64_t now)
{
	if (!load_done(cluster, now))
		return SPMM_STALL_ACTIVATIONS;
	if (weights_missing(&cluster->load))
		return dispatch_wait_weights(clusters->dispatch,
					     cluster->load.entry);
	return SPMM_STALL_EPILOGUE;
}

/* Whose fault it is that the lanes wait, in this order. */
static struct lane_charge wait_charge(struct engine_clusters *clusters,
				      struct engine_cluster *cluster,
				      uint64_t now)
{
	struct dispatch_entry *entry = cluster->lanes.entry;
	struct lane_charge charge = { 0 };
	struct dispatch_wait wait;

	if (entry) {
		charge.cause = lanes_cause(clusters, cluster);
	} else if (cluster->load.entry) {
		entry = cluster->load.entry;
		charge.cause = load_cause(clusters, cluster, now);
	} else if (cluster->cursor.entry) {
		entry = cluster->cursor.entry;
		wait = dispatch_wait_tile(clusters->dispatch, entry, now);
		charge.cause = wait.cause;
		cluster->watch = wait.copy;
	} else if (cluster->store.entry) {
		entry = cluster->store.entry;
		charge.cause = SPMM_STALL_EPILOGUE;
	} else {
		cluster->idle = true;
		return clusters->idle;
	}
	charge.owner = entry->command;
	return charge;
}

static void state_show(const struct engine_clusters *clusters,
		       const struct engine_cluster *cluster, uint64_t now)
{
	static const enum engine_cluster_state states[SPMM_STALL_COUNT] = {
		[SPMM_STALL_ISSUE] = CLUSTER_COMPUTES,
		[SPMM_STALL_WEIGHTS] = CLUSTER_WAITS_WEIGHTS,
		[SPMM_STALL_ACTIVATIONS] = CLUSTER_WAITS_ACTIVATIONS,
		[SPMM_STALL_EPILOGUE] = CLUSTER_WAITS_EPILOGUE,
		[SPMM_STALL_TAIL] = CLUSTER_WAITS_TILE,
		[SPMM_STALL_DMA] = CLUSTER_WAITS_TILE,
		[SPMM_STALL_COMMAND] = CLUSTER_WAITS_TILE,
		[SPMM_STALL_DRAM] = CLUSTER_WAITS_DRAM,
		[SPMM_STALL_PCIE] = CLUSTER_WAITS_PCIE,
	};
	const struct engine_observer *observer = clusters->observer;
	const struct lane_charge *charge = &cluster->account.charge;
	uint32_t index = cluster_index(clusters, cluster);

	if (!observer || !observer->change)
		return;
	observer->change(observer->owner, ENGINE_SIGNAL_CLUSTER_COMMAND, index,
			 now, cluster->idle ? 0 : charge->owner->sequence);
	observer->change(
		observer->owner, ENGINE_SIGNAL_CLUSTER_STATE, index, now,
		cluster->idle ? CLUSTER_NO_WORK : states[charge->cause]);
}

static void cluster_charge(struct engine_clusters *clusters,
			   struct engine_cluster *cluster, uint64_t now)
{
	const struct cluster_pass *lanes = &cluster->lanes;
	bool was_idle = cluster->idle;
	struct lane_charge charge;

	cluster->idle = false;
	cluster->watch = false;
	if (lanes->entry && lanes_computed(cluster, now) < cluster->limit)
		charge = (struct lane_charge){ lanes->entry->command,
					       SPMM_STALL_ISSUE, lanes->pass };
	else
		charge = wait_charge(clusters, cluster, now);
	if (account_set(&cluster->account, clusters->lanes, &charge, now) ||
	    cluster->idle != was_idle)
		state_show(clusters, cluster, now);
}

static void later(uint64_t *due, uint64_t at, uint64_t now)
{
	if (at > now && at < *due)
		*due = at;
}

static void cluster_set_due(struct engine_cluster *cluster, uint64_t now)
{
	cluster->due = ENGINE_NEVER;
	if (cluster->load.entry)
		later(&cluster->due, cluster->fill_end, now);
	if (cluster->lanes.entry && cluster->lanes.weights_end != ENGINE_NEVER)
		later(&cluster->due, cluster->lanes.weights_end, now);
	if (cluster->lanes.entry)
		later(&cluster->due,
		      cluster->lanes_since + cluster->limit - cluster->computed,
		      now);
	if (cluster->store.entry)
		later(&cluster->due, cluster->epilogue_end, now);
}

static bool cluster_step(struct engine_clusters *clusters,
			 struct engine_cluster *cluster, uint64_t now)
{
	bool changed = false;
	bool moved;

	do {
		moved = lanes_extend(cluster, now);
		moved |= lanes_finish(clusters, cluster, now);
		moved |= port_leave(&clusters->out, &cluster->out, now);
		moved |= store_finish(clusters, cluster, now);
		moved |= port_in_pass(clusters, cluster, now);
		moved |= lanes_start(clusters, cluster, now);
		moved |= load_start(clusters, cluster, now);
		changed |= moved;
	} while (moved);
	cluster_charge(clusters, cluster, now);
	cluster_set_due(cluster, now);
	return changed;
}

static uint64_t cluster_next(const struct engine_cluster *cluster)
{
	return min_u64(cluster->due,
		       min_u64(cluster->in.end, cluster->out.end));
}

bool clusters_step(struct engine_clusters *clusters, bool wake, uint64_t now)
{
	bool every = clusters->every || wake;
	bool changed = false;

	for (uint32_t i = 0; i < clusters->count; i++) {
		struct engine_cluster *cluster = &clusters->cluster[i];

		if (every || cluster->watch || cluster_next(cluster) <= now)
			changed |= cluster_step(clusters, cluster, now);
	}
	return changed;
}

uint64_t clusters_next(const struct engine_clusters *clusters, uint64_t now)
{
	uint64_t next = ENGINE_NEVER;

	for (uint32_t i = 0; i < clusters->count; i++)
		next = min_u64(next, cluster_next(&clusters->cluster[i]));
	return max_u64(next, now + 1);
}

void clusters_set_idle(struct engine_clusters *clusters,
		       const struct lane_charge *idle, uint64_t now)
{
	if (clusters->idle.owner == idle->owner &&
	    clusters->idle.cause == idle->cause)
		return;
	clusters->idle = *idle;
	for (uint32_t i = 0; i < clusters->count; i++)
		if (clusters->cluster[i].idle)
			account_set(&clusters->cluster[i].account,
				    clusters->lanes, idle, now);
}

void clusters_settle(struct engine_clusters *clusters, uint64_t now)
{
	for (uint32_t i = 0; i < clusters->count; i++)
		account_settle(&clusters->cluster[i].account, clusters->lanes,
			       now);
}

int clusters_check(const struct engine_clusters *clusters, uint64_t now)
{
	int ret = 0;

	for (uint32_t i = 0; i < clusters->count && !ret; i++) {
		ret = account_check(&clusters->cluster[i].account,
				    clusters->lanes, now);
		if (ret)
			ret = accel_error_prefix(ret, "cluster %u", i);
	}
	return ret;
}

void clusters_count(const struct engine_clusters *clusters,
		    uint64_t lane_cycles[SPMM_STALL_COUNT],
		    uint64_t *port_bytes)
{
	for (unsigned int cause = 0; cause < SPMM_STALL_COUNT; cause++) {
		lane_cycles[cause] = 0;
		for (uint32_t i = 0; i < clusters->count; i++)
			lane_cycles[cause] +=
				clusters->cluster[i].account.lane_cycles[cause];
	}
	*port_bytes = clusters->port_bytes;
}

static void cluster_init(struct engine_cluster *cluster)
{
	cluster->in.end = ENGINE_NEVER;
	cluster->out.end = ENGINE_NEVER;
	cluster->due = ENGINE_NEVER;
	cluster->idle = true;
	cluster->account.charge.cause = SPMM_STALL_IDLE;
}

int engine_clusters_create(const struct sim_config *config,
			   struct dispatch *dispatch,
			   const struct engine_observer *observer, bool every,
			   struct engine_clusters **out)
{
	struct engine_clusters *clusters = calloc(
		1, sizeof(*clusters) +
			   config->clusters * sizeof(clusters->cluster[0]));
	int ret;

	if (!clusters)
		return accel_error(-ENOMEM, "no memory for %u clusters",
				   config->clusters);
	clusters->count = config->clusters;
	clusters->lanes = config->lanes;
	clusters->pipeline_cycles = config->pipeline_cycles;
	clusters->every = every;
	clusters->dispatch = dispatch;
	clusters->observer = observer;
	clusters->idle.cause = SPMM_STALL_IDLE;
	for (uint32_t i = 0; i < clusters->count; i++)
		cluster_init(&clusters->cluster[i]);
	ret = network_create(&clusters->in, config->clusters,
			     config->sram_port_bytes, config->sram_total_bytes);
	if (!ret)
		ret = network_create(&clusters->out, config->clusters,
				     config->sram_port_bytes,
				     config->sram_total_bytes);
	if (ret) {
		engine_clusters_destroy(clusters);
		return ret;
	}
	*out = clusters;
	return 0;
}

void engine_clusters_destroy(struct engine_clusters *clusters)
{
	if (!clusters)
		return;
	network_destroy(&clusters->in);
	network_destroy(&clusters->out);
	free(clusters);
}
