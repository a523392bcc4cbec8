/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <string.h>

#include "base/num.h"
#include "render/live/live.h"
#include "render/live/tree.h"

enum { INTERVAL_LEAST_NS = 100000000 };
#define INTERVAL_MOST_NS 3600000000000ull

/* Rows or cells that one move is, at most a screen. */
static void move_by(struct live *live, long by)
{
	struct live_table *table = live_table(live);
	size_t at;

	if (!table)
		return;
	at = table->cursor;
	if (by < 0)
		at = at > (size_t)-by ? at - (size_t)-by : 0;
	else
		at += (size_t)by;
	live_move(live, table, at);
	live->glance |= live->view == LIVE_PROCESSES;
}

/* The cursor of the grid, by pages; what is shown follows it. */
static void pages_move(struct live *live, int64_t by)
{
	struct live_pages *pages = &live->pages;
	uint64_t last = (pages->end - pages->start) / pages->page_size - 1;
	uint64_t span = live_pages_room(live) * pages->zoom, line = live->width * pages->zoom;

	if (by < 0 && pages->cursor < (uint64_t)-by)
		pages->cursor = 0;
	else
		pages->cursor += (uint64_t)by;
	if (pages->cursor > last)
		pages->cursor = last;
	if (pages->cursor < pages->top)
		pages->top = pages->cursor / line * line;
	if (span && pages->cursor >= pages->top + span)
		pages->top = (pages->cursor - span) / line * line + line;
	live->stale |= pages->top != pages->read_top || pages->zoom != pages->read_zoom;
	live->glance = true;
}

/* The last line of the help stays at the bottom. */
static void help_move(struct live *live, long rows)
{
	const char *label, *help;
	long top = (long)live->help_top + rows, last = 0;

	while (live_binding((size_t)last + live_rows(live), &label, &help))
		last++;
	live->help_top = (size_t)(top < 0 ? 0 : top > last ? last : top);
}

static void move(struct live *live, long rows, int64_t pages)
{
	if (live->help)
		help_move(live, rows);
	else if (live->view == LIVE_PAGES)
		pages_move(live, pages * (int64_t)live->pages.zoom);
	else
		move_by(live, rows);
}

static void do_up(struct live *live)
{
	move(live, -1, -(int64_t)live->width);
}

static void do_down(struct live *live)
{
	move(live, 1, (int64_t)live->width);
}

static void do_left(struct live *live)
{
	struct live_table *table = live_table(live);

	if (live->help || live->view == LIVE_PAGES)
		move(live, 0, -1);
	else if (table && table->left)
		table->left--;
}

/* At least the first and the last column stay. */
static void do_right(struct live *live)
{
	struct live_table *table = live_table(live);

	if (live->help || live->view == LIVE_PAGES)
		move(live, 0, 1);
	else if (table && table->left + 2 < table->selection.count)
		table->left++;
}

static void do_page_up(struct live *live)
{
	move(live, -(long)live_rows(live), -(int64_t)live_pages_room(live));
}

static void do_page_down(struct live *live)
{
	move(live, (long)live_rows(live), (int64_t)live_pages_room(live));
}

static void do_home(struct live *live)
{
	move(live, -INT32_MAX, -INT32_MAX);
}

static void do_end(struct live *live)
{
	move(live, INT32_MAX, INT32_MAX);
}

static void do_machine(struct live *live)
{
	live->help = false;
	live_go(live, live->view == LIVE_MACHINE ? LIVE_ORDERS :
		      live->view == LIVE_ORDERS	 ? LIVE_PICTURE :
						   LIVE_MACHINE);
}

static void open_process_view(struct live *live, enum live_view view)
{
	int pid = live_process(live);

	live->help = false;
	if (!pid) {
		snprintf(live->message, sizeof(live->message), "no process was chosen yet");
		return;
	}
	live_set_process(live, pid);
	live_go(live, view);
}

static void do_huge(struct live *live)
{
	open_process_view(live, LIVE_HUGE);
}

static void do_sharing(struct live *live)
{
	open_process_view(live, LIVE_SHARING);
}

static void do_frame(struct live *live)
{
	live->help = false;
	if (live->view == LIVE_PAGES)
		live_open_frame(live);
	else if (live->frame_addr)
		live_go(live, LIVE_FRAME);
	else
		snprintf(live->message, sizeof(live->message), "no page was chosen yet");
}

