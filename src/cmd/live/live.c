/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/error.h"
#include "base/num.h"
#include "cmd/commands.h"
#include "cmd/live/budget.h"
#include "cmd/live/read.h"
#include "cmd/live/refresh.h"
#include "cmd/live/write.h"
#include "column/vma_columns.h"
#include "engine/targets.h"
#include "engine/until.h"
#include "render/live/grid.h"
#include "render/live/live.h"
#include "render/live/term.h"

enum { LEAST_NS = 100000000 };

/* Keys that wait are taken before the next screen is drawn, for so long at most. */
enum { KEYS_NS = 50000000 };

/* A screen that took some CPU time to draw stays for so many times that, but not for so long that it shows. */
enum { DRAW_SHARE = 20, DRAW_MOST_NS = 40000000 };

/* What a key opened is waited for so long before a screen without it is drawn. */
enum { OPEN_NS = 40000000 };

/* The first reading is waited for before there is a screen: what is wrong is told where it was typed. */
enum { FIRST_MS = 500 };

/* The part of the budget of a refresh that what is read in turns may take. */
enum { BUDGET_SHARE = 2 };

struct live_options {
	uint64_t interval, batch, cpu;
	const char *screen, *keys, *until;
	bool ascii, plain, changes;
};

#define OFFSET(member) offsetof(struct live_options, member)

static const struct option_row live_option_rows[] = {
	/* clang-format off */
	{ 'i', "interval", "SECONDS", OPTION_TIME, OFFSET(interval), "time between two refreshes (default 2)" },
	{ 0, "batch", "N", OPTION_COUNT, OFFSET(batch), "print N refreshes, no screen; --json: a line each" },
	{ 0, "until", "EXPR", OPTION_TEXT, OFFSET(until), "with --batch and PID: end with status 3 when it is true" },
	{ 0, "cpu", "PERCENT", OPTION_COUNT, OFFSET(cpu), "CPU that readings may take (default 10)" },
	{ 0, "changes", NULL, OPTION_FLAG, OFFSET(changes), "show changes since the refresh before" },
	{ 0, "ascii", NULL, OPTION_FLAG, OFFSET(ascii), "nothing but ASCII is drawn" },
	{ 0, "plain", NULL, OPTION_FLAG, OFFSET(plain), "no bars and no hints" },
	{ 0, "screen", "WxH", OPTION_TEXT, OFFSET(screen), "print one screen of that size as text" },
	{ 0, "keys", "KEYS", OPTION_TEXT, OFFSET(keys), "with --screen: as if typed; <Enter> <Esc> <Down> .." },
	/* clang-format on */
};

struct live_run {
	struct context *ctx;
	struct live_options options;
	struct until *until; /* NULL: not asked for */
	int pid; /* that is named; 0: none */
	struct live_reader *reader;
	struct live_refresh *refresh;
	struct live_budget budget;
	struct live_maker maker;
	uint64_t cost_ns; /* CPU time of the last whole reading */
	struct live live;
};

static const struct {
	const char *name;
	int key;
} key_names[] = {
	{ "Enter", LIVE_KEY_ENTER }, { "Esc", LIVE_KEY_ESCAPE },   { "Erase", LIVE_KEY_ERASE },
	{ "Up", LIVE_KEY_UP },	     { "Down", LIVE_KEY_DOWN },	   { "Left", LIVE_KEY_LEFT },
	{ "Right", LIVE_KEY_RIGHT }, { "PgUp", LIVE_KEY_PAGE_UP }, { "PgDn", LIVE_KEY_PAGE_DOWN },
	{ "Home", LIVE_KEY_HOME },   { "End", LIVE_KEY_END },
};

/* One key of --keys at *text, which moves behind it. */
static int next_key(const char **text)
{
	const char *at = *text;

	for (size_t i = 0; *at == '<' && i < ARRAY_SIZE(key_names); i++) {
		size_t len = strlen(key_names[i].name);

		if (strncmp(at + 1, key_names[i].name, len) != 0 || at[len + 1] != '>')
			continue;
		*text = at + len + 2;
		return key_names[i].key;
	}
	(*text)++;
	return (unsigned char)*at;
}

