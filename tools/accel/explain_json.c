/* SPDX-License-Identifier: MIT */
#include "explanation.h"

#include "json_print.h"

/* The keys are an interface: see Documentation/accel.rst. */

static void set_count(json_t *object, const char *key, uint64_t value)
{
	json_object_set_new(object, key, json_integer((json_int_t)value));
}

/* What was not measured is null. */
static void set_measure(json_t *object, const char *key, double value)
{
	json_object_set_new(object, key,
			    value > 0 ? json_real(value) : json_null());
}

static void set_sizes(json_t *object, const struct accel_layer_info *cost)
{
	set_count(object, "m", cost->m);
	set_count(object, "k", cost->k);
	set_count(object, "n", cost->n);
	set_count(object, "nnz", cost->nnz);
	set_count(object, "macs", cost->macs);
	set_count(object, "macs_dense", cost->macs_dense);
	set_count(object, "bytes_weights", cost->bytes_weights);
	set_count(object, "bytes_input", cost->bytes_input);
	set_count(object, "bytes_output", cost->bytes_output);
}

/* Of the run's own time, whatever the device did before it. */
static void set_moment(json_t *object, const char *key,
		       const struct accel_layer_info *run, uint64_t cycle)
{
	json_object_set_new(
		object, key,
		cycle ? json_integer((json_int_t)(cycle - run->first_cycle)) :
			json_null());
}

static void set_costs(json_t *object, const struct accel_layer_info *cost)
{
	set_count(object, "cycles", cost->cycles);
	set_count(object, "roof_hard_cycles", cost->roof_hard_cycles);
	set_count(object, "roof_structural_cycles",
		  cost->roof_structural_cycles);
	json_object_set_new(object, "utilization",
			    json_real(cost->utilization));
	set_count(object, "issue_cycles", cost->issue_cycles);
	set_count(object, "optimal_cycles", cost->optimal_cycles);
	set_count(object, "bytes_dram", cost->bytes_dram);
	set_count(object, "dram_activates", cost->dram_activates);
	set_count(object, "bytes_sram", cost->bytes_sram);
	set_count(object, "bytes_pcie", cost->bytes_pcie);
}

static json_t *shares_json(const int shares[ACCEL_STALL_CAUSES])
{
	json_t *object = json_object();

	for (int i = 0; i < ACCEL_STALL_CAUSES; i++)
		json_object_set_new(object, stall_causes()[i].key,
				    json_real(100.0 * shares[i] / STALL_WHOLE));
	return object;
}

static json_t *stall_json(const uint64_t stall[ACCEL_STALL_CAUSES])
{
	json_t *object = json_object();

	for (int i = 0; i < ACCEL_STALL_CAUSES; i++)
		set_count(object, stall_causes()[i].key, stall[i]);
	return object;
}

/* Null where there is no estimate: a zero would be one. */
static json_t *energy_json(const struct energy_table *table,
			   const struct energy *energy)
{
	json_t *object;

	if (energy->total <= 0)
		return json_null();
	object = json_object();
	for (int i = 0; i < ENERGY_KINDS; i++)
		json_object_set_new(object, table->actions[i].key,
				    json_real(energy->joules[i]));
	json_object_set_new(object, "total", json_real(energy->total));
	return object;
}

/* The same for a layer and for the total, which has the network's own roofs. */
static json_t *layer_json(const struct explanation *explanation,
			  const struct explained_layer *layer)
{
	const struct accel_layer_info *run = &explanation->total.cost;
	const struct verdict *verdict = &layer->verdict;
	json_t *object = json_pack("{s:s, s:s, s:f}", "name", layer->cost.name,
				   "op", layer->cost.op, "density",
				   layer->density);

	set_sizes(object, &layer->cost);
	set_costs(object, &layer->cost);
	set_moment(object, "start_cycle", run, layer->cost.first_cycle);
	set_moment(object, "work_cycle", run, layer->cost.work_cycle);
	set_moment(object, "end_cycle", run, layer->cost.last_cycle);
	set_measure(object, "schedule", layer->schedule);
	set_measure(object, "device_seconds", layer->device_seconds);
	set_measure(object, "cpu_seconds", layer->cpu_seconds);
	set_measure(object, "dense_seconds", layer->dense_seconds);
	set_measure(object, "link_seconds_alone", layer->link_seconds);
	json_object_set_new(object, "stall_lane_cycles",
			    stall_json(layer->cost.stall));
	json_object_set_new(object, "stall_percent",
			    shares_json(layer->shares));
	json_object_set_new(object, "energy_estimate_joules",
			    energy_json(&explanation->table, &layer->energy));
	json_object_set_new(object, "verdict",
			    json_pack("{s:s, s:s, s:s}", "worth",
				      verdict_worth_key(verdict->worth),
				      "reason",
				      verdict_reason_key(verdict->reason),
				      "text", verdict->text));
	return object;
}

static json_t *actions_json(const struct energy_table *table)
{
	json_t *array = json_array();

	for (int i = 0; i < ENERGY_KINDS; i++) {
		const struct energy_action *action = &table->actions[i];

		json_array_append_new(
			array, json_pack("{s:s, s:s, s:f, s:s}", "key",
					 action->key, "name", action->name,
					 "picojoules", action->picojoules,
					 "source", action->source));
	}
	return array;
}

/* What fails in between is missing memory, which json_print() will meet. */
int explanation_print_json(const struct explanation *explanation)
{
	const struct energy_table *table = &explanation->table;
	json_t *layers = json_array();

	for (uint32_t i = 0; i < explanation->count; i++)
		json_array_append_new(layers,
				      layer_json(explanation,
						 &explanation->layers[i]));
	return json_print(json_pack(
		"{s:s, s:s, s:I, s:o, s:o, s:s, s:o, s:s}", "model",
		explanation->model, "device", explanation->device.uri, "batch",
		(json_int_t)explanation->batch, "total",
		layer_json(explanation, &explanation->total), "layers", layers,
		"energy_estimate_memory", table->memory,
		"energy_estimate_figures", actions_json(table), "summary",
		explanation->summary));
}
