/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/who/file.h"

#include <errno.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/out.h"
#include "cmd/who/run.h"
#include "engine/context.h"
#include "model/page.h"
#include "source/filecache.h"
#include "source/pagewalk.h"

enum { FILE_PAGES_MAX = 1 << 24, PAGE_MAPPED = 128 };

/* How much of one mapping is in memory. */
struct file_owner {
	uint64_t pages, copied;
};

/* Whether a mapping of another device is of the file. */
enum alias { ALIAS_NOT_ASKED, ALIAS_YES, ALIAS_NO, ALIAS_UNSURE };

struct file_run {
	struct who_run *run;
	struct filecache cache;
	size_t page_size;
	uint64_t page_count;
	uint8_t *pages;			/* bits of filecache.h, PAGE_MAPPED; NULL: too many pages */
	unsigned has;			/* bits of filecache.h that are known */
	const char *reason;		/* why others are not */
	struct file_owner *owners;	/* by mapping of the search */
	size_t owner_cap;
	/* the last mapping of another device that was looked at */
	int alias_pid;
	uint64_t alias_start;
	enum alias alias;
	size_t unsure;			/* mappings that may be of the file: hidden frames */
	size_t before; /* mappings that were kept when the process began */
};

static void read_cache(struct file_run *file)
{
	int rc;

	if (file->page_count > FILE_PAGES_MAX) {
		file->reason = "unsupported: the file is too big to be told page by page";
		return;
	}
	file->pages = mem_zalloc((size_t)file->page_count + 1);
	rc = filecache_pages(&file->cache, file->page_size, FILECACHE_ANY, file->pages,
			     (size_t)file->page_count, &file->has);
	if (rc == -EPERM || rc == -EACCES)
		file->reason = file->cache.reason ?
				       file->cache.reason :
				       "denied: needs the file's owner or write access";
	else if (rc)
		file->reason = error_reason(rc);
	else if (!(file->has & FILECACHE_DIRTY))
		file->reason = filecache_no_dirty(&file->cache);
}

static struct file_owner *owner_of(struct file_run *file, uint32_t mapping)
{
	while (mapping >= file->owner_cap) {
		size_t cap = file->owner_cap ? file->owner_cap * 2 : 64;

		file->owners = mem_grow(file->owners, cap, sizeof(*file->owners));
		for (size_t i = file->owner_cap; i < cap; i++)
			file->owners[i] = (struct file_owner){ 0 };
		file->owner_cap = cap;
	}
	return &file->owners[mapping];
}

/* What is mapped is cached, also where it was not a moment ago. */
static void mark_mapped(struct file_run *file, uint64_t page)
{
	if (file->pages && page < file->page_count)
		file->pages[page] |= PAGE_MAPPED | (file->has & FILECACHE_CACHED);
}

/* Both have the frame of a page, or not. */
static enum alias compare_frames(const struct file_run *file, uint64_t word, uint64_t page)
{
	uint64_t own, pfn = pagemap_pfn(word);

	if (page >= file->page_count ||
	    (file->has & FILECACHE_CACHED && !(file->pages[page] & FILECACHE_CACHED)))
		return ALIAS_NO;
	own = filecache_frame(&file->cache, &file->run->ctx->root, file->page_size, page);
	return own && pfn ? (own == pfn ? ALIAS_YES : ALIAS_NO) : ALIAS_UNSURE;
}

/* Of a mapping under another device the first page of the file that is present tells. */
static bool is_of_file(struct file_run *file, const struct vma *vma, uint64_t word, uint64_t page)
{
	if (who_rule_is_file(&file->run->search.rule, vma))
		return true;
	if (file->alias_pid != vma->pid || file->alias_start != vma->start ||
	    file->alias == ALIAS_NOT_ASKED) {
		file->alias_pid = vma->pid;
		file->alias_start = vma->start;
		file->alias = compare_frames(file, word, page);
		file->unsure += file->alias == ALIAS_UNSURE;
	}
	return file->alias == ALIAS_YES;
}

/* The same of a page that is none of a file, which tells nothing itself. */
static bool is_known_file(const struct file_run *file, const struct vma *vma)
{
	return who_rule_is_file(&file->run->search.rule, vma) ||
	       (file->alias_pid == vma->pid && file->alias_start == vma->start &&
		file->alias == ALIAS_YES);
}