static int parse_screen(struct live *live, const char *text, struct error *err)
{
	const char *end = text + strlen(text), *at = text;
	uint64_t width, height;

	if (!num_parse_dec(&at, end, &width) || at == end || *at++ != 'x' ||
	    !num_parse_dec(&at, end, &height) || at != end || width < 20 || height < 6 ||
	    width > GRID_WIDTH_MAX || height > GRID_HEIGHT_MAX)
		return error_set(err, EINVAL,
				 "--screen: WIDTHxHEIGHT, 20x6 up to %dx%d, not '%.40s'",
				 GRID_WIDTH_MAX, GRID_HEIGHT_MAX, text);
	live_resize(live, (size_t)width, (size_t)height);
	return 0;
}

/* A filter or column that is wrong ends the run before there is a screen. */
static int apply_options(struct live_run *run, struct error *err)
{
	const struct common_options *options = &run->ctx->options;
	struct live *live = &run->live;

	if ((options->filter && !live_filter(live, options->filter)) ||
	    (options->columns && !live_columns(live, options->columns)) ||
	    (options->sort && !live_sort(live, options->sort)))
		return error_set(err, EINVAL, "%s", live->message);
	return 0;
}

/* How far apart readings that cost as much as the last one have to be. */
static uint64_t least_ns(const struct live_run *run)
{
	return run->cost_ns / run->budget.percent * 100;
}

static void ask(struct live_run *run)
{
	const struct live *live = &run->live;
	struct live_request request;

	live_ask(&run->live, &request);
	if (!run->options.batch && !run->options.screen && !run->ctx->root.recorded)
		request.budget_ns = live->interval_ns / 100 * run->budget.percent / BUDGET_SHARE;
	live_refresh_ask(run->refresh, &request);
}

/* What the reading costs us is told, but not of a recording, which costs nobody anything. */
static void add_cost(struct live_run *run)
{
	struct live *live = &run->live;
	size_t len = strlen(live->facts.status), size = sizeof(live->facts.status);
	uint64_t least = least_ns(run), every = live->interval_ns;
	char seldom[40] = "";

	if (run->ctx->root.recorded || live->facts.ended)
		return;
	if (least > every) {
		snprintf(seldom, sizeof(seldom), ", so every %.1f s", (double)least / 1e9);
		every = least;
	}
	snprintf(live->facts.status + len, size - len, "%sreading takes %.1f ms CPU%s (%.1f%%)",
		 len ? "; " : "", (double)run->cost_ns / 1e6, seldom,
		 (double)run->cost_ns * 100 / (double)every);
}

/* Returns 0, or why there is nothing to show. */
static int take(struct live_run *run, struct live_result *result, struct error *err)
{
	bool glance = result->request.glance;
	int rc = live_take(&run->live, result);

	run->maker.keys.seen = result->keys_seen;
	live_budget_spend(&run->budget, meter_now(), result->cost_ns);
	if (!glance)
		run->cost_ns = result->cost_ns;
	if (rc)
		*err = result->err;
	else if (!glance)
		add_cost(run);
	live_result_free(result);
	return rc;
}

static int read_now(struct live_run *run, struct error *err)
{
	ask(run);
	return take(run, live_refresh_wait(run->refresh), err);
}

/* What keys asked for: all that is shown, or what the cursor is on. */
static void read_wanted(struct live_run *run)
{
	struct live *live = &run->live;
	struct error err;

	if ((live->stale || live->glance) && read_now(run, &err))
		live_unread(live, &err);
}

static void take_key(struct live_run *run, int key)
{
	struct live *live = &run->live;

	live_key(live, key);
	if (live->write_to[0] && live->prompt == PROMPT_NONE)
		live_write_file(&run->maker, live);
}

