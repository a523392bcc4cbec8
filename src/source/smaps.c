/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/smaps.h"

#include <endian.h>
#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "base/num.h"
#include "source/smaps_header.h"

enum { NAME_COLUMN = 16, NUMBER_END = 24, LINE = 28, LINES_MAX = 2 * SMAPS_SLOTS, CHUNK = 64 };

void smaps_parser_init(struct smaps_parser *parser, struct smaps_keys *keys, vma_sink sink,
		       void *ctx)
{
	memset(parser, 0, offsetof(struct smaps_parser, path));
	parser->keys = keys;
	parser->sink = sink;
	parser->ctx = ctx;
	parser->learning = true;
}

static void malformed(struct smaps_parser *parser)
{
	struct smaps_pass *pass = &parser->pass;

	if (pass->malformed++ == pass->unfit)
		pass->first_malformed = pass->lines;
}

/* A field of the record that is torn, or does not fit; the record is a mapping all the same. */
static void unfit(struct smaps_parser *parser, unsigned slot, bool overflow)
{
	struct smaps_pass *pass = &parser->pass;
	struct vma *vma = &parser->vma;

	pass->malformed++;
	if (!pass->unfit++) {
		pass->first_unfit = pass->lines;
		pass->unfit_slot = slot;
	}
	smaps_keys_see(parser->keys, slot);
	vma->have &= ~(1ULL << slot);
	vma->field[slot] = 0;
	if (overflow) {
		vma->overflow |= 1ULL << slot;
	} else {
		vma->lost |= 1ULL << slot;
		vma->why_lost = "malformed";
	}
}

/* A record has ended: if it was laid out as expected, this is what is learned. */
static void end_learning(struct smaps_parser *parser)
{
	if (parser->learned_end && !parser->irregular) {
		parser->learning = false;
		return;
	}
	parser->learned = parser->learned_lines = 0;
	parser->learned_slots = 0;
	parser->learned_end = 0;
	parser->irregular = false;
}

/* Hand the record on. One that repeats what was there is dropped, one that overlaps is clamped. */
static void hand_on(struct smaps_parser *parser)
{
	struct vma *vma = &parser->vma;

	parser->pending = false;
	if (parser->learning)
		end_learning(parser);
	if (vma->start < parser->previous_end) {
		parser->pass.changed++;
		if (vma->end <= parser->previous_end) {
			parser->before = NULL;
			return;
		}
		if (vma->inode)
			vma->offset += parser->previous_end - vma->start;
		vma->start = parser->previous_end;
		vma->changed = true;
	}
	parser->previous_end = vma->end;
	parser->pass.mappings++;
	/* no fields are the same as no fields: all records of maps */
	if (!vma->have)
		vma->same = parser->bare;
	parser->bare = !vma->have;
	parser->stopped = parser->sink(parser->ctx, vma);
}

static inline void emit(struct smaps_parser *parser)
{
	if (parser->pending && !parser->stopped)
		hand_on(parser);
}

static void set_path(struct smaps_parser *parser, const char *name, size_t len)
{
	parser->vma.path = (struct bytes){ name, len < VMA_PATH_KEPT ? len : VMA_PATH_KEPT };
	parser->vma.path_len = len;
}

static void keep_text(struct bytes *text, char *room)
{
	if (!text->data || text->data == room)
		return;
	memcpy(room, text->data, text->len);
	text->data = room;
}

/*
 * The text that the record was read from goes away. Most records end within it, and their names and
 * flags are never copied.
 */
static void keep_texts(struct smaps_parser *parser)
{
	if (!parser->pending)
		return;
	keep_text(&parser->vma.path, parser->path);
	keep_text(&parser->vma.vm_flags, parser->vm_flags);
}

/* What comes next of a name that is longer than what is kept of its beginning. */
static void add_tail(struct smaps_parser *parser, const char *text, size_t len)
{
	size_t room = sizeof(parser->tail), have = parser->tail_len, drop;

	if (len > room) {
		text += len - room;
		len = room;
	}
	drop = have + len > room ? have + len - room : 0;
	memmove(parser->tail, parser->tail + drop, have - drop);
	memcpy(parser->tail + have - drop, text, len);
	parser->tail_len = have - drop + len;
}

static const struct bytes deleted_suffix = BYTES_INIT(" (deleted)");

/* The name is complete, end is its end: split off what the kernel adds to that of an unlinked file. */
static void strip_deleted(struct vma *vma, struct bytes end)
{
	if (!bytes_end_with(end, deleted_suffix) || vma->path_len == deleted_suffix.len)
		return;
	vma->deleted = true;
	vma->path_len -= deleted_suffix.len;
	if (vma->path.len > vma->path_len)
		vma->path.len = vma->path_len;
}

