/* SPDX-License-Identifier: MIT */
/* accel bind: which driver has a card. */
#include "card.h"
#include "command.h"
#include "driver_bind.h"
#include "options.h"

#include <core/error.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* "" for none, NULL for what is no driver of the device. */
static const char *parse_driver(const char *text)
{
	if (!strcmp(text, "none"))
		return "";
	if (!strcmp(text, CARD_DRIVER_KERNEL) ||
	    !strcmp(text, CARD_DRIVER_VFIO))
		return text;
	return NULL;
}

static int find_named(const char *name, struct card_list *list,
		      const struct card **card)
{
	int ret = card_list_find(list);

	if (ret)
		return ret;
	*card = card_named(list, name);
	if (*card)
		return 0;
	card_list_free(list);
	return accel_error(
		-ENODEV,
		"%s: no spmm device of this machine: accel list names them",
		name);
}

/* As it is afterwards: the node's number is known only then. */
static int print_result(const char *address, const char *before)
{
	char uri[CARD_URI_SIZE];
	struct card_list list;
	const struct card *card;
	int ret = find_named(address, &list, &card);

	if (ret)
		return ret;
	card_uri(card, uri);
	printf("%s: driver %s, was %s%s%s\n", card->address,
	       card->driver[0] ? card->driver : "none",
	       before[0] ? before : "none", uri[0] ? "; open it as " : "", uri);
	card_list_free(&list);
	return 0;
}

static int bind_card(const char *name, const char *driver, double timeout)
{
	struct card_list list;
	const struct card *card;
	int ret = find_named(name, &list, &card);

	if (ret)
		return ret;
	ret = driver_bind(card, driver, (uint64_t)(timeout * 1e9));
	if (!ret)
		ret = print_result(card->address, card->driver);
	card_list_free(&list);
	return ret;
}

int command_bind(int count, char **arguments)
{
	double timeout = 10;
	const struct option options[] = {
		{ "timeout", 0, OPTION_SECONDS, &timeout, "SECONDS",
		  "that a driver may take, 10" },
		{ .name = NULL },
	};
	const struct option_usage usage = {
		.command = "bind",
		.synopsis = "DEVICE vfio-pci|spmm|none [--timeout SECONDS]",
		.about =
			"Binds a PCI device, named by its address or URI, to a driver: vfio-pci for\n"
			"vfio:, spmm, the kernel module, for dev:. If that fails it keeps the one it has.",
		.options = options,
		.operands_min = 2,
		.operands_max = 2,
	};
	const char *operands[2], *driver;
	int status;

	if (!options_parse(&usage, count, arguments, operands, &status))
		return status;
	driver = parse_driver(operands[1]);
	if (!driver)
		return options_misuse(&usage,
				      "%s: it takes vfio-pci, spmm or none",
				      operands[1]);
	return bind_card(operands[0], driver, timeout) ? command_fail("bind") :
							 STATUS_OK;
}
