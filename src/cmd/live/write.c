/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/live/write.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/encode.h"
#include "base/out.h"
#include "cmd/frag/orders.h"
#include "cmd/huge/columns.h"
#include "cmd/live/changes.h"
#include "cmd/live/read.h"
#include "cmd/who/run.h"
#include "column/ps_columns.h"
#include "column/system_columns.h"
#include "column/vma_columns.h"
#include "model/missing.h"
#include "model/needs.h"
#include "render/format.h"
#include "render/live/grid.h"
#include "render/live/live.h"
#include "render/live/tree.h"
#include "render/report.h"

/* What a view is called in JSON, and its rows; columns NULL: those of mappings. */
static const struct {
	const char *view, *key, *columns;
} views[LIVE_VIEWS] = {
	[LIVE_PROCESSES] = { "processes", "processes", NULL },
	[LIVE_MAP] = { "map", "mappings", NULL },
	[LIVE_PAGES] = { "pages", NULL, NULL },
	[LIVE_FRAME] = { "frame", "owners", who_columns_default },
	[LIVE_HUGE] = { "huge", "mappings", NULL },
	[LIVE_SHARING] = { "sharing", "sharers", live_sharing_default },
	[LIVE_MACHINE] = { "machine", "classes", system_class_json },
	[LIVE_ORDERS] = { "orders", "orders", frag_order_defaults },
	[LIVE_PICTURE] = { "picture", NULL, NULL },
};

struct live_writer {
	const struct live_maker *maker;
	struct live *live;
	struct report *report;
	struct arena arena;
};

/* JSON has all there is of a row unless columns were chosen. */
static void select_columns(struct live_writer *writer, struct selection *selection)
{
	const struct live_table *table = live_table(writer->live);
	bool json = report_options(writer->report)->format == REPORT_JSON;
	const char *all = views[writer->live->view].columns;

	*selection = table->selection;
	if (!json || table->columns[0])
		return;
	if (!all && writer->live->view == LIVE_PROCESSES)
		all = ps_columns_json(&writer->arena, table->set, &writer->maker->columns->ps_keys);
	else if (writer->live->view == LIVE_HUGE)
		all = huge_columns_json(&writer->arena, table->set, false);
	else if (!all)
		all = vma_columns_json(&writer->arena, table->set, &writer->maker->keys);
	selection_parse(selection, table->set, all,
			writer->live->view == LIVE_PROCESSES ? "+command" : NULL, &writer->arena,
			NULL);
}

/* Also where its columns do not say so: it is what was asked for by --columns, --sort, --filter. */
static bool wants_rollups(const struct live *live)
{
	const struct live_table *table = &live->table[LIVE_PROCESSES];

	return live->view == LIVE_PROCESSES && table->now && live_table_needs(table) & NEED_ROLLUP;
}

/* The last place is for all that have no room. */
static void add_unread(struct live_unread *unread, const char *words)
{
	size_t kind = strcspn(words, ":"), at = 0;

	while (at < unread->count && (strncmp(unread->reasons[at].words, words, kind) != 0 ||
				      strcspn(unread->reasons[at].words, ":") != kind))
		at++;
	if (at == LIVE_REASONS)
		at--;
	if (at == unread->count)
		unread->reasons[unread->count++].words = words;
	unread->reasons[at].processes++;
}

void live_find_unread(struct live *live, struct live_unread *unread)
{
	const struct live_table *table = live_table(live);

	*unread = (struct live_unread){ 0 };
	for (size_t i = 0; wants_rollups(live) && i < table->taken; i++) {
		const struct ps_row *row = table->now->ops->row(table->now, table->order[i]);
		const struct vma *sum = &row->tally.sum;

		/* that one ended meanwhile is no failure */
		if (row->tally.mappings && !sum->have && sum->absent && *sum->absent &&
		    strncmp(sum->absent, "gone", 4) != 0)
			add_unread(unread, sum->absent);
	}
}

