/* SPDX-License-Identifier: MIT */
#include <compress/operator.h>
#include <compress/recurrent_pass.h>

#include <string.h>

enum { Y, LAST_HIDDEN, LAST_CELL };

static float *optional_output(const struct operator_call *call, int index)
{
	return index < call->node->output_count ? call->outputs[index].values :
						  NULL;
}

static void state_store(float *last, const float *state, int64_t direction,
			int64_t count)
{
	if (last)
		memcpy(last + direction * count, state,
		       (size_t)count * sizeof(*state));
}

static int recurrent(const struct operator_call *call)
{
	int64_t directions = recurrent_directions(call->node);
	float *y = optional_output(call, Y);

	for (int64_t d = 0; d < directions; d++) {
		struct recurrent_pass pass =
			recurrent_pass_create(call->node, call->inputs, d);
		int64_t count = pass.batch * pass.hidden;
		int ret;

		recurrent_pass_place(&pass, call->workspace);
		recurrent_pass_load(&pass, call->node, call->inputs, d);
		pass.y = y ? y + d * pass.hidden : NULL;
		pass.y_stride = directions * pass.hidden;
		ret = recurrent_pass_run(&pass);
		if (ret)
			return ret;
		state_store(optional_output(call, LAST_HIDDEN), pass.h, d,
			    count);
		state_store(optional_output(call, LAST_CELL), pass.c, d, count);
	}
	return 0;
}

int operator_lstm(const struct operator_call *call)
{
	return recurrent(call);
}

int operator_gru(const struct operator_call *call)
{
	return recurrent(call);
}

int64_t operator_recurrent_workspace(const struct operator_call *call)
{
	struct recurrent_pass pass =
		recurrent_pass_create(call->node, call->inputs, 0);

	return recurrent_pass_floats(&pass);
}
