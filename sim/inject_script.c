/* SPDX-License-Identifier: MIT */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <core/error.h>
#include <sim/config.h>
#include <sim/inject.h>
#include <sim/inject_script.h>
#include <spmm/queue.h>
#include <spmm/registers.h>

#define LINE_BYTES 512
#define LIST_BYTES 384

/* Of one that fires when it is armed: nobody wants to wait for more. */
#define NOW_TIMES_MAX 1000

enum argument_kind {
	ARGUMENT_NONE,
	ARGUMENT_MS, /* must be there */
	ARGUMENT_MS_MAYBE,
	ARGUMENT_ADDRESS, /* may be there, as the following */
	ARGUMENT_VECTOR,
	ARGUMENT_FIELD, /* must be there */
};

/* Nothing is behind it without an IOMMU either, and an IOMMU maps nothing there. */
#define ADDRESS_USUAL 0xdead00000000ull

/**
 * struct action_form - what may follow an action's name
 * @admin: it may be on admin commands
 * @io: it may be on commands of I/O queues
 * @now: it may fire when it is armed
 * @first: of what may end it
 * @last: likewise; before @first if it does not last
 */
struct action_form {
	const char *name;
	enum argument_kind argument;
	bool io;
	bool admin;
	bool now;
	enum inject_end first;
	enum inject_end last;
};

#define ENDS_AT_ONCE .first = INJECT_UNTIL_COUNT

static const struct action_form forms[INJECT_ACTION_COUNT] = {
	[INJECT_HANG] = { .name = "hang",
			  .io = true,
			  .admin = true,
			  .first = INJECT_UNTIL_ABORT,
			  .last = INJECT_UNTIL_DEVICE },
	[INJECT_SLOW] = { "slow", ARGUMENT_MS, .io = true, .admin = true,
			  ENDS_AT_ONCE },
	[INJECT_MEMORY_ERROR] = { "memory_error", .io = true, ENDS_AT_ONCE },
	[INJECT_DMA_READ] = { "dma_read", ARGUMENT_ADDRESS, .io = true,
			      ENDS_AT_ONCE },
	[INJECT_DMA_WRITE] = { "dma_write", ARGUMENT_ADDRESS, .io = true,
			       ENDS_AT_ONCE },
	[INJECT_FATAL] = { "fatal", .io = true, .admin = true, .now = true,
			   ENDS_AT_ONCE },
	[INJECT_GONE] = { "gone", ARGUMENT_MS_MAYBE, .io = true, .admin = true,
			  .now = true, INJECT_UNTIL_RESET, INJECT_UNTIL_PLUG },
	[INJECT_CORRUPT] = { "corrupt", ARGUMENT_FIELD, .io = true,
			     .admin = true, ENDS_AT_ONCE },
	[INJECT_REPEAT] = { "repeat", .io = true, .admin = true, ENDS_AT_ONCE },
	[INJECT_DROP] = { "drop", .io = true, .admin = true, ENDS_AT_ONCE },
	[INJECT_LOSE_INTERRUPT] = { "lose_interrupt", .io = true, .admin = true,
				    ENDS_AT_ONCE },
	[INJECT_INTERRUPT] = { "interrupt", ARGUMENT_VECTOR, .io = true,
			       .admin = true, .now = true, ENDS_AT_ONCE },
	[INJECT_IGNORE] = { "ignore", .admin = true, ENDS_AT_ONCE },
};

static const char *const ends[INJECT_UNTIL_COUNT] = {
	"abort", "context", "queue", "device", "reset", "plug",
};

static const char *const fields[INJECT_FIELD_COUNT] = {
	"id", "head", "queue", "status", "phase",
};

struct opcode_name {
	const char *name;
	bool admin;
	unsigned int opcode;
};