/* Whether the cursor is on a group of the tree. */
static bool toggle_group(struct live *live, struct live_table *table)
{
	const struct live_group *group = NULL;

	if (table->shown)
		group = live_tree_group(table, table->order[table->cursor]);
	if (!group)
		return false;
	live_tree_toggle(table, group);
	live_reorder(live, table);
	return true;
}

static void do_tree(struct live *live)
{
	struct live_table *table = live_table(live);

	if (table)
		live_toggle_tree(live, table);
}

static void do_tree_all(struct live *live)
{
	struct live_table *table = live_table(live);

	if (!table || !table->tree)
		return;
	live_tree_toggle_all(table);
	live_reorder(live, table);
}

static void do_enter(struct live *live)
{
	struct live_table *table = live_table(live);

	live->help = false;
	if (live->view == LIVE_PAGES)
		live_open_frame(live);
	if (!table || (!table->shown && !live_is_machine(live->view)) || toggle_group(live, table))
		return;
	switch (live->view) {
	case LIVE_PROCESSES:
		live_open_map(live, live_process(live), true);
		break;
	case LIVE_MAP:
	case LIVE_HUGE:
		live_open_pages(live);
		break;
	case LIVE_FRAME:
		live_open_address(live, (int)table->at.start, table->at.tag);
		break;
	case LIVE_SHARING:
		live_set_process(live, (int)table->at.start);
		live_go(live, LIVE_MAP);
		break;
	case LIVE_MACHINE:
	case LIVE_ORDERS:
		do_machine(live);
		break;
	default:
		break;
	}
}

static void do_back(struct live *live)
{
	if (live->help)
		live->help = false;
	else
		live_back(live);
}

static void do_processes(struct live *live)
{
	if (live->from[LIVE_MAP] == LIVE_MAP)
		live->from[LIVE_MAP] = LIVE_PROCESSES;
	live->view = LIVE_PROCESSES;
	live->stale = true;
}

static void ask(struct live *live, enum live_prompt prompt, const char *with)
{
	live->prompt = prompt;
	live->input_len = (size_t)snprintf(live->input, sizeof(live->input), "%s", with);
}

static void do_filter(struct live *live)
{
	if (live_table(live))
		ask(live, PROMPT_FILTER, live_table(live)->filter_text);
}

static void do_columns(struct live *live)
{
	if (live_table(live))
		ask(live, PROMPT_COLUMNS, live_table(live)->columns);
}

static void do_search(struct live *live)
{
	if (live_table(live))
		ask(live, PROMPT_SEARCH, "");
}

static void do_goto(struct live *live)
{
	ask(live, PROMPT_GOTO, "");
}

static void do_write(struct live *live)
{
	ask(live, PROMPT_WRITE, "");
}

/* Who sorts wants to see what comes first. */
static void sort_anew(struct live *live, struct live_table *table)
{
	live_reorder(live, table);
	live_move(live, table, 0);
}

/* Sort by the next or the one before of the columns that are shown. */
static void sort_step(struct live *live, size_t step)
{
	struct live_table *table = live_table(live);
	size_t at = 0, count = table ? table->selection.count : 0;

	if (!count)
		return;
	while (at < count && table->selection.columns[at] != table->sort.column)
		at++;
	at = at == count ? (step == 1 ? 0 : count - 1) : (at + step) % count;
	table->sort.column = table->selection.columns[at];
	table->sort.descending = value_type_is_number(table->sort.column->type);
	sort_anew(live, table);
}

static void do_sort_next(struct live *live)
{
	sort_step(live, 1);
}

static void do_sort_before(struct live *live)
{
	struct live_table *table = live_table(live);

	if (table)
		sort_step(live, table->selection.count - 1);
}

static void do_reverse(struct live *live)
{
	struct live_table *table = live_table(live);

	if (!table || !table->sort.column)
		return;
	table->sort.descending = !table->sort.descending;
	sort_anew(live, table);
}

static void do_unsort(struct live *live)
{
	struct live_table *table = live_table(live);

	if (!table)
		return;
	table->sort = (struct sort){ 0 };
	sort_anew(live, table);
}

static void do_mark(struct live *live)
{
	for (size_t i = 0; i < LIVE_TABLES; i++) {
		struct live_table *table = &live->table[i];

		live_list_release(table->mark);
		table->mark = table->now;
		if (table->mark)
			live_list_hold(table->mark);
	}
	live->has_mark = true;
	live->changes = CHANGES_MARK;
	for (size_t i = 0; i < LIVE_TABLES; i++)
		live_reorder(live, &live->table[i]);
	snprintf(live->message, sizeof(live->message), "marked: changes are counted from here");
}

