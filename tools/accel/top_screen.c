/* SPDX-License-Identifier: MIT */
#include "top_screen.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include <core/deadline.h>

#define NS_PER_SECOND 1000000000ull
#define LINES_WITHOUT_A_SIZE 24

/* Control sequences of ECMA-48 and xterm: the other screen, without a cursor. */
#define ENTER "\033[?1049h\033[?25l"
#define LEAVE "\033[?25h\033[?1049l"
#define CLEAR "\033[H\033[J"

static struct termios saved;
static bool is_open;
static volatile sig_atomic_t wants_to_quit;
static volatile sig_atomic_t wants_to_stop;
/* Signals come only while top_screen_wait() sleeps: none slips in before. */
static sigset_t asleep;

static void quit_later(int number)
{
	(void)number;
	wants_to_quit = 1;
}

static void stop_later(int number)
{
	(void)number;
	wants_to_stop = 1;
}

static bool screen_enter(void)
{
	struct termios raw = saved;

	raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	if (tcsetattr(STDIN_FILENO, TCSANOW, &raw))
		return false;
	is_open = true;
	printf(ENTER);
	return true;
}

/* The shell gets its terminal as it was; when this goes on, whatever it left is taken. */
static void stop_now(void)
{
	wants_to_stop = 0;
	top_screen_close();
	raise(SIGSTOP);
	if (!tcgetattr(STDIN_FILENO, &saved))
		screen_enter();
	fflush(stdout);
}

bool top_screen_open(void)
{
	const struct sigaction action = { .sa_handler = quit_later };
	const struct sigaction stop = { .sa_handler = stop_later };
	sigset_t ours;

	sigemptyset(&ours);
	sigaddset(&ours, SIGTERM);
	sigaddset(&ours, SIGINT);
	sigaddset(&ours, SIGHUP);
	sigprocmask(SIG_BLOCK, &ours, &asleep);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
	if (!isatty(STDOUT_FILENO) || tcgetattr(STDIN_FILENO, &saved))
		return false;
	/* Without a screen a stop is the kernel's matter. */
	sigaddset(&ours, SIGTSTP);
	sigprocmask(SIG_BLOCK, &ours, NULL);
	sigaction(SIGTSTP, &stop, NULL);
	return screen_enter();
}

void top_screen_close(void)
{
	if (!is_open)
		return;
	printf(LEAVE);
	fflush(stdout);
	tcsetattr(STDIN_FILENO, TCSANOW, &saved);
	is_open = false;
}

void top_screen_clear(void)
{
	printf(CLEAR);
}

int top_screen_lines(void)
{
	struct winsize size;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) || !size.ws_row)
		return LINES_WITHOUT_A_SIZE;
	return size.ws_row;
}

/* A key or the end of the input. */
static bool key_quits(void)
{
	char key = 0;
	ssize_t count = read(STDIN_FILENO, &key, 1);

	return (count < 0 && errno != EINTR) || !count || key == 'q' ||
	       key == 'Q';
}

bool top_screen_wait(double seconds)
{
	uint64_t deadline =
		deadline_after((uint64_t)(seconds * (double)NS_PER_SECOND));
	uint64_t left;

	while (!wants_to_quit && (left = deadline_remaining(deadline))) {
		struct pollfd poller = { .fd = is_open ? STDIN_FILENO : -1,
					 .events = POLLIN };
		struct timespec timeout = {
			.tv_sec = (time_t)(left / NS_PER_SECOND),
			.tv_nsec = (long)(left % NS_PER_SECOND),
		};

		if (ppoll(&poller, 1, &timeout, &asleep) > 0 && key_quits())
			return false;
		if (wants_to_stop)
			stop_now();
	}
	return !wants_to_quit;
}
