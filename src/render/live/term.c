/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "render/live/term.h"

#include <dlfcn.h>
#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/error.h"
#include "config.h"
#include "render/live/grid.h"
#include "render/live/live.h"

/* Last: it has macros for common words. */
#define NCURSES_NOMACROS 1
#include <curses.h>

enum { RESET_MAX = 256, CRASH_STACK = 1 << 16, ESCAPE_MS = 25 };

/*
 * What a handler needs to give the terminal back when we crash. It lies below the stack that the handler
 * runs on, where sigaltstack(2) finds it, so nothing of it is global; that stack also serves where
 * ours has overflowed.
 */
struct crash {
	struct termios modes;
	char reset[RESET_MAX];
	size_t len;
	char stack[CRASH_STACK] __attribute__((aligned(16)));
};

/* The calls of curses that are used. */
#define CALLS(CALL)                                                                                \
	CALL(COLOR_PAIR)                                                                           \
	CALL(cbreak)                                                                               \
	CALL(curs_set)                                                                             \
	CALL(delscreen)                                                                            \
	CALL(endwin)                                                                               \
	CALL(getmaxx)                                                                              \
	CALL(getmaxy)                                                                              \
	CALL(getmouse)                                                                             \
	CALL(has_colors)                                                                           \
	CALL(init_extended_pair)                                                                   \
	CALL(init_pair)                                                                            \
	CALL(keypad)                                                                               \
	CALL(mouseinterval)                                                                        \
	CALL(mousemask)                                                                            \
	CALL(mvwaddstr)                                                                            \
	CALL(newterm)                                                                              \
	CALL(nodelay)                                                                              \
	CALL(noecho)                                                                               \
	CALL(nonl)                                                                                 \
	CALL(set_escdelay)                                                                         \
	CALL(start_color)                                                                          \
	CALL(tigetnum)                                                                             \
	CALL(tigetstr)                                                                             \
	CALL(use_default_colors)                                                                   \
	CALL(wattrset)                                                                             \
	CALL(werase)                                                                               \
	CALL(wget_wch)                                                                             \
	CALL(wrefresh)

/*
 * The library, opened when a terminal is: to link it would cost every run 0.12 ms of its start, a tenth.
 */
struct curses {
	void *handle;
	WINDOW **window; /* its stdscr */
#define CALL(name) __typeof__(name) *(name);
	CALLS(CALL)
#undef CALL
};

struct terminal {
	struct curses curses;
	SCREEN *screen;
	int signals; /* signalfd */
	bool utf8, color, mouse;
	attr_t attrs[STYLE_COUNT];
	struct termios modes;
	struct crash *crash;
};

static const int fatal[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS };

static void on_crash(int number)
{
	const struct crash *crash;
	stack_t stack;

	/* of a thread that reads: the stack that leads to the terminal is the main one's */
	while (gettid() != getpid()) {
		tgkill(getpid(), getpid(), number);
		pause();
	}
	if (sigaltstack(NULL, &stack) == 0) {
		crash = (const struct crash *)((const char *)stack.ss_sp -
					       offsetof(struct crash, stack));
		if (write(STDOUT_FILENO, crash->reset, crash->len) >= 0)
			tcsetattr(STDIN_FILENO, TCSANOW, &crash->modes);
	}
	signal(number, SIG_DFL);
	raise(number);
}

static void add_reset(struct crash *crash, const char *sequence)
{
	/* (char *)-1: the terminal's entry knows no such thing */
	size_t len = sequence && (intptr_t)sequence != -1 ? strlen(sequence) : 0;

	if (len && crash->len + len < RESET_MAX) {
		memcpy(crash->reset + crash->len, sequence, len);
		crash->len += len;
	}
}

