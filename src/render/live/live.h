/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_RENDER_LIVE_LIVE_H
#define VMVIEW_RENDER_LIVE_LIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "column/column.h"
#include "column/sort.h"
#include "model/kind.h"
#include "render/live/list.h"
#include "render/report.h"

struct filter;
struct grid;
struct live_tree;

/*
 * The live view as a state: what was read, what is shown of it, where the cursor is. Nothing here
 * reads a file or knows a terminal: cmd/ fills in readings (request.h), live_key() takes keys,
 * live_draw() makes a screen of it.
 */
enum live_view {
	LIVE_PROCESSES,
	LIVE_MAP,
	LIVE_FRAME, /* who maps the page under the cursor of LIVE_PAGES */
	LIVE_HUGE, /* huge pages of the process */
	LIVE_SHARING, /* with whom the process shares, how much */
	LIVE_MACHINE, /* frames by use */
	LIVE_ORDERS, /* free memory by order */
	LIVE_TABLES, /* the views before are tables, those from here on grids */
	LIVE_PAGES = LIVE_TABLES,
	LIVE_PICTURE, /* of physical memory */
	LIVE_VIEWS,
};

/* Keys that are no characters; characters are their code points. */
enum live_key_code {
	LIVE_KEY_ENTER = '\r',
	LIVE_KEY_ESCAPE = 27,
	LIVE_KEY_ERASE = 127,
	LIVE_KEY_UP = 0x200000,
	LIVE_KEY_DOWN,
	LIVE_KEY_LEFT,
	LIVE_KEY_RIGHT,
	LIVE_KEY_PAGE_UP,
	LIVE_KEY_PAGE_DOWN,
	LIVE_KEY_HOME,
	LIVE_KEY_END,
	LIVE_KEY_F0, /* F1 is the next, and so on to F12 */
	LIVE_KEY_F12 = LIVE_KEY_F0 + 12,
};

/* What the line at the bottom asks for. */
enum live_prompt {
	PROMPT_NONE,
	PROMPT_FILTER,
	PROMPT_SEARCH,
	PROMPT_COLUMNS,
	PROMPT_GOTO,
	PROMPT_WRITE,
	PROMPT_REPLACE, /* a file of that name exists: y or n */
};

/* Since when changes are shown. */
enum live_changes { CHANGES_OFF, CHANGES_REFRESH, CHANGES_MARK };

enum { LIVE_INPUT_MAX = 4096, LIVE_HISTORY = 1024, LIVE_TEXT_MAX = 1024 };

/* A list view: one row a process, a mapping, .. */
struct live_table {
	const struct column_set *set; /* made by cmd/, as are the texts */
	const char *defaults; /* columns, as for -o */
	const char *narrow; /* those that stay longest where there is no room for all of them */
	const struct column_set *sums; /* of several rows; NULL: no tree of them can be made */
	const char *sorted; /* how it is sorted at first, as for --sort; NULL: by id */
	const char *changes; /* columns (bytes) that CHANGES_ show as signed ones, commas between */
	char columns[LIVE_INPUT_MAX], filter_text[LIVE_INPUT_MAX];
	struct arena arena; /* of selection and filter */
	struct selection selection;
	struct filter *filter;
	struct sort sort;
	struct live_list *now, *before, *mark;
	size_t *order; /* indices of rows that are shown, and groups of the tree */
	struct live_tree *tree; /* NULL: none is shown */
	size_t shown, taken; /* places in order; rows that the filter takes */
	long *match; /* by index: the row of what changes are counted from */
	size_t gone; /* rows of that which are no more */
	size_t cursor, top; /* positions in order */
	size_t left; /* columns that were scrolled past, behind the first, which stays */
	struct live_id at; /* what the cursor is on, however rows move */
};

/* Sums over the mappings of a process. */
struct live_sums {
	bool known;
	struct value value[4]; /* live_sum_names */
	uint64_t kinds[KIND_COUNT]; /* rss by kind */
	const char *source; /* what they are from: a word; NULL: nothing */
	const char *reason; /* why some are absent; NULL: none is. Both live for ever */
};

/* What is said above and below the rows; texts are encoded. */
struct live_facts {
	char title[LIVE_TEXT_MAX];
	char status[LIVE_TEXT_MAX]; /* what the last reading cost, and what could not be read */
	bool ended;
	bool partial; /* something could not be read */
	struct live_sums sums;
};