static void write_rows(struct live_writer *writer)
{
	struct live_table *table = live_table(writer->live);
	struct report *report = writer->report;
	struct selection selection;
	struct table shown = { views[writer->live->view].key, &selection, NULL, .csv = true };
	const size_t *rows = table->tree ? table->tree->members : table->order;
	struct live_changed_row row = { writer->live, table, 0 };
	bool json = report_options(report)->format == REPORT_JSON, changes;

	select_columns(writer, &selection);
	changes = live_changes_select(writer->live, table, json, &writer->arena, &selection);
	report_table(report, &shown);
	for (size_t i = 0; i < table->taken; i++) {
		row.index = rows[i];
		report_row(report, changes ? (const void *)&row :
					     table->now->ops->row(table->now, row.index));
	}
	report_table_end(report);
	if (!changes)
		return;
	report_fact(report, "gone", VALUE_COUNT, value_u(table->gone));
	if (report_prose(report))
		out_printf(report_prose(report), "%zu gone\n", table->gone);
}

static struct value get_file_name(const void *row, const struct column *column)
{
	(void)column;
	return value_text(bytes_of(((const struct vma_tally *)row)->name));
}

/* The tree: a row a file, whether it is open or not. */
static void write_files(struct live_writer *writer)
{
	static const struct column name = { "name",	"NAME", "the file, or what it is for",
					    VALUE_TEXT, 0,	get_file_name };
	static const char *const sums[] = { "mappings",	 "size",   "rss",      "pss",
					    "uss",	 "shared", "dirty",    "clean",
					    "anonymous", "swap",   "swap_pss", "huge" };
	enum { SUMS = ARRAY_SIZE(sums) };
	struct live_table *table = live_table(writer->live);
	const struct column *columns[SUMS + 1];
	const struct selection selection = { columns, SUMS + 1, 0 };
	const struct table shown = { "files", &selection, NULL, .csv = true };

	for (size_t i = 0; i < SUMS; i++)
		columns[i] = column_find(table->sums, bytes_of(sums[i]));
	columns[SUMS] = &name;
	report_table(writer->report, &shown);
	for (size_t i = 0; i < table->shown; i++) {
		struct live_group *group = live_tree_group(table, table->order[i]);

		if (group)
			report_row(writer->report, live_tree_sums(table, group));
	}
	report_table_end(writer->report);
}

static void write_processes(struct live_writer *writer)
{
	write_rows(writer);
	report_fact(writer->report, "kernel_threads", VALUE_COUNT,
		    value_u(writer->live->kernel_hidden));
}

/* Where the sums are from, and what is missing. */
static void write_source(struct live_writer *writer)
{
	const struct live_sums *sums = &writer->live->facts.sums;
	struct missing missing = { 0 };

	report_fact(writer->report, "source", VALUE_WORD,
		    sums->source ? value_word(sums->source) : value_none());
	if (!sums->reason)
		return;
	if (report_prose(writer->report))
		out_printf(report_prose(writer->report), "%s\n", sums->reason);
	missing_add(&missing, "mappings", sums->reason);
	report_missing(writer->report, &missing);
}

static void write_sums(struct live_writer *writer)
{
	static const char *const keys[] = { "rss", "pss", "dirty", "swap" };
	const struct live *live = writer->live;
	struct report *report = writer->report;
	struct out *out = report_prose(report);

	report_fact(report, "pid", VALUE_NUMBER, value_i(live->pid));
	report_fact(report, "ended", VALUE_BOOL, value_u(live->facts.ended));
	if (out)
		out_printf(out, "%s%s\n", live->facts.title, live->facts.ended ? " (ended)" : "");
	if (live->table[LIVE_MAP].tree)
		write_files(writer);
	if (!out || !live->table[LIVE_MAP].tree)
		write_rows(writer);
	report_object(report, "total");
	for (size_t i = 0; i < 4; i++) {
		struct value value = live->facts.sums.value[i];

		report_fact(report, keys[i], VALUE_BYTES, value);
		if (!out)
			continue;
		out_printf(out, "%s%s ", i ? "  " : "", live_sum_names[i]);
		if (value.reason)
			out_char(out, '-');
		else
			report_size(report, out, value.u);
	}
	report_object_end(report);
	if (out)
		out_char(out, '\n');
	write_source(writer);
}