static int open_library(struct curses *curses, struct error *err)
{
	static const struct {
		const char *name;
		size_t offset;
	} calls[] = {
#define CALL(name) { #name, offsetof(struct curses, name) },
		CALLS(CALL)
#undef CALL
	};
	bool complete;

	curses->handle = dlopen(NCURSESW_SONAME, RTLD_NOW | RTLD_LOCAL);
	if (!curses->handle)
		return error_set(err, ENOENT, "live needs %s: %s", NCURSESW_SONAME, dlerror());
	*(void **)&curses->window = dlsym(curses->handle, "stdscr");
	complete = curses->window;
	for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
		void **call = (void **)((char *)curses + calls[i].offset);

		*call = dlsym(curses->handle, calls[i].name);
		complete &= *call != NULL;
	}
	if (complete)
		return 0;
	dlclose(curses->handle);
	return error_set(err, ENOENT, "%s: not the library that was expected", NCURSESW_SONAME);
}

static void guard_crashes(struct terminal *term)
{
	struct sigaction action = { .sa_handler = on_crash, .sa_flags = SA_ONSTACK };
	struct crash *crash = mem_zalloc(sizeof(*crash));
	stack_t stack = { .ss_sp = crash->stack, .ss_size = CRASH_STACK };

	term->crash = crash;
	crash->modes = term->modes;
	add_reset(crash, term->curses.tigetstr("sgr0"));
	add_reset(crash, term->curses.tigetstr("rmkx"));
	add_reset(crash, term->curses.tigetstr("cnorm"));
	add_reset(crash, "\033[?1000l\033[?1006l");
	add_reset(crash, term->curses.tigetstr("rmcup"));
	if (sigaltstack(&stack, NULL))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(fatal); i++)
		sigaction(fatal[i], &action, NULL);
}

static void forget_crashes(struct terminal *term)
{
	const stack_t none = { .ss_flags = SS_DISABLE };

	for (size_t i = 0; i < ARRAY_SIZE(fatal); i++)
		signal(fatal[i], SIG_DFL);
	sigaltstack(&none, NULL);
	free(term->crash);
}

static int block_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGQUIT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/*
 * The kinds where there are more than 8 colours: of middling brightness, so that they can be read on
 * black and on white, each level of red, green and blue one of those of the cube of 256 colours.
 */
static const struct {
	uint8_t level[3]; /* 0..5 */
} kind_colors[STYLE_KINDS] = {
	{ { 0, 3, 0 } }, { { 4, 2, 0 } }, { { 1, 2, 5 } }, { { 4, 1, 4 } },
	{ { 0, 3, 3 } }, { { 5, 1, 1 } }, { { 2, 3, 1 } }, { { 3, 3, 0 } },
	{ { 2, 2, 5 } }, { { 5, 1, 3 } }, { { 2, 3, 4 } }, { { 4, 2, 2 } },
};

/* By index of the cube, or, on a terminal whose colours are their own values, by that. */
static int kind_color(unsigned kind, int colors)
{
	static const uint8_t values[] = { 0, 95, 135, 175, 215, 255 };
	const uint8_t *level = kind_colors[kind].level;

	if (colors > 256)
		return values[level[0]] << 16 | values[level[1]] << 8 | values[level[2]];
	return 16 + 36 * level[0] + 6 * level[1] + level[2];
}

/* Colours by what they mean; each kind one of its own, of 8 a colour, then bold ones. */
static void choose_colors(struct terminal *term)
{
	const struct curses *curses = &term->curses;
	static const short base[] = { COLOR_GREEN,   COLOR_YELLOW, COLOR_BLUE,
				      COLOR_MAGENTA, COLOR_CYAN,   COLOR_RED };
	int colors = curses->tigetnum("colors");
	bool many;

	curses->start_color();
	curses->use_default_colors();
	for (short i = 0; i < 6; i++)
		curses->init_pair((short)(i + 1), base[i], -1);
	term->attrs[STYLE_GOOD] = (attr_t)curses->COLOR_PAIR(1);
	term->attrs[STYLE_WARN] = (attr_t)curses->COLOR_PAIR(2);
	term->attrs[STYLE_BAD] = (attr_t)curses->COLOR_PAIR(6) | A_BOLD;
	many = colors >= 256 && curses->tigetnum("pairs") > 6 + STYLE_KINDS;
	for (unsigned i = 0; i < STYLE_KINDS; i++) {
		if (many)
			curses->init_extended_pair(7 + (int)i, kind_color(i, colors), -1);
		term->attrs[STYLE_KIND + i] = many ? (attr_t)curses->COLOR_PAIR(7 + (int)i) :
						     (attr_t)curses->COLOR_PAIR((int)(i % 6) + 1) |
							      (i >= 6 ? A_BOLD : A_NORMAL);
	}
}