static int print_screen(struct live_run *run)
{
	const char *keys = run->options.keys ? run->options.keys : "";
	struct grid grid;

	grid_init(&grid, run->live.width, run->live.height);
	while (*keys && !run->live.quit) {
		take_key(run, next_key(&keys));
		read_wanted(run);
		live_draw(&run->live, &grid); /* as on a terminal */
	}
	grid_fini(&grid);
	live_write_screen(&run->live, &run->ctx->out);
	return 0;
}

static void sleep_ns(uint64_t ns)
{
	struct timespec left = { (time_t)(ns / 1000000000), (long)(ns % 1000000000) };

	while (nanosleep(&left, &left) && errno == EINTR)
		;
}

/* How long until the next refresh: what is slow to read is read less often. */
static uint64_t pause_ns(struct live_run *run, uint64_t last)
{
	uint64_t now = meter_now(), due = last + run->live.interval_ns;
	uint64_t least = least_ns(run);
	uint64_t wait = live_budget_wait(&run->budget, now);

	if (due < last + least)
		due = last + least;
	return due > now + wait ? due - now : wait;
}

/* What of the list was not read, once. */
static void note_unread(struct live_run *run)
{
	struct live_unread unread;
	struct error err;

	live_find_unread(&run->live, &unread);
	if (run->ctx->status != STATUS_OK)
		return;
	for (size_t i = 0; i < unread.count; i++) {
		const struct live_unread_reason *reason = &unread.reasons[i];

		error_set(&err, EACCES, "%zu process%s: smaps_rollup: %s", reason->processes,
			  reason->processes == 1 ? "" : "es", reason->words);
		context_partial(run->ctx, &err);
	}
}

static int print_batch(struct live_run *run, struct error *err)
{
	struct context *ctx = run->ctx;
	int rc = 0;

	for (uint64_t i = 0; rc == 0 && i < run->options.batch && !run->live.facts.ended; i++) {
		if (i) {
			sleep_ns(pause_ns(run, meter_now()));
			rc = read_now(run, err);
		}
		if (rc == 0)
			live_write(&run->maker, &run->live, &ctx->out, ctx->options.json);
		if (rc == 0 && out_flush(&ctx->out))
			return 0;
		note_unread(run);
		if (run->live.facts.partial || run->live.facts.ended)
			ctx->status = STATUS_PARTIAL;
		if (run->until && until_reached(run->until, &ctx->root, run->pid)) {
			ctx->status = STATUS_REACHED;
			break;
		}
	}
	until_free(run->until);
	return rc;
}

static void click(struct live_run *run, const struct term_key *key)
{
	struct live *live = &run->live;
	struct live_table *table = live_table(live);
	size_t header = live->height - 2 - live_rows(live);

	if (!table || live->help || live->prompt != PROMPT_NONE || key->y < header ||
	    key->y >= live->height - 2 || table->top + key->y - header >= table->shown)
		return;
	if (table->top + key->y - header == table->cursor)
		take_key(run, LIVE_KEY_ENTER);
	else
		live_move(live, table, table->top + key->y - header);
}

static uint64_t thread_cpu_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* Returns when the next screen may be drawn. */
static uint64_t show(struct live_run *run, struct terminal *term, struct grid *grid)
{
	uint64_t begin = thread_cpu_now(), stays;
	size_t width, height;

	term_size(term, &width, &height);
	if (width != grid->width || height != grid->height) {
		grid_fini(grid);
		grid_init(grid, width, height);
		live_resize(&run->live, grid->width, grid->height);
	}
	live_draw(&run->live, grid);
	term_mouse(term, !run->live.plain);
	term_show(term, grid);
	stays = (thread_cpu_now() - begin) * DRAW_SHARE;
	return meter_now() + (stays < DRAW_MOST_NS ? stays : DRAW_MOST_NS);
}

static enum term_event handle(struct live_run *run, struct terminal *term, uint64_t wait)
{
	struct term_key key;
	enum term_event event = term_wait(term, wait, live_refresh_fd(run->refresh), &key);

