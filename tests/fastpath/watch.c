/* SPDX-License-Identifier: MIT */
#include "watch.h"

#include <string.h>

_Thread_local bool watch_on;
struct watch watch;

void watch_begin(void)
{
	memset(&watch, 0, sizeof(watch));
	watch_on = true;
}

void watch_end(void)
{
	watch_on = false;
}