static void choose_attributes(struct terminal *term, bool color)
{
	term->attrs[STYLE_TITLE] = A_BOLD;
	term->attrs[STYLE_CURSOR] = A_REVERSE;
	term->attrs[STYLE_DIM] = A_DIM;
	term->attrs[STYLE_BAD] = A_BOLD;
	term->color = color && term->curses.has_colors();
	if (term->color)
		choose_colors(term);
}

void term_mouse(struct terminal *term, bool ours)
{
	const mmask_t mask = BUTTON1_CLICKED | BUTTON1_PRESSED | BUTTON4_PRESSED | BUTTON5_PRESSED;

	if (term->mouse != ours)
		term->curses.mousemask(ours ? mask : 0, NULL);
	term->mouse = ours;
}

static void set_modes(const struct curses *curses)
{
	curses->cbreak();
	curses->noecho();
	curses->nonl();
	curses->nodelay(*curses->window, TRUE);
	curses->keypad(*curses->window, TRUE);
	curses->set_escdelay(ESCAPE_MS);
	curses->curs_set(0);
	curses->mouseinterval(0);
}

/* Begin to draw on the terminal that TERM tells of. */
static int open_screen(struct terminal *term, struct error *err)
{
	const char *place;

	term->screen = term->curses.newterm(NULL, stdout, stdin);
	if (!term->screen)
		return error_set(
			err, EINVAL,
			"this terminal is not known here: TERM is not set, or has no entry "
			"(try: TERM=xterm, or --batch 1)");
	place = term->curses.tigetstr("cup");
	if (place && place != (const char *)-1)
		return 0;
	term->curses.endwin();
	term->curses.delscreen(term->screen);
	tcsetattr(STDIN_FILENO, TCSANOW, &term->modes);
	return error_set(err, EINVAL,
			 "this terminal cannot place text on its screen, as TERM tells it "
			 "(try: TERM=xterm, or --batch 1)");
}

int term_open(struct terminal **out, bool color, struct error *err)
{
	struct terminal *term;
	struct termios modes;
	int rc;

	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO) || tcgetattr(STDIN_FILENO, &modes))
		return error_set(err, EINVAL, "live needs a terminal (try: --batch 1)");
	term = mem_zalloc(sizeof(*term));
	rc = open_library(&term->curses, err);
	if (rc) {
		free(term);
		return rc;
	}
	term->modes = modes;
	setlocale(LC_CTYPE, "");
	term->utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
	rc = open_screen(term, err);
	if (rc) {
		dlclose(term->curses.handle);
		free(term);
		return rc;
	}
	term->signals = block_signals();
	guard_crashes(term);
	set_modes(&term->curses);
	choose_attributes(term, color);
	*out = term;
	return 0;
}

void term_close(struct terminal *term)
{
	if (!term)
		return;
	term->curses.endwin();
	term->curses.delscreen(term->screen);
	tcsetattr(STDIN_FILENO, TCSANOW, &term->modes);
	forget_crashes(term);
	if (term->signals >= 0)
		close(term->signals);
	dlclose(term->curses.handle);
	free(term);
}

bool term_is_utf8(const struct terminal *term)
{
	return term->utf8;
}

void term_size(const struct terminal *term, size_t *width, size_t *height)
{
	int rows = term->curses.getmaxy(*term->curses.window);
	int columns = term->curses.getmaxx(*term->curses.window);

	*width = columns > 0 ? (size_t)columns : 0;
	*height = rows > 0 ? (size_t)rows : 0;
}