	if (event == TERM_KEY && key.click)
		click(run, &key);
	else if (event == TERM_KEY && key.key >= 0)
		take_key(run, key.key);
	return run->live.quit ? TERM_END : event;
}

/*
 * Wait for a key or for what was read, and take the keys that came with it or come before the next screen may
 * be drawn, but for what follows one that opens something. False at the end.
 */
static bool handle_events(struct live_run *run, struct terminal *term, uint64_t wait, uint64_t draw)
{
	enum term_event event = handle(run, term, wait);
	uint64_t end = meter_now() + KEYS_NS, now;

	while (event != TERM_END) {
		now = meter_now();
		if (event == TERM_READY || (now >= draw && (event == TERM_NOTHING || now >= end)) ||
		    (run->live.stale && live_is_empty(&run->live)))
			return true;
		wait = draw > now ? draw - now : 0;
		event = handle(run, term, wait < KEYS_NS ? wait : KEYS_NS);
	}
	return false;
}

/* How long nothing has to be done unless a key comes, or what was asked for. */
static uint64_t wait_ns(struct live_run *run, uint64_t last)
{
	const struct live *live = &run->live;

	if (live_refresh_is_busy(run->refresh))
		return UINT64_MAX;
	if (live->stale && live_is_empty(live))
		return 0;
	if (live->stale || live->glance)
		return live_budget_wait(&run->budget, meter_now());
	return live->paused ? UINT64_MAX : pause_ns(run, last);
}

/* Take what was read, ask for what is due. */
static void exchange(struct live_run *run, uint64_t *last)
{
	struct live *live = &run->live;
	struct live_result *result = live_refresh_fetch(run->refresh);
	struct error err;

	if (result && take(run, result, &err))
		live_unread(live, &err);
	if (live_refresh_is_busy(run->refresh) && live->stale && live_is_empty(live))
		live_refresh_hurry(run->refresh);
	if (wait_ns(run, *last))
		return;
	live->stale |= !live->glance;
	if (live->stale)
		*last = meter_now();
	ask(run);
}

static void loop(struct live_run *run, struct terminal *term, struct grid *grid)
{
	struct live *live = &run->live;
	uint64_t last = meter_now(), draw = 0, opened = 0;

	for (;;) {
		bool opens = live_refresh_is_busy(run->refresh) && live_is_empty(live);
		uint64_t now = meter_now(), wait = wait_ns(run, last);

		/* what was opened may be there in a moment: an empty screen would only flicker */
		if (opens && !opened)
			opened = now + OPEN_NS;
		opened = opens ? opened : 0;
		if (opened <= now)
			draw = show(run, term, grid);
		else if (wait > opened - now)
			wait = opened - now;
		if (!handle_events(run, term, wait, opened > draw ? opened : draw))
			return;
		exchange(run, &last);
	}
}

static int on_terminal(struct live_run *run, struct error *err)
{
	const char *no_color = getenv("NO_COLOR"), *when = run->ctx->options.color;
	bool color = when ? strcmp(when, "never") != 0 : !(no_color && *no_color);
	struct terminal *term;
	struct grid grid = { 0 };
	int rc = term_open(&term, color, err);

	if (rc)
		return rc;
	run->live.ascii |= !term_is_utf8(term);
	loop(run, term, &grid);
	grid_fini(&grid);
	term_close(term);
	return 0;
}

static void set_format(struct live_run *run)
{
	const struct common_options *options = &run->ctx->options;
	struct report_options format = *report_options(run->ctx->report);

	if (!run->options.batch) {
		format.format = REPORT_TABLE;
		format.units = options->bytes ? UNITS_BYTES :
			       options->pages ? UNITS_PAGES :
						UNITS_HUMAN;
	}
	live_init(&run->live, &format);
	run->live.ascii = run->options.ascii;
	run->live.plain = run->options.plain;
	run->live.changes = run->options.changes ? CHANGES_REFRESH : CHANGES_OFF;
	if (run->options.interval)
		run->live.interval_ns = run->options.interval;
	if (run->live.interval_ns < LEAST_NS)
		run->live.interval_ns = LEAST_NS;
	live_budget_init(&run->budget, (unsigned)run->options.cpu, meter_now());
	live_resize(&run->live, 80, 24);
}