/* Present pages of the file; what is no page of a file any more was copied on write. */
static bool take_span(void *opaque, struct who_search *search, const struct page_span *span)
{
	struct file_run *file = opaque;
	struct file_owner *owner;
	struct vma vma;

	who_mapping(search, span, &vma);
	for (uint64_t k = 0; k < span->pages; k++) {
		uint64_t word = page_span_word(span, k);
		uint64_t addr = span->start + k * file->page_size;
		uint64_t page = (vma.offset + (addr - vma.start)) / file->page_size;

		/* (whose copy it is, pages of a file tell) */
		if (!(word & PAGEMAP_PRESENT) ||
		    (!(word & PAGEMAP_FILE) && !is_known_file(file, &vma)) ||
		    (word & PAGEMAP_FILE && !is_of_file(file, &vma, word, page)))
			continue;
		owner = owner_of(file, who_keep(search, span));
		if (!(word & PAGEMAP_FILE)) {
			owner->copied++;
			continue;
		}
		owner->pages++;
		mark_mapped(file, page);
	}
	return false;
}

static void begin_process(void *ctx, int pid)
{
	struct file_run *file = ctx;

	(void)pid;
	file->before = file->run->search.mappings.count;
}

/* Its mappings are not kept: those of another process will have their places. */
static void undo_process(void *ctx, int pid)
{
	struct file_run *file = ctx;

	(void)pid;
	for (size_t i = file->before; i < file->owner_cap; i++)
		file->owners[i] = (struct file_owner){ 0 };
}

static void make_rows(struct file_run *file)
{
	struct who_run *run = file->run;

	for (size_t i = 0; i < run->search.mappings.count; i++) {
		const struct file_owner *owner = owner_of(file, (uint32_t)i);
		struct who_row *row = who_add_row(run);

		vma_store_get(&run->search.mappings, i, &row->vma);
		row->process = who_process_of(&run->search, row->vma.pid);
		row->addr = row->vma.start;
		row->pages = owner->pages;
		row->copied = owner->copied;
	}
}

static const char unsure_reason[] =
	"denied: mappings of other file systems (overlays) may be of this file: needs CAP_SYS_ADMIN";

static struct value count_bit(const struct file_run *file, unsigned bit)
{
	uint64_t count = 0;

	if (bit == PAGE_MAPPED && file->unsure)
		return value_absent(unsure_reason);
	if (bit != PAGE_MAPPED && !(file->has & bit))
		return value_absent(file->reason ? file->reason : "not known");
	if (!file->pages)
		return value_absent(file->reason);
	for (uint64_t i = 0; i < file->page_count; i++)
		count += (file->pages[i] & bit) != 0;
	return value_u(count);
}

static void write_run(struct file_run *file, uint64_t from, uint64_t to)
{
	struct report *report = file->run->ctx->report;
	uint8_t bits = file->pages[from];

	report_object(report, NULL);
	report_fact(report, "offset", VALUE_ADDR, value_u(from * file->page_size));
	report_fact(report, "pages", VALUE_COUNT, value_u(to - from));
	report_fact(report, "cached", VALUE_BOOL,
		    file->has & FILECACHE_CACHED ? value_u(bits & FILECACHE_CACHED) :
						   value_absent(file->reason));
	report_fact(report, "dirty", VALUE_BOOL,
		    file->has & FILECACHE_DIRTY ? value_u((bits & FILECACHE_DIRTY) != 0) :
						  value_absent(file->reason));
	report_fact(report, "mapped", VALUE_BOOL, value_u((bits & PAGE_MAPPED) != 0));
	report_object_end(report);
}

/* Pages that are in memory, in pieces of equal ones. */
static void write_runs(struct file_run *file)
{
	report_list(file->run->ctx->report, "runs");
	for (uint64_t from = 0, to; file->pages && from < file->page_count; from = to) {
		for (to = from + 1; to < file->page_count && file->pages[to] == file->pages[from];
		     to++)
			;
		if (file->pages[from])
			write_run(file, from, to);
	}
	report_list_end(file->run->ctx->report);
}