static void do_changes(struct live *live)
{
	static const char *const names[] = { "no changes", "changes since the last refresh",
					     "changes since the mark" };

	live->changes = (live->changes + 1) % (live->has_mark ? 3 : 2);
	for (size_t i = 0; i < LIVE_TABLES; i++)
		live_reorder(live, &live->table[i]);
	snprintf(live->message, sizeof(live->message), "%s", names[live->changes]);
}

static void do_faster(struct live *live)
{
	if (live->interval_ns / 2 >= INTERVAL_LEAST_NS)
		live->interval_ns /= 2;
}

static void do_slower(struct live *live)
{
	if (live->interval_ns * 2 <= INTERVAL_MOST_NS)
		live->interval_ns *= 2;
}

static void do_pause(struct live *live)
{
	live->paused = !live->paused;
}

static void do_refresh(struct live *live)
{
	live->stale = true;
}

/* A page stays under the cursor, whatever a cell holds. */
static void zoom_to(struct live *live, uint64_t zoom)
{
	struct live_pages *pages = &live->pages;

	if (live->view != LIVE_PAGES || !zoom)
		return;
	pages->fit = false;
	pages->zoom = zoom;
	pages->top = 0;
	pages_move(live, 0);
}

static void do_zoom_in(struct live *live)
{
	zoom_to(live, live->pages.zoom / 2);
}

static void do_zoom_out(struct live *live)
{
	if (live->pages.zoom < 1ull << 40)
		zoom_to(live, live->pages.zoom * 2);
}

static void do_zoom_fit(struct live *live)
{
	if (live->view != LIVE_PAGES)
		return;
	live->pages.fit = true;
	live->pages.top = 0;
	live->stale = true;
}

static void do_plain(struct live *live)
{
	live->plain = !live->plain;
	live_resize(live, live->width, live->height);
}

static void do_units(struct live *live)
{
	live->format.units = (live->format.units + 1) % 3;
}

static void do_kernel(struct live *live)
{
	live->kernel_threads = !live->kernel_threads;
	live->stale |= live->view == LIVE_PROCESSES;
	snprintf(live->message, sizeof(live->message), "threads of the kernel are %s",
		 live->kernel_threads ? "listed" : "left out");
}

static void do_next(struct live *live)
{
	live_search_next(live);
}

static void do_help(struct live *live)
{
	live->help = !live->help;
	live->help_top = 0;
}

/* Out of the help first. */
static void do_quit(struct live *live)
{
	live->quit = !live->help;
	live->help = false;
}