static const struct opcode_name opcodes[] = {
	{ "any", false, INJECT_ANY },
	{ "nop", false, SPMM_IO_NOP },
	{ "fence", false, SPMM_IO_FENCE },
	{ "copy", false, SPMM_IO_COPY },
	{ "copy_strided", false, SPMM_IO_COPY_STRIDED },
	{ "spmm", false, SPMM_IO_SPMM },
	{ "eltwise", false, SPMM_IO_ELTWISE },
	{ "recurrent", false, SPMM_IO_RECURRENT },
	{ "list", false, SPMM_IO_LIST },
	{ "semaphore_wait", false, SPMM_IO_SEMAPHORE_WAIT },
	{ "semaphore_signal", false, SPMM_IO_SEMAPHORE_SIGNAL },
	{ "timestamp", false, SPMM_IO_TIMESTAMP },
	{ "admin", true, INJECT_ANY },
	{ "create_cq", true, SPMM_ADMIN_CREATE_CQ },
	{ "delete_cq", true, SPMM_ADMIN_DELETE_CQ },
	{ "create_sq", true, SPMM_ADMIN_CREATE_SQ },
	{ "delete_sq", true, SPMM_ADMIN_DELETE_SQ },
	{ "create_context", true, SPMM_ADMIN_CREATE_CONTEXT },
	{ "delete_context", true, SPMM_ADMIN_DELETE_CONTEXT },
	{ "set_page_table", true, SPMM_ADMIN_SET_PAGE_TABLE },
	{ "invalidate", true, SPMM_ADMIN_INVALIDATE },
	{ "abort", true, SPMM_ADMIN_ABORT },
	{ "reset_context", true, SPMM_ADMIN_RESET_CONTEXT },
	{ "get_log", true, SPMM_ADMIN_GET_LOG },
	{ "set_priority", true, SPMM_ADMIN_SET_PRIORITY },
};

#define OPCODE_COUNT (sizeof(opcodes) / sizeof(opcodes[0]))

/**
 * struct words - what is left of a line
 * @next: the next word, or NULL at the end
 * @rest: of strtok_r()
 * @seen: options so far, a bit for each
 */
struct words {
	char *next;
	char *rest;
	unsigned int seen;
};

static char *word_take(struct words *words)
{
	char *word = words->next;

	if (word)
		words->next = strtok_r(NULL, " \t\r\n", &words->rest);
	return word;
}

static void list_add(char *list, const char *name)
{
	size_t used = strlen(list);

	snprintf(list + used, LIST_BYTES - used, "%s%s", used ? " " : "", name);
}

/* The index of a word among names, or −EINVAL with a text that has them. */
static int name_find(const char *word, const char *const *names,
		     unsigned int first, unsigned int last)
{
	char list[LIST_BYTES] = "";

	for (unsigned int i = first; i <= last; i++) {
		if (word && !strcmp(word, names[i]))
			return (int)i;
		list_add(list, names[i]);
	}
	return accel_error(-EINVAL, "'%s' is none of: %s", word ? word : "",
			   list);
}

static int action_find(const char *word)
{
	const char *names[INJECT_ACTION_COUNT];

	for (unsigned int i = 0; i < INJECT_ACTION_COUNT; i++)
		names[i] = forms[i].name;
	return name_find(word, names, 0, INJECT_ACTION_COUNT - 1);
}

static int number_take(struct words *words, uint64_t most, uint64_t *out)
{
	const char *word = word_take(words);

	if (word && sim_config_number(word, out) && *out <= most)
		return 0;
	return accel_error(-EINVAL, "'%s' is no number up to %llu",
			   word ? word : "", (unsigned long long)most);
}

static int on_take(struct words *words, struct inject_rule *rule)
{
	const char *names[OPCODE_COUNT];
	int index;

	for (unsigned int i = 0; i < OPCODE_COUNT; i++)
		names[i] = opcodes[i].name;
	index = name_find(word_take(words), names, 0, OPCODE_COUNT - 1);
	if (index < 0)
		return index;
	rule->admin = opcodes[index].admin;
	rule->opcode = opcodes[index].opcode;
	if (rule->admin ? forms[rule->action].admin : forms[rule->action].io)
		return 0;
	return accel_error(-EINVAL, "%s cannot be on %s",
			   forms[rule->action].name, opcodes[index].name);
}

static int until_take(struct words *words, struct inject_rule *rule)
{
	const struct action_form *form = &forms[rule->action];
	int end;

	if (form->first > form->last)
		return accel_error(-EINVAL, "%s does not last until anything",
				   form->name);
	end = name_find(word_take(words), ends, form->first, form->last);
	if (end < 0)
		return end;
	rule->end = (enum inject_end)end;
	return 0;
}