extern const char *const live_sum_names[4]; /* RSS PSS DIRTY SWAP */

/* What the pages of a cell are, by letter; a page is one of these. */
enum live_class {
	CLASS_EMPTY,
	CLASS_PRIVATE, /* anonymous, of this process alone */
	CLASS_SHARED, /* anonymous, mapped elsewhere too */
	CLASS_FILE, /* file or shared memory, clean; dirty or not where no_dirty */
	CLASS_DIRTY, /* the same, dirty */
	CLASS_HUGE, /* mapped by a PMD or above, of any of these */
	CLASS_SWAPPED,
	CLASS_OUT, /* swapped, a marker or moving: alike while frames are hidden */
	CLASS_ZERO,
	CLASS_GUARD,
	CLASS_MARKER,
	CLASS_MIGRATION,
	CLASS_COUNT,
};

struct live_cell {
	uint32_t pages[CLASS_COUNT];
};

/* The grid of pages of one mapping. */
struct live_pages {
	uint64_t start, end, page_size; /* the mapping; bytes */
	char name[256]; /* of the mapping when it was entered; encoded */
	uint64_t zoom; /* pages a cell */
	bool fit; /* zoom follows the size of the screen */
	uint64_t top; /* the first page that is shown, from start */
	uint64_t cursor; /* a page, from start */
	/* the last reading */
	uint64_t read_top, read_zoom;
	struct live_cell *cells; /* heap */
	size_t count;
	char reason[128]; /* why there is none; "": there is */
	const char *no_dirty; /* why it is not known whether file pages are dirty; NULL: it is */
	char explained[LIVE_TEXT_MAX]; /* the page under the cursor */
};

/* What a letter of the picture stands for. */
struct live_use {
	char letter;
	const char *name;
	uint64_t cells;
};

enum { LIVE_USES = 32, LIVE_ADDRESS = 13 };

/* Physical memory, a cell each, from address 0 on. */
struct live_picture {
	char *cells; /* letters, a blank is no memory; heap */
	size_t count;
	uint64_t cell_bytes;
	struct live_use uses[LIVE_USES];
	size_t use_count;
	const char *reason; /* why there is none; NULL: there is */
};

struct live_sample {
	uint64_t value[3]; /* RSS PSS DIRTY; UINT64_MAX: not known */
};

struct live {
	size_t width, height;
	bool ascii; /* no line drawing, no blocks */
	bool plain; /* no bars, no hints: to copy from, and for screen readers */
	struct report_options format; /* how figures look */
	enum live_view view;
	enum live_view from[LIVE_VIEWS]; /* where escape leads; itself: nowhere */
	bool kernel_threads; /* are listed, too */
	size_t kernel_hidden; /* how many are not */
	struct live_table table[LIVE_TABLES];
	struct live_pages pages;
	struct live_picture picture;
	struct live_facts facts;
	int pid; /* that all views but LIVE_PROCESSES and those of the machine are of */
	uint64_t frame_addr; /* the page of LIVE_FRAME; 0: none was chosen */
	uint64_t find_addr; /* of a map that is read next: the cursor goes there; 0: it stays */
	struct live_sample history[LIVE_HISTORY];
	size_t samples; /* in all; the last LIVE_HISTORY are kept */
	enum live_changes changes;
	bool has_mark;
	bool help;
	size_t help_top;
	bool paused;
	uint64_t interval_ns;
	enum live_prompt prompt;
	char input[LIVE_INPUT_MAX]; /* bytes from a keyboard */
	size_t input_len;
	char search[LIVE_INPUT_MAX];
	char message[LIVE_TEXT_MAX]; /* what the last key gave; encoded */
	bool quit;
	bool stale; /* what is shown has to be read anew before its time */
	bool glance; /* only what the cursor is on has to be */
	char write_to[LIVE_INPUT_MAX]; /* not "": write what is shown there */
	bool write_over;
};

void live_init(struct live *live, const struct report_options *format);
void live_fini(struct live *live);

/* A view's columns; what table points to must outlive live. */
void live_set_columns(struct live *live, enum live_view view, const struct live_table *table);

/* Show the map of this process; from the list: escape leads back there. */
void live_open_map(struct live *live, int pid, bool from_list);