static const struct binding {
	int key;
	const char *label,
		*help; /* the help screen and doc/live.md; NULL: another key's row has it */
	void (*act)(struct live *live);
} bindings[] = {
	/* clang-format off */
	{ LIVE_KEY_UP, "Up k", "one line up", do_up },
	{ 'k', NULL, NULL, do_up },
	{ LIVE_KEY_DOWN, "Down j", "one line down", do_down },
	{ 'j', NULL, NULL, do_down },
	{ LIVE_KEY_LEFT, "Left Right", "the columns to that side; pages: one cell", do_left },
	{ LIVE_KEY_RIGHT, NULL, NULL, do_right },
	{ LIVE_KEY_PAGE_UP, "PgUp PgDn", "one screen up, down", do_page_up },
	{ LIVE_KEY_PAGE_DOWN, NULL, NULL, do_page_down },
	{ LIVE_KEY_HOME, "Home End", "to the first, the last line", do_home },
	{ LIVE_KEY_END, NULL, NULL, do_end },
	{ 'G', NULL, NULL, do_end },
	{ LIVE_KEY_ENTER, "Enter", "go into: process, mapping, page; what is in it", do_enter },
	{ '\n', NULL, NULL, do_enter },
	{ LIVE_KEY_ESCAPE, "Esc Bksp", "go back up", do_back },
	{ LIVE_KEY_ERASE, NULL, NULL, do_back },
	{ 'p', "p", "the list of processes", do_processes },
	{ 's', "s", "with whom the process shares memory, and how much", do_sharing },
	{ 'H', "H", "huge pages of the process", do_huge },
	{ 'F', "F", "pages: who maps the frame of the page under the cursor", do_frame },
	{ 'M', "M", "the machine: frames by use; again: by order; a picture of them", do_machine },
	{ 'K', "K", "list threads of the kernel, too", do_kernel },
	{ 'f', "f F4", "filter as you type: part of a name, or rss > 1M && perm ~ w", do_filter },
	{ LIVE_KEY_F0 + 4, NULL, NULL, do_filter },
	{ '/', "/ F3", "search in all that is shown; Enter ends", do_search },
	{ LIVE_KEY_F0 + 3, NULL, NULL, do_search },
	{ 'n', "n", "the next place that the search finds", do_next },
	{ 'g', "g", "go to an address; in the list of processes, to a PID", do_goto },
	{ 'c', "c F2", "columns: a,b or +a,-b; empty: the usual ones", do_columns },
	{ LIVE_KEY_F0 + 2, NULL, NULL, do_columns },
	{ '>', "< > F6", "sort by the column before, the next column", do_sort_next },
	{ LIVE_KEY_F0 + 6, NULL, NULL, do_sort_next },
	{ '<', NULL, NULL, do_sort_before },
	{ 'r', "r", "sort the other way round", do_reverse },
	{ 'o', "o", "no sorting: by address, by PID", do_unsort },
	{ 't', "t T F5", "mappings by file, or not; all files open or closed", do_tree },
	{ LIVE_KEY_F0 + 5, NULL, NULL, do_tree },
	{ 'T', NULL, NULL, do_tree_all },
	{ 'm', "m", "mark: show changes from here on", do_mark },
	{ 'd', "d", "changes: none, since the last refresh, since the mark", do_changes },
	{ 'z', "z Z", "pages: fewer, more pages a cell", do_zoom_in },
	{ 'Z', NULL, NULL, do_zoom_out },
	{ '=', "=", "pages: the whole mapping on one screen", do_zoom_fit },
	{ 'u', "u", "units: bytes, human, pages", do_units },
	{ 'P', "P", "plain: no bars, no hints, no mouse: to copy from", do_plain },
	{ 'w', "w", "write what is shown to a file (NAME.json: as JSON)", do_write },
	{ '+', "+ -", "refresh more often, less often", do_faster },
	{ '-', NULL, NULL, do_slower },
	{ ' ', "Space", "pause, go on", do_pause },
	{ 'R', "R", "refresh now", do_refresh },
	{ '?', "? h F1", "this help", do_help },
	{ LIVE_KEY_F0 + 1, NULL, NULL, do_help },
	{ 'h', NULL, NULL, do_help },
	{ LIVE_KEY_F0 + 10, NULL, NULL, do_quit },
	{ 'q', "q F10", "leave", do_quit },
	/* clang-format on */
};

enum { BINDINGS = ARRAY_SIZE(bindings) };

bool live_binding(size_t index, const char **label, const char **help)
{
	for (size_t i = 0; i < BINDINGS; i++) {
		if (!bindings[i].label || index--)
			continue;
		*label = bindings[i].label;
		*help = bindings[i].help;
		return true;
	}
	return false;
}

static void goto_address(struct live *live, const char *text)
{
	enum live_view view = live->view == LIVE_HUGE ? LIVE_HUGE : LIVE_MAP;
	struct live_table *table = &live->table[view];
	struct live_pages *pages = &live->pages;
	uint64_t addr;

	if (!num_user_addr(text, &addr)) {
		snprintf(live->message, sizeof(live->message), "not an address");
		return;
	}
	if (live->view == LIVE_PAGES && addr >= pages->start && addr < pages->end) {
		pages->cursor = (addr - pages->start) / pages->page_size;
		pages_move(live, 0);
		return;
	}
	for (size_t i = 0; table->now && i < table->now->count; i++) {
		const struct live_id *id = &table->now->ids[i];

		if (addr < id->start || addr >= id->end || !live_reveal(live, table, i))
			continue;
		live->view = view;
		return;
	}
	snprintf(live->message, sizeof(live->message), "no mapping shown holds that address");
}

static void goto_pid(struct live *live, const char *text)
{
	struct live_table *table = live_table(live);
	uint64_t pid;

	if (!num_user_u64(text, &pid)) {
		snprintf(live->message, sizeof(live->message), "not a PID");
		return;
	}
	for (size_t i = 0; i < table->shown; i++)
		if (table->now->ids[table->order[i]].start == pid) {
			live_move(live, table, i);
			return;
		}
	snprintf(live->message, sizeof(live->message), "no process shown has that PID");
}

