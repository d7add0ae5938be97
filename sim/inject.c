/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <core/deadline.h>
#include <core/error.h>
#include <sim/control.h>
#include <sim/flight.h>
#include <sim/inject.h>
#include <sim/inject_hooks.h>
#include <sim/interrupt.h>
#include <sim/memory.h>

#define NS_PER_MS 1000000ull
#define FOREVER UINT64_MAX

/**
 * struct inject - the script of one device, and how far it has come
 * @script: the owner's
 * @host: the real way to it
 * @gone_until: monotonic ns, FOREVER, or 0: the device is there
 * @lasting: it is gone until it is plugged in anew
 * @states: of the rules; this and the next under sim_device.lock
 * @due: rules that fire at once wait for the device's thread
 */
struct inject {
	const struct inject_script *script;
	struct sim_host host;
	_Atomic uint64_t gone_until;
	_Atomic bool lasting;
	struct inject_state {
		bool armed;
		uint64_t seen;
		uint64_t fired;
	} states[INJECT_RULES_MAX];
	bool due;
};

static int host_read(void *opaque, uint64_t address, void *to, size_t length)
{
	struct sim_device *device = opaque;
	const struct sim_host *host = &device->inject->host;

	if (sim_device_gone(device))
		return -ENODEV;
	return host->dma_read(host->opaque, address, to, length);
}

static int host_write(void *opaque, uint64_t address, const void *from,
		      size_t length)
{
	struct sim_device *device = opaque;
	const struct sim_host *host = &device->inject->host;

	if (sim_device_gone(device))
		return -ENODEV;
	return host->dma_write(host->opaque, address, from, length);
}

static void host_interrupt(void *opaque, unsigned int vector)
{
	struct sim_device *device = opaque;
	const struct sim_host *host = &device->inject->host;

	if (!sim_device_gone(device))
		host->interrupt(host->opaque, vector);
}

/* The link is down: what comes back is a device after reset. The lock is held. */
static void gone_begin(struct sim_device *device,
		       const struct inject_rule *rule)
{
	struct inject *inject = device->inject;
	uint64_t until = FOREVER;

	if (rule->argument)
		until = deadline_after(rule->argument * NS_PER_MS);
	if (rule->end == INJECT_UNTIL_PLUG)
		atomic_store(&inject->lasting, true);
	atomic_store(&inject->gone_until, until);
	control_reset(device);
}

static bool rule_fires(const struct inject_rule *rule,
		       struct inject_state *state)
{
	if (!state->armed || state->seen++ < rule->after)
		return false;
	if (++state->fired >= rule->times)
		state->armed = false;
	return true;
}

/* The lock is held. */
static void rule_arm(struct sim_device *device, unsigned int index)
{
	const struct inject_rule *rule = &device->inject->script->rules[index];
	struct inject_state *state = &device->inject->states[index];

	*state = (struct inject_state){ .armed = true };
	if (!rule->now)
		return;
	if (rule->action == INJECT_GONE && rule_fires(rule, state))
		gone_begin(device, rule);
	device->inject->due = true;
}

/* As the script has it at its beginning; the lock is held. */
static void script_begin(struct sim_device *device)
{
	const struct inject_script *script = device->inject->script;

	memset(device->inject->states, 0, sizeof(device->inject->states));
	for (unsigned int i = 0; i < script->rule_count; i++)
		if (script->rules[i].armed)
			rule_arm(device, i);
}

int inject_create(struct sim_device *device)
{
	struct inject *inject;

	if (!device->options.faults)
		return 0;
	inject = calloc(1, sizeof(*inject));
	if (!inject)
		return accel_error(-ENOMEM, "no memory for a fault script");
	inject->script = device->options.faults;
	inject->host = device->host;
	device->inject = inject;
	device->host = (struct sim_host){
		.opaque = device,
		.dma_read = host_read,
		.dma_write = host_write,
		.interrupt = host_interrupt,
	};
	pthread_mutex_lock(&device->lock);
	script_begin(device);
	pthread_mutex_unlock(&device->lock);
	return 0;
}

void inject_destroy(struct sim_device *device)
{
	free(device->inject);
	device->inject = NULL;
}

/* Whoever sees first that the device is back clears what was seen of it meanwhile. */
static void gone_end(struct sim_device *device, uint64_t until)
{
	if (atomic_compare_exchange_strong(&device->inject->gone_until, &until,
					   0))
		sim_memory_clear(device);
}