static void write_json(struct file_run *file)
{
	struct who_run *run = file->run;
	struct report *report = run->ctx->report;
	uint64_t dev = (uint64_t)file->cache.dev_major << 32 | file->cache.dev_minor;

	report_object(report, "file");
	report_fact(report, "path", VALUE_TEXT, value_text(bytes_of(run->target)));
	report_fact(report, "dev", VALUE_DEV, value_u(dev));
	report_fact(report, "inode", VALUE_COUNT, value_u(file->cache.inode));
	report_fact(report, "size", VALUE_BYTES, value_u(file->cache.size));
	report_fact(report, "pages", VALUE_COUNT, value_u(file->page_count));
	report_fact(report, "cached", VALUE_COUNT, count_bit(file, FILECACHE_CACHED));
	report_fact(report, "dirty", VALUE_COUNT, count_bit(file, FILECACHE_DIRTY));
	report_fact(report, "writeback", VALUE_COUNT, count_bit(file, FILECACHE_WRITEBACK));
	report_fact(report, "mapped", VALUE_COUNT, count_bit(file, PAGE_MAPPED));
	write_runs(file);
	report_list(report, "owners");
	for (size_t i = 0; i < run->row_count; i++) {
		report_object(report, NULL);
		who_owner_facts(run, &run->rows[i]);
		report_fact(report, "pages", VALUE_COUNT, value_u(run->rows[i].pages));
		report_fact(report, "copied", VALUE_COUNT, value_u(run->rows[i].copied));
		report_object_end(report);
	}
	report_list_end(report);
	report_object_end(report);
}

static void describe(struct file_run *file, struct out *out)
{
	static const struct {
		const char *label;
		unsigned bit;
	} counts[] = {
		{ "cached", FILECACHE_CACHED },
		{ "dirty", FILECACHE_DIRTY },
		{ "in write-back", FILECACHE_WRITEBACK },
		{ "mapped", PAGE_MAPPED },
	};

	out_printf(out, "\npages: %llu;", (unsigned long long)file->page_count);
	for (size_t i = 0; i < ARRAY_SIZE(counts); i++) {
		struct value value = count_bit(file, counts[i].bit);

		out_str(out, i ? ", " : " ");
		if (value.reason)
			out_char(out, '-');
		else
			out_u64(out, value.u);
		out_printf(out, " %s", counts[i].label);
	}
	if (file->reason)
		out_printf(out, " (%s)", file->reason);
	if (file->unsure)
		out_printf(out, "\n%zu more %s", file->unsure,
			   file->unsure == 1 ?
				   "mapping of another file system (an overlay) may be of it" :
				   "mappings of other file systems (overlays) may be of it");
	out_printf(out, "\nmappings found: %zu", file->run->search.mappings.count);
	who_put_span(file->run, out);
	out_char(out, '\n');
}

static void write_all(struct file_run *file)
{
	struct who_run *run = file->run;
	struct out *out = report_prose(run->ctx->report);

	make_rows(file);
	who_write_pass(run);
	if (run->ctx->options.json) {
		write_json(file);
		return;
	}
	who_write_rows(run);
	if (out)
		describe(file, out);
}

static int search_file(struct file_run *file, struct error *err)
{
	struct who_search *search = &file->run->search;

	caps_probe(&search->caps, &file->run->ctx->root, 0);
	search->rule = (struct who_rule){
		.files = true,
		.known = true,
		.inode = file->cache.inode,
		.dev_major = file->cache.dev_major,
		.dev_minor = file->cache.dev_minor,
	};
	who_rule_name(&search->rule, bytes_of(file->cache.base));
	/* zero pages are no pages of the file: told apart only with it */
	search->want = WALK_MAPPED;
	search->sink = take_span;
	search->begin = begin_process;
	search->undo = undo_process;
	search->sink_ctx = file;
	return who_search_run(search, err);
}

int who_file(struct who_run *run, const char *path, struct error *err)
{
	struct file_run file = { .run = run, .page_size = run->ctx->host.page_size };
	int rc;

	if (run->ctx->root.recorded)
		return error_set(err, EINVAL, "%s: files are not looked at in a recording", path);
	rc = filecache_open(&file.cache, &run->ctx->root, path, err);
	if (rc)
		return rc;
	file.page_count = (file.cache.size + file.page_size - 1) / file.page_size;
	read_cache(&file);
	rc = search_file(&file, err);
	if (rc == 0)
		write_all(&file);
	filecache_close(&file.cache);
	free(file.pages);
	free(file.owners);
	return rc;
}