static int queue_take(struct words *words, struct inject_rule *rule)
{
	uint64_t number;
	int ret = number_take(words, SPMM_IO_QUEUES_MAX, &number);

	rule->queue = ret ? 0 : (unsigned int)number;
	return ret;
}

static int after_take(struct words *words, struct inject_rule *rule)
{
	return number_take(words, INJECT_ALWAYS - 1, &rule->after);
}

static int times_take(struct words *words, struct inject_rule *rule)
{
	return number_take(words, INJECT_ALWAYS - 1, &rule->times);
}

static int always_take(struct words *words, struct inject_rule *rule)
{
	(void)words;
	rule->times = INJECT_ALWAYS;
	return 0;
}

static int now_take(struct words *words, struct inject_rule *rule)
{
	(void)words;
	rule->now = true;
	return 0;
}

static int armed_take(struct words *words, struct inject_rule *rule)
{
	(void)words;
	rule->armed = true;
	return 0;
}

static int engine_take(struct words *words, struct inject_rule *rule)
{
	(void)words;
	rule->engine = true;
	return 0;
}

static const struct option {
	const char *name;
	int (*take)(struct words *words, struct inject_rule *rule);
} options[] = {
	{ "on", on_take },	   { "queue", queue_take },
	{ "after", after_take },   { "times", times_take },
	{ "always", always_take }, { "until", until_take },
	{ "now", now_take },	   { "armed", armed_take },
	{ "engine", engine_take },
};

#define OPTION_COUNT (sizeof(options) / sizeof(options[0]))

static int option_take(struct words *words, struct inject_rule *rule)
{
	const char *names[OPTION_COUNT];
	const char *word = word_take(words);
	int index;

	for (unsigned int i = 0; i < OPTION_COUNT; i++)
		names[i] = options[i].name;
	index = name_find(word, names, 0, OPTION_COUNT - 1);
	if (index < 0)
		return index;
	if (words->seen & 1u << index)
		return accel_error(-EINVAL, "'%s' comes twice", word);
	words->seen |= 1u << index;
	return options[index].take(words, rule);
}

static bool number_comes(const struct words *words)
{
	return words->next && isdigit((unsigned char)*words->next);
}

static int field_take(struct words *words, struct inject_rule *rule)
{
	int field =
		name_find(word_take(words), fields, 0, INJECT_FIELD_COUNT - 1);

	if (field < 0)
		return field;
	rule->argument = (uint64_t)field;
	return 0;
}

static int argument_take(struct words *words, struct inject_rule *rule)
{
	/* The device's clock counts nanoseconds. */
	const uint64_t ms_most = 1000000000;
	int ret;

	switch (forms[rule->action].argument) {
	case ARGUMENT_NONE:
		return 0;
	case ARGUMENT_MS:
		return number_take(words, ms_most, &rule->argument);
	case ARGUMENT_MS_MAYBE:
		return number_comes(words) ?
			       number_take(words, ms_most, &rule->argument) :
			       0;
	case ARGUMENT_ADDRESS:
		rule->argument = ADDRESS_USUAL;
		return number_comes(words) ?
			       number_take(words, UINT64_MAX, &rule->argument) :
			       0;
	case ARGUMENT_VECTOR:
		if (!number_comes(words))
			return 0;
		ret = number_take(words, SPMM_MSIX_VECTORS - 1,
				  &rule->argument);
		rule->argument++;
		return ret;
	case ARGUMENT_FIELD:
		return field_take(words, rule);
	}
	return 0;
}

/* What no word by itself can say. */
static int rule_check(const struct inject_rule *rule)
{
	const struct action_form *form = &forms[rule->action];

	if (rule->engine && (rule->action != INJECT_HANG || rule->admin))
		return accel_error(-EINVAL,
				   "only a hang on commands of I/O queues is "
				   "one of the engine");
	if (rule->argument && rule->end == INJECT_UNTIL_PLUG)
		return accel_error(-EINVAL,
				   "gone lasts either so many milliseconds or "
				   "until plug");
	if (rule->admin && rule->queue)
		return accel_error(-EINVAL, "admin commands have no queue");
	if (!rule->times)
		return accel_error(-EINVAL, "times 0 would never fire");
	if (!rule->now)
		return 0;
	if (!form->now)
		return accel_error(-EINVAL, "%s needs a command: without now",
				   form->name);
	if (rule->times > NOW_TIMES_MAX || rule->after)
		return accel_error(-EINVAL,
				   "now takes no after, and at most times %d",
				   NOW_TIMES_MAX);
	return 0;
}

