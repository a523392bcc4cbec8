/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/map_document.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/array.h"
#include "base/error.h"
#include "base/json.h"
#include "base/num.h"
#include "base/out.h"
#include "model/vma.h"
#include "model/vma_store.h"

const char map_document_lacks[] = "not in the document";

/* What a key of a mapping means; behind them the fields of smaps. */
enum member {
	MEMBER_NONE,
	MEMBER_START,
	MEMBER_END,
	MEMBER_PERM,
	MEMBER_OFFSET,
	MEMBER_DEV,
	MEMBER_INODE,
	MEMBER_PATH,
	MEMBER_PATH_HEX,
	MEMBER_DELETED,
	MEMBER_KIND,
	MEMBER_TID,
	MEMBER_FIELDS,
};

static const struct {
	const char *key;
	enum member member;
} members[] = {
	{ "start", MEMBER_START },	 { "end", MEMBER_END },		{ "perm", MEMBER_PERM },
	{ "offset", MEMBER_OFFSET },	 { "dev", MEMBER_DEV },		{ "inode", MEMBER_INODE },
	{ "path", MEMBER_PATH },	 { "kind", MEMBER_KIND },	{ "tid", MEMBER_TID },
	{ "path_hex", MEMBER_PATH_HEX }, { "deleted", MEMBER_DELETED }, { "size", MEMBER_NONE },
};

/* Every mapping has the same keys in the same order: they are looked up once. */
enum { KEYS_KNOWN = 96 };

struct reader {
	struct json *json;
	const struct smaps_keys *keys;
	struct arena *arena;
	struct vma_store *store;
	struct map_document *out;
	int wanted; /* process; 0: any */
	bool found;
	struct {
		char key[SMAPS_JSON_MAX];
		size_t len;
		unsigned member;
	} known[KEYS_KNOWN];
	size_t known_count;
	/* mapping */
	struct vma vma;
	char path[VMA_PATH_KEPT], hex[VMA_PATH_KEPT];
	bool has_hex;
};

static unsigned look_up(const struct reader *reader, struct bytes key)
{
	char text[SMAPS_JSON_MAX];
	int slot;

	for (size_t i = 0; i < ARRAY_SIZE(members); i++)
		if (bytes_equal(key, bytes_of(members[i].key)))
			return members[i].member;
	memcpy(text, key.data, key.len);
	text[key.len] = '\0';
	slot = smaps_keys_find(reader->keys, text);
	return slot < 0 ? MEMBER_NONE : MEMBER_FIELDS + (unsigned)slot;
}

static unsigned member_of(struct reader *reader, struct bytes key, size_t at)
{
	unsigned member;

	if (at < reader->known_count &&
	    bytes_equal(key, (struct bytes){ reader->known[at].key, reader->known[at].len }))
		return reader->known[at].member;
	if (key.len >= SMAPS_JSON_MAX || memchr(key.data, '\0', key.len))
		return MEMBER_NONE;
	member = look_up(reader, key);
	if (at == reader->known_count && at < KEYS_KNOWN) {
		memcpy(reader->known[at].key, key.data, key.len);
		reader->known[at].len = key.len;
		reader->known[at].member = member;
		reader->known_count++;
	}
	return member;
}

/* "0x7f..", or a number. */
static bool read_addr(const struct json *json, enum json_token token, uint64_t *out)
{
	const char *at, *end;

	if (token == JSON_NUMBER)
		return json_u64(json, out);
	if (token != JSON_STRING || json->text.len < 3 || memcmp(json->text.data, "0x", 2) != 0)
		return false;
	at = json->text.data + 2;
	end = json->text.data + json->text.len;
	return num_parse_hex(&at, end, out) && at == end;
}

