/* SPDX-License-Identifier: MIT */
#include <compact/number.h>

#define OPINIONS(array) (sizeof(array) / sizeof(struct opinion))

void number_reset(struct number_model *model)
{
	opinions_reset(model->length, OPINIONS(model->length), CODER_HALF, 0);
	opinions_reset(model->head[0], OPINIONS(model->head), CODER_HALF, 0);
	opinions_reset(model->tail, OPINIONS(model->tail), CODER_HALF, 0);
}

uint64_t number_code(struct number_model *model, const struct odds *odds,
		     struct coder *coder, uint64_t value)
{
	uint32_t length = value ? 64 - (uint32_t)__builtin_clzll(value) : 0;
	uint32_t rest, head;
	uint64_t number;

	length = opinion_tree(model->length, odds, coder, NUMBER_LENGTH_BITS,
			      length);
	if (length < 2)
		return length;
	rest = length - 1;
	head = rest < NUMBER_HEAD_BITS ? rest : NUMBER_HEAD_BITS;
	rest -= head;
	number = 1u << head |
		 opinion_tree(model->head[length], odds, coder, head,
			      (uint32_t)(value >> rest) & ((1u << head) - 1));
	while (rest--)
		number = number << 1 |
			 opinion_bit(&model->tail[rest], odds, coder,
				     (uint32_t)(value >> rest) & 1);
	return number;
}
