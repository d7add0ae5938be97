/* SPDX-License-Identifier: MIT */
/* Is part of an ONNX graph what a text says? */
#ifndef COMPRESS_ONNX_PATTERN_H
#define COMPRESS_ONNX_PATTERN_H

#include <onnx.pb-c.h>

#include <stdbool.h>
#include <stddef.h>

/**
 * struct onnx_pattern - names that were found so far
 * @graphs: where nodes are looked for: a body and the graph around it, or NULL
 * @names: the value that each letter or digit stands for, or NULL
 */
struct onnx_pattern {
	const Onnx__GraphProto *graphs[2];
	const char *names[128];
};

/**
 * struct onnx_rule - what a value has to be the result of
 * @name: letter that stands for it; has its value when the rule's turn comes
 * @text: "(Mul (Sigmoid (Split.1 g s)) c)": operators with all of their inputs.
 *	.1 is the output, 0 without; a letter stands for one value everywhere
 */
struct onnx_rule {
	char name;
	const char *text;
};

/**
 * onnx_pattern_match() - do all rules hold?
 *
 * Cast is one to float, Split one of axis 1; no other operator has attributes.
 */
bool onnx_pattern_match(struct onnx_pattern *pattern,
			const struct onnx_rule *rules, size_t count);

/** onnx_pattern_producer() - the node with this output, whose number is set */
const Onnx__NodeProto *onnx_pattern_producer(const struct onnx_pattern *pattern,
					     const char *name, size_t *output);

#endif