/* A process that does not answer is no reason not to have a screen. */
static int read_first(struct live_run *run, struct error *err)
{
	struct pollfd ready = { live_refresh_fd(run->refresh), POLLIN, 0 };

	if (run->options.batch || run->options.screen)
		return read_now(run, err);
	ask(run);
	if (poll(&ready, 1, FIRST_MS) <= 0)
		return 0;
	return take(run, live_refresh_wait(run->refresh), err);
}

static int start(struct live_run *run, int argc, char **argv, struct error *err)
{
	int pid, rc = 0;

	if (run->options.cpu < 1 || run->options.cpu > 100)
		return error_set(err, EINVAL, "--cpu: 1 to 100, not %llu",
				 (unsigned long long)run->options.cpu);
	if (argc > 1)
		return error_set(err, EINVAL, "live shows one process at a time (try --help)");
	if (argc && !target_parse_pid(argv[0], &pid))
		return error_set(err, EINVAL, "'%.100s' is no process id (try --help)", argv[0]);
	if (argc)
		live_open_map(&run->live, run->pid = pid, true);
	if (run->options.until && (!argc || !run->options.batch))
		return error_set(err, EINVAL, "--until is asked of one process, with --batch");
	if (run->options.until)
		rc = until_parse(&run->until, run->options.until, false, &run->ctx->arena, err);
	if (rc)
		return rc;
	if (run->options.screen)
		rc = parse_screen(&run->live, run->options.screen, err);
	live_reader_views(&run->reader->columns, &run->live);
	if (rc == 0)
		rc = apply_options(run, err);
	if (rc)
		return rc;
	run->refresh = live_refresh_new(run->reader);
	if (!run->refresh)
		return error_set(err, EAGAIN, "no thread could be made that reads");
	return read_first(run, err);
}

static int show_live(struct live_run *run, int argc, char **argv, struct error *err)
{
	int rc = start(run, argc, argv, err);

	if (rc)
		return rc;
	run->ctx->begun = true; /* documents of its own */
	if (run->options.screen)
		return print_screen(run);
	return run->options.batch ? print_batch(run, err) : on_terminal(run, err);
}

/* What a thread may still use is left to the end of the program. */
static void end(struct live_run *run)
{
	live_fini(&run->live);
	if (live_refresh_free(run->refresh) && live_reader_fini(run->reader, run->ctx))
		free(run->reader);
	else
		run->ctx->in_use = true;
}

int live_run(struct context *ctx, const struct command *command, int argc, char **argv)
{
	struct live_run *run = arena_zalloc(&ctx->arena, sizeof(*run));
	const struct option_table own = { live_option_rows, ARRAY_SIZE(live_option_rows),
					  &run->options };
	const struct live_columns *columns;
	int operands, status, rc = 0;
	struct error err;

	run->ctx = ctx;
	run->options.cpu = BUDGET_PERCENT;
	if (context_open(ctx, command, &own, argc, argv, &operands, &status))
		return status;
	run->reader = mem_alloc(sizeof(*run->reader));
	live_reader_init(run->reader, ctx);
	columns = &run->reader->columns;
	run->maker = (struct live_maker){ columns, columns->keys, ctx };
	set_format(run);
	if (ctx->options.html)
		rc = error_set(&err, EINVAL,
			       "--html is of one moment (--html-viewer opens what --json writes)");
	else if (!context_columns_help(ctx, argc > operands ? &columns->vma : &columns->process,
				       argc > operands ? vma_columns_default :
							 live_process_columns))
		rc = show_live(run, argc - operands, argv + operands, &err);
	end(run);
	return context_end(ctx, rc, &err);
}