static void goto_place(struct live *live, const char *text)
{
	if (live->view == LIVE_PROCESSES || live->view == LIVE_SHARING || live->view == LIVE_FRAME)
		goto_pid(live, text);
	else if (!live_is_machine(live->view))
		goto_address(live, text);
	else
		snprintf(live->message, sizeof(live->message), "there is no address to go to here");
}

static void finish_prompt(struct live *live)
{
	enum live_prompt prompt = live->prompt;

	live->prompt = PROMPT_NONE;
	switch (prompt) {
	case PROMPT_FILTER:
		live_filter(live, live->input);
		break;
	case PROMPT_COLUMNS:
		live_columns(live, live->input);
		break;
	case PROMPT_SEARCH:
		snprintf(live->search, sizeof(live->search), "%s", live->input);
		live_search_next(live);
		break;
	case PROMPT_GOTO:
		goto_place(live, live->input);
		break;
	case PROMPT_WRITE:
		snprintf(live->write_to, sizeof(live->write_to), "%s", live->input);
		live->write_over = false;
		break;
	case PROMPT_NONE:
	case PROMPT_REPLACE:
		break;
	}
}

/* A filter that is not yet whole shows what the one before it did. */
static void input_changed(struct live *live)
{
	live->input[live->input_len] = '\0';
	live->message[0] = '\0';
	if (live->prompt == PROMPT_FILTER && live_filter(live, live->input))
		live->message[0] = '\0';
}

static void input_add(struct live *live, int key)
{
	unsigned code = (unsigned)key;
	char *at = live->input + live->input_len;

	if (live->input_len + 5 > sizeof(live->input))
		return;
	if (code < 0x80) {
		*at = (char)code;
		live->input_len += 1;
	} else if (code < 0x800) {
		at[0] = (char)(0xc0 | code >> 6);
		at[1] = (char)(0x80 | (code & 0x3f));
		live->input_len += 2;
	} else if (code < 0x10000) {
		at[0] = (char)(0xe0 | code >> 12);
		at[1] = (char)(0x80 | (code >> 6 & 0x3f));
		at[2] = (char)(0x80 | (code & 0x3f));
		live->input_len += 3;
	} else {
		at[0] = (char)(0xf0 | code >> 18);
		at[1] = (char)(0x80 | (code >> 12 & 0x3f));
		at[2] = (char)(0x80 | (code >> 6 & 0x3f));
		at[3] = (char)(0x80 | (code & 0x3f));
		live->input_len += 4;
	}
}

/* The last character, of however many bytes. */
static void input_erase(struct live *live)
{
	while (live->input_len && (live->input[live->input_len - 1] & 0xc0) == 0x80)
		live->input_len--;
	if (live->input_len)
		live->input_len--;
}

enum { CONTROL_U = 'U' - '@' }; /* as a terminal's own: all that was typed */

static bool answer_replace(struct live *live, int key)
{
	live->prompt = PROMPT_NONE;
	live->message[0] = '\0';
	if (key == 'y' || key == 'Y')
		live->write_over = true;
	else
		live->write_to[0] = '\0';
	return true;
}

static bool prompt_key(struct live *live, int key)
{
	if (live->prompt == PROMPT_REPLACE)
		return answer_replace(live, key);
	if (key == LIVE_KEY_ENTER || key == '\n') {
		finish_prompt(live);
	} else if (key == LIVE_KEY_ESCAPE) {
		if (live->prompt == PROMPT_FILTER)
			live_filter(live, "");
		live->message[0] = '\0';
		live->prompt = PROMPT_NONE;
	} else if (key == LIVE_KEY_ERASE || key == 8) {
		input_erase(live);
		input_changed(live);
	} else if (key == CONTROL_U) {
		live->input_len = 0;
		input_changed(live);
	} else if (key >= ' ' && key < 0x110000) {
		input_add(live, key);
		input_changed(live);
	} else {
		return false;
	}
	return true;
}

bool live_key(struct live *live, int key)
{
	if (live->prompt != PROMPT_NONE)
		return prompt_key(live, key);
	live->message[0] = '\0';
	for (size_t i = 0; i < BINDINGS; i++) {
		if (bindings[i].key != key)
			continue;
		bindings[i].act(live);
		return true;
	}
	return false;
}
