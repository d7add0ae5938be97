/* SPDX-License-Identifier: MIT */
#include "card_print.h"

#include "card.h"

#include <stdio.h>

#define NUMBER_SIZE 16

/* What does not exist is "-". */
static const char *or_dash(const char *text)
{
	return text[0] ? text : "-";
}

static const char *number_text(int number, char text[NUMBER_SIZE])
{
	snprintf(text, NUMBER_SIZE, number < 0 ? "-" : "%d", number);
	return text;
}

void card_link_text(const struct card_link *link, char text[CARD_LINK_SIZE])
{
	if (link->megatransfers && link->width)
		snprintf(text, CARD_LINK_SIZE, "%gGT/s x%u",
			 link->megatransfers / 1000.0, link->width);
	else
		snprintf(text, CARD_LINK_SIZE, "-");
}

static void put_links(const struct card *card, char text[2 * CARD_LINK_SIZE])
{
	char now[CARD_LINK_SIZE], max[CARD_LINK_SIZE];

	card_link_text(&card->link, now);
	card_link_text(&card->link_max, max);
	snprintf(text, 2 * CARD_LINK_SIZE, "%s of %s", now, max);
}

void card_print_head(void)
{
	printf("%-13s %-9s %5s  %-23s %4s  %s\n", "device", "driver", "group",
	       "link", "node", "uri");
}

void card_print_row(const struct card *card)
{
	char links[2 * CARD_LINK_SIZE], group[NUMBER_SIZE], node[NUMBER_SIZE];
	char uri[CARD_URI_SIZE];

	put_links(card, links);
	card_uri(card, uri);
	printf("%-13s %-9s %5s  %-23s %4s  %s\n", card->address,
	       or_dash(card->driver), number_text(card->iommu_group, group),
	       links, number_text(card->numa_node, node), or_dash(uri));
}

void card_print(const struct card *card)
{
	char links[2 * CARD_LINK_SIZE], group[NUMBER_SIZE], node[NUMBER_SIZE];

	put_links(card, links);
	printf("%s: driver %s, IOMMU group %s, link %s, NUMA node %s\n",
	       card->address, or_dash(card->driver),
	       number_text(card->iommu_group, group), links,
	       number_text(card->numa_node, node));
}

/* ---- for programs ---- */

/* What does not exist is null. */
static json_t *json_text(const char *text)
{
	return text[0] ? json_string(text) : json_null();
}

static json_t *json_number(int number)
{
	return number < 0 ? json_null() : json_integer(number);
}

static json_t *json_link(const struct card_link *link)
{
	if (!link->megatransfers || !link->width)
		return json_null();
	return json_pack("{s:f, s:i}", "gigatransfers",
			 link->megatransfers / 1000.0, "width",
			 (int)link->width);
}

json_t *card_json(const struct card *card)
{
	char uri[CARD_URI_SIZE];

	card_uri(card, uri);
	return json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "address",
			 card->address, "uri", json_text(uri), "driver",
			 json_text(card->driver), "iommu_group",
			 json_number(card->iommu_group), "numa_node",
			 json_number(card->numa_node), "link",
			 json_link(&card->link), "link_max",
			 json_link(&card->link_max), "slot_max",
			 json_link(&card->slot_max));
}