/* What the terminal cannot show becomes "?"; "" is the second column of the character before. */
static const char *shown(const struct terminal *term, const struct grid_cell *cell)
{
	if (!term->utf8 && (unsigned char)cell->text[0] >= 0x80)
		return "?";
	return cell->text;
}

void term_show(struct terminal *term, const struct grid *grid)
{
	const struct curses *curses = &term->curses;
	WINDOW *window = *curses->window;

	curses->werase(window);
	for (size_t y = 0; y < grid->height; y++)
		for (size_t x = 0; x < grid->width; x++) {
			const struct grid_cell *cell = grid_at(grid, x, y);

			if (!cell->text[0] || (cell->text[0] == ' ' && !cell->style))
				continue;
			curses->wattrset(window, (int)term->attrs[cell->style]);
			curses->mvwaddstr(window, (int)y, (int)x, shown(term, cell));
		}
	curses->wattrset(window, A_NORMAL);
	curses->wrefresh(window);
}

static int key_of(int code)
{
	static const struct {
		int from, to;
	} keys[] = {
		{ KEY_UP, LIVE_KEY_UP },	 { KEY_DOWN, LIVE_KEY_DOWN },
		{ KEY_LEFT, LIVE_KEY_LEFT },	 { KEY_RIGHT, LIVE_KEY_RIGHT },
		{ KEY_PPAGE, LIVE_KEY_PAGE_UP }, { KEY_NPAGE, LIVE_KEY_PAGE_DOWN },
		{ KEY_HOME, LIVE_KEY_HOME },	 { KEY_END, LIVE_KEY_END },
		{ KEY_ENTER, LIVE_KEY_ENTER },	 { KEY_BACKSPACE, LIVE_KEY_ERASE },
	};

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (keys[i].from == code)
			return keys[i].to;
	return code > KEY_F0 && code <= KEY_F(12) ? LIVE_KEY_F0 + (code - KEY_F0) : -1;
}

static enum term_event mouse(const struct curses *curses, struct term_key *key)
{
	MEVENT event;

	if (curses->getmouse(&event) != OK)
		return TERM_NOTHING;
	if (event.bstate & BUTTON4_PRESSED)
		key->key = LIVE_KEY_UP;
	else if (event.bstate & BUTTON5_PRESSED)
		key->key = LIVE_KEY_DOWN;
	else
		key->click = true;
	key->x = (size_t)event.x;
	key->y = (size_t)event.y;
	return TERM_KEY;
}

static enum term_event next_key(const struct curses *curses, struct term_key *key)
{
	wint_t code;
	int rc = curses->wget_wch(*curses->window, &code);

	*key = (struct term_key){ 0 };
	if (rc == ERR)
		return TERM_NOTHING;
	if (rc == OK) {
		key->key = (int)code;
		return TERM_KEY;
	}
	if (code == KEY_RESIZE)
		return TERM_RESIZE;
	if (code == KEY_MOUSE)
		return mouse(curses, key);
	key->key = key_of((int)code);
	return TERM_KEY;
}

static int to_ms(uint64_t ns)
{
	return ns > 3600000000000ull ? 3600000 : (int)((ns + 999999) / 1000000);
}

enum term_event term_wait(struct terminal *term, uint64_t timeout_ns, int ready,
			  struct term_key *key)
{
	struct pollfd fds[] = { { STDIN_FILENO, POLLIN, 0 },
				{ term->signals, POLLIN, 0 },
				{ ready, POLLIN, 0 } };
	enum term_event event = next_key(&term->curses, key);

	if (event != TERM_NOTHING)
		return event;
	if (poll(fds, ARRAY_SIZE(fds), to_ms(timeout_ns)) <= 0)
		return next_key(&term->curses, key);	/* a resize interrupts poll */
	if (fds[1].revents)
		return TERM_END;
	event = next_key(&term->curses, key);
	if (event == TERM_NOTHING && fds[0].revents & (POLLHUP | POLLERR | POLLNVAL))
		return TERM_END;
	return event == TERM_NOTHING && fds[2].revents ? TERM_READY : event;
}