static void write_fact(struct live_writer *writer, const struct live_fact *fact)
{
	const struct column column = { .name = fact->key,
				       .type = fact->type,
				       .codes = fact->codes };
	struct out *out = report_prose(writer->report);

	if (fact->value.reason && !fact->value.reason[0])
		return;
	report_fact_codes(writer->report, fact->key, fact->type, fact->value, fact->codes);
	if (!out)
		return;
	out_printf(out, "%s ", fact->heading);
	format_cell(out, &writer->live->format, &column, &fact->value);
	out_char(out, '\n');
}

/* A view of what another command tells: what is above its rows, then they. */
static void write_other(struct live_writer *writer)
{
	const struct live_list *now = live_table(writer->live)->now;
	struct report *report = writer->report;
	struct missing missing = { 0 };

	if (!live_is_machine(writer->live->view)) {
		report_fact(report, "pid", VALUE_NUMBER, value_i(writer->live->pid));
		report_fact(report, "ended", VALUE_BOOL, value_u(writer->live->facts.ended));
	}
	if (!now)
		return;
	report_object(report, "summary");
	for (size_t i = 0; i < now->fact_count; i++)
		write_fact(writer, &now->facts[i]);
	report_object_end(report);
	write_rows(writer);
	if (!now->reason)
		return;
	missing_add(&missing, views[writer->live->view].key, now->reason);
	report_missing(report, &missing);
}

static void write_picture(struct live_writer *writer)
{
	const struct live_picture *picture = &writer->live->picture;
	struct bytes cells = { picture->cells, picture->count };
	struct report *report = writer->report;

	report_fact(report, "cell_bytes", VALUE_BYTES,
		    picture->reason ? value_absent(picture->reason) : value_u(picture->cell_bytes));
	report_fact(report, "picture", VALUE_TEXT,
		    picture->reason ? value_absent(picture->reason) : value_text(cells));
	report_object(report, "legend");
	for (size_t i = 0; i < picture->use_count; i++)
		report_fact(report, picture->uses[i].name, VALUE_TEXT,
			    value_text((struct bytes){ &picture->uses[i].letter, 1 }));
	report_object_end(report);
}

/* What may be other pages of the cell is not known to be none. */
static struct value cell_count(const struct live_pages *pages, const struct live_cell *cell,
			       enum live_class class)
{
	bool hidden = cell->pages[CLASS_OUT], files = cell->pages[CLASS_FILE];

	if (class == CLASS_DIRTY && files && pages->no_dirty)
		return value_absent(pages->no_dirty);
	if (hidden && (class == CLASS_SWAPPED || class == CLASS_MARKER || class == CLASS_MIGRATION))
		return value_absent(
			"denied: frames are hidden, which tell it from others: see out");
	return value_u(cell->pages[class]);
}

static void write_cells(struct live_writer *writer)
{
	const struct live *live = writer->live;
	const struct live_pages *pages = &live->pages;
	struct report *report = writer->report;

	report_fact(report, "pid", VALUE_NUMBER, value_i(live->pid));
	report_fact(report, "start", VALUE_ADDR, value_u(pages->start));
	report_fact(report, "end", VALUE_ADDR, value_u(pages->end));
	report_fact(report, "cell_pages", VALUE_COUNT, value_u(pages->read_zoom));
	report_fact(report, "first_page", VALUE_COUNT, value_u(pages->read_top));
	report_list(report, "cells");
	for (size_t i = 0; i < pages->count; i++) {
		report_object(report, NULL);
		for (unsigned c = 0; c < CLASS_COUNT; c++)
			report_fact(report, live_class_names[c], VALUE_COUNT,
				    cell_count(pages, &pages->cells[i], (enum live_class)c));
		report_object_end(report);
	}
	report_list_end(report);
}

/* Within JSON a newline is never part of a text: one document becomes one line. */
static void make_one_line(struct out *out, size_t from)
{
	for (size_t i = from; i < out->len; i++)
		if (out->buf[i] == '\n')
			out->buf[i] = ' ';
	out->buf[out->len - 1] = '\n';
}