void inject_reset(struct sim_device *device)
{
	uint64_t until;

	if (!device->inject || atomic_load(&device->inject->lasting))
		return;
	until = atomic_load(&device->inject->gone_until);
	if (until)
		gone_end(device, until);
}

bool sim_device_gone(struct sim_device *device)
{
	uint64_t until;

	if (!device->inject)
		return false;
	until = atomic_load(&device->inject->gone_until);
	if (!until)
		return false;
	if (!deadline_expired(until))
		return true;
	gone_end(device, until);
	return false;
}

unsigned int sim_device_faults(const struct sim_device *device)
{
	return device->inject ? device->inject->script->fault_count : 0;
}

void sim_device_arm(struct sim_device *device, unsigned int fault)
{
	struct inject *inject = device->inject;

	if (!inject)
		return;
	pthread_mutex_lock(&device->lock);
	for (unsigned int i = 0; i < inject->script->rule_count; i++) {
		if (!fault)
			inject->states[i].armed = false;
		else if (inject->script->rules[i].fault == fault)
			rule_arm(device, i);
	}
	control_kick(device);
	pthread_mutex_unlock(&device->lock);
}

bool sim_device_fault(struct sim_device *device, unsigned int fault,
		      struct inject_fault *out)
{
	struct inject *inject = device->inject;
	uint64_t fired = 0;

	if (!fault || fault > sim_device_faults(device))
		return false;
	*out = (struct inject_fault){ .name = inject->script->names[fault] };
	pthread_mutex_lock(&device->lock);
	for (unsigned int i = 0; i < inject->script->rule_count; i++) {
		if (inject->script->rules[i].fault != fault)
			continue;
		fired += inject->states[i].fired;
		out->armed |= inject->states[i].armed;
	}
	pthread_mutex_unlock(&device->lock);
	out->fired = fired < UINT32_MAX ? (uint32_t)fired : UINT32_MAX;
	return true;
}

void sim_device_replug(struct sim_device *device)
{
	if (device->inject)
		atomic_store(&device->inject->lasting, false);
	sim_device_reset(device);
	if (!device->inject)
		return;
	pthread_mutex_lock(&device->lock);
	script_begin(device);
	control_kick(device);
	pthread_mutex_unlock(&device->lock);
}

static bool rule_watches(const struct inject_rule *rule,
			 const struct sim_sq *queue, unsigned int opcode)
{
	return !rule->now && rule->admin == !queue->id &&
	       (!rule->queue || rule->queue == queue->id) &&
	       (rule->opcode == INJECT_ANY || rule->opcode == opcode);
}

const struct inject_rule *inject_take(struct sim_device *device,
				      enum inject_action action,
				      const struct sim_sq *queue,
				      unsigned int opcode)
{
	struct inject *inject = device->inject;
	const struct inject_rule *found = NULL;

	pthread_mutex_lock(&device->lock);
	for (unsigned int i = 0; i < inject->script->rule_count && !found;
	     i++) {
		const struct inject_rule *rule = &inject->script->rules[i];

		if (rule->action == action &&
		    rule_watches(rule, queue, opcode) &&
		    rule_fires(rule, &inject->states[i]))
			found = rule;
	}
	pthread_mutex_unlock(&device->lock);
	return found;
}

void inject_gone(struct sim_device *device, const struct inject_rule *rule)
{
	pthread_mutex_lock(&device->lock);
	gone_begin(device, rule);
	pthread_mutex_unlock(&device->lock);
}

/* A rule that fires at once, NULL if there is none left. */
static const struct inject_rule *now_take(struct sim_device *device)
{
	struct inject *inject = device->inject;
	const struct inject_rule *found = NULL;

	pthread_mutex_lock(&device->lock);
	for (unsigned int i = 0;
	     inject->due && i < inject->script->rule_count && !found; i++)
		if (inject->script->rules[i].now &&
		    rule_fires(&inject->script->rules[i], &inject->states[i]))
			found = &inject->script->rules[i];
	if (!found)
		inject->due = false;
	pthread_mutex_unlock(&device->lock);
	return found;
}

void inject_serve(struct sim_device *device)
{
	const struct inject_rule *rule;

	if (!device->inject)
		return;
	while ((rule = now_take(device))) {
		if (rule->action == INJECT_INTERRUPT)
			interrupt_raise(device,
					rule->argument ?
						(unsigned)rule->argument - 1 :
						0);
		else if (rule->action == INJECT_FATAL)
			flights_fail(device);
		else
			inject_gone(device, rule);
	}
}
