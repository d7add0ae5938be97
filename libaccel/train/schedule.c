/* SPDX-License-Identifier: MIT */
#include <train/schedule.h>

#define PI 3.14159265358979323846

/*
 * cos(x·π), 0 ≤ x ≤ 1, by its series to x¹⁶: exact to 1e-9, and the same bits with
 * every libm.
 */
static double cosine(double x)
{
	double half = x <= 0.5 ? x : 1 - x;
	double square = half * PI * half * PI;
	double term = 1;
	double sum = 1;

	for (int n = 1; n <= 8; n++) {
		term *= -square / ((2 * n - 1) * (2 * n));
		sum += term;
	}
	return x <= 0.5 ? sum : -sum;
}

/* Part of the peak that is left at a point, 0 … 1, of the way after the warm-up. */
static double shape(const struct schedule_rate *schedule, double point)
{
	double final = (double)schedule->final;

	switch (schedule->shape) {
	case SCHEDULE_COSINE:
		return final + (1 - final) * (1 + cosine(point)) / 2;
	case SCHEDULE_LINEAR:
		return 1 + (final - 1) * point;
	case SCHEDULE_STEP:
		return point < 0.5 ? 1 : point < 0.75 ? 0.1 : 0.01;
	case SCHEDULE_CONSTANT:
		break;
	}
	return 1;
}

float schedule_rate(const struct schedule_rate *schedule, uint64_t step)
{
	double peak = (double)schedule->peak;
	double point;

	if (step < schedule->warmup)
		return (float)(peak * (double)(step + 1) /
			       (double)(schedule->warmup + 1));
	if (step >= schedule->steps)
		step = schedule->steps;
	point = schedule->steps > schedule->warmup ?
			(double)(step - schedule->warmup) /
				(double)(schedule->steps - schedule->warmup) :
			1;
	return (float)(peak * shape(schedule, point));
}

double schedule_sparsity(const struct schedule_sparsity *schedule,
			 uint64_t step)
{
	double left;

	if (step >= schedule->end)
		return schedule->final;
	if (step <= schedule->begin)
		return schedule->initial;
	left = 1 - (double)(step - schedule->begin) /
			   (double)(schedule->end - schedule->begin);
	return schedule->final +
	       (schedule->initial - schedule->final) * left * left * left;
}

bool schedule_prunes(const struct schedule_sparsity *schedule, uint64_t step)
{
	if (step < schedule->begin || step > schedule->end)
		return false;
	return step == schedule->end ||
	       (step - schedule->begin) % schedule->interval == 0;
}
