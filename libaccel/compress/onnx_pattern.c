/* SPDX-License-Identifier: MIT */
/*
 * Operands are compared where they stand: a + b is not b + a. What is looked for
 * was written by one program, and recursion is as deep as the rule's text.
 */
#include <compress/onnx_context.h>
#include <compress/onnx_pattern.h>

#include <stdlib.h>
#include <string.h>

const Onnx__NodeProto *onnx_pattern_producer(const struct onnx_pattern *pattern,
					     const char *name, size_t *output)
{
	for (int g = 0; g < 2; g++) {
		const Onnx__GraphProto *graph = pattern->graphs[g];

		for (size_t i = 0; graph && i < graph->n_node; i++)
			for (size_t k = 0; k < graph->node[i]->n_output; k++)
				if (!strcmp(graph->node[i]->output[k], name)) {
					*output = k;
					return graph->node[i];
				}
	}
	return NULL;
}

static bool attributes_fit(const Onnx__NodeProto *proto)
{
	const struct onnx_node node = { proto, "" };
	bool cast = !strcmp(proto->op_type, "Cast");
	bool split = !strcmp(proto->op_type, "Split");
	int64_t value = 0;

	if (!cast && !split)
		return !proto->n_attribute;
	return proto->n_attribute == 1 &&
	       !onnx_attribute_integer(&node, cast ? "to" : "axis", &value) &&
	       value == 1; /* which is float, too */
}

/* "Split.1" at the text, which moves behind it. */
static bool node_fits(const Onnx__NodeProto *node, size_t output,
		      const char **text)
{
	size_t length = strcspn(*text, ". )");
	const char *op = *text;
	unsigned long wanted = 0;
	char *end;

	*text += length;
	if (**text == '.') {
		wanted = strtoul(*text + 1, &end, 10);
		*text = end;
	}
	return node && node->op_type && (!node->domain || !*node->domain) &&
	       strlen(node->op_type) == length &&
	       !strncmp(node->op_type, op, length) && output == wanted &&
	       attributes_fit(node);
}

static bool variable_fits(struct onnx_pattern *pattern, char letter,
			  const char *name)
{
	const char **known = &pattern->names[(unsigned char)letter & 127];

	if (!*known)
		*known = name;
	return !strcmp(*known, name);
}

static bool value_fits(struct onnx_pattern *pattern, const char *name,
		       const char **text)
{
	const Onnx__NodeProto *node;
	size_t output = 0, count = 0;

	if (**text != '(')
		return variable_fits(pattern, *(*text)++, name);
	(*text)++;
	node = onnx_pattern_producer(pattern, name, &output);
	if (!node_fits(node, output, text))
		return false;
	while (**text == ' ') {
		(*text)++;
		if (count >= node->n_input ||
		    !value_fits(pattern, node->input[count++], text))
			return false;
	}
	(*text)++; /* the closing one */
	return count == node->n_input;
}

bool onnx_pattern_match(struct onnx_pattern *pattern,
			const struct onnx_rule *rules, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const char *text = rules[i].text;
		const char *name = pattern->names[(int)rules[i].name];

		if (!name || !value_fits(pattern, name, &text))
			return false;
	}
	return true;
}