/* The same for one that was cut: no byte is both in path and in tail. */
static void end_long_name(struct smaps_parser *parser)
{
	struct vma *vma = &parser->vma;
	size_t len = parser->tail_len;
	uint64_t cut;

	strip_deleted(vma, (struct bytes){ parser->tail, len });
	if (vma->deleted)
		len -= deleted_suffix.len;
	cut = vma->path_len - vma->path.len;
	if (len > cut)
		len = cut;
	if (len > VMA_TAIL_KEPT)
		len = VMA_TAIL_KEPT;
	vma->tail = (struct bytes){
		parser->tail + parser->tail_len - len - (vma->deleted ? deleted_suffix.len : 0), len
	};
}

/* What a header does not tell. */
static inline void clear(struct vma *vma)
{
	vma->have = vma->estimated = vma->lost = vma->overflow = 0;
	vma->absent = NULL;
	/* each by itself: a chain of assignments reads back what was just stored, in another width */
	vma->vm_flags = (struct bytes){ NULL, 0 };
	vma->name = (struct bytes){ NULL, 0 };
	vma->tail = (struct bytes){ NULL, 0 };
	vma->deleted = vma->changed = vma->same = vma->aside = false;
	vma->kind = KIND_UNKNOWN;
	vma->kind_reason = NULL;
	vma->tid = 0;
	vma->file_id = 0;
}

static bool begin_record(struct smaps_parser *parser, const char *line, const char *end)
{
	const char *name;

	emit(parser);
	clear(&parser->vma);
	name = smaps_header_parse(parser, line, end);
	if (!name) {
		malformed(parser);
		return false;
	}
	set_path(parser, name, (size_t)(end - name));
	parser->pending = true;
	return true;
}

static void parse_header(struct smaps_parser *parser, const char *line, const char *end)
{
	size_t len;

	if (!begin_record(parser, line, end))
		return;
	len = parser->vma.path_len;
	if (len <= VMA_PATH_KEPT) {
		strip_deleted(&parser->vma, parser->vma.path);
		return;
	}
	parser->tail_len = 0;
	add_tail(parser, end - len, len);
	end_long_name(parser);
}

static bool is_header(const char *line)
{
	return (*line >= '0' && *line <= '9') || (*line >= 'a' && *line <= 'f');
}

/* No other line than a header is as long: it is passed over, and the record goes on. */
static void begin_long(struct smaps_parser *parser, const char *text, size_t len)
{
	parser->before = NULL;
	parser->pass.lines++;
	parser->tail_len = 0;
	parser->long_name = false;
	if (is_header(text)) {
		parser->long_name = begin_record(parser, text, text + len);
		keep_texts(parser);
		return;
	}
	malformed(parser);
	parser->irregular = true;
}

void smaps_parser_long(struct smaps_parser *parser, const char *text, size_t len, bool first)
{
	if (first)
		begin_long(parser, text, len);
	else
		parser->vma.path_len += parser->long_name ? len : 0;
	if (parser->long_name)
		add_tail(parser, text, len);
}

void smaps_parser_long_end(struct smaps_parser *parser)
{
	if (parser->long_name)
		end_long_name(parser);
}

static void parse_vm_flags(struct smaps_parser *parser, const char *at, const char *end)
{
	size_t len;

	while (at < end && *at == ' ')
		at++;
	while (end > at && end[-1] == ' ')
		end--;
	len = (size_t)(end - at);
	if (len > sizeof(parser->vm_flags)) {
		len = sizeof(parser->vm_flags);
		while (len && at[len] != ' ')
			len--;
	}
	parser->vma.vm_flags = (struct bytes){ at, len };
}

/*
 * Keep the place of a line that is printed as all of them are: name, blanks to column 16, number of
 * eight columns. False where it is another one (which VmFlags, the last, may be).
 */
static bool learn(struct smaps_parser *parser, struct bytes line, const char *digits, unsigned slot)
{
	struct smaps_line *learned = &parser->line[parser->learned];
	bool kb = parser->keys->key[slot].kb;

	if (!parser->learning)
		return true;
	if (line.len + 1 != (kb ? LINE : LINE - 3) || digits - line.data < NAME_COLUMN ||
	    parser->learned == SMAPS_SLOTS || parser->learned_lines == LINES_MAX)
		return false;
	if (!parser->learned_lines)
		parser->size_first = slot == SMAPS_SIZE;
	if (parser->keys->wanted >> slot & 1) {
		memcpy(learned->prefix, line.data, NAME_COLUMN);
		learned->offset = parser->learned_end;
		learned->slot = (uint8_t)slot;
		learned->kb = kb;
		parser->learned++;
		parser->learned_slots |= 1ULL << slot;
	}
	parser->learned_lines++;
	parser->learned_end = (uint16_t)(parser->learned_end + line.len + 1);
	return true;
}

