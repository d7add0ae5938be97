/* SPDX-License-Identifier: MIT */
/* What comes first: that weights go, or that those which stay become codes. */
#ifndef COMPRESS_COMPRESS_ORDER_H
#define COMPRESS_COMPRESS_ORDER_H

struct compress_options;

/**
 * enum compress_order - of pruning and quantization
 * @COMPRESS_PRUNE_FIRST: what stays is rounded at the end
 * @COMPRESS_QUANTIZE_FIRST: weights become codes of the dense layer, of which some go. For
 *	methods that only choose
 * @COMPRESS_JOINT: each weight goes or becomes a code in one walk, and those behind it take
 *	over for both. For methods that are joint
 */
enum compress_order {
	COMPRESS_PRUNE_FIRST,
	COMPRESS_QUANTIZE_FIRST,
	COMPRESS_JOINT,
};

/* pq, qp or joint; −EINVAL with a text for anything else. */
int compress_order_parse(const char *text, enum compress_order *order);

/* The same text, for reports. */
const char *compress_order_name(enum compress_order order);

/* Can it be had with all else that the options say? 0, or −ENOTSUP with a text. */
int compress_order_check(const struct compress_options *options);

#endif