static int rule_parse(char *text, struct inject_rule *rule)
{
	struct words words = { 0 };
	int action, ret;

	words.next = strtok_r(text, " \t\r\n", &words.rest);
	action = action_find(word_take(&words));
	if (action < 0)
		return action;
	*rule = (struct inject_rule){
		.action = (enum inject_action)action,
		.end = forms[action].first,
		.admin = !forms[action].io,
		.opcode = INJECT_ANY,
		.times = 1,
	};
	ret = argument_take(&words, rule);
	while (!ret && words.next)
		ret = option_take(&words, rule);
	return ret ? ret : rule_check(rule);
}

static bool name_valid(const char *name)
{
	size_t length = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_");

	return length && !name[length] && length < SPMM_INJECTION_NAME_BYTES;
}

/* Of a name that is new the next number. */
static unsigned int fault_number(struct inject_script *script, const char *name)
{
	for (unsigned int i = 1; i <= script->fault_count; i++)
		if (!strcmp(script->names[i], name))
			return i;
	strcpy(script->names[++script->fault_count], name);
	return script->fault_count;
}

static int line_parse(struct inject_script *script, char *line)
{
	struct inject_rule *rule = &script->rules[script->rule_count];
	char *colon = strchr(line, ':');
	char *name, *rest;
	int ret;

	if (!colon)
		return accel_error(-EINVAL, "a rule is 'NAME: ACTION ...'");
	*colon = '\0';
	name = strtok_r(line, " \t\r\n", &rest);
	if (!name || strtok_r(NULL, " \t\r\n", &rest) || !name_valid(name))
		return accel_error(-EINVAL,
				   "a name is of up to %d of a-z, 0-9 and _",
				   SPMM_INJECTION_NAME_BYTES - 1);
	if (script->rule_count == INJECT_RULES_MAX)
		return accel_error(-EINVAL, "more than %d rules",
				   INJECT_RULES_MAX);
	ret = rule_parse(colon + 1, rule);
	if (ret)
		return ret;
	rule->fault = fault_number(script, name);
	script->rule_count++;
	return 0;
}

static int lines_parse(struct inject_script *script, FILE *file,
		       const char *name)
{
	unsigned int number = 0;
	char line[LINE_BYTES];

	while (fgets(line, sizeof(line), file)) {
		int ret = 0;

		number++;
		if (strlen(line) == sizeof(line) - 1)
			return accel_error(-EINVAL,
					   "%s:%u: the line is too long", name,
					   number);
		line[strcspn(line, "#")] = '\0';
		if (line[strspn(line, " \t\r\n")])
			ret = line_parse(script, line);
		if (ret)
			return accel_error_prefix(ret, "%s:%u", name, number);
	}
	if (ferror(file))
		return accel_error(-EIO, "%s: cannot be read", name);
	return 0;
}

int inject_script_read(FILE *file, const char *name, struct inject_script **out)
{
	struct inject_script *script = calloc(1, sizeof(*script));
	int ret;

	*out = NULL;
	if (!script)
		return accel_error(-ENOMEM, "no memory for a fault script");
	ret = lines_parse(script, file, name);
	if (!ret && !script->rule_count)
		ret = accel_error(-EINVAL, "%s: there is no rule in it", name);
	if (ret)
		inject_script_free(script);
	else
		*out = script;
	return ret;
}

int inject_script_load(const char *path, struct inject_script **out)
{
	FILE *file = fopen(path, "re");
	int ret;

	*out = NULL;
	if (!file)
		return accel_error(-errno, "%s: %s", path, strerror(errno));
	ret = inject_script_read(file, path, out);
	fclose(file);
	return ret;
}

void inject_script_free(struct inject_script *script)
{
	free(script);
}