/* "4 kB" or "4", and nothing else; in bytes where there is a unit. 0, -EPROTO or -EOVERFLOW. */
static int parse_number(const char *at, const char *end, uint64_t *number, bool *kb)
{
	int rc = num_take_dec(&at, end, number);

	*kb = end - at == 3 && memcmp(at, " kB", 3) == 0;
	if (!*kb && at != end)
		return -EPROTO;
	return rc == 0 && *kb && __builtin_mul_overflow(*number, 1024, number) ? -EOVERFLOW : rc;
}

/*
 * A line "Key: ..". Fields that are not known may hold anything; those that are hold a number, with the
 * unit that they always have: else the line is torn. False where it is not laid out as expected.
 */
static bool take_field(struct smaps_parser *parser, struct bytes line, size_t name_len)
{
	const char *at = line.data + name_len + 1, *end = line.data + line.len;
	struct bytes name = { line.data, name_len };
	struct smaps_keys *keys = parser->keys;
	int slot = smaps_keys_find_name(keys, name);
	uint64_t number;
	bool kb;
	int rc;

	/* also a line behind those that fast_fields() took */
	parser->vma.same = false;
	parser->before = NULL;
	while (at < end && *at == ' ')
		at++;
	rc = parse_number(at, end, &number, &kb);
	if (slot < 0 && rc != -EPROTO)
		slot = smaps_keys_slot(keys, name, kb);
	if (slot < 0)
		return false;
	if (rc || keys->key[slot].kb != kb) {
		unfit(parser, (unsigned)slot, rc == -EOVERFLOW && keys->key[slot].kb == kb);
		return false;
	}
	parser->vma.field[slot] = number;
	parser->vma.have |= 1ULL << slot;
	smaps_keys_see(keys, (unsigned)slot);
	return learn(parser, line, at, (unsigned)slot);
}

static void parse_field(struct smaps_parser *parser, const char *line, const char *end)
{
	const char *colon;

	if (parser->pending && end - line >= 8 && smaps_load64(line) == smaps_load64("VmFlags:")) {
		parse_vm_flags(parser, line + 8, end);
		return;
	}
	colon = memchr(line, ':', (size_t)(end - line));
	if (!colon || !parser->pending) {
		malformed(parser);
		parser->irregular = true;
		return;
	}
	if (!take_field(parser, (struct bytes){ line, (size_t)(end - line) },
			(size_t)(colon - line)))
		parser->irregular = true;
}

#define BYTES_OF(byte) ((byte)*0x0101010101010101ULL)

/* Eight columns of digits, right-aligned, blanks in front. False where they are anything else. */
static inline bool parse_column(const char *at, uint64_t *out)
{
	uint64_t chars = le64toh(smaps_load64(at)), blanks, digits;

	if (chars == 0x3020202020202020ULL) {
		*out = 0;
		return true;
	}
	blanks = (~chars & BYTES_OF(0x10)) >> 4;
	blanks *= 0xff;
	/* a blank has the bits of '0' but one */
	digits = (chars | BYTES_OF(0x10)) ^ BYTES_OF(0x30);
	if (((digits + BYTES_OF(0x76)) | digits) & BYTES_OF(0x80) || blanks & (blanks + 1) ||
	    blanks == ~0ULL || digits & blanks)
		return false;
	digits = digits * 10 + (digits >> 8);
	*out = ((digits & 0x000000ff000000ffULL) * 0x000f424000000064ULL +
		(digits >> 16 & 0x000000ff000000ffULL) * 0x0000271000000001ULL) >>
	       32;
	return true;
}

static inline bool same_prefix(const char *at, const char *prefix)
{
	return smaps_load64(at) == smaps_load64(prefix) &&
	       smaps_load64(at + 8) == smaps_load64(prefix + 8);
}

static inline bool fast_field(struct vma *vma, const char *at, const struct smaps_line *line)
{
	uint64_t number;

	if (!same_prefix(at, line->prefix) || !parse_column(at + NAME_COLUMN, &number))
		return false;
	if (line->kb ? memcmp(at + NUMBER_END, " kB\n", 4) != 0 : at[NUMBER_END] != '\n')
		return false;
	vma->field[line->slot] = line->kb ? number * 1024 : number;
	return true;
}

/*
 * The fields of a record that is laid out as the first one was: VmFlags stands where it stood, so no
 * line between is longer or missing. Returns where VmFlags begins, or at where the record is another.
 */