static void write_view(struct live_writer *writer)
{
	const struct live *live = writer->live;
	struct live_unread unread;

	report_fact(writer->report, "view", VALUE_WORD, value_word(views[live->view].view));
	if (live->view == LIVE_PROCESSES)
		write_processes(writer);
	else if (live->view == LIVE_MAP)
		write_sums(writer);
	else if (live->view == LIVE_PAGES)
		write_cells(writer);
	else if (live->view == LIVE_PICTURE)
		write_picture(writer);
	else
		write_other(writer);
	live_find_unread(writer->live, &unread);
	report_end(writer->report, !live->facts.partial && !live->facts.ended && !unread.count,
		   NULL);
}

void live_write(const struct live_maker *maker, struct live *live, struct out *to, bool json)
{
	struct live_writer writer = { .maker = maker, .live = live };
	struct report_options options = live->format;
	struct report_host host = { NULL, NULL, live->format.page_size, maker->ctx->root.recorded };
	struct host now;
	struct out out;

	arena_init(&writer.arena);
	host_read(&maker->ctx->root, &writer.arena, json, &now);
	host.kernel = now.kernel;
	host.time = now.time;
	options.format = json ? REPORT_JSON : options.format;
	out_init_memory(&out);
	writer.report = report_new(&out, &options);
	report_begin(writer.report, "live", &host);
	write_view(&writer);
	report_free(writer.report);
	if (json && out.len)
		make_one_line(&out, 0);
	out_mem(to, out.buf, out.len);
	out_fini(&out);
	arena_fini(&writer.arena);
}

void live_write_screen(struct live *live, struct out *out)
{
	struct grid grid;

	grid_init(&grid, live->width, live->height);
	live_draw(live, &grid);
	grid_write(&grid, out);
	grid_fini(&grid);
}

static bool is_json(const char *name)
{
	size_t len = strlen(name);

	return len > 5 && strcmp(name + len - 5, ".json") == 0;
}

static void told(struct live *live, const char *what, const char *why)
{
	struct out out;

	out_init_memory(&out);
	encode_text(&out, bytes_of(live->write_to));
	snprintf(live->message, sizeof(live->message), "%s %.*s%s%s", what, (int)out.len, out.buf,
		 why ? ": " : "", why ? why : "");
	out_fini(&out);
}

static void make_document(const struct live_maker *maker, struct live *live, struct out *out)
{
	if (!live_table(live) && !is_json(live->write_to))
		live_write_screen(live, out);
	else
		live_write(maker, live, out, is_json(live->write_to));
}

static int write_all(int fd, const struct out *document)
{
	struct out out;
	int rc;

	out_init(&out, fd);
	out_mem(&out, document->buf, document->len);
	rc = out_fini(&out);
	return close(fd) && !rc ? -errno : rc;
}

/* A new file; what could not be written as a whole is not there. */
static int write_new(const char *path, mode_t mode, const struct out *document)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY, mode);
	int rc;

	if (fd < 0)
		return -errno;
	rc = write_all(fd, document);
	if (rc)
		unlink(path);
	return rc;
}

/* In place of a file: it stays until the new one is there. What is no file (a device) is written to. */
static int write_over(const char *path, const struct out *document)
{
	char name[PATH_MAX];
	struct stat stat;
	int fd, rc;

	if (lstat(path, &stat) || !S_ISREG(stat.st_mode)) {
		fd = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY);
		return fd < 0 ? -errno : write_all(fd, document);
	}
	if (snprintf(name, sizeof(name), "%s.tmp.%d", path, getpid()) >= (int)sizeof(name))
		return -ENAMETOOLONG;
	rc = write_new(name, stat.st_mode & 0777, document);
	if (rc == 0 && rename(name, path)) {
		rc = -errno;
		unlink(name);
	}
	return rc;
}

void live_write_file(const struct live_maker *maker, struct live *live)
{
	struct out document;
	int rc;

	out_init_memory(&document);
	make_document(maker, live, &document);
	rc = live->write_over ? write_over(live->write_to, &document) :
				write_new(live->write_to, 0600, &document);
	out_fini(&document);
	if (rc == -EEXIST && !live->write_over) {
		live->prompt = PROMPT_REPLACE;
		return;
	}
	told(live, rc ? "not written:" : "written:", rc ? strerror(-rc) : NULL);
	live->write_to[0] = '\0';
	live->write_over = false;
}