static void read_dev(const struct json *json, struct vma *vma)
{
	const char *at = json->text.len ? json->text.data : "", *end = at + json->text.len;
	uint64_t high, low;

	if (!num_parse_hex(&at, end, &high) || at == end || *at++ != ':' ||
	    !num_parse_hex(&at, end, &low) || at != end || high > UINT32_MAX || low > UINT32_MAX)
		return;
	vma->dev_major = (uint32_t)high;
	vma->dev_minor = (uint32_t)low;
}

static uint8_t perm_of(struct bytes text)
{
	static const char letters[] = "rwxs";
	uint8_t perm = 0;

	for (size_t i = 0; i < text.len && i < 4; i++)
		perm |= text.data[i] == letters[i] ? (uint8_t)(1 << i) : 0;
	return perm;
}

static enum vma_kind kind_of(struct bytes word)
{
	for (unsigned i = 0; i < KIND_COUNT; i++)
		if (bytes_equal(word, bytes_of(kind_names[i])))
			return (enum vma_kind)i;
	return KIND_UNKNOWN;
}

/* A text without a NUL, cut where it is longer than any path is kept. */
static void keep_path(struct reader *reader, struct bytes text)
{
	size_t len = text.len < sizeof(reader->path) ? text.len : sizeof(reader->path);

	if (reader->has_hex)
		return;
	if (len)
		memcpy(reader->path, text.data, len);
	reader->vma.path = (struct bytes){ reader->path, strnlen(reader->path, len) };
	reader->vma.path_len = reader->vma.path.len;
}

static void keep_hex(struct reader *reader, struct bytes text)
{
	size_t len = 0;

	for (; 2 * len + 1 < text.len && len < sizeof(reader->hex); len++) {
		const char *at = text.data + 2 * len;
		uint64_t byte;

		if (!num_parse_hex(&at, at + 2, &byte) || at != text.data + 2 * len + 2 || !byte)
			return;
		reader->hex[len] = (char)byte;
	}
	reader->has_hex = true;
	reader->vma.path = (struct bytes){ reader->hex, len };
	reader->vma.path_len = len;
}

static void take_field(struct reader *reader, unsigned slot, enum json_token token)
{
	uint64_t value;

	if (token == JSON_TRUE || token == JSON_FALSE)
		value = token == JSON_TRUE;
	else if (token != JSON_NUMBER || !json_u64(reader->json, &value))
		return;
	reader->vma.field[slot] = value;
	reader->vma.have |= 1ull << slot;
}

static void take_member(struct reader *reader, unsigned member, enum json_token token)
{
	const struct json *json = reader->json;
	struct vma *vma = &reader->vma;
	uint64_t number;

	switch (member) {
	case MEMBER_NONE:
		break;
	case MEMBER_START:
		read_addr(json, token, &vma->start);
		break;
	case MEMBER_END:
		read_addr(json, token, &vma->end);
		break;
	case MEMBER_OFFSET:
		read_addr(json, token, &vma->offset);
		break;
	case MEMBER_PERM:
		vma->perm = perm_of(json->text);
		break;
	case MEMBER_DEV:
		read_dev(json, vma);
		break;
	case MEMBER_INODE:
		json_u64(json, &vma->inode);
		break;
	case MEMBER_PATH:
		keep_path(reader, json->text);
		break;
	case MEMBER_PATH_HEX:
		keep_hex(reader, json->text);
		break;
	case MEMBER_DELETED:
		vma->deleted = token == JSON_TRUE;
		break;
	case MEMBER_KIND:
		vma->kind = kind_of(json->text);
		break;
	case MEMBER_TID:
		if (json_u64(json, &number) && number <= INT_MAX)
			vma->tid = (int32_t)number;
		break;
	default:
		take_field(reader, member - MEMBER_FIELDS, token);
	}
}

/* What can not be a mapping, or overlaps the one before, is left out. */
static int add_mapping(struct reader *reader, uint64_t *end, struct error *err)
{
	const struct vma *vma = &reader->vma;

	if (vma->start >= vma->end || vma->start < *end) {
		reader->out->malformed++;
		return 0;
	}
	if (reader->store->count == MAP_DOCUMENT_MAPPINGS_MAX)
		return error_set(err, EFBIG, "more than %d mappings", MAP_DOCUMENT_MAPPINGS_MAX);
	*end = vma->end;
	vma_store_add(reader->store, vma);
	return 0;
}