/*
 * Show another view of the process or of the machine. Escape leads back; to a view that it would lead
 * to anyway, the way back is the one from there.
 */
void live_go(struct live *live, enum live_view view);
void live_back(struct live *live);

/* What all views of a process show is of this one from here on. */
void live_set_process(struct live *live, int pid);

/* The map of this process, the cursor on the mapping that holds the address. */
void live_open_address(struct live *live, int pid, uint64_t addr);

/* Who maps the page under the cursor of LIVE_PAGES. */
void live_open_frame(struct live *live);

/* The pages of the mapping under the cursor, in a table whose rows are mappings. */
void live_open_pages(struct live *live);

/* The process under the cursor, where rows are processes; else the one that is shown, or 0. */
int live_process(struct live *live);

/* Whether a view is of the whole machine; LIVE_PROCESSES is not. */
bool live_is_machine(enum live_view view);

void live_resize(struct live *live, size_t width, size_t height);

/* The newest reading of a list view; takes over list. */
void live_take_list(struct live *live, enum live_view view, struct live_list *list);

/* Sums of the process at this refresh, for the sparkline. */
void live_take_sample(struct live *live, const struct live_sample *sample);

/* How many cells the grid of pages, and the picture, have room for: what a reading has to fill. */
size_t live_pages_room(const struct live *live);
size_t live_picture_room(const struct live *live);

/* Choose how much of the mapping a screen shows; returns how many cells. */
size_t live_pages_fit(struct live *live);

/* Nothing of the current view was read yet: what a key opened, not what one asked for again. */
bool live_is_empty(const struct live *live);

/* A picture that was read; takes over cells. */
void live_take_picture(struct live *live, const struct live_picture *picture);

/* The table of the current view, or NULL (grids). */
struct live_table *live_table(struct live *live);

/* What its columns, filter and order need that has to be read (enum need). */
unsigned live_table_needs(const struct live_table *table);

/* Apply a filter ("" for none) or columns; false with the reason in live->message. */
bool live_filter(struct live *live, const char *text);
bool live_columns(struct live *live, const char *text);
bool live_sort(struct live *live, const char *text);

/* The change of a column of a row since what live->changes says; absent where it is not known. */
struct value live_change(struct live *live, struct live_table *table, size_t index,
			 const struct column *column);

/* Where changes are counted from, or NULL. */
struct live_list *live_changes_from(const struct live *live, const struct live_table *table);

/* Show rows of a table by file, or not. */
void live_toggle_tree(struct live *live, struct live_table *table);

/* Move the cursor to a row of the reading, also where its group is closed; false: not shown. */
bool live_reveal(struct live *live, struct live_table *table, size_t index);

/* Move the cursor to a row (position among the shown ones). */
void live_move(struct live *live, struct live_table *table, size_t position);

/* The next row whose text columns hold live->search; a message where there is none. */
void live_search_next(struct live *live);

/* The cursor of the map goes to find_addr, where that is set and there is a mapping that holds it. */
void live_find_address(struct live *live);

/* Make order anew: after a reading, a filter, a sort. */
void live_reorder(struct live *live, struct live_table *table);

/* Take a key; false: it means nothing here. */
bool live_key(struct live *live, int key);

/* The list of keys: "j\0one line down" lines for the help screen, index from 0; false at its end. */
bool live_binding(size_t index, const char **label, const char **help);

/* How many rows the view's table or grid has on the screen. */
size_t live_rows(const struct live *live);

void live_draw(struct live *live, struct grid *grid);

/* What stands where nothing was read yet. */
#define LIVE_READING "reading .."

/* The part of live_draw() that shows the table of the current view, from row y on. */
void live_draw_table(struct live *live, struct grid *grid, size_t y);

/* The part of live_draw() that shows the grid of pages, from row y on. */
void live_draw_pages(struct live *live, struct grid *grid, size_t y);

/* The picture, from row y on. */
void live_draw_picture(const struct live *live, struct grid *grid, size_t y);

/* What is told above a table, from row y on (grid NULL: nothing is drawn). Returns how many rows. */
size_t live_draw_facts(const struct live *live, const struct live_table *table, struct grid *grid,
		       size_t y);

/* Whether any cell has pages of this class. */
bool live_pages_have(const struct live_pages *pages, enum live_class class);

/* "private", .. */
extern const char *const live_class_names[CLASS_COUNT];

#endif