static const char *fast_fields(struct smaps_parser *parser, const char *at, const char *end)
{
	const char *last = at + parser->learned_end, *before = parser->before;
	struct vma *vma = &parser->vma;
	size_t lines = parser->learned;
	bool same;

	/* vma->field is that of the record before only if nothing else is read in between */
	parser->before = NULL;
	if (parser->learned_end < LINE || end - at < parser->learned_end + 8 || last[-1] != '\n' ||
	    smaps_load64(last) != smaps_load64("VmFlags:"))
		return at;
	same = before && parser->size_first &&
	       memcmp(at + LINE, before + LINE, parser->learned_end - LINE) == 0;
	if (same && lines)
		lines = 1;
	for (size_t i = 0; i < lines; i++)
		if (!fast_field(vma, at + parser->line[i].offset, &parser->line[i]))
			return at;
	vma->same = same;
	vma->have = parser->learned_slots;
	parser->pass.lines += parser->learned_lines;
	parser->before = at;
	return last;
}

/*
 * At least CHUNK bytes, by chunks of fixed length: the compiler makes a string instruction of a copy
 * whose length has a bound, which takes three times as long.
 */
static void copy_fields(char *to, const char *from, size_t len)
{
	for (size_t at = 0; at + CHUNK < len; at += CHUNK)
		memcpy(to + at, from + at, CHUNK);
	memcpy(to + len - CHUNK, from + len - CHUNK, CHUNK);
}

/* The text goes away: what the next record is compared with has to stay. */
static void keep_before(struct smaps_parser *parser)
{
	if (!parser->before || parser->before == parser->kept)
		return;
	if (parser->learned_end < CHUNK || parser->learned_end > SMAPS_KEPT) {
		parser->before = NULL;
		return;
	}
	copy_fields(parser->kept, parser->before, parser->learned_end);
	parser->before = parser->kept;
}

/* A record of most mappings. Returns what follows its header, or NULL where that is another one. */
static inline const char *quick_record(struct smaps_parser *parser, const char *at, const char *end)
{
	struct vma *vma = &parser->vma;
	struct smaps_range range;
	const char *next;

	if (end - at < SMAPS_QUICK)
		return NULL;
	next = smaps_header_quick(parser, at, end, &range);
	if (!next)
		return NULL;
	parser->pass.lines++;
	emit(parser);
	clear(vma);
	vma->start = range.start;
	vma->end = range.end;
	vma->perm = range.perm;
	vma->offset = range.offset;
	vma->path = range.name;
	vma->path_len = range.name.len;
	if (range.file) {
		vma->file_id = parser->file.id;
		vma->inode = parser->file.inode;
		vma->dev_major = parser->file.dev_major;
		vma->dev_minor = parser->file.dev_minor;
		strip_deleted(vma, vma->path);
	} else {
		vma->inode = 0;
		vma->dev_major = vma->dev_minor = 0;
	}
	parser->pending = true;
	return next;
}

static const char *parse_line(struct smaps_parser *parser, const char *at, const char *newline)
{
	parser->pass.lines++;
	if (is_header(at))
		parse_header(parser, at, newline);
	else
		parse_field(parser, at, newline);
	return newline + 1;
}

size_t smaps_parser_feed(struct smaps_parser *parser, const char *text, size_t len)
{
	const char *at = text, *end = text + len, *next, *newline;

	while (!parser->stopped && at < end) {
		bool header = is_header(at);

		next = header ? quick_record(parser, at, end) : NULL;
		if (!next) {
			newline = memchr(at, '\n', (size_t)(end - at));
			if (!newline)
				break;
			next = parse_line(parser, at, newline);
		}
		at = next;
		if (header && !parser->learning && parser->pending)
			at = fast_fields(parser, at, end);
	}
	keep_before(parser);
	keep_texts(parser);
	return parser->stopped ? len : (size_t)(at - text);
}

int smaps_parser_finish(struct smaps_parser *parser)
{
	emit(parser);
	return parser->stopped;
}

void smaps_malformed(const struct smaps_pass *pass, const struct smaps_keys *keys, int pid,
		     const char *file, struct error *err)
{
	size_t records = pass->malformed - pass->unfit;

	if (records)
		error_set(err, EPROTO,
			  "%d: %zu records of %s are no mapping, the first in line %zu", pid,
			  records, file, pass->first_malformed);
	else
		error_set(
			err, EPROTO,
			"%d: %s, line %zu: %s is torn or does not fit 64 bits (%zu value%s left out)",
			pid, file, pass->first_unfit, keys->key[pass->unfit_slot].name, pass->unfit,
			pass->unfit == 1 ? "" : "s");
}

const char *smaps_malformed_reason(const struct smaps_pass *pass)
{
	return pass->malformed > pass->unfit ? "malformed records were skipped" :
					       "malformed values were left out";
}