/* The members of a mapping. Lists and objects, such as vm_flags and missing, are passed over. */
static enum json_token read_mapping(struct reader *reader)
{
	struct json *json = reader->json;
	enum json_token token;
	size_t at = 0;

	reader->vma = (struct vma){ .absent = map_document_lacks };
	reader->has_hex = false;
	while ((token = json_next(json)) > JSON_END && token != JSON_OBJECT_END) {
		unsigned member = member_of(reader, json->key, at++);

		if (token == JSON_OBJECT || token == JSON_LIST)
			json_skip(json, token);
		else
			take_member(reader, member, token);
	}
	return token;
}

static int read_mappings(struct reader *reader, struct error *err)
{
	struct json *json = reader->json;
	enum json_token token;
	uint64_t end = 0;
	int rc = 0;

	vma_store_clear(reader->store);
	reader->out->malformed = 0;
	while (rc == 0 && (token = json_next(json)) > JSON_END && token != JSON_LIST_END) {
		if (token != JSON_OBJECT)
			json_skip(json, token);
		else if (read_mapping(reader) == JSON_OBJECT_END)
			rc = add_mapping(reader, &end, err);
	}
	return rc;
}

/* cmdline, as the kernel has it: a NUL behind each argument. */
static struct bytes read_arguments(struct reader *reader)
{
	enum json_token token;
	struct out out;

	out_init_memory(&out);
	while ((token = json_next(reader->json)) > JSON_END && token != JSON_LIST_END) {
		if (token == JSON_STRING && out.len + reader->json->text.len < JSON_TEXT_MAX) {
			out_mem(&out, reader->json->text.data, reader->json->text.len);
			out_char(&out, '\0');
		}
		json_skip(reader->json, token);
	}
	return out_take(&out, reader->arena);
}

static bool is_key(const struct reader *reader, const char *key)
{
	return bytes_equal(reader->json->key, bytes_of(key));
}

static int take_fact(struct reader *reader, enum json_token token, struct error *err)
{
	const struct json *json = reader->json;
	struct map_document *out = reader->out;
	uint64_t number;

	if (token == JSON_LIST && is_key(reader, "mappings"))
		return read_mappings(reader, err);
	if (token == JSON_LIST && is_key(reader, "cmdline"))
		out->cmdline = read_arguments(reader);
	else if (token == JSON_STRING && is_key(reader, "comm"))
		out->comm = arena_bytes(reader->arena, json->text);
	else if (token == JSON_STRING && is_key(reader, "cgroup"))
		out->cgroup = arena_bytes(reader->arena, json->text);
	else if (is_key(reader, "pid") && json_u64(json, &number) && number <= INT_MAX)
		out->pid = (int32_t)number;
	else if (is_key(reader, "start_time") && json_u64(json, &number))
		out->start_time = number;
	else if (token == JSON_FALSE && is_key(reader, "complete"))
		out->complete = false;
	else
		json_skip(reader->json, token);
	return 0;
}

/* One process; keys may come in any order, so it is known at its end whether it is the one. */
static int read_process(struct reader *reader, struct error *err)
{
	const struct map_document before = *reader->out;
	struct vma_store *kept = reader->store, own;
	enum json_token token;
	bool taken;
	int rc = 0;

	*reader->out = (struct map_document){ .kernel = before.kernel,
					      .time = before.time,
					      .processes = before.processes + 1,
					      .complete = true };
	vma_store_init(&own);
	reader->store = &own;
	while (rc == 0 && (token = json_next(reader->json)) > JSON_END && token != JSON_OBJECT_END)
		rc = take_fact(reader, token, err);
	reader->store = kept;
	taken = rc == 0 && !reader->json->error &&
		(!reader->wanted || reader->out->pid == reader->wanted);
	if (taken) {
		struct vma_store other = *kept;

		*kept = own;
		own = other;
		reader->found = true;
	} else {
		size_t processes = reader->out->processes;

		*reader->out = before;
		reader->out->processes = processes;
	}
	vma_store_fini(&own);
	return rc;
}

