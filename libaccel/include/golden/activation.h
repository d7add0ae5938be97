/* SPDX-License-Identifier: MIT */
/*
 * Exponential, sigmoid and tanh of the recurrent cells, bit by bit: every step
 * below is one binary32 operation, in the order of the parentheses; literals are
 * in the notation of C. No libm, so that every machine and the device agree.
 *
 * Error against the exact functions, in units in the last place, over all
 * binary32 numbers: exp 1, sigmoid 3, tanh 2 (tests/unit/test_golden_activation.c).
 */
#ifndef GOLDEN_ACTIVATION_H
#define GOLDEN_ACTIVATION_H

/**
 * golden_exp() - eˣ
 *
 * x < −104 gives 0, x > 89 gives +inf, NaN gives NaN. Otherwise
 *
 *	n = rne(x · 0x1.715476p+0)
 *	r = (x − n · 0x1.63p-1) − n · −0x1.bd0106p-13
 *	q = (((c4·r + c3)·r + c2)·r + c1)·r + c0
 *	y = 1 + (r + (r·r)·q)
 *	c0 … c4 = 0x1p-1, 0x1.5554dcp-3, 0x1.55551ap-5, 0x1.120b6ep-7, 0x1.6d110ap-10
 *
 * and the result is (y · 2^⌊n/2⌋) · 2^(n − ⌊n/2⌋): the last product alone rounds
 * when the result is subnormal.
 */
float golden_exp(float x);

/**
 * golden_sigmoid() - 1 / (1 + e⁻ˣ)
 *
 * e = golden_exp(−|x|); 1 / (1 + e) for x ≥ 0, else e / (1 + e). NaN gives NaN.
 */
float golden_sigmoid(float x);

/**
 * golden_tanh() - hyperbolic tangent
 *
 * With a = |x| and the sign of x put back at the end, −0 giving −0:
 *
 *	a < 0.625:	u = a·a
 *			a + (a·u)·((((d4·u + d3)·u + d2)·u + d1)·u + d0)
 *	a < 10:		1 − 2 / (golden_exp(a + a) + 1)
 *	else:		1
 *	d0 … d4 = −0x1.555552p-2, 0x1.110e1cp-3, −0x1.b9258ap-5, 0x1.58048ep-6,
 *		−0x1.8f8de4p-8
 *
 * NaN gives NaN.
 */
float golden_tanh(float x);

#endif