static int read_processes(struct reader *reader, struct error *err)
{
	enum json_token token;
	int rc = 0;

	while (rc == 0 && (token = json_next(reader->json)) > JSON_END && token != JSON_LIST_END) {
		if (token == JSON_OBJECT)
			rc = read_process(reader, err);
		else
			json_skip(reader->json, token);
	}
	return rc;
}

static void read_host(struct reader *reader)
{
	enum json_token token;

	while ((token = json_next(reader->json)) > JSON_END && token != JSON_OBJECT_END) {
		if (token == JSON_STRING && is_key(reader, "time"))
			reader->out->time = arena_bytes(reader->arena, reader->json->text);
		else if (token == JSON_STRING && is_key(reader, "kernel"))
			reader->out->kernel = arena_bytes(reader->arena, reader->json->text);
		json_skip(reader->json, token);
	}
}

static int read_top(struct reader *reader, bool *is_map, struct error *err)
{
	struct json *json = reader->json;
	enum json_token token;
	int rc = 0;

	*is_map = false;
	if (json_next(json) != JSON_OBJECT)
		return 0;
	while (rc == 0 && (token = json_next(json)) > JSON_END && token != JSON_OBJECT_END) {
		if (token == JSON_STRING && is_key(reader, "command"))
			*is_map = bytes_equal(json->text, BYTES("map"));
		else if (token == JSON_OBJECT && is_key(reader, "host"))
			read_host(reader);
		else if (token == JSON_LIST && is_key(reader, "processes"))
			rc = read_processes(reader, err);
		else
			json_skip(json, token);
	}
	if (rc == 0 && !json->error)
		json_next(json);
	return rc;
}

int map_document_read(struct json *json, const struct map_document_request *request,
		      struct map_document *out, struct error *err)
{
	struct reader *reader = mem_zalloc(sizeof(*reader));
	bool is_map, found;
	int rc;

	*reader = (struct reader){
		.json = json,
		.keys = request->keys,
		.arena = request->arena,
		.store = request->store,
		.out = out,
		.wanted = request->pid,
	};
	*out = (struct map_document){ .complete = true };
	rc = read_top(reader, &is_map, err);
	found = reader->found;
	free(reader);
	if (rc)
		return rc;
	if (json->error)
		return error_set(err, EPROTO, "not valid JSON at byte %llu: %s",
				 (unsigned long long)json->offset, json->error);
	if (!is_map)
		return error_set(err, EPROTO, "not a document of vmview map --json");
	if (!found && request->pid)
		return error_set(err, ESRCH, "has no process %d", request->pid);
	return found ? 0 : error_set(err, ESRCH, "has no process");
}

struct file {
	int fd;
	char buf[1 << 16];
};

static int read_more(void *ctx, struct bytes *piece)
{
	struct file *file = ctx;
	ssize_t n;

	do
		n = read(file->fd, file->buf, sizeof(file->buf));
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	*piece = (struct bytes){ file->buf, (size_t)n };
	return 0;
}

int map_document_read_fd(int fd, const char *name, const struct map_document_request *request,
			 struct map_document *out, struct error *err)
{
	struct file *file = mem_alloc(sizeof(*file));
	struct error inner;
	struct json json;
	int rc;

	file->fd = fd;
	json_init(&json, read_more, file);
	rc = map_document_read(&json, request, out, &inner);
	if (json.rc)
		rc = error_errno(err, -json.rc, "%.300s", name);
	else if (rc)
		error_set(err, -rc, "%.300s: %.180s", name, inner.text);
	json_fini(&json);
	free(file);
	return rc;
}
